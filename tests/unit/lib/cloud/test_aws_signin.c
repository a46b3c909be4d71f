/* The exchanges of the sign-in, without a network: requests are looked at and answers made up. */
#include "lib/cloud/aws_signin.h"
#include "lib/core/clock.h"
#include "tests/unit/lib/cloud/aws_fixture.h"

#include <stdlib.h>

#define NOW_NS (INT64_C(1440938160) * NS_PER_S) /* 2015-08-30T12:36:00Z */
#define ROLE   "arn:aws:iam::123456789012:role/deploy"

static struct arena *arena;
static struct error err;
static char *folder;
static struct signin *signin;
static enum signin_step step;
static struct http_request request;

static void begin(void)
{
    arena = arena_new(0);
    folder = test_folder_new();
    fixture_env_clear();
    fixture_env_set("HOME", folder);
    error_clear(&err);
}

static void end(void)
{
    signin_free(signin);
    signin = NULL;
    test_folder_remove(folder);
    arena_free(arena);
}

static int start(const char *role)
{
    const struct aws_signin_options options = {.region = "eu-west-1", .role_arn = role, .env = fixture_env};
    signin_free(signin);
    signin = aws_signin_new(&options);
    return signin_next(signin, NULL, NULL, NOW_NS, &step, &request, &err);
}

static int answered(int status, const char *body)
{
    struct http_response answer = fixture_answer(arena, status, body);
    return signin_next(signin, &answer, NULL, NOW_NS, &step, &request, &err);
}

static const char *header(const char *name)
{
    for (size_t i = 0; i < request.header_count; i++) {
        if (strcmp(request.headers[i].name, name) == 0)
            return request.headers[i].value;
    }
    return "";
}

static void check_token(const char *id, const char *secret, const char *source)
{
    struct cloud_token token;
    ck_assert_int_eq(step, SIGNIN_READY);
    signin_token(signin, &token);
    ck_assert_str_eq(token.access_key_id, id);
    ck_assert(str_equal_text(secret_reveal(token.secret), secret));
    ck_assert_str_eq(token.source, source);
}

static void with_keys(void)
{
    fixture_env_set("AWS_ACCESS_KEY_ID", "AKIA");
    fixture_env_set("AWS_SECRET_ACCESS_KEY", "s3cret");
}

static const char assumed[] = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</"
                              "AccessKeyId><SecretAccessKey>temporary"
                              "</SecretAccessKey><SessionToken>token</"
                              "SessionToken><Expiration>2015-08-30T13:36:00Z</Expiration></Credentials>"
                              "</AssumeRoleResult></AssumeRoleResponse>";

START_TEST(keys_need_no_exchange)
{
    with_keys();
    ck_assert_int_eq(start(NULL), 0);
    check_token("AKIA", "s3cret", "environment");
    /* Run again: what has changed is seen. */
    fixture_env_set("AWS_ACCESS_KEY_ID", "AKIB");
    ck_assert_int_eq(signin_next(signin, NULL, NULL, NOW_NS, &step, &request, &err), 0);
    check_token("AKIB", "s3cret", "environment");
}
END_TEST

START_TEST(a_role_is_assumed)
{
    struct cloud_token token;
    with_keys();
    ck_assert_int_eq(start(ROLE), 0);
    ck_assert_int_eq(step, SIGNIN_SEND);
    ck_assert_str_eq(request.url, "https://sts.eu-west-1.amazonaws.com/");
    ck_assert(str_equal(request.body,
                        STR("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012"
                            "%3Arole%2Fdeploy&RoleSessionName=fraiseql")));
    ck_assert_contains(header("Authorization"), "Credential=AKIA/20150830/eu-west-1/sts/aws4_request");
    ck_assert_int_eq(answered(200, assumed), 0);
    check_token("ASIA", "temporary", "environment, role " ROLE);
    signin_token(signin, &token);
    ck_assert(str_equal(secret_reveal(token.session), STR("token")));
    ck_assert_int_eq(token.expires_wall_ns, NOW_NS + 3600 * NS_PER_S);
}
END_TEST

START_TEST(a_role_that_is_refused)
{
    with_keys();
    ck_assert_int_eq(start(ROLE), 0);
    ck_assert_int_eq(
        answered(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized"
                      "</Message></Error></ErrorResponse>"),
        ERR_AUTH);
    ck_assert_contains(err.message,
                       "the region's account: role " ROLE ": AssumeRole: AWS knows who we are and refuses");
    ck_assert_contains(err.hint, "must trust this identity");
    ck_assert_int_eq(start(ROLE), 0);
    ck_assert_int_eq(answered(200, "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>"), ERR_PEER);
    ck_assert_contains(err.message, "without complete credentials");
}
END_TEST

START_TEST(what_passes_is_asked_three_times)
{
    const struct error lost = {.code = ERR_UNAVAILABLE, .message = "cut off"};
    with_keys();
    ck_assert_int_eq(start(ROLE), 0);
    ck_assert_int_eq(answered(503, ""), 0);
    ck_assert_int_eq(step, SIGNIN_SEND);
    ck_assert_int_eq(signin_next(signin, NULL, &lost, NOW_NS, &step, &request, &err), 0);
    ck_assert_int_eq(answered(429, ""), ERR_UNAVAILABLE);
    ck_assert_contains(err.message, "AssumeRole was answered 429 without a reason");
    ck_assert_int_eq(start(ROLE), 0);
    ck_assert_int_eq(signin_next(signin, NULL, &lost, NOW_NS, &step, &request, &err), 0);
    ck_assert_int_eq(signin_next(signin, NULL, &lost, NOW_NS, &step, &request, &err), 0);
    ck_assert_int_eq(signin_next(signin, NULL, &lost, NOW_NS, &step, &request, &err), ERR_UNAVAILABLE);
    ck_assert_str_eq(err.message, "STS, for environment: cut off");
}
END_TEST

START_TEST(a_wrong_clock_is_corrected_once)
{
    static const struct http_header date = {"date", "Sun, 30 Aug 2015 14:36:00 GMT"};
    struct http_response answer =
        fixture_answer(arena, 403,
                       "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: x"
                       "</Message></Error></ErrorResponse>");
    answer.headers = &date;
    answer.header_count = 1;
    with_keys();
    ck_assert_int_eq(start(ROLE), 0);
    ck_assert_str_eq(header("X-Amz-Date"), "20150830T123600Z");
    ck_assert_int_eq(signin_next(signin, &answer, NULL, NOW_NS, &step, &request, &err), 0);
    ck_assert_str_eq(header("X-Amz-Date"), "20150830T143600Z");
    ck_assert_int_eq(signin_next(signin, &answer, NULL, NOW_NS, &step, &request, &err), ERR_AUTH);
}
END_TEST

START_TEST(a_web_identity_is_not_signed)
{
    char *path = test_path(folder, "token");
    fixture_env_set("AWS_WEB_IDENTITY_TOKEN_FILE", path);
    fixture_env_set("AWS_ROLE_ARN", ROLE);
    ck_assert_int_eq(start(NULL), ERR_CONFIG);
    ck_assert_contains(err.message, "web identity: cannot open");
    test_file_write(path, STR("e.y.J\n"));
    ck_assert_int_eq(start(NULL), 0);
    ck_assert(str_ends(request.body, STR("&RoleSessionName=fraiseql&WebIdentityToken=e.y.J")));
    ck_assert_str_eq(header("Authorization"), "");
    ck_assert_int_eq(
        answered(200, "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
                      "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>temporary</SecretAccessKey>"
                      "<SessionToken>token</SessionToken></Credentials>"
                      "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"),
        0);
    check_token("ASIA", "temporary", "web identity, role " ROLE);
    free(path);
}
END_TEST

static const char keys_json[] =
    "{\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"temporary\",\"Token\":\"token\","
    "\"Expiration\":\"2015-08-30T13:36:00Z\"}";

START_TEST(a_container)
{
    char *path = test_path(folder, "token");
    fixture_env_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x");
    fixture_env_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path);
    ck_assert_int_eq(start(NULL), ERR_CONFIG);
    ck_assert_contains(err.message, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: cannot open");
    test_file_write(path, STR("t1\n"));
    ck_assert_int_eq(start(NULL), 0);
    ck_assert_str_eq(request.url, "http://127.0.0.1:1/x");
    ck_assert_str_eq(header("Authorization"), "t1");
    ck_assert_int_gt(request.deadline_mono_ns, 0);
    ck_assert_int_eq(answered(200, keys_json), 0);
    check_token("ASIA", "temporary", "container");
    ck_assert_int_eq(start(ROLE), 0);
    ck_assert_int_eq(answered(200, keys_json), 0);
    ck_assert_str_eq(header("X-Amz-Security-Token"), "token");
    ck_assert_int_eq(answered(200, assumed), 0);
    check_token("ASIA", "temporary", "container, role " ROLE);
    ck_assert_int_eq(start(NULL), 0);
    ck_assert_int_eq(answered(401, ""), ERR_AUTH);
    ck_assert_contains(err.message, "the container's credential server answered 401");
    free(path);
}
END_TEST

START_TEST(an_instance)
{
    ck_assert_int_eq(start(NULL), 0);
    ck_assert_str_eq(request.method, "PUT");
    ck_assert_str_eq(request.url, "http://169.254.169.254/latest/api/token");
    ck_assert_str_eq(header("X-aws-ec2-metadata-token-ttl-seconds"), "21600");
    ck_assert_int_le(request.deadline_mono_ns, clock_mono_ns() + 2 * NS_PER_S);
    ck_assert_int_eq(answered(200, "metatoken"), 0);
    ck_assert_str_eq(request.url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/");
    ck_assert_str_eq(header("X-aws-ec2-metadata-token"), "metatoken");
    ck_assert_int_eq(answered(200, "my-role\n"), 0);
    ck_assert_str_eq(request.url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
    ck_assert_int_eq(answered(200, keys_json), 0);
    check_token("ASIA", "temporary", "instance metadata");
}
END_TEST

START_TEST(an_instance_without_a_role_or_none_at_all)
{
    const struct error lost = {.code = ERR_TIMEOUT, .message = "no answer"};
    ck_assert_int_eq(start(NULL), 0);
    ck_assert_int_eq(signin_next(signin, NULL, &lost, NOW_NS, &step, &request, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "no AWS credentials: AWS_ACCESS_KEY_ID is not set; ");
    ck_assert_contains(err.message, "; no metadata server answers");
    ck_assert_int_eq(start(NULL), 0);
    ck_assert_int_eq(answered(200, "metatoken"), 0);
    ck_assert_int_eq(answered(404, ""), ERR_CONFIG);
    ck_assert_contains(err.message, "the metadata server knows no role of this machine");
    ck_assert_int_eq(start(NULL), 0);
    ck_assert_int_eq(answered(403, ""), ERR_CONFIG);
    ck_assert_contains(err.message, "the metadata server answered 403");
    static const char *const tokens[] = {"", "a b"};
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        ck_assert_int_eq(start(NULL), 0);
        ck_assert_int_eq(answered(200, tokens[i]), ERR_PEER);
    }
    ck_assert_int_eq(start(NULL), 0);
    ck_assert_int_eq(answered(200, "metatoken"), 0);
    ck_assert_int_eq(answered(200, "../../x"), ERR_PEER);
    ck_assert_contains(err.message, "a role that cannot be one");
}
END_TEST

static Suite *signin_suite(void)
{
    Suite *suite = suite_create("aws_signin");
    TCase *tcase = tcase_create("aws_signin");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, keys_need_no_exchange);
    tcase_add_test(tcase, a_role_is_assumed);
    tcase_add_test(tcase, a_role_that_is_refused);
    tcase_add_test(tcase, what_passes_is_asked_three_times);
    tcase_add_test(tcase, a_wrong_clock_is_corrected_once);
    tcase_add_test(tcase, a_web_identity_is_not_signed);
    tcase_add_test(tcase, a_container);
    tcase_add_test(tcase, an_instance);
    tcase_add_test(tcase, an_instance_without_a_role_or_none_at_all);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(signin_suite)
