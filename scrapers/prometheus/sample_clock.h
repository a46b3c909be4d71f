/* Timestamps that a page gives its samples (cadvisor, Pushgateway-like exporters, cloud exporters), honoured
 * for readers that show the newest value: a sample that is too old, from the future, or older than one of its
 * series that was shown before, is not shown. A sample seen again with its old timestamp stays until it is
 * too old, as a graph of Prometheus does over its lookback.
 *
 * Remembers one timestamp a series by a hash of name and labels; what is too old is forgotten, for it would
 * be refused anyway. Ownership: sample_clock_deinit(). Pure. Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_SAMPLE_CLOCK_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_SAMPLE_CLOCK_H

#include "lib/core/compiler.h"

#define SAMPLE_CLOCK_MAX_SERIES (1UL << 20) /* beyond, order is not judged */
/* As Prometheus: what lies further ahead is refused. */
#define SAMPLE_CLOCK_AHEAD_MS (INT64_C(10) * 60 * 1000)

enum sample_verdict { SAMPLE_GOOD, SAMPLE_STALE, SAMPLE_FUTURE, SAMPLE_OUT_OF_ORDER };

struct sample_clock_entry {
    uint64_t key; /* 0: free */
    int64_t timestamp_ms;
};

struct sample_clock {
    struct sample_clock_entry *entries;
    size_t capacity, count;
    int64_t max_age_ms;
};

void sample_clock_init(struct sample_clock *clock, int64_t max_age_ms);
void sample_clock_deinit(struct sample_clock *clock);
enum sample_verdict sample_clock_judge(struct sample_clock *clock, uint64_t key, int64_t timestamp_ms,
                                       int64_t now_ms);

#endif
