/* Turns exposition pages of one target into batches, scrape after scrape: finds each line's family, applies
 * `keep` and `drop`, and hands the series to the batch in page order, so that a page with the series of the
 * last one takes the batch's fast path.
 *
 * Families are named as on a text 0.0.4 line: the OpenMetrics counter `foo` becomes the family foo_total, the
 * info `foo` becomes foo_info. `_created` lines of OpenMetrics are skipped (they double the series of
 * counters; Prometheus 3 does not store them either). A page is read in slices, so that a long one does not
 * hold the loop.
 *
 * Ownership: batch, selectors and rules are borrowed and outlive the reader; the page is borrowed until the
 * last slice. Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_READER_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_READER_H

#include "lib/metrics/batch.h"
#include "lib/metrics/selector.h"
#include "scrapers/prometheus/exposition_parse.h"
#include "scrapers/prometheus/relabel.h"

struct exposition_reader;

struct exposition_reader_options {
    struct batch *batch;
    struct selector *const *keep; /* none: every series */
    size_t keep_count;
    struct selector *const *drop;
    size_t drop_count;
    struct relabel *relabel; /* after keep and drop; NULL: none */
    uint32_t max_names; /* different names on one page; further ones are dropped and counted. 0: no maximum */
    /* Of the lines of one page, or of several pages read into one batch; 0: none. */
    uint64_t max_samples;
    uint32_t max_labels, max_label_name_bytes, max_label_value_bytes;
    /* Timestamps on the page are honoured (sample_clock.h); 0: they are ignored. */
    int64_t max_sample_age_ms;
};

/* Of one page. */
struct exposition_counts {
    uint64_t samples;  /* lines handed to the batch */
    uint64_t filtered; /* left out by keep, drop and relabel */
    uint64_t bad;      /* lines that could not be used */
    uint64_t over_limit;
    uint64_t over_label_limit;
    uint64_t stale, future, out_of_order; /* by their own timestamp */
    int64_t oldest_age_ms;                /* of what was taken and has a timestamp; -1: nothing */
    size_t first_bad_line;                /* 0: none */
    const char *first_bad_reason;
};

struct exposition_reader *exposition_reader_new(const struct exposition_reader_options *options);
void exposition_reader_free(struct exposition_reader *reader); /* accepts NULL */
DEFINE_CLEANUP(struct exposition_reader, exposition_reader_free)

/* The caller calls batch_begin() before and batch_finish() after the last slice. */
void exposition_reader_begin(struct exposition_reader *reader, enum exposition_format format,
                             struct str page);
/* The same for a page that is one of several in a batch, or that wants the time. */
struct exposition_page {
    enum exposition_format format;
    struct str bytes;
    int64_t now_wall_ms;       /* for timestamps; 0: they are ignored */
    const struct label *extra; /* added to every line that has no label of that name; NULL: none */
    bool continues;            /* of the batch that the page before went to: counts and limits go on */
};

void exposition_reader_begin_page(struct exposition_reader *reader, const struct exposition_page *page);
/* Changes the option of that name for the pages to come. */
void exposition_reader_set_max_samples(struct exposition_reader *reader, uint64_t max_samples);
/* Reads about max_bytes more; false once the page is read. */
bool exposition_reader_step(struct exposition_reader *reader, size_t max_bytes);
/* Adds what was counted of a page to a sum. */
void exposition_counts_add(struct exposition_counts *sum, const struct exposition_counts *counts);
/* 0, or ERR_PARSE: the page was cut off, or none of its lines could be used. */
int exposition_reader_finish(struct exposition_reader *reader, struct exposition_counts *ret_counts,
                             struct error *err) CHECK_RESULT;

#endif
