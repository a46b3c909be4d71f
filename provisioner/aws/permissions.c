#include "provisioner/aws/permissions.h"

#include "provisioner/inquiry.h"
#include "provisioner/render/render.h"

#include <stdlib.h>

enum when { ALWAYS, WITH_CERTIFICATE, WITH_SCALING, WITH_LINKS, WITH_BACKUPS };

struct row {
    const char *type;
    enum when when;
    const char *actions; /* apart by blanks */
};

#define SECURITY_GROUP                                                                                       \
    "ec2:CreateSecurityGroup ec2:DeleteSecurityGroup ec2:DescribeSecurityGroups "                            \
    "ec2:RevokeSecurityGroupEgress "                                                                         \
    "ec2:DescribeNetworkInterfaces ec2:CreateTags ec2:DeleteTags"
#define ADDRESS                                                                                              \
    "ec2:AllocateAddress ec2:ReleaseAddress ec2:DescribeAddresses ec2:DescribeAddressesAttribute "           \
    "ec2:CreateTags"

static const struct row rows[] = {
    {"data.aws_availability_zones", ALWAYS, "ec2:DescribeAvailabilityZones"},
    {"data.aws_caller_identity", ALWAYS, ""}, /* needs no permission */
    {"data.aws_ec2_instance_type", ALWAYS, "ec2:DescribeInstanceTypes"},
    {"data.aws_iam_policy_document", ALWAYS, ""}, /* made by terraform itself, as is the next */
    {"data.aws_partition", ALWAYS, ""},
    {"data.aws_ssm_parameter", ALWAYS, "ssm:GetParameter"},
    /* `deploy backup`, `backups` and `restore`. */
    {"backups", WITH_BACKUPS,
     "rds:DescribeDBInstances rds:DescribeDBSnapshots rds:CreateDBSnapshot "
     "rds:RestoreDBInstanceFromDBSnapshot rds:RestoreDBInstanceToPointInTime rds:AddTagsToResource"},
    {"aws_acm_certificate", WITH_CERTIFICATE,
     "acm:RequestCertificate acm:DescribeCertificate acm:DeleteCertificate acm:AddTagsToCertificate "
     "acm:RemoveTagsFromCertificate acm:ListTagsForCertificate"},
    {"aws_acm_certificate_validation", WITH_CERTIFICATE, "acm:DescribeCertificate"},
    {"aws_autoscaling_group", ALWAYS,
     "autoscaling:CreateAutoScalingGroup autoscaling:UpdateAutoScalingGroup "
     "autoscaling:DeleteAutoScalingGroup autoscaling:DescribeAutoScalingGroups "
     "autoscaling:DescribeScalingActivities autoscaling:CreateOrUpdateTags autoscaling:DeleteTags "
     "autoscaling:EnableMetricsCollection autoscaling:StartInstanceRefresh "
     "autoscaling:DescribeInstanceRefreshes autoscaling:CancelInstanceRefresh "
     "autoscaling:AttachLoadBalancerTargetGroups autoscaling:DetachLoadBalancerTargetGroups "
     "autoscaling:DescribeLoadBalancerTargetGroups ec2:RunInstances iam:PassRole"},
    {"aws_autoscaling_policy", WITH_SCALING,
     "autoscaling:PutScalingPolicy autoscaling:DescribePolicies autoscaling:DeletePolicy"},
    {"aws_cloudwatch_log_group", ALWAYS,
     "logs:CreateLogGroup logs:DeleteLogGroup logs:DescribeLogGroups logs:PutRetentionPolicy "
     "logs:AssociateKmsKey logs:TagResource logs:UntagResource logs:ListTagsForResource"},
    {"aws_db_instance", ALWAYS,
     "rds:CreateDBInstance rds:ModifyDBInstance rds:DescribeDBInstances rds:DeleteDBInstance "
     "rds:CreateDBSnapshot rds:AddTagsToResource rds:RemoveTagsFromResource "
     "rds:ListTagsForResource secretsmanager:CreateSecret "
     "secretsmanager:TagResource "
     "kms:DescribeKey kms:CreateGrant kms:GenerateDataKey kms:Decrypt"},
    {"aws_db_parameter_group", ALWAYS,
     "rds:CreateDBParameterGroup rds:ModifyDBParameterGroup rds:DescribeDBParameterGroups "
     "rds:DescribeDBParameters rds:ResetDBParameterGroup rds:DeleteDBParameterGroup"},
    {"aws_db_subnet_group", ALWAYS,
     "rds:CreateDBSubnetGroup rds:ModifyDBSubnetGroup rds:DescribeDBSubnetGroups rds:DeleteDBSubnetGroup"},
    {"aws_default_security_group", ALWAYS,
     "ec2:DescribeSecurityGroups ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress"},
    {"aws_eip", ALWAYS, ADDRESS},
    {"aws_flow_log", ALWAYS, "ec2:CreateFlowLogs ec2:DescribeFlowLogs ec2:DeleteFlowLogs iam:PassRole"},
    {"aws_iam_instance_profile", ALWAYS,
     "iam:CreateInstanceProfile iam:GetInstanceProfile iam:DeleteInstanceProfile "
     "iam:AddRoleToInstanceProfile iam:RemoveRoleFromInstanceProfile iam:TagInstanceProfile "
     "iam:UntagInstanceProfile"},
    {"aws_iam_role", ALWAYS,
     "iam:CreateRole iam:GetRole iam:DeleteRole iam:TagRole iam:UntagRole iam:ListRolePolicies "
     "iam:ListAttachedRolePolicies iam:ListInstanceProfilesForRole iam:UpdateAssumeRolePolicy"},
    {"aws_iam_role_policy", ALWAYS, "iam:PutRolePolicy iam:GetRolePolicy iam:DeleteRolePolicy"},
    {"aws_instance", WITH_LINKS,
     "ec2:RunInstances ec2:DescribeInstances ec2:TerminateInstances ec2:DescribeInstanceAttribute "
     "ec2:ModifyInstanceAttribute ec2:DescribeInstanceCreditSpecifications ec2:DescribeImages "
     "ec2:DescribeVolumes ec2:DescribeTags ec2:AssociateAddress ec2:DisassociateAddress"},
    {"aws_internet_gateway", ALWAYS,
     "ec2:CreateInternetGateway ec2:AttachInternetGateway ec2:DetachInternetGateway "
     "ec2:DeleteInternetGateway ec2:DescribeInternetGateways"},
    {"aws_kms_alias", ALWAYS, "kms:CreateAlias kms:DeleteAlias kms:ListAliases"},
    {"aws_kms_key", ALWAYS,
     "kms:CreateKey kms:DescribeKey kms:GetKeyPolicy kms:PutKeyPolicy kms:GetKeyRotationStatus "
     "kms:EnableKeyRotation "
     "kms:ListResourceTags kms:TagResource kms:UntagResource kms:ScheduleKeyDeletion"},
    {"aws_launch_template", ALWAYS,
     "ec2:CreateLaunchTemplate ec2:DeleteLaunchTemplate ec2:DescribeLaunchTemplates "
     "ec2:DescribeLaunchTemplateVersions ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate "
     "ec2:CreateTags"},
    {"aws_lb", ALWAYS,
     "elasticloadbalancing:CreateLoadBalancer elasticloadbalancing:DeleteLoadBalancer "
     "elasticloadbalancing:DescribeLoadBalancers elasticloadbalancing:DescribeLoadBalancerAttributes "
     "elasticloadbalancing:ModifyLoadBalancerAttributes elasticloadbalancing:DescribeCapacityReservation "
     "elasticloadbalancing:SetSubnets elasticloadbalancing:DescribeTags elasticloadbalancing:AddTags "
     "elasticloadbalancing:RemoveTags"},
    {"aws_lb_listener", ALWAYS,
     "elasticloadbalancing:CreateListener elasticloadbalancing:DeleteListener "
     "elasticloadbalancing:ModifyListener elasticloadbalancing:DescribeListeners "
     "elasticloadbalancing:DescribeListenerAttributes"},
    {"aws_lb_target_group", ALWAYS,
     "elasticloadbalancing:CreateTargetGroup elasticloadbalancing:DeleteTargetGroup "
     "elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetGroupAttributes "
     "elasticloadbalancing:ModifyTargetGroup elasticloadbalancing:ModifyTargetGroupAttributes"},
    {"aws_nat_gateway", ALWAYS, "ec2:CreateNatGateway ec2:DescribeNatGateways ec2:DeleteNatGateway"},
    {"aws_route53_record", WITH_CERTIFICATE,
     "route53:ChangeResourceRecordSets route53:ListResourceRecordSets route53:GetChange "
     "route53:GetHostedZone"},
    {"aws_route_table", ALWAYS,
     "ec2:CreateRouteTable ec2:DescribeRouteTables ec2:DeleteRouteTable ec2:CreateRoute "
     "ec2:ReplaceRoute ec2:DeleteRoute"},
    {"aws_route_table_association", ALWAYS, "ec2:AssociateRouteTable ec2:DisassociateRouteTable"},
    {"aws_secretsmanager_secret", ALWAYS,
     "secretsmanager:CreateSecret secretsmanager:DescribeSecret secretsmanager:GetResourcePolicy "
     "secretsmanager:DeleteSecret secretsmanager:TagResource secretsmanager:UntagResource"},
    {"aws_security_group", ALWAYS, SECURITY_GROUP},
    {"aws_ssm_parameter", WITH_LINKS, /* and in the global root, with the password */
     "ssm:PutParameter ssm:GetParameter ssm:DescribeParameters ssm:DeleteParameter ssm:AddTagsToResource "
     "ssm:RemoveTagsFromResource "
     "ssm:ListTagsForResource secretsmanager:PutSecretValue secretsmanager:GetSecretValue"},
    {"aws_subnet", ALWAYS, "ec2:CreateSubnet ec2:DescribeSubnets ec2:DeleteSubnet"},
    {"aws_vpc", ALWAYS,
     "ec2:CreateVpc ec2:DescribeVpcs ec2:DescribeNetworkAcls ec2:DescribeVpcAttribute ec2:ModifyVpcAttribute "
     "ec2:DeleteVpc "
     "ec2:CreateTags"},
    {"aws_vpc_security_group_egress_rule", ALWAYS,
     "ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress ec2:ModifySecurityGroupRules "
     "ec2:DescribeSecurityGroupRules"},
    {"aws_vpc_security_group_ingress_rule", ALWAYS,
     "ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress ec2:ModifySecurityGroupRules "
     "ec2:DescribeSecurityGroupRules"},
};

static bool holds(enum when when, const struct deployment *deployment, const struct region *region)
{
    switch (when) {
    case ALWAYS:
        return true;
    case WITH_CERTIFICATE:
        return deployment->traffic.domain && deployment->traffic.dns_zone;
    case WITH_SCALING:
        return region->max_instances > region->instances;
    case WITH_LINKS:
        return render_is_linked(deployment, region);
    case WITH_BACKUPS:
        return deployment->backup.enabled;
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void aws_permissions_list(const struct deployment *deployment, const struct region *region,
                          struct arena *arena, struct string_list *ret_actions)
{
    size_t room = 0, count = 0, kept = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        room += inquiry_names("", rows[i].actions, arena, NULL);
    const char **items = arena_alloc(arena, (room + 1) * sizeof *items);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (holds(rows[i].when, deployment, region))
            count += inquiry_names("", rows[i].actions, arena, items + count);
    }
    qsort(items, count, sizeof *items, by_text);
    for (size_t i = 0; i < count; i++) {
        if (!kept || strcmp(items[kept - 1], items[i]) != 0)
            items[kept++] = items[i];
    }
    *ret_actions = (struct string_list){kept, items};
}

const char *aws_permissions_resource(const struct deployment *deployment, const struct region *region,
                                     const char *partition, const char *account, const char *action,
                                     struct arena *arena)
{
    /* %n is the name that the module gives, %v the version of the database. */
    static const struct {
        const char *begin, *place;
        bool global;
    } places[] = {
        {"autoscaling:", "autoScalingGroup:*:autoScalingGroupName/%n-service", false},
        {"elasticloadbalancing:", "loadbalancer/app/%n/*", false},
        {"iam:AddRoleToInstanceProfile", "instance-profile/%n-service", true},
        {"iam:CreateInstanceProfile", "instance-profile/%n-service", true},
        {"iam:DeleteInstanceProfile", "instance-profile/%n-service", true},
        {"iam:GetInstanceProfile", "instance-profile/%n-service", true},
        {"iam:RemoveRoleFromInstanceProfile", "instance-profile/%n-service", true},
        {"iam:TagInstanceProfile", "instance-profile/%n-service", true},
        {"iam:UntagInstanceProfile", "instance-profile/%n-service", true},
        {"iam:", "role/%n-service", true},
        {"kms:", "key/*", false},
        {"logs:", "log-group:/fraiseql/%n/service", false},
        {"rds:CreateDBSubnetGroup", "subgrp:%n", false},
        {"rds:DeleteDBSubnetGroup", "subgrp:%n", false},
        {"rds:DescribeDBSubnetGroups", "subgrp:%n", false},
        {"rds:CreateDBParameterGroup", "pg:%n-pg%v", false},
        {"rds:DeleteDBParameterGroup", "pg:%n-pg%v", false},
        {"rds:ModifyDBParameterGroup", "pg:%n-pg%v", false},
        {"rds:ResetDBParameterGroup", "pg:%n-pg%v", false},
        {"rds:DescribeDBParameter", "pg:%n-pg%v", false},
        {"rds:", "db:%n", false},
        {"secretsmanager:", "secret:%n/metrics-token-??????", false},
        {"", "*", false},
    };
    char name[RENDER_NAME_MAX + 1];
    struct buf text = BUF_INIT(2048);
    size_t i = 0, service = strcspn(action, ":");
    while (strncmp(action, places[i].begin, strlen(places[i].begin)) != 0)
        i++;
    buf_printf(&text, "arn:%s:%.*s:%s:%s:", partition, (int)service, action,
               places[i].global ? "" : region->location_name, account);
    for (const char *c = places[i].place; *c; c++) {
        if (c[0] == '%' && c[1] == 'n')
            buf_append_text(&text, render_name(deployment, region, name));
        else if (c[0] == '%' && c[1] == 'v')
            buf_printf(&text, "%lld", (long long)region->database.version);
        else
            buf_append_byte(&text, *c);
        c += c[0] == '%';
    }
    const char *copy = arena_strdup(arena, buf_str(&text));
    buf_deinit(&text);
    return copy;
}

const char *aws_permissions_of(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].type, type) == 0)
            return rows[i].actions;
    }
    return NULL;
}
