#include "sla/engine_internal.h"

#include "lib/core/hash.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t default_windows_s[] = {300, 3600, 6 * 3600, 3 * 86400};

struct slo *slo_new(const char *name)
{
    struct slo *slo = xcalloc(1, sizeof *slo);
    slo->name = xstrdup(name);
    slo->window_s = 30 * 86400;
    slo->windows_s = xcalloc(1, sizeof *slo->windows_s);
    slo->windows_s[0] = slo->window_s;
    map_init(&slo->series);
    return slo;
}

static void free_selectors(struct slo *slo)
{
    selector_free(slo->part);
    selector_free(slo->total);
    selector_free(slo->metric);
    slo->part = slo->total = slo->metric = NULL;
}

void slo_free(struct slo *slo)
{
    if (!slo)
        return;
    for (size_t i = 0; i < slo->list_count; i++) {
        struct series *series = slo->list[i];
        label_set_deinit(&series->labels);
        history_free(series->history);
        free(series->pending);
        free(series);
    }
    free_selectors(slo);
    map_deinit(&slo->series);
    free(slo->list);
    free(slo->windows_s);
    free(slo->name);
    free(slo);
}

/* --- compiling --- */

static int compare_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void set_windows(struct slo *slo, const int64_t *extra_s, size_t extra_count)
{
    size_t count = 0;
    slo->windows_s =
        xrealloc(slo->windows_s, (ARRAY_LEN(default_windows_s) + extra_count + 1) * sizeof(int64_t));
    for (size_t i = 0; i < ARRAY_LEN(default_windows_s); i++)
        slo->windows_s[count++] = default_windows_s[i];
    for (size_t i = 0; i < extra_count; i++)
        slo->windows_s[count++] = extra_s[i];
    qsort(slo->windows_s, count, sizeof(int64_t), compare_i64);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!kept || slo->windows_s[kept - 1] != slo->windows_s[i])
            slo->windows_s[kept++] = slo->windows_s[i];
    }
    slo->window_count = kept;
    slo->windows_s[kept] = slo->window_s;
    for (size_t i = 0; i < slo->list_count; i++)
        history_set_windows(slo->list[i]->history, slo->windows_s, kept + 1);
}

static uint64_t fold_text(uint64_t hash, const char *text)
{
    struct str s = text ? str_from(text) : STR("\n");
    return hash_mix(hash, hash_stable(s));
}

static int compile_selectors(struct slo *slo, const struct sla_sli_config *sli, struct error *err)
{
    struct selector *part = NULL, *total = NULL, *metric = NULL;
    int code = 0;
    if (sli->total) {
        code = selector_parse(sli->total, &total, err);
        if (!code)
            code = selector_parse(sli->bad ? sli->bad : sli->good, &part, err);
    }
    if (!code && sli->time_slice)
        code = selector_parse(sli->time_slice->metric, &metric, err);
    if (code) {
        selector_free(total);
        return error_prefix(err, "SLO \"%s\"", slo->name);
    }
    free_selectors(slo);
    slo->part = part;
    slo->total = total;
    slo->metric = metric;
    slo->part_is_good = sli->good != NULL;
    return 0;
}

int slo_configure(struct slo *slo, const struct sla_slo_config *config, const int64_t *extra_windows_s,
                  size_t extra_count, struct error *err)
{
    const struct sla_sli_config *sli = &config->sli;
    int code = compile_selectors(slo, sli, err);
    if (code)
        return code;
    slo->config = config;
    slo->kind = sla_slo_kind(config);
    slo->no_data = (enum sla_no_data)config->no_data;
    slo->budget_ppb = SLA_PPB - config->objective_ppb;
    slo->window_s = config->window_ns / NS_PER_S;
    (void)units_format_decimal(config->objective_ppb, 7, slo->objective_text);
    (void)units_format_duration(config->window_ns, slo->window_text);
    if (sli->time_slice) {
        const char *bound = sli->time_slice->above ? sli->time_slice->above : sli->time_slice->below;
        slo->above = sli->time_slice->above != NULL;
        if (!str_to_double(str_from(bound), &slo->bound))
            return error_set(err, ERR_CONFIG, "SLO \"%s\": \"%s\" is not a number", slo->name, bound);
    }
    slo->definition = fold_text(fold_text(fold_text(1, sli->bad), sli->good), sli->total);
    for (size_t i = 0; i < config->by.count; i++)
        slo->definition = fold_text(slo->definition, config->by.items[i]);
    set_windows(slo, extra_windows_s, extra_count);
    return 0;
}

static uint64_t expected_of_probes(const struct engine *engine, const struct series *series)
{
    const struct sla_slo_config *config = series->slo->config;
    uint64_t expected = 0;
    struct buf text = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
    for (size_t i = 0; i < engine->probe_count; i++) {
        const struct sla_probe *probe = &engine->probes[i];
        struct label labels[] = {LABEL_TEXT("probe", probe->name), LABEL_TEXT("target", probe->target),
                                 LABEL_TEXT("region", probe->region)};
        if (strcmp(probe->name, config->sli.probe) != 0 || probe->interval_ns <= 0)
            continue;
        buf_reset(&text);
        if (label_set_pick(&config->by, labels, ARRAY_LEN(labels), &text) &&
            str_equal_text(buf_str(&text), series->labels.text))
            expected += (uint64_t)(config->window_ns / probe->interval_ns);
    }
    buf_deinit(&text);
    return expected;
}

void series_set_expected(const struct engine *engine, struct series *series)
{
    const struct slo *slo = series->slo;
    series->expected = 0;
    if (slo->config && slo->kind == SLA_PROBE)
        series->expected = expected_of_probes(engine, series);
    if (slo->config && slo->kind == SLA_TIME_SLICE)
        series->expected = (uint64_t)(slo->config->window_ns / slo->config->sli.time_slice->every_ns);
}

/* --- series --- */

struct series *slo_series(struct engine *engine, struct slo *slo, struct str label_text)
{
    struct series *series = map_get(&slo->series, label_text);
    if (series)
        return series;
    if (slo->list_count >= MAX_SERIES_PER_SLO) {
        engine->stats.series_refused++;
        return NULL;
    }
    series = xcalloc(1, sizeof *series);
    series->slo = slo;
    label_set_init(&series->labels, label_text);
    series->history = history_new(slo->windows_s, slo->window_count + 1);
    series->covered_at_birth = engine->covered;
    series->next_slice = INT64_MIN;
    if (slo->list_count == slo->list_capacity) {
        slo->list_capacity = slo->list_capacity ? 2 * slo->list_capacity : 4;
        slo->list = xrealloc(slo->list, slo->list_capacity * sizeof(struct series *));
    }
    series_set_expected(engine, series);
    size_t at = slo->list_count++;
    for (; at > 0 && strcmp(slo->list[at - 1]->labels.text, series->labels.text) > 0; at--)
        slo->list[at] = slo->list[at - 1];
    slo->list[at] = series;
    (void)map_put(&slo->series, str_from(series->labels.text), series);
    engine->stats.series++;
    return series;
}

void series_mark_dirty(struct engine *engine, struct series *series)
{
    if (series->dirty)
        return;
    series->dirty = true;
    if (engine->dirty_count == engine->dirty_capacity) {
        engine->dirty_capacity = engine->dirty_capacity ? 2 * engine->dirty_capacity : 64;
        engine->dirty = xrealloc(engine->dirty, engine->dirty_capacity * sizeof(struct series *));
    }
    engine->dirty[engine->dirty_count++] = series;
}

/* While the journal cannot write, what waits for it grows by the minute and not by the second. */
static void coarsen_pending(struct series *series)
{
    size_t kept = 0;
    for (size_t i = 0; i < series->pending_count; i++) {
        struct bucket bucket = series->pending[i];
        bucket.start_s -= bucket.start_s % 60;
        struct bucket *last = kept ? &series->pending[kept - 1] : NULL;
        if (last && last->start_s == bucket.start_s) {
            last->good += bucket.good;
            last->bad += bucket.bad;
            last->unknown += bucket.unknown;
        } else {
            series->pending[kept++] = bucket;
        }
    }
    series->pending_count = kept;
}

static void add_pending(struct series *series, const struct bucket *more)
{
    for (size_t back = 1; back <= 4 && back <= series->pending_count; back++) {
        struct bucket *bucket = &series->pending[series->pending_count - back];
        if (bucket->start_s != more->start_s)
            continue;
        bucket->good += more->good;
        bucket->bad += more->bad;
        bucket->unknown += more->unknown;
        return;
    }
    if (series->pending_count == series->pending_capacity) {
        if (series->pending_count >= PENDING_COARSE)
            coarsen_pending(series);
        if (series->pending_count * 4 >= series->pending_capacity * 3) {
            series->pending_capacity = series->pending_capacity ? 2 * series->pending_capacity : 4;
            series->pending = xrealloc(series->pending, series->pending_capacity * sizeof *series->pending);
        }
    }
    series->pending[series->pending_count++] = *more;
}

void series_add(struct engine *engine, struct series *series, int64_t wall_ns,
                const struct bucket_counts *counts)
{
    int64_t second = (wall_ns + engine->skew_ns) / NS_PER_S, now_s = engine_now_s(engine);
    if (bucket_counts_empty(counts))
        return;
    if (second < now_s - SLA_MAX_WINDOW_NS / NS_PER_S) {
        engine->stats.late_dropped++;
        return;
    }
    struct bucket bucket = {second, counts->good, counts->bad, counts->unknown};
    add_pending(series, &bucket);
    history_add(series->history, second, counts, now_s);
    bucket_counts_add(&series->events, counts);
    series_mark_dirty(engine, series);
}

void series_give_back(struct engine *engine, struct series *series, const struct bucket *buckets,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_pending(series, &buckets[i]);
    series_mark_dirty(engine, series);
}

void series_save(const struct series *series, uint64_t state[SERIES_STATE])
{
    uint64_t seen = 0, broken = 0;
    for (size_t i = 0; i < SLICE_RING; i++) {
        const struct slice *slice = &series->slices[i];
        if (slice->seen) {
            seen |= UINT64_C(1) << i;
            broken |= (uint64_t)slice->broken << i;
        }
    }
    const uint64_t saved[SERIES_STATE] = {
        series->events.good,        series->events.bad, series->events.unknown,
        series->covered_at_birth,   series->carry,      (uint64_t)series->next_slice,
        broken << SLICE_RING | seen};
    memcpy(state, saved, sizeof saved);
}

void series_load(struct series *series, const uint64_t state[SERIES_STATE])
{
    series->events = (struct bucket_counts){state[0], state[1], state[2]};
    series->covered_at_birth = state[3];
    series->carry = state[4];
    series->next_slice = (int64_t)state[5];
    for (uint64_t i = 0; i < SLICE_RING && series->next_slice != INT64_MIN; i++) {
        /* Place i of the ring holds the one number of the next SLICE_RING that ends in i. */
        uint64_t first = (uint64_t)series->next_slice, number = first + (i - first) % SLICE_RING;
        series->slices[i] = (struct slice){
            .number = (int64_t)number, .seen = state[6] >> i & 1, .broken = state[6] >> (SLICE_RING + i) & 1};
    }
}
