#include "lib/cloud/aws_query.h"
#include "tests/unit/lib/cloud/aws_fixture.h"

static struct arena *arena;
static struct error err;

static void begin(void)
{
    arena = arena_new(0);
    error_clear(&err);
}

static void end(void)
{
    arena_free(arena);
}

START_TEST(a_form_is_encoded_and_signed)
{
    const struct aws_endpoint endpoint = {"https://sts.eu-west-1.amazonaws.com/", "sts", "eu-west-1",
                                          "/ca.pem"};
    struct secret *secret = secret_new(STR("s"));
    const struct sigv4_key key = {.access_key_id = "AKIA", .secret = secret};
    struct http_request request;
    struct aws_form form;
    aws_form_init(&form, "AssumeRole", "2011-06-15");
    aws_form_add(&form, "RoleArn", STR("arn:aws:iam::1:role/a b~\xc3\xa9"));
    ck_assert_int_eq(aws_query_request(&endpoint, &form, &key, 0, arena, &request, &err), 0);
    ck_assert(str_equal(request.body,
                        STR("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole"
                            "%2Fa%20b~%C3%A9")));
    ck_assert_str_eq(request.method, "POST");
    ck_assert_str_eq(request.tls.ca_file, "/ca.pem");
    ck_assert_contains(
        request.headers[request.header_count - 1].value,
        "Credential=AKIA/19700101/eu-west-1/sts/aws4_request, SignedHeaders=accept;content-type;host;"
        "x-amz-date, ");
    ck_assert_int_eq(aws_query_request(&endpoint, &form, NULL, 0, arena, &request, &err), 0);
    for (size_t i = 0; i < request.header_count; i++)
        ck_assert_str_ne(request.headers[i].name, "Authorization");
    while (!form.text.failed)
        aws_form_add(
            &form, "A",
            STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    ck_assert_int_eq(aws_query_request(&endpoint, &form, NULL, 0, arena, &request, &err), ERR_LIMIT);
    aws_form_deinit(&form);
    secret_free(secret);
}
END_TEST

START_TEST(results)
{
    const struct xml *result = NULL;
    struct http_response answer =
        fixture_answer(arena, 200, "<AResponse><AResult><B>1</B></AResult></AResponse>");
    ck_assert_int_eq(aws_query_result(&answer, "A", arena, &result, &err), 0);
    ck_assert_str_eq(xml_text(result, "B"), "1");
    ck_assert_int_eq(aws_query_result(&answer, "C", arena, &result, &err), ERR_PEER);
    ck_assert_contains(err.message, "another call's answer, <AResponse>");
    answer = fixture_answer(arena, 200, "{}");
    ck_assert_int_eq(aws_query_result(&answer, "A", arena, &result, &err), ERR_PEER);
    ck_assert_contains(err.message, "not AWS's XML");
}
END_TEST

START_TEST(refusals_in_every_form)
{
    static const char *const bodies[] = {
        "<ErrorResponse xmlns='x'><Error><Code>C</Code><Message>M</Message></Error></ErrorResponse>",
        "<Response><Errors><Error><Code>C</Code><Message>M</Message></Error></Errors></Response>",
        "<Error><Code>C</Code><Message>M</Message></Error>",
    };
    struct aws_failure failure;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct http_response answer = fixture_answer(arena, 403, bodies[i]);
        aws_query_failure(&answer, arena, &failure);
        ck_assert_str_eq(failure.code, "C");
        ck_assert_str_eq(failure.message, "M");
        ck_assert_int_eq(failure.status, 403);
    }
    struct http_response answer = fixture_answer(
        arena, 403,
        "<Error><Code>C</Code><Message> a\tb&#x9;c. The Canonical String was\nx-amz-security-token:s3cret"
        "</Message></Error>");
    aws_query_failure(&answer, arena, &failure);
    ck_assert_str_eq(failure.message, "a b c.");
    answer = fixture_answer(arena, 502, "<html>");
    aws_query_failure(&answer, arena, &failure);
    ck_assert_str_eq(failure.code, "");
}
END_TEST

START_TEST(refusals_in_json)
{
    static const struct {
        const char *body, *code, *message;
    } cases[] = {
        {"{\"__type\":\"ResourceNotFoundException\",\"message\":\"not there\"}", "ResourceNotFoundException",
         "not there"},
        {"{\"__type\":\"com.amazon.coral.service#AccessDeniedException\",\"Message\":\"no\\u001b[3m\"}",
         "AccessDeniedException", "no [3m"},
        {"{\"__type\":\"InvalidSignatureException\",\"message\":\"wrong. The Canonical String "
         "was\\ns3cret\"}",
         "InvalidSignatureException", "wrong."},
        {"{\"__type\":\"x#\"}", "", ""},
        {"<html>", "", ""},
        {"[]", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct aws_failure failure;
        struct http_response answer = fixture_answer(arena, 400, cases[i].body);
        aws_json_failure(&answer, arena, &failure);
        ck_assert_int_eq(failure.status, 400);
        ck_assert_str_eq(failure.code, cases[i].code);
        ck_assert_str_eq(failure.message, cases[i].message);
    }
}
END_TEST

START_TEST(what_a_refusal_means)
{
    static const struct {
        struct aws_failure failure;
        int code;
        bool passing;
        const char *says;
    } cases[] = {
        {{403, "InvalidClientTokenId", ""},
         ERR_AUTH,
         false,
         "AWS does not know this access key (InvalidClientTokenId"},
        {{403, "SignatureDoesNotMatch", ""},
         ERR_AUTH,
         false,
         "the secret access key does not belong to the access key"},
        {{403, "ExpiredToken", ""}, ERR_AUTH, false, "the session has expired"},
        {{403, "AccessDenied", ""}, ERR_AUTH, false, "refuses this call"},
        {{401, "", ""}, ERR_AUTH, false, "was answered 401 without a reason"},
        {{403, "Other", ""}, ERR_AUTH, false, "was answered 403 Other"},
        {{400, "Throttling", ""}, ERR_UNAVAILABLE, true, "was answered 400 Throttling"},
        {{429, "", ""}, ERR_UNAVAILABLE, true, "429"},
        {{503, "", ""}, ERR_UNAVAILABLE, true, "503"},
        {{400, "ValidationError", ""},
         ERR_PEER,
         false,
         "was answered 400 ValidationError (credentials: environment)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_int_eq(aws_failure_error(&cases[i].failure, "Do", "environment", &err), cases[i].code);
        ck_assert_contains(err.message, cases[i].says);
        ck_assert_int_eq(aws_failure_is_passing(&cases[i].failure), cases[i].passing);
    }
}
END_TEST

static Suite *query_suite(void)
{
    Suite *suite = suite_create("aws_query");
    TCase *tcase = tcase_create("aws_query");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_form_is_encoded_and_signed);
    tcase_add_test(tcase, results);
    tcase_add_test(tcase, refusals_in_every_form);
    tcase_add_test(tcase, refusals_in_json);
    tcase_add_test(tcase, what_a_refusal_means);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(query_suite)
