#include "provisioner/self_hosted/haproxy_config.h"
#include "tests/unit/provisioner/self_hosted_fixture.h"

/* tests/integration/test_write_target.py runs the real HAProxy with this golden file. */
START_TEST(a_region_of_three)
{
    struct fixture fixture;
    struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
    fixture_open(&fixture, FIXTURE_STREAMING);
    haproxy_config_write(&fixture.sites[1], &text);
    fixture_check_golden("haproxy.cfg", &text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_database_of_its_own_is_the_only_server)
{
    struct fixture fixture;
    struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
    fixture_open(&fixture, "");
    haproxy_config_write(&fixture.sites[2], &text);
    const char *write = strstr(buf_text(&text), "backend write");
    ck_assert_contains(write, "server apac ");
    ck_assert_ptr_null(strstr(write, "server us-east "));
    ck_assert_contains(buf_text(&text), "server region-us-east ");
    buf_deinit(&text);
    fixture_close(&fixture);
}
END_TEST

static Suite *haproxy_config_suite(void)
{
    Suite *suite = suite_create("haproxy_config");
    TCase *tcase = tcase_create("haproxy_config");
    tcase_add_test(tcase, a_region_of_three);
    tcase_add_test(tcase, a_database_of_its_own_is_the_only_server);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(haproxy_config_suite)
