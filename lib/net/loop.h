/* An event loop on a thread of its own (libuv underneath), with timers, descriptors and a mailbox.
 *
 * Lifetime rules:
 *  1. Everything but loop_post(), loop_stop() and the statistics is called on the loop's own thread.
 *  2. A timer or watch is embedded in its owner and initialised once. It may be freed or reused only after
 * its `closed` callback ran (loop_timer_close, loop_watch_close), because the kernel side outlives the call.
 *  3. Callbacks run one at a time and must not block; what takes over LOOP_SLOW_NS is counted, and the
 * watchdog names the callback that holds a loop longer than 100 ms.
 *  4. loop_stop() runs what is posted already, then ends the thread. Owners close their handles first.
 *
 * Times are monotonic nanoseconds of lib/core/clock.h; resolution is a millisecond. */
#ifndef FRAISEQL_NET_LOOP_H
#define FRAISEQL_NET_LOOP_H

#include "lib/core/error.h"

#define LOOP_SLOW_NS (10 * NS_PER_MS)

struct loop;
struct loop_timer;
struct loop_watch;

typedef void loop_fn(void *arg);

int loop_new(const char *name, struct loop **ret_loop, struct error *err) CHECK_RESULT;
void loop_free(struct loop *loop);                                 /* after loop_stop(); accepts NULL */
int loop_start(struct loop *loop, struct error *err) CHECK_RESULT; /* starts the thread */
/* For tests and small programs: runs on the calling thread until loop_stop() or the deadline (0: none). It
 * may be run again afterwards; a loop_stop() from before the run ends it at once. The first loop_new() of a
 * process makes it ignore SIGPIPE, unless it has a handler. */
void loop_run(struct loop *loop, int64_t deadline_mono_ns);
void loop_stop(struct loop *loop); /* any thread; returns at once; loop_join() waits */
void loop_join(struct loop *loop);
bool loop_is_own_thread(const struct loop *loop);
const char *loop_name(const struct loop *loop);

/* Any thread: fn(arg) on the loop, in the order of posting. `what` names it for the watchdog (static text).
 * False once the loop has stopped: fn will not run. */
bool loop_post(struct loop *loop, const char *what, loop_fn *fn, void *arg) CHECK_RESULT;

/* lateness_ns: how much later than due the callback runs. A tick that came late voids what it would judge. */
typedef void loop_timer_fn(void *ctx, int64_t lateness_ns);

struct loop_timer {
    struct loop *loop;
    const char *what;
    loop_timer_fn *fn;
    void *ctx;
    int64_t due_ns, repeat_ns;
    loop_fn *closed;
    _Alignas(16) unsigned char handle[192]; /* the library's handle */
};

void loop_timer_init(struct loop *loop, struct loop_timer *timer, const char *what, loop_timer_fn *fn,
                     void *ctx);
/* First at due_mono_ns, then every repeat_ns (0: once) on a fixed grid: a late tick does not shift later
 * ones, and missed ticks are skipped. Restarts when active. */
void loop_timer_start(struct loop_timer *timer, int64_t due_mono_ns, int64_t repeat_ns);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_active(const struct loop_timer *timer);
void loop_timer_close(struct loop_timer *timer, loop_fn *closed); /* closed(ctx) later; may be NULL */

enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2, LOOP_DISCONNECT = 4 };

/* status is 0, or negative when the descriptor is in error (a refused connection, a reset): the watch has
 * stopped then, and what is wrong is found by using the descriptor. */
typedef void loop_watch_fn(void *ctx, int status, int events);

struct loop_watch {
    struct loop *loop;
    const char *what;
    loop_watch_fn *fn;
    void *ctx;
    loop_fn *closed;
    _Alignas(16) unsigned char handle[256];
};

/* Watches one descriptor; only one watch a descriptor. Close the watch before the descriptor. */
int loop_watch_init(struct loop *loop, struct loop_watch *watch, int fd, const char *what, loop_watch_fn *fn,
                    void *ctx) CHECK_RESULT;
void loop_watch_start(struct loop_watch *watch, int events);
void loop_watch_stop(struct loop_watch *watch);
void loop_watch_close(struct loop_watch *watch, loop_fn *closed);

/* Any thread: for self metrics. */
struct loop_stats {
    int64_t lag_ns;     /* lateness of the last heartbeat (every 100 ms) */
    int64_t max_lag_ns; /* greatest since the last loop_reset_max_lag() */
    uint64_t slow_callbacks, posted, ticks;
    const char *running; /* `what` of the callback that holds the loop now, NULL when idle */
};

void loop_stats(struct loop *loop, struct loop_stats *ret_stats);
void loop_reset_max_lag(struct loop *loop); /* by the one who publishes it */

#endif
