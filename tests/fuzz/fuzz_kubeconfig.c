/* kubeconfig files. */
#include "lib/core/arena.h"
#include "scrapers/kubernetes/kube_access.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct kube_access *access = xcalloc(1, sizeof *access);
    struct error err = {0};
    access->arena = arena_new(0);
    int rc =
        kubeconfig_parse("/etc/kube/config", (struct str){(const char *)bytes, size}, NULL, access, &err);
    if (rc == 0 && (!access->server || access->server[0] != 'h'))
        abort();
    if (rc != 0 && err.message[0] == '\0')
        abort(); /* a refusal says why */
    kube_access_free(access);
    return 0;
}
