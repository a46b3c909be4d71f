/* Counter ratios: what counters gained since they were last seen. The rules stand in engine.h. */
#include "sla/engine_internal.h"

#include <math.h>
#include <stdlib.h>

#define MAX_DELTA (UINT64_C(1) << 56) /* more in one step is not a count of events */

bool counter_value(struct value value, uint64_t *ret_events)
{
    switch (value.kind) {
    case VALUE_U64:
        *ret_events = value.u64;
        return true;
    case VALUE_I64:
        *ret_events = (uint64_t)value.i64;
        return value.i64 >= 0;
    case VALUE_F64:
        if (!(value.f64 >= 0 && value.f64 < 18446744073709551616.0))
            return false;
        *ret_events = (uint64_t)value.f64;
        return true;
    case VALUE_ABSENT:
    default:
        return false;
    }
}

/* --- binding to a shape --- */

static void target_key(struct buf *out, const struct slo *slo, const struct source *source)
{
    buf_reset(out);
    buf_printf(out, "%s\n%016llx\n%s", slo->name, (unsigned long long)slo->definition, source->name);
}

static struct counter_cursor *find_cursor(struct engine *engine, const struct slo *slo,
                                          const struct source *source, const struct shape *shape,
                                          const struct selector_match *match, bool part)
{
    const struct shape_series *series = &shape->series[match->series];
    struct buf *key = &engine->scratch;
    target_key(key, slo, source);
    buf_printf(key, "\n%c\n", part ? 'p' : 't');
    buf_append_str(key, shape->families[match->family].name);
    buf_printf(key, "\n%u.%u\n", series->suffix, match->slot - series->slot);
    buf_append_str(key, shape_series_text(shape, series));
    if (key->failed)
        return NULL;
    struct counter_cursor *cursor = map_get(&engine->cursors, buf_str(key));
    if (cursor)
        return cursor;
    if (engine->cursors.count >= MAX_CURSORS) {
        engine->stats.cursors_refused++;
        return NULL;
    }
    cursor = xcalloc(1, sizeof *cursor);
    *cursor = (struct counter_cursor){.key = xstrndup(buf_str(key)), .part = part, .fresh = true};
    (void)map_put(&engine->cursors, str_from(cursor->key), cursor);
    return cursor;
}

static void bind_selector(struct engine *engine, struct binding *binding, const struct source *source,
                          const struct shape *shape, bool part)
{
    struct slo *slo = binding->slo;
    size_t count = 0;
    struct selector_match *matches = selector_resolve(part ? slo->part : slo->total, shape, &count);
    if (count)
        binding->items = xrealloc(binding->items, (binding->count + count) * sizeof *binding->items);
    for (size_t i = 0; i < count; i++) {
        struct counter_cursor *cursor = find_cursor(engine, slo, source, shape, &matches[i], part);
        struct buf *labels = &engine->scratch2;
        buf_reset(labels);
        if (!cursor ||
            !label_set_pick_text(&slo->config->by,
                                 shape_series_text(shape, &shape->series[matches[i].series]), labels))
            continue;
        cursor->series = slo_series(engine, slo, buf_str(labels));
        if (cursor->series)
            binding->items[binding->count++] = (struct bound_counter){matches[i].slot, cursor};
    }
    free(matches);
}

static struct binding *bind(struct engine *engine, struct source *source, struct slo *slo,
                            const struct shape *shape)
{
    struct binding *binding = NULL;
    for (size_t i = 0; i < source->binding_count && !binding; i++) {
        if (source->bindings[i].slo == slo)
            binding = &source->bindings[i];
    }
    if (!binding) {
        source->bindings = xrealloc(source->bindings, (source->binding_count + 1) * sizeof *source->bindings);
        binding = &source->bindings[source->binding_count++];
        *binding = (struct binding){.slo = slo};
    }
    if (binding->shape_id == shape->id && binding->definition == slo->definition)
        return binding;
    free(binding->items);
    *binding = (struct binding){.slo = slo, .definition = slo->definition, .shape_id = shape->id};
    bind_selector(engine, binding, source, shape, false);
    bind_selector(engine, binding, source, shape, true);
    return binding;
}

void counter_free_source(struct source *source)
{
    for (size_t i = 0; i < source->binding_count; i++)
        free(source->bindings[i].items);
    for (size_t i = 0; i < source->slice_count; i++)
        free(source->slices[i].items);
    free(source->bindings);
    free(source->slices);
    free(source->scraper);
    free(source->target);
    free(source->name);
    free(source);
}

/* --- restarts --- */

static void find_start_time(struct source *source, const struct shape *shape)
{
    if (source->start_shape_id == shape->id)
        return;
    source->start_shape_id = shape->id;
    source->start_slot = UINT32_MAX;
    const struct shape_family *family = shape_find_family(shape, STR("process_start_time_seconds"));
    if (family && family->series_count == 1)
        source->start_slot = shape->series[family->first_series].slot;
}

/* True when the process behind the counters is another one than at the last look. */
static bool has_restarted(struct engine *engine, struct source *source, const struct snapshot *snapshot)
{
    find_start_time(source, snapshot->shape);
    if (source->start_slot == UINT32_MAX)
        return false;
    double value = value_to_double(snapshot_value(snapshot, source->start_slot));
    if (!isfinite(value))
        return false;
    struct start_time *start = map_get(&engine->start_times, str_from(source->name));
    if (!start) {
        start = xcalloc(1, sizeof *start);
        *start = (struct start_time){.source = xstrdup(source->name), .value = value, .dirty = true};
        (void)map_put(&engine->start_times, str_from(start->source), start);
        return false;
    }
    /* Some exporters work it out from the uptime, which wobbles. */
    bool restarted = fabs(value - start->value) > 2;
    if (restarted) {
        start->value = value;
        start->dirty = true;
    }
    return restarted;
}

/* --- counting --- */

static void mark_dirty(struct engine *engine, struct counter_cursor *cursor)
{
    if (cursor->dirty)
        return;
    cursor->dirty = true;
    if (engine->dirty_cursor_count == engine->dirty_cursor_capacity) {
        engine->dirty_cursor_capacity =
            engine->dirty_cursor_capacity ? 2 * engine->dirty_cursor_capacity : 64;
        engine->dirty_cursors =
            xrealloc(engine->dirty_cursors, engine->dirty_cursor_capacity * sizeof(struct counter_cursor *));
    }
    engine->dirty_cursors[engine->dirty_cursor_count++] = cursor;
}

static uint64_t gain(struct engine *engine, const struct counter_cursor *cursor, uint64_t value, bool known,
                     bool restarted)
{
    uint64_t delta;
    if (cursor->fresh) {
        delta = known ? value : 0;
    } else if (restarted || value < cursor->value) {
        engine->stats.counter_resets++;
        delta = value;
    } else {
        delta = value - cursor->value;
    }
    return delta < MAX_DELTA ? delta : 0;
}

/* Both counters of a ratio are read at slightly different moments: part events that no total tells of yet are
 * owed and taken from the next totals, so that over time good + bad is exactly what the total counted. */
static void settle(struct engine *engine, struct series *series, int64_t wall_ns)
{
    uint64_t part = series->delta_part, total = series->delta_total, owed = part + series->carry;
    uint64_t rest = total > owed ? total - owed : 0;
    series->touched = false;
    series->delta_part = series->delta_total = 0;
    if (!part && !total)
        return;
    series->carry = owed > total ? owed - total : 0;
    struct bucket_counts counts = series->slo->part_is_good
                                      ? (struct bucket_counts){.good = part, .bad = rest}
                                      : (struct bucket_counts){.good = rest, .bad = part};
    series_add(engine, series, wall_ns, &counts);
    series_mark_dirty(engine, series);
}

static void mark_known(struct engine *engine, const struct slo *slo, const struct source *source)
{
    target_key(&engine->scratch, slo, source);
    if (map_get(&engine->known_targets, buf_str(&engine->scratch)))
        return;
    char *key = xstrndup(buf_str(&engine->scratch));
    (void)map_put(&engine->known_targets, str_from(key), key);
}

static void count_binding(struct engine *engine, const struct source *source, const struct binding *binding,
                          const struct snapshot *snapshot, bool restarted)
{
    bool any = false;
    target_key(&engine->scratch, binding->slo, source);
    bool known = map_get(&engine->known_targets, buf_str(&engine->scratch)) != NULL;
    for (size_t i = 0; i < binding->count; i++) {
        struct counter_cursor *cursor = binding->items[i].cursor;
        uint64_t value;
        if (!counter_value(snapshot_value(snapshot, binding->items[i].slot), &value))
            continue;
        any = true;
        uint64_t delta = gain(engine, cursor, value, known, restarted);
        if (cursor->fresh || cursor->value != value)
            mark_dirty(engine, cursor);
        cursor->fresh = false;
        cursor->value = value;
        *(cursor->part ? &cursor->series->delta_part : &cursor->series->delta_total) += delta;
        cursor->series->touched = true;
    }
    for (size_t i = 0; i < binding->count; i++) {
        if (binding->items[i].cursor->series->touched)
            settle(engine, binding->items[i].cursor->series, snapshot->taken_wall_ns);
    }
    if (any)
        mark_known(engine, binding->slo, source);
}

void counter_on_snapshot(struct engine *engine, struct source *source, const struct snapshot *snapshot)
{
    bool restarted = has_restarted(engine, source, snapshot);
    for (size_t i = 0; i < engine->slo_count; i++) {
        if (engine->slos[i]->kind != SLA_COUNTER)
            continue;
        const struct binding *binding = bind(engine, source, engine->slos[i], snapshot->shape);
        if (binding->count)
            count_binding(engine, source, binding, snapshot, restarted);
    }
}

/* key: SLO LF definition LF scraper LF target LF ...: the first four parts name the known target. */
int counter_restore(struct engine *engine, const char *key, struct str value)
{
    if (value.len != sizeof(uint64_t) || engine->cursors.count >= MAX_CURSORS)
        return 0;
    struct counter_cursor *cursor = xcalloc(1, sizeof *cursor);
    cursor->key = xstrdup(key);
    memcpy(&cursor->value, value.ptr, sizeof cursor->value);
    (void)map_put(&engine->cursors, str_from(cursor->key), cursor);
    const char *end = key;
    for (unsigned parts = 0; parts < 4 && end; parts++)
        end = strchr(end + (parts > 0), '\n');
    if (!end)
        return 0;
    struct str target = {cursor->key, (size_t)(end - key)};
    const char *role = end + 1;
    cursor->part = *role == 'p';
    if (!map_get(&engine->known_targets, target)) {
        char *known = xstrndup(target);
        (void)map_put(&engine->known_targets, str_from(known), known);
    }
    return 0;
}
