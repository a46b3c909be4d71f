#include "tests/unit/lib/net/http_fixture.h"

/* Echoes the request, or redirects: /to/<status>/<rest> goes to /<rest>, /loop to itself, /other to the
 * second server, whose address is `other_url`. */
static char other_url[64];

static bool echo(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    char headers[256];
    if (strncmp(exchange->path, "/to/", 4) == 0) {
        (void)snprintf(headers, sizeof headers, "Location: %.100s\r\n", exchange->path + 7);
        char status[16];
        (void)snprintf(status, sizeof status, "%.3s x", exchange->path + 4);
        return test_server_answer(exchange->fd, status, headers, STR("moved"));
    }
    if (strcmp(exchange->path, "/loop") == 0)
        return test_server_answer(exchange->fd, "302 Found", "Location: loop\r\n", STR(""));
    if (strcmp(exchange->path, "/other") == 0 || strcmp(exchange->path, "/creds") == 0) {
        (void)snprintf(headers, sizeof headers, "Location: http://%s%s/echo\r\n",
                       exchange->path[1] == 'c' ? "user:pass@" : "", other_url);
        return test_server_answer(exchange->fd, "307 x", headers, STR(""));
    }
    if (strcmp(exchange->path, "/file") == 0)
        return test_server_answer(exchange->fd, "302 x", "Location: file:///etc/passwd\r\n", STR(""));
    struct buf body = BUF_INIT(1UL << 20);
    buf_append_text(&body, exchange->head);
    buf_append_str(&body, exchange->body);
    bool ok = test_server_answer(exchange->fd, "200 OK", "", buf_str(&body));
    buf_deinit(&body);
    return ok;
}

START_TEST(methods_headers_and_bodies_arrive)
{
    struct http_fixture f;
    http_fixture_init(&f, echo, NULL);
    const struct http_header headers[] = {{"X-Empty", ""}, {"X-Value", "a b"}, {"Content-Type", "text/x"}};
    struct http_request request = {.url = http_fixture_url(&f, "/e"), .method = "POST", .headers = headers};
    request.header_count = ARRAY_LEN(headers);
    request.body = STR("hello");
    ck_assert_int_eq(http_fixture_send(&f, request), 0);
    ck_assert_contains(f.body, "POST /e HTTP/1.1\r\n");
    ck_assert_contains(f.body, "\r\nX-Empty:\r\n");
    ck_assert_contains(f.body, "\r\nX-Value: a b\r\n");
    ck_assert_contains(f.body, "\r\nContent-Type: text/x\r\n");
    ck_assert_contains(f.body, "\r\nUser-Agent: unit/1\r\n");
    ck_assert_contains(f.body, "\r\n\r\nhello");
    ck_assert_ptr_null(strstr(f.body, "Expect"));
    ck_assert_int_eq(http_fixture_send(&f, (struct http_request){.url = f.url, .method = "PUT"}), 0);
    ck_assert_contains(f.body, "PUT /e");
    ck_assert_contains(f.body, "Content-Length: 0");
    ck_assert_ptr_null(strstr(f.body, "Content-Type"));
    ck_assert_int_eq(http_fixture_send(&f, (struct http_request){.url = f.url, .method = "DELETE"}), 0);
    ck_assert_contains(f.body, "DELETE /e");
    ck_assert_int_eq(http_fixture_send(&f, (struct http_request){.url = f.url, .body = STR("q")}), 0);
    ck_assert_contains(f.body, "GET /e");
    ck_assert_contains(f.body, "\r\n\r\nq");
    ck_assert_int_eq(http_fixture_send(&f, (struct http_request){.url = f.url, .method = "HEAD"}), 0);
    ck_assert_int_eq(f.response.status, 200);
    ck_assert_uint_eq(f.body_len, 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(bad_requests_are_refused_at_once)
{
    struct http_fixture f;
    http_fixture_init(&f, echo, NULL);
    const struct http_header split = {"X-A", "b\r\nX-Injected: c"}, name = {"X A", "b"};
    const char *url = http_fixture_url(&f, "/");
    const struct http_request bad[] = {
        {.url = "ftp://host/", .deadline_mono_ns = 1},
        {.url = "file:///etc/passwd", .deadline_mono_ns = 1},
        {.url = "http://user:pw@host/", .deadline_mono_ns = 1},
        {.url = "no url", .deadline_mono_ns = 1},
        {.url = "http://h\xc3\xa9/", .deadline_mono_ns = 1},
        {.url = "http://host:99999/", .deadline_mono_ns = 1},
        {.url = url},
        {.url = url, .method = "GET /x\r\n", .deadline_mono_ns = 1},
        {.url = url, .headers = &split, .header_count = 1, .deadline_mono_ns = 1},
        {.url = url, .headers = &name, .header_count = 1, .deadline_mono_ns = 1},
        {.url = url, .tls.server_name = "a/b", .deadline_mono_ns = 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err;
        ck_assert_msg(http_client_send(f.client, &bad[i], http_fixture_done, &f, NULL, &err) == ERR_CONFIG,
                      "%zu", i);
        ck_assert_msg(err.message[0] && !strstr(err.message, "pw"), "%s", err.message);
    }
    ck_assert_uint_eq(f.called, 0);
    ck_assert_uint_eq(test_server_requests(f.server), 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(credentials_go_out_as_headers)
{
    struct http_fixture f;
    http_fixture_init(&f, echo, NULL);
    struct secret *secret = secret_new(STR("open sesame"));
    ck_assert_int_eq(http_fixture_send(&f, (struct http_request){.url = http_fixture_url(&f, "/e"),
                                                                 .bearer_token = secret}),
                     0);
    ck_assert_contains(f.body, "\r\nAuthorization: Bearer open sesame\r\n");
    struct http_request basic = {.url = f.url, .basic_user = "aladdin", .basic_password = secret};
    ck_assert_int_eq(http_fixture_send(&f, basic), 0);
    ck_assert_contains(f.body, "\r\nAuthorization: Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");
    ck_assert_int_eq(http_fixture_send(&f, (struct http_request){.url = f.url}), 0);
    ck_assert_ptr_null(strstr(f.body, "Authorization"));
    secret_free(secret);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(redirects_are_followed_as_far_as_allowed)
{
    struct http_fixture f;
    http_fixture_init(&f, echo, NULL);
    ck_assert_int_eq(http_fixture_get(&f, "/to/302/e"), 0); /* not followed unless asked */
    ck_assert_int_eq(f.response.status, 302);
    ck_assert_str_eq(f.location, "/e");
    ck_assert_str_eq(f.body, "moved");
    struct http_request request = {.url = http_fixture_url(&f, "/to/302/to/301/e"), .max_redirects = 2};
    ck_assert_int_eq(http_fixture_send(&f, request), 0);
    ck_assert_contains(f.body, "GET /e HTTP");
    ck_assert_ptr_null(strstr(f.body, "moved"));
    ck_assert_contains(f.effective_url, "/e");
    ck_assert_int_eq(f.response.status, 200);
    request.max_redirects = 1;
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_PEER);
    ck_assert_contains(f.err.message, "more than 1 redirects");
    request = (struct http_request){.url = http_fixture_url(&f, "/loop"), .max_redirects = 5};
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_PEER);
    request = (struct http_request){.url = http_fixture_url(&f, "/file"), .max_redirects = 5};
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_PEER);
    ck_assert_contains(f.err.message, "http");
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(redirects_change_the_method_as_the_standard_says)
{
    static const struct {
        const char *method, *path, *expected;
        bool keeps_body;
    } cases[] = {
        {"POST", "/to/301/e", "GET /e", false}, {"POST", "/to/302/e", "GET /e", false},
        {"POST", "/to/303/e", "GET /e", false}, {"POST", "/to/307/e", "POST /e", true},
        {"POST", "/to/308/e", "POST /e", true}, {"PUT", "/to/303/e", "GET /e", false},
        {"PUT", "/to/302/e", "PUT /e", true},
    };
    struct http_fixture f;
    http_fixture_init(&f, echo, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request request = {.url = http_fixture_url(&f, cases[i].path),
                                       .method = cases[i].method,
                                       .max_redirects = 3,
                                       .body = STR("payload")};
        ck_assert_int_eq(http_fixture_send(&f, request), 0);
        ck_assert_msg(strncmp(f.body, cases[i].expected, strlen(cases[i].expected)) == 0, "%s %s: %s",
                      cases[i].method, cases[i].path, f.body);
        ck_assert_int_eq(strstr(f.body, "payload") != NULL, cases[i].keeps_body);
    }
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(credentials_do_not_follow_to_another_host)
{
    struct http_fixture f;
    http_fixture_init(&f, echo, NULL);
    struct test_server *other = test_server_new(echo, NULL);
    struct secret *secret = secret_new(STR("sesame"));
    (void)snprintf(other_url, sizeof other_url, "localhost:%u", test_server_port(other));
    const struct http_header headers[] = {
        {"Cookie", "session=sesame"}, {"Host", "inner.example"}, {"X-Keep", "1"}};
    struct http_request request = {.url = http_fixture_url(&f, "/other"),
                                   .max_redirects = 3,
                                   .headers = headers,
                                   .header_count = ARRAY_LEN(headers),
                                   .bearer_token = secret};
    ck_assert_msg(http_fixture_send(&f, request) == 0, "%s", f.err.message);
    ck_assert_contains(f.body, other_url);
    ck_assert_contains(f.body, "X-Keep: 1");
    ck_assert_ptr_null(strstr(f.body, "sesame"));
    ck_assert_ptr_null(strstr(f.body, "inner.example"));
    request = (struct http_request){
        .url = f.url, .max_redirects = 3, .basic_user = "aladdin", .basic_password = secret};
    ck_assert_int_eq(http_fixture_send(&f, request), 0);
    ck_assert_ptr_null(strstr(f.body, "Authorization"));
    request.url = http_fixture_url(&f, "/to/302/e"); /* the same host keeps them */
    ck_assert_int_eq(http_fixture_send(&f, request), 0);
    ck_assert_contains(f.body, "Authorization");
    request.url = http_fixture_url(&f, "/creds");
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_PEER);
    ck_assert_contains(f.err.message, "credentials");
    secret_free(secret);
    test_server_free(other);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(a_proxy_of_the_environment_is_ignored)
{
    struct http_fixture f;
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    http_fixture_init(&f, echo, NULL);
    ck_assert_int_eq(http_fixture_get(&f, "/e"), 0);
    (void)unsetenv("http_proxy");
    http_fixture_deinit(&f);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("http_request");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, methods_headers_and_bodies_arrive);
    tcase_add_test(t, bad_requests_are_refused_at_once);
    tcase_add_test(t, credentials_go_out_as_headers);
    tcase_add_test(t, redirects_are_followed_as_far_as_allowed);
    tcase_add_test(t, redirects_change_the_method_as_the_standard_says);
    tcase_add_test(t, credentials_do_not_follow_to_another_host);
    tcase_add_test(t, a_proxy_of_the_environment_is_ignored);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
