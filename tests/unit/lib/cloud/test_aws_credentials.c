#include "lib/cloud/aws_credentials.h"
#include "tests/unit/lib/cloud/aws_fixture.h"

static struct arena *arena;
static struct aws_credentials credentials;
static struct error err;

static void begin(void)
{
    arena = arena_new(0);
    error_clear(&err);
}

static void end(void)
{
    aws_credentials_clear(&credentials);
    arena_free(arena);
}

START_TEST(keys_without_blanks)
{
    ck_assert_int_eq(aws_credentials_set(&credentials, "AKIA1", "s3cret", "", &err), 0);
    ck_assert_ptr_null(credentials.session);
    ck_assert_int_eq(aws_credentials_set(&credentials, "AKIA2", "s3cret2", "t", &err), 0);
    ck_assert_str_eq(credentials.access_key_id, "AKIA2");
    ck_assert(str_equal(secret_reveal(credentials.session), STR("t")));
    static const char *const wrong[][3] = {{"", "s", NULL}, {"A B", "s", NULL},      {"A/B", "s", NULL},
                                           {"A", "", NULL}, {"A", "s3cret\n", NULL}, {"A", "s", "t t"}};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        ck_assert_int_eq(aws_credentials_set(&credentials, wrong[i][0], wrong[i][1], wrong[i][2], &err),
                         ERR_CONFIG);
        ck_assert_ptr_null(strstr(err.message, "s3cret"));
    }
    ck_assert_str_eq(credentials.access_key_id, "AKIA2");
}
END_TEST

START_TEST(json_of_a_metadata_server)
{
    static const struct {
        const char *body, *says;
    } wrong[] = {
        {"", "not JSON"},
        {"[]", "not JSON"},
        {"{\"AccessKeyId\":\"A\"}", "without AccessKeyId or SecretAccessKey"},
        {"{\"Code\":\"Failed\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s3cret\"}", "says Failed"},
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s3cret\",\"Expiration\":\"soon\"}",
         "a time that is none"},
        {"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s3 cret\"}",
         "the secret access key is empty or has bytes"},
    };
    struct http_response answer = fixture_answer(
        arena, 200,
        "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"tok\","
        "\"Expiration\":\"2015-08-30T12:36:00Z\"}");
    ck_assert_int_eq(aws_credentials_read_json(&credentials, &answer, "it", &err), 0);
    ck_assert_str_eq(credentials.access_key_id, "ASIA");
    ck_assert(str_equal(secret_reveal(credentials.secret), STR("s3cret")));
    ck_assert(str_equal(secret_reveal(credentials.session), STR("tok")));
    ck_assert_int_eq(credentials.expires_wall_ns, INT64_C(1440938160) * NS_PER_S);
    aws_wipe_answer(&answer);
    ck_assert_int_eq(answer.body.ptr[0], 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        answer = fixture_answer(arena, 200, wrong[i].body);
        ck_assert_msg(aws_credentials_read_json(&credentials, &answer, "it", &err) == ERR_PEER, "%s",
                      wrong[i].body);
        ck_assert_contains(err.message, wrong[i].says);
        ck_assert_ptr_null(strstr(err.message, "s3"));
    }
}
END_TEST

START_TEST(xml_of_sts)
{
    const struct xml *root;
    ck_assert_int_eq(
        xml_parse(STR("<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                      "<SessionToken>t</SessionToken><Expiration>2015-08-30T12:36:00Z</Expiration>"
                      "</Credentials>"),
                  arena, &root, &err),
        0);
    ck_assert_int_eq(aws_credentials_read_xml(&credentials, root, &err), 0);
    ck_assert_str_eq(credentials.access_key_id, "ASIA");
    ck_assert_str_ne(xml_text(root, "SecretAccessKey"), "s"); /* wiped where it lay */
    ck_assert_int_eq(aws_credentials_read_xml(&credentials, NULL, &err), ERR_PEER);
    ck_assert_int_eq(
        xml_parse(STR("<Credentials><AccessKeyId>A</AccessKeyId></Credentials>"), arena, &root, &err), 0);
    ck_assert_int_eq(aws_credentials_read_xml(&credentials, root, &err), ERR_PEER);
    ck_assert_contains(err.message, "without complete credentials");
}
END_TEST

static Suite *credentials_suite(void)
{
    Suite *suite = suite_create("aws_credentials");
    TCase *tcase = tcase_create("aws_credentials");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, keys_without_blanks);
    tcase_add_test(tcase, json_of_a_metadata_server);
    tcase_add_test(tcase, xml_of_sts);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(credentials_suite)
