/* Counts the spans of one body into a shard: what each span's group, entry and duration are.
 * Threads: the receiving thread's, with the lane's `work` held. */
#ifndef FRAISEQL_TRACING_INTAKE_H
#define FRAISEQL_TRACING_INTAKE_H

#include "tracing/entry.h"
#include "tracing/source_map.h"
#include "tracing/span_shard.h"

#define INTAKE_UNKNOWN_SERVICE                                                                               \
    "unknown_service" /* the resource semantic conventions' word for no service.name */
/* A longer span is a clock that was set, or no start at all: it counts as a call of no duration. */
#define INTAKE_MAX_DURATION_NS (30 * 24 * 3600 * NS_PER_S)

struct intake_counts {
    uint64_t accepted, rejected;
    uint64_t rejected_by[OTLP_REJECT_COUNT];
    enum otlp_reject first_reason;
    uint64_t first_ordinal;
    uint64_t skewed, sampled, unnamed;
};

/* Regions are decided a resource: deployment.region, region, cloud.region, that of the sender's address,
 * ours. */
struct intake_places {
    const struct source_map *sources;
    const struct sockaddr *peer;
    struct str own_region;
};

/* ERR_PARSE, and then nothing was counted. Takes the shard's lock. */
int intake_count(struct span_shard *shard, const struct intake_places *places, struct str body,
                 struct intake_counts *ret_counts, struct error *err) CHECK_RESULT;

/* True when the W3C tracestate says that the trace was sampled with a probability below one (ot=th:..., not
 * 0). */
bool intake_is_sampled(struct str trace_state);

#endif
