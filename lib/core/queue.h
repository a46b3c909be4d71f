/* Bounded queue between threads: many producers, one consumer. A full queue drops the new element and counts
 * it; the producer never waits.
 * Ownership: elements are pointers; what push() accepted belongs to the consumer, what it refused stays with
 * the producer. Lock: one mutex inside. */
#ifndef FRAISEQL_CORE_QUEUE_H
#define FRAISEQL_CORE_QUEUE_H

#include "lib/core/compiler.h"

struct queue;

struct queue *queue_new(size_t capacity);
void queue_free(struct queue *queue); /* elements left inside are the caller's to drain first */
bool queue_push(struct queue *queue, void *element) CHECK_RESULT;
/* Moves up to `max` elements out, oldest first; returns how many. Never waits. */
size_t queue_take(struct queue *queue, void **elements, size_t max);
/* Waits until there is an element, the deadline passed (monotonic) or queue_wake() was called. */
void queue_wait(struct queue *queue, int64_t deadline_mono_ns);
void queue_wake(struct queue *queue);
size_t queue_depth(const struct queue *queue);
uint64_t queue_dropped(const struct queue *queue);

#endif
