/* Amounts against sums made by hand. */
#include "provisioner/catalog/price_list.h"
#include "provisioner/cost/cost.h"
#include "provisioner/cost/internal.h"
#include "tests/support/support.h"

#include <stdio.h>

static struct arena *arena;
static struct cost_usage usage;

static void setup(void)
{
    arena = arena_new(0);
    cost_usage_defaults(&usage);
}

static void teardown(void)
{
    arena_free(arena);
}

static struct cost_estimate estimate_text(const char *text)
{
    struct findings findings;
    struct deployment *deployment = NULL;
    struct cost_estimate estimate;
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "no word");
    ck_assert_int_eq(cost_estimate(deployment, &usage, arena, &estimate, NULL), 0);
    return estimate;
}

/* The only item of a component whose description starts so. */
static const struct cost_item *item_of(const struct cost_estimate *estimate, size_t region,
                                       const char *component, const char *start)
{
    const struct cost_item *found = NULL;
    for (size_t i = 0; i < estimate->regions[region].count; i++) {
        const struct cost_item *item = &estimate->regions[region].items[i];
        if (strcmp(item->component, component) == 0 &&
            strncmp(item->description, start, strlen(start)) == 0) {
            ck_assert_msg(!found, "two items: %s", item->description);
            found = item;
        }
    }
    return found;
}

static double amount(const struct cost_estimate *estimate, size_t region, const char *component,
                     const char *start)
{
    const struct cost_item *item = item_of(estimate, region, component, start);
    ck_assert_msg(item && item->price, "%s of region %zu is unknown", start, region);
    return (double)item->monthly_nano_usd / 1e9;
}

#define MISSION                                                                                              \
    "metadata: { name: shop, environment: production }\n"                                                    \
    "regions:\n"                                                                                             \
    "  us-east: { provider: aws, location: us-east-1, instance_type: t3.2xlarge,\n"                          \
    "    database: { engine: postgresql, type: rds, size: db.t3.xlarge } }\n"                                \
    "  eu-west: { provider: gcp, location: europe-west1, instance_type: n2-standard-4,\n"                    \
    "    database: { engine: postgresql, type: cloudsql, tier: db-custom-4-16384 } }\n"                      \
    "  apac: { provider: azure, location: southeastasia, instance_type: Standard_D4s_v3,\n"                  \
    "    database: { engine: postgresql, type: azure-database, sku: Standard_D4s_v3 } }\n"                   \
    "replication: { mode: active-active, consistency: causal, conflict-resolution: crdt }\n"

START_TEST(the_missions_deployment)
{
    struct cost_estimate estimate = estimate_text(MISSION);
    ck_assert_uint_eq(estimate.count, 3);
    ck_assert_double_eq_tol(amount(&estimate, 0, "compute", "3x t3.2xlarge"), 3 * 730 * .3328, 1e-6);
    ck_assert_double_eq_tol(amount(&estimate, 0, "database", "RDS"), 2 * 730 * .29, 1e-6);
    ck_assert_double_eq_tol(amount(&estimate, 0, "storage", "Database"), 100 * .23, 1e-6);
    ck_assert_double_eq_tol(amount(&estimate, 0, "storage", "Root"), 60 * .08, 1e-6);
    ck_assert_double_eq_tol(amount(&estimate, 0, "network", "Public"), 5 * 730 * .005, 1e-6);
    ck_assert_double_eq_tol(amount(&estimate, 1, "compute", "3x"), 3 * 730 * .213668, 1e-6);
    ck_assert_double_eq_tol(amount(&estimate, 1, "database", "CloudSQL"), 2 * 730 * .2772, 1e-6);
    ck_assert_double_eq_tol(amount(&estimate, 2, "compute", "3x"), 547.5, 1e-6);
    /* 100 kB/s for 730 hours are 262.8e9 bytes to each of two regions of other clouds. */
    ck_assert_double_eq_tol(amount(&estimate, 0, "traffic", "Replication"), 2 * 262.8e9 / 1073741824 * .09,
                            1e-6);
    ck_assert(estimate.regions[0].complete && estimate.regions[1].complete);
}
END_TEST

START_TEST(unknown_is_never_zero)
{
    struct cost_estimate estimate = estimate_text(MISSION);
    const struct cost_item *item = item_of(&estimate, 2, "database", "Azure Database");
    ck_assert_ptr_nonnull(item);
    ck_assert_ptr_null(item->price);
    ck_assert(!estimate.regions[2].complete && !estimate.complete);
    struct buf out = BUF_INIT(1 << 20);
    cost_write_json(&estimate, &out);
    ck_assert_contains(buf_text(&out), "\"unit_price\":null,\"monthly\":null,\"source\":null");
    ck_assert_contains(buf_text(&out), "\"complete\":false");
    ck_assert_ptr_null(strstr(buf_text(&out), "\"unit_price\":0,"));
    buf_deinit(&out);
}
END_TEST

START_TEST(the_discount_is_shown_and_not_taken)
{
    struct cost_estimate estimate = estimate_text(MISSION);
    ck_assert_uint_eq(estimate.regions[1].notes.count, 1);
    ck_assert_str_eq(estimate.regions[1].notes.items[0],
                     "sustained-use discount, not subtracted: 20 % of compute, $93.59 a month");
}
END_TEST

#define AWS_TRIO                                                                                             \
    "metadata: { name: shop }\n"                                                                             \
    "regions:\n"                                                                                             \
    "  a: { provider: aws, location: us-east-1, size: medium }\n"                                            \
    "  b: { provider: aws, location: eu-west-1, size: medium }\n"                                            \
    "  c: { provider: aws, location: ap-southeast-1, size: medium }\n"

START_TEST(a_mesh_ships_every_byte_to_every_other_region)
{
    usage.write_bytes_per_s = 1073741824 / 1000; /* 0.001 GiB/s: 2628 GB a month */
    struct cost_estimate estimate = estimate_text(
        AWS_TRIO "replication: { mode: active-active, conflict-resolution: last-update-wins }\n");
    ck_assert_double_eq_tol(
        amount(&estimate, 0, "traffic", "Replication to 1 region of the same cloud, europe"), 2628 * .02,
        0.01);
    ck_assert_double_eq_tol(
        amount(&estimate, 2, "traffic", "Replication to 1 region of the same cloud, north-america"),
        2628 * .09, 0.01);
}
END_TEST

START_TEST(a_stream_leaves_the_primary_only)
{
    struct cost_estimate estimate = estimate_text(AWS_TRIO "replication: { mode: streaming, primary: b }\n");
    ck_assert_ptr_null(item_of(&estimate, 0, "traffic", "Replication"));
    ck_assert_ptr_nonnull(
        item_of(&estimate, 1, "traffic", "Replication to 1 region of the same cloud, asia"));
    ck_assert_ptr_null(item_of(&estimate, 2, "traffic", "Replication"));
}
END_TEST

START_TEST(internet_traffic_gets_cheaper_by_tiers)
{
    usage.internet_egress_bytes = UINT64_C(20000) * 1000 * 1000 * 1000;
    struct cost_estimate estimate = estimate_text(AWS_TRIO);
    double first = 0;
    for (size_t i = 0; i < estimate.regions[0].count; i++) {
        if (strcmp(estimate.regions[0].items[i].component, "traffic") == 0)
            first += (double)estimate.regions[0].items[i].monthly_nano_usd / 1e9;
    }
    ck_assert_double_eq_tol(first, 10240 * .09 + 9760 * .085, 1e-6);
}
END_TEST

START_TEST(names_cost_too)
{
    struct cost_estimate estimate =
        estimate_text(AWS_TRIO "traffic: { domain: shop.example, dns: route53, health-interval: 10s }\n");
    ck_assert_uint_eq(estimate.count, 4);
    ck_assert_str_eq(estimate.regions[3].name, "global");
    ck_assert_double_eq_tol(amount(&estimate, 3, "dns", "Route 53 zone"), .5, 1e-9);
    ck_assert_double_eq_tol(amount(&estimate, 3, "dns", "Health checks of AWS"), 3 * .5, 1e-9);
    ck_assert_double_eq_tol(amount(&estimate, 3, "dns", "Options"), 3 * 3 * 1., 1e-9); /* fast, too */
    ck_assert_double_eq_tol(amount(&estimate, 3, "dns", "Route 53 queries"), 30 * .6, 1e-9);
}
END_TEST

START_TEST(names_of_other_clouds_cost_more)
{
    struct cost_estimate estimate = estimate_text(
        MISSION
        "traffic: { domain: shop.example, dns: route53, routing: geographic, health-interval: 30s }\n");
    ck_assert_double_eq_tol(amount(&estimate, 3, "dns", "Health checks of other"), 2 * .75, 1e-9);
    ck_assert_double_eq_tol(amount(&estimate, 3, "dns", "Options of checks of other"), 2 * 2 * 2., 1e-9);
    ck_assert_double_eq_tol(amount(&estimate, 3, "dns", "Route 53 queries"), 30 * .7, 1e-9);
}
END_TEST

START_TEST(totals_follow_a_selection)
{
    struct cost_estimate estimate = estimate_text(MISSION);
    const char *names[] = {"us-east"};
    const struct string_list list = {1, names};
    cost_estimate_restrict(&estimate, &list);
    ck_assert_uint_eq(estimate.count, 1);
    ck_assert(estimate.complete);
    int64_t sum = 0;
    for (size_t i = 0; i < estimate.regions[0].count; i++)
        sum += estimate.regions[0].items[i].monthly_nano_usd;
    ck_assert_int_eq(estimate.monthly_nano_usd, sum);
}
END_TEST

START_TEST(exact_rules_make_prices)
{
    /* 4 x .031611 + 32 x .004237 */
    const struct price *price =
        cost_machine_price(arena, "gcp", "us-central1", catalog_instance("gcp", "n2-highmem-4", false));
    ck_assert_int_eq(price->nano_usd, 262028000);
    ck_assert_contains(price->source, "gcosts");
    ck_assert_ptr_null(
        cost_machine_price(arena, "gcp", "me-west1", catalog_instance("gcp", "n2-highmem-4", false)));
    const struct instance_type *class = catalog_instance("gcp", "db-custom-4-16384", true);
    ck_assert_int_eq(cost_database_price(arena, "gcp", "us-central1", class, true)->nano_usd,
                     2 * cost_database_price(arena, "gcp", "us-central1", class, false)->nano_usd);
    ck_assert_int_eq(cost_storage_price(arena, "gcp", "us-central1", true)->nano_usd, 340000000);
}
END_TEST

/* Last: what it adds stays for the process. */
START_TEST(newer_parts_win_over_an_older_line)
{
    struct error err = {0};
    ck_assert_int_eq(price_list_read(PRICES_CACHED, "gcp", "cache",
                                     STR("us-east1,vm-vcpu:e2,0.02,hour,list,2026-11-01\n"
                                         "us-east1,vm-ram:e2,0.003,hour,list,2026-11-01\n"),
                                     &err),
                     0);
    const struct instance_type *type = catalog_instance("gcp", "e2-standard-4", false);
    ck_assert_int_eq(cost_machine_price(arena, "gcp", "us-east1", type)->nano_usd, 128000000);
    ck_assert_int_eq(cost_machine_price(arena, "gcp", "us-central1", type)->nano_usd, 134023000);
}
END_TEST

/* Also last. */
START_TEST(a_shared_core_is_sold_by_its_part)
{
    static const struct {
        const char *name;
        int64_t nano_usd;
    } types[] = {{"e2-micro", 8000000}, {"e2-small", 16000000}, {"e2-medium", 32000000}};
    struct error err = {0};
    ck_assert_int_eq(price_list_read(PRICES_CACHED, "gcp", "cache",
                                     STR("us-east1,vm-vcpu:e2,0.02,hour,list,2026-11-01\n"
                                         "us-east1,vm-ram:e2,0.003,hour,list,2026-11-01\n"),
                                     &err),
                     0);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const struct instance_type *type = catalog_instance("gcp", types[i].name, false);
        ck_assert_int_eq(cost_machine_price(arena, "gcp", "us-east1", type)->nano_usd, types[i].nano_usd);
    }
}
END_TEST

static Suite *cost_estimate_suite(void)
{
    Suite *suite = suite_create("cost_estimate");
    TCase *tcase = tcase_create("cost_estimate");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_missions_deployment);
    tcase_add_test(tcase, unknown_is_never_zero);
    tcase_add_test(tcase, the_discount_is_shown_and_not_taken);
    tcase_add_test(tcase, a_mesh_ships_every_byte_to_every_other_region);
    tcase_add_test(tcase, a_stream_leaves_the_primary_only);
    tcase_add_test(tcase, internet_traffic_gets_cheaper_by_tiers);
    tcase_add_test(tcase, names_cost_too);
    tcase_add_test(tcase, names_of_other_clouds_cost_more);
    tcase_add_test(tcase, totals_follow_a_selection);
    tcase_add_test(tcase, exact_rules_make_prices);
    tcase_add_test(tcase, newer_parts_win_over_an_older_line);
    tcase_add_test(tcase, a_shared_core_is_sold_by_its_part);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cost_estimate_suite)
