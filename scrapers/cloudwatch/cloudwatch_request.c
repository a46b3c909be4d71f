/* GetMetricData in AWS JSON 1.0: a batch as one request, and its answer. Answers are outside bytes. */
#include "scrapers/cloudwatch/cloudwatch_internal.h"

#include "lib/core/clock.h"
#include "lib/metrics/value.h"

#include <math.h>

#define BODY_MAX (8UL << 20)

/* --- the request --------------------------------------------------------------------------------------- */

static void write_query(struct json_writer *json, size_t at, size_t statistic,
                        const struct cloudwatch_query *query, int64_t period_ns)
{
    char id[48];
    char *end = id;
    *end++ = 'q';
    end = number_write_u64(end, at);
    *end++ = '_';
    end = number_write_u64(end, statistic);
    json_object_begin(json);
    json_kv_str(json, "Id", (struct str){id, (size_t)(end - id)});
    json_key(json, "MetricStat");
    json_object_begin(json);
    json_key(json, "Metric");
    json_object_begin(json);
    json_kv_text(json, "Namespace", query->wanted->namespace_name);
    json_kv_text(json, "MetricName", query->wanted->name);
    json_key(json, "Dimensions");
    json_array_begin(json);
    for (size_t i = 0; i < query->dimension_count; i++) {
        json_object_begin(json);
        json_kv_text(json, "Name", query->dimensions[i].key);
        json_kv_text(json, "Value", query->dimensions[i].value);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
    json_kv_i64(json, "Period", period_ns / NS_PER_S);
    json_kv_text(json, "Stat", query->wanted->statistics[statistic]);
    json_object_end(json);
    json_kv_bool(json, "ReturnData", true);
    json_object_end(json);
}

int cloudwatch_render(void *state_pointer, const struct cloud_batch *batch, struct arena *arena,
                      struct cloud_request *ret_request, struct error *err)
{
    const struct cloudwatch_state *state = state_pointer;
    struct buf body = BUF_INIT(BODY_MAX);
    struct json_writer json;
    json_init(&json, &body);
    json_object_begin(&json);
    json_kv_i64(&json, "StartTime", batch->from_ns / NS_PER_S);
    json_kv_i64(&json, "EndTime", batch->to_ns / NS_PER_S);
    json_kv_text(&json, "ScanBy", "TimestampAscending");
    if (batch->page)
        json_kv_text(&json, "NextToken", batch->page);
    json_key(&json, "MetricDataQueries");
    json_array_begin(&json);
    for (size_t i = 0; i < batch->count; i++) {
        const struct cloudwatch_query *query = batch->queries[i]->data;
        for (size_t s = 0; s < query->wanted->statistic_count; s++)
            write_query(&json, i, s, query, batch->period_ns);
    }
    json_array_end(&json);
    json_object_end(&json);
    int code = body.failed ? error_set(err, ERR_LIMIT, "a batch of more than %lu MiB", BODY_MAX >> 20)
                           : cloudwatch_request(state, CW_GET_METRIC_DATA, batch->lane, buf_str(&body), arena,
                                                ret_request, err);
    buf_deinit(&body);
    if (!code)
        ret_request->units = batch->page ? 0 : batch->count; /* up to five statistics of a metric are one */
    return code;
}

/* --- the answer ---------------------------------------------------------------------------------------- */

static bool parse_id(struct str id, size_t *ret_at, size_t *ret_statistic)
{
    const char *mark = id.len ? memchr(id.ptr, '_', id.len) : NULL;
    uint64_t at, statistic;
    if (!mark || id.ptr[0] != 'q' ||
        !str_to_u64((struct str){id.ptr + 1, (size_t)(mark - id.ptr - 1)}, &at) ||
        !str_to_u64((struct str){mark + 1, id.len - (size_t)(mark + 1 - id.ptr)}, &statistic))
        return false;
    *ret_at = at;
    *ret_statistic = statistic;
    return true;
}

/* Seconds as a number, as JSON 1.0 has it; some emulators write a date. */
static bool parse_time(const struct node *node, int64_t *ret_ns)
{
    double seconds;
    if (node->kind != NODE_SCALAR)
        return false;
    if (!str_to_double(node->scalar, &seconds))
        return clock_parse_rfc3339(node->scalar, ret_ns);
    if (!(seconds > 0 && seconds < 9e9))
        return false;
    *ret_ns = (int64_t)floor(seconds) * NS_PER_S;
    return true;
}

static void read_points(const struct node *result, const struct cloud_batch *batch,
                        struct cloud_series *series, struct cloud_reading *reading)
{
    const struct node *times = node_member(result, "Timestamps"), *values = node_member(result, "Values");
    size_t count = times && times->kind == NODE_SEQUENCE ? times->count : 0;
    size_t value_count = values && values->kind == NODE_SEQUENCE ? values->count : 0;
    for (size_t i = 0; i < count || i < value_count; i++) {
        int64_t at_ns;
        double value;
        if (i >= count || i >= value_count || !parse_time(times->items[i], &at_ns) ||
            values->items[i]->kind != NODE_SCALAR || !str_to_double(values->items[i]->scalar, &value)) {
            reading->bad_points++;
            continue;
        }
        at_ns -= at_ns % batch->period_ns;
        if (at_ns >= batch->from_ns && at_ns < batch->to_ns)
            cloud_reading_point(reading, series, at_ns, value);
        else
            reading->unknown++;
    }
}

static struct str message_of(const struct node *result)
{
    const struct node *messages = node_member(result, "Messages");
    if (!messages || messages->kind != NODE_SEQUENCE || messages->count == 0)
        return STR("");
    struct str value = node_text(messages->items[0], "Value");
    return value.len ? value : node_text(messages->items[0], "Code");
}

/* A partial result of a page that is not the last goes on with the next one. */
static void read_status(const struct node *result, size_t at, bool last, struct cloud_reading *reading)
{
    struct str code = node_text(result, "StatusCode");
    if (str_equal_text(code, "Forbidden"))
        cloud_reading_status(reading, at, CLOUD_FORBIDDEN, message_of(result));
    else if (str_equal_text(code, "PartialData")) {
        if (last)
            cloud_reading_status(reading, at, CLOUD_PARTIAL, message_of(result));
    } else if (code.len && !str_equal_text(code, "Complete"))
        cloud_reading_status(reading, at, CLOUD_FAILED, message_of(result));
}

static void read_result(const struct node *result, const struct cloud_batch *batch, bool last,
                        struct cloud_reading *reading)
{
    size_t at, statistic;
    if (!parse_id(node_text(result, "Id"), &at, &statistic) || at >= batch->count) {
        reading->unknown++;
        return;
    }
    const struct cloudwatch_query *query = batch->queries[at]->data;
    if (statistic >= query->wanted->statistic_count) {
        reading->unknown++;
        return;
    }
    reading->queries[at].told |= 1U << statistic;
    if (query->series[statistic])
        read_points(result, batch, query->series[statistic], reading);
    read_status(result, at, last, reading);
}

/* A query of which nothing was said at all was not answered. */
static void look_for_missing(const struct cloud_batch *batch, struct cloud_reading *reading)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct cloudwatch_query *query = batch->queries[i]->data;
        if (reading->queries[i].told != (1U << query->wanted->statistic_count) - 1)
            cloud_reading_status(reading, i, CLOUD_FAILED, STR("the answer has no result for it"));
    }
}

int cloudwatch_read(void *state, const struct cloud_batch *batch, const struct http_response *answer,
                    int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
                    struct cloud_outcome *ret_outcome, struct error *err)
{
    struct node *root = NULL;
    struct error reason = {0};
    (void)state;
    if (answer->status < 200 || answer->status > 299)
        return cloudwatch_failure(answer, CW_GET_METRIC_DATA, wall_ns, arena, ret_outcome, err);
    if (json_parse(arena, answer->body, &root, &reason) != 0)
        return error_set(err, ERR_PEER, "GetMetricData was answered with something that is not JSON: %.200s",
                         reason.message);
    const struct node *results = node_member(root, "MetricDataResults");
    if (!results || results->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PEER, "GetMetricData was answered without MetricDataResults");
    struct str next = node_text(root, "NextToken");
    for (size_t i = 0; i < results->count; i++)
        read_result(results->items[i], batch, next.len == 0, reading);
    if (next.len) {
        ret_outcome->verdict = CLOUD_MORE;
        ret_outcome->page = arena_strdup(arena, next);
    } else {
        ret_outcome->verdict = CLOUD_DONE;
        look_for_missing(batch, reading);
    }
    return 0;
}
