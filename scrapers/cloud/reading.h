/* What the pages of one batch have told so far: points of series, and how each query fared. Nothing of it
 * counts before the whole batch was read: pages are complete together.
 *
 * Points with a bad number or time are dropped and counted; so are points beyond the maximum.
 * Ownership: the frame's. Threads: the scrape loop. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_READING_H
#define FRAISEQL_SCRAPERS_CLOUD_READING_H

#include "lib/metrics/histogram.h"
#include "scrapers/cloud/plan.h"

/* The points of a distribution; counts has one more than bounds. */
struct cloud_distribution {
    const double *bounds;
    size_t bound_count;
    const uint64_t *counts;
    double sum;
};

struct cloud_reading_query {
    enum cloud_status status;
    uint32_t told; /* the source's: which parts of it were answered */
    char message[160];
};

struct cloud_reading_point {
    struct cloud_series *series;
    int64_t start_ns;
    uint32_t width;
    double value;                  /* of width 1 */
    const double *bounds, *values; /* of a distribution */
};

struct cloud_reading {
    struct arena *arena; /* of the points */
    struct cloud_plan *plan;
    struct cloud_reading_query *queries; /* of the batch, by index */
    size_t query_count;
    struct cloud_reading_point *points;
    size_t point_count, point_capacity;
    uint64_t bad_points, over_limit, unknown; /* unknown: of no query of the batch */
};

#define CLOUD_READING_POINTS_MAX 2000000U

void cloud_reading_init(struct cloud_reading *reading, struct cloud_plan *plan, size_t query_count);
void cloud_reading_deinit(struct cloud_reading *reading);

/* start_ns is where the bucket begins. */
void cloud_reading_point(struct cloud_reading *reading, struct cloud_series *series, int64_t start_ns,
                         double value);
void cloud_reading_distribution(struct cloud_reading *reading, struct cloud_series *series, int64_t start_ns,
                                const struct cloud_distribution *distribution);
/* The worst one told of a query stays. */
void cloud_reading_status(struct cloud_reading *reading, size_t query, enum cloud_status status,
                          struct str message);

#endif
