#include "provisioner/self_hosted/self_hosted.h"

const struct provider provider_self_hosted = {
    .name = "self-hosted",
    .title = "Own hosts",
    .refusal = "provider \"self-hosted\" is not part of this version; aws, gcp and azure are",
};
