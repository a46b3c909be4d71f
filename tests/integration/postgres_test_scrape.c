/* The PostgreSQL scraper against one real server and its standby: what a scrape gives, what it costs, and
 * what happens to it when the server, the role or the network misbehave. */
#include "tests/integration/postgres_live.h"

#include "lib/core/clock.h"
#include "scrapers/postgres/postgres_internal.h"
#include "tests/support/tcp_proxy.h"

#include <math.h>
#include <stdlib.h>

static struct live live;
static struct pg_server *server;

static void start_server(void)
{
    server = pg_server_new("track_io_timing=on\nwal_receiver_status_interval=1s");
    live_sql(server, "create table t (id int primary key, v text); "
                     "insert into t select g, 'x' from generate_series(1, 100) g; "
                     "create role monitor login; grant pg_monitor to monitor; create role nobody login");
}

static void stop_server(void)
{
    pg_server_free(server);
}

static void set_up(void)
{
    live_init(&live);
}

static void tear_down(void)
{
    live_deinit(&live);
}

static const char *dsn_of(struct pg_server *of, const char *user)
{
    static char dsn[200];
    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%u dbname=postgres user=%s", pg_server_port(of),
                   user);
    return dsn;
}

static double value(const char *target, const char *name)
{
    return live_value(&live, target, name, NULL);
}

START_TEST(a_primary_is_read_in_one_round_trip)
{
    struct live_target *target = live_target_new(&live, "one", "orders", dsn_of(server, "monitor"), NULL);
    live_scrape(target);
    ck_assert_msg(target->err.code == 0, "%s", target->err.message);
    live_wait_value(&live, "one", "pg_up", 1, 1);
    ck_assert_double_eq(value("one", "fraiseql_postgres_in_recovery"), 0);
    ck_assert_double_eq(value("one", "fraiseql_postgres_timeline"), 1);
    ck_assert_double_eq(value("one", "fraiseql_postgres_privileges_missing"), 0);
    ck_assert_double_eq(value("one", "pg_exporter_last_scrape_error"), 0);
    ck_assert_double_eq(value("one", "pg_settings_max_connections"), 60);
    ck_assert_double_eq(value("one", "pg_settings_shared_buffers_bytes"), 16777216);
    ck_assert(value("one", "pg_database_size_bytes") > 1e6);
    ck_assert(live_value(&live, "one", "pg_stat_user_tables_n_tup_ins", "relname=\"t\"") == 100);
    ck_assert(live_value(&live, "one", "pg_stat_user_tables_table_size_bytes", "relname=\"t\"") >= 8192);
    ck_assert_uint_eq(
        live_count(&live, "one", "pg_up", "db_cluster=\"orders\",region=\"east\",target=\"one\""), 1);
    ck_assert_uint_eq(live_count(&live, "one", "pg_scrape_collector_success", NULL),
                      live_count(&live, "one", "pg_scrape_collector_duration_seconds", NULL));
    double former = value("one", "fraiseql_postgres_round_trips_total") -
                    value("one", "fraiseql_postgres_lag_samples_total");
    live_scrape(target);
    live_scrape(target);
    double now = value("one", "fraiseql_postgres_round_trips_total") -
                 value("one", "fraiseql_postgres_lag_samples_total");
    ck_assert_double_eq_tol(now - former, 2, 1.01); /* a sample may be under way at either end */
    ck_assert_double_eq(value("one", "fraiseql_postgres_connections_opened_total"), 1);
    ck_assert_double_eq(value("one", "pg_exporter_scrapes_total"), 3);
    live_target_free(target);
}
END_TEST

static void without_lag(struct postgres_config *config)
{
    config->lag = false;
}

START_TEST(round_trips_are_exactly_one)
{
    struct tcp_proxy *proxy = tcp_proxy_new(pg_server_port(server));
    char dsn[128];
    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%u dbname=postgres user=monitor",
                   tcp_proxy_port(proxy));
    struct live_target *target = live_target_new(&live, "one", NULL, dsn, without_lag);
    live_scrape(target);
    unsigned turns = tcp_proxy_turns(proxy);
    live_scrape(target);
    ck_assert_uint_eq(tcp_proxy_turns(proxy) - turns, 1);
    ck_assert_uint_eq(tcp_proxy_connections(proxy), 1);
    ck_assert_int_eq(target->err.code, 0);
    live_target_free(target);
    tcp_proxy_free(proxy);
}
END_TEST

START_TEST(at_most_two_connections)
{
    struct live_target *target = live_target_new(&live, "one", NULL, dsn_of(server, "monitor"), NULL);
    for (int i = 0; i < 3; i++)
        live_scrape(target);
    char *count = pg_server_sql(server, "select count(*) from pg_stat_activity where usename = 'monitor'");
    ck_assert_str_eq(count, "2");
    free(count);
    live_target_free(target);
}
END_TEST

static void names_both(struct postgres_config *config)
{
    config->names = NAMES_BOTH;
}

static void names_legacy(struct postgres_config *config)
{
    config->names = NAMES_LEGACY;
}

START_TEST(names_of_both_eras)
{
    struct live_target *both = live_target_new(&live, "both", NULL, dsn_of(server, "monitor"), names_both);
    struct live_target *old = live_target_new(&live, "old", NULL, dsn_of(server, "monitor"), names_legacy);
    live_scrape(both);
    live_scrape(old);
    ck_assert(!isnan(value("both", "pg_stat_bgwriter_buffers_alloc_total")));
    ck_assert(!isnan(value("both", "pg_stat_bgwriter_buffers_alloc")));
    ck_assert(isnan(value("old", "pg_stat_bgwriter_buffers_alloc_total")));
    ck_assert(!isnan(value("old", "pg_stat_bgwriter_buffers_alloc")));
    /* Six states a database, and no label that would count a session twice. */
    char *databases = pg_server_sql(server, "select count(*) * 6 from pg_database");
    char text[24];
    (void)snprintf(text, sizeof text, "%zu", live_count(&live, "both", "pg_stat_activity_count", NULL));
    ck_assert_str_eq(text, databases);
    free(databases);
    live_target_free(both);
    live_target_free(old);
}
END_TEST

static void skipping(struct postgres_config *config)
{
    static const char *skip[] = {"settings", "locks"}, *collect[] = {"statio_user_indexes"};
    config->skip = (struct string_list){2, skip};
    config->collect = (struct string_list){1, collect};
    config->tables_max = 1;
}

START_TEST(groups_can_be_chosen)
{
    live_sql(server,
             "create table if not exists big as select g as a from generate_series(1, 9000) g; analyze big");
    struct live_target *target = live_target_new(&live, "one", NULL, dsn_of(server, "monitor"), skipping);
    live_scrape(target);
    ck_assert_uint_eq(live_count(&live, "one", "pg_settings_max_connections", NULL), 0);
    ck_assert_uint_eq(live_count(&live, "one", "pg_locks_count", NULL), 0);
    ck_assert_uint_eq(live_count(&live, "one", "pg_stat_user_tables_seq_scan", NULL), 1);
    ck_assert_uint_eq(live_count(&live, "one", "pg_stat_user_tables_seq_scan", "relname=\"big\""), 1);
    live_target_free(target);
    live_sql(server, "drop table big");
}
END_TEST

START_TEST(a_role_without_pg_monitor_is_told_the_grant)
{
    struct live_target *target = live_target_new(&live, "one", NULL, dsn_of(server, "nobody"), NULL);
    live_scrape(target);
    ck_assert_int_eq(target->err.code, ERR_AUTH);
    ck_assert_str_eq(target->err.hint, "GRANT pg_monitor TO \"nobody\"");
    ck_assert_double_eq(value("one", "fraiseql_postgres_privileges_missing"), 1);
    ck_assert_double_eq(value("one", "pg_up"), 1); /* what can be seen is seen */
    ck_assert(!isnan(value("one", "pg_stat_database_xact_commit")));
    live_sql(server, "grant pg_monitor to nobody");
    live_scrape(target);
    ck_assert_msg(target->err.code == 0, "%s", target->err.message);
    ck_assert_double_eq(value("one", "fraiseql_postgres_privileges_missing"), 0);
    live_target_free(target);
    live_sql(server, "revoke pg_monitor from nobody");
}
END_TEST

static char *password_path;

static void with_password_file(struct postgres_config *config)
{
    config->password_file = password_path;
}

START_TEST(a_changed_password_heals)
{
    char *folder = test_folder_new();
    password_path = test_path(folder, "password");
    test_file_write(password_path, STR(PG_SERVER_SCRAM_PASSWORD "\n"));
    live_sql(server, "grant pg_monitor to scram_user");
    struct live_target *target =
        live_target_new(&live, "one", NULL, dsn_of(server, "scram_user"), with_password_file);
    live_scrape(target);
    ck_assert_msg(target->err.code == 0, "%s", target->err.message);
    double commits = value("one", "pg_stat_database_xact_commit");
    live_sql(server, "alter role scram_user password 'new one'; "
                     "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'scram_user'");
    live_scrape(target); /* the old connection is dead */
    live_scrape(target);
    ck_assert_int_eq(target->err.code, ERR_AUTH);
    ck_assert_ptr_null(strstr(target->err.message, "correct horse"));
    ck_assert_double_eq(value("one", "pg_up"), 0);
    ck_assert(value("one", "pg_stat_database_xact_commit") >= commits); /* counters are kept */
    ck_assert(isnan(value("one", "pg_stat_database_numbackends")));     /* what was observed is not */
    test_file_write(password_path, STR("new one\n"));
    live_scrape(target);
    ck_assert_msg(target->err.code == 0, "%s", target->err.message);
    ck_assert_double_eq(value("one", "pg_up"), 1);
    live_sql(server, "alter role scram_user password '" PG_SERVER_SCRAM_PASSWORD "'");
    live_target_free(target);
    free(password_path);
    test_folder_remove(folder);
}
END_TEST

START_TEST(a_configured_target_always_has_pg_up)
{
    char dsn[64];
    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%u user=x dbname=x", test_free_port());
    struct live_target *target = live_target_new(&live, "dead", NULL, dsn, NULL);
    live_scrape(target);
    ck_assert_int_eq(target->err.code, ERR_UNAVAILABLE);
    ck_assert_double_eq(value("dead", "pg_up"), 0);
    ck_assert_double_eq(value("dead", "pg_exporter_last_scrape_error"), 1);
    password_path = (char *)(uintptr_t) "/nonexistent/password";
    struct live_target *other = live_target_new(&live, "unread", NULL, dsn, with_password_file);
    live_scrape(other);
    ck_assert_int_lt(other->err.code, 0);
    ck_assert_contains(other->err.message, "/nonexistent/password");
    ck_assert_double_eq(value("unread", "pg_up"), 0);
    live_target_free(other);
    live_target_free(target);
}
END_TEST

static bool is_idle(void *ctx)
{
    const struct live_target *target = ctx;
    return !target->busy;
}

START_TEST(a_hung_server_delays_nobody)
{
    struct pg_server *hung = pg_server_new(NULL);
    struct live_target *good = live_target_new(&live, "good", NULL, dsn_of(server, "monitor"), NULL);
    struct live_target *bad = live_target_new(&live, "bad", NULL, pg_server_conninfo(hung), NULL);
    live_scrape(bad);
    ck_assert_double_eq(value("bad", "pg_up"), 1);
    pg_server_pause(hung);
    live_scrape_start(bad, 2 * NS_PER_S);
    unsigned during = 0;
    while (bad->busy) {
        live_scrape(good);
        ck_assert_int_eq(good->err.code, 0);
        during++;
    }
    ck_assert_uint_gt(during, 3);
    ck_assert_int_eq(bad->err.code, ERR_TIMEOUT);
    ck_assert_double_eq(value("bad", "pg_up"), 0);
    live_scrape_start(bad, NS_PER_S / 2); /* and a new connection gets no further */
    live_wait(&live, is_idle, bad, "the deadline");
    ck_assert_double_eq(value("bad", "pg_up"), 0);
    pg_server_resume(hung);
    live_scrape(bad);
    ck_assert_msg(bad->err.code == 0, "%s", bad->err.message);
    ck_assert_double_eq(value("bad", "pg_up"), 1);
    live_target_free(bad);
    live_target_free(good);
    pg_server_free(hung);
}
END_TEST

START_TEST(a_scrape_can_be_cancelled_and_a_target_removed_while_it_runs)
{
    struct live_target *target = live_target_new(&live, "one", NULL, dsn_of(server, "monitor"), NULL);
    live_scrape_start(target, NS_PER_S);
    postgres_scraper.cancel(target->state);
    live_wait(&live, is_idle, target, "the cancelled scrape");
    ck_assert_int_eq(target->err.code, ERR_CANCELLED);
    live_scrape(target);
    ck_assert_int_eq(target->err.code, 0);
    live_scrape_start(target, NS_PER_S);
    live_target_free(target);
}
END_TEST

static bool is_locked(void *ctx)
{
    char *count =
        pg_server_sql(ctx, "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted "
                           "and relation = 't'::regclass");
    bool locked = strcmp(count, "1") == 0;
    free(count);
    return locked;
}

START_TEST(an_exclusive_lock_costs_only_the_sizes)
{
    pid_t locker =
        live_background_sql(server, "begin; lock table t in access exclusive mode; select pg_sleep(60)");
    live_wait(&live, is_locked, server, "the lock");
    struct live_target *target = live_target_new(&live, "one", NULL, dsn_of(server, "monitor"), NULL);
    live_scrape(target);
    ck_assert_int_eq(target->err.code, 0);
    ck_assert_double_eq(value("one", "pg_up"), 1);
    ck_assert_double_eq(value("one", "pg_exporter_last_scrape_error"), 1);
    ck_assert_double_eq(live_value(&live, "one", "pg_scrape_collector_success", "collector=\"table_size\""),
                        0);
    ck_assert_double_eq(
        live_value(&live, "one", "pg_scrape_collector_success", "collector=\"stat_user_tables\""), 1);
    ck_assert(!isnan(value("one", "pg_database_size_bytes")));
    ck_assert_double_eq(live_value(&live, "one", "pg_stat_user_tables_n_tup_ins", "relname=\"t\""), 100);
    live_target_free(target);
    live_background_end(locker);
    live_sql(server,
             "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and "
             "pid <> pg_backend_pid()");
}
END_TEST

static bool has_two_standbys(void *ctx)
{
    char *count =
        pg_server_sql(ctx, "select count(*) from pg_stat_replication where application_name = 'twin' "
                           "and state = 'streaming'");
    bool both = strcmp(count, "2") == 0;
    free(count);
    return both;
}

START_TEST(two_standbys_of_one_name_cost_nothing)
{
    struct pg_server *one = pg_server_new_standby(server, "twin1", NULL);
    struct pg_server *two = pg_server_new_standby(server, "twin2", NULL);
    char sql[200];
    (void)snprintf(
        sql, sizeof sql,
        "alter system set primary_conninfo = 'host=127.0.0.1 port=%u user=postgres application_name=twin'",
        pg_server_port(server));
    struct pg_server *standbys[] = {one, two};
    for (size_t i = 0; i < 2; i++) {
        live_sql(standbys[i], sql);
        live_sql(standbys[i], "alter system set primary_slot_name = ''");
        live_sql(standbys[i], "select pg_reload_conf()");
    }
    live_wait(&live, has_two_standbys, server, "two standbys of one name");
    struct live_target *target = live_target_new(&live, "one", NULL, dsn_of(server, "monitor"), NULL);
    live_scrape(target);
    ck_assert_msg(target->err.code == 0, "%s", target->err.message);
    ck_assert_uint_eq(
        live_count(&live, "one", "pg_stat_replication_pg_wal_lsn_diff", "application_name=\"twin\""), 1);
    ck_assert_double_eq(live_value(&live, "one", "fraiseql_postgres_standbys", "application_name=\"twin\""),
                        2);
    ck_assert_uint_eq(live_count(&live, "one", "pg_replication_slots_active", NULL), 2);
    ck_assert_double_eq(live_value(&live, "one", "pg_replication_slots_active", "slot_name=\"twin1\""), 0);
    ck_assert(live_value(&live, "one", "fraiseql_postgres_slot_retained_bytes", "slot_name=\"twin1\"") >= 0);
    live_target_free(target);
    pg_server_free(two);
    pg_server_free(one);
    live_sql(server, "select pg_drop_replication_slot(slot_name) from pg_replication_slots");
}
END_TEST

static bool has_samples(void *ctx)
{
    const struct target *target = ctx;
    return sampler_samples(target->sampler) > 3;
}

static void with_wal_disk(struct postgres_config *config)
{
    config->wal_disk_bytes = 1000 * 1000 * 1000;
}

START_TEST(a_slot_tells_how_long_it_lasts)
{
    live_sql(server, "alter system set max_slot_wal_keep_size = '256MB'");
    live_sql(server, "select pg_reload_conf()");
    live_sql(server, "select pg_create_physical_replication_slot('left', true)");
    struct live_target *target =
        live_target_new(&live, "one", NULL, dsn_of(server, "monitor"), with_wal_disk);
    live_wait(&live, has_samples, target->state, "a few samples");
    live_sql(server, "create table wal as select g, repeat('x', 500) from generate_series(1, 20000) g");
    live_run(&live, 500 * NS_PER_MS);
    live_scrape(target);
    double rate = value("one", "fraiseql_postgres_wal_bytes_per_second");
    ck_assert(rate > 0);
    double safe = live_value(&live, "one", "pg_replication_slots_safe_wal_size_bytes", "slot_name=\"left\"");
    ck_assert_double_eq_tol(
        live_value(&live, "one", "fraiseql_postgres_slot_lost_seconds", "slot_name=\"left\""), safe / rate,
        0.001);
    double retained = live_value(&live, "one", "fraiseql_postgres_slot_retained_bytes", "slot_name=\"left\"");
    ck_assert(retained > 10e6);
    ck_assert_double_eq_tol(
        live_value(&live, "one", "fraiseql_postgres_slot_disk_full_seconds", "slot_name=\"left\""),
        (1e9 - retained) / rate, 0.001);
    live_target_free(target);
    live_sql(server, "select pg_drop_replication_slot('left')");
    live_sql(server, "drop table wal");
}
END_TEST

static Suite *scrape_suite(void)
{
    Suite *suite = suite_create("postgres_scrape");
    TCase *tcase = tcase_create("scrape");
    tcase_set_timeout(tcase, 300);
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_primary_is_read_in_one_round_trip);
    tcase_add_test(tcase, round_trips_are_exactly_one);
    tcase_add_test(tcase, at_most_two_connections);
    tcase_add_test(tcase, names_of_both_eras);
    tcase_add_test(tcase, groups_can_be_chosen);
    tcase_add_test(tcase, a_role_without_pg_monitor_is_told_the_grant);
    tcase_add_test(tcase, a_changed_password_heals);
    tcase_add_test(tcase, a_configured_target_always_has_pg_up);
    tcase_add_test(tcase, a_hung_server_delays_nobody);
    tcase_add_test(tcase, a_scrape_can_be_cancelled_and_a_target_removed_while_it_runs);
    tcase_add_test(tcase, an_exclusive_lock_costs_only_the_sizes);
    tcase_add_test(tcase, two_standbys_of_one_name_cost_nothing);
    tcase_add_test(tcase, a_slot_tells_how_long_it_lasts);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    if (!pg_server_available())
        return 77;
    return test_run_suite(scrape_suite());
}
