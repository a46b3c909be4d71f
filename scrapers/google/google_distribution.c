/* Distributions (google/api/distribution.proto): counts of buckets, whose bounds are given by a rule. */
#include "scrapers/google/google_internal.h"

#include <math.h>

static bool number_of(const struct node *mapping, const char *key, double *ret)
{
    const struct node *node = mapping ? node_member(mapping, key) : NULL;
    return node && node->kind == NODE_SCALAR && str_to_double(node->scalar, ret) && isfinite(*ret);
}

/* A rule leaves out what is 0. */
static double number_or_zero(const struct node *mapping, const char *key)
{
    double number = 0;
    return number_of(mapping, key, &number) ? number : 0;
}

static const struct node *mapping_of(const struct node *mapping, const char *key)
{
    const struct node *node = mapping ? node_member(mapping, key) : NULL;
    return node && node->kind == NODE_MAPPING ? node : NULL;
}

static const struct node *list_of(const struct node *mapping, const char *key)
{
    const struct node *node = mapping ? node_member(mapping, key) : NULL;
    return node && node->kind == NODE_SEQUENCE ? node : NULL;
}

/* 0: the rule makes no sense. */
static size_t read_bounds(const struct node *options, double *bounds)
{
    const struct node *linear = mapping_of(options, "linearBuckets"),
                      *growing = mapping_of(options, "exponentialBuckets"),
                      *given = mapping_of(options, "explicitBuckets");
    double finite = number_or_zero(linear ? linear : growing, "numFiniteBuckets");
    size_t count = finite >= 1 && finite < GOOGLE_FINE_MAX ? (size_t)finite + 1 : 0;
    if (given) {
        const struct node *list = list_of(given, "bounds");
        count = list && list->count <= GOOGLE_FINE_MAX ? list->count : 0;
        for (size_t i = 0; i < count; i++) {
            if (list->items[i]->kind != NODE_SCALAR || !str_to_double(list->items[i]->scalar, &bounds[i]))
                return 0;
        }
    }
    for (size_t i = 0; linear && i < count; i++)
        bounds[i] = number_or_zero(linear, "offset") + (double)i * number_or_zero(linear, "width");
    for (size_t i = 0; growing && !linear && i < count; i++)
        bounds[i] =
            number_or_zero(growing, "scale") * pow(number_or_zero(growing, "growthFactor"), (double)i);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(bounds[i]) || (i && bounds[i] <= bounds[i - 1]))
            return 0;
    }
    return count;
}

/* What lies behind the last count is 0. */
static bool read_counts(const struct node *list, uint64_t *counts, size_t count, uint64_t *ret_total)
{
    *ret_total = 0;
    if (list && list->count > count)
        return false;
    for (size_t i = 0; list && i < list->count; i++) {
        if (list->items[i]->kind != NODE_SCALAR || !str_to_u64(list->items[i]->scalar, &counts[i]) ||
            counts[i] > UINT64_MAX / 4 - *ret_total)
            return false;
        *ret_total += counts[i];
    }
    return true;
}

/* Every so many bounds become one, so that at most GOOGLE_BOUNDS_MAX are left; the choice hangs on the rule
 * alone, so that buckets of one series stay comparable. */
static size_t merge(double *bounds, uint64_t *counts, size_t count)
{
    size_t step = (count + GOOGLE_BOUNDS_MAX - 1) / GOOGLE_BOUNDS_MAX, kept = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += counts[i];
        if (i % step != step - 1 && i != count - 1)
            continue;
        bounds[kept] = bounds[i];
        counts[kept++] = sum;
        sum = 0;
    }
    counts[kept] = counts[count];
    return kept;
}

bool google_distribution_read(const struct node *value, struct arena *arena, struct cloud_distribution *ret)
{
    double *bounds = arena_zalloc(arena, (GOOGLE_FINE_MAX + 1) * sizeof *bounds);
    uint64_t *counts = arena_zalloc(arena, (GOOGLE_FINE_MAX + 2) * sizeof *counts), total;
    size_t count = read_bounds(mapping_of(value, "bucketOptions"), bounds);
    double mean = number_or_zero(value, "mean"), stated = number_or_zero(value, "count");
    if (!read_counts(list_of(value, "bucketCounts"), counts, count + 1, &total))
        return false;
    if (!count && !total && stated > 0 && stated < 9e15)
        total = counts[0] = (uint64_t)stated; /* a distribution without buckets */
    if (count > GOOGLE_BOUNDS_MAX)
        count = merge(bounds, counts, count);
    *ret = (struct cloud_distribution){
        .bounds = bounds, .bound_count = count, .counts = counts, .sum = mean * (double)total};
    return isfinite(ret->sum);
}
