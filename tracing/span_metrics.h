/* Span metrics of the process: the sums of all shards, since it started.
 *
 * Two levels: a *cell* is a key of a shard (with `entry`), which SLOs are counted by; a *set* is a label set
 * as exposed (entry is no label), which owns the totals. max_series bounds the sets by the lines they take on
 * the page; a new set beyond it is added to the overflow set of its service, span_name="otel.metric.overflow"
 * without kind, status and region, and beyond a number of services to one for all. What SLOs count is not
 * changed by that.
 *
 * Exposed: traces_span_metrics_calls_total (integer) and traces_span_metrics_duration_milliseconds (integer
 * buckets; the sum is kept in integer nanoseconds of 128 bits and divided once), as the spanmetrics connector
 * has them: labels service_name, span_name, span_kind, status_code; and region.
 *
 * Ownership: span_metrics_free(). Threads: shards are for the receiving threads; everything else belongs to
 * the publisher, one thread at a time. */
#ifndef FRAISEQL_TRACING_SPAN_METRICS_H
#define FRAISEQL_TRACING_SPAN_METRICS_H

#include "lib/metrics/batch.h"
#include "lib/metrics/sli.h"
#include "tracing/span_shard.h"

struct span_metrics;

/* Takes over the rules. */
struct span_metrics *span_metrics_new(size_t shard_count, uint64_t max_series, struct span_rules *rules);
void span_metrics_free(struct span_metrics *metrics); /* accepts NULL */
struct span_shard *span_metrics_shard(struct span_metrics *metrics, size_t index);
const struct span_rules *span_metrics_rules(const struct span_metrics *metrics);

/* Takes what shards have counted into the totals, and hands SLOs their part. */
void span_metrics_collect(struct span_metrics *metrics, const struct sli_sink *sink, int64_t wall_ns,
                          int64_t mono_ns);
/* As span_metrics_collect(), and from then on everything is counted by the new rules. The exposed bounds must
 * be the old ones. Takes over the rules. Sets that exist stay when max_series falls. */
void span_metrics_set_rules(struct span_metrics *metrics, struct span_rules *rules, uint64_t max_series,
                            const struct sli_sink *sink, int64_t wall_ns, int64_t mono_ns);

/* Adds both families to a batch between its begin and finish. */
void span_metrics_write(const struct span_metrics *metrics, struct batch *batch);
/* Lines that span_metrics_write() adds at most: what the batch must allow. */
uint64_t span_metrics_max_lines(const struct span_metrics *metrics);

struct span_metrics_stats {
    uint64_t sets, max_sets, overflow_sets;
    uint64_t overflow_spans; /* counted in an overflow set */
};
void span_metrics_stats(const struct span_metrics *metrics, struct span_metrics_stats *ret_stats);

#endif
