/* What one group last gave: its rows as samples, kept until the group is asked again.
 *
 * Groups have paces of their own, so a scrape publishes what is new of some and what is kept of others. After
 * a failure what was observed is left out and what only ever grows (counters) is kept: `observed` false.
 *
 * Ownership: samples_deinit(). Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_SAMPLES_H
#define FRAISEQL_SCRAPERS_POSTGRES_SAMPLES_H

#include "lib/metrics/batch.h"
#include "scrapers/postgres/query.h"

struct sample {
    const struct pg_metric *metric;
    struct label *labels;
    struct value value;
    uint32_t label_count;
};

struct samples {
    struct arena *arena;
    struct sample *items; /* those of one metric together */
    size_t count, capacity;
    bool observed;
};

void samples_init(struct samples *samples);
void samples_deinit(struct samples *samples);
void samples_reset(struct samples *samples);
/* Labels and their texts must live in samples->arena. An absent value is not kept. */
void samples_add(struct samples *samples, const struct pg_metric *metric, struct label *labels, size_t count,
                 struct value value);

/* Cells of a result; text is valid during the call. A NULL cell has ptr NULL. */
struct cells {
    const void *ctx;
    size_t rows, columns;
    struct str (*get)(const void *ctx, size_t row, size_t column);
};

/* Replaces the samples by what the rows of a query say. */
void samples_read(struct samples *samples, const struct query *query, const struct cells *cells);
/* A number as PostgreSQL prints it: t and f, whole numbers exactly, others as double; absent when it is none.
 */
struct value samples_parse_value(struct str text);

/* NULL when the set has no such family. *ret_count samples from there on are of it. */
const struct sample *samples_find(const struct samples *samples, const char *family, size_t *ret_count);
void samples_publish(const struct samples *samples, struct batch *batch, enum postgres_names names);

#endif
