/* For tests of what runs on a loop: a loop on a thread of its own with resolver and HTTP client, and ways to
 * call into it and to wait for what happens there. */
#ifndef FRAISEQL_TESTS_LOOP_RIG_H
#define FRAISEQL_TESTS_LOOP_RIG_H

#include "lib/core/clock.h"
#include "lib/metrics/snapshot.h"
#include "lib/net/http_client.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RIG_PATIENCE_S 30 /* after which a test fails that waits for something */

struct rig {
    struct loop *loop;
    struct resolver *resolver;
    struct http_client *http;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

struct rig_call {
    struct rig *rig;
    loop_fn *fn;
    void *arg;
    bool done;
};

static inline void rig_changed(struct rig *rig)
{
    pthread_mutex_lock(&rig->lock);
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

/* Waits until `test` (called under the lock) holds. */
static inline void rig_wait(struct rig *rig, bool (*test)(void *ctx), void *ctx)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += RIG_PATIENCE_S;
    pthread_mutex_lock(&rig->lock);
    while (!test(ctx))
        ck_assert_msg(pthread_cond_timedwait(&rig->changed, &rig->lock, &end) == 0, "waited in vain");
    pthread_mutex_unlock(&rig->lock);
}

static inline void rig_run_call(void *arg)
{
    struct rig_call *call = arg;
    call->fn(call->arg);
    pthread_mutex_lock(&call->rig->lock);
    call->done = true;
    pthread_cond_broadcast(&call->rig->changed);
    pthread_mutex_unlock(&call->rig->lock);
}

static inline bool rig_call_done(void *ctx)
{
    return ((struct rig_call *)ctx)->done;
}

/* Runs fn(arg) on the loop and waits for its return. */
static inline void rig_call(struct rig *rig, loop_fn *fn, void *arg)
{
    struct rig_call call = {rig, fn, arg, false};
    ck_assert(loop_post(rig->loop, "test", rig_run_call, &call));
    rig_wait(rig, rig_call_done, &call);
}

static inline void rig_open_http(void *arg)
{
    struct rig *rig = arg;
    const struct http_client_options options = {.user_agent = "fraiseql-test"};
    struct error err;
    ck_assert_int_eq(http_client_new(rig->loop, rig->resolver, &options, &rig->http, &err), 0);
}

static inline void rig_open(struct rig *rig)
{
    struct error err = {0};
    *rig = (struct rig){0};
    (void)pthread_mutex_init(&rig->lock, NULL);
    (void)pthread_cond_init(&rig->changed, NULL);
    ck_assert_int_eq(loop_new("test", &rig->loop, &err), 0);
    ck_assert_int_eq(resolver_new(2, &rig->resolver, &err), 0);
    ck_assert_int_eq(loop_start(rig->loop, &err), 0);
    rig_call(rig, rig_open_http, rig);
}

static inline void rig_http_freed(void *arg)
{
    struct rig *rig = arg;
    pthread_mutex_lock(&rig->lock);
    rig->http = NULL;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static inline void rig_close_http(void *arg)
{
    struct rig *rig = arg;
    http_client_free(rig->http, rig_http_freed, rig);
}

static inline bool rig_http_is_freed(void *arg)
{
    return ((struct rig *)arg)->http == NULL;
}

static inline void rig_close(struct rig *rig)
{
    rig_call(rig, rig_close_http, rig);
    rig_wait(rig, rig_http_is_freed, rig);
    loop_stop(rig->loop);
    loop_join(rig->loop);
    loop_free(rig->loop);
    resolver_free(rig->resolver);
    pthread_cond_destroy(&rig->changed);
    pthread_mutex_destroy(&rig->lock);
}

/* The snapshot as lines "name{labels} value" in shape order, malloc'd; histograms by their slots. */
static inline char *rig_snapshot_text(const struct snapshot *snapshot)
{
    static const char *const suffixes[] = {"", "_bucket", "_count", "_sum", "_total", "_created", "_info"};
    struct buf out = BUF_INIT(1 << 24);
    const struct shape *shape = snapshot->shape;
    for (uint32_t f = 0; f < shape->family_count; f++) {
        const struct shape_family *family = &shape->families[f];
        for (uint32_t s = 0; s < family->series_count; s++) {
            const struct shape_series *series = &shape->series[family->first_series + s];
            uint32_t slots = 1;
            if (series->kind == SERIES_HISTOGRAM)
                slots = shape->layouts[series->layout].bound_count + 2;
            buf_printf(&out, "%.*s%s{%.*s}", STR_ARGS(family->name), suffixes[series->suffix],
                       STR_ARGS(shape_series_text(shape, series)));
            for (uint32_t i = 0; i < slots; i++) {
                char number[NUMBER_TEXT_MAX];
                char *end = number_write_value(number, snapshot_value(snapshot, series->slot + i));
                buf_printf(&out, " %.*s", (int)(end - number), number);
            }
            buf_append_byte(&out, '\n');
        }
    }
    buf_append_byte(&out, '\0');
    return buf_take(&out);
}

#endif
