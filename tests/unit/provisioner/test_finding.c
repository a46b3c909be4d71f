#include "lib/core/yaml.h"
#include "provisioner/finding.h"
#include "tests/support/support.h"

START_TEST(sorted_by_place_and_counted_by_kind)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    findings_init(&findings, arena);
    struct node late = {.line = 9, .column = 2, .file = "d.yaml"},
                early = {.line = 3, .column = 1, .file = "d.yaml"};
    (void)findings_add(&findings, DIAG_WARNING, "w", NULL, "without a place");
    (void)findings_add(&findings, DIAG_ERROR, "e", &late, "late %d", 1);
    struct finding *contradiction = findings_contradict(&findings, "c", &early, "early");
    finding_hint(&findings, contradiction, "mend %s", "it");
    findings_sort(&findings);
    ck_assert_uint_eq(findings.errors, 1);
    ck_assert_uint_eq(findings.warnings, 1);
    ck_assert_uint_eq(findings.contradictions, 1);
    ck_assert_str_eq(findings.items[0].rule, "c");
    ck_assert_str_eq(findings.items[0].hint, "mend it");
    ck_assert_str_eq(findings.items[1].message, "late 1");
    ck_assert_str_eq(findings.items[2].rule, "w");
}
END_TEST

START_TEST(what_is_not_shown_is_counted)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct diag diag;
    findings_init(&findings, arena);
    diag_init(&diag);
    for (unsigned i = 0; i < DIAG_MAX + 3; i++)
        (void)diag_add(&diag, DIAG_ERROR, "d.yaml", i + 1, 1, "wrong");
    findings_take_diag(&findings, "schema", &diag);
    findings_sort(&findings);
    ck_assert_uint_eq(findings.count, DIAG_MAX + 1);
    ck_assert_str_eq(findings.items[DIAG_MAX].message, "3 more messages are not shown");
    diag_deinit(&diag);
}
END_TEST

static Suite *finding_suite(void)
{
    Suite *suite = suite_create("finding");
    TCase *tcase = tcase_create("finding");
    tcase_add_test(tcase, sorted_by_place_and_counted_by_kind);
    tcase_add_test(tcase, what_is_not_shown_is_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(finding_suite)
