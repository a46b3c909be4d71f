#include "lib/metrics/value.h"

#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

/* Random doubles checked; NUMBER_TEST_ROUNDS=10000000 for the long run. */
#define DEFAULT_ROUNDS 300000L

static const char *write_number(char *text, double number)
{
    char *end = number_write_f64(text, number);
    ck_assert_int_le(end - text, NUMBER_TEXT_MAX);
    *end = '\0';
    return text;
}

START_TEST(known_forms)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.1, "0.1"},
        {-0.0, "-0"},
        {0, "0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {1e-4, "0.0001"},
        {1e-5, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1.25e21, "1.25e+21"},
        {1e100, "1e+100"},
        {123456789.125, "123456789.125"},
        {9007199254740991.0, "9007199254740991"},
        {9007199254740994.0, "9007199254740994"},
        {123456789012345678.0, "123456789012345680"},
        {5e-324, "5e-324"},
        {2.2250738585072009e-308, "2.225073858507201e-308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {9.5367431640625e-07, "9.5367431640625e-07"},
        {8.41e21, "8.41e+21"},
        {2.0919495182368195e19, "20919495182368195000"},
        {9.007199254740992e15, "9007199254740992"},
        {1e23, "1e+23"},
    };
    char text[NUMBER_TEXT_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ck_assert_str_eq(write_number(text, cases[i].number), cases[i].text);
    ck_assert_str_eq(write_number(text, (double)NAN), "NaN");
    ck_assert_str_eq(write_number(text, -(double)NAN), "NaN");
    ck_assert_str_eq(write_number(text, (double)INFINITY), "+Inf");
    ck_assert_str_eq(write_number(text, -(double)INFINITY), "-Inf");
}
END_TEST

/* Significant digits of a written number. */
static int digits_of(const char *text)
{
    int digits = 0, zeros = 0;
    bool started = false, point = false;
    for (; *text && *text != 'e'; text++) {
        point = point || *text == '.';
        started = started || (*text >= '1' && *text <= '9');
        if (!started || *text == '.' || *text == '-')
            continue;
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return digits - (point ? 0 : zeros);
}

/* Reads back to the same bits, and no shorter decimal does. */
static void check_number(double number)
{
    char text[NUMBER_TEXT_MAX + 1], other[64];
    if (isnan(number) || isinf(number))
        return;
    write_number(text, number);
    double back = strtod(text, NULL);
    ck_assert_msg(memcmp(&back, &number, sizeof back) == 0, "%s is not %.17g", text, number);
    int digits = digits_of(text);
    if (digits > 1) {
        (void)snprintf(other, sizeof other, "%.*e", digits - 2, number);
        ck_assert_msg(strtod(other, NULL) != number, "%s is longer than %s", text, other);
    }
    if (digits > 0) { /* of the shortest ones it is the nearest */
        (void)snprintf(other, sizeof other, "%.*e", digits - 1, number);
        if (strtod(other, NULL) == number) {
            char ours[64];
            (void)snprintf(ours, sizeof ours, "%.*e", digits - 1, strtod(text, NULL));
            ck_assert_msg(digits > 15 || strcmp(ours, other) == 0, "%s but %s is nearer", text, other);
        }
    }
}

START_TEST(random_bit_patterns)
{
    const char *wanted = getenv("NUMBER_TEST_ROUNDS"); // NOLINT(concurrency-mt-unsafe): one thread
    long rounds = wanted ? strtol(wanted, NULL, 10) : DEFAULT_ROUNDS;
    uint64_t state = UINT64_C(88172645463325252);
    for (long i = 0; i < rounds; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double number;
        memcpy(&number, &state, sizeof number);
        check_number(number);
        check_number((double)(state >> 40) / 1000.0);
    }
}
END_TEST

START_TEST(hard_cases)
{
    for (int exponent = -1074; exponent <= 1023; exponent++) { /* where the interval is lopsided */
        double power = ldexp(1.0, exponent);
        check_number(power);
        check_number(nextafter(power, 0));
        check_number(nextafter(power, (double)INFINITY));
        check_number(3 * power);
    }
    char text[16];
    for (int exponent = -323; exponent <= 308; exponent++) {
        (void)snprintf(text, sizeof text, "1e%d", exponent);
        double power = strtod(text, NULL);
        check_number(power);
        check_number(nextafter(power, 0));
        check_number(nextafter(power, (double)INFINITY));
        check_number(5 * power);
    }
    for (uint64_t n = 1; n < 2000; n++) {
        check_number((double)n * 5e-324);
        check_number((double)((UINT64_C(1) << 53) + n));
        check_number((double)n / 100.0);
    }
}
END_TEST

static Suite *value_f64_suite(void)
{
    Suite *suite = suite_create("value_f64");
    TCase *tests = tcase_create("value_f64");
    tcase_set_timeout(tests, 250);
    tcase_add_test(tests, known_forms);
    tcase_add_test(tests, random_bit_patterns);
    tcase_add_test(tests, hard_cases);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(value_f64_suite)
