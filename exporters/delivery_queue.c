#include "exporters/delivery_queue.h"

#include "lib/core/map.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define NOT_IN_HEAP SIZE_MAX

/* The deliveries of one incident; its key in the map is the first one's incident_id. */
struct delivery_lane {
    char *incident_id;
    struct delivery *first, *last;
    size_t heap_index;
};

struct delivery_queue {
    struct map lanes;            /* by incident */
    struct map ids;              /* struct delivery by id */
    struct delivery_lane **heap; /* lanes whose first delivery is not busy, a binary heap by its due time */
    size_t heap_count, heap_cap;
};

/* --- one delivery */

struct delivery *delivery_new(const struct journal_delivery *stored, int64_t due_mono_ns)
{
    struct delivery *delivery = xcalloc(1, sizeof *delivery);
    delivery->id = xstrdup(stored->id);
    delivery->incident_id = xstrdup(stored->incident_id);
    delivery->event = xstrdup(stored->event);
    delivery->payload = xstrndup(stored->payload);
    delivery->payload_len = stored->payload.len;
    delivery->created_wall_ns = stored->created_wall_ns;
    delivery->attempts = stored->attempts;
    delivery->due_mono_ns = due_mono_ns;
    (void)snprintf(delivery->last_error, sizeof delivery->last_error, "%s",
                   stored->last_error ? stored->last_error : "");
    return delivery;
}

void delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    free(delivery->id);
    free(delivery->incident_id);
    free(delivery->event);
    free(delivery->payload);
    free(delivery);
}

/* --- heap of lanes */

static int64_t due_of(const struct delivery_queue *queue, size_t index)
{
    return queue->heap[index]->first->due_mono_ns;
}

static void heap_put(struct delivery_queue *queue, size_t index, struct delivery_lane *lane)
{
    queue->heap[index] = lane;
    lane->heap_index = index;
}

static void heap_swap(struct delivery_queue *queue, size_t a, size_t b)
{
    struct delivery_lane *lane = queue->heap[a];
    heap_put(queue, a, queue->heap[b]);
    heap_put(queue, b, lane);
}

static void heap_rise(struct delivery_queue *queue, size_t index)
{
    while (index > 0 && due_of(queue, (index - 1) / 2) > due_of(queue, index)) {
        heap_swap(queue, index, (index - 1) / 2);
        index = (index - 1) / 2;
    }
}

static void heap_sink(struct delivery_queue *queue, size_t index)
{
    for (;;) {
        size_t least = index;
        for (size_t child = 2 * index + 1; child <= 2 * index + 2 && child < queue->heap_count; child++) {
            if (due_of(queue, child) < due_of(queue, least))
                least = child;
        }
        if (least == index)
            return;
        heap_swap(queue, index, least);
        index = least;
    }
}

static void heap_add(struct delivery_queue *queue, struct delivery_lane *lane)
{
    assert(lane->heap_index == NOT_IN_HEAP);
    if (queue->heap_count == queue->heap_cap) {
        queue->heap_cap = queue->heap_cap ? queue->heap_cap * 2 : 16;
        queue->heap = xrealloc(queue->heap, queue->heap_cap * sizeof(struct delivery_lane *));
    }
    heap_put(queue, queue->heap_count++, lane);
    heap_rise(queue, lane->heap_index);
}

static struct delivery_lane *heap_pop(struct delivery_queue *queue)
{
    struct delivery_lane *lane = queue->heap[0];
    lane->heap_index = NOT_IN_HEAP;
    if (--queue->heap_count) {
        heap_put(queue, 0, queue->heap[queue->heap_count]);
        heap_sink(queue, 0);
    }
    return lane;
}

/* --- queue */

struct delivery_queue *delivery_queue_new(void)
{
    struct delivery_queue *queue = xcalloc(1, sizeof *queue);
    map_init(&queue->lanes);
    map_init(&queue->ids);
    return queue;
}

void delivery_queue_free(struct delivery_queue *queue)
{
    if (!queue)
        return;
    MAP_EACH (entry, &queue->lanes) {
        struct delivery_lane *lane = entry->value;
        while (lane->first) {
            struct delivery *delivery = lane->first;
            lane->first = delivery->next;
            delivery_free(delivery);
        }
        free(lane->incident_id);
        free(lane);
    }
    map_deinit(&queue->lanes);
    map_deinit(&queue->ids);
    free(queue->heap);
    free(queue);
}

static struct delivery_lane *lane_for(struct delivery_queue *queue, const char *incident_id)
{
    struct delivery_lane *lane = map_get(&queue->lanes, str_from(incident_id));
    if (lane)
        return lane;
    lane = xcalloc(1, sizeof *lane);
    lane->incident_id = xstrdup(incident_id);
    lane->heap_index = NOT_IN_HEAP;
    (void)map_put(&queue->lanes, str_from(lane->incident_id), lane);
    return lane;
}

struct delivery *delivery_queue_add(struct delivery_queue *queue, const struct journal_delivery *stored,
                                    int64_t due_mono_ns)
{
    struct delivery *delivery = delivery_new(stored, due_mono_ns);
    struct delivery_lane *lane = lane_for(queue, delivery->incident_id);
    delivery->lane = lane;
    if (lane->last)
        lane->last->next = delivery;
    else
        lane->first = delivery;
    lane->last = delivery;
    (void)map_put(&queue->ids, str_from(delivery->id), delivery);
    if (lane->first == delivery)
        heap_add(queue, lane);
    return delivery;
}

struct delivery *delivery_queue_take(struct delivery_queue *queue, int64_t now_mono_ns)
{
    if (delivery_queue_due(queue) > now_mono_ns)
        return NULL;
    struct delivery *delivery = heap_pop(queue)->first;
    delivery->busy = true;
    return delivery;
}

int64_t delivery_queue_due(const struct delivery_queue *queue)
{
    return queue->heap_count ? due_of(queue, 0) : INT64_MAX;
}

void delivery_queue_return(struct delivery_queue *queue, struct delivery *delivery)
{
    assert(delivery->busy && delivery->lane->first == delivery);
    delivery->busy = false;
    heap_add(queue, delivery->lane);
}

void delivery_queue_remove(struct delivery_queue *queue, struct delivery *delivery)
{
    struct delivery_lane *lane = delivery->lane;
    assert(delivery->busy && lane->first == delivery);
    (void)map_remove(&queue->ids, str_from(delivery->id));
    lane->first = delivery->next;
    delivery_free(delivery);
    if (lane->first) {
        heap_add(queue, lane);
        return;
    }
    (void)map_remove(&queue->lanes, str_from(lane->incident_id));
    free(lane->incident_id);
    free(lane);
}

void delivery_queue_hurry(struct delivery_queue *queue, int64_t now_mono_ns)
{
    MAP_EACH (entry, &queue->ids) {
        struct delivery *delivery = entry->value;
        if (!delivery->busy && delivery->due_mono_ns > now_mono_ns)
            delivery->due_mono_ns = now_mono_ns;
    }
    /* Equal or smaller keys everywhere: rebuild bottom-up. */
    for (size_t i = queue->heap_count / 2; i-- > 0;)
        heap_sink(queue, i);
}

void delivery_queue_each_busy(const struct delivery_queue *queue, delivery_queue_fn *fn)
{
    MAP_EACH (entry, &queue->ids) {
        struct delivery *delivery = entry->value;
        if (delivery->busy)
            fn(delivery);
    }
}

struct delivery *delivery_queue_find(const struct delivery_queue *queue, const char *id)
{
    return map_get(&queue->ids, str_from(id));
}

size_t delivery_queue_depth(const struct delivery_queue *queue)
{
    return queue->ids.count;
}

int64_t delivery_queue_oldest(const struct delivery_queue *queue)
{
    int64_t oldest = 0;
    MAP_EACH (entry, &queue->ids) {
        const struct delivery *delivery = entry->value;
        if (oldest == 0 || delivery->created_wall_ns < oldest)
            oldest = delivery->created_wall_ns;
    }
    return oldest;
}
