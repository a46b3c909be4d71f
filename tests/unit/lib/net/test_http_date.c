#include "lib/net/http_date.h"

#include "tests/support/support.h"

START_TEST(the_one_form)
{
    static const struct {
        const char *text;
        int64_t wall_s;
    } cases[] = {
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t wall_s = -1;
        ck_assert_msg(http_date_parse(str_from(cases[i].text), &wall_s), "%s", cases[i].text);
        ck_assert_int_eq(wall_s, cases[i].wall_s);
    }
}
END_TEST

START_TEST(everything_else_is_none)
{
    static const char *const broken[] = {"",
                                         "soon",
                                         "Sun, 06 Nov 1994 08:49:37 CET",
                                         "Sun, 06 Foo 1994 08:49:37 GMT",
                                         "Sun, 00 Nov 1994 08:49:37 GMT",
                                         "Sun, 32 Nov 1994 08:49:37 GMT",
                                         "Sun, 06 Nov 1994 24:49:37 GMT",
                                         "Sun, 06 Nov 1994 08:60:37 GMT",
                                         "Sun, 06 Nov 1969 08:49:37 GMT",
                                         "Sun, 06 Nov 1994 08:49: 7 GMT",
                                         "Sun, 06 Nov 1994 08:49:37 GMT ",
                                         "Sunday, 06-Nov-94 08:49:37 GMT"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        int64_t wall_s;
        ck_assert_msg(!http_date_parse(str_from(broken[i]), &wall_s), "%s", broken[i]);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("http_date");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, the_one_form);
    tcase_add_test(tc, everything_else_is_none);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
