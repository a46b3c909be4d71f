/* The state behind tracing.h, shared by tracing.c (life, publishing), receive.c and self_metrics.c. */
#ifndef FRAISEQL_TRACING_TRACING_INTERNAL_H
#define FRAISEQL_TRACING_TRACING_INTERNAL_H

#include "lib/core/atomic.h"
#include "lib/net/compress.h"
#include "tracing/otlp_decode.h"
#include "tracing/source_map.h"
#include "tracing/span_metrics.h"
#include "tracing/tracing.h"

#include <pthread.h>

/* Receiving threads are spread over this many lanes; more threads than lanes share some. */
#define TRACING_LANES 8U

/* What a receiving thread works with. */
struct tracing_lane {
    pthread_mutex_t work; /* held for a whole request: guards what follows, and reading the settings */
    struct decompressor *decompressor; /* made when first needed */
    struct buf plain;                  /* decompressed body */
    struct span_shard *shard;
};

/* Why a request was refused. */
enum tracing_refusal {
    TRACING_REFUSED_SIGNAL,
    TRACING_REFUSED_TYPE,
    TRACING_REFUSED_ENCODING,
    TRACING_REFUSED_SIZE,
    TRACING_REFUSED_MEMORY,
    TRACING_REFUSED_COMPRESSION,
    TRACING_REFUSED_DAMAGED,
    TRACING_REFUSED_COUNT
};

/* HTTP statuses that are answered, in the order of tracing_stats.requests. */
enum {
    TRACING_STATUS_200,
    TRACING_STATUS_400,
    TRACING_STATUS_404,
    TRACING_STATUS_413,
    TRACING_STATUS_415,
    TRACING_STATUS_503,
    TRACING_STATUS_COUNT
};

struct tracing_stats {
    struct counter requests[OTLP_SNIFF + 1][TRACING_STATUS_COUNT];
    struct counter refused[TRACING_REFUSED_COUNT];
    struct counter wire_bytes, plain_bytes;
    struct counter spans, rejected[OTLP_REJECT_COUNT];
    struct counter skewed, sampled, unnamed; /* unnamed: without service.name */
    struct counter root_requests;            /* posted to `/` and told by their bytes */
    struct counter inflight_bytes;           /* a gauge: refusals and ends subtract */
};

/* Written by tracing_reconfigure() with every lane's `work` held; read with one. */
struct tracing_settings {
    struct arena *arena; /* regions */
    struct source_map sources;
    struct str region;
    size_t max_body_bytes;
};

struct tracing {
    struct sli_sink sink;
    struct tracing_settings settings;
    struct counter max_inflight_bytes;
    struct tracing_lane lanes[TRACING_LANES];
    struct tracing_stats stats;
    /* Below: the publisher's. */
    struct span_metrics *metrics;
    struct hub_source *span_source, *self_source;
    struct batch *span_batch, *self_batch;
    bool warned_sampled, warned_root, publish_failed;
    bool warned_refused[TRACING_REFUSED_COUNT];
};

const char *tracing_refusal_name(enum tracing_refusal reason); /* as in metrics and logs; static text */

void self_metrics_write(const struct tracing *tracing, struct batch *batch);

#endif
