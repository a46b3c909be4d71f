/* Time slices: one event a slice and label set; see slos[].sli.time_slice. */
#include "sla/engine_internal.h"

#include <math.h>
#include <stdlib.h>

#define FORGET_NS (7 * 86400 * NS_PER_S) /* a label set without a sample for so long makes no more slices */

static int64_t every_ns(const struct slo *slo)
{
    return slo->config->sli.time_slice->every_ns;
}

static struct slice_binding *bind(struct engine *engine, struct source *source, struct slo *slo,
                                  const struct shape *shape)
{
    struct slice_binding *binding = NULL;
    for (size_t i = 0; i < source->slice_count && !binding; i++) {
        if (source->slices[i].slo == slo)
            binding = &source->slices[i];
    }
    if (!binding) {
        source->slices = xrealloc(source->slices, (source->slice_count + 1) * sizeof *source->slices);
        binding = &source->slices[source->slice_count++];
        *binding = (struct slice_binding){.slo = slo};
    }
    if (binding->shape_id == shape->id)
        return binding;
    free(binding->items);
    *binding = (struct slice_binding){.slo = slo, .shape_id = shape->id};
    size_t count = 0;
    struct selector_match *matches = selector_resolve(slo->metric, shape, &count);
    binding->items = count ? xcalloc(count, sizeof *binding->items) : NULL;
    for (size_t i = 0; i < count; i++) {
        struct str text = shape_series_text(shape, &shape->series[matches[i].series]);
        buf_reset(&engine->scratch);
        if (!label_set_pick_text(&slo->config->by, text, &engine->scratch))
            continue;
        struct series *series = slo_series(engine, slo, buf_str(&engine->scratch));
        if (series)
            binding->items[binding->count++] = (struct bound_slice){matches[i].slot, series};
    }
    free(matches);
    return binding;
}

static void end_slice(struct engine *engine, struct series *series, int64_t number, bool unknown_counts)
{
    struct slice *slice = &series->slices[(uint64_t)number % SLICE_RING];
    bool seen = slice->seen && slice->number == number;
    struct bucket_counts counts = {0};
    if (seen)
        *(slice->broken ? &counts.bad : &counts.good) = 1;
    else if (unknown_counts)
        counts.unknown = 1;
    if (slice->number == number)
        *slice = (struct slice){0};
    /* Slices are numbered on the engine's time already. */
    series_add(engine, series, number * every_ns(series->slo) - engine->skew_ns, &counts);
}

static void see(struct engine *engine, struct series *series, int64_t wall_ns, double value)
{
    const struct slo *slo = series->slo;
    int64_t number = wall_ns / every_ns(slo);
    if (!series->slicing || series->next_slice == INT64_MIN) {
        series->slicing = true;
        series->next_slice = number;
    }
    if (number < series->next_slice) {
        engine->stats.late_dropped++;
        return;
    }
    struct slice *slice = &series->slices[(uint64_t)number % SLICE_RING];
    if (slice->seen && slice->number != number) {
        for (; series->next_slice <= slice->number; series->next_slice++)
            end_slice(engine, series, series->next_slice, true);
    }
    bool broken = !(slo->above ? value > slo->bound : value < slo->bound);
    if (!slice->seen || (broken && !slice->broken))
        series_mark_dirty(engine, series); /* a restart goes on with the slice at hand */
    slice->number = number;
    slice->seen = true;
    slice->broken |= broken;
    series->last_sample_wall_ns = wall_ns;
}

void slice_on_snapshot(struct engine *engine, struct source *source, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < engine->slo_count; i++) {
        if (engine->slos[i]->kind != SLA_TIME_SLICE)
            continue;
        const struct slice_binding *binding = bind(engine, source, engine->slos[i], snapshot->shape);
        for (size_t j = 0; j < binding->count; j++) {
            double value = value_to_double(snapshot_value(snapshot, binding->items[j].slot));
            if (!isnan(value))
                see(engine, binding->items[j].series, snapshot->taken_wall_ns + engine->skew_ns, value);
        }
    }
}

static void tick_series(struct engine *engine, struct series *series, bool jumped_over)
{
    int64_t every = every_ns(series->slo),
            over = (engine->now_wall_ns - SLICE_GRACE_NS) / every; /* the first open */
    if (engine->now_wall_ns - series->last_sample_wall_ns > FORGET_NS) {
        series->slicing = false;
        return;
    }
    if (jumped_over) {
        /* What was seen before the jump counts; what nobody watched is nobody's. */
        int64_t present = engine->now_wall_ns / every, end = series->next_slice + SLICE_RING;
        for (; series->next_slice < present && series->next_slice < end; series->next_slice++)
            end_slice(engine, series, series->next_slice, false);
        series->next_slice = series->next_slice < present ? present : series->next_slice;
    }
    for (; series->next_slice < over; series->next_slice++)
        end_slice(engine, series, series->next_slice, true);
}

void slice_tick(struct engine *engine, bool jumped_over)
{
    for (size_t i = 0; i < engine->slo_count; i++) {
        struct slo *slo = engine->slos[i];
        for (size_t j = 0; slo->kind == SLA_TIME_SLICE && j < slo->list_count; j++) {
            if (slo->list[j]->slicing)
                tick_series(engine, slo->list[j], jumped_over);
        }
    }
}
