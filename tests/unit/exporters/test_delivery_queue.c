#include "exporters/delivery_queue.h"

#include "tests/support/support.h"

#include <stdlib.h>

static void add(struct delivery_queue *queue, const char *id, const char *incident, int64_t due_ns,
                int64_t created_ns)
{
    struct journal_delivery row = {.id = id,
                                   .incident_id = incident,
                                   .receiver = "r",
                                   .event = "firing",
                                   .payload = STR("{}"),
                                   .created_wall_ns = created_ns,
                                   .last_error = ""};
    (void)delivery_queue_add(queue, &row, due_ns);
}

START_TEST(the_one_due_first_comes_first)
{
    struct delivery_queue *queue CLEANUP(delivery_queue_free_cleanup) = delivery_queue_new();
    ck_assert_int_eq(delivery_queue_due(queue), INT64_MAX);
    add(queue, "a", "1", 30, 3);
    add(queue, "b", "2", 10, 2);
    add(queue, "c", "3", 20, 5);
    ck_assert_int_eq(delivery_queue_due(queue), 10);
    ck_assert_ptr_null(delivery_queue_take(queue, 9));
    ck_assert_str_eq(delivery_queue_take(queue, 100)->id, "b");
    ck_assert_str_eq(delivery_queue_take(queue, 100)->id, "c");
    ck_assert_str_eq(delivery_queue_take(queue, 100)->id, "a");
    ck_assert_ptr_null(delivery_queue_take(queue, 100));
    ck_assert_uint_eq(delivery_queue_depth(queue), 3);
    ck_assert_int_eq(delivery_queue_oldest(queue), 2);
}
END_TEST

START_TEST(those_of_one_incident_follow_each_other)
{
    struct delivery_queue *queue CLEANUP(delivery_queue_free_cleanup) = delivery_queue_new();
    add(queue, "firing", "1", 50, 1);
    add(queue, "resolved", "1", 0, 2);
    add(queue, "other", "2", 60, 3);
    ck_assert_ptr_null(delivery_queue_take(queue, 49));
    struct delivery *firing = delivery_queue_take(queue, 50);
    ck_assert_str_eq(firing->id, "firing");
    ck_assert_ptr_null(delivery_queue_take(queue, 50));
    firing->due_mono_ns = 100;
    delivery_queue_return(queue, firing);
    ck_assert_str_eq(delivery_queue_take(queue, 99)->id, "other");
    ck_assert_ptr_null(delivery_queue_take(queue, 99));
    ck_assert_ptr_eq(delivery_queue_take(queue, 100), firing);
    delivery_queue_remove(queue, firing);
    ck_assert_ptr_null(delivery_queue_find(queue, "firing"));
    ck_assert_str_eq(delivery_queue_take(queue, 100)->id, "resolved");
}
END_TEST

START_TEST(hurrying_makes_what_waits_due_and_leaves_the_busy_alone)
{
    struct delivery_queue *queue CLEANUP(delivery_queue_free_cleanup) = delivery_queue_new();
    add(queue, "a", "1", 5, 1);
    add(queue, "b", "2", 1000, 1);
    add(queue, "c", "3", 900, 1);
    struct delivery *busy = delivery_queue_take(queue, 5);
    delivery_queue_hurry(queue, 10);
    ck_assert_int_eq(busy->due_mono_ns, 5);
    ck_assert_ptr_nonnull(delivery_queue_take(queue, 10));
    ck_assert_ptr_nonnull(delivery_queue_take(queue, 10));
    ck_assert_ptr_null(delivery_queue_take(queue, 10));
}
END_TEST

/* Against a slow oracle: due times at random, always the least is taken, and nothing gets lost. */
START_TEST(random_orders_agree_with_a_search)
{
    enum { COUNT = 500 };
    struct delivery_queue *queue CLEANUP(delivery_queue_free_cleanup) = delivery_queue_new();
    uint64_t seed = 42;
    char text[32];
    for (int i = 0; i < COUNT; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
        (void)snprintf(text, sizeof text, "%d", i);
        add(queue, text, text, (int64_t)(seed >> 40), 1);
    }
    int64_t last = INT64_MIN;
    int requeued = 0;
    for (int taken = 0; taken < COUNT + 100; taken++) {
        struct delivery *delivery = delivery_queue_take(queue, INT64_MAX - 1);
        ck_assert_ptr_nonnull(delivery);
        ck_assert_int_ge(delivery->due_mono_ns, last);
        last = delivery->due_mono_ns;
        if (requeued < 100) {
            requeued++;
            delivery->due_mono_ns += 1000;
            delivery_queue_return(queue, delivery);
        } else {
            delivery_queue_remove(queue, delivery);
        }
    }
    ck_assert_uint_eq(delivery_queue_depth(queue), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("delivery_queue");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, the_one_due_first_comes_first);
    tcase_add_test(tc, those_of_one_incident_follow_each_other);
    tcase_add_test(tc, hurrying_makes_what_waits_due_and_leaves_the_busy_alone);
    tcase_add_test(tc, random_orders_agree_with_a_search);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
