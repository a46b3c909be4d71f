/* Timers and descriptor watches of a loop (lib/net/loop.h). */
#include "lib/core/clock.h"
#include "lib/net/loop_internal.h"

_Static_assert(sizeof(uv_timer_t) <= sizeof(((struct loop_timer *)0)->handle),
               "the timer's room is too small");
_Static_assert(sizeof(uv_poll_t) <= sizeof(((struct loop_watch *)0)->handle),
               "the watch's room is too small");

static uv_timer_t *timer_handle(const struct loop_timer *timer)
{
    return (uv_timer_t *)(uintptr_t)timer->handle;
}

static uv_poll_t *watch_handle(const struct loop_watch *watch)
{
    return (uv_poll_t *)(uintptr_t)watch->handle;
}

static void on_timer(uv_timer_t *handle);

/* The library counts in milliseconds of a cached clock. The due time is rounded up on that clock's own grid,
 * so that a timer never runs early and seldom a millisecond late. */
static void arm(struct loop_timer *timer)
{
    uv_loop_t *uv = &timer->loop->uv;
    int64_t delay_ns = timer->due_ns - clock_mono_ns();
    uint64_t timeout_ms = 0;
    uv_update_time(uv);
    if (delay_ns > 0) {
        uint64_t due_ms = (uv_hrtime() + (uint64_t)delay_ns + (uint64_t)NS_PER_MS - 1) / (uint64_t)NS_PER_MS;
        uint64_t now_ms = uv_now(uv);
        timeout_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    }
    (void)uv_timer_start(timer_handle(timer), on_timer, timeout_ms, 0);
}

static void on_timer(uv_timer_t *handle)
{
    struct loop_timer *timer = handle->data;
    struct loop *loop = timer->loop;
    int64_t now = clock_mono_ns();
    int64_t lateness_ns = now - timer->due_ns;
    if (lateness_ns < 0) {
        arm(timer); /* the cached clock ran ahead of ours */
        return;
    }
    if (timer->repeat_ns > 0) {
        timer->due_ns += (lateness_ns / timer->repeat_ns + 1) * timer->repeat_ns;
        arm(timer);
    }
    loop_enter(loop, timer->what);
    timer->fn(timer->ctx, lateness_ns);
    loop_leave(loop);
}

void loop_timer_init(struct loop *loop, struct loop_timer *timer, const char *what, loop_timer_fn *fn,
                     void *ctx)
{
    *timer = (struct loop_timer){.loop = loop, .what = what, .fn = fn, .ctx = ctx};
    (void)uv_timer_init(&loop->uv, timer_handle(timer)); /* cannot fail */
    timer_handle(timer)->data = timer;
}

void loop_timer_start(struct loop_timer *timer, int64_t due_mono_ns, int64_t repeat_ns)
{
    timer->due_ns = due_mono_ns;
    timer->repeat_ns = repeat_ns;
    arm(timer);
}

void loop_timer_stop(struct loop_timer *timer)
{
    (void)uv_timer_stop(timer_handle(timer));
}

bool loop_timer_active(const struct loop_timer *timer)
{
    return uv_is_active((const uv_handle_t *)timer_handle(timer)) != 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct loop_timer *timer = handle->data;
    if (timer->closed)
        timer->closed(timer->ctx);
}

void loop_timer_close(struct loop_timer *timer, loop_fn *closed)
{
    timer->closed = closed;
    uv_close((uv_handle_t *)timer_handle(timer), on_timer_closed);
}

static void on_poll(uv_poll_t *handle, int status, int uv_events)
{
    struct loop_watch *watch = handle->data;
    struct loop *loop = watch->loop;
    int events = 0;
    if (uv_events & UV_READABLE)
        events |= LOOP_READABLE;
    if (uv_events & UV_WRITABLE)
        events |= LOOP_WRITABLE;
    if (uv_events & UV_DISCONNECT)
        events |= LOOP_DISCONNECT;
    loop_enter(loop, watch->what);
    watch->fn(watch->ctx, status, events);
    loop_leave(loop);
}

int loop_watch_init(struct loop *loop, struct loop_watch *watch, int fd, const char *what, loop_watch_fn *fn,
                    void *ctx)
{
    *watch = (struct loop_watch){.loop = loop, .what = what, .fn = fn, .ctx = ctx};
    int rc = uv_poll_init(&loop->uv, watch_handle(watch), fd);
    if (rc < 0)
        return rc;
    watch_handle(watch)->data = watch;
    return 0;
}

void loop_watch_start(struct loop_watch *watch, int events)
{
    int uv_events = 0;
    if (events & LOOP_READABLE)
        uv_events |= UV_READABLE;
    if (events & LOOP_WRITABLE)
        uv_events |= UV_WRITABLE;
    if (events & LOOP_DISCONNECT)
        uv_events |= UV_DISCONNECT;
    (void)uv_poll_start(watch_handle(watch), uv_events, on_poll);
}

void loop_watch_stop(struct loop_watch *watch)
{
    (void)uv_poll_stop(watch_handle(watch));
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct loop_watch *watch = handle->data;
    if (watch->closed)
        watch->closed(watch->ctx);
}

void loop_watch_close(struct loop_watch *watch, loop_fn *closed)
{
    watch->closed = closed;
    (void)uv_poll_stop(watch_handle(watch));
    uv_close((uv_handle_t *)watch_handle(watch), on_watch_closed);
}
