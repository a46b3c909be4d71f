/* Notifications out: signed webhooks and Alertmanager, from the durable outbox.
 *
 * At least once: a delivery is stored in the transaction that changes its incident (notifier_store), offered
 * until its receiver answered 2xx, and not sent again once that is committed. Retries wait 0.5 s, x1.5, at
 * most 60 s, Retry-After honoured. Deliveries of one incident reach one receiver in order; a receiver that
 * hangs delays no other. An Alertmanager gets a firing alert again every repeat interval for as long as it
 * fires (also after a restart), and the resolved one with endsAt.
 *
 * Threads: notifier_store() on the journal thread; notifier_wake() on any; the rest on the egress loop's
 * thread. */
#ifndef FRAISEQL_EXPORTERS_NOTIFIER_H
#define FRAISEQL_EXPORTERS_NOTIFIER_H

#include "lib/core/option.h"
#include "lib/journal/outbox.h"
#include "lib/metrics/alert.h"
#include "lib/metrics/batch.h"
#include "lib/metrics/hub.h"
#include "lib/net/http_client.h"

/* One element of `notify:`. */
struct notify_config;
extern const struct option_section notify_section;
const char *notify_config_name(const struct notify_config *config);
const struct option_position *notify_config_position(const struct notify_config *config);
/* Warnings: files of secrets that cannot be read now. */
void notify_config_check(const struct notify_config *config, struct diag *diag);
size_t notify_config_size(void);

struct notifier;

struct notifier_options {
    struct loop *loop; /* the egress loop */
    struct http_client *http;
    struct journal *journal;
    struct hub *hub;
    const char *observer;
    const char *external_url; /* put into generatorURL and externalURL; may be NULL */
};

int notifier_new(const struct notifier_options *options, struct notifier **ret_notifier, struct error *err)
    CHECK_RESULT;
/* Replaces the receivers (secrets are read here; a missing secret file is an error and changes nothing). What
 * is pending for a receiver that is gone waits an hour for it to come back, as it may be in an included file
 * that is broken, and is then marked dead and logged. configs stay valid until the next call or
 * notifier_free() has finished. */
int notifier_configure(struct notifier *notifier, const struct notify_config *const *configs, size_t count,
                       struct error *err) CHECK_RESULT;
/* Loads what a former process left pending and what is still firing, and begins to deliver. */
int notifier_start(struct notifier *notifier, struct error *err) CHECK_RESULT;
/* Cancels what is under way (it stays in the outbox), waits a little for what is being
 * stored (a journal that cannot commit does not hold it up), then calls freed(ctx).
 * No other call may be made after this one; the journal, the hub, the HTTP client and the running loop must
 * outlive it. */
void notifier_free(struct notifier *notifier, loop_fn *freed, void *ctx);

/* Inside the transaction that changes the incident, which is stored too. A receiver is told of each state of
 * an incident once: a second call with the same state adds nothing, so one that turns from unknown to firing
 * again is not announced a second time (an Alertmanager sees it with its next repeat, by the incident's own
 * payload). */
int notifier_store(struct notifier *notifier, struct journal_txn *txn, const struct alert *alert,
                   const char *receiver, struct error *err) CHECK_RESULT;
/* After the commit: look at the outbox. */
void notifier_wake(struct notifier *notifier);

/* The alert as stored in outbox and incident payloads (JSON), for the incidents API. */
void notifier_encode_alert(const struct alert *alert, struct buf *out);

#endif
