#include "provisioner/self_hosted/service_environment.h"

#include "lib/core/buf.h"
#include "provisioner/self_hosted/database_roles.h"
#include "provisioner/self_hosted/near.h"

#define ENVIRONMENT_MAX_BYTES (256UL * 1024)

bool service_environment_takes(const char *value)
{
    return !strpbrk(value, "\"'\\\r\n") && value[0] != ' ' && (!value[0] || value[strlen(value) - 1] != ' ');
}

const char *service_authority_path(const struct site *site)
{
    return arena_printf(site->arena, "%s/service/ca.pem", site->layout->config);
}

const char *service_server_config_path(const struct site *site)
{
    const struct deployment_service *service = &site->deployment->service;
    for (size_t i = 0; i < service->environment.count; i++) {
        if (strcmp(service->environment.items[i].key, "FRAISEQL_CONFIG") == 0)
            return NULL;
    }
    return service->binary ? arena_printf(site->arena, "%s/service/fraiseql.toml", site->layout->config)
                           : NULL;
}

struct str service_server_config(const struct site *site)
{
    return str_from(arena_printf(site->arena,
                                 "# Written by fraiseql deploy.\n"
                                 "cors_enabled = false\n"
                                 "\n"
                                 "[database_tls]\n"
                                 "postgres_ssl_mode = \"verify-full\"\n"
                                 "ca_bundle_path = \"%s\"\n"
                                 "\n"
                                 "[rate_limiting]\n"
                                 "trust_proxy_headers = true\n"
                                 "trusted_proxy_cidrs = [\"127.0.0.0/8\", \"%s/32\"]\n",
                                 service_authority_path(site), site->layout->address));
}

/* sslmode=require alone, since not every driver reads more from a URL: libpq verifies the authority where it
 * finds PGSSLROOTCERT. The proxy's address is not the database's, so there is no name to verify. */
static void write_database(const struct site *site, const char *variable, enum layout_port port,
                           const char *password, struct buf *out)
{
    buf_printf(out, "%s=postgresql://%s:%s@%s:%u/%s?sslmode=require\n", variable, DATABASE_ROLE_SERVICE,
               password, near_inner_address(site), site->layout->ports[port], DATABASE_NAME);
}

static void write_telemetry(const struct site *site, int64_t instance, struct buf *out)
{
    const struct deployment *deployment = site->deployment;
    const struct deployment_monitoring *monitoring = &deployment->monitoring;
    if (!monitoring->enabled)
        return;
    buf_append_text(out, "OTEL_EXPORTER_OTLP_ENDPOINT=");
    if (monitoring->otlp_endpoint)
        buf_append_text(out, monitoring->otlp_endpoint);
    else
        /* The whole path: FraiseQL's server posts to what it is given and adds nothing. */
        buf_printf(out, "http://%s:%u/v1/traces",
                   site->layout->netns ? "127.0.0.1" : near_inner_address(site),
                   site->layout->ports[PORT_OTLP_HTTP]);
    buf_printf(out,
               "\nOTEL_RESOURCE_ATTRIBUTES=cloud.provider=self-hosted,cloud.region=%s,"
               "deployment.environment=%s,service.instance.id=%s-%lld\n",
               site->region->name, deployment->metadata.environment, site->region->name,
               (long long)instance + 1);
}

struct str service_environment(const struct site *site, const struct service_secrets *secrets,
                               int64_t instance)
{
    const struct deployment_service *service = &site->deployment->service;
    struct buf out = BUF_INIT(ENVIRONMENT_MAX_BYTES);
    write_database(site, "DATABASE_URL", PORT_WRITE, secrets->database_password, &out);
    write_database(site, "DATABASE_READ_URL", PORT_READ, secrets->database_password, &out);
    buf_printf(&out, "PGSSLROOTCERT=%s\n", service_authority_path(site));
    buf_printf(&out, "FRAISEQL_BIND_ADDR=%s:%lld\n", near_inner_address(site),
               (long long)(site->layout->ports[PORT_SERVICE] + instance));
    buf_printf(&out, "FRAISEQL_METRICS_ENABLED=%s\n",
               site->deployment->monitoring.enabled ? "true" : "false");
    buf_printf(&out, "FRAISEQL_METRICS_TOKEN=%s\n", secrets->metrics_token);
    if (service->binary || service->command.count)
        buf_printf(&out, "FRAISEQL_SCHEMA_PATH=%s\n", service->schema);
    if (service_server_config_path(site))
        buf_printf(&out, "FRAISEQL_CONFIG=%s\n", service_server_config_path(site));
    buf_printf(&out, "RUST_LOG=%s\n", service->log_level);
    write_telemetry(site, instance, &out);
    for (size_t i = 0; i < service->environment.count; i++)
        buf_printf(&out, "%s=%s\n", service->environment.items[i].key, service->environment.items[i].value);
    struct str text = str_from(arena_strdup(site->arena, buf_str(&out)));
    buf_deinit(&out);
    return text;
}
