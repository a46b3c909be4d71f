#include "scrapers/cloud/reading.h"

#include <math.h>
#include <stdlib.h>

void cloud_reading_init(struct cloud_reading *reading, struct cloud_plan *plan, size_t query_count)
{
    *reading = (struct cloud_reading){.arena = arena_new(0), .plan = plan, .query_count = query_count};
    reading->queries = arena_zalloc(reading->arena, (query_count + 1) * sizeof *reading->queries);
}

void cloud_reading_deinit(struct cloud_reading *reading)
{
    arena_free(reading->arena);
    free(reading->points);
    *reading = (struct cloud_reading){0};
}

static bool is_bucket(struct cloud_reading *reading, const struct cloud_series *series, int64_t start_ns)
{
    if (start_ns <= 0 || start_ns >= INT64_MAX - series->query->period_ns) {
        reading->bad_points++;
        return false;
    }
    if (reading->point_count == CLOUD_READING_POINTS_MAX) {
        reading->over_limit++;
        return false;
    }
    return true;
}

static struct cloud_reading_point *add(struct cloud_reading *reading)
{
    if (reading->point_count == reading->point_capacity) {
        reading->point_capacity = reading->point_capacity ? reading->point_capacity * 2 : 256;
        reading->points = xrealloc(reading->points, reading->point_capacity * sizeof *reading->points);
    }
    return &reading->points[reading->point_count++];
}

void cloud_reading_point(struct cloud_reading *reading, struct cloud_series *series, int64_t start_ns,
                         double value)
{
    if (!isfinite(value))
        reading->bad_points++;
    else if (is_bucket(reading, series, start_ns))
        *add(reading) =
            (struct cloud_reading_point){.series = series, .start_ns = start_ns, .width = 1, .value = value};
}

void cloud_reading_distribution(struct cloud_reading *reading, struct cloud_series *series, int64_t start_ns,
                                const struct cloud_distribution *distribution)
{
    size_t bounds = distribution->bound_count;
    if (!isfinite(distribution->sum) || bounds > HISTOGRAM_MAX_BOUNDS) {
        reading->bad_points++;
        return;
    }
    if (!is_bucket(reading, series, start_ns))
        return;
    double *copy = arena_alloc(reading->arena, (2 * bounds + 3) * sizeof *copy);
    double *values = copy + bounds + 1;
    for (size_t i = 0; i < bounds; i++)
        copy[i] = distribution->bounds[i];
    for (size_t i = 0; i <= bounds; i++)
        values[i] = (double)distribution->counts[i];
    values[bounds + 1] = distribution->sum;
    *add(reading) = (struct cloud_reading_point){.series = series,
                                                 .start_ns = start_ns,
                                                 .width = (uint32_t)bounds + 2,
                                                 .bounds = copy,
                                                 .values = values};
}

void cloud_reading_status(struct cloud_reading *reading, size_t query, enum cloud_status status,
                          struct str message)
{
    if (query >= reading->query_count) {
        reading->unknown++;
        return;
    }
    struct cloud_reading_query *told = &reading->queries[query];
    if (status <= told->status)
        return;
    told->status = status;
    size_t len = message.len < sizeof told->message - 1 ? message.len : sizeof told->message - 1;
    while (len > 0 && len < message.len && ((unsigned char)message.ptr[len] & 0xc0) == 0x80)
        len--; /* not in the middle of a character */
    for (size_t i = 0; i < len; i++)
        told->message[i] = (unsigned char)message.ptr[i] < ' ' ? ' ' : message.ptr[i];
    told->message[len] = '\0';
}
