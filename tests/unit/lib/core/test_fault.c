#include "lib/core/fault.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>

START_TEST(counted_and_for_ever)
{
    ck_assert_int_eq(fault_check("a"), 0);
    fault_arm("a", EIO, 2);
    fault_arm("b", ENOSPC, 0);
    errno = 0;
    ck_assert_int_eq(fault_check("a"), EIO);
    ck_assert_int_eq(errno, EIO);
    ck_assert_int_eq(fault_check("a"), EIO);
    ck_assert_int_eq(fault_check("a"), 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(fault_check("b"), ENOSPC);
    ck_assert_int_eq(fault_check("ab"), 0);
    fault_arm("b", EACCES, 1); /* replaces */
    ck_assert_int_eq(fault_check("b"), EACCES);
    ck_assert_int_eq(fault_check("b"), 0);
    fault_arm("b", EIO, 0);
    fault_arm("b", 0, 0);
    ck_assert_int_eq(fault_check("b"), 0);
}
END_TEST

START_TEST(from_the_environment)
{
    ck_assert_int_eq(fault_check("env.name"), EACCES);
    ck_assert_int_eq(fault_check("env.name"), EACCES);
    ck_assert_int_eq(fault_check("env.name"), 0);
    ck_assert_int_eq(fault_check("env.number"), 5);
}
END_TEST

START_TEST(slots_are_used_again)
{
    for (int i = 0; i < 500; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "slot%d", i);
        fault_arm(name, EIO, 1);
        ck_assert_int_eq(fault_check(name), EIO);
    }
}
END_TEST

static Suite *suite(void)
{
    /* Read once a process, at the first check. */
    (void)setenv("FRAISEQL_FAULTS", "env.name=EACCES*2,env.number=5", 1);
    Suite *suite = suite_create("fault");
    TCase *tests = tcase_create("fault");
    tcase_add_test(tests, counted_and_for_ever);
    tcase_add_test(tests, from_the_environment);
    tcase_add_test(tests, slots_are_used_again);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
