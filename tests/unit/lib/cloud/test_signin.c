#include "lib/cloud/signin.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"
#include "tests/support/test_server.h"

#include <stdlib.h>

/* A sign-in of as many exchanges as the test says, each echoing its number. */
struct fake {
    unsigned exchanges, sent, failures;
    bool refuse;
    int64_t patience_ns; /* 0: the driver's */
    char url[128];
};

static bool answer(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    if (strcmp(exchange->path, "/busy") == 0)
        return test_server_answer(exchange->fd, "429 Busy", "Retry-After: 1\r\n", STR("/token"));
    if (strcmp(exchange->path, "/silent") == 0) {
        test_server_wait_close(exchange->fd);
        return false;
    }
    return test_server_answer(exchange->fd, "200 OK", "", str_from(exchange->path));
}

static int fake_next(void *state, const struct http_response *answer_given, const struct error *failure,
                     int64_t wall_ns, enum signin_step *ret_step, struct http_request *ret_request,
                     struct error *err)
{
    struct fake *fake = state;
    ck_assert_int_gt(wall_ns, 0);
    if (answer_given)
        ck_assert(str_equal(answer_given->body, STR("/token")));
    fake->failures += failure != NULL;
    if (fake->refuse)
        return error_set(err, ERR_AUTH, "refused");
    *ret_step = fake->sent < fake->exchanges ? SIGNIN_SEND : SIGNIN_READY;
    fake->sent++;
    ret_request->url = fake->url;
    ret_request->deadline_mono_ns = fake->patience_ns ? clock_mono_ns() + fake->patience_ns : 0;
    return 0;
}

static void fake_token(const void *state, struct cloud_token *ret_token)
{
    const struct fake *fake = state;
    *ret_token = (struct cloud_token){.source = fake->url, .expires_wall_ns = 7};
}

static void fake_free(void *state)
{
    free(state);
}

static const struct signin_ops fake_ops = {fake_next, fake_token, fake_free};

static struct test_server *server;
static struct http_wait *client;

static void begin(void)
{
    server = test_server_new(answer, NULL);
    ck_assert_int_eq(http_wait_new("unit/1", &client, NULL), 0);
}

static void end(void)
{
    http_wait_free(client);
    test_server_free(server);
}

static struct fake *fake_new(unsigned exchanges, unsigned port)
{
    struct fake *fake = xcalloc(1, sizeof *fake);
    fake->exchanges = exchanges;
    (void)snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%u/token", port);
    return fake;
}

static int wait_for(struct fake *fake, struct cloud_token *token, struct error *err)
{
    struct signin *signin = signin_new(&fake_ops, fake);
    int code = signin_wait(signin, client, clock_mono_ns() + 20 * NS_PER_S, token, err);
    ck_assert_uint_le(fake->failures, fake->sent);
    signin_free(signin);
    return code;
}

START_TEST(each_request_is_sent_and_its_answer_handed_back)
{
    struct cloud_token token = {0};
    struct error err = {0};
    ck_assert_int_eq(wait_for(fake_new(3, test_server_port(server)), &token, &err), 0);
    ck_assert_uint_eq(test_server_requests(server), 3);
    ck_assert_int_eq(token.expires_wall_ns, 7);
}
END_TEST

START_TEST(one_that_never_ends_is_ended)
{
    struct cloud_token token;
    struct error err = {0};
    ck_assert_int_eq(wait_for(fake_new(1000, test_server_port(server)), &token, &err), ERR_PEER);
    ck_assert_contains(err.message, "without an end");
}
END_TEST

START_TEST(what_could_not_be_sent_is_told_to_the_sign_in)
{
    struct fake *fake = fake_new(2, 1); /* nobody listens there */
    struct signin *signin = signin_new(&fake_ops, fake);
    struct cloud_token token;
    struct error err = {0};
    ck_assert_int_eq(signin_wait(signin, client, clock_mono_ns() + 20 * NS_PER_S, &token, &err), 0);
    ck_assert_uint_eq(fake->failures, 2);
    signin_free(signin);
}
END_TEST

START_TEST(what_is_throttled_is_not_asked_again_at_once)
{
    struct fake *fake = fake_new(2, test_server_port(server));
    struct cloud_token token;
    int64_t started = clock_mono_ns();
    (void)snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%u/busy", test_server_port(server));
    ck_assert_int_eq(wait_for(fake, &token, NULL), 0);
    ck_assert_int_ge(clock_mono_ns() - started, NS_PER_S);
    ck_assert_uint_eq(test_server_requests(server), 2);
}
END_TEST

START_TEST(a_sign_in_may_be_less_patient)
{
    struct fake *fake = fake_new(1, test_server_port(server));
    struct cloud_token token;
    int64_t started = clock_mono_ns();
    (void)snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%u/silent", test_server_port(server));
    fake->patience_ns = NS_PER_S / 5;
    ck_assert_int_eq(wait_for(fake, &token, NULL), 0);
    ck_assert_int_lt(clock_mono_ns() - started, 5 * NS_PER_S);
}
END_TEST

START_TEST(a_refusal_ends_it)
{
    struct fake *fake = fake_new(1, test_server_port(server));
    struct cloud_token token;
    struct error err = {0};
    fake->refuse = true;
    ck_assert_int_eq(wait_for(fake, &token, &err), ERR_AUTH);
    ck_assert_uint_eq(test_server_requests(server), 0);
}
END_TEST

static Suite *signin_suite(void)
{
    Suite *suite = suite_create("signin");
    TCase *tcase = tcase_create("signin");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, each_request_is_sent_and_its_answer_handed_back);
    tcase_add_test(tcase, one_that_never_ends_is_ended);
    tcase_add_test(tcase, what_could_not_be_sent_is_told_to_the_sign_in);
    tcase_add_test(tcase, what_is_throttled_is_not_asked_again_at_once);
    tcase_add_test(tcase, a_sign_in_may_be_less_patient);
    tcase_add_test(tcase, a_refusal_ends_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(signin_suite)
