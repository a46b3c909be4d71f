#include "lib/metrics/alert.h"

#include "tests/support/support.h"

START_TEST(states_have_the_words_of_the_api)
{
    ck_assert_str_eq(alert_state_text(ALERT_FIRING), "firing");
    ck_assert_str_eq(alert_state_text(ALERT_UNKNOWN), "unknown");
    ck_assert_str_eq(alert_state_text(ALERT_RESOLVED), "resolved");
}
END_TEST

static Suite *alert_suite(void)
{
    Suite *suite = suite_create("alert");
    TCase *tests = tcase_create("alert");
    tcase_add_test(tests, states_have_the_words_of_the_api);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(alert_suite)
