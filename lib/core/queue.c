#include "lib/core/queue.h"

#include "lib/core/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock; /* over everything below */
    pthread_cond_t changed;
    size_t capacity, head, count; /* head: the oldest element */
    uint64_t dropped;
    bool woken;
    void *elements[];
};

struct queue *queue_new(size_t capacity)
{
    if (!capacity)
        capacity = 1;
    struct queue *queue = xcalloc(1, sizeof *queue + capacity * sizeof queue->elements[0]);
    queue->capacity = capacity;
    (void)pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&queue->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    (void)pthread_cond_destroy(&queue->changed);
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue);
}

bool queue_push(struct queue *queue, void *element)
{
    (void)pthread_mutex_lock(&queue->lock);
    bool accepted = queue->count < queue->capacity;
    if (accepted) {
        queue->elements[(queue->head + queue->count) % queue->capacity] = element;
        queue->count++;
        /* The one consumer sleeps only while the queue is empty. */
        if (queue->count == 1)
            (void)pthread_cond_signal(&queue->changed);
    } else {
        queue->dropped++;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return accepted;
}

size_t queue_take(struct queue *queue, void **elements, size_t max)
{
    (void)pthread_mutex_lock(&queue->lock);
    size_t taken = queue->count < max ? queue->count : max;
    for (size_t i = 0; i < taken; i++) {
        elements[i] = queue->elements[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
    }
    queue->count -= taken;
    (void)pthread_mutex_unlock(&queue->lock);
    return taken;
}

void queue_wait(struct queue *queue, int64_t deadline_mono_ns)
{
    if (deadline_mono_ns < 0)
        deadline_mono_ns = 0;
    struct timespec deadline = {.tv_sec = deadline_mono_ns / NS_PER_S,
                                .tv_nsec = deadline_mono_ns % NS_PER_S};
    (void)pthread_mutex_lock(&queue->lock);
    while (!queue->count && !queue->woken) {
        if (pthread_cond_timedwait(&queue->changed, &queue->lock, &deadline) != 0)
            break;
    }
    queue->woken = false;
    (void)pthread_mutex_unlock(&queue->lock);
}

void queue_wake(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->woken = true;
    (void)pthread_cond_signal(&queue->changed);
    (void)pthread_mutex_unlock(&queue->lock);
}

static pthread_mutex_t *lock_of(const struct queue *queue)
{
    return (pthread_mutex_t *)(uintptr_t)&queue->lock;
}

size_t queue_depth(const struct queue *queue)
{
    (void)pthread_mutex_lock(lock_of(queue));
    size_t depth = queue->count;
    (void)pthread_mutex_unlock(lock_of(queue));
    return depth;
}

uint64_t queue_dropped(const struct queue *queue)
{
    (void)pthread_mutex_lock(lock_of(queue));
    uint64_t dropped = queue->dropped;
    (void)pthread_mutex_unlock(lock_of(queue));
    return dropped;
}
