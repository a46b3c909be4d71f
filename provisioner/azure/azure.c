/* Microsoft Azure. Names of arguments are those of the Terraform provider hashicorp/azurerm 4. */
#include "provisioner/azure/azure.h"

#include "lib/core/str.h"
#include "provisioner/azure/backups.h"
#include "provisioner/azure/credentials.h"
#include "provisioner/azure/gateway_report.h"
#include "provisioner/azure/logs.h"
#include "provisioner/render/render.h"

#include <stdio.h>

static void render_provider(const struct deployment *deployment, const struct region *region,
                            struct json_writer *json)
{
    (void)deployment;
    json_key(json, "azurerm");
    json_object_begin(json);
    json_key(json, "features");
    json_object_begin(json);
    json_object_end(json);
    if (region->account)
        render_kv(json, "subscription_id", region->account);
    json_object_end(json);
}

static void render_requirements(struct json_writer *json)
{
    json_key(json, "azurerm");
    json_object_begin(json);
    json_kv_text(json, "source", "hashicorp/azurerm");
    json_kv_text(json, "version", "~> 4.55");
    json_object_end(json);
}

static void report(const struct deployment *deployment, const struct region *region,
                   struct findings *findings, const char *key, const char *rule, const char *sentence)
{
    char path[NODE_PATH_MAX];
    (void)snprintf(path, sizeof path, "regions.%s.%s", region->name, key);
    (void)findings_add(findings, DIAG_ERROR, rule, deployment_node(deployment, path), "%s: %s", path,
                       sentence);
}

static const char *after(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : NULL;
}

/* --- classes of the flexible server --- */

/* "Microsoft.DBforPostgreSQL flexible servers, compute": series are a letter, CPUs, and what the processor
 * adds, in a version. Newer versions of a series are left to Azure. */
static bool is_series(const char *size)
{
    static const char *const endings[] = {"s_v3", "ds_v4", "ds_v5", "ads_v5"};
    const char *end = size + 1 + strspn(size + 1, "0123456789");
    if (end == size + 1)
        return false;
    if (size[0] == 'B')
        return strcmp(end, "s") == 0 || strcmp(end, "ms") == 0;
    const char *version = strstr(end, "_v");
    bool newer = version && version[2] >= '6' && version[2] <= '9' && !version[3] &&
                 memchr(end, 's', (size_t)(version - end));
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        if (strcmp(end, endings[i]) == 0)
            return true;
    }
    return newer;
}

/* What is wrong with a class, or NULL. */
static const char *class_problem(const char *class)
{
    static const struct {
        const char *tier;
        char letter;
    } tiers[] = {{"B_", 'B'}, {"GP_", 'D'}, {"MO_", 'E'}};
    const char *size = after(class, "Standard_");
    for (size_t i = 0; !size && i < ARRAY_LEN(tiers); i++) {
        const char *rest = after(class, tiers[i].tier);
        size = rest ? after(rest, "Standard_") : NULL;
        if (size && size[0] != tiers[i].letter)
            return "the tier is not that of the size: B_ goes with Standard_B, GP_ with Standard_D, MO_ with "
                   "Standard_E";
    }
    if (!size || !strchr("BDE", size[0]))
        return "Azure's PostgreSQL runs on sizes Standard_B (burstable), Standard_D and Standard_E";
    return is_series(size)
               ? NULL
               : "Azure's PostgreSQL runs on the series B*s, B*ms, and s_v3, ds_v4, ds_v5, ads_v5 "
                 "of D and E";
}

static bool is_burstable(const char *class)
{
    const char *size = after(class, "B_");
    return after(size ? size : class, "Standard_B") != NULL;
}

static void check_database(const struct deployment *deployment, const struct region *region,
                           struct findings *findings)
{
    const struct region_database *database = &region->database;
    const char *problem = database->class ? class_problem(database->class) : NULL;
    if (problem)
        report(deployment, region, findings, "database.sku", "azure-database-class", problem);
    else if (database->class && is_burstable(database->class) && database->high_availability)
        report(deployment, region, findings, "database.high-availability", "azure-high-availability",
               "Azure gives burstable classes (Standard_B...) no standby: choose a class of another series, "
               "or set this to false");
    if (database->storage_bytes > UINT64_C(32) << 40)
        report(deployment, region, findings, "database.storage", "azure-storage",
               "Azure's flexible server has at most 32 TiB");
}

/* --- what has an address in a Key Vault --- */

/* "https://NAME.vault.azure.net/KIND/..." ; sovereign clouds have other ends. */
static bool is_in_vault(const char *address, const char *kind)
{
    const char *host = after(address, "https://"), *path = host ? strchr(host, '/') : NULL;
    const char *dot = host ? strchr(host, '.') : NULL;
    const char *rest = path ? after(path, kind) : NULL;
    return rest && *rest && dot && dot < path && dot > host && after(dot, ".vault.");
}

static void check_keys(const struct deployment *deployment, const struct region *region,
                       struct findings *findings)
{
    const char *key = region->database.encryption_key;
    if (key && !is_in_vault(key, "/keys/"))
        report(deployment, region, findings, "database.encryption-key", "azure-encryption-key",
               "want the id of a key in a Key Vault: https://VAULT.vault.azure.net/keys/NAME/VERSION");
    if (key && deployment->backup.enabled && deployment->backup.geo_redundant)
        report(
            deployment, region, findings, "database.encryption-key", "azure-geo-redundant-key",
            "backups in the paired region would need another key there: set backup.geo-redundant to false, "
            "or let Azure keep the key");
}

static bool is_secret_name(const char *text)
{
    size_t length = strlen(text);
    return length <= 127 &&
           strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == length;
}

static void check_secrets(const struct deployment *deployment, const struct region *region,
                          struct findings *findings)
{
    const struct string_map *secrets = &deployment->service.secret_environment;
    char path[NODE_PATH_MAX];
    for (size_t i = 0; i < secrets->count; i++) {
        const struct string_pair *pair = &secrets->items[i];
        if (is_secret_name(pair->value) || is_in_vault(pair->value, "/secrets/"))
            continue;
        (void)snprintf(path, sizeof path, "service.secret-environment.%s", pair->key);
        struct finding *finding = findings_add(
            findings, DIAG_ERROR, "azure-secret-name", deployment_node(deployment, path),
            "%s: region %s is on Azure, where the name of a secret has letters, digits and dashes", path,
            region->name);
        finding_hint(findings, finding,
                     "Or give the address of one in a vault of your own: "
                     "https://VAULT.vault.azure.net/secrets/NAME.");
    }
}

/* --- the rest --- */

static bool is_uuid(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (!text[i] || (dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i])))
            return false;
    }
    return !text[36];
}

static void validate_region(const struct deployment *deployment, const struct region *region,
                            struct findings *findings)
{
    check_database(deployment, region, findings);
    check_keys(deployment, region, findings);
    check_secrets(deployment, region, findings);
    if (region->account && !is_uuid(region->account))
        report(deployment, region, findings, "account", "azure-account",
               "want the id of a subscription, such as 01234567-89ab-cdef-0123-456789abcdef");
    if (!after(region->instance_type, "Standard_"))
        report(deployment, region, findings, "instance_type", "azure-size",
               "sizes of Azure's machines begin with Standard_");
}

static const struct provider_variable variables[] = {
    {"encryption_at_host",
     "true: temporary disks and caches are encrypted on the machines' hosts too. The subscription must have "
     "the feature first: az feature register --namespace Microsoft.Compute --name EncryptionAtHost"},
    {"password_version", "Raise it, from 1 on, to give the database's administrator a new password, which "
                         "the machines then fetch "
                         "one batch after the other."},
    {"ssh_public_key",
     "Public key of the machines' user fraiseql; empty for one that has no private half. No port for it is "
     "open either way."},
    {NULL, NULL},
};

const struct provider provider_azure = {
    .name = "azure",
    .title = "Azure",
    .database_product = "azure-database",
    .module = "azure/module",
    .variables = variables,
    .validate_region = validate_region,
    .validate_credentials = azure_validate_credentials,
    .recent_logs = azure_recent_logs,
    .gateway_report = azure_gateway_report,
    .backups = &azure_backups,
    .render_provider = render_provider,
    .render_requirements = render_requirements,
    /* No import_id: ids contain the subscription, which plans do not know; Azure's own message that something
     * exists carries the id, and the run reads it there. */
};
