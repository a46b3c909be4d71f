/* Classic histogram with fixed bounds: integer counts, so that merging is exact.
 *
 * Bucket i counts observations v with bounds[i-1] < v <= bounds[i]; one more bucket counts those above all.
 * Ownership: bounds are borrowed and must outlive it. Threads: owned by its caller. */
#ifndef FRAISEQL_METRICS_HISTOGRAM_H
#define FRAISEQL_METRICS_HISTOGRAM_H

#include "lib/core/compiler.h"

#define HISTOGRAM_MAX_BOUNDS 64

struct histogram {
    const double *bounds; /* ascending, finite */
    size_t bound_count;
    uint64_t counts[HISTOGRAM_MAX_BOUNDS + 1]; /* not cumulative */
    double sum;
};

void histogram_init(struct histogram *histogram, const double *bounds, size_t count);
void histogram_observe(struct histogram *histogram, double value);
uint64_t histogram_count(const struct histogram *histogram);

#endif
