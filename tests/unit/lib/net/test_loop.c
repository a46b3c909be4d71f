#include "lib/net/loop.h"

#include "lib/core/atomic.h"
#include "lib/core/clock.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *new_loop(void)
{
    struct loop *loop;
    ck_assert_int_eq(loop_new("test", &loop, NULL), 0);
    return loop;
}

static void stop_loop(void *ctx)
{
    loop_stop(ctx);
}

static void post_semaphore(void *ctx)
{
    (void)sem_post(ctx);
}

struct ordered {
    struct loop *loop;
    unsigned at;
    bool own_thread;
};

static struct ordered ordered;

static void check_order(void *arg)
{
    ck_assert_uint_eq(ordered.at, (unsigned)(uintptr_t)arg);
    ordered.at++;
    ordered.own_thread = loop_is_own_thread(ordered.loop);
}

START_TEST(posts_run_in_order_on_the_thread)
{
    struct loop *loop = new_loop();
    sem_t done;
    (void)sem_init(&done, 0, 0);
    ordered = (struct ordered){.loop = loop};
    ck_assert_int_eq(loop_start(loop, NULL), 0);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert(loop_post(loop, "order", check_order, (void *)(uintptr_t)i));
    ck_assert(loop_post(loop, "done", post_semaphore, &done));
    (void)sem_wait(&done);
    ck_assert(!loop_is_own_thread(loop));
    for (unsigned i = 1000; i < 1010; i++) /* those before the stop run */
        ck_assert(loop_post(loop, "order", check_order, (void *)(uintptr_t)i));
    loop_stop(loop);
    loop_join(loop);
    ck_assert_uint_eq(ordered.at, 1010);
    ck_assert(ordered.own_thread);
    ck_assert(!loop_post(loop, "late", check_order, NULL)); /* and those after it do not */
    ck_assert_str_eq(loop_name(loop), "test");
    struct loop_stats stats;
    loop_stats(loop, &stats);
    ck_assert_uint_eq(stats.posted, 1011);
    ck_assert_ptr_null(stats.running);
    loop_free(loop);
    loop_free(NULL);
    (void)sem_destroy(&done);
}
END_TEST

#define PRODUCERS 4
#define POSTS     5000

static struct counter ran;

static void count_run(void *arg)
{
    (void)arg;
    counter_add(&ran, 1);
}

static void *produce(void *arg)
{
    uint64_t accepted = 0;
    for (unsigned i = 0; i < POSTS; i++)
        accepted += loop_post(arg, "produced", count_run, NULL);
    return (void *)(uintptr_t)accepted;
}

START_TEST(what_is_accepted_from_many_threads_runs_once_also_over_a_stop)
{
    pthread_t threads[PRODUCERS];
    uint64_t accepted = 0;
    struct loop *loop = new_loop();
    counter_set(&ran, 0);
    ck_assert_int_eq(loop_start(loop, NULL), 0);
    for (unsigned i = 0; i < PRODUCERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, produce, loop), 0);
    while (counter_get(&ran) < 100)
        (void)sched_yield();
    loop_stop(loop);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        void *count;
        (void)pthread_join(threads[i], &count);
        accepted += (uintptr_t)count;
    }
    loop_join(loop);
    ck_assert_uint_eq(counter_get(&ran), accepted);
    loop_free(loop);
}
END_TEST

START_TEST(a_loop_can_be_run_again_after_a_stop_or_a_deadline)
{
    struct loop *loop = new_loop();
    int64_t before = clock_mono_ns();
    loop_run(loop, before + 30 * NS_PER_MS);
    ck_assert_int_ge(clock_mono_ns() - before, 30 * NS_PER_MS);
    loop_stop(loop); /* before the run: it ends at once */
    loop_run(loop, 0);
    ck_assert(loop_post(loop, "stop", stop_loop, loop));
    loop_run(loop, 0);
    ck_assert(loop_is_own_thread(loop));
    loop_free(loop);
}
END_TEST

struct ticker {
    struct loop *loop;
    struct loop_timer timer;
    unsigned ticks, stop_at;
    int64_t start_ns, last_due_ns, hold_ns;
    bool closed;
};

static void on_tick(void *ctx, int64_t lateness_ns)
{
    struct ticker *ticker = ctx;
    int64_t now = clock_mono_ns();
    ck_assert_int_ge(lateness_ns, 0); /* never early */
    /* On the grid, whatever came late before, and ahead: a missed tick is not made up for. */
    int64_t next_ns = ticker->timer.due_ns;
    ck_assert_int_eq((next_ns - ticker->start_ns) % (10 * NS_PER_MS), 0);
    if (ticker->timer.repeat_ns)
        ck_assert_int_gt(next_ns, ticker->last_due_ns);
    ticker->last_due_ns = next_ns;
    if (++ticker->ticks == 2)
        while (clock_mono_ns() - now < ticker->hold_ns)
            ;
    if (ticker->ticks == ticker->stop_at)
        loop_stop(ticker->loop);
}

static void on_ticker_closed(void *ctx)
{
    struct ticker *ticker = ctx;
    ticker->closed = true;
    loop_stop(ticker->loop);
}

START_TEST(timers_keep_their_grid_and_skip_what_was_missed)
{
    struct ticker ticker = {.stop_at = 5, .hold_ns = 35 * NS_PER_MS};
    struct loop *loop = ticker.loop = new_loop();
    loop_timer_init(loop, &ticker.timer, "tick", on_tick, &ticker);
    ck_assert(!loop_timer_active(&ticker.timer));
    ticker.start_ns = clock_mono_ns() + 10 * NS_PER_MS;
    loop_timer_start(&ticker.timer, ticker.start_ns, 10 * NS_PER_MS);
    ck_assert(loop_timer_active(&ticker.timer));
    loop_run(loop, clock_mono_ns() + 30 * NS_PER_S);
    ck_assert_uint_eq(ticker.ticks, 5);
    ck_assert_int_ge(clock_mono_ns() - ticker.start_ns,
                     70 * NS_PER_MS); /* ticks 3 to 5 come after 35 ms of holding */
    struct loop_stats stats;
    loop_stats(loop, &stats);
    ck_assert_uint_ge(stats.slow_callbacks, 1);
    loop_timer_stop(&ticker.timer);
    ck_assert(!loop_timer_active(&ticker.timer));
    loop_run(loop, clock_mono_ns() + 30 * NS_PER_MS);
    ck_assert_uint_eq(ticker.ticks, 5);
    loop_timer_close(&ticker.timer, on_ticker_closed);
    ck_assert(!ticker.closed);
    loop_run(loop, clock_mono_ns() + 30 * NS_PER_S);
    ck_assert(ticker.closed);
    loop_free(loop);
}
END_TEST

START_TEST(a_one_shot_timer_can_be_moved)
{
    struct ticker ticker = {.stop_at = 1};
    struct loop *loop = ticker.loop = new_loop();
    loop_timer_init(loop, &ticker.timer, "once", on_tick, &ticker);
    loop_timer_start(&ticker.timer, clock_mono_ns() + 3600 * NS_PER_S, 0);
    ticker.start_ns = clock_mono_ns() - 20 * NS_PER_MS; /* due in the past: at once */
    loop_timer_start(&ticker.timer, ticker.start_ns, 0);
    loop_run(loop, clock_mono_ns() + 30 * NS_PER_S);
    ck_assert_uint_eq(ticker.ticks, 1);
    ck_assert(!loop_timer_active(&ticker.timer));
    loop_timer_close(&ticker.timer, NULL);
    loop_free(loop); /* lets the close finish */
}
END_TEST

struct watcher {
    struct loop *loop;
    struct loop_watch watch;
    int fds[2], events, status;
    bool closed;
};

static void on_ready(void *ctx, int status, int events)
{
    struct watcher *watcher = ctx;
    watcher->status = status;
    watcher->events |= events;
    loop_stop(watcher->loop);
}

static void on_watcher_closed(void *ctx)
{
    struct watcher *watcher = ctx;
    watcher->closed = true;
    loop_stop(watcher->loop);
}

START_TEST(watches_tell_what_a_descriptor_is_ready_for)
{
    struct watcher watcher = {.loop = new_loop()}, second = {.loop = watcher.loop};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, watcher.fds), 0);
    ck_assert_int_eq(
        loop_watch_init(watcher.loop, &watcher.watch, watcher.fds[0], "watch", on_ready, &watcher), 0);
    loop_watch_start(&watcher.watch, LOOP_READABLE);
    ck_assert_int_lt(loop_watch_init(watcher.loop, &second.watch, watcher.fds[0], "two", on_ready, &second),
                     0);
    loop_run(watcher.loop, clock_mono_ns() + 20 * NS_PER_MS);
    ck_assert_int_eq(watcher.events, 0);
    ck_assert_int_eq(write(watcher.fds[1], "x", 1), 1);
    loop_run(watcher.loop, clock_mono_ns() + 30 * NS_PER_S);
    ck_assert_int_eq(watcher.events, LOOP_READABLE);
    loop_watch_start(&watcher.watch, LOOP_WRITABLE);
    loop_run(watcher.loop, clock_mono_ns() + 30 * NS_PER_S);
    ck_assert_int_eq(watcher.events, LOOP_READABLE | LOOP_WRITABLE);
    loop_watch_start(&watcher.watch, LOOP_DISCONNECT);
    (void)close(watcher.fds[1]);
    loop_run(watcher.loop, clock_mono_ns() + 30 * NS_PER_S);
    ck_assert(watcher.events & LOOP_DISCONNECT);
    loop_watch_stop(&watcher.watch);
    loop_watch_close(&watcher.watch, on_watcher_closed);
    (void)close(watcher.fds[0]);
    loop_run(watcher.loop, clock_mono_ns() + 30 * NS_PER_S);
    ck_assert(watcher.closed);
    loop_free(watcher.loop);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_watched_is_refused)
{
    struct watcher watcher = {.loop = new_loop()};
    ck_assert_int_lt(loop_watch_init(watcher.loop, &watcher.watch, -1, "bad", on_ready, &watcher), 0);
    loop_free(watcher.loop);
}
END_TEST

static sem_t holding, let_go;

static void hold(void *arg)
{
    (void)arg;
    (void)sem_post(&holding);
    (void)sem_wait(&let_go);
}

START_TEST(a_held_loop_shows_its_lag_and_its_callback)
{
    struct loop *loop = new_loop();
    struct loop_stats stats;
    (void)sem_init(&holding, 0, 0);
    (void)sem_init(&let_go, 0, 0);
    ck_assert_int_eq(loop_start(loop, NULL), 0);
    ck_assert(loop_post(loop, "the culprit", hold, NULL));
    (void)sem_wait(&holding);
    int64_t deadline = clock_mono_ns() + 30 * NS_PER_S;
    do
        loop_stats(loop, &stats);
    while (stats.lag_ns < 50 * NS_PER_MS && clock_mono_ns() < deadline);
    ck_assert_int_ge(stats.lag_ns, 50 * NS_PER_MS);
    ck_assert_int_ge(stats.max_lag_ns, stats.lag_ns);
    ck_assert_str_eq(stats.running, "the culprit");
    (void)sem_post(&let_go);
    do
        loop_stats(loop, &stats);
    while ((stats.running || stats.slow_callbacks == 0 || stats.ticks < 1) && clock_mono_ns() < deadline);
    ck_assert_ptr_null(stats.running);
    ck_assert_uint_ge(stats.slow_callbacks, 1);
    loop_stop(loop);
    loop_free(loop); /* joins */
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("loop");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, posts_run_in_order_on_the_thread);
    tcase_add_test(t, what_is_accepted_from_many_threads_runs_once_also_over_a_stop);
    tcase_add_test(t, a_loop_can_be_run_again_after_a_stop_or_a_deadline);
    tcase_add_test(t, timers_keep_their_grid_and_skip_what_was_missed);
    tcase_add_test(t, a_one_shot_timer_can_be_moved);
    tcase_add_test(t, watches_tell_what_a_descriptor_is_ready_for);
    tcase_add_test(t, a_descriptor_that_cannot_be_watched_is_refused);
    tcase_add_test(t, a_held_loop_shows_its_lag_and_its_callback);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
