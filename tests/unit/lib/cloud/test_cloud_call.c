#include "lib/cloud/cloud_call.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"
#include "tests/support/test_server.h"

#include <stdlib.h>

static struct http_wait *client;
static struct test_server *server;
static struct arena *arena;
static unsigned answered;

/* /STATUS/TIMES: that status so many times, then 200. */
static bool answer(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    unsigned times = (unsigned)(exchange->path[5] - '0');
    char status[16];
    if (answered++ >= times)
        return test_server_answer(exchange->fd, "200 OK", "", STR("done"));
    (void)snprintf(status, sizeof status, "%.3s Not Now", exchange->path + 1);
    return test_server_answer(exchange->fd, status, exchange->path[6] ? "Retry-After: 2\r\n" : "", STR(""));
}

static void begin(void)
{
    answered = 0;
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

static int call(const char *path, int64_t timeout_ns, struct http_response *ret, int64_t *ret_took_ns)
{
    const struct http_request request = {
        .url = arena_printf(arena, "http://127.0.0.1:%u%s", (unsigned)test_server_port(server), path)};
    struct error err = {0};
    int64_t start = clock_mono_ns();
    int code = cloud_call(client, &request, start + timeout_ns, arena, ret, &err);
    *ret_took_ns = clock_mono_ns() - start;
    return code;
}

START_TEST(what_passes_is_tried_again_with_growing_pauses)
{
    struct http_response response;
    int64_t took;
    ck_assert_int_eq(call("/503/2", 30 * NS_PER_S, &response, &took), 0);
    ck_assert_int_eq(response.status, 200);
    ck_assert_uint_eq(answered, 3);
    ck_assert_int_ge(took, NS_PER_S * 3 / 2);
}
END_TEST

START_TEST(retry_after_is_heeded)
{
    struct http_response response;
    int64_t took;
    ck_assert_int_eq(call("/429/1r", 30 * NS_PER_S, &response, &took), 0);
    ck_assert_int_eq(response.status, 200);
    ck_assert_int_ge(took, 2 * NS_PER_S);
}
END_TEST

START_TEST(the_deadline_ends_it_with_the_last_answer)
{
    struct http_response response;
    int64_t took;
    ck_assert_int_eq(call("/500/9", NS_PER_S, &response, &took), 0);
    ck_assert_int_eq(response.status, 500);
    ck_assert_int_lt(took, 2 * NS_PER_S);
}
END_TEST

START_TEST(what_does_not_pass_is_an_answer)
{
    struct http_response response;
    int64_t took;
    ck_assert_int_eq(call("/403/1", 30 * NS_PER_S, &response, &took), 0);
    ck_assert_int_eq(response.status, 403);
    ck_assert_uint_eq(answered, 1);
}
END_TEST

/* A sign-in that fails as often as the test says. */
struct moody {
    unsigned failures;
    int code;
};

static int moody_next(void *state, const struct http_response *given, const struct error *failure,
                      int64_t wall_ns, enum signin_step *ret_step, struct http_request *ret_request,
                      struct error *err)
{
    struct moody *moody = state;
    (void)given, (void)failure, (void)wall_ns, (void)ret_request;
    *ret_step = SIGNIN_READY;
    return moody->failures && moody->failures-- ? error_set(err, moody->code, "not now") : 0;
}

static void moody_token(const void *state, struct cloud_token *ret_token)
{
    (void)state;
    *ret_token = (struct cloud_token){.source = "mood"};
}

static int sign_in(unsigned failures, int code, int64_t timeout_ns)
{
    static const struct signin_ops ops = {moody_next, moody_token, free};
    struct moody *moody = xcalloc(1, sizeof *moody);
    *moody = (struct moody){failures, code};
    struct signin *signin = signin_new(&ops, moody);
    struct cloud_token token;
    struct error err = {0};
    int result = cloud_signin(signin, client, clock_mono_ns() + timeout_ns, &token, &err);
    signin_free(signin);
    return result;
}

START_TEST(a_sign_in_is_begun_anew_when_its_failure_passes)
{
    ck_assert_int_eq(sign_in(1, ERR_UNAVAILABLE, 30 * NS_PER_S), 0);
    ck_assert_int_eq(sign_in(1, ERR_TIMEOUT, 30 * NS_PER_S), 0);
    ck_assert_int_eq(sign_in(1, ERR_AUTH, 30 * NS_PER_S), ERR_AUTH);
    ck_assert_int_eq(sign_in(99, ERR_UNAVAILABLE, NS_PER_S / 4), ERR_UNAVAILABLE);
}
END_TEST

static Suite *cloud_call_suite(void)
{
    Suite *suite = suite_create("cloud_call");
    TCase *tcase = tcase_create("cloud_call");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_passes_is_tried_again_with_growing_pauses);
    tcase_add_test(tcase, retry_after_is_heeded);
    tcase_add_test(tcase, the_deadline_ends_it_with_the_last_answer);
    tcase_add_test(tcase, what_does_not_pass_is_an_answer);
    tcase_add_test(tcase, a_sign_in_is_begun_anew_when_its_failure_passes);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_call_suite)
