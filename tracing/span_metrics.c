#include "tracing/span_metrics.h"

#include "lib/core/map.h"

#include <stdlib.h>

#define NO_ENUM          UINT8_MAX /* kind and status of an overflow set */
#define MAX_GROUPS       1024U     /* (service, region) pairs a shard tells apart */
#define OVERFLOW_SHARE   8U        /* of the sets, one in so many may be a service's overflow */
#define SET_LINES(rules) ((uint64_t)(rules)->exposed_count + 4) /* calls; buckets with +Inf, sum, count */

/* A label set as exposed. */
struct span_set {
    struct str service, region, name;
    uint8_t kind, status;
    uint64_t calls;
    unsigned __int128 sum_ns;
    uint64_t buckets[]; /* exposed_count + 1 */
};

/* A key of the shards. */
struct span_cell {
    struct str service, region, name;
    uint8_t kind, status;
    bool entry, overflow;
    struct span_set *set;
    uint32_t match_count;
    const struct span_rule **matches; /* SLOs it is an event of; in match_arena */
};

struct shard_view {
    struct span_shard *shard;
    struct span_deltas spare;
    struct span_cell **cells; /* by the shard's key index */
    uint32_t cell_count, cell_capacity;
};

struct span_metrics {
    struct span_rules *rules;
    uint64_t max_series;
    struct arena *arena;        /* sets, cells, their texts */
    struct arena *match_arena;  /* of the current rules */
    struct map sets, cells;     /* by packed key */
    struct span_set **set_list; /* in the order they were made, which the page's shape keeps */
    size_t set_count, set_capacity;
    uint64_t overflow_sets, overflow_spans;
    size_t shard_count;
    struct shard_view views[];
};

/* --- bounds */

static uint64_t max_sets(const struct span_metrics *metrics)
{
    uint64_t sets = metrics->max_series / SET_LINES(metrics->rules);
    return sets < 4 ? 4 : sets;
}

/* Sets that are no overflow: what is left when each overflow is taken off. */
static uint64_t max_overflow_sets(const struct span_metrics *metrics)
{
    return max_sets(metrics) / OVERFLOW_SHARE + 1;
}

static uint64_t max_plain_sets(const struct span_metrics *metrics)
{
    return max_sets(metrics) - max_overflow_sets(metrics);
}

uint64_t span_metrics_max_lines(const struct span_metrics *metrics)
{
    uint64_t sets = max_sets(metrics);
    return (metrics->set_count > sets ? metrics->set_count : sets) * SET_LINES(metrics->rules);
}

/* --- life */

struct span_metrics *span_metrics_new(size_t shard_count, uint64_t max_series, struct span_rules *rules)
{
    struct span_metrics *metrics = xcalloc(1, sizeof *metrics + shard_count * sizeof metrics->views[0]);
    metrics->rules = rules;
    metrics->max_series = max_series;
    metrics->arena = arena_new(0);
    metrics->match_arena = arena_new(0);
    map_init(&metrics->sets);
    map_init(&metrics->cells);
    metrics->shard_count = shard_count;
    /* A set has a key a value of `entry`, and requests of one kind may come through any shard. */
    uint64_t keys = 2 * max_sets(metrics);
    for (size_t i = 0; i < shard_count; i++) {
        struct shard_view *view = &metrics->views[i];
        view->shard = span_shard_new(keys < UINT32_MAX ? (uint32_t)keys : UINT32_MAX, MAX_GROUPS, rules);
        span_deltas_init(&view->spare, rules);
    }
    return metrics;
}

void span_metrics_free(struct span_metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->shard_count; i++) {
        span_shard_free(metrics->views[i].shard);
        span_deltas_deinit(&metrics->views[i].spare);
        free(metrics->views[i].cells);
    }
    map_deinit(&metrics->sets);
    map_deinit(&metrics->cells);
    free(metrics->set_list);
    arena_free(metrics->arena);
    arena_free(metrics->match_arena);
    span_rules_free(metrics->rules);
    free(metrics);
}

struct span_shard *span_metrics_shard(struct span_metrics *metrics, size_t index)
{
    return metrics->views[index].shard;
}

const struct span_rules *span_metrics_rules(const struct span_metrics *metrics)
{
    return metrics->rules;
}

/* --- sets and cells; made once a key */

/* Lengths first, so that no two keys pack alike. */
static struct str pack_key(struct span_metrics *metrics, const struct str texts[3], const uint8_t tail[4])
{
    size_t len = 4;
    for (int i = 0; i < 3; i++)
        len += sizeof(uint32_t) + texts[i].len;
    char *packed = arena_alloc(metrics->arena, len), *at = packed;
    for (int i = 0; i < 3; i++) {
        uint32_t text_len = (uint32_t)texts[i].len;
        memcpy(at, &text_len, sizeof text_len);
        at += sizeof text_len;
        if (text_len)
            memcpy(at, texts[i].ptr, text_len);
        at += text_len;
    }
    memcpy(at, tail, 4);
    return (struct str){packed, len};
}

static struct span_set *find_or_add_set(struct span_metrics *metrics, const struct span_set *wanted,
                                        bool may_add)
{
    const struct str texts[3] = {wanted->service, wanted->region, wanted->name};
    const uint8_t tail[4] = {wanted->kind, wanted->status, 0, 0};
    struct str key = pack_key(metrics, texts, tail);
    struct span_set *set = map_get(&metrics->sets, key);
    if (set || !may_add)
        return set;
    set = arena_zalloc(metrics->arena,
                       sizeof *set + (metrics->rules->exposed_count + 1) * sizeof set->buckets[0]);
    set->service = wanted->service;
    set->region = wanted->region;
    set->name = wanted->name;
    set->kind = wanted->kind;
    set->status = wanted->status;
    (void)map_put(&metrics->sets, key, set);
    if (metrics->set_count == metrics->set_capacity) {
        metrics->set_capacity = metrics->set_capacity ? metrics->set_capacity * 2 : 64;
        metrics->set_list = xrealloc(metrics->set_list, metrics->set_capacity * sizeof(struct span_set *));
    }
    metrics->set_list[metrics->set_count++] = set;
    return set;
}

static struct span_set *overflow_set(struct span_metrics *metrics, struct str service)
{
    struct span_set wanted = {
        .service = service, .name = STR(SPAN_OVERFLOW), .kind = NO_ENUM, .status = NO_ENUM};
    /* The last one allowed is that of all further services. */
    bool may_add = metrics->overflow_sets + 1 < max_overflow_sets(metrics);
    size_t before = metrics->set_count;
    struct span_set *set = find_or_add_set(metrics, &wanted, may_add);
    if (!set) {
        wanted.service = STR(SPAN_OVERFLOW);
        set = find_or_add_set(metrics, &wanted, true);
    }
    metrics->overflow_sets += metrics->set_count - before;
    return set;
}

static void choose_set(struct span_metrics *metrics, struct span_cell *cell)
{
    if (!cell->overflow) {
        struct span_set wanted = {.service = cell->service,
                                  .region = cell->region,
                                  .name = cell->name,
                                  .kind = cell->kind,
                                  .status = cell->status};
        bool may_add = metrics->set_count - metrics->overflow_sets < max_plain_sets(metrics);
        cell->set = find_or_add_set(metrics, &wanted, may_add);
    }
    if (!cell->set) {
        cell->overflow = true;
        cell->set = overflow_set(metrics, cell->service);
    }
}

static void match_cell(struct span_metrics *metrics, struct span_cell *cell)
{
    const struct span_rules *rules = metrics->rules;
    cell->match_count = 0;
    cell->matches = NULL;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t count = 0;
        for (size_t i = 0; i < rules->rule_count; i++) {
            if (!span_rule_matches(&rules->rules[i], cell->service, cell->name, cell->kind, cell->entry))
                continue;
            if (pass)
                cell->matches[count] = &rules->rules[i];
            count++;
        }
        cell->match_count = count;
        if (!pass)
            cell->matches = arena_alloc(metrics->match_arena, (count + 1) * sizeof(struct span_rule *));
    }
}

static struct str copy_text(struct span_metrics *metrics, struct str text)
{
    return text.len ? (struct str){arena_strdup(metrics->arena, text), text.len} : STR("");
}

static struct span_cell *find_or_add_cell(struct span_metrics *metrics, const struct span_key *key)
{
    const struct str texts[3] = {key->group->service, key->group->region, {key->name, key->name_len}};
    const uint8_t tail[4] = {key->kind, key->status, key->entry, key->overflow};
    struct str packed = pack_key(metrics, texts, tail);
    struct span_cell *cell = map_get(&metrics->cells, packed);
    if (cell)
        return cell;
    cell = arena_zalloc(metrics->arena, sizeof *cell);
    cell->service = copy_text(metrics, texts[0]);
    cell->region = copy_text(metrics, texts[1]);
    cell->name = copy_text(metrics, texts[2]);
    cell->kind = key->kind;
    cell->status = key->status;
    cell->entry = key->entry;
    cell->overflow = key->overflow;
    (void)map_put(&metrics->cells, packed, cell);
    choose_set(metrics, cell);
    match_cell(metrics, cell);
    return cell;
}

/* --- collecting */

static void add_to_set(const struct span_rules *rules, struct span_set *set, const uint64_t *words)
{
    set->calls += words[SPAN_CALLS];
    set->sum_ns += (unsigned __int128)words[SPAN_SUM_HIGH] << 64 | words[SPAN_SUM_LOW];
    for (size_t bucket = 0; bucket < rules->bucket_count; bucket++)
        set->buckets[rules->exposed_of[bucket]] += words[SPAN_BUCKETS + bucket];
}

static void hand_to_slos(const struct span_cell *cell, const uint64_t *words, const struct sli_sink *sink,
                         int64_t wall_ns, int64_t mono_ns)
{
    if (!sink || !sink->spans)
        return;
    const struct label labels[] = {
        {STR("service"), cell->service},
        {STR("span_name"), cell->name},
        {STR("span_kind"), str_from(span_kind_text(cell->kind))},
        {STR("region"), cell->region},
    };
    for (uint32_t i = 0; i < cell->match_count; i++) {
        const struct span_rule *rule = cell->matches[i];
        uint64_t good = cell->status == OTLP_STATUS_ERROR ? 0 : words[SPAN_CALLS];
        if (good && rule->timed) {
            good = 0;
            for (size_t bucket = 0; bucket < rule->fast_buckets; bucket++)
                good += words[SPAN_BUCKETS + bucket];
        }
        const struct sli_span_counts counts = {
            .slo = rule->slo,
            .labels = labels,
            .label_count = ARRAY_LEN(labels),
            .good = good,
            .bad = words[SPAN_CALLS] - good,
            .wall_ns = wall_ns,
            .mono_ns = mono_ns,
        };
        sink->spans(sink->ctx, &counts);
    }
}

static void learn_keys(struct span_metrics *metrics, struct shard_view *view, uint32_t key_count)
{
    if (key_count > view->cell_capacity) {
        view->cell_capacity = key_count * 2;
        view->cells = xrealloc(view->cells, view->cell_capacity * sizeof(struct span_cell *));
    }
    for (; view->cell_count < key_count; view->cell_count++)
        view->cells[view->cell_count] =
            find_or_add_cell(metrics, span_shard_key(view->shard, view->cell_count));
}

/* next: the rules the shard goes on with. */
static void collect_shard(struct span_metrics *metrics, struct shard_view *view,
                          const struct span_rules *next, const struct sli_sink *sink, int64_t wall_ns,
                          int64_t mono_ns)
{
    uint32_t key_count;
    span_deltas_reset(&view->spare, next);
    span_shard_take(view->shard, &view->spare, &key_count);
    learn_keys(metrics, view, key_count);
    struct span_deltas *taken = &view->spare;
    for (uint32_t i = 0; i < taken->touched_count; i++) {
        uint32_t index = taken->touched[i];
        const uint64_t *words = taken->words + index * taken->stride;
        struct span_cell *cell = view->cells[index];
        add_to_set(taken->rules, cell->set, words);
        if (cell->overflow)
            metrics->overflow_spans += words[SPAN_CALLS];
        hand_to_slos(cell, words, sink, wall_ns, mono_ns);
    }
}

void span_metrics_collect(struct span_metrics *metrics, const struct sli_sink *sink, int64_t wall_ns,
                          int64_t mono_ns)
{
    for (size_t i = 0; i < metrics->shard_count; i++)
        collect_shard(metrics, &metrics->views[i], metrics->rules, sink, wall_ns, mono_ns);
}

void span_metrics_set_rules(struct span_metrics *metrics, struct span_rules *rules, uint64_t max_series,
                            const struct sli_sink *sink, int64_t wall_ns, int64_t mono_ns)
{
    for (size_t i = 0; i < metrics->shard_count; i++) {
        collect_shard(metrics, &metrics->views[i], rules, sink, wall_ns, mono_ns);
        span_deltas_reset(&metrics->views[i].spare, rules);
    }
    span_rules_free(metrics->rules);
    metrics->rules = rules;
    metrics->max_series = max_series;
    arena_reset(metrics->match_arena);
    MAP_EACH (entry, &metrics->cells) {
        match_cell(metrics, entry->value);
    }
}

/* --- out */

static const struct metric_desc calls_desc = {
    .name = "traces_span_metrics_calls_total",
    .type = METRIC_COUNTER,
    .help = "Spans received by OTLP.",
};
static const struct metric_desc duration_desc = {
    .name = "traces_span_metrics_duration_milliseconds",
    .type = METRIC_HISTOGRAM,
    .help = "Duration of spans received by OTLP.",
};

/* At most 5 labels; absent ones are left out. */
static size_t labels_of(const struct span_set *set, struct label labels[5])
{
    size_t count = 0;
    labels[count++] = (struct label){STR("service_name"), set->service};
    labels[count++] = (struct label){STR("span_name"), set->name};
    if (set->kind != NO_ENUM)
        labels[count++] = (struct label){STR("span_kind"), str_from(span_kind_text(set->kind))};
    if (set->status != NO_ENUM)
        labels[count++] = (struct label){STR("status_code"), str_from(span_status_text(set->status))};
    if (set->region.len)
        labels[count++] = (struct label){STR("region"), set->region};
    return count;
}

void span_metrics_write(const struct span_metrics *metrics, struct batch *batch)
{
    if (metrics->set_count == 0)
        return;
    const struct span_rules *rules = metrics->rules;
    struct label labels[5];
    struct batch_family *calls = batch_family(batch, &calls_desc);
    for (size_t i = 0; i < metrics->set_count; i++) {
        const struct span_set *set = metrics->set_list[i];
        batch_add(batch, calls, labels, labels_of(set, labels), VALUE_OF_U64(set->calls));
    }
    struct histogram histogram;
    histogram_init(&histogram, rules->exposed_ms, rules->exposed_count);
    struct batch_family *durations = batch_family(batch, &duration_desc);
    for (size_t i = 0; i < metrics->set_count; i++) {
        const struct span_set *set = metrics->set_list[i];
        memcpy(histogram.counts, set->buckets, (rules->exposed_count + 1) * sizeof set->buckets[0]);
        histogram.sum = (double)set->sum_ns / 1e6;
        batch_add_histogram(batch, durations, labels, labels_of(set, labels), &histogram);
    }
}

void span_metrics_stats(const struct span_metrics *metrics, struct span_metrics_stats *ret_stats)
{
    *ret_stats = (struct span_metrics_stats){
        .sets = metrics->set_count,
        .max_sets = max_sets(metrics),
        .overflow_sets = metrics->overflow_sets,
        .overflow_spans = metrics->overflow_spans,
    };
}
