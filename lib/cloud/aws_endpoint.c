#include "lib/cloud/aws_endpoint.h"

#include "lib/cloud/oauth.h"

#include <errno.h>
#include <strings.h>

/* Whose region names begin so; the last one is everybody else's. */
static const struct partition {
    const char *prefix, *name, *suffix;
    const char *iam_host, *iam_region;
} partitions[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"us-gov-", "aws-us-gov", "amazonaws.com", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
    {"us-iso-", "aws-iso", "c2s.ic.gov", "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"eusc-", "aws-eusc", "amazonaws.eu", "iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"", "aws", "amazonaws.com", "iam.amazonaws.com", "us-east-1"},
};

static const struct partition *find(const char *region)
{
    size_t i = 0;
    while (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) != 0)
        i++;
    return &partitions[i];
}

const char *aws_partition(const char *region)
{
    return find(region)->name;
}

static bool is_region(const char *text)
{
    return text[0] && strlen(text) <= 40 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* As AWS's own tools call them. */
static const struct {
    const char *service, *variable;
} variables[] = {
    {"sts", "AWS_ENDPOINT_URL_STS"},
    {"iam", "AWS_ENDPOINT_URL_IAM"},
    {"logs", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"},
    {"monitoring", "AWS_ENDPOINT_URL_CLOUDWATCH"},
    {"tagging", "AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API"},
    {"rds", "AWS_ENDPOINT_URL_RDS"},
    {"ssm", "AWS_ENDPOINT_URL_SSM"},
};

/* The variable that says where the service is; NULL: none does. */
static const char *configured(const char *service, aws_env_fn *env, const char **ret_name)
{
    const char *ignore = env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (ignore && strcasecmp(ignore, "true") == 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        *ret_name = variables[i].variable;
        const char *url = strcmp(service, variables[i].service) == 0 ? env(*ret_name) : NULL;
        if (url)
            return url;
    }
    *ret_name = "AWS_ENDPOINT_URL";
    return env(*ret_name);
}

int aws_endpoint_find(const char *service, const char *region, aws_env_fn *env, struct arena *arena,
                      struct aws_endpoint *ret_endpoint, struct error *err)
{
    bool iam = strcmp(service, "iam") == 0;
    const char *name = "";
    if (!is_region(region))
        return error_set(err, ERR_CONFIG, "\"%.40s\" is not the name of a region", region);
    const struct partition *partition = find(region);
    const char *url = configured(service, env, &name);
    if (url && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return error_set(err, ERR_CONFIG, "%s does not begin with http:// or https://", name);
    if (url && (strpbrk(url, "?#@ ") || strlen(url) > 1024))
        return error_set(err, ERR_CONFIG, "%s is not a plain URL of a host and a path", name);
    if (url && !oauth_url_is_private(url))
        return error_set(
            err, -ENOTSUP,
            "%s is plain http to another machine, and what is sent there could be read on the way", name);
    if (url)
        url = arena_printf(arena, "%s%s", url, url[strlen(url) - 1] == '/' ? "" : "/");
    else if (iam)
        url = arena_printf(arena, "https://%s/", partition->iam_host);
    else
        url = arena_printf(arena, "https://%s.%s.%s/", service, region, partition->suffix);
    *ret_endpoint =
        (struct aws_endpoint){url, service, iam ? partition->iam_region : region, env("AWS_CA_BUNDLE")};
    return 0;
}
