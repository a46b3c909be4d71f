#include "collector/loop_call.h"

#include <assert.h>
#include <pthread.h>

struct call {
    loop_call_fn *fn;
    loop_close_fn *begin;
    void *arg;
    struct error *err;
    int code;
    bool ended;
    pthread_mutex_t lock;
    pthread_cond_t done;
};

static void end_call(void *ctx)
{
    struct call *call = ctx;
    (void)pthread_mutex_lock(&call->lock);
    call->ended = true;
    (void)pthread_cond_signal(&call->done);
    (void)pthread_mutex_unlock(&call->lock);
}

static void run_call(void *ctx)
{
    struct call *call = ctx;
    if (call->begin) {
        call->begin(call->arg, end_call, call);
        return;
    }
    call->code = call->fn(call->arg, call->err);
    end_call(call);
}

static int wait_for(struct loop *loop, const char *what, struct call *call)
{
    assert(!loop_is_own_thread(loop));
    (void)pthread_mutex_init(&call->lock, NULL);
    (void)pthread_cond_init(&call->done, NULL);
    int code = ERR_CANCELLED;
    if (loop_post(loop, what, run_call, call)) {
        (void)pthread_mutex_lock(&call->lock);
        while (!call->ended)
            (void)pthread_cond_wait(&call->done, &call->lock);
        (void)pthread_mutex_unlock(&call->lock);
        code = call->code;
    } else {
        (void)error_set(call->err, code, "the %s loop has stopped", loop_name(loop));
    }
    (void)pthread_cond_destroy(&call->done);
    (void)pthread_mutex_destroy(&call->lock);
    return code;
}

int loop_call(struct loop *loop, const char *what, loop_call_fn *fn, void *arg, struct error *err)
{
    struct call call = {.fn = fn, .arg = arg, .err = err};
    return wait_for(loop, what, &call);
}

void loop_call_close(struct loop *loop, const char *what, loop_close_fn *begin, void *arg)
{
    struct call call = {.begin = begin, .arg = arg};
    (void)wait_for(loop, what, &call);
}
