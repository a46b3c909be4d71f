#include "tracing/config.h"

#include "lib/core/units.h"
#include "tracing/source_map.h"

/* --- buckets */

/* The spanmetrics connector's, so that its dashboards read ours. */
static const int64_t default_bounds_ms[] = {2,   4,   6,    8,    10,   50,   100,   200,
                                            400, 800, 1000, 1400, 2000, 5000, 10000, 15000};

int tracing_config_bounds(const struct tracing_config *config, int64_t bounds_ns[TRACING_MAX_BUCKETS],
                          size_t *ret_count, struct error *err)
{
    size_t count = 0;
    if (!config || config->buckets.count == 0) {
        for (; count < ARRAY_LEN(default_bounds_ms); count++)
            bounds_ns[count] = default_bounds_ms[count] * NS_PER_MS;
        *ret_count = count;
        return 0;
    }
    if (config->buckets.count > TRACING_MAX_BUCKETS)
        return error_set(err, ERR_CONFIG, "%zu buckets are more than %u", config->buckets.count,
                         TRACING_MAX_BUCKETS);
    for (; count < config->buckets.count; count++) {
        int rc = units_parse_duration(str_from(config->buckets.items[count]), &bounds_ns[count], err);
        if (rc)
            return rc;
        if (bounds_ns[count] <= (count ? bounds_ns[count - 1] : 0))
            return error_set(err, ERR_CONFIG, "the bucket %s is not above the one before it",
                             config->buckets.items[count]);
    }
    *ret_count = count;
    return 0;
}

/* --- options */

static int check_prefix(const char *text, struct error *err)
{
    struct source_prefix prefix;
    return source_prefix_parse(text, &prefix, err);
}

static const struct option source_options[] = {
    {.name = "address",
     .type = OPT_STRING,
     .offset = offsetof(struct tracing_source, address),
     .required = true,
     .check = check_prefix,
     .help =
         "Address or prefix of the senders, such as 10.1.0.0/16 or 2001:db8::/32. The longest prefix wins."},
    {.name = "region",
     .type = OPT_STRING,
     .offset = offsetof(struct tracing_source, region),
     .required = true,
     .not_empty = true,
     .help = "Region of spans from there whose resource has no deployment.region, region or cloud.region."},
};

static const struct option_section source_section = {
    .name = "otlp.sources[]",
    .help = "Where spans come from when they do not say so, by the address of their sender.",
    .size = sizeof(struct tracing_source),
    .options = source_options,
    .option_count = ARRAY_LEN(source_options),
};

static void check_section(const void *config, const struct node *node, struct diag *diag)
{
    int64_t bounds_ns[TRACING_MAX_BUCKETS];
    size_t count;
    struct error err = {0};
    if (tracing_config_bounds(config, bounds_ns, &count, &err) == 0)
        return;
    const struct node_pair *pair = node ? node_find(node, "buckets") : NULL;
    const struct node *at = pair ? pair->value : node;
    (void)diag_add(diag, DIAG_ERROR, at ? at->file : NULL, at ? at->line : 0, at ? at->column : 0,
                   "buckets: %s", err.message);
}

static const struct option options[] = {
    {.name = "http",
     .type = OPT_ADDRESS,
     .offset = offsetof(struct tracing_config, http),
     .not_reloadable = true,
     .help = "Address of the OTLP/HTTP listener (protobuf, plain or gzip); the usual port is 4318. Not "
             "opened when "
             "left out."},
    {.name = "grpc",
     .type = OPT_ADDRESS,
     .offset = offsetof(struct tracing_config, grpc),
     .not_reloadable = true,
     .help = "Address of the listener on the usual gRPC port, 4317. This version answers OTLP/HTTP there; "
             "gRPC is "
             "refused. Not opened when left out."},
    {.name = "sources",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct tracing_config, sources),
     .section = &source_section,
     .help = "Regions by sender address."},
    {.name = "buckets",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct tracing_config, buckets),
     .not_reloadable = true,
     .unit = "duration",
     .help = "Upper bounds of traces_span_metrics_duration_milliseconds, ascending, at most 48. Default: 2ms "
             "4ms 6ms "
             "8ms 10ms 50ms 100ms 200ms 400ms 800ms 1s 1400ms 2s 5s 10s 15s."},
};

const struct option_section tracing_section = {
    .name = "otlp",
    .help = "Receiving traces by OTLP. Spans become calls and duration histograms by service, span name, "
            "kind, status "
            "and region, and events of SLOs with `spans`.",
    .size = sizeof(struct tracing_config),
    .options = options,
    .option_count = ARRAY_LEN(options),
    .check = check_section,
};

const struct address_option *tracing_config_http(const struct tracing_config *config)
{
    return &config->http;
}

const struct address_option *tracing_config_grpc(const struct tracing_config *config)
{
    return &config->grpc;
}
