#include "provisioner/aws/logs.h"

#include "lib/cloud/aws_query.h"
#include "lib/cloud/aws_signin.h"
#include "lib/cloud/cloud_call.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "provisioner/render/render.h"
#include "version.h"

#include <stdlib.h>

#define ACTION       "FilterLogEvents"
#define ANSWER_BYTES (8UL * 1024 * 1024) /* AWS: 1 MiB of text a page, before it is escaped */
#define PAGE_EVENTS  10000
#define CALLS_MAX    30U
#define THROTTLES    4U
#define PAUSE_NS     (250 * NS_PER_MS)

struct reading {
    struct http_wait *client;
    struct cloud_token token;
    struct aws_endpoint endpoint;
    const char *group;
    int64_t deadline_mono_ns, offset_ns;
    unsigned calls;
    struct log_lines *lines;
    struct error *err;
};

/* --- reading ------------------------------------------------------------------------------------------- */

int aws_logs_read(struct str body, struct log_lines *lines, struct arena *arena, const char **ret_next,
                  struct error *err)
{
    struct node *root = NULL;
    *ret_next = NULL;
    if (json_parse(arena, body, &root, NULL) || root->kind != NODE_MAPPING)
        return error_set(err, ERR_PEER, ACTION " was answered with something else than events");
    const struct node *events = node_member(root, "events");
    if (!events || events->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PEER, ACTION " was answered without events");
    for (size_t i = 0; i < events->count; i++) {
        int64_t time;
        if (str_to_i64(node_text(events->items[i], "timestamp"), &time))
            log_lines_add(lines, time, node_text(events->items[i], "message"));
    }
    struct str next = node_text(root, "nextToken");
    if (next.len)
        *ret_next = next.ptr;
    return 0;
}

/* --- asking -------------------------------------------------------------------------------------------- */

static int send_signed(struct reading *reading, struct str body, struct arena *arena,
                       struct http_response *ret_answer)
{
    static const struct http_header headers[] = {{"Content-Type", "application/x-amz-json-1.1"},
                                                 {"X-Amz-Target", "Logs_20140328." ACTION}};
    const struct sigv4_key key = {.access_key_id = reading->token.access_key_id,
                                  .secret = reading->token.secret,
                                  .session = reading->token.session,
                                  .region = reading->endpoint.region,
                                  .service = reading->endpoint.service};
    struct http_request request = {.method = "POST",
                                   .url = reading->endpoint.url,
                                   .headers = headers,
                                   .header_count = ARRAY_LEN(headers),
                                   .body = body,
                                   .tls = {.ca_file = reading->endpoint.ca_file},
                                   .max_body_bytes = ANSWER_BYTES};
    const struct http_header *all;
    size_t count;
    int code =
        sigv4_sign(&request, &key, clock_wall_ns() + reading->offset_ns, arena, &all, &count, reading->err);
    if (code)
        return code;
    request.headers = all;
    request.header_count = count;
    code = cloud_call(reading->client, &request, reading->deadline_mono_ns, arena, ret_answer, reading->err);
    return code ? error_prefix(reading->err, ACTION) : 0;
}

/* Throttling is answered 400 here, so it is nothing that cloud_call() tries again. */
static bool paused(const struct reading *reading, unsigned number)
{
    int64_t pause = PAUSE_NS << number;
    if (number == THROTTLES || clock_mono_ns() + pause >= reading->deadline_mono_ns)
        return false;
    clock_sleep_ns(pause);
    return true;
}

static int refuse(const struct reading *reading, const struct aws_failure *failure)
{
    if (strcmp(failure->code, "ResourceNotFoundException") == 0)
        return error_set(reading->err, ERR_PEER, "the log group %s is not there", reading->group);
    return aws_failure_error(failure, ACTION, reading->token.source, reading->err);
}

static int call(struct reading *reading, struct str body, struct arena *arena,
                struct http_response *ret_answer)
{
    bool corrected = false;
    for (unsigned throttled = 0;;) {
        struct aws_failure failure;
        int code = send_signed(reading, body, arena, ret_answer);
        if (code || ret_answer->status == 200)
            return code;
        aws_json_failure(ret_answer, arena, &failure);
        if (!corrected &&
            sigv4_clock_offset(failure.code, failure.message, http_response_header(ret_answer, "Date"),
                               clock_wall_ns(), &reading->offset_ns)) {
            corrected = true;
            continue;
        }
        if (failure.status == 400 && aws_failure_is_passing(&failure) && paused(reading, throttled)) {
            throttled++;
            continue;
        }
        return refuse(reading, &failure);
    }
}

static void put_question(struct buf *body, const struct reading *reading, int64_t from_ms, int64_t to_ms,
                         const char *next)
{
    struct json_writer json;
    json_init(&json, body);
    json_object_begin(&json);
    json_kv_text(&json, "logGroupName", reading->group);
    json_kv_i64(&json, "startTime", from_ms);
    if (to_ms) /* AWS: up to this moment, itself included */
        json_kv_i64(&json, "endTime", to_ms);
    json_kv_i64(&json, "limit", PAGE_EVENTS);
    if (next)
        json_kv_text(&json, "nextToken", next);
    json_object_end(&json);
}

/* All pages of a span, as far as calls are left. A page without events may have a next one. */
static int read_span(struct reading *reading, int64_t from_ms, int64_t to_ms)
{
    char *next = NULL;
    int code = 0;
    do {
        struct arena *arena = arena_new(0); /* a page each: they are large */
        struct buf body = BUF_INIT(64UL * 1024);
        struct http_response answer;
        const char *token = NULL;
        put_question(&body, reading, from_ms, to_ms, next);
        free(next);
        next = NULL;
        code = call(reading, buf_str(&body), arena, &answer);
        if (!code)
            code = aws_logs_read(answer.body, reading->lines, arena, &token, reading->err);
        if (!code && token && ++reading->calls < CALLS_MAX)
            next = xstrdup(token);
        buf_deinit(&body);
        arena_free(arena);
    } while (next);
    return code;
}

static int read_spans(struct reading *reading)
{
    static const int64_t seconds[] = {60, 10 * 60, 2 * 3600, 24 * 3600}; /* back from now */
    int64_t now_ms = (clock_wall_ns() + reading->offset_ns) / NS_PER_MS, to_ms = 0;
    int code = 0;
    for (size_t i = 0; !code && i < ARRAY_LEN(seconds); i++) {
        int64_t from_ms = now_ms - seconds[i] * 1000;
        code = read_span(reading, from_ms, to_ms);
        to_ms = from_ms - 1;
        if (reading->lines->count == reading->lines->most || ++reading->calls >= CALLS_MAX)
            break;
    }
    /* What was read is worth more than the reason why there is not more of it. */
    return reading->lines->count ? 0 : code;
}

int aws_recent_logs(const struct deployment *deployment, const struct region *region, size_t most,
                    int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                    struct error *err)
{
    bool role = region->account && strncmp(region->account, "arn:", 4) == 0;
    const struct aws_signin_options options = {.region = region->location_name,
                                               .role_arn = role ? region->account : NULL};
    char name[RENDER_NAME_MAX + 1];
    struct log_lines lines;
    struct reading reading = {.deadline_mono_ns = deadline_mono_ns, .lines = &lines, .err = err};
    reading.group = arena_printf(arena, "/fraiseql/%s/service", render_name(deployment, region, name));
    int code = aws_endpoint_find("logs", region->location_name, env_get, arena, &reading.endpoint, err);
    if (!code)
        code = http_wait_new("fraiseql/" FRAISEQL_VERSION, &reading.client, err);
    if (code)
        return code;
    log_lines_init(&lines, most);
    struct signin *signin = aws_signin_new(&options);
    code = signin_wait(signin, reading.client, deadline_mono_ns, &reading.token, err);
    if (!code)
        code = read_spans(&reading);
    if (!code)
        log_lines_give(&lines, arena, ret_lines);
    signin_free(signin);
    log_lines_deinit(&lines);
    http_wait_free(reading.client);
    return code;
}
