#include "scrapers/postgres/cluster.h"

#include "tests/support/support.h"

#define MS(n) ((int64_t)(n)*NS_PER_MS)

static struct cluster_member *primary, *standby;
static int domain;

static void set_up(void)
{
    primary = cluster_join(&domain, "orders", "us", MS(250), MS(0));
    standby = cluster_join(&domain, "orders", "eu", MS(250), MS(0));
}

static void tear_down(void)
{
    cluster_leave(primary);
    cluster_leave(standby);
}

static void primary_has_unflushed(int64_t at_ns, uint64_t insert, uint64_t flush, bool early)
{
    cluster_sample(primary, &(struct cluster_sample){.sent_ns = at_ns,
                                                     .received_ns = at_ns,
                                                     .timeline = 1,
                                                     .insert_lsn = insert,
                                                     .flush_lsn = flush,
                                                     .early_commits = early});
}

static void primary_has(int64_t at_ns, uint64_t lsn)
{
    primary_has_unflushed(at_ns, lsn, lsn, false);
}

static void standby_has(int64_t at_ns, uint64_t receive, uint64_t replay)
{
    cluster_sample(standby, &(struct cluster_sample){.sent_ns = at_ns,
                                                     .received_ns = at_ns,
                                                     .standby = true,
                                                     .timeline = 1,
                                                     .receive_lsn = receive,
                                                     .replay_lsn = replay});
}

static struct cluster_lag lag_at(int64_t now_ns)
{
    struct cluster_lag lag = cluster_lag(standby, now_ns);
    ck_assert(lag.standby);
    return lag;
}

/* The six rows of the truth table. */
START_TEST(idle_is_zero)
{
    for (int i = 0; i < 100; i++) {
        primary_has(MS(250 * i), 5000);
        standby_has(MS(250 * i + 5), 5000, 5000);
    }
    struct cluster_lag lag = lag_at(MS(24755));
    ck_assert(lag.known);
    ck_assert_int_eq(lag.lag_ns, 0);
    ck_assert_int_eq(lag.loss_ns, 0);
    ck_assert_uint_eq(lag.lag_bytes, 0);
    ck_assert_uint_eq(lag.loss_bytes, 0);
}
END_TEST

START_TEST(loaded_is_the_distance)
{
    /* 1000 bytes a millisecond; the standby is 40 ms behind. */
    for (int i = 1; i < 100; i++) {
        int64_t at = 250 * i;
        primary_has(MS(at), (uint64_t)at * 1000);
        standby_has(MS(at + 3), (uint64_t)(at + 3 - 40) * 1000, (uint64_t)(at + 3 - 40) * 1000);
    }
    struct cluster_lag lag = lag_at(MS(250 * 99 + 3));
    ck_assert(lag.known);
    ck_assert_int_eq(lag.lag_ns, MS(40));
    ck_assert_uint_eq(lag.lag_bytes, 37000);
    ck_assert_int_ge(lag.loss_ns, MS(40)); /* an upper bound */
    ck_assert_int_le(lag.loss_ns, MS(40 + 250));
}
END_TEST

START_TEST(black_holed_link_grows_while_both_are_seen)
{
    for (int i = 0; i < 40; i++) {
        primary_has(MS(250 * i), i < 20 ? 5000 : 5000 + 100 * (uint64_t)(i - 19));
        standby_has(MS(250 * i + 5), 5000, 5000);
    }
    struct cluster_lag lag = lag_at(MS(250 * 39 + 5));
    ck_assert(lag.known);
    ck_assert_int_eq(lag.lag_ns, MS(250 * 20 + 5)); /* since the last sample before the first byte it lacks */
    ck_assert_uint_eq(lag.lag_bytes, 2000);
    ck_assert_int_eq(lag.loss_ns, MS(250 * 20 + 5));
    /* And on, when neither can be seen. */
    cluster_lost(primary);
    cluster_lost(standby);
    lag = lag_at(MS(60000));
    ck_assert(!lag.known);
    ck_assert_int_eq(lag.lag_ns, MS(60000 - 250 * 19));
    ck_assert_int_eq(lag_at(MS(61000)).lag_ns, lag.lag_ns + MS(1000));
}
END_TEST

START_TEST(paused_replay_lags_without_loss)
{
    for (int i = 0; i < 40; i++) {
        uint64_t lsn = 5000 + 100 * (uint64_t)i;
        primary_has(MS(250 * i), lsn);
        standby_has(MS(250 * i + 5), lsn, lsn < 6000 ? lsn : 6000);
    }
    struct cluster_lag lag = lag_at(MS(250 * 39 + 5));
    ck_assert(lag.known);
    ck_assert_int_eq(lag.lag_ns, MS(250 * 29 + 5));
    ck_assert_uint_eq(lag.lag_bytes, 2900);
    ck_assert_int_eq(lag.loss_ns, 0);
    ck_assert_uint_eq(lag.loss_bytes, 0);
}
END_TEST

START_TEST(early_commits_count_before_their_flush)
{
    primary_has_unflushed(MS(0), 5000, 5000, true);
    primary_has_unflushed(MS(250), 5400, 5000, true);
    standby_has(MS(255), 5000, 5000);
    struct cluster_lag lag = lag_at(MS(255));
    ck_assert(lag.known);
    ck_assert_int_gt(lag.lag_ns, 0);
    ck_assert_uint_eq(lag.lag_bytes, 400);
    /* Where commits wait for their flush the same position is not lag, but may be lost. */
    primary_has_unflushed(MS(300), 5400, 5000, false);
    standby_has(MS(305), 5000, 5000);
    lag = lag_at(MS(305));
    ck_assert_int_eq(lag.lag_ns, 0);
    ck_assert_uint_eq(lag.loss_bytes, 400);
    /* Nothing acknowledged stays unflushed for longer than three times wal_writer_delay. */
    for (int i = 0; i < 8; i++)
        primary_has_unflushed(MS(400 + 250 * i), 5400, 5000, true);
    standby_has(MS(2200), 5000, 5000);
    lag = lag_at(MS(2200));
    ck_assert_int_eq(lag.lag_ns, 0);
    ck_assert_uint_eq(lag.loss_bytes, 0);
}
END_TEST

START_TEST(dead_primary_is_unknown_not_zero)
{
    for (int i = 0; i < 10; i++) {
        primary_has(MS(250 * i), 5000);
        standby_has(MS(250 * i + 5), 5000, 5000);
    }
    cluster_lost(primary);
    for (int i = 10; i < 40; i++)
        standby_has(MS(250 * i + 5), 5000, 5000);
    struct cluster_lag lag = lag_at(MS(10000));
    ck_assert(!lag.known);
    ck_assert_int_eq(lag.lag_ns, MS(10000 - 250 * 9));
    ck_assert_int_eq(lag.loss_ns, MS(10000 - 250 * 9));
    ck_assert_int_eq(lag_at(MS(20000)).lag_ns, MS(20000 - 250 * 9));
    /* It comes back with what it had. */
    primary_has(MS(20000), 5000);
    standby_has(MS(20005), 5000, 5000);
    ck_assert(lag_at(MS(20005)).known);
    ck_assert_int_eq(lag_at(MS(20005)).lag_ns, 0);
}
END_TEST

START_TEST(silence_makes_unknown_even_without_an_error)
{
    primary_has(MS(1000), 5000);
    standby_has(MS(1005), 5000, 5000);
    ck_assert(lag_at(MS(1900)).known);
    ck_assert(!lag_at(MS(2100)).known);
}
END_TEST

START_TEST(a_standby_on_another_timeline_is_unknown)
{
    primary_has(MS(0), 5000);
    standby_has(MS(5), 5000, 5000);
    struct cluster_member *promoted = cluster_join(&domain, "orders", "ap", MS(250), MS(0));
    cluster_sample(promoted, &(struct cluster_sample){.sent_ns = MS(1000),
                                                      .received_ns = MS(1000),
                                                      .timeline = 2,
                                                      .insert_lsn = 4000,
                                                      .flush_lsn = 4000});
    primary_has(MS(1100), 9000); /* the old primary lives on: it is not listened to */
    standby_has(MS(1105), 9000, 9000);
    struct cluster_lag lag = lag_at(MS(1105));
    ck_assert(!lag.known);
    ck_assert_int_eq(lag.lag_ns, MS(1105));
    cluster_leave(promoted);
}
END_TEST

START_TEST(behind_all_that_is_remembered_is_a_bound)
{
    primary_has(MS(1000), 5000);
    cluster_sample(standby, &(struct cluster_sample){.sent_ns = MS(1005),
                                                     .received_ns = MS(1005),
                                                     .standby = true,
                                                     .timeline = 1,
                                                     .receive_lsn = 4000,
                                                     .replay_lsn = 4000,
                                                     .replay_age_ns = MS(90000)});
    struct cluster_lag lag = lag_at(MS(1005));
    ck_assert(!lag.known);
    ck_assert_int_eq(lag.lag_ns, MS(90000)); /* by the servers' clocks: all there is */
    ck_assert_int_eq(lag_at(MS(1505)).lag_ns, MS(90500));
}
END_TEST

START_TEST(a_promoted_standby_has_no_lag)
{
    primary_has(MS(0), 5000);
    standby_has(MS(5), 5000, 5000);
    cluster_sample(standby, &(struct cluster_sample){.sent_ns = MS(500),
                                                     .received_ns = MS(500),
                                                     .timeline = 2,
                                                     .insert_lsn = 5100,
                                                     .flush_lsn = 5100});
    ck_assert(!cluster_lag(standby, MS(500)).standby);
}
END_TEST

START_TEST(upstream_is_the_member_it_streams_from)
{
    ck_assert_str_eq(cluster_upstream(standby), "unknown");
    primary_has(MS(0), 5000);
    ck_assert_str_eq(cluster_upstream(standby), "us");
    cluster_set_upstream(standby, "10.0.0.1:5432");
    ck_assert_str_eq(cluster_upstream(standby), "10.0.0.1:5432");
    cluster_set_address(primary, 0, "db.example.com:5432");
    cluster_set_address(primary, 1, "10.0.0.1:5432");
    ck_assert_str_eq(cluster_upstream(standby), "us");
    cluster_set_upstream(standby, ""); /* the receiver is away: the label stays */
    ck_assert_str_eq(cluster_upstream(standby), "us");
    struct cluster_member *cascaded = cluster_join(&domain, "orders", "eu2", MS(250), MS(0));
    cluster_set_address(standby, 0, "eu:5432");
    cluster_set_upstream(cascaded, "eu:5432");
    ck_assert_str_eq(cluster_upstream(cascaded), "eu");
    cluster_leave(cascaded);
}
END_TEST

START_TEST(another_database_is_an_error_that_names_both)
{
    struct error err;
    ck_assert_int_eq(cluster_identify(primary, "7001", &err), 0);
    ck_assert_int_eq(cluster_identify(standby, "7002", &err), ERR_CONFLICT);
    ck_assert_contains(err.message, "us and eu");
    ck_assert_contains(err.message, "7001 and 7002");
    ck_assert(err.hint[0]);
    primary_has(MS(0), 5000);
    standby_has(MS(5), 5000, 5000);
    ck_assert(!lag_at(MS(5)).known);
    /* Rebuilt from the primary it is heard again. */
    ck_assert_int_eq(cluster_identify(standby, "7001", &err), 0);
    standby_has(MS(10), 5000, 5000);
    ck_assert(lag_at(MS(10)).known);
    /* The first one, created anew. */
    ck_assert_int_eq(cluster_identify(primary, "7003", &err), 0);
    ck_assert_int_eq(cluster_identify(standby, "7001", &err), ERR_CONFLICT);
}
END_TEST

START_TEST(clusters_of_other_names_and_loops_are_apart)
{
    int other_domain;
    struct cluster_member *one = cluster_join(&domain, "other", "x", MS(250), 0);
    struct cluster_member *two = cluster_join(&other_domain, "orders", "y", MS(250), 0);
    primary_has(MS(0), 5000);
    ck_assert_str_eq(cluster_upstream(one), "unknown");
    ck_assert_str_eq(cluster_upstream(two), "unknown");
    cluster_leave(one);
    cluster_leave(two);
}
END_TEST

START_TEST(an_insert_position_behind_a_page_header_is_the_page_itself)
{
    const uint64_t segment = 16 * 1024 * 1024;
    ck_assert_uint_eq(cluster_normalize_insert(3 * segment + 40, segment), 3 * segment);
    ck_assert_uint_eq(cluster_normalize_insert(3 * segment + 8192 + 24, segment), 3 * segment + 8192);
    ck_assert_uint_eq(cluster_normalize_insert(3 * segment + 8192 + 40, segment), 3 * segment + 8192 + 40);
    ck_assert_uint_eq(cluster_normalize_insert(3 * segment + 48, segment), 3 * segment + 48);
}
END_TEST

START_TEST(a_reload_does_not_start_a_bound_anew)
{
    primary_has(MS(1000), 5000);
    standby_has(MS(1005), 5000, 5000);
    cluster_lost(primary);
    struct cluster_member *anew = cluster_join(&domain, "orders", "eu", MS(250), MS(9000));
    cluster_leave(standby);
    standby = anew;
    ck_assert(!lag_at(MS(9000)).known);
    ck_assert_int_eq(lag_at(MS(9000)).lag_ns, MS(8000));
    ck_assert_str_eq(cluster_upstream(standby), "us");
}
END_TEST

START_TEST(a_standby_without_receiver_stays_on_its_timeline)
{
    struct cluster_sample sample = {.sent_ns = MS(0), .received_ns = MS(0), .timeline = 2, .flush_lsn = 5000};
    cluster_sample(primary, &sample);
    sample = (struct cluster_sample){.sent_ns = MS(5),
                                     .received_ns = MS(5),
                                     .standby = true,
                                     .timeline = 2,
                                     .receive_lsn = 5000,
                                     .replay_lsn = 5000};
    cluster_sample(standby, &sample);
    ck_assert(lag_at(MS(5)).known);
    sample.timeline = 1; /* of its last restartpoint */
    sample.sent_ns = sample.received_ns = MS(10);
    cluster_sample(standby, &sample);
    ck_assert(lag_at(MS(10)).known);
    sample.replay_lsn = sample.receive_lsn = 4000; /* rebuilt from an old backup */
    cluster_sample(standby, &sample);
    ck_assert(!lag_at(MS(10)).known);
}
END_TEST

static Suite *cluster_suite(void)
{
    Suite *suite = suite_create("postgres_cluster");
    TCase *tcase = tcase_create("cluster");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, idle_is_zero);
    tcase_add_test(tcase, loaded_is_the_distance);
    tcase_add_test(tcase, black_holed_link_grows_while_both_are_seen);
    tcase_add_test(tcase, paused_replay_lags_without_loss);
    tcase_add_test(tcase, early_commits_count_before_their_flush);
    tcase_add_test(tcase, dead_primary_is_unknown_not_zero);
    tcase_add_test(tcase, silence_makes_unknown_even_without_an_error);
    tcase_add_test(tcase, a_standby_on_another_timeline_is_unknown);
    tcase_add_test(tcase, behind_all_that_is_remembered_is_a_bound);
    tcase_add_test(tcase, a_promoted_standby_has_no_lag);
    tcase_add_test(tcase, upstream_is_the_member_it_streams_from);
    tcase_add_test(tcase, another_database_is_an_error_that_names_both);
    tcase_add_test(tcase, clusters_of_other_names_and_loops_are_apart);
    tcase_add_test(tcase, an_insert_position_behind_a_page_header_is_the_page_itself);
    tcase_add_test(tcase, a_reload_does_not_start_a_bound_anew);
    tcase_add_test(tcase, a_standby_without_receiver_stays_on_its_timeline);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cluster_suite)
