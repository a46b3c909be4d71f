#include "provisioner/gcp/logs.h"

#include "lib/cloud/cloud_call.h"
#include "lib/cloud/google_signin.h"
#include "lib/cloud/oauth.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "provisioner/gcp/credentials.h"
#include "provisioner/render/render.h"
#include "version.h"

#define LOGGING_URL  "https://logging.googleapis.com/v2/"
#define ANSWER_BYTES (8UL * 1024 * 1024)
#define PAGES_MAX    10U
#define BACK_NS      (24 * INT64_C(3600) * NS_PER_S)

struct reading {
    struct http_wait *client;
    struct cloud_token token;
    struct arena *arena;
    const char *url, *project, *filter;
    size_t most;
    int64_t deadline_mono_ns;
    struct log_lines *lines;
    struct error *err;
};

/* --- reading ------------------------------------------------------------------------------------------- */

static struct str text_of(const struct node *entry)
{
    struct str text = node_text(node_member(entry, "jsonPayload"), "message");
    return text.len ? text : node_text(entry, "textPayload");
}

int gcp_logs_read(struct str body, struct log_lines *lines, struct arena *arena, const char **ret_next,
                  struct error *err)
{
    struct node *root = NULL;
    *ret_next = NULL;
    if (json_parse(arena, body, &root, NULL) || root->kind != NODE_MAPPING)
        return error_set(err, ERR_PEER, "entries:list was answered with something else than entries");
    const struct node *entries = node_member(root, "entries"); /* none: there is nothing */
    if (entries && entries->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PEER, "entries:list was answered with entries that are no list");
    /* A page is older than the one before it: the same order for its entries, lower than all so far. */
    int64_t order = lines->count ? lines->lines[0].order - 1 : 0;
    for (size_t i = entries ? entries->count : 0; i-- > 0;)
        log_lines_add(lines, order, text_of(entries->items[i]));
    struct str next = node_text(root, "nextPageToken");
    if (next.len)
        *ret_next = next.ptr;
    return 0;
}

/* --- asking -------------------------------------------------------------------------------------------- */

static void put_question(struct buf *body, const struct reading *reading, const char *next)
{
    struct json_writer json;
    json_init(&json, body);
    json_object_begin(&json);
    json_key(&json, "resourceNames");
    json_array_begin(&json);
    json_text(&json, arena_printf(reading->arena, "projects/%s", reading->project));
    json_array_end(&json);
    json_kv_text(&json, "filter", reading->filter);
    json_kv_text(&json, "orderBy", "timestamp desc");
    json_kv_i64(&json, "pageSize", (int64_t)reading->most);
    if (next)
        json_kv_text(&json, "pageToken", next);
    json_object_end(&json);
}

static int read_page(struct reading *reading, const char **next)
{
    static const struct http_header headers[] = {{"Content-Type", "application/json"}};
    struct buf body = BUF_INIT(64UL * 1024);
    struct http_response answer;
    put_question(&body, reading, *next);
    const struct http_request request = {.method = "POST",
                                         .url = reading->url,
                                         .headers = headers,
                                         .header_count = ARRAY_LEN(headers),
                                         .body = buf_str(&body),
                                         .bearer_token = reading->token.secret,
                                         .max_body_bytes = ANSWER_BYTES};
    int code = cloud_call(reading->client, &request, reading->deadline_mono_ns, reading->arena, &answer,
                          reading->err);
    buf_deinit(&body);
    if (code)
        return error_prefix(reading->err, "Cloud Logging");
    if (answer.status != 200) {
        code = oauth_refusal(answer.status, answer.body, reading->err);
        (void)error_prefix(reading->err, "Cloud Logging, asked by %s",
                           reading->token.identity ? reading->token.identity : reading->token.source);
        return code;
    }
    return gcp_logs_read(answer.body, reading->lines, reading->arena, next, reading->err);
}

/* A page may come without entries and name a next one all the same. */
static int read_pages(struct reading *reading)
{
    const char *next = NULL;
    int code = 0;
    unsigned pages = 0;
    do {
        code = read_page(reading, &next);
    } while (!code && next && ++pages < PAGES_MAX && reading->lines->count < reading->lines->most);
    return reading->lines->count ? 0 : code;
}

static const char *filter_of(const char *name, struct arena *arena)
{
    struct buf since = BUF_INIT(256);
    struct json_writer json;
    json_init(&json, &since);
    json_time(&json, clock_wall_ns() - BACK_NS); /* with its quotes */
    const char *filter = arena_printf(
        arena,
        "log_id(\"gcplogs-docker-driver\") AND jsonPayload.container.metadata.\"fraiseql-name\"=\"%s\" AND "
        "timestamp>=%s",
        name, buf_text(&since));
    buf_deinit(&since);
    return filter;
}

static int find_place(struct reading *reading, const struct region *region)
{
    const char *url = env_get("GOOGLE_LOGGING_CUSTOM_ENDPOINT");
    url = url ? url : LOGGING_URL;
    reading->project = gcp_project_of(region);
    if (!reading->project)
        return error_set(reading->err, ERR_CONFIG, "no project is named");
    if (!oauth_url_is_private(url))
        return error_set(reading->err, ERR_CONFIG,
                         "GOOGLE_LOGGING_CUSTOM_ENDPOINT is not https, and a token would be sent to it");
    reading->url =
        arena_printf(reading->arena, "%s%sentries:list", url, str_ends(str_from(url), STR("/")) ? "" : "/");
    return 0;
}

int gcp_recent_logs(const struct deployment *deployment, const struct region *region, size_t most,
                    int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                    struct error *err)
{
    char name[RENDER_NAME_MAX + 1];
    struct log_lines lines;
    struct reading reading = {.arena = arena_new(0),
                              .most = most,
                              .deadline_mono_ns = deadline_mono_ns,
                              .lines = &lines,
                              .err = err};
    log_lines_init(&lines, most);
    int code = find_place(&reading, region);
    if (!code)
        code = http_wait_new("fraiseql/" FRAISEQL_VERSION, &reading.client, err);
    if (!code) {
        struct signin *signin = google_signin_new(GOOGLE_SCOPE_ALL);
        reading.filter = filter_of(render_name(deployment, region, name), reading.arena);
        code = cloud_signin(signin, reading.client, deadline_mono_ns, &reading.token, err);
        if (!code)
            code = read_pages(&reading);
        signin_free(signin);
    }
    if (!code)
        log_lines_give(&lines, arena, ret_lines);
    http_wait_free(reading.client);
    log_lines_deinit(&lines);
    arena_free(reading.arena);
    return code;
}
