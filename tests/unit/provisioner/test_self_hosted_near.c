#include "provisioner/self_hosted/near.h"
#include "tests/unit/provisioner/self_hosted_fixture.h"

START_TEST(the_nearest_comes_first)
{
    struct fixture fixture;
    fixture_open(&fixture, FIXTURE_DISTANT);
    const struct site *const *from_apac = near_sites(&fixture.sites[2]);
    ck_assert_str_eq(from_apac[0]->region->name, "apac");
    ck_assert_str_eq(from_apac[1]->region->name, "eu-west");
    ck_assert_str_eq(from_apac[2]->region->name, "us-east");
    ck_assert_ptr_null(from_apac[3]);
    ck_assert_int_eq(near_round_trip_ns(&fixture.sites[0], &fixture.sites[2]), 180 * NS_PER_MS);
    ck_assert_int_eq(near_round_trip_ns(&fixture.sites[2], &fixture.sites[0]), 180 * NS_PER_MS);
    ck_assert_int_eq(near_longest_round_trip_ns(&fixture.sites[1]), 180 * NS_PER_MS);
    fixture_close(&fixture);
}
END_TEST

START_TEST(without_distances_the_order_is_the_files)
{
    struct fixture fixture;
    fixture_open(&fixture, FIXTURE_STREAMING);
    const struct site *const *from_apac = near_sites(&fixture.sites[2]);
    ck_assert_str_eq(from_apac[1]->region->name, "us-east");
    ck_assert_str_eq(from_apac[2]->region->name, "eu-west");
    ck_assert_int_eq(near_longest_round_trip_ns(&fixture.sites[0]), 0);
    fixture_close(&fixture);
}
END_TEST

START_TEST(writes_go_to_the_primary_of_the_cluster)
{
    struct fixture fixture;
    fixture_open(&fixture, "replication: { mode: streaming, regions: [us-east, eu-west] }\n");
    ck_assert_str_eq(near_write_site(&fixture.sites[1])->region->name, "us-east");
    ck_assert(near_same_cluster(&fixture.sites[0], &fixture.sites[1]));
    /* It takes no part: its database is its own. */
    ck_assert_str_eq(near_write_site(&fixture.sites[2])->region->name, "apac");
    ck_assert(!near_same_cluster(&fixture.sites[0], &fixture.sites[2]));
    fixture_close(&fixture);
}
END_TEST

START_TEST(what_only_the_region_asks_is_not_open_to_others)
{
    struct fixture fixture;
    fixture_open_text(&fixture,
                      "metadata: { name: shop }\nregions:\n  x: { provider: self-hosted, location: here, "
                      "hosts: [\"ssh://ops@192.0.2.7\"] }\n  y: { provider: self-hosted, location: here, "
                      "hosts: [local] }\n");
    ck_assert_str_eq(near_inner_address(&fixture.sites[0]), "127.0.0.1");
    ck_assert_str_eq(near_inner_address(&fixture.sites[1]), fixture.layouts[1].address);
    fixture_close(&fixture);
}
END_TEST

static Suite *near_suite(void)
{
    Suite *suite = suite_create("near");
    TCase *tcase = tcase_create("near");
    tcase_add_test(tcase, the_nearest_comes_first);
    tcase_add_test(tcase, without_distances_the_order_is_the_files);
    tcase_add_test(tcase, writes_go_to_the_primary_of_the_cluster);
    tcase_add_test(tcase, what_only_the_region_asks_is_not_open_to_others);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(near_suite)
