#include "lib/cloud/azure_signin.h"

#include "tests/unit/lib/cloud/signin_fixture.h"

#include <errno.h>

#define SCOPE     "https://management.azure.com/.default"
#define TOKEN_URL "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token"
#define ASSERTED  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
/* {"appid":"123"} */
#define TOKEN "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"x.eyJhcHBpZCI6IjEyMyJ9.y\"}"

static int start(void)
{
    return rig_begin(&rig, azure_signin_new(SCOPE, false));
}

static void client(void)
{
    (void)setenv("ARM_TENANT_ID", "tenant-1", 1);
    (void)setenv("ARM_CLIENT_ID", "client-1", 1);
}

static void assert_form(const char *name, const char *value)
{
    const char *got = rig_form(arena, &rig, name);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, value);
}

START_TEST(a_secret_is_sent_to_the_tenants_endpoint)
{
    client();
    (void)setenv("ARM_CLIENT_SECRET", "hush~&1", 1);
    ck_assert_int_eq(start(), 0);
    ck_assert_str_eq(rig.request.url, TOKEN_URL);
    ck_assert_str_eq(rig.request.method, "POST");
    assert_form("grant_type", "client_credentials");
    assert_form("client_id", "client-1");
    assert_form("client_secret", "hush~&1");
    assert_form("scope", SCOPE);
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), 0);
    ck_assert(rig_token_is(&rig, "x.eyJhcHBpZCI6IjEyMyJ9.y"));
    ck_assert_str_eq(rig.token.identity, "123");
    ck_assert_str_eq(rig.token.source, "ARM_CLIENT_SECRET");
    ck_assert_int_eq(rig.token.expires_wall_ns, RIG_WALL_NS + 3599 * NS_PER_S);
}
END_TEST

START_TEST(refusals_have_their_own_mends)
{
    static const struct {
        const char *words, *hint;
    } cases[] = {{"AADSTS7000222: expired", "az ad app credential reset --id client-1"},
                 {"AADSTS7000215: invalid", "to the secret's value"},
                 {"AADSTS700016: no app", "az ad app show --id client-1"},
                 {"AADSTS90002: no tenant", "az account show"},
                 {"AADSTS1: other", "az ad sp show --id client-1"}};
    client();
    (void)setenv("AZURE_CLIENT_SECRET", "hush", 1);
    ck_assert_int_eq(start(), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_int_eq(rig_again(&rig), 0);
        const char *body = arena_printf(arena,
                                        "{\"error\":\"invalid_client\",\"error_description\":\"%s\\r\\nTrace "
                                        "ID: 1\",\"error_codes\":[1]}",
                                        cases[i].words);
        ck_assert_int_eq(rig_answer(&rig, 401, body), ERR_AUTH);
        ck_assert_contains(rig.err.message, cases[i].words);
        ck_assert_ptr_null(strstr(rig.err.message, "Trace"));
        ck_assert_contains(rig.err.hint, cases[i].hint);
        rig_assert_hidden(&rig, "hush");
    }
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_int_eq(rig_answer(&rig, 503, ""), ERR_UNAVAILABLE);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_int_eq(rig_fail(&rig, ERR_TIMEOUT, "too late"), ERR_TIMEOUT);
}
END_TEST

static void assert_certificate_signs(bool adfs)
{
    struct buf header = BUF_INIT(4096), claims = BUF_INIT(4096), thumbprint = BUF_INIT(256);
    assert_form("client_assertion_type", ASSERTED);
    ck_assert_ptr_null(rig_form(arena, &rig, "client_secret"));
    ck_assert(
        test_key_verifies_jwt(key, str_from(rig_form(arena, &rig, "client_assertion")), &header, &claims));
    test_key_thumbprint(key, !adfs, &thumbprint);
    ck_assert_str_eq(buf_text(&header), arena_printf(arena, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"%s\":\"%s\"}",
                                                     adfs ? "RS256" : "PS256", adfs ? "x5t" : "x5t#S256",
                                                     buf_text(&thumbprint)));
    ck_assert_contains(buf_text(&claims), arena_printf(arena, "\"aud\":\"%s\"", rig.request.url));
    ck_assert_contains(buf_text(&claims), "\"iss\":\"client-1\",\"sub\":\"client-1\",\"jti\":\"");
    ck_assert_contains(buf_text(&claims), "\"iat\":1764131138,\"nbf\":1764131138,\"exp\":1764131738");
    buf_deinit(&header);
    buf_deinit(&claims);
    buf_deinit(&thumbprint);
}

START_TEST(a_certificate_in_pem_signs_the_assertion)
{
    char *parts[] = {test_key_pem(key), test_key_certificate_pem(key)};
    client();
    (void)signin_fixture_name("ARM_CLIENT_CERTIFICATE_PATH", "c.pem",
                              str_from(arena_printf(arena, "%s%s", parts[0], parts[1])));
    (void)setenv("ARM_CLIENT_SECRET", "not used", 1);
    ck_assert_int_eq(start(), 0);
    ck_assert_str_eq(rig.request.url, TOKEN_URL);
    assert_certificate_signs(false);
    (void)setenv("ARM_TENANT_ID", "adfs", 1);
    (void)setenv("AZURE_AUTHORITY_HOST", "https://fs.example.com/", 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_str_eq(rig.request.url, "https://fs.example.com/adfs/oauth2/v2.0/token");
    assert_certificate_signs(true);
    ck_assert_int_eq(signin_next(rig.signin, NULL, NULL, INT64_C(4102444800) * NS_PER_S, &rig.step,
                                 &rig.request, &rig.err),
                     ERR_CONFIG);
    ck_assert_contains(rig.err.message, "a certificate that has ended");
    (void)signin_fixture_name("ARM_CLIENT_CERTIFICATE_PATH", "c.pem", str_from(parts[0]));
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "c.pem, PEM): the certificate's file: holds no certificate");
    (void)setenv("ARM_CLIENT_CERTIFICATE_PATH", "/there/is/no/such.pem", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "ARM_CLIENT_CERTIFICATE_PATH");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        free(parts[i]);
}
END_TEST

START_TEST(a_certificate_in_pkcs12_lies_in_a_file_or_in_a_variable)
{
    struct buf store = BUF_INIT(65536), text = BUF_INIT(65536);
    client();
    test_key_pkcs12(key, "horse", &store);
    (void)signin_fixture_name("AZURE_CLIENT_CERTIFICATE_PATH", "c.pfx", buf_str(&store));
    ck_assert_int_eq(start(), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "no password was given");
    (void)setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "horse", 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    assert_certificate_signs(false);
    (void)unsetenv("AZURE_CLIENT_CERTIFICATE_PATH");
    crypto_base64_encode(buf_str(&store), &text);
    (void)setenv("ARM_CLIENT_CERTIFICATE", buf_text(&text), 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    assert_certificate_signs(false);
    (void)setenv("ARM_CLIENT_CERTIFICATE", "!", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    buf_deinit(&store);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_federated_token_is_the_assertion_and_read_each_time)
{
    (void)setenv("AZURE_TENANT_ID", "tenant-1", 1);
    (void)setenv("AZURE_CLIENT_ID", "client-1", 1);
    (void)signin_fixture_name("AZURE_FEDERATED_TOKEN_FILE", "token", STR("head.body.one\n"));
    ck_assert_int_eq(start(), 0);
    assert_form("client_assertion_type", ASSERTED);
    assert_form("client_assertion", "head.body.one");
    (void)signin_fixture_name("AZURE_FEDERATED_TOKEN_FILE", "token", STR("head.body.two"));
    ck_assert_int_eq(rig_again(&rig), 0);
    assert_form("client_assertion", "head.body.two");
    (void)setenv("ARM_USE_OIDC", "true", 1);
    (void)setenv("ARM_OIDC_TOKEN", "head.body.three", 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    assert_form("client_assertion", "head.body.three");
    (void)unsetenv("ARM_OIDC_TOKEN");
    (void)signin_fixture_name("ARM_OIDC_TOKEN_FILE_PATH", "empty", STR(""));
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "ARM_OIDC_TOKEN_FILE_PATH");
}
END_TEST

START_TEST(a_github_job_gets_its_token_first)
{
    client();
    (void)setenv("ARM_USE_OIDC", "1", 1);
    ck_assert_int_eq(start(), ERR_CONFIG);
    ck_assert_contains(rig.err.hint, "id-token: write");
    (void)setenv("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/x", 1);
    ck_assert_int_eq(rig_again(&rig), -ENOTSUP);
    ck_assert_contains(rig.err.message, "Azure DevOps");
    (void)setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job", 1);
    (void)setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://actions.example.com/?v=1", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    (void)setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "https://actions.example.com/?v=1", 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_str_eq(rig.request.url,
                     "https://actions.example.com/?v=1&audience=api%3A%2F%2FAzureADTokenExchange");
    ck_assert(str_equal_text(secret_reveal(rig.request.bearer_token), "job"));
    ck_assert_int_eq(rig_answer(&rig, 200, "{\"count\":1,\"value\":\"a.b.c\"}"), 0);
    ck_assert_str_eq(rig.request.url, TOKEN_URL);
    assert_form("client_assertion", "a.b.c");
    ck_assert_int_eq(rig_answer(&rig, 200, TOKEN), 0);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_int_eq(rig_answer(&rig, 401, "{}"), ERR_AUTH);
}
END_TEST

START_TEST(a_machines_identity_is_asked_for_when_it_is_wanted)
{
    ck_assert_int_eq(start(), ERR_CONFIG);
    (void)setenv("ARM_USE_MSI", "true", 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_str_eq(rig.request.url,
                     "http://169.254.169.254/metadata/identity/oauth2/"
                     "token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com");
    ck_assert_str_eq(rig_header(&rig, "Metadata"), "true");
    ck_assert_int_eq(rig_answer(&rig, 400, "{\"error\":\"invalid_request\"}"), ERR_AUTH);
    ck_assert_contains(rig.err.hint, "az vm identity assign");
    (void)setenv("ARM_CLIENT_ID", "client-1", 1);
    (void)setenv("ARM_MSI_ENDPOINT", "http://127.0.0.1:99/token", 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_contains(rig.request.url, "http://127.0.0.1:99/token?api-version=2018-02-01&");
    ck_assert_contains(rig.request.url, "&client_id=client-1");
    ck_assert_int_eq(rig_answer(&rig, 200,
                                "{\"access_token\":\"opaque\",\"expires_on\":\"1764134738\","
                                "\"resource\":\"r\",\"token_type\":\"Bearer\"}"),
                     0);
    ck_assert_str_eq(rig.token.identity, "client-1");
    ck_assert_int_eq(rig.token.expires_wall_ns, RIG_WALL_NS + 3600 * NS_PER_S);
    (void)setenv("ARM_MSI_ENDPOINT", "http://example.com/token", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
}
END_TEST

START_TEST(a_hosted_identity_has_its_own_header)
{
    (void)setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token", 1);
    (void)setenv("IDENTITY_HEADER", "hush", 1);
    ck_assert_int_eq(start(), 0);
    ck_assert_contains(rig.request.url, "http://127.0.0.1:41/msi/token?api-version=2019-08-01&resource=");
    ck_assert_str_eq(rig_header(&rig, "X-IDENTITY-HEADER"), "hush");
    ck_assert_int_eq(rig_fail(&rig, ERR_UNAVAILABLE, "refused"), ERR_UNAVAILABLE);
    (void)setenv("IDENTITY_SERVER_THUMBPRINT", "x", 1);
    ck_assert_int_eq(rig_again(&rig), -ENOTSUP);
    ck_assert_contains(rig.err.message, "Service Fabric");
    (void)unsetenv("IDENTITY_SERVER_THUMBPRINT");
    (void)unsetenv("IDENTITY_HEADER");
    (void)setenv("IMDS_ENDPOINT", "x", 1);
    ck_assert_int_eq(rig_again(&rig), -ENOTSUP);
    ck_assert_contains(rig.err.message, "Azure Arc");
}
END_TEST

START_TEST(where_nothing_is_found_the_cli_is_spoken_of)
{
    ck_assert_int_eq(start(), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "ARM_CLIENT_SECRET");
    ck_assert_ptr_null(strstr(rig.err.message, "Azure CLI"));
    ck_assert_contains(rig.err.hint, "az ad sp create-for-rbac");
    char *path = test_path(folder, "azureProfile.json");
    signin_free(rig.signin);
    ck_assert_int_eq(rig_begin(&rig, azure_signin_new(SCOPE, true)), 0);
    ck_assert_contains(rig.request.url, "http://169.254.169.254/");
    ck_assert_int_eq(rig_fail(&rig, ERR_UNAVAILABLE, "no route"), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "no route");
    test_file_write(path, STR("{}"));
    free(path);
    (void)setenv("AZURE_CONFIG_DIR", folder, 1);
    signin_free(rig.signin);
    ck_assert_int_eq(rig_begin(&rig, azure_signin_new(SCOPE, false)), -ENOTSUP);
    ck_assert_contains(rig.err.message, "can be read by the CLI only");
    ck_assert_contains(rig.err.hint, "az ad sp create-for-rbac");
}
END_TEST

START_TEST(what_goes_into_an_address_is_judged)
{
    static const char *const bad[] = {"a/b", "a?b", "..", "a b", "a#"};
    const struct azure_cloud *cloud;
    (void)setenv("ARM_CLIENT_SECRET", "hush", 1);
    ck_assert_int_eq(start(), ERR_CONFIG);
    ck_assert_contains(rig.err.message, "ARM_CLIENT_SECRET is set, and ARM_TENANT_ID is not");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        client();
        (void)setenv("ARM_TENANT_ID", bad[i], 1);
        ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
        client();
        (void)setenv("ARM_CLIENT_ID", bad[i], 1);
        ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    }
    client();
    (void)setenv("AZURE_AUTHORITY_HOST", "http://login.example.com", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    (void)unsetenv("AZURE_AUTHORITY_HOST");
    (void)setenv("ARM_ENVIRONMENT", "usgovernment", 1);
    ck_assert_int_eq(rig_again(&rig), 0);
    ck_assert_contains(rig.request.url, "https://login.microsoftonline.us/tenant-1/");
    ck_assert_int_eq(azure_cloud(&cloud, NULL), 0);
    ck_assert_str_eq(cloud->manager, "https://management.usgovcloudapi.net");
    (void)setenv("ARM_ENVIRONMENT", "mars", 1);
    ck_assert_int_eq(rig_again(&rig), ERR_CONFIG);
    (void)unsetenv("ARM_ENVIRONMENT");
    (void)unsetenv("ARM_CLIENT_ID");
    (void)signin_fixture_name("ARM_CLIENT_ID_FILE_PATH", "id", STR("client-2\n"));
    ck_assert_int_eq(rig_again(&rig), 0);
    assert_form("client_id", "client-2");
    (void)unsetenv("ARM_CLIENT_SECRET");
    (void)signin_fixture_name("ARM_CLIENT_SECRET_FILE_PATH", "secret", STR("hush 2\n"));
    ck_assert_int_eq(rig_again(&rig), 0);
    assert_form("client_secret", "hush 2");
}
END_TEST

START_TEST(what_a_configuration_names_goes_before_the_environment)
{
    (void)setenv("ARM_TENANT_ID", "other", 1);
    (void)setenv("ARM_CLIENT_ID", "other", 1);
    (void)setenv("ARM_CLIENT_SECRET", "other", 1);
    (void)signin_fixture_name("SECRET", "secret", STR("hush 3\n"));
    struct azure_given given = {
        .tenant = "tenant-1", .client = "client-1", .secret_file = getenv("SECRET"), .machine = true};
    ck_assert_int_eq(rig_begin(&rig, azure_signin_given(SCOPE, &given)), 0);
    ck_assert_str_eq(rig.request.url, TOKEN_URL);
    assert_form("client_id", "client-1");
    assert_form("client_secret", "hush 3");
    given.authority = "http://127.0.0.1:9";
    given.token_file = given.secret_file;
    given.secret_file = NULL;
    signin_free(rig.signin);
    ck_assert_int_eq(rig_begin(&rig, azure_signin_given(SCOPE, &given)), 0);
    ck_assert_str_eq(rig.request.url, "http://127.0.0.1:9/tenant-1/oauth2/v2.0/token");
    assert_form("client_assertion", "hush 3");
    given.token_file = NULL;
    signin_free(rig.signin);
    ck_assert_int_eq(rig_begin(&rig, azure_signin_given(SCOPE, &given)), 0);
    ck_assert_contains(rig.request.url, "169.254.169.254/metadata/identity/oauth2/token");
    ck_assert_contains(rig.request.url, "client_id=client-1");
    given.client = "a/b";
    signin_free(rig.signin);
    ck_assert_int_eq(rig_begin(&rig, azure_signin_given(SCOPE, &given)), ERR_CONFIG);
}
END_TEST

static Suite *azure_suite(void)
{
    Suite *suite = suite_create("azure_signin");
    TCase *tcase = tcase_create("azure_signin");
    signin_fixture_add(tcase);
    tcase_add_test(tcase, a_secret_is_sent_to_the_tenants_endpoint);
    tcase_add_test(tcase, refusals_have_their_own_mends);
    tcase_add_test(tcase, a_certificate_in_pem_signs_the_assertion);
    tcase_add_test(tcase, a_certificate_in_pkcs12_lies_in_a_file_or_in_a_variable);
    tcase_add_test(tcase, a_federated_token_is_the_assertion_and_read_each_time);
    tcase_add_test(tcase, a_github_job_gets_its_token_first);
    tcase_add_test(tcase, a_machines_identity_is_asked_for_when_it_is_wanted);
    tcase_add_test(tcase, a_hosted_identity_has_its_own_header);
    tcase_add_test(tcase, where_nothing_is_found_the_cli_is_spoken_of);
    tcase_add_test(tcase, what_goes_into_an_address_is_judged);
    tcase_add_test(tcase, what_a_configuration_names_goes_before_the_environment);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_suite)
