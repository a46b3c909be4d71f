/* Deliveries to an Alertmanager that no member has accepted yet. */
#include "exporters/receiver_alertmanager.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"

#include <stdio.h>
#include <stdlib.h>

static void pending_remove(struct am_state *state, struct am_delivery **link)
{
    struct am_delivery *pending = *link;
    *link = pending->next;
    if (!pending->next)
        state->pending_end = link;
    state->pending_count--;
    (void)map_remove(&state->ids, str_from(pending->delivery->id));
    struct am_alert *alert = map_get(&state->alerts, str_from(pending->delivery->incident_id));
    if (alert && alert->pending)
        alert->pending--;
    delivery_free(pending->delivery);
    free(pending);
}

/* The outcomes of several deliveries, stored in one transaction. */
struct am_settlement {
    struct receiver *receiver;
    size_t count;
    struct journal_delivery *rows;
    char **ids;
};

static void settlement_free(struct am_settlement *settlement)
{
    for (size_t i = 0; i < settlement->count; i++)
        free(settlement->ids[i]);
    free(settlement->ids);
    free(settlement->rows);
    free(settlement);
}

static struct am_settlement *settlement_new(struct receiver *receiver)
{
    const struct am_state *state = receiver->state;
    struct am_settlement *settlement = xcalloc(1, sizeof *settlement);
    settlement->receiver = receiver;
    settlement->rows = xcalloc(state->pending_count + 1, sizeof *settlement->rows);
    settlement->ids = xcalloc(state->pending_count + 1, sizeof *settlement->ids);
    return settlement;
}

static void settlement_add(struct am_settlement *settlement, struct delivery *delivery,
                           enum delivery_state to)
{
    settlement->rows[settlement->count] = receiver_row(delivery, to);
    settlement->ids[settlement->count++] = xstrdup(delivery->id);
}

static void settled(void *ctx, bool stored)
{
    struct am_settlement *settlement = ctx;
    struct receiver *receiver = settlement->receiver;
    struct notifier *notifier = receiver->notifier;
    struct am_state *state = receiver->state;
    for (size_t i = 0; i < settlement->count; i++) {
        if (stored)
            notifier_note_settled(notifier, settlement->ids[i]);
        for (struct am_delivery **link = &state->pending; *link; link = &(*link)->next) {
            if (strcmp((*link)->delivery->id, settlement->ids[i]) == 0) {
                pending_remove(state, link);
                break; /* settled oldest first: found at or near the head */
            }
        }
    }
    settlement_free(settlement);
    receiver->in_flight--;
    notifier_pump(notifier);
    notifier_reap(notifier);
}

static void settlement_store(struct am_settlement *settlement, bool final)
{
    if (settlement->count == 0) {
        settlement_free(settlement);
        return;
    }
    settlement->receiver->in_flight++;
    outbox_link_store(&settlement->receiver->notifier->link, settlement->rows, settlement->count, final,
                      settled, settlement);
}

void am_accepted(struct receiver *receiver, const struct am_member *member)
{
    const struct am_state *state = receiver->state;
    struct am_settlement *settlement = settlement_new(receiver);
    for (struct am_delivery *pending = state->pending; pending; pending = pending->next) {
        struct delivery *delivery = pending->delivery;
        if (delivery->busy || pending->version > member->sent_version)
            continue;
        delivery->busy = true;
        delivery->attempts++;
        delivery->last_error[0] = 0;
        delivery->due_mono_ns = clock_mono_ns();
        receiver->results[RESULT_DELIVERED]++;
        settlement_add(settlement, delivery, DELIVERY_DELIVERED);
    }
    settlement_store(settlement, true);
}

static void bury(struct receiver *receiver, struct delivery *delivery)
{
    receiver->results[RESULT_DEAD]++;
    delivery->busy = true;
    LOG_EVENT(LOG_ERROR, "notify.dead", LF_TEXT("receiver", receiver->name),
              LF_TEXT("event", delivery->event), LF_TEXT("incident", delivery->incident_id),
              LF_I64("attempts", delivery->attempts), LF_TEXT("error", delivery->last_error));
}

static void retries_stored(void *ctx, bool stored)
{
    (void)stored;
    struct receiver *receiver = ctx;
    receiver->in_flight--;
    notifier_reap(receiver->notifier);
}

void am_refused(struct receiver *receiver, const struct am_member *member, const char *reason,
                int64_t wait_ns)
{
    const struct am_state *state = receiver->state;
    int64_t oldest_kept =
        receiver->retired ? INT64_MIN : clock_wall_ns() - receiver->settings.config->alertmanager->max_age_ns;
    receiver->results[RESULT_FAILED]++;
    struct am_settlement *retries = settlement_new(receiver);
    struct am_settlement *dead = settlement_new(receiver);
    for (struct am_delivery *pending = state->pending; pending; pending = pending->next) {
        struct delivery *delivery = pending->delivery;
        if (delivery->busy || pending->version > member->sent_version)
            continue;
        delivery->attempts++;
        delivery->due_mono_ns = clock_mono_ns() + wait_ns;
        (void)snprintf(delivery->last_error, sizeof delivery->last_error, "%s", reason);
        bool too_old = delivery->created_wall_ns <= oldest_kept;
        if (too_old)
            bury(receiver, delivery);
        settlement_add(too_old ? dead : retries, delivery, too_old ? DELIVERY_DEAD : DELIVERY_PENDING);
    }
    if (retries->count) {
        receiver->in_flight++;
        outbox_link_store(&receiver->notifier->link, retries->rows, retries->count, false, retries_stored,
                          receiver);
    }
    settlement_free(retries);
    settlement_store(dead, true);
}

static void bury_unreadable(struct receiver *receiver, struct am_delivery *pending)
{
    struct am_settlement *dead = settlement_new(receiver);
    struct delivery *delivery = pending->delivery;
    (void)snprintf(delivery->last_error, sizeof delivery->last_error, "the stored alert cannot be read");
    bury(receiver, delivery);
    settlement_add(dead, delivery, DELIVERY_DEAD);
    settlement_store(dead, true);
}

bool am_offer(struct receiver *receiver, const struct journal_delivery *row)
{
    struct am_state *state = receiver->state;
    if (map_get(&state->ids, str_from(row->id)))
        return false;
    struct am_delivery *pending = xcalloc(1, sizeof *pending);
    pending->delivery = delivery_new(row, clock_mono_ns());
    *state->pending_end = pending;
    state->pending_end = &pending->next;
    state->pending_count++;
    (void)map_put(&state->ids, str_from(pending->delivery->id), pending);
    if (!am_alert_take(state, row->incident_id, row->payload)) {
        bury_unreadable(receiver, pending);
        return true;
    }
    struct am_alert *alert = map_get(&state->alerts, str_from(row->incident_id));
    alert->pending++;
    pending->version = state->version;
    return true;
}
