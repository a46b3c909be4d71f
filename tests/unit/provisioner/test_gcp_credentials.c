#include "provisioner/gcp/credentials.h"

#include "provisioner/embedded.h"
#include "provisioner/gcp/gcp.h"
#include "tests/unit/provisioner/credentials_rig.h"

#include <stdio.h>

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

/* Everything that was asked for, but for what contains `but` (NULL: all). */
static const char *granting(const char *but)
{
    (void)setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.first", 1);
    cloud_will(":testIamPermissions", "200 OK", "{}", true);
    ck_assert_int_eq(check(ACCOUNT), 0);
    (void)setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.given", 1);
    struct node *root;
    const char *asked = strstr(cloud.bodies, "{\"permissions\"");
    ck_assert_ptr_nonnull(asked);
    struct str text = {asked, strcspn(asked, "\n")};
    ck_assert_int_eq(json_parse(cloud.arena, text, &root, NULL), 0);
    const struct node *list = node_member(root, "permissions");
    struct buf out = BUF_INIT(65536);
    for (size_t i = 0; i < list->count; i++) {
        if (!but || !strstr(list->items[i]->scalar.ptr, but))
            buf_printf(&out, "%s\"%s\"", out.len ? "," : "{\"permissions\":[", list->items[i]->scalar.ptr);
    }
    buf_append_text(&out, "]}");
    const char *kept = arena_strdup(cloud.arena, buf_str(&out));
    buf_deinit(&out);
    cloud.asked[0] = cloud.bodies[0] = cloud.heads[0] = '\0';
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
    ck_assert_str_eq(cloud.asked, "POST /tokeninfo\nPOST /v1/projects/shop-1:testIamPermissions\n");
    ck_assert_contains(cloud.heads, "Authorization: Bearer ya29.given");
    ck_assert_ptr_null(strstr(cloud.asked, "ya29"));
}
END_TEST

START_TEST(what_is_missing_is_listed_with_what_mends_it)
{
    cloud_will(":testIamPermissions", "200 OK", granting("cloudsql."), false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert(!cloud.check.ok);
    ck_assert_contains(cloud.check.problem, "ops@example.com lacks 8 of ");
    ck_assert_contains(cloud.check.problem, "cloudsql.instances.create, cloudsql.databases.create");
    ck_assert_str_eq(cloud.check.mend, "gcloud projects add-iam-policy-binding shop-1 "
                                       "--member=user:ops@example.com --role=roles/cloudsql.admin");
}
END_TEST

START_TEST(each_role_is_named_once)
{
    cloud_will(":testIamPermissions", "200 OK", "{}", false);
    ck_assert_int_eq(check(ACCOUNT), 0);
    ck_assert_contains(cloud.check.problem, " more");
    ck_assert_uint_gt(cloud.check.missing.count, 30);
    ck_assert_str_eq(cloud.check.missing.items[0], "resourcemanager.projects.get");
    ck_assert_contains(cloud.check.mend, "--role=roles/logging.configWriter");
    ck_assert_ptr_null(strstr(cloud.check.mend, "cloudkms")); /* the module makes no keys */
    ck_assert_contains(cloud.check.mend, " && gcloud projects add-iam-policy-binding");
    const char *compute = strstr(cloud.check.mend, "--role=roles/compute.admin");
    ck_assert(compute && !strstr(compute + 1, "--role=roles/compute.admin"));
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
    cloud_will(":testIamPermissions", "400 Bad Request", "{\"error\":{\"message\":\"what\"}}", true);
    ck_assert_int_eq(check(ACCOUNT), ERR_PEER);
    ck_assert_contains(cloud.err.message, "answered 400: what");
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

/* Every type of the modules must be in `types`, each between blanks. */
static unsigned check_types(const char *folder, const char *types)
{
    const struct embedded_file *file;
    unsigned seen = 0;
    size_t count = embedded_under(folder, &file);
    for (size_t i = 0; i < count; i++) {
        const char *text = arena_strdup(cloud.arena, file[i].bytes);
        while ((text = strstr(text, "\nresource \"google_")) != NULL) {
            text += strlen("\nresource \"");
            const char *type = arena_printf(cloud.arena, " %.*s ", (int)strcspn(text, "\""), text);
            ck_assert_msg(strstr(types, type) != NULL, "no row of%s", type);
            seen++;
        }
    }
    return seen;
}

/* Rows of google_calls.txt: what the provider calls is asked for, and nothing else is. Google takes no more
 * than 100 permissions a question. */
START_TEST(what_the_provider_calls_is_asked_for)
{
    const char *asked = granting(NULL);
    char known[16384] = "", types[8192] = " ", line[512];
    FILE *calls = fopen(TEST_SOURCE_DIR "/tests/data/permissions/google_calls.txt", "re");
    unsigned count = 0;
    ck_assert_ptr_nonnull(calls);
    while (fgets(line, sizeof line, calls)) {
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\n")] = '\0';
        char *method = strchr(line, ' '), *permission = strrchr(line, ' ');
        ck_assert_msg(method && permission > method, "%s", line);
        *method++ = '\0';
        *permission++ = '\0';
        const char *quoted = arena_printf(cloud.arena, "\"%s\"", permission);
        (void)strncat(types, arena_printf(cloud.arena, "%s ", line), sizeof types - strlen(types) - 1);
        (void)strncat(known, quoted, sizeof known - strlen(known) - 1);
        /* Without a domain no certificate is made. */
        if (strcmp(permission, "-") != 0 && strncmp(permission, "certificatemanager.", 19) != 0)
            ck_assert_msg(strstr(asked, quoted) != NULL, "%s needs %s", method, permission);
    }
    (void)fclose(calls);
    for (const char *at = strchr(asked, '['); (at = strchr(at, '"')) != NULL;
         at += strcspn(at + 1, "\"") + 2) {
        const char *quoted = arena_printf(cloud.arena, "%.*s", (int)strcspn(at + 1, "\"") + 2, at);
        ck_assert_msg(strstr(known, quoted) != NULL, "%s is asked for, and no call needs it", quoted);
        count++;
    }
    ck_assert_uint_gt(count, 60);
    ck_assert_uint_le(count, 100);
    ck_assert_uint_gt(check_types("gcp/module/", types), 40);
    ck_assert_uint_gt(check_types("global/module/links/gcp/", types), 2);
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
    tcase_add_test(tcase, what_the_provider_calls_is_asked_for);
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
