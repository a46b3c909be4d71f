/* The families that dashboards rely on, with their labels. */
#include "tests/unit/scrapers/probe_rig.h"

static struct probe_rig rig;

static enum metric_type type_of(const char *family)
{
    pthread_mutex_lock(&rig.rig.lock);
    const struct shape_family *found = shape_find_family(rig.snapshot->shape, str_from(family));
    ck_assert_msg(found != NULL, "no family %s", family);
    ck_assert_uint_gt(found->help.len, 0);
    enum metric_type type = found->type;
    pthread_mutex_unlock(&rig.rig.lock);
    return type;
}

START_TEST(families_and_labels_of_the_contract)
{
    probe_rig_open(&rig);
    probe_rig_configure(
        &rig,
        "  - { name: p, region: eu, interval: 100ms, target: mine, tcp: { address: '127.0.0.1:1' } }\n");
    probe_rig_expect(&rig, SLI_BAD);
    char *metrics = probe_rig_metrics(&rig);
    static const char *const names[] = {"fraiseql_probe_attempts_total", "fraiseql_probe_failures_total",
                                        "fraiseql_probe_unknown_total", "fraiseql_probe_duration_seconds",
                                        "fraiseql_probe_success"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char line[256];
        (void)snprintf(line, sizeof line,
                       "%s{observer=\"tester\",probe=\"p\",region=\"eu\",target=\"mine\"} ", names[i]);
        ck_assert_contains(metrics, line);
    }
    ck_assert_contains(
        metrics, "fraiseql_probe_phase_duration_seconds{observer=\"tester\",phase=\"resolve\",probe=\"p\","
                 "region=\"eu\",target=\"mine\"} ");
    ck_assert_contains(
        metrics, "fraiseql_probe_success{observer=\"tester\",probe=\"p\",region=\"eu\",target=\"mine\"} 0\n");
    ck_assert_int_eq(type_of("fraiseql_probe_success"), METRIC_GAUGE);
    ck_assert_int_eq(type_of("fraiseql_probe_duration_seconds"), METRIC_HISTOGRAM);
    ck_assert_int_eq(type_of("fraiseql_probe_attempts_total"), METRIC_COUNTER);
    free(metrics);
    probe_rig_close(&rig);
}
END_TEST

static Suite *publish_suite(void)
{
    Suite *suite = suite_create("probe_publish");
    TCase *tcase = tcase_create("publish");
    tcase_add_test(tcase, families_and_labels_of_the_contract);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(publish_suite)
