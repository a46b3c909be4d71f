#include "provisioner/gcp/credentials.h"

#include "provisioner/gcp/gcp.h"
#include "provisioner/gcp/permissions.h"
#include "tests/unit/provisioner/credentials_rig.h"

#define ACCOUNT ", account: shop-1"

static void begin(void)
{
    static const char *const more[] = {"GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT",
                                       "CLOUDSDK_CORE_PROJECT"};
    cloud_begin();
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        (void)unsetenv(more[i]);
    (void)setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.given", 1);
    (void)setenv("GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT", cloud_url("/v1/"), 1);
    (void)setenv("FRAISEQL_GOOGLE_TOKENINFO", cloud_url("/tokeninfo"), 1);
    cloud_will("/tokeninfo", "200 OK", "{\"email\":\"ops@example.com\",\"scope\":\"x\"}", false);
}

static void end(void)
{
    (void)unsetenv("GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT");
    (void)unsetenv("FRAISEQL_GOOGLE_TOKENINFO");
    cloud_end();
}

static int check(const char *more)
{
    return cloud_check(&provider_gcp, more, 20 * NS_PER_S);
}

/* The permissions of the questions so far, in order: Google takes a hundred in one. Returns how many
 * questions. */
static size_t questions(const char **ret_names, size_t room, size_t *ret_count)
{
    size_t asked = 0;
    *ret_count = 0;
    for (const char *at = cloud.bodies; (at = strstr(at, "{\"permissions\"")) != NULL; at++) {
        struct node *root;
        ck_assert_int_eq(json_parse(cloud.arena, (struct str){at, strcspn(at, "\n")}, &root, NULL), 0);
        const struct node *list = node_member(root, "permissions");
        ck_assert_uint_gt(list->count, 0);
        ck_assert_uint_le(list->count, 100);
        ck_assert_uint_le(*ret_count + list->count, room);
        for (size_t i = 0; i < list->count; i++)
            ret_names[(*ret_count)++] = list->items[i]->scalar.ptr;
        asked++;
    }
    return asked;
}

/* Everything, but for what contains `but` (NULL: all): the answer to any of the questions. */
static const char *granting(const char *but)
{
    const struct gcp_permission *list;
    struct deployment *deployment;
    struct findings findings;
    findings_init(&findings, cloud.arena);
    (void)!deployment_parse(cloud.arena, "d.yaml",
                            STR("metadata: {name: shop, environment: production}\n"
                                "regions: {eu: {provider: gcp, location: europe-west1, size: small}}\n"),
                            &deployment, &findings);
    size_t count = gcp_permissions_list(deployment, deployment_region(deployment, 0), cloud.arena, &list);
    struct buf out = BUF_INIT(65536);
    for (size_t i = 0; i < count; i++) {
        if (!but || !strstr(list[i].name, but))
            buf_printf(&out, "%s\"%s\"", out.len ? "," : "{\"permissions\":[", list[i].name);
    }
    buf_append_text(&out, "]}");
    const char *kept = arena_strdup(cloud.arena, buf_str(&out));
    buf_deinit(&out);
    return kept;
}

START_TEST(who_may_do_all_is_well)
{
    cloud_will(":testIamPermissions", "200 OK", granting(NULL), false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert(cloud.check.ok);
    ck_assert_ptr_null(cloud.check.problem);
    ck_assert_str_eq(cloud.check.identity, "ops@example.com");
    ck_assert_str_eq(cloud.check.region, "eu");
    ck_assert_str_eq(cloud.check.provider, "gcp");
    ck_assert_str_eq(cloud.asked, "POST /tokeninfo\n"
                                  "POST /v1/projects/shop-1:testIamPermissions\n"
                                  "POST /v1/projects/shop-1:testIamPermissions\n");
    ck_assert_contains(cloud.heads, "Authorization: Bearer ya29.given");
    ck_assert_ptr_null(strstr(cloud.asked, "ya29"));
}
END_TEST

START_TEST(what_is_missing_is_listed_with_what_mends_it)
{
    cloud_will(":testIamPermissions", "200 OK", granting("cloudsql."), false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert(!cloud.check.ok);
    ck_assert_contains(cloud.check.problem, "ops@example.com lacks 14 of ");
    ck_assert_contains(cloud.check.problem, "cloudsql.instances.create, cloudsql.instances.delete");
    ck_assert_str_eq(cloud.check.mend, "gcloud projects add-iam-policy-binding shop-1 "
                                       "--member=user:ops@example.com --role=roles/cloudsql.admin");
}
END_TEST

START_TEST(each_role_is_named_once)
{
    cloud_will(":testIamPermissions", "200 OK", "{}", false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, " more");
    ck_assert_uint_gt(cloud.check.missing.count, 140);
    ck_assert_str_eq(cloud.check.missing.items[0], "resourcemanager.projects.get");
    ck_assert_contains(cloud.check.mend, "--role=roles/logging.configWriter");
    ck_assert_contains(cloud.check.mend, " && gcloud projects add-iam-policy-binding");
    const char *compute = strstr(cloud.check.mend, "--role=roles/compute.admin");
    ck_assert(compute && !strstr(compute + 1, "--role=roles/compute.admin"));
}
END_TEST

START_TEST(each_question_is_short_and_each_permission_asked_once)
{
    const char *names[400];
    size_t count;
    cloud_will(":testIamPermissions", "200 OK", "{}", false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_uint_eq(questions(names, ARRAY_LEN(names), &count), 2);
    ck_assert_uint_eq(cloud.check.missing.count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(cloud.check.missing.items[i], names[i]);
}
END_TEST

START_TEST(a_later_question_that_fails_fails_all)
{
    cloud_will(":testIamPermissions", "200 OK", "{}", true);
    cloud_will(":testIamPermissions", "409 Conflict", "{\"error\":{\"message\":\"what\"}}", true);
    ck_assert_int_eq(check(ACCOUNT), ERR_PEER);
    ck_assert(!cloud.check.ok);
    ck_assert_ptr_null(cloud.check.problem);
    /* A refusal is found, and what the first question lacked is not told. */
    cloud_will(":testIamPermissions", "200 OK", "{}", true);
    cloud_will(":testIamPermissions", "401 Unauthorized", "{\"error\":{\"status\":\"UNAUTHENTICATED\"}}",
               true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "does not take the token");
    ck_assert_uint_eq(cloud.check.missing.count, 0);
}
END_TEST

START_TEST(a_project_comes_from_the_environment_or_is_missed)
{
    ck_assert_int_eq(check(""), 0);
    ck_assert_contains(cloud.check.problem, "no project is named");
    ck_assert_contains(cloud.check.mend, "export GOOGLE_PROJECT");
    (void)setenv("GOOGLE_CLOUD_PROJECT", "other-2", 1);
    cloud_will(":testIamPermissions", "200 OK", "{}", false);
    ck_assert_int_eq(check(""), 0);
    ck_assert_contains(cloud.asked, "/v1/projects/other-2:testIamPermissions");
    (void)setenv("GOOGLE_PROJECT", "../x", 1);
    ck_assert_int_eq(check(""), 0);
    ck_assert_contains(cloud.check.problem, "is no project's id");
    (void)unsetenv("GOOGLE_PROJECT");
    (void)unsetenv("GOOGLE_CLOUD_PROJECT");
}
END_TEST

START_TEST(an_api_that_is_off_has_its_own_mend)
{
    cloud_will(":testIamPermissions", "403 Forbidden",
               "{\"error\":{\"code\":403,\"status\":\"PERMISSION_DENIED\",\"message\":\"off\",\"details\":["
               "{\"@type\":\"x\"},{\"reason\":\"SERVICE_DISABLED\",\"metadata\":{\"service\":"
               "\"cloudresourcemanager.googleapis.com\",\"consumer\":\"projects/123\"}}]}}",
               true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_str_eq(cloud.check.mend,
                     "gcloud services enable cloudresourcemanager.googleapis.com --project=123");
    /* What a peer says becomes no part of a command unless it is a plain word. */
    cloud_will(":testIamPermissions", "403 Forbidden",
               "{\"error\":{\"details\":[{\"reason\":\"SERVICE_DISABLED\",\"metadata\":{\"service\":\"a;rm\","
               "\"consumer\":\"projects/$(x)\"}}]}}",
               true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_str_eq(cloud.check.mend,
                     "gcloud services enable cloudresourcemanager.googleapis.com --project=shop-1");
}
END_TEST

START_TEST(refusals_differ)
{
    cloud_will(":testIamPermissions", "401 Unauthorized",
               "{\"error\":{\"status\":\"UNAUTHENTICATED\",\"message\":\"old\"}}", true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "does not take the token of ops@example.com");
    cloud_will(":testIamPermissions", "403 Forbidden",
               "{\"error\":{\"details\":[{\"reason\":\"ACCESS_TOKEN_SCOPE_INSUFFICIENT\"}]}}", true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "lacks the scope");
    cloud_will(":testIamPermissions", "403 Forbidden", "{}", true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "project shop-1 does not exist, or ops@example.com may not");
    ck_assert_str_eq(cloud.check.mend, "gcloud projects describe shop-1");
    ck_assert_ptr_null(strstr(cloud.check.problem, "ya29"));
}
END_TEST

START_TEST(where_nobody_could_judge_it_is_an_error)
{
    cloud_will(":testIamPermissions", "409 Conflict", "{\"error\":{\"message\":\"what\"}}", true);
    ck_assert_int_eq(check(ACCOUNT), ERR_PEER);
    ck_assert_contains(cloud.err.message, "answered 409: what");
    cloud_will(":testIamPermissions", "200 OK", "<html>", true);
    ck_assert_int_eq(check(ACCOUNT), ERR_PEER);
    cloud_will(":testIamPermissions", "503 Away", "", false);
    ck_assert_int_eq(cloud_check(&provider_gcp, ACCOUNT, NS_PER_S), ERR_UNAVAILABLE);
    ck_assert(!cloud.check.ok);
}
END_TEST

START_TEST(what_passes_is_waited_out)
{
    cloud_will(":testIamPermissions", "503 Away", "", true);
    cloud_will(":testIamPermissions", "429 Slower", "", true);
    cloud_will(":testIamPermissions", "200 OK", "{}", false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "lacks");
}
END_TEST

START_TEST(an_unknown_name_and_no_credentials_at_all)
{
    cloud.count = 0;
    cloud_will("/tokeninfo", "400 Bad", "{}", false);
    cloud_will(":testIamPermissions", "200 OK", "{}", false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_ptr_null(cloud.check.identity);
    ck_assert_contains(cloud.check.problem, "GOOGLE_OAUTH_ACCESS_TOKEN lacks");
    ck_assert_contains(cloud.check.mend, "--member=MEMBER --role=");
    (void)unsetenv("GOOGLE_OAUTH_ACCESS_TOKEN");
    (void)setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "no Google credentials are found");
    ck_assert_contains(cloud.check.mend, "gcloud auth application-default login");
    (void)setenv("GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT", "http://example.com/", 1);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, "is not https");
}
END_TEST

static Suite *credentials_suite(void)
{
    Suite *suite = suite_create("gcp_credentials");
    TCase *tcase = tcase_create("gcp_credentials");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, who_may_do_all_is_well);
    tcase_add_test(tcase, what_is_missing_is_listed_with_what_mends_it);
    tcase_add_test(tcase, each_role_is_named_once);
    tcase_add_test(tcase, each_question_is_short_and_each_permission_asked_once);
    tcase_add_test(tcase, a_later_question_that_fails_fails_all);
    tcase_add_test(tcase, a_project_comes_from_the_environment_or_is_missed);
    tcase_add_test(tcase, an_api_that_is_off_has_its_own_mend);
    tcase_add_test(tcase, refusals_differ);
    tcase_add_test(tcase, where_nobody_could_judge_it_is_an_error);
    tcase_add_test(tcase, what_passes_is_waited_out);
    tcase_add_test(tcase, an_unknown_name_and_no_credentials_at_all);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(credentials_suite)
