#include "lib/net/retry.h"

#include "lib/core/clock.h"
#include "lib/core/error.h"
#include "tests/support/support.h"

#define NOW   INT64_C(784111770000000000) /* Sun, 06 Nov 1994 08:49:30 GMT */
#define LIMIT (3600 * NS_PER_S)

START_TEST(what_passes)
{
    static const int passing[] = {408, 429, 500, 502, 503, 504, 599};
    static const int lasting[] = {0, 200, 301, 400, 401, 403, 404, 501, 600};
    for (size_t i = 0; i < ARRAY_LEN(passing); i++)
        ck_assert_msg(retry_status_passes(passing[i]), "%d", passing[i]);
    for (size_t i = 0; i < ARRAY_LEN(lasting); i++)
        ck_assert_msg(!retry_status_passes(lasting[i]), "%d", lasting[i]);
    ck_assert(retry_code_passes(ERR_UNAVAILABLE) && retry_code_passes(ERR_TIMEOUT));
    ck_assert(!retry_code_passes(0) && !retry_code_passes(ERR_PEER) && !retry_code_passes(ERR_CONFIG));
}
END_TEST

START_TEST(a_pause_doubles_up_to_its_end)
{
    ck_assert_int_eq(retry_pause_ns(1, 0), RETRY_FIRST_NS);
    ck_assert_int_eq(retry_pause_ns(2, 0), 2 * RETRY_FIRST_NS);
    ck_assert_int_eq(retry_pause_ns(6, 0), 32 * RETRY_FIRST_NS);
    ck_assert_int_eq(retry_pause_ns(7, 0), RETRY_LONGEST_NS);
    ck_assert_int_eq(retry_pause_ns(UINT32_MAX, 0), RETRY_LONGEST_NS);
    ck_assert_int_gt(retry_pause_ns(1, 255), RETRY_FIRST_NS / 5 * 6);
    ck_assert_int_lt(retry_pause_ns(1, 255), RETRY_FIRST_NS / 4 * 5);
}
END_TEST

START_TEST(seconds_and_dates_are_read)
{
    static const struct {
        const char *text;
        int64_t wait_s;
    } cases[] = {
        {"0", 0},
        {"7", 7},
        {" 120 ", 120},
        {"3601", 3600},
        {"99999999999999", 3600},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 7},
        {"Sun, 06 Nov 1994 08:49:00 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 3600},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t wait_ns = retry_after_ns(str_from(cases[i].text), NOW, LIMIT);
        ck_assert_msg(wait_ns == cases[i].wait_s * NS_PER_S, "%s: %lld", cases[i].text, (long long)wait_ns);
    }
}
END_TEST

START_TEST(everything_else_asks_for_nothing)
{
    static const char *const broken[] = {
        "", "-1", "1.5", "soon", "99999999999999999999999", "Sun, 06 Nov 2094 08:49:37 CET"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        ck_assert_msg(retry_after_ns(str_from(broken[i]), NOW, LIMIT) == 0, "%s", broken[i]);
    ck_assert_int_eq(retry_after_ns((struct str){0}, NOW, LIMIT), 0);
}
END_TEST

START_TEST(the_longer_one_is_slept_and_no_deadline_is_missed)
{
    int64_t start = clock_mono_ns();
    ck_assert(!retry_sleep(1, 0, start + RETRY_FIRST_NS / 2));
    ck_assert(!retry_sleep(1, RETRY_AFTER_MAX_NS, start + 20 * NS_PER_S));
    ck_assert(!retry_sleep(1, INT64_MAX, INT64_MAX));
    ck_assert(!retry_sleep(1, 0, 0));
    ck_assert_int_lt(clock_mono_ns() - start, RETRY_FIRST_NS);
    start = clock_mono_ns();
    ck_assert(retry_sleep(1, 0, start + 20 * NS_PER_S));
    ck_assert_int_ge(clock_mono_ns() - start, RETRY_FIRST_NS);
    start = clock_mono_ns();
    ck_assert(retry_sleep(1, NS_PER_S, start + 20 * NS_PER_S));
    ck_assert_int_ge(clock_mono_ns() - start, NS_PER_S);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("retry");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, what_passes);
    tcase_add_test(tc, a_pause_doubles_up_to_its_end);
    tcase_add_test(tc, seconds_and_dates_are_read);
    tcase_add_test(tc, everything_else_asks_for_nothing);
    tcase_add_test(tc, the_longer_one_is_slept_and_no_deadline_is_missed);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
