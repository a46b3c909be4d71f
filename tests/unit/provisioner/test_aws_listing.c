#include "lib/core/json.h"
#include "provisioner/aws/aws.h"
#include "tests/support/support.h"

static struct arena *arena;

static void begin(void)
{
    arena = arena_new(0);
}

static void end(void)
{
    arena_free(arena);
}

static const struct node *parse(const char *text)
{
    struct node *root = NULL;
    struct error err = {0};
    ck_assert_msg(json_parse(arena, str_from(text), &root, &err) == 0, "%s", err.message);
    return root;
}

static const struct node *data_of(const struct node *document, const char *type)
{
    return node_member(node_member(document, type), PROVIDER_LISTING);
}

START_TEST(what_the_plan_creates_is_what_is_looked_for)
{
    static const char changes[] =
        "[{\"address\":\"module.region.aws_subnet.public[0]\",\"type\":\"aws_subnet\","
        "  \"change\":{\"actions\":[\"create\"],\"after\":{}}},"
        " {\"address\":\"module.region.aws_subnet.public[1]\",\"type\":\"aws_subnet\","
        "  \"change\":{\"actions\":[\"no-op\"],\"after\":{}}},"
        " {\"address\":\"module.region.aws_vpc_security_group_egress_rule.service[\\\"https\\\"]\","
        "  "
        "\"type\":\"aws_vpc_security_group_egress_rule\",\"change\":{\"actions\":[\"create\"],\"after\":{}}},"
        " {\"address\":\"module.region.aws_nat_gateway.this\",\"type\":\"aws_nat_gateway\","
        "  \"change\":{\"actions\":[\"delete\",\"create\"],\"after\":{}}},"
        " {\"address\":\"module.region.aws_iam_role.flow\",\"type\":\"aws_iam_role\","
        "  \"change\":{\"actions\":[\"create\"],\"after\":{\"name\":\"demo-us-flow\"}}},"
        " {\"address\":\"module.region.aws_iam_role.odd\",\"type\":\"aws_iam_role\","
        "  \"change\":{\"actions\":[\"create\"],\"after\":{\"name\":\".*\"}}}]";
    const struct region region = {.name = "us"};
    struct buf text = BUF_INIT(65536);
    struct json_writer json;
    json_init(&json, &text);
    json_object_begin(&json);
    provider_aws.listing->render("uuid-1", &region, parse(changes), &json);
    json_object_end(&json);
    const struct node *document = parse(buf_text(&text));
    const struct node *subnets = data_of(document, "aws_subnets");
    ck_assert_uint_eq(node_member(subnets, "for_each")->count, 1);
    ck_assert_ptr_nonnull(node_member(node_member(subnets, "for_each"), "aws_subnet.public/0"));
    const struct node *filters = node_member(subnets, "filter");
    ck_assert_uint_eq(filters->count, 3);
    ck_assert(str_equal_text(node_text(filters->items[0], "name"), "tag:fraiseql-deployment-id"));
    ck_assert(str_equal_text(node_member(filters->items[0], "values")->items[0]->scalar, "uuid-1"));
    const struct node *rules = node_member(data_of(document, "aws_vpc_security_group_rules"), "for_each");
    ck_assert_ptr_nonnull(node_member(rules, "aws_vpc_security_group_egress_rule.service/https"));
    const struct node *gateways = data_of(document, "aws_nat_gateways");
    ck_assert_uint_eq(node_member(gateways, "for_each")->count, 0);
    ck_assert_uint_eq(node_member(gateways, "filter")->count, 4);
    const struct node *roles = node_member(data_of(document, "aws_iam_roles"), "for_each");
    ck_assert_uint_eq(roles->count, 1); /* a name that would be an expression is not asked for */
    ck_assert(str_equal_text(node_text(roles, "aws_iam_role.flow"), "^demo-us-flow$"));
    ck_assert_ptr_nonnull(data_of(document, "aws_resourcegroupstaggingapi_resources"));
    buf_deinit(&text);
}
END_TEST

static size_t read_list(const char *resources, struct listed_resource **list)
{
    size_t count = 0;
    provider_aws.listing->read(parse(resources), arena, list, &count);
    return count;
}

START_TEST(what_ec2_says_comes_before_what_is_tagged)
{
    struct listed_resource *list = NULL;
    size_t count = read_list(
        "[{\"type\":\"aws_resourcegroupstaggingapi_resources\",\"name\":\"fraiseql_existing\",\"values\":"
        "  {\"resource_tag_mapping_list\":[{\"resource_arn\":\"arn:aws:ec2:r:1:subnet/subnet-old\",\"tags\":"
        "  {\"fraiseql-address\":\"aws_subnet.public/0\"}}]}},"
        " {\"type\":\"aws_subnets\",\"name\":\"fraiseql_existing\",\"index\":\"aws_subnet.public/"
        "0\",\"values\":"
        "  {\"ids\":[\"subnet-new\",\"subnet-other\"]}},"
        " {\"type\":\"aws_subnets\",\"name\":\"fraiseql_existing\",\"index\":\"aws_subnet.public/"
        "1\",\"values\":"
        "  {\"ids\":[]}},"
        " {\"type\":\"aws_subnets\",\"name\":\"of_the_user\",\"index\":\"aws_subnet.public/2\",\"values\":"
        "  {\"ids\":[\"subnet-foreign\"]}}]",
        &list);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(list[0].address, "module.region.aws_subnet.public[0]");
    ck_assert_str_eq(list[0].import_id, "subnet-new");
    ck_assert_str_eq(list[1].import_id, "subnet-old");
}
END_TEST

START_TEST(ids_are_read_from_arns)
{
    static const struct {
        const char *tag, *arn, *address, *id; /* id NULL: left out */
    } cases[] = {
        {"aws_kms_key.this/0", "arn:aws:kms:r:1:key/1234", "aws_kms_key.this[0]", "1234"},
        {"aws_lb.this", "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/x/1", "aws_lb.this",
         "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/x/1"},
        {"aws_db_instance.this", "arn:aws:rds:r:1:db:demo-us", "aws_db_instance.this", "demo-us"},
        {"aws_cloudwatch_log_group.database/upgrade", "arn:aws:logs:r:1:log-group:/aws/rds/x:*",
         "aws_cloudwatch_log_group.database[\"upgrade\"]", "/aws/rds/x"},
        {"aws_unknown.this", "arn:aws:x:r:1:y/z", NULL, NULL},
        {"aws_vpc", "arn:aws:ec2:r:1:vpc/vpc-1", NULL, NULL},
        {"aws_vpc.this/${x}", "arn:aws:ec2:r:1:vpc/vpc-1", NULL, NULL},
        {"aws_vpc.a b", "arn:aws:ec2:r:1:vpc/vpc-1", NULL, NULL},
        {"aws_vpc.this/", "arn:aws:ec2:r:1:vpc/vpc-1", NULL, NULL},
        {"aws_vpc.this", "", NULL, NULL},
        {"aws_vpc.this", "no slash", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct listed_resource *list = NULL;
        const char *text = arena_printf(
            arena,
            "[{\"type\":\"aws_resourcegroupstaggingapi_resources\",\"name\":\"fraiseql_existing\",\"values\":"
            "{\"resource_tag_mapping_list\":[{\"resource_arn\":\"%s\",\"tags\":{\"fraiseql-address\":\"%s\"}}"
            "]}}]",
            cases[i].arn, cases[i].tag);
        size_t count = read_list(text, &list);
        ck_assert_uint_eq(count, cases[i].id ? 1 : 0);
        if (!cases[i].id)
            continue;
        ck_assert_str_eq(list[0].address, arena_printf(arena, "module.region.%s", cases[i].address));
        ck_assert_str_eq(list[0].import_id, cases[i].id);
    }
}
END_TEST

START_TEST(answers_of_another_shape_list_nothing)
{
    static const char *const answers[] = {
        "null",
        "{}",
        "[]",
        "[null]",
        "[{\"name\":\"fraiseql_existing\"}]",
        "[{\"name\":\"fraiseql_existing\",\"type\":\"aws_vpcs\",\"values\":{\"ids\":[{}]}}]",
        "[{\"name\":\"fraiseql_existing\",\"type\":\"aws_vpcs\",\"index\":\"aws_vpc.x\",\"values\":null}]",
        ("[{\"name\":\"fraiseql_existing\",\"type\":\"aws_resourcegroupstaggingapi_resources\",\"values\":"
         "{\"resource_tag_mapping_list\":{}}}]")};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct listed_resource *list = NULL;
        ck_assert_uint_eq(read_list(answers[i], &list), 0);
    }
}
END_TEST

static Suite *aws_listing_suite(void)
{
    Suite *suite = suite_create("aws_listing");
    TCase *tcase = tcase_create("aws_listing");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_the_plan_creates_is_what_is_looked_for);
    tcase_add_test(tcase, what_ec2_says_comes_before_what_is_tagged);
    tcase_add_test(tcase, ids_are_read_from_arns);
    tcase_add_test(tcase, answers_of_another_shape_list_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(aws_listing_suite)
