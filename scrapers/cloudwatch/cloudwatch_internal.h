/* Inside the CloudWatch scraper: cloudwatch.c puts the target together, cloudwatch_discover.c finds what
 * there is, cloudwatch_request.c renders and reads GetMetricData, cloudwatch_wire.c is what both share of
 * AWS's protocol. */
#ifndef FRAISEQL_SCRAPERS_CLOUDWATCH_INTERNAL_H
#define FRAISEQL_SCRAPERS_CLOUDWATCH_INTERNAL_H

#include "lib/core/json.h"
#include "lib/core/map.h"
#include "scrapers/cloud/source.h"
#include "scrapers/cloudwatch/cloudwatch_config.h"

enum cloudwatch_api { CW_GET_METRIC_DATA, CW_LIST_METRICS, CW_GET_RESOURCES, CW_CALLER_IDENTITY, CW_APIS };

#define CW_QUERIES_MAX 500U    /* of one GetMetricData */
#define CW_POINTS_MAX  100000U /* AWS answers 100,800 a call, then pages */

/* One metric that is wanted, of a profile or of `metrics`. */
struct cloudwatch_wanted {
    const char *namespace_name, *name;
    const char *lane; /* AWS's region where it is published */
    const char *statistics[CLOUDWATCH_STATISTICS_MAX];
    size_t statistic_count;
    int64_t period_ns;
    bool any_dimensions;                  /* whatever set it has */
    const struct string_pair *dimensions; /* names, and patterns of values */
    size_t dimension_count;
    unsigned flags;
    const struct cloud_common *common;
    const char *common_statistic;
    double scale, offset;
};

/* What a query of the plan carries. */
struct cloudwatch_query {
    const struct cloudwatch_wanted *wanted;
    const struct string_pair *dimensions;
    size_t dimension_count;
    struct cloud_series *series[CLOUDWATCH_STATISTICS_MAX]; /* NULL: over the maximum */
};

struct cloudwatch_discovery;

struct cloudwatch_state {
    const struct cloudwatch_config *config;
    struct arena *arena; /* of what lives as long */
    struct cloudwatch_wanted *wanted;
    size_t wanted_count;
    const char *account;                    /* NULL: not known yet */
    struct cloudwatch_discovery *discovery; /* the one under way */
};

/* cloudwatch_wire.c */
/* The request of an api with a JSON body, or a form's. */
int cloudwatch_request(const struct cloudwatch_state *state, enum cloudwatch_api api, const char *lane,
                       struct str body, struct arena *arena, struct cloud_request *ret_request,
                       struct error *err) CHECK_RESULT;
int cloudwatch_authorize(void *state, const struct cloud_token *token, int64_t wall_ns, struct arena *arena,
                         struct cloud_request *request, struct error *err);
/* What an answer that is none of 2xx means; the code of `err` for a verdict that ends it. */
int cloudwatch_failure(const struct http_response *answer, enum cloudwatch_api api, int64_t wall_ns,
                       struct arena *arena, struct cloud_outcome *ret_outcome, struct error *err);
const char *cloudwatch_api_name(enum cloudwatch_api api);

/* cloudwatch_request.c */
int cloudwatch_render(void *state, const struct cloud_batch *batch, struct arena *arena,
                      struct cloud_request *ret_request, struct error *err);
int cloudwatch_read(void *state, const struct cloud_batch *batch, const struct http_response *answer,
                    int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
                    struct cloud_outcome *ret_outcome, struct error *err);

/* cloudwatch_discover.c */
int cloudwatch_discover(void *state, struct cloud_plan *plan, const struct http_response *answer,
                        int64_t wall_ns, struct arena *arena, enum cloud_step *ret_step,
                        struct cloud_request *ret_request, struct cloud_outcome *ret_outcome,
                        struct error *err);
void cloudwatch_discovery_free(struct cloudwatch_discovery *discovery); /* accepts NULL */

/* cloudwatch_plan.c: tells the plan of one metric that was found. `tags` NULL: not asked. */
struct cloudwatch_found {
    const struct cloudwatch_wanted *wanted;
    const struct string_pair *dimensions;
    size_t dimension_count;
};
void cloudwatch_plan_found(const struct cloudwatch_state *state, struct cloud_plan *plan,
                           const struct cloudwatch_found *found);
/* The ARN of a metric's resource, in the arena; NULL: its dimensions do not tell. */
const char *cloudwatch_arn(const struct cloudwatch_state *state, const struct cloudwatch_wanted *wanted,
                           const struct string_pair *dimensions, size_t count, struct arena *arena);
bool cloudwatch_wants(const struct cloudwatch_wanted *wanted, const struct string_pair *dimensions,
                      size_t count);
/* Every value is exact: nothing has to be looked for. */
bool cloudwatch_is_static(const struct cloudwatch_wanted *wanted);

/* cloudwatch.c */
extern const struct cloud_source cloudwatch_source;
struct cloudwatch_state *cloudwatch_state_new(const struct cloudwatch_config *config);
void cloudwatch_state_free(void *state);

#endif
