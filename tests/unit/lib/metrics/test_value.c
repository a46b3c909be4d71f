#include "lib/metrics/value.h"

#include "tests/support/support.h"

#include <inttypes.h>
#include <math.h>

static const char *text_of(struct value value)
{
    static char text[NUMBER_TEXT_MAX + 1];
    *number_write_value(text, value) = '\0';
    return text;
}

START_TEST(integers)
{
    ck_assert_str_eq(text_of(VALUE_OF_U64(0)), "0");
    ck_assert_str_eq(text_of(VALUE_OF_U64(UINT64_MAX)), "18446744073709551615");
    ck_assert_str_eq(text_of(VALUE_OF_I64(INT64_MIN)), "-9223372036854775808");
    ck_assert_str_eq(text_of(VALUE_OF_I64(-1)), "-1");
    ck_assert_str_eq(text_of(VALUE_OF_BOOL(true)), "1");
    ck_assert_str_eq(text_of((struct value){0}), "NaN");
    char ours[NUMBER_TEXT_MAX + 1], theirs[NUMBER_TEXT_MAX + 1];
    for (uint64_t power = 1, digits = 0; digits < 20; power *= 10, digits++) {
        for (uint64_t n = power - 2; n != power + 3; n++) {
            *number_write_u64(ours, n) = '\0';
            (void)snprintf(theirs, sizeof theirs, "%" PRIu64, n);
            ck_assert_str_eq(ours, theirs);
            *number_write_i64(ours, (int64_t)n) = '\0';
            (void)snprintf(theirs, sizeof theirs, "%" PRId64, (int64_t)n);
            ck_assert_str_eq(ours, theirs);
        }
    }
    for (uint64_t n = 1; n; n <<= 1) {
        *number_write_u64(ours, n - 1) = '\0';
        (void)snprintf(theirs, sizeof theirs, "%" PRIu64, n - 1);
        ck_assert_str_eq(ours, theirs);
    }
}
END_TEST

START_TEST(bounds)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {{1, "1.0"},
                 {0, "0.0"},
                 {-5, "-5.0"},
                 {0.005, "0.005"},
                 {1e21, "1e+21"},
                 {1e6, "1e+06"},
                 {1e-7, "1e-07"},
                 {2.5, "2.5"},
                 {1e20, "1e+20"},
                 {999999, "999999.0"},
                 {1234567, "1.234567e+06"},
                 {0.0001, "0.0001"},
                 {15000, "15000.0"}};
    char text[NUMBER_TEXT_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        *number_write_bound(text, cases[i].number) = '\0';
        ck_assert_str_eq(text, cases[i].text);
    }
    *number_write_bound(text, (double)INFINITY) = '\0';
    ck_assert_str_eq(text, "+Inf");
    *number_write_bound(text, -(double)INFINITY) = '\0';
    ck_assert_str_eq(text, "-Inf");
}
END_TEST

START_TEST(doubles)
{
    ck_assert_double_eq(value_to_double(VALUE_OF_U64(7)), 7);
    ck_assert_double_eq(value_to_double(VALUE_OF_I64(-7)), -7);
    ck_assert_double_eq(value_to_double(VALUE_OF_F64(0.5)), 0.5);
    ck_assert(isnan(value_to_double((struct value){0})));
}
END_TEST

static Suite *value_suite(void)
{
    Suite *suite = suite_create("value");
    TCase *tests = tcase_create("value");
    tcase_add_test(tests, integers);
    tcase_add_test(tests, bounds);
    tcase_add_test(tests, doubles);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(value_suite)
