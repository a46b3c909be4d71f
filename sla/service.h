/* The SLA engine on a thread of its own: takes SLI events and snapshots, ticks each second, stores every
 * change in one journal transaction and serves only what that has committed.
 *
 * What does not fit into its queue is not forgotten: probe events become unknown events of their probe, span
 * counts are added up and handed over later, snapshots of counters lose nothing (the next one has the sum),
 * and fraiseql_collector_sla_* say how many.
 *
 * While the journal cannot write, events and incidents go on in memory and are stored when it can again; what
 * is served then stands still, except fraiseql_trigger_firing.
 *
 * Threads: every function from any thread, unless it says otherwise. */
#ifndef FRAISEQL_SLA_SERVICE_H
#define FRAISEQL_SLA_SERVICE_H

#include "lib/journal/journal.h"
#include "lib/metrics/hub.h"
#include "sla/report.h"
#include "sla/sla_config.h"

struct sla_service;

/* Who is told of incidents. */
struct sla_notifier {
    void *ctx;
    /* Journal thread, inside the transaction that changes the incident; may run more than once. */
    int (*store)(void *ctx, struct journal_txn *txn, const struct alert *alert, const char *receiver,
                 struct error *err);
    /* Journal thread, after the commit of at least one store(). */
    void (*committed)(void *ctx);
    /* Journal thread: the alert as kept with its incident. */
    void (*encode)(void *ctx, const struct alert *alert, struct buf *out);
};

struct sla_options {
    const char *observer; /* copied */
    struct journal *journal;
    struct hub *hub;
    struct sla_notifier notifier; /* functions may be NULL: then nobody is told */
};

/* One configuration generation; stays valid until the next sla_service_configure() has returned, or
 * sla_service_free(). It must have passed sla_config_check(). */
struct sla_settings {
    const struct section_list *slos, *triggers;
    const struct sla_probe *probes;
    size_t probe_count;
};

/* Loads history, cursors and open incidents from the journal, registers its hub source and observer, and
 * starts. Call it before the first source publishes. */
int sla_service_new(const struct sla_options *options, const struct sla_settings *settings,
                    struct sla_service **ret_service, struct error *err) CHECK_RESULT;
/* SLOs and triggers of the same name live on: history, open incidents, trigger state. Incidents of triggers
 * that are gone are resolved. Waits until the engine has taken over. */
int sla_service_configure(struct sla_service *service, const struct sla_settings *settings, struct error *err)
    CHECK_RESULT;
/* Last tick and commit (up to the deadline). The journal must still be open and nothing may use the sink any
 * more; what others publish to the hub afterwards is ignored. Accepts NULL; the second call does nothing. */
void sla_service_stop(struct sla_service *service, int64_t deadline_mono_ns);
/* Stops and frees: nothing may publish to the hub any more. Accepts NULL. */
void sla_service_free(struct sla_service *service, int64_t deadline_mono_ns);

struct sli_sink sla_service_sink(struct sla_service *service);

/* The last committed report; the caller owns the reference. Never NULL. */
struct sla_report *sla_service_report(struct sla_service *service);

struct sla_stats {
    uint64_t flushes, flush_failures;
    uint64_t probe_events_lost; /* queue full: counted as unknown */
    uint64_t span_counts_held;  /* queue full: handed over later */
    uint64_t snapshots_lost;    /* queue full */
    uint64_t counter_resets, cursors, cursors_refused;
    uint64_t series, series_refused, late_dropped;
    uint64_t damaged_hours; /* of buckets in the journal that failed their check, of all time */
    int64_t last_tick_duration_ns;
    uint64_t memory_bytes; /* of buckets */
    uint64_t open_incidents;
};
void sla_service_stats(struct sla_service *service, struct sla_stats *ret_stats);

#endif
