/* Analytics by GraphQL: up to ten zones in one query, rows of minutes. Answers are outside bytes.
 *
 * A zone with as many rows as one answer holds goes on with the next page, which begins with the last minute
 * seen: that minute may be torn, and is read twice. */
#include "lib/core/clock.h"
#include "lib/metrics/value.h"
#include "scrapers/cloud/vocabulary.h"
#include "scrapers/cloudflare/cloudflare_internal.h"

#include <strings.h>

#define TEXT_MAX 8192U

const struct cloudflare_column cloudflare_columns[CLOUDFLARE_SUMS] = {
    {"requests", "cloudflare_zone_requests", "Requests.", false},
    {"cachedRequests", "cloudflare_zone_requests_cached", "Requests answered from the cache.", true},
    {"encryptedRequests", "cloudflare_zone_requests_ssl_encrypted", "Requests over TLS.", true},
    {"bytes", "cloudflare_zone_bandwidth", "Bytes sent to clients.", false},
    {"cachedBytes", "cloudflare_zone_bandwidth_cached", "Bytes sent from the cache.", true},
    {"encryptedBytes", "cloudflare_zone_bandwidth_ssl_encrypted", "Bytes sent over TLS.", true},
    {"threats", "cloudflare_zone_threats", "Requests that were taken for attacks.", false},
    {"pageViews", "cloudflare_zone_pageviews", "Views of pages.", false},
};

#define HEAD                                                                                                 \
    "query($zones:[String!],$from:Time!,$to:Time!,$limit:Int!){viewer{zones(filter:{zoneTag_in:$zones})"     \
    "{zoneTag rows:"

static const char http_text[] =
    HEAD "httpRequests1mGroups(limit:$limit,filter:{datetime_geq:$from,datetime_lt:$to},"
         "orderBy:[datetime_ASC]){dimensions{minute:datetime} sum{requests cachedRequests encryptedRequests "
         "bytes cachedBytes encryptedBytes threats pageViews responseStatusMap{edgeResponseStatus requests}} "
         "uniq{uniques}}}}}";
static const char balancing_text[] =
    HEAD "loadBalancingRequestsAdaptiveGroups(limit:$limit,filter:{datetime_geq:$from,datetime_lt:$to},"
         "orderBy:[datetimeMinute_ASC]){count dimensions{minute:datetimeMinute lbName selectedPoolName "
         "selectedOriginName}}}}}";

/* --- the request --------------------------------------------------------------------------------------- */

static int page_from(const struct cloud_batch *batch, int64_t *ret_from_ns, struct error *err)
{
    uint64_t seconds;
    *ret_from_ns = batch->from_ns;
    if (!batch->page)
        return 0;
    if (!str_to_u64(str_from(batch->page), &seconds) || seconds > (uint64_t)(batch->to_ns / NS_PER_S))
        return error_set(err, ERR_PEER, "a page that is none");
    *ret_from_ns = (int64_t)seconds * NS_PER_S;
    return 0;
}

int cloudflare_render(void *state_pointer, const struct cloud_batch *batch, struct arena *arena,
                      struct cloud_request *ret_request, struct error *err)
{
    const struct cloudflare_state *state = state_pointer;
    const struct cloudflare_query *first = batch->queries[0]->data;
    char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
    struct json_writer json;
    int64_t from_ns;
    int code = page_from(batch, &from_ns, err);
    if (code)
        return code;
    if (first->kind == CF_POOLS) {
        const char *path = arena_printf(arena, "/accounts/%s/load_balancers/pools", first->id);
        cloudflare_request(state, CF_REST, path, STR(""), arena, ret_request);
        return 0;
    }
    struct buf body = BUF_INIT(65536);
    json_init(&json, &body);
    json_object_begin(&json);
    json_kv_text(&json, "query", first->kind == CF_HTTP ? http_text : balancing_text);
    json_key(&json, "variables");
    json_object_begin(&json);
    json_key(&json, "zones");
    json_array_begin(&json);
    for (size_t i = 0; i < batch->count; i++)
        json_text(&json, ((const struct cloudflare_query *)batch->queries[i]->data)->id);
    json_array_end(&json);
    json_kv_text(&json, "from", clock_format_rfc3339(from_ns, from));
    json_kv_text(&json, "to", clock_format_rfc3339(batch->to_ns, to));
    json_kv_i64(&json, "limit", CLOUDFLARE_ROWS_MAX);
    json_object_end(&json);
    json_object_end(&json);
    cloudflare_request(state, CF_GRAPHQL, "/graphql", buf_str(&body), arena, ret_request);
    buf_deinit(&body);
    return 0;
}

/* --- rows ---------------------------------------------------------------------------------------------- */

static bool number_of(const struct node *mapping, const char *key, double *ret_value)
{
    const struct node *node = mapping ? node_member(mapping, key) : NULL;
    return node && node->kind == NODE_SCALAR && str_to_double(node->scalar, ret_value);
}

static void put(struct cloud_reading *reading, struct cloud_series *series, int64_t at_ns,
                const struct node *mapping, const char *key)
{
    double value;
    if (!series)
        return;
    if (number_of(mapping, key, &value) && value >= 0)
        cloud_reading_point(reading, series, at_ns, value);
    else
        reading->bad_points++;
}

static void read_statuses(struct cloud_query *query, const struct node *sum, int64_t at_ns,
                          struct cloud_reading *reading, struct arena *arena)
{
    const struct cloudflare_query *data = query->data;
    const struct node *list = sum ? node_member(sum, "responseStatusMap") : NULL;
    struct cloud_metric *metric = cloud_plan_metric(
        reading->plan, &(struct cloud_metric_desc){.name = "cloudflare_zone_requests_status",
                                                   .help = "Requests by status of the answer.",
                                                   .kind = CLOUD_SUM,
                                                   .absent_is_zero = true,
                                                   .runs_up = true});
    for (size_t i = 0; list && list->kind == NODE_SEQUENCE && i < list->count; i++) {
        struct str status = node_text(list->items[i], "edgeResponseStatus");
        uint64_t number;
        if (!str_to_u64(status, &number) || number > 999) {
            reading->bad_points++;
            continue;
        }
        const struct label labels[] = {
            LABEL_TEXT("zone", data->zone), LABEL_TEXT("account", data->account), {STR("status"), status}};
        const char *key = arena_printf(arena, "http|%s|status|%.3s", data->id, status.ptr);
        put(reading,
            cloud_plan_series(reading->plan, query, metric, str_from(key), labels, ARRAY_LEN(labels),
                              str_from(data->zone)),
            at_ns, list->items[i], "requests");
    }
}

static void read_http(struct cloud_query *query, const struct node *row, int64_t at_ns,
                      struct cloud_reading *reading, struct arena *arena)
{
    const struct cloudflare_query *data = query->data;
    const struct node *sum = node_member(row, "sum");
    for (size_t i = 0; i < CLOUDFLARE_SUMS; i++)
        put(reading, data->sums[i], at_ns, sum, cloudflare_columns[i].field);
    put(reading, data->uniques, at_ns, node_member(row, "uniq"), "uniques");
    read_statuses(query, sum, at_ns, reading, arena);
}

static void read_balancing(struct cloud_query *query, const struct node *row, int64_t at_ns,
                           struct cloud_reading *reading, struct arena *arena)
{
    const struct cloudflare_query *data = query->data;
    const struct node *dimensions = node_member(row, "dimensions");
    struct str name = node_text(dimensions, "lbName"), pool = node_text(dimensions, "selectedPoolName"),
               origin = node_text(dimensions, "selectedOriginName");
    const struct label labels[] = {LABEL_TEXT("zone", data->zone),
                                   LABEL_TEXT("account", data->account),
                                   {STR("load_balancer_name"), name},
                                   {STR("pool_name"), pool},
                                   {STR("origin_name"), origin}};
    struct cloud_metric *metric = cloud_plan_metric(
        reading->plan,
        &(struct cloud_metric_desc){.name = "cloudflare_zone_pool_requests",
                                    .help = "Requests that the load balancer sent to an origin (sampled).",
                                    .kind = CLOUD_SUM,
                                    .common = cloud_common_find("load_balancer_requests_total"),
                                    .absent_is_zero = true});
    const char *key = arena_printf(arena, "lb|%s|%zu|%s|%zu|%s|%s", data->id, name.len, name.ptr, pool.len,
                                   pool.ptr, origin.ptr);
    put(reading,
        cloud_plan_series(reading->plan, query, metric, str_from(key), labels, ARRAY_LEN(labels), name),
        at_ns, row, "count");
}

/* The minute with which the next page begins; 0: there is none. */
static int64_t read_rows(struct cloud_query *query, const struct node *rows, const struct cloud_batch *batch,
                         struct cloud_reading *reading, struct arena *arena)
{
    const struct cloudflare_query *data = query->data;
    int64_t last_ns = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct node *dimensions = node_member(rows->items[i], "dimensions");
        int64_t at_ns;
        if (!dimensions || !clock_parse_rfc3339(node_text(dimensions, "minute"), &at_ns)) {
            reading->bad_points++;
            continue;
        }
        at_ns -= at_ns % batch->period_ns;
        if (at_ns < batch->from_ns || at_ns >= batch->to_ns) {
            reading->unknown++;
            continue;
        }
        last_ns = at_ns > last_ns ? at_ns : last_ns;
        if (data->kind == CF_HTTP)
            read_http(query, rows->items[i], at_ns, reading, arena);
        else
            read_balancing(query, rows->items[i], at_ns, reading, arena);
    }
    return rows->count >= CLOUDFLARE_ROWS_MAX ? last_ns : 0;
}

/* --- the answer ---------------------------------------------------------------------------------------- */

static bool mentions(struct str text, const char *word)
{
    for (size_t i = 0, length = strlen(word); i + length <= text.len; i++) {
        if (strncasecmp(text.ptr + i, word, length) == 0)
            return true;
    }
    return false;
}

/* Errors inside a 200 concern the whole query: more than one zone is asked for again in halves, so that a
 * zone that may not be seen costs only itself. */
static void read_errors(const struct node *errors, const struct cloud_batch *batch,
                        struct cloud_reading *reading, struct cloud_outcome *ret_outcome, struct error *err)
{
    struct str message = node_text(errors->items[0], "message");
    const struct node *extensions = node_member(errors->items[0], "extensions");
    struct str code = extensions ? node_text(extensions, "code") : STR("");
    (void)error_set(err, ERR_PEER, "Cloudflare's analytics: %.200s", message.len ? message.ptr : "an error");
    if (str_equal_text(code, "budget") || mentions(message, "rate limit") ||
        mentions(message, "limit reached"))
        ret_outcome->verdict = CLOUD_THROTTLED;
    else if (mentions(message, "internal") || mentions(message, "timeout") ||
             mentions(message, "unavailable"))
        ret_outcome->verdict = CLOUD_PASSING;
    else if (batch->count > 1)
        ret_outcome->verdict = CLOUD_SPLIT;
    else {
        bool forbidden = str_equal_text(code, "authz") || mentions(message, "not authorized") ||
                         mentions(message, "does not have access");
        cloud_reading_status(reading, 0, forbidden ? CLOUD_FORBIDDEN : CLOUD_FAILED, message);
        ret_outcome->verdict = CLOUD_DONE;
    }
}

static const struct node *member_list(const struct node *node, const char *key)
{
    const struct node *list = node ? node_member(node, key) : NULL;
    return list && list->kind == NODE_SEQUENCE ? list : NULL;
}

static const struct node *zones_of(const struct node *root)
{
    const struct node *data = node_member(root, "data");
    const struct node *viewer = data ? node_member(data, "viewer") : NULL;
    return member_list(viewer, "zones");
}

static int64_t read_zones(const struct node *zones, const struct cloud_batch *batch,
                          struct cloud_reading *reading, struct arena *arena)
{
    bool *told = arena_zalloc(arena, batch->count);
    int64_t next_ns = 0;
    for (size_t i = 0; i < zones->count; i++) {
        const struct node *rows = member_list(zones->items[i], "rows");
        struct str id = node_text(zones->items[i], "zoneTag");
        size_t at = 0;
        while (at < batch->count &&
               !str_equal_text(id, ((const struct cloudflare_query *)batch->queries[at]->data)->id))
            at++;
        if (at == batch->count || !rows || told[at]) {
            reading->unknown++;
            continue;
        }
        told[at] = true;
        int64_t ns = read_rows(batch->queries[at], rows, batch, reading, arena);
        next_ns = ns && (!next_ns || ns < next_ns) ? ns : next_ns;
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (!told[i])
            cloud_reading_status(reading, i, CLOUD_FAILED, STR("the answer does not have the zone"));
    }
    return next_ns;
}

int cloudflare_read(void *state, const struct cloud_batch *batch, const struct http_response *answer,
                    int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
                    struct cloud_outcome *ret_outcome, struct error *err)
{
    const struct node *root;
    int64_t from_ns;
    (void)state;
    (void)wall_ns;
    if (((const struct cloudflare_query *)batch->queries[0]->data)->kind == CF_POOLS)
        return cloudflare_read_pools(batch, answer, reading, arena, ret_outcome, err);
    int code = cloudflare_parse(answer, arena, &root, ret_outcome, err);
    if (code || !root)
        return code;
    const struct node *errors = member_list(root, "errors"), *zones = zones_of(root);
    if (errors && errors->count > 0) {
        read_errors(errors, batch, reading, ret_outcome, err);
        return 0;
    }
    if (!zones)
        return error_set(err, ERR_PEER, "Cloudflare's analytics answered without zones");
    code = page_from(batch, &from_ns, err);
    if (code)
        return code;
    int64_t next_ns = read_zones(zones, batch, reading, arena);
    ret_outcome->verdict = CLOUD_DONE;
    if (next_ns && next_ns <= from_ns) {
        for (size_t i = 0; i < batch->count; i++)
            cloud_reading_status(reading, i, CLOUD_PARTIAL,
                                 STR("one minute has more rows than an answer holds"));
    } else if (next_ns) {
        ret_outcome->verdict = CLOUD_MORE;
        ret_outcome->page = arena_printf(arena, "%lld", (long long)(next_ns / NS_PER_S));
    }
    return 0;
}
