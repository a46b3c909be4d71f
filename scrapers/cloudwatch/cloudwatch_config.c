#include "scrapers/cloudwatch/cloudwatch_config.h"

#include "scrapers/cloudwatch/cloudwatch_profiles.h"

#define TARGET(member) offsetof(struct cloudwatch_config, member)

static const struct option credential_options[] = {
    {.name = "profile",
     .type = OPT_STRING,
     .offset = offsetof(struct cloudwatch_credentials, profile),
     .not_empty = true,
     .help = "Profile of the shared files; keys in the environment are then passed over."},
    {.name = "role_arn",
     .type = OPT_STRING,
     .offset = offsetof(struct cloudwatch_credentials, role_arn),
     .not_empty = true,
     .help = "Role to assume with what was found."},
    {.name = "external_id",
     .type = OPT_STRING,
     .offset = offsetof(struct cloudwatch_credentials, external_id),
     .not_empty = true,
     .help = "External id that the role asks for."},
    {.name = "credentials_file",
     .type = OPT_PATH,
     .offset = offsetof(struct cloudwatch_credentials, credentials_file),
     .help = "Instead of AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials."},
    {.name = "config_file",
     .type = OPT_PATH,
     .offset = offsetof(struct cloudwatch_credentials, config_file),
     .help = "Instead of AWS_CONFIG_FILE or ~/.aws/config."},
};

static const struct option_section credentials_section = {
    .name = "scrapers.cloudwatch[].credentials",
    .help = "Where credentials are looked for. Without it: the environment, web identity, the profile "
            "AWS_PROFILE "
            "or default, a container's server, the instance's metadata server.",
    .size = sizeof(struct cloudwatch_credentials),
    .options = credential_options,
    .option_count = ARRAY_LEN(credential_options),
};

/* --- metrics ------------------------------------------------------------------------------------------- */

static int check_statistic(const char *text, struct error *err)
{
    static const char *const plain[] = {"Average", "Sum", "Minimum", "Maximum", "SampleCount", "IQM"};
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        if (strcmp(text, plain[i]) == 0)
            return 0;
    }
    /* p95, p99.9; tm90, wm98 ...; PR(:300), TM(2%:98%): what follows is CloudWatch's to judge. */
    static const char *const prefixes[] = {"p", "tm", "wm", "tc", "ts", "PR(", "TM(", "WM(", "TC(", "TS("};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncmp(text, prefixes[i], length) == 0 && text[length] &&
            text[length + strspn(text + length, "0123456789.:%()")] == '\0')
            return 0;
    }
    const char *near = str_nearest(text, plain, ARRAY_LEN(plain));
    return error_set(err, ERR_CONFIG, "\"%.40s\" is no statistic of CloudWatch%s%s%s", text,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static const struct option metric_options[] = {
    {.name = "namespace",
     .type = OPT_STRING,
     .offset = offsetof(struct cloudwatch_metric_config, namespace_name),
     .required = true,
     .not_empty = true,
     .help = "AWS/RDS, AWS/Lambda ..., or one of your own."},
    {.name = "name",
     .type = OPT_STRING,
     .offset = offsetof(struct cloudwatch_metric_config, name),
     .required = true,
     .not_empty = true,
     .help = "Name of the metric, as CloudWatch writes it."},
    {.name = "statistics",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct cloudwatch_metric_config, statistics),
     .required = true,
     .not_empty = true,
     .check = check_statistic,
     .help = "Average, Sum, Minimum, Maximum, SampleCount, p95 ...; up to five are billed as one metric."},
    {.name = "period",
     .type = OPT_DURATION,
     .offset = offsetof(struct cloudwatch_metric_config, period_ns),
     .default_text = "60s",
     .min = NS_PER_S,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help =
         "How often the metric is published: 1, 5, 10, 20 or 30 seconds, or whole minutes. Asking more often "
         "costs and tells nothing."},
    {.name = "dimensions",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct cloudwatch_metric_config, dimensions),
     .help =
         "Names and values; `*` in a value stands for anything. The metric's dimensions are exactly these. "
         "Without it every set of dimensions is taken."},
};

static void check_metric(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct cloudwatch_metric_config *metric = config_pointer;
    int64_t seconds = metric->period_ns / NS_PER_S;
    bool whole = metric->period_ns % NS_PER_S == 0 && (seconds % 60 == 0 || seconds == 1 || seconds == 5 ||
                                                       seconds == 10 || seconds == 20 || seconds == 30);
    if (!whole || 86400 % (seconds ? seconds : 1) != 0)
        (void)node_report(node, diag, DIAG_ERROR,
                          "period is neither 1, 5, 10, 20 or 30 seconds nor whole minutes that divide a day");
    if (metric->dimensions.count > 30)
        (void)node_report(node, diag, DIAG_ERROR, "CloudWatch knows at most 30 dimensions of a metric");
}

const struct option_section cloudwatch_metric_section = {
    .name = "scrapers.cloudwatch[].metrics[]",
    .help = "A metric that no profile has.",
    .size = sizeof(struct cloudwatch_metric_config),
    .options = metric_options,
    .option_count = ARRAY_LEN(metric_options),
    .check = check_metric,
};

/* --- the target ---------------------------------------------------------------------------------------- */

static const struct option discover_options[] = {
    {.name = "tags",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct cloudwatch_discover, tags),
     .help =
         "Only resources with these tags, where the resource of a metric can be told by its dimensions (RDS, "
         "EC2, load balancers, Route 53). Their tags are shown by aws_<service>_info."},
    {.name = "expected",
     .type = OPT_INT,
     .offset = offsetof(struct cloudwatch_discover, expected),
     .default_text = "1",
     .min = 0,
     .max = 1000000,
     .help = "Resources of each kind that `fraiseql-collector cost` reckons with before the first call."},
};

static const struct option_section discover_section = {
    .name = "scrapers.cloudwatch[].discover",
    .help = "Which resources are looked for.",
    .size = sizeof(struct cloudwatch_discover),
    .options = discover_options,
    .option_count = ARRAY_LEN(discover_options),
};

static int check_profile(const char *text, struct error *err)
{
    const char *names[CLOUDWATCH_PROFILES_MAX];
    size_t count = cloudwatch_profile_names(names);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0)
            return 0;
    }
    const char *near = str_nearest(text, names, count);
    return error_set(err, ERR_CONFIG, "there is no profile \"%.40s\"%s%s%s", text,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static const struct option target_options[] = {
    SCRAPER_TARGET_OPTIONS(struct cloudwatch_config),
    {.name = "location",
     .type = OPT_STRING,
     .offset = TARGET(location),
     .required = true,
     .not_empty = true,
     .help = "AWS's own region, such as us-east-1. Metrics of Route 53 and CloudFront are asked where AWS "
             "publishes "
             "them."},
    {.name = "credentials",
     .type = OPT_SECTION,
     .offset = TARGET(credentials),
     .section = &credentials_section,
     .help = "Where credentials are looked for."},
    {.name = "profiles",
     .type = OPT_STRING_LIST,
     .offset = TARGET(profiles),
     .check = check_profile,
     .help = "Ready-made lists of metrics, mapped to the common vocabulary: rds-postgresql, aurora, ec2, "
             "alb, nlb, "
             "route53."},
    {.name = "metrics",
     .type = OPT_SECTION_LIST,
     .offset = TARGET(metrics),
     .section = &cloudwatch_metric_section,
     .help = "Further metrics."},
    {.name = "discover",
     .type = OPT_SECTION,
     .offset = TARGET(discover),
     .section = &discover_section,
     .help = "Which resources are looked for."},
    {.name = "tagging_endpoint",
     .type = OPT_URL,
     .offset = TARGET(tagging_endpoint),
     .help = "Address of the Resource Groups Tagging API; default: AWS's own, or `endpoint` where that is "
             "this machine."},
    {.name = "sts_endpoint",
     .type = OPT_URL,
     .offset = TARGET(sts_endpoint),
     .help = "Address of STS; default: AWS's own, or `endpoint` where that is this machine."},
    CLOUD_OPTIONS(struct cloudwatch_config),
};

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct cloudwatch_config *config = config_pointer;
    if (config->profiles.count == 0 && config->metrics.count == 0)
        (void)node_report(node, diag, DIAG_ERROR, "neither profiles nor metrics say what to ask for");
    scraper_target_check(&config->target, node, diag);
    if (config->credentials.external_id && !config->credentials.role_arn)
        (void)node_report(node, diag, DIAG_ERROR,
                          "credentials.external_id is for a role_arn, and there is none");
    cloud_config_check_endpoint("endpoint", config->cloud.endpoint, node, diag);
    cloud_config_check_endpoint("tagging_endpoint", config->tagging_endpoint, node, diag);
    cloud_config_check_endpoint("sts_endpoint", config->sts_endpoint, node, diag);
}

const struct option_section cloudwatch_section = {
    .name = "scrapers.cloudwatch[]",
    .help = "Metrics of Amazon CloudWatch, each asked once in its own period.",
    .size = sizeof(struct cloudwatch_config),
    .options = target_options,
    .option_count = ARRAY_LEN(target_options),
    .has_position = true,
    .position_offset = offsetof(struct cloudwatch_config, target.position),
    .check = check_target,
};
