#include "exporters/alert_codec.h"

#include "lib/core/json.h"

/* --- writing */

static bool named_before(const struct alert_text *texts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i].name, name) == 0)
            return true;
    }
    return false;
}

static void write_texts(struct json_writer *json, const struct alert_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!named_before(texts, i, texts[i].name))
            json_kv_text(json, texts[i].name, texts[i].value ? texts[i].value : "");
    }
}

void alert_codec_write(const struct alert *alert, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    json_kv_text(&json, "incident", alert->incident_id);
    json_kv_text(&json, "trigger", alert->trigger);
    json_kv_text(&json, "state", alert_state_text(alert->state));
    json_key(&json, "labels");
    json_object_begin(&json);
    if (!named_before(alert->labels, alert->label_count, "alertname"))
        json_kv_text(&json, "alertname", alert->trigger);
    write_texts(&json, alert->labels, alert->label_count);
    json_object_end(&json);
    json_key(&json, "annotations");
    json_object_begin(&json);
    write_texts(&json, alert->annotations, alert->annotation_count);
    json_object_end(&json);
    json_kv_i64(&json, "started_ns", alert->started_wall_ns);
    json_kv_i64(&json, "resolved_ns", alert->resolved_wall_ns);
    json_object_end(&json);
}

/* --- reading */

static int member_text(const struct node *root, const char *name, const char **ret_text, struct error *err)
{
    const struct node_pair *pair = node_find(root, name);
    if (!pair || pair->value->kind != NODE_SCALAR || pair->value->plain)
        return error_set(err, ERR_PARSE, "stored alert: \"%s\" is not a string", name);
    *ret_text = pair->value->scalar.ptr;
    return 0;
}

static int member_time(const struct node *root, const char *name, int64_t *ret_ns, struct error *err)
{
    const struct node_pair *pair = node_find(root, name);
    if (!pair || pair->value->kind != NODE_SCALAR || !str_to_i64(pair->value->scalar, ret_ns))
        return error_set(err, ERR_PARSE, "stored alert: \"%s\" is not a number of nanoseconds", name);
    return 0;
}

static int member_texts(struct arena *arena, const struct node *root, const char *name,
                        const struct alert_text **ret_texts, size_t *ret_count, struct error *err)
{
    const struct node_pair *pair = node_find(root, name);
    if (!pair || pair->value->kind != NODE_MAPPING)
        return error_set(err, ERR_PARSE, "stored alert: \"%s\" is not an object", name);
    const struct node *node = pair->value;
    struct alert_text *texts = arena_alloc(arena, node->count * sizeof *texts + 1);
    if (!texts)
        return error_set(err, ERR_LIMIT, "stored alert: too large");
    for (size_t i = 0; i < node->count; i++) {
        if (node->pairs[i].value->kind != NODE_SCALAR)
            return error_set(err, ERR_PARSE, "stored alert: %s.%s is not a string", name,
                             node->pairs[i].key.ptr);
        texts[i] = (struct alert_text){node->pairs[i].key.ptr, node->pairs[i].value->scalar.ptr};
    }
    *ret_texts = texts;
    *ret_count = node->count;
    return 0;
}

bool alert_codec_state(struct str text, enum alert_state *ret_state)
{
    static const enum alert_state states[] = {ALERT_FIRING, ALERT_UNKNOWN, ALERT_RESOLVED};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (str_equal_text(text, alert_state_text(states[i]))) {
            *ret_state = states[i];
            return true;
        }
    }
    return false;
}

int alert_codec_read(struct arena *arena, struct str payload, struct alert *ret_alert, struct error *err)
{
    struct node *root;
    int rc = json_parse(arena, payload, &root, err);
    if (rc)
        return error_prefix(err, "stored alert");
    struct alert alert = {0};
    const char *state = "";
    if ((rc = member_text(root, "incident", &alert.incident_id, err)) ||
        (rc = member_text(root, "trigger", &alert.trigger, err)) ||
        (rc = member_text(root, "state", &state, err)) ||
        (rc = member_time(root, "started_ns", &alert.started_wall_ns, err)) ||
        (rc = member_time(root, "resolved_ns", &alert.resolved_wall_ns, err)) ||
        (rc = member_texts(arena, root, "labels", &alert.labels, &alert.label_count, err)) ||
        (rc = member_texts(arena, root, "annotations", &alert.annotations, &alert.annotation_count, err)))
        return rc;
    if (!alert_codec_state(str_from(state), &alert.state))
        return error_set(err, ERR_PARSE, "stored alert: \"%s\" is not a state", state);
    *ret_alert = alert;
    return 0;
}
