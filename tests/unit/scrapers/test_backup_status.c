#include "scrapers/backup/status.h"
#include "tests/support/support.h"

static struct backup_status read_good(const char *text)
{
    struct backup_status status;
    struct error err = {0};
    ck_assert_msg(backup_status_read(str_from(text), &status, &err) == 0, "%s", err.message);
    return status;
}

START_TEST(the_newest_of_each_type_and_the_newest_verified)
{
    struct backup_status status = read_good("since 1000\n"
                                            "backup a full 1100 500 50 done\n"
                                            "backup b diff 1300 510 5 done\n"
                                            "backup c diff 1200 505 4 done\n"
                                            "backup d incr 1400 511 1 damaged\n"
                                            "attempt backup 1401 failed\nattempt verification 1310 done\n"
                                            "verified a 1110\nverified c 1210\n");
    ck_assert_uint_eq(status.since_s, 1000);
    ck_assert_uint_eq(status.newest[BACKUP_FULL].ended_s, 1100);
    ck_assert_uint_eq(status.newest[BACKUP_DIFFERENTIAL].ended_s, 1300);
    ck_assert_uint_eq(status.newest[BACKUP_DIFFERENTIAL].stored_bytes, 5);
    ck_assert_uint_eq(status.newest[BACKUP_INCREMENTAL].ended_s, 0);
    ck_assert_uint_eq(backup_status_newest_s(&status), 1300);
    ck_assert_uint_eq(status.verified.ended_s, 1200);
    ck_assert_uint_eq(status.verified.database_bytes, 505);
    ck_assert(!status.attempts[ACTION_BACKUP].done);
    ck_assert(status.attempts[ACTION_VERIFICATION].done);
    ck_assert_uint_eq(status.attempts[ACTION_BACKUP].ended_s, 1401);
}
END_TEST

START_TEST(what_is_older_than_the_log_does_not_count)
{
    struct backup_status status = read_good("backup a full 999 500 50 done\nverified a 1110\nsince 1000\n");
    ck_assert_uint_eq(backup_status_newest_s(&status), 0);
    ck_assert_uint_eq(status.verified.ended_s, 0);
}
END_TEST

START_TEST(a_label_is_compared_whole)
{
    struct backup_status status =
        read_good("since 1\nbackup a full 5 1 1 done\nverified aa 9\nverified  9\n");
    ck_assert_uint_eq(status.verified.ended_s, 0);
}
END_TEST

static const char *const good[] = {
    "since 1\n",
    "since 1",
    "\n\nsince 1\nfuture 1 2 3\n",
    "since 1\nattempt expiry 5 done\n", /* a newer writer */
    "since 18446744073709551615\n",
};
START_TEST(lines_that_are_taken)
{
    ck_assert_uint_ne(read_good(good[_i]).since_s, 0);
}
END_TEST

static const char *const bad[] = {
    "",
    "\n",
    "since\n",
    "since 0\n",
    "since x\n",
    "backup a full 5 1 1 done\n",
    "since 1\nbackup a full 5 1 1\n",
    "since 1\nbackup a whole 5 1 1 done\n",
    "since 1\nbackup a full x 1 1 done\n",
    "since 1\nbackup a full 5 -1 1 done\n",
    "since 1\nbackup a full 5 1 1 done and more words than there are\n",
    "since 1\nattempt backup\n",
    "since 1\nattempt backup x done\n",
};
START_TEST(lines_that_are_refused)
{
    struct backup_status status;
    struct error err = {0};
    ck_assert_int_eq(backup_status_read(str_from(bad[_i]), &status, &err), ERR_PARSE);
    ck_assert_contains(err.message, "status of backups");
}
END_TEST

static Suite *status_suite(void)
{
    Suite *suite = suite_create("backup_status");
    TCase *tcase = tcase_create("backup_status");
    tcase_add_test(tcase, the_newest_of_each_type_and_the_newest_verified);
    tcase_add_test(tcase, what_is_older_than_the_log_does_not_count);
    tcase_add_test(tcase, a_label_is_compared_whole);
    tcase_add_loop_test(tcase, lines_that_are_taken, 0, (int)ARRAY_LEN(good));
    tcase_add_loop_test(tcase, lines_that_are_refused, 0, (int)ARRAY_LEN(bad));
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(status_suite)
