/* What the mission's file looks like in every format, byte for byte. A golden file is written anew with
 * UPDATE_GOLDEN=1 in the environment and read before it is committed. */
#include "provisioner/cost/cost.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_new(0);
}

static void teardown(void)
{
    arena_free(arena);
}

static struct deployment *load(const char *name)
{
    struct findings findings;
    struct deployment *deployment = NULL;
    findings_init(&findings, arena);
    const char *path = arena_printf(arena, "%s/%s", test_source_dir(), name);
    int code = deployment_load(arena, path, &deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "no word");
    return deployment;
}

static struct cost_estimate estimate_of(const struct deployment *deployment)
{
    struct cost_usage usage;
    struct cost_estimate estimate;
    cost_usage_defaults(&usage);
    ck_assert_int_eq(cost_estimate(deployment, &usage, arena, &estimate, NULL), 0);
    return estimate;
}

static void check_golden(const char *name, struct buf *out)
{
    const char *path = arena_printf(arena, "%s/tests/data/cost/%s", test_source_dir(), name);
    ck_assert(!out->failed);
    if (getenv("UPDATE_GOLDEN")) // NOLINT(concurrency-mt-unsafe): one thread
        test_file_write(path, buf_str(out));
    char *wanted = test_file_read(path);
    ck_assert_str_eq(buf_text(out), wanted);
    free(wanted);
    buf_deinit(out);
}

START_TEST(the_missions_file_in_every_format)
{
    struct cost_estimate estimate = estimate_of(load("examples/fraiseql-deployment.yaml"));
    struct buf table = BUF_INIT(1 << 20), csv = BUF_INIT(1 << 20), markdown = BUF_INIT(1 << 20),
               json = BUF_INIT(1 << 20);
    cost_write_table(&estimate, &table);
    check_golden("mission.txt", &table);
    cost_write_csv(&estimate, &csv);
    check_golden("mission.csv", &csv);
    cost_write_markdown(&estimate, &markdown);
    check_golden("mission.md", &markdown);
    cost_write_json(&estimate, &json);
    buf_append_byte(&json, '\n');
    check_golden("mission.json", &json);
}
END_TEST

START_TEST(two_files_beside_each_other)
{
    struct deployment *deployment = load("examples/fraiseql-deployment.yaml");
    struct cost_estimate before = estimate_of(deployment);
    struct region *first = (struct region *)(uintptr_t)deployment_region(deployment, 0);
    first->instances = 4;
    struct cost_estimate after = estimate_of(deployment);
    struct buf table = BUF_INIT(1 << 20), json = BUF_INIT(1 << 20);
    cost_write_comparison(&before, &after, COST_TABLE, arena, &table);
    check_golden("comparison.txt", &table);
    cost_write_comparison(&before, &after, COST_JSON, arena, &json);
    ck_assert_contains(buf_text(&json),
                       "{\"region\":\"us-east\",\"component\":\"compute\",\"before\":728.832,"
                       "\"after\":971.776,\"change\":242.944}");
    ck_assert_contains(buf_text(&json), "{\"region\":\"apac\",\"component\":\"database\",\"before\":null,"
                                        "\"after\":null,\"change\":null}");
    buf_deinit(&json);
}
END_TEST

START_TEST(cheaper_ways)
{
    struct deployment *deployment = load("examples/fraiseql-deployment.yaml");
    struct cost_alternatives alternatives;
    struct buf table = BUF_INIT(1 << 20);
    cost_find_alternatives(deployment, arena, &alternatives);
    cost_write_alternatives(&alternatives, COST_TABLE, &table);
    check_golden("alternatives.txt", &table);
    for (size_t i = 0; i < alternatives.count; i++) {
        const struct cost_alternative *item = &alternatives.items[i];
        const struct region *region = deployment_find_region(deployment, item->region);
        const struct instance_type *now =
            catalog_instance(region->provider_name, region->instance_type, false);
        ck_assert(item->vcpus >= now->vcpus && item->memory_gib >= now->memory_gib);
        ck_assert_int_gt(item->monthly_nano_usd, 0);
        ck_assert_str_eq(catalog_location(item->provider, item->location)->area,
                         catalog_location(region->provider_name, region->location_name)->area);
    }
}
END_TEST

START_TEST(cheaper_ways_keep_rows_where_they_must_stay)
{
    struct findings findings;
    struct deployment *deployment = NULL;
    struct cost_alternatives alternatives;
    findings_init(&findings, arena);
    int code =
        deployment_parse(arena, "d.yaml",
                         STR("metadata: { name: shop }\n"
                             "regions:\n"
                             "  de: { provider: azure, location: germanywestcentral,\n"
                             "        instance_type: Standard_D4s_v5, database: { sku: Standard_D4s_v3 } }\n"
                             "compliance: { data-residency: { de: DE } }\n"),
                         &deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "no word");
    cost_find_alternatives(deployment, arena, &alternatives);
    ck_assert_uint_ge(alternatives.count, 2);
    for (size_t i = 0; i < alternatives.count; i++) {
        const struct cost_alternative *item = &alternatives.items[i];
        ck_assert_str_eq(catalog_location(item->provider, item->location)->country, "DE");
    }
}
END_TEST

START_TEST(money_and_days)
{
    char text[COST_TEXT_MAX];
    ck_assert_str_eq(cost_format_usd(INT64_C(1234567890000000), text), "$1,234,567.89");
    ck_assert_str_eq(cost_format_usd(INT64_C(-93586584000), text), "-$93.59");
    ck_assert_str_eq(cost_format_usd(INT64_C(999995000000), text), "$1,000.00");
    ck_assert_str_eq(cost_format_usd(-1, text), "$0.00");
    ck_assert_str_eq(cost_format_usd(INT64_MIN, text), "-$9,223,372,036.85");
    const int64_t day = INT64_C(86400) * 1000 * 1000 * 1000;
    ck_assert_int_eq(cost_price_age_days("1970-01-01", 5 * day), 5);
    ck_assert_int_eq(cost_price_age_days("2024-02-28", 19783 * day), 2); /* 2024-03-01, a leap year */
    ck_assert_int_eq(cost_price_age_days("2030-01-01", 19783 * day), 0);
}
END_TEST

static Suite *cost_table_suite(void)
{
    Suite *suite = suite_create("cost_table");
    TCase *tcase = tcase_create("cost_table");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_missions_file_in_every_format);
    tcase_add_test(tcase, two_files_beside_each_other);
    tcase_add_test(tcase, cheaper_ways);
    tcase_add_test(tcase, cheaper_ways_keep_rows_where_they_must_stay);
    tcase_add_test(tcase, money_and_days);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cost_table_suite)
