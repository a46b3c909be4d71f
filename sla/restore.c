/* What a former process left in the journal. */
#include "sla/engine_internal.h"

#include "lib/journal/outbox.h"
#include "lib/journal/state.h"

#include <stdio.h>
#include <stdlib.h>

#define SLICE_ALIVE_S 86400 /* label sets with events in the last day go on making slices */

struct restore {
    struct engine *engine;
    int64_t now_s;
};

static struct series *find_series(struct engine *engine, const char *slo, const char *labels)
{
    return *slo ? slo_series(engine, engine_slo(engine, slo), str_from(labels)) : engine->coverage;
}

static int load_buckets(void *ctx, int64_t series_id, const char *slo, const char *labels, unsigned width_s,
                        const struct bucket *buckets, size_t count, struct error *err)
{
    struct restore *restore = ctx;
    (void)series_id;
    (void)err;
    struct series *series = find_series(restore->engine, slo, labels);
    if (series)
        history_load(series->history, width_s, buckets, count, restore->now_s);
    return 0;
}

static int load_series(void *ctx, const char *key, struct str value, struct error *err)
{
    struct restore *restore = ctx;
    uint64_t state[SERIES_STATE];
    const char *lf = strchr(key, '\n');
    (void)err;
    if (!lf || value.len != sizeof state)
        return 0;
    memcpy(state, value.ptr, sizeof state);
    char *slo = xstrndup((struct str){key, (size_t)(lf - key)});
    struct series *series = find_series(restore->engine, slo, lf + 1);
    free(slo);
    if (!series)
        return 0;
    series_load(series, state);
    if (series == restore->engine->coverage)
        restore->engine->covered = series->events.good;
    return 0;
}

static int load_cursor(void *ctx, const char *key, struct str value, struct error *err)
{
    (void)err;
    return counter_restore(((struct restore *)ctx)->engine, key, value);
}

static int load_start(void *ctx, const char *key, struct str value, struct error *err)
{
    struct engine *engine = ((struct restore *)ctx)->engine;
    (void)err;
    if (value.len != sizeof(double))
        return 0;
    struct start_time *start = xcalloc(1, sizeof *start);
    start->source = xstrdup(key);
    memcpy(&start->value, value.ptr, sizeof start->value);
    (void)map_put(&engine->start_times, str_from(start->source), start);
    return 0;
}

static int load_durable(void *ctx, const char *key, struct str value, struct error *err)
{
    (void)err;
    if (strcmp(key, "durable_until") == 0 && value.len == sizeof(int64_t))
        memcpy(ctx, value.ptr, sizeof(int64_t));
    return 0;
}

static enum alert_state state_of(const char *text)
{
    return strcmp(text, "unknown") == 0 ? ALERT_UNKNOWN : ALERT_FIRING;
}

/* A trigger that is gone: a stand-in resolves its incidents, so that they do not stay open for ever. Nobody
 * can be told, because who was to be told is gone with it. */
static void resolve_orphan(struct engine *engine, const struct journal_incident *incident)
{
    struct trigger orphan = {.name = (char *)(uintptr_t)incident->trigger};
    struct instance instance = {.trigger = &orphan, .started_wall_ns = incident->started_wall_ns};
    label_set_init(&instance.labels, str_from(incident->labels));
    (void)snprintf(instance.id, sizeof instance.id, "%s", incident->id);
    incident_change_add(engine, &instance, ALERT_RESOLVED, false);
    label_set_deinit(&instance.labels);
}

static int load_incidents(struct engine *engine, struct journal_txn *txn, struct error *err)
{
    struct arena *arena = arena_new(0);
    struct journal_incident *incidents = NULL;
    size_t count = 0;
    int code = incident_load_open(txn, arena, &incidents, &count, err);
    for (size_t i = 0; i < count && !code; i++) {
        struct trigger *trigger = NULL;
        for (size_t j = 0; j < engine->trigger_count && !trigger; j++) {
            if (strcmp(engine->triggers[j]->name, incidents[i].trigger) == 0)
                trigger = engine->triggers[j];
        }
        struct instance *instance = trigger ? trigger_instance(trigger, str_from(incidents[i].labels)) : NULL;
        if (instance && !instance->open)
            instance_reopen(engine, instance, incidents[i].id, state_of(incidents[i].state),
                            incidents[i].started_wall_ns);
        else
            resolve_orphan(engine, &incidents[i]);
    }
    arena_free(arena);
    return code;
}

static void resume_slices(struct engine *engine, int64_t now_s)
{
    for (size_t i = 0; i < engine->slo_count; i++) {
        struct slo *slo = engine->slos[i];
        for (size_t j = 0; slo->kind == SLA_TIME_SLICE && j < slo->list_count; j++) {
            struct series *series = slo->list[j];
            int64_t last_s = history_last_s(series->history);
            if (last_s < now_s - SLICE_ALIVE_S || series->next_slice != INT64_MIN) {
                series->slicing = series->next_slice != INT64_MIN;
                series->last_sample_wall_ns = engine->now_wall_ns;
                continue;
            }
            int64_t every_ns = slo->config->sli.time_slice->every_ns;
            series->slicing = true;
            series->next_slice = engine->now_wall_ns / every_ns;
            series->last_sample_wall_ns = last_s * NS_PER_S;
        }
    }
}

static int64_t longest_window_s(const struct engine *engine)
{
    int64_t longest = 3 * 86400;
    for (size_t i = 0; i < engine->slo_count; i++) {
        const struct slo *slo = engine->slos[i];
        longest = slo->window_s > longest ? slo->window_s : longest;
        if (slo->window_count && slo->windows_s[slo->window_count - 1] > longest)
            longest = slo->windows_s[slo->window_count - 1];
    }
    return longest;
}

int engine_restore(struct engine *engine, struct journal_txn *txn, int64_t wall_ns, int64_t mono_ns,
                   struct error *err)
{
    struct restore restore = {.engine = engine, .now_s = wall_ns / NS_PER_S};
    int64_t durable_ns = 0;
    engine->now_mono_ns = mono_ns;
    engine->now_wall_ns = wall_ns;
    int64_t from_s = restore.now_s - longest_window_s(engine) - BUCKET_HOUR_S;
    int code = buckets_load(txn, from_s, load_buckets, &restore, err);
    if (!code)
        code = state_each(txn, "sla.series", load_series, &restore, err);
    if (!code)
        code = state_each(txn, "sla.cursor", load_cursor, &restore, err);
    if (!code)
        code = state_each(txn, "sla.start", load_start, &restore, err);
    if (!code)
        code = state_each(txn, "sla", load_durable, &durable_ns, err);
    if (!code)
        code = load_incidents(engine, txn, err);
    if (code)
        return error_prefix(err, "cannot load what was kept of SLOs");
    /* The clock may have been set back a little while nobody ran: what is durable stays behind us. One that
     * is far behind was wrong before; waiting for it would stand still for too long. */
    if (durable_ns > engine->now_wall_ns && durable_ns - engine->now_wall_ns < 3600 * NS_PER_S)
        engine->now_wall_ns = durable_ns;
    resume_slices(engine, engine_now_s(engine));
    (void)sla_report_unref(engine->served);
    engine->served = engine_make_report(engine);
    engine->served->durable_until_wall_ns = durable_ns;
    return 0;
}
