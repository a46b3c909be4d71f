#include "provisioner/aws/logs.h"

#include "lib/core/clock.h"
#include "provisioner/aws/json_call.h"
#include "provisioner/render/render.h"

#include <stdlib.h>

#define ACTION       "FilterLogEvents"
#define ANSWER_BYTES (8UL * 1024 * 1024) /* AWS: 1 MiB of text a page, before it is escaped */
#define PAGE_EVENTS  10000
#define CALLS_MAX    30U

struct reading {
    struct aws_json json;
    const char *group;
    unsigned calls;
    struct log_lines *lines;
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

static int call(struct reading *reading, struct str body, struct arena *arena,
                struct http_response *ret_answer)
{
    struct aws_failure failure;
    int code = aws_json_call(&reading->json, body, arena, ret_answer, &failure);
    if (code && strcmp(failure.code, "ResourceNotFoundException") == 0)
        return error_set(reading->json.err, ERR_PEER, "the log group %s is not there", reading->group);
    return code;
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
            code = aws_logs_read(answer.body, reading->lines, arena, &token, reading->json.err);
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
    int64_t now_ms = (clock_wall_ns() + reading->json.offset_ns) / NS_PER_MS, to_ms = 0;
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
    char name[RENDER_NAME_MAX + 1];
    struct log_lines lines;
    struct reading reading = {.json = {.action = ACTION,
                                       .target = "Logs_20140328." ACTION,
                                       .max_answer_bytes = ANSWER_BYTES,
                                       .deadline_mono_ns = deadline_mono_ns,
                                       .err = err},
                              .lines = &lines};
    reading.group = arena_printf(arena, "/fraiseql/%s/service", render_name(deployment, region, name));
    log_lines_init(&lines, most);
    int code = aws_json_open(&reading.json, "logs", region, arena);
    if (!code)
        code = read_spans(&reading);
    if (!code)
        log_lines_give(&lines, arena, ret_lines);
    log_lines_deinit(&lines);
    aws_json_close(&reading.json);
    return code;
}
