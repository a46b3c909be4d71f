/* What the example service counts about itself, as Prometheus text under the names that FraiseQL's server
 * uses. Threads: any. */
#ifndef FRAISEQL_EXAMPLES_SERVICE_STATS_H
#define FRAISEQL_EXAMPLES_SERVICE_STATS_H

#include "examples/service/store.h"
#include "lib/core/atomic.h"
#include "lib/core/buf.h"

#define STATS_BUCKETS 12

struct stats {
    struct counter queries, queries_ok, queries_failed;
    struct counter requests, responses_2xx, responses_4xx, responses_5xx;
    struct counter buckets[STATS_BUCKETS + 1]; /* not cumulative; the last one is what is above all bounds */
    struct counter duration_sum_ns;
    struct counter spans_sent, spans_dropped;
};

void stats_count_request(struct stats *stats, int status, int64_t duration_ns);
void stats_count_query(struct stats *stats, bool failed);
void stats_write(const struct stats *stats, const struct store_counts *store, struct buf *out);

#endif
