#include "tests/unit/lib/net/http_fixture.h"

#include <signal.h>

static bool answer_path(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    if (strcmp(exchange->path, "/silent") == 0) {
        test_server_wait_close(exchange->fd);
        return false;
    }
    if (strcmp(exchange->path, "/close") == 0) {
        (void)test_server_answer(exchange->fd, "200 OK", "Connection: close\r\n", STR("bye"));
        return false;
    }
    char headers[64];
    (void)snprintf(headers, sizeof headers, "X-Test: %u\r\nContent-Type: text/plain\r\n",
                   exchange->connection);
    return test_server_answer(exchange->fd, "200 OK", headers, str_from(exchange->path));
}

START_TEST(an_answer_is_read)
{
    struct http_fixture f;
    http_fixture_init(&f, answer_path, NULL);
    ck_assert_msg(http_fixture_get(&f, "/path?a=b") == 0, "%s", f.err.message);
    ck_assert_int_eq(f.response.status, 200);
    ck_assert_str_eq(f.body, "/path?a=b");
    ck_assert_str_eq(f.content_type, "text/plain");
    ck_assert_str_eq(f.remote_address, "127.0.0.1");
    ck_assert_str_eq(f.effective_url, f.url);
    ck_assert_int_eq(f.response.http_version, 11);
    ck_assert_int_gt(f.response.received_bytes, (int64_t)f.body_len);
    ck_assert_int_gt(f.response.connect_ns, 0);
    ck_assert_int_ge(f.response.first_byte_ns, f.response.connect_ns);
    ck_assert_int_ge(f.response.total_ns, f.response.first_byte_ns);
    ck_assert_int_eq(f.response.tls_ns, 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(connections_are_reused_unless_a_fresh_one_is_asked_for)
{
    struct http_fixture f;
    http_fixture_init(&f, answer_path, NULL);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(http_fixture_get(&f, "/"), 0);
        ck_assert_str_eq(f.header_x, "1");
        ck_assert_int_eq(f.response.reused_connection, i > 0);
    }
    for (unsigned i = 2; i < 5; i++) {
        struct http_request request = {.url = http_fixture_url(&f, "/"), .fresh_connection = true};
        ck_assert_int_eq(http_fixture_send(&f, request), 0);
        ck_assert_uint_eq(test_server_connections(f.server), i);
        ck_assert(!f.response.reused_connection);
    }
    ck_assert_int_eq(http_fixture_get(&f, "/close"), 0);
    ck_assert_int_eq(http_fixture_get(&f, "/after"), 0);
    ck_assert_str_eq(f.body, "/after");
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(many_calls_run_at_once)
{
    struct http_fixture f;
    http_fixture_init(&f, answer_path, NULL);
    http_fixture_forget(&f);
    f.wanted = 200;
    struct http_request request = {.url = http_fixture_url(&f, "/many"),
                                   .deadline_mono_ns = clock_mono_ns() + 50 * NS_PER_S};
    for (unsigned i = 0; i < f.wanted; i++)
        ck_assert_int_eq(http_client_send(f.client, &request, http_fixture_done, &f, NULL, NULL), 0);
    http_fixture_wait(&f);
    ck_assert_int_eq(f.err.code, 0);
    ck_assert_uint_eq(test_server_requests(f.server), 200);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(a_refused_connection_is_unavailable)
{
    struct http_fixture f;
    char url[64];
    http_fixture_init(&f, NULL, NULL);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/secret-path", test_free_port());
    ck_assert_int_eq(http_fixture_send(&f, (struct http_request){.url = url}), ERR_UNAVAILABLE);
    ck_assert_contains(f.err.message, "127.0.0.1");
    ck_assert_ptr_null(strstr(f.err.message, "secret-path"));
    ck_assert_int_eq(f.response.status, 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(a_name_goes_through_the_lane)
{
    struct http_fixture f;
    http_fixture_init(&f, answer_path, NULL);
    (void)snprintf(f.url, sizeof f.url, "http://localhost:%u/named", test_server_port(f.server));
    ck_assert_msg(http_fixture_send(&f, (struct http_request){.url = f.url}) == 0, "%s", f.err.message);
    ck_assert_str_eq(f.body, "/named");
    ck_assert_int_gt(f.response.resolve_ns, 0);
    ck_assert_int_eq(http_fixture_send(&f, (struct http_request){.url = "http://name.invalid/"}),
                     ERR_UNAVAILABLE);
    ck_assert_contains(f.err.message, "name.invalid");
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(freeing_the_client_cancels_what_is_under_way)
{
    struct http_fixture f;
    http_fixture_init(&f, answer_path, NULL);
    ck_assert_int_eq(http_fixture_get(&f, "/"), 0); /* leaves an idle connection */
    http_fixture_forget(&f);
    f.wanted = 3;
    struct http_request silent = {.url = http_fixture_url(&f, "/silent"),
                                  .deadline_mono_ns = clock_mono_ns() + 50 * NS_PER_S};
    ck_assert_int_eq(http_client_send(f.client, &silent, http_fixture_done, &f, NULL, NULL), 0);
    ck_assert_int_eq(http_client_send(f.client, &silent, http_fixture_done, &f, NULL, NULL), 0);
    while (test_server_requests(f.server) < 3)
        loop_run(f.loop, clock_mono_ns() + 5 * NS_PER_MS);
    silent.url = "http://localhost:1/"; /* still with the resolver */
    ck_assert_int_eq(http_client_send(f.client, &silent, http_fixture_done, &f, NULL, NULL), 0);
    http_client_free(f.client, http_fixture_on_freed, &f);
    struct error err;
    ck_assert_int_eq(http_client_send(f.client, &silent, http_fixture_done, &f, NULL, &err), ERR_CANCELLED);
    while (!f.freed)
        loop_run(f.loop, clock_mono_ns() + 30 * NS_PER_S);
    ck_assert_uint_eq(f.called, 3);
    ck_assert_int_eq(f.err.code, ERR_CANCELLED);
    test_server_free(f.server);
    loop_free(f.loop);
    resolver_free(f.resolver);
    http_fixture_forget(&f);
}
END_TEST

START_TEST(sigpipe_is_ignored)
{
    struct sigaction action;
    struct loop *loop;
    (void)signal(SIGPIPE, SIG_DFL);
    ck_assert_int_eq(loop_new("test", &loop, NULL), 0);
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_IGN);
    loop_free(loop);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("http_client");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, an_answer_is_read);
    tcase_add_test(t, connections_are_reused_unless_a_fresh_one_is_asked_for);
    tcase_add_test(t, many_calls_run_at_once);
    tcase_add_test(t, a_refused_connection_is_unavailable);
    tcase_add_test(t, a_name_goes_through_the_lane);
    tcase_add_test(t, freeing_the_client_cancels_what_is_under_way);
    tcase_add_test(t, sigpipe_is_ignored);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
