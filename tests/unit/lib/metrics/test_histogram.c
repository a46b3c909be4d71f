#include "lib/metrics/histogram.h"

#include "tests/support/support.h"

#include <math.h>

START_TEST(buckets_close_at_their_bound)
{
    static const double bounds[] = {0.1, 1, 10};
    struct histogram histogram;
    histogram_init(&histogram, bounds, 3);
    static const double values[] = {-5, 0.1, 0.10001, 1, 9.9, 10, 10.1, 1e300};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        histogram_observe(&histogram, values[i]);
    histogram_observe(&histogram, (double)INFINITY);
    histogram_observe(&histogram, (double)NAN);
    ck_assert_uint_eq(histogram.counts[0], 2);
    ck_assert_uint_eq(histogram.counts[1], 2);
    ck_assert_uint_eq(histogram.counts[2], 2);
    ck_assert_uint_eq(histogram.counts[3], 3);
    ck_assert_uint_eq(histogram_count(&histogram), 9);
}
END_TEST

START_TEST(agrees_with_a_linear_search)
{
    double bounds[HISTOGRAM_MAX_BOUNDS];
    for (size_t i = 0; i < HISTOGRAM_MAX_BOUNDS; i++)
        bounds[i] = (double)(i * i);
    for (size_t count = 0; count <= HISTOGRAM_MAX_BOUNDS; count++) {
        for (int value = -1; value < 70; value++) {
            struct histogram histogram;
            histogram_init(&histogram, bounds, count);
            histogram_observe(&histogram, value);
            size_t expected = 0;
            while (expected < count && bounds[expected] < value)
                expected++;
            ck_assert_uint_eq(histogram.counts[expected], 1);
        }
    }
}
END_TEST

static Suite *histogram_suite(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tests = tcase_create("histogram");
    tcase_add_test(tests, buckets_close_at_their_bound);
    tcase_add_test(tests, agrees_with_a_linear_search);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(histogram_suite)
