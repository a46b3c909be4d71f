#include "collector/command_line.h"
#include "lib/core/log.h"
#include "tests/support/support.h"

#include <sysexits.h>

static struct command_line parse(int argc, const char *const *argv)
{
    struct command_line line;
    command_line_parse(argc, (char **)(uintptr_t)argv, &line);
    return line;
}

#define PARSE(...)                                                                                           \
    parse((int)ARRAY_LEN(((const char *[]){"fraiseql-collector", __VA_ARGS__})),                             \
          (const char *[]){"fraiseql-collector", __VA_ARGS__, NULL})

START_TEST(what_the_contract_names_is_taken)
{
    struct command_line line =
        PARSE("--config", "a.yaml", "--check", "--log-level", "warn", "--log-format", "json");
    ck_assert_int_eq(line.command, COMMAND_CHECK);
    ck_assert_str_eq(line.config, "a.yaml");
    ck_assert_int_eq(line.log_level, LOG_WARN);
    ck_assert_int_eq(line.log_format, LOG_JSON);
    line = PARSE("--config=a.yaml");
    ck_assert_int_eq(line.command, COMMAND_RUN);
    ck_assert_int_eq(line.log_level, -1);
}
END_TEST

START_TEST(cost_is_a_command)
{
    struct command_line line = PARSE("cost", "--config", "a.yaml", "--json");
    ck_assert_int_eq(line.command, COMMAND_COST);
    ck_assert(line.json);
    ck_assert_int_eq(PARSE("--config", "a.yaml", "cost").command, COMMAND_COST);
    ck_assert_int_eq(PARSE("cost").status, EX_USAGE);
    ck_assert_int_eq(PARSE("cost", "more", "--config", "a").status, EX_USAGE);
    ck_assert_int_eq(PARSE("--config", "a", "--json").status, EX_USAGE);
}
END_TEST

START_TEST(usage_errors_end_with_64)
{
    ck_assert_int_eq(PARSE("--check").status, EX_USAGE);
    ck_assert_int_eq(PARSE("--config", "a", "rest").status, EX_USAGE);
    ck_assert_int_eq(PARSE("--config", "a", "--log-level", "loud").status, EX_USAGE);
    ck_assert_int_eq(PARSE("--unknown").status, EX_USAGE);
    ck_assert_int_eq(PARSE("--help").status, EX_OK);
    ck_assert_int_eq(PARSE("--version").command, COMMAND_DONE);
}
END_TEST

static Suite *command_line_suite(void)
{
    Suite *suite = suite_create("command_line");
    TCase *tcase = tcase_create("command_line");
    tcase_add_test(tcase, what_the_contract_names_is_taken);
    tcase_add_test(tcase, cost_is_a_command);
    tcase_add_test(tcase, usage_errors_end_with_64);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(command_line_suite)
