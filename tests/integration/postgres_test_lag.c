/* Replication lag and loss by the LSN ring with a real primary and two real standbys: the six cases of the
 * truth table, and what happens around them. The standby `near` streams through a proxy that can be made a
 * black hole. */
#include "tests/integration/postgres_live.h"

#include "lib/core/clock.h"
#include "tests/support/tcp_proxy.h"

#include <math.h>
#include <stdlib.h>

#define LAG        "fraiseql_postgres_replication_lag_seconds"
#define KNOWN      "fraiseql_postgres_replication_lag_known"
#define LAG_BYTES  "fraiseql_postgres_replication_lag_bytes"
#define LOSS       "fraiseql_postgres_failover_loss_seconds"
#define LOSS_BYTES "fraiseql_postgres_failover_loss_bytes"

static struct live live;
static struct pg_server *primary, *near, *far;
static struct tcp_proxy *link;
static struct live_target *targets[3];

static void stream_from(struct pg_server *standby, unsigned port, const char *name)
{
    char sql[256];
    (void)snprintf(
        sql, sizeof sql,
        "alter system set primary_conninfo = 'host=127.0.0.1 port=%u user=postgres application_name=%s'",
        port, name);
    live_sql(standby, sql);
    live_sql(standby, "select pg_reload_conf()");
}

static void start_servers(void)
{
    primary =
        pg_server_new("wal_writer_delay=10s\nwal_sender_timeout=0\nautovacuum=off\nsynchronous_commit=local");
    live_sql(primary, "create table t (id int, v text)");
    near = pg_server_new_standby(primary, "near", "wal_receiver_timeout=0\nwal_receiver_status_interval=1s");
    far = pg_server_new_standby(primary, "far", "wal_receiver_timeout=0\nwal_receiver_status_interval=1s");
    link = tcp_proxy_new(pg_server_port(primary));
    stream_from(near, tcp_proxy_port(link), "near");
}

static void stop_servers(void)
{
    pg_server_free(near);
    pg_server_free(far);
    tcp_proxy_free(link);
    pg_server_free(primary);
}

static void expect_healthy(void)
{
    live_wait_value(&live, "near", KNOWN, 1, 1);
    live_wait_value(&live, "far", KNOWN, 1, 1);
    live_wait_value(&live, "near", LAG, 0, 0);
    live_wait_value(&live, "far", LAG, 0, 0);
    live_wait_value(&live, "near", LOSS, 0, 0);
}

static void set_up(void)
{
    live_init(&live);
    targets[0] = live_target_new(&live, "primary", "orders", pg_server_conninfo(primary), NULL);
    targets[1] = live_target_new(&live, "near", "orders", pg_server_conninfo(near), NULL);
    targets[2] = live_target_new(&live, "far", "orders", pg_server_conninfo(far), NULL);
    expect_healthy();
}

static void tear_down(void)
{
    for (size_t i = 0; i < 3; i++)
        live_target_free(targets[i]);
    live_deinit(&live);
}

static double value(const char *target, const char *name)
{
    return live_value(&live, target, name, NULL);
}

static void write_row(void)
{
    live_sql(primary, "insert into t values (1, repeat('x', 1000))");
}

START_TEST(idle_is_zero)
{
    double worst = 0;
    write_row();
    live_run(&live, NS_PER_S);
    expect_healthy();
    for (int i = 0; i < 30; i++) {
        live_run(&live, 100 * NS_PER_MS);
        worst = fmax(worst, fmax(value("near", LAG), value("far", LAG)));
        ck_assert_double_eq(value("near", KNOWN), 1);
    }
    /* A background process may write a record of its own at any time; a sample may fall into that moment. */
    ck_assert_double_le(worst, 0.5);
    expect_healthy();
    ck_assert_double_eq(value("near", LAG_BYTES), 0);
    ck_assert_double_eq(value("near", LOSS_BYTES), 0);
    /* The formula that does not know idle. */
    live_scrape(targets[1]);
    ck_assert_double_ge(value("near", "pg_replication_last_replay_seconds"), 2);
    ck_assert_uint_eq(live_count(&live, "near", LAG, "db_cluster=\"orders\",region=\"east\",target=\"near\""),
                      1);
    ck_assert_uint_eq(live_count(&live, "far", LAG, "upstream=\"primary\""), 1);
    ck_assert_uint_eq(live_count(&live, "primary", LAG, NULL), 0);
}
END_TEST

START_TEST(loaded_is_the_distance)
{
    /* A standby that applies each commit 1.5 s after it was made: a lag whose size is known. */
    live_sql(far, "alter system set recovery_min_apply_delay = '1500ms'");
    live_sql(far, "select pg_reload_conf()");
    pid_t load = live_background_sql(
        primary, "do $$ begin for i in 1..400 loop insert into t values (i, 'x'); commit; "
                 "perform pg_sleep(0.01); end loop; end $$");
    live_wait_value(&live, "far", LAG, 1.3, 2.5);
    ck_assert_double_eq(value("far", KNOWN), 1);
    ck_assert_double_gt(value("far", LAG_BYTES), 0);
    ck_assert_double_lt(value("far", LOSS), 1.3); /* it is all on its disk */
    ck_assert_double_lt(value("near", LAG), 1);
    live_sql(far, "alter system reset recovery_min_apply_delay");
    live_sql(far, "select pg_reload_conf()");
    live_background_end(load);
    expect_healthy();
}
END_TEST

START_TEST(black_holed_link_grows)
{
    tcp_proxy_hold(link, true);
    write_row();
    live_wait_value(&live, "near", LAG, 1.5, 60);
    ck_assert_double_eq(value("near", KNOWN), 1);
    ck_assert_double_gt(value("near", LAG_BYTES), 1000);
    ck_assert_double_gt(value("near", LOSS), 1.5);
    ck_assert_double_gt(value("near", LOSS_BYTES), 1000);
    live_wait_value(&live, "far", LAG, 0, 0);
    /* What everybody else shows at this moment. */
    live_scrape(targets[1]);
    ck_assert_double_eq(value("near", "pg_replication_lag_seconds"), 0);
    /* And on while nothing can be seen at all. */
    double before = value("near", LAG);
    pg_server_pause(primary);
    pg_server_pause(near);
    live_wait_value(&live, "near", KNOWN, 0, 0);
    ck_assert_uint_eq(live_count(&live, "near", LAG_BYTES, NULL), 0);
    live_wait_value(&live, "near", LAG, before + 2, before + 60);
    pg_server_resume(near);
    pg_server_resume(primary);
    tcp_proxy_hold(link, false);
    expect_healthy();
}
END_TEST

START_TEST(paused_replay_lags_without_loss)
{
    live_sql(near, "select pg_wal_replay_pause()");
    write_row();
    live_wait_value(&live, "near", LAG, 1.5, 60);
    ck_assert_double_eq(value("near", KNOWN), 1);
    ck_assert_double_gt(value("near", LAG_BYTES), 1000);
    live_wait_value(&live, "near", LOSS, 0, 0);
    ck_assert_double_eq(value("near", LOSS_BYTES), 0);
    live_scrape(targets[1]);
    ck_assert_double_eq(value("near", "fraiseql_postgres_recovery_paused"), 1);
    live_sql(near, "select pg_wal_replay_resume()");
    expect_healthy();
}
END_TEST

START_TEST(asynchronous_commits_count_before_their_flush)
{
    live_sql(primary, "alter system set synchronous_commit = off");
    live_sql(primary, "select pg_reload_conf()");
    /* With this wal_writer_delay the commit stays in memory for seconds, and every standby lacks it. */
    live_sql(primary, "insert into t values (1, 'x')");
    live_wait_value(&live, "far", LAG_BYTES, 1, 1e9);
    live_wait_value(&live, "far", LAG, 0.3, 60);
    ck_assert_double_eq(value("far", KNOWN), 1);
    ck_assert_double_gt(value("far", LOSS), 0);
    /* The primary's own view: its standbys have everything that it sent. */
    char *lag = pg_server_sql(primary, "select count(*) from pg_stat_replication where "
                                       "pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn) > 0");
    ck_assert_str_eq(lag, "0");
    free(lag);
    live_sql(primary, "alter system reset synchronous_commit");
    live_sql(primary, "select pg_reload_conf()");
    write_row(); /* its flush takes the other along */
    expect_healthy();
}
END_TEST

START_TEST(dead_primary_is_unknown_and_grows)
{
    live_scrape(targets[0]);
    live_scrape(targets[1]);
    ck_assert_double_eq(value("primary", "pg_up"), 1);
    pg_server_kill(primary);
    live_wait_value(&live, "near", KNOWN, 0, 0);
    live_wait_value(&live, "near", LAG, 2, 60);
    ck_assert_uint_eq(live_count(&live, "near", LAG_BYTES, NULL), 0);
    ck_assert_uint_eq(live_count(&live, "near", LOSS_BYTES, NULL), 0);
    ck_assert_double_ge(value("near", LOSS), 2);
    ck_assert_uint_eq(live_count(&live, "far", LAG, "upstream=\"primary\""), 1); /* the label does not move */
    live_scrape(targets[0]);
    live_scrape(targets[1]);
    ck_assert_double_eq(value("primary", "pg_up"), 0);
    ck_assert_double_eq(value("near", "pg_up"), 1);
    pg_server_start(primary);
    expect_healthy();
}
END_TEST

START_TEST(a_standby_stopped_and_started)
{
    live_scrape(targets[2]);
    pg_server_stop(far);
    live_wait_value(&live, "far", KNOWN, 0, 0);
    write_row();
    live_wait_value(&live, "far", LAG, 1, 60);
    live_scrape(targets[2]);
    ck_assert_double_eq(value("far", "pg_up"), 0);
    live_scrape(targets[0]);
    ck_assert_double_eq(live_value(&live, "primary", "pg_replication_slots_active", "slot_name=\"far\""), 0);
    pg_server_start(far);
    expect_healthy();
    live_scrape(targets[2]);
    ck_assert_double_eq(value("far", "pg_up"), 1);
}
END_TEST

static bool is_cascaded(void *ctx)
{
    (void)ctx;
    return live_count(&live, "far", LAG, "upstream=\"near\"") == 1;
}

START_TEST(a_cascade_shows_the_whole_path)
{
    live_sql(far, "alter system set primary_slot_name = ''");
    stream_from(far, pg_server_port(near), "far");
    live_wait(&live, is_cascaded, NULL, "the upstream of a cascade");
    expect_healthy();
    /* Its own upstream is what is cut off: compared with that one alone it would look healthy. */
    tcp_proxy_hold(link, true);
    write_row();
    live_wait_value(&live, "far", LAG, 1, 60);
    ck_assert_double_eq(value("far", KNOWN), 1);
    tcp_proxy_hold(link, false);
    live_sql(far, "alter system reset primary_slot_name");
    stream_from(far, pg_server_port(primary), "far");
    expect_healthy();
}
END_TEST

/* The last one: it changes the roles for good. */
START_TEST(a_promotion_ends_the_lag_and_never_compares_timelines)
{
    live_sql(near, "select pg_promote()");
    live_wait_gone(&live, "near", LAG);
    live_sql(near, "insert into t values (2, 'x')");
    live_scrape(targets[1]);
    ck_assert_double_eq(value("near", "fraiseql_postgres_in_recovery"), 0);
    ck_assert_double_eq(value("near", "fraiseql_postgres_timeline"), 2);
    live_wait_value(&live, "far", KNOWN, 0, 0); /* it follows the old primary, which still writes */
    write_row();
    live_wait_value(&live, "far", LAG, 1, 60);
    ck_assert_double_eq(value("far", KNOWN), 0);
    live_scrape(targets[1]);
    ck_assert_int_eq(targets[1]->err.code, 0);
}
END_TEST

static Suite *lag_suite(void)
{
    Suite *suite = suite_create("postgres_lag");
    TCase *tcase = tcase_create("lag");
    tcase_set_timeout(tcase, 600);
    tcase_add_unchecked_fixture(tcase, start_servers, stop_servers);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, idle_is_zero);
    tcase_add_test(tcase, loaded_is_the_distance);
    tcase_add_test(tcase, black_holed_link_grows);
    tcase_add_test(tcase, paused_replay_lags_without_loss);
    tcase_add_test(tcase, asynchronous_commits_count_before_their_flush);
    tcase_add_test(tcase, dead_primary_is_unknown_and_grows);
    tcase_add_test(tcase, a_standby_stopped_and_started);
    tcase_add_test(tcase, a_cascade_shows_the_whole_path);
    tcase_add_test(tcase, a_promotion_ends_the_lag_and_never_compares_timelines);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    if (!pg_server_available())
        return 77;
    return test_run_suite(lag_suite());
}
