/* The report of this moment, and what the engine adds to /metrics. */
#include "sla/engine_internal.h"

/* A series of a former `by` is kept and not shown. */
static bool is_shown(const struct series *series)
{
    const struct string_list *by = &series->slo->config->by;
    for (size_t i = 0; i < series->labels.count; i++) {
        bool found = false;
        for (size_t j = 0; j < by->count; j++)
            found |= strcmp(by->items[j], series->labels.pairs[i].name) == 0;
        if (!found)
            return false;
    }
    return series->labels.count > 0 || !by->count || history_last_s(series->history) != INT64_MIN;
}

static void copy_labels(struct arena *arena, const struct series *series, struct sla_series_report *out)
{
    struct alert_text *labels = arena_zalloc(arena, (series->labels.count + 1) * sizeof *labels);
    for (size_t i = 0; i < series->labels.count; i++)
        labels[i] = (struct alert_text){arena_strdup(arena, str_from(series->labels.pairs[i].name)),
                                        arena_strdup(arena, str_from(series->labels.pairs[i].value))};
    out->labels = labels;
    out->label_count = series->labels.count;
}

static void report_burns(struct arena *arena, const struct series *series, struct sla_series_report *out)
{
    const struct slo *slo = series->slo;
    struct sla_burn_report *burns = arena_zalloc(arena, (slo->window_count + 1) * sizeof *burns);
    char text[UNITS_TEXT_MAX];
    for (size_t i = 0; i < slo->window_count; i++) {
        struct bucket_counts sum = history_sum(series->history, i);
        struct burn_counts counts = burn_count(&sum, slo->no_data);
        const char *window = units_format_duration(slo->windows_s[i] * NS_PER_S, text);
        burns[i].window = arena_strdup(arena, str_from(window));
        burns[i].known = burn_rate(&counts, slo->budget_ppb, &burns[i].rate);
    }
    out->burns = burns;
    out->burn_count = slo->window_count;
}

static void report_budget(const struct engine *engine, const struct series *series,
                          struct sla_series_report *out)
{
    const struct slo *slo = series->slo;
    struct bucket_counts sum = history_sum(series->history, slo->window_count);
    struct burn_counts counts = burn_count(&sum, slo->no_data);
    out->good = counts.good;
    out->total = counts.total;
    out->spent = counts.spent;
    out->unknown = sum.unknown;
    out->has_availability = counts.total > 0;
    if (out->has_availability) {
        sla_format_availability(counts.good, counts.total, out->availability);
        out->availability_ratio = (double)counts.good / (double)counts.total;
    }
    out->expected = series->expected > 0;
    uint64_t events = out->expected ? series->expected : counts.total;
    out->has_allowed = events > 0;
    if (out->has_allowed) {
        sla_format_allowed(slo->budget_ppb, events, out->allowed);
        double allowed = (double)slo->budget_ppb * (double)events;
        out->remaining_ratio = 1 - (double)counts.spent * (double)SLA_PPB / allowed;
    }
    uint64_t covered = history_sum(engine->coverage->history, slo->coverage_window).good;
    uint64_t since_birth = engine->covered - series->covered_at_birth;
    out->covered_ratio = (double)(covered < since_birth ? covered : since_birth) / (double)slo->window_s;
    if (out->covered_ratio > 1)
        out->covered_ratio = 1;
}

struct sla_report *engine_make_report(struct engine *engine)
{
    struct arena *arena = arena_new(0);
    struct sla_report *report = arena_zalloc(arena, sizeof *report);
    size_t capacity = 0;
    int64_t now_s = engine_now_s(engine);
    refcount_init(&report->refs);
    report->arena = arena;
    report->as_of_wall_ns = engine->now_wall_ns;
    for (size_t i = 0; i < engine->slo_count; i++)
        capacity += engine->slos[i]->list_count;
    struct sla_series_report *all = arena_zalloc(arena, (capacity + 1) * sizeof *all);
    history_advance(engine->coverage->history, now_s);
    for (size_t i = 0; i < engine->slo_count; i++) {
        const struct slo *slo = engine->slos[i];
        const char *name = arena_strdup(arena, str_from(slo->name));
        const char *objective = arena_strdup(arena, str_from(slo->objective_text));
        const char *window = arena_strdup(arena, str_from(slo->window_text));
        for (size_t j = 0; j < slo->list_count; j++) {
            const struct series *series = slo->list[j];
            if (!is_shown(series))
                continue;
            history_advance(series->history, now_s);
            struct sla_series_report *out = &all[report->series_count++];
            *out = (struct sla_series_report){.slo = name,
                                              .objective = objective,
                                              .window = window,
                                              .objective_ppb = SLA_PPB - slo->budget_ppb,
                                              .events_good = series->events.good,
                                              .events_bad = series->events.bad,
                                              .events_unknown = series->events.unknown};
            copy_labels(arena, series, out);
            report_burns(arena, series, out);
            report_budget(engine, series, out);
        }
    }
    report->series = all;
    return report;
}

struct sla_report *engine_report(struct engine *engine)
{
    if (!engine->served) {
        /* Nothing is durable yet: what is configured, without numbers of ours. */
        engine->served = engine_make_report(engine);
    }
    return engine->served;
}

static const struct metric_desc firing_desc = {"fraiseql_trigger_firing", METRIC_GAUGE,
                                               "1 while an incident of the trigger is open.", NULL};

void engine_snapshot(struct engine *engine, struct batch *batch)
{
    sla_report_to_batch(engine_report(engine), engine->observer, batch);
    struct batch_family *family = batch_family(batch, &firing_desc);
    for (size_t i = 0; i < engine->trigger_count; i++) {
        MAP_EACH (entry, &engine->triggers[i]->instances) {
            const struct instance *instance = entry->value;
            struct label labels[LIMIT_LABELS_PER_SERIES + 2] = {
                LABEL_TEXT("trigger", engine->triggers[i]->name), LABEL_TEXT("observer", engine->observer)};
            size_t count = 2;
            for (size_t j = 0; j < instance->labels.count && count < ARRAY_LEN(labels); j++) {
                struct str name = str_from(instance->labels.pairs[j].name);
                if (!str_equal(name, STR("trigger")) && !str_equal(name, STR("observer")))
                    labels[count++] = (struct label){name, str_from(instance->labels.pairs[j].value)};
            }
            batch_add(batch, family, labels, count, VALUE_OF_BOOL(instance->open));
        }
    }
}
