/* Options that every cloud source has. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_CONFIG_H
#define FRAISEQL_SCRAPERS_CLOUD_CONFIG_H

#include "lib/core/option.h"

struct cloud_budget {
    uint64_t microusd_per_month; /* 0: none */
};

/* Embedded as member `cloud` of a source's configuration struct. */
struct cloud_config {
    const char *endpoint;              /* NULL: the cloud's own */
    const struct cloud_budget *budget; /* NULL: none */
    struct string_list keep, drop;     /* selectors */
    int64_t discover_every_ns, catch_up_ns, request_timeout_ns;
    int64_t concurrency;
};

extern const struct option_section cloud_budget_section;
int cloud_config_check_selector(const char *text, struct error *err);
/* Tokens and signatures go there: refused is plain http to another machine. `url` may be NULL. */
void cloud_config_check_endpoint(const char *name, const char *url, const struct node *node,
                                 struct diag *diag);

/* Rows of struct cloud_config; `config` is the struct type that embeds it as member `cloud`. */
#define CLOUD_OPTIONS(config)                                                                                \
    {.name = "endpoint",                                                                                     \
     .type = OPT_URL,                                                                                        \
     .offset = offsetof(config, cloud.endpoint),                                                             \
     .help = "Address that is asked instead of the cloud's own: a private endpoint, an emulator."},          \
        {.name = "budget",                                                                                   \
         .type = OPT_SECTION_PTR,                                                                            \
         .offset = offsetof(config, cloud.budget),                                                           \
         .section = &cloud_budget_section,                                                                   \
         .help = "What the calls of this target may cost."},                                                 \
        {.name = "keep",                                                                                     \
         .type = OPT_STRING_LIST,                                                                            \
         .offset = offsetof(config, cloud.keep),                                                             \
         .check = cloud_config_check_selector,                                                               \
         .help = "Selectors in PromQL's syntax; when given, only series that match one are shown."},         \
        {.name = "drop",                                                                                     \
         .type = OPT_STRING_LIST,                                                                            \
         .offset = offsetof(config, cloud.drop),                                                             \
         .check = cloud_config_check_selector,                                                               \
         .help = "Selectors of series to leave out; they go before keep. What is left out and known before " \
                 "is not asked for."},                                                                       \
        {.name = "discover_every",                                                                           \
         .type = OPT_DURATION,                                                                               \
         .offset = offsetof(config, cloud.discover_every_ns),                                                \
         .default_text = "10m",                                                                              \
         .min = 10 * NS_PER_S,                                                                               \
         .max = 86400 * NS_PER_S,                                                                            \
         .unit = "duration",                                                                                 \
         .help = "Time between looks at which resources and metrics there are."},                            \
        {.name = "catch_up",                                                                                 \
         .type = OPT_DURATION,                                                                               \
         .offset = offsetof(config, cloud.catch_up_ns),                                                      \
         .default_text = "6h",                                                                               \
         .min = 600 * NS_PER_S,                                                                              \
         .max = 1209600 * NS_PER_S,                                                                          \
         .unit = "duration",                                                                                 \
         .help =                                                                                             \
             "After an outage buckets are fetched so far back at most; older ones are lost, and counted."},  \
        {.name = "request_timeout",                                                                          \
         .type = OPT_DURATION,                                                                               \
         .offset = offsetof(config, cloud.request_timeout_ns),                                               \
         .default_text = "30s",                                                                              \
         .min = 100 * NS_PER_MS,                                                                             \
         .max = 600 * NS_PER_S,                                                                              \
         .unit = "duration",                                                                                 \
         .help = "Deadline of one call. A scrape that ends before leaves the call under way."},              \
    {                                                                                                        \
        .name = "concurrency", .type = OPT_INT, .offset = offsetof(config, cloud.concurrency),               \
        .default_text = "4", .min = 1, .max = 64, .help = "Calls of this target under way at once."          \
    }

#endif
