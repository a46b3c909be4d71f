#include "lib/core/clock.h"
#include "lib/core/queue.h"
#include "tests/support/support.h"

#include <pthread.h>

START_TEST(oldest_first_and_bounded)
{
    int numbers[5];
    void *taken[8];
    struct queue *queue = queue_new(3);
    for (size_t round = 0; round < 4; round++) { /* over the end of the ring */
        for (size_t i = 0; i < 3; i++)
            ck_assert(queue_push(queue, &numbers[i]));
        ck_assert(!queue_push(queue, &numbers[3]));
        ck_assert_uint_eq(queue_depth(queue), 3);
        ck_assert_uint_eq(queue_take(queue, taken, 2), 2);
        ck_assert_ptr_eq(taken[0], &numbers[0]);
        ck_assert_ptr_eq(taken[1], &numbers[1]);
        ck_assert(queue_push(queue, &numbers[4]));
        ck_assert_uint_eq(queue_take(queue, taken, 8), 2);
        ck_assert_ptr_eq(taken[0], &numbers[2]);
        ck_assert_ptr_eq(taken[1], &numbers[4]);
        ck_assert_uint_eq(queue_take(queue, taken, 8), 0);
    }
    ck_assert_uint_eq(queue_dropped(queue), 4);
    queue_free(queue);
}
END_TEST

START_TEST(waiting_ends_at_once_when_there_is_reason)
{
    int number;
    void *taken;
    struct queue *queue = queue_new(0); /* at least one */
    queue_wait(queue, 0);               /* a deadline that has passed */
    queue_wake(queue);
    queue_wait(queue, INT64_MAX);
    ck_assert(queue_push(queue, &number));
    queue_wait(queue, INT64_MAX);
    ck_assert_uint_eq(queue_take(queue, &taken, 1), 1);
    queue_free(queue);
}
END_TEST

#define PRODUCERS 4
#define ELEMENTS  20000U

struct producer {
    struct queue *queue;
    uint64_t numbers[ELEMENTS], refused;
};

static void *produce(void *context)
{
    struct producer *producer = context;
    for (size_t i = 0; i < ELEMENTS; i++) {
        producer->numbers[i] = i + 1;
        producer->refused += !queue_push(producer->queue, &producer->numbers[i]);
    }
    queue_wake(producer->queue);
    return NULL;
}

START_TEST(producers_and_a_consumer)
{
    static struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    uint64_t last[PRODUCERS] = {0}, received = 0, refused = 0;
    struct queue *queue = queue_new(64);
    for (size_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.queue = queue};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    /* Every element ends up here or refused: the count says when all are through. */
    while (received + queue_dropped(queue) < PRODUCERS * ELEMENTS) {
        void *taken[16];
        queue_wait(queue, clock_mono_ns() + 100 * NS_PER_MS);
        size_t count = queue_take(queue, taken, ARRAY_LEN(taken));
        for (size_t i = 0; i < count; i++) {
            uint64_t *number = taken[i];
            for (size_t p = 0; p < PRODUCERS; p++) {
                if (number < producers[p].numbers || number >= producers[p].numbers + ELEMENTS)
                    continue;
                ck_assert_uint_gt(*number, last[p]); /* in the order of each producer */
                last[p] = *number;
            }
        }
        received += count;
    }
    for (size_t i = 0; i < PRODUCERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        refused += producers[i].refused;
    }
    ck_assert_uint_eq(received + refused, PRODUCERS * ELEMENTS);
    ck_assert_uint_eq(queue_dropped(queue), refused);
    ck_assert_uint_eq(queue_depth(queue), 0);
    queue_free(queue);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("queue");
    TCase *tests = tcase_create("queue");
    tcase_add_test(tests, oldest_first_and_bounded);
    tcase_add_test(tests, waiting_ends_at_once_when_there_is_reason);
    tcase_add_test(tests, producers_and_a_consumer);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
