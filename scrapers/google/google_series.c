/* projects.timeSeries.list: what is asked for, and what it answers. */
#include "lib/core/clock.h"
#include "lib/net/percent.h"
#include "scrapers/google/google_internal.h"

#include <math.h>

#define LABELS_MAX 64U

/* Aligned to whole periods, counted back from the end of the window, so that the same bucket has the same end
 * whenever it is asked for. Sums of what happened are exact; ALIGN_DELTA would interpolate where nothing did
 * (metric_service.proto). A counter that Google keeps is read as it is. */
static const char *aligner_of(const struct google_query *query)
{
    if (query->kind == GOOGLE_CUMULATIVE)
        return NULL;
    if (query->kind == GOOGLE_DELTA || query->value == GOOGLE_DISTRIBUTION)
        return "ALIGN_SUM";
    return query->value == GOOGLE_BOOL ? "ALIGN_FRACTION_TRUE" : "ALIGN_MEAN";
}

static void add_parameter(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "%c%s=", buf_str(out).len && strchr(buf_text(out), '?') ? '&' : '?', name);
    percent_encode(out, value);
}

int google_render(void *state, const struct cloud_batch *batch, struct arena *arena,
                  struct cloud_request *ret_request, struct error *err)
{
    const struct google_query *query = batch->queries[0]->data;
    const char *aligner = aligner_of(query);
    char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
    struct buf path = BUF_INIT(65536);
    (void)err;
    buf_append_text(&path, "/timeSeries");
    add_parameter(&path, "filter",
                  str_from(query->filter ? arena_printf(arena, "metric.type = \"%s\" AND %s", query->type,
                                                        query->filter)
                                         : arena_printf(arena, "metric.type = \"%s\"", query->type)));
    add_parameter(&path, "interval.startTime", str_from(clock_format_rfc3339(batch->from_ns, from)));
    add_parameter(&path, "interval.endTime", str_from(clock_format_rfc3339(batch->to_ns, to)));
    if (aligner) {
        add_parameter(&path, "aggregation.alignmentPeriod",
                      str_from(arena_printf(arena, "%llds", (long long)(batch->period_ns / NS_PER_S))));
        add_parameter(&path, "aggregation.perSeriesAligner", str_from(aligner));
    }
    add_parameter(&path, "view", STR("FULL"));
    add_parameter(&path, "pageSize", str_from(arena_printf(arena, "%u", GOOGLE_PAGE_POINTS)));
    if (batch->page)
        add_parameter(&path, "pageToken", str_from(batch->page));
    google_request(state, GOOGLE_SERIES, buf_text(&path), arena, ret_request);
    buf_deinit(&path);
    return 0;
}

/* --- series -------------------------------------------------------------------------------------------- */

static bool is_label_name(struct str name)
{
    return name.len > 0 && name.len < 100 &&
           strspn(name.ptr, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == name.len &&
           (name.ptr[0] < '0' || name.ptr[0] > '9');
}

struct identity {
    struct label labels[LABELS_MAX];
    size_t count;
    struct str resource; /* the short name of what it is of */
};

static void add_labels(struct identity *identity, const struct node *part)
{
    const struct node *labels = part ? node_member(part, "labels") : NULL;
    for (size_t i = 0; labels && labels->kind == NODE_MAPPING && i < labels->count; i++) {
        const struct node *value = labels->pairs[i].value;
        struct str name = labels->pairs[i].key;
        bool known = false;
        if (value->kind != NODE_SCALAR || !is_label_name(name) || identity->count == LABELS_MAX)
            continue;
        for (size_t k = 0; k < identity->count; k++)
            known = known || str_equal(identity->labels[k].name, name);
        if (!known) /* the metric's go before the resource's */
            identity->labels[identity->count++] = (struct label){name, value->scalar};
    }
}

/* "shop:orders" of Cloud SQL is called orders. */
static struct str short_name(const struct identity *identity)
{
    static const char *const names[] = {"database_id",  "instance_name",        "instance_id",
                                        "url_map_name", "forwarding_rule_name", "backend_target_name"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (size_t k = 0; k < identity->count; k++) {
            struct str value = identity->labels[k].value;
            if (!str_equal_text(identity->labels[k].name, names[i]))
                continue;
            const char *colon = memrchr(value.ptr, ':', value.len);
            return colon ? (struct str){colon + 1, value.len - (size_t)(colon + 1 - value.ptr)} : value;
        }
    }
    return STR("");
}

static const struct google_family *family_of(const struct google_query *query, struct str resource)
{
    for (size_t i = 0; i < query->family_count; i++) {
        if (str_equal_text(resource, query->families[i].resource))
            return &query->families[i];
    }
    return NULL;
}

/* Keys of labels that differ never meet: each part goes with its length. */
static struct str key_of(const struct google_query *query, struct str resource,
                         const struct identity *identity, struct arena *arena)
{
    struct buf key = BUF_INIT(65536);
    buf_printf(&key, "%s|%.*s", query->type, STR_ARGS(resource));
    for (size_t i = 0; i < identity->count; i++)
        buf_printf(&key, "|%.*s=%zu:%.*s", STR_ARGS(identity->labels[i].name), identity->labels[i].value.len,
                   STR_ARGS(identity->labels[i].value));
    struct str text = {arena_strdup(arena, buf_str(&key)), key.len};
    buf_deinit(&key);
    return text;
}

/* --- points -------------------------------------------------------------------------------------------- */

static bool value_of(const struct node *value, double *ret)
{
    static const char *const members[] = {"doubleValue", "int64Value"};
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct node *node = node_member(value, members[i]);
        if (node && node->kind == NODE_SCALAR)
            return str_to_double(node->scalar, ret) && isfinite(*ret);
    }
    const struct node *truth = node_member(value, "boolValue");
    if (!truth || truth->kind != NODE_SCALAR)
        return false;
    *ret = str_equal_text(truth->scalar, "true");
    return true;
}

static void read_point(const struct google_query *query, struct cloud_series *series,
                       const struct node *point, const struct cloud_batch *batch,
                       struct cloud_reading *reading, struct arena *arena)
{
    const struct node *interval = node_member(point, "interval"), *value = node_member(point, "value");
    struct cloud_distribution distribution;
    double number;
    int64_t end_ns;
    if (!interval || !value || !clock_parse_rfc3339(node_text(interval, "endTime"), &end_ns)) {
        reading->bad_points++;
        return;
    }
    /* A bucket ends where Google's point does; one that is not aligned belongs to the period it falls into.
     */
    int64_t start_ns = end_ns - 1 - (end_ns - 1) % batch->period_ns;
    if (start_ns < batch->from_ns || start_ns >= batch->to_ns) {
        reading->unknown++;
        return;
    }
    if (query->value == GOOGLE_DISTRIBUTION) {
        const struct node *counts = node_member(value, "distributionValue");
        if (counts && google_distribution_read(counts, arena, &distribution))
            cloud_reading_distribution(reading, series, start_ns, &distribution);
        else
            reading->bad_points++;
    } else if (value_of(value, &number)) {
        cloud_reading_point(reading, series, start_ns, number);
    } else {
        reading->bad_points++;
    }
}

static void read_series(struct cloud_query *asked, const struct node *series, const struct cloud_batch *batch,
                        struct cloud_reading *reading, struct arena *arena)
{
    const struct google_query *query = asked->data;
    const struct node *resource = node_member(series, "resource"), *points = node_member(series, "points");
    struct str kind = resource ? node_text(resource, "type") : STR("");
    const struct google_family *family = family_of(query, kind);
    struct identity identity = {.count = 0};
    if (!family || !points || points->kind != NODE_SEQUENCE) {
        reading->unknown++;
        return;
    }
    identity.labels[identity.count++] = LABEL_TEXT("unit", query->unit);
    add_labels(&identity, node_member(series, "metric"));
    add_labels(&identity, resource);
    struct cloud_series *mine =
        cloud_plan_series(reading->plan, asked, family->metric, key_of(query, kind, &identity, arena),
                          identity.labels, identity.count, short_name(&identity));
    /* Newest first; a counter's newest point of a period is the one that stays. */
    for (size_t i = points->count; mine && i-- > 0;)
        read_point(query, mine, points->items[i], batch, reading, arena);
}

int google_read(void *state, const struct cloud_batch *batch, const struct http_response *answer,
                int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
                struct cloud_outcome *ret_outcome, struct error *err)
{
    const struct node *root;
    (void)state;
    (void)wall_ns;
    int code = google_parse(answer, arena, &root, ret_outcome, err);
    if (code || !root)
        return code;
    const struct node *list = node_member(root, "timeSeries"), *errors = node_member(root, "executionErrors");
    struct str page = node_text(root, "nextPageToken");
    size_t count = list && list->kind == NODE_SEQUENCE ? list->count : 0;
    for (size_t i = 0; i < count; i++)
        read_series(batch->queries[0], list->items[i], batch, reading, arena);
    if (errors && errors->kind == NODE_SEQUENCE && errors->count > 0)
        cloud_reading_status(reading, 0, CLOUD_PARTIAL, node_text(errors->items[0], "message"));
    ret_outcome->units = count ? count : 1;
    ret_outcome->verdict = page.len ? CLOUD_MORE : CLOUD_DONE;
    ret_outcome->page = page.len ? arena_strdup(arena, page) : NULL;
    return 0;
}
