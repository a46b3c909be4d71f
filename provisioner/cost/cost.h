/* What a deployment costs a month at list price, per region and component, and why.
 *
 * amount = quantity x unit price; prices come from the catalog with source and date. An unknown price stays
 * unknown: it makes the total "at least". Pure: no clock, no network.
 *
 * A month is 730 hours. A GB that a file names (a disk, traffic of --usage) is one GB of the bill; bytes a
 * second are counted by 2^30, as clouds count.
 *
 * Ownership: everything lives in the arena given. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_COST_H
#define FRAISEQL_PROVISIONER_COST_H

#include "provisioner/catalog/catalog.h"
#include "provisioner/deployment.h"

struct cost_item {
    const char
        *component;    /* compute, database, storage, network, traffic, backup, monitoring, secrets, dns */
    const char *label; /* a few words for the table: "load balancer" */
    const char *description;
    double quantity;
    const char *unit;
    const struct price *price; /* NULL: unknown */
    int64_t monthly_nano_usd;  /* 0 when unknown */
};

struct cost_region {
    const char *name, *provider, *location; /* "global" with provider "" for what belongs to no region */
    struct cost_item *items;
    size_t count;
    int64_t monthly_nano_usd;
    bool complete; /* no unknown price among its items */
    struct string_list notes;
};

struct cost_estimate {
    struct cost_region *regions;
    size_t count;
    int64_t monthly_nano_usd;
    bool complete;
    const char *oldest_date, *newest_date; /* of the prices used; NULL without any */
    struct string_list assumptions;
};

/* What only the user knows, a month and region; defaults are stated in the output. */
struct cost_usage {
    const char *region; /* NULL: the values for every region */
    uint64_t internet_egress_bytes, load_balancer_bytes, nat_bytes, log_bytes;
    uint64_t backup_bytes;      /* over what the cloud keeps for nothing */
    uint64_t write_bytes_per_s; /* of write-ahead log, where the region writes */
    int64_t dns_queries, metrics_requests;
    struct section_list regions; /* struct cost_usage: complete, what a region left out is filled in */
    struct option_position position;
};

void cost_usage_defaults(struct cost_usage *usage);
/* A YAML file of these members, for all regions and below `regions` for one. `deployment` names the regions
 * there are. */
int cost_usage_load(const char *path, const struct deployment *deployment, struct arena *arena,
                    struct cost_usage *ret_usage, struct findings *findings) CHECK_RESULT;
const struct cost_usage *cost_usage_of(const struct cost_usage *usage, const char *region);

int cost_estimate(const struct deployment *deployment, const struct cost_usage *usage, struct arena *arena,
                  struct cost_estimate *ret_estimate, struct error *err) CHECK_RESULT;
/* Keeps only the regions named; totals follow. */
void cost_estimate_restrict(struct cost_estimate *estimate, const struct string_list *names);

/* The mission's table. */
void cost_write_table(const struct cost_estimate *estimate, struct buf *out);
void cost_write_csv(const struct cost_estimate *estimate, struct buf *out);
/* For a pull request. */
void cost_write_markdown(const struct cost_estimate *estimate, struct buf *out);
/* The contract's record, without a line end. */
void cost_write_json(const struct cost_estimate *estimate, struct buf *out);

/* Region by region and component by component: what `after` costs more or less. */
enum cost_format { COST_TABLE, COST_JSON, COST_CSV, COST_MARKDOWN };
void cost_write_comparison(const struct cost_estimate *before, const struct cost_estimate *after,
                           enum cost_format format, struct arena *arena, struct buf *out);

/* A cheaper or equal way to the same machines: as many vCPUs and as much memory or more, the same
 * architecture, burstable only for burstable, a known price. */
struct cost_alternative {
    const char *region, *provider, *location, *instance_type;
    double vcpus, memory_gib;
    int64_t monthly_nano_usd;         /* of all the region's instances */
    int64_t current_monthly_nano_usd; /* -1: unknown */
    bool same_place;                  /* the region's own location */
};
struct cost_alternatives {
    struct cost_alternative *items;
    size_t count;
};
/* A region's cheapest type in its own location, and the cheapest of each cloud anywhere in the same area,
 * where its rows may live by compliance.data-residency. */
void cost_find_alternatives(const struct deployment *deployment, struct arena *arena,
                            struct cost_alternatives *ret_alternatives);
void cost_write_alternatives(const struct cost_alternatives *alternatives, enum cost_format format,
                             struct buf *out);

/* The machine that a module runs as its gateway. */
const char *cost_gateway_type(const char *provider);
/* Days from a price's date (YYYY-MM-DD) to a wall clock; 0 for a date to come. */
int64_t cost_price_age_days(const char *date, int64_t wall_ns);
/* "$1,234.56". */
#define COST_TEXT_MAX 48
const char *cost_format_usd(int64_t nano_usd, char text[COST_TEXT_MAX]);

#endif
