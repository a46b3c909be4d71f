/* The parts of the notifier: notifier.c owns receivers and the outbox link, receiver.c what all receivers
 * share, receiver_webhook.c and receiver_alertmanager.c send, notifier_metrics.c publishes. All on the egress
 * loop. */
#ifndef FRAISEQL_EXPORTERS_NOTIFIER_INTERNAL_H
#define FRAISEQL_EXPORTERS_NOTIFIER_INTERNAL_H

#include "exporters/delivery.h"
#include "exporters/delivery_queue.h"
#include "exporters/notifier.h"
#include "exporters/notify_config.h"
#include "exporters/outbox_link.h"
#include "exporters/webhook_sign.h"
#include "lib/core/atomic.h"
#include "lib/core/map.h"
#include "lib/core/secret.h"

/* Deliveries held in memory; what is beyond waits in the journal and is loaded when there is room again. */
#define NOTIFIER_MAX_PENDING 20000U
/* The outbox is read at least this often, in case a wake-up was lost with a failed load. */
#define NOTIFIER_RELOAD_NS (30 * NS_PER_S)
/* A delivery without a receiver is dead when the configuration has lacked it for this long, or when it is
 * this old. */
#define NOTIFIER_ORPHAN_NS         (3600 * NS_PER_S)
#define NOTIFIER_ORPHAN_MAX_AGE_NS (7 * 24 * 3600 * NS_PER_S)

/* What one generation of the configuration says about a receiver, with its secrets. */
struct receiver_settings {
    const struct notify_config *config;
    struct webhook_keys *keys;
    struct secret *bearer_token, *basic_password;
};

int receiver_settings_load(const struct notify_config *config, struct receiver_settings *ret_settings,
                           struct error *err) CHECK_RESULT;
void receiver_settings_deinit(struct receiver_settings *settings);

struct receiver;

struct receiver_ops {
    const char *kind;
    void (*init)(struct receiver *receiver);
    void (*deinit)(struct receiver *receiver);
    /* The settings were replaced: what waits is tried at once. */
    void (*changed)(struct receiver *receiver);
    /* A pending delivery, in order; false when it is known already. */
    bool (*offer)(struct receiver *receiver, const struct journal_delivery *row);
    /* The incidents of a load, after its deliveries were offered. May be NULL. */
    void (*review)(struct receiver *receiver, const struct outbox_contents *contents);
    /* Sends what is due. */
    void (*pump)(struct receiver *receiver, int64_t now_mono_ns);
    int64_t (*due)(const struct receiver *receiver); /* monotonic; INT64_MAX: nothing waits for a time */
    void (*cancel)(struct receiver *receiver);       /* every call under way */
    size_t (*depth)(const struct receiver *receiver);
    int64_t (*oldest)(const struct receiver *receiver); /* wall time; 0: none */
};

extern const struct receiver_ops webhook_receiver_ops, alertmanager_receiver_ops;

enum notification_result { RESULT_DELIVERED, RESULT_FAILED, RESULT_DEAD, RESULT_COUNT };

struct receiver {
    struct receiver *next;
    struct notifier *notifier;
    char *name;
    const struct receiver_ops *ops;
    void *state; /* of the kind */
    struct receiver_settings settings;
    uint64_t results[RESULT_COUNT];
    size_t in_flight; /* HTTP calls and stores that will come back */
    size_t calls;     /* HTTP calls among them */
    bool retired;     /* no longer configured: settings are gone, freed when in_flight is 0 */
};

struct notifier {
    struct loop *loop;
    struct http_client *http;
    struct hub_source *source;
    struct batch *batch;
    char *external_url;
    struct outbox_link link;
    struct loop_timer due_timer, tick_timer;
    struct receiver *receivers, *retired;
    bool started;
    bool loading, load_again, load_whole;
    int64_t loaded_mono_ns, configured_mono_ns;
    struct map settled; /* ids stored while a load was under way: it may still show them as pending */
    struct counter wakes_posted, wakes_run; /* posted: any thread, run: the loop's */
    size_t closing;                         /* handles whose `closed` is still to come */
    bool freeing;
    loop_fn *freed;
    void *freed_ctx;
};

/* --- notifier.c */

void notifier_load(struct notifier *notifier, bool whole);
/* Starts what is due and arms the timer for what comes next. */
void notifier_pump(struct notifier *notifier);
void notifier_note_settled(struct notifier *notifier, const char *id);
/* After in_flight fell: frees what waited for it. */
void notifier_reap(struct notifier *notifier);

/* --- receiver.c */

struct receiver *receiver_new(struct notifier *notifier, const char *name, const struct receiver_ops *ops);
void receiver_free(struct receiver *receiver);
const struct receiver_ops *receiver_ops_for(const struct notify_config *config);

/* When a stored delivery is to be tried, on the monotonic clock; a wall clock that jumped cannot put it off
 * by more than a Retry-After could. */
int64_t receiver_due_of(const struct journal_delivery *row);
struct journal_delivery receiver_row(const struct delivery *delivery, enum delivery_state state);
/* Stores the failure of an attempt and forgets about it. */
void receiver_store_retry(struct receiver *receiver, const struct delivery *delivery);

/* A 2xx whose body is too long or never ends is an acceptance all the same. */
#define RECEIVER_ANSWER_MAX_BYTES (256UL * 1024)
struct delivery_outcome receiver_outcome(const struct http_response *response, const struct error *err);

/* --- notifier_metrics.c */

void notifier_publish(struct notifier *notifier);

#endif
