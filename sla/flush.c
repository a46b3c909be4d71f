/* What changed since the last commit, as one transaction. */
#include "sla/engine_internal.h"

#include "lib/journal/outbox.h"
#include "lib/journal/state.h"

#include <stdio.h>
#include <stdlib.h>

struct flush_series {
    struct series *series; /* for an abort; its slo's name and labels never change */
    struct bucket *buckets;
    size_t count;
    uint64_t state[SERIES_STATE];
};

struct flush_value {
    const char *key; /* lives as long as the engine */
    uint64_t bits;
    void *owner; /* struct counter_cursor or struct start_time */
};

struct sla_flush {
    struct flush_series *series;
    size_t series_count;
    struct flush_value *cursors, *starts;
    size_t cursor_count, start_count;
    struct incident_change *changes;
    int64_t durable_until_wall_ns;
    struct sla_report *report;
};

/* --- making one --- */

static void take_series(struct engine *engine, struct sla_flush *flush)
{
    flush->series = xcalloc(engine->dirty_count + 1, sizeof *flush->series);
    flush->series_count = engine->dirty_count;
    for (size_t i = 0; i < engine->dirty_count; i++) {
        struct series *series = engine->dirty[i];
        flush->series[i] = (struct flush_series){series, series->pending, series->pending_count, {0}};
        series_save(series, flush->series[i].state);
        series->pending = NULL;
        series->pending_count = series->pending_capacity = 0;
        series->dirty = false;
    }
    engine->dirty_count = 0;
}

static void take_cursors(struct engine *engine, struct sla_flush *flush)
{
    flush->cursors = xcalloc(engine->dirty_cursor_count + 1, sizeof *flush->cursors);
    flush->cursor_count = engine->dirty_cursor_count;
    for (size_t i = 0; i < engine->dirty_cursor_count; i++) {
        struct counter_cursor *cursor = engine->dirty_cursors[i];
        flush->cursors[i] = (struct flush_value){cursor->key, cursor->value, cursor};
        cursor->dirty = false;
    }
    engine->dirty_cursor_count = 0;
    flush->starts = xcalloc(engine->start_times.count + 1, sizeof *flush->starts);
    MAP_EACH (entry, &engine->start_times) {
        struct start_time *start = entry->value;
        if (!start->dirty)
            continue;
        struct flush_value *value = &flush->starts[flush->start_count++];
        *value = (struct flush_value){.key = start->source, .owner = start};
        memcpy(&value->bits, &start->value, sizeof value->bits);
        start->dirty = false;
    }
}

struct sla_flush *engine_flush(struct engine *engine)
{
    if (engine->in_flight || !engine->ticked)
        return NULL;
    struct sla_flush *flush = xcalloc(1, sizeof *flush);
    flush->report = engine_make_report(engine);
    flush->durable_until_wall_ns = flush->report->durable_until_wall_ns = engine->now_wall_ns;
    take_series(engine, flush);
    take_cursors(engine, flush);
    flush->changes = engine->changes;
    engine->changes = NULL;
    engine->last_change = &engine->changes;
    engine->in_flight = flush;
    return flush;
}

/* --- storing it (journal thread) --- */

static int store_series(const struct flush_series *item, struct journal_txn *txn, struct error *err)
{
    const char *slo = item->series->slo->name, *labels = item->series->labels.text;
    int64_t id;
    int code = buckets_series(txn, slo, labels, &id, err);
    if (!code)
        code = buckets_add(txn, id, item->buckets, item->count, err);
    if (code)
        return code;
    size_t size = strlen(slo) + strlen(labels) + 2;
    char *key = xmalloc(size);
    (void)snprintf(key, size, "%s\n%s", slo, labels);
    code =
        state_put(txn, "sla.series", key, (struct str){(const char *)item->state, sizeof item->state}, err);
    free(key);
    return code;
}

static int store_values(const struct flush_value *values, size_t count, const char *space,
                        struct journal_txn *txn, struct error *err)
{
    int code = 0;
    for (size_t i = 0; i < count && !code; i++)
        code = state_put(txn, space, values[i].key,
                         (struct str){(const char *)&values[i].bits, sizeof(uint64_t)}, err);
    return code;
}

static int store_change(const struct incident_change *change, struct journal_txn *txn,
                        const struct sla_notifier *notifier, struct error *err)
{
    struct buf payload = BUF_INIT(1UL << 20);
    if (notifier && notifier->encode)
        notifier->encode(notifier->ctx, &change->alert, &payload);
    struct journal_incident incident = {
        .id = change->alert.incident_id,
        .trigger = change->alert.trigger,
        .labels = change->labels_text,
        .state = alert_state_text(change->alert.state),
        .started_wall_ns = change->alert.started_wall_ns,
        .resolved_wall_ns = change->alert.resolved_wall_ns,
        .payload = buf_str(&payload),
    };
    int code = incident_put(txn, &incident, err);
    buf_deinit(&payload);
    for (size_t i = 0; i < change->receiver_count && !code && notifier && notifier->store; i++)
        code = notifier->store(notifier->ctx, txn, &change->alert, change->receivers[i], err);
    return code;
}

int sla_flush_store(const struct sla_flush *flush, struct journal_txn *txn,
                    const struct sla_notifier *notifier, struct error *err)
{
    int code = 0;
    for (size_t i = 0; i < flush->series_count && !code; i++)
        code = store_series(&flush->series[i], txn, err);
    if (!code)
        code = store_values(flush->cursors, flush->cursor_count, "sla.cursor", txn, err);
    if (!code)
        code = store_values(flush->starts, flush->start_count, "sla.start", txn, err);
    for (const struct incident_change *change = flush->changes; change && !code; change = change->next)
        code = store_change(change, txn, notifier, err);
    if (!code)
        code = state_put(txn, "sla", "durable_until",
                         (struct str){(const char *)&flush->durable_until_wall_ns, sizeof(int64_t)}, err);
    return code;
}

bool sla_flush_tells(const struct sla_flush *flush)
{
    for (const struct incident_change *change = flush->changes; change; change = change->next) {
        if (change->receiver_count)
            return true;
    }
    return false;
}

/* --- its end --- */

static void free_flush(struct sla_flush *flush)
{
    for (size_t i = 0; i < flush->series_count; i++)
        free(flush->series[i].buckets);
    while (flush->changes) {
        struct incident_change *change = flush->changes;
        flush->changes = change->next;
        incident_change_free(change);
    }
    (void)sla_report_unref(flush->report);
    free(flush->series);
    free(flush->cursors);
    free(flush->starts);
    free(flush);
}

void engine_committed(struct engine *engine, struct sla_flush *flush)
{
    engine->in_flight = NULL;
    engine->stats.flushes++;
    (void)sla_report_unref(engine->served);
    engine->served = TAKE(flush->report);
    free_flush(flush);
}

static void give_back_cursor(struct engine *engine, struct counter_cursor *cursor)
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

void engine_aborted(struct engine *engine, struct sla_flush *flush)
{
    engine->in_flight = NULL;
    engine->stats.flush_failures++;
    for (size_t i = 0; i < flush->series_count; i++)
        series_give_back(engine, flush->series[i].series, flush->series[i].buckets, flush->series[i].count);
    for (size_t i = 0; i < flush->cursor_count; i++)
        give_back_cursor(engine, flush->cursors[i].owner);
    for (size_t i = 0; i < flush->start_count; i++)
        ((struct start_time *)flush->starts[i].owner)->dirty = true;
    if (flush->changes) {
        struct incident_change *last = flush->changes;
        while (last->next)
            last = last->next;
        last->next = engine->changes;
        if (!engine->changes)
            engine->last_change = &last->next;
        engine->changes = TAKE(flush->changes);
    }
    free_flush(flush);
}
