/* What the watchdog and the resolver need of a loop beyond its public face. Stays in lib/net. */
#ifndef FRAISEQL_NET_LOOP_INTERNAL_H
#define FRAISEQL_NET_LOOP_INTERNAL_H

#include "lib/core/atomic.h"
#include "lib/net/loop.h"

#include <pthread.h>
#include <uv.h>

struct loop_item {
    const char *what;
    loop_fn *fn;
    void *arg;
};

struct loop_items {
    struct loop_item *items;
    size_t count, capacity;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t deadline; /* of loop_run() */
    struct loop_timer heartbeat;
    char name[32];
    pthread_t thread;
    bool started, joined;
    struct refcount refs;

    /* Mailbox: `lock` guards the members of this group; any thread writes. */
    pthread_mutex_t lock;
    struct loop_items inbox;
    bool stop_requested; /* loop_stop() was called and not yet obeyed */
    bool stopped;        /* the thread has ended for good: the mailbox is closed */
    int64_t lag_ns, max_lag_ns;

    struct loop_items batch; /* loop thread only: what is being run */

    struct flag owner;         /* pthread_t of the thread that runs the loop, or made it */
    struct flag in_run;        /* the loop is being run now */
    struct flag beat_ns;       /* when the heartbeat is due next */
    struct flag running_what;  /* address of the static text; written before running_since */
    struct flag running_since; /* monotonic start of the callback under way, 0 when idle */
    struct counter slow_callbacks, posted, ticks;
};

/* Bracket every callback. They do not nest: a callback that calls another directly is one hold. */
void loop_enter(struct loop *loop, const char *what);
void loop_leave(struct loop *loop);

/* The callback that holds the loop now and since when; false when idle. Any thread. */
bool loop_running(const struct loop *loop, const char **ret_what, int64_t *ret_since_ns);

/* A loop may be freed while a lookup of it hangs in the resolver: the mailbox lives until the last holder. */
struct loop *loop_ref(struct loop *loop);
void loop_unref(struct loop *loop);

#endif
