/* The collector's configuration: the main file, its includes, and the checks over both.
 *
 * A generation is one consistent, validated configuration. An included file that is broken, or whose names
 * clash, is left out alone: its diagnostics are kept and counted. References (a trigger's SLO, a receiver)
 * are checked over everything that was accepted.
 *
 * Ownership: reference-counted; everything a generation points to lives in its arena until the last reference
 * is given back. Threads: immutable after config_load(). */
#ifndef FRAISEQL_COLLECTOR_CONFIG_H
#define FRAISEQL_COLLECTOR_CONFIG_H

#include "failover/traffic_config.h"
#include "lib/core/atomic.h"
#include "lib/core/option.h"
#include "scrapers/scraper.h"

#define CONFIG_MAX_SCRAPER_KINDS 32

struct config_log {
    int level;  /* enum log_level */
    int format; /* enum log_format */
};

struct config_limits {
    uint64_t memory_bytes, body_bytes;
    int64_t series, series_per_target, connections;
    int64_t otlp_series;
    int64_t request_timeout_ns;
};

/* `collector:` */
struct config_collector {
    const char *name, *region, *journal, *external_url, *token_file;
    struct address_option listen;
    struct config_log log;
    struct config_limits limits;
    int postgres_names; /* enum: 0 new, 1 both */
    int64_t http_threads, otlp_threads;
};

struct config_defaults {
    int64_t interval_ns, timeout_ns;
};

struct config_region {
    const char *name;
    struct string_map labels; /* provider, location, ... */
    struct option_position position;
};

/* One file, and also the sum of all: the sum has the lists of the included files appended. */
struct config_file {
    int64_t version;
    struct string_list include;
    struct config_collector collector;
    struct config_defaults defaults;
    struct section_list regions;                            /* struct config_region */
    struct section_list scrapers[CONFIG_MAX_SCRAPER_KINDS]; /* in the order of scraper_kinds[] */
    struct section_list probes, slos, triggers, notify;
    void *otlp;                     /* struct tracing_config, NULL when absent */
    struct traffic_config *traffic; /* NULL when absent */
    void *failover;
};

struct config {
    struct refcount refs;
    uint64_t generation;
    struct arena *arena;
    const char *path;
    struct config_file all;
    size_t files_accepted, files_refused;
};

/* 0 and a reference, or ERR_CONFIG. diag holds errors (also those of refused includes) and warnings.
 * With `strict`, a broken include refuses the whole (for --check). */
int config_load(const char *path, bool strict, struct config **ret_config, struct diag *diag) CHECK_RESULT;
struct config *config_ref(struct config *config);
struct config *config_unref(struct config *config); /* accepts NULL, returns NULL */

/* Element i of a list whose struct is known by its section only. */
void *config_element(const struct section_list *list, const struct option_section *section, size_t i);

/* The effective configuration as YAML, secrets as ***. */
void config_dump(const struct config *config, struct buf *out);
/* The table of the whole file, for the reference and the schema. */
const struct option_section *config_section(void);

/* True when something differs that takes effect at the next start only; its path goes to `path`. */
bool config_needs_restart(const struct config *before, const struct config *after, char path[NODE_PATH_MAX]);

bool config_address_is_loopback(const struct address_option *address);

#endif
