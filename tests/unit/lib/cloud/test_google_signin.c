#include "lib/cloud/google_signin.h"

#include "lib/core/json.h"
#include "tests/unit/lib/cloud/signin_fixture.h"

#define TOKEN      "{\"access_token\":\"ya29.one\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"
#define HOP_URL    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
#define HOP_ANSWER "{\"accessToken\":\"ya29.two\",\"expireTime\":\"2025-11-26T05:25:38Z\"}"

static int start(void)
{
    return rig_begin(&rig, google_signin_new(GOOGLE_SCOPE_ALL));
}

/* Writes a credential file and names it in the environment. */
static const char *given(const char *text)
{
    return signin_fixture_name("GOOGLE_APPLICATION_CREDENTIALS", "key.json", str_from(text));
}

/* The text as the inside of a JSON string. */
static const char *escaped(const char *text)
{
    struct buf out = BUF_INIT(65536);
    struct json_writer json;
    json_init(&json, &out);
    json_text(&json, text);
    const char *kept = arena_strdup(arena, buf_str(&out));
    buf_deinit(&out);
    return kept;
}

static const char *service_account(const char *token_uri)
{
    char *pem = test_key_pem(key);
    const char *text = arena_printf(
        arena,
        "{\"type\":\"service_account\",\"client_email\":\"deployer@shop.iam.gserviceaccount.com\","
        "\"private_key_id\":\"k1\",\"private_key\":%s,\"token_uri\":\"%s\"}",
        escaped(pem), token_uri);
    free(pem);
    return text;
}

START_TEST(a_service_account_writes_its_own_grant)
{
    (void)given(service_account("https://oauth2.googleapis.com/token"));
    ck_assert_int_eq(start(), 0);
    ck_assert_str_eq(rig.request.method, "POST");
    ck_assert_str_eq(rig.request.url, "https://oauth2.googleapis.com/token");
    ck_assert_str_eq(rig_header(&rig, "Content-Type"), "application/x-www-form-urlencoded");
    ck_assert_str_eq(rig_form(arena, &rig, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    struct buf header = BUF_INIT(4096), claims = BUF_INIT(4096);
    ck_assert(test_key_verifies_jwt(key, str_from(rig_form(arena, &rig, "assertion")), &header, &claims));
    ck_assert_str_eq(buf_text(&header), "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}");
    ck_assert_str_eq(buf_text(&claims),
                     "{\"iss\":\"deployer@shop.iam.gserviceaccount.com\",\"scope\":\"" GOOGLE_SCOPE_ALL
                     "\",\"aud\":\"https://oauth2.googleapis.com/token\",\"iat\":1764131138,"
                     "\"exp\":1764134738}");
    buf_deinit(&header);
    buf_deinit(&claims);
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), 0);
    ck_assert(rig_token_is(&rig, "ya29.one"));
    ck_assert_int_eq(rig.token.expires_wall_ns, RIG_WALL_NS + 3599 * NS_PER_S);
    ck_assert_str_eq(rig.token.identity, "deployer@shop.iam.gserviceaccount.com");
    ck_assert_contains(rig.token.source, "GOOGLE_APPLICATION_CREDENTIALS");
}
END_TEST

START_TEST(a_refused_grant_says_why_and_nothing_of_the_key)
{
    (void)given(service_account("https://oauth2.googleapis.com/token"));
    ck_assert_int_eq(start(), 0);
    const char *assertion = rig_form(arena, &rig, "assertion");
    ck_assert_int_eq(rig_answer(&rig, 400,
                                "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT "
                                "Signature.\"}"),
                     ERR_AUTH);
    ck_assert_contains(rig.err.message, "answered 400: invalid_grant: Invalid JWT Signature.");
    ck_assert_contains(rig.err.hint, "--iam-account=deployer@shop");
    rig_assert_hidden(&rig, "PRIVATE KEY");
    rig_assert_hidden(&rig, assertion);
}
END_TEST

START_TEST(what_passes_is_unavailable_and_what_is_no_answer_is_the_peers)
{
    (void)given(service_account("https://oauth2.googleapis.com/token"));
    static const struct {
        int status, code;
        const char *body;
    } cases[] = {{429, ERR_UNAVAILABLE, ""},
                 {503, ERR_UNAVAILABLE, "<html>"},
                 {302, ERR_PEER, ""},
                 {200, ERR_PEER, "<html>"},
                 {200, ERR_PEER, "{\"access_token\":"},
                 {200, ERR_PEER, "{\"access_token\":\"a b\"}"},
                 {200, ERR_PEER, "{\"access_token\":\"a\",\"token_type\":\"mac\"}"},
                 {200, ERR_PEER, "{\"access_token\":\"a\",\"expires_in\":\"soon\"}"},
                 {200, ERR_PEER, "{}"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_int_eq(start(), 0);
        ck_assert_int_eq(rig_answer(&rig, cases[i].status, cases[i].body), cases[i].code);
        signin_free(rig.signin);
    }
    ck_assert_int_eq(start(), 0);
    ck_assert_int_eq(rig_fail(&rig, ERR_UNAVAILABLE, "connection refused"), ERR_UNAVAILABLE);
    ck_assert_contains(rig.err.message, "https://oauth2.googleapis.com/token: connection refused");
}
END_TEST

START_TEST(a_token_is_renewed_with_the_file_as_it_is_then)
{
    const char *path = given(service_account("https://oauth2.googleapis.com/token"));
    ck_assert_int_eq(start(), 0);
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), 0);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert(rig_token_is(&(struct rig){.step = SIGNIN_READY, .token = rig.token}, "ya29.one"));
    ck_assert_int_eq(rig_answer(&rig, 200, "{\"access_token\":\"ya29.new\",\"expires_in\":60}"), 0);
    ck_assert(rig_token_is(&rig, "ya29.new"));
    test_file_write(path, STR("{}"));
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
}
END_TEST

START_TEST(a_user_gives_the_refresh_token)
{
    (void)given("{\"type\":\"authorized_user\",\"client_id\":\"c&1\",\"client_secret\":\"s=2\","
                "\"refresh_token\":\"1//r\"}");
    ck_assert_int_eq(start(), 0);
    ck_assert_str_eq(rig.request.url, "https://oauth2.googleapis.com/token");
    ck_assert_str_eq(rig_form(arena, &rig, "grant_type"), "refresh_token");
    ck_assert_str_eq(rig_form(arena, &rig, "client_id"), "c&1");
    ck_assert_str_eq(rig_form(arena, &rig, "client_secret"), "s=2");
    ck_assert_str_eq(rig_form(arena, &rig, "refresh_token"), "1//r");
    ck_assert_int_eq(rig_answer(&rig, 400, "{\"error\":\"invalid_grant\"}"), ERR_AUTH);
    ck_assert_str_eq(rig.err.hint, "gcloud auth application-default login");
    rig_assert_hidden(&rig, "1//r");
}
END_TEST

static const char *external(const char *source, const char *more)
{
    return arena_printf(arena,
                        "{\"type\":\"external_account\",\"audience\":\"//iam.googleapis.com/pool\","
                        "\"subject_token_type\":\"urn:ietf:params:oauth:token-type:jwt\","
                        "\"token_url\":\"https://sts.googleapis.com/v1/token\",\"credential_source\":%s%s}",
                        source, more);
}

START_TEST(a_federated_subject_from_a_file_is_exchanged)
{
    char *path = test_path(folder, "subject");
    test_file_write(path, STR("{\"jwt\":\"head.body.sig\"}\n"));
    (void)given(external(arena_printf(arena,
                                      "{\"file\":\"%s\",\"format\":{\"type\":\"json\","
                                      "\"subject_token_field_name\":\"jwt\"}}",
                                      path),
                         ""));
    ck_assert_int_eq(start(), 0);
    ck_assert_str_eq(rig.request.url, "https://sts.googleapis.com/v1/token");
    ck_assert_str_eq(rig_form(arena, &rig, "grant_type"), "urn:ietf:params:oauth:grant-type:token-exchange");
    ck_assert_str_eq(rig_form(arena, &rig, "audience"), "//iam.googleapis.com/pool");
    ck_assert_str_eq(rig_form(arena, &rig, "subject_token"), "head.body.sig");
    ck_assert_str_eq(rig_form(arena, &rig, "subject_token_type"), "urn:ietf:params:oauth:token-type:jwt");
    ck_assert_str_eq(rig_form(arena, &rig, "requested_token_type"),
                     "urn:ietf:params:oauth:token-type:access_token");
    ck_assert_str_eq(rig_form(arena, &rig, "scope"), GOOGLE_SCOPE_ALL);
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), 0);
    ck_assert(rig_token_is(&rig, "ya29.one"));
    ck_assert_ptr_null(rig.token.identity);
    test_file_write(path, STR("{}"));
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "no subject token is found in");
    free(path);
}
END_TEST

START_TEST(a_federated_subject_from_a_url_impersonates_an_account)
{
    (void)given(external("{\"url\":\"http://169.254.169.254/metadata\",\"headers\":{\"Metadata\":\"True\"}}",
                         ",\"service_account_impersonation_url\":\"" HOP_URL
                         "ci@shop.iam.gserviceaccount.com:generateAccessToken\","
                         "\"service_account_impersonation\":{\"token_lifetime_seconds\":1200}"));
    ck_assert_int_eq(start(), 0);
    ck_assert_str_eq(rig.request.url, "http://169.254.169.254/metadata");
    ck_assert_str_eq(rig_header(&rig, "Metadata"), "True");
    ck_assert_int_eq(rig_answer(&rig, 200, " head.body.sig\n"), 0);
    ck_assert_str_eq(rig_form(arena, &rig, "subject_token"), "head.body.sig");
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), 0);
    ck_assert_int_eq(rig.step, SIGNIN_SEND);
    ck_assert_str_eq(rig.request.url, HOP_URL "ci@shop.iam.gserviceaccount.com:generateAccessToken");
    ck_assert(str_equal_text(secret_reveal(rig.request.bearer_token), "ya29.one"));
    ck_assert(str_equal_text(rig.request.body, "{\"delegates\":[],\"scope\":[\"" GOOGLE_SCOPE_ALL
                                               "\"],\"lifetime\":\"1200s\"}"));
    ck_assert_int_eq(rig_answer(&rig, 200, HOP_ANSWER), 0);
    ck_assert(rig_token_is(&rig, "ya29.two"));
    ck_assert_int_eq(rig.token.expires_wall_ns, RIG_WALL_NS + 3600 * NS_PER_S);
    ck_assert_str_eq(rig.token.identity, "ci@shop.iam.gserviceaccount.com");
}
END_TEST

START_TEST(an_impersonated_account_may_go_by_delegates)
{
    (void)given("{\"type\":\"impersonated_service_account\",\"delegates\":[\"a@x\",\"b@x\"],"
                "\"service_account_impersonation_url\":\"" HOP_URL "t@x:generateAccessToken\","
                "\"source_credentials\":{\"type\":\"authorized_user\",\"client_id\":\"c\","
                "\"client_secret\":\"s\",\"refresh_token\":\"r\"}}");
    ck_assert_int_eq(start(), 0);
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), 0);
    ck_assert(str_starts(rig.request.body, STR("{\"delegates\":[\"a@x\",\"b@x\"],")));
    ck_assert_int_eq(
        rig_answer(&rig, 403,
                   "{\"error\":{\"code\":403,\"status\":\"PERMISSION_DENIED\",\"message\":\"no\"}}"),
        ERR_AUTH);
    ck_assert_contains(rig.err.message, "answered 403: PERMISSION_DENIED: no");
    ck_assert_contains(rig.err.hint, "add-iam-policy-binding t@x");
}
END_TEST

START_TEST(the_last_token_has_the_scope_and_those_before_may_ask_for_it)
{
    const char *const scopes = "https://www.googleapis.com/auth/monitoring.read openid";
    (void)given(service_account("https://oauth2.googleapis.com/token"));
    (void)setenv("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT", "t@x", 1);
    ck_assert_int_eq(rig_begin(&rig, google_signin_new(scopes)), 0);
    struct buf header = BUF_INIT(4096), claims = BUF_INIT(4096);
    ck_assert(test_key_verifies_jwt(key, str_from(rig_form(arena, &rig, "assertion")), &header, &claims));
    ck_assert_contains(buf_text(&claims), "\"scope\":\"" GOOGLE_SCOPE_ALL "\"");
    buf_reset(&header);
    buf_reset(&claims);
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), 0);
    ck_assert(
        str_starts(rig.request.body, STR("{\"delegates\":[],\"scope\":[\"https://www.googleapis.com/auth/"
                                         "monitoring.read\",\"openid\"],")));
    (void)unsetenv("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT");
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert(test_key_verifies_jwt(key, str_from(rig_form(arena, &rig, "assertion")), &header, &claims));
    ck_assert_contains(buf_text(&claims), scopes);
    buf_deinit(&header);
    buf_deinit(&claims);
}
END_TEST

START_TEST(a_token_and_an_account_to_impersonate_come_from_the_environment)
{
    (void)setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.given", 1);
    ck_assert_int_eq(start(), 0);
    ck_assert_int_eq(rig.step, SIGNIN_READY);
    signin_token(rig.signin, &rig.token);
    ck_assert(rig_token_is(&rig, "ya29.given"));
    ck_assert_int_eq(rig.token.expires_wall_ns, 0);
    (void)setenv("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT", "t@x", 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_str_eq(rig.request.url, HOP_URL "t@x:generateAccessToken");
    (void)setenv("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT", "t@x/../y", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    (void)unsetenv("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT");
    (void)setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "two lines\nof it", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    rig_assert_hidden(&rig, "two lines");
}
END_TEST

START_TEST(the_metadata_server_is_asked_last_and_must_say_that_it_is_one)
{
    (void)setenv("GCE_METADATA_HOST", "127.0.0.1:8080", 1);
    ck_assert_int_eq(start(), 0);
    ck_assert_str_eq(rig.request.url,
                     "http://127.0.0.1:8080/computeMetadata/v1/instance/service-accounts/default/"
                     "token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform");
    ck_assert_str_eq(rig_header(&rig, "Metadata-Flavor"), "Google");
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "is not Google's");
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_int_eq(rig_answer(&rig, 503, ""), ERR_UNAVAILABLE);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_int_eq(rig_answer_with(&rig, 200, TOKEN, "metadata-flavor", "Google"), 0);
    ck_assert_int_eq(rig.step, SIGNIN_SEND);
    ck_assert_contains(rig.request.url, "/default/email");
    ck_assert_int_eq(rig_answer_with(&rig, 200, "vm@x\n", "Metadata-Flavor", "Google"), 0);
    ck_assert(rig_token_is(&rig, "ya29.one"));
    ck_assert_str_eq(rig.token.identity, "vm@x");
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_int_eq(rig_answer_with(&rig, 200, TOKEN, "metadata-flavor", "Google"), 0);
    ck_assert_int_eq(rig_fail(&rig, ERR_TIMEOUT, "too late"), 0); /* who we are is no must */
    ck_assert_int_eq(rig.step, SIGNIN_READY);
}
END_TEST

START_TEST(where_nothing_is_found_every_place_is_named)
{
    ck_assert_int_eq(start(), 0);
    ck_assert_contains(rig.request.url, "http://metadata.google.internal/");
    ck_assert_int_eq(rig_fail(&rig, ERR_UNAVAILABLE, "no such host"), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "GOOGLE_APPLICATION_CREDENTIALS");
    ck_assert_contains(rig.err.message, ".config/gcloud/application_default_credentials.json");
    ck_assert_contains(rig.err.message, "no such host");
    ck_assert_contains(rig.err.hint, "gcloud auth application-default login");
    (void)setenv("GCE_METADATA_HOST", "evil/path", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
}
END_TEST

START_TEST(gclouds_own_file_and_a_variables_content_are_found)
{
    const char *user = "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"s\","
                       "\"refresh_token\":\"r\"}";
    char *path = test_path(folder, "application_default_credentials.json");
    test_file_write(path, str_from(user));
    (void)setenv("CLOUDSDK_CONFIG", folder, 1);
    ck_assert_int_eq(start(), 0);
    ck_assert_str_eq(rig_form(arena, &rig, "client_id"), "c");
    (void)setenv("GOOGLE_CREDENTIALS", service_account("http://127.0.0.1:1/token"), 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_str_eq(rig.request.url, "http://127.0.0.1:1/token");
    (void)setenv("GOOGLE_CREDENTIALS", "/there/is/no/such.json", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "GOOGLE_CREDENTIALS");
    free(path);
}
END_TEST

static Suite *google_suite(void)
{
    Suite *suite = suite_create("google_signin");
    TCase *tcase = tcase_create("google_signin");
    signin_fixture_add(tcase);
    tcase_add_test(tcase, a_service_account_writes_its_own_grant);
    tcase_add_test(tcase, a_refused_grant_says_why_and_nothing_of_the_key);
    tcase_add_test(tcase, what_passes_is_unavailable_and_what_is_no_answer_is_the_peers);
    tcase_add_test(tcase, a_token_is_renewed_with_the_file_as_it_is_then);
    tcase_add_test(tcase, a_user_gives_the_refresh_token);
    tcase_add_test(tcase, a_federated_subject_from_a_file_is_exchanged);
    tcase_add_test(tcase, a_federated_subject_from_a_url_impersonates_an_account);
    tcase_add_test(tcase, an_impersonated_account_may_go_by_delegates);
    tcase_add_test(tcase, the_last_token_has_the_scope_and_those_before_may_ask_for_it);
    tcase_add_test(tcase, a_token_and_an_account_to_impersonate_come_from_the_environment);
    tcase_add_test(tcase, the_metadata_server_is_asked_last_and_must_say_that_it_is_one);
    tcase_add_test(tcase, where_nothing_is_found_every_place_is_named);
    tcase_add_test(tcase, gclouds_own_file_and_a_variables_content_are_found);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(google_suite)
