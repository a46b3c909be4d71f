#include "provisioner/cli.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <sysexits.h>

static int run(const char *const *argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return cli_run(argc, (char **)(uintptr_t)argv);
}

START_TEST(our_own_words)
{
    ck_assert_int_eq(run((const char *[]){"fraiseql", "help", NULL}), EX_OK);
    ck_assert_int_eq(run((const char *[]){"fraiseql", "version", NULL}), EX_OK);
    ck_assert_int_eq(run((const char *[]){"fraiseql", NULL}), EX_USAGE);
    ck_assert_int_eq(run((const char *[]){"fraiseql", "deploy", "--help", NULL}), EX_OK);
}
END_TEST

START_TEST(other_words_belong_to_fraiseql_cli)
{
    ck_assert_int_eq(setenv("PATH", "/nonexistent", 1), 0);
    ck_assert_int_eq(run((const char *[]){"fraiseql", "validate", NULL}), EX_USAGE);
    ck_assert_int_eq(run((const char *[]){"fraiseql", "compile", NULL}), EX_USAGE);
}
END_TEST

static Suite *cli_suite(void)
{
    Suite *suite = suite_create("cli");
    TCase *tcase = tcase_create("cli");
    tcase_add_test(tcase, our_own_words);
    tcase_add_test(tcase, other_words_belong_to_fraiseql_cli);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cli_suite)
