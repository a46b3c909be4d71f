#include "tests/support/tcp_proxy.h"
#include "tests/unit/lib/db/pg_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

static struct pg_server *server;

static struct pg_options options_for(const char *format, uint16_t port)
{
    static char conninfo[256];
    (void)snprintf(conninfo, sizeof conninfo, "%s port=%u dbname=postgres", format, port);
    return (struct pg_options){.conninfo = conninfo};
}

START_TEST(connects_by_address_name_and_socket)
{
    struct fixture f;
    fixture_init(&f);
    char socket_host[300];
    (void)snprintf(socket_host, sizeof socket_host, "user=postgres host=%s", pg_server_folder(server));
    const char *const hosts[] = {"user=postgres host=127.0.0.1", "user=postgres host=localhost", socket_host,
                                 "user=postgres hostaddr=127.0.0.1"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct pg_options options = options_for(hosts[i], pg_server_port(server));
        ck_assert_msg(fixture_connect_with(&f, &options, fixture_deadline(30)) == 0, "%s: %s", hosts[i],
                      f.err.message);
        ck_assert_int_ge(pg_server_version(f.pg), 150000);
        ck_assert_str_eq(fixture_value(&f, "show application_name"), "fraiseql-collector");
        fixture_close(&f);
    }
    fixture_deinit(&f);
}
END_TEST

START_TEST(the_session_has_its_limits)
{
    struct fixture f;
    fixture_init(&f);
    struct pg_options options = {.conninfo = pg_server_conninfo(server),
                                 .application_name = "unit",
                                 .statement_timeout_ns = 1234 * NS_PER_MS,
                                 .lock_timeout_ns = 567 * NS_PER_MS,
                                 .read_only = true};
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), 0);
    ck_assert_str_eq(fixture_value(&f, "show statement_timeout"), "1234ms");
    ck_assert_str_eq(fixture_value(&f, "show lock_timeout"), "567ms");
    ck_assert_str_eq(fixture_value(&f, "show default_transaction_read_only"), "on");
    ck_assert_str_eq(fixture_value(&f, "show application_name"), "unit");
    fixture_deinit(&f);
}
END_TEST

START_TEST(options_of_the_user_are_kept)
{
    struct fixture f;
    fixture_init(&f);
    struct pg_options options =
        options_for("host=127.0.0.1 user=postgres options='-c statement_timeout=9s -c work_mem=3MB'",
                    pg_server_port(server));
    options.statement_timeout_ns = NS_PER_S;
    options.lock_timeout_ns = NS_PER_S;
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), 0);
    ck_assert_str_eq(fixture_value(&f, "show statement_timeout"), "9s");
    ck_assert_str_eq(fixture_value(&f, "show work_mem"), "3MB");
    ck_assert_str_eq(fixture_value(&f, "show lock_timeout"), "1s");
    fixture_deinit(&f);
}
END_TEST

START_TEST(a_pooler_that_refuses_options_gets_the_limits_with_the_first_batch)
{
    static const char refusal[] =
        "E\0\0\0\x45SFATAL\0C08P01\0Munsupported startup parameter: options (in a test)\0\0";
    char answer[sizeof refusal];
    memcpy(answer, refusal, sizeof refusal);
    answer[4] = (char)(sizeof refusal - 2); /* length without the type byte and the literal's own end */
    struct fixture f;
    struct tcp_proxy *proxy = tcp_proxy_new(pg_server_port(server));
    tcp_proxy_refuse(proxy, "options", answer, sizeof answer - 1);
    fixture_init(&f);
    struct pg_options options =
        options_for("host=127.0.0.1 user=postgres sslmode=disable", tcp_proxy_port(proxy));
    options.statement_timeout_ns = 1234 * NS_PER_MS;
    options.read_only = true;
    ck_assert_msg(fixture_connect_with(&f, &options, fixture_deadline(30)) == 0, "%s", f.err.message);
    ck_assert_str_eq(fixture_value(&f, "show statement_timeout"), "1234ms");
    ck_assert_uint_eq(f.results, 1);
    ck_assert_uint_eq(pg_round_trips(f.pg), 1);
    ck_assert_str_eq(fixture_value(&f, "show default_transaction_read_only"), "on");
    ck_assert_uint_eq(tcp_proxy_connections(proxy), 2);
    fixture_close(&f);
    /* The user's own options cannot be sent in another way. */
    options = options_for("host=127.0.0.1 user=postgres sslmode=disable options='-c work_mem=3MB'",
                          tcp_proxy_port(proxy));
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), ERR_UNAVAILABLE);
    ck_assert_str_eq(f.sqlstate, "08P01");
    fixture_deinit(&f);
    tcp_proxy_free(proxy);
}
END_TEST

START_TEST(passwords_work_and_wrong_ones_are_an_auth_error)
{
    struct fixture f;
    fixture_init(&f);
    struct pg_options options = options_for("host=127.0.0.1 user=scram_user", pg_server_port(server));
    struct secret *right = secret_new(STR(PG_SERVER_SCRAM_PASSWORD)),
                  *wrong = secret_new(STR("battery staple"));
    options.password = right;
    ck_assert_msg(fixture_connect_with(&f, &options, fixture_deadline(30)) == 0, "%s", f.err.message);
    fixture_close(&f);
    options.password = wrong;
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), ERR_AUTH);
    ck_assert_str_eq(f.sqlstate, "28P01");
    ck_assert_contains(f.err.message, "scram_user");
    ck_assert_ptr_null(strstr(f.err.message, "battery"));
    ck_assert_ptr_null(strstr(f.err.message, "LOCATION"));
    ck_assert(pg_is_dead(f.pg));
    fixture_close(&f);
    options.password = NULL;
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), ERR_AUTH);
    fixture_close(&f);
    options = options_for("host=127.0.0.1 user=nobody_known", pg_server_port(server));
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), ERR_AUTH);
    secret_free(right);
    secret_free(wrong);
    fixture_deinit(&f);
}
END_TEST

START_TEST(nobody_listens)
{
    struct fixture f;
    fixture_init(&f);
    struct pg_options options = options_for("host=127.0.0.1 user=postgres", test_free_port());
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), ERR_UNAVAILABLE);
    ck_assert_contains(f.err.message, "refused");
    fixture_close(&f);
    options = options_for("host=name.invalid user=postgres", 5432);
    ck_assert_int_eq(fixture_connect_with(&f, &options, fixture_deadline(30)), ERR_UNAVAILABLE);
    ck_assert_contains(f.err.message, "name.invalid");
    fixture_deinit(&f);
}
END_TEST

START_TEST(the_second_host_is_tried)
{
    struct fixture f;
    fixture_init(&f);
    char conninfo[200];
    (void)snprintf(conninfo, sizeof conninfo,
                   "host=127.0.0.1,localhost port=%u,%u user=postgres dbname=postgres", test_free_port(),
                   pg_server_port(server));
    ck_assert_msg(fixture_connect(&f, conninfo) == 0, "%s", f.err.message);
    ck_assert_str_eq(fixture_value(&f, "select 1"), "1");
    fixture_close(&f);
    (void)snprintf(conninfo, sizeof conninfo,
                   "host=name.invalid,127.0.0.1 port=%u user=postgres dbname=postgres",
                   pg_server_port(server));
    ck_assert_msg(fixture_connect(&f, conninfo) == 0, "%s", f.err.message);
    fixture_deinit(&f);
}
END_TEST

static void count_tick(void *ctx, int64_t lateness_ns)
{
    unsigned *ticks = ctx;
    (void)lateness_ns;
    ++*ticks;
}

START_TEST(a_server_that_accepts_and_is_silent_ends_at_the_deadline)
{
    struct fixture f;
    unsigned ticks = 0;
    struct loop_timer timer;
    struct tcp_proxy *proxy = tcp_proxy_new(pg_server_port(server));
    tcp_proxy_hold(proxy, true); /* the kernel accepts, nobody reads */
    fixture_init(&f);
    loop_timer_init(f.loop, &timer, "tick", count_tick, &ticks);
    loop_timer_start(&timer, clock_mono_ns(), 10 * NS_PER_MS);
    struct pg_options options = options_for("host=127.0.0.1 user=postgres", tcp_proxy_port(proxy));
    ck_assert_int_eq(fixture_connect_with(&f, &options, clock_mono_ns() + 200 * NS_PER_MS), ERR_TIMEOUT);
    ck_assert_uint_gt(ticks, 2); /* the loop went on */
    loop_timer_close(&timer, NULL);
    fixture_deinit(&f);
    tcp_proxy_free(proxy);
}
END_TEST

START_TEST(closing_while_connecting_cancels)
{
    struct fixture f;
    struct tcp_proxy *proxy = tcp_proxy_new(pg_server_port(server));
    tcp_proxy_hold(proxy, true);
    fixture_init(&f);
    const char *const hosts[] = {"host=127.0.0.1 user=postgres", "host=localhost user=postgres"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct pg_options options = options_for(hosts[i], tcp_proxy_port(proxy));
        f.called = false;
        ck_assert_int_eq(pg_connect(f.loop, f.resolver, &options, fixture_deadline(30), fixture_on_connect,
                                    &f, &f.pg, NULL),
                         0);
        fixture_close(&f); /* runs the loop; on_connect stops it first */
        ck_assert(f.called);
        ck_assert_int_eq(f.err.code, ERR_CANCELLED);
    }
    fixture_deinit(&f);
    tcp_proxy_free(proxy);
}
END_TEST

START_TEST(a_descriptor_that_libpq_exchanges_is_followed)
{
    struct fixture f;
    char conninfo[200];
    struct pg_server *read_only = pg_server_new(NULL);
    free(pg_server_sql(read_only, "alter system set default_transaction_read_only = on"));
    free(pg_server_sql(read_only, "select pg_reload_conf()"));
    while (true) { /* until the postmaster has read it */
        char *setting = pg_server_sql(read_only, "show default_transaction_read_only");
        bool on = strcmp(setting, "on") == 0;
        free(setting);
        if (on)
            break;
    }
    fixture_init(&f);
    /* The first server is connected, asked and left without an error of its socket. */
    (void)snprintf(
        conninfo, sizeof conninfo,
        "host=127.0.0.1,127.0.0.1 port=%u,%u user=postgres dbname=postgres target_session_attrs=read-write",
        pg_server_port(read_only), pg_server_port(server));
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_msg(fixture_connect(&f, conninfo) == 0, "%s", f.err.message);
        ck_assert_str_eq(fixture_value(&f, "show default_transaction_read_only"), "off");
        fixture_close(&f);
    }
    fixture_deinit(&f);
    pg_server_free(read_only);
}
END_TEST

START_TEST(tls_is_verified_and_carries_large_results)
{
    static const char make[] =
        "exec >tls.log 2>&1; set -e; "
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 400 -subj /CN=test-ca; "
        "openssl req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /CN=localhost; "
        "printf 'subjectAltName=DNS:localhost' > ext; "
        "openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out "
        "cert.pem; "
        "chmod 600 key.pem; if [ $(id -u) = 0 ]; then chown postgres key.pem cert.pem; fi";
    struct fixture f;
    char text[700];
    struct pg_server *tls = pg_server_new(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(pg_server_folder(tls)) == 0)
            (void)execl("/bin/sh", "sh", "-c", make, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    const char *folder = pg_server_folder(tls);
    (void)snprintf(text, sizeof text, "alter system set ssl_cert_file = '%s/cert.pem'", folder);
    free(pg_server_sql(tls, text));
    (void)snprintf(text, sizeof text, "alter system set ssl_key_file = '%s/key.pem'", folder);
    free(pg_server_sql(tls, text));
    free(pg_server_sql(tls, "alter system set ssl = on"));
    pg_server_stop(tls);
    pg_server_start(tls);
    fixture_init(&f);
    static const char format[] =
        "host=%s port=%u user=postgres dbname=postgres sslmode=verify-full sslrootcert=%s/ca.pem";
    (void)snprintf(text, sizeof text, format, "localhost", pg_server_port(tls), folder);
    ck_assert_msg(fixture_connect(&f, text) == 0, "%s", f.err.message);
    ck_assert_str_eq(fixture_value(&f, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "t");
    const struct pg_statement large[] = {{.name = "a", .sql = "select 7, repeat('x', 3000000)"},
                                         {.name = "b", .sql = "select 8, repeat('y', 3000000)"}};
    ck_assert_int_eq(fixture_run(&f, large, 2), 0);
    ck_assert_str_eq(f.texts[1], "8");
    fixture_close(&f);
    (void)snprintf(text, sizeof text, format, "127.0.0.1", pg_server_port(tls),
                   folder); /* not in the certificate */
    ck_assert_int_eq(fixture_connect(&f, text), ERR_PEER);
    fixture_deinit(&f);
    pg_server_free(tls);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pg_connect");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, connects_by_address_name_and_socket);
    tcase_add_test(t, the_session_has_its_limits);
    tcase_add_test(t, options_of_the_user_are_kept);
    tcase_add_test(t, a_pooler_that_refuses_options_gets_the_limits_with_the_first_batch);
    tcase_add_test(t, passwords_work_and_wrong_ones_are_an_auth_error);
    tcase_add_test(t, nobody_listens);
    tcase_add_test(t, the_second_host_is_tried);
    tcase_add_test(t, a_server_that_accepts_and_is_silent_ends_at_the_deadline);
    tcase_add_test(t, closing_while_connecting_cancels);
    tcase_add_test(t, a_descriptor_that_libpq_exchanges_is_followed);
    tcase_add_test(t, tls_is_verified_and_carries_large_results);
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
