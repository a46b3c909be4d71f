#include "lib/metrics/exp_histogram.h"

#include "tests/support/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static uint64_t sum_of(const struct exp_buckets *buckets)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < buckets->count; i++)
        sum += buckets->counts[i];
    return sum;
}

static double bound(const struct exp_histogram *histogram, int32_t index)
{
    return exp_histogram_upper_bound(histogram->scale, index);
}

static void check_totals(const struct exp_histogram *histogram, uint64_t count)
{
    ck_assert_uint_eq(histogram->count, count);
    ck_assert_uint_eq(histogram->zero_count + sum_of(&histogram->positive) + sum_of(&histogram->negative),
                      count);
    ck_assert_uint_le(histogram->positive.count, histogram->max_buckets);
    ck_assert_uint_le(histogram->negative.count, histogram->max_buckets);
}

START_TEST(values_lie_in_their_bucket)
{
    static const double values[] = {
        1, 2, 4, 0.5, 1.5, 3, 1e-300, 1e300, 5e-324, 1.7976931348623157e308, 1.0000001, 7};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        for (uint32_t by = 0; by <= 30; by++) {
            struct exp_histogram histogram;
            exp_histogram_init(&histogram, 160);
            exp_histogram_downscale(&histogram, by);
            exp_histogram_observe(&histogram, values[i]);
            ck_assert_uint_eq(histogram.positive.count, 1);
            int32_t index = histogram.positive.offset;
            ck_assert_msg(values[i] <= bound(&histogram, index) &&
                              (values[i] > bound(&histogram, index - 1) || values[i] < DBL_MIN),
                          "%g scale %d index %d", values[i], histogram.scale, index);
        }
    }
}
END_TEST

START_TEST(scale_falls_until_all_fits)
{
    struct exp_histogram histogram;
    exp_histogram_init(&histogram, 20);
    unsigned seed = 7;
    uint64_t count = 0;
    for (int i = 0; i < 20000; i++) {
        double value = exp((double)(rand_r(&seed) % 2000 - 1000) / 10) * (rand_r(&seed) % 3 ? 1 : -1);
        exp_histogram_observe(&histogram, rand_r(&seed) % 50 ? value : 0);
        count++;
    }
    check_totals(&histogram, count);
    exp_histogram_observe(&histogram, 5e-324);
    exp_histogram_observe(&histogram, 1.7e308);
    exp_histogram_observe(&histogram, (double)INFINITY); /* not observed */
    exp_histogram_observe(&histogram, (double)NAN);
    check_totals(&histogram, count + 2);
    ck_assert_double_eq(histogram.max, 1.7e308);
}
END_TEST

/* Merging two halves is what observing everything in one gives, bucket by bucket. */
START_TEST(merging_is_exact)
{
    unsigned seed = 3;
    for (int round = 0; round < 50; round++) {
        struct exp_histogram one, two, whole;
        exp_histogram_init(&one, 40);
        exp_histogram_init(&two, 40);
        exp_histogram_init(&whole, 40);
        int count = rand_r(&seed) % 200;
        for (int i = 0; i < count; i++) {
            double value =
                exp((double)(rand_r(&seed) % 400 - 200) / (round + 1)) * (rand_r(&seed) % 4 ? 1 : -1);
            exp_histogram_observe(rand_r(&seed) % 2 ? &one : &two, value);
            exp_histogram_observe(&whole, value);
        }
        exp_histogram_merge(&one, &two);
        check_totals(&one, (uint64_t)count);
        int32_t scale = one.scale < whole.scale ? one.scale : whole.scale;
        exp_histogram_downscale(&one, (uint32_t)(one.scale - scale));
        exp_histogram_downscale(&whole, (uint32_t)(whole.scale - scale));
        for (int sign = 0; sign < 2; sign++) {
            const struct exp_buckets *a = sign ? &one.negative : &one.positive;
            const struct exp_buckets *b = sign ? &whole.negative : &whole.positive;
            for (int32_t i = -2000; i < 2000; i++) {
                uint32_t at_a = (uint32_t)(i - a->offset), at_b = (uint32_t)(i - b->offset);
                ck_assert_uint_eq(at_a < a->count ? a->counts[at_a] : 0,
                                  at_b < b->count ? b->counts[at_b] : 0);
            }
        }
    }
}
END_TEST

START_TEST(becomes_classic)
{
    unsigned seed = 11;
    for (size_t max_bounds = 0; max_bounds < 64; max_bounds++) {
        struct exp_histogram histogram;
        exp_histogram_init(&histogram, 160);
        for (int i = 0; i < 300; i++) {
            static const double extremes[] = {5e-324, -5e-324, 1.79e308, -1.79e308, 0};
            double value = exp((double)(rand_r(&seed) % 2000 - 1000) / 100) * (rand_r(&seed) % 2 ? 1 : -1);
            exp_histogram_observe(&histogram, max_bounds % 2 && i < 5 ? extremes[i] : value);
        }
        double bounds[64];
        uint64_t counts[65], sum = 0;
        size_t used = exp_histogram_to_classic(&histogram, bounds, counts, max_bounds);
        ck_assert_uint_le(used, max_bounds);
        for (size_t i = 0; i < used; i++) {
            ck_assert(isfinite(bounds[i]));
            ck_assert(i == 0 || bounds[i] > bounds[i - 1]);
        }
        for (size_t i = 0; i <= used; i++)
            sum += counts[i];
        ck_assert_uint_eq(sum, 300);
    }
    struct exp_histogram histogram;
    exp_histogram_init(&histogram, 160);
    exp_histogram_downscale(&histogram, 20); /* powers of two */
    exp_histogram_observe(&histogram, 0);
    exp_histogram_observe(&histogram, 1.5);
    exp_histogram_observe(&histogram, 2);
    exp_histogram_observe(&histogram, 3);
    double bounds[8];
    uint64_t counts[9];
    ck_assert_uint_eq(exp_histogram_to_classic(&histogram, bounds, counts, 8), 4);
    ck_assert_double_eq(bounds[0], 0);
    ck_assert_double_eq(bounds[1], 1);
    ck_assert_double_eq(bounds[2], 2);
    ck_assert_double_eq(bounds[3], 4);
    ck_assert_uint_eq(counts[0], 1);
    ck_assert_uint_eq(counts[1], 0);
    ck_assert_uint_eq(counts[2], 2);
    ck_assert_uint_eq(counts[3], 1);
    ck_assert_uint_eq(counts[4], 0);
}
END_TEST

static Suite *exp_histogram_suite(void)
{
    Suite *suite = suite_create("exp_histogram");
    TCase *tests = tcase_create("exp_histogram");
    tcase_add_test(tests, values_lie_in_their_bucket);
    tcase_add_test(tests, scale_falls_until_all_fits);
    tcase_add_test(tests, merging_is_exact);
    tcase_add_test(tests, becomes_classic);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(exp_histogram_suite)
