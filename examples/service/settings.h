/* What the example service reads from its environment. Names are FraiseQL's where FraiseQL has them, so that
 * one environment file serves either:
 *
 *   DATABASE_URL                  where writes go (URL or conninfo); DATABASE_URL_FILE names a file with it
 * instead DATABASE_READ_URL             where reads go; default: DATABASE_URL. DATABASE_READ_URL_FILE
 * likewise FRAISEQL_BIND_ADDR            numeric address and port, default 127.0.0.1:8000
 *   FRAISEQL_METRICS_ENABLED      true opens /metrics; it wants
 *   FRAISEQL_METRICS_TOKEN        the bearer token of /metrics, 16 characters or more
 *   FRAISEQL_SHUTDOWN_TIMEOUT_SECS  how long requests under way may take after SIGTERM, default 30
 *   FRAISEQL_POOL_MAX_SIZE        connections for reads and for writes each, 1 to 100, default 20
 *   FRAISEQL_LOG_FORMAT           text or json, default text
 *   RUST_LOG                      error, warn, info, debug or trace; default info
 *   OTEL_EXPORTER_OTLP_ENDPOINT   where spans go by HTTP; without a path, /v1/traces is added
 *   OTEL_RESOURCE_ATTRIBUTES      name=value,...; cloud.region is also what is written into rows
 *   OTEL_SERVICE_NAME             default fraiseql
 *
 * Ownership: texts live in the arena. */
#ifndef FRAISEQL_EXAMPLES_SERVICE_SETTINGS_H
#define FRAISEQL_EXAMPLES_SERVICE_SETTINGS_H

#include "lib/core/arena.h"
#include "lib/core/error.h"
#include "lib/core/log.h"

struct settings_attribute {
    struct str name, value;
};

#define SETTINGS_MAX_ATTRIBUTES 16

struct settings {
    const char *write_url, *read_url;
    const char *address; /* numeric */
    uint16_t port;
    const char *metrics_token; /* NULL: no /metrics */
    int64_t shutdown_timeout_ns;
    unsigned pool_max;
    enum log_level log_level;
    enum log_format log_format;
    const char *otlp_url; /* NULL: no spans */
    const char *service_name, *region;
    struct settings_attribute attributes[SETTINGS_MAX_ATTRIBUTES];
    size_t attribute_count;
};

/* env_get(), or a table in tests. */
typedef const char *settings_get_fn(const char *name);

int settings_load(settings_get_fn *get, struct arena *arena, struct settings *ret, struct error *err)
    CHECK_RESULT;

#endif
