#include "exporters/webhook_message.h"

#include "exporters/alert_identity.h"
#include "lib/metrics/label.h"

#define STATE_ANNOTATION "state"
/* Go's zero time: what Alertmanager writes while an alert fires. */
#define NEVER "0001-01-01T00:00:00Z"

void message_write_labels(struct json_writer *json, const char *key, const struct alert_text *labels,
                          size_t count)
{
    json_key(json, key);
    json_object_begin(json);
    for (size_t i = 0; i < count; i++)
        json_kv_text(json, labels[i].name, labels[i].value);
    json_object_end(json);
}

void message_write_annotations(struct json_writer *json, const char *key, const struct alert *alert)
{
    bool unknown = alert->state == ALERT_UNKNOWN;
    json_key(json, key);
    json_object_begin(json);
    for (size_t i = 0; i < alert->annotation_count; i++) {
        const struct alert_text *annotation = &alert->annotations[i];
        if (!label_name_valid(str_from(annotation->name)) ||
            (unknown && !strcmp(annotation->name, STATE_ANNOTATION)))
            continue;
        json_kv_text(json, annotation->name, annotation->value);
    }
    if (unknown)
        json_kv_text(json, STATE_ANNOTATION, "unknown");
    json_object_end(json);
}

const char *message_generator_url(struct arena *arena, const struct alert *alert, const char *external_url)
{
    if (!external_url || !external_url[0])
        return "";
    size_t len = strlen(external_url);
    const char *slash = external_url[len - 1] == '/' ? "" : "/";
    const char *url = arena_printf(arena, "%s%s?incident=%s", external_url, slash, alert->incident_id);
    return url ? url : "";
}

void webhook_message_write(struct arena *arena, const struct alert *alert, const char *receiver,
                           const char *external_url, struct buf *out)
{
    size_t count;
    const struct alert_text *labels = alert_identity_labels(arena, alert, &count);
    const char *status = alert->state == ALERT_RESOLVED ? "resolved" : "firing";
    char fingerprint[ALERT_FINGERPRINT_SIZE];
    alert_identity_fingerprint(labels, count, fingerprint);
    struct buf group_key CLEANUP(buf_deinit) = BUF_INIT(WEBHOOK_BODY_MAX);
    alert_identity_group_key(labels, count, &group_key);

    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    json_kv_text(&json, "receiver", receiver);
    json_kv_text(&json, "status", status);
    json_key(&json, "alerts");
    json_array_begin(&json);
    json_object_begin(&json);
    json_kv_text(&json, "status", status);
    message_write_labels(&json, "labels", labels, count);
    message_write_annotations(&json, "annotations", alert);
    json_key(&json, "startsAt");
    json_time(&json, alert->started_wall_ns);
    json_key(&json, "endsAt");
    if (alert->state == ALERT_RESOLVED)
        json_time(&json, alert->resolved_wall_ns);
    else
        json_text(&json, NEVER);
    json_kv_text(&json, "generatorURL", message_generator_url(arena, alert, external_url));
    json_kv_text(&json, "fingerprint", fingerprint);
    json_object_end(&json);
    json_array_end(&json);
    message_write_labels(&json, "groupLabels", labels, count);
    message_write_labels(&json, "commonLabels", labels, count);
    message_write_annotations(&json, "commonAnnotations", alert);
    json_kv_text(&json, "externalURL", external_url ? external_url : "");
    json_kv_text(&json, "version", "4");
    json_kv_str(&json, "groupKey", buf_str(&group_key));
    json_kv_u64(&json, "truncatedAlerts", 0);
    json_object_end(&json);
}
