#include "scrapers/azure/azure_internal.h"

#include <ctype.h>

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
     .required = true,
     .not_empty = true,
     .check = check_profile,
     .help = "Ready-made lists of metrics, mapped to the common vocabulary: postgresql-flexible, vm, "
             "front-door, traffic-manager, load-balancer."},
    CLOUD_OPTIONS(struct azure_config),
};

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct azure_config *config = config_pointer;
    scraper_target_check(&config->target, node, diag);
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
