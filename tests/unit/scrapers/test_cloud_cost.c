#include "scrapers/cloud/cost.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"

#define HOUR (3600 * NS_PER_S)

static const struct cloud_api apis[] = {{"Get", 10, 10, "metric", 0.01, 0},
                                        {"List", 10, 10, "request", 0.01, 100}};
static struct cloud_cost cost;
static int64_t november, december;

static void begin(void)
{
    ck_assert(clock_parse_rfc3339(STR("2026-11-01T00:00:00Z"), &november));
    ck_assert(clock_parse_rfc3339(STR("2026-12-01T00:00:00Z"), &december));
    cloud_cost_init(&cost, apis, 2, 0);
}

START_TEST(units_are_billed_beyond_the_free_ones)
{
    cloud_cost_add(&cost, 0, 500, november);
    cloud_cost_add(&cost, 1, 60, november);
    ck_assert_double_eq_tol(cloud_cost_month_usd(&cost), 5, 1e-9);
    cloud_cost_add(&cost, 1, 60, november);
    ck_assert_double_eq_tol(cloud_cost_month_usd(&cost), 5.2, 1e-9);
    ck_assert_uint_eq(cost.meters[1].requests, 2);
    ck_assert_uint_eq(cost.meters[1].units, 120);
}
END_TEST

START_TEST(a_month_ends_in_utc_and_a_clock_set_back_forgets_nothing)
{
    cloud_cost_add(&cost, 0, 500, december - 1);
    cloud_cost_add(&cost, 0, 100, december);
    ck_assert_double_eq_tol(cloud_cost_month_usd(&cost), 1, 1e-9);
    cloud_cost_add(&cost, 0, 100, december - HOUR);
    ck_assert_double_eq_tol(cloud_cost_month_usd(&cost), 2, 1e-9);
    ck_assert_uint_eq(cost.meters[0].units, 700);
}
END_TEST

START_TEST(a_budget_slows_before_it_is_passed)
{
    const double per_hour[CLOUD_APIS_MAX] = {100, 0}; /* 1 USD an hour, 720 in November */
    cloud_cost_init(&cost, apis, 2, 360);
    double stretch = cloud_cost_plan(&cost, per_hour, november);
    ck_assert_double_eq_tol(stretch, 720 / (360 * 0.98), 1e-6);
    /* Simulated: the month is polled at the stretch of each hour, with a fifth of the calls sent twice. */
    for (int hour = 0; hour < 720; hour++) {
        stretch = cloud_cost_plan(&cost, per_hour, november + hour * HOUR);
        uint64_t units = (uint64_t)(120 / stretch);
        if (cloud_cost_allows(&cost, 0, units, november + hour * HOUR))
            cloud_cost_add(&cost, 0, units, november + hour * HOUR);
    }
    ck_assert_double_le(cloud_cost_month_usd(&cost), 360);
    ck_assert_double_ge(cloud_cost_month_usd(&cost), 330);
    ck_assert(!cloud_cost_allows(&cost, 0, 100000, december - 1));
    ck_assert(cloud_cost_allows(&cost, 0, 100, december));
}
END_TEST

START_TEST(a_spent_budget_stops_but_for_what_is_free)
{
    cloud_cost_init(&cost, apis, 2, 1);
    cloud_cost_add(&cost, 0, 100, november);
    ck_assert(!cloud_cost_allows(&cost, 0, 1, november));
    ck_assert(cloud_cost_allows(&cost, 1, 100, november));
}
END_TEST

START_TEST(the_month_survives_a_restart)
{
    struct buf stored = BUF_INIT(4096);
    struct cloud_cost back;
    struct error err = {0};
    cloud_cost_add(&cost, 0, 500, november);
    cloud_cost_add(&cost, 1, 7, november);
    cloud_cost_encode(&cost, &stored);
    cloud_cost_init(&back, apis, 2, 0);
    ck_assert_int_eq(cloud_cost_decode(&back, buf_str(&stored), &err), 0);
    ck_assert_double_eq(cloud_cost_month_usd(&back), cloud_cost_month_usd(&cost));
    ck_assert_uint_eq(back.meters[1].month_requests, 1);
    ck_assert_int_eq(cloud_cost_decode(&back, STR("month x\n"), &err), ERR_CORRUPT);
    ck_assert_int_eq(cloud_cost_decode(&back, STR("month 24323\nGet 1\n"), &err), ERR_CORRUPT);
    buf_deinit(&stored);
}
END_TEST

START_TEST(an_estimate_adds_up)
{
    struct cloud_estimate *estimate = cloud_estimate_new(apis, 2, 10);
    cloud_estimate_add(estimate, &(struct cloud_estimate_row){"a", 0, 1, 2, 60 * NS_PER_S, 0.004, 1});
    cloud_estimate_add(estimate, &(struct cloud_estimate_row){"b", 0, 1, 1, 60 * NS_PER_S, 0.002, 1});
    cloud_estimate_add(estimate, &(struct cloud_estimate_row){"c", 1, 0, 0, HOUR, 1, 1});
    struct cloud_estimate_sum get = cloud_estimate_sum(estimate, 0), all = cloud_estimate_sum(estimate, 2);
    ck_assert_double_eq_tol(get.requests_per_month, 43800, 1e-6);
    ck_assert_double_eq_tol(get.units_per_month, 87600, 1e-6);
    ck_assert_double_eq_tol(get.usd_per_month, 876, 1e-6);
    ck_assert_double_eq_tol(all.usd_per_month, 876 + 6.30, 1e-6);
    ck_assert_uint_eq(all.series, 3);
    ck_assert_double_gt(all.stretch, 80);
    ck_assert_ptr_null(cloud_estimate_api(estimate, 2));
    cloud_estimate_free(estimate);
}
END_TEST

static Suite *cloud_cost_suite(void)
{
    Suite *suite = suite_create("cloud_cost");
    TCase *tcase = tcase_create("cloud_cost");
    tcase_add_checked_fixture(tcase, begin, NULL);
    tcase_add_test(tcase, units_are_billed_beyond_the_free_ones);
    tcase_add_test(tcase, a_month_ends_in_utc_and_a_clock_set_back_forgets_nothing);
    tcase_add_test(tcase, a_budget_slows_before_it_is_passed);
    tcase_add_test(tcase, a_spent_budget_stops_but_for_what_is_free);
    tcase_add_test(tcase, the_month_survives_a_restart);
    tcase_add_test(tcase, an_estimate_adds_up);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_cost_suite)
