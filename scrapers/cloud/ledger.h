/* The account of one series: which buckets were taken, what they add up to, and what is shown.
 *
 * Buckets that may still change are kept with the value they had last; reading one again adds the difference.
 * What is older than the source's late_ns is closed: it is counted and never taken again. So the total holds
 * each bucket exactly once, whatever is read twice, late, in disorder or after a restart. A bucket that
 * becomes smaller is a debt that later growth pays first: a counter never falls.
 *
 * The gauge is the newest bucket that has settled: half-filled buckets are not shown. How long that takes is
 * learnt from when values were seen to change.
 *
 * A bucket is a vector of numbers: one, or a histogram's counts per bucket, then its sum.
 *
 * Pure. Times are the cloud's wall clock. Ownership: embedded; cloud_account_deinit() frees. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_LEDGER_H
#define FRAISEQL_SCRAPERS_CLOUD_LEDGER_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

enum cloud_kind {
    CLOUD_GAUGE,
    CLOUD_SUM,         /* what happened in a bucket: the peer's gauge, and a counter */
    CLOUD_CUMULATIVE,  /* a counter that the cloud keeps: the newest point */
    CLOUD_DISTRIBUTION /* a histogram a bucket: a histogram that grows */
};

/* How late values still change, of one metric: the greatest age at which one was seen to, of the last one to
 * two hours. */
struct cloud_settle {
    int64_t first_ns; /* before anything was learnt, and never less than */
    int64_t max_ns;
    int64_t current_ns, former_ns, since_ns; /* greatest of this hour and the one before */
};

void cloud_settle_init(struct cloud_settle *settle, int64_t first_ns, int64_t max_ns);
void cloud_settle_learn(struct cloud_settle *settle, int64_t age_ns, int64_t now_ns);
int64_t cloud_settle_ns(const struct cloud_settle *settle);

struct cloud_bucket {
    int64_t start_ns;
    const double *values; /* `width` of them */
};

struct cloud_account {
    bool counts;                    /* keeps totals */
    uint32_t width;                 /* numbers a bucket; 0: nothing was taken yet */
    double *bounds;                 /* CLOUD_DISTRIBUTION: width - 2 of them; else NULL */
    int64_t closed_ns;              /* buckets that begin before are closed; 0: nothing was asked yet */
    int64_t read_to_ns, read_at_ns; /* end of the last complete window, and when that was answered */
    double *totals, *rest;          /* sums, and what their rounding left over */
    double *debts;
    double *shown;        /* totals as they were last committed */
    int64_t *open_starts; /* ascending; buckets that may still change, and the newest one */
    double *open_values;  /* width of each */
    size_t open_count, open_capacity;
    int64_t stored_closed_ns;
    bool dirty; /* to be stored */
};

void cloud_account_init(struct cloud_account *account, bool counts);
void cloud_account_deinit(struct cloud_account *account);

/* Takes buckets in any order, several of one start included (the last one counts). The first bucket sets the
 * width; another width (or other bounds) later begins totals and open buckets anew. A new account takes
 * nothing that begins before from_ns. The array is sorted in place. */
void cloud_account_take(struct cloud_account *account, struct cloud_bucket *buckets, size_t count,
                        uint32_t width, const double *bounds, int64_t from_ns, int64_t period_ns,
                        int64_t now_ns, struct cloud_settle *settle);
/* The window that ends at to_ns was complete: closes what is older than late_ns. */
void cloud_account_close(struct cloud_account *account, int64_t to_ns, int64_t period_ns, int64_t now_ns,
                         int64_t late_ns);

/* The newest bucket that had settled when it was read last and ended at most stale_ns ago; false: none. */
bool cloud_account_latest(const struct cloud_account *account, int64_t period_ns, int64_t now_ns,
                          int64_t settle_ns, int64_t stale_ns, struct cloud_bucket *ret_bucket);
double cloud_account_total(const struct cloud_account *account, uint32_t at);
/* Totals that have been committed may be shown; none of another width. */
void cloud_account_show(struct cloud_account *account, const double *totals, uint32_t width);

/* What must survive, for the journal. Decoding checks everything: ERR_CORRUPT. */
void cloud_account_encode(const struct cloud_account *account, struct str query_key, struct buf *out);
int cloud_account_decode(struct cloud_account *account, struct str stored, struct str *ret_query_key,
                         struct error *err) CHECK_RESULT;

#endif
