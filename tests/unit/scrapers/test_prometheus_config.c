#include "scrapers/prometheus/prometheus_config.h"

#include "scrapers/prometheus/prometheus.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;
static struct prometheus_config config;

static void open_all(void)
{
    arena = arena_new(0);
}

static void close_all(void)
{
    arena_free(arena);
}

/* What diag says of the target, malloc'd. */
static char *parse(const char *yaml)
{
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag);
    config = (struct prometheus_config){0};
    if (yaml_parse(arena, "test.yaml", str_from(yaml), &root, &diag) == 0)
        (void)!option_parse(prometheus_scraper.section, root, arena, &config, &diag);
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

START_TEST(the_contract_s_target)
{
    char *text = parse("{ name: fraiseql-us-east, region: us-east, url: 'http://127.0.0.1:8000/metrics', "
                       "bearer_token_file: /etc/fraiseql-collector/metrics.token, "
                       "drop: ['{__name__=~\"fraiseql_db_query_.*\"}'] }");
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_str_eq(config.target.name, "fraiseql-us-east");
    ck_assert_uint_eq(config.drop.count, 1);
    ck_assert_uint_eq(config.max_body_bytes, 64UL << 20);
    ck_assert_int_eq(config.format, PROMETHEUS_FORMAT_AUTO);
    char address[64];
    prometheus_scraper.address(&config, address, sizeof address);
    ck_assert_str_eq(address, "127.0.0.1:8000");
}
END_TEST

START_TEST(what_relabels_and_limits)
{
    char *text = parse("{ name: t, url: 'http://127.0.0.1/metrics', keep: [up, '{job=\"a\"}'], limit: 5000, "
                       "label_limit: 20, "
                       "label_name_length_limit: 60, label_value_length_limit: 200, honor_timestamps: false, "
                       "prefer: protobuf }");
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_uint_eq(config.keep.count, 2);
    ck_assert_int_eq(config.limit, 5000);
    ck_assert_int_eq(config.label_value_length_limit, 200);
    ck_assert_int_eq(config.prefer, PROMETHEUS_FORMAT_PROTOBUF);
    ck_assert(!config.honor_timestamps);
    text = parse("{ name: t, url: 'http://127.0.0.1/metrics' }");
    ck_assert_int_eq(config.prefer, PROMETHEUS_FORMAT_OPENMETRICS);
    ck_assert(config.honor_timestamps);
    free(text);
}
END_TEST

START_TEST(refusals)
{
    refuses("{ name: a }", "url");
    refuses("{ name: a, url: 'http://u:p@h/' }", "credentials");
    refuses("{ name: a, url: 'http://h/', keep: ['{'] }", "keep");
    refuses("{ name: a, url: 'http://h/', basic_user: x }", "go together");
    refuses("{ name: a, url: 'http://h/', basic_user: x, basic_password_file: y, bearer_token_file: z }",
            "exclude");
    refuses("{ name: a, url: 'http://h/', interval: 1s, timeout: 2s }", "timeout is above interval");
    refuses("{ name: a, url: 'http://h/', tls: { key_file: x } }", "cert_file and key_file");
    refuses("{ name: a, url: 'http://h/', honor_labels: true }", "honor_labels");
}
END_TEST

START_TEST(warnings_of_check)
{
    struct diag diag;
    diag_init(&diag);
    free(parse("{ name: a, url: 'http://example.com/', bearer_token_file: x, tls: { insecure_skip_verify: "
               "true } }"));
    prometheus_scraper.check(&config, &diag);
    ck_assert_uint_eq(diag.warnings, 2);
    free(parse("{ name: a, url: 'http://127.0.0.1/', bearer_token_file: x }"));
    prometheus_scraper.check(&config, &diag);
    ck_assert_uint_eq(diag.warnings, 2);
    diag_deinit(&diag);
}
END_TEST

static Suite *config_suite(void)
{
    Suite *suite = suite_create("prometheus_config");
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, open_all, close_all);
    tcase_add_test(tcase, the_contract_s_target);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, what_relabels_and_limits);
    tcase_add_test(tcase, warnings_of_check);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(config_suite)
