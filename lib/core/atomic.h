/* The only atomics of the project: counters that any thread may read, reference counts and flags. */
#ifndef FRAISEQL_CORE_ATOMIC_H
#define FRAISEQL_CORE_ATOMIC_H

#include "lib/core/compiler.h"

#include <assert.h>
#include <stdatomic.h>

/* Monotone statistics; relaxed order: nothing is published through them. */
struct counter {
    _Atomic uint64_t value;
};

static inline void counter_add(struct counter *counter, uint64_t n)
{
    atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed);
}

static inline void counter_set(struct counter *counter, uint64_t n)
{
    atomic_store_explicit(&counter->value, n, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

/* The current value, before adding n: for drawing numbers. */
static inline uint64_t counter_draw(struct counter *counter, uint64_t n)
{
    return atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed);
}

/* Reference count; starts at 1. refcount_put() is true for the last holder, who frees. */
struct refcount {
    _Atomic uint32_t value;
};

static inline void refcount_init(struct refcount *count)
{
    atomic_init(&count->value, 1);
}

static inline void refcount_get(struct refcount *count)
{
    uint32_t before = atomic_fetch_add_explicit(&count->value, 1, memory_order_relaxed);
    assert(before > 0 && before < UINT32_MAX);
    (void)before;
}

static inline bool refcount_put(struct refcount *count)
{
    uint32_t before = atomic_fetch_sub_explicit(&count->value, 1, memory_order_acq_rel);
    assert(before > 0);
    return before == 1;
}

/* A flag or a small number with acquire/release order. */
struct flag {
    _Atomic int64_t value;
};

static inline void flag_set(struct flag *flag, int64_t value)
{
    atomic_store_explicit(&flag->value, value, memory_order_release);
}

static inline int64_t flag_get(const struct flag *flag)
{
    return atomic_load_explicit(&flag->value, memory_order_acquire);
}

#endif
