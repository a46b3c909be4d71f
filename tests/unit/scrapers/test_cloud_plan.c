#include "scrapers/cloud/plan.h"

#include "scrapers/cloud/reading.h"
#include "tests/support/support.h"

#define MIN   (60 * NS_PER_S)
#define START (INT64_C(1800000000) * NS_PER_S)
#define LATE  (10 * MIN)
#define HOUR  (60 * MIN)

static const struct cloud_plan_options options = {.settle_ns = MIN,
                                                  .late_ns = LATE,
                                                  .retention_ns = 48 * HOUR,
                                                  .catch_up_ns = 24 * HOUR,
                                                  .max_series = 1000};
static const struct cloud_metric_desc sum_desc = {.name = "requests_sum", .kind = CLOUD_SUM};

static struct cloud_plan *plan;
static struct cloud_query *taken[64];
static int64_t from, to;

static void begin(void)
{
    plan = cloud_plan_new(&options);
}

static void end(void)
{
    cloud_plan_free(plan);
}

static struct cloud_query *tell_query(const char *key, int64_t period_ns, const char *lane)
{
    return cloud_plan_query(
        plan, &(struct cloud_query_desc){.key = str_from(key), .period_ns = period_ns, .lane = lane});
}

static struct cloud_series *tell_series(struct cloud_query *query, const char *key)
{
    struct label label = LABEL_TEXT("resource", key);
    return cloud_plan_series(plan, query, cloud_plan_metric(plan, &sum_desc), str_from(key), &label, 1,
                             STR("r"));
}

static size_t take(int64_t now)
{
    return cloud_plan_take(plan, START + now, 1, 64, 0, taken, &from, &to);
}

START_TEST(a_query_is_due_once_in_its_own_period)
{
    cloud_plan_begin(plan);
    tell_query("minute", MIN, NULL);
    tell_query("five", 5 * MIN, NULL);
    cloud_plan_end(plan);
    int minutes = 0, fives = 0;
    for (int64_t now = 0; now < HOUR; now += 15 * NS_PER_S) {
        for (size_t count = take(now); count; count = take(now)) {
            for (size_t i = 0; i < count; i++) {
                minutes += taken[i]->period_ns == MIN;
                fives += taken[i]->period_ns != MIN;
                cloud_plan_answered(plan, taken[i], to, START + now);
            }
        }
    }
    ck_assert_int_eq(minutes, 60);
    ck_assert_int_ge(fives, 12);
    ck_assert_int_le(fives, 13);
}
END_TEST

START_TEST(lanes_and_groups_and_weights_part_batches)
{
    cloud_plan_begin(plan);
    tell_query("a", MIN, "east");
    tell_query("b", MIN, "west");
    tell_query("c", MIN, "east");
    cloud_plan_query(
        plan, &(struct cloud_query_desc){.key = STR("d"), .period_ns = MIN, .lane = "east", .group = 1});
    cloud_plan_query(
        plan, &(struct cloud_query_desc){.key = STR("e"), .period_ns = MIN, .lane = "east", .weight = 63});
    cloud_plan_end(plan);
    ck_assert_uint_eq(take(0), 2);
    ck_assert_str_eq(taken[0]->key, "a");
    ck_assert_str_eq(taken[1]->key, "c");
    ck_assert_uint_eq(take(0), 1);
    ck_assert_uint_eq(take(0), 1);
    ck_assert_uint_eq(take(0), 1);
    ck_assert_uint_eq(take(0), 0);
}
END_TEST

START_TEST(a_failure_moves_nothing_and_the_next_window_reaches_back)
{
    cloud_plan_begin(plan);
    struct cloud_query *query = tell_query("a", MIN, NULL);
    cloud_plan_end(plan);
    ck_assert_uint_eq(take(0), 1);
    cloud_plan_answered(plan, query, to, START);
    int64_t covered = query->covered_ns;
    for (int64_t now = MIN; now <= 30 * MIN; now += MIN) {
        if (take(now) == 0)
            continue;
        cloud_plan_failed(plan, query, CLOUD_FAILED, "no", START + now, 0);
    }
    ck_assert_int_eq(query->covered_ns, covered);
    ck_assert_str_eq(query->error, "no");
    ck_assert_uint_eq(take(32 * MIN), 1);
    ck_assert_int_le(from, covered - LATE);
    ck_assert_int_eq(to, START + 32 * MIN);
}
END_TEST

START_TEST(an_outage_beyond_catch_up_is_counted_as_lost)
{
    struct cloud_plan_counts counts;
    cloud_plan_begin(plan);
    struct cloud_query *query = tell_query("a", MIN, NULL);
    tell_series(query, "s");
    cloud_plan_end(plan);
    (void)take(0);
    cloud_plan_answered(plan, query, to, START);
    ck_assert_uint_eq(take(34 * HOUR), 1);
    ck_assert_int_eq(from, START + 10 * HOUR);
    cloud_plan_counts(plan, &counts);
    ck_assert_uint_eq(counts.lost_buckets, 600);
}
END_TEST

START_TEST(points_max_makes_batches_smaller)
{
    cloud_plan_begin(plan);
    for (int i = 0; i < 10; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "q%d", i);
        tell_query(key, MIN, NULL);
    }
    cloud_plan_end(plan);
    ck_assert_uint_eq(cloud_plan_take(plan, START, 1, 64, 35, taken, &from, &to), 3);
}
END_TEST

START_TEST(a_stretch_asks_less_often_and_loses_nothing)
{
    cloud_plan_begin(plan);
    struct cloud_query *query = tell_query("a", MIN, NULL);
    cloud_plan_end(plan);
    int asked = 0;
    for (int64_t now = 0; now < HOUR; now += 15 * NS_PER_S) {
        int64_t covered = query->covered_ns;
        if (cloud_plan_take(plan, START + now, 4, 64, 0, taken, &from, &to) == 0)
            continue;
        asked++;
        ck_assert(covered == 0 || from <= covered - LATE);
        cloud_plan_answered(plan, query, to, START + now);
    }
    ck_assert_int_le(asked, 16);
    ck_assert_int_ge(asked, 14);
}
END_TEST

START_TEST(a_clock_that_jumps_costs_no_bucket)
{
    cloud_plan_begin(plan);
    struct cloud_query *query = tell_query("a", MIN, NULL);
    struct cloud_series *series = tell_series(query, "s");
    cloud_plan_end(plan);
    (void)take(0);
    cloud_plan_answered(plan, query, to, START);
    /* A day ahead: the answer's own time tells. */
    ck_assert_uint_eq(take(24 * HOUR), 1);
    cloud_plan_answered(plan, query, to, START + 2 * MIN);
    ck_assert_int_le(query->covered_ns, START + 2 * MIN);
    ck_assert_int_le(series->account.closed_ns, START + 2 * MIN);
    /* And back: what is due far ahead is due now. */
    query->due_ns = START + 24 * HOUR;
    ck_assert_uint_eq(take(3 * MIN), 1);
    ck_assert_int_lt(from, to);
}
END_TEST

START_TEST(what_a_discovery_does_not_tell_is_dropped)
{
    struct cloud_plan_counts counts;
    cloud_plan_begin(plan);
    tell_series(tell_query("a", MIN, NULL), "s1");
    tell_series(tell_query("b", MIN, NULL), "s2");
    cloud_plan_info(plan, "x_info", "", NULL, 0, 0);
    cloud_plan_end(plan);
    ck_assert_ptr_nonnull(cloud_plan_infos(plan));
    cloud_plan_begin(plan);
    tell_series(tell_query("c", MIN, NULL), "s3");
    cloud_plan_abort(plan);
    cloud_plan_counts(plan, &counts);
    ck_assert_uint_eq(counts.queries, 2);
    ck_assert_uint_eq(counts.series, 2);
    ck_assert_ptr_null(cloud_plan_find(plan, STR("s3")));
    cloud_plan_begin(plan);
    tell_series(tell_query("b", MIN, NULL), "s2");
    cloud_plan_end(plan);
    ck_assert_ptr_null(cloud_plan_find(plan, STR("s1")));
    ck_assert_ptr_nonnull(cloud_plan_find(plan, STR("s2")));
    ck_assert_ptr_null(cloud_plan_infos(plan));
}
END_TEST

START_TEST(a_key_belongs_to_one_query_and_series_have_a_maximum)
{
    struct cloud_plan_counts counts;
    cloud_plan_begin(plan);
    struct cloud_query *a = tell_query("a", MIN, NULL), *b = tell_query("b", MIN, NULL);
    ck_assert_ptr_nonnull(tell_series(a, "s"));
    ck_assert_ptr_null(tell_series(b, "s"));
    for (int i = 0; i < 1100; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "s%d", i);
        (void)tell_series(a, key);
    }
    cloud_plan_end(plan);
    cloud_plan_counts(plan, &counts);
    ck_assert_uint_eq(counts.series, 1000);
    ck_assert_uint_eq(counts.refused_series, 101);
}
END_TEST

/* --- conservation -------------------------------------------------------------------------------------- */

#define CLOUD_MINUTES 3000
#define SERIES        3

/* A cloud whose buckets grow until some minutes after their end. */
struct cloud {
    double final[SERIES][CLOUD_MINUTES];
    int grows_until[SERIES][CLOUD_MINUTES]; /* minutes after its end */
    struct buf stored[SERIES];
};

static uint64_t seed;

static unsigned random_below(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

static double seen(const struct cloud *cloud, int series, int64_t minute, int64_t now)
{
    int64_t age = now - minute - 1;
    if (age >= cloud->grows_until[series][minute])
        return cloud->final[series][minute];
    return age < 0 ? 0 : (double)(int64_t)(cloud->final[series][minute] * (double)(age + 1) / 12);
}

static void discover(const struct cloud *cloud, struct cloud_series **series)
{
    static const char *const keys[SERIES] = {"s0", "s1", "s2"};
    plan = cloud_plan_new(&options);
    for (int i = 0; i < SERIES; i++) {
        if (cloud->stored[i].len)
            ck_assert_int_ge(cloud_plan_restore(plan, str_from(keys[i]), buf_str(&cloud->stored[i])), 0);
    }
    cloud_plan_begin(plan);
    for (int i = 0; i < SERIES; i++)
        series[i] = tell_series(tell_query(keys[i], MIN, NULL), keys[i]);
    cloud_plan_end(plan);
}

static void answer(const struct cloud *cloud, struct cloud_series *const *series, int64_t now)
{
    struct cloud_reading reading;
    struct cloud_bucket buckets[CLOUD_MINUTES];
    cloud_reading_init(&reading, plan, SERIES);
    for (int i = 0; i < SERIES; i++) {
        size_t count = 0;
        for (int64_t minute = (from - START) / MIN; minute < (to - START) / MIN; minute++) {
            double value = minute >= 0 ? seen(cloud, i, minute, now) : 0;
            if (value > 0)
                cloud_reading_point(&reading, series[i], START + minute * MIN, value);
            if (value > 0 && random_below(50) == 0) /* a page twice */
                cloud_reading_point(&reading, series[i], START + minute * MIN, value);
        }
        for (size_t k = 0; k < reading.point_count; k++) {
            if (reading.points[k].series == series[i])
                buckets[count++] =
                    (struct cloud_bucket){reading.points[k].start_ns, &reading.points[k].value};
        }
        cloud_account_take(&series[i]->account, buckets, count, 1, NULL, from, MIN, START + now * MIN,
                           &series[i]->metric->settle);
    }
    cloud_reading_deinit(&reading);
}

static void commit(struct cloud *cloud, struct cloud_series *const *series)
{
    for (int i = 0; i < SERIES; i++) {
        buf_reset(&cloud->stored[i]);
        cloud_account_encode(&series[i]->account, str_from(series[i]->query->key), &cloud->stored[i]);
    }
}

/* One life of two days: throttled, cut, partial, killed before and after the commit, away for hours. */
static void live(struct cloud *cloud)
{
    struct cloud_series *series[SERIES];
    discover(cloud, series);
    for (int64_t now = 1; now < CLOUD_MINUTES; now++) {
        if (now > 30 && random_below(400) == 0)
            now += random_below(300); /* an outage */
        if (now >= CLOUD_MINUTES - 30)
            now = now < CLOUD_MINUTES ? now : CLOUD_MINUTES - 1; /* the end is calm */
        bool calm = now < 30 || now >= CLOUD_MINUTES - 30;       /* counting begins with the first commit */
        size_t count = take(now * MIN);
        if (count == 0)
            continue;
        unsigned fate = calm ? 100 : random_below(100);
        if (fate >= 30)
            answer(cloud, series, now);
        for (size_t i = 0; i < count; i++) {
            if (fate < 40) /* failed, or partial: what came is taken */
                cloud_plan_failed(plan, taken[i], CLOUD_PARTIAL, "", START + now * MIN, 0);
            else
                cloud_plan_answered(plan, taken[i], to, START + now * MIN);
        }
        bool killed = !calm && random_below(25) == 0;
        if (!killed || random_below(2))
            commit(cloud, series);
        if (killed) {
            cloud_plan_free(plan);
            discover(cloud, series);
        }
    }
}

START_TEST(each_value_put_in_at_the_cloud_is_counted_exactly_once)
{
    cloud_plan_free(plan);
    for (seed = 1; seed < 60; seed += 1) {
        uint64_t run = seed;
        static struct cloud cloud;
        double sums[SERIES] = {0};
        memset(&cloud, 0, sizeof cloud);
        for (int i = 0; i < SERIES; i++) {
            buf_init(&cloud.stored[i], 1 << 20);
            for (int k = 0; k < CLOUD_MINUTES; k++) {
                cloud.final[i][k] = random_below(3) ? 12 * random_below(1000) : 0;
                cloud.grows_until[i][k] = (int)random_below(9);
                /* the last minutes cannot be complete */
                cloud.final[i][k] = k < CLOUD_MINUTES - 15 ? cloud.final[i][k] : 0;
                sums[i] += cloud.final[i][k];
            }
        }
        live(&cloud);
        static const char *const keys[SERIES] = {"s0", "s1", "s2"};
        for (int i = 0; i < SERIES; i++) {
            ck_assert_double_eq(cloud_account_total(&cloud_plan_find(plan, str_from(keys[i]))->account, 0),
                                sums[i]);
            buf_deinit(&cloud.stored[i]);
        }
        cloud_plan_free(plan);
        seed = run;
    }
    plan = cloud_plan_new(&options);
}
END_TEST

static Suite *cloud_plan_suite(void)
{
    Suite *suite = suite_create("cloud_plan");
    TCase *tcase = tcase_create("cloud_plan");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_query_is_due_once_in_its_own_period);
    tcase_add_test(tcase, lanes_and_groups_and_weights_part_batches);
    tcase_add_test(tcase, a_failure_moves_nothing_and_the_next_window_reaches_back);
    tcase_add_test(tcase, an_outage_beyond_catch_up_is_counted_as_lost);
    tcase_add_test(tcase, points_max_makes_batches_smaller);
    tcase_add_test(tcase, a_stretch_asks_less_often_and_loses_nothing);
    tcase_add_test(tcase, a_clock_that_jumps_costs_no_bucket);
    tcase_add_test(tcase, what_a_discovery_does_not_tell_is_dropped);
    tcase_add_test(tcase, a_key_belongs_to_one_query_and_series_have_a_maximum);
    tcase_add_test(tcase, each_value_put_in_at_the_cloud_is_counted_exactly_once);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_plan_suite)
