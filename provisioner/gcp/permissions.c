#include "provisioner/gcp/permissions.h"

#include "provisioner/inquiry.h"
#include "provisioner/render/render.h"

enum need { ALWAYS, CERTIFICATE, GATEWAY, BACKUPS };

#define USAGE    "roles/serviceusage.serviceUsageAdmin"
#define COMPUTE  "roles/compute.admin"
#define PEERING  "roles/servicenetworking.networksAdmin"
#define SQL      "roles/cloudsql.admin"
#define CERTS    "roles/certificatemanager.owner"
#define SECRETS  "roles/secretmanager.admin"
#define ACCOUNTS "roles/iam.serviceAccountAdmin"
#define LOGGING  "roles/logging.configWriter"

/* The module makes no keys. One of the user's is granted on the key itself, maybe in another project, where
 * the project's permissions do not show it. */
static const struct {
    const char *what, *verbs, *role; /* verbs apart by blanks */
    enum need need;
} rows[] = {
    {"resourcemanager.projects.", "get", "roles/browser", ALWAYS},
    {"serviceusage.services.", "enable list", USAGE, ALWAYS},
    {"serviceusage.operations.", "get", USAGE, ALWAYS},
    {"compute.networks.", "create delete get update updatePolicy use", COMPUTE, ALWAYS},
    {"compute.subnetworks.", "create delete expandIpCidrRange get update use", COMPUTE, ALWAYS},
    {"compute.routers.", "create delete get update", COMPUTE, ALWAYS},
    {"compute.firewalls.", "create delete get update", COMPUTE, ALWAYS},
    {"compute.globalAddresses.", "create createInternal delete deleteInternal get setLabels use", COMPUTE,
     ALWAYS},
    {"compute.instanceTemplates.", "create delete get useReadOnly", COMPUTE, ALWAYS},
    {"compute.instanceGroupManagers.", "create delete get update use", COMPUTE, ALWAYS},
    {"compute.instanceGroups.", "delete update use", COMPUTE, ALWAYS},
    {"compute.instances.", "create setLabels setMetadata setServiceAccount setTags", COMPUTE, ALWAYS},
    {"compute.disks.", "create", COMPUTE, ALWAYS},
    {"compute.autoscalers.", "create delete get update", COMPUTE, ALWAYS},
    {"compute.healthChecks.", "create delete get update useReadOnly", COMPUTE, ALWAYS},
    {"compute.regionHealthChecks.", "create delete get update", COMPUTE, ALWAYS},
    {"compute.backendServices.", "create delete get update use", COMPUTE, ALWAYS},
    {"compute.urlMaps.", "create delete get update use", COMPUTE, ALWAYS},
    {"compute.sslPolicies.", "create delete get update use", COMPUTE, ALWAYS},
    {"compute.targetHttpProxies.", "create delete get setUrlMap use", COMPUTE, ALWAYS},
    {"compute.targetHttpsProxies.",
     "create delete get setCertificateMap setSslCertificates setSslPolicy setUrlMap use", COMPUTE, ALWAYS},
    {"compute.globalForwardingRules.", "create delete get setLabels setTarget", COMPUTE, ALWAYS},
    {"compute.globalOperations.", "get", COMPUTE, ALWAYS},
    {"compute.regionOperations.", "get", COMPUTE, ALWAYS},
    {"compute.zones.", "list", COMPUTE, ALWAYS},
    {"compute.addresses.", "create delete get setLabels use", COMPUTE, GATEWAY},
    {"compute.instances.", "delete get getGuestAttributes", COMPUTE, GATEWAY},
    {"compute.disks.", "get", COMPUTE, GATEWAY},
    {"compute.subnetworks.", "useExternalIp", COMPUTE, GATEWAY},
    {"compute.zones.", "get", COMPUTE, GATEWAY},
    {"compute.zoneOperations.", "get", COMPUTE, GATEWAY},
    {"servicenetworking.services.", "addPeering deleteConnection get", PEERING, ALWAYS},
    {"servicenetworking.operations.", "get", PEERING, ALWAYS},
    {"cloudsql.instances.", "create delete get update", SQL, ALWAYS},
    {"cloudsql.databases.", "create delete get update", SQL, ALWAYS},
    {"cloudsql.users.", "list", SQL, ALWAYS},
    {"cloudsql.instances.", "clone list restoreBackup", SQL, BACKUPS},
    {"cloudsql.backupRuns.", "create list", SQL, BACKUPS},
    {"certificatemanager.dnsauthorizations.", "create delete get update use", CERTS, CERTIFICATE},
    {"certificatemanager.certs.", "create delete get update use", CERTS, CERTIFICATE},
    {"certificatemanager.certmaps.", "create delete get update use", CERTS, CERTIFICATE},
    {"certificatemanager.certmapentries.", "create delete get update", CERTS, CERTIFICATE},
    {"certificatemanager.operations.", "get", CERTS, CERTIFICATE},
    {"secretmanager.secrets.", "create delete get getIamPolicy setIamPolicy update", SECRETS, ALWAYS},
    {"secretmanager.versions.", "access add destroy enable get", SECRETS, GATEWAY},
    {"iam.serviceAccounts.", "create delete get update", ACCOUNTS, ALWAYS},
    {"iam.serviceAccounts.", "actAs", "roles/iam.serviceAccountUser", ALWAYS},
    {"iam.roles.", "create delete get undelete update", "roles/iam.roleAdmin", ALWAYS},
    {"resourcemanager.projects.", "getIamPolicy setIamPolicy", "roles/resourcemanager.projectIamAdmin",
     ALWAYS},
    {"logging.buckets.", "create delete get update", LOGGING, ALWAYS},
    {"logging.sinks.", "create delete get update", LOGGING, ALWAYS},
};

static bool holds(const struct deployment *deployment, const struct region *region, enum need need)
{
    if (need == CERTIFICATE)
        return deployment->traffic.domain;
    if (need == BACKUPS)
        return deployment->backup.enabled;
    return need == ALWAYS || render_is_linked(deployment, region);
}

size_t gcp_permissions_list(const struct deployment *deployment, const struct region *region,
                            struct arena *arena, const struct gcp_permission **ret_list)
{
    size_t room = 0, count = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        room += inquiry_names(rows[i].what, rows[i].verbs, arena, NULL);
    const char **names = arena_alloc(arena, room * sizeof *names);
    struct gcp_permission *list = arena_alloc(arena, room * sizeof *list);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!holds(deployment, region, rows[i].need))
            continue;
        size_t end = count + inquiry_names(rows[i].what, rows[i].verbs, arena, names + count);
        for (; count < end; count++)
            list[count] = (struct gcp_permission){names[count], rows[i].role};
    }
    *ret_list = list;
    return count;
}
