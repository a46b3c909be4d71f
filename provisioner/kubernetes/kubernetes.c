#include "provisioner/kubernetes/kubernetes.h"

const struct provider provider_kubernetes = {
    .name = "kubernetes",
    .title = "Kubernetes",
    .refusal = "provider \"kubernetes\" is not part of this version; aws, gcp, azure and self-hosted are",
};
