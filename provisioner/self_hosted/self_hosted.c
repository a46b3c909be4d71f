#include "provisioner/self_hosted/self_hosted.h"

#include "provisioner/self_hosted/access.h"
#include "provisioner/self_hosted/backups.h"
#include "provisioner/self_hosted/check.h"

const struct provider provider_self_hosted = {
    .name = "self-hosted",
    .title = "Own hosts",
    .own_hosts = true,
    .database_product = "postgresql",
    .database_version = 15, /* Debian 12's */
    .validate_region = self_hosted_check,
    .validate_credentials = access_check,
    .recent_logs = access_logs,
    .backups = &backups_self_hosted,
};
