/* The global root: what needs the outputs of several regions. Each region's state is read, never written. */
#include "provisioner/catalog/catalog.h"
#include "provisioner/database.h"
#include "provisioner/embedded.h"
#include "provisioner/render/render_internal.h"

#include <stdio.h>

#define GATEWAY_PORT 15432 /* and as many more as there are regions; the modules open 256 */

const char *render_routing(const struct deployment *deployment)
{
    static const char *const names[] = {
        [ROUTE_LATENCY] = "latency",
        [ROUTE_GEOGRAPHIC] = "geographic",
        [ROUTE_FAILOVER] = "failover",
        [ROUTE_WEIGHTED] = "weighted",
    };
    return names[deployment->traffic.routing];
}

static bool has_dns(const struct deployment *deployment, int dns)
{
    return deployment->traffic.domain && deployment->traffic.dns == dns;
}

bool render_opens_gateway(const struct deployment *deployment, const struct region *region)
{
    char folder[80];
    const struct embedded_file *first;
    (void)snprintf(folder, sizeof folder, "global/module/links/%s/", region->provider->name);
    return render_is_linked(deployment, region) && embedded_under(folder, &first) > 0;
}

/* --- providers --- */

/* {"aws":{...}} as its name and the inner object. */
struct member {
    struct str name, object;
};

static struct member only_member(struct str object)
{
    const char *quote = object.len > 4 ? memchr(object.ptr + 2, '"', object.len - 2) : NULL;
    if (!quote)
        return (struct member){{"", 0}, {"{}", 2}};
    size_t at = (size_t)(quote - object.ptr) + 2;
    return (struct member){{object.ptr + 2, at - 4}, {object.ptr + at, object.len - at - 1}};
}

static void write_provider(struct json_writer *json, struct str object, const char *alias)
{
    struct buf text = BUF_INIT(RENDER_MAX_BYTES);
    if (alias) {
        buf_printf(&text, "{\"alias\":\"%s\"%s", alias, object.len > 2 ? "," : "");
        buf_append(&text, object.ptr + 1, object.len - 1);
    } else
        buf_append_str(&text, object);
    json_raw(json, buf_str(&text));
    buf_deinit(&text);
}

/* Route 53 belongs to no region: the account of the first AWS region keeps the zone. */
static void write_default_aws(const struct deployment *deployment, struct json_writer *json)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (strcmp(region->provider->name, "aws") != 0 || !region->provider->render_provider)
            continue;
        struct buf text = BUF_INIT(RENDER_MAX_BYTES);
        render_provider_object(deployment, region, &text);
        write_provider(json, only_member(buf_str(&text)).object, NULL);
        buf_deinit(&text);
        return;
    }
    json_raw(json, STR("{\"region\":\"us-east-1\"}"));
}

/* All blocks of one provider: an array under its name, since a key must not be repeated. */
static void write_provider_blocks(const struct deployment *deployment, const struct provider *provider,
                                  struct json_writer *json)
{
    bool open = false;
    struct buf text = BUF_INIT(RENDER_MAX_BYTES);
    if (strcmp(provider->name, "aws") == 0 && has_dns(deployment, DNS_ROUTE53)) {
        json_key(json, "aws");
        json_array_begin(json);
        write_default_aws(deployment, json);
        open = true;
    }
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (region->provider != provider || !render_opens_gateway(deployment, region))
            continue;
        buf_reset(&text);
        render_provider_object(deployment, region, &text);
        struct member member = only_member(buf_str(&text));
        if (!member.name.len)
            continue;
        char name[64], label[RENDER_LABEL_MAX];
        (void)snprintf(name, sizeof name, "%.*s", STR_ARGS(member.name));
        if (!open) {
            json_key(json, name);
            json_array_begin(json);
            open = true;
        }
        write_provider(json, member.object, render_label(region, label));
    }
    buf_deinit(&text);
    if (open)
        json_array_end(json);
}

static bool needs_provider(const struct deployment *deployment, const struct provider *provider)
{
    if (strcmp(provider->name, "aws") == 0 && has_dns(deployment, DNS_ROUTE53))
        return true;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (region->provider == provider && render_opens_gateway(deployment, region))
            return true;
    }
    return false;
}

static void write_providers(const struct deployment *deployment, struct json_writer *json)
{
    bool any = has_dns(deployment, DNS_CLOUDFLARE);
    for (const struct provider *const *provider = provider_all(); *provider; provider++)
        any = any || (needs_provider(deployment, *provider) &&
                      ((*provider)->render_provider || has_dns(deployment, DNS_ROUTE53)));
    if (!any) /* Terraform refuses the empty object */
        return;
    json_key(json, "provider");
    json_object_begin(json);
    for (const struct provider *const *provider = provider_all(); *provider; provider++)
        write_provider_blocks(deployment, *provider, json);
    if (has_dns(deployment, DNS_CLOUDFLARE)) {
        json_key(json, "cloudflare"); /* its token comes from CLOUDFLARE_API_TOKEN */
        json_raw(json, STR("{}"));
    }
    json_object_end(json);
}

static void write_requirements(const struct deployment *deployment, struct json_writer *json)
{
    json_key(json, "required_providers");
    json_object_begin(json);
    for (const struct provider *const *provider = provider_all(); *provider; provider++) {
        if (needs_provider(deployment, *provider) && (*provider)->render_requirements)
            (*provider)->render_requirements(json);
    }
    if (has_dns(deployment, DNS_CLOUDFLARE)) {
        json_key(json, "cloudflare");
        json_object_begin(json);
        json_kv_text(json, "source", "cloudflare/cloudflare");
        json_kv_text(json, "version", "~> 5.14");
        json_object_end(json);
    }
    json_object_end(json);
}

/* --- what the regions say --- */

/* The region in whose store the password of the role that fetches rows is made: the first one. */
static const struct region *keeper(const struct deployment *deployment)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        if (render_opens_gateway(deployment, deployment_region(deployment, i)))
            return deployment_region(deployment, i);
    }
    return NULL;
}

static void write_variables(const struct deployment *deployment, struct json_writer *json)
{
    char label[RENDER_LABEL_MAX];
    json_key(json, "variable");
    json_object_begin(json);
    json_key(json, "regions");
    json_object_begin(json);
    json_kv_text(json, "description",
                 "Regions whose state exists. One that is left out is not read and gets no record.");
    json_kv_text(json, "type", "set(string)");
    json_key(json, "default");
    json_array_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        json_text(json, render_label(deployment_region(deployment, i), label));
    json_array_end(json);
    json_object_end(json);
    if (keeper(deployment)) {
        json_key(json, "replication_password_version");
        json_raw(json,
                 STR("{\"description\":\"Raised, it changes the password with which regions fetch rows.\","
                     "\"type\":\"number\",\"default\":1}"));
    }
    if (has_dns(deployment, DNS_ROUTE53)) {
        json_key(json, "dns_zone");
        json_object_begin(json);
        json_kv_text(json, "description", "Hosted zone of the domain; empty: looked up by dns_zone_name.");
        json_kv_text(json, "type", "string");
        render_kv(json, "default", deployment->traffic.dns_zone);
        json_object_end(json);
        json_key(json, "dns_zone_name");
        json_raw(json,
                 STR("{\"description\":\"Name of the hosted zone to look up; empty: the domain itself.\","
                     "\"type\":\"string\",\"default\":\"\"}"));
    }
    json_object_end(json);
}

/* Terraform refuses to read a state that is not there. Of local ones it can look itself; of others it is
 * told. */
static void kv_count(const struct deployment *deployment, const struct region *region, const char *label,
                     struct json_writer *json)
{
    struct buf count = BUF_INIT(RENDER_MAX_BYTES);
    buf_printf(&count, "${contains(var.regions, \"%s\")", label);
    if (deployment->state.backend == STATE_LOCAL && strcmp(label, region->name) == 0)
        buf_printf(&count, " && fileexists(\"${path.root}/../state/regions/%s.tfstate\")", label);
    buf_append_text(&count, " ? 1 : 0}");
    json_kv_text(json, "count", buf_text(&count));
    buf_deinit(&count);
}

static void write_states(const struct deployment *deployment, struct json_writer *json)
{
    char label[RENDER_LABEL_MAX];
    json_key(json, "data");
    json_object_begin(json);
    json_key(json, "terraform_remote_state");
    json_object_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        json_key(json, render_label(region, label));
        json_object_begin(json);
        kv_count(deployment, region, label, json);
        render_remote_state(deployment, region->name, json);
        json_key(json, "defaults");
        json_object_begin(json);
        for (size_t k = 0; render_outputs[k]; k++)
            json_kv_text(json, render_outputs[k], "");
        json_object_end(json);
        json_object_end(json);
    }
    json_object_end(json);
    json_object_end(json);
}

/* An output that a region may not have yet is the empty text. */
static void kv_output(struct json_writer *json, const char *key, const char *label, const char *output)
{
    char text[RENDER_LABEL_MAX + 128];
    (void)snprintf(text, sizeof text, "${try(coalesce(data.terraform_remote_state.%s[0].outputs.%s), \"\")}",
                   label, output);
    json_kv_text(json, key, text);
}

void render_place(const struct region *region, struct json_writer *json)
{
    const struct location *location = region->location;
    json_kv_text(json, "provider", region->provider->name);
    render_kv(json, "location", region->location_name);
    json_kv_f64(json, "latitude", location ? location->latitude : 0);
    json_kv_f64(json, "longitude", location ? location->longitude : 0);
    bool aws = strcmp(region->provider->name, "aws") == 0;
    render_kv(json, "nearest_aws", aws ? region->location_name : location ? location->nearest_aws : "");
}

static void write_locals(const struct deployment *deployment, struct json_writer *json)
{
    static const char *const read[] = {"endpoint", "endpoint_kind", "endpoint_zone_id", "url",
                                       "certificate_records"};
    char label[RENDER_LABEL_MAX];
    json_key(json, "locals");
    json_object_begin(json);
    json_key(json, "regions");
    json_object_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        render_key(json, region->name);
        json_object_begin(json);
        render_place(region, json);
        for (size_t k = 0; k < ARRAY_LEN(read); k++)
            kv_output(json, read[k], render_label(region, label), read[k]);
        json_object_end(json);
    }
    json_object_end(json);
    json_object_end(json);
}

/* --- modules --- */

void render_dns_arguments(const struct deployment *deployment, const struct render_identity *identity,
                          struct json_writer *json)
{
    const struct deployment_traffic *traffic = &deployment->traffic;
    const struct region *primary = render_primary(deployment);
    char name[RENDER_NAME_MAX + 1];
    /* A name of its own, made as a region's is: no region can be called so. */
    const struct region global = {.name = ".global"};
    json_kv_text(json, "name", render_name(deployment, &global, name));
    render_kv(json, "deployment_id", identity->deployment_id);
    render_kv(json, "domain", traffic->domain);
    json_kv_text(json, "routing", render_routing(deployment));
    render_kv(json, "primary", primary ? primary->name : "");
    json_kv_i64(json, "ttl", traffic->ttl_ns / 1000000000);
    json_key(json, "health");
    json_object_begin(json);
    render_kv(json, "path", deployment->service.readiness_path);
    json_kv_i64(json, "interval", traffic->health_interval_ns / 1000000000);
    json_object_end(json);
    if (traffic->dns == DNS_CLOUDFLARE) {
        render_kv(json, "account_id", traffic->cloudflare_account);
        render_kv(json, "zone_id", traffic->cloudflare_zone);
        json_kv_bool(json, "cdn", traffic->cdn);
    }
}

static void write_dns(const struct deployment *deployment, const struct render_identity *identity,
                      struct json_writer *json)
{
    bool cloudflare = deployment->traffic.dns == DNS_CLOUDFLARE;
    json_key(json, "dns");
    json_object_begin(json);
    json_kv_text(json, "source", cloudflare ? "../modules/global/cloudflare" : "../modules/global/route53");
    render_dns_arguments(deployment, identity, json);
    if (!cloudflare) {
        json_kv_text(json, "zone_id", "${var.dns_zone}");
        json_kv_text(json, "zone_name", "${var.dns_zone_name}");
    }
    json_kv_text(json, "regions", "${local.regions}");
    json_object_end(json);
}

/* What `to` fetches, and the port of its gateway that leads there. */
static void write_sources(const struct deployment *deployment, const struct region *to,
                          struct json_writer *json)
{
    char label[RENDER_LABEL_MAX];
    const struct database *database = database_find(to->database.engine);
    json_key(json, "sources");
    json_object_begin(json);
    for (size_t i = 0; database && database->render_source && i < deployment_region_count(deployment); i++) {
        const struct region *from = deployment_region(deployment, i);
        struct buf text = BUF_INIT(RENDER_MAX_BYTES);
        struct json_writer names;
        json_init(&names, &text);
        json_object_begin(&names);
        bool fetched =
            render_opens_gateway(deployment, from) && database->render_source(deployment, to, from, &names);
        if (fetched) {
            json_kv_u64(&names, "port", GATEWAY_PORT + from->index);
            kv_output(&names, "database", render_label(from, label), "database_name");
        }
        json_object_end(&names);
        if (fetched) {
            render_key(json, from->name);
            json_raw(json, buf_str(&text));
        }
        buf_deinit(&text);
    }
    json_object_end(json);
}

static void write_replication(const struct deployment *deployment, const struct region *region,
                              struct json_writer *json)
{
    char label[RENDER_LABEL_MAX], text[3 * RENDER_LABEL_MAX];
    const struct region *keeps = keeper(deployment);
    kv_output(json, "store", render_label(region, label), "replication_store");
    kv_output(json, "identity", label, "gateway_identity");
    json_key(json, "replication");
    json_object_begin(json);
    (void)snprintf(text, sizeof text, "${file(\"${path.root}/../regions/%s/replication.sql\")}",
                   region->name);
    json_kv_text(json, "sql", text);
    write_sources(deployment, region, json);
    json_object_end(json);
    render_label(keeps, label);
    (void)snprintf(
        text, sizeof text,
        "${try(coalesce(data.terraform_remote_state.%s[0].outputs.replication_store), \"\") != \"\"}", label);
    json_kv_text(json, "ready", text);
    if (keeps == region) {
        json_kv_bool(json, "keeps_password", true);
        json_kv_text(json, "password_version", "${var.replication_password_version}");
        return;
    }
    (void)snprintf(text, sizeof text, "${module.link_%s.password}", label);
    json_kv_text(json, "password", text);
    (void)snprintf(text, sizeof text, "${module.link_%s.password_stamp}", label);
    json_kv_text(json, "password_stamp", text);
}

static void write_link(const struct deployment *deployment, const struct region *region,
                       const struct render_identity *identity, struct json_writer *json)
{
    char label[RENDER_LABEL_MAX], name[RENDER_NAME_MAX + 1], text[RENDER_LABEL_MAX + 64];
    (void)snprintf(text, sizeof text, "link_%s", render_label(region, label));
    json_key(json, text);
    json_object_begin(json);
    (void)snprintf(text, sizeof text, "../modules/global/links/%s", region->provider->name);
    json_kv_text(json, "source", text);
    struct buf object = BUF_INIT(RENDER_MAX_BYTES);
    render_provider_object(deployment, region, &object);
    struct str provider = only_member(buf_str(&object)).name;
    if (provider.len) {
        json_key(json, "providers");
        json_object_begin(json);
        char key[64];
        (void)snprintf(key, sizeof key, "%.*s", STR_ARGS(provider));
        (void)snprintf(text, sizeof text, "%s.%s", key, label);
        json_kv_text(json, key, text);
        json_object_end(json);
    }
    buf_deinit(&object);
    json_kv_text(json, "name", render_name(deployment, region, name));
    render_kv(json, "deployment_id", identity->deployment_id);
    render_kv(json, "region", region->name);
    kv_output(json, "target", label, "gateway_rule_target");
    json_key(json, "peers");
    json_object_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *other = deployment_region(deployment, i);
        if (other == region || !render_is_linked(deployment, other))
            continue;
        char escaped[RENDER_LABEL_MAX];
        kv_output(json, other->name, render_label(other, escaped), "gateway_address");
    }
    json_object_end(json);
    write_replication(deployment, region, json);
    json_object_end(json);
}

static void write_modules(const struct deployment *deployment, const struct render_identity *identity,
                          struct json_writer *json)
{
    if (!render_has_global(deployment)) /* Terraform refuses the empty object */
        return;
    json_key(json, "module");
    json_object_begin(json);
    if (deployment->traffic.domain && deployment->traffic.dns != DNS_NONE)
        write_dns(deployment, identity, json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (render_opens_gateway(deployment, region))
            write_link(deployment, region, identity, json);
    }
    json_object_end(json);
}

/* Which document each region's gateway should have done, by its digest. */
static void write_documents(const struct deployment *deployment, struct json_writer *json)
{
    char label[RENDER_LABEL_MAX], text[RENDER_LABEL_MAX + 64];
    if (!keeper(deployment))
        return;
    json_key(json, "replication");
    json_object_begin(json);
    json_key(json, "value");
    json_object_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (!render_opens_gateway(deployment, region))
            continue;
        (void)snprintf(text, sizeof text, "${module.link_%s.document}", render_label(region, label));
        render_key(json, region->name);
        json_text(json, text);
    }
    json_object_end(json);
    json_object_end(json);
}

void render_global(const struct deployment *deployment, const struct render_identity *identity,
                   struct buf *out)
{
    struct buf flat = BUF_INIT(RENDER_MAX_BYTES);
    struct json_writer json;
    json_init(&json, &flat);
    json_object_begin(&json);
    json_key(&json, "terraform");
    json_object_begin(&json);
    render_terraform(deployment, "global", &json);
    write_requirements(deployment, &json);
    json_object_end(&json);
    write_providers(deployment, &json);
    write_variables(deployment, &json);
    write_states(deployment, &json);
    write_locals(deployment, &json);
    write_modules(deployment, identity, &json);
    json_key(&json, "output");
    json_object_begin(&json);
    json_key(&json, "regions");
    json_raw(&json, STR("{\"value\":\"${{for name, region in local.regions : name => region.url}}\"}"));
    write_documents(deployment, &json);
    if (deployment->traffic.domain && deployment->traffic.dns != DNS_NONE) {
        json_key(&json, "url");
        json_raw(&json, STR("{\"value\":\"${module.dns.url}\"}"));
    }
    json_object_end(&json);
    json_object_end(&json);
    render_indent(buf_str(&flat), out);
    buf_deinit(&flat);
}
