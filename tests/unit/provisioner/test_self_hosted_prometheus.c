#include "provisioner/self_hosted/parts.h"
#include "tests/unit/provisioner/self_hosted_rig.h"

START_TEST(data_stays_and_configuration_is_judged)
{
    struct hosts_rig rig;
    struct error err = {0};
    hosts_rig_open(&rig, "");
    ck_assert_int_eq(component_prometheus.steps(&rig.sites[0], &rig.steps, &err), 0);
    ck_assert_int_eq(component_alertmanager.steps(&rig.sites[0], &rig.steps, &err), 0);
    hosts_rig_check_scripts(&rig);
    ck_assert(hosts_rig_step(&rig, "prometheus/data")->data);
    ck_assert(hosts_rig_step(&rig, "alertmanager/data")->data);
    ck_assert_contains(hosts_rig_step(&rig, "prometheus/config")->apply, "promtool check config ");
    ck_assert_contains(hosts_rig_step(&rig, "alertmanager/config")->apply, "amtool check-config ");
    ck_assert_contains(hosts_rig_file(hosts_rig_step(&rig, "prometheus/config"), "/rules.yml")->content.ptr,
                       "FraiseqlCollectorDown");
    ck_assert_contains(hosts_rig_file(hosts_rig_step(&rig, "prometheus/process"), ".process")->content.ptr,
                       "--storage.tsdb.retention.time=2592000s\n");
    hosts_rig_close(&rig);
}
END_TEST

static const char *const without[] = {"monitoring: {enabled: false}\n", "monitoring: {location: eu}\n",
                                      "monitoring: {prometheus: false, alertmanager: false}\n"};

START_TEST(what_is_not_wanted_here_has_no_steps)
{
    struct hosts_rig rig;
    struct error err = {0};
    hosts_rig_open(&rig, without[_i]);
    ck_assert_int_eq(component_prometheus.steps(&rig.sites[0], &rig.steps, &err), 0);
    ck_assert_int_eq(component_alertmanager.steps(&rig.sites[0], &rig.steps, &err), 0);
    ck_assert_uint_eq(rig.steps.count, 0);
    hosts_rig_close(&rig);
}
END_TEST

static Suite *prometheus_suite(void)
{
    Suite *suite = suite_create("prometheus");
    TCase *tcase = tcase_create("prometheus");
    tcase_add_test(tcase, data_stays_and_configuration_is_judged);
    tcase_add_loop_test(tcase, what_is_not_wanted_here_has_no_steps, 0, (int)ARRAY_LEN(without));
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(prometheus_suite)
