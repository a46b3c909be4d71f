/* Every provider, a word in each of two tables. */
#include "lib/core/str.h"
#include "provisioner/aws/aws.h"
#include "provisioner/azure/azure.h"
#include "provisioner/gcp/gcp.h"
#include "provisioner/kubernetes/kubernetes.h"
#include "provisioner/provider.h"
#include "provisioner/self_hosted/self_hosted.h"

#include <stdio.h>

static const struct provider *const providers[] = {
    &provider_aws, &provider_gcp, &provider_azure, &provider_kubernetes, &provider_self_hosted, NULL,
};

/* Those of them that are deployed; a table of its own, since names are no constants here. */
const struct option_enum provider_choices[] = {
    {"aws", 0}, {"gcp", 0}, {"azure", 0}, {"self-hosted", 0}, {NULL, 0}};

/* What people call them. */
static const struct str_alias aliases[] = {
    {"amazon", "aws"},
    {"amazon-web-services", "aws"},
    {"ec2", "aws"},
    {"google", "gcp"},
    {"google-cloud", "gcp"},
    {"googlecloud", "gcp"},
    {"gcloud", "gcp"},
    {"gce", "gcp"},
    {"microsoft", "azure"},
    {"microsoft-azure", "azure"},
    {"azurerm", "azure"},
    {"k8s", "kubernetes"},
    {"kube", "kubernetes"},
    {"local", "self-hosted"},
    {"ssh", "self-hosted"},
    {"own-hosts", "self-hosted"},
    {"bare-metal", "self-hosted"},
    {"on-premises", "self-hosted"},
    {"onprem", "self-hosted"},
    {NULL, NULL},
};

const struct provider *const *provider_all(void)
{
    return providers;
}

const struct provider *provider_find(const char *name)
{
    for (size_t i = 0; providers[i]; i++) {
        if (strcmp(providers[i]->name, name) == 0)
            return providers[i];
    }
    return NULL;
}

int provider_check_name(const char *text, struct error *err)
{
    const char *names[ARRAY_LEN(providers)];
    char allowed[256] = "";
    size_t count = 0;
    if (provider_find(text))
        return 0;
    for (; providers[count]; count++)
        names[count] = providers[count]->name;
    for (const struct option_enum *each = provider_choices; each->name; each++) {
        size_t used = strlen(allowed);
        (void)snprintf(allowed + used, sizeof allowed - used, "%s%s", used ? ", " : "", each->name);
    }
    const char *meant = str_meant(text, aliases);
    const char *nearest = meant ? meant : str_nearest(text, names, count);
    if (nearest)
        return error_set(err, ERR_CONFIG, "unknown provider \"%s\": did you mean \"%s\"? Allowed: %s", text,
                         nearest, allowed);
    return error_set(err, ERR_CONFIG, "unknown provider \"%s\". Allowed: %s", text, allowed);
}
