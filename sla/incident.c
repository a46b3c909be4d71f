/* From a trigger's change of mind to an alert. */
#include "sla/engine_internal.h"

#include <stdlib.h>

#define MAX_ANNOTATION_BYTES 16384

static const char *label_value(const struct alert *alert, struct str name)
{
    for (size_t i = 0; i < alert->label_count; i++) {
        if (str_equal_text(name, alert->labels[i].name))
            return alert->labels[i].value;
    }
    return NULL;
}

static void write_value(struct buf *out, const struct instance *instance)
{
    char number[NUMBER_TEXT_MAX];
    if (instance->has_value)
        buf_append(out, number, (size_t)(number_write_f64(number, instance->value) - number));
    else
        buf_append_text(out, "unknown");
}

/* Fills in {{name}}; what names no label stays as it is written, so that a typo is seen. */
static const char *render(struct arena *arena, const char *template, const struct alert *alert,
                          const struct instance *instance)
{
    struct buf out = BUF_INIT(MAX_ANNOTATION_BYTES);
    for (const char *at = template; *at;) {
        const char *open = strstr(at, "{{"), *close = open ? strstr(open, "}}") : NULL;
        if (!close) {
            buf_append_text(&out, at);
            break;
        }
        buf_append(&out, at, (size_t)(open - at));
        struct str name = str_trim((struct str){open + 2, (size_t)(close - open - 2)});
        const char *value = label_value(alert, name);
        if (str_equal(name, STR("value")) && !value)
            write_value(&out, instance);
        else if (value)
            buf_append_text(&out, value);
        else
            buf_append(&out, open, (size_t)(close + 2 - open));
        at = close + 2;
    }
    const char *text = arena_strdup(arena, buf_str(&out));
    buf_deinit(&out);
    return text;
}

static const char *copy(struct arena *arena, const char *text)
{
    return arena_strdup(arena, str_from(text));
}

static void copy_labels(struct incident_change *change, const struct instance *instance)
{
    const struct sla_trigger_config *config = instance->trigger->config;
    size_t own = config ? config->labels.count : 0, count = 0;
    struct alert_text *labels =
        arena_zalloc(change->arena, (1 + own + instance->labels.count) * sizeof *labels);
    labels[count++] = (struct alert_text){"alertname", copy(change->arena, instance->trigger->name)};
    for (size_t i = 0; i < own; i++)
        labels[count++] = (struct alert_text){copy(change->arena, config->labels.items[i].key),
                                              copy(change->arena, config->labels.items[i].value)};
    change->alert.labels = labels;
    change->alert.label_count = count;
    for (size_t i = 0; i < instance->labels.count; i++) {
        const struct alert_text *pair = &instance->labels.pairs[i];
        /* The trigger's own labels win: identity must not depend on what a target sends. */
        if (label_value(&change->alert, str_from(pair->name)))
            continue;
        labels[change->alert.label_count++] =
            (struct alert_text){copy(change->arena, pair->name), copy(change->arena, pair->value)};
    }
}

static void copy_annotations(struct incident_change *change, const struct instance *instance)
{
    const struct sla_trigger_config *config = instance->trigger->config;
    size_t count = config ? config->annotations.count : 0;
    struct alert_text *annotations = arena_zalloc(change->arena, (count + 1) * sizeof *annotations);
    for (size_t i = 0; i < count; i++) {
        const struct string_pair *pair = &config->annotations.items[i];
        annotations[i] = (struct alert_text){copy(change->arena, pair->key),
                                             render(change->arena, pair->value, &change->alert, instance)};
    }
    change->alert.annotations = annotations;
    change->alert.annotation_count = count;
}

void incident_change_add(struct engine *engine, struct instance *instance, enum alert_state state, bool tell)
{
    const struct sla_trigger_config *config = instance->trigger->config;
    struct incident_change *change = xcalloc(1, sizeof *change);
    change->arena = arena_new(0);
    change->alert = (struct alert){
        .incident_id = copy(change->arena, instance->id),
        .trigger = copy(change->arena, instance->trigger->name),
        .state = state,
        .started_wall_ns = instance->started_wall_ns,
        .resolved_wall_ns = state == ALERT_RESOLVED ? engine->now_wall_ns : 0,
    };
    copy_labels(change, instance);
    copy_annotations(change, instance);
    change->labels_text = copy(change->arena, instance->labels.text);
    if (tell && config) {
        const char **receivers = arena_zalloc(change->arena, (config->notify.count + 1) * sizeof *receivers);
        for (size_t i = 0; i < config->notify.count; i++)
            receivers[i] = copy(change->arena, config->notify.items[i]);
        change->receivers = receivers;
        change->receiver_count = config->notify.count;
    }
    *engine->last_change = change;
    engine->last_change = &change->next;
}

void incident_change_free(struct incident_change *change)
{
    if (!change)
        return;
    arena_free(change->arena);
    free(change);
}
