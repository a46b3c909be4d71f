#include "lib/metrics/snapshot_internal.h"

#include "lib/core/arena.h"

#include <stdlib.h>

_Static_assert(VALUE_ABSENT == 0, "a fresh snapshot is zeroed: all absent");

uint64_t shape_next_id(void)
{
    static struct counter last; /* ids are unique in the process, whatever thread draws them */
    return counter_draw(&last, 1) + 1;
}

struct shape *shape_ref(struct shape *shape)
{
    refcount_get(&shape->refs);
    return shape;
}

struct shape *shape_unref(struct shape *shape)
{
    if (shape && refcount_put(&shape->refs)) {
        free((void *)(uintptr_t)shape->text);
        free(shape); /* everything else lies behind the struct */
    }
    return NULL;
}

struct snapshot *snapshot_new(struct shape *shape, uint64_t **ret_bits, uint8_t **ret_kinds)
{
    size_t slots = shape->slot_count;
    size_t bytes = sizeof(struct snapshot) + slots * (sizeof(uint64_t) + 1);
    struct snapshot *snapshot = xmalloc(bytes);
    *snapshot = (struct snapshot){.shape = shape_ref(shape), .bytes = bytes};
    refcount_init(&snapshot->refs);
    *ret_bits = (uint64_t *)(snapshot + 1);
    *ret_kinds = (uint8_t *)(*ret_bits + slots);
    memset(*ret_kinds, VALUE_ABSENT, slots); /* bits of absent slots are never read */
    snapshot->bits = *ret_bits;
    snapshot->kinds = *ret_kinds;
    return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    refcount_get(&snapshot->refs);
    return snapshot;
}

struct snapshot *snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot && refcount_put(&snapshot->refs)) {
        (void)shape_unref(snapshot->shape);
        free(snapshot);
    }
    return NULL;
}

const struct shape_family *shape_find_family(const struct shape *shape, struct str name)
{
    uint32_t low = 0, high = shape->family_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(shape->families[middle].name, name);
        if (order == 0)
            return &shape->families[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
