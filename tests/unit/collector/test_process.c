#include "collector/process.h"
#include "tests/support/support.h"

#include <unistd.h>

START_TEST(stats_are_of_this_process)
{
    struct process_stats stats;
    process_read_stats(&stats);
    ck_assert_uint_gt(stats.resident_bytes, 100 * 1024);
    ck_assert_uint_gt(stats.virtual_bytes, stats.resident_bytes);
    ck_assert_uint_ge(stats.open_fds, 3);
    ck_assert_uint_gt(stats.max_fds, stats.open_fds);
    ck_assert_uint_ge(stats.threads, 1);
    ck_assert_double_gt(stats.start_time_seconds, 1.6e9);
}
END_TEST

START_TEST(an_opened_descriptor_is_counted)
{
    struct process_stats before, after;
    process_read_stats(&before);
    int fd = dup(0);
    process_read_stats(&after);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    ck_assert_uint_eq(after.open_fds, before.open_fds + 1);
}
END_TEST

static Suite *process_suite(void)
{
    Suite *suite = suite_create("process");
    TCase *tcase = tcase_create("process");
    tcase_add_test(tcase, stats_are_of_this_process);
    tcase_add_test(tcase, an_opened_descriptor_is_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(process_suite)
