#include "provisioner/self_hosted/network.h"

#include "tests/unit/provisioner/self_hosted_rig.h"

START_TEST(latency_holds_both_ways)
{
    struct hosts_rig rig;
    hosts_rig_open(&rig, "network: {topology: namespaces, latency-ms: {us/eu: 80, ap/us: 160}}\n");
    ck_assert_uint_eq(network_latency_ms(rig.deployment, "us", "eu"), 80);
    ck_assert_uint_eq(network_latency_ms(rig.deployment, "eu", "us"), 80);
    ck_assert_uint_eq(network_latency_ms(rig.deployment, "us", "ap"), 160);
    ck_assert_uint_eq(network_latency_ms(rig.deployment, "eu", "ap"), 0);
    hosts_rig_close(&rig);
}
END_TEST

START_TEST(a_namespace_routes_to_every_other_region)
{
    struct hosts_rig rig;
    hosts_rig_open(&rig, "network: {topology: namespaces}\n");
    network_namespace(&rig.sites[1], &rig.steps);
    const struct host_step *step = hosts_rig_step(&rig, "network/namespace");
    for (size_t i = 0; i < 3; i++) {
        const char *route =
            arena_printf(rig.arena, "route replace %s/32 dev regions0", rig.layouts[i].address);
        ck_assert_int_eq(strstr(step->apply, route) != NULL, i != 1);
    }
    hosts_rig_check_script(step->apply);
    hosts_rig_check_script(step->undo);
    hosts_rig_check_script(step->guard);
    hosts_rig_check_script(step->check);
    hosts_rig_close(&rig);
}
END_TEST

START_TEST(shared_needs_none)
{
    struct hosts_rig rig;
    hosts_rig_open(&rig, "");
    network_namespace(&rig.sites[0], &rig.steps);
    ck_assert_int_eq(network_relay(&rig.sites[0], &rig.steps, NULL), 0);
    ck_assert_uint_eq(rig.steps.count, 0);
    hosts_rig_close(&rig);
}
END_TEST

static Suite *network_suite(void)
{
    Suite *suite = suite_create("self_hosted_network");
    TCase *tcase = tcase_create("network");
    tcase_add_test(tcase, latency_holds_both_ways);
    tcase_add_test(tcase, a_namespace_routes_to_every_other_region);
    tcase_add_test(tcase, shared_needs_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(network_suite)
