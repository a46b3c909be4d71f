#include "exporters/alertmanager_message.h"

#include "exporters/alert_identity.h"
#include "exporters/webhook_message.h"

static int64_t ends_at(const struct alert *alert, int64_t now_wall_ns, int64_t repeat_ns)
{
    if (alert->state != ALERT_RESOLVED)
        return now_wall_ns + ALERTMANAGER_REPEATS_AHEAD * repeat_ns;
    /* An end before the start answers 400; the wall clock may have been set back during the incident. */
    return alert->resolved_wall_ns > alert->started_wall_ns ? alert->resolved_wall_ns
                                                            : alert->started_wall_ns;
}

void alertmanager_message_add(struct json_writer *json, struct arena *arena, const struct alert *alert,
                              const char *external_url, int64_t now_wall_ns, int64_t repeat_ns)
{
    size_t count;
    const struct alert_text *labels = alert_identity_labels(arena, alert, &count);
    if (count == 0)
        return;
    json_object_begin(json);
    message_write_labels(json, "labels", labels, count);
    message_write_annotations(json, "annotations", alert);
    json_key(json, "startsAt");
    json_time(json, alert->started_wall_ns);
    json_key(json, "endsAt");
    json_time(json, ends_at(alert, now_wall_ns, repeat_ns));
    const char *url = message_generator_url(arena, alert, external_url);
    if (url[0]) /* an empty one is no URI for newer versions */
        json_kv_text(json, "generatorURL", url);
    json_object_end(json);
}
