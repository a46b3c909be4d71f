#include "provisioner/self_hosted/parts.h"
#include "tests/unit/provisioner/self_hosted_rig.h"

START_TEST(writes_go_where_the_databases_say)
{
    struct hosts_rig rig;
    struct error err = {0};
    hosts_rig_open(&rig, "replication: {mode: streaming}\n");
    rig.sites[2].primary = "eu";
    ck_assert_int_eq(component_haproxy.steps(&rig.sites[2], &rig.steps, &err), 0);
    hosts_rig_check_scripts(&rig);
    const struct host_step *target = hosts_rig_step(&rig, "haproxy/target");
    ck_assert_contains(target->apply, "/bin/fraiseql-write-target open eu\n");
    const struct step_file *helper = hosts_rig_file(target, "/fraiseql-write-target");
    ck_assert_uint_eq(helper->mode, 0755);
    ck_assert_contains(helper->content.ptr, "regions='us eu ap'\n");
    hosts_rig_check_script(helper->content.ptr);
    /* A judge stands before the configuration that runs. */
    ck_assert_contains(hosts_rig_step(&rig, "haproxy/config")->apply, "haproxy -c ");
    hosts_rig_close(&rig);
}
END_TEST

START_TEST(it_comes_before_the_service_which_needs_it)
{
    size_t haproxy = 0, service = 0, database = 0;
    for (size_t i = 0; host_components[i]; i++) {
        haproxy = host_components[i] == &component_haproxy ? i : haproxy;
        service = host_components[i] == &component_service ? i : service;
        database = host_components[i] == &component_postgresql ? i : database;
    }
    ck_assert_uint_lt(database, haproxy);
    ck_assert_uint_lt(haproxy, service);
}
END_TEST

static Suite *haproxy_suite(void)
{
    Suite *suite = suite_create("haproxy");
    TCase *tcase = tcase_create("haproxy");
    tcase_add_test(tcase, writes_go_where_the_databases_say);
    tcase_add_test(tcase, it_comes_before_the_service_which_needs_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(haproxy_suite)
