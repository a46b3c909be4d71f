#include "tests/unit/lib/net/http_fixture.h"

#include <poll.h>

/* One byte every 20 ms until the client goes away. */
static bool drip(int fd)
{
    if (!test_server_write(fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")))
        return false;
    for (;;) {
        struct pollfd gone = {.fd = fd, .events = POLLIN};
        if (poll(&gone, 1, 20) != 0 || !test_server_write(fd, STR("x")))
            return false;
    }
}

static bool misbehave(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    if (strcmp(exchange->path, "/drip") == 0)
        return drip(exchange->fd);
    if (strcmp(exchange->path, "/large") == 0) {
        struct buf body = BUF_INIT(4UL * 1024 * 1024);
        while (body.len < 3000000)
            buf_append_text(&body, "0123456789abcdef");
        bool ok = test_server_answer(exchange->fd, "200 OK", "", buf_str(&body));
        buf_deinit(&body);
        return ok;
    }
    if (strcmp(exchange->path, "/cut") == 0) {
        (void)test_server_write(exchange->fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"));
        return false;
    }
    if (strcmp(exchange->path, "/garbage") == 0) {
        (void)test_server_write(exchange->fd, STR("SSH-2.0-OpenSSH_9.2\r\n"));
        return false;
    }
    test_server_wait_close(exchange->fd);
    return false;
}

static struct http_request request_for(struct http_fixture *f, const char *path, int64_t within_ms)
{
    return (struct http_request){.url = http_fixture_url(f, path),
                                 .deadline_mono_ns = clock_mono_ns() + within_ms * NS_PER_MS};
}

START_TEST(a_server_that_never_answers_ends_at_the_deadline)
{
    struct http_fixture f;
    http_fixture_init(&f, misbehave, NULL);
    int64_t before = clock_mono_ns();
    ck_assert_int_eq(http_fixture_send(&f, request_for(&f, "/silent", 300)), ERR_TIMEOUT);
    ck_assert_int_ge(clock_mono_ns() - before, 300 * NS_PER_MS);
    ck_assert_contains(f.err.message, "waiting for the answer");
    ck_assert_int_gt(f.response.connect_ns, 0); /* the phases that were reached */
    ck_assert_int_eq(f.response.first_byte_ns, 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(a_dripping_body_ends_at_the_deadline)
{
    struct http_fixture f;
    http_fixture_init(&f, misbehave, NULL);
    ck_assert_int_eq(http_fixture_send(&f, request_for(&f, "/drip", 500)), ERR_TIMEOUT);
    ck_assert_contains(f.err.message, "reading the answer");
    ck_assert_int_eq(f.response.status, 200);
    ck_assert_uint_eq(f.body_len, 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(a_deadline_in_the_past_times_out)
{
    struct http_fixture f;
    http_fixture_init(&f, misbehave, NULL);
    ck_assert_int_eq(http_fixture_send(&f, request_for(&f, "/silent", -1000)), ERR_TIMEOUT);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(a_large_body_hits_its_limit)
{
    struct http_fixture f;
    http_fixture_init(&f, misbehave, NULL);
    struct http_request request = request_for(&f, "/large", 30000);
    ck_assert_int_eq(http_fixture_send(&f, request), 0);
    ck_assert_uint_eq(f.body_len, 3000000);
    request.max_body_bytes = 2999999;
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_LIMIT);
    ck_assert_contains(f.err.message, "2999999");
    request.max_body_bytes = 3000000;
    ck_assert_int_eq(http_fixture_send(&f, request), 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(no_body_stops_after_the_headers)
{
    struct http_fixture f;
    http_fixture_init(&f, misbehave, NULL);
    struct http_request request = request_for(&f, "/drip", 30000);
    request.no_body = true;
    ck_assert_int_eq(http_fixture_send(&f, request), 0);
    ck_assert_int_eq(f.response.status, 200);
    ck_assert_uint_eq(f.body_len, 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(broken_answers_are_errors)
{
    struct http_fixture f;
    http_fixture_init(&f, misbehave, NULL);
    ck_assert_int_eq(http_fixture_send(&f, request_for(&f, "/cut", 30000)), ERR_UNAVAILABLE);
    ck_assert_int_lt(http_fixture_send(&f, request_for(&f, "/garbage", 30000)), 0);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(a_call_can_be_cancelled)
{
    struct http_fixture f;
    http_fixture_init(&f, misbehave, NULL);
    const char *const urls[] = {http_fixture_url(&f, "/silent"), "http://localhost:1/"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct http_request request = {.url = urls[i], .deadline_mono_ns = clock_mono_ns() + 30 * NS_PER_S};
        http_fixture_forget(&f);
        ck_assert_int_eq(http_client_send(f.client, &request, http_fixture_done, &f, &f.call, NULL), 0);
        while (i == 0 && test_server_requests(f.server) < 1)
            loop_run(f.loop, clock_mono_ns() + 5 * NS_PER_MS);
        http_call_cancel(f.call);
        http_call_cancel(f.call); /* twice is once */
        ck_assert_uint_eq(f.called, 0);
        http_fixture_wait(&f);
        ck_assert_int_eq(f.err.code, ERR_CANCELLED);
    }
    http_fixture_deinit(&f);
}
END_TEST

struct reader {
    struct http_fixture *f;
    size_t bytes, stop_at;
    bool cancel;
};

static struct reader reader;

static bool read_chunk(void *ctx, struct str chunk)
{
    (void)ctx;
    reader.bytes += chunk.len;
    if (reader.cancel)
        http_call_cancel(reader.f->call); /* inside libcurl */
    return !reader.stop_at || reader.bytes < reader.stop_at;
}

static int stream(struct http_fixture *f)
{
    struct http_request request = request_for(f, "/large", 30000);
    http_fixture_forget(f);
    ck_assert_int_eq(
        http_client_stream(f->client, &request, read_chunk, http_fixture_done, f, &f->call, NULL), 0);
    http_fixture_wait(f);
    return f->err.code;
}

START_TEST(a_body_can_be_streamed_stopped_and_cancelled)
{
    struct http_fixture f;
    http_fixture_init(&f, misbehave, NULL);
    reader = (struct reader){.f = &f};
    ck_assert_int_eq(stream(&f), 0);
    ck_assert_uint_eq(reader.bytes, 3000000);
    ck_assert_uint_eq(f.body_len, 0);
    reader = (struct reader){.f = &f, .stop_at = 100000};
    ck_assert_int_eq(stream(&f), ERR_CANCELLED);
    ck_assert_uint_lt(reader.bytes, 3000000);
    reader = (struct reader){.f = &f, .cancel = true};
    ck_assert_int_eq(stream(&f), ERR_CANCELLED);
    http_fixture_deinit(&f);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("http_call");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_server_that_never_answers_ends_at_the_deadline);
    tcase_add_test(t, a_dripping_body_ends_at_the_deadline);
    tcase_add_test(t, a_deadline_in_the_past_times_out);
    tcase_add_test(t, a_large_body_hits_its_limit);
    tcase_add_test(t, no_body_stops_after_the_headers);
    tcase_add_test(t, broken_answers_are_errors);
    tcase_add_test(t, a_call_can_be_cancelled);
    tcase_add_test(t, a_body_can_be_streamed_stopped_and_cancelled);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
