/* What is asked of a cloud, and when: metrics, queries and series of one target, kept from discovery to
 * discovery.
 *
 * Every query is due once in its own period, at a phase that the settle delay gives, whatever the interval of
 * the scrape. Its cursor (covered_ns) moves only when an answer was complete, so that after a failure or an
 * outage the next window reaches back to what is missing; windows also reach back over buckets that may still
 * change. When polling is stretched by a budget the windows grow and nothing is lost.
 *
 * Pure: times are arguments, and they are the cloud's. Ownership: the plan owns everything; descriptions are
 * copied. Threads: the scrape loop. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_PLAN_H
#define FRAISEQL_SCRAPERS_CLOUD_PLAN_H

#include "lib/core/arena.h"
#include "lib/metrics/label.h"
#include "scrapers/cloud/ledger.h"

struct cloud_common; /* vocabulary.h */
struct cloud_plan;

/* One family: the same name for all its series. */
struct cloud_metric_desc {
    const char *name; /* the peer exporter's: "aws_rds_cpuutilization_average" */
    const char *help;
    enum cloud_kind kind;
    int64_t settle_ns;                 /* 0: the source's */
    const struct cloud_common *common; /* also shown as this word of the common vocabulary; NULL: no */
    double scale;                      /* to the common word's unit: 0.01 for a percentage. 0: 1 */
    bool negative_is_absent;           /* -1 means inactive here */
    bool absent_is_zero;               /* nothing happened, where the cloud writes no zeros */
    bool no_total;                     /* a sum of which no counter makes sense */
    const char *total_name;            /* NULL: the name with _total */
};

struct cloud_metric {
    struct cloud_metric_desc desc;
    struct cloud_settle settle;
    struct cloud_metric *next;
};

struct cloud_query_desc {
    struct str key;    /* unique in the target and the same after a restart */
    int64_t period_ns; /* of its buckets */
    int64_t every_ns;  /* asked so often; 0: once a period */
    const char *lane;  /* NULL: "" */
    unsigned group;    /* queries of different groups never share a batch */
    const void *data;  /* the source's: lives in cloud_plan_arena() or longer */
};

struct cloud_query {
    char *key;
    int64_t period_ns, every_ns;
    const char *lane;
    unsigned group;
    const void *data; /* of the last discovery */

    int64_t covered_ns; /* everything before was answered; 0: nothing was asked yet */
    int64_t due_ns;
    bool asking;
    struct cloud_series *series; /* list */
    uint64_t answers, failures;
    char error[160]; /* of the last failure; empty after a success */
    bool kept;
    struct cloud_query *next;
};

struct cloud_series {
    struct cloud_metric *metric;
    struct cloud_query *query;
    char *key;
    struct label *labels; /* texts belong to the series */
    size_t label_count;
    const char *resource; /* for the common vocabulary: "orders-db"; "" when there is none */
    struct cloud_account account;
    bool stored_once, kept;
    struct cloud_series *next;      /* of its query */
    struct cloud_series *plan_next; /* in the order of the page */
};

struct cloud_plan_options {
    int64_t settle_ns, late_ns, retention_ns, catch_up_ns;
    uint64_t max_series; /* further series are refused and counted */
};

struct cloud_plan *cloud_plan_new(const struct cloud_plan_options *options);
void cloud_plan_free(struct cloud_plan *plan); /* accepts NULL */

/* What the journal kept of a series (ledger.h's encoding); before the first discovery. */
void cloud_plan_restore(struct cloud_plan *plan, struct str series_key, struct str stored);

/* --- for sources: a discovery tells everything anew; what it does not tell is dropped at its end */
void cloud_plan_begin(struct cloud_plan *plan);
void cloud_plan_end(struct cloud_plan *plan);
void cloud_plan_abort(struct cloud_plan *plan); /* the discovery failed: all stays as it was */
/* Memory that lives until the end of the next discovery that succeeds. */
struct arena *cloud_plan_arena(struct cloud_plan *plan);
struct cloud_metric *cloud_plan_metric(struct cloud_plan *plan, const struct cloud_metric_desc *desc);
struct cloud_query *cloud_plan_query(struct cloud_plan *plan, const struct cloud_query_desc *desc);
/* The series of that key; made when it is new, also while an answer is read. NULL: over the maximum. The key
 * is unique in the target. Labels are copied. */
struct cloud_series *cloud_plan_series(struct cloud_plan *plan, struct cloud_query *query,
                                       struct cloud_metric *metric, struct str key,
                                       const struct label *labels, size_t count, struct str resource);
struct cloud_series *cloud_plan_find(const struct cloud_plan *plan, struct str key);
/* A family that tells of resources, value `value` (YACE: 0), until the next discovery: "aws_rds_info". */
void cloud_plan_info(struct cloud_plan *plan, const char *name, const char *help, const struct label *labels,
                     size_t count, double value);

/* --- for the frame */
struct cloud_info {
    const char *name, *help;
    struct label *labels;
    size_t label_count;
    double value;
    struct cloud_info *next;
};

struct cloud_query *cloud_plan_queries(const struct cloud_plan *plan);
struct cloud_series *cloud_plan_all_series(const struct cloud_plan *plan);
struct cloud_metric *cloud_plan_metrics(const struct cloud_plan *plan);
const struct cloud_info *cloud_plan_infos(const struct cloud_plan *plan);
void cloud_plan_counts(const struct cloud_plan *plan, size_t *ret_queries, size_t *ret_series,
                       uint64_t *ret_refused);

/* Up to `max` due queries of one lane, group and period, marked as asked, with their window; 0: nothing is
 * due. `stretch` of 1 or more makes every period so much longer. `points_max` as in source.h. */
size_t cloud_plan_take(struct cloud_plan *plan, int64_t now_ns, double stretch, size_t max, size_t points_max,
                       struct cloud_query **queries, int64_t *ret_from_ns, int64_t *ret_to_ns);
/* When the next query is due; INT64_MAX: none. */
int64_t cloud_plan_next_due(const struct cloud_plan *plan);
/* The answer for a query was complete up to to_ns: its cursor moves and buckets past changing are closed. */
void cloud_plan_answered(struct cloud_plan *plan, struct cloud_query *query, int64_t to_ns, int64_t now_ns);
/* Was not: nothing moves. Asked again at retry_ns (0: when it is due next). */
void cloud_plan_failed(struct cloud_query *query, int64_t now_ns, int64_t retry_ns, const char *error);

#endif
