#include "tests/unit/scrapers/probe_rig.h"

/* Parsing needs no loop. */
static struct probe_rig rig;

static void open_rig(void)
{
    rig = (struct probe_rig){.arena = arena_new(0)};
}

static void close_rig(void)
{
    arena_free(rig.arena);
}

static void parses(const char *yaml)
{
    char *text = probe_rig_parse(&rig, yaml);
    ck_assert_str_eq(text, "");
    free(text);
}

static void refuses(const char *yaml, const char *message)
{
    char *text = probe_rig_parse(&rig, yaml);
    ck_assert_contains(text, message);
    ck_assert_contains(text, "test.yaml:");
    free(text);
}

START_TEST(the_contract_s_probes)
{
    parses(
        "  - name: api\n    region: us-east\n"
        "    http: { url: http://127.0.0.1:8801/readiness, expect: { status: [200], body: ready } }\n"
        "    interval: 250ms\n    timeout: 200ms\n"
        "  - { name: api, region: eu-west, http: { url: http://127.0.0.1:8802/readiness }, interval: 250ms, "
        "timeout: 200ms }\n"
        "  - { name: db, region: us-east, postgres: { dsn: host=127.0.0.1 port=5501 dbname=postgres "
        "user=monitor, password_file: /etc/fraiseql-collector/monitor.password }, interval: 1s }\n"
        "  - { name: lb, region: us-east, tcp: { address: 127.0.0.1:8080 }, interval: 1s }\n");
    ck_assert_uint_eq(rig.config_count, 4);
    const struct probe_config *api = rig.configs[0], *db = rig.configs[2], *lb = rig.configs[3];
    ck_assert_str_eq(probe_config_name(api), "api");
    ck_assert_str_eq(probe_config_region(api), "us-east");
    ck_assert_str_eq(probe_config_target(api), "127.0.0.1:8801");
    ck_assert_int_eq(probe_config_interval_ns(api), 250 * NS_PER_MS);
    ck_assert_int_eq(probe_config_timeout_ns(api), 200 * NS_PER_MS);
    ck_assert_uint_eq(api->http->expect.status.count, 1);
    ck_assert_str_eq(api->http->method, "GET");
    ck_assert_int_eq(api->http->connection, PROBE_CONNECTION_NEW);
    ck_assert_str_eq(probe_config_target(db), "127.0.0.1:5501");
    ck_assert_int_eq(probe_config_timeout_ns(db), NS_PER_S); /* at most the interval */
    ck_assert_str_eq(db->postgres->query, "SELECT 1");
    ck_assert_str_eq(probe_config_target(lb), "127.0.0.1:8080");
}
END_TEST

START_TEST(what_is_left_out_is_completed)
{
    parses("  - { name: a, tcp: { address: 'example.com:80' } }\n"
           "  - { name: b, target: mine, timeout: 1s, http: { url: 'https://example.com/' } }\n");
    ck_assert_str_eq(probe_config_region(rig.configs[0]), "home");
    ck_assert_int_eq(probe_config_interval_ns(rig.configs[0]), 15 * NS_PER_S);
    ck_assert_int_eq(probe_config_timeout_ns(rig.configs[0]), 10 * NS_PER_S);
    ck_assert_str_eq(probe_config_target(rig.configs[1]), "mine");
    ck_assert_int_eq(probe_config_timeout_ns(rig.configs[1]), NS_PER_S);
}
END_TEST

START_TEST(refusals)
{
    refuses("  - { name: a }\n", "exactly one of http, tcp and postgres");
    refuses("  - { name: a, tcp: { address: 'a:1' }, http: { url: 'http://a/' } }\n", "exactly one of");
    refuses("  - { name: a, tcp: { address: 'a:1' }, interval: 9ms }\n", "interval");
    refuses("  - { name: a, tcp: { address: 'a:1' }, interval: 1s, timeout: 2s }\n",
            "timeout is above interval");
    refuses("  - { name: a, tcp: { address: ':80' } }\n", "no host");
    refuses("  - { name: a, tcp: { address: 'a' } }\n", "address");
    refuses("  - { name: a, http: { url: 'http://u:p@a/' } }\n", "credentials");
    refuses("  - { name: a, http: { url: 'ftp://a/' } }\n", "url");
    refuses("  - { name: a, http: { url: 'http://a/', method: 'get it' } }\n", "method");
    refuses("  - { name: a, http: { url: 'http://a/', expect: { status: [99] } } }\n", "status");
    refuses("  - { name: a, http: { url: 'http://a/', tls: { cert_file: x } } }\n", "key_file");
    refuses("  - { name: a, postgres: { dsn: 'host=a nonsense=1' } }\n", "nonsense");
    refuses("  - { name: a, postgres: { dsn: 'host=a', query: '', expect: 1 } }\n", "needs a query");
    refuses("  - { name: a, tcp: { adress: 'a:1' } }\n", "adress");
    refuses("  - { tcp: { address: 'a:1' } }\n", "name");
}
END_TEST

START_TEST(a_timeout_above_the_default_interval_is_an_error)
{
    struct diag diag;
    diag_init(&diag);
    parses("  - { name: a, timeout: 20s, tcp: { address: 'a:1' } }\n"
           "  - { name: b, http: { url: 'https://a/', tls: { insecure_skip_verify: true } } }\n");
    probe_config_check(rig.configs[0], &diag);
    ck_assert_uint_eq(diag.errors, 1);
    probe_config_check(rig.configs[1], &diag);
    ck_assert_uint_eq(diag.warnings, 1);
    diag_deinit(&diag);
}
END_TEST

static Suite *config_suite(void)
{
    Suite *suite = suite_create("probe_config");
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, open_rig, close_rig);
    tcase_add_test(tcase, the_contract_s_probes);
    tcase_add_test(tcase, what_is_left_out_is_completed);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, a_timeout_above_the_default_interval_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(config_suite)
