#include "scrapers/cloud/limit.h"

#include "tests/support/support.h"

START_TEST(a_burst_then_the_rate)
{
    struct cloud_limit limit;
    int64_t now = NS_PER_S;
    cloud_limit_init(&limit, 10, 5, now);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(cloud_limit_take(&limit, now), 0);
    int64_t at = cloud_limit_take(&limit, now);
    ck_assert_int_gt(at, now + 90 * NS_PER_MS);
    ck_assert_int_lt(at, now + 110 * NS_PER_MS);
    ck_assert_int_eq(cloud_limit_take(&limit, at), 0);
}
END_TEST

START_TEST(throttling_stops_everybody_and_halves_once)
{
    struct cloud_limit limit;
    int64_t now = NS_PER_S;
    cloud_limit_init(&limit, 16, 16, now);
    for (int i = 0; i < 5; i++) /* that were under way together */
        cloud_limit_throttled(&limit, now, 2 * NS_PER_S);
    ck_assert_double_eq(limit.rate_per_s, 8);
    ck_assert_int_eq(cloud_limit_take(&limit, now + NS_PER_S), now + 2 * NS_PER_S);
    ck_assert_int_eq(cloud_limit_take(&limit, now + 2 * NS_PER_S), 0);
    for (int i = 1; i < 20; i++)
        cloud_limit_throttled(&limit, now + i * 10 * NS_PER_S, 2 * NS_PER_S);
    ck_assert_double_eq(limit.rate_per_s, 0.25);
    for (int i = 0; i < 200; i++)
        cloud_limit_answered(&limit, now + 300 * NS_PER_S);
    ck_assert_double_eq(limit.rate_per_s, 16);
}
END_TEST

static Suite *cloud_limit_suite(void)
{
    Suite *suite = suite_create("cloud_limit");
    TCase *tcase = tcase_create("cloud_limit");
    tcase_add_test(tcase, a_burst_then_the_rate);
    tcase_add_test(tcase, throttling_stops_everybody_and_halves_once);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_limit_suite)
