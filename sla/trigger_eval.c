/* What triggers decide, from outcomes, samples, burn rates and the passing of time. */
#include "sla/engine_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NO_DATA_MIN_NS (5 * NS_PER_S)
#define STALE_MIN_NS   (15 * NS_PER_S)

/* --- probes: n of the last m --- */

static uint32_t ring_of(const struct trigger *trigger)
{
    return trigger->of > trigger->resolve_of ? trigger->of : trigger->resolve_of;
}

static uint32_t count_bad(const struct trigger *trigger, const struct member *member, uint32_t last)
{
    uint32_t bad = 0, ring = ring_of(trigger);
    for (uint32_t i = 1; i <= last; i++)
        bad += member->outcomes[(member->at + ring - i) % ring];
    return bad;
}

static void push_outcome(const struct trigger *trigger, struct member *member, bool bad)
{
    uint32_t ring = ring_of(trigger);
    member->outcomes[member->at] = bad;
    member->at = (member->at + 1) % ring;
    member->known += member->known < ring;
    if (member->state == MEMBER_NO_DATA)
        member->state = member->beyond ? MEMBER_FIRING : MEMBER_OK;
    uint32_t window = member->known < trigger->of ? member->known : trigger->of;
    member->bad = count_bad(trigger, member, window);
    member->value = member->bad;
    member->has_value = true;
    if (member->state != MEMBER_FIRING) {
        if (member->bad >= trigger->failures) {
            member->state = MEMBER_FIRING;
            member->beyond = true;
            member->since_known = 0;
        }
        return;
    }
    member->since_known += member->since_known < trigger->resolve_of;
    member->since_bad = count_bad(trigger, member, member->since_known);
    if (member->since_known - member->since_bad >= trigger->successes) {
        member->state = MEMBER_OK;
        member->beyond = false;
        /* What came before the recovery is not to fire again. */
        member->known = 0;
    }
}

static void probe_key(const char *target, const char *region, char *key, size_t size)
{
    (void)snprintf(key, size, "%s\n%s", target ? target : "", region ? region : "");
}

static void on_probe(struct engine *engine, struct trigger *trigger, const struct sli_probe_event *event)
{
    char key[600];
    struct label labels[] = {LABEL_TEXT("probe", event->probe), LABEL_TEXT("target", event->target),
                             LABEL_TEXT("region", event->region)};
    probe_key(event->target, event->region, key, sizeof key);
    struct member *member = map_get(&trigger->members, str_from(key));
    if (!member) {
        buf_reset(&engine->scratch);
        if (!label_set_pick(trigger_by(trigger), labels, ARRAY_LEN(labels), &engine->scratch))
            return;
        member = trigger_member(trigger, key, buf_str(&engine->scratch));
        if (!member)
            return;
        member->seen_mono_ns = event->mono_ns;
    }
    member->interval_ns = event->interval_ns;
    if (event->outcome == SLI_UNKNOWN)
        return;
    member->seen_mono_ns = event->mono_ns;
    push_outcome(trigger, member, event->outcome == SLI_BAD);
}

void trigger_on_probe(struct engine *engine, const struct sli_probe_event *event)
{
    for (size_t i = 0; i < engine->trigger_count; i++) {
        struct trigger *trigger = engine->triggers[i];
        if (trigger->kind == TRIGGER_PROBE && strcmp(trigger->config->when.probe, event->probe) == 0)
            on_probe(engine, trigger, event);
    }
}

static void tick_probe(const struct engine *engine, struct member *member)
{
    int64_t patience = 3 * member->interval_ns > NO_DATA_MIN_NS ? 3 * member->interval_ns : NO_DATA_MIN_NS;
    if (engine->now_mono_ns - member->seen_mono_ns > patience)
        member->state = MEMBER_NO_DATA;
}

/* --- a condition that holds for a while --- */

/* now_beyond: the condition at this moment. since_mono_ns: since when it differs from the state. */
static void settle(const struct trigger *trigger, struct member *member, bool now_beyond, int64_t mono_ns)
{
    bool firing = member->beyond;
    if (now_beyond == firing) {
        member->since_mono_ns = 0;
    } else {
        if (!member->since_mono_ns)
            member->since_mono_ns = mono_ns;
        if (mono_ns - member->since_mono_ns >= (firing ? trigger->resolve_for_ns : trigger->for_ns)) {
            member->beyond = now_beyond;
            member->since_mono_ns = 0;
        }
    }
    member->state = member->beyond ? MEMBER_FIRING : MEMBER_OK;
}

/* --- burn rates --- */

static uint64_t expected_in(const struct series *series, int64_t window_s)
{
    unsigned __int128 events = (unsigned __int128)series->expected * (uint64_t)window_s;
    return (uint64_t)(events / (uint64_t)series->slo->window_s);
}

static void tick_burn(const struct engine *engine, const struct trigger *trigger, struct member *member)
{
    const struct slo *slo = trigger->slo;
    bool all = trigger->window_count > 0, no_events = false;
    for (size_t i = 0; i < trigger->window_count; i++) {
        struct bucket_counts sum = history_sum(member->series->history, trigger->windows[i]);
        struct burn_counts counts = burn_count(&sum, slo->no_data);
        double rate;
        no_events |= counts.total == 0;
        if (i == 0 && burn_rate(&counts, slo->budget_ppb, &rate)) {
            member->value = rate;
            member->has_value = true;
        }
        /* Where the events of a full window are known, a window that is not full yet does not page on the
         * first failure: a full outage takes the same time to fire on the first day as on any other. */
        uint64_t full = expected_in(member->series, slo->windows_s[trigger->windows[i]]);
        counts.total = counts.total > full ? counts.total : full;
        all &= burn_exceeds(&counts, slo->budget_ppb, trigger->config->when.burn_rate_milli);
    }
    if (no_events)
        member->state = MEMBER_NO_DATA;
    else
        settle(trigger, member, all, engine->now_mono_ns);
}

/* --- metrics --- */

static struct member *metric_member(struct engine *engine, struct trigger *trigger,
                                    const struct source *source, const struct shape *shape,
                                    const struct selector_match *match)
{
    struct str text = shape_series_text(shape, &shape->series[match->series]);
    struct str name = shape->families[match->family].name;
    buf_reset(&engine->scratch);
    if (!label_set_pick_text(trigger_by(trigger), text, &engine->scratch))
        return NULL;
    buf_reset(&engine->scratch2);
    buf_printf(&engine->scratch2, "%s\n%.*s\n%u\n%.*s", source->name, STR_ARGS(name),
               match->slot - shape->series[match->series].slot, STR_ARGS(text));
    struct member *member = trigger_member(trigger, buf_text(&engine->scratch2), buf_str(&engine->scratch));
    if (member)
        member->source_id = source->id;
    return member;
}

static struct trigger_binding *bind(struct engine *engine, struct trigger *trigger,
                                    const struct source *source, const struct shape *shape)
{
    struct trigger_binding *binding = NULL;
    for (size_t i = 0; i < trigger->binding_count && !binding; i++) {
        if (trigger->bindings[i].source_id == source->id)
            binding = &trigger->bindings[i];
    }
    if (!binding) {
        trigger->bindings =
            xrealloc(trigger->bindings, (trigger->binding_count + 1) * sizeof *trigger->bindings);
        binding = &trigger->bindings[trigger->binding_count++];
        *binding = (struct trigger_binding){.source_id = source->id};
    }
    if (binding->shape_id == shape->id)
        return binding;
    free(binding->items);
    *binding = (struct trigger_binding){.source_id = source->id, .shape_id = shape->id};
    size_t count = 0;
    struct selector_match *matches = selector_resolve(trigger->selector, shape, &count);
    binding->items = count ? xcalloc(count, sizeof *binding->items) : NULL;
    for (size_t i = 0; i < count; i++) {
        struct member *member = metric_member(engine, trigger, source, shape, &matches[i]);
        if (member)
            binding->items[binding->count++] = (struct bound_member){matches[i].slot, member};
    }
    free(matches);
    return binding;
}

/* Series that were in the last snapshot and are not in this one. */
static void mark_gone(struct trigger *trigger, uint64_t source_id)
{
    MAP_EACH (entry, &trigger->members) {
        struct member *member = entry->value;
        if (member->source_id == source_id && member->snapshot_no != trigger->snapshot_no)
            member->state = MEMBER_NO_DATA;
    }
}

static void unbind(struct trigger *trigger, uint64_t source_id)
{
    for (size_t i = 0; i < trigger->binding_count; i++) {
        if (trigger->bindings[i].source_id == source_id) {
            free(trigger->bindings[i].items);
            trigger->bindings[i] = trigger->bindings[--trigger->binding_count];
            return;
        }
    }
}

void trigger_on_snapshot(struct engine *engine, struct source *source, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < engine->trigger_count; i++) {
        struct trigger *trigger = engine->triggers[i];
        if (trigger->kind != TRIGGER_METRIC)
            continue;
        trigger->snapshot_no++;
        const struct trigger_binding *binding =
            snapshot ? bind(engine, trigger, source, snapshot->shape) : NULL;
        for (size_t j = 0; binding && j < binding->count; j++) {
            struct member *member = binding->items[j].member;
            double value = value_to_double(snapshot_value(snapshot, binding->items[j].slot));
            if (isnan(value))
                continue;
            member->snapshot_no = trigger->snapshot_no;
            member->source_id = source->id;
            member->seen_mono_ns = engine->now_mono_ns;
            member->value = value;
            member->has_value = true;
            settle(trigger, member, trigger->above ? value > trigger->bound : value < trigger->bound,
                   engine->now_mono_ns);
        }
        mark_gone(trigger, source->id);
        if (!snapshot)
            unbind(trigger, source->id);
    }
}

static void tick_metric(const struct engine *engine, const struct trigger *trigger, struct member *member)
{
    struct str id = {(const char *)&member->source_id, sizeof member->source_id};
    const struct source *source = map_get(&engine->sources_by_id, id);
    int64_t patience =
        source && 3 * source->interval_ns > STALE_MIN_NS ? 3 * source->interval_ns : STALE_MIN_NS;
    if (engine->now_mono_ns - member->seen_mono_ns > patience)
        member->state = MEMBER_NO_DATA;
    if (member->state != MEMBER_NO_DATA)
        settle(trigger, member,
               trigger->above ? member->value > trigger->bound : member->value < trigger->bound,
               engine->now_mono_ns);
}

/* --- incidents --- */

static void open_incident(struct engine *engine, struct instance *instance)
{
    instance->open = true;
    instance->unknown_told = false;
    instance->state = ALERT_FIRING;
    instance->started_wall_ns = engine->now_wall_ns;
    if (engine->options.new_id)
        engine->options.new_id(engine->options.new_id_ctx, engine->now_wall_ns, instance->id);
    else
        crypto_uuid7(engine->now_wall_ns, instance->id);
    incident_change_add(engine, instance, ALERT_FIRING, true);
}

static void resolve_incident(struct engine *engine, struct instance *instance)
{
    instance->open = false;
    instance->grace_until_mono_ns = 0;
    instance->state = ALERT_RESOLVED;
    incident_change_add(engine, instance, ALERT_RESOLVED, true);
}

static void decide(struct engine *engine, struct instance *instance)
{
    int policy = instance->trigger->config->on_no_data;
    bool firing = instance->any_firing, unknown = !firing && (instance->any_no_data || !instance->any_member);
    /* Before a restart it fired; its probes and sources have not spoken yet. */
    if (unknown && engine->now_mono_ns < instance->grace_until_mono_ns)
        return;
    if (unknown && policy == SLA_NO_DATA_FIRE)
        firing = true;
    if (firing) {
        if (!instance->open)
            open_incident(engine, instance);
        else if (instance->state != ALERT_FIRING) {
            instance->state = ALERT_FIRING;
            incident_change_add(engine, instance, ALERT_FIRING, false);
        }
    } else if (unknown && policy == SLA_NO_DATA_HOLD) {
        if (instance->open && instance->state != ALERT_UNKNOWN) {
            instance->state = ALERT_UNKNOWN;
            incident_change_add(engine, instance, ALERT_UNKNOWN, !instance->unknown_told);
            instance->unknown_told = true;
        }
    } else if (instance->open) {
        resolve_incident(engine, instance);
    }
}

static void tick_member(struct engine *engine, struct trigger *trigger, struct member *member)
{
    if (trigger->kind == TRIGGER_PROBE)
        tick_probe(engine, member);
    else if (trigger->kind == TRIGGER_BURN)
        tick_burn(engine, trigger, member);
    else
        tick_metric(engine, trigger, member);
    struct instance *instance = member->instance;
    bool firing = member->state == MEMBER_FIRING;
    if (member->has_value && (firing || !instance->any_member)) {
        instance->value = member->value;
        instance->has_value = true;
    }
    instance->any_member = true;
    instance->any_firing |= firing;
    instance->any_no_data |= member->state == MEMBER_NO_DATA;
}

void trigger_tick(struct engine *engine)
{
    for (size_t i = 0; i < engine->trigger_count; i++) {
        struct trigger *trigger = engine->triggers[i];
        trigger_populate(engine, trigger, NULL); /* series that appeared since */
        MAP_EACH (entry, &trigger->instances) {
            struct instance *instance = entry->value;
            instance->any_member = instance->any_firing = instance->any_no_data = false;
        }
        MAP_EACH (entry, &trigger->members)
            tick_member(engine, trigger, entry->value);
        MAP_EACH (entry, &trigger->instances)
            decide(engine, entry->value);
    }
}

static bool is_configured(const struct trigger *trigger, const struct member *member,
                          const struct sla_settings *settings)
{
    char key[600];
    for (size_t i = 0; i < settings->probe_count; i++) {
        const struct sla_probe *probe = &settings->probes[i];
        if (strcmp(probe->name, trigger->config->when.probe) != 0)
            continue;
        probe_key(probe->target, probe->region, key, sizeof key);
        if (strcmp(key, member->key) == 0)
            return true;
    }
    return false;
}

void trigger_prune(struct engine *engine, struct trigger *trigger, const struct sla_settings *settings)
{
    if (trigger->kind != TRIGGER_PROBE)
        return;
    for (bool again = true; again;) {
        struct member *gone = NULL;
        MAP_EACH (entry, &trigger->members) {
            if (!is_configured(trigger, entry->value, settings))
                gone = entry->value;
        }
        again = gone != NULL;
        if (gone) {
            (void)map_remove(&trigger->members, str_from(gone->key));
            gone->instance->orphaned = true;
            free(gone->key);
            free(gone->outcomes);
            free(gone);
        }
    }
    MAP_EACH (entry, &trigger->members)
        ((struct member *)entry->value)->instance->orphaned = false;
    MAP_EACH (entry, &trigger->instances) {
        struct instance *instance = entry->value;
        if (instance->orphaned && instance->open)
            resolve_incident(engine, instance);
        instance->orphaned = false;
    }
}

void trigger_resolve_all(struct engine *engine, struct trigger *trigger)
{
    MAP_EACH (entry, &trigger->instances) {
        struct instance *instance = entry->value;
        if (instance->open)
            resolve_incident(engine, instance);
    }
}
