#include "lib/core/json.h"
#include "provisioner/aws/aws.h"
#include "tests/support/support.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_new(0);
}

static void teardown(void)
{
    arena_free(arena);
}

static const char *id_of(const char *type, const char *values)
{
    struct node *root;
    ck_assert_int_eq(json_parse(arena, str_from(values), &root, NULL), 0);
    return provider_aws.import_id(type, root, arena);
}

START_TEST(resources_with_names_of_ours_are_imported_by_them)
{
    ck_assert_str_eq(id_of("aws_db_instance", "{\"identifier\":\"fq-us\"}"), "fq-us");
    ck_assert_str_eq(id_of("aws_iam_role_policy", "{\"role\":\"fq-us-flow\",\"name\":\"flow\"}"),
                     "fq-us-flow:flow");
    ck_assert_str_eq(id_of("aws_secretsmanager_secret", "{\"name\":\"fq-us/metrics-token\"}"),
                     "fq-us/metrics-token");
    ck_assert_str_eq(id_of("aws_autoscaling_policy", "{\"autoscaling_group_name\":\"g\",\"name\":\"cpu\"}"),
                     "g/cpu");
    ck_assert_ptr_null(id_of("aws_iam_role_policy", "{\"role\":null,\"name\":\"flow\"}"));
    ck_assert_ptr_null(id_of("aws_vpc", "{\"cidr_block\":\"10.0.0.0/16\"}"));
}
END_TEST

static void findings_of(const char *account, const char *class, const char *storage,
                        struct findings *findings)
{
    struct deployment *deployment;
    const char *text =
        arena_printf(arena,
                     "metadata: {name: shop, environment: production}\n"
                     "regions:\n"
                     "  us: {provider: aws, location: us-east-1, instance_type: m6i.large, account: %s,\n"
                     "       database: {engine: postgresql, size: %s, storage: %s}}\n",
                     account, class, storage);
    findings_init(findings, arena);
    (void)!deployment_parse(arena, "d.yaml", str_from(text), &deployment, findings);
}

static size_t count_of(const struct findings *findings, const char *rule)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += strcmp(findings->items[i].rule, rule) == 0;
    return count;
}

START_TEST(what_aws_does_not_take_is_said_with_its_rule)
{
    struct findings findings;
    findings_of("arn:aws:iam::123456789012:role/deploy", "db.m6i.large", "100GB", &findings);
    ck_assert_uint_eq(findings.errors, 0);
    findings_of("\"1234\"", "db.m6i.large", "100GB", &findings);
    ck_assert_uint_eq(count_of(&findings, "aws-account"), 1);
    findings_of("\"123456789012\"", "db.m6i.large", "15GB", &findings);
    ck_assert_uint_eq(count_of(&findings, "aws-storage"), 1);
}
END_TEST

static Suite *aws_suite(void)
{
    Suite *suite = suite_create("aws");
    TCase *tcase = tcase_create("aws");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, resources_with_names_of_ours_are_imported_by_them);
    tcase_add_test(tcase, what_aws_does_not_take_is_said_with_its_rule);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(aws_suite)
