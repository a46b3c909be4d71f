/* Durable queue of notifications, and the incidents they tell of. All functions run inside a transaction.
 *
 * A delivery is one message to one receiver. It is stored in the transaction that changes its incident, so
 * neither exists without the other; it is offered again until it is marked delivered or dead. */
#ifndef FRAISEQL_JOURNAL_OUTBOX_H
#define FRAISEQL_JOURNAL_OUTBOX_H

#include "lib/core/arena.h"
#include "lib/journal/journal.h"

enum delivery_state { DELIVERY_PENDING, DELIVERY_DELIVERED, DELIVERY_DEAD };
const char *delivery_state_text(enum delivery_state state); /* "pending", "delivered", "dead" */

struct journal_delivery {
    const char *id; /* UUID: the webhook-id, the same over all attempts */
    const char *incident_id;
    const char *receiver;
    const char *event;  /* "firing", "unknown", "resolved" */
    struct str payload; /* the alert as stored by the exporter, self-contained */
    int64_t created_wall_ns;
    int64_t next_attempt_wall_ns;
    uint32_t attempts;
    enum delivery_state state;
    const char *last_error; /* "" when none */
};

int outbox_add(struct journal_txn *txn, const struct journal_delivery *delivery, struct error *err)
    CHECK_RESULT;
/* Updates state, attempts, next_attempt_wall_ns and last_error of the delivery with this id. */
int outbox_update(struct journal_txn *txn, const struct journal_delivery *delivery, struct error *err)
    CHECK_RESULT;
/* All pending deliveries, oldest first, copied into the arena. */
int outbox_load_pending(struct journal_txn *txn, struct arena *arena,
                        struct journal_delivery **ret_deliveries, size_t *ret_count, struct error *err)
    CHECK_RESULT;
/* Deliveries of one incident, oldest first. */
int outbox_load_incident(struct journal_txn *txn, const char *incident_id, struct arena *arena,
                         struct journal_delivery **ret_deliveries, size_t *ret_count, struct error *err)
    CHECK_RESULT;
/* Deletes delivered and dead ones of incidents that were resolved before the time. */
int outbox_expire(struct journal_txn *txn, int64_t before_wall_ns, struct error *err) CHECK_RESULT;

struct journal_incident {
    const char *id; /* UUID version 7: sorts by time */
    const char *trigger;
    const char *labels; /* canonical label text: with trigger, the incident's identity */
    const char *state;  /* "firing", "unknown", "resolved" */
    int64_t started_wall_ns, resolved_wall_ns; /* resolved 0: open */
    struct str payload;                        /* the alert as of the last change */
};

int incident_put(struct journal_txn *txn, const struct journal_incident *incident, struct error *err)
    CHECK_RESULT;
/* Newest first; before_id NULL: from the newest. */
int incident_list(struct journal_txn *txn, const char *before_id, size_t limit, struct arena *arena,
                  struct journal_incident **ret_incidents, size_t *ret_count, struct error *err) CHECK_RESULT;
/* Those not resolved. */
int incident_load_open(struct journal_txn *txn, struct arena *arena, struct journal_incident **ret_incidents,
                       size_t *ret_count, struct error *err) CHECK_RESULT;

#endif
