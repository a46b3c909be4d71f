#include "provisioner/self_hosted/collector_config.h"
#include "tests/unit/provisioner/self_hosted_fixture.h"

static struct buf write_of(const struct site *site)
{
    struct buf text = BUF_INIT(COLLECTOR_CONFIG_MAX_BYTES);
    collector_config_write(site, &text);
    ck_assert(!text.failed);
    return text;
}

/* tests/integration/test_rendered_config.py has the collector check what this golden file holds. */
START_TEST(a_region_of_three_far_apart)
{
    struct fixture fixture;
    fixture_open(&fixture, FIXTURE_DISTANT "monitoring: { availability: \"99.99\", webhook: "
                                           "\"http://127.0.0.1:9999/hook\" }\n");
    struct buf text = write_of(&fixture.sites[1]);
    fixture_check_golden("collector.yaml", &text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(bounds_grow_with_the_distance)
{
    struct fixture fixture;
    fixture_open(&fixture, FIXTURE_DISTANT);
    const struct site *us = &fixture.sites[0], *apac = &fixture.sites[2];
    ck_assert_int_eq(collector_http_timeout_ns(us, us), 800 * NS_PER_MS);
    ck_assert_int_eq(collector_http_timeout_ns(us, apac), (800 + 3 * 180) * NS_PER_MS);
    ck_assert_int_eq(collector_database_timeout_ns(us, apac), (800 + 11 * 180) * NS_PER_MS);
    ck_assert_int_eq(collector_lag_bound_ns(us), (500 + 2 * 180) * NS_PER_MS);
    fixture_close(&fixture);
    fixture_open(&fixture, "replication: { mode: streaming, lag-target: 5s }\n");
    ck_assert_int_eq(collector_lag_bound_ns(&fixture.sites[0]), 5 * NS_PER_S);
    fixture_close(&fixture);
}
END_TEST

START_TEST(one_region_keeps_for_all)
{
    struct fixture fixture;
    fixture_open(&fixture, FIXTURE_STREAMING "monitoring: { location: eu-west }\n");
    ck_assert_ptr_eq(collector_keeper(&fixture.sites[0]), &fixture.sites[1]);
    ck_assert_ptr_eq(collector_keeper(&fixture.sites[1]), &fixture.sites[1]);
    struct buf text = write_of(&fixture.sites[0]);
    ck_assert_contains(buf_text(&text),
                       arena_printf(fixture.arena, "http://%s:9093", fixture.layouts[1].address));
    buf_deinit(&text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(nobody_to_tell_and_nothing_replicated)
{
    struct fixture fixture;
    fixture_open(&fixture, "monitoring: { alertmanager: false }\n");
    struct buf text = write_of(&fixture.sites[0]);
    ck_assert_ptr_null(strstr(buf_text(&text), "notify:\n"));
    ck_assert_ptr_null(strstr(buf_text(&text), "replication-lag"));
    ck_assert_contains(buf_text(&text), "cluster: shop-us-east\n");
    ck_assert_ptr_null(strstr(buf_text(&text), "traffic:"));
    buf_deinit(&text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(what_incidents_switch_is_chosen)
{
    struct fixture fixture;
    fixture_open(&fixture, FIXTURE_STREAMING "monitoring: { switch-traffic: none }\n");
    ck_assert(!collector_switches(&fixture.sites[0]));
    fixture_close(&fixture);
    fixture_open(&fixture, "monitoring: { switch-traffic: lag-and-budget }\n");
    ck_assert(collector_switches(&fixture.sites[1]));
    struct buf text = write_of(&fixture.sites[1]);
    ck_assert_ptr_null(strstr(buf_text(&text), "lag-high"));
    ck_assert_contains(buf_text(&text),
                       "    - { trigger: budget-burning, region: us-east, drain: [service/region-us-east] }\n"
                       "    - { trigger: budget-burning, region: eu-west, drain: [service/service-1, "
                       "service/service-2] }\n");
    ck_assert_contains(buf_text(&text), "notify: [alertmanager, traffic]\n");
    buf_deinit(&text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(backups_are_told_of_where_they_are_taken)
{
    struct fixture fixture;
    fixture_open(&fixture, FIXTURE_STREAMING);
    struct buf writes = write_of(&fixture.sites[0]), reads = write_of(&fixture.sites[1]);
    ck_assert_contains(buf_text(&writes), "status_file: /var/lib/fraiseql/shop/us-east/backup/status }\n");
    ck_assert_contains(buf_text(&writes), "fraiseql_backup_verified_age_seconds, below: 129600, every: 1m");
    ck_assert_contains(buf_text(&writes), "fraiseql_backup_verified_age_seconds, above: 129600, for: 5m");
    ck_assert_ptr_null(strstr(buf_text(&reads), "backup"));
    buf_deinit(&writes);
    buf_deinit(&reads);
    fixture_close(&fixture);
    fixture_open(&fixture, FIXTURE_STREAMING "backup: { enabled: false }\n");
    writes = write_of(&fixture.sites[0]);
    ck_assert_ptr_null(strstr(buf_text(&writes), "backup"));
    buf_deinit(&writes);
    fixture_close(&fixture);
}
END_TEST

static Suite *collector_config_suite(void)
{
    Suite *suite = suite_create("collector_config");
    TCase *tcase = tcase_create("collector_config");
    tcase_add_test(tcase, a_region_of_three_far_apart);
    tcase_add_test(tcase, bounds_grow_with_the_distance);
    tcase_add_test(tcase, one_region_keeps_for_all);
    tcase_add_test(tcase, nobody_to_tell_and_nothing_replicated);
    tcase_add_test(tcase, what_incidents_switch_is_chosen);
    tcase_add_test(tcase, backups_are_told_of_where_they_are_taken);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(collector_config_suite)
