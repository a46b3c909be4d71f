#include "lib/core/units.h"
#include "tests/support/support.h"

#include <stdlib.h>

START_TEST(durations_are_exact)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {{"0", 0},
                 {"250ms", 250 * NS_PER_MS},
                 {"1h30m", 5400 * NS_PER_S},
                 {"30d", 30 * 86400 * NS_PER_S},
                 {"1.5s", 1500 * NS_PER_MS},
                 {"0.000000001s", 1},
                 {"2w", 14 * 86400 * NS_PER_S},
                 {"1us", 1000},
                 {"106751d23h47m16s854ms775us807ns", INT64_MAX}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns = -1;
        struct error err;
        ck_assert_msg(units_parse_duration(str_from(cases[i].text), &ns, &err) == 0, "%s", cases[i].text);
        ck_assert_int_eq(ns, cases[i].ns);
    }
}
END_TEST

START_TEST(durations_refused)
{
    static const char *const texts[] = {"",
                                        "5",
                                        "s",
                                        "5x",
                                        "5 s",
                                        "-5s",
                                        "+5s",
                                        "1.s",
                                        ".5s",
                                        "1h5",
                                        "1..5s",
                                        "1.5ns",
                                        "9999999999999999999ns",
                                        "300y",
                                        "5S",
                                        "106752d",
                                        "1e3s"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t ns;
        struct error err;
        ck_assert_msg(units_parse_duration(str_from(texts[i]), &ns, &err) == ERR_PARSE, "%s", texts[i]);
        ck_assert(err.message[0]);
    }
}
END_TEST

START_TEST(sizes)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"0", 0},
                 {"7", 7},
                 {"1kB", 1000},
                 {"1KiB", 1024},
                 {"1.5GiB", 1610612736},
                 {"64MiB", 67108864},
                 {"16777215TiB", UINT64_C(16777215) << 40},
                 {"18446744073709551615", UINT64_MAX}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t bytes = 1;
        struct error err;
        ck_assert_msg(units_parse_size(str_from(cases[i].text), &bytes, &err) == 0, "%s", cases[i].text);
        ck_assert_uint_eq(bytes, cases[i].bytes);
    }
    static const char *const refused[] = {"",    "B",        "1KB",  "1 MB",        "-1",
                                          "0.5", "1.0001kB", "1MBx", "16777216TiB", "1mb"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        uint64_t bytes;
        struct error err;
        ck_assert_msg(units_parse_size(str_from(refused[i]), &bytes, &err) == ERR_PARSE, "%s", refused[i]);
    }
}
END_TEST

START_TEST(texts_are_short)
{
    char text[UNITS_TEXT_MAX];
    ck_assert_str_eq(units_format_duration(0, text), "0s");
    ck_assert_str_eq(units_format_duration(250 * NS_PER_MS, text), "250ms");
    ck_assert_str_eq(units_format_duration(5400 * NS_PER_S, text), "1h30m");
    ck_assert_str_eq(units_format_duration(30 * 86400 * NS_PER_S, text), "30d");
    ck_assert_str_eq(units_format_duration(-NS_PER_S, text), "-1s");
    ck_assert_str_eq(units_format_duration(INT64_MIN, text), "-106751d23h47m16s854ms775us808ns");
    ck_assert_str_eq(units_format_size(1UL << 30, text), "1GiB");
    ck_assert_str_eq(units_format_size(1000, text), "1kB");
    ck_assert_str_eq(units_format_size(1500, text), "1500B");
    ck_assert_str_eq(units_format_size(0, text), "0B");
}
END_TEST

START_TEST(random_values_come_back)
{
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t value = (state >> 1) >> (state % 63);
        char text[UNITS_TEXT_MAX];
        struct error err;
        int64_t ns;
        uint64_t bytes;
        ck_assert_int_eq(
            units_parse_duration(str_from(units_format_duration((int64_t)value, text)), &ns, &err), 0);
        ck_assert_int_eq(ns, (int64_t)value);
        ck_assert_int_eq(units_parse_size(str_from(units_format_size(value, text)), &bytes, &err), 0);
        ck_assert_uint_eq(bytes, value);
        ck_assert_int_eq(units_parse_decimal(str_from(units_format_decimal(value, 7, text)), 7, &bytes, &err),
                         0);
        ck_assert_uint_eq(bytes, value);
    }
}
END_TEST

START_TEST(decimals)
{
    char text[UNITS_TEXT_MAX];
    struct error err;
    uint64_t scaled;
    ck_assert_int_eq(units_parse_decimal(STR("99.99"), 7, &scaled, &err), 0);
    ck_assert_uint_eq(scaled, 999900000);
    ck_assert_int_eq(units_parse_decimal(STR("14.4"), 1, &scaled, &err), 0);
    ck_assert_uint_eq(scaled, 144);
    ck_assert_int_eq(units_parse_decimal(STR("100.000000000000000000000"), 2, &scaled, &err), 0);
    ck_assert_uint_eq(scaled, 10000);
    ck_assert_int_eq(units_parse_decimal(STR("5"), 0, &scaled, &err), 0);
    ck_assert_uint_eq(scaled, 5);
    ck_assert_str_eq(units_format_decimal(999900000, 7, text), "99.99");
    ck_assert_str_eq(units_format_decimal(5, 7, text), "0.0000005");
    ck_assert_str_eq(units_format_decimal(1000, 3, text), "1");
    static const char *const refused[] = {"",    ".",     "1.",  ".5",    "-1", "+1",
                                          "1e2", "1.234", "1,5", "1.2.3", " 1", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        ck_assert_msg(units_parse_decimal(str_from(refused[i]), 2, &scaled, &err) == ERR_PARSE, "%s",
                      refused[i]);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("units");
    TCase *tests = tcase_create("units");
    tcase_add_test(tests, durations_are_exact);
    tcase_add_test(tests, durations_refused);
    tcase_add_test(tests, sizes);
    tcase_add_test(tests, texts_are_short);
    tcase_add_test(tests, random_values_come_back);
    tcase_add_test(tests, decimals);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
