/* Values: metrics:getBatch for the resources of one region and type, and the metrics API of Resource Manager
 * for one global resource. Both answer the same lists of metrics. Answers are outside bytes. */
#include "scrapers/azure/azure_internal.h"

#include "lib/core/clock.h"
#include "lib/net/percent.h"

#include <ctype.h>
#include <strings.h>

#define METRICS_VERSION "2024-02-01"
#define ANSWER_MAX      (64UL << 20)
#define TEXT_MAX        16384U
#define BODY_MAX        (256UL * 1024)

const char *azure_monitor_audience(const struct azure_cloud *cloud)
{
    if (strcmp(cloud->name, "usgovernment") == 0)
        return "https://metrics.monitor.azure.us";
    if (strcmp(cloud->name, "china") == 0)
        return "https://metrics.monitor.azure.cn";
    return "https://metrics.monitor.azure.com";
}

/* --- the request --------------------------------------------------------------------------------------- */

static void add_member(struct buf *url, const char *name, struct str value)
{
    buf_printf(url, "&%s=", name);
    percent_encode(url, value);
}

static void add_names(struct buf *url, const struct azure_set *set)
{
    struct buf names = BUF_INIT(TEXT_MAX);
    bool used[AZ_AGGREGATIONS] = {false};
    for (size_t i = 0; i < set->row_count; i++) {
        used[set->rows[i].aggregation] = true;
        if (i == 0 || strcmp(set->rows[i].name, set->rows[i - 1].name) != 0)
            buf_printf(&names, "%s%s", i ? "," : "", set->rows[i].name);
    }
    add_member(url, "metricnames", buf_str(&names));
    buf_reset(&names);
    for (size_t i = 0; i < AZ_AGGREGATIONS; i++) {
        if (used[i])
            buf_printf(&names, "%s%s", names.len ? "," : "", azure_aggregations[i]);
    }
    add_member(url, "aggregation", buf_str(&names));
    buf_deinit(&names);
}

/* What both APIs are told alike. Without `top` a filter shows ten series, and says nothing of the others. */
static void add_question(struct buf *url, const struct azure_set *set, const char *filter)
{
    add_member(url, "metricnamespace", str_from(set->namespace_name ? set->namespace_name : set->type));
    add_names(url, set);
    add_member(url, "interval", str_from(azure_grain(set->period_s)));
    if (set->dimension_count == 0)
        return;
    struct buf text = BUF_INIT(TEXT_MAX);
    for (size_t i = 0; i < set->dimension_count; i++) {
        buf_printf(&text, "%s%s eq '", i ? " and " : "", set->dimensions[i].name);
        for (const char *at = set->dimensions[i].value; *at; at++)
            buf_printf(&text, *at == '\'' ? "''" : "%c", *at);
        buf_append_text(&text, "'");
    }
    add_member(url, filter, buf_str(&text));
    buf_deinit(&text);
    buf_printf(url, "&top=%u", AZURE_SERIES_MAX);
}

static void write_url(const struct azure_state *state, const struct cloud_batch *batch, struct buf *url)
{
    const struct azure_query *data = batch->queries[0]->data;
    char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
    struct str base = azure_base(state);
    (void)clock_format_rfc3339(batch->from_ns, from);
    (void)clock_format_rfc3339(batch->to_ns, to);
    bool one = azure_is_global(&data->resource);
    if (one)
        buf_printf(url, "%.*s%s/providers/microsoft.insights/metrics", STR_ARGS(base), data->asked_id);
    else if (state->config->cloud.endpoint)
        buf_printf(url, "%.*s/subscriptions/%s/metrics:getBatch", STR_ARGS(base),
                   state->config->subscription);
    else
        buf_printf(url, "https://%s.%s/subscriptions/%s/metrics:getBatch", data->resource.location,
                   azure_monitor_audience(state->cloud) + sizeof "https://" - 1, state->config->subscription);
    buf_append_text(url, "?api-version=" METRICS_VERSION);
    if (one) {
        buf_printf(url, "&timespan=%s/%s", from, to);
    } else {
        add_member(url, "starttime", str_from(from));
        add_member(url, "endtime", str_from(to));
    }
    add_question(url, data->set, one ? "$filter" : "filter");
}

static void write_body(const struct cloud_batch *batch, struct buf *body)
{
    struct json_writer json;
    json_init(&json, body);
    json_object_begin(&json);
    json_key(&json, "resourceids");
    json_array_begin(&json);
    for (size_t i = 0; i < batch->count; i++)
        json_text(&json, ((const struct azure_query *)batch->queries[i]->data)->asked_id);
    json_array_end(&json);
    json_object_end(&json);
}

int azure_render(void *state_pointer, const struct cloud_batch *batch, struct arena *arena,
                 struct cloud_request *ret_request, struct error *err)
{
    static const struct http_header json[] = {{"Content-Type", "application/json"}};
    const struct azure_state *state = state_pointer;
    const struct azure_query *first = batch->queries[0]->data;
    bool one = azure_is_global(&first->resource);
    struct buf url = BUF_INIT(TEXT_MAX), body = BUF_INIT(BODY_MAX);
    write_url(state, batch, &url);
    if (!one)
        write_body(batch, &body);
    int code =
        url.failed || body.failed ? error_set(err, ERR_LIMIT, "a question that is too long for Azure") : 0;
    if (!code)
        *ret_request = (struct cloud_request){
            .http = {.method = one ? "GET" : "POST",
                     .url = arena_strdup(arena, buf_str(&url)),
                     .headers = json,
                     .header_count = one ? 0 : 1,
                     .body = {one ? "" : arena_strdup(arena, buf_str(&body)), one ? 0 : body.len},
                     .max_body_bytes = ANSWER_MAX},
            .api = one ? AZ_METRICS : AZ_BATCH,
            .lane = batch->lane,
            .units = batch->count,
            .credential = one ? AZ_MANAGER : AZ_MONITOR};
    buf_deinit(&url);
    buf_deinit(&body);
    return code;
}

/* --- values -------------------------------------------------------------------------------------------- */

static const struct node *list_of(const struct node *node, const char *key)
{
    const struct node *list = node ? node_member(node, key) : NULL;
    return list && list->kind == NODE_SEQUENCE ? list : NULL;
}

static void read_data(const struct node *data, const struct cloud_batch *batch, const char *aggregation,
                      struct cloud_series *series, struct cloud_reading *reading)
{
    for (size_t i = 0; data && i < data->count; i++) {
        int64_t at_ns;
        double value;
        if (!clock_parse_rfc3339(node_text(data->items[i], "timeStamp"), &at_ns)) {
            reading->bad_points++;
            continue;
        }
        at_ns -= at_ns % batch->period_ns;
        const struct node *node = node_member(data->items[i], aggregation);
        if (!node || node_is_null(node))
            continue; /* a bucket without a value is written down too */
        if (node->kind != NODE_SCALAR || !str_to_double(node->scalar, &value))
            reading->bad_points++;
        else if (at_ns < batch->from_ns || at_ns >= batch->to_ns)
            reading->unknown++;
        else
            cloud_reading_point(reading, series, at_ns, value);
    }
}

/* What a series says of the set's dimensions, in their order; false: not of all. */
static bool dimensions_of(const struct node *series, const struct azure_set *set,
                          struct azure_dimension *ret_dimensions)
{
    const struct node *values = list_of(series, "metadatavalues");
    for (size_t i = 0; i < set->dimension_count; i++) {
        ret_dimensions[i].value = NULL;
        for (size_t k = 0; values && k < values->count && !ret_dimensions[i].value; k++) {
            const struct node *name = node_member(values->items[k], "name");
            struct str text = name ? node_text(name, "value") : STR("");
            struct str value = node_text(values->items[k], "value");
            if (text.len && strcasecmp(text.ptr, set->dimensions[i].name) == 0 && value.len)
                ret_dimensions[i] = (struct azure_dimension){text.ptr, value.ptr};
        }
        if (!ret_dimensions[i].value)
            return false;
    }
    return true;
}

/* Units become parts of names: "BytesPerSecond". NULL: it is none. */
static const char *unit_of(const struct azure_row *row, const struct node *metric)
{
    struct str text = node_text(metric, "unit");
    if (row->unit)
        return row->unit;
    for (size_t i = 0; i < text.len; i++) {
        if (!isalnum((unsigned char)text.ptr[i]))
            return NULL;
    }
    return text.len > 0 && text.len <= 40 ? text.ptr : NULL;
}

static void read_series(const struct azure_state *state, struct cloud_query *query, const struct node *metric,
                        const struct node *list, size_t row, const struct cloud_batch *batch,
                        struct cloud_reading *reading)
{
    const struct azure_query *data = query->data;
    const struct azure_set *set = data->set;
    const char *aggregation = azure_aggregations[set->rows[row].aggregation];
    const char *unit = unit_of(&set->rows[row], metric);
    bool planned = set->dimension_count == 0 && set->rows[row].unit;
    for (size_t i = 0; i < list->count; i++) {
        struct azure_dimension dimensions[AZURE_DIMENSIONS_MAX];
        struct cloud_series *series = data->series[row];
        if (!planned)
            series = unit && dimensions_of(list->items[i], set, dimensions)
                         ? azure_series(state, reading->plan, query, data, row, unit, dimensions)
                         : NULL;
        if (series)
            read_data(list_of(list->items[i], "data"), batch, aggregation, series, reading);
        else
            reading->unknown++;
    }
}

/* Rows of the metric of that name were told. */
static void read_metric(const struct azure_state *state, struct cloud_query *query, size_t at,
                        const struct node *metric, const struct cloud_batch *batch,
                        struct cloud_reading *reading)
{
    const struct azure_query *data = query->data;
    const struct node *name = node_member(metric, "name"), *list = list_of(metric, "timeseries");
    struct str text = name ? node_text(name, "value") : STR(""), code = node_text(metric, "errorCode");
    bool failed = code.len && strcasecmp(code.ptr, "Success") != 0, known = false;
    for (size_t row = 0; row < data->set->row_count; row++) {
        if (text.len == 0 || strcasecmp(text.ptr, data->set->rows[row].name) != 0)
            continue;
        known = true;
        if (failed || !list)
            continue;
        reading->queries[at].told |= 1U << row;
        read_series(state, query, metric, list, row, batch, reading);
        if (data->set->dimension_count > 0 && list->count >= AZURE_SERIES_MAX)
            cloud_reading_status(reading, at, CLOUD_PARTIAL,
                                 STR("a dimension has more values than are asked for"));
    }
    if (!known) {
        reading->unknown++;
    } else if (failed) {
        struct str message = node_text(metric, "errorMessage");
        cloud_reading_status(reading, at, CLOUD_PARTIAL, message.len ? message : code);
    }
}

static void read_metrics(const struct azure_state *state, struct cloud_query *query, size_t at,
                         const struct node *metrics, const struct cloud_batch *batch,
                         struct cloud_reading *reading)
{
    const struct azure_query *data = query->data;
    for (size_t i = 0; i < metrics->count; i++)
        read_metric(state, query, at, metrics->items[i], batch, reading);
    if (reading->queries[at].told == 0)
        cloud_reading_status(reading, at, CLOUD_FAILED, STR("none of its metrics was answered"));
    else if (reading->queries[at].told != (1U << data->set->row_count) - 1)
        cloud_reading_status(reading, at, CLOUD_PARTIAL, STR("not all of its metrics were answered"));
}

/* --- the answer ---------------------------------------------------------------------------------------- */

/* What concerns one resource of many is found by asking for halves. */
static int read_failure(const struct http_response *answer, int code, const struct cloud_batch *batch,
                        struct cloud_reading *reading, struct cloud_outcome *ret_outcome,
                        const struct error *err)
{
    int status = answer->status;
    if (code == 0 || (status != 400 && status != 403 && status != 404 && status != 413))
        return code;
    if (batch->count > 1) {
        ret_outcome->verdict = CLOUD_SPLIT;
        return 0;
    }
    cloud_reading_status(reading, 0, status == 403 ? CLOUD_FORBIDDEN : CLOUD_FAILED, str_from(err->message));
    ret_outcome->verdict = CLOUD_DONE;
    return 0;
}

static size_t find_query(const struct cloud_batch *batch, struct str id)
{
    size_t at = 0;
    while (at < batch->count &&
           (id.len == 0 ||
            strcasecmp(id.ptr, ((const struct azure_query *)batch->queries[at]->data)->asked_id) != 0))
        at++;
    return at;
}

static void read_batch(const struct azure_state *state, const struct node *values,
                       const struct cloud_batch *batch, struct cloud_reading *reading, struct arena *arena)
{
    bool *told = arena_zalloc(arena, batch->count);
    for (size_t i = 0; i < values->count; i++) {
        const struct node *metrics = list_of(values->items[i], "value");
        size_t at = find_query(batch, node_text(values->items[i], "resourceid"));
        if (at == batch->count || !metrics || told[at]) {
            reading->unknown++;
            continue;
        }
        told[at] = true;
        read_metrics(state, batch->queries[at], at, metrics, batch, reading);
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (!told[i])
            cloud_reading_status(reading, i, CLOUD_FAILED, STR("the answer does not have the resource"));
    }
}

int azure_read(void *state_pointer, const struct cloud_batch *batch, const struct http_response *answer,
               int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
               struct cloud_outcome *ret_outcome, struct error *err)
{
    const struct azure_state *state = state_pointer;
    const struct node *root;
    (void)wall_ns;
    int code = azure_parse(answer, "Azure Monitor", arena, &root, ret_outcome, err);
    if (code || !root)
        return read_failure(answer, code, batch, reading, ret_outcome, err);
    bool one = azure_is_global(&((const struct azure_query *)batch->queries[0]->data)->resource);
    const struct node *list = list_of(root, one ? "value" : "values");
    if (!list)
        return error_set(err, ERR_PEER, "Azure Monitor answered without values");
    if (one)
        read_metrics(state, batch->queries[0], 0, list, batch, reading);
    else
        read_batch(state, list, batch, reading, arena);
    ret_outcome->verdict = CLOUD_DONE;
    return 0;
}
