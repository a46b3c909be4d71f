#include "provisioner/command.h"
#include "provisioner/provider.h"
#include "tests/support/support.h"

static int run(const char *const *argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return command_run(argc, (char **)(uintptr_t)argv);
}

START_TEST(usage_errors_are_64)
{
    ck_assert_int_eq(run((const char *[]){NULL}), STATUS_USAGE);
    ck_assert_int_eq(run((const char *[]){"cost", NULL}), STATUS_USAGE);
    ck_assert_int_eq(run((const char *[]){"cost", "x.yaml", "--jsn", NULL}), STATUS_USAGE);
    ck_assert_int_eq(run((const char *[]){"cost", "x.yaml", "--parallelism", "0", NULL}), STATUS_USAGE);
    ck_assert_int_eq(run((const char *[]){"cost", "x.yaml", "--parallelism", NULL}), STATUS_USAGE);
    ck_assert_int_eq(run((const char *[]){"cost", "x.yaml", "--json=1", NULL}), STATUS_USAGE);
    ck_assert_int_eq(run((const char *[]){"valdate", NULL}), STATUS_USAGE);
}
END_TEST

START_TEST(help_of_every_verb)
{
    ck_assert_int_eq(run((const char *[]){"--help", NULL}), STATUS_OK);
    for (size_t i = 0; command_table[i]; i++)
        ck_assert_int_eq(run((const char *[]){command_table[i]->name, "--help", NULL}), STATUS_OK);
}
END_TEST

START_TEST(providers_are_found_by_name)
{
    for (size_t i = 0; provider_all()[i]; i++)
        ck_assert_ptr_eq(provider_find(provider_all()[i]->name), provider_all()[i]);
    struct error err;
    ck_assert_int_eq(provider_check_name("gpc", &err), ERR_CONFIG);
    ck_assert_contains(err.message, "did you mean \"gcp\"?");
}
END_TEST

START_TEST(every_provider_that_is_deployed_is_a_choice_and_no_other)
{
    const struct option_enum *choice = provider_choices;
    for (size_t i = 0; provider_all()[i]; i++) {
        if (provider_all()[i]->refusal)
            continue;
        ck_assert_ptr_nonnull(choice->name);
        ck_assert_str_eq(choice->name, provider_all()[i]->name);
        choice++;
    }
    ck_assert_ptr_null(choice->name);
}
END_TEST

static Suite *command_suite(void)
{
    Suite *suite = suite_create("command");
    TCase *tcase = tcase_create("command");
    tcase_add_test(tcase, usage_errors_are_64);
    tcase_add_test(tcase, help_of_every_verb);
    tcase_add_test(tcase, providers_are_found_by_name);
    tcase_add_test(tcase, every_provider_that_is_deployed_is_a_choice_and_no_other);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(command_suite)
