#include "lib/core/str.h"
#include "tests/support/support.h"

#include <math.h>

START_TEST(order_and_affixes)
{
    ck_assert_int_lt(str_compare(STR("a"), STR("b")), 0);
    ck_assert_int_lt(str_compare(STR("a"), STR("aa")), 0);
    ck_assert_int_gt(str_compare(STR("\xFF"), STR("a")), 0);
    ck_assert_int_eq(str_compare(STR(""), (struct str){NULL, 0}), 0);
    ck_assert(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")));
    ck_assert(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
    ck_assert(str_equal(STR(""), (struct str){NULL, 0}));
    ck_assert(str_equal_text(str_trim(STR(" \t a b\r\n")), "a b"));
    ck_assert_uint_eq(str_trim(STR("  ")).len, 0);
    ck_assert_uint_eq(str_from(NULL).len, 0);
}
END_TEST

START_TEST(numbers)
{
    uint64_t u = 0;
    int64_t i = 0;
    double d = 0;
    ck_assert(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    ck_assert(!str_to_u64(STR("18446744073709551616"), &u));
    ck_assert(!str_to_u64(STR(""), &u) && !str_to_u64(STR("1 "), &u) && !str_to_u64(STR("+1"), &u));
    ck_assert(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    ck_assert(str_to_i64(STR("+9223372036854775807"), &i) && i == INT64_MAX);
    ck_assert(!str_to_i64(STR("9223372036854775808"), &i) && !str_to_i64(STR("-9223372036854775809"), &i));
    ck_assert(!str_to_i64(STR("-"), &i) && !str_to_i64(STR("--1"), &i));
    ck_assert(str_to_double(STR("1.5e3"), &d) && d >= 1500 && d <= 1500);
    ck_assert(str_to_double(STR("-Inf"), &d) && isinf(d));
    ck_assert(str_to_double(STR("NaN"), &d) && isnan(d));
    ck_assert(!str_to_double(STR(" 1"), &d) && !str_to_double(STR("1x"), &d) && !str_to_double(STR(""), &d));
}
END_TEST

static const struct {
    struct str text;
    bool sound;
} utf8_cases[] = {
    {{"", 0}, true},
    {{"plain ascii of some length", 26}, true},
    {{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9}, true},
    {{"\xF4\x8F\xBF\xBF", 4}, true},
    {{"\xC0\xAF", 2}, false},         /* overlong */
    {{"\xE0\x80\xAF", 3}, false},     /* overlong */
    {{"\xF0\x80\x80\xAF", 4}, false}, /* overlong */
    {{"\xED\xA0\x80", 3}, false},     /* surrogate */
    {{"\xF4\x90\x80\x80", 4}, false}, /* above U+10FFFF */
    {{"\xF5\x80\x80\x80", 4}, false},
    {{"\x80", 1}, false},
    {{"\xC3", 1}, false},
    {{"aaaaaaaa\xE2\x82", 10}, false},
    {{"aaaaaaa\xFF", 8}, false},
};

START_TEST(utf8)
{
    for (size_t i = 0; i < ARRAY_LEN(utf8_cases); i++)
        ck_assert_msg(str_is_utf8(utf8_cases[i].text) == utf8_cases[i].sound, "case %zu", i);
    ck_assert_uint_eq(str_utf8_length(STR("\xE2\x82\xACx")), 3);
    ck_assert_uint_eq(str_utf8_length(STR("x")), 1);
    ck_assert_uint_eq(str_utf8_length(STR("\x82")), 0);
    ck_assert_uint_eq(str_utf8_length(STR("")), 0);
}
END_TEST

START_TEST(the_name_that_is_meant)
{
    static const struct str_alias aliases[] = {{"google", "gcp"}, {"k8s", "kubernetes"}, {NULL, NULL}};
    ck_assert_str_eq(str_meant("google", aliases), "gcp");
    ck_assert_str_eq(str_meant("K8s", aliases), "kubernetes");
    ck_assert_ptr_null(str_meant("gcp", aliases));
    ck_assert_ptr_null(str_meant("", aliases));
}
END_TEST

START_TEST(the_nearest_name)
{
    static const char *const names[] = {"interval", "timeout", "name", "region"};
    ck_assert_str_eq(str_nearest("intervall", names, 4), "interval");
    ck_assert_str_eq(str_nearest("Timeout", names, 4), "timeout");
    ck_assert_str_eq(str_nearest("nmae", names, 4), "name");
    ck_assert_str_eq(str_nearest("dns", (const char *const[]){"name", "dsn", "tables"}, 3), "dsn");
    ck_assert_ptr_null(str_nearest("port", names, 4));
    ck_assert_ptr_null(str_nearest("something_else_entirely", names, 4));
    ck_assert_ptr_null(str_nearest("x", names, 0));
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    ck_assert_ptr_null(str_nearest(longest, names, 4));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("str");
    TCase *tests = tcase_create("str");
    tcase_add_test(tests, order_and_affixes);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, utf8);
    tcase_add_test(tests, the_name_that_is_meant);
    tcase_add_test(tests, the_nearest_name);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
