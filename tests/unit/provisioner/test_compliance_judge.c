/* Each rule over a file that meets it and one that does not; waivers; the table and its judges. */
#include "lib/core/yaml.h"
#include "provisioner/compliance/internal.h"
#include "provisioner/embedded.h"
#include "tests/support/support.h"

static struct arena *arena;
static struct compliance_report report;

static void setup(void)
{
    arena = arena_new(0);
}

static void teardown(void)
{
    arena_free(arena);
}

static void judge(const char *database, const char *rest)
{
    const char *text = arena_printf(arena,
                                    "metadata:\n  name: test\nregions:\n  eu:\n    provider: aws\n"
                                    "    location: eu-west-1\n    size: small\n    database:\n"
                                    "      engine: postgresql\n%s%s",
                                    database, rest);
    struct findings loaded;
    struct deployment *deployment = NULL;
    findings_init(&loaded, arena);
    int code = deployment_parse(arena, "test.yaml", str_from(text), &deployment, &loaded);
    ck_assert_msg(code == 0, "%s: %s", text, loaded.count ? loaded.items[0].message : "");
    if (!deployment->compliance.standards.count) {
        static const char *all[] = {"gdpr", "hipaa", "soc2", "sox"};
        deployment->compliance.standards = (struct string_list){.items = all, .count = 4};
    }
    compliance_judge(deployment, &loaded, "2026-11-25", arena, &report);
}

static const struct compliance_result *result_of(const char *rule)
{
    for (size_t i = 0; i < report.count; i++) {
        if (strcmp(report.results[i].rule, rule) == 0)
            return &report.results[i];
    }
    ck_abort_msg("no result of %s", rule);
}

START_TEST(a_file_that_meets_each_rule_and_one_that_does_not)
{
    static const struct {
        const char *rule, *good_database, *good, *bad_database, *bad;
        unsigned line; /* of the one that fails */
    } cases[] = {
        {"database-private", "      public-access: false\n", "", "      public-access: true\n", "", 10},
        {"database-customer-key", "      encryption-key: arn:aws:kms:eu-west-1:1:key/a\n", "", "", "", 9},
        {"high-availability", "      high-availability: true\n", "", "      high-availability: false\n", "",
         10},
        {"deletion-protection", "", "", "      deletion-protection: false\n", "", 10},
        {"backup-enabled", "", "", "", "backup:\n  enabled: false\n", 11},
        {"backup-retention", "", "backup:\n  retention: 7d\n", "", "backup:\n  retention: 6d\n", 11},
        {"restore-tested", "", "backup:\n  restore-test: true\n", "", "backup:\n  restore-test: false\n", 11},
        {"audit-log", "", "", "", "monitoring:\n  audit-log: false\n", 11},
        {"log-retention", "", "monitoring:\n  log-retention: 2555d\n", "",
         "monitoring:\n  log-retention: 2554d\n", 11},
        {"monitoring-enabled", "", "", "", "monitoring:\n  enabled: false\n", 11},
        {"residency-location", "", "compliance:\n  data-residency:\n    eu: eu-only\n", "",
         "compliance:\n  data-residency:\n    eu: us-only\n", 12},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        judge(cases[i].good_database, cases[i].good);
        ck_assert_msg(result_of(cases[i].rule)->outcome == COMPLIANCE_PASS, "%s", cases[i].rule);
        judge(cases[i].bad_database, cases[i].bad);
        const struct compliance_result *result = result_of(cases[i].rule);
        ck_assert_msg(result->outcome == COMPLIANCE_FAIL, "%s", cases[i].rule);
        if (strcmp(cases[i].rule, "database-customer-key") != 0)
            ck_assert_msg(result->node->line == cases[i].line, "%s: %u", cases[i].rule, result->node->line);
    }
}
END_TEST

#define WAIVER(rule, until)                                                                                  \
    "compliance:\n  waivers:\n    - rule: " rule "\n      reason: known\n      until: " until "\n"

START_TEST(waivers)
{
    judge("", WAIVER("restore-tested", "2026-11-25"));
    ck_assert_int_eq(result_of("restore-tested")->outcome, COMPLIANCE_WAIVED);
    ck_assert_str_eq(result_of("restore-tested")->waiver_reason, "known");
    ck_assert_uint_eq(report.findings.count, 0);
    judge("", WAIVER("restore-tested", "2026-11-24"));
    ck_assert_int_eq(result_of("restore-tested")->outcome, COMPLIANCE_FAIL);
    ck_assert_str_eq(report.findings.items[0].rule, "waiver-expired");
    ck_assert_uint_eq(report.findings.errors, 1);
    judge("", WAIVER("backup-enabled", "2026-12-24"));
    ck_assert_str_eq(report.findings.items[0].rule, "waiver-unused");
    judge("", WAIVER("residency-location", "2026-12-24") "  data-residency:\n    eu: us-only\n");
    ck_assert_int_eq(result_of("residency-location")->outcome, COMPLIANCE_FAIL);
    ck_assert_str_eq(report.findings.items[0].rule, "waiver-residency");
}
END_TEST

START_TEST(a_restore_without_backups_is_no_question)
{
    judge("", "backup:\n  enabled: false\n  restore-test: true\n");
    for (size_t i = 0; i < report.count; i++)
        ck_assert_str_ne(report.results[i].rule, "restore-tested");
}
END_TEST

START_TEST(every_judge_has_a_line_in_the_table_and_every_line_a_judge)
{
    const struct embedded_file *table = embedded_find("compliance/rules.csv");
    ck_assert_ptr_nonnull(table);
    size_t lines = 0, judges = 0;
    for (size_t i = 1; i < table->bytes.len; i++)
        lines += table->bytes.ptr[i - 1] == '\n' && table->bytes.ptr[i] != '#';
    for (const struct predicate *predicate = compliance_predicates; predicate->rule; predicate++, judges++) {
        const char *line = arena_printf(arena, "\n%s,", predicate->rule);
        ck_assert_msg(memmem(table->bytes.ptr, table->bytes.len, line, strlen(line)) != NULL, "%s",
                      predicate->rule);
    }
    ck_assert_uint_eq(lines - 1, judges); /* the line of titles */
}
END_TEST

static Suite *compliance_suite(void)
{
    Suite *suite = suite_create("compliance_judge");
    TCase *tcase = tcase_create("compliance_judge");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_file_that_meets_each_rule_and_one_that_does_not);
    tcase_add_test(tcase, waivers);
    tcase_add_test(tcase, a_restore_without_backups_is_no_question);
    tcase_add_test(tcase, every_judge_has_a_line_in_the_table_and_every_line_a_judge);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(compliance_suite)
