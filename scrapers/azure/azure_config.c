#include "scrapers/azure/azure_internal.h"

#include <ctype.h>
#include <strings.h>

#define TARGET(member) offsetof(struct azure_config, member)

static const struct option credential_options[] = {
    {.name = "tenant",
     .type = OPT_STRING,
     .offset = offsetof(struct azure_credentials, tenant),
     .not_empty = true,
     .help = "The tenant's id or domain, for a secret, a certificate or a token."},
    {.name = "client",
     .type = OPT_STRING,
     .offset = offsetof(struct azure_credentials, client),
     .required = true,
     .not_empty = true,
     .help = "Id of the application; without any file that of a managed identity."},
    {.name = "secret_file",
     .type = OPT_PATH,
     .offset = offsetof(struct azure_credentials, secret_file),
     .help = "File with the application's secret. Read anew for each token."},
    {.name = "certificate_file",
     .type = OPT_PATH,
     .offset = offsetof(struct azure_credentials, certificate_file),
     .help = "File with key and certificate, PEM or PKCS#12."},
    {.name = "token_file",
     .type = OPT_PATH,
     .offset = offsetof(struct azure_credentials, token_file),
     .help = "File with the token of another issuer (workload identity)."},
};

static void check_credentials(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct azure_credentials *credentials = config_pointer;
    int files = (credentials->secret_file ? 1 : 0) + (credentials->certificate_file ? 1 : 0) +
                (credentials->token_file ? 1 : 0);
    if (files > 1)
        (void)node_report(node, diag, DIAG_ERROR,
                          "more than one of secret_file, certificate_file and token_file is given");
    if (files == 1 && !credentials->tenant)
        (void)node_report(node, diag, DIAG_ERROR, "a secret, certificate or token needs a tenant");
}

static const struct option_section credentials_section = {
    .name = "scrapers.azure[].credentials",
    .help = "Who asks. Without it: what the environment names (AZURE_CLIENT_ID, AZURE_TENANT_ID, "
            "AZURE_CLIENT_SECRET, AZURE_FEDERATED_TOKEN_FILE ...), or the machine's managed identity.",
    .size = sizeof(struct azure_credentials),
    .options = credential_options,
    .option_count = ARRAY_LEN(credential_options),
    .check = check_credentials,
};

static int check_profile(const char *text, struct error *err)
{
    for (const struct azure_set *set = azure_sets; set->profile; set++) {
        if (strcmp(set->profile, text) == 0)
            return 0;
    }
    return error_set(err, ERR_CONFIG,
                     "there is no profile \"%.40s\": postgresql-flexible, vm, front-door, traffic-manager, "
                     "load-balancer are there",
                     text);
}

/* --- metrics ------------------------------------------------------------------------------------------- */

/* "Microsoft.Compute/virtualMachines" */
static int check_type(const char *text, struct error *err)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || (text[length] && strchr("./-", text[length])))
        length++;
    const char *slash = strchr(text, '/');
    return length > 0 && length <= 200 && !text[length] && slash && slash != text && text[length - 1] != '/'
               ? 0
               : error_set(err, ERR_CONFIG,
                           "\"%.60s\" is no type of resources, such as Microsoft.Storage/storageAccounts",
                           text);
}

/* Names stand in a list that commas part. */
static int check_name(const char *text, struct error *err)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == ',')
            length = 0;
    }
    return length > 0 && length <= 200 ? 0
                                       : error_set(err, ERR_CONFIG, "\"%.60s\" is no name of a metric", text);
}

static int check_aggregation(const char *text, struct error *err)
{
    return azure_aggregation_find(text) >= 0
               ? 0
               : error_set(err, ERR_CONFIG, "\"%.40s\" is none of average, minimum, maximum, total and count",
                           text);
}

static const struct option metric_options[] = {
    {.name = "type",
     .type = OPT_STRING,
     .offset = offsetof(struct azure_metric_config, type),
     .required = true,
     .check = check_type,
     .help = "Type of the resources, such as Microsoft.Storage/storageAccounts."},
    {.name = "namespace",
     .type = OPT_STRING,
     .offset = offsetof(struct azure_metric_config, namespace_name),
     .check = check_type,
     .help = "Namespace of the metric, such as Microsoft.Storage/storageAccounts/blobServices; default: the "
             "type."},
    {.name = "name",
     .type = OPT_STRING,
     .offset = offsetof(struct azure_metric_config, name),
     .required = true,
     .check = check_name,
     .help = "Name of the metric in Azure's REST API."},
    {.name = "aggregations",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct azure_metric_config, aggregations),
     .required = true,
     .not_empty = true,
     .check = check_aggregation,
     .help = "average, minimum, maximum, total, count; each is a series. Total and count are counters too."},
    {.name = "period",
     .type = OPT_DURATION,
     .offset = offsetof(struct azure_metric_config, period_ns),
     .default_text = "60s",
     .min = 60 * NS_PER_S,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Time grain: 1, 5, 15 or 30 minutes, 1, 6, 12 or 24 hours, of those that the metric has."},
    {.name = "dimensions",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct azure_metric_config, dimensions),
     .help = "Dimensions by which values are split, and the value of each that is wanted; `*` is every one."},
};

static void check_metric(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct azure_metric_config *metric = config_pointer;
    if (metric->period_ns % NS_PER_S != 0 || !azure_grain(metric->period_ns / NS_PER_S))
        (void)node_report(node, diag, DIAG_ERROR,
                          "period is no time grain of Azure: 1, 5, 15 or 30 minutes, 1, 6, 12 or 24 hours");
    if (metric->dimensions.count > AZURE_DIMENSIONS_MAX)
        (void)node_report(node, diag, DIAG_ERROR, "more than %u dimensions are given", AZURE_DIMENSIONS_MAX);
    for (size_t i = 0; i < metric->dimensions.count; i++) {
        const char *name = metric->dimensions.items[i].key;
        if (!name[0] ||
            name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/ ")])
            (void)node_report(node, diag, DIAG_ERROR, "\"%.60s\" is no name of a dimension", name);
        if (!metric->dimensions.items[i].value[0] || strlen(metric->dimensions.items[i].value) > 200)
            (void)node_report(node, diag, DIAG_ERROR, "the dimension %.60s has no value; * is every one",
                              name);
    }
}

static const struct option_section metric_section = {
    .name = "scrapers.azure[].metrics[]",
    .help = "A metric that no profile has.",
    .size = sizeof(struct azure_metric_config),
    .options = metric_options,
    .option_count = ARRAY_LEN(metric_options),
    .has_position = true,
    .position_offset = offsetof(struct azure_metric_config, position),
    .check = check_metric,
};

/* --- the target ---------------------------------------------------------------------------------------- */

/* It becomes part of an address. */
static int check_subscription(const char *text, struct error *err)
{
    size_t length = 0;
    while (isxdigit((unsigned char)text[length]) || text[length] == '-')
        length++;
    return length == 36 && !text[length]
               ? 0
               : error_set(err, ERR_CONFIG, "\"%.40s\" is no id of a subscription", text);
}

static int check_group(const char *text, struct error *err)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || (text[length] && strchr("-._()", text[length])))
        length++;
    return length > 0 && length <= 90 && !text[length] && text[length - 1] != '.'
               ? 0
               : error_set(err, ERR_CONFIG, "\"%.40s\" is no name of a resource group", text);
}

static const struct option target_options[] = {
    SCRAPER_TARGET_OPTIONS(struct azure_config),
    {.name = "subscription",
     .type = OPT_STRING,
     .offset = TARGET(subscription),
     .required = true,
     .check = check_subscription,
     .help = "The subscription's id."},
    {.name = "resource_group",
     .type = OPT_STRING,
     .offset = TARGET(resource_group),
     .check = check_group,
     .help = "Only resources of this group; default: of the whole subscription."},
    {.name = "credentials",
     .type = OPT_SECTION_PTR,
     .offset = TARGET(credentials),
     .section = &credentials_section,
     .help = "Who asks."},
    {.name = "profiles",
     .type = OPT_STRING_LIST,
     .offset = TARGET(profiles),
     .check = check_profile,
     .help = "Ready-made lists of metrics, mapped to the common vocabulary: postgresql-flexible, vm, "
             "front-door, traffic-manager, load-balancer."},
    {.name = "metrics",
     .type = OPT_SECTION_LIST,
     .offset = TARGET(metrics),
     .section = &metric_section,
     .help = "Further metrics."},
    CLOUD_OPTIONS(struct azure_config),
};

static bool same_dimensions(const struct azure_metric_config *one, const struct azure_metric_config *other)
{
    if (one->dimensions.count != other->dimensions.count)
        return false;
    for (size_t i = 0; i < one->dimensions.count; i++) {
        if (strcasecmp(one->dimensions.items[i].key, other->dimensions.items[i].key) != 0)
            return false;
    }
    return true;
}

/* Of one dimension only the value is shown, so that of two splits by one dimension each series could stand
 * for both. */
static bool is_told_apart(const struct azure_metric_config *one, const struct azure_metric_config *other)
{
    const char *first = one->namespace_name ? one->namespace_name : one->type,
               *second = other->namespace_name ? other->namespace_name : other->type;
    if (strcasecmp(one->type, other->type) != 0 || strcasecmp(first, second) != 0 ||
        strcasecmp(one->name, other->name) != 0)
        return true;
    bool both_one = one->dimensions.count == 1 && other->dimensions.count == 1;
    return !both_one && !same_dimensions(one, other);
}

static void check_metrics(const struct azure_config *config, const struct node *node, struct diag *diag)
{
    if (config->profiles.count == 0 && config->metrics.count == 0)
        (void)node_report(node, diag, DIAG_ERROR, "neither profiles nor metrics say what to ask for");
    for (size_t i = 1; i < config->metrics.count; i++) {
        const struct azure_metric_config *metric =
            SECTION_AT(const struct azure_metric_config, config->metrics, i);
        for (size_t k = 0; k < i; k++) {
            if (is_told_apart(metric, SECTION_AT(const struct azure_metric_config, config->metrics, k)))
                continue;
            (void)node_report(node, diag, DIAG_ERROR,
                              "metrics[%zu] and metrics[%zu] ask for the same series of %.60s; give one with "
                              "all of its aggregations",
                              k, i, metric->name);
            break;
        }
    }
}

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct azure_config *config = config_pointer;
    scraper_target_check(&config->target, node, diag);
    check_metrics(config, node, diag);
    cloud_config_check_endpoint("endpoint", config->cloud.endpoint, node, diag);
}

const struct option_section azure_section = {
    .name = "scrapers.azure[]",
    .help = "Metrics of Azure Monitor, each asked once in its own time grain.",
    .size = sizeof(struct azure_config),
    .options = target_options,
    .option_count = ARRAY_LEN(target_options),
    .has_position = true,
    .position_offset = offsetof(struct azure_config, target.position),
    .check = check_target,
};
