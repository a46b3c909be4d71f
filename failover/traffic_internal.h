/* Shared by traffic.c and traffic_metrics.c. */
#ifndef FRAISEQL_FAILOVER_TRAFFIC_INTERNAL_H
#define FRAISEQL_FAILOVER_TRAFFIC_INTERNAL_H

#include "failover/haproxy_call.h"
#include "failover/traffic.h"
#include "failover/traffic_plan.h"
#include "lib/core/atomic.h"
#include "lib/metrics/batch.h"

#include <pthread.h>

struct traffic_stats {
    uint64_t accepted, repeated, refused; /* webhooks */
    uint64_t done, failed;                /* rounds of commands to HAProxy */
    int64_t last_duration_ns;             /* of the last round that was done, from the order on */
};

struct traffic {
    struct traffic_options options;
    pthread_mutex_t lock; /* of these: */
    const struct traffic_config *config;
    struct traffic_state *state;
    struct traffic_stats stats;
    size_t out, held, missing; /* servers, as HAProxy was last seen; see traffic_metrics.c */
    int64_t ordered_mono_ns;   /* when what is not confirmed yet was ordered; 0: nothing is */
    bool receiving;            /* a webhook is being committed, one at a time */
    pthread_cond_t committed;  /* told when that ends */

    /* The owner's, one of a webhook that is being committed, one of what is posted to the loop. */
    struct refcount refs;

    /* The loop's. */
    struct loop_timer timer;
    struct haproxy_call *call;
    char *path; /* of the last configuration that had one: what is out is given back there */
    int64_t timeout_ns, interval_ns;
    bool begun;      /* the timer is there */
    unsigned rounds; /* of commands since the last time nothing was due */
    bool again;      /* something changed while a call was under way */
    bool failing;    /* the last round failed, and that was logged */
    loop_fn *freed;
    void *freed_ctx;

    struct hub_source *source;
    struct batch *batch; /* the publisher's */
};

#endif
