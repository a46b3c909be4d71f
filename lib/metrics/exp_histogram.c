#include "lib/metrics/exp_histogram.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

void exp_histogram_init(struct exp_histogram *histogram, uint32_t max_buckets)
{
    assert(max_buckets >= 3 && /* what all doubles need at the smallest scale */
           max_buckets <= EXP_HISTOGRAM_MAX_BUCKETS);
    memset(histogram, 0, sizeof *histogram);
    histogram->scale = EXP_HISTOGRAM_MAX_SCALE;
    histogram->max_buckets = max_buckets;
    histogram->min = (double)INFINITY;
    histogram->max = -(double)INFINITY;
}

double exp_histogram_upper_bound(int32_t scale, int32_t index)
{
    /* base^(index+1) = 2^((index+1) * 2^-scale); the whole part of the exponent is applied exactly. */
    double exponent = ldexp((double)index + 1, -scale);
    double whole = floor(exponent);
    return ldexp(exp2(exponent - whole), (int)whole);
}

/* The bucket with base^i < value <= base^(i+1). For scales up to 0 the exponent bits answer exactly; above, a
 * logarithm does, corrected by one where rounding put it on the wrong side of a bound. */
static int32_t index_of(double value, int32_t scale)
{
    int exponent;
    double fraction = frexp(value, &exponent); /* value = fraction * 2^exponent, fraction in [0.5, 1) */
    if (scale <= 0) {
        int32_t octave = fraction == 0.5 ? exponent - 2 : exponent - 1; /* a power of two closes its bucket */
        return octave >> -scale;
    }
    if (fraction == 0.5)
        return (int32_t)((uint32_t)(exponent - 1) << scale) - 1;
    int32_t index = (int32_t)ceil(ldexp((double)exponent + log2(fraction), scale)) - 1;
    if (value < DBL_MIN)
        return index; /* bounds among the subnormals are rounded too coarsely to compare with */
    if (value > exp_histogram_upper_bound(scale, index))
        return index + 1;
    return value <= exp_histogram_upper_bound(scale, index - 1) ? index - 1 : index;
}

static void downscale_buckets(struct exp_buckets *buckets, uint32_t by)
{
    if (!buckets->count)
        return;
    int32_t offset = buckets->offset >> by;
    uint64_t merged[EXP_HISTOGRAM_MAX_BUCKETS] = {0};
    uint32_t last = 0;
    for (uint32_t i = 0; i < buckets->count; i++) {
        last = (uint32_t)(((buckets->offset + (int32_t)i) >> by) - offset);
        merged[last] += buckets->counts[i];
    }
    memcpy(buckets->counts, merged, sizeof merged);
    buckets->offset = offset;
    buckets->count = last + 1;
}

void exp_histogram_downscale(struct exp_histogram *histogram, uint32_t by)
{
    uint32_t most = (uint32_t)(histogram->scale - EXP_HISTOGRAM_MIN_SCALE);
    by = by < most ? by : most;
    if (!by)
        return;
    downscale_buckets(&histogram->positive, by);
    downscale_buckets(&histogram->negative, by);
    histogram->scale -= (int32_t)by;
}

/* How far the scale must fall so that low..high fits in `max` buckets. */
static uint32_t needed_downscale(int64_t low, int64_t high, uint32_t max)
{
    uint32_t by = 0;
    while (high - low >= (int64_t)max) {
        low >>= 1;
        high >>= 1;
        by++;
    }
    return by;
}

static uint32_t downscale_for(const struct exp_buckets *buckets, int32_t low, int32_t high, uint32_t max)
{
    if (buckets->count) {
        int32_t end = buckets->offset + (int32_t)buckets->count - 1;
        low = low < buckets->offset ? low : buckets->offset;
        high = high > end ? high : end;
    }
    return needed_downscale(low, high, max);
}

/* The index must fit already. */
static void add_at(struct exp_buckets *buckets, int32_t index, uint64_t count)
{
    if (!buckets->count) {
        memset(buckets->counts, 0, sizeof buckets->counts);
        buckets->offset = index;
        buckets->count = 1;
    } else if (index < buckets->offset) {
        uint32_t shift = (uint32_t)(buckets->offset - index);
        memmove(buckets->counts + shift, buckets->counts, buckets->count * sizeof buckets->counts[0]);
        memset(buckets->counts, 0, shift * sizeof buckets->counts[0]);
        buckets->offset = index;
        buckets->count += shift;
    } else if (index >= buckets->offset + (int32_t)buckets->count) {
        uint32_t count_before = buckets->count;
        buckets->count = (uint32_t)(index - buckets->offset) + 1;
        memset(buckets->counts + count_before, 0,
               (buckets->count - count_before) * sizeof buckets->counts[0]);
    }
    buckets->counts[index - buckets->offset] += count;
}

/* NaN and the infinities lie in no bucket and are not observed. */
void exp_histogram_observe(struct exp_histogram *histogram, double value)
{
    if (!isfinite(value))
        return;
    histogram->count++;
    histogram->sum += value;
    histogram->min = value < histogram->min ? value : histogram->min;
    histogram->max = value > histogram->max ? value : histogram->max;
    double magnitude = fabs(value);
    if (magnitude <= histogram->zero_threshold) {
        histogram->zero_count++;
        return;
    }
    struct exp_buckets *buckets = value > 0 ? &histogram->positive : &histogram->negative;
    int32_t index = index_of(magnitude, histogram->scale);
    uint32_t by = downscale_for(buckets, index, index, histogram->max_buckets);
    if (by) {
        int32_t before = histogram->scale;
        exp_histogram_downscale(histogram, by);
        index >>=
            before - histogram->scale; /* not index_of() again: it might round to a bucket beyond the room */
    }
    add_at(buckets, index, 1);
}

static void common_range(const struct exp_buckets *into, const struct exp_buckets *from, uint32_t into_shift,
                         uint32_t from_shift, uint32_t max, uint32_t *by)
{
    if (!from->count)
        return;
    int32_t low = from->offset >> from_shift;
    int32_t high = (from->offset + (int32_t)from->count - 1) >> from_shift;
    if (into->count) {
        int32_t first = into->offset >> into_shift;
        int32_t last = (into->offset + (int32_t)into->count - 1) >> into_shift;
        low = low < first ? low : first;
        high = high > last ? high : last;
    }
    uint32_t needed = needed_downscale(low, high, max);
    *by = needed > *by ? needed : *by;
}

static void merge_buckets(struct exp_buckets *into, const struct exp_buckets *from, uint32_t shift)
{
    for (uint32_t i = 0; i < from->count; i++) {
        if (from->counts[i])
            add_at(into, (from->offset + (int32_t)i) >> shift, from->counts[i]);
    }
}

/* With different zero thresholds the wider one holds; what other buckets have below it stays where it is, at
 * most one threshold away from where it belongs. */
void exp_histogram_merge(struct exp_histogram *into, const struct exp_histogram *from)
{
    int32_t scale = into->scale < from->scale ? into->scale : from->scale;
    uint32_t into_shift = (uint32_t)(into->scale - scale), from_shift = (uint32_t)(from->scale - scale),
             by = 0;
    common_range(&into->positive, &from->positive, into_shift, from_shift, into->max_buckets, &by);
    common_range(&into->negative, &from->negative, into_shift, from_shift, into->max_buckets, &by);
    exp_histogram_downscale(into, into_shift + by);
    from_shift = (uint32_t)(from->scale - into->scale);
    merge_buckets(&into->positive, &from->positive, from_shift);
    merge_buckets(&into->negative, &from->negative, from_shift);
    into->zero_count += from->zero_count;
    into->zero_threshold =
        into->zero_threshold > from->zero_threshold ? into->zero_threshold : from->zero_threshold;
    into->count += from->count;
    into->sum += from->sum;
    into->min = into->min < from->min ? into->min : from->min;
    into->max = into->max > from->max ? into->max : from->max;
}

/* Bounds needed: one under each negative bucket's and each positive bucket's upper end, and one for zero. */
static size_t bounds_needed(const struct exp_histogram *histogram)
{
    size_t negative = histogram->negative.count, positive = histogram->positive.count;
    return negative + positive + (negative || histogram->zero_count ? 1 : 0) + (positive ? 1 : 0);
}

/* Appends behind `used` bounds and ends with the bucket above all of them. */
static size_t positive_to_classic(const struct exp_histogram *histogram, double *bounds, uint64_t *counts,
                                  size_t used)
{
    const struct exp_buckets *positive = &histogram->positive;
    size_t start = used;
    uint64_t carried = 0; /* of buckets whose bound is not above the last one */
    for (uint32_t i = 0; positive->count && i <= positive->count; i++) {
        double bound = exp_histogram_upper_bound(histogram->scale, positive->offset + (int32_t)i - 1);
        carried += i > 0 ? positive->counts[i - 1] : 0;
        if (isinf(bound) || (used > 0 && bound <= bounds[used - 1]))
            continue;
        bounds[used] = bound;
        counts[used++] = carried;
        carried = 0;
    }
    counts[used] = carried;
    return used - start;
}

size_t exp_histogram_to_classic(const struct exp_histogram *histogram, double *bounds, uint64_t *counts,
                                size_t max_bounds)
{
    struct exp_histogram copy = *histogram;
    while (bounds_needed(&copy) > max_bounds && copy.scale > EXP_HISTOGRAM_MIN_SCALE)
        exp_histogram_downscale(&copy, 1);
    size_t used = 0;
    if (bounds_needed(&copy) > max_bounds) {
        counts[0] = copy.count;
        return 0;
    }
    /* -base^(i+1) <= v < -base^i: the classic bucket that ends at -base^i. The side of an exact power differs
     * between the two kinds of buckets there, as OpenTelemetry's negative range is the mirrored one. */
    uint64_t zero = copy.zero_count;
    for (uint32_t i = copy.negative.count; i-- > 0;) {
        double bound = -exp_histogram_upper_bound(copy.scale, copy.negative.offset + (int32_t)i - 1);
        if (bound < copy.zero_threshold && bound < 0) {
            bounds[used] = bound;
            counts[used++] = copy.negative.counts[i];
        } else {
            zero += copy.negative.counts[i]; /* too small for a bound of its own */
        }
    }
    if (copy.negative.count || zero) {
        bounds[used] = copy.zero_threshold;
        counts[used++] = zero;
    }
    return used + positive_to_classic(&copy, bounds, counts, used);
}
