/* Calls over a real connection to a server whose answers a test lists. */
#include "lib/cloud/aws_call.h"
#include "tests/unit/lib/cloud/aws_caller_fixture.h"

static const char good[] = "<AResponse><AResult><B>1</B></AResult></AResponse>";
static const char skewed[] =
    "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: x"
    "</Message></Error></ErrorResponse>";

struct answer {
    const char *status, *headers, *body; /* status NULL: the connection is closed */
};

static const struct answer *answers;

static bool serve(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    const struct answer *answer = &answers[test_server_requests(aws.server) - 1];
    ck_assert(str_equal(exchange->body, STR("Action=A&Version=1")));
    return answer->status &&
           test_server_answer(exchange->fd, answer->status, answer->headers, str_from(answer->body));
}

static void begin(void)
{
    aws_begin(serve);
}

static int call(const struct answer *list, struct aws_failure *failure)
{
    const struct xml *result = NULL;
    struct aws_form form;
    answers = list;
    aws_form_init(&form, "A", "1");
    int code = aws_call(&aws.caller, "sts", "A", &form, aws.arena, &result, failure, &aws.err);
    aws_form_deinit(&form);
    ck_assert(code || strcmp(xml_text(result, "B"), "1") == 0);
    ck_assert_ptr_null(strstr(aws.err.message, "s3cret"));
    return code;
}

START_TEST(an_answer)
{
    const struct answer list[] = {{"200 OK", "", good}};
    ck_assert_msg(call(list, NULL) == 0, "%s", aws.err.message);
    ck_assert_uint_eq(test_server_requests(aws.server), 1);
}
END_TEST

START_TEST(what_passes_is_tried_again)
{
    const struct answer list[] = {{"429 Too Many Requests", "Retry-After: 0\r\n", ""},
                                  {"500 Oops", "", "<html>"},
                                  {"200 OK", "", good}};
    const struct answer more[] = {{NULL, NULL, NULL},
                                  {"400 Bad", "", "<R><Error><Code>Throttling</Code></Error></R>"},
                                  {"200 OK", "", good}};
    ck_assert_msg(call(list, NULL) == 0, "%s", aws.err.message);
    aws_end();
    begin();
    ck_assert_msg(call(more, NULL) == 0, "%s", aws.err.message);
    ck_assert_uint_eq(test_server_requests(aws.server), 3);
}
END_TEST

START_TEST(not_for_ever)
{
    const struct answer list[] = {{"503 No", "", ""}, {"503 No", "", ""}, {"503 No", "", ""}};
    struct aws_failure failure;
    aws.caller.tries = 2;
    ck_assert_int_eq(call(list, &failure), ERR_UNAVAILABLE);
    ck_assert_int_eq(failure.status, 503);
    ck_assert_uint_eq(test_server_requests(aws.server), 2);
    ck_assert_str_eq(aws.err.message, "A was answered 503 without a reason (credentials: environment)");
}
END_TEST

START_TEST(a_wait_that_is_longer_than_the_deadline_is_not_begun)
{
    const struct answer list[] = {{"429 No", "Retry-After: 3600\r\n", ""}};
    int64_t started = clock_mono_ns();
    ck_assert_int_eq(call(list, NULL), ERR_UNAVAILABLE);
    ck_assert_int_lt(clock_mono_ns() - started, 5 * NS_PER_S);
    ck_assert_uint_eq(test_server_requests(aws.server), 1);
}
END_TEST

START_TEST(a_refusal_is_final)
{
    const struct answer list[] = {{"403 No", "",
                                   "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>m</"
                                   "Message></Error></ErrorResponse>"}};
    struct aws_failure failure;
    ck_assert_int_eq(call(list, &failure), ERR_AUTH);
    ck_assert_str_eq(failure.code, "InvalidClientTokenId");
    ck_assert_uint_eq(test_server_requests(aws.server), 1);
}
END_TEST

START_TEST(a_wrong_clock_is_corrected_once_and_then_named)
{
    static const char date[] = "Date: Sun, 30 Aug 2015 12:36:00 GMT\r\n";
    const struct answer once[] = {{"403 No", date, skewed}, {"200 OK", "", good}};
    ck_assert_msg(call(once, NULL) == 0, "%s", aws.err.message);
    ck_assert_int_lt(aws.caller.offset_ns, -3600 * NS_PER_S);
    aws_end();
    begin();
    const struct answer twice[] = {{"403 No", date, skewed}, {"403 No", date, skewed}};
    ck_assert_int_eq(call(twice, NULL), ERR_AUTH);
    ck_assert_contains(aws.err.hint, "This machine's clock is wrong by ");
    ck_assert_uint_eq(test_server_requests(aws.server), 2);
}
END_TEST

START_TEST(nobody_there)
{
    fixture_env_set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    aws.caller.tries = 2;
    ck_assert_int_eq(call(NULL, NULL), ERR_UNAVAILABLE);
    ck_assert_contains(aws.err.message, "A: ");
    fixture_env_set("AWS_ENDPOINT_URL", "nowhere");
    ck_assert_int_eq(call(NULL, NULL), ERR_CONFIG);
}
END_TEST

static Suite *call_suite(void)
{
    Suite *suite = suite_create("aws_call");
    TCase *tcase = tcase_create("aws_call");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, aws_end);
    tcase_add_test(tcase, an_answer);
    tcase_add_test(tcase, what_passes_is_tried_again);
    tcase_add_test(tcase, not_for_ever);
    tcase_add_test(tcase, a_wait_that_is_longer_than_the_deadline_is_not_begun);
    tcase_add_test(tcase, a_refusal_is_final);
    tcase_add_test(tcase, a_wrong_clock_is_corrected_once_and_then_named);
    tcase_add_test(tcase, nobody_there);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(call_suite)
