/* Every provider, one line each. */
#include "lib/core/str.h"
#include "provisioner/aws/aws.h"
#include "provisioner/azure/azure.h"
#include "provisioner/gcp/gcp.h"
#include "provisioner/kubernetes/kubernetes.h"
#include "provisioner/provider.h"
#include "provisioner/self_hosted/self_hosted.h"

static const struct provider *const providers[] = {
    &provider_aws, &provider_gcp, &provider_azure, &provider_kubernetes, &provider_self_hosted, NULL,
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
    if (provider_find(text))
        return 0;
    const char *names[ARRAY_LEN(providers)];
    size_t count = 0;
    for (; providers[count]; count++)
        names[count] = providers[count]->name;
    const char *nearest = str_nearest(text, names, count);
    if (nearest)
        return error_set(
            err, ERR_CONFIG,
            "unknown provider \"%s\": did you mean \"%s\"? Allowed: aws, gcp, azure, kubernetes, "
            "self-hosted",
            text, nearest);
    return error_set(err, ERR_CONFIG,
                     "unknown provider \"%s\". Allowed: aws, gcp, azure, kubernetes, self-hosted", text);
}
