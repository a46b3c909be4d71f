#include "sla/burn.h"

#include "tests/support/support.h"

START_TEST(unknown_events_count_as_told)
{
    struct bucket_counts counts = {10, 2, 3};
    struct burn_counts exclude = burn_count(&counts, SLA_NO_DATA_EXCLUDE);
    struct burn_counts as_bad = burn_count(&counts, SLA_NO_DATA_BAD),
                       as_good = burn_count(&counts, SLA_NO_DATA_GOOD);
    ck_assert(exclude.good == 10 && exclude.total == 12 && exclude.spent == 2);
    ck_assert(as_bad.good == 10 && as_bad.total == 15 && as_bad.spent == 5);
    ck_assert(as_good.good == 13 && as_good.total == 15 && as_good.spent == 2);
}
END_TEST

START_TEST(comparing_is_exact_where_doubles_are_not)
{
    /* 144 of 100000 at 99.99 % is a burn rate of exactly 14.4: not faster. */
    struct burn_counts at = {.good = 99856, .total = 100000, .spent = 144}, over = {99855, 100000, 145};
    double rate;
    ck_assert(!burn_exceeds(&at, 100000, 14400));
    ck_assert(burn_exceeds(&over, 100000, 14400));
    ck_assert(burn_rate(&at, 100000, &rate));
    ck_assert(rate > 14.399999 && rate < 14.400001);
}
END_TEST

START_TEST(numbers_near_the_end_do_not_wrap)
{
    struct burn_counts all = {.total = UINT64_MAX, .spent = UINT64_MAX};
    ck_assert(burn_exceeds(&all, 1, UINT64_C(999999999999)));
    ck_assert(!burn_exceeds(&all, 1, UINT64_C(1000000000000))); /* the maximum itself */
    struct burn_counts half = {.good = UINT64_MAX / 2, .total = UINT64_MAX - 1, .spent = UINT64_MAX / 2};
    ck_assert(!burn_exceeds(&half, 500000000, 1000));
    ck_assert(burn_exceeds(&half, 499999999, 1000));
}
END_TEST

START_TEST(without_events_there_is_no_rate)
{
    struct burn_counts none = {0};
    double rate;
    ck_assert(!burn_rate(&none, 1000, &rate));
    ck_assert(!burn_exceeds(&none, 1000, 0));
}
END_TEST

static Suite *burn_suite(void)
{
    Suite *suite = suite_create("burn");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, unknown_events_count_as_told);
    tcase_add_test(tcase, comparing_is_exact_where_doubles_are_not);
    tcase_add_test(tcase, numbers_near_the_end_do_not_wrap);
    tcase_add_test(tcase, without_events_there_is_no_rate);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(burn_suite)
