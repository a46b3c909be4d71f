#include "provisioner/azure/credentials.h"

#include "provisioner/azure/azure.h"
#include "tests/unit/provisioner/credentials_rig.h"

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"
#define ACCOUNT      ", account: " SUBSCRIPTION
#define TOKEN        "{\"access_token\":\"x.eyJhcHBpZCI6IjEyMyJ9.y\",\"expires_in\":3599}"
#define ENABLED      "{\"state\":\"Enabled\"}"
#define ROLES        "/providers/Microsoft.Authorization/permissions?"
#define ALL          "{\"value\":[{\"actions\":[\"*\"],\"notActions\":[]}]}"
#define CONTRIBUTOR                                                                                          \
    "{\"value\":[{\"actions\":[\"*\"],\"notActions\":[\"Microsoft.Authorization/*/Delete\","                 \
    "\"Microsoft.Authorization/*/Write\"]}]}"

static void begin(void)
{
    cloud_begin();
    (void)unsetenv("ARM_SUBSCRIPTION_ID");
    (void)setenv("ARM_TENANT_ID", "tenant-1", 1);
    (void)setenv("ARM_CLIENT_ID", "client-1", 1);
    (void)setenv("ARM_CLIENT_SECRET", "hush", 1);
    (void)setenv("AZURE_AUTHORITY_HOST", cloud_url(""), 1);
    (void)setenv("FRAISEQL_AZURE_RESOURCE_MANAGER", cloud_url("/"), 1);
    cloud_will("/oauth2/v2.0/token", "200 OK", TOKEN, false);
}

static void end(void)
{
    (void)unsetenv("FRAISEQL_AZURE_RESOURCE_MANAGER");
    cloud_end();
}

static int check(const char *more)
{
    return cloud_check(&provider_azure, more, 20 * NS_PER_S);
}

static void subscription_is_enabled(void)
{
    cloud_will("/subscriptions/" SUBSCRIPTION "?", "200 OK", ENABLED, false);
}

START_TEST(who_may_do_all_is_well)
{
    subscription_is_enabled();
    cloud_will(ROLES, "200 OK", ALL, false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_msg(cloud.check.ok, "%s", cloud.check.problem);
    ck_assert_str_eq(cloud.check.identity, "123");
    ck_assert_str_eq(cloud.asked, "POST /tenant-1/oauth2/v2.0/token\n"
                                  "GET /subscriptions/" SUBSCRIPTION "?api-version=2022-12-01\n"
                                  "GET /subscriptions/" SUBSCRIPTION
                                  "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01\n");
    ck_assert_contains(cloud.bodies, "scope=https%3A%2F%2Fmanagement.azure.com%2F.default");
    ck_assert_contains(cloud.heads, "Authorization: Bearer x.eyJhcHBpZCI6IjEyMyJ9.y");
}
END_TEST

START_TEST(a_contributor_may_assign_no_roles)
{
    subscription_is_enabled();
    cloud_will(ROLES, "200 OK", CONTRIBUTOR, false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert(!cloud.check.ok);
    ck_assert_contains(cloud.check.problem, "123 lacks 4 of ");
    ck_assert_contains(cloud.check.problem,
                       "Microsoft.Authorization/roleAssignments/write, "
                       "Microsoft.Authorization/roleAssignments/delete, Microsoft.Authorization/locks/write");
    ck_assert_str_eq(cloud.check.mend, "az role assignment create --assignee 123 --role 'User Access "
                                       "Administrator' --scope /subscriptions/" SUBSCRIPTION);
}
END_TEST

START_TEST(roles_on_later_pages_count_and_pages_elsewhere_are_not_asked)
{
    subscription_is_enabled();
    cloud_will("page=2", "200 OK", "{\"value\":[{\"actions\":[\"Microsoft.Authorization/*\"]}]}", false);
    cloud_will(ROLES, "200 OK",
               arena_printf(cloud.arena, "%.*s,\"nextLink\":\"%s\"}", (int)(sizeof CONTRIBUTOR - 2),
                            CONTRIBUTOR, cloud_url("/subscriptions/x?page=2")),
               true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_msg(cloud.check.ok, "%s", cloud.check.problem);
    cloud_will(ROLES, "200 OK", "{\"value\":[],\"nextLink\":\"http://127.0.0.1:1/x\"}", true);
    ck_assert_int_eq(check(ACCOUNT), ERR_PEER);
    cloud_will(ROLES, "200 OK",
               arena_printf(cloud.arena, "{\"value\":[],\"nextLink\":\"%s\"}", cloud_url(".example.com/x")),
               true);
    ck_assert_int_eq(check(ACCOUNT), ERR_PEER);
    ck_assert_contains(cloud.err.message, "lies elsewhere");
    cloud_will(
        ROLES, "200 OK",
        arena_printf(cloud.arena, "{\"value\":[],\"nextLink\":\"%s\"}", cloud_url("/again" ROLES "x=1")),
        false);
    ck_assert_msg(check(ACCOUNT) == ERR_LIMIT, "%s", cloud.err.message);
}
END_TEST

START_TEST(permissions_that_may_not_be_read_are_not_guessed)
{
    subscription_is_enabled();
    cloud_will(ROLES, "403 Forbidden", "{\"error\":{\"code\":\"AuthorizationFailed\"}}", false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert(cloud.check.ok);
    ck_assert_contains(cloud.check.note, "Microsoft.Authorization/permissions/read is not allowed");
    ck_assert_uint_eq(cloud.check.missing.count, 0);
}
END_TEST

/* Who may only make is told so before it is too late to remove. */
START_TEST(who_may_neither_read_nor_remove)
{
    subscription_is_enabled();
    cloud_will(ROLES, "200 OK",
               "{\"value\":[{\"actions\":[\"*\"],\"notActions\":[\"*/natGateways/read\",\"*/"
               "publicIPAddresses/delete\"]}]}",
               false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "123 lacks 2 of ");
    ck_assert_contains(cloud.check.problem,
                       "Microsoft.Network/publicIPAddresses/delete, Microsoft.Network/natGateways/read");
    ck_assert_contains(cloud.check.mend, "--role 'Contributor'");
}
END_TEST

START_TEST(nothing_allowed_names_both_roles)
{
    subscription_is_enabled();
    cloud_will(ROLES, "200 OK", "{\"value\":[]}", false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.mend, "--role 'Contributor'");
    ck_assert_contains(cloud.check.mend, " && az role assignment create");
    ck_assert_uint_gt(cloud.check.missing.count, 80);
    ck_assert_contains(cloud.check.problem, " more");
}
END_TEST

START_TEST(a_subscription_comes_from_the_environment_or_is_missed)
{
    subscription_is_enabled();
    cloud_will(ROLES, "200 OK", ALL, false);
    ck_assert_int_eq(check(""), 0);
    ck_assert_contains(cloud.check.problem, "no subscription is named");
    (void)setenv("ARM_SUBSCRIPTION_ID", SUBSCRIPTION, 1);
    ck_assert_int_eq(check(""), 0);
    ck_assert(cloud.check.ok);
    (void)setenv("ARM_SUBSCRIPTION_ID", "../x", 1);
    ck_assert_int_eq(check(""), 0);
    ck_assert_contains(cloud.check.problem, "is no subscription's id");
    (void)unsetenv("ARM_SUBSCRIPTION_ID");
}
END_TEST

START_TEST(a_subscription_that_is_off_or_not_seen)
{
    const char *at = "/subscriptions/" SUBSCRIPTION "?";
    cloud_will(at, "200 OK", "{\"state\":\"Disabled\"}", true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "its state is Disabled");
    cloud_will(at, "404 Not Found", "{\"error\":{\"code\":\"SubscriptionNotFound\",\"message\":\"no\"}}",
               true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "SubscriptionNotFound");
    ck_assert_contains(cloud.check.mend, "az role assignment create --assignee 123 --role Contributor");
    cloud_will(at, "401 Unauthorized",
               "{\"error\":{\"code\":\"InvalidAuthenticationTokenTenant\",\"message\":\"wrong issuer\"}}",
               true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.mend, "export ARM_TENANT_ID=");
    cloud_will(at, "200 OK", "{}", true);
    ck_assert_int_eq(check(ACCOUNT), ERR_PEER);
    cloud_will(at, "200 OK", "[]", true);
    ck_assert_int_eq(check(ACCOUNT), ERR_PEER);
    cloud_will(at, "503 Away", "", false);
    ck_assert_int_eq(cloud_check(&provider_azure, ACCOUNT, NS_PER_S), ERR_UNAVAILABLE);
}
END_TEST

START_TEST(a_provider_we_may_not_register_must_be_registered)
{
    subscription_is_enabled();
    cloud_will(ROLES, "200 OK", "{\"value\":[{\"actions\":[\"*\"],\"notActions\":[\"*/register/action\"]}]}",
               false);
    cloud_will("/providers/Microsoft.KeyVault?", "200 OK", "{\"registrationState\":\"NotRegistered\"}",
               false);
    cloud_will("/providers/Microsoft.Network?", "403 Forbidden", "{}", false);
    cloud_will("/providers/Microsoft.", "200 OK", "{\"registrationState\":\"Registered\"}", false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert(!cloud.check.ok);
    ck_assert_contains(cloud.check.problem, "may not register them: Microsoft.KeyVault");
    ck_assert_contains(cloud.check.note, "could not be seen: Microsoft.Network");
    ck_assert_str_eq(cloud.check.mend,
                     "az provider register --namespace Microsoft.KeyVault --subscription " SUBSCRIPTION);
}
END_TEST

START_TEST(what_terraform_would_not_find_is_noted)
{
    subscription_is_enabled();
    cloud_will(ROLES, "200 OK", ALL, false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_ptr_null(cloud.check.note);
    (void)unsetenv("ARM_CLIENT_SECRET");
    (void)setenv("AZURE_CLIENT_SECRET", "hush", 1);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert(cloud.check.ok);
    ck_assert_contains(cloud.check.note, "not the names that begin with AZURE_");
    (void)unsetenv("AZURE_CLIENT_SECRET");
    (void)setenv("IDENTITY_ENDPOINT", cloud_url("/oauth2/v2.0/token"), 1);
    (void)setenv("IDENTITY_HEADER", "hush", 1);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.note, "ARM_USE_MSI=true");
    (void)setenv("ARM_USE_MSI", "true", 1);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_ptr_null(cloud.check.note);
}
END_TEST

START_TEST(refused_and_absent_credentials_are_the_operators_to_mend)
{
    cloud.count = 0;
    cloud_will("/oauth2/v2.0/token", "401 Unauthorized",
               "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid.\"}", true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "AADSTS7000215");
    ck_assert_contains(cloud.check.mend, "ARM_CLIENT_SECRET");
    ck_assert_ptr_null(strstr(cloud.check.problem, "hush"));
    (void)unsetenv("ARM_CLIENT_SECRET");
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "no Azure credentials are found");
    (void)setenv("FRAISEQL_AZURE_RESOURCE_MANAGER", "http://example.com", 1);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "is not https");
}
END_TEST

static Suite *credentials_suite(void)
{
    Suite *suite = suite_create("azure_credentials");
    TCase *tcase = tcase_create("azure_credentials");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, who_may_do_all_is_well);
    tcase_add_test(tcase, a_contributor_may_assign_no_roles);
    tcase_add_test(tcase, roles_on_later_pages_count_and_pages_elsewhere_are_not_asked);
    tcase_add_test(tcase, permissions_that_may_not_be_read_are_not_guessed);
    tcase_add_test(tcase, who_may_neither_read_nor_remove);
    tcase_add_test(tcase, nothing_allowed_names_both_roles);
    tcase_add_test(tcase, a_subscription_comes_from_the_environment_or_is_missed);
    tcase_add_test(tcase, a_subscription_that_is_off_or_not_seen);
    tcase_add_test(tcase, a_provider_we_may_not_register_must_be_registered);
    tcase_add_test(tcase, what_terraform_would_not_find_is_noted);
    tcase_add_test(tcase, refused_and_absent_credentials_are_the_operators_to_mend);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(credentials_suite)
