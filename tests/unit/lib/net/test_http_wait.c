#include "lib/core/clock.h"
#include "lib/net/http_wait.h"
#include "tests/support/support.h"
#include "tests/support/test_server.h"

static struct http_wait *client;
static struct test_server *server;
static struct arena *arena;

static bool answer(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    if (strcmp(exchange->path, "/silent") == 0) {
        test_server_wait_close(exchange->fd);
        return false;
    }
    return test_server_answer(exchange->fd, "404 Not Found", "X-Test: one\r\nX-Test: two\r\n",
                              str_from(exchange->path));
}

static void begin(void)
{
    arena = arena_new(0);
    server = test_server_new(answer, NULL);
    ck_assert_int_eq(http_wait_new("unit/1", &client, NULL), 0);
}

static void end(void)
{
    http_wait_free(client);
    test_server_free(server);
    arena_free(arena);
}

static int get(const char *path, int64_t timeout_ns, struct http_response *ret, struct error *err)
{
    const struct http_request request = {
        .url = arena_printf(arena, "http://127.0.0.1:%u%s", (unsigned)test_server_port(server), path),
        .deadline_mono_ns = clock_mono_ns() + timeout_ns};
    return http_wait_send(client, &request, arena, ret, err);
}

START_TEST(an_answer_of_any_status_is_kept_after_the_call)
{
    struct http_response first, second;
    struct error err = {0};
    ck_assert_int_eq(get("/one", NS_PER_S * 10, &first, &err), 0);
    ck_assert_int_eq(get("/two", NS_PER_S * 10, &second, &err), 0);
    ck_assert_int_eq(first.status, 404);
    ck_assert(str_equal(first.body, STR("/one")));
    ck_assert(str_equal(second.body, STR("/two")));
    ck_assert_str_eq(http_response_header(&first, "x-test"), "one");
    ck_assert_ptr_null(http_response_header(&first, "x-other"));
    ck_assert(second.reused_connection);
}
END_TEST

START_TEST(a_silent_peer_costs_the_deadline_and_no_more)
{
    struct http_response response;
    struct error err = {0};
    ck_assert_int_eq(get("/silent", NS_PER_S / 5, &response, &err), ERR_TIMEOUT);
    ck_assert_int_eq(response.status, 0);
    ck_assert_int_eq(get("/after", NS_PER_S * 10, &response, &err), 0);
}
END_TEST

START_TEST(a_request_that_cannot_be_sent_is_an_error_at_once)
{
    struct http_response response;
    struct error err = {0};
    const struct http_request request = {.url = "gopher://127.0.0.1/",
                                         .deadline_mono_ns = clock_mono_ns() + NS_PER_S};
    ck_assert_int_eq(http_wait_send(client, &request, arena, &response, &err), ERR_CONFIG);
}
END_TEST

struct stream {
    size_t bytes, bound;
};

static bool count(void *ctx, struct str chunk)
{
    struct stream *stream = ctx;
    stream->bytes += chunk.len;
    return stream->bytes < stream->bound;
}

START_TEST(a_body_is_handed_over_in_chunks_and_may_be_stopped)
{
    struct http_response response;
    struct error err = {0};
    struct stream all = {.bound = 100}, none = {0};
    const struct http_request request = {
        .url = arena_printf(arena, "http://127.0.0.1:%u/body", (unsigned)test_server_port(server)),
        .deadline_mono_ns = clock_mono_ns() + NS_PER_S * 10};
    ck_assert_int_eq(http_wait_stream(client, &request, count, &all, arena, &response, &err), 0);
    ck_assert_uint_eq(all.bytes, strlen("/body"));
    ck_assert_uint_eq(response.body.len, 0);
    ck_assert_int_eq(http_wait_stream(client, &request, count, &none, arena, &response, &err), ERR_CANCELLED);
}
END_TEST

static Suite *http_wait_suite(void)
{
    Suite *suite = suite_create("http_wait");
    TCase *tcase = tcase_create("http_wait");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, an_answer_of_any_status_is_kept_after_the_call);
    tcase_add_test(tcase, a_silent_peer_costs_the_deadline_and_no_more);
    tcase_add_test(tcase, a_request_that_cannot_be_sent_is_an_error_at_once);
    tcase_add_test(tcase, a_body_is_handed_over_in_chunks_and_may_be_stopped);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(http_wait_suite)
