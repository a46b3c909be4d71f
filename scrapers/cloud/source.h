/* What a cloud's metrics API has to give so that the common frame (target.h) can poll it: requests rendered
 * and answers read. Nothing here does I/O, looks at a clock or keeps a cursor; that is the frame's.
 *
 * The frame's words: a *query* is what is asked and billed as one and gives one series (CloudWatch) or many
 * (timeSeries.list, getBatch); a *batch* is up to batch_max due queries of one lane and period that go out in
 * one request over one window of time; a *bucket* is one point of a series, named by where its period begins.
 * A window reaches back over every bucket that may still change or was missed, so a source asks for all of it
 * at once: the same bucket read twice is counted once.
 *
 * Threads: all functions are called on the scrape loop, one at a time for one state. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_SOURCE_H
#define FRAISEQL_SCRAPERS_CLOUD_SOURCE_H

#include "lib/cloud/signin.h"
#include "scrapers/cloud/cost.h"
#include "scrapers/cloud/plan.h"
#include "scrapers/cloud/reading.h"

#define CLOUD_CREDENTIALS_MAX 2U

struct cloud_request {
    struct http_request http; /* deadline, TLS and size limit are the frame's to set when 0 */
    unsigned api;             /* index into the source's apis */
    const char *lane;         /* location or the like: with the account it names the quota; NULL: "" */
    uint64_t units;           /* billed when it is answered, or may have been */
    unsigned credential;      /* index into the target's credentials */
};

struct cloud_batch {
    struct cloud_query *const *queries;
    size_t count;
    const char *lane;
    int64_t period_ns;
    int64_t from_ns, to_ns; /* the window: wall clock of the cloud, aligned to the period; to_ns exclusive */
    const char *page;       /* token of the next page; NULL: the first */
};

/* What an answer means for the exchange as a whole. */
enum cloud_verdict {
    CLOUD_DONE,      /* read to its end */
    CLOUD_MORE,      /* a page: ask for the next one, with `page` */
    CLOUD_THROTTLED, /* too fast: slow down and ask again (Retry-After is read by the frame) */
    CLOUD_PASSING,   /* broken in passing: ask again */
    CLOUD_EXPIRED,   /* the token is refused: get a new one and ask again, once */
    CLOUD_SKEWED,    /* our clock is wrong by clock_offset_ns: ask again, once */
    CLOUD_SPLIT,     /* too much asked at once: ask for halves */
    CLOUD_REFUSED    /* will not work: `err` says why */
};

struct cloud_outcome {
    enum cloud_verdict verdict;
    const char *page; /* CLOUD_MORE; lives in the arena given */
    int64_t clock_offset_ns;
    /* Units that the answer shows to be billed, when the request could not know (time series returned);
     * replaces the request's. 0: as the request said. */
    uint64_t units;
};

enum cloud_step { CLOUD_SEND, CLOUD_READY };

struct cloud_source {
    const char *name; /* that of its scraper kind: the label `scraper` */
    struct cloud_api apis[CLOUD_APIS_MAX];
    size_t api_count;
    size_t batch_max;  /* weight of the queries of one request; at least 1 */
    size_t points_max; /* points that one answer may hold; 0: no maximum. The frame makes batches smaller */
    int64_t settle_ns; /* how late values may still change, before anything was learnt */
    int64_t late_ns;   /* buckets are asked again for so long */
    int64_t retention_ns; /* buckets older than this cannot be had any more */

    /* Discovery, driven as signin_next(): answer and failure NULL begins. On CLOUD_READY the plan holds what
     * is to be asked from now on; between cloud_plan_begin() and cloud_plan_end(), both called by the frame.
     * A discovery that fails leaves the old plan. Never CLOUD_READY by a source without discovery but at
     * once. `outcome` is filled by a source for an answer that is a failure: THROTTLED, PASSING, EXPIRED and
     * SKEWED make the frame send the same request again (`ret_request` is not looked at then). */
    int (*discover)(void *state, struct cloud_plan *plan, const struct http_response *answer, int64_t wall_ns,
                    struct arena *arena, enum cloud_step *ret_step, struct cloud_request *ret_request,
                    struct cloud_outcome *ret_outcome, struct error *err);
    /* The request for a batch, in the arena. */
    int (*render)(void *state, const struct cloud_batch *batch, struct arena *arena,
                  struct cloud_request *ret_request, struct error *err);
    /* Reads an answer of any status into `reading` (kept over the pages of one batch). 0 with any verdict but
     * CLOUD_REFUSED; else a negative code and err filled. A query is complete unless the source says
     * otherwise by cloud_reading_status(). Outside bytes: never trusts. */
    int (*read)(void *state, const struct cloud_batch *batch, const struct http_response *answer,
                int64_t wall_ns, struct cloud_reading *reading, struct arena *arena,
                struct cloud_outcome *ret_outcome, struct error *err);
    /* Puts the token on a request; NULL: Authorization: Bearer. */
    int (*authorize)(void *state, const struct cloud_token *token, int64_t wall_ns, struct arena *arena,
                     struct cloud_request *request, struct error *err);
    void (*free)(void *state);
};

#endif
