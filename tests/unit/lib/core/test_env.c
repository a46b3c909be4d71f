#include "lib/core/env.h"
#include "tests/support/support.h"

#include <stdlib.h>

START_TEST(set_empty_and_unset)
{
    (void)unsetenv("FRAISEQL_TEST_VALUE");
    ck_assert_ptr_null(env_get("FRAISEQL_TEST_VALUE"));
    (void)setenv("FRAISEQL_TEST_VALUE", "", 1);
    ck_assert_ptr_null(env_get("FRAISEQL_TEST_VALUE"));
    (void)setenv("FRAISEQL_TEST_VALUE", "x", 1);
    ck_assert_str_eq(env_get("FRAISEQL_TEST_VALUE"), "x");
    (void)unsetenv("FRAISEQL_TEST_VALUE");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("env");
    TCase *tests = tcase_create("env");
    tcase_add_test(tests, set_empty_and_unset);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
