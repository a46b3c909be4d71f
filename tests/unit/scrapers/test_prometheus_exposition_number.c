#include "scrapers/prometheus/exposition_number.h"

#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

static struct value number(const char *text)
{
    struct value value = {0};
    ck_assert_msg(exposition_parse_number(str_from(text), &value), "\"%s\" is refused", text);
    return value;
}

static void refused(const char *text)
{
    struct value value;
    ck_assert_msg(!exposition_parse_number(str_from(text), &value), "\"%s\" is taken", text);
}

START_TEST(integers_stay_exact)
{
    ck_assert_int_eq(number("0").kind, VALUE_U64);
    ck_assert_uint_eq(number("18446744073709551615").u64, UINT64_MAX);
    ck_assert_int_eq(number("18446744073709551615").kind, VALUE_U64);
    ck_assert_int_eq(number("18446744073709551616").kind, VALUE_F64);
    ck_assert_int_eq(number("-9223372036854775807").i64, -INT64_MAX);
    ck_assert_int_eq(number("-9223372036854775809").kind, VALUE_F64);
    ck_assert_uint_eq(number("+0042").u64, 42);
    ck_assert(signbit(number("-0").f64));
}
END_TEST

START_TEST(words_of_any_case)
{
    ck_assert(isnan(number("NaN").f64) && isnan(number("nAN").f64));
    ck_assert(number("Inf").f64 > 0 && isinf(number("+inf").f64) && isinf(number("INFINITY").f64));
    ck_assert(number("-Inf").f64 < 0);
    ck_assert_uint_eq(number("NaN").bits, number("nan").bits);
    refused("+NaN"); /* as Go refuses it */
    refused("nan(1)");
    refused("infin");
}
END_TEST

START_TEST(what_go_refuses_is_refused)
{
    const char *const texts[] = {"",    "+",  "-",  ".",   "e5",    "1e",    "1e+", "0x10", "0x1p3", "1_000",
                                 "1,5", "1 ", " 1", "--1", "1.2.3", "1e5.0", "1p3", "abc",  "+-1",   "1e5x"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        refused(texts[i]);
}
END_TEST

START_TEST(the_fast_path_agrees_with_strtod)
{
    const char *const texts[] = {"1.5",
                                 "-1.5",
                                 ".5",
                                 "5.",
                                 "1e22",
                                 "1e23",
                                 "1e-22",
                                 "1e-23",
                                 "1e+06",
                                 "0.1",
                                 "123456.789e3",
                                 "9007199254740993.0",
                                 "4.9e-324",
                                 "1.7976931348623157e308",
                                 "3.14159265358979323846264338327950288",
                                 "1e-400",
                                 "0.000000000000000000000000000001",
                                 "9007199254740992e22",
                                 "1E5"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        double wanted = strtod(texts[i], NULL), got = number(texts[i]).f64;
        ck_assert_msg(memcmp(&wanted, &got, sizeof got) == 0, "%s: %.17g is not %.17g", texts[i], got,
                      wanted);
    }
    unsigned state = 12345;
    for (unsigned i = 0; i < 200000; i++) {
        char text[64];
        state = state * 1103515245U + 12345U;
        unsigned a = state >> 3;
        state = state * 1103515245U + 12345U;
        (void)snprintf(text, sizeof text, "%u.%ue%d", a, state >> 8, (int)(state % 60) - 30);
        double wanted = strtod(text, NULL), got = number(text).f64;
        ck_assert_msg(memcmp(&wanted, &got, sizeof got) == 0, "%s: %.17g is not %.17g", text, got, wanted);
    }
}
END_TEST

START_TEST(timestamps_of_the_two_formats)
{
    int64_t ms = 0;
    ck_assert(exposition_text_timestamp(STR("1700000000000"), &ms));
    ck_assert(!exposition_text_timestamp(STR("1700000000.5"), &ms));
    ck_assert(!exposition_text_timestamp(STR("-5"), &ms));
    ck_assert(!exposition_text_timestamp(STR(""), &ms));
    ck_assert(!exposition_text_timestamp(STR("99999999999999999999"), &ms));
    ck_assert(exposition_openmetrics_timestamp(STR("1604676851.123"), &ms));
    ck_assert(exposition_openmetrics_timestamp(STR("-5"), &ms));
    ck_assert(!exposition_openmetrics_timestamp(STR("NaN"), &ms));
}
END_TEST

static Suite *number_suite(void)
{
    Suite *suite = suite_create("exposition_number");
    TCase *tcase = tcase_create("number");
    tcase_add_test(tcase, integers_stay_exact);
    tcase_add_test(tcase, words_of_any_case);
    tcase_add_test(tcase, what_go_refuses_is_refused);
    tcase_add_test(tcase, the_fast_path_agrees_with_strtod);
    tcase_add_test(tcase, timestamps_of_the_two_formats);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(number_suite)
