#include "exporters/notifier_internal.h"

#include "exporters/alert_codec.h"
#include "lib/core/clock.h"
#include "lib/core/crypto.h"
#include "lib/core/log.h"

#include <stdlib.h>

#define TICK_NS NS_PER_S

/* --- receivers */

static struct receiver *find_receiver(const struct notifier *notifier, const char *name)
{
    for (struct receiver *receiver = notifier->receivers; receiver; receiver = receiver->next) {
        if (strcmp(receiver->name, name) == 0)
            return receiver;
    }
    return NULL;
}

void notifier_note_settled(struct notifier *notifier, const char *id)
{
    if (!notifier->loading || map_get(&notifier->settled, str_from(id)))
        return;
    char *copy = xstrdup(id);
    (void)map_put(&notifier->settled, str_from(copy), copy);
}

static void forget_settled(struct notifier *notifier)
{
    MAP_EACH (entry, &notifier->settled)
        free(entry->value);
    map_deinit(&notifier->settled);
    map_init(&notifier->settled);
}

static void orphan_stored(void *ctx, bool stored)
{
    (void)ctx;
    (void)stored;
}

/* A delivery whose receiver is not configured. It is kept for a while: the receiver may be in an included
 * file that is broken at the moment, and comes back when that is mended. Seen again by a load that was asked
 * for before its end is committed, it is only stored as dead once more. */
static void bury_orphan(struct notifier *notifier, const struct journal_delivery *row)
{
    int64_t gone_ns = clock_mono_ns() - notifier->configured_mono_ns;
    int64_t age_ns = clock_wall_ns() - row->created_wall_ns;
    if (gone_ns < NOTIFIER_ORPHAN_NS && age_ns < NOTIFIER_ORPHAN_MAX_AGE_NS) {
        LOG_EVENT(LOG_WARN, "notify.no_receiver", LF_TEXT("receiver", row->receiver),
                  LF_TEXT("event", row->event), LF_TEXT("incident", row->incident_id));
        return;
    }
    struct journal_delivery dead = *row;
    dead.state = DELIVERY_DEAD;
    dead.last_error = "the receiver is no longer configured";
    LOG_EVENT(LOG_ERROR, "notify.dead", LF_TEXT("receiver", row->receiver), LF_TEXT("event", row->event),
              LF_TEXT("incident", row->incident_id), LF_TEXT("error", dead.last_error));
    outbox_link_store(&notifier->link, &dead, 1, true, orphan_stored, NULL);
}

static size_t depth_of_all(const struct notifier *notifier)
{
    size_t depth = 0;
    for (const struct receiver *receiver = notifier->receivers; receiver; receiver = receiver->next)
        depth += receiver->ops->depth(receiver);
    return depth;
}

/* --- the outbox */

static void take_pending(struct notifier *notifier, const struct outbox_contents *contents)
{
    size_t depth = depth_of_all(notifier);
    for (size_t i = 0; i < contents->pending_count; i++) {
        const struct journal_delivery *row = &contents->pending[i];
        if (map_get(&notifier->settled, str_from(row->id)))
            continue;
        struct receiver *receiver = find_receiver(notifier, row->receiver);
        if (!receiver) {
            bury_orphan(notifier, row);
            continue;
        }
        /* Newer ones of the same incident stay behind with it, as every later row is left out too. */
        if (depth >= NOTIFIER_MAX_PENDING)
            break;
        depth += receiver->ops->offer(receiver, row);
    }
}

static void loaded(void *ctx, const struct outbox_contents *contents, const struct error *err)
{
    struct notifier *notifier = ctx;
    notifier->loading = false;
    if (contents && !notifier->freeing) {
        notifier->loaded_mono_ns = clock_mono_ns();
        take_pending(notifier, contents);
        for (struct receiver *receiver = notifier->receivers; receiver; receiver = receiver->next) {
            if (receiver->ops->review)
                receiver->ops->review(receiver, contents);
        }
    } else if (err) {
        notifier->load_whole = true; /* by the next tick; the link has logged it */
    }
    forget_settled(notifier);
    bool again = notifier->load_again && contents;
    notifier->load_again = false;
    if (again)
        notifier_load(notifier, false);
    notifier_pump(notifier);
}

void notifier_load(struct notifier *notifier, bool whole)
{
    notifier->load_whole = notifier->load_whole || whole;
    if (!notifier->started || notifier->freeing)
        return;
    if (notifier->loading) {
        notifier->load_again = true;
        return;
    }
    whole = notifier->load_whole;
    notifier->load_whole = false;
    notifier->loading = true;
    outbox_link_load(&notifier->link, whole, loaded, notifier);
}

static void wake(void *arg)
{
    struct notifier *notifier = arg;
    counter_add(&notifier->wakes_run, 1);
    if (notifier->freeing)
        notifier_reap(notifier);
    else
        notifier_load(notifier, false);
}

void notifier_wake(struct notifier *notifier)
{
    /* One that has not run yet will see what was committed before this call. */
    if (counter_get(&notifier->wakes_posted) != counter_get(&notifier->wakes_run))
        return;
    counter_add(&notifier->wakes_posted, 1);
    if (!loop_post(notifier->loop, "notifier.wake", wake, notifier))
        counter_add(&notifier->wakes_run, 1); /* the loop has stopped: the next process delivers */
}

/* --- time */

void notifier_pump(struct notifier *notifier)
{
    if (notifier->freeing || !notifier->started)
        return;
    int64_t now_mono_ns = clock_mono_ns();
    int64_t first = INT64_MAX;
    for (struct receiver *receiver = notifier->receivers; receiver; receiver = receiver->next) {
        receiver->ops->pump(receiver, now_mono_ns);
        int64_t due = receiver->ops->due(receiver);
        first = due < first ? due : first;
    }
    if (first != INT64_MAX)
        loop_timer_start(&notifier->due_timer, first > now_mono_ns ? first : now_mono_ns, 0);
    else
        loop_timer_stop(&notifier->due_timer);
}

static void became_due(void *ctx, int64_t lateness_ns)
{
    (void)lateness_ns;
    notifier_pump(ctx);
}

static void tick(void *ctx, int64_t lateness_ns)
{
    (void)lateness_ns;
    struct notifier *notifier = ctx;
    notifier_publish(notifier);
    if (clock_mono_ns() - notifier->loaded_mono_ns >= NOTIFIER_RELOAD_NS || notifier->load_whole)
        notifier_load(notifier, false);
}

/* --- configuration */

static void retire(struct notifier *notifier, struct receiver *receiver)
{
    receiver->retired = true;
    receiver_settings_deinit(&receiver->settings);
    receiver->next = notifier->retired;
    notifier->retired = receiver;
}

static int check_names(const struct notify_config *const *configs, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(configs[i]->name, configs[j]->name) == 0)
                return error_set(err, ERR_CONFIG, "notify: receiver %s is there twice", configs[i]->name);
        }
    }
    return 0;
}

/* Takes over what all receivers of the new configuration need; the old list is left with those that are gone.
 */
static void swap_receivers(struct notifier *notifier, const struct notify_config *const *configs,
                           size_t count, struct receiver_settings *settings)
{
    struct receiver *old = notifier->receivers;
    struct receiver **end = &notifier->receivers;
    notifier->receivers = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct receiver_ops *ops = receiver_ops_for(configs[i]);
        struct receiver **link = &old;
        while (*link && (strcmp((*link)->name, configs[i]->name) != 0 || (*link)->ops != ops))
            link = &(*link)->next;
        struct receiver *receiver = *link;
        if (receiver)
            *link = receiver->next;
        else
            receiver = receiver_new(notifier, configs[i]->name, ops);
        receiver_settings_deinit(&receiver->settings);
        receiver->settings = settings[i];
        receiver->next = NULL;
        *end = receiver;
        end = &receiver->next;
        ops->changed(receiver);
    }
    while (old) {
        struct receiver *next = old->next;
        retire(notifier, old);
        old = next;
    }
}

int notifier_configure(struct notifier *notifier, const struct notify_config *const *configs, size_t count,
                       struct error *err)
{
    int rc = check_names(configs, count, err);
    struct receiver_settings *settings = xcalloc(count + 1, sizeof *settings);
    size_t ready = 0;
    while (rc == 0 && ready < count) {
        rc = receiver_settings_load(configs[ready], &settings[ready], err);
        if (rc == 0)
            ready++;
    }
    if (rc == 0)
        swap_receivers(notifier, configs, count, settings);
    else
        while (ready)
            receiver_settings_deinit(&settings[--ready]);
    free(settings);
    if (rc)
        return rc;
    notifier->configured_mono_ns = clock_mono_ns();
    notifier_load(notifier, true);
    notifier_pump(notifier);
    notifier_reap(notifier);
    return 0;
}

/* --- life */

int notifier_new(const struct notifier_options *options, struct notifier **ret_notifier, struct error *err)
{
    if (!options->loop || !options->http || !options->journal || !options->hub)
        return error_set(err, ERR_CONFIG, "notifier: a loop, an HTTP client, a journal and a hub are needed");
    struct notifier *notifier = xcalloc(1, sizeof *notifier);
    notifier->loop = options->loop;
    notifier->http = options->http;
    notifier->external_url = options->external_url ? xstrdup(options->external_url) : NULL;
    notifier->source = hub_register(options->hub, "collector", "notifier", 1);
    notifier->batch = batch_new(&(struct batch_options){0});
    map_init(&notifier->settled);
    outbox_link_init(&notifier->link, options->journal, options->loop);
    loop_timer_init(options->loop, &notifier->due_timer, "notifier.due", became_due, notifier);
    loop_timer_init(options->loop, &notifier->tick_timer, "notifier.tick", tick, notifier);
    *ret_notifier = notifier;
    return 0;
}

int notifier_start(struct notifier *notifier, struct error *err)
{
    (void)err; /* a journal that refuses now is asked again by the tick */
    notifier->started = true;
    loop_timer_start(&notifier->tick_timer, clock_mono_ns() + TICK_NS, TICK_NS);
    notifier_publish(notifier);
    notifier_load(notifier, true);
    return 0;
}

static void destroy(struct notifier *notifier)
{
    loop_fn *freed = notifier->freed;
    void *ctx = notifier->freed_ctx;
    while (notifier->retired) {
        struct receiver *receiver = notifier->retired;
        notifier->retired = receiver->next;
        receiver_free(receiver);
    }
    forget_settled(notifier);
    map_deinit(&notifier->settled);
    hub_unregister(notifier->source);
    batch_free(notifier->batch);
    free(notifier->external_url);
    free(notifier);
    if (freed)
        freed(ctx);
}

static void handle_closed(void *ctx)
{
    struct notifier *notifier = ctx;
    if (--notifier->closing == 0)
        destroy(notifier);
}

/* Calls come back first, as their outcomes are still stored; then the link drains and the timers close. */
static void try_close(struct notifier *notifier)
{
    bool waits =
        notifier->closing > 0 || counter_get(&notifier->wakes_run) != counter_get(&notifier->wakes_posted);
    for (const struct receiver *receiver = notifier->retired; receiver; receiver = receiver->next)
        waits = waits || receiver->calls > 0;
    if (waits)
        return;
    notifier->closing = 3;
    loop_timer_close(&notifier->due_timer, handle_closed);
    loop_timer_close(&notifier->tick_timer, handle_closed);
    outbox_link_close(&notifier->link, handle_closed, notifier);
}

void notifier_reap(struct notifier *notifier)
{
    if (notifier->freeing) {
        try_close(notifier);
        return;
    }
    bool gone = false;
    struct receiver **link = &notifier->retired;
    while (*link) {
        struct receiver *receiver = *link;
        if (receiver->in_flight) {
            link = &receiver->next;
            continue;
        }
        *link = receiver->next;
        receiver_free(receiver);
        gone = true;
    }
    if (gone) /* what it had not delivered is somebody else's now, or nobody's */
        notifier_load(notifier, true);
}

void notifier_free(struct notifier *notifier, loop_fn *freed, void *ctx)
{
    notifier->freeing = true;
    notifier->freed = freed;
    notifier->freed_ctx = ctx;
    loop_timer_stop(&notifier->due_timer);
    loop_timer_stop(&notifier->tick_timer);
    while (notifier->receivers) {
        struct receiver *receiver = notifier->receivers;
        notifier->receivers = receiver->next;
        retire(notifier, receiver);
    }
    for (struct receiver *receiver = notifier->retired; receiver; receiver = receiver->next)
        receiver->ops->cancel(receiver);
    try_close(notifier);
}

/* --- what the incidents' owner stores */

int notifier_store(struct notifier *notifier, struct journal_txn *txn, const struct alert *alert,
                   const char *receiver, struct error *err)
{
    (void)notifier;
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct journal_delivery *rows;
    size_t count;
    int rc = outbox_load_incident(txn, alert->incident_id, arena, &rows, &count, err);
    if (rc)
        return rc;
    const char *event = alert_state_text(alert->state);
    for (size_t i = 0; i < count; i++) {
        /* Told already: an incident that turns from unknown to firing again is still the same incident. */
        if (strcmp(rows[i].receiver, receiver) == 0 && strcmp(rows[i].event, event) == 0)
            return 0;
    }
    struct buf payload CLEANUP(buf_deinit) = BUF_INIT(ALERT_PAYLOAD_MAX);
    alert_codec_write(alert, &payload);
    if (payload.failed)
        return error_set(err, ERR_LIMIT, "alert %s: larger than %lu bytes", alert->trigger,
                         ALERT_PAYLOAD_MAX);
    char id[CRYPTO_UUID_SIZE];
    int64_t now_wall_ns = clock_wall_ns();
    crypto_uuid7(now_wall_ns, id);
    struct journal_delivery delivery = {
        .id = id,
        .incident_id = alert->incident_id,
        .receiver = receiver,
        .event = event,
        .payload = buf_str(&payload),
        .created_wall_ns = now_wall_ns,
        .next_attempt_wall_ns = now_wall_ns,
        .state = DELIVERY_PENDING,
        .last_error = "",
    };
    return outbox_add(txn, &delivery, err);
}

void notifier_encode_alert(const struct alert *alert, struct buf *out)
{
    alert_codec_write(alert, out);
}
