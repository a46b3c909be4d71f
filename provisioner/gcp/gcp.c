/* Google Cloud. Names of arguments are those of the Terraform provider hashicorp/google 6. */
#include "provisioner/gcp/gcp.h"

#include "lib/core/str.h"
#include "provisioner/gcp/backups.h"
#include "provisioner/gcp/credentials.h"
#include "provisioner/gcp/gateway_report.h"
#include "provisioner/gcp/logs.h"
#include "provisioner/render/render.h"

#include <stdio.h>

static void render_provider(const struct deployment *deployment, const struct region *region,
                            struct json_writer *json)
{
    (void)deployment;
    json_key(json, "google");
    json_object_begin(json);
    if (region->account)
        render_kv(json, "project", region->account);
    render_kv(json, "region", region->location_name);
    json_object_end(json);
}

static void render_requirements(struct json_writer *json)
{
    json_key(json, "google");
    json_object_begin(json);
    json_kv_text(json, "source", "hashicorp/google");
    json_kv_text(json, "version", "~> 6.50");
    json_object_end(json);
}

/* "db-custom-4-16384" */
static bool custom_class(const char *class, uint64_t *ret_cpus, uint64_t *ret_mib)
{
    static const char prefix[] = "db-custom-";
    if (strncmp(class, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *cpus = class + sizeof prefix - 1, *dash = strchr(cpus, '-');
    return dash && str_to_u64((struct str){cpus, (size_t)(dash - cpus)}, ret_cpus) &&
           str_to_u64(str_from(dash + 1), ret_mib);
}

/* Cloud SQL, "Machine types for custom instances": 1 CPU or an even number up to 96; memory a multiple of 256
 * MiB, 0.9 to 6.5 GiB a CPU, at least 3.75 GiB. */
static const char *custom_problem(uint64_t cpus, uint64_t mib)
{
    if (cpus < 1 || cpus > 96 || (cpus > 1 && cpus % 2))
        return "the number of CPUs is 1 or an even number up to 96";
    if (mib % 256)
        return "memory is a multiple of 256 MiB";
    if (mib < 3840)
        return "memory is at least 3840 MiB";
    if (mib * 10 < cpus * 9 * 1024 || mib * 10 > cpus * 65 * 1024)
        return "memory is 0.9 to 6.5 GiB a CPU";
    return NULL;
}

/* NULL for a class that is none of these, too. */
static const char *custom_class_problem(const char *class)
{
    uint64_t cpus, mib;
    if (strncmp(class, "db-custom-", strlen("db-custom-")) != 0)
        return NULL;
    return custom_class(class, &cpus, &mib)
               ? custom_problem(cpus, mib)
               : "after db-custom- come the number of CPUs, a dash and MiB of memory";
}

/* "projects/P/locations/L/keyRings/R/cryptoKeys/K" */
static bool is_key(const char *text)
{
    static const char *const words[] = {"projects/", "/locations/", "/keyRings/", "/cryptoKeys/"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strncmp(text, words[i], strlen(words[i])) != 0)
            return false;
        text += strlen(words[i]);
        size_t length = strcspn(text, "/");
        if (!length)
            return false;
        text += length;
    }
    return !*text;
}

static void check_key(const struct deployment *deployment, const struct region *region,
                      struct findings *findings)
{
    char path[NODE_PATH_MAX];
    if (!region->database.encryption_key || is_key(region->database.encryption_key))
        return;
    (void)snprintf(path, sizeof path, "regions.%s.database.encryption-key", region->name);
    (void)findings_add(findings, DIAG_ERROR, "gcp-encryption-key", deployment_node(deployment, path),
                       "%s: want the name of a key in Cloud KMS: "
                       "projects/P/locations/L/keyRings/R/cryptoKeys/K",
                       path);
}

static bool is_secret_name(const char *text)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    const char *name = text;
    if (strncmp(text, "projects/", 9) == 0) {
        name = strstr(text, "/secrets/");
        if (!name)
            return false;
        name += sizeof "/secrets/" - 1;
    }
    size_t length = strlen(name);
    return length && length <= 255 && strspn(name, letters) == length;
}

static void check_secrets(const struct deployment *deployment, const struct region *region,
                          struct findings *findings)
{
    const struct string_map *secrets = &deployment->service.secret_environment;
    char path[NODE_PATH_MAX];
    for (size_t i = 0; i < secrets->count; i++) {
        if (is_secret_name(secrets->items[i].value))
            continue;
        (void)snprintf(path, sizeof path, "service.secret-environment.%s", secrets->items[i].key);
        (void)findings_add(findings, DIAG_ERROR, "gcp-secret-name", deployment_node(deployment, path),
                           "%s: region %s is on Google Cloud, where a secret is a name of letters, digits, "
                           "- and _, or projects/P/secrets/NAME",
                           path, region->name);
    }
}

static void validate_region(const struct deployment *deployment, const struct region *region,
                            struct findings *findings)
{
    char path[NODE_PATH_MAX];
    check_key(deployment, region, findings);
    check_secrets(deployment, region, findings);
    const char *problem = custom_class_problem(region->database.class);
    if (problem) {
        (void)snprintf(path, sizeof path, "regions.%s.database.tier", region->name);
        (void)findings_add(findings, DIAG_ERROR, "gcp-database-tier", deployment_node(deployment, path),
                           "regions.%s.database: Cloud SQL has no \"%s\": %s", region->name,
                           region->database.class, problem);
    }
}

/* --- existing resources --- */

/* Where a resource of a type lies; the letters are those of `letters`. */
static const struct {
    const char *type, *form;
} forms[] = {
    {"google_certificate_manager_certificate", "projects/P/locations/global/certificates/N"},
    {"google_certificate_manager_certificate_map", "projects/P/locations/global/certificateMaps/N"},
    {"google_certificate_manager_certificate_map_entry",
     "projects/P/locations/global/certificateMaps/M/certificateMapEntries/N"},
    {"google_certificate_manager_dns_authorization", "projects/P/locations/global/dnsAuthorizations/N"},
    {"google_compute_address", "projects/P/regions/R/addresses/N"},
    {"google_compute_backend_service", "projects/P/global/backendServices/N"},
    {"google_compute_firewall", "projects/P/global/firewalls/N"},
    {"google_compute_global_address", "projects/P/global/addresses/N"},
    {"google_compute_global_forwarding_rule", "projects/P/global/forwardingRules/N"},
    {"google_compute_health_check", "projects/P/global/healthChecks/N"},
    {"google_compute_instance", "projects/P/zones/Z/instances/N"},
    {"google_compute_network", "projects/P/global/networks/N"},
    {"google_compute_region_autoscaler", "projects/P/regions/R/autoscalers/N"},
    {"google_compute_region_health_check", "projects/P/regions/R/healthChecks/N"},
    {"google_compute_region_instance_group_manager", "projects/P/regions/R/instanceGroupManagers/N"},
    {"google_compute_region_instance_template", "projects/P/regions/R/instanceTemplates/N"},
    {"google_compute_router", "projects/P/regions/R/routers/N"},
    {"google_compute_ssl_policy", "projects/P/global/sslPolicies/N"},
    {"google_compute_subnetwork", "projects/P/regions/R/subnetworks/N"},
    {"google_compute_target_http_proxy", "projects/P/global/targetHttpProxies/N"},
    {"google_compute_target_https_proxy", "projects/P/global/targetHttpsProxies/N"},
    {"google_compute_url_map", "projects/P/global/urlMaps/N"},
    {"google_compute_router_nat", "P/R/T/N"},
    {"google_logging_project_bucket_config", "projects/P/locations/L/buckets/B"},
    {"google_logging_project_sink", "projects/P/sinks/N"},
    {"google_project_iam_custom_role", "projects/P/roles/O"},
    {"google_secret_manager_secret", "projects/P/secrets/S"},
    {"google_sql_database", "projects/P/instances/I/databases/N"},
    {"google_sql_database_instance", "projects/P/instances/N"},
};

static const char *member_of(char letter)
{
    static const struct {
        char letter;
        const char *member;
    } letters[] = {{'P', "project"},   {'R', "region"},   {'Z', "zone"},      {'N', "name"},
                   {'T', "router"},    {'L', "location"}, {'B', "bucket_id"}, {'O', "role_id"},
                   {'S', "secret_id"}, {'I', "instance"}, {'M', "map"}};
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].letter == letter)
            return letters[i].member;
    }
    return NULL;
}

static const char *expand(const char *form, const struct node *values, struct arena *arena)
{
    struct buf out = BUF_INIT(4096);
    bool known = true;
    for (const char *at = form; *at && known; at++) {
        /* A letter that stands alone between slashes is filled in. */
        bool lone = (at == form || at[-1] == '/') && (at[1] == '/' || !at[1]);
        const char *member = lone ? member_of(*at) : NULL;
        struct str text = member ? node_text(values, member) : STR("");
        known = !member || text.len;
        if (text.len)
            buf_append_str(&out, text);
        else
            buf_append_byte(&out, *at);
    }
    const char *id = known ? arena_strdup(arena, buf_str(&out)) : NULL;
    buf_deinit(&out);
    return id;
}

/* A service account is known by its address, which is made of its name and the project's; that of a project
 * below a domain ("example.com:shop") is written another way. */
static const char *account_id(const struct node *values, struct arena *arena)
{
    struct str project = node_text(values, "project"), name = node_text(values, "account_id");
    if (!project.len || !name.len || memchr(project.ptr, ':', project.len))
        return NULL;
    return arena_printf(arena, "projects/%.*s/serviceAccounts/%.*s@%.*s.iam.gserviceaccount.com",
                        STR_ARGS(project), STR_ARGS(name), STR_ARGS(project));
}

static const char *import_id(const char *resource_type, const struct node *planned_values,
                             struct arena *arena)
{
    if (strcmp(resource_type, "google_service_account") == 0)
        return account_id(planned_values, arena);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (strcmp(forms[i].type, resource_type) == 0)
            return expand(forms[i].form, planned_values, arena);
    }
    return NULL;
}

const struct provider provider_gcp = {
    .name = "gcp",
    .title = "GCP",
    .database_product = "cloudsql",
    .module = "gcp/module",
    .validate_region = validate_region,
    .validate_credentials = gcp_validate_credentials,
    .recent_logs = gcp_recent_logs,
    .gateway_report = gcp_gateway_report,
    .backups = &gcp_backups,
    .render_provider = render_provider,
    .render_requirements = render_requirements,
    .import_id = import_id,
};
