/* The server, and the way to it. */
#include "lib/core/str.h"
#include "provisioner/config/checks.h"

#include <string.h>

static void check_path_option(const struct deployment *deployment, const char *text, const char *path,
                              struct findings *findings)
{
    if (text && (text[0] != '/' || !check_is_plain(text, "/._-~")))
        (void)check_fail(deployment, findings, "path", path,
                         "want a path that starts with / and has letters, digits and /._-~, found \"%.80s\"",
                         text);
}

static bool is_variable(const char *name)
{
    return check_is_plain(name, "_") && !(name[0] >= '0' && name[0] <= '9') && strlen(name) <= 128;
}

static bool is_secret(const char *name)
{
    static const char *const parts[] = {"PASSWORD", "PASSWD", "TOKEN",      "SECRET",      "API_KEY",
                                        "APIKEY",   "_DSN",   "CREDENTIAL", "PRIVATE_KEY", "ACCESS_KEY"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strcasestr(name, parts[i]))
            return true;
    }
    return false;
}

/* What the deployment itself sets; NULL: the name is free. */
static const char *setter_of(const char *name)
{
    static const char *const names[][2] = {
        {"FRAISEQL_BIND_ADDR", "service.port"},
        {"FRAISEQL_SCHEMA_PATH", "service.schema"},
        {"FRAISEQL_METRICS_ENABLED", "monitoring.enabled"},
        {"FRAISEQL_METRICS_TOKEN", "the deployment, from the cloud's secret store"},
        {"DATABASE_URL", "the deployment, from the cloud's secret store"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "monitoring.otlp-endpoint"},
        {"OTEL_RESOURCE_ATTRIBUTES", "the deployment"},
        {"RUST_LOG", "service.log-level"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i][0], name) == 0)
            return names[i][1];
    }
    return NULL;
}

/* False when nothing more is to be said about it. */
static bool check_variable(const struct deployment *deployment, const char *mapping, const char *name,
                           struct findings *findings)
{
    const char *setter = setter_of(name), *path = check_path(deployment, "%s.%s", mapping, name);
    struct finding *finding = NULL;
    if (!is_variable(name))
        finding = check_fail(deployment, findings, "environment", path,
                             "a variable's name has letters, digits and _, no digit first");
    else if (setter)
        finding = check_fail(deployment, findings, "environment", path, "is set by %s", setter);
    check_at_name(deployment, mapping, name, finding);
    return is_variable(name) && !setter;
}

/* Private keys, and tokens of AWS, Stripe, GitHub and Slack by their beginnings. */
static bool is_token(const char *value)
{
    static const char *const begins[] = {"AKIA", "sk_live_", "ghp_", "github_pat_", "xoxb-", "xoxp-"};
    for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
        if (strncmp(value, begins[i], strlen(begins[i])) == 0)
            return true;
    }
    return strstr(value, "PRIVATE KEY-----") != NULL;
}

static void check_environment(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_service *service = &deployment->service;
    for (size_t i = 0; i < service->environment.count; i++) {
        const struct string_pair *pair = &service->environment.items[i];
        const char *path = check_path(deployment, "service.environment.%s", pair->key);
        if (!check_variable(deployment, "service.environment", pair->key, findings))
            continue;
        if (is_secret(pair->key) || check_holds_password(pair->value) || is_token(pair->value)) {
            struct finding *finding = check_fail(deployment, findings, "secret-in-file", path,
                                                 "looks like a secret, and this file is no place for one");
            finding_hint(findings, finding,
                         "Put it into the cloud's secret store and write service.secret-environment: {%s: "
                         "name-of-the-secret}.",
                         pair->key);
        }
    }
    for (size_t i = 0; i < service->secret_environment.count; i++) {
        const struct string_pair *pair = &service->secret_environment.items[i];
        const char *path = check_path(deployment, "service.secret-environment.%s", pair->key);
        if (!check_variable(deployment, "service.secret-environment", pair->key, findings))
            continue;
        if (!check_is_plain(pair->value, "/_+=.@:-") || strlen(pair->value) > 256)
            (void)check_fail(deployment, findings, "secret-name", path,
                             "want the name of a secret in the cloud's store: letters, digits and /_+=.@:-");
        for (size_t j = 0; j < service->environment.count; j++) {
            if (strcmp(service->environment.items[j].key, pair->key) == 0)
                check_at_name(
                    deployment, "service.secret-environment", pair->key,
                    check_fail(deployment, findings, "environment", path, "is given in environment too"));
        }
    }
}

void check_service(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_service *service = &deployment->service;
    if (service->image && !check_is_plain(service->image, "/:._@-"))
        (void)check_fail(deployment, findings, "image", "service.image",
                         "want an image such as registry/name:tag, found \"%.80s\"", service->image);
    const char *schema = service->schema;
    bool remote = schema && (strncmp(schema, "https://", 8) == 0 || strncmp(schema, "s3://", 5) == 0 ||
                             strncmp(schema, "gs://", 5) == 0);
    if (schema && ((!remote && schema[0] != '/') || !check_is_plain(schema, ":/._-~=&?%+@")))
        (void)check_fail(deployment, findings, "schema-address", "service.schema",
                         "want an https, s3 or gs address, or a path inside the image, found \"%.80s\"",
                         schema);
    check_no_password(deployment, schema, "service.schema", findings);
    check_path_option(deployment, service->health_path, "service.health-path", findings);
    check_path_option(deployment, service->readiness_path, "service.readiness-path", findings);
    check_path_option(deployment, service->metrics_path, "service.metrics-path", findings);
    check_environment(deployment, findings);
}
