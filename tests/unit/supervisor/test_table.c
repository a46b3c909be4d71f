#include "supervisor/supervisor.h"
#include "tests/support/support.h"

START_TEST(back_off_doubles_to_its_bound_and_begins_anew)
{
    struct kept kept = {.wanted = true, .backoff_ms = BACKOFF_FIRST_MS};
    int64_t now = 1000, expected = BACKOFF_FIRST_MS;
    for (int i = 0; i < 12; i++) {
        kept_started(&kept, 42, now);
        ck_assert_int_eq(kept.state, KEPT_RUNNING);
        ck_assert_int_eq(kept_wait_ms(&kept, now), -1);
        kept_ended(&kept, 256, now + 5);
        ck_assert_int_eq(kept.state, KEPT_WAITING);
        ck_assert_int_eq(kept_wait_ms(&kept, now + 5), expected);
        expected = expected * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : expected * 2;
        now += 100000;
    }
    ck_assert_uint_eq(kept.restarts, 12);
    kept_started(&kept, 42, now);
    kept_ended(&kept, 0, now + STEADY_MS);
    ck_assert_int_eq(kept_wait_ms(&kept, now + STEADY_MS), BACKOFF_FIRST_MS);
}
END_TEST

START_TEST(a_restart_waits_for_nothing_and_a_stop_stays)
{
    struct kept kept = {.wanted = true, .backoff_ms = BACKOFF_LAST_MS, .at_once = true};
    kept_started(&kept, 42, 0);
    ck_assert(!kept.at_once);
    kept.at_once = true;
    kept_ended(&kept, 0, 10);
    ck_assert_int_eq(kept_wait_ms(&kept, 10), 0);
    ck_assert_uint_eq(kept.restarts, 0);
    kept_started(&kept, 43, 20);
    ck_assert_uint_eq(kept.generation, 2);
    kept.wanted = false;
    kept.state = KEPT_STOPPING;
    kept.kill_ms = 500;
    ck_assert_int_eq(kept_wait_ms(&kept, 100), 400);
    kept_ended(&kept, 9, 100);
    ck_assert_int_eq(kept.state, KEPT_STOPPED);
    ck_assert_int_eq(kept_wait_ms(&kept, 100), -1);
    ck_assert_str_eq(kept_state_name(kept.state), "stopped");
}
END_TEST

START_TEST(what_cannot_be_started_is_tried_again)
{
    struct kept kept = {.wanted = true, .backoff_ms = BACKOFF_FIRST_MS, .at_once = true};
    kept_failed(&kept, 0);
    ck_assert_int_eq(kept.state, KEPT_WAITING);
    ck_assert_int_eq(kept_wait_ms(&kept, 0), BACKOFF_FIRST_MS);
    kept_failed(&kept, 200);
    ck_assert_int_eq(kept_wait_ms(&kept, 200), 2 * BACKOFF_FIRST_MS);
}
END_TEST

static Suite *table_suite(void)
{
    Suite *suite = suite_create("table");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, back_off_doubles_to_its_bound_and_begins_anew);
    tcase_add_test(tcase, a_restart_waits_for_nothing_and_a_stop_stays);
    tcase_add_test(tcase, what_cannot_be_started_is_tried_again);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(table_suite)
