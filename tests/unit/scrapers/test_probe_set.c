#include "tests/unit/scrapers/probe_rig.h"

static struct probe_rig rig;
static char one[256], two[512];

static void open_all(void)
{
    uint16_t port = test_free_port();
    (void)snprintf(one, sizeof one, "  - { name: a, interval: 20ms, tcp: { address: '127.0.0.1:%u' } }\n",
                   port);
    (void)snprintf(two, sizeof two,
                   "%s  - { name: b, region: mars, interval: 20ms, tcp: { address: '127.0.0.1:%u' } }\n", one,
                   port);
    probe_rig_open(&rig);
}

static void close_all(void)
{
    probe_rig_close(&rig);
}

static uint64_t attempts_of(const char *probe)
{
    char *metrics = probe_rig_metrics(&rig), wanted[128];
    (void)snprintf(wanted, sizeof wanted, "fraiseql_probe_attempts_total{observer=\"tester\",probe=\"%s\"",
                   probe);
    const char *line = strstr(metrics, wanted);
    uint64_t count = line ? strtoull(strstr(line, "} ") + 2, NULL, 10) : 0;
    free(metrics);
    return count;
}

START_TEST(a_reload_keeps_counters_and_drops_what_is_gone)
{
    probe_rig_configure(&rig, two);
    probe_rig_wait_events(&rig, 20);
    uint64_t before = attempts_of("a");
    ck_assert_uint_gt(before, 0);
    ck_assert_uint_gt(attempts_of("b"), 0);
    probe_rig_configure(&rig, one);
    ck_assert_uint_ge(attempts_of("a"), before);
    ck_assert_uint_eq(attempts_of("b"), 0);
    probe_rig_wait_events(&rig, 5);
    /* Counters and events tell the same: one outcome an interval over the reload. */
    probe_rig_configure(&rig, two);
    probe_rig_wait_events(&rig, 5);
    ck_assert_uint_gt(attempts_of("a"), before);
}
END_TEST

START_TEST(intervals_go_on_over_a_reload)
{
    int64_t last = 0;
    probe_rig_configure(&rig, one);
    for (unsigned i = 0; i < 5; i++) {
        probe_rig_wait_events(&rig, 3);
        probe_rig_configure(&rig, one);
    }
    pthread_mutex_lock(&rig.rig.lock);
    for (size_t i = 0; i < rig.event_count; i++) {
        if (last)
            ck_assert_int_eq(rig.events[i].mono_ns - last, 20 * NS_PER_MS);
        last = rig.events[i].mono_ns;
    }
    pthread_mutex_unlock(&rig.rig.lock);
}
END_TEST

START_TEST(status_of_each_probe)
{
    probe_rig_configure(&rig, two);
    ck_assert_int_eq(probe_rig_status_of(&rig, "b").outcome, SLI_UNKNOWN);
    probe_rig_forget_events(&rig);
    probe_rig_expect(&rig, SLI_BAD);
    struct probe_status status = probe_rig_status_of(&rig, "a");
    ck_assert_str_eq(status.region, "home");
    ck_assert(status.seen);
}
END_TEST

START_TEST(a_refused_configuration_changes_nothing)
{
    probe_rig_configure(&rig, one);
    char *text = probe_rig_parse(&rig, "  - { name: x, tcp: { address: 'a:1' } }\n"
                                       "  - { name: x, tcp: { address: 'a:1' } }\n");
    ck_assert_str_eq(text, "");
    free(text);
    rig_call(&rig.rig, probe_rig_apply, &rig);
    ck_assert_int_eq(rig.configure_rc, ERR_CONFIG);
    ck_assert_contains(rig.configure_err.message, "two probes have the name x");
    ck_assert_uint_eq(rig.configure_err.line, 3);
    text = probe_rig_parse(&rig, "  - { name: x, timeout: 20s, tcp: { address: 'a:1' } }\n");
    free(text);
    rig_call(&rig.rig, probe_rig_apply, &rig);
    ck_assert_contains(rig.configure_err.message, "timeout is above interval");
    ck_assert_str_eq(probe_rig_status_of(&rig, NULL).name, "a");
    probe_rig_wait_events(&rig, 2);
}
END_TEST

START_TEST(an_empty_set_is_fine)
{
    probe_rig_configure(&rig, "  []\n");
    probe_rig_configure(&rig, one);
    probe_rig_configure(&rig, "  []\n");
    char *metrics = probe_rig_metrics(&rig);
    ck_assert_str_eq(metrics, "");
    free(metrics);
}
END_TEST

static Suite *set_suite(void)
{
    Suite *suite = suite_create("probe_set");
    TCase *tcase = tcase_create("set");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_all, close_all);
    tcase_add_test(tcase, a_reload_keeps_counters_and_drops_what_is_gone);
    tcase_add_test(tcase, intervals_go_on_over_a_reload);
    tcase_add_test(tcase, status_of_each_probe);
    tcase_add_test(tcase, a_refused_configuration_changes_nothing);
    tcase_add_test(tcase, an_empty_set_is_fine);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(set_suite)
