/* `otlp:` of the configuration as read (tracing_section); the options themselves are in config.c. */
#ifndef FRAISEQL_TRACING_CONFIG_H
#define FRAISEQL_TRACING_CONFIG_H

#include "tracing/tracing.h"

struct tracing_source {
    const char *address; /* prefix, as written */
    const char *region;
};

struct tracing_config {
    struct address_option http, grpc;
    struct section_list sources; /* struct tracing_source */
    struct string_list buckets;  /* durations, ascending; empty: those of the spanmetrics connector */
};

#define TRACING_MAX_BUCKETS 48U

/* Upper bounds in nanoseconds, at most TRACING_MAX_BUCKETS. config NULL: the default ones. */
int tracing_config_bounds(const struct tracing_config *config, int64_t bounds_ns[TRACING_MAX_BUCKETS],
                          size_t *ret_count, struct error *err) CHECK_RESULT;

#endif
