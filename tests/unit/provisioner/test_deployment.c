/* What a deployment is after loading: defaults, resolution, ranges, spelling, and the way about in it. */
#include "provisioner/catalog/catalog.h"
#include "provisioner/deployment.h"
#include "provisioner/provider.h"
#include "tests/support/support.h"

#include <stdio.h>

static struct arena *arena;
static struct findings findings;

static void setup(void)
{
    arena = arena_new(0);
    findings_init(&findings, arena);
}

static void teardown(void)
{
    arena_free(arena);
}

static struct deployment *parse(const char *text)
{
    struct deployment *deployment = NULL;
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "no word");
    return deployment;
}

START_TEST(the_missions_file_loads_as_it_stands)
{
    struct deployment *deployment;
    int code =
        deployment_load(arena, TEST_SOURCE_DIR "/examples/fraiseql-deployment.yaml", &deployment, &findings);
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(deployment->version, 1);
    ck_assert_uint_eq(deployment_region_count(deployment), 3);
    const struct region *region = deployment_find_region(deployment, "eu-west");
    ck_assert_ptr_eq(region->provider, provider_find("gcp"));
    ck_assert_str_eq(region->location->country, "BE");
    ck_assert_str_eq(region->instance_type, "n2-standard-4");
    ck_assert_str_eq(region->database.class, "db-custom-4-16384");
    ck_assert_str_eq(region->database.type, "cloudsql");
    ck_assert_int_eq(region->database.version, 16);
    ck_assert_int_eq(region->instances, 3);
    ck_assert_int_eq(region->max_instances, 6);
    ck_assert(region->database.high_availability && region->database.encrypted &&
              region->database.deletion_protection && !region->database.public_access);
    ck_assert_str_eq(region->network.cidr, "10.1.0.0/16");
    ck_assert_int_eq(deployment->service.port, 8000);
    ck_assert(deployment->backup.enabled);
    ck_assert(deployment_replicates(deployment, region));
    ck_assert_uint_eq(region->position.line, 16);
}
END_TEST

#define ONE "metadata: {name: a}\nregions:\n  r: {provider: %s, location: %s, size: %s}\n"

START_TEST(provider_and_location_alone_move_a_region)
{
    static const char *const places[][2] = {
        {"aws", "eu-central-1"}, {"gcp", "europe-west3"}, {"azure", "germanywestcentral"}};
    static const char *const sizes[] = {"small", "medium", "large"};
    for (size_t i = 0; i < 9; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, ONE, places[i / 3][0], places[i / 3][1], sizes[i % 3]);
        const struct region *region = deployment_region(parse(text), 0);
        ck_assert_uint_eq(findings.count, 0);
        ck_assert(region->instance_type[0] && region->database.class[0]);
        ck_assert_str_eq(region->location->country, "DE");
    }
}
END_TEST

START_TEST(ranges_are_allotted_around_those_given)
{
    struct deployment *deployment =
        parse("metadata: {name: a}\n"
              "network: {cidr: 10.0.0.0/14}\n"
              "regions:\n"
              "  a: {provider: aws, location: us-east-1}\n"
              "  b: {provider: aws, location: us-east-1, network: {cidr: 10.0.0.0/16}}\n"
              "  c: {provider: aws, location: us-east-1}\n");
    ck_assert_str_eq(deployment_region(deployment, 0)->network.cidr, "10.1.0.0/16");
    ck_assert_str_eq(deployment_region(deployment, 2)->network.cidr, "10.2.0.0/16");
    ck_assert(!deployment_region(deployment, 1)->network.allotted);
}
END_TEST

START_TEST(a_region_that_is_taken_out_leaves_its_place)
{
    struct deployment *deployment = parse("metadata: {name: a}\n"
                                          "regions:\n"
                                          "  a: {provider: aws, location: us-east-1}\n"
                                          "  c: {provider: aws, location: us-west-2, place: 3}\n"
                                          "  d: {provider: aws, location: eu-west-1}\n");
    static const char *const ranges[] = {"10.0.0.0/16", "10.2.0.0/16", "10.3.0.0/16"};
    static const size_t indexes[] = {0, 2, 3};
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        ck_assert_uint_eq(deployment_region(deployment, i)->index, indexes[i]);
        ck_assert_str_eq(deployment_region(deployment, i)->network.cidr, ranges[i]);
    }
    ck_assert_uint_eq(deployment_places(deployment), 4);
    deployment = parse("metadata: {name: a}\n"
                       "regions:\n"
                       "  new: {provider: aws, location: us-east-1, place: 2}\n"
                       "  old: {provider: aws, location: us-west-2, place: 1}\n");
    ck_assert_str_eq(deployment_region(deployment, 0)->network.cidr, "10.1.0.0/16");
    ck_assert_str_eq(deployment_region(deployment, 1)->network.cidr, "10.0.0.0/16");
}
END_TEST

START_TEST(a_small_network_is_cut_into_smaller_ranges)
{
    struct deployment *deployment = parse("metadata: {name: a}\n"
                                          "network: {cidr: 192.168.0.0/16}\n"
                                          "regions:\n"
                                          "  a: {provider: aws, location: us-east-1}\n"
                                          "  b: {provider: aws, location: us-east-2}\n"
                                          "  c: {provider: aws, location: us-west-2}\n");
    ck_assert_str_eq(deployment_region(deployment, 0)->network.cidr, "192.168.0.0/18");
    ck_assert_str_eq(deployment_region(deployment, 2)->network.cidr, "192.168.128.0/18");
}
END_TEST

START_TEST(underscores_are_dashes_and_free_names_are_left_alone)
{
    struct deployment *deployment =
        parse("metadata: {name: a}\n"
              "regions:\n"
              "  r: {provider: aws, location: us-east-1, instance-type: t3.large,\n"
              "      max_instances: 9, labels: {a_b: c}, database: {high_availability: false}}\n"
              "service: {environment: {A_B: c}}\n");
    const struct region *region = deployment_region(deployment, 0);
    ck_assert_str_eq(region->instance_type, "t3.large");
    ck_assert_int_eq(region->max_instances, 9);
    ck_assert(!region->database.high_availability);
    ck_assert_str_eq(region->labels.items[0].key, "a_b");
    ck_assert_str_eq(deployment->service.environment.items[0].key, "A_B");
}
END_TEST

START_TEST(nodes_are_found_by_path_or_the_nearest_above)
{
    struct deployment *deployment = parse("metadata: {name: a}\n"
                                          "regions:\n"
                                          "  r: {provider: aws, location: us-east-1}\n"
                                          "replication:\n"
                                          "  filters:\n"
                                          "    - {region: r, rows: a}\n");
    ck_assert_uint_eq(deployment_node(deployment, "replication.filters.0.region")->line, 6);
    ck_assert_uint_eq(deployment_node(deployment, "replication.mode")->line, 5);
    ck_assert_uint_eq(deployment_node(deployment, "regions.r.database.size")->line, 3);
    ck_assert_ptr_eq(deployment_node(deployment, "backup"), deployment->root);
}
END_TEST

START_TEST(the_effective_configuration_is_read_again)
{
    struct deployment *first;
    ck_assert_int_eq(
        deployment_load(arena, TEST_SOURCE_DIR "/examples/fraiseql-deployment.yaml", &first, &findings), 0);
    struct buf dump = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
    deployment_dump(first, &dump);
    deployment_dump(parse(buf_text(&dump)), &again);
    ck_assert_str_eq(buf_text(&dump), buf_text(&again));
    buf_deinit(&dump);
    buf_deinit(&again);
}
END_TEST

static Suite *deployment_suite(void)
{
    Suite *suite = suite_create("deployment");
    TCase *tcase = tcase_create("deployment");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_missions_file_loads_as_it_stands);
    tcase_add_test(tcase, provider_and_location_alone_move_a_region);
    tcase_add_test(tcase, ranges_are_allotted_around_those_given);
    tcase_add_test(tcase, a_region_that_is_taken_out_leaves_its_place);
    tcase_add_test(tcase, a_small_network_is_cut_into_smaller_ranges);
    tcase_add_test(tcase, underscores_are_dashes_and_free_names_are_left_alone);
    tcase_add_test(tcase, nodes_are_found_by_path_or_the_nearest_above);
    tcase_add_test(tcase, the_effective_configuration_is_read_again);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(deployment_suite)
