#include "scrapers/cloud/ledger.h"

#include "tests/support/support.h"

#define MIN   (60 * NS_PER_S)
#define START (INT64_C(1800000000) * NS_PER_S) /* a whole minute */
#define LATE  (10 * MIN)

static struct cloud_account account;
static struct cloud_settle settle;

static void begin(void)
{
    cloud_account_init(&account, true);
    cloud_settle_init(&settle, 2 * MIN, LATE);
}

static void end(void)
{
    cloud_account_deinit(&account);
}

static void take(int64_t minute, double value, int64_t now)
{
    struct cloud_bucket bucket = {START + minute * MIN, &value};
    cloud_account_take(&account, &bucket, 1, 1, NULL, START, MIN, START + now * MIN, &settle);
}

static void answered(int64_t to, int64_t now)
{
    cloud_account_close(&account, START + to * MIN, MIN, START + now * MIN, LATE);
}

static double total(void)
{
    return cloud_account_total(&account, 0);
}

START_TEST(a_bucket_read_again_is_counted_once)
{
    take(0, 7, 1);
    take(0, 7, 2);
    take(1, 3, 2);
    take(0, 7, 3);
    ck_assert_double_eq(total(), 10);
}
END_TEST

START_TEST(a_bucket_that_grows_adds_the_difference)
{
    take(0, 70, 1);
    answered(1, 1);
    take(0, 120, 2);
    ck_assert_double_eq(total(), 120);
}
END_TEST

START_TEST(a_bucket_that_shrinks_is_a_debt_and_the_counter_never_falls)
{
    take(0, 100, 1);
    take(0, 60, 2);
    ck_assert_double_eq(total(), 100);
    take(1, 30, 2);
    ck_assert_double_eq(total(), 100);
    take(2, 30, 3);
    ck_assert_double_eq(total(), 120);
}
END_TEST

START_TEST(what_is_closed_is_never_taken_again)
{
    take(0, 5, 1);
    take(1, 6, 2);
    answered(20, 20);
    take(0, 500, 20);
    take(1, 600, 20);
    ck_assert_double_eq(total(), 11);
    ck_assert_uint_eq(account.open_count, 1); /* the newest one is still shown */
}
END_TEST

START_TEST(a_new_account_takes_nothing_from_before_its_window)
{
    take(-1, 5, 1);
    take(0, 6, 1);
    ck_assert_double_eq(total(), 6);
}
END_TEST

START_TEST(of_one_answer_the_last_point_of_a_bucket_counts)
{
    double values[] = {1, 2, 3, 4};
    struct cloud_bucket buckets[] = {
        {START + MIN, &values[0]}, {START, &values[1]}, {START + MIN, &values[2]}, {START, &values[3]}};
    cloud_account_take(&account, buckets, 4, 1, NULL, START, MIN, START + 2 * MIN, &settle);
    ck_assert_double_eq(total(), 7);
}
END_TEST

START_TEST(the_gauge_is_the_newest_settled_bucket)
{
    struct cloud_bucket bucket;
    for (int64_t i = 0; i < 5; i++)
        take(i, (double)i, 5);
    answered(5, 5);
    int64_t now = START + 5 * MIN;
    ck_assert(cloud_account_latest(&account, MIN, now, 2 * MIN, 5 * MIN, &bucket));
    ck_assert_int_eq(bucket.start_ns, START + 2 * MIN);
    /* time alone does not settle what was read before */
    ck_assert(cloud_account_latest(&account, MIN, now + MIN, 2 * MIN, 5 * MIN, &bucket));
    ck_assert_int_eq(bucket.start_ns, START + 2 * MIN);
    ck_assert(!cloud_account_latest(&account, MIN, now + 10 * MIN, 2 * MIN, 5 * MIN, &bucket));
}
END_TEST

START_TEST(the_settle_delay_is_learnt_and_forgotten)
{
    take(0, 1, 1);
    answered(1, 1);
    take(0, 2, 6); /* changed five minutes after its end */
    ck_assert_int_eq(cloud_settle_ns(&settle), 5 * MIN);
    answered(6, 6);
    cloud_settle_learn(&settle, MIN, START + 90 * MIN);
    ck_assert_int_eq(cloud_settle_ns(&settle), 5 * MIN);
    cloud_settle_learn(&settle, MIN, START + 160 * MIN);
    ck_assert_int_eq(cloud_settle_ns(&settle), 2 * MIN); /* never less than at first */
    cloud_settle_learn(&settle, 99 * MIN, START + 161 * MIN);
    ck_assert_int_eq(cloud_settle_ns(&settle), LATE);
}
END_TEST

START_TEST(a_first_window_or_one_after_an_outage_teaches_nothing)
{
    take(0, 1, 9);
    ck_assert_int_eq(cloud_settle_ns(&settle), 2 * MIN);
    answered(9, 9);
    take(40, 1, 49);
    ck_assert_int_eq(cloud_settle_ns(&settle), 2 * MIN);
}
END_TEST

START_TEST(what_is_stored_comes_back)
{
    struct buf stored = BUF_INIT(1 << 20);
    struct cloud_account back;
    struct cloud_settle other;
    struct str key;
    struct error err = {0};
    double more = 9;
    cloud_settle_init(&other, MIN, LATE);
    take(0, 0.1, 1);
    take(1, 0.2, 2);
    take(1, 0.1, 2);
    answered(2, 2);
    cloud_account_encode(&account, STR("query"), &stored);
    ck_assert_int_eq(cloud_account_decode(&back, buf_str(&stored), &key, &err), 0);
    ck_assert(str_equal_text(key, "query"));
    ck_assert_double_eq(cloud_account_total(&back, 0), total());
    ck_assert_double_eq(back.shown[0], total());
    ck_assert_int_eq(back.read_to_ns, START + 2 * MIN);
    struct cloud_bucket bucket = {START + 2 * MIN, &more};
    cloud_account_take(&back, &bucket, 1, 1, NULL, START, MIN, START + 3 * MIN, &other);
    take(2, 9, 3);
    ck_assert_double_eq(cloud_account_total(&back, 0), total());
    cloud_account_deinit(&back);
    for (size_t i = 0; i < stored.len; i++) {
        stored.data[i] ^= 1;
        ck_assert_int_eq(cloud_account_decode(&back, buf_str(&stored), &key, &err), ERR_CORRUPT);
        stored.data[i] ^= 1;
        ck_assert_int_eq(cloud_account_decode(&back, (struct str){stored.data, i}, &key, &err), ERR_CORRUPT);
    }
    buf_deinit(&stored);
}
END_TEST

START_TEST(a_histogram_grows_and_begins_anew_with_other_bounds)
{
    static const double bounds[] = {1, 2}, others[] = {1, 3};
    double first[] = {1, 2, 3, 10.5}, second[] = {1, 0, 0, 0.5};
    struct cloud_bucket bucket = {START, first};
    cloud_account_take(&account, &bucket, 1, 4, bounds, START, MIN, START + MIN, &settle);
    bucket = (struct cloud_bucket){START + MIN, second};
    cloud_account_take(&account, &bucket, 1, 4, bounds, START, MIN, START + 2 * MIN, &settle);
    ck_assert_double_eq(cloud_account_total(&account, 0), 2);
    ck_assert_double_eq(cloud_account_total(&account, 3), 11);
    cloud_account_take(&account, &bucket, 1, 4, others, START, MIN, START + 2 * MIN, &settle);
    ck_assert_double_eq(cloud_account_total(&account, 0), 1);
}
END_TEST

START_TEST(a_million_tenths_do_not_drift)
{
    for (int64_t i = 0; i < 1000000; i++) {
        take(i, 0.1, i + 1);
        if (i % 100 == 0)
            answered(i + 1, i + 1);
    }
    ck_assert_double_eq_tol(total(), 100000, 1e-9);
}
END_TEST

static Suite *cloud_ledger_suite(void)
{
    Suite *suite = suite_create("cloud_ledger");
    TCase *tcase = tcase_create("cloud_ledger");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_bucket_read_again_is_counted_once);
    tcase_add_test(tcase, a_bucket_that_grows_adds_the_difference);
    tcase_add_test(tcase, a_bucket_that_shrinks_is_a_debt_and_the_counter_never_falls);
    tcase_add_test(tcase, what_is_closed_is_never_taken_again);
    tcase_add_test(tcase, a_new_account_takes_nothing_from_before_its_window);
    tcase_add_test(tcase, of_one_answer_the_last_point_of_a_bucket_counts);
    tcase_add_test(tcase, the_gauge_is_the_newest_settled_bucket);
    tcase_add_test(tcase, the_settle_delay_is_learnt_and_forgotten);
    tcase_add_test(tcase, a_first_window_or_one_after_an_outage_teaches_nothing);
    tcase_add_test(tcase, what_is_stored_comes_back);
    tcase_add_test(tcase, a_histogram_grows_and_begins_anew_with_other_bounds);
    tcase_add_test(tcase, a_million_tenths_do_not_drift);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_ledger_suite)
