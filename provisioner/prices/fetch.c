#include "provisioner/prices/fetch.h"

#include "lib/core/clock.h"
#include "lib/net/retry.h"
#include "provisioner/prices/origin.h"
#include "version.h"

#include <errno.h>

#define MAX_ATTEMPTS 8
#define MAX_URL      8192
#define SHORT_ANSWER (256UL * 1024 * 1024)
#define SHORT_NS     (120 * NS_PER_S)

int fetch_open(struct fetch *fetch, const char *base, struct error *err)
{
    *fetch = (struct fetch){.base = base};
    return http_wait_new("fraiseql/" FRAISEQL_VERSION, &fetch->client, err);
}

void fetch_close(struct fetch *fetch)
{
    http_wait_free(fetch->client);
}

/* --- one attempt --- */

struct attempt {
    struct fetch *fetch;
    const struct fetch_reader *reader;
    struct error refused; /* what the reader said of the body */
};

static bool on_body(void *ctx, struct str chunk)
{
    struct attempt *attempt = ctx;
    struct fetch *fetch = attempt->fetch;
    fetch->bytes += chunk.len;
    if (fetch->progress)
        fetch->progress(fetch->progress_ctx, fetch);
    return attempt->reader->feed(attempt->reader->ctx, chunk, &attempt->refused) == 0;
}

/* *ret_wait_ns is set when another attempt may help: how long to wait at least. */
static int judge(const struct http_response *response, int code, const struct attempt *attempt,
                 int64_t *ret_wait_ns, struct error *err)
{
    int status = response->status;
    *ret_wait_ns = -1;
    if (status != 0 && status != 200) { /* its body is no price list, whatever became of it */
        if (retry_status_passes(status))
            *ret_wait_ns = retry_after_ns(response->retry_after, clock_wall_ns(), RETRY_AFTER_MAX_NS);
        code = status == 401 || status == 403 ? ERR_AUTH : status == 404 ? -ENOENT : ERR_PEER;
        return error_set(err, code, "the answer is status %d", status);
    }
    if (attempt->refused.code) {
        *err = attempt->refused;
        return err->code;
    }
    if (retry_code_passes(code))
        *ret_wait_ns = 0;
    return code ? code : attempt->reader->end(attempt->reader->ctx, err);
}

static int try_once(struct fetch *fetch, const char *url, size_t max_bytes, const struct fetch_reader *reader,
                    int64_t *ret_wait_ns, struct error *err)
{
    struct arena *arena = arena_new(0);
    struct attempt attempt = {.fetch = fetch, .reader = reader};
    struct http_response response;
    const struct http_header header = {"X-Goog-Api-Key", fetch->key ? secret_reveal(fetch->key).ptr : NULL};
    int64_t short_ns = clock_mono_ns() + SHORT_NS;
    bool soon = max_bytes <= SHORT_ANSWER && short_ns < fetch->deadline_mono_ns;
    const struct http_request request = {.url = url,
                                         .headers = &header,
                                         .header_count = fetch->key ? 1 : 0,
                                         .deadline_mono_ns = soon ? short_ns : fetch->deadline_mono_ns,
                                         .max_body_bytes = max_bytes,
                                         .accept_gzip = true};
    fetch->requests++;
    reader->begin(reader->ctx);
    int code = http_wait_stream(fetch->client, &request, on_body, &attempt, arena, &response, err);
    code = judge(&response, code, &attempt, ret_wait_ns, err);
    if (fetch->progress)
        fetch->progress(fetch->progress_ctx, fetch);
    arena_free(arena);
    return code;
}

/* --- until it is there --- */

static int keep_trying(struct fetch *fetch, const char *url, size_t max_bytes,
                       const struct fetch_reader *reader, struct error *err)
{
    for (unsigned attempt = 1;; attempt++) {
        int64_t wait_ns;
        int code = try_once(fetch, url, max_bytes, reader, &wait_ns, err);
        if (!code || wait_ns < 0)
            return code;
        if (attempt == MAX_ATTEMPTS || !retry_sleep(attempt, wait_ns, fetch->deadline_mono_ns))
            return error_prefix(err, "given up after %u attempt%s", attempt, PLURAL(attempt));
        fetch->retries++;
    }
}

/* Host and path, which say enough; what stands in a query may be long. */
static int name_request(const char *url, struct error *err)
{
    return error_prefix(err, "%.*s", (int)strcspn(url, "?"), url);
}

int fetch_get(struct fetch *fetch, const char *target, size_t max_bytes, const struct fetch_reader *reader,
              struct error *err)
{
    struct error own;
    struct origin base, wanted;
    struct buf url = BUF_INIT(MAX_URL);
    err = err ? err : &own;
    if (*target == '/') {
        size_t length = strlen(fetch->base);
        buf_append(&url, fetch->base, length && fetch->base[length - 1] == '/' ? length - 1 : length);
    }
    buf_append_text(&url, target);
    int code = 0;
    if (url.failed)
        code = error_set(err, ERR_LIMIT, "a URL of more than %d bytes", MAX_URL);
    else if (!origin_parse(str_from(fetch->base), &base) || !origin_parse(buf_str(&url), &wanted) ||
             !origin_same(&base, &wanted))
        code = error_set(err, ERR_PEER, "a link leads away from %s: %.200s", fetch->base, target);
    if (!code) {
        code = keep_trying(fetch, buf_text(&url), max_bytes, reader, err);
        if (code)
            code = name_request(buf_text(&url), err);
    }
    buf_deinit(&url);
    return code;
}

/* --- a document --- */

struct document {
    struct buf bytes;
    struct arena *arena;
    struct node *root;
};

static void begin_document(void *ctx)
{
    buf_reset(&((struct document *)ctx)->bytes);
}

static int feed_document(void *ctx, struct str chunk, struct error *err)
{
    struct document *document = ctx;
    buf_append_str(&document->bytes, chunk);
    return document->bytes.failed ? error_set(err, ERR_LIMIT, "the document is too large") : 0;
}

static int end_document(void *ctx, struct error *err)
{
    struct document *document = ctx;
    return json_parse(document->arena, buf_str(&document->bytes), &document->root, err);
}

int fetch_json(struct fetch *fetch, const char *target, size_t max_bytes, struct arena *arena,
               struct node **ret_root, struct error *err)
{
    struct document document = {.arena = arena};
    const struct fetch_reader reader = {begin_document, feed_document, end_document, &document};
    buf_init(&document.bytes, max_bytes);
    int code = fetch_get(fetch, target, max_bytes, &reader, err);
    buf_deinit(&document.bytes);
    if (!code)
        *ret_root = document.root;
    return code;
}
