/* Builds the snapshots of one source, scrape after scrape.
 *
 * A batch remembers the last shape: when a scrape adds the same series in the same order (the usual case) no
 * memory is allocated but the values', no label is rendered into new memory and the shape is shared.
 * Otherwise the series are sorted, validated and laid out anew.
 *
 * A bad series is dropped and counted, never its family or the scrape: bad metric or label names, a value
 * that is not UTF-8, a label twice, a series twice (the first stays), too many labels, over max_series. A
 * family whose type clashes with an earlier one of the same name in this batch is dropped and counted.
 *
 * Ownership: one owner, one thread at a time; the snapshots it makes live on their own. */
#ifndef FRAISEQL_METRICS_BATCH_H
#define FRAISEQL_METRICS_BATCH_H

#include "lib/core/error.h"
#include "lib/metrics/histogram.h"
#include "lib/metrics/label.h"
#include "lib/metrics/snapshot.h"

struct batch;
struct batch_family; /* valid until the next batch_begin() */

struct batch_options {
    /* Added to every series. A series' own label of that name becomes exported_<name>. Copied. */
    const struct label *common;
    size_t common_count;
    uint32_t max_series; /* 0: LIMIT_SERIES_PER_TARGET; slots of a histogram count as its lines */
};

struct batch_counts {
    uint64_t dropped_invalid, dropped_duplicate, dropped_limit, dropped_type; /* since batch_new() */
};

struct batch *batch_new(const struct batch_options *options);
void batch_free(struct batch *batch); /* accepts NULL */

void batch_begin(struct batch *batch);
/* Family by description; the first description of a name in a scrape counts. Never NULL (a bad name gives a
 * family whose series are dropped). desc need only live during the call. */
struct batch_family *batch_family(struct batch *batch, const struct metric_desc *desc);
/* labels are reordered in place. An absent value adds nothing. */
void batch_add(struct batch *batch, struct batch_family *family, struct label *labels, size_t count,
               struct value value);
/* For foreign histograms, summaries and OpenMetrics counters: a line with a suffix. `le` and `quantile` are
 * ordinary labels here and are normalised to number_write_bound() text. */
void batch_add_suffixed(struct batch *batch, struct batch_family *family, enum series_suffix suffix,
                        struct label *labels, size_t count, struct value value);
void batch_add_histogram(struct batch *batch, struct batch_family *family, struct label *labels, size_t count,
                         const struct histogram *histogram);
/* Family and sample in one, for single gauges. */
void batch_put(struct batch *batch, const struct metric_desc *desc, struct label *labels, size_t count,
               struct value value);
/* The snapshot of what was added since batch_begin(); the caller owns the reference. Never NULL. */
struct snapshot *batch_finish(struct batch *batch, int64_t taken_wall_ns, int64_t taken_mono_ns);
void batch_counts(const struct batch *batch, struct batch_counts *ret_counts);

DEFINE_CLEANUP(struct batch, batch_free)

#endif
