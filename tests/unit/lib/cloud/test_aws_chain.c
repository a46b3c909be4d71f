/* aws_chain.c and aws_chain_profile.c: which place wins, and what each says when it is half there. */
#include "lib/cloud/aws_chain.h"
#include "tests/unit/lib/cloud/aws_fixture.h"

#include <errno.h>
#include <stdlib.h>

#define ROLE "arn:aws:iam::123456789012:role/deploy"

static struct arena *arena;
static struct aws_plan plan;
static struct error err;
static char *folder;

static void begin(void)
{
    arena = arena_new(0);
    folder = test_folder_new();
    fixture_env_clear();
    fixture_env_set("HOME", folder);
    error_clear(&err);
    plan = (struct aws_plan){0};
}

static void end(void)
{
    aws_plan_deinit(&plan);
    test_folder_remove(folder);
    arena_free(arena);
}

static void file(const char *variable, const char *name, const char *text)
{
    char *path = test_path(folder, name);
    test_file_write(path, str_from(text));
    fixture_env_set(variable, arena_strdup(arena, str_from(path)));
    free(path);
}

static int find(const char *role)
{
    const struct aws_chain_options options = {.env = fixture_env, .role_arn = role};
    aws_plan_deinit(&plan);
    error_clear(&err);
    return aws_chain_find(&options, arena, &plan, &err);
}

static void check_code(int code, const char *says)
{
    ck_assert_int_eq(find(NULL), code);
    ck_assert_int_eq(err.code, code);
    ck_assert_contains(err.message, says);
    ck_assert_ptr_null(strstr(err.message, "s3cret"));
}

static void check_refused(const char *says)
{
    check_code(ERR_CONFIG, says);
}

static void check_keys(const char *id, const char *name)
{
    ck_assert_msg(find(NULL) == 0, "%s", err.message);
    ck_assert_int_eq(plan.source, AWS_FROM_KEYS);
    ck_assert_str_eq(plan.keys.access_key_id, id);
    ck_assert_str_eq(plan.name, name);
}

START_TEST(the_environment_is_first)
{
    file("AWS_SHARED_CREDENTIALS_FILE", "c",
         "[default]\naws_access_key_id=FILE\naws_secret_access_key=s3cret\n");
    check_keys("FILE", "profile default");
    fixture_env_set("AWS_ACCESS_KEY_ID", "ENV");
    check_refused("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
    fixture_env_set("AWS_SECRET_ACCESS_KEY", "s3cret");
    fixture_env_set("AWS_SECURITY_TOKEN", "old");
    check_keys("ENV", "environment");
    ck_assert(str_equal(secret_reveal(plan.keys.session), STR("old")));
    fixture_env_set("AWS_SESSION_TOKEN", "new");
    fixture_env_set("AWS_CREDENTIAL_EXPIRATION", "2015-08-30T12:36:00Z");
    check_keys("ENV", "environment");
    ck_assert(str_equal(secret_reveal(plan.keys.session), STR("new")));
    ck_assert_int_eq(plan.keys.expires_wall_ns, INT64_C(1440938160) * NS_PER_S);
    fixture_env_set("AWS_CREDENTIAL_EXPIRATION", "soon");
    check_refused("AWS_CREDENTIAL_EXPIRATION is not a time");
    fixture_env_set("AWS_SECRET_ACCESS_KEY", "s3cret ");
    check_refused("environment: the secret access key is empty or has bytes");
}
END_TEST

START_TEST(profiles)
{
    file("AWS_SHARED_CREDENTIALS_FILE", "c",
         "[a]\naws_access_key_id=A\naws_secret_access_key=s3cret\naws_session_token=t\n"
         "[half]\naws_access_key_id=A\n[bad]\naws_access_key_id=A B\n"
         "aws_secret_access_key=s3cret\n");
    file("AWS_CONFIG_FILE", "f",
         "[profile b]\naws_access_key_id=B\naws_secret_access_key=s3cret\n"
         "[profile sso]\nsso_session=corp\n[profile old]\nsso_start_url=https://x\n"
         "[profile run]\ncredential_process=/bin/x\n");
    fixture_env_set("AWS_DEFAULT_PROFILE", "a");
    check_keys("A", "profile a");
    ck_assert(str_equal(secret_reveal(plan.keys.session), STR("t")));
    fixture_env_set("AWS_PROFILE", "b");
    check_keys("B", "profile b");
    static const struct {
        const char *profile, *says;
        unsigned line;
        int code;
    } refused[] = {
        {"none",
         "AWS_PROFILE names the profile none, and AWS_ACCESS_KEY_ID is not set; profile none is not in", 0,
         ERR_CONFIG},
        {"half", "profile half: aws_access_key_id is there and aws_secret_access_key is not", 6, ERR_CONFIG},
        {"bad", "profile bad: the access key is empty or has bytes", 8, ERR_CONFIG},
        {"sso", "profile sso: signing in by SSO is not part of this program", 5, -ENOTSUP},
        {"old", "profile old: signing in by SSO", 7, -ENOTSUP},
        {"run", "profile run: this program runs no credential_process", 9, -ENOTSUP},
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        fixture_env_set("AWS_PROFILE", refused[i].profile);
        check_code(refused[i].code, refused[i].says);
        ck_assert_uint_eq(err.line, refused[i].line);
        ck_assert(err.hint[0] || err.file[0]);
    }
}
END_TEST

START_TEST(roles_are_assumed_one_with_the_other)
{
    file("AWS_CONFIG_FILE", "f",
         "[profile one]\nrole_arn=arn:aws:iam::1:role/one\nsource_profile=two\nexternal_id=x\n"
         "role_session_name=me\nduration_seconds=900\n"
         "[profile two]\nrole_arn=arn:aws:iam::1:role/two\nsource_profile=base\n"
         "[profile base]\naws_access_key_id=B\naws_secret_access_key=s3cret\n");
    fixture_env_set("AWS_PROFILE", "one");
    ck_assert_msg(find(ROLE) == 0, "%s", err.message);
    ck_assert_str_eq(plan.keys.access_key_id, "B");
    ck_assert_uint_eq(plan.role_count, 3);
    ck_assert_str_eq(plan.roles[0].arn, "arn:aws:iam::1:role/two");
    ck_assert_str_eq(plan.roles[0].session_name, "fraiseql");
    ck_assert_ptr_null(plan.roles[0].external_id);
    ck_assert_str_eq(plan.roles[1].arn, "arn:aws:iam::1:role/one");
    ck_assert_str_eq(plan.roles[1].session_name, "me");
    ck_assert_str_eq(plan.roles[1].external_id, "x");
    ck_assert_str_eq(plan.roles[1].duration_s, "900");
    ck_assert_str_eq(plan.roles[2].arn, ROLE);
    ck_assert_int_eq(find("arn:aws:iam::1:user/x"), ERR_CONFIG);
    ck_assert_contains(err.message,
                       "the region's account: \"arn:aws:iam::1:user/x\" is not the ARN of a role");
}
END_TEST

START_TEST(a_profile_may_name_itself_and_places)
{
    file("AWS_CONFIG_FILE", "f",
         "[default]\nrole_arn=" ROLE "\nsource_profile=default\naws_access_key_id=D\n"
         "aws_secret_access_key=s3cret\n[profile e]\nrole_arn=" ROLE
         "\ncredential_source=EcsContainer\n[profile i]\nrole_arn=" ROLE
         "\ncredential_source=Ec2InstanceMetadata\n[profile w]\nrole_arn=" ROLE
         "\nsource_profile=token\n[profile token]\nrole_arn=arn:aws:iam::1:role/web\n"
         "web_identity_token_file=/token\n");
    check_keys("D", "profile default");
    ck_assert_uint_eq(plan.role_count, 1);
    fixture_env_set("AWS_PROFILE", "e");
    check_refused("profile e: credential_source names a place where there is nothing");
    fixture_env_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_int_eq(plan.source, AWS_FROM_CONTAINER);
    ck_assert_uint_eq(plan.role_count, 1);
    fixture_env_set("AWS_PROFILE", "i");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_int_eq(plan.source, AWS_FROM_INSTANCE);
    ck_assert(plan.sure);
    fixture_env_set("AWS_PROFILE", "w");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_int_eq(plan.source, AWS_FROM_WEB_IDENTITY);
    ck_assert_str_eq(plan.web.arn, "arn:aws:iam::1:role/web");
    ck_assert_uint_eq(plan.role_count, 1);
    fixture_env_set("AWS_PROFILE", "token");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_str_eq(plan.name, "web identity of profile token");
    ck_assert_uint_eq(plan.role_count, 0);
}
END_TEST

START_TEST(roles_that_lead_nowhere)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"role_arn=" ROLE, "role_arn needs source_profile or credential_source"},
        {"role_arn=" ROLE "\nsource_profile=a\ncredential_source=Environment", "exclude each other"},
        {"role_arn=" ROLE "\nsource_profile=gone", "a profile that is not there"},
        {"role_arn=" ROLE "\nsource_profile=empty", "a profile that has no credentials"},
        {"role_arn=" ROLE "\nsource_profile=circle", "in a circle"},
        {"role_arn=" ROLE "\nsource_profile=sso", "profile sso: signing in by SSO"},
        {"role_arn=" ROLE "\ncredential_source=Elsewhere", "none of Environment"},
        {"role_arn=" ROLE "\ncredential_source=Environment", "a place where there is nothing"},
        {"role_arn=" ROLE "\nsource_profile=empty\nmfa_serial=arn:x", "mfa_serial asks for a code"},
        {"role_arn=" ROLE "\nsource_profile=empty\nduration_seconds=60", "not between 900 and 43200"},
        {"role_arn=deploy\nsource_profile=keys", "\"deploy\" is not the ARN of a role"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        file("AWS_CONFIG_FILE", "f",
             arena_printf(arena,
                          "[default]\n%s\n[profile empty]\nregion=x\n[profile circle]\nrole_arn=" ROLE
                          "\nsource_profile=default\n[profile sso]\nsso_session=x\n[profile keys]\n"
                          "aws_access_key_id=K\naws_secret_access_key=s3cret\n",
                          cases[i].text));
        check_code(strstr(cases[i].says, "SSO") ? -ENOTSUP : ERR_CONFIG, cases[i].says);
    }
}
END_TEST

START_TEST(what_is_chosen_comes_before_what_is_found)
{
    file("AWS_SHARED_CREDENTIALS_FILE", "c",
         "[monitoring]\naws_access_key_id=FILE\naws_secret_access_key=s3cret\n");
    char *other = test_path(folder, "other");
    test_file_write(other, STR("[monitoring]\naws_access_key_id=OTHER\naws_secret_access_key=s3cret\n"));
    fixture_env_set("AWS_ACCESS_KEY_ID", "ENV");
    fixture_env_set("AWS_SECRET_ACCESS_KEY", "s3cret");
    fixture_env_set("AWS_PROFILE", "nothing");
    struct aws_chain_options options = {.env = fixture_env,
                                        .role_arn = "arn:aws:iam::1:role/r",
                                        .external_id = "shop",
                                        .profile = "monitoring"};
    ck_assert_int_eq(aws_chain_find(&options, arena, &plan, &err), 0);
    ck_assert_str_eq(plan.keys.access_key_id, "FILE");
    ck_assert_str_eq(plan.roles[0].external_id, "shop");
    aws_plan_deinit(&plan);
    options.credentials_file = other;
    ck_assert_int_eq(aws_chain_find(&options, arena, &plan, &err), 0);
    ck_assert_str_eq(plan.keys.access_key_id, "OTHER");
    aws_plan_deinit(&plan);
    options.profile = "missing";
    ck_assert_int_eq(aws_chain_find(&options, arena, &plan, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "the configuration names the profile missing");
    free(other);
}
END_TEST

START_TEST(web_identities)
{
    fixture_env_set("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
    check_refused("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
    fixture_env_set("AWS_ROLE_ARN", ROLE);
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_int_eq(plan.source, AWS_FROM_WEB_IDENTITY);
    ck_assert_str_eq(plan.web.arn, ROLE);
    ck_assert_str_eq(plan.web.session_name, "fraiseql");
    fixture_env_set("AWS_ROLE_SESSION_NAME", "pod");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_str_eq(plan.web.session_name, "pod");
}
END_TEST

START_TEST(containers)
{
    static const struct {
        const char *url;
        bool taken;
    } cases[] = {
        {"https://anywhere.example/x", true},
        {"http://localhost:1234/x", true},
        {"http://127.0.0.1/x", true},
        {"http://127.9.9.9:1/", true},
        {"http://[::1]:8/", true},
        {"http://169.254.170.2/", true},
        {"http://169.254.170.23/v1", true},
        {"http://[fd00:ec2::23]/", true},
        {"http://169.254.170.24/", false},
        {"http://example.com/", false},
        {"http://127.0.0.1.example.com/", false},
        {"ftp://x/", false},
        {"http://localhost:x@evil.example/", false},
        {"http://localhost.evil.example/", false},
        {"http://10.0.0.1/", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_env_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", cases[i].url);
        int code = find(NULL);
        ck_assert_msg((code == 0) == cases[i].taken, "%s", cases[i].url);
        ck_assert(code || strcmp(plan.url, cases[i].url) == 0);
    }
    fixture_env_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "v2");
    check_refused("does not begin with a slash");
    fixture_env_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2");
    fixture_env_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "t");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_str_eq(plan.url, "http://169.254.170.2/v2");
    ck_assert(str_equal(secret_reveal(plan.token), STR("t")));
    fixture_env_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_ptr_null(plan.token);
    ck_assert_str_eq(plan.token_file, "/t");
    fixture_env_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", NULL);
    fixture_env_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "t\r\nX: y");
    check_refused("AWS_CONTAINER_AUTHORIZATION_TOKEN has a line end");
}
END_TEST

START_TEST(the_last_place_and_what_is_said_when_there_is_nothing)
{
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_int_eq(plan.source, AWS_FROM_INSTANCE);
    ck_assert(!plan.sure);
    ck_assert_str_eq(plan.url, "http://169.254.169.254");
    fixture_env_set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_str_eq(plan.url, "http://[fd00:ec2::254]");
    fixture_env_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338//");
    ck_assert_int_eq(find(NULL), 0);
    ck_assert_str_eq(plan.url, "http://127.0.0.1:1338");
    fixture_env_set("AWS_EC2_METADATA_DISABLED", "TRUE");
    ck_assert_int_eq(find(NULL), ERR_CONFIG);
    ck_assert_str_eq(
        err.message,
        arena_printf(arena,
                     "no AWS credentials: AWS_ACCESS_KEY_ID is not set; neither %s/.aws/credentials nor "
                     "%s/.aws/config is there; AWS_WEB_IDENTITY_TOKEN_FILE is not set; "
                     "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set; "
                     "AWS_EC2_METADATA_DISABLED is true",
                     folder, folder));
    ck_assert_contains(err.hint, "aws configure");
}
END_TEST

static Suite *chain_suite(void)
{
    Suite *suite = suite_create("aws_chain");
    TCase *tcase = tcase_create("aws_chain");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_environment_is_first);
    tcase_add_test(tcase, profiles);
    tcase_add_test(tcase, roles_are_assumed_one_with_the_other);
    tcase_add_test(tcase, a_profile_may_name_itself_and_places);
    tcase_add_test(tcase, roles_that_lead_nowhere);
    tcase_add_test(tcase, what_is_chosen_comes_before_what_is_found);
    tcase_add_test(tcase, web_identities);
    tcase_add_test(tcase, containers);
    tcase_add_test(tcase, the_last_place_and_what_is_said_when_there_is_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(chain_suite)
