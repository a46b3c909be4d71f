#include "lib/metrics/histogram.h"

#include <assert.h>
#include <math.h>

void histogram_init(struct histogram *histogram, const double *bounds, size_t count)
{
    assert(count <= HISTOGRAM_MAX_BOUNDS);
    *histogram = (struct histogram){.bounds = bounds, .bound_count = count};
}

/* NaN lies in no bucket, so it is not observed: a count that no bucket holds would break cumulation. */
void histogram_observe(struct histogram *histogram, double value)
{
    if (isnan(value))
        return;
    size_t low = 0, left = histogram->bound_count;
    while (left > 0) { /* first bound that is not below the value */
        size_t half = left / 2;
        bool below = histogram->bounds[low + half] < value;
        low += below ? half + 1 : 0;
        left = below ? left - half - 1 : half;
    }
    histogram->counts[low]++;
    histogram->sum += value;
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= histogram->bound_count; i++)
        count += histogram->counts[i];
    return count;
}
