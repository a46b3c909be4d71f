/* A Pulumi program that calls the same modules through Pulumi's terraform-module provider. It is written as
 * JSON, which YAML readers take: Pulumi's interpolations are escaped as Terraform's "${" are, so the same
 * arguments serve. */
#include "provisioner/render/render_internal.h"

#include <stdio.h>

/* The version whose documented form of local modules this is. */
#define MODULE_PROVIDER_VERSION "0.1.4"

static void write_package(struct json_writer *json, const char *package, const char *path)
{
    json_key(json, package);
    json_object_begin(json);
    json_kv_text(json, "source", "terraform-module");
    json_kv_text(json, "version", MODULE_PROVIDER_VERSION);
    json_key(json, "parameters");
    json_array_begin(json);
    json_text(json, path);
    json_text(json, package);
    json_array_end(json);
    json_object_end(json);
}

static bool uses(const struct deployment *deployment, const struct provider *provider, bool gateways)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (region->provider == provider && (!gateways || render_opens_gateway(deployment, region)))
            return true;
    }
    return false;
}

static bool has_dns(const struct deployment *deployment)
{
    return deployment->traffic.domain && deployment->traffic.dns != DNS_NONE;
}

static const char *dns_folder(const struct deployment *deployment)
{
    return deployment->traffic.dns == DNS_CLOUDFLARE ? "cloudflare" : "route53";
}

static void write_packages(const struct deployment *deployment, struct json_writer *json)
{
    char package[80], path[120];
    json_key(json, "packages");
    json_object_begin(json);
    for (const struct provider *const *provider = provider_all(); *provider; provider++) {
        if (uses(deployment, *provider, false)) {
            (void)snprintf(package, sizeof package, "region%s", (*provider)->name);
            (void)snprintf(path, sizeof path, "./modules/%s", (*provider)->name);
            write_package(json, package, path);
        }
        if (uses(deployment, *provider, true)) {
            (void)snprintf(package, sizeof package, "link%s", (*provider)->name);
            (void)snprintf(path, sizeof path, "./modules/global/links/%s", (*provider)->name);
            write_package(json, package, path);
        }
    }
    if (has_dns(deployment)) {
        (void)snprintf(path, sizeof path, "./modules/global/%s", dns_folder(deployment));
        write_package(json, "dns", path);
    }
    json_object_end(json);
}

/* The provider of one package for one region: its properties are what Terraform's provider block has. */
static void write_provider(const struct deployment *deployment, const struct region *region, const char *kind,
                           struct json_writer *json)
{
    char label[RENDER_LABEL_MAX], text[RENDER_LABEL_MAX + 64];
    struct buf object = BUF_INIT(RENDER_MAX_BYTES);
    (void)snprintf(text, sizeof text, "%s-%s-provider", render_label(region, label), kind);
    json_key(json, text);
    json_object_begin(json);
    (void)snprintf(text, sizeof text, "pulumi:providers:%s%s", kind, region->provider->name);
    json_kv_text(json, "type", text);
    render_provider_object(deployment, region, &object);
    json_key(json, "properties");
    json_raw(json, buf_str(&object));
    buf_deinit(&object);
    json_object_end(json);
}

static void write_options(const struct region *region, const char *kind, struct json_writer *json)
{
    char label[RENDER_LABEL_MAX], text[RENDER_LABEL_MAX + 64];
    json_key(json, "options");
    json_object_begin(json);
    (void)snprintf(text, sizeof text, "${%s-%s-provider}", render_label(region, label), kind);
    json_kv_text(json, "provider", text);
    json_object_end(json);
}

static void write_region(const struct deployment *deployment, const struct region *region,
                         const struct render_identity *identity, struct json_writer *json)
{
    char label[RENDER_LABEL_MAX], type[80];
    write_provider(deployment, region, "region", json);
    json_key(json, render_label(region, label));
    json_object_begin(json);
    (void)snprintf(type, sizeof type, "region%s:index:Module", region->provider->name);
    json_kv_text(json, "type", type);
    json_key(json, "properties");
    json_object_begin(json);
    render_arguments(deployment, region, identity, false, json);
    json_object_end(json);
    write_options(region, "region", json);
    json_object_end(json);
}

static void kv_output(struct json_writer *json, const char *key, const struct region *region,
                      const char *output)
{
    char label[RENDER_LABEL_MAX], text[RENDER_LABEL_MAX + 64];
    (void)snprintf(text, sizeof text, "${%s.%s}", render_label(region, label), output);
    render_key(json, key);
    json_text(json, text);
}

static void write_link(const struct deployment *deployment, const struct region *region,
                       const struct render_identity *identity, struct json_writer *json)
{
    char label[RENDER_LABEL_MAX], text[RENDER_LABEL_MAX + 64], name[RENDER_NAME_MAX + 1];
    write_provider(deployment, region, "link", json);
    (void)snprintf(text, sizeof text, "%s-link", render_label(region, label));
    json_key(json, text);
    json_object_begin(json);
    (void)snprintf(text, sizeof text, "link%s:index:Module", region->provider->name);
    json_kv_text(json, "type", text);
    json_key(json, "properties");
    json_object_begin(json);
    json_kv_text(json, "name", render_name(deployment, region, name));
    render_kv(json, "deployment_id", identity->deployment_id);
    render_kv(json, "region", region->name);
    kv_output(json, "target", region, "gateway_rule_target");
    json_key(json, "peers");
    json_object_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *other = deployment_region(deployment, i);
        if (other != region && render_is_linked(deployment, other))
            kv_output(json, other->name, other, "gateway_address");
    }
    json_object_end(json);
    json_object_end(json);
    write_options(region, "link", json);
    json_object_end(json);
}

static void write_dns(const struct deployment *deployment, const struct render_identity *identity,
                      struct json_writer *json)
{
    static const char *const read[] = {"endpoint", "endpoint_kind", "endpoint_zone_id", "url"};
    json_key(json, "dns");
    json_object_begin(json);
    json_kv_text(json, "type", "dns:index:Module");
    json_key(json, "properties");
    json_object_begin(json);
    render_dns_arguments(deployment, identity, json);
    json_key(json, "regions");
    json_object_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        render_key(json, region->name);
        json_object_begin(json);
        render_place(region, json);
        for (size_t k = 0; k < ARRAY_LEN(read); k++)
            kv_output(json, read[k], region, read[k]);
        json_object_end(json);
    }
    json_object_end(json);
    json_object_end(json);
    json_object_end(json);
}

static void write_program(const struct deployment *deployment, const struct render_identity *identity,
                          struct json_writer *json)
{
    json_object_begin(json);
    json_kv_text(json, "name", deployment->metadata.name);
    json_kv_text(json, "runtime", "yaml");
    json_kv_text(json, "description", "Regions, DNS and links, from the modules beside this file");
    write_packages(deployment, json);
    json_key(json, "resources");
    json_object_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        write_region(deployment, deployment_region(deployment, i), identity, json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        if (render_opens_gateway(deployment, deployment_region(deployment, i)))
            write_link(deployment, deployment_region(deployment, i), identity, json);
    }
    if (has_dns(deployment))
        write_dns(deployment, identity, json);
    json_object_end(json);
    json_key(json, "outputs");
    json_object_begin(json);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        kv_output(json, region->name, region, "url");
    }
    json_object_end(json);
    json_object_end(json);
}

/* "%{" means nothing to Pulumi: what Terraform needs doubled is single again. */
static void unescape_percent(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (i + 2 < text.len && text.ptr[i] == '%' && text.ptr[i + 1] == '%' && text.ptr[i + 2] == '{')
            continue;
        buf_append_byte(out, text.ptr[i]);
    }
}

void render_pulumi(const struct deployment *deployment, const struct render_identity *identity,
                   struct buf *out)
{
    struct buf flat = BUF_INIT(RENDER_MAX_BYTES), plain = BUF_INIT(RENDER_MAX_BYTES);
    struct json_writer json;
    json_init(&json, &flat);
    write_program(deployment, identity, &json);
    unescape_percent(buf_str(&flat), &plain);
    render_indent(buf_str(&plain), out);
    buf_deinit(&plain);
    buf_deinit(&flat);
}
