#include "lib/core/clock.h"
#include "tests/support/support.h"

START_TEST(virtual_and_real)
{
    int64_t before = clock_mono_ns();
    clock_set_virtual(5, 7);
    ck_assert_int_eq(clock_mono_ns(), 5);
    ck_assert_int_eq(clock_wall_ns(), 7);
    clock_use_real();
    ck_assert_int_ge(clock_mono_ns(), before);
    ck_assert_int_gt(clock_wall_ns(), INT64_C(1600000000) * NS_PER_S);
}
END_TEST

START_TEST(rfc3339)
{
    char text[CLOCK_RFC3339_SIZE];
    ck_assert_str_eq(clock_format_rfc3339(0, text), "1970-01-01T00:00:00.000Z");
    ck_assert_str_eq(clock_format_rfc3339(INT64_C(1764000000123) * NS_PER_MS + 999999, text),
                     "2025-11-24T16:00:00.123Z");
    ck_assert_str_eq(clock_format_rfc3339(-1, text), "1969-12-31T23:59:59.999Z");
    ck_assert_str_eq(clock_format_rfc3339(-NS_PER_S, text), "1969-12-31T23:59:59.000Z");
}
END_TEST

START_TEST(rfc3339_is_read)
{
    static const char *const good[] = {"2026-11-26T04:20:32Z", "2026-11-26T04:20:32.123456789Z",
                                       "2026-11-26T04:20:32+00:00"};
    static const char *const wrong[] = {"",
                                        "2026-11-26T04:20:32",
                                        "2026-11-26 04:20:32Z",
                                        "2026-11-26T04:20:32.Z",
                                        "2026-11-26T04:20:32xZ",
                                        "2026-11-26T04:20:32+01:00",
                                        "2026-13-26T04:20:32Z",
                                        "2026-11-26T24:20:32Z",
                                        "9999-11-26T04:20:32Z",
                                        "+026-11-26T04:20:32Z"};
    int64_t ns;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        ck_assert_msg(clock_parse_rfc3339(str_from(good[i]), &ns), "%s", good[i]);
        ck_assert_int_eq(ns, INT64_C(1795666832) * NS_PER_S);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        ck_assert_msg(!clock_parse_rfc3339(str_from(wrong[i]), &ns), "%s", wrong[i]);
}
END_TEST

START_TEST(sleeping)
{
    int64_t start = clock_mono_ns();
    clock_sleep_ns(-1);
    clock_sleep_ns(0);
    clock_sleep_ns(20 * NS_PER_MS);
    ck_assert_int_ge(clock_mono_ns() - start, 20 * NS_PER_MS);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("clock");
    TCase *tests = tcase_create("clock");
    tcase_add_test(tests, virtual_and_real);
    tcase_add_test(tests, rfc3339);
    tcase_add_test(tests, rfc3339_is_read);
    tcase_add_test(tests, sleeping);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
