/* Exponential histogram (OpenTelemetry data model, "ExponentialHistogram"): base = 2^(2^-scale), bucket i
 * holds (base^i, base^(i+1)]; at most max_buckets a sign, the scale falls by merging neighbours when a value
 * would not fit. Ownership: inline storage. Threads: owned by its caller. */
#ifndef FRAISEQL_METRICS_EXP_HISTOGRAM_H
#define FRAISEQL_METRICS_EXP_HISTOGRAM_H

#include "lib/metrics/histogram.h"

#define EXP_HISTOGRAM_MAX_BUCKETS 160
#define EXP_HISTOGRAM_MAX_SCALE   20
#define EXP_HISTOGRAM_MIN_SCALE   (-10)

struct exp_buckets {
    int32_t offset; /* index of counts[0] */
    uint32_t count; /* used length */
    uint64_t counts[EXP_HISTOGRAM_MAX_BUCKETS];
};

struct exp_histogram {
    int32_t scale;
    uint32_t max_buckets;
    uint64_t zero_count, count;
    double zero_threshold, sum, min, max;
    struct exp_buckets positive, negative;
};

void exp_histogram_init(struct exp_histogram *histogram, uint32_t max_buckets);
void exp_histogram_observe(struct exp_histogram *histogram, double value);
/* Adds `from` into `into`; both may change scale (from is const and is read at the common scale). */
void exp_histogram_merge(struct exp_histogram *into, const struct exp_histogram *from);
void exp_histogram_downscale(struct exp_histogram *histogram, uint32_t by);
double exp_histogram_upper_bound(int32_t scale, int32_t index);
/* As a classic histogram of at most `max_bounds` bounds (downscaled until it fits); writes the bounds. Exact:
 * every classic bucket is a union of exponential ones. */
size_t exp_histogram_to_classic(const struct exp_histogram *histogram, double *bounds, uint64_t *counts,
                                size_t max_bounds);

#endif
