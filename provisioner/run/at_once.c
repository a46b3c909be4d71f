#include "provisioner/run/at_once.h"

#include "lib/core/arena.h"

#include <pthread.h>
#include <stdlib.h>

struct together {
    at_once_fn *work;
    void *ctx;
    size_t count, next; /* `next` is guarded by lock */
    pthread_mutex_t lock;
};

static void *take_part(void *arg)
{
    struct together *together = arg;
    for (;;) {
        (void)pthread_mutex_lock(&together->lock);
        size_t number = together->next++;
        (void)pthread_mutex_unlock(&together->lock);
        if (number >= together->count)
            return NULL;
        together->work(together->ctx, number);
    }
}

void at_once(size_t count, int64_t limit, at_once_fn *work, void *ctx)
{
    struct together together = {.work = work, .ctx = ctx, .count = count, .lock = PTHREAD_MUTEX_INITIALIZER};
    size_t wanted = limit > 0 && (uint64_t)limit < count ? (size_t)limit : count, started = 0;
    pthread_t *threads = xcalloc(wanted + 1, sizeof *threads);
    /* This thread is one of them, and goes on where there is no other to be had. */
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, take_part, &together) == 0)
        started++;
    (void)take_part(&together);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    free(threads);
    (void)pthread_mutex_destroy(&together.lock);
}
