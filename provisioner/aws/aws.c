/* Amazon Web Services. Names of arguments are those of the Terraform provider hashicorp/aws 5. */
#include "provisioner/aws/aws.h"

#include "lib/core/str.h"
#include "provisioner/aws/backups.h"
#include "provisioner/aws/credentials.h"
#include "provisioner/aws/gateway_report.h"
#include "provisioner/aws/logs.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/render/render.h"

#include <stdio.h>

static bool is_role(const char *account)
{
    return strncmp(account, "arn:", 4) == 0 && strstr(account, ":role/") != NULL;
}

static void render_provider(const struct deployment *deployment, const struct region *region,
                            struct json_writer *json)
{
    (void)deployment;
    json_key(json, "aws");
    json_object_begin(json);
    render_kv(json, "region", region->location_name);
    if (region->account && is_role(region->account)) {
        json_key(json, "assume_role");
        json_object_begin(json);
        render_kv(json, "role_arn", region->account);
        json_object_end(json);
    } else if (region->account) {
        json_key(json, "allowed_account_ids");
        json_array_begin(json);
        json_text(json, region->account);
        json_array_end(json);
    }
    json_object_end(json);
}

static void render_requirements(struct json_writer *json)
{
    json_key(json, "aws");
    json_object_begin(json);
    json_kv_text(json, "source", "hashicorp/aws");
    json_kv_text(json, "version", "~> 5.100");
    json_object_end(json);
}

static bool is_account_number(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

static void validate_region(const struct deployment *deployment, const struct region *region,
                            struct findings *findings)
{
    char path[NODE_PATH_MAX];
    if (region->account && !is_role(region->account) && !is_account_number(region->account)) {
        (void)snprintf(path, sizeof path, "regions.%s.account", region->name);
        struct finding *finding = findings_add(
            findings, DIAG_ERROR, "aws-account", deployment_node(deployment, path),
            "regions.%s.account: \"%s\" is neither an account number of 12 digits nor the ARN of a role",
            region->name, region->account);
        finding_hint(findings, finding, "A role looks like arn:aws:iam::123456789012:role/deploy.");
    }
    if (strncmp(region->database.class, "db.", 3) != 0) {
        (void)snprintf(path, sizeof path, "regions.%s.database", region->name);
        (void)findings_add(findings, DIAG_ERROR, "aws-database-class", deployment_node(deployment, path),
                           "regions.%s.database: \"%s\" is no class of RDS: these begin with \"db.\"",
                           region->name, region->database.class);
    }
    if (region->database.storage_bytes < UINT64_C(20) << 30 &&
        region->database.storage_bytes < 20000000000U) {
        (void)snprintf(path, sizeof path, "regions.%s.database.storage", region->name);
        (void)findings_add(findings, DIAG_ERROR, "aws-storage", deployment_node(deployment, path),
                           "regions.%s.database.storage: RDS gives gp3 disks from 20 GB on", region->name);
    }
}

/* --- existing resources --- */

static const char *import_id(const char *resource_type, const struct node *planned_values,
                             struct arena *arena)
{
    /* What is imported by a name that the module chose. What has an id of the cloud's own is listed by its
     * tags (listing.c). */
    static const struct {
        const char *type, *first, *second;
        char joint;
    } rules[] = {
        {"aws_autoscaling_group", "name", NULL, 0},
        {"aws_autoscaling_policy", "autoscaling_group_name", "name", '/'},
        {"aws_cloudwatch_log_group", "name", NULL, 0},
        {"aws_db_instance", "identifier", NULL, 0},
        {"aws_db_parameter_group", "name", NULL, 0},
        {"aws_db_subnet_group", "name", NULL, 0},
        {"aws_iam_instance_profile", "name", NULL, 0},
        {"aws_iam_role", "name", NULL, 0},
        {"aws_iam_role_policy", "role", "name", ':'},
        {"aws_kms_alias", "name", NULL, 0},
        {"aws_route_table_association", "subnet_id", "route_table_id", '/'},
        {"aws_s3_bucket", "bucket", NULL, 0},
        {"aws_secretsmanager_secret", "name", NULL, 0},
        {"aws_ssm_parameter", "name", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(rules[i].type, resource_type) != 0)
            continue;
        struct str first = node_text(planned_values, rules[i].first);
        struct str second = rules[i].second ? node_text(planned_values, rules[i].second) : STR("");
        if (!first.len || (rules[i].second && !second.len))
            return NULL;
        return second.len ? arena_printf(arena, "%s%c%s", first.ptr, rules[i].joint, second.ptr)
                          : arena_strdup(arena, first);
    }
    return NULL;
}

const struct provider provider_aws = {
    .name = "aws",
    .title = "AWS",
    .database_product = "rds",
    .module = "aws/module",
    .validate_region = validate_region,
    .validate_credentials = aws_validate_credentials,
    .recent_logs = aws_recent_logs,
    .gateway_report = aws_gateway_report,
    .backups = &aws_backups,
    .render_provider = render_provider,
    .render_requirements = render_requirements,
    .import_id = import_id,
    .listing = &aws_listing,
};
