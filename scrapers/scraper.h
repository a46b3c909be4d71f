/* The interface of everything that is pulled: one table entry a kind (scrapers/registry.c), one file or
 * folder a kind. To add a scraper: write its file with a `const struct scraper_kind`, add one line to the
 * registry.
 *
 * The collector's schedule calls scrape() at the target's interval, never twice at once for one target; the
 * scraper answers through done() exactly once, on the scrape loop, by the deadline or shortly after it.
 *
 * Silence is not health: on a failure the scraper still hands over a snapshot of what is known (up 0,
 * counters, bounds that go on growing); what was observed is left out of it. done(): the callee takes over
 * the snapshot's reference (NULL: publish nothing, withdraw); err NULL means success.
 *
 * Threads: create, scrape, cancel and destroy are called on the scrape loop's thread. */
#ifndef FRAISEQL_SCRAPERS_SCRAPER_H
#define FRAISEQL_SCRAPERS_SCRAPER_H

#include "lib/core/option.h"
#include "lib/metrics/batch.h"
#include "lib/metrics/hub.h"
#include "lib/metrics/sli.h"
#include "lib/net/http_client.h"
#include "lib/net/resolver.h"

struct cloud_shared;
struct journal;

/* First member of every target's configuration struct; its options come from SCRAPER_TARGET_OPTIONS(). */
struct scraper_target {
    const char *name;    /* unique within the kind: the label `target` */
    const char *region;  /* NULL: the collector's own */
    int64_t interval_ns; /* 0: defaults.interval */
    int64_t timeout_ns;  /* 0: defaults.timeout; at most the interval */
    uint64_t max_series; /* 0: limits.series_per_target */
    struct option_position position;
};

/* Rows for the members of struct scraper_target; `config` is the struct type that embeds it as member
 * `target`. */
#define SCRAPER_TARGET_OPTIONS(config)                                                                       \
    {.name = "name",                                                                                         \
     .type = OPT_STRING,                                                                                     \
     .offset = offsetof(config, target.name),                                                                \
     .required = true,                                                                                       \
     .help = "Name of the target, unique within its kind; the label `target`."},                             \
        {.name = "region",                                                                                   \
         .type = OPT_STRING,                                                                                 \
         .offset = offsetof(config, target.region),                                                          \
         .help = "Region of the target; default: the collector's own."},                                     \
        {.name = "interval",                                                                                 \
         .type = OPT_DURATION,                                                                               \
         .offset = offsetof(config, target.interval_ns),                                                     \
         .min = 100 * NS_PER_MS,                                                                             \
         .max = 86400 * NS_PER_S,                                                                            \
         .unit = "duration",                                                                                 \
         .help = "Time between scrapes; default: defaults.interval."},                                       \
        {.name = "timeout",                                                                                  \
         .type = OPT_DURATION,                                                                               \
         .offset = offsetof(config, target.timeout_ns),                                                      \
         .min = 10 * NS_PER_MS,                                                                              \
         .max = 3600 * NS_PER_S,                                                                             \
         .unit = "duration",                                                                                 \
         .help = "Deadline of a scrape, at most its interval; default: defaults.timeout."},                  \
    {                                                                                                        \
        .name = "max_series", .type = OPT_INT, .offset = offsetof(config, target.max_series), .min = 0,      \
        .max = 10000000, .help = "Series kept of this target; default: limits.series_per_target."            \
    }

/* What every target is judged by, for a section's `check`. */
void scraper_target_check(const struct scraper_target *target, const struct node *node, struct diag *diag);

/* What a scraper may use. Lives as long as the process. */
struct scraper_env {
    struct loop *loop; /* the scrape loop */
    struct resolver *resolver;
    struct http_client *http;   /* of the scrape loop */
    struct hub *hub;            /* for sources published between scrapes (replication lag) */
    const char *observer;       /* collector.name */
    const char *region;         /* collector.region */
    bool postgres_legacy_names; /* the alias switch of compatible names */
    struct journal *journal;    /* for what must survive a restart; NULL in tests: nothing does */
    struct cloud_shared *cloud; /* of the cloud sources: scrapers/cloud/shared.h; NULL when there are none */
};

struct cloud_estimate;

typedef void scraper_done_fn(void *ctx, struct snapshot *snapshot, const struct error *err);

struct scraper_kind {
    const char *name;                     /* "postgres": key under `scrapers:` and label `scraper` */
    const struct option_section *section; /* of one target; its struct starts with struct scraper_target */
    /* First parts of the names it publishes, ended by NULL: an objective on them cannot be finer than its
     * interval. NULL: any name. */
    const char *const *prefixes;
    /* How often the metrics of prefixes[i] are published; 0 or NULL: each interval of the target. */
    int64_t (*publish_interval_ns)(const void *config, size_t i);
    /* The target's own address ("host:port"), the label `instance` of /sd. Terminated, truncated to size. */
    void (*address)(const void *config, char *text, size_t size);
    /* config stays valid until destroyed() was called. interval, timeout, region and max_series are final. */
    int (*create)(const struct scraper_env *env, const void *config, void **ret_state, struct error *err);
    void (*scrape)(void *state, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx);
    /* Ends a scrape under way early: done() comes with ERR_CANCELLED. */
    void (*cancel)(void *state);
    /* After cancel; destroyed(ctx) comes later, once everything is closed. */
    void (*destroy)(void *state, loop_fn *destroyed, void *ctx);
    /* Optional: warnings that `--check` prints (an objective finer than its source is the SLA's). */
    void (*check)(const void *config, struct diag *diag);
    /* Optional: what its calls will cost, as rows of scrapers/cloud/cost.h; the caller frees. For
     * `fraiseql-collector cost`; asks nobody. */
    struct cloud_estimate *(*estimate)(const void *config);
};

/* Ended by NULL. */
extern const struct scraper_kind *const scraper_kinds[];
const struct scraper_kind *scraper_kind_find(const char *name);

#endif
