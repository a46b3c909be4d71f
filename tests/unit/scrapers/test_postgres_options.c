#include "scrapers/postgres/options.h"

#include "lib/core/yaml.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;
static struct diag diag;
static struct postgres_config config;

static void set_up(void)
{
    arena = arena_new(0);
    diag_init(&diag);
}

static void tear_down(void)
{
    diag_deinit(&diag);
    arena_free(arena);
}

static int parse(const char *text)
{
    struct node *root = NULL;
    config = (struct postgres_config){0};
    int code = yaml_parse(arena, "c.yaml", str_from(text), &root, &diag);
    return code ? code : option_parse(&postgres_section, root, arena, &config, &diag);
}

static void expect_error(const char *text, const char *part)
{
    ck_assert_int_lt(parse(text), 0);
    char *shown = test_diag_text(&diag);
    ck_assert_contains(shown, part);
    free(shown);
}

START_TEST(what_is_left_out_has_a_default)
{
    ck_assert_int_eq(parse("{name: a, dsn: host=db user=monitor}"), 0);
    ck_assert_str_eq(config.target.name, "a");
    ck_assert_ptr_null(config.cluster);
    ck_assert(config.lag && config.tables);
    ck_assert_int_eq(config.lag_interval_ns, 250 * NS_PER_MS);
    ck_assert_int_eq(config.lock_timeout_ns, 100 * NS_PER_MS);
    ck_assert_int_eq(config.size_interval_ns, 300 * NS_PER_S);
    ck_assert_int_eq(config.names, NAMES_DEFAULT);
    ck_assert_int_eq(config.tables_max, 200);
}
END_TEST

START_TEST(everything_can_be_set)
{
    ck_assert_int_eq(
        parse(
            "name: a\ndsn: postgresql://monitor@db/postgres\ncluster: orders\nregion: eu\npassword_file: /p\n"
            "interval: 5s\ntimeout: 2s\nlag_interval: 100ms\nstatement_timeout: 1s\nlock_timeout: 50ms\n"
            "settings_interval: 10m\ntable_interval: 5m\nsize_interval: 1h\ncollect: [statements]\n"
            "skip: [locks, settings]\ntables: false\ntables_max: 10\nnames: both\nwal_disk: 100GB\nlag: "
            "false\n"),
        0);
    ck_assert_int_eq(config.names, NAMES_BOTH);
    ck_assert_uint_eq(config.wal_disk_bytes, 100000000000);
    ck_assert_uint_eq(config.skip.count, 2);
    ck_assert(postgres_wants(&config, &group_statements, NAMES_NEW));
    ck_assert(!postgres_wants(&config, &group_locks, NAMES_NEW));
    ck_assert(!postgres_wants(&config, &group_tables, NAMES_NEW));
    ck_assert(postgres_wants(&config, &group_database, NAMES_NEW));
}
END_TEST

START_TEST(mistakes_are_named)
{
    expect_error("{name: a, dsn: host=db, skip: [lock]}", "did you mean \"locks\"?");
    expect_error("{name: a, dsn: host=db, collect: [statments]}", "did you mean \"statements\"?");
    expect_error("{name: a, dsn: host=db, skip: [server]}", "\"server\" cannot be left out");
    expect_error("{name: a, dsn: hots=db}", "hots");
    expect_error("{name: a}", "dsn");
    expect_error("{name: a, dsn: host=db, lag_interval: 1ms}", "lag_interval");
    expect_error("{name: a, dsn: host=db, names: old}", "legacy");
}
END_TEST

START_TEST(check_warns_of_what_will_disappoint)
{
    ck_assert_int_eq(parse("{name: a, dsn: host=db password=xyzzy, timeout: 1s, statement_timeout: 2s}"), 0);
    postgres_check(&config, &diag);
    ck_assert_uint_eq(diag.warnings, 2);
    char *shown = test_diag_text(&diag);
    ck_assert_contains(shown, "password_file");
    ck_assert_ptr_null(strstr(shown, "xyzzy"));
    free(shown);
}
END_TEST

START_TEST(the_alias_switch_has_a_default_of_its_own)
{
    struct scraper_env env = {0};
    ck_assert_int_eq(parse("{name: a, dsn: host=db}"), 0);
    ck_assert_int_eq(postgres_names_of(&config, &env), NAMES_NEW);
    env.postgres_legacy_names = true;
    ck_assert_int_eq(postgres_names_of(&config, &env), NAMES_BOTH);
    config.names = NAMES_NEW;
    ck_assert_int_eq(postgres_names_of(&config, &env), NAMES_NEW);
    ck_assert(postgres_wants(&config, &group_activity, NAMES_NEW));
    ck_assert(!postgres_wants(&config, &group_activity, NAMES_BOTH));
    ck_assert(postgres_wants(&config, &group_activity_old, NAMES_LEGACY));
}
END_TEST

static Suite *options_suite(void)
{
    Suite *suite = suite_create("postgres_options");
    TCase *tcase = tcase_create("options");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_is_left_out_has_a_default);
    tcase_add_test(tcase, everything_can_be_set);
    tcase_add_test(tcase, mistakes_are_named);
    tcase_add_test(tcase, check_warns_of_what_will_disappoint);
    tcase_add_test(tcase, the_alias_switch_has_a_default_of_its_own);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(options_suite)
