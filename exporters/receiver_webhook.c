/* A webhook: each delivery is one signed POST. */
#include "exporters/notifier_internal.h"

#include "exporters/alert_codec.h"
#include "exporters/webhook_message.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"

#include <stdio.h>
#include <stdlib.h>

#define OWN_HEADERS      4U
#define HEADER_MAX_BYTES 1024U

struct webhook_state {
    struct delivery_queue *queue;
    size_t sending;
};

static void init(struct receiver *receiver)
{
    struct webhook_state *state = xcalloc(1, sizeof *state);
    state->queue = delivery_queue_new();
    receiver->state = state;
}

static void deinit(struct receiver *receiver)
{
    struct webhook_state *state = receiver->state;
    delivery_queue_free(state->queue);
    free(state);
}

/* --- after an attempt */

static void settled(void *ctx, bool stored)
{
    struct delivery *delivery = ctx;
    struct receiver *receiver = delivery->owner;
    struct webhook_state *state = receiver->state;
    struct notifier *notifier = receiver->notifier;
    if (stored)
        notifier_note_settled(notifier, delivery->id);
    delivery_queue_remove(state->queue, delivery);
    receiver->in_flight--;
    notifier_pump(notifier);
    notifier_reap(notifier);
}

/* The delivery stays busy, and so its incident's next one waits, until this is committed: a resolved that
 * overtook would otherwise be followed by the firing again after a crash. */
static void settle(struct receiver *receiver, struct delivery *delivery, enum delivery_state state)
{
    struct journal_delivery row = receiver_row(delivery, state);
    receiver->in_flight++;
    outbox_link_store(&receiver->notifier->link, &row, 1, true, settled, delivery);
}

static void keep_reason(struct delivery *delivery, const char *reason)
{
    (void)snprintf(delivery->last_error, sizeof delivery->last_error, "%s", reason);
}

static void give_up(struct receiver *receiver, struct delivery *delivery)
{
    receiver->results[RESULT_DEAD]++;
    LOG_EVENT(LOG_ERROR, "notify.dead", LF_TEXT("receiver", receiver->name),
              LF_TEXT("event", delivery->event), LF_TEXT("incident", delivery->incident_id),
              LF_TEXT("webhook_id", delivery->id), LF_I64("attempts", delivery->attempts),
              LF_TEXT("error", delivery->last_error));
    settle(receiver, delivery, DELIVERY_DEAD);
}

static void put_off(struct receiver *receiver, struct delivery *delivery, int64_t wait_ns)
{
    struct webhook_state *state = receiver->state;
    receiver->results[RESULT_FAILED]++;
    LOG_EVENT(LOG_WARN, "notify.failed", LF_TEXT("receiver", receiver->name),
              LF_TEXT("event", delivery->event), LF_TEXT("incident", delivery->incident_id),
              LF_I64("attempts", delivery->attempts), LF_I64("retry_ms", wait_ns / NS_PER_MS),
              LF_TEXT("error", delivery->last_error));
    delivery->due_mono_ns = clock_mono_ns() + wait_ns;
    receiver_store_retry(receiver, delivery);
    delivery_queue_return(state->queue, delivery);
}

static void conclude(struct receiver *receiver, struct delivery *delivery,
                     const struct delivery_outcome *outcome)
{
    delivery->attempts++;
    struct delivery_decision decision;
    /* Retired, the age limit is gone with the settings; whether anybody takes this over is for the next load.
     */
    int64_t max_age_ns = receiver->retired ? INT64_MAX : receiver->settings.config->webhook->max_age_ns;
    delivery_decide(delivery->id, delivery->attempts, delivery->created_wall_ns, clock_wall_ns(), max_age_ns,
                    outcome, &decision);
    keep_reason(delivery, decision.reason);
    switch (decision.verdict) {
    case DELIVERY_DONE:
        receiver->results[RESULT_DELIVERED]++;
        delivery->due_mono_ns = clock_mono_ns();
        settle(receiver, delivery, DELIVERY_DELIVERED);
        break;
    case DELIVERY_RETRY:
        put_off(receiver, delivery, decision.wait_ns);
        break;
    case DELIVERY_GIVE_UP:
        give_up(receiver, delivery);
        break;
    }
}

static void answered(void *ctx, const struct http_response *response, const struct error *err)
{
    struct delivery *delivery = ctx;
    struct receiver *receiver = delivery->owner;
    struct webhook_state *state = receiver->state;
    struct notifier *notifier = receiver->notifier;
    delivery->call = NULL;
    state->sending--;
    receiver->calls--;
    /* Withdrawn by us: not an attempt that the receiver failed. The next process sends it with the same id.
     */
    if (!(err && err->code == ERR_CANCELLED)) {
        struct delivery_outcome outcome = receiver_outcome(response, err);
        conclude(receiver, delivery, &outcome);
    } else {
        delivery_queue_return(state->queue, delivery);
    }
    receiver->in_flight--;
    notifier_pump(notifier);
    notifier_reap(notifier);
}

/* --- an attempt */

struct headers {
    size_t count;
    struct http_header *items;
};

static void add_header(struct headers *headers, const char *name, const char *value)
{
    headers->items[headers->count++] = (struct http_header){name, value};
}

static void make_headers(struct arena *arena, const struct receiver *receiver,
                         const struct delivery *delivery, struct str body, struct headers *headers)
{
    const struct string_map *extra = &receiver->settings.config->webhook->headers;
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    headers->items = arena_alloc(arena, (OWN_HEADERS + extra->count) * sizeof *headers->items);
    add_header(headers, "Content-Type", "application/json");
    add_header(headers, "webhook-id", delivery->id);
    add_header(headers, "webhook-timestamp", arena_printf(arena, "%lld", (long long)now_s));
    if (receiver->settings.keys) {
        struct buf signature CLEANUP(buf_deinit) = BUF_INIT(HEADER_MAX_BYTES);
        webhook_sign(receiver->settings.keys, delivery->id, now_s, body, &signature);
        add_header(headers, "webhook-signature", arena_strdup(arena, buf_str(&signature)));
    }
    for (size_t i = 0; i < extra->count; i++)
        add_header(headers, extra->items[i].key, extra->items[i].value ? extra->items[i].value : "");
}

static int post(struct receiver *receiver, struct delivery *delivery, struct arena *arena, struct str body,
                struct error *err)
{
    const struct notify_webhook *webhook = receiver->settings.config->webhook;
    struct headers headers = {0};
    make_headers(arena, receiver, delivery, body, &headers);
    struct http_request request = {
        .method = "POST",
        .url = webhook->url,
        .headers = headers.items,
        .header_count = headers.count,
        .body = body,
        .bearer_token = receiver->settings.bearer_token,
        .basic_user = webhook->credentials.basic_user,
        .basic_password = receiver->settings.basic_password,
        .tls = webhook->tls,
        .deadline_mono_ns = clock_mono_ns() + webhook->timeout_ns,
        .max_body_bytes = RECEIVER_ANSWER_MAX_BYTES,
    };
    struct http_call *call;
    int rc = http_client_send(receiver->notifier->http, &request, answered, delivery, &call, err);
    if (rc)
        return rc;
    delivery->call = call;
    return 0;
}

static void send_one(struct receiver *receiver, struct delivery *delivery)
{
    struct webhook_state *state = receiver->state;
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct buf body CLEANUP(buf_deinit) = BUF_INIT(WEBHOOK_BODY_MAX);
    struct alert alert;
    struct error err = {0};
    delivery->owner = receiver;
    int rc = alert_codec_read(arena, (struct str){delivery->payload, delivery->payload_len}, &alert, &err);
    if (rc == 0) {
        webhook_message_write(arena, &alert, receiver->name, receiver->notifier->external_url, &body);
        if (body.failed)
            rc = error_set(&err, ERR_LIMIT, "the message is larger than %lu bytes", WEBHOOK_BODY_MAX);
    }
    if (rc) { /* no later attempt can mend it */
        keep_reason(delivery, err.message);
        give_up(receiver, delivery);
        return;
    }
    rc = post(receiver, delivery, arena, buf_str(&body), &err);
    if (rc) {
        struct delivery_outcome outcome = {.error = &err};
        conclude(receiver, delivery, &outcome);
        return;
    }
    state->sending++;
    receiver->in_flight++;
    receiver->calls++;
}

/* --- the table */

static bool offer(struct receiver *receiver, const struct journal_delivery *row)
{
    struct webhook_state *state = receiver->state;
    if (delivery_queue_find(state->queue, row->id))
        return false;
    (void)delivery_queue_add(state->queue, row, receiver_due_of(row));
    return true;
}

static void pump(struct receiver *receiver, int64_t now_mono_ns)
{
    struct webhook_state *state = receiver->state;
    while (state->sending < (size_t)receiver->settings.config->webhook->max_in_flight) {
        struct delivery *delivery = delivery_queue_take(state->queue, now_mono_ns);
        if (!delivery)
            return;
        send_one(receiver, delivery);
    }
}

static int64_t due(const struct receiver *receiver)
{
    const struct webhook_state *state = receiver->state;
    bool full = state->sending >= (size_t)receiver->settings.config->webhook->max_in_flight;
    return full ? INT64_MAX : delivery_queue_due(state->queue);
}

static void changed(struct receiver *receiver)
{
    struct webhook_state *state = receiver->state;
    delivery_queue_hurry(state->queue, clock_mono_ns());
}

static void cancel_one(struct delivery *delivery)
{
    if (delivery->call)
        http_call_cancel(delivery->call);
}

static void cancel(struct receiver *receiver)
{
    const struct webhook_state *state = receiver->state;
    delivery_queue_each_busy(state->queue, cancel_one);
}

static size_t depth(const struct receiver *receiver)
{
    const struct webhook_state *state = receiver->state;
    return delivery_queue_depth(state->queue);
}

static int64_t oldest(const struct receiver *receiver)
{
    const struct webhook_state *state = receiver->state;
    return delivery_queue_oldest(state->queue);
}

const struct receiver_ops webhook_receiver_ops = {
    .kind = "webhook",
    .init = init,
    .deinit = deinit,
    .changed = changed,
    .offer = offer,
    .pump = pump,
    .due = due,
    .cancel = cancel,
    .depth = depth,
    .oldest = oldest,
};
