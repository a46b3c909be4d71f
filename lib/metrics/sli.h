/* Events that service level indicators are made of, handed from probes and span metrics to the SLA engine.
 *
 * Ownership: everything pointed to is borrowed for the call. Threads: a sink's functions may be called from
 * any thread and never block. */
#ifndef FRAISEQL_METRICS_SLI_H
#define FRAISEQL_METRICS_SLI_H

#include "lib/metrics/label.h"

enum sli_outcome { SLI_GOOD, SLI_BAD, SLI_UNKNOWN };

/* One interval of one probe. Every interval has exactly one outcome. */
struct sli_probe_event {
    const char *probe, *target, *region;
    enum sli_outcome outcome;
    int64_t wall_ns, mono_ns; /* when the interval was due */
    int64_t duration_ns;      /* 0 when unknown */
    int64_t interval_ns;
};

/* Counts of one SLO's spans since the last call, by that SLO's label values. */
struct sli_span_counts {
    const char *slo;
    const struct label *labels; /* service, span_name, span_kind, region as far as known */
    size_t label_count;
    uint64_t good, bad;
    int64_t wall_ns, mono_ns;
};

struct sli_sink {
    void *ctx;
    void (*probe)(void *ctx, const struct sli_probe_event *event);
    void (*spans)(void *ctx, const struct sli_span_counts *counts);
};

/* Which spans are an SLO's events; compiled from its `sli.spans` and handed to tracing. */
struct sli_span_selector {
    const char *slo;
    const char *service;    /* NULL: any */
    const char *name;       /* NULL: any */
    const char *kind;       /* "SERVER", ...; NULL: any */
    bool entry;             /* only spans without a parent span in the same service */
    int64_t faster_than_ns; /* 0: duration does not matter; an error is bad whatever its time */
};

#endif
