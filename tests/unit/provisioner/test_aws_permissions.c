#include "provisioner/aws/permissions.h"
#include "provisioner/embedded.h"
#include "tests/support/support.h"

#include <stdio.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_new(0);
}

static void end(void)
{
    arena_free(arena);
}

static const struct deployment *parsed(const char *more_region, const char *more)
{
    struct deployment *deployment = NULL;
    struct findings findings;
    const char *text =
        arena_printf(arena,
                     "metadata: {name: shop, environment: production}\n"
                     "regions:\n"
                     "  us: {provider: aws, location: us-east-1, instance_type: m6i.large, instances: 2%s,\n"
                     "       database: {engine: postgresql, size: db.t3.large, version: 16}}\n%s",
                     more_region, more);
    findings_init(&findings, arena);
    (void)!deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    ck_assert_ptr_nonnull(deployment);
    return deployment;
}

static bool has(const struct string_list *list, const char *action)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], action) == 0)
            return true;
    }
    return false;
}

static struct string_list actions_of(const struct deployment *deployment)
{
    struct string_list list;
    aws_permissions_list(deployment, deployment_region(deployment, 0), arena, &list);
    return list;
}

/* "resource "aws_vpc" ..." and "data "aws_ssm_parameter" ..." at the beginnings of lines. */
static unsigned check_line(struct str line)
{
    bool data = str_starts(line, STR("data \""));
    if (!data && !str_starts(line, STR("resource \"")))
        return 0;
    const char *begin = (const char *)memchr(line.ptr, '"', line.len) + 1;
    size_t length = strcspn(begin, "\"");
    const char *type = arena_printf(arena, "%s%.*s", data ? "data." : "", (int)length, begin);
    ck_assert_msg(aws_permissions_of(type) != NULL, "the table lacks %s", type);
    return 1;
}

START_TEST(every_type_of_the_module_has_a_row)
{
    const struct embedded_file *file;
    unsigned seen = 0;
    size_t count = embedded_under("aws/module/", &file);
    for (size_t i = 0; i < count; i++) {
        struct str rest = file[i].bytes;
        while (rest.len) {
            const char *end = memchr(rest.ptr, '\n', rest.len);
            size_t length = end ? (size_t)(end - rest.ptr) : rest.len;
            seen += check_line((struct str){rest.ptr, length});
            rest.ptr += length + (end != NULL);
            rest.len -= length + (end != NULL);
        }
    }
    ck_assert_uint_gt(seen, 50);
}
END_TEST

static bool says_one_of(const char *actions, const char *const *verbs)
{
    for (; *verbs; verbs++) {
        if (strstr(actions, arena_printf(arena, ":%s", *verbs)))
            return true;
    }
    return false;
}

/* What is made can be read, when the next plan looks at it, and removed. */
START_TEST(every_type_is_made_read_and_removed)
{
    static const struct {
        const char *type, *actions;
    } elsewhere[] = {
        {"aws_acm_certificate_validation", ":Create :Delete"}, /* waits for the certificate */
        {"aws_autoscaling_policy", ":Create"},                 /* put */
        {"aws_default_security_group", ":Create"},             /* adopted */
        {"aws_route53_record", ":Create :Delete"},             /* all are changes */
        {"aws_route_table_association", ":Describe"},          /* with its table */
    };
    static const char *const makes[] = {"Create",    "Put",       "Run",     "Allocate",
                                        "Associate", "Authorize", "Request", NULL};
    static const char *const reads[] = {"Describe", "Get", "List", NULL};
    static const char *const removes[] = {
        "Delete", "Release", "Terminate", "Disassociate", "Revoke", "ScheduleKeyDeletion", NULL};
    const struct embedded_file *file;
    unsigned seen = 0;
    size_t count = embedded_under("aws/module/", &file);
    for (size_t i = 0; i < count; i++) {
        const char *text = arena_strdup(arena, file[i].bytes);
        while ((text = strstr(text, "\nresource \"aws_")) != NULL) {
            text += strlen("\nresource \"");
            const char *type = arena_printf(arena, "%.*s", (int)strcspn(text, "\""), text);
            const char *actions = aws_permissions_of(type);
            ck_assert_ptr_nonnull(actions);
            for (size_t j = 0; j < ARRAY_LEN(elsewhere); j++) {
                if (strcmp(elsewhere[j].type, type) == 0)
                    actions = arena_printf(arena, "%s %s", actions, elsewhere[j].actions);
            }
            ck_assert_msg(says_one_of(actions, makes), "nothing makes %s", type);
            ck_assert_msg(says_one_of(actions, reads), "nothing reads %s", type);
            ck_assert_msg(says_one_of(actions, removes), "nothing removes %s", type);
            seen++;
        }
    }
    ck_assert_uint_gt(seen, 50);
}
END_TEST

/* What a deployment's file can change: labels, the port, zones, a parameter that is gone. */
START_TEST(what_is_changed_later_is_asked_for)
{
    static const char *const changes[] = {"ec2:DeleteTags",
                                          "rds:RemoveTagsFromResource",
                                          "iam:UntagRole",
                                          "kms:UntagResource",
                                          "logs:UntagResource",
                                          "secretsmanager:UntagResource",
                                          "elasticloadbalancing:RemoveTags",
                                          "ec2:ModifySecurityGroupRules",
                                          "elasticloadbalancing:ModifyListener",
                                          "elasticloadbalancing:SetSubnets",
                                          "rds:ResetDBParameterGroup",
                                          "rds:ModifyDBInstance",
                                          "autoscaling:UpdateAutoScalingGroup",
                                          "autoscaling:AttachLoadBalancerTargetGroups",
                                          "autoscaling:DetachLoadBalancerTargetGroups",
                                          "ec2:CreateLaunchTemplateVersion",
                                          "ec2:ReplaceRoute"};
    struct string_list list = actions_of(parsed("", ""));
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        ck_assert_msg(has(&list, changes[i]), "%s", changes[i]);
}
END_TEST

START_TEST(each_action_once_in_order)
{
    struct string_list list = actions_of(parsed("", ""));
    ck_assert_uint_gt(list.count, 80);
    for (size_t i = 0; i < list.count; i++) {
        ck_assert(strchr(list.items[i], ':') && !strchr(list.items[i], ' '));
        ck_assert(i == 0 || strcmp(list.items[i - 1], list.items[i]) < 0);
    }
    ck_assert(has(&list, "rds:CreateDBInstance"));
    ck_assert(has(&list, "kms:CreateKey"));
}
END_TEST

START_TEST(what_a_deployment_does_not_make_is_not_asked_for)
{
    struct string_list list = actions_of(parsed(", max_instances: 2", ""));
    ck_assert(!has(&list, "acm:RequestCertificate"));
    ck_assert(!has(&list, "route53:ChangeResourceRecordSets"));
    ck_assert(!has(&list, "autoscaling:PutScalingPolicy"));
    list = actions_of(
        parsed(", max_instances: 4", "traffic: {domain: api.example.com, dns: route53, dns_zone: Z1}\n"));
    ck_assert(has(&list, "acm:RequestCertificate"));
    ck_assert(has(&list, "route53:ChangeResourceRecordSets"));
    ck_assert(has(&list, "autoscaling:PutScalingPolicy"));
}
END_TEST

START_TEST(what_the_provider_calls_is_asked_for)
{
    const char *text = "  eu: {provider: aws, location: eu-west-1, size: small}\n"
                       "replication: {mode: active-active}\n";
    struct string_list list = actions_of(parsed(", max_instances: 4", text));
    FILE *calls = fopen(TEST_SOURCE_DIR "/tests/data/permissions/aws_calls.txt", "re");
    char line[256];
    unsigned seen = 0;
    ck_assert_ptr_nonnull(calls);
    while (fgets(line, sizeof line, calls)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            continue;
        ck_assert_msg(has(&list, line), "%s is called and not asked for", line);
        seen++;
    }
    ck_assert_uint_gt(seen, 100);
    (void)fclose(calls);
}
END_TEST

START_TEST(resources_have_the_names_of_the_module)
{
    static const struct {
        const char *action, *arn;
    } cases[] = {
        {"rds:CreateDBInstance", "arn:aws:rds:us-east-1:1:db:shop-us"},
        {"rds:DescribeDBParameters", "arn:aws:rds:us-east-1:1:pg:shop-us-pg16"},
        {"rds:CreateDBSubnetGroup", "arn:aws:rds:us-east-1:1:subgrp:shop-us"},
        {"iam:CreateRole", "arn:aws:iam::1:role/shop-us-service"},
        {"iam:CreateInstanceProfile", "arn:aws:iam::1:instance-profile/shop-us-service"},
        {"logs:CreateLogGroup", "arn:aws:logs:us-east-1:1:log-group:/fraiseql/shop-us/service"},
        {"secretsmanager:CreateSecret",
         "arn:aws:secretsmanager:us-east-1:1:secret:shop-us/metrics-token-??????"},
        {"elasticloadbalancing:CreateLoadBalancer",
         "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/shop-us/*"},
        {"ec2:CreateVpc", "arn:aws:ec2:us-east-1:1:*"},
    };
    const struct deployment *deployment = parsed("", "");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ck_assert_str_eq(aws_permissions_resource(deployment, deployment_region(deployment, 0), "aws", "1",
                                                  cases[i].action, arena),
                         cases[i].arn);
}
END_TEST

static Suite *permissions_suite(void)
{
    Suite *suite = suite_create("aws_permissions");
    TCase *tcase = tcase_create("aws_permissions");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, every_type_of_the_module_has_a_row);
    tcase_add_test(tcase, every_type_is_made_read_and_removed);
    tcase_add_test(tcase, what_is_changed_later_is_asked_for);
    tcase_add_test(tcase, each_action_once_in_order);
    tcase_add_test(tcase, what_a_deployment_does_not_make_is_not_asked_for);
    tcase_add_test(tcase, what_the_provider_calls_is_asked_for);
    tcase_add_test(tcase, resources_have_the_names_of_the_module);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(permissions_suite)
