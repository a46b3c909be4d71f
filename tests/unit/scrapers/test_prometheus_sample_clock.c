#include "scrapers/prometheus/sample_clock.h"

#include "tests/support/support.h"

#define NOW INT64_C(1700000000000)

START_TEST(a_sample_is_judged_by_its_timestamp)
{
    struct sample_clock clock;
    sample_clock_init(&clock, 300000);
    ck_assert_int_eq(sample_clock_judge(&clock, 7, NOW - 1000, NOW), SAMPLE_GOOD);
    ck_assert_int_eq(sample_clock_judge(&clock, 7, NOW - 1000, NOW + 5000), SAMPLE_GOOD); /* the same again */
    ck_assert_int_eq(sample_clock_judge(&clock, 7, NOW - 1001, NOW), SAMPLE_OUT_OF_ORDER);
    ck_assert_int_eq(sample_clock_judge(&clock, 8, NOW - 1001, NOW), SAMPLE_GOOD); /* another series */
    ck_assert_int_eq(sample_clock_judge(&clock, 7, NOW - 300001, NOW), SAMPLE_STALE);
    ck_assert_int_eq(sample_clock_judge(&clock, 7, NOW + SAMPLE_CLOCK_AHEAD_MS + 1, NOW), SAMPLE_FUTURE);
    ck_assert_int_eq(sample_clock_judge(&clock, 7, NOW + 10, NOW), SAMPLE_GOOD);
    ck_assert_int_eq(sample_clock_judge(&clock, 7, NOW, NOW), SAMPLE_OUT_OF_ORDER);
    ck_assert_int_eq(sample_clock_judge(&clock, 0, NOW, NOW), SAMPLE_GOOD);
    ck_assert_int_eq(sample_clock_judge(&clock, 0, INT64_MIN, NOW), SAMPLE_STALE);
    ck_assert_int_eq(sample_clock_judge(&clock, 0, INT64_MAX, NOW), SAMPLE_FUTURE);
    sample_clock_deinit(&clock);
}
END_TEST

/* Pods come and go for ever: what is too old to be shown is forgotten. */
START_TEST(memory_follows_the_living_series)
{
    struct sample_clock clock;
    sample_clock_init(&clock, 1000);
    uint64_t key = 1;
    for (int64_t round = 0; round < 200; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            key = key * UINT64_C(6364136223846793005) + 1;
            ck_assert_int_eq(sample_clock_judge(&clock, key, NOW + 1000 * round, NOW + 1000 * round),
                             SAMPLE_GOOD);
        }
    }
    ck_assert_uint_le(clock.capacity, 16384);
    sample_clock_deinit(&clock);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("prometheus_sample_clock");
    TCase *tests = tcase_create("clock");
    tcase_add_test(tests, a_sample_is_judged_by_its_timestamp);
    tcase_add_test(tests, memory_follows_the_living_series);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
