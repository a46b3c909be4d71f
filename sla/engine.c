#include "sla/engine_internal.h"

#include <stdlib.h>

/* --- life --- */

struct engine *engine_new(const struct engine_options *options)
{
    struct engine *engine = xcalloc(1, sizeof *engine);
    engine->options = *options;
    engine->observer = xstrdup(options->observer ? options->observer : "");
    map_init(&engine->slo_by_name);
    map_init(&engine->sources_by_id);
    map_init(&engine->cursors);
    map_init(&engine->known_targets);
    map_init(&engine->start_times);
    buf_init(&engine->scratch, 2 * LIMIT_LABEL_TEXT_BYTES);
    buf_init(&engine->scratch2, 2 * LIMIT_LABEL_TEXT_BYTES);
    engine->last_change = &engine->changes;
    engine->coverage_slo = slo_new("");
    engine->coverage = slo_series(engine, engine->coverage_slo, STR(""));
    engine->stats.series = 0;
    return engine;
}

static void free_maps(struct engine *engine)
{
    MAP_EACH (entry, &engine->slo_by_name)
        slo_free(entry->value);
    MAP_EACH (entry, &engine->sources_by_id)
        counter_free_source(entry->value);
    MAP_EACH (entry, &engine->cursors) {
        struct counter_cursor *cursor = entry->value;
        free(cursor->key);
        free(cursor);
    }
    MAP_EACH (entry, &engine->known_targets)
        free(entry->value);
    MAP_EACH (entry, &engine->start_times) {
        struct start_time *start = entry->value;
        free(start->source);
        free(start);
    }
    map_deinit(&engine->slo_by_name);
    map_deinit(&engine->sources_by_id);
    map_deinit(&engine->cursors);
    map_deinit(&engine->known_targets);
    map_deinit(&engine->start_times);
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    for (size_t i = 0; i < engine->trigger_count; i++)
        trigger_free(engine->triggers[i]);
    free(engine->triggers);
    free_maps(engine);
    slo_free(engine->coverage_slo);
    while (engine->changes) {
        struct incident_change *change = engine->changes;
        engine->changes = change->next;
        incident_change_free(change);
    }
    (void)sla_report_unref(engine->served);
    buf_deinit(&engine->scratch);
    buf_deinit(&engine->scratch2);
    free(engine->slos);
    free(engine->dirty);
    free(engine->dirty_cursors);
    free(engine->coverage_windows_s);
    free(engine->observer);
    free(engine);
}

struct slo *engine_slo(struct engine *engine, const char *name)
{
    struct slo *slo = map_get(&engine->slo_by_name, str_from(name));
    if (!slo) {
        slo = slo_new(name);
        (void)map_put(&engine->slo_by_name, str_from(slo->name), slo);
    }
    return slo;
}

/* --- configuration --- */

static const struct sla_slo_config *slo_config_at(const struct sla_settings *settings, size_t i)
{
    return SECTION_AT(struct sla_slo_config, *settings->slos, i);
}

static const struct sla_trigger_config *trigger_config_at(const struct sla_settings *settings, size_t i)
{
    return SECTION_AT(struct sla_trigger_config, *settings->triggers, i);
}

/* Compiles everything once and throws it away, so that what follows cannot fail half way. */
static int try_all(const struct sla_settings *settings, struct error *err)
{
    int code = 0;
    for (size_t i = 0; i < settings->slos->count && !code; i++) {
        struct slo *slo = slo_new(slo_config_at(settings, i)->name);
        code = slo_configure(slo, slo_config_at(settings, i), NULL, 0, err);
        slo_free(slo);
    }
    for (size_t i = 0; i < settings->triggers->count && !code; i++) {
        struct trigger *trigger = trigger_new(trigger_config_at(settings, i), err);
        bool found = !trigger_config_at(settings, i)->when.slo;
        for (size_t j = 0; j < settings->slos->count && !found; j++)
            found = strcmp(slo_config_at(settings, j)->name, trigger_config_at(settings, i)->when.slo) == 0;
        code = trigger ? 0 : ERR_CONFIG;
        if (trigger && !found)
            code = error_set(err, ERR_CONFIG, "trigger \"%s\": there is no SLO named \"%s\"", trigger->name,
                             trigger->config->when.slo);
        trigger_free(trigger);
    }
    return code;
}

/* The windows that triggers ask of an SLO. */
static size_t trigger_windows(const struct sla_settings *settings, const char *slo, int64_t **ret_windows_s)
{
    size_t count = 0;
    int64_t *windows_s = NULL;
    for (size_t i = 0; i < settings->triggers->count; i++) {
        const struct sla_when_config *when = &trigger_config_at(settings, i)->when;
        if (!when->slo || strcmp(when->slo, slo) != 0)
            continue;
        windows_s = xrealloc(windows_s, (count + when->windows.count + 1) * sizeof *windows_s);
        for (size_t j = 0; j < when->windows.count; j++) {
            int64_t ns;
            if (units_parse_duration(str_from(when->windows.items[j]), &ns, NULL) == 0)
                windows_s[count++] = ns / NS_PER_S;
        }
    }
    *ret_windows_s = windows_s;
    return count;
}

static void set_coverage_windows(struct engine *engine)
{
    engine->coverage_windows_s =
        xrealloc(engine->coverage_windows_s, (engine->slo_count + 1) * sizeof *engine->coverage_windows_s);
    size_t count = 0;
    for (size_t i = 0; i < engine->slo_count; i++) {
        struct slo *slo = engine->slos[i];
        size_t at = 0;
        while (at < count && engine->coverage_windows_s[at] != slo->window_s)
            at++;
        if (at == count)
            engine->coverage_windows_s[count++] = slo->window_s;
        slo->coverage_window = at;
    }
    engine->coverage_window_count = count;
    history_set_windows(engine->coverage->history, engine->coverage_windows_s, count);
}

static void make_probe_series(struct engine *engine, struct slo *slo)
{
    for (size_t i = 0; i < engine->probe_count; i++) {
        const struct sla_probe *probe = &engine->probes[i];
        struct label labels[] = {LABEL_TEXT("probe", probe->name), LABEL_TEXT("target", probe->target),
                                 LABEL_TEXT("region", probe->region)};
        if (strcmp(probe->name, slo->config->sli.probe) != 0)
            continue;
        buf_reset(&engine->scratch2);
        if (label_set_pick(&slo->config->by, labels, ARRAY_LEN(labels), &engine->scratch2))
            (void)slo_series(engine, slo, buf_str(&engine->scratch2));
    }
}

static int configure_slos(struct engine *engine, const struct sla_settings *settings, struct error *err)
{
    MAP_EACH (entry, &engine->slo_by_name)
        ((struct slo *)entry->value)->config = NULL;
    engine->slos = xrealloc(engine->slos, (settings->slos->count + 1) * sizeof(struct slo *));
    engine->slo_count = 0;
    int code = 0;
    for (size_t i = 0; i < settings->slos->count && !code; i++) {
        struct slo *slo = engine_slo(engine, slo_config_at(settings, i)->name);
        int64_t *windows_s;
        size_t count = trigger_windows(settings, slo->name, &windows_s);
        code = slo_configure(slo, slo_config_at(settings, i), windows_s, count, err);
        free(windows_s);
        engine->slos[engine->slo_count++] = slo;
    }
    return code;
}

static void populate_slos(struct engine *engine)
{
    for (size_t i = 0; i < engine->slo_count; i++) {
        struct slo *slo = engine->slos[i];
        if (slo->kind == SLA_PROBE)
            make_probe_series(engine, slo);
        else if (!slo->config->by.count)
            (void)slo_series(engine, slo, STR(""));
        for (size_t j = 0; j < slo->list_count; j++)
            series_set_expected(engine, slo->list[j]);
    }
}

static void forget_bindings(struct engine *engine)
{
    MAP_EACH (entry, &engine->sources_by_id) {
        struct source *source = entry->value;
        for (size_t i = 0; i < source->binding_count; i++)
            source->bindings[i].shape_id = 0;
        for (size_t i = 0; i < source->slice_count; i++)
            source->slices[i].shape_id = 0;
    }
}

/* Open incidents of a trigger that was changed go on under the new rule. */
static void take_over(struct engine *engine, struct trigger *from, struct trigger *to)
{
    MAP_EACH (entry, &from->instances) {
        const struct instance *old = entry->value;
        if (old->open)
            instance_reopen(engine, trigger_instance(to, str_from(old->labels.text)), old->id, old->state,
                            old->started_wall_ns);
    }
}

static int configure_triggers(struct engine *engine, const struct sla_settings *settings, struct error *err)
{
    struct trigger **former = engine->triggers;
    size_t former_count = engine->trigger_count;
    engine->triggers = xcalloc(settings->triggers->count + 1, sizeof(struct trigger *));
    engine->trigger_count = 0;
    for (size_t i = 0; i < settings->triggers->count; i++) {
        const struct sla_trigger_config *config = trigger_config_at(settings, i);
        struct trigger *trigger = NULL, **same = NULL;
        for (size_t j = 0; j < former_count; j++) {
            if (former[j] && strcmp(former[j]->name, config->name) == 0)
                same = &former[j];
        }
        struct slo *slo = config->when.slo ? engine_slo(engine, config->when.slo) : NULL;
        if (same && (*same)->definition == trigger_definition(config)) {
            trigger = TAKE(*same);
            trigger->config = config;
        } else if (!(trigger = trigger_new(config, err))) {
            continue; /* tried before: cannot be */
        }
        trigger->slo = slo;
        if (same && *same) {
            take_over(engine, *same, trigger);
            trigger_free(TAKE(*same));
        }
        engine->triggers[engine->trigger_count++] = trigger;
        trigger_populate(engine, trigger, settings);
        trigger_prune(engine, trigger, settings);
    }
    for (size_t j = 0; j < former_count; j++) {
        if (former[j])
            trigger_resolve_all(engine, former[j]);
        trigger_free(former[j]);
    }
    free(former);
    return 0;
}

int engine_configure(struct engine *engine, const struct sla_settings *settings, int64_t wall_ns,
                     int64_t mono_ns, struct error *err)
{
    int code = try_all(settings, err);
    if (code)
        return code;
    engine->now_mono_ns = mono_ns;
    if (wall_ns > engine->now_wall_ns)
        engine->now_wall_ns = wall_ns;
    engine->probes = (struct sla_probe *)(uintptr_t)settings->probes;
    engine->probe_count = settings->probe_count;
    code = configure_slos(engine, settings, err);
    if (code)
        return code;
    set_coverage_windows(engine);
    populate_slos(engine);
    forget_bindings(engine);
    return configure_triggers(engine, settings, err);
}

/* --- events --- */

static bool pick_series(struct engine *engine, struct slo *slo, const struct label *labels, size_t count,
                        struct series **ret_series)
{
    buf_reset(&engine->scratch);
    if (!label_set_pick(&slo->config->by, labels, count, &engine->scratch))
        return false;
    *ret_series = slo_series(engine, slo, buf_str(&engine->scratch));
    return *ret_series != NULL;
}

void engine_on_probe(struct engine *engine, const struct sli_probe_event *event, uint64_t times)
{
    struct label labels[] = {LABEL_TEXT("probe", event->probe), LABEL_TEXT("target", event->target),
                             LABEL_TEXT("region", event->region)};
    for (size_t i = 0; i < engine->slo_count; i++) {
        struct slo *slo = engine->slos[i];
        struct series *series;
        if (slo->kind != SLA_PROBE || strcmp(slo->config->sli.probe, event->probe) != 0 ||
            !pick_series(engine, slo, labels, ARRAY_LEN(labels), &series))
            continue;
        int64_t limit_ns = slo->config->sli.faster_than_ns;
        bool slow = limit_ns && event->duration_ns > limit_ns;
        struct bucket_counts counts = {0};
        if (event->outcome == SLI_UNKNOWN)
            counts.unknown = times;
        else if (event->outcome == SLI_BAD || slow)
            counts.bad = times;
        else
            counts.good = times;
        series_add(engine, series, event->wall_ns, &counts);
    }
    trigger_on_probe(engine, event);
}

void engine_on_spans(struct engine *engine, const struct sli_span_counts *counts)
{
    struct slo *slo = map_get(&engine->slo_by_name, str_from(counts->slo));
    struct series *series;
    struct bucket_counts added = {.good = counts->good, .bad = counts->bad};
    if (slo && slo->config && slo->kind == SLA_SPANS &&
        pick_series(engine, slo, counts->labels, counts->label_count, &series))
        series_add(engine, series, counts->wall_ns, &added);
}

static struct source *find_source(struct engine *engine, uint64_t id, const char *scraper, const char *target)
{
    struct source *source = map_get(&engine->sources_by_id, (struct str){(const char *)&id, sizeof id});
    if (source || engine->sources_by_id.count >= MAX_SOURCES)
        return source;
    source = xcalloc(1, sizeof *source);
    source->id = id;
    source->scraper = xstrdup(scraper);
    source->target = xstrdup(target);
    source->start_slot = UINT32_MAX;
    buf_reset(&engine->scratch);
    buf_printf(&engine->scratch, "%s\n%s", scraper, target);
    source->name = xstrndup(buf_str(&engine->scratch));
    (void)map_put(&engine->sources_by_id, (struct str){(const char *)&source->id, sizeof source->id}, source);
    return source;
}

void engine_on_snapshot(struct engine *engine, uint64_t source_id, const char *scraper, const char *target,
                        const struct snapshot *snapshot, int64_t mono_ns)
{
    struct source *source = find_source(engine, source_id, scraper, target);
    if (!source)
        return;
    if (mono_ns > engine->now_mono_ns)
        engine->now_mono_ns = mono_ns;
    if (snapshot) {
        if (source->last_mono_ns && mono_ns > source->last_mono_ns)
            source->interval_ns = mono_ns - source->last_mono_ns;
        source->last_mono_ns = mono_ns;
        counter_on_snapshot(engine, source, snapshot);
        slice_on_snapshot(engine, source, snapshot);
    }
    trigger_on_snapshot(engine, source, snapshot);
    if (!snapshot) {
        /* Only what was resolved for it; cursors and members stay under its name. */
        (void)map_remove(&engine->sources_by_id, (struct str){(const char *)&source->id, sizeof source->id});
        counter_free_source(source);
    }
}

/* --- time --- */

static void cover(struct engine *engine, int64_t from_s, int64_t to_s)
{
    int64_t last_s = history_last_s(engine->coverage->history);
    for (int64_t second = from_s > last_s ? from_s : last_s + 1; second <= to_s; second++) {
        series_add(engine, engine->coverage, second * NS_PER_S - engine->skew_ns,
                   &(struct bucket_counts){.good = 1});
        engine->covered++;
    }
}

void engine_tick(struct engine *engine, int64_t wall_ns, int64_t mono_ns)
{
    int64_t former_ns = engine->now_wall_ns;
    bool jumped = !engine->ticked || wall_ns - former_ns > KEEP_GOING_NS;
    engine->skew_ns = wall_ns < former_ns ? former_ns - wall_ns : 0;
    engine->now_wall_ns = wall_ns + engine->skew_ns;
    if (mono_ns > engine->now_mono_ns)
        engine->now_mono_ns = mono_ns;
    int64_t now_s = engine_now_s(engine);
    cover(engine, jumped ? now_s : former_ns / NS_PER_S + 1, now_s);
    slice_tick(engine, jumped);
    history_advance(engine->coverage->history, now_s);
    for (size_t i = 0; i < engine->slo_count; i++) {
        for (size_t j = 0; j < engine->slos[i]->list_count; j++)
            history_advance(engine->slos[i]->list[j]->history, now_s);
    }
    trigger_tick(engine);
    engine->ticked = true;
}

void engine_stats(const struct engine *engine, struct sla_stats *ret_stats)
{
    *ret_stats = engine->stats;
    ret_stats->cursors = engine->cursors.count;
    ret_stats->memory_bytes = history_bytes(engine->coverage->history);
    for (size_t i = 0; i < engine->slo_count; i++) {
        for (size_t j = 0; j < engine->slos[i]->list_count; j++)
            ret_stats->memory_bytes += history_bytes(engine->slos[i]->list[j]->history);
    }
    for (size_t i = 0; i < engine->trigger_count; i++) {
        MAP_EACH (entry, &engine->triggers[i]->instances)
            ret_stats->open_incidents += ((struct instance *)entry->value)->open;
    }
}
