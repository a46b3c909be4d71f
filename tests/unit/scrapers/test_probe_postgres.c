#include "tests/support/pg_server.h"
#include "tests/unit/scrapers/probe_rig.h"

static struct probe_rig rig;
static struct pg_server *server;

static char *probe_text(const char *user, const char *options)
{
    char *probe = NULL;
    ck_assert_int_gt(
        asprintf(&probe,
                 "interval: 500ms, postgres: { dsn: 'host=127.0.0.1 port=%u dbname=postgres user=%s "
                 "sslmode=disable'%s }",
                 pg_server_port(server), user, options),
        0);
    return probe;
}

static void expect_good(const char *user, const char *options)
{
    char *probe = probe_text(user, options);
    probe_rig_expect_good(&rig, probe);
    free(probe);
}

static void expect_reason(const char *user, const char *options, const char *reason, const char *message)
{
    char *probe = probe_text(user, options);
    probe_rig_expect_reason(&rig, probe, reason, message);
    free(probe);
}

START_TEST(logins_and_queries)
{
    char *folder = test_folder_new(), *path = test_path(folder, "password"), *options = NULL;
    test_file_write(path, STR(PG_SERVER_SCRAM_PASSWORD "\n"));
    ck_assert_int_gt(asprintf(&options, ", password_file: '%s'", path), 0);
    expect_good("postgres", "");
    expect_good("postgres", ", query: ''");
    expect_good("postgres", ", query: 'SELECT pg_is_in_recovery()', expect: f");
    expect_good("scram_user", options);
    char *metrics = probe_rig_metrics(&rig);
    ck_assert_contains(metrics, "phase=\"connect\"");
    ck_assert_contains(metrics, "phase=\"processing\"");
    free(metrics);
    expect_reason("postgres", ", query: 'SELECT pg_is_in_recovery()', expect: t", "query",
                  "not the expected one");
    expect_reason("postgres", ", query: 'SELECT * FROM nowhere'", "query", "nowhere");
    /* Its words are ours or the server's, whose own limit is the same: who is first. */
    expect_reason("postgres", ", query: 'SELECT pg_sleep(60)'", "timeout", "");
    test_file_write(path, STR("wrong\n"));
    expect_reason("scram_user", options, "auth", "");
    free(options);
    free(path);
    test_folder_remove(folder);
}
END_TEST

/* A frozen postmaster: its kernel accepts connections, nobody answers them. */
START_TEST(a_paused_server_is_bad_a_killed_one_is_refused_and_both_come_back)
{
    expect_good("postgres", "");
    pg_server_pause(server);
    expect_reason("postgres", "", "timeout", "no answer within");
    pg_server_resume(server);
    expect_good("postgres", "");
    pg_server_kill(server);
    expect_reason("postgres", "", "connect", "");
    pg_server_start(server);
    do
        probe_rig_wait_events(&rig, 1);
    while (probe_rig_status_of(&rig, NULL).outcome != SLI_GOOD);
}
END_TEST

/* The attempt under way belongs to a configuration that is gone. */
START_TEST(a_reload_during_a_query_to_another_kind_of_probe)
{
    char *query = probe_text("postgres", ", query: 'SELECT pg_sleep(60)'"), *first = NULL, *second = NULL;
    ck_assert_int_gt(asprintf(&first, "  - { name: p, target: x, %s }\n", query), 0);
    ck_assert_int_gt(
        asprintf(&second, "  - { name: p, target: x, interval: 50ms, tcp: { address: '127.0.0.1:%u' } }\n",
                 pg_server_port(server)),
        0);
    for (unsigned i = 0; i < 3; i++) {
        probe_rig_configure(&rig, first);
        probe_rig_wait_events(&rig, 1);
        probe_rig_configure(&rig, second);
        probe_rig_wait_events(&rig, 3);
    }
    free(query);
    free(first);
    free(second);
}
END_TEST

static void open_all(void)
{
    server = pg_server_new(NULL);
    probe_rig_open(&rig);
}

static void close_all(void)
{
    probe_rig_close(&rig);
    pg_server_free(server);
}

static Suite *postgres_suite(void)
{
    Suite *suite = suite_create("probe_postgres");
    TCase *tcase = tcase_create("postgres");
    if (!pg_server_available())
        exit(77);
    tcase_set_timeout(tcase, 180);
    tcase_add_unchecked_fixture(tcase, open_all, close_all);
    tcase_add_test(tcase, logins_and_queries);
    tcase_add_test(tcase, a_paused_server_is_bad_a_killed_one_is_refused_and_both_come_back);
    tcase_add_test(tcase, a_reload_during_a_query_to_another_kind_of_probe);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(postgres_suite)
