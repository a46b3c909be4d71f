#include "provisioner/cost/cost.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena *arena;
static struct findings findings;
static char *folder;

static void setup(void)
{
    arena = arena_new(0);
    findings_init(&findings, arena);
    folder = test_folder_new();
}

static void teardown(void)
{
    test_folder_remove(folder);
    arena_free(arena);
}

static int load(const char *text, struct cost_usage *usage)
{
    struct deployment *deployment = NULL;
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "d.yaml",
                                STR("metadata: { name: shop }\n"
                                    "regions:\n"
                                    "  us-east: { provider: aws, location: us-east-1, size: small }\n"
                                    "  eu-west: { provider: gcp, location: europe-west1, size: small }\n"),
                                &deployment, &findings);
    ck_assert_int_eq(code, 0);
    char *path = test_path(folder, "usage.yaml");
    test_file_write(path, str_from(text));
    findings_init(&findings, arena);
    code = cost_usage_load(arena_strdup(arena, str_from(path)), deployment, arena, usage, &findings);
    free(path);
    return code;
}

START_TEST(a_region_inherits_what_it_leaves_out)
{
    struct cost_usage usage;
    ck_assert_int_eq(
        load("internet-egress: 2TB\nlogs: 0B\nregions:\n  eu-west: { write-rate: 1MB }\n", &usage), 0);
    const struct cost_usage *east = cost_usage_of(&usage, "us-east"),
                            *west = cost_usage_of(&usage, "eu-west");
    ck_assert_uint_eq(east->internet_egress_bytes, 2000000000000);
    ck_assert_uint_eq(west->internet_egress_bytes, 2000000000000);
    ck_assert_uint_eq(west->log_bytes, 0);
    ck_assert_uint_eq(east->write_bytes_per_s, 100000);
    ck_assert_uint_eq(west->write_bytes_per_s, 1000000);
    ck_assert_int_eq(west->dns_queries, 10000000);
}
END_TEST

START_TEST(an_empty_file_is_the_defaults)
{
    struct cost_usage usage, defaults;
    cost_usage_defaults(&defaults);
    ck_assert_int_eq(load("", &usage), 0);
    ck_assert_uint_eq(usage.internet_egress_bytes, defaults.internet_egress_bytes);
    ck_assert_uint_eq(usage.nat_bytes, 50000000000);
    ck_assert_uint_eq(usage.regions.count, 0);
}
END_TEST

START_TEST(mistakes_have_a_place)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *part;
    } cases[] = {
        {"logs: 1GB\ninternet-egres: 5GB\n", 2, 1, "internet-egres"},
        {"nat: plenty\n", 1, 6, "plenty"},
        {"regions:\n  eu-wst: { logs: 1GB }\n", 2, 11, "regions: the deployment has no region \"eu-wst\""},
        {"dns-queries: -4\n", 1, 14, "-4"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cost_usage usage;
        ck_assert_int_eq(load(cases[i].text, &usage), ERR_CONFIG);
        ck_assert_uint_ge(findings.count, 1);
        ck_assert_contains(findings.items[0].message, cases[i].part);
        ck_assert_uint_eq(findings.items[0].line, cases[i].line);
        ck_assert_uint_eq(findings.items[0].column, cases[i].column);
    }
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
    struct cost_usage usage;
    ck_assert_int_eq(cost_usage_load("/nowhere/usage.yaml", NULL, arena, &usage, &findings), ERR_CONFIG);
    ck_assert_uint_eq(findings.errors, 1);
}
END_TEST

static Suite *cost_usage_suite(void)
{
    Suite *suite = suite_create("cost_usage");
    TCase *tcase = tcase_create("cost_usage");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_region_inherits_what_it_leaves_out);
    tcase_add_test(tcase, an_empty_file_is_the_defaults);
    tcase_add_test(tcase, mistakes_have_a_place);
    tcase_add_test(tcase, a_file_that_is_not_there);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cost_usage_suite)
