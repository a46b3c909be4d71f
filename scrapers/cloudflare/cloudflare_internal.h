/* Inside the Cloudflare source. cloudflare_discover.c finds zones and makes the plan, cloudflare_query.c asks
 * for analytics, cloudflare_pools.c for the health of load balancer pools.
 *
 * Sources, looked up in 2026-11: datasets and fields of developers.cloudflare.com (analytics/graphql-api;
 * load-balancing/reference/load-balancing-analytics); names and labels of lablabs/cloudflare-exporter
 * (prometheus.go), whose counters have no _total but for those of requests, bandwidth, threats, page views
 * and pools. Its cloudflare_zone_pool_health_status tells of a pool as one load balancer saw it with its last
 * request; cloudflare_pool_health_status here is what the monitors say, and so has another name.
 *
 * All answers are outside bytes. Threads: the scrape loop. */
#ifndef FRAISEQL_SCRAPERS_CLOUDFLARE_CLOUDFLARE_INTERNAL_H
#define FRAISEQL_SCRAPERS_CLOUDFLARE_CLOUDFLARE_INTERNAL_H

#include "lib/core/json.h"
#include "scrapers/cloud/config.h"
#include "scrapers/cloud/source.h"
#include "scrapers/scraper.h"

#define CLOUDFLARE_ZONES_MAX 10U    /* of one query */
#define CLOUDFLARE_ROWS_MAX  10000U /* of one zone in one answer */
#define CLOUDFLARE_PERIOD_NS (60 * NS_PER_S)

struct cloudflare_config {
    struct scraper_target target;
    struct cloud_config cloud;
    struct string_list zones;
    const char *token_file;
    bool load_balancers;
};

extern const struct option_section cloudflare_section;
extern const struct cloud_source cloudflare_source;

enum cloudflare_api { CF_GRAPHQL, CF_REST, CF_APIS };
enum cloudflare_kind { CF_HTTP, CF_BALANCING, CF_POOLS };

#define CLOUDFLARE_SUMS 8U
/* Columns of httpRequests1mGroups. */
struct cloudflare_column {
    const char *field, *name, *help;
    bool runs_up; /* as in cloud_metric_desc */
};
extern const struct cloudflare_column cloudflare_columns[CLOUDFLARE_SUMS];

/* Behind cloud_query.data: a zone, or an account's pools. */
struct cloudflare_query {
    enum cloudflare_kind kind;
    const char *id; /* of the zone or account */
    const char *zone, *account;
    struct cloud_series *sums[CLOUDFLARE_SUMS], *uniques, *pools;
};

struct cloudflare_zone {
    const char *id, *name, *account_id, *account;
};

struct cloudflare_state {
    const struct cloudflare_config *config;
    struct arena *arena; /* of the discovery under way */
    struct cloudflare_zone *zones;
    size_t zone_count, zone_capacity;
    unsigned page;
};

struct cloudflare_state *cloudflare_state_new(const struct cloudflare_config *config);
void cloudflare_state_free(void *state);

/* An id as Cloudflare makes them: they become parts of addresses. */
bool cloudflare_is_id(struct str id);
/* GET or, with a body, POST; `path` begins with a slash and is escaped. */
void cloudflare_request(const struct cloudflare_state *state, enum cloudflare_api api, const char *path,
                        struct str body, struct arena *arena, struct cloud_request *ret_request);
/* Of an answer that is no success. 0, or the code of a refusal. */
int cloudflare_failure(const struct http_response *answer, struct arena *arena,
                       struct cloud_outcome *ret_outcome, struct error *err);
/* The tree of a v4 answer that succeeded, or the failure as above; ret_root is NULL then. */
int cloudflare_parse(const struct http_response *answer, struct arena *arena, const struct node **ret_root,
                     struct cloud_outcome *ret_outcome, struct error *err);

int cloudflare_discover(void *state, struct cloud_plan *plan, const struct http_response *answer,
                        int64_t wall_ns, struct arena *arena, enum cloud_step *ret_step,
                        struct cloud_request *ret_request, struct cloud_outcome *ret_outcome,
                        struct error *err);
int cloudflare_render(void *state, const struct cloud_batch *batch, struct arena *arena,
                      struct cloud_request *ret_request, struct error *err);
int cloudflare_read(void *state, const struct cloud_batch *batch, const struct http_response *answer,
                    int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
                    struct cloud_outcome *ret_outcome, struct error *err);
int cloudflare_read_pools(const struct cloud_batch *batch, const struct http_response *answer,
                          struct cloud_reading *reading, struct arena *arena,
                          struct cloud_outcome *ret_outcome, struct error *err);

#endif
