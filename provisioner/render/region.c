/* The root module of one region: a backend, a provider, one call of the provider's module. */
#include "lib/core/clock.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/database.h"
#include "provisioner/render/render_internal.h"

#include <stdio.h>

const char *const render_outputs[] = {
    "endpoint",
    "endpoint_kind",
    "endpoint_zone_id",
    "url",
    "database_address",
    "database_port",
    "database_name",
    "database_secret",
    "network_id",
    "cidr",
    "gateway_address",
    "gateway_rule_target",
    "monitoring_identity",
    "service_group",
    "gateway_identity",
    "replication_store",
    "replication_state",
    "certificate_records",
    NULL,
};

#define ZONES    3
#define DAY_NS   (INT64_C(24) * 3600 * NS_PER_S)
#define GB_BYTES UINT64_C(1000000000)
#define GIB      (UINT64_C(1) << 30)

/* --- what a region is to the others --- */

static bool list_has(const struct string_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], name) == 0)
            return true;
    }
    return list->count == 0;
}

static bool takes_part(const struct deployment *deployment, const struct region *region)
{
    return deployment->replication.mode != REPLICATION_NONE &&
           list_has(&deployment->replication.regions, region->name);
}

bool render_is_linked(const struct deployment *deployment, const struct region *region)
{
    size_t partners = 0;
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        partners += takes_part(deployment, deployment_region(deployment, i));
    return partners > 1 && takes_part(deployment, region);
}

bool render_has_global(const struct deployment *deployment)
{
    bool linked = false;
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        linked = linked || render_is_linked(deployment, deployment_region(deployment, i));
    return linked || (deployment->traffic.domain && deployment->traffic.dns != DNS_NONE);
}

void render_node(const struct deployment *deployment, const struct region *region, size_t *ret_index,
                 size_t *ret_count)
{
    *ret_index = 0;
    *ret_count = 1;
    if (deployment->replication.mode != REPLICATION_ACTIVE_ACTIVE || !takes_part(deployment, region))
        return;
    *ret_index = region->index;
    *ret_count = deployment_places(deployment);
}

const struct region *render_primary(const struct deployment *deployment)
{
    const char *name = deployment->replication.primary;
    const struct region *found = name ? deployment_find_region(deployment, name) : NULL;
    return found || !deployment_region_count(deployment) ? found : deployment_region(deployment, 0);
}

/* --- arguments --- */

static void map(struct json_writer *json, const char *key, const struct string_map *entries)
{
    json_key(json, key);
    json_object_begin(json);
    for (size_t i = 0; i < entries->count; i++) {
        render_key(json, entries->items[i].key);
        render_text(json, entries->items[i].value);
    }
    json_object_end(json);
}

static bool overridden(const struct string_map *by, const char *key)
{
    for (size_t i = 0; i < by->count; i++) {
        if (strcmp(by->items[i].key, key) == 0)
            return true;
    }
    return false;
}

/* The deployment's labels, the region's own on top. */
static void labels(const struct deployment *deployment, const struct region *region, struct json_writer *json)
{
    json_key(json, "labels");
    json_object_begin(json);
    const struct string_map *common = &deployment->metadata.labels, *own = &region->labels;
    for (size_t i = 0; i < common->count; i++) {
        if (overridden(own, common->items[i].key))
            continue;
        render_key(json, common->items[i].key);
        render_text(json, common->items[i].value);
    }
    for (size_t i = 0; i < own->count; i++) {
        render_key(json, own->items[i].key);
        render_text(json, own->items[i].value);
    }
    json_object_end(json);
}

static void service(const struct deployment *deployment, struct json_writer *json)
{
    const struct deployment_service *service = &deployment->service;
    json_key(json, "service");
    json_object_begin(json);
    render_kv(json, "image", service->image);
    json_kv_i64(json, "port", service->port);
    render_kv(json, "schema", service->schema);
    render_kv(json, "health_path", service->health_path);
    render_kv(json, "readiness_path", service->readiness_path);
    render_kv(json, "metrics_path", service->metrics_path);
    render_kv(json, "log_level", service->log_level);
    render_kv(json, "otlp_endpoint",
              deployment->monitoring.enabled ? deployment->monitoring.otlp_endpoint : NULL);
    map(json, "environment", &service->environment);
    map(json, "secret_environment", &service->secret_environment);
    json_object_end(json);
}

/* Clouds count in GiB and say GB: 100GB and 100GiB both ask for 100. */
static int64_t gigabytes(uint64_t bytes)
{
    uint64_t unit = bytes % GIB == 0 ? GIB : GB_BYTES;
    return (int64_t)((bytes + unit - 1) / unit);
}

static int64_t days(int64_t ns)
{
    return (ns + DAY_NS - 1) / DAY_NS;
}

static void parameters(const struct deployment *deployment, const struct region *region,
                       struct json_writer *json)
{
    const struct database *database =
        database_find(region->database.engine ? region->database.engine : "postgresql");
    json_key(json, "parameters");
    json_object_begin(json);
    if (database && database->render_parameters)
        database->render_parameters(deployment, region, json);
    json_object_end(json);
}

static void database(const struct deployment *deployment, const struct region *region,
                     struct json_writer *json)
{
    const struct region_database *database = &region->database;
    const struct deployment_backup *backup = &deployment->backup;
    const char *pair = region->location ? region->location->backup_pair : NULL;
    char version[24];
    (void)snprintf(version, sizeof version, "%lld", (long long)database->version);
    json_key(json, "database");
    json_object_begin(json);
    render_kv(json, "engine", database->engine);
    json_kv_text(json, "version", version);
    render_kv(json, "class", database->class);
    json_kv_i64(json, "storage_gb", gigabytes(database->storage_bytes));
    json_kv_i64(json, "max_storage_gb", gigabytes(database->max_storage_bytes));
    json_kv_bool(json, "high_availability", database->high_availability);
    json_kv_bool(json, "deletion_protection", database->deletion_protection);
    json_kv_bool(json, "public_access", database->public_access);
    json_kv_i64(json, "backup_days", backup->enabled ? days(backup->retention_ns) : 0);
    render_kv(json, "backup_window", backup->window);
    json_kv_bool(json, "geo_redundant", backup->enabled && backup->geo_redundant);
    render_kv(json, "backup_location", backup->copy_location ? backup->copy_location : pair);
    render_kv(json, "encryption_key", database->encryption_key);
    json_kv_bool(json, "logical_replication", deployment_replicates(deployment, region));
    parameters(deployment, region, json);
    json_object_end(json);
}

static void place(const struct deployment *deployment, const struct region *region,
                  const struct render_identity *identity, struct json_writer *json)
{
    char name[RENDER_NAME_MAX + 1];
    json_kv_text(json, "name", render_name(deployment, region, name));
    render_kv(json, "deployment", deployment->metadata.name);
    render_kv(json, "deployment_id", identity->deployment_id);
    render_kv(json, "region", region->name);
    render_kv(json, "environment", deployment->metadata.environment);
    render_kv(json, "location", region->location_name);
    render_kv(json, "account", region->account);
    labels(deployment, region, json);
    render_kv(json, "cidr", region->network.cidr);
    json_kv_i64(json, "zones", ZONES);
    render_kv(json, "instance_type", region->instance_type);
    json_kv_i64(json, "instances", region->instances);
    json_kv_i64(json, "max_instances", region->max_instances);
    render_kv(json, "domain", deployment->traffic.domain);
}

void render_arguments(const struct deployment *deployment, const struct region *region,
                      const struct render_identity *identity, bool roots, struct json_writer *json)
{
    char snapshot[RENDER_NAME_MAX + 1 + sizeof "-final"], name[RENDER_NAME_MAX + 1];
    (void)snprintf(snapshot, sizeof snapshot, "%s-final", render_name(deployment, region, name));
    const char *zone = deployment->traffic.dns_zone;
    size_t index, count;
    render_node(deployment, region, &index, &count);
    place(deployment, region, identity, json);
    json_kv_text(json, "certificate", roots ? "${var.certificate}" : "");
    json_kv_text(json, "dns_zone", roots ? "${var.dns_zone}" : zone ? zone : "");
    service(deployment, json);
    database(deployment, region, json);
    json_key(json, "node");
    json_object_begin(json);
    json_kv_u64(json, "index", index);
    json_kv_u64(json, "count", count);
    json_object_end(json);
    json_kv_text(json, "links", render_is_linked(deployment, region) ? "tls" : "none");
    if (roots && render_opens_gateway(deployment, region))
        json_kv_text(json, "gateway_program",
                     "${file(\"${path.root}/../../modules/postgresql/replicate.py\")}");
    json_kv_i64(json, "log_retention_days", days(deployment->monitoring.log_retention_ns));
    json_kv_bool(json, "audit_log", deployment->monitoring.audit_log);
    json_kv_text(json, "final_snapshot", roots ? "${var.final_snapshot}" : snapshot);
    const struct provider_variable *own = region->provider ? region->provider->variables : NULL;
    for (; own && own->name; own++) {
        struct buf value = BUF_INIT(RENDER_MAX_BYTES);
        buf_printf(&value, "${var.%s}", own->name);
        json_kv_str(json, own->name, roots ? buf_str(&value) : STR(""));
        buf_deinit(&value);
    }
    if (region->provider && region->provider->render_arguments)
        region->provider->render_arguments(deployment, region, json);
}

/* --- the document --- */

void render_provider_object(const struct deployment *deployment, const struct region *region, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    if (region->provider && region->provider->render_provider)
        region->provider->render_provider(deployment, region, &json);
    json_object_end(&json);
}

void render_requirements_object(const struct provider *provider, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    if (provider && provider->render_requirements)
        provider->render_requirements(&json);
    json_object_end(&json);
}

static void variable(struct json_writer *json, const char *name, const char *description, const char *value)
{
    json_key(json, name);
    json_object_begin(json);
    json_kv_text(json, "description", description);
    json_kv_text(json, "type", "string");
    json_kv_text(json, "default", value);
    json_object_end(json);
}

static void variables(const struct deployment *deployment, const struct region *region,
                      struct json_writer *json)
{
    char snapshot[RENDER_NAME_MAX + 1 + sizeof "-final"], name[RENDER_NAME_MAX + 1];
    (void)snprintf(snapshot, sizeof snapshot, "%s-final", render_name(deployment, region, name));
    json_key(json, "variable");
    json_object_begin(json);
    variable(json, "certificate",
             "Certificate of the load balancer, in the words of this cloud; empty for none.", "");
    variable(json, "dns_zone",
             "Route 53 zone in which AWS validates a certificate of its own; empty for none.",
             deployment->traffic.dns_zone ? deployment->traffic.dns_zone : "");
    variable(json, "final_snapshot",
             "Name of the snapshot that is taken before the database is destroyed; empty for none.",
             snapshot);
    const struct provider_variable *own = region->provider ? region->provider->variables : NULL;
    for (; own && own->name; own++)
        variable(json, own->name, own->help, "");
    json_object_end(json);
}

static void module(const struct deployment *deployment, const struct region *region,
                   const struct render_identity *identity, struct json_writer *json)
{
    json_key(json, "module");
    json_object_begin(json);
    json_key(json, "region");
    json_object_begin(json);
    struct buf source = BUF_INIT(RENDER_MAX_BYTES);
    buf_printf(&source, "../../modules/%s", region->provider->name);
    json_kv_str(json, "source", buf_str(&source));
    buf_deinit(&source);
    render_arguments(deployment, region, identity, true, json);
    json_object_end(json);
    json_object_end(json);
}

static void outputs(struct json_writer *json)
{
    json_key(json, "output");
    json_object_begin(json);
    struct buf value = BUF_INIT(RENDER_MAX_BYTES);
    for (size_t i = 0; render_outputs[i]; i++) {
        buf_reset(&value);
        buf_printf(&value, "${module.region.%s}", render_outputs[i]);
        json_key(json, render_outputs[i]);
        json_object_begin(json);
        json_kv_str(json, "value", buf_str(&value));
        json_object_end(json);
    }
    buf_deinit(&value);
    json_object_end(json);
}

void render_region(const struct deployment *deployment, const struct region *region,
                   const struct render_identity *identity, struct buf *out)
{
    struct buf flat = BUF_INIT(RENDER_MAX_BYTES), part = BUF_INIT(RENDER_MAX_BYTES);
    struct json_writer json;
    json_init(&json, &flat);
    json_object_begin(&json);
    json_key(&json, "terraform");
    json_object_begin(&json);
    render_terraform(deployment, region->name, &json);
    render_requirements_object(region->provider, &part);
    json_key(&json, "required_providers");
    json_raw(&json, buf_str(&part));
    json_object_end(&json);
    buf_reset(&part);
    render_provider_object(deployment, region, &part);
    if (part.len > 2) { /* Terraform refuses the empty object */
        json_key(&json, "provider");
        json_raw(&json, buf_str(&part));
    }
    variables(deployment, region, &json);
    module(deployment, region, identity, &json);
    outputs(&json);
    json_object_end(&json);
    render_indent(buf_str(&flat), out);
    buf_deinit(&part);
    buf_deinit(&flat);
}
