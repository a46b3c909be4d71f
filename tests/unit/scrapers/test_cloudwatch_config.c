#include "scrapers/cloudwatch/cloudwatch_config.h"

#include "scrapers/cloud/cost.h"
#include "scrapers/cloudwatch/cloudwatch.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;
static struct cloudwatch_config config;

static void begin(void)
{
    arena = arena_new(0);
}

static void end(void)
{
    arena_free(arena);
}

/* What diag says of the target, malloc'd. */
static char *parse(const char *yaml)
{
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag);
    config = (struct cloudwatch_config){0};
    if (yaml_parse(arena, "test.yaml", str_from(yaml), &root, &diag) == 0)
        (void)!option_parse(cloudwatch_scraper.section, root, arena, &config, &diag);
    char *text = test_diag_text(&diag);
    diag_deinit(&diag);
    return text;
}

static void refuses(const char *yaml, const char *message)
{
    char *text = parse(yaml);
    ck_assert_contains(text, message);
    free(text);
}

static const char contract[] =
    "{ name: aws-us-east, region: us-east, location: us-east-1,"
    "  credentials: { profile: monitoring, role_arn: 'arn:aws:iam::123456789012:role/fraiseql-metrics', "
    "external_id: shop },"
    "  profiles: [rds-postgresql, ec2, alb],"
    "  metrics: [{ namespace: AWS/Route53, name: HealthCheckStatus, statistics: [Minimum], period: 60s },"
    "            { namespace: Shop, name: Orders, statistics: [Sum], period: 60s, dimensions: { Store: '*' } "
    "}],"
    "  discover: { tags: { deployment: fraiseql-production } }, budget: { usd_per_month: 40 } }";

START_TEST(the_contract_s_target)
{
    char *text = parse(contract);
    char address[64];
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_uint_eq(config.metrics.count, 2);
    ck_assert_uint_eq(config.cloud.budget->microusd_per_month, 40000000);
    ck_assert_str_eq(config.discover.tags.items[0].value, "fraiseql-production");
    ck_assert_int_eq(config.cloud.catch_up_ns, 6 * 3600 * NS_PER_S);
    cloudwatch_scraper.address(&config, address, sizeof address);
    ck_assert_str_eq(address, "monitoring.us-east-1.amazonaws.com:443");
}
END_TEST

START_TEST(what_a_month_costs_is_known_before)
{
    free(parse(contract));
    struct cloud_estimate *estimate = cloudwatch_scraper.estimate(&config);
    struct cloud_estimate_sum metrics = cloud_estimate_sum(estimate, 0);
    /* 24 + 16 + 2 metrics each minute; of EC2 three each minute and eight each five. Statistics do not count.
     */
    ck_assert_double_eq_tol(metrics.units_per_month, (24 + 16 + 2 + 3) * 43800.0 + 8 * 8760.0, 1e-3);
    ck_assert_double_eq_tol(metrics.usd_per_month, metrics.units_per_month * 1e-5, 1e-9);
    cloud_estimate_free(estimate);
}
END_TEST

START_TEST(refusals)
{
    refuses("{ name: a, location: us-east-1 }", "neither profiles nor metrics");
    refuses("{ name: a, location: us-east-1, profiles: [rds-postgres] }", "did you mean rds-postgresql?");
    refuses("{ name: a, location: us-east-1, metrics: [{ namespace: X, name: Y, statistics: [average] }] }",
            "did you mean Average?");
    refuses("{ name: a, location: us-east-1, metrics: [{ namespace: X, name: Y, statistics: [p95], period: "
            "90s }] }",
            "period is neither");
    refuses("{ name: a, location: us-east-1, profiles: [ec2], endpoint: 'http://10.0.0.1:5000' }",
            "plain http to another machine");
    refuses("{ name: a, location: us-east-1, profiles: [ec2], credentials: { external_id: x } }",
            "external_id");
    refuses("{ name: a, location: us-east-1, profiles: [ec2], keep: ['{'] }", "keep");
}
END_TEST

static Suite *cloudwatch_config_suite(void)
{
    Suite *suite = suite_create("cloudwatch_config");
    TCase *tcase = tcase_create("cloudwatch_config");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_contract_s_target);
    tcase_add_test(tcase, what_a_month_costs_is_known_before);
    tcase_add_test(tcase, refusals);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloudwatch_config_suite)
