/* The other dialect: what is carried over, and that a word is said of everything else. */
#include "provisioner/config/dialect.h"
#include "provisioner/deployment.h"
#include "tests/support/support.h"

static const char old_text[] =
    "metadata: {name: shop, environment: production}\n"
    "regions:\n"
    "  us-east:\n"
    "    provider: aws\n"
    "    location: us-east-1\n"
    "    compute: {type: ec2, instance: t3.2xlarge, count: 4}\n"
    "    database: {engine: postgresql, type: rds, size: db.t3.xlarge, storage: 500gb}\n"
    "    networking: {vpc: vpc-1, subnet: subnet-1}\n"
    "  eu-west:\n"
    "    provider: gcp\n"
    "    location: europe-west1\n"
    "    compute: {type: compute-engine, machine_type: n2-standard-4}\n"
    "    database: {type: cloudsql, tier: db-custom-4-16384, storage: 1.5tb}\n"
    "replication: {mode: multi-master, replication-lag-target: 200ms}\n"
    "monitoring:\n"
    "  provider: prometheus\n"
    "  backends: [{prometheus: {retention: 45d}}, aws-cloudwatch]\n"
    "cost-management: {billing-provider: direct, budget: 9000, alerts: {warn-on: 150%, critical-on: 200%}}\n"
    "extras: 1\n";

START_TEST(everything_is_carried_over_or_named)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct diag diag;
    struct node *root;
    struct deployment *deployment;
    struct buf text = BUF_INIT(1 << 16);
    diag_init(&diag);
    findings_init(&findings, arena);
    ck_assert_int_eq(yaml_parse(arena, "old.yaml", STR(old_text), &root, &diag), 0);
    dialect_convert(root, &findings, &text);
    static const char *const left[] = {"regions.us-east.networking.vpc", "regions.us-east.networking.subnet",
                                       "monitoring.provider", "monitoring.backends[1]", "extras"};
    ck_assert_uint_eq(findings.warnings, ARRAY_LEN(left));
    for (size_t i = 0; i < ARRAY_LEN(left); i++)
        ck_assert_msg(strncmp(findings.items[i].message, left[i], strlen(left[i])) == 0, "%s",
                      findings.items[i].message);

    findings_init(&findings, arena);
    int code = deployment_parse(arena, "d.yaml", buf_str(&text), &deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "");
    const struct region *us = deployment_find_region(deployment, "us-east");
    ck_assert_str_eq(us->instance_type, "t3.2xlarge");
    ck_assert_int_eq(us->instances, 4);
    ck_assert_uint_eq(us->database.storage_bytes, 500000000000U);
    const struct region *eu = deployment_find_region(deployment, "eu-west");
    ck_assert_str_eq(eu->instance_type, "n2-standard-4");
    ck_assert_uint_eq(eu->database.storage_bytes, 1500000000000U);
    ck_assert_int_eq(deployment->replication.mode, REPLICATION_ACTIVE_ACTIVE);
    ck_assert_int_eq(deployment->replication.lag_target_ns, 200 * NS_PER_MS);
    ck_assert_int_eq(deployment->monitoring.metrics_retention_ns, 45 * 86400 * NS_PER_S);
    ck_assert_uint_eq(deployment->cost.monthly_budget_cents, 900000);
    ck_assert_int_eq(deployment->cost.critical_on_percent, 200);
    buf_deinit(&text);
    diag_deinit(&diag);
}
END_TEST

START_TEST(what_is_no_size_stays_as_it_is)
{
    static const struct {
        const char *old, *written;
    } rows[] = {{"lots", "storage: lots\n"},
                {"500", "storage: 500GB\n"},
                {"20 potatoes", "storage: \"20 potatoes\"\n"},
                {"\"5GB\\nx: y\"", "storage: \"5GB\\nx: y\"\n"}};
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct buf old = BUF_INIT(1 << 10), text = BUF_INIT(1 << 16);
    struct findings findings;
    struct diag diag;
    struct node *root;
    diag_init(&diag);
    findings_init(&findings, arena);
    buf_printf(&old, "regions: {a: {database: {storage: %s}}}\n", rows[_i].old);
    ck_assert_int_eq(yaml_parse(arena, "old.yaml", buf_str(&old), &root, &diag), 0);
    dialect_convert(root, &findings, &text);
    ck_assert_contains(buf_text(&text), rows[_i].written);
    buf_deinit(&text);
    buf_deinit(&old);
    diag_deinit(&diag);
}
END_TEST

static Suite *dialect_suite(void)
{
    Suite *suite = suite_create("dialect");
    TCase *tcase = tcase_create("dialect");
    tcase_add_test(tcase, everything_is_carried_over_or_named);
    tcase_add_loop_test(tcase, what_is_no_size_stays_as_it_is, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(dialect_suite)
