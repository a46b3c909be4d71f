/* Triggers as configured: compiling, instances and members. What they decide is in trigger_eval.c. */
#include "sla/engine_internal.h"

#include "lib/core/hash.h"

#include <stdio.h>
#include <stdlib.h>

#define RESOLVE_BURN_NS (60 * NS_PER_S)
#define MAX_MEMBERS     10000U /* of one trigger */

static uint64_t fold_text(uint64_t hash, const char *text)
{
    return hash_mix(hash, hash_stable(text ? str_from(text) : STR("\n")));
}

static uint64_t fold_number(uint64_t hash, int64_t number)
{
    return hash_mix(hash, (uint64_t)number);
}

static uint64_t fold_list(uint64_t hash, const struct string_list *list)
{
    hash = fold_number(hash, (int64_t)list->count);
    for (size_t i = 0; i < list->count; i++)
        hash = fold_text(hash, list->items[i]);
    return hash;
}

uint64_t trigger_definition(const struct sla_trigger_config *config)
{
    const struct sla_when_config *when = &config->when;
    uint64_t hash = fold_text(fold_text(fold_text(1, when->probe), when->slo), when->metric);
    hash = fold_text(fold_text(hash, when->above), when->below);
    hash = fold_number(fold_number(fold_number(hash, when->failures), when->of), when->for_ns);
    hash = fold_number(hash, (int64_t)when->burn_rate_milli);
    hash = fold_list(fold_list(hash, &when->windows), &config->by);
    hash = fold_number(hash, config->resolve != NULL);
    if (config->resolve) {
        hash = fold_number(fold_number(hash, config->resolve->successes), config->resolve->of);
        hash = fold_number(hash, config->resolve->for_ns);
    }
    return fold_number(hash, config->on_no_data);
}

static void compile_probe(struct trigger *trigger, const struct sla_trigger_config *config)
{
    const struct sla_resolve_config *resolve = config->resolve;
    trigger->kind = TRIGGER_PROBE;
    trigger->failures = (uint32_t)config->when.failures;
    trigger->of = (uint32_t)(config->when.of ? config->when.of : config->when.failures);
    trigger->resolve_of = trigger->of;
    if (resolve && (resolve->of || resolve->successes))
        trigger->resolve_of = (uint32_t)(resolve->of ? resolve->of : resolve->successes);
    trigger->successes = resolve && resolve->successes ? (uint32_t)resolve->successes : trigger->resolve_of;
}

struct trigger *trigger_new(const struct sla_trigger_config *config, struct error *err)
{
    struct trigger *trigger = xcalloc(1, sizeof *trigger);
    const struct sla_when_config *when = &config->when;
    trigger->name = xstrdup(config->name);
    trigger->config = config;
    trigger->definition = trigger_definition(config);
    map_init(&trigger->instances);
    map_init(&trigger->members);
    if (when->probe) {
        compile_probe(trigger, config);
        return trigger;
    }
    trigger->kind = when->slo ? TRIGGER_BURN : TRIGGER_METRIC;
    trigger->for_ns = when->for_ns;
    trigger->resolve_for_ns = when->slo ? RESOLVE_BURN_NS : when->for_ns;
    if (config->resolve)
        trigger->resolve_for_ns = config->resolve->for_ns;
    if (when->slo)
        return trigger;
    const char *bound = when->above ? when->above : when->below;
    trigger->above = when->above != NULL;
    int code = selector_parse(when->metric, &trigger->selector, err);
    if (!code && !str_to_double(str_from(bound), &trigger->bound))
        code = error_set(err, ERR_CONFIG, "\"%s\" is not a number", bound);
    if (code) {
        (void)error_prefix(err, "trigger \"%s\"", config->name);
        trigger_free(trigger);
        return NULL;
    }
    return trigger;
}

void trigger_free(struct trigger *trigger)
{
    if (!trigger)
        return;
    MAP_EACH (entry, &trigger->members) {
        struct member *member = entry->value;
        free(member->key);
        free(member->outcomes);
        free(member);
    }
    MAP_EACH (entry, &trigger->instances) {
        struct instance *instance = entry->value;
        label_set_deinit(&instance->labels);
        free(instance);
    }
    for (size_t i = 0; i < trigger->binding_count; i++)
        free(trigger->bindings[i].items);
    free(trigger->bindings);
    map_deinit(&trigger->members);
    map_deinit(&trigger->instances);
    selector_free(trigger->selector);
    free(trigger->windows);
    free(trigger->name);
    free(trigger);
}

const struct string_list *trigger_by(const struct trigger *trigger)
{
    if (trigger->config->by.count)
        return &trigger->config->by;
    return trigger->kind == TRIGGER_BURN ? &trigger->slo->config->by : NULL;
}

struct instance *trigger_instance(struct trigger *trigger, struct str label_text)
{
    struct instance *instance = map_get(&trigger->instances, label_text);
    if (instance)
        return instance;
    instance = xcalloc(1, sizeof *instance);
    instance->trigger = trigger;
    label_set_init(&instance->labels, label_text);
    (void)map_put(&trigger->instances, str_from(instance->labels.text), instance);
    return instance;
}

struct member *trigger_member(struct trigger *trigger, const char *key, struct str label_text)
{
    struct member *member = map_get(&trigger->members, str_from(key));
    if (member || trigger->members.count >= MAX_MEMBERS)
        return member;
    member = xcalloc(1, sizeof *member);
    member->key = xstrdup(key);
    member->instance = trigger_instance(trigger, label_text);
    if (trigger->kind == TRIGGER_PROBE) {
        uint32_t ring = trigger->of > trigger->resolve_of ? trigger->of : trigger->resolve_of;
        member->outcomes = xcalloc(ring, 1);
    }
    /* Of an incident that was taken over: it goes on until its own rule ends it. */
    if (member->instance->open && member->instance->grace_until_mono_ns) {
        member->beyond = true;
        member->state = MEMBER_FIRING;
    }
    (void)map_put(&trigger->members, str_from(member->key), member);
    return member;
}

void instance_reopen(struct engine *engine, struct instance *instance, const char *id, enum alert_state state,
                     int64_t started_wall_ns)
{
    instance->open = true;
    instance->state = state;
    instance->unknown_told = state == ALERT_UNKNOWN;
    instance->started_wall_ns = started_wall_ns;
    instance->grace_until_mono_ns = engine->now_mono_ns + RESTORE_GRACE_NS;
    (void)snprintf(instance->id, sizeof instance->id, "%s", id);
    MAP_EACH (entry, &instance->trigger->members) {
        struct member *member = entry->value;
        if (member->instance != instance)
            continue;
        member->beyond = true;
        member->state = MEMBER_FIRING;
        member->since_known = 0;
    }
}

static void bind_windows(struct trigger *trigger)
{
    const struct string_list *windows = &trigger->config->when.windows;
    trigger->windows = xrealloc(trigger->windows, (windows->count + 1) * sizeof *trigger->windows);
    trigger->window_count = 0;
    for (size_t i = 0; i < windows->count; i++) {
        int64_t ns = 0;
        if (units_parse_duration(str_from(windows->items[i]), &ns, NULL))
            continue;
        for (size_t j = 0; j < trigger->slo->window_count; j++) {
            if (trigger->slo->windows_s[j] == ns / NS_PER_S)
                trigger->windows[trigger->window_count++] = j;
        }
    }
}

static void populate_series(struct engine *engine, struct trigger *trigger)
{
    for (size_t i = 0; i < trigger->slo->list_count; i++) {
        struct series *series = trigger->slo->list[i];
        if (map_get(&trigger->members, str_from(series->labels.text)))
            continue;
        buf_reset(&engine->scratch);
        if (!label_set_pick_text(trigger_by(trigger), str_from(series->labels.text), &engine->scratch))
            continue;
        struct member *member = trigger_member(trigger, series->labels.text, buf_str(&engine->scratch));
        if (member)
            member->series = series;
    }
}

static void populate_probes(struct engine *engine, struct trigger *trigger,
                            const struct sla_settings *settings)
{
    for (size_t i = 0; i < settings->probe_count; i++) {
        const struct sla_probe *probe = &settings->probes[i];
        if (strcmp(probe->name, trigger->config->when.probe) != 0)
            continue;
        struct sli_probe_event event = {.probe = probe->name,
                                        .target = probe->target,
                                        .region = probe->region,
                                        .outcome = SLI_UNKNOWN,
                                        .interval_ns = probe->interval_ns,
                                        .mono_ns = engine->now_mono_ns};
        trigger_on_probe(engine, &event);
    }
}

void trigger_populate(struct engine *engine, struct trigger *trigger, const struct sla_settings *settings)
{
    if (trigger->kind == TRIGGER_BURN) {
        bind_windows(trigger);
        populate_series(engine, trigger);
    }
    if (trigger->kind == TRIGGER_PROBE && settings)
        populate_probes(engine, trigger, settings);
}
