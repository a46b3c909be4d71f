/* One small judge a rule. Evidence is the value found and where it comes from, never a secret. */
#include "provisioner/compliance/internal.h"

#include "lib/core/clock.h"
#include "lib/core/yaml.h"
#include "provisioner/embedded.h"

#include <strings.h>

#define NS_PER_DAY (INT64_C(86400) * NS_PER_S)

bool compliance_has_standard(const struct deployment *deployment, const char *standard)
{
    const struct string_list *list = &deployment->compliance.standards;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], standard) == 0)
            return true;
    }
    return false;
}

const char *compliance_origin(const struct judging *judging, const char *section, const char *key,
                              struct compliance_result *result)
{
    const struct node *above = deployment_node(judging->deployment, section);
    result->node = deployment_node(judging->deployment, arena_printf(judging->arena, "%s.%s", section, key));
    bool written = result->node && result->node != above && above != judging->deployment->root;
    return written ? arena_printf(judging->arena, " (line %u)", result->node->line) : " (default)";
}

static bool judge_bool(const struct judging *judging, const char *section, const char *key, bool value,
                       bool wanted, struct compliance_result *result)
{
    const char *origin = compliance_origin(judging, section, key, result);
    result->outcome = value == wanted ? COMPLIANCE_PASS : COMPLIANCE_FAIL;
    result->evidence =
        arena_printf(judging->arena, "%s.%s is %s%s", section, key, value ? "true" : "false", origin);
    return true;
}

static const char *database_path(const struct judging *judging)
{
    return arena_printf(judging->arena, "regions.%s.database", judging->region->name);
}

#define DATABASE_RULE(function, key, member, wanted)                                                         \
    static bool function(const struct judging *judging, struct compliance_result *result)                    \
    {                                                                                                        \
        return judge_bool(judging, database_path(judging), key, judging->region->database.member, wanted,    \
                          result);                                                                           \
    }
#define DEPLOYMENT_RULE(function, section, key, member)                                                      \
    static bool function(const struct judging *judging, struct compliance_result *result)                    \
    {                                                                                                        \
        return judge_bool(judging, section, key, judging->deployment->member, true, result);                 \
    }
DATABASE_RULE(judge_encrypted, "encrypted", encrypted, true)
DATABASE_RULE(judge_private, "public-access", public_access, false)
DATABASE_RULE(judge_availability, "high-availability", high_availability, true)
DATABASE_RULE(judge_protection, "deletion-protection", deletion_protection, true)
DEPLOYMENT_RULE(judge_backup, "backup", "enabled", backup.enabled)
DEPLOYMENT_RULE(judge_audit, "monitoring", "audit-log", monitoring.audit_log)
DEPLOYMENT_RULE(judge_monitoring, "monitoring", "enabled", monitoring.enabled)

static bool judge_restore(const struct judging *judging, struct compliance_result *result)
{
    const struct deployment_backup *backup = &judging->deployment->backup;
    return backup->enabled &&
           judge_bool(judging, "backup", "restore-test", backup->restore_test, true, result);
}

static bool judge_customer_key(const struct judging *judging, struct compliance_result *result)
{
    bool given = judging->region->database.encryption_key != NULL;
    const char *origin = compliance_origin(judging, database_path(judging), "encryption-key", result);
    result->outcome = given ? COMPLIANCE_PASS : COMPLIANCE_FAIL;
    result->evidence = arena_printf(judging->arena, "database.encryption-key is %s%s",
                                    given ? "given" : "not given", origin);
    return true;
}

/* What the file cannot say is read in the module that is part of this program. */
static bool judge_module(const struct judging *judging, const char *file, const char *const *words,
                         struct compliance_result *result)
{
    const char *path = arena_printf(judging->arena, "%s/module/%s", judging->region->provider_name, file);
    const struct embedded_file *found = embedded_find(path);
    const char *word = NULL;
    for (; found && *words && !word; words++)
        word = memmem(found->bytes.ptr, found->bytes.len, *words, strlen(*words)) ? *words : NULL;
    result->node = deployment_node(judging->deployment,
                                   arena_printf(judging->arena, "regions.%s", judging->region->name));
    result->outcome = COMPLIANCE_MANUAL;
    result->evidence =
        word ? arena_printf(judging->arena, "provisioner/%s names %s; read what it sets", path, word)
             : arena_printf(judging->arena, "no module of this version shows it (%s)", path);
    return true;
}

static bool judge_database_tls(const struct judging *judging, struct compliance_result *result)
{
    static const char *const words[] = {"rds.force_ssl", "ssl_mode", "require_secure_transport", NULL};
    return judge_module(judging, "database.tf", words, result);
}

static bool judge_privilege(const struct judging *judging, struct compliance_result *result)
{
    static const char *const words[] = {"aws_iam_role_policy", "google_service_account",
                                        "azurerm_user_assigned_identity", NULL};
    return judge_module(judging, "identity.tf", words, result);
}

static bool any_region_of(const struct deployment *deployment, const char *provider)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        if (strcmp(deployment_region(deployment, i)->provider_name, provider) == 0)
            return true;
    }
    return false;
}

static bool judge_service_tls(const struct judging *judging, struct compliance_result *result)
{
    const struct deployment_traffic *traffic = &judging->deployment->traffic;
    const char *origin = compliance_origin(judging, "traffic", "domain", result);
    const char *missing = "";
    if (traffic->domain && traffic->dns == DNS_NONE) {
        missing = ", and traffic.dns is not given";
    } else if (traffic->domain && traffic->dns == DNS_ROUTE53 && !traffic->dns_zone &&
               any_region_of(judging->deployment, "aws")) {
        missing = ", and traffic.dns-zone is not given, without which AWS regions make no certificate";
        result->mend = "Give the id of the hosted zone as traffic.dns-zone.";
    }
    /* A name makes a certificate possible; that one is served is the module's. */
    bool good = traffic->domain && !*missing;
    result->outcome = good ? COMPLIANCE_MANUAL : COMPLIANCE_FAIL;
    if (good)
        result->mend = arena_printf(judging->arena, "Ask https://%s once it stands.", traffic->domain);
    result->evidence = arena_printf(judging->arena, "traffic.domain is %s%s%s",
                                    traffic->domain ? traffic->domain : "not given", origin,
                                    good ? "; that a certificate is served only an answer shows" : missing);
    return true;
}

static bool judge_links(const struct judging *judging, struct compliance_result *result)
{
    static const char *const names[] = {
        [LINK_TLS] = "tls", [LINK_WIREGUARD] = "wireguard", [LINK_VPN] = "vpn"};
    if (judging->deployment->replication.mode == REPLICATION_NONE)
        return false;
    const char *origin = compliance_origin(judging, "network", "links", result);
    result->outcome = COMPLIANCE_PASS;
    result->evidence = arena_printf(judging->arena, "network.links is %s%s",
                                    names[judging->deployment->network.links], origin);
    return true;
}

static bool judge_days(const struct judging *judging, const char *section, const char *key, int64_t ns,
                       int64_t wanted, const char *by, struct compliance_result *result)
{
    const char *origin = compliance_origin(judging, section, key, result);
    result->outcome = ns >= wanted * NS_PER_DAY ? COMPLIANCE_PASS : COMPLIANCE_FAIL;
    result->evidence =
        arena_printf(judging->arena, "%s.%s is %lld day%s%s; at least %lld are wanted%s", section, key,
                     (long long)(ns / NS_PER_DAY), PLURAL(ns / NS_PER_DAY), origin, (long long)wanted, by);
    result->mend =
        arena_printf(judging->arena, "Set %s.%s to %lldd or more.", section, key, (long long)wanted);
    return true;
}

static bool judge_backup_retention(const struct judging *judging, struct compliance_result *result)
{
    const struct deployment_backup *backup = &judging->deployment->backup;
    return backup->enabled && judge_days(judging, "backup", "retention", backup->retention_ns, 7, "", result);
}

/* The longest that a standard of the file wants; what another one wants is met with it. */
static bool judge_log_retention(const struct judging *judging, struct compliance_result *result)
{
    int64_t days = 365;
    const char *by = "";
    if (compliance_has_standard(judging->deployment, "hipaa")) {
        days = 2190;
        by = " by hipaa";
    }
    if (compliance_has_standard(judging->deployment, "sox")) {
        days = 2555;
        by = " by sox";
    }
    return judge_days(judging, "monitoring", "log-retention",
                      judging->deployment->monitoring.log_retention_ns, days, by, result);
}

static bool judge_secrets(const struct judging *judging, struct compliance_result *result)
{
    static const char *const words[] = {"PASSWORD", "SECRET", "TOKEN", "PRIVATE_KEY", "API_KEY"};
    const struct string_map *variables = &judging->deployment->service.environment;
    result->outcome = COMPLIANCE_PASS;
    result->node = deployment_node(judging->deployment, "service.environment");
    result->evidence = "no variable of service.environment is named like a secret";
    for (size_t i = 0; i < variables->count; i++) {
        for (size_t w = 0; w < ARRAY_LEN(words); w++) {
            if (!strcasestr(variables->items[i].key, words[w]))
                continue;
            (void)compliance_origin(judging, "service.environment", variables->items[i].key, result);
            result->outcome = COMPLIANCE_FAIL;
            result->evidence = arena_printf(judging->arena, "service.environment.%s is named like a secret",
                                            variables->items[i].key);
            return true;
        }
    }
    return true;
}

static bool judge_by_hand(const struct judging *judging, struct compliance_result *result)
{
    result->outcome = COMPLIANCE_MANUAL;
    result->node = deployment_node(judging->deployment, "compliance.standards");
    result->evidence = "the file cannot show it";
    return true;
}

const struct predicate compliance_predicates[] = {
    {"database-encrypted", true, judge_encrypted},
    {"database-customer-key", true, judge_customer_key},
    {"database-private", true, judge_private},
    {"database-tls", true, judge_database_tls},
    {"service-tls", false, judge_service_tls},
    {"links-encrypted", false, judge_links},
    {"backup-enabled", false, judge_backup},
    {"backup-retention", false, judge_backup_retention},
    {"restore-tested", false, judge_restore},
    {"high-availability", true, judge_availability},
    {"deletion-protection", true, judge_protection},
    {"audit-log", false, judge_audit},
    {"log-retention", false, judge_log_retention},
    {"monitoring-enabled", false, judge_monitoring},
    {"least-privilege", true, judge_privilege},
    {"secrets-outside", false, judge_secrets},
    {"change-management", false, judge_by_hand},
    {"incident-contact", false, judge_by_hand},
    {"business-associate", false, judge_by_hand},
    {"residency-location", true, compliance_judge_residency},
    {"residency-replication", true, compliance_judge_residency},
    {"residency-backup", true, compliance_judge_residency},
    {"residency-monitoring", true, compliance_judge_residency},
    {"residency-cdn", true, compliance_judge_residency},
    {"residency-telemetry", true, compliance_judge_telemetry},
    {"residency-alerts", true, compliance_judge_alerts},
    {"residency-keys", true, compliance_judge_keys},
    {"residency-state", true, compliance_judge_state},
    {"transfer-outside", true, compliance_judge_transfer},
    {NULL, false, NULL},
};
