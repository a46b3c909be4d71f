#include "scrapers/kubernetes/kubernetes_config.h"

#include "lib/metrics/selector.h"
#include "scrapers/kubernetes/kube_kind.h"
#include "scrapers/kubernetes/kubernetes.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;
static struct kubernetes_config config;

static void open_all(void)
{
    arena = arena_new(0);
}

static void close_all(void)
{
    arena_free(arena);
}

static char *parse(const char *yaml)
{
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag);
    config = (struct kubernetes_config){0};
    if (yaml_parse(arena, "test.yaml", str_from(yaml), &root, &diag) == 0)
        (void)!option_parse(kubernetes_scraper.section, root, arena, &config, &diag);
    char *text = test_diag_text(&diag);
    diag_deinit(&diag);
    return text;
}

static void refuses(const char *yaml, const char *message)
{
    char *text = parse(yaml);
    ck_assert_contains(text, message);
    free(text);
}

START_TEST(the_contract_s_target)
{
    char *text = parse("{ name: k8s-onprem, region: onprem, kubeconfig: /etc/fraiseql-collector/kubeconfig, "
                       "namespaces: [fraiseql] }");
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_uint_eq(config.namespaces.count, 1);
    ck_assert_int_eq(config.page_size, 500);
    ck_assert(config.usage && !config.cadvisor);
}
END_TEST

START_TEST(refusals)
{
    refuses("{ name: k, namespaces: [Shop] }", "no name of a namespace");
    refuses("{ name: k, namespaces: ['a/b'] }", "no name of a namespace");
    refuses("{ name: k, resources: [secrets] }", "secrets");
    refuses("{ name: k, context: c }", "context goes with kubeconfig");
    refuses("{ name: k, endpoint: 'https://u:p@host' }", "credentials");
    refuses("{ name: k, cadvisor_keep: ['{'] }", "cadvisor_keep");
    refuses("{ name: k, interval: 1s, timeout: 2s }", "timeout is above interval");
}
END_TEST

/* The option's choices and the kinds are written down apart. */
START_TEST(every_kind_may_be_chosen)
{
    for (size_t i = 0; kube_kinds[i]; i++) {
        char *text = parse(arena_printf(arena, "{ name: k, resources: [%s] }", kube_kinds[i]->name));
        ck_assert_str_eq(text, "");
        free(text);
    }
}
END_TEST

START_TEST(what_is_kept_of_cadvisor)
{
    static const struct {
        const char *name;
        bool kept;
    } cases[] = {
        {"container_cpu_usage_seconds_total", true},
        {"container_memory_working_set_bytes", true},
        {"container_network_receive_bytes_total", true},
        {"container_network_transmit_packets_dropped_total", true},
        {"container_oom_events_total", true},
        {"container_cpu_cfs_throttled_periods_total", true},
        {"container_fs_reads_bytes_total", true},
        {"container_fs_writes_total", true},
        {"container_pressure_cpu_waiting_seconds_total", true},
        {"machine_cpu_cores", true},
        {"container_tasks_state", false},
        {"container_blkio_device_usage_total", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool kept = false;
        for (size_t k = 0; kubernetes_cadvisor_keep[k]; k++) {
            struct selector *selector = NULL;
            struct error err;
            ck_assert_int_eq(selector_parse(kubernetes_cadvisor_keep[k], &selector, &err), 0);
            kept |= selector_matches(selector, str_from(cases[i].name), STR("id=\"/\""));
            selector_free(selector);
        }
        ck_assert_msg(kept == cases[i].kept, "%s", cases[i].name);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kubernetes_config");
    TCase *tests = tcase_create("config");
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, the_contract_s_target);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, every_kind_may_be_chosen);
    tcase_add_test(tests, what_is_kept_of_cadvisor);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
