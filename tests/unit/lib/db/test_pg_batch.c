#include "tests/support/tcp_proxy.h"
#include "tests/unit/lib/db/pg_fixture.h"

static struct pg_server *server;

static void open_fixture(struct fixture *f)
{
    fixture_init(f);
    ck_assert_msg(fixture_connect(f, pg_server_conninfo(server)) == 0, "%s", f->err.message);
}

START_TEST(a_batch_is_one_round_trip)
{
    struct fixture f;
    struct tcp_proxy *proxy = tcp_proxy_new(pg_server_port(server));
    struct pg_statement statements[16];
    char names[16][16], conninfo[128];
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        (void)snprintf(names[i], sizeof names[i], "statement_%zu", i);
        statements[i] =
            (struct pg_statement){.name = names[i], .sql = "select $1::int + 1", .param_count = 1};
        statements[i].params[0] = "41";
    }
    fixture_init(&f);
    (void)snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%u user=postgres dbname=postgres",
                   tcp_proxy_port(proxy));
    ck_assert_int_eq(fixture_connect(&f, conninfo), 0);
    for (unsigned round = 1; round <= 3; round++) { /* the first prepares, the others find it done */
        unsigned before = tcp_proxy_turns(proxy);
        ck_assert_int_eq(fixture_run(&f, statements, ARRAY_LEN(statements)), 0);
        ck_assert_uint_eq(f.results, ARRAY_LEN(statements));
        for (size_t i = 0; i < f.results; i++) {
            ck_assert_uint_eq(f.order[i], i);
            ck_assert_str_eq(f.texts[i], "42");
        }
        ck_assert_uint_eq(pg_round_trips(f.pg), round);
        ck_assert_uint_eq(tcp_proxy_turns(proxy) - before, 1); /* seen on the wire */
    }
    ck_assert_str_eq(fixture_value(&f, "select count(*) from pg_prepared_statements"), "16");
    fixture_deinit(&f);
    tcp_proxy_free(proxy);
}
END_TEST

START_TEST(one_failing_statement_does_not_spoil_the_others)
{
    struct fixture f;
    open_fixture(&f);
    const struct pg_statement statements[] = {
        {.name = "one", .sql = "select 1"},
        {.name = "no_table", .sql = "select * from no_such_table"},
        {.name = "zero", .sql = "select 1 / 0"},
        {.sql = "selec"},
        {.name = "empty", .sql = ""},
        {.name = "two", .sql = "select 2"},
    };
    for (unsigned round = 0; round < 2; round++) {
        ck_assert_int_eq(fixture_run(&f, statements, ARRAY_LEN(statements)), 0);
        ck_assert_uint_eq(f.results, ARRAY_LEN(statements));
        ck_assert_str_eq(f.texts[0], "1");
        ck_assert_int_eq(f.codes[1], ERR_PEER);
        ck_assert_str_eq(f.states[1], "42P01");
        ck_assert_contains(f.texts[1], "no_such_table");
        ck_assert_str_eq(f.states[2], "22012");
        ck_assert_str_eq(f.states[3], "42601");
        ck_assert_int_eq(f.codes[4], 0);
        ck_assert_str_eq(f.texts[5], "2");
        ck_assert_str_eq(f.states[5], "");
    }
    /* A statement that could not be prepared is tried again. */
    free(pg_server_sql(server, "create table no_such_table as select 7 as n"));
    ck_assert_int_eq(fixture_run(&f, &statements[1], 1), 0);
    ck_assert_str_eq(f.texts[0], "7");
    /* A plan that no longer fits fails once, and is prepared anew. */
    free(pg_server_sql(server, "alter table no_such_table alter n type text"));
    ck_assert_int_eq(fixture_run(&f, &statements[1], 1), 0);
    ck_assert_str_eq(f.states[0], "0A000");
    ck_assert_int_eq(fixture_run(&f, statements, 2), 0);
    ck_assert_str_eq(f.texts[0], "1");
    ck_assert_str_eq(f.texts[1], "7");
    free(pg_server_sql(server, "drop table no_such_table"));
    fixture_deinit(&f);
}
END_TEST

START_TEST(lost_statements_are_prepared_again)
{
    struct fixture f;
    open_fixture(&f);
    const struct pg_statement statements[] = {{.name = "one", .sql = "select 1"},
                                              {.name = "two", .sql = "select 2"}};
    for (unsigned round = 0; round < 6; round++) { /* more often than we go on preparing */
        ck_assert_int_eq(fixture_run(&f, statements, 2), 0);
        ck_assert_str_eq(f.texts[0], "1");
        ck_assert_str_eq(f.texts[1], "2");
        (void)fixture_run(&f, &(struct pg_statement){.sql = "discard all"}, 1);
        ck_assert_int_eq(fixture_run(&f, statements, 2), 0);
        if (round < 4) {
            ck_assert_str_eq(f.states[0], "26000");
            ck_assert_str_eq(f.states[1], "26000");
        } else {
            ck_assert_str_eq(f.texts[0], "1");
        }
    }
    fixture_deinit(&f);
}
END_TEST

START_TEST(a_name_the_server_knows_already_is_evaded)
{
    struct fixture f;
    open_fixture(&f);
    const struct pg_statement statement = {.name = "taken", .sql = "select 2"};
    (void)fixture_value(&f, "select 1");
    ck_assert_int_eq(fixture_run(&f, &(struct pg_statement){.sql = "prepare taken as select 1"}, 1), 0);
    ck_assert_int_eq(fixture_run(&f, &statement, 1), 0);
    ck_assert_str_eq(f.states[0], "42P05");
    ck_assert_int_eq(fixture_run(&f, &statement, 1), 0);
    ck_assert_str_eq(f.texts[0], "2");
    fixture_deinit(&f);
}
END_TEST

START_TEST(long_names_stay_apart)
{
    struct fixture f;
    open_fixture(&f);
    char names[2][200];
    for (size_t i = 0; i < 2; i++) {
        memset(names[i], 'n', sizeof names[i]);
        names[i][198] = (char)('a' + (char)i);
        names[i][199] = '\0';
    }
    const struct pg_statement statements[] = {{.name = names[0], .sql = "select 1"},
                                              {.name = names[1], .sql = "select 2"},
                                              {.name = names[0], .sql = "select 1"}};
    for (unsigned round = 0; round < 2; round++) {
        ck_assert_int_eq(fixture_run(&f, statements, 3), 0);
        ck_assert_str_eq(f.texts[0], "1");
        ck_assert_str_eq(f.texts[1], "2");
        ck_assert_str_eq(f.texts[2], "1");
    }
    fixture_deinit(&f);
}
END_TEST

START_TEST(the_statement_timeout_is_an_error_of_one_statement)
{
    struct fixture f;
    fixture_init(&f);
    struct pg_options options = {.conninfo = pg_server_conninfo(server),
                                 .statement_timeout_ns = 50 * NS_PER_MS};
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), 0);
    const struct pg_statement statements[] = {{.sql = "select pg_sleep(30)"}, {.sql = "select 2"}};
    ck_assert_int_eq(fixture_run(&f, statements, 2), 0);
    ck_assert_int_eq(f.codes[0], ERR_TIMEOUT);
    ck_assert_str_eq(f.states[0], "57014");
    ck_assert_str_eq(f.texts[1], "2");
    fixture_deinit(&f);
}
END_TEST

static void check_columns(void *ctx, size_t index, const struct pg_result *result, const struct error *err)
{
    (void)ctx;
    (void)index;
    ck_assert_ptr_null(err);
    ck_assert_uint_eq(pg_rows(result), 2);
    ck_assert_uint_eq(pg_columns(result), 2);
    ck_assert_str_eq(pg_column_name(result, 1), "Mixed");
    ck_assert_uint_eq(pg_find_column(result, "Mixed"), 1);
    ck_assert_uint_eq(pg_find_column(result, "mixed"), SIZE_MAX);
    ck_assert(pg_is_null(result, 0, 0));
    ck_assert_uint_eq(pg_value(result, 0, 0).len, 0);
    ck_assert(!pg_is_null(result, 1, 0));
    ck_assert(str_equal_text(pg_value(result, 1, 1), "\xc3\xa9"));
}

START_TEST(results_are_read)
{
    struct fixture f;
    open_fixture(&f);
    const struct pg_statement statement = {.sql = "values (null, ''), ('1', 'x')"};
    const struct pg_statement named = {
        .sql = "select null::text as a, 'u' as \"Mixed\" union all select '1', $1",
        .params = {"\xc3\xa9"},
        .param_count = 1};
    ck_assert_int_eq(fixture_run(&f, &statement, 1), 0);
    f.called = false;
    ck_assert_int_eq(pg_run(f.pg, &named, 1, fixture_deadline(30), check_columns, fixture_on_done, &f, NULL),
                     0);
    fixture_wait(&f);
    /* Larger than any socket buffer, both ways. */
    size_t size = 4000000;
    char *large = malloc(size + 1);
    ck_assert_ptr_nonnull(large);
    memset(large, 'x', size);
    large[size] = '\0';
    const struct pg_statement echoes[] = {
        {.sql = "select length($1), $1", .params = {large}, .param_count = 1},
        {.sql = "select length($1), $1", .params = {large}, .param_count = 1},
    };
    ck_assert_int_eq(fixture_run(&f, echoes, 2), 0);
    ck_assert_str_eq(f.texts[1], "4000000");
    free(large);
    fixture_deinit(&f);
}
END_TEST

START_TEST(misuse_is_refused)
{
    struct fixture f;
    struct error err;
    const struct pg_statement one = {.sql = "select 1"};
    open_fixture(&f);
    ck_assert_int_eq(pg_run(f.pg, &one, 0, fixture_deadline(1), fixture_on_result, fixture_on_done, &f, &err),
                     ERR_CONFIG);
    fixture_send(&f, &one, 1, fixture_deadline(30));
    ck_assert_int_eq(pg_run(f.pg, &one, 1, fixture_deadline(1), fixture_on_result, fixture_on_done, &f, &err),
                     ERR_CONFLICT);
    fixture_wait(&f);
    ck_assert_int_eq(fixture_run(&f, &(struct pg_statement){.sql = "copy (select 1) to stdout"}, 1) != 0 ||
                         f.codes[0] != 0,
                     1);
    fixture_deinit(&f);
}
END_TEST

static void count_tick(void *ctx, int64_t lateness_ns)
{
    unsigned *ticks = ctx;
    (void)lateness_ns;
    ++*ticks;
}

START_TEST(a_hung_server_ends_at_the_deadline_without_holding_the_loop)
{
    struct fixture f;
    struct loop_timer timer;
    struct loop_stats stats;
    unsigned ticks = 0;
    struct pg_server *hung = pg_server_new(NULL);
    fixture_init(&f);
    ck_assert_int_eq(fixture_connect(&f, pg_server_conninfo(hung)), 0);
    ck_assert_str_eq(fixture_value(&f, "select 1"), "1");
    pg_server_pause(hung);
    loop_timer_init(f.loop, &timer, "tick", count_tick, &ticks);
    loop_timer_start(&timer, clock_mono_ns(), 10 * NS_PER_MS);
    const struct pg_statement statements[] = {{.sql = "select 1"}, {.sql = "select 2"}};
    int64_t before = clock_mono_ns();
    fixture_send(&f, statements, 2, before + 200 * NS_PER_MS);
    fixture_wait(&f);
    ck_assert_int_eq(f.err.code, ERR_TIMEOUT);
    ck_assert_int_ge(clock_mono_ns() - before, 200 * NS_PER_MS);
    ck_assert_uint_eq(f.results, 2); /* each statement is answered for */
    ck_assert_int_eq(f.codes[1], ERR_TIMEOUT);
    ck_assert(pg_is_dead(f.pg));
    ck_assert_uint_gt(ticks, 2);
    loop_stats(f.loop, &stats);
    struct error err;
    ck_assert_int_eq(
        pg_run(f.pg, statements, 1, fixture_deadline(1), fixture_on_result, fixture_on_done, &f, &err),
        ERR_UNAVAILABLE);
    loop_timer_close(&timer, NULL);
    pg_server_resume(hung);
    fixture_deinit(&f);
    pg_server_free(hung);
}
END_TEST

START_TEST(a_killed_server_is_a_lost_connection)
{
    struct fixture f;
    struct pg_server *victim = pg_server_new(NULL);
    fixture_init(&f);
    ck_assert_int_eq(fixture_connect(&f, pg_server_conninfo(victim)), 0);
    const struct pg_statement statements[] = {
        {.sql = "select 1"}, {.sql = "select pg_sleep(60)"}, {.sql = "select 3"}};
    fixture_send(&f, statements, 3, fixture_deadline(30));
    while (f.results < 1)
        loop_run(f.loop, clock_mono_ns() + 10 * NS_PER_MS);
    pg_server_kill(victim);
    fixture_wait(&f);
    ck_assert_int_eq(f.err.code, ERR_UNAVAILABLE);
    ck_assert_uint_eq(f.results, 3);
    ck_assert_int_eq(f.codes[0], 0);
    ck_assert_int_eq(f.codes[2], ERR_UNAVAILABLE);
    fixture_close(&f);
    /* While idle the end is noticed as well, and the reason of an orderly one is kept. */
    pg_server_start(victim);
    ck_assert_int_eq(fixture_connect(&f, pg_server_conninfo(victim)), 0);
    fixture_send(&f, &statements[1], 1, fixture_deadline(30));
    loop_run(f.loop, clock_mono_ns() + 50 * NS_PER_MS);
    pg_server_stop(victim);
    fixture_wait(&f);
    ck_assert_str_eq(f.states[0], "57P01");
    ck_assert_contains(f.texts[0], "administrator");
    fixture_close(&f);
    pg_server_start(victim);
    ck_assert_int_eq(fixture_connect(&f, pg_server_conninfo(victim)), 0);
    pg_server_stop(victim);
    for (unsigned i = 0; i < 3000 && !pg_is_dead(f.pg); i++)
        loop_run(f.loop, clock_mono_ns() + 10 * NS_PER_MS);
    ck_assert(pg_is_dead(f.pg));
    fixture_deinit(&f);
    pg_server_free(victim);
}
END_TEST

START_TEST(closing_during_a_batch_cancels_it)
{
    struct fixture f;
    const struct pg_statement statements[] = {
        {.sql = "select 1"}, {.sql = "select pg_sleep(60)"}, {.sql = "select 3"}};
    open_fixture(&f);
    fixture_send(&f, statements, 3, fixture_deadline(30));
    fixture_close(&f); /* before anything came */
    ck_assert(f.called);
    ck_assert_int_eq(f.err.code, ERR_CANCELLED);
    ck_assert_uint_eq(f.results, 3);
    ck_assert_int_eq(fixture_connect(&f, pg_server_conninfo(server)), 0);
    fixture_send(&f, statements, 3, fixture_deadline(30));
    f.close_in_result = true; /* in the middle, from a callback */
    f.closed = false;
    while (!f.closed)
        loop_run(f.loop, fixture_deadline(30));
    ck_assert(f.called);
    ck_assert_int_eq(f.err.code, ERR_CANCELLED);
    ck_assert_uint_eq(f.results, 3);
    ck_assert_int_eq(f.codes[0], 0);
    ck_assert_int_eq(f.codes[1], ERR_CANCELLED);
    f.pg = NULL;
    fixture_deinit(&f);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pg_batch");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, a_batch_is_one_round_trip);
    tcase_add_test(t, one_failing_statement_does_not_spoil_the_others);
    tcase_add_test(t, lost_statements_are_prepared_again);
    tcase_add_test(t, a_name_the_server_knows_already_is_evaded);
    tcase_add_test(t, long_names_stay_apart);
    tcase_add_test(t, the_statement_timeout_is_an_error_of_one_statement);
    tcase_add_test(t, results_are_read);
    tcase_add_test(t, misuse_is_refused);
    tcase_add_test(t, a_hung_server_ends_at_the_deadline_without_holding_the_loop);
    tcase_add_test(t, a_killed_server_is_a_lost_connection);
    tcase_add_test(t, closing_during_a_batch_cancels_it);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    if (!pg_server_available())
        return 0;
    server = pg_server_new(NULL);
    int rc = test_run_suite(suite());
    pg_server_free(server);
    return rc;
}
