#include "provisioner/self_hosted/prometheus_config.h"
#include "tests/unit/provisioner/self_hosted_fixture.h"

START_TEST(each_region_keeps_its_own)
{
    struct fixture fixture;
    struct buf text = BUF_INIT(PROMETHEUS_CONFIG_MAX_BYTES);
    fixture_open(&fixture, FIXTURE_STREAMING);
    for (size_t i = 0; i < 3; i++)
        ck_assert(prometheus_keeps(&fixture.sites[i]));
    prometheus_config_write(&fixture.sites[0], "/etc/rules.yml", &text);
    fixture_check_golden("prometheus.yml", &text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(one_keeps_for_all)
{
    struct fixture fixture;
    struct buf text = BUF_INIT(PROMETHEUS_CONFIG_MAX_BYTES);
    fixture_open(&fixture, FIXTURE_STREAMING "monitoring: { location: apac, alertmanager: false }\n");
    ck_assert(!prometheus_keeps(&fixture.sites[0]));
    ck_assert(prometheus_keeps(&fixture.sites[2]));
    prometheus_config_write(&fixture.sites[2], "/etc/rules.yml", &text);
    for (size_t i = 0; i < 3; i++)
        ck_assert_contains(buf_text(&text),
                           arena_printf(fixture.arena, "http://%s:9480/sd", fixture.layouts[i].address));
    ck_assert_ptr_null(strstr(buf_text(&text), "alerting"));
    buf_deinit(&text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(nobody_is_told_twice)
{
    struct fixture fixture;
    struct buf text = BUF_INIT(PROMETHEUS_CONFIG_MAX_BYTES);
    fixture_open(&fixture, FIXTURE_STREAMING "monitoring: { webhook: \"https://pager.example/x\" }\n");
    alertmanager_config_write(&fixture.sites[0], &text);
    fixture_check_golden("alertmanager.yml", &text);
    fixture_close(&fixture);
}
END_TEST

static Suite *prometheus_config_suite(void)
{
    Suite *suite = suite_create("prometheus_config");
    TCase *tcase = tcase_create("prometheus_config");
    tcase_add_test(tcase, each_region_keeps_its_own);
    tcase_add_test(tcase, one_keeps_for_all);
    tcase_add_test(tcase, nobody_is_told_twice);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(prometheus_config_suite)
