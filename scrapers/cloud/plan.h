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

enum cloud_status {
    CLOUD_COMPLETE,
    CLOUD_PARTIAL,   /* what came is taken, the cursor stays: the rest is asked for again */
    CLOUD_FORBIDDEN, /* may not be seen */
    CLOUD_FAILED     /* the cloud's own error */
};
const char *cloud_status_text(enum cloud_status status); /* "complete", "partial", "forbidden", "failed" */

/* One family: the same name for all its series. */
struct cloud_metric_desc {
    const char *name; /* the peer exporter's: "aws_rds_cpuutilization_average" */
    const char *help;
    enum cloud_kind kind;
    int64_t settle_ns;                 /* 0: the source's */
    const struct cloud_common *common; /* also shown as this word of the common vocabulary; NULL: no */
    double scale;                      /* to the common word's unit: 0.01 for a percentage. 0: 1 */
    double offset;                     /* added after that: 1 with a scale of -1 turns failed into up */
    bool negative_is_absent;           /* -1 means inactive here */
    bool absent_is_zero;               /* nothing happened, where the cloud writes no zeros */
    bool no_total;                     /* a sum of which no counter makes sense */
    bool runs_up;                      /* the peer's metric of this name is the counter, without _total */
    const char *total_name;            /* NULL: the name with _total */
};

struct cloud_metric {
    struct cloud_metric_desc desc;
    struct cloud_settle settle;
    uint64_t shown; /* series of the last page, and the greatest age among them: the target's */
    int64_t oldest_ns;
    struct cloud_metric *next;
};

struct cloud_query_desc {
    struct str key;    /* unique in the target and the same after a restart */
    int64_t period_ns; /* of its buckets */
    int64_t every_ns;  /* asked so often; 0: once a period */
    const char *lane;  /* NULL: "" */
    unsigned group;    /* queries of different groups never share a batch */
    unsigned weight;   /* its share of the source's batch_max; 0: 1 */
    unsigned api;      /* that it is asked by */
    double units;      /* billed each time, about: for the plan */
    const void *data;  /* the source's: lives in cloud_plan_arena() or longer */
};

struct cloud_query {
    char *key;
    int64_t period_ns, every_ns;
    const char *lane;
    unsigned group, weight, api;
    double units;
    const void *data; /* of the last discovery */
    const void *next_data;

    int64_t covered_ns; /* everything before was answered; 0: nothing was asked yet */
    int64_t due_ns;
    bool asking;
    bool muted;                  /* never asked: nothing of it is shown; the target's to set */
    struct cloud_series *series; /* list */
    uint64_t answers, failures;
    enum cloud_status status; /* of the last answer */
    char error[160];          /* of the last failure; empty after a success */
    bool kept, fresh;
    struct cloud_query *next;
};

struct cloud_series {
    struct cloud_metric *metric;
    struct cloud_query *query;
    char *key;
    struct label *labels; /* texts belong to the series */
    size_t label_count;
    struct str resource; /* for the common vocabulary: "orders-db"; empty when there is none */
    struct cloud_account account;
    bool planned, kept;             /* told by a discovery, not made while an answer was read */
    bool judged, hidden;            /* keep and drop leave it out; the target's to set */
    struct cloud_series *next;      /* of its query */
    struct cloud_series *plan_next; /* in the order of the page */
};

struct cloud_plan_options {
    int64_t settle_ns, late_ns, retention_ns, catch_up_ns;
    int64_t jitter_ns;   /* queries are due so much after their phase */
    uint64_t max_series; /* further series are refused and counted */
};

struct cloud_plan *cloud_plan_new(const struct cloud_plan_options *options);
void cloud_plan_free(struct cloud_plan *plan); /* accepts NULL */

/* What the journal kept of a series (ledger.h's encoding); before the first discovery. The end of what was
 * read then, or a negative code: it does not pass its check and is passed over. */
int64_t cloud_plan_restore(struct cloud_plan *plan, struct str series_key, struct str stored);

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
struct cloud_plan_counts {
    size_t queries, series;
    uint64_t refused_series; /* over the maximum */
    uint64_t lost_buckets;   /* of outages longer than catch_up or the cloud's retention */
    uint64_t corrupt;        /* stored accounts that could not be used */
};
void cloud_plan_counts(const struct cloud_plan *plan, struct cloud_plan_counts *ret_counts);

/* Due queries of one lane, group and period that weigh `max` together at most, marked as asked, with their
 * window; 0: nothing is due. `stretch` of 1 or more makes every period so much longer. `points_max` as in
 * source.h. */
size_t cloud_plan_take(struct cloud_plan *plan, int64_t now_ns, double stretch, size_t max, size_t points_max,
                       struct cloud_query **queries, int64_t *ret_from_ns, int64_t *ret_to_ns);
/* The units of `api` that an hour of polling at full speed takes. */
double cloud_plan_units_per_hour(const struct cloud_plan *plan, unsigned api);
/* When the next query is due; INT64_MAX: none. */
int64_t cloud_plan_next_due(const struct cloud_plan *plan);
/* The answer for a query was complete up to to_ns: its cursor moves and buckets past changing are closed. */
void cloud_plan_answered(struct cloud_plan *plan, struct cloud_query *query, int64_t to_ns, int64_t now_ns);
/* Was not: nothing moves. Asked again at retry_ns (0: when it is due next). */
void cloud_plan_failed(struct cloud_plan *plan, struct cloud_query *query, enum cloud_status status,
                       const char *error, int64_t now_ns, int64_t retry_ns);
/* How much longer than once a period this query is asked now; for what is stale. */
int64_t cloud_plan_every_ns(const struct cloud_plan *plan, const struct cloud_query *query);

#endif
