#include "scrapers/probe/probe_schedule.h"

#include "tests/support/support.h"

#define MS NS_PER_MS

START_TEST(grid_begins_within_an_interval_and_keeps_its_phase)
{
    struct probe_grid grid, again;
    for (uint64_t hash = 0; hash < 1000; hash++) {
        probe_grid_init(&grid, 250 * MS, hash * 7919, 123456789);
        ck_assert_int_gt(grid.next_due_ns, 123456789);
        ck_assert_int_le(grid.next_due_ns, 123456789 + 250 * MS);
        probe_grid_init(&again, 250 * MS, hash * 7919, 987654321);
        ck_assert_int_eq((again.next_due_ns - grid.next_due_ns) % (250 * MS), 0);
    }
}
END_TEST

START_TEST(each_interval_is_ticked_or_missed_once)
{
    struct probe_grid grid = {.interval_ns = 10 * MS, .next_due_ns = 10 * MS};
    unsigned state = 1;
    int64_t now = 0, expected_due = 10 * MS;
    for (unsigned i = 0; i < 100000; i++) {
        state = state * 1103515245U + 12345U;
        now += (int64_t)(state >> 16) % ((i % 50 == 0 ? 300 : 12) * MS);
        struct probe_tick tick = probe_grid_tick(&grid, now);
        if (!tick.due) {
            ck_assert_int_lt(now, expected_due);
            continue;
        }
        ck_assert_uint_eq(tick.lost, 0);
        if (tick.missed > 0)
            ck_assert_int_eq(tick.first_missed_ns, expected_due);
        expected_due += (int64_t)tick.missed * 10 * MS;
        ck_assert_int_eq(tick.due_ns, expected_due);
        ck_assert(now >= tick.due_ns && now < tick.due_ns + 10 * MS);
        expected_due += 10 * MS;
    }
}
END_TEST

START_TEST(a_very_long_sleep_is_bounded)
{
    struct probe_grid grid = {.interval_ns = 10 * MS, .next_due_ns = 0};
    struct probe_tick tick = probe_grid_tick(&grid, 86400 * NS_PER_S);
    ck_assert_uint_eq(tick.missed, PROBE_MAX_MISSED);
    ck_assert_uint_eq(tick.missed + tick.lost, 8640000);
    ck_assert_int_eq(tick.first_missed_ns, tick.due_ns - PROBE_MAX_MISSED * 10 * MS);
    ck_assert_int_eq(tick.due_ns, 86400 * NS_PER_S);
}
END_TEST

static struct probe_attempt_times times(int64_t late_ms, int64_t ended_ms, int64_t stalled_ms)
{
    int64_t started = late_ms * MS;
    return (struct probe_attempt_times){
        .started_ns = started,
        .ended_ns = ended_ms * MS,
        .deadline_ns = probe_deadline_ns(0, started, 250 * MS, 200 * MS),
        .timeout_ns = 200 * MS,
        .stalled_ns = stalled_ms * MS,
    };
}

static enum sli_outcome judge(int64_t late_ms, int64_t ended_ms, int64_t stalled_ms, bool failed,
                              bool timed_out)
{
    struct probe_attempt_times t = times(late_ms, ended_ms, stalled_ms);
    return probe_judge(&t, failed, timed_out);
}

START_TEST(judgement)
{
    ck_assert_int_eq(judge(0, 5, 0, false, false), SLI_GOOD);
    ck_assert_int_eq(judge(0, 5, 0, true, false), SLI_BAD);
    ck_assert_int_eq(judge(0, 200, 0, false, true), SLI_BAD);
    ck_assert_int_eq(judge(0, 201, 0, false, false), SLI_GOOD); /* a timer's resolution */
    ck_assert_int_eq(judge(0, 240, 0, false, false), SLI_BAD);  /* answered too late */
    /* Our loop stood still for more than half the timeout. */
    ck_assert_int_eq(judge(0, 200, 101, false, true), SLI_UNKNOWN);
    ck_assert_int_eq(judge(0, 200, 99, false, true), SLI_BAD);
    ck_assert_int_eq(judge(0, 150, 101, true, false), SLI_UNKNOWN);
    ck_assert_int_eq(judge(0, 150, 101, false, false), SLI_UNKNOWN);
    /* A late start leaves the attempt 248 - 120 = 128 of its 200 ms: still its own fault; with a stall not.
     */
    ck_assert_int_eq(judge(120, 248, 0, false, true), SLI_BAD);
    ck_assert_int_eq(judge(120, 248, 60, false, true), SLI_UNKNOWN);
}
END_TEST

START_TEST(a_start_later_than_half_the_interval_is_void)
{
    ck_assert(!probe_starts_too_late(0, 125 * MS, 250 * MS));
    ck_assert(probe_starts_too_late(0, 126 * MS, 250 * MS));
    ck_assert(probe_starts_too_late(0, 6 * MS, 10 * MS));
}
END_TEST

START_TEST(an_attempt_ends_before_the_next_interval)
{
    ck_assert_int_eq(probe_deadline_ns(0, 10 * MS, 250 * MS, 200 * MS), 210 * MS);
    ck_assert_int_lt(probe_deadline_ns(0, 10 * MS, 250 * MS, 250 * MS), 250 * MS);
    ck_assert_int_gt(probe_deadline_ns(0, 1 * MS, 10 * MS, 10 * MS), 6 * MS);
}
END_TEST

START_TEST(stalls_are_summed_once)
{
    struct probe_stalls stalls = {0};
    probe_stalls_note(&stalls, 1000 * MS, MS / 2); /* below a timer's resolution */
    ck_assert_int_eq(probe_stalls_within(&stalls, 0, 2000 * MS), 0);
    probe_stalls_note(&stalls, 1000 * MS, 100 * MS);
    probe_stalls_note(&stalls, 1000 * MS, 60 * MS); /* another timer tells of the same */
    probe_stalls_note(&stalls, 1001 * MS, 120 * MS);
    probe_stalls_note(&stalls, 1500 * MS, 50 * MS);
    ck_assert_int_eq(probe_stalls_within(&stalls, 0, 2000 * MS), (120 + 50) * MS);
    ck_assert_int_eq(probe_stalls_within(&stalls, 950 * MS, 1475 * MS), 51 * MS + 25 * MS);
    ck_assert_int_eq(probe_stalls_within(&stalls, 1501 * MS, 1600 * MS), 0);
    for (int64_t i = 0; i < 100; i++)
        probe_stalls_note(&stalls, (2000 + i * 10) * MS, 5 * MS);
    ck_assert_int_eq(probe_stalls_within(&stalls, 0, 9000 * MS), PROBE_STALLS * 5 * MS);
}
END_TEST

static Suite *schedule_suite(void)
{
    Suite *suite = suite_create("probe_schedule");
    TCase *tcase = tcase_create("schedule");
    tcase_add_test(tcase, grid_begins_within_an_interval_and_keeps_its_phase);
    tcase_add_test(tcase, each_interval_is_ticked_or_missed_once);
    tcase_add_test(tcase, a_very_long_sleep_is_bounded);
    tcase_add_test(tcase, judgement);
    tcase_add_test(tcase, a_start_later_than_half_the_interval_is_void);
    tcase_add_test(tcase, an_attempt_ends_before_the_next_interval);
    tcase_add_test(tcase, stalls_are_summed_once);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(schedule_suite)
