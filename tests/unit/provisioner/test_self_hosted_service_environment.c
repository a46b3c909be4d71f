#include "provisioner/self_hosted/service_environment.h"
#include "tests/unit/provisioner/self_hosted_fixture.h"

static const struct service_secrets secrets = {"pass", "0123456789abcdef"};

static const char *of(struct fixture *fixture, size_t site, int64_t instance)
{
    return service_environment(&fixture->sites[site], &secrets, instance).ptr;
}

START_TEST(the_second_instance_of_a_region)
{
    struct fixture fixture;
    struct buf text = BUF_INIT(65536);
    fixture_open(&fixture, FIXTURE_STREAMING "service: { environment: { COLOUR: \"light blue\" } }\n");
    buf_append_text(&text, of(&fixture, 1, 1));
    fixture_check_golden("service.env", &text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(the_server_gets_its_schema_and_the_way_of_its_traces)
{
    struct fixture fixture;
    fixture_open(&fixture,
                 "service: { binary: /opt/fraiseql-server, version: \"2.15\", schema: /srv/s.json }\n"
                 "monitoring: { otlp-endpoint: \"https://traces.example/v1/traces\" }\n");
    ck_assert_contains(of(&fixture, 0, 0), "\nFRAISEQL_SCHEMA_PATH=/srv/s.json\n");
    ck_assert_contains(of(&fixture, 0, 0),
                       "\nFRAISEQL_CONFIG=/var/lib/fraiseql/shop/us-east/config/service/fraiseql.toml\n");
    struct buf text = BUF_INIT(65536);
    buf_append_str(&text, service_server_config(&fixture.sites[0]));
    fixture_check_golden("fraiseql.toml", &text);
    ck_assert_contains(of(&fixture, 0, 0),
                       "\nOTEL_EXPORTER_OTLP_ENDPOINT=https://traces.example/v1/traces\n");
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_configuration_of_the_users_own_is_left_alone)
{
    struct fixture fixture;
    fixture_open(&fixture, "service: { binary: /opt/fraiseql-server, version: \"2.15\", schema: /srv/s.json, "
                           "environment: { FRAISEQL_CONFIG: /etc/my.toml } }\n");
    ck_assert_ptr_null(service_server_config_path(&fixture.sites[0]));
    ck_assert_contains(of(&fixture, 0, 0), "\nFRAISEQL_CONFIG=/etc/my.toml\n");
    fixture_close(&fixture);
}
END_TEST

START_TEST(without_monitoring_nothing_is_sent_or_shown)
{
    struct fixture fixture;
    fixture_open(&fixture, "monitoring: { enabled: false }\n");
    ck_assert_contains(of(&fixture, 0, 0), "\nFRAISEQL_METRICS_ENABLED=false\n");
    ck_assert_ptr_null(strstr(of(&fixture, 0, 0), "OTEL_"));
    fixture_close(&fixture);
}
END_TEST

START_TEST(values_that_readers_would_take_differently)
{
    ck_assert(service_environment_takes("a b=c #d $e"));
    ck_assert(service_environment_takes(""));
    ck_assert(!service_environment_takes("a\nb"));
    ck_assert(!service_environment_takes("it's"));
    ck_assert(!service_environment_takes("a\"b"));
    ck_assert(!service_environment_takes("a\\b"));
    ck_assert(!service_environment_takes(" a"));
    ck_assert(!service_environment_takes("a "));
}
END_TEST

static Suite *service_environment_suite(void)
{
    Suite *suite = suite_create("service_environment");
    TCase *tcase = tcase_create("service_environment");
    tcase_add_test(tcase, the_second_instance_of_a_region);
    tcase_add_test(tcase, the_server_gets_its_schema_and_the_way_of_its_traces);
    tcase_add_test(tcase, a_configuration_of_the_users_own_is_left_alone);
    tcase_add_test(tcase, without_monitoring_nothing_is_sent_or_shown);
    tcase_add_test(tcase, values_that_readers_would_take_differently);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(service_environment_suite)
