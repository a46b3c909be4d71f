/* Inside the probes: a probe, its attempts, and the interface of the three kinds.
 *
 * Life of an attempt: FREE -> RUNNING (kind->start) -> CLOSING (it has its outcome) -> FREE (what it held of
 * the loop is closed). The deadline is kept here, not by the protocol libraries: after a stall of ours the
 * sockets are looked at once more before anybody is judged. Two slots, so that an attempt that is being
 * closed does not take the next interval's place. */
#ifndef FRAISEQL_SCRAPERS_PROBE_INTERNAL_H
#define FRAISEQL_SCRAPERS_PROBE_INTERNAL_H

#include "lib/core/arena.h"
#include "lib/db/pg.h"
#include "scrapers/probe/probe.h"
#include "scrapers/probe/probe_config.h"
#include "scrapers/probe/probe_schedule.h"

#include <pthread.h>

enum probe_reason {
    PROBE_REASON_TIMEOUT,
    PROBE_REASON_RESOLVE,
    PROBE_REASON_CONNECT,
    PROBE_REASON_TLS,
    PROBE_REASON_CERTIFICATE,
    PROBE_REASON_STATUS,
    PROBE_REASON_HEADER,
    PROBE_REASON_BODY,
    PROBE_REASON_AUTH,
    PROBE_REASON_QUERY,
    PROBE_REASON_PROTOCOL,
    PROBE_REASONS
};

enum probe_phase {
    PROBE_PHASE_RESOLVE,
    PROBE_PHASE_CONNECT,
    PROBE_PHASE_TLS,
    PROBE_PHASE_PROCESSING,
    PROBE_PHASE_TRANSFER,
    PROBE_PHASES
};

/* What the last judged attempt saw. */
struct probe_observation {
    bool phase_seen[PROBE_PHASES];
    int64_t phase_ns[PROBE_PHASES];
    int http_status;                 /* 0: none */
    int64_t certificate_not_after_s; /* 0: none */
};

enum attempt_state { ATTEMPT_FREE, ATTEMPT_RUNNING, ATTEMPT_CLOSING };

struct http_attempt {
    struct http_call *call;
};

struct tcp_attempt {
    int fd; /* -1: none */
    struct loop_watch watch;
    bool watching, resolving, retry;
    size_t address, sent, received_len;
    int64_t resolved_ns, connected_ns; /* since the start */
};

struct postgres_attempt {
    struct pg *pg;
    bool closing, answered;
    int64_t connected_ns;
    struct error error; /* of the query */
};

struct probe;

struct probe_attempt {
    struct probe *probe;
    enum attempt_state state;
    bool drained; /* the deadline has passed and the sockets were looked at since */
    int64_t due_ns;
    struct probe_attempt_times times;
    struct probe_observation seen;
    struct loop_timer deadline;
    union {
        struct http_attempt http;
        struct tcp_attempt tcp;
        struct postgres_attempt postgres;
    };
};

struct probe_kind {
    uint32_t reasons; /* bits of enum probe_reason that it can give */
    void (*prepare)(struct probe *probe);
    void (*cleanup)(struct probe *probe); /* no attempt is under way */
    /* Ends in one probe_attempt_verdict() and then one probe_attempt_released(), both possibly at once. */
    void (*start)(struct probe_attempt *attempt);
    /* The attempt has its outcome: lets go of everything, then probe_attempt_released(). */
    void (*abort)(struct probe_attempt *attempt);
};

extern const struct probe_kind probe_http, probe_tcp, probe_postgres;

struct tcp_lookup;

enum { PROBE_ATTEMPTS = 2, PROBE_LABELS = 4 };

struct probe {
    struct probe_set *set;
    struct probe *next;
    const struct probe_config *config;
    const struct probe_kind *kind;
    char *name, *target, *region;
    struct label labels[PROBE_LABELS];
    struct probe_grid grid;
    struct loop_timer tick;
    struct probe_attempt attempts[PROBE_ATTEMPTS];
    unsigned handles; /* not yet closed: the tick, the deadlines, attempts */

    /* Of the kind. */
    struct secret *secret;
    int64_t secret_tried_ns;
    bool secret_stale;
    struct http_header *headers;
    char *received;                   /* tcp: PROBE_ATTEMPTS buffers */
    struct tcp_lookup *lookup;        /* tcp: the one under way */
    struct resolver_answer addresses; /* tcp: of the latest lookup */

    uint64_t attempt_count, failure_count, unknown_count;
    uint64_t reason_counts[PROBE_REASONS];
    struct histogram durations;
    struct probe_observation observation;
    enum sli_outcome judged; /* the last outcome that was good or bad */
    int64_t judged_ns;       /* when its interval began; 0: none yet */

    /* Guarded by set->lock; written on the loop only. */
    struct probe_status status;
};

struct probe_set {
    struct probe_env env;
    struct probe *probes;
    struct batch *batch;
    struct hub_source *source;
    struct probe_stalls stalls;
    struct loop_timer heartbeat, publish;
    int64_t beat_period_ns, beat_due_ns, published_ns;
    bool publish_soon, closing;
    unsigned handles;
    loop_fn *freed;
    void *freed_ctx;
    pthread_mutex_t lock; /* over the list and each probe's status, for readers on other threads */
};

/* probe_run.c: ticks, deadlines and outcomes. */
void probe_run_tick(void *probe, int64_t lateness_ns);
void probe_run_deadline(void *attempt, int64_t lateness_ns);
void probe_run_beat(void *set, int64_t lateness_ns);
/* Gives attempts under way the outcome unknown and lets go of them: their configuration is going away. */
void probe_run_void(struct probe *probe, const char *why);
/* The attempt's own verdict: reason PROBE_REASONS is good, else message says why not. Ignored when the
 * attempt has its outcome already. */
void probe_attempt_verdict(struct probe_attempt *attempt, enum probe_reason reason, const char *message);
/* Ends the attempt as unknown, for reasons of our own. */
void probe_attempt_void(struct probe_attempt *attempt, const char *why);
void probe_attempt_released(struct probe_attempt *attempt);
/* Nanoseconds since the attempt began. */
int64_t probe_attempt_elapsed(const struct probe_attempt *attempt);
void probe_attempt_phase(struct probe_attempt *attempt, enum probe_phase phase, int64_t duration_ns);
/* Reads the kind's secret when there is none yet or it was refused, at most every 10 s. False (with a verdict
 * given) when it cannot be had. */
bool probe_attempt_secret(struct probe_attempt *attempt, const char *path);

/* probe_set.c */
void probe_handle_closed(struct probe *probe);

/* probe_publish.c */
extern const double probe_duration_bounds[];
extern const size_t probe_duration_bound_count;
void probe_publish(struct probe_set *set);
void probe_publish_tick(void *set, int64_t lateness_ns);
/* A state has changed: publish now, or soon when that was done a moment ago. */
void probe_publish_change(struct probe_set *set);

#endif
