#include "tests/unit/provisioner/self_hosted_rig.h"

START_TEST(regions_of_one_machine_have_addresses_of_their_own)
{
    struct hosts_rig rig;
    hosts_rig_open(&rig, "");
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(strncmp(rig.layouts[i].address, "127.", 4), 0);
        ck_assert_ptr_null(rig.layouts[i].netns);
        ck_assert_uint_eq(rig.layouts[i].ports[PORT_POSTGRES], 5432);
        ck_assert_uint_eq(rig.layouts[i].ports[PORT_SERVICE], 8000);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(rig.layouts[i].address, rig.layouts[j].address);
    }
    ck_assert_str_eq(rig.layouts[1].base, "/var/lib/fraiseql/shop/eu");
    ck_assert_str_eq(rig.layouts[1].run, "/run/fraiseql/shop/eu");
    hosts_rig_close(&rig);
}
END_TEST

START_TEST(namespaces_have_names_and_private_addresses)
{
    struct hosts_rig rig;
    hosts_rig_open(&rig, "network: {topology: namespaces}\n");
    ck_assert_str_eq(rig.layouts[2].netns, "fraiseql-shop-ap");
    ck_assert_int_eq(strncmp(rig.layouts[2].address, "10.89.", 6), 0);
    hosts_rig_close(&rig);
}
END_TEST

static const char *layout_of(struct arena *arena, const char *region, struct layout *ret)
{
    struct deployment *deployment;
    struct findings findings;
    struct error err = {0};
    findings_init(&findings, arena);
    const char *text = arena_printf(
        arena, "metadata: {name: x}\nregions:\n  a: {provider: self-hosted, location: here, %s}\n", region);
    (void)!deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    int code = layout_make(deployment, deployment_region(deployment, 0), arena, ret, &err);
    return code ? arena_strdup(arena, str_from(err.message)) : NULL;
}

START_TEST(addresses_and_ports_follow_the_file)
{
    struct arena *arena = arena_new(0);
    struct layout layout;
    ck_assert_ptr_null(layout_of(arena, "hosts: [\"ssh://ops@10.1.2.3:2222\"], port-base: 7000", &layout));
    ck_assert_str_eq(layout.address, "10.1.2.3");
    ck_assert_uint_eq(layout.ports[PORT_HTTP], 7000);
    ck_assert_uint_eq(layout.ports[PORT_POSTGRES], 7003);
    ck_assert_uint_eq(layout.ports[PORT_OTLP_HTTP], 4318);
    for (int i = 0; i < PORT_COUNT; i++) {
        for (int j = 0; j < i; j++)
            ck_assert_uint_ne(layout.ports[i], layout.ports[j]);
    }
    ck_assert_ptr_null(layout_of(arena, "hosts: [\"ssh://db1\"], address: 10.9.9.9", &layout));
    ck_assert_str_eq(layout.address, "10.9.9.9");
    ck_assert_ptr_nonnull(strstr(layout_of(arena, "hosts: [\"ssh://db1\"]", &layout), "give `address`"));
    arena_free(arena);
}
END_TEST

static Suite *layout_suite(void)
{
    Suite *suite = suite_create("layout");
    TCase *tcase = tcase_create("layout");
    tcase_add_test(tcase, regions_of_one_machine_have_addresses_of_their_own);
    tcase_add_test(tcase, namespaces_have_names_and_private_addresses);
    tcase_add_test(tcase, addresses_and_ports_follow_the_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(layout_suite)
