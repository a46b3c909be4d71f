#include "lib/net/loop.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/net/loop_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_NS (100 * NS_PER_MS)

static int64_t self(void)
{
    return (int64_t)pthread_self();
}

void loop_enter(struct loop *loop, const char *what)
{
    flag_set(&loop->running_what, (int64_t)(intptr_t)what);
    flag_set(&loop->running_since, clock_mono_ns());
}

void loop_leave(struct loop *loop)
{
    if (clock_mono_ns() - flag_get(&loop->running_since) > LOOP_SLOW_NS)
        counter_add(&loop->slow_callbacks, 1);
    flag_set(&loop->running_since, 0);
}

bool loop_running(const struct loop *loop, const char **ret_what, int64_t *ret_since_ns)
{
    /* `what` is written before `since`, so a `since` that is the same on both sides belongs to it. */
    int64_t since = flag_get(&loop->running_since);
    int64_t what = flag_get(&loop->running_what);
    if (since == 0 || since != flag_get(&loop->running_since))
        return false;
    *ret_what = (const char *)(intptr_t)what;
    *ret_since_ns = since;
    return true;
}

static void push_item(struct loop_items *items, struct loop_item item)
{
    if (items->count == items->capacity) {
        items->capacity = items->capacity ? items->capacity * 2 : 64;
        items->items = xrealloc(items->items, items->capacity * sizeof *items->items);
    }
    items->items[items->count++] = item;
}

/* Runs what was posted when it was called; true when a stop was asked for before that. */
static bool run_inbox(struct loop *loop, bool close_mailbox)
{
    pthread_mutex_lock(&loop->lock);
    struct loop_items taken = loop->inbox;
    loop->inbox = loop->batch;
    loop->inbox.count = 0;
    loop->batch = taken;
    bool stop = loop->stop_requested;
    if (close_mailbox)
        loop->stopped = true;
    pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < loop->batch.count; i++) {
        struct loop_item item = loop->batch.items[i];
        loop_enter(loop, item.what);
        item.fn(item.arg);
        loop_leave(loop);
    }
    loop->batch.count = 0;
    return stop;
}

static void on_wake(uv_async_t *wake)
{
    struct loop *loop = wake->data;
    if (run_inbox(loop, false))
        uv_stop(&loop->uv);
}

static void on_deadline(uv_timer_t *timer)
{
    struct loop *loop = timer->data;
    uv_stop(&loop->uv);
}

static void on_heartbeat(void *ctx, int64_t lateness_ns)
{
    struct loop *loop = ctx;
    counter_add(&loop->ticks, 1);
    flag_set(&loop->beat_ns, loop->heartbeat.due_ns);
    pthread_mutex_lock(&loop->lock);
    loop->lag_ns = lateness_ns;
    if (lateness_ns > loop->max_lag_ns)
        loop->max_lag_ns = lateness_ns;
    pthread_mutex_unlock(&loop->lock);
}

/* Sockets of libraries are written without MSG_NOSIGNAL in places (OpenSSL's BIO does), so the default action
 * of SIGPIPE would end the process when a peer goes away. A handler the program has set is left alone. */
static void ignore_sigpipe(void)
{
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        (void)sigaction(SIGPIPE, &action, NULL);
    }
}

int loop_new(const char *name, struct loop **ret_loop, struct error *err)
{
    struct loop *loop = xcalloc(1, sizeof *loop);
    int rc = uv_loop_init(&loop->uv);
    if (rc < 0) {
        free(loop);
        return error_set_errno(err, -rc, "cannot create the event loop %s", name);
    }
    rc = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (rc < 0) {
        (void)uv_loop_close(&loop->uv);
        free(loop);
        return error_set_errno(err, -rc, "cannot create the mailbox of the event loop %s", name);
    }
    ignore_sigpipe();
    loop->wake.data = loop;
    (void)uv_timer_init(&loop->uv, &loop->deadline);
    loop->deadline.data = loop;
    (void)snprintf(loop->name, sizeof loop->name, "%s", name);
    pthread_mutex_init(&loop->lock, NULL);
    refcount_init(&loop->refs);
    flag_set(&loop->owner, self());
    loop_timer_init(loop, &loop->heartbeat, "heartbeat", on_heartbeat, loop);
    *ret_loop = loop;
    return 0;
}

struct loop *loop_ref(struct loop *loop)
{
    refcount_get(&loop->refs);
    return loop;
}

void loop_unref(struct loop *loop)
{
    if (!refcount_put(&loop->refs))
        return;
    pthread_mutex_destroy(&loop->lock);
    free(loop->inbox.items);
    free(loop->batch.items);
    free(loop);
}

static void count_closing(uv_handle_t *handle, void *arg)
{
    size_t *closing = arg;
    if (uv_is_closing(handle))
        ++*closing;
}

/* Lets the `closed` callbacks of handles that are being closed run. */
static void finish_closing(struct loop *loop)
{
    for (;;) {
        size_t closing = 0;
        uv_walk(&loop->uv, count_closing, &closing);
        if (!closing)
            return;
        (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
    }
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    loop_join(loop);
    flag_set(&loop->owner, self());
    (void)run_inbox(loop, true);
    loop_timer_close(&loop->heartbeat, NULL);
    uv_close((uv_handle_t *)&loop->deadline, NULL);
    /* The mailbox is closed under its lock, so nobody sends to the handle any more. */
    uv_close((uv_handle_t *)&loop->wake, NULL);
    finish_closing(loop);
    if (uv_loop_close(&loop->uv) == 0) {
        loop_unref(loop);
        return;
    }
    /* An owner forgot a handle; its memory may be gone already, so the loop is left alone. */
    LOG_EVENT(LOG_ERROR, "loop.handles_left_open", LF_TEXT("loop", loop->name));
}

static void run(struct loop *loop)
{
    int64_t first_beat_ns = clock_mono_ns() + HEARTBEAT_NS;
    flag_set(&loop->owner, self());
    flag_set(&loop->beat_ns, first_beat_ns);
    flag_set(&loop->in_run, 1);
    loop_timer_start(&loop->heartbeat, first_beat_ns, HEARTBEAT_NS);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop_timer_stop(&loop->heartbeat);
    flag_set(&loop->in_run, 0);
}

void loop_run(struct loop *loop, int64_t deadline_mono_ns)
{
    if (deadline_mono_ns) {
        int64_t left_ns = deadline_mono_ns - clock_mono_ns();
        uv_update_time(&loop->uv);
        (void)uv_timer_start(&loop->deadline, on_deadline,
                             left_ns > 0 ? (uint64_t)((left_ns + NS_PER_MS - 1) / NS_PER_MS) : 0, 0);
    }
    run(loop);
    (void)uv_timer_stop(&loop->deadline);
    pthread_mutex_lock(&loop->lock);
    loop->stop_requested = false;
    pthread_mutex_unlock(&loop->lock);
}

static void *thread_main(void *arg)
{
    struct loop *loop = arg;
    char name[16];
    (void)snprintf(name, sizeof name, "%.15s", loop->name);
    (void)pthread_setname_np(pthread_self(), name);
    run(loop);
    (void)run_inbox(loop, true);
    finish_closing(loop);
    return NULL;
}

int loop_start(struct loop *loop, struct error *err)
{
    /* Signals are the main thread's business. */
    sigset_t all, before;
    sigfillset(&all);
    flag_set(&loop->owner, 0); /* the maker's no more; nobody's until the thread has begun */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&loop->thread, NULL, thread_main, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return error_set_errno(err, rc, "cannot start the thread of the event loop %s", loop->name);
    loop->started = true;
    return 0;
}

void loop_stop(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    if (!loop->stopped) {
        loop->stop_requested = true;
        (void)uv_async_send(&loop->wake);
    }
    pthread_mutex_unlock(&loop->lock);
}

void loop_join(struct loop *loop)
{
    if (!loop->started || loop->joined)
        return;
    pthread_join(loop->thread, NULL);
    loop->joined = true;
}

bool loop_is_own_thread(const struct loop *loop)
{
    return flag_get(&loop->owner) == self();
}

const char *loop_name(const struct loop *loop)
{
    return loop->name;
}

bool loop_post(struct loop *loop, const char *what, loop_fn *fn, void *arg)
{
    pthread_mutex_lock(&loop->lock);
    bool accepted = !loop->stopped;
    if (accepted) {
        push_item(&loop->inbox, (struct loop_item){what, fn, arg});
        (void)uv_async_send(&loop->wake);
    }
    pthread_mutex_unlock(&loop->lock);
    if (accepted)
        counter_add(&loop->posted, 1);
    return accepted;
}

void loop_reset_max_lag(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->max_lag_ns = 0;
    pthread_mutex_unlock(&loop->lock);
}

void loop_stats(struct loop *loop, struct loop_stats *ret_stats)
{
    int64_t overdue_ns = flag_get(&loop->in_run) ? clock_mono_ns() - flag_get(&loop->beat_ns) : 0;
    pthread_mutex_lock(&loop->lock);
    ret_stats->lag_ns = loop->lag_ns;
    ret_stats->max_lag_ns = loop->max_lag_ns;
    pthread_mutex_unlock(&loop->lock);
    /* A loop that is held shows its growing lag before its next heartbeat can. */
    if (overdue_ns > ret_stats->lag_ns)
        ret_stats->lag_ns = overdue_ns;
    if (overdue_ns > ret_stats->max_lag_ns)
        ret_stats->max_lag_ns = overdue_ns;
    ret_stats->slow_callbacks = counter_get(&loop->slow_callbacks);
    ret_stats->posted = counter_get(&loop->posted);
    ret_stats->ticks = counter_get(&loop->ticks);
    int64_t since;
    if (!loop_running(loop, &ret_stats->running, &since))
        ret_stats->running = NULL;
}
