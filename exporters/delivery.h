/* What becomes of a delivery after an attempt. Pure: an outcome and times go in, a verdict comes out.
 *
 * 2xx is done. 410 is the receiver's own word that nobody will ever listen there (Standard Webhooks).
 * Everything else is tried again until the delivery is max_age old, also 401, 403, 404 and 413: those are
 * mistakes of configuration, they get mended, and a page that was thrown away meanwhile is not sent by
 * anybody.
 *
 * Waits are 0.5 s x 1.5^n, at most 60 s, less up to a tenth by a hash of id and attempt, so that receivers
 * are not called in step. Retry-After lengthens a wait (at most DELIVERY_RETRY_AFTER_MAX_NS) and never
 * shortens it. */
#ifndef FRAISEQL_EXPORTERS_DELIVERY_H
#define FRAISEQL_EXPORTERS_DELIVERY_H

#include "lib/core/error.h"
#include "lib/core/str.h"

#define DELIVERY_FIRST_WAIT_NS      (NS_PER_S / 2)
#define DELIVERY_MAX_WAIT_NS        (60 * NS_PER_S)
#define DELIVERY_RETRY_AFTER_MAX_NS (3600 * NS_PER_S)

enum delivery_verdict { DELIVERY_DONE, DELIVERY_RETRY, DELIVERY_GIVE_UP };

struct delivery_outcome {
    int status;             /* 0: no answer, then `error` says why */
    struct str retry_after; /* the header, empty when absent */
    const struct error *error;
};

struct delivery_decision {
    enum delivery_verdict verdict;
    int64_t wait_ns;  /* for DELIVERY_RETRY */
    char reason[256]; /* empty when done */
};

/* attempts counts this one. created and now are wall times. */
void delivery_decide(const char *id, uint32_t attempts, int64_t created_wall_ns, int64_t now_wall_ns,
                     int64_t max_age_ns, const struct delivery_outcome *outcome,
                     struct delivery_decision *ret_decision);

/* The wait after the attempt with this number, counted from 1. */
int64_t delivery_backoff_ns(const char *id, uint32_t attempts);

#endif
