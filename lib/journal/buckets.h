/* Durable SLI buckets. All functions run inside a transaction.
 *
 * A series is an SLO with its label values. New seconds are appended as rows (the tail); buckets_fold() moves
 * complete five minutes into one compressed blob a series and hour (bucket_codec.h), and makes the blob
 * coarser as it ages: 1 s kept for 6 hours after the hour's end, 10 s for 3 days, 1 min for 400 days. Late
 * seconds rewrite one hour. */
#ifndef FRAISEQL_JOURNAL_BUCKETS_H
#define FRAISEQL_JOURNAL_BUCKETS_H

#include "lib/core/arena.h"
#include "lib/journal/journal.h"

struct bucket {
    int64_t start_s; /* UTC, aligned to its width */
    uint64_t good, bad, unknown;
};

/* The id of a series, created when new. */
int buckets_series(struct journal_txn *txn, const char *slo, const char *labels, int64_t *ret_series_id,
                   struct error *err) CHECK_RESULT;
/* Adds to (never replaces) the seconds given. A bucket of several seconds may be added at its first. */
int buckets_add(struct journal_txn *txn, int64_t series_id, const struct bucket *buckets, size_t count,
                struct error *err) CHECK_RESULT;
/* Folds complete hours and drops what is past its keep; called at times by the journal's owner. */
int buckets_fold(struct journal_txn *txn, int64_t now_s, struct error *err) CHECK_RESULT;

/* The width in which a bucket of the hour that starts at hour_s is kept at now_s; 0 when it is past its keep.
 */
unsigned buckets_width_s(int64_t hour_s, int64_t now_s);

/* Hours whose blob failed its check, of all time: they are moved to the table damaged_hours when they are
 * met, and the rest goes on without them. */
int buckets_damaged(struct journal_txn *txn, uint64_t *ret_hours, struct error *err) CHECK_RESULT;

/* Everything kept of every series at its finest resolution: for each series once without buckets, then its
 * hours in order of time; after those of all series the tails, whose late seconds may lie in an hour that was
 * handed over before: add, do not replace. Empty slots are left out. from_s is rounded down to its hour. */
typedef int buckets_load_fn(void *ctx, int64_t series_id, const char *slo, const char *labels,
                            unsigned width_s, const struct bucket *buckets, size_t count, struct error *err);
int buckets_load(struct journal_txn *txn, int64_t from_s, buckets_load_fn *fn, void *ctx, struct error *err)
    CHECK_RESULT;

#endif
