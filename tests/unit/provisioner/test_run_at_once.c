#include "provisioner/run/at_once.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <time.h>

static struct {
    pthread_mutex_t lock;
    size_t seen[64], running, most;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void work(void *ctx, size_t number)
{
    struct timespec rest = {.tv_nsec = 20 * NS_PER_MS};
    ck_assert_ptr_eq(ctx, &state);
    (void)pthread_mutex_lock(&state.lock);
    state.seen[number]++;
    state.running++;
    state.most = state.running > state.most ? state.running : state.most;
    (void)pthread_mutex_unlock(&state.lock);
    (void)nanosleep(&rest, NULL);
    (void)pthread_mutex_lock(&state.lock);
    state.running--;
    (void)pthread_mutex_unlock(&state.lock);
}

static void check(size_t count, int64_t limit, size_t most)
{
    memset(state.seen, 0, sizeof state.seen);
    state.most = 0;
    at_once(count, limit, work, &state);
    for (size_t i = 0; i < ARRAY_LEN(state.seen); i++)
        ck_assert_uint_eq(state.seen[i], i < count);
    ck_assert_uint_le(state.most, most);
    ck_assert_uint_eq(state.running, 0);
}

START_TEST(each_once_and_not_too_many)
{
    check(0, 0, 0);
    check(1, 0, 1);
    check(16, 0, 16);
    check(16, 4, 4);
    check(5, 1, 1);
    check(2, 64, 2);
}
END_TEST

static Suite *at_once_suite(void)
{
    Suite *suite = suite_create("at_once");
    TCase *tcase = tcase_create("at_once");
    tcase_add_test(tcase, each_once_and_not_too_many);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(at_once_suite)
