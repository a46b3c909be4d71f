/* Deliveries of one receiver that are not done yet: those of one incident follow each other, those of
 * different incidents do not wait for each other. Pure: times are arguments.
 *
 * The first delivery of each incident is a candidate; candidates wait in a heap by the time they are due, so
 * that an outage with ten thousand incidents costs log n a step.
 *
 * Ownership: a delivery belongs to the queue from delivery_queue_add() to delivery_queue_remove(), which
 * frees it. Threads: owned by the egress loop. */
#ifndef FRAISEQL_EXPORTERS_DELIVERY_QUEUE_H
#define FRAISEQL_EXPORTERS_DELIVERY_QUEUE_H

#include "lib/core/str.h"
#include "lib/journal/outbox.h"

struct delivery_lane;

struct delivery {
    struct delivery *next; /* in the lane */
    struct delivery_lane *lane;
    char *id, *incident_id, *event, *payload;
    size_t payload_len;
    int64_t created_wall_ns;
    int64_t due_mono_ns;
    uint32_t attempts;
    void *owner; /* for callbacks of whoever took it */
    void *call;
    bool busy; /* taken: being sent, or its outcome is being stored */
    char last_error[256];
};

struct delivery_queue;

struct delivery_queue *delivery_queue_new(void);
void delivery_queue_free(struct delivery_queue *queue); /* accepts NULL; frees what is inside */

/* Copies what the journal holds. Behind earlier ones of its incident. */
struct delivery *delivery_queue_add(struct delivery_queue *queue, const struct journal_delivery *stored,
                                    int64_t due_mono_ns);
/* The candidate that is due first, marked busy; NULL when none is due. */
struct delivery *delivery_queue_take(struct delivery_queue *queue, int64_t now_mono_ns);
/* When the next candidate is due; INT64_MAX when there is none. */
int64_t delivery_queue_due(const struct delivery_queue *queue);
/* A taken one is to be tried again at delivery->due_mono_ns. */
void delivery_queue_return(struct delivery_queue *queue, struct delivery *delivery);
/* A taken one is done: frees it and makes the next of its incident a candidate. */
void delivery_queue_remove(struct delivery_queue *queue, struct delivery *delivery);
/* Makes everything that waits due now (the receiver's settings changed). */
void delivery_queue_hurry(struct delivery_queue *queue, int64_t now_mono_ns);

/* Each delivery that is busy; fn must not change the queue. */
typedef void delivery_queue_fn(struct delivery *delivery);
void delivery_queue_each_busy(const struct delivery_queue *queue, delivery_queue_fn *fn);

struct delivery *delivery_queue_find(const struct delivery_queue *queue, const char *id);
size_t delivery_queue_depth(const struct delivery_queue *queue);
/* Wall time at which the oldest was created; 0 when empty. O(depth). */
int64_t delivery_queue_oldest(const struct delivery_queue *queue);

/* For receivers that keep their own order: copying and freeing one. */
struct delivery *delivery_new(const struct journal_delivery *stored, int64_t due_mono_ns);
void delivery_free(struct delivery *delivery); /* accepts NULL */

DEFINE_CLEANUP(struct delivery_queue, delivery_queue_free)

#endif
