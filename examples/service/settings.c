#include "examples/service/settings.h"

#include "lib/core/secret.h"

#include <string.h>

#define METRICS_TOKEN_MIN 16

struct reading {
    settings_get_fn *get;
    struct arena *arena;
    struct settings *settings;
    struct error *err;
};

static const char *value_or(const struct reading *reading, const char *name, const char *fallback)
{
    const char *value = reading->get(name);
    return value && *value ? value : fallback;
}

/* The value, or the first line of the file that NAME_FILE names; *ret stays as it is when neither is given.
 */
static int read_url(const struct reading *reading, const char *name, const char **ret)
{
    const char *value = value_or(reading, name, NULL);
    const char *file = value_or(reading, arena_printf(reading->arena, "%s_FILE", name), NULL);
    if (value && file)
        return error_set(reading->err, ERR_CONFIG, "%s and %s_FILE are both given", name, name);
    if (value)
        *ret = value;
    if (!file)
        return 0;
    struct secret *secret CLEANUP(secret_free_cleanup) = NULL;
    int code = secret_read_file(file, &secret, NULL, reading->err);
    if (code)
        return error_prefix(reading->err, "%s_FILE", name);
    *ret = arena_strdup(reading->arena, secret_reveal(secret));
    return 0;
}

static int read_urls(const struct reading *reading)
{
    struct settings *settings = reading->settings;
    int code = read_url(reading, "DATABASE_URL", &settings->write_url);
    if (!code && !settings->write_url)
        code = error_set(reading->err, ERR_CONFIG, "DATABASE_URL is not set");
    settings->read_url = settings->write_url;
    return code ? code : read_url(reading, "DATABASE_READ_URL", &settings->read_url);
}

static int read_number(const struct reading *reading, const char *name, const char *fallback, uint64_t min,
                       uint64_t max, uint64_t *ret)
{
    const char *text = value_or(reading, name, fallback);
    if (!str_to_u64(str_from(text), ret) || *ret < min || *ret > max)
        return error_set(reading->err, ERR_CONFIG, "%s: want a number from %llu to %llu, found \"%.40s\"",
                         name, (unsigned long long)min, (unsigned long long)max, text);
    return 0;
}

static int read_address(const struct reading *reading)
{
    const char *text = value_or(reading, "FRAISEQL_BIND_ADDR", "127.0.0.1:8000");
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (!colon || !str_to_u64(str_from(colon + 1), &port) || port > UINT16_MAX)
        return error_set(reading->err, ERR_CONFIG, "FRAISEQL_BIND_ADDR: want address:port, found \"%.80s\"",
                         text);
    struct str address = {text, (size_t)(colon - text)};
    if (address.len > 2 && address.ptr[0] == '[' && address.ptr[address.len - 1] == ']')
        address = (struct str){address.ptr + 1, address.len - 2};
    reading->settings->address = arena_strdup(reading->arena, address);
    reading->settings->port = (uint16_t)port;
    return 0;
}

static int read_metrics(const struct reading *reading)
{
    const char *enabled = value_or(reading, "FRAISEQL_METRICS_ENABLED", "false");
    const char *token = value_or(reading, "FRAISEQL_METRICS_TOKEN", NULL);
    if (strcmp(enabled, "true") != 0 && strcmp(enabled, "false") != 0)
        return error_set(reading->err, ERR_CONFIG,
                         "FRAISEQL_METRICS_ENABLED: want true or false, found \"%.20s\"", enabled);
    if (enabled[0] == 'f')
        return 0;
    if (!token || strlen(token) < METRICS_TOKEN_MIN)
        return error_set(reading->err, ERR_CONFIG, "FRAISEQL_METRICS_TOKEN: want %d characters or more",
                         METRICS_TOKEN_MIN);
    reading->settings->metrics_token = token;
    return 0;
}

static int read_log(const struct reading *reading)
{
    static const char *const names[] = {"error", "warn", "info", "debug", "trace"};
    static const enum log_level levels[] = {LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_DEBUG};
    const char *level = value_or(reading, "RUST_LOG", "info");
    const char *format = value_or(reading, "FRAISEQL_LOG_FORMAT", "text");
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        return error_set(reading->err, ERR_CONFIG, "FRAISEQL_LOG_FORMAT: want text or json, found \"%.20s\"",
                         format);
    reading->settings->log_format = format[0] == 'j' ? LOG_JSON : LOG_LOGFMT;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(level, names[i]) == 0) {
            reading->settings->log_level = levels[i];
            return 0;
        }
    }
    return error_set(reading->err, ERR_CONFIG,
                     "RUST_LOG: want error, warn, info, debug or trace, found \"%.40s\"", level);
}

static int read_attributes(const struct reading *reading)
{
    struct settings *settings = reading->settings;
    const char *at = value_or(reading, "OTEL_RESOURCE_ATTRIBUTES", "");
    settings->region = "";
    while (*at) {
        size_t len = strcspn(at, ",");
        const char *equals = memchr(at, '=', len);
        if (!equals || settings->attribute_count == SETTINGS_MAX_ATTRIBUTES)
            return error_set(reading->err, ERR_CONFIG,
                             "OTEL_RESOURCE_ATTRIBUTES: want up to %d of name=value with commas between",
                             SETTINGS_MAX_ATTRIBUTES);
        struct settings_attribute *attribute = &settings->attributes[settings->attribute_count++];
        attribute->name = str_trim((struct str){at, (size_t)(equals - at)});
        attribute->value = str_trim((struct str){equals + 1, (size_t)(at + len - equals - 1)});
        if (str_equal(attribute->name, STR("cloud.region")))
            settings->region = arena_strdup(reading->arena, attribute->value);
        at += len + (at[len] == ',');
    }
    return 0;
}

static int read_otlp(const struct reading *reading)
{
    const char *url = value_or(reading, "OTEL_EXPORTER_OTLP_ENDPOINT", NULL);
    reading->settings->service_name = value_or(reading, "OTEL_SERVICE_NAME", "fraiseql");
    if (!url)
        return 0;
    const char *host = strstr(url, "://");
    if (!host || strncmp(url, "http", 4) != 0)
        return error_set(reading->err, ERR_CONFIG,
                         "OTEL_EXPORTER_OTLP_ENDPOINT: want an http or https URL, found \"%.80s\"", url);
    const char *slash = strchr(host + 3, '/');
    bool bare = !slash || slash[1] == '\0';
    int len = (int)(bare && slash ? slash - url : (ptrdiff_t)strlen(url));
    reading->settings->otlp_url = arena_printf(reading->arena, "%.*s%s", len, url, bare ? "/v1/traces" : "");
    return 0;
}

int settings_load(settings_get_fn *get, struct arena *arena, struct settings *ret, struct error *err)
{
    struct settings settings = {0};
    const struct reading reading = {.get = get, .arena = arena, .settings = &settings, .err = err};
    uint64_t timeout_s = 0, pool_max = 0;
    int code = read_urls(&reading);
    code = code ? code : read_address(&reading);
    code = code ? code : read_metrics(&reading);
    code = code ? code : read_log(&reading);
    code = code ? code : read_attributes(&reading);
    code = code ? code : read_otlp(&reading);
    code = code ? code : read_number(&reading, "FRAISEQL_SHUTDOWN_TIMEOUT_SECS", "30", 0, 3600, &timeout_s);
    code = code ? code : read_number(&reading, "FRAISEQL_POOL_MAX_SIZE", "20", 1, 100, &pool_max);
    settings.shutdown_timeout_ns = (int64_t)timeout_s * NS_PER_S;
    settings.pool_max = (unsigned)pool_max;
    if (!code)
        *ret = settings;
    return code;
}
