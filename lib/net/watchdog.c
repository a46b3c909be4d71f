#include "lib/net/watchdog.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/net/loop_internal.h"

#include <signal.h>
#include <stdlib.h>

#define STUCK_NS (100 * NS_PER_MS)
#define LOOK_NS  (20 * NS_PER_MS)

struct watched {
    struct loop *loop;
    const char *what;
    int64_t since_ns; /* start of the hold that was logged, 0: none */
};

struct watchdog {
    pthread_t thread;
    pthread_mutex_t lock; /* guards stopping */
    pthread_cond_t wake;
    bool stopping;
    size_t count;
    struct watched watched[];
};

static void look(struct watched *watched)
{
    const char *what = NULL;
    int64_t since_ns = 0, now = clock_mono_ns();
    bool held = loop_running(watched->loop, &what, &since_ns);
    if (watched->since_ns && (!held || since_ns != watched->since_ns)) {
        LOG_EVENT(LOG_WARN, "loop.free_again", LF_TEXT("loop", loop_name(watched->loop)),
                  LF_TEXT("callback", watched->what),
                  LF_I64("held_ms", (now - watched->since_ns) / NS_PER_MS));
        watched->since_ns = 0;
    }
    if (!held || watched->since_ns || now - since_ns <= STUCK_NS)
        return;
    watched->since_ns = since_ns;
    watched->what = what;
    LOG_EVENT(LOG_WARN, "loop.stuck", LF_TEXT("loop", loop_name(watched->loop)), LF_TEXT("callback", what),
              LF_I64("held_ms", (now - since_ns) / NS_PER_MS));
}

static void *thread_main(void *arg)
{
    struct watchdog *watchdog = arg;
    (void)pthread_setname_np(pthread_self(), "watchdog");
    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stopping) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t ns = until.tv_nsec + LOOK_NS;
        until.tv_sec += ns / NS_PER_S;
        until.tv_nsec = ns % NS_PER_S;
        (void)pthread_cond_timedwait(&watchdog->wake, &watchdog->lock, &until);
        pthread_mutex_unlock(&watchdog->lock);
        for (size_t i = 0; i < watchdog->count; i++)
            look(&watchdog->watched[i]);
        pthread_mutex_lock(&watchdog->lock);
    }
    pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

static void release(struct watchdog *watchdog)
{
    for (size_t i = 0; i < watchdog->count; i++)
        loop_unref(watchdog->watched[i].loop);
    pthread_cond_destroy(&watchdog->wake);
    pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
}

int watchdog_start(struct loop *const *loops, size_t count, struct watchdog **ret_watchdog, struct error *err)
{
    struct watchdog *watchdog = xcalloc(1, sizeof *watchdog + count * sizeof watchdog->watched[0]);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&watchdog->lock, NULL);
    pthread_cond_init(&watchdog->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    watchdog->count = count;
    for (size_t i = 0; i < count; i++)
        watchdog->watched[i].loop = loop_ref(loops[i]);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&watchdog->thread, NULL, thread_main, watchdog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        release(watchdog);
        return error_set_errno(err, rc, "cannot start the watchdog");
    }
    *ret_watchdog = watchdog;
    return 0;
}

void watchdog_stop(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    pthread_mutex_lock(&watchdog->lock);
    watchdog->stopping = true;
    pthread_cond_signal(&watchdog->wake);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->thread, NULL);
    release(watchdog);
}
