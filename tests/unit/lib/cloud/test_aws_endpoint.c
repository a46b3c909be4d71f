#include "lib/cloud/aws_endpoint.h"
#include "tests/unit/lib/cloud/aws_fixture.h"

#include <errno.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_new(0);
    fixture_env_clear();
}

static void end(void)
{
    arena_free(arena);
}

static struct aws_endpoint found(const char *service, const char *region)
{
    struct aws_endpoint endpoint = {0};
    struct error err = {0};
    ck_assert_msg(aws_endpoint_find(service, region, fixture_env, arena, &endpoint, &err) == 0, "%s",
                  err.message);
    return endpoint;
}

START_TEST(the_hosts_are_those_of_botocore)
{
    static const struct {
        const char *region, *sts, *iam, *iam_region, *partition;
    } cases[] = {
        {"us-east-1", "https://sts.us-east-1.amazonaws.com/", "https://iam.amazonaws.com/", "us-east-1",
         "aws"},
        {"eu-west-1", "https://sts.eu-west-1.amazonaws.com/", "https://iam.amazonaws.com/", "us-east-1",
         "aws"},
        {"cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/", "https://iam.cn-north-1.amazonaws.com.cn/",
         "cn-north-1", "aws-cn"},
        {"us-gov-east-1", "https://sts.us-gov-east-1.amazonaws.com/", "https://iam.us-gov.amazonaws.com/",
         "us-gov-west-1", "aws-us-gov"},
        {"us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov/", "https://iam.us-iso-east-1.c2s.ic.gov/",
         "us-iso-east-1", "aws-iso"},
        {"eusc-de-east-1", "https://sts.eusc-de-east-1.amazonaws.eu/",
         "https://iam.eusc-de-east-1.amazonaws.eu/", "eusc-de-east-1", "aws-eusc"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct aws_endpoint sts = found("sts", cases[i].region), iam = found("iam", cases[i].region);
        ck_assert_str_eq(sts.url, cases[i].sts);
        ck_assert_str_eq(sts.region, cases[i].region);
        ck_assert_str_eq(found("logs", cases[i].region).url + 8 + 4, cases[i].sts + 8 + 3);
        ck_assert_str_eq(iam.url, cases[i].iam);
        ck_assert_str_eq(iam.region, cases[i].iam_region);
        ck_assert_str_eq(aws_partition(cases[i].region), cases[i].partition);
    }
}
END_TEST

START_TEST(the_environment_moves_them)
{
    fixture_env_set("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
    ck_assert_str_eq(found("sts", "eu-west-1").url, "http://127.0.0.1:4566/");
    ck_assert_str_eq(found("iam", "eu-west-1").region, "us-east-1");
    ck_assert_str_eq(found("logs", "eu-west-1").url, "http://127.0.0.1:4566/");
    fixture_env_set("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://127.0.0.1:1");
    ck_assert_str_eq(found("logs", "eu-west-1").url, "http://127.0.0.1:1/");
    ck_assert_str_eq(found("logs", "eu-west-1").service, "logs");
    fixture_env_set("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:2");
    ck_assert_str_eq(found("ssm", "eu-west-1").url, "http://127.0.0.1:2/");
    fixture_env_set("AWS_ENDPOINT_URL_STS", "https://sts.internal/x/");
    ck_assert_str_eq(found("sts", "eu-west-1").url, "https://sts.internal/x/");
    ck_assert_str_eq(found("iam", "eu-west-1").url, "http://127.0.0.1:4566/");
    ck_assert_ptr_null(found("sts", "eu-west-1").ca_file);
    fixture_env_set("AWS_CA_BUNDLE", "/ca.pem");
    ck_assert_str_eq(found("sts", "eu-west-1").ca_file, "/ca.pem");
    fixture_env_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True");
    ck_assert_str_eq(found("sts", "eu-west-1").url, "https://sts.eu-west-1.amazonaws.com/");
}
END_TEST

START_TEST(plain_http_stays_on_this_machine)
{
    static const char *const urls[] = {"http://sts.example.com", "http://169.254.170.2",
                                       "http://10.0.0.1:4566/x", "http://127.0.0.1.example.com/"};
    struct aws_endpoint endpoint;
    struct error err = {0};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        fixture_env_set("AWS_ENDPOINT_URL", urls[i]);
        ck_assert_int_eq(aws_endpoint_find("sts", "eu-west-1", fixture_env, arena, &endpoint, &err),
                         -ENOTSUP);
        ck_assert_contains(err.message, "AWS_ENDPOINT_URL is plain http to another machine");
    }
}
END_TEST

START_TEST(what_is_no_url_or_no_region_is_refused)
{
    static const char *const urls[] = {"sts.internal", "ftp://x/", "https://u:p@h/", "https://h/?a",
                                       "https://h/#a"};
    static const char *const regions[] = {"", "EU", "eu west", "a.b/", "evil.example.com#"};
    struct aws_endpoint endpoint;
    struct error err = {0};
    for (size_t i = 0; i < ARRAY_LEN(regions); i++)
        ck_assert_int_eq(aws_endpoint_find("sts", regions[i], fixture_env, arena, &endpoint, &err),
                         ERR_CONFIG);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        fixture_env_set("AWS_ENDPOINT_URL_STS", urls[i]);
        ck_assert_int_eq(aws_endpoint_find("sts", "eu-west-1", fixture_env, arena, &endpoint, &err),
                         ERR_CONFIG);
        ck_assert_contains(err.message, "AWS_ENDPOINT_URL_STS");
        ck_assert_ptr_null(strstr(err.message, "u:p"));
    }
}
END_TEST

static Suite *endpoint_suite(void)
{
    Suite *suite = suite_create("aws_endpoint");
    TCase *tcase = tcase_create("aws_endpoint");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_hosts_are_those_of_botocore);
    tcase_add_test(tcase, the_environment_moves_them);
    tcase_add_test(tcase, plain_http_stays_on_this_machine);
    tcase_add_test(tcase, what_is_no_url_or_no_region_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(endpoint_suite)
