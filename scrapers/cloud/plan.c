#include "scrapers/cloud/plan_internal.h"

#include <math.h>
#include <stdlib.h>

#define FORGET_NS                                                                                            \
    (24 * 3600 * NS_PER_S) /* a series that no discovery tells of is dropped after so long without a bucket  \
                            */

const char *cloud_status_text(enum cloud_status status)
{
    static const char *const texts[] = {"complete", "partial", "forbidden", "failed"};
    return texts[status];
}

/* --- life ---------------------------------------------------------------------------------------------- */

struct cloud_plan *cloud_plan_new(const struct cloud_plan_options *options)
{
    struct cloud_plan *plan = xcalloc(1, sizeof *plan);
    plan->options = *options;
    plan->stretch = 1;
    plan->arena = arena_new(0);
    plan->queries_end = &plan->queries;
    plan->series_end = &plan->series;
    plan->metrics_end = &plan->metrics;
    return plan;
}

static void free_series(struct cloud_series *series)
{
    cloud_account_deinit(&series->account);
    free(series->labels);
    free(series->key);
    free(series);
}

static void free_query(struct cloud_query *query)
{
    free(query->key);
    free((char *)query->lane);
    free(query);
}

static void free_metric(struct cloud_metric *metric)
{
    free((char *)metric->desc.name);
    free((char *)metric->desc.help);
    free((char *)metric->desc.total_name);
    free(metric);
}

static void free_stored(struct map *stored)
{
    MAP_EACH (entry, stored) {
        free(entry->value);
    }
    map_deinit(stored);
}

void cloud_plan_free(struct cloud_plan *plan)
{
    if (!plan)
        return;
    for (struct cloud_series *series = plan->series, *next; series; series = next) {
        next = series->plan_next;
        free_series(series);
    }
    for (struct cloud_query *query = plan->queries, *next; query; query = next) {
        next = query->next;
        free_query(query);
    }
    for (struct cloud_metric *metric = plan->metrics, *next; metric; metric = next) {
        next = metric->next;
        free_metric(metric);
    }
    map_deinit(&plan->by_series);
    map_deinit(&plan->by_query);
    map_deinit(&plan->by_metric);
    free_stored(&plan->stored);
    free_stored(&plan->cursors);
    arena_free(plan->arena);
    arena_free(plan->next_arena);
    free(plan);
}

/* --- what was stored ----------------------------------------------------------------------------------- */

int64_t cloud_plan_restore(struct cloud_plan *plan, struct str series_key, struct str stored)
{
    struct cloud_account account;
    struct str query_key = {0};
    if (cloud_account_decode(&account, stored, &query_key, NULL) != 0) {
        plan->counts.corrupt++;
        return ERR_CORRUPT;
    }
    /* Before the first complete answer the account knows where it began. */
    int64_t read_to_ns = account.read_to_ns ? account.read_to_ns : account.closed_ns;
    cloud_account_deinit(&account);
    struct stored_account *kept = xmalloc(sizeof *kept + series_key.len + stored.len);
    kept->key = (struct str){kept->bytes, series_key.len};
    kept->value = (struct str){kept->bytes + series_key.len, stored.len};
    memcpy(kept->bytes, series_key.ptr, series_key.len);
    memcpy(kept->bytes + series_key.len, stored.ptr, stored.len);
    free(map_put(&plan->stored, kept->key, kept));
    /* All series of a query moved together; one that was stored earlier had nothing to tell since. */
    struct stored_cursor *cursor = map_get(&plan->cursors, query_key);
    if (!cursor) {
        cursor = xmalloc(sizeof *cursor + query_key.len);
        cursor->covered_ns = 0;
        memcpy(cursor->key, query_key.ptr, query_key.len);
        (void)map_put(&plan->cursors, (struct str){cursor->key, query_key.len}, cursor);
    }
    if (read_to_ns > cursor->covered_ns)
        cursor->covered_ns = read_to_ns;
    return read_to_ns;
}

static void restore_account(struct cloud_plan *plan, struct cloud_series *series)
{
    struct str key = str_from(series->key), query_key;
    struct stored_account *stored = map_remove(&plan->stored, key);
    if (stored && cloud_account_decode(&series->account, stored->value, &query_key, NULL) != 0)
        cloud_account_init(&series->account, true); /* it was counted when it was read */
    free(stored);
}

/* --- discovery ----------------------------------------------------------------------------------------- */

void cloud_plan_begin(struct cloud_plan *plan)
{
    cloud_plan_abort(plan);
    plan->next_arena = arena_new(0);
    plan->infos_end = &plan->next_infos;
    for (struct cloud_query *query = plan->queries; query; query = query->next)
        query->kept = false;
    for (struct cloud_series *series = plan->series; series; series = series->plan_next)
        series->kept = false;
}

/* Takes what is not kept out of every list. */
static void sweep(struct cloud_plan *plan)
{
    for (struct cloud_query *query = plan->queries; query; query = query->next) {
        struct cloud_series **of_query = &query->series;
        while (*of_query) {
            if ((*of_query)->kept && query->kept)
                of_query = &(*of_query)->next;
            else
                *of_query = (*of_query)->next;
        }
    }
    struct cloud_series **series = &plan->series;
    while (*series) {
        struct cloud_series *at = *series;
        if (at->kept && at->query->kept) {
            series = &at->plan_next;
            continue;
        }
        *series = at->plan_next;
        (void)map_remove(&plan->by_series, str_from(at->key));
        free_series(at);
        plan->counts.series--;
    }
    plan->series_end = series;
    struct cloud_query **query = &plan->queries;
    while (*query) {
        struct cloud_query *at = *query;
        if (at->kept) {
            query = &at->next;
            continue;
        }
        *query = at->next;
        (void)map_remove(&plan->by_query, str_from(at->key));
        free_query(at);
        plan->counts.queries--;
    }
    plan->queries_end = query;
}

/* Whether a series that no discovery names has had a bucket lately. */
static bool is_alive(const struct cloud_series *series)
{
    const struct cloud_account *account = &series->account;
    return account->open_count > 0 && account->read_at_ns - account->open_starts[account->open_count - 1] <
                                          FORGET_NS + 2 * series->query->period_ns;
}

void cloud_plan_end(struct cloud_plan *plan)
{
    for (struct cloud_series *series = plan->series; series; series = series->plan_next)
        series->kept = series->kept || (!series->planned && is_alive(series));
    sweep(plan);
    for (struct cloud_query *query = plan->queries; query; query = query->next) {
        query->data = query->next_data;
        query->fresh = false;
    }
    arena_free(plan->arena);
    plan->arena = TAKE(plan->next_arena);
    plan->infos = TAKE(plan->next_infos);
}

void cloud_plan_abort(struct cloud_plan *plan)
{
    if (!plan->next_arena)
        return;
    for (struct cloud_query *query = plan->queries; query; query = query->next)
        query->kept = !query->fresh;
    for (struct cloud_series *series = plan->series; series; series = series->plan_next)
        series->kept = true;
    sweep(plan);
    arena_free(TAKE(plan->next_arena));
    plan->next_infos = NULL;
}

struct arena *cloud_plan_arena(struct cloud_plan *plan)
{
    return plan->next_arena ? plan->next_arena : plan->arena;
}

struct cloud_metric *cloud_plan_metric(struct cloud_plan *plan, const struct cloud_metric_desc *desc)
{
    struct cloud_metric *metric = map_get(&plan->by_metric, str_from(desc->name));
    if (metric)
        return metric;
    metric = xcalloc(1, sizeof *metric);
    metric->desc = *desc;
    metric->desc.name = xstrdup(desc->name);
    metric->desc.help = xstrdup(desc->help ? desc->help : "");
    if (desc->kind == CLOUD_SUM && !desc->no_total) {
        struct buf name = BUF_INIT(4096);
        buf_append_text(&name, desc->total_name ? desc->total_name : desc->name);
        buf_append_text(&name, desc->total_name ? "" : "_total");
        metric->desc.total_name = xstrdup(buf_text(&name));
        buf_deinit(&name);
    } else
        metric->desc.total_name = NULL;
    if (metric->desc.scale == 0)
        metric->desc.scale = 1;
    cloud_settle_init(&metric->settle, desc->settle_ns ? desc->settle_ns : plan->options.settle_ns,
                      plan->options.late_ns);
    (void)map_put(&plan->by_metric, str_from(metric->desc.name), metric);
    *plan->metrics_end = metric;
    plan->metrics_end = &metric->next;
    return metric;
}

struct cloud_query *cloud_plan_query(struct cloud_plan *plan, const struct cloud_query_desc *desc)
{
    struct cloud_query *query = map_get(&plan->by_query, desc->key);
    if (!query) {
        query = xcalloc(1, sizeof *query);
        *query =
            (struct cloud_query){.key = xstrndup(desc->key), .lane = xstrdup(desc->lane ? desc->lane : "")};
        query->fresh = plan->next_arena != NULL;
        const struct stored_cursor *cursor = map_get(&plan->cursors, desc->key);
        query->covered_ns = cursor ? cursor->covered_ns : 0;
        (void)map_put(&plan->by_query, str_from(query->key), query);
        *plan->queries_end = query;
        plan->queries_end = &query->next;
        plan->counts.queries++;
    }
    query->period_ns = desc->period_ns;
    query->every_ns = desc->every_ns > desc->period_ns ? desc->every_ns : desc->period_ns;
    query->group = desc->group;
    query->weight = desc->weight ? desc->weight : 1;
    query->api = desc->api;
    query->units = desc->units;
    query->next_data = desc->data;
    if (!plan->next_arena)
        query->data = desc->data;
    query->kept = true;
    return query;
}

/* Array and texts in one piece. */
static struct label *copy_labels(const struct label *labels, size_t count)
{
    size_t bytes = count * sizeof *labels + 1;
    for (size_t i = 0; i < count; i++)
        bytes += labels[i].name.len + labels[i].value.len;
    struct label *copy = xmalloc(bytes);
    char *at = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        if (labels[i].name.len)
            memcpy(at, labels[i].name.ptr, labels[i].name.len);
        copy[i].name = (struct str){at, labels[i].name.len};
        at += labels[i].name.len;
        if (labels[i].value.len)
            memcpy(at, labels[i].value.ptr, labels[i].value.len);
        copy[i].value = (struct str){at, labels[i].value.len};
        at += labels[i].value.len;
    }
    return copy;
}

static bool same_labels(const struct cloud_series *series, const struct label *labels, size_t count)
{
    for (size_t i = 0; i < count && count == series->label_count; i++) {
        if (!str_equal(series->labels[i].name, labels[i].name) ||
            !str_equal(series->labels[i].value, labels[i].value))
            return false;
    }
    return count == series->label_count;
}

static struct cloud_series *add_series(struct cloud_plan *plan, struct cloud_query *query,
                                       struct cloud_metric *metric, struct str key)
{
    if (plan->options.max_series && plan->counts.series >= plan->options.max_series) {
        plan->counts.refused_series++;
        return NULL;
    }
    struct cloud_series *series = xcalloc(1, sizeof *series);
    *series = (struct cloud_series){.metric = metric, .query = query, .key = xstrndup(key)};
    series->planned = plan->next_arena != NULL;
    bool counts =
        metric->desc.kind == CLOUD_DISTRIBUTION || (metric->desc.kind == CLOUD_SUM && !metric->desc.no_total);
    cloud_account_init(&series->account, counts);
    if (counts)
        restore_account(plan, series);
    (void)map_put(&plan->by_series, str_from(series->key), series);
    series->next = query->series;
    query->series = series;
    *plan->series_end = series;
    plan->series_end = &series->plan_next;
    plan->counts.series++;
    return series;
}

struct cloud_series *cloud_plan_series(struct cloud_plan *plan, struct cloud_query *query,
                                       struct cloud_metric *metric, struct str key,
                                       const struct label *labels, size_t count, struct str resource)
{
    struct cloud_series *series = map_get(&plan->by_series, key);
    if (series && (series->query != query || series->metric != metric))
        return NULL; /* the same key for two things: the first stays */
    if (!series)
        series = add_series(plan, query, metric, key);
    if (!series)
        return NULL;
    series->kept = true;
    if (series->labels && same_labels(series, labels, count) && str_equal(series->resource, resource))
        return series;
    /* Tags may change while the series stays the same one. The resource goes behind the labels. */
    struct label all[LIMIT_LABELS_PER_SERIES + 1];
    count = count > LIMIT_LABELS_PER_SERIES ? LIMIT_LABELS_PER_SERIES : count;
    memcpy(all, labels, count * sizeof *labels);
    all[count] = (struct label){.name = resource};
    free(series->labels);
    series->labels = copy_labels(all, count + 1);
    series->label_count = count;
    series->resource = series->labels[count].name;
    return series;
}

struct cloud_series *cloud_plan_find(const struct cloud_plan *plan, struct str key)
{
    return map_get(&plan->by_series, key);
}

void cloud_plan_info(struct cloud_plan *plan, const char *name, const char *help, const struct label *labels,
                     size_t count, double value)
{
    if (!plan->next_arena)
        return;
    struct arena *arena = plan->next_arena;
    struct cloud_info *info = arena_zalloc(arena, sizeof *info);
    struct label *copy = arena_alloc(arena, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i].name = (struct str){arena_strdup(arena, labels[i].name), labels[i].name.len};
        copy[i].value = (struct str){arena_strdup(arena, labels[i].value), labels[i].value.len};
    }
    *info = (struct cloud_info){.name = arena_strdup(arena, str_from(name)),
                                .help = arena_strdup(arena, str_from(help)),
                                .labels = copy,
                                .label_count = count,
                                .value = value};
    *plan->infos_end = info;
    plan->infos_end = &info->next;
}

/* --- reading ------------------------------------------------------------------------------------------- */

struct cloud_query *cloud_plan_queries(const struct cloud_plan *plan)
{
    return plan->queries;
}

struct cloud_series *cloud_plan_all_series(const struct cloud_plan *plan)
{
    return plan->series;
}

struct cloud_metric *cloud_plan_metrics(const struct cloud_plan *plan)
{
    return plan->metrics;
}

const struct cloud_info *cloud_plan_infos(const struct cloud_plan *plan)
{
    return plan->infos;
}

void cloud_plan_counts(const struct cloud_plan *plan, struct cloud_plan_counts *ret_counts)
{
    *ret_counts = plan->counts;
}
