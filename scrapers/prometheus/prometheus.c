#include "scrapers/prometheus/prometheus.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/net/http_wait.h"
#include "scrapers/prometheus/exposition_reader.h"
#include "scrapers/prometheus/prometheus_config.h"
#include "scrapers/url.h"

#include <stdlib.h>

#define SLICE_BYTES       (256UL * 1024) /* read between two looks at the loop: about a millisecond */
#define SECRET_REFRESH_NS (30 * NS_PER_S)

#define PROTOBUF "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
#define OM       "application/openmetrics-text;version="
#define TEXT     "text/plain;version="

/* As Prometheus 3 asks, with the escaping that we read (underscores is the default). */
static const char *const accept_headers[] = {
    [PROMETHEUS_FORMAT_OPENMETRICS] = OM "1.0.0;q=0.6," OM "0.0.1;q=0.5," TEXT "1.0.0;q=0.4," TEXT
                                         "0.0.4;q=0.3," PROTOBUF ";q=0.2,*/*;q=0.1",
    [PROMETHEUS_FORMAT_TEXT] = TEXT "1.0.0;q=0.6," TEXT "0.0.4;q=0.5," OM "1.0.0;q=0.4," OM
                                    "0.0.1;q=0.3," PROTOBUF ";q=0.2,*/*;q=0.1",
    [PROMETHEUS_FORMAT_PROTOBUF] = PROTOBUF ";q=0.6," OM "1.0.0;q=0.5," OM "0.0.1;q=0.4," TEXT
                                            "1.0.0;q=0.3," TEXT "0.0.4;q=0.2,*/*;q=0.1",
};

enum { HEADERS_OF_OURS = 2 };

struct state {
    const struct scraper_env *env;
    const struct prometheus_config *config;
    struct batch *batch;
    struct exposition_reader *reader;
    struct selector **keep, **drop;
    struct relabel *relabel; /* NULL: no rules */
    struct http_header *headers;
    struct secret *secret;
    int64_t secret_read_ns; /* 0: to be read */
    /* The scrape under way. */
    scraper_done_fn *done;
    void *done_ctx;
    struct http_call *call;
    bool parsing, cancelled;
    struct buf body;
    /* Since create(). */
    struct exposition_counts totals;
    loop_fn *destroyed;
    void *destroyed_ctx;
};

static const struct metric_desc dropped_desc = {
    .name = "fraiseql_scraper_dropped_lines_total",
    .type = METRIC_COUNTER,
    .help = "Lines that were not taken over up to the scrape before, by reason (syntax, invalid, duplicate, "
            "limit, label_limit, type, stale, future, out_of_order).",
};
static const struct metric_desc filtered_desc = {
    .name = "fraiseql_scraper_filtered_lines_total",
    .type = METRIC_COUNTER,
    .help = "Lines that keep, drop and relabel left out up to the scrape before.",
};
static const struct metric_desc body_desc = {
    .name = "fraiseql_scraper_page_bytes",
    .type = METRIC_GAUGE,
    .help = "Size of the target's page after decompression.",
    .unit = "bytes",
};

static const struct metric_desc age_desc = {
    .name = "fraiseql_scraper_oldest_sample_age_seconds",
    .type = METRIC_GAUGE,
    .help = "Age of the oldest sample that was taken of the page, by the samples' own timestamps.",
    .unit = "seconds",
};

static void free_selectors(struct selector **selectors, size_t count)
{
    for (size_t i = 0; selectors && i < count; i++)
        selector_free(selectors[i]);
    free(selectors);
}

static void free_state(struct state *state)
{
    exposition_reader_free(state->reader);
    batch_free(state->batch);
    free_selectors(state->keep, state->config->keep.count);
    free_selectors(state->drop, state->config->drop.count);
    relabel_free(state->relabel);
    secret_free(state->secret);
    buf_deinit(&state->body);
    free(state->headers);
    free(state);
}

static int parse_selectors(const struct string_list *texts, struct selector ***ret_selectors,
                           struct error *err)
{
    *ret_selectors = xcalloc(texts->count + 1, sizeof **ret_selectors);
    for (size_t i = 0; i < texts->count; i++) {
        int rc = selector_parse(texts->items[i], &(*ret_selectors)[i], err);
        if (rc != 0)
            return error_prefix(err, "selector \"%s\"", texts->items[i]);
    }
    return 0;
}

static void make_batch(struct state *state)
{
    const struct prometheus_config *config = state->config;
    const struct label common[] = {LABEL_TEXT("region", config->target.region),
                                   LABEL("scraper", STR("prometheus")),
                                   LABEL_TEXT("target", config->target.name)};
    uint64_t max_series = config->target.max_series ? config->target.max_series : LIMIT_SERIES_PER_TARGET;
    const struct batch_options options = {
        .common = common, .common_count = ARRAY_LEN(common), .max_series = (uint32_t)max_series};
    state->batch = batch_new(&options);
    const struct exposition_reader_options reader_options = {
        .batch = state->batch,
        .keep = state->keep,
        .keep_count = config->keep.count,
        .drop = state->drop,
        .drop_count = config->drop.count,
        .relabel = state->relabel,
        .max_names = (uint32_t)max_series,
        .max_samples = (uint64_t)config->limit,
        .max_labels = (uint32_t)config->label_limit,
        .max_label_name_bytes = (uint32_t)config->label_name_length_limit,
        .max_label_value_bytes = (uint32_t)config->label_value_length_limit,
        .max_sample_age_ms = config->honor_timestamps ? config->max_sample_age_ns / NS_PER_MS : 0,
    };
    state->reader = exposition_reader_new(&reader_options);
}

static int create(const struct scraper_env *env, const void *config, void **ret_state, struct error *err)
{
    struct state *state = xcalloc(1, sizeof *state);
    state->env = env;
    state->config = config;
    buf_init(&state->body, state->config->max_body_bytes);
    int rc = parse_selectors(&state->config->keep, &state->keep, err);
    if (rc == 0)
        rc = parse_selectors(&state->config->drop, &state->drop, err);
    if (rc == 0)
        rc = relabel_new(&state->config->relabel, &state->relabel, err);
    if (rc != 0) {
        free_state(state);
        return rc;
    }
    state->headers = xcalloc(state->config->headers.count + HEADERS_OF_OURS, sizeof *state->headers);
    make_batch(state);
    *ret_state = state;
    return 0;
}

/* Ends the scrape under way: the one place that calls done(). */
static void finish(struct state *state, struct snapshot *snapshot, const struct error *err)
{
    scraper_done_fn *done = TAKE(state->done);
    state->call = NULL;
    state->parsing = false;
    buf_deinit(&state->body); /* between scrapes a target holds no page */
    buf_init(&state->body, state->config->max_body_bytes);
    loop_fn *destroyed = state->destroyed;
    void *destroyed_ctx = state->destroyed_ctx;
    done(state->done_ctx, snapshot, err);
    if (destroyed) {
        free_state(state);
        destroyed(destroyed_ctx);
    }
}

static void fail(struct state *state, int code, const char *message)
{
    struct error err = {0};
    error_set(&err, code, "%s", message);
    finish(state, NULL, &err);
}

static void put_dropped(struct state *state, const char *reason, uint64_t count)
{
    struct label label = LABEL_TEXT("reason", reason);
    batch_put(state->batch, &dropped_desc, &label, 1, VALUE_OF_U64(count));
}

/* Ours go first, so that a page over its limit does not push them out; they tell of the scrapes before. */
static void put_own_families(struct state *state)
{
    struct batch_counts counts;
    batch_counts(state->batch, &counts);
    put_dropped(state, "duplicate", counts.dropped_duplicate);
    put_dropped(state, "future", state->totals.future);
    put_dropped(state, "invalid", counts.dropped_invalid);
    put_dropped(state, "label_limit", state->totals.over_label_limit);
    put_dropped(state, "limit", counts.dropped_limit + state->totals.over_limit);
    put_dropped(state, "out_of_order", state->totals.out_of_order);
    put_dropped(state, "stale", state->totals.stale);
    put_dropped(state, "syntax", state->totals.bad);
    put_dropped(state, "type", counts.dropped_type);
    batch_put(state->batch, &filtered_desc, NULL, 0, VALUE_OF_U64(state->totals.filtered));
    batch_put(state->batch, &body_desc, NULL, 0, VALUE_OF_U64(state->body.len));
}

static void finish_page(struct state *state)
{
    struct error err = {0};
    struct exposition_counts counts;
    int rc = exposition_reader_finish(state->reader, &counts, &err);
    exposition_counts_add(&state->totals, &counts);
    if (counts.oldest_age_ms >= 0)
        batch_put(state->batch, &age_desc, NULL, 0, VALUE_OF_F64((double)counts.oldest_age_ms / 1000));
    struct snapshot *snapshot = batch_finish(state->batch, clock_wall_ns(), clock_mono_ns());
    if (rc != 0) {
        snapshot_unref(snapshot);
        finish(state, NULL, &err);
        return;
    }
    if (counts.bad > 0)
        LOG_EVENT(LOG_DEBUG, "scrape.bad_lines", LF_TEXT("target", state->config->target.name),
                  LF_I64("lines", counts.bad), LF_I64("first_line", counts.first_bad_line),
                  LF_TEXT("reason", counts.first_bad_reason));
    finish(state, snapshot, NULL);
}

static void read_slice(void *arg)
{
    struct state *state = arg;
    if (state->cancelled) {
        fail(state, ERR_CANCELLED, "the scrape was cancelled");
    } else if (!exposition_reader_step(state->reader, SLICE_BYTES)) {
        finish_page(state);
    } else if (!loop_post(state->env->loop, "prometheus.read", read_slice, state)) {
        fail(state, ERR_CANCELLED, "the loop has stopped");
    }
}

static bool media_type_is(struct str content_type, const char *type)
{
    struct str wanted = str_from(type);
    if (content_type.len < wanted.len || strncasecmp(content_type.ptr, type, wanted.len) != 0)
        return false;
    return content_type.len == wanted.len || strchr("; \t", content_type.ptr[wanted.len]) != NULL;
}

/* Of the encodings of the type only the delimited one is read; without the parameter it is meant. */
static int check_protobuf(struct str content_type, enum exposition_format *ret_format, struct error *err)
{
    static const char key[] = "encoding=";
    const char *end = content_type.ptr + content_type.len;
    const char *at = memmem(content_type.ptr, content_type.len, key, sizeof key - 1);
    if (at && !str_starts((struct str){at, (size_t)(end - at)}, STR("encoding=delimited")))
        return error_set(err, ERR_PEER, "the answer is protobuf of another encoding than delimited");
    *ret_format = EXPOSITION_PROTOBUF;
    return 0;
}

static int choose_format(const struct state *state, struct str content_type,
                         enum exposition_format *ret_format, struct error *err)
{
    content_type = str_trim(content_type);
    if (media_type_is(content_type, "application/openmetrics-text"))
        *ret_format = EXPOSITION_OPENMETRICS;
    else if (media_type_is(content_type, "application/vnd.google.protobuf"))
        return check_protobuf(content_type, ret_format, err);
    else if (media_type_is(content_type, "text/plain") || state->config->format == PROMETHEUS_FORMAT_TEXT)
        *ret_format = EXPOSITION_TEXT;
    else if (state->config->format == PROMETHEUS_FORMAT_PROTOBUF)
        *ret_format = EXPOSITION_PROTOBUF;
    else if (state->config->format == PROMETHEUS_FORMAT_OPENMETRICS)
        *ret_format = EXPOSITION_OPENMETRICS;
    else if (content_type.len == 0)
        *ret_format = EXPOSITION_TEXT;
    else {
        error_set(err, ERR_PEER, "the answer is no exposition: its Content-Type is %.*s",
                  content_type.len > 100 ? 100 : STR_ARGS(content_type));
        error_set_hint(err, "set `format` when the page is one nevertheless");
        return ERR_PEER;
    }
    return 0;
}

/* A body that only the end of the connection ends may have been cut off unseen, and half a number is a
 * number. */
static bool has_known_end(const struct http_response *response)
{
    return response->http_version >= 20 || http_response_header(response, "Content-Length") ||
           http_response_header(response, "Transfer-Encoding");
}

static int check_answer(struct state *state, const struct http_response *response, const struct error *err,
                        enum exposition_format *ret_format, struct error *ret_err)
{
    if (state->cancelled)
        return error_set(ret_err, ERR_CANCELLED, "the scrape was cancelled");
    if (err && state->body.failed)
        return error_set(ret_err, ERR_LIMIT, "the page is larger than max_body");
    if (err) {
        *ret_err = *err;
        return err->code;
    }
    if (response->status == 401 || response->status == 403) {
        state->secret_read_ns = 0; /* it may have been rotated */
        return error_set(ret_err, ERR_AUTH, "the target answered HTTP %d", response->status);
    }
    if (response->status != 200)
        return error_set(ret_err, ERR_PEER, "the target answered HTTP %d", response->status);
    int rc = choose_format(state, response->content_type, ret_format, ret_err);
    if (rc == 0 && *ret_format == EXPOSITION_TEXT && state->body.len > 0 &&
        state->body.data[state->body.len - 1] != '\n' && !has_known_end(response))
        return error_set(ret_err, ERR_PARSE, "the page ends inside a line: the connection was cut");
    return rc;
}

static void on_answer(void *ctx, const struct http_response *response, const struct error *err)
{
    struct state *state = ctx;
    struct error failure = {0};
    enum exposition_format format = EXPOSITION_TEXT;
    state->call = NULL;
    if (check_answer(state, response, err, &format, &failure) != 0) {
        finish(state, NULL, &failure);
        return;
    }
    state->parsing = true;
    batch_begin(state->batch);
    put_own_families(state);
    const struct exposition_page page = {
        .format = format, .bytes = buf_str(&state->body), .now_wall_ms = clock_wall_ns() / NS_PER_MS};
    exposition_reader_begin_page(state->reader, &page);
    read_slice(state);
}

static bool on_body(void *ctx, struct str chunk)
{
    struct state *state = ctx;
    buf_append_str(&state->body, chunk);
    return !state->body.failed;
}

/* Small files, read on the scrape loop at most every 30 s: rotated tokens need no reload. */
static int refresh_secret(struct state *state, struct error *err)
{
    const struct http_credential_files *files = &state->config->credentials;
    const char *path = files->bearer_token_file ? files->bearer_token_file : files->basic_password_file;
    int64_t now = clock_mono_ns();
    if (!path || (state->secret_read_ns != 0 && now - state->secret_read_ns < SECRET_REFRESH_NS))
        return 0;
    struct secret *fresh = NULL;
    int rc = secret_read_file(path, &fresh, NULL, err);
    if (rc != 0)
        return error_prefix(err, "%s", files->bearer_token_file ? "bearer token" : "password");
    secret_free(state->secret);
    state->secret = fresh;
    state->secret_read_ns = now;
    return 0;
}

static int send_request(struct state *state, int64_t deadline_mono_ns, struct error *err)
{
    const struct prometheus_config *config = state->config;
    char timeout[NUMBER_TEXT_MAX + 1];
    int64_t left_ns = deadline_mono_ns - clock_mono_ns();
    *number_write_f64(timeout, (double)(left_ns / NS_PER_MS) / 1000.0) = '\0';
    size_t count = 0;
    state->headers[count++] = (struct http_header){"Accept", accept_headers[config->prefer]};
    state->headers[count++] = (struct http_header){"X-Prometheus-Scrape-Timeout-Seconds", timeout};
    for (size_t i = 0; i < config->headers.count; i++)
        state->headers[count++] =
            (struct http_header){config->headers.items[i].key, config->headers.items[i].value};
    const struct http_request request = {
        .url = config->url,
        .headers = state->headers,
        .header_count = count,
        .bearer_token = config->credentials.bearer_token_file ? state->secret : NULL,
        .basic_user = config->credentials.basic_user,
        .basic_password = config->credentials.basic_user ? state->secret : NULL,
        .tls = config->tls,
        .deadline_mono_ns = deadline_mono_ns,
        .max_body_bytes = config->max_body_bytes,
        .max_redirects = (unsigned)config->max_redirects,
        .accept_gzip = true,
    };
    return http_client_stream(state->env->http, &request, on_body, on_answer, state, &state->call, err);
}

static void scrape(void *state_pointer, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx)
{
    struct state *state = state_pointer;
    struct error err = {0};
    state->done = done;
    state->done_ctx = ctx;
    state->cancelled = false;
    int rc = refresh_secret(state, &err);
    if (rc == 0)
        rc = send_request(state, deadline_mono_ns, &err);
    if (rc != 0)
        finish(state, NULL, &err);
}

static void cancel(void *state_pointer)
{
    struct state *state = state_pointer;
    if (!state->done)
        return;
    state->cancelled = true;
    if (state->call)
        http_call_cancel(state->call);
}

static void destroy(void *state_pointer, loop_fn *destroyed, void *ctx)
{
    struct state *state = state_pointer;
    if (!state->done) {
        free_state(state);
        destroyed(ctx);
        return;
    }
    state->destroyed = destroyed;
    state->destroyed_ctx = ctx;
    cancel(state);
}

static void address(const void *config_pointer, char *text, size_t size)
{
    const struct prometheus_config *config = config_pointer;
    url_target(config->url, text, size);
}

static void check(const void *config_pointer, struct diag *diag)
{
    const struct prometheus_config *config = config_pointer;
    const struct option_position *at = &config->target.position;
    if (config->tls.insecure_skip_verify)
        diag_add(diag, DIAG_WARNING, at->file, at->line, at->column,
                 "target %s: its certificate is not verified", config->target.name);
    if (config->credentials.bearer_token_file && strncmp(config->url, "http://", 7) == 0 &&
        !strstr(config->url, "://127.") && !strstr(config->url, "://localhost"))
        diag_add(diag, DIAG_WARNING, at->file, at->line, at->column,
                 "target %s: the bearer token is sent without TLS", config->target.name);
}

const struct scraper_kind prometheus_scraper = {
    .name = "prometheus",
    .section = &prometheus_section,
    .address = address,
    .create = create,
    .scrape = scrape,
    .cancel = cancel,
    .destroy = destroy,
    .check = check,
};
