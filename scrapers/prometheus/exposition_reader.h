/* Turns exposition pages of one target into batches, scrape after scrape: finds each line's family, applies
 * `keep` and `drop`, and hands the series to the batch in page order, so that a page with the series of the
 * last one takes the batch's fast path.
 *
 * Families are named as on a text 0.0.4 line: the OpenMetrics counter `foo` becomes the family foo_total, the
 * info `foo` becomes foo_info. `_created` lines of OpenMetrics are skipped (they double the series of
 * counters; Prometheus 3 does not store them either). A page is read in slices, so that a long one does not
 * hold the loop.
 *
 * Ownership: batch and selectors are borrowed and outlive the reader; the page is borrowed until the last
 * slice. Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_READER_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_READER_H

#include "lib/metrics/batch.h"
#include "lib/metrics/selector.h"
#include "scrapers/prometheus/exposition_parse.h"

struct exposition_reader;

struct exposition_reader_options {
    struct batch *batch;
    struct selector *const *keep; /* none: every series */
    size_t keep_count;
    struct selector *const *drop;
    size_t drop_count;
    uint32_t max_names; /* different names on one page; further ones are dropped and counted. 0: no maximum */
};

/* Of one page. */
struct exposition_counts {
    uint64_t samples;  /* lines handed to the batch */
    uint64_t filtered; /* left out by keep and drop */
    uint64_t bad;      /* lines that could not be used */
    uint64_t over_limit;
    size_t first_bad_line; /* 0: none */
    const char *first_bad_reason;
};

struct exposition_reader *exposition_reader_new(const struct exposition_reader_options *options);
void exposition_reader_free(struct exposition_reader *reader); /* accepts NULL */
DEFINE_CLEANUP(struct exposition_reader, exposition_reader_free)

/* The caller calls batch_begin() before and batch_finish() after the last slice. */
void exposition_reader_begin(struct exposition_reader *reader, enum exposition_format format,
                             struct str page);
/* Reads about max_bytes more; false once the page is read. */
bool exposition_reader_step(struct exposition_reader *reader, size_t max_bytes);
/* 0, or ERR_PARSE: the page was cut off, or none of its lines could be used. */
int exposition_reader_finish(struct exposition_reader *reader, struct exposition_counts *ret_counts,
                             struct error *err) CHECK_RESULT;

#endif
