/* What an Alertmanager should know: the newest state of every incident it was told of. */
#include "exporters/receiver_alertmanager.h"

#include "exporters/alert_codec.h"
#include "exporters/alertmanager_message.h"
#include "lib/core/clock.h"

#include <stdlib.h>

void am_alert_free(struct am_alert *alert)
{
    free(alert->incident_id);
    free(alert->payload);
    free(alert);
}

static struct am_alert *alert_for(struct am_state *state, const char *incident_id)
{
    struct am_alert *alert = map_get(&state->alerts, str_from(incident_id));
    if (alert)
        return alert;
    alert = xcalloc(1, sizeof *alert);
    alert->incident_id = xstrdup(incident_id);
    (void)map_put(&state->alerts, str_from(alert->incident_id), alert);
    return alert;
}

/* Takes over a newer state; the set's version grows when it differs. */
static void alert_update(struct am_state *state, struct am_alert *alert, struct str payload,
                         enum alert_state to, int64_t resolved_wall_ns)
{
    bool same = alert->payload && str_equal((struct str){alert->payload, alert->payload_len}, payload);
    if (same && alert->state == to && alert->resolved_wall_ns == resolved_wall_ns)
        return;
    if (!same) {
        free(alert->payload);
        alert->payload = xstrndup(payload);
        alert->payload_len = payload.len;
    }
    alert->state = to;
    alert->resolved_wall_ns = resolved_wall_ns;
    state->version++;
}

/* False when the payload cannot be read. */
bool am_alert_take(struct am_state *state, const char *incident_id, struct str payload)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct alert decoded;
    if (alert_codec_read(arena, payload, &decoded, NULL))
        return false;
    alert_update(state, alert_for(state, incident_id), payload, decoded.state, decoded.resolved_wall_ns);
    return true;
}

/* --- what the journal says of incidents */

static const struct journal_delivery *last_for(const struct receiver *receiver,
                                               const struct outbox_incident *incident)
{
    for (size_t i = incident->delivery_count; i-- > 0;) {
        if (strcmp(incident->deliveries[i].receiver, receiver->name) == 0)
            return &incident->deliveries[i];
    }
    return NULL;
}

/* An incident this receiver was told of before (perhaps by a former process) or is told of now. */
static void review_one(struct receiver *receiver, const struct outbox_incident *incident)
{
    struct am_state *state = receiver->state;
    const struct journal_incident *row = incident->row;
    struct am_alert *alert = map_get(&state->alerts, str_from(row->id));
    bool stale =
        row->resolved_wall_ns && clock_wall_ns() - row->resolved_wall_ns > ALERTMANAGER_RESOLVED_KEEP_NS;
    const struct journal_delivery *last = alert || stale ? NULL : last_for(receiver, incident);
    if (!alert && !last)
        return;
    /* The incident's own payload is newer than its last delivery: an unknown that fires again is not
     * delivered a second time but must lose its annotation. */
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct alert decoded;
    struct str payload = row->payload;
    if (alert_codec_read(arena, payload, &decoded, NULL))
        payload = alert ? (struct str){alert->payload, alert->payload_len} : last->payload;
    if (!alert && alert_codec_read(arena, payload, &decoded, NULL))
        return;
    enum alert_state to;
    if (!alert_codec_state(str_from(row->state), &to))
        return;
    alert_update(state, alert ? alert : alert_for(state, row->id), payload, to, row->resolved_wall_ns);
}

/* An incident that is no longer open and was not delivered as resolved (its trigger was told to notify
 * somebody else meanwhile) must not be repeated for ever. */
static void resolve_closed(struct am_state *state, const struct outbox_contents *contents)
{
    struct map listed CLEANUP(map_deinit);
    map_init(&listed);
    for (size_t i = 0; i < contents->incident_count; i++) {
        const char *id = contents->incidents[i].row->id;
        (void)map_put(&listed, str_from(id), (void *)(uintptr_t)id);
    }
    MAP_EACH (entry, &state->alerts) {
        struct am_alert *alert = entry->value;
        if (alert->state != ALERT_RESOLVED && !map_get(&listed, str_from(alert->incident_id))) {
            alert->state = ALERT_RESOLVED;
            alert->resolved_wall_ns = clock_wall_ns();
            state->version++;
        }
    }
}

static void forget_old(struct am_state *state)
{
    int64_t before = clock_wall_ns() - ALERTMANAGER_RESOLVED_KEEP_NS;
    struct am_alert **old = xcalloc(state->alerts.count + 1, sizeof(struct am_alert *));
    size_t count = 0; /* the map must not change while it is walked */
    MAP_EACH (entry, &state->alerts) {
        struct am_alert *alert = entry->value;
        if (alert->state == ALERT_RESOLVED && alert->pending == 0 && alert->resolved_wall_ns < before)
            old[count++] = alert;
    }
    for (size_t i = 0; i < count; i++) {
        (void)map_remove(&state->alerts, str_from(old[i]->incident_id));
        am_alert_free(old[i]);
    }
    free(old);
}

void am_review(struct receiver *receiver, const struct outbox_contents *contents)
{
    struct am_state *state = receiver->state;
    for (size_t i = 0; i < contents->incident_count; i++)
        review_one(receiver, &contents->incidents[i]);
    resolve_closed(state, contents);
    forget_old(state);
}
