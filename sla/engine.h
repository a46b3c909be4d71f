/* The SLA engine: events and a time go in; buckets, incidents and numbers come out. It has no clock, no
 * thread, no socket and no file, so that it can be run against a slow oracle and through every moment of a
 * crash.
 *
 * What changes is collected and handed out as a flush, to be committed in one journal transaction
 * (sla_flush_store). There is at most one flush on its way. The served report is the one made with the last
 * committed flush, so nothing served is ahead of what is durable.
 *
 * Time is the wall clock's, in seconds, and never falls: after a backward step the newer second goes on being
 * filled until the clock has caught up. A gap of more than 5 s between ticks is time in which nobody watched:
 * not covered.
 *
 * Counters: a value's first sight on a target is its baseline; a line that appears later on a target whose
 * counters are known counts from 0; a value that falls, or any value after process_start_time_seconds moved,
 * counts from 0. What a process counted after its last scrape and before its end, no scrape can tell.
 *
 * Threads: owned by its caller; a flush may be stored on another thread while the engine goes on. */
#ifndef FRAISEQL_SLA_ENGINE_H
#define FRAISEQL_SLA_ENGINE_H

#include "lib/core/crypto.h"
#include "lib/metrics/sli.h"
#include "sla/service.h"

struct engine;

struct engine_options {
    const char *observer; /* copied */
    /* Ids of incidents; NULL: crypto_uuid7(). */
    void (*new_id)(void *ctx, int64_t wall_ns, char id[CRYPTO_UUID_SIZE]);
    void *new_id_ctx;
};

struct engine *engine_new(const struct engine_options *options);
void engine_free(struct engine *engine); /* no flush may be on its way; accepts NULL */
/* The settings stay valid until the next call has returned. On an error the former ones go on. */
int engine_configure(struct engine *engine, const struct sla_settings *settings, int64_t wall_ns,
                     int64_t mono_ns, struct error *err) CHECK_RESULT;
/* Loads what a former process left; once, after the first engine_configure() and before any event. */
int engine_restore(struct engine *engine, struct journal_txn *txn, int64_t wall_ns, int64_t mono_ns,
                   struct error *err) CHECK_RESULT;

/* `times` equal outcomes (lost ones are handed in as unknown, many at once). */
void engine_on_probe(struct engine *engine, const struct sli_probe_event *event, uint64_t times);
void engine_on_spans(struct engine *engine, const struct sli_span_counts *counts);
/* snapshot NULL: withdrawn. */
void engine_on_snapshot(struct engine *engine, uint64_t source_id, const char *scraper, const char *target,
                        const struct snapshot *snapshot, int64_t mono_ns);
void engine_tick(struct engine *engine, int64_t wall_ns, int64_t mono_ns);

struct sla_flush;
/* NULL while one is on its way or before the first tick. */
struct sla_flush *engine_flush(struct engine *engine);
/* Inside a transaction, any number of times. */
int sla_flush_store(const struct sla_flush *flush, struct journal_txn *txn,
                    const struct sla_notifier *notifier, struct error *err) CHECK_RESULT;
bool sla_flush_tells(const struct sla_flush *flush); /* there are deliveries in it */
/* Either ends the flush and frees it. After an abort its content is in the next one. */
void engine_committed(struct engine *engine, struct sla_flush *flush);
void engine_aborted(struct engine *engine, struct sla_flush *flush);

/* The served report, borrowed. */
struct sla_report *engine_report(struct engine *engine);
/* All families: of the served report, and fraiseql_trigger_firing of this moment. */
void engine_snapshot(struct engine *engine, struct batch *batch);
void engine_stats(const struct engine *engine, struct sla_stats *ret_stats);

#endif
