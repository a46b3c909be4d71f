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

static void convert(struct arena *arena, const char *old, struct findings *findings, struct buf *text)
{
    struct diag diag;
    struct node *root;
    diag_init(&diag);
    findings_init(findings, arena);
    ck_assert_int_eq(yaml_parse(arena, "old.yaml", str_from(old), &root, &diag), 0);
    dialect_convert(root, findings, text);
    diag_deinit(&diag);
}

#define ONE                                                                                                  \
    "metadata: {name: shop, labels: {team: core}}\n"                                                         \
    "regions:\n"                                                                                             \
    "  us: {provider: aws, location: us-east-1, size: small, labels: {a: b}, database: {encrypted: true}}\n" \
    "  eu: {provider: gcp, location: europe-west1, size: small}\n"

START_TEST(what_this_format_knows_by_the_same_name_is_kept)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    struct buf text = BUF_INIT(1 << 16);
    convert(arena,
            ONE
            "replication: {mode: active-active, regions: [us, eu], filters: [{region: eu, exclude: [a]}]}\n"
            "compliance: {waivers: [{rule: restore-tested, reason: soon, until: 2030-01-01}]}\n"
            "cost-management: {warn_on_percent: 70, critical-on-percent: 90}\n"
            "service: {port: 9000}\nbackup: {retention: 7d}\nstate: {path: s}\n",
            &findings, &text);
    ck_assert_uint_eq(findings.count, 0);
    ck_assert_int_eq(deployment_parse(arena, "d.yaml", buf_str(&text), &deployment, &findings), 0);
    ck_assert_str_eq(deployment_find_region(deployment, "us")->labels.items[0].value, "b");
    ck_assert_uint_eq(deployment->replication.regions.count, 2);
    ck_assert_uint_eq(deployment->replication.filters.count, 1);
    ck_assert_uint_eq(deployment->compliance.waivers.count, 1);
    ck_assert_int_eq(deployment->cost.warn_on_percent, 70);
    ck_assert_int_eq(deployment->service.port, 9000);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_value_that_is_not_understood_is_neither_guessed_nor_cut)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct buf text = BUF_INIT(1 << 16);
    convert(arena,
            "regions:\n"
            "  a: {provider: aws, compute: {type: fargate}, database: {storage: lots}}\n"
            "  b: {provider: gcp, compute: {type: ec2}, database: {storage: 500 gib}}\n"
            "  c: {provider: azure, compute: {type: virtual-machine}, database: {storage: 500}}\n"
            "cost-management: {alerts: {warn-on: 0.8, critical-on: 120 % of budget}}\n",
            &findings, &text);
    ck_assert_contains(buf_text(&text), "storage: lots\n");
    ck_assert_contains(buf_text(&text), "storage: 500GiB\n");
    ck_assert_contains(buf_text(&text), "storage: 500GB\n");
    ck_assert_contains(buf_text(&text), "warn-on-percent: 0.8\n");
    ck_assert_contains(buf_text(&text), "critical-on-percent: 120\n");
    ck_assert_contains(buf_text(&text), "#   2: regions.a.compute.type is not carried over: ");
    ck_assert_contains(buf_text(&text), "#   3: regions.b.compute.type is not carried over: ");
    ck_assert_contains(buf_text(&text),
                       "#   4: regions.c.database.storage has no unit and is taken for GB\n");
    ck_assert_uint_eq(findings.warnings, 3);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_key_does_not_end_the_comment_that_names_it)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    struct buf text = BUF_INIT(1 << 16);
    convert(arena, ONE "\"x\\nservice: {port: 1}\": 2\n\"y\\u2028service: {port: 1}\": 2\n", &findings,
            &text);
    ck_assert_uint_eq(findings.warnings, 2);
    ck_assert_int_eq(deployment_parse(arena, "d.yaml", buf_str(&text), &deployment, &findings), 0);
    ck_assert_int_eq(deployment->service.port, 8000);
    buf_deinit(&text);
}
END_TEST

START_TEST(of_two_keys_that_mean_one_the_first_is_written_and_the_other_is_named)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    struct buf text = BUF_INIT(1 << 16);
    convert(arena,
            "metadata: {name: shop}\n"
            "regions:\n"
            "  us: {provider: aws, location: us-east-1, instance_type: t3.large, labels: {instances: x},\n"
            "       compute: {instance: t3.xlarge, count: 2}}\n"
            "  eu: {provider: aws, location: eu-west-1, compute: {instance: t3.xlarge, size: t3.large},\n"
            "       network: {cidr: 10.1.0.0/16}, networking: {cidr: 10.2.0.0/16}}\n"
            "replication: {mode: streaming, lag-target: 300ms, replication-lag-target: 400ms}\n"
            "cost-management: {budget: 9, monthly-budget: 8, warn-on-percent: 70, alerts: {warn-on: 60%}}\n"
            "cost_management: {currency: USD}\n",
            &findings, &text);
    static const char *const left[] = {"regions.us.compute.instance",
                                       "regions.eu.compute.size",
                                       "regions.eu.networking.cidr",
                                       "replication.replication-lag-target",
                                       "cost-management.monthly-budget",
                                       "cost-management.alerts.warn-on",
                                       "cost_management"};
    ck_assert_uint_eq(findings.warnings, ARRAY_LEN(left));
    for (size_t i = 0; i < ARRAY_LEN(left); i++)
        ck_assert_msg(strncmp(findings.items[i].message, left[i], strlen(left[i])) == 0, "%s",
                      findings.items[i].message);
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "d.yaml", buf_str(&text), &deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "");
    ck_assert_str_eq(deployment_find_region(deployment, "us")->instance_type, "t3.large");
    ck_assert_int_eq(deployment_find_region(deployment, "us")->instances, 2);
    ck_assert_str_eq(deployment_find_region(deployment, "eu")->instance_type, "t3.xlarge");
    ck_assert_int_eq(deployment->cost.warn_on_percent, 70);
    buf_deinit(&text);
}
END_TEST

static Suite *dialect_suite(void)
{
    Suite *suite = suite_create("dialect");
    TCase *tcase = tcase_create("dialect");
    tcase_add_test(tcase, everything_is_carried_over_or_named);
    tcase_add_loop_test(tcase, what_is_no_size_stays_as_it_is, 0, 4);
    tcase_add_test(tcase, what_this_format_knows_by_the_same_name_is_kept);
    tcase_add_test(tcase, a_value_that_is_not_understood_is_neither_guessed_nor_cut);
    tcase_add_test(tcase, a_key_does_not_end_the_comment_that_names_it);
    tcase_add_test(tcase, of_two_keys_that_mean_one_the_first_is_written_and_the_other_is_named);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(dialect_suite)
