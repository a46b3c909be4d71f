#include "sla/service.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/core/queue.h"
#include "lib/journal/buckets.h"
#include "lib/journal/outbox.h"
#include "sla/engine.h"
#include "sla/event_copy.h"
#include "sla/overflow.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define QUEUE_CAPACITY     65536
#define TAKE_MAX           256
#define TICK_NS            NS_PER_S
#define FOLD_EVERY_S       300
#define KEEP_DELIVERIES_NS (30 * 86400 * NS_PER_S)

enum item_kind { ITEM_PROBE, ITEM_SPANS, ITEM_SNAPSHOT };

struct item {
    enum item_kind kind;
    struct sli_probe_event *probe;
    struct sli_span_counts *spans;
    struct snapshot *snapshot; /* NULL: withdrawn */
    uint64_t source_id;
    char *scraper, *target;
    int64_t mono_ns;
};

struct reconfiguration {
    const struct sla_settings *settings;
    int code;
    struct error *err;
    bool finished;
};

struct sla_service {
    struct refcount refs; /* the owner, and every transaction that is on its way */
    struct journal *journal;
    struct hub_source *source;
    struct sla_notifier notifier;
    struct queue *queue;
    struct overflow *overflow;
    struct flag wants_snapshots;
    struct counter probes_lost, spans_held, snapshots_lost, damaged_hours;
    pthread_t thread;

    /* engine thread only, from its start to its end */
    struct engine *engine;
    struct batch *batch;
    struct sla_flush *flush; /* on its way; read by the journal thread, which does not change it */
    int64_t next_tick_mono_ns, last_fold_s, last_tick_duration_ns;

    pthread_mutex_t lock; /* over everything below */
    pthread_cond_t changed;
    bool flush_finished, flush_failed, stopping;
    bool stopped; /* sla_service_stop() was called; its callers only */
    int64_t stop_deadline_mono_ns;
    struct reconfiguration *reconfiguration;
    struct sla_report *report;
    struct sla_stats stats;
};

/* --- life --- */

static void free_item(struct item *item)
{
    (void)snapshot_unref(item->snapshot);
    free(item->probe);
    free(item->spans);
    free(item->scraper);
    free(item->target);
    free(item);
}

static void destroy(struct sla_service *service)
{
    void *items[TAKE_MAX];
    size_t count;
    while ((count = queue_take(service->queue, items, TAKE_MAX)) > 0) {
        for (size_t i = 0; i < count; i++)
            free_item(items[i]);
    }
    if (service->flush)
        engine_aborted(service->engine, service->flush);
    engine_free(service->engine);
    batch_free(service->batch);
    queue_free(service->queue);
    overflow_free(service->overflow);
    (void)sla_report_unref(service->report);
    (void)pthread_cond_destroy(&service->changed);
    (void)pthread_mutex_destroy(&service->lock);
    free(service);
}

static void unref(struct sla_service *service)
{
    if (refcount_put(&service->refs))
        destroy(service);
}

/* --- events in (any thread) --- */

static void take_probe(void *ctx, const struct sli_probe_event *event)
{
    struct sla_service *service = ctx;
    struct item *item = xcalloc(1, sizeof *item);
    item->kind = ITEM_PROBE;
    item->probe = event_copy_probe(event);
    if (queue_push(service->queue, item))
        return;
    counter_add(&service->probes_lost, 1);
    (void)overflow_add_probe(service->overflow, event);
    free_item(item);
}

static void take_spans(void *ctx, const struct sli_span_counts *counts)
{
    struct sla_service *service = ctx;
    struct item *item = xcalloc(1, sizeof *item);
    item->kind = ITEM_SPANS;
    item->spans = event_copy_spans(counts);
    if (queue_push(service->queue, item))
        return;
    counter_add(&service->spans_held, 1);
    (void)overflow_add_spans(service->overflow, counts);
    free_item(item);
}

static void take_snapshot(void *ctx, const struct hub_source *source, struct snapshot *snapshot)
{
    struct sla_service *service = ctx;
    if (!flag_get(&service->wants_snapshots))
        return;
    struct item *item = xcalloc(1, sizeof *item);
    item->kind = ITEM_SNAPSHOT;
    item->snapshot = snapshot ? snapshot_ref(snapshot) : NULL;
    item->source_id = hub_source_id(source);
    item->scraper = xstrdup(hub_source_scraper(source));
    item->target = xstrdup(hub_source_target(source));
    item->mono_ns = clock_mono_ns();
    if (queue_push(service->queue, item))
        return;
    counter_add(&service->snapshots_lost, 1);
    free_item(item);
}

struct sli_sink sla_service_sink(struct sla_service *service)
{
    return (struct sli_sink){.ctx = service, .probe = take_probe, .spans = take_spans};
}

/* --- the journal's side --- */

/* A delivery that is refused for a reason of its own (its receiver is gone) must not keep budgets and
 * incidents from being stored; want of space or I/O (an errno) concerns all of them and is retried by the
 * journal. */
static int store_alert(void *ctx, struct journal_txn *txn, const struct alert *alert, const char *receiver,
                       struct error *err)
{
    const struct sla_service *service = ctx;
    int code = service->notifier.store(service->notifier.ctx, txn, alert, receiver, err);
    if (code > ERR_PARSE)
        return code;
    LOG_EVENT(LOG_ERROR, "sla.delivery_refused", LF_TEXT("trigger", alert->trigger),
              LF_TEXT("receiver", receiver), LF_ERROR(err));
    error_clear(err);
    return 0;
}

static void encode_alert(void *ctx, const struct alert *alert, struct buf *out)
{
    const struct sla_service *service = ctx;
    service->notifier.encode(service->notifier.ctx, alert, out);
}

static int store_flush(struct journal_txn *txn, void *arg, struct error *err)
{
    struct sla_service *service = arg;
    struct sla_notifier notifier = {.ctx = service,
                                    .store = service->notifier.store ? store_alert : NULL,
                                    .encode = service->notifier.encode ? encode_alert : NULL};
    return sla_flush_store(service->flush, txn, &notifier, err);
}

static void flush_done(void *arg, const struct error *err)
{
    struct sla_service *service = arg;
    if (err)
        LOG_EVENT(LOG_ERROR, "sla.store_failed", LF_ERROR(err));
    else if (service->notifier.committed && sla_flush_tells(service->flush))
        service->notifier.committed(service->notifier.ctx);
    (void)pthread_mutex_lock(&service->lock);
    service->flush_finished = true;
    service->flush_failed = err != NULL;
    (void)pthread_cond_broadcast(&service->changed);
    (void)pthread_mutex_unlock(&service->lock);
    queue_wake(service->queue);
    unref(service);
}

struct fold_work {
    struct sla_service *service; /* a reference */
    int64_t now_s;
    uint64_t damaged_hours;
};

static int fold(struct journal_txn *txn, void *arg, struct error *err)
{
    struct fold_work *work = arg;
    int code = buckets_fold(txn, work->now_s, err);
    if (!code)
        code = outbox_expire(txn, work->now_s * NS_PER_S - KEEP_DELIVERIES_NS, err);
    return code ? code : buckets_damaged(txn, &work->damaged_hours, err);
}

/* By the start and by the journal's thread, one after the other. */
static void note_damaged(struct sla_service *service, uint64_t hours)
{
    if (hours == counter_get(&service->damaged_hours))
        return;
    counter_set(&service->damaged_hours, hours);
    LOG_EVENT(LOG_ERROR, "sla.hours_damaged", LF_I64("hours", hours),
              LF_TEXT("consequence", "their events are missing from the budgets; the rest goes on"),
              LF_TEXT("kept_in", "table damaged_hours of the journal"));
}

static void fold_done(void *arg, const struct error *err)
{
    struct fold_work *work = arg;
    if (!err)
        note_damaged(work->service, work->damaged_hours);
    else if (err->code != ERR_CANCELLED)
        LOG_EVENT(LOG_ERROR, "sla.fold_failed", LF_ERROR(err));
    unref(work->service);
    free(work);
}

/* --- the engine's thread --- */

static void apply_probe(void *ctx, const struct sli_probe_event *event, uint64_t times)
{
    engine_on_probe(((struct sla_service *)ctx)->engine, event, times);
}

static void apply_spans(void *ctx, const struct sli_span_counts *counts)
{
    engine_on_spans(((struct sla_service *)ctx)->engine, counts);
}

static void apply(struct sla_service *service, struct item *item)
{
    switch (item->kind) {
    case ITEM_PROBE:
        engine_on_probe(service->engine, item->probe, 1);
        break;
    case ITEM_SPANS:
        engine_on_spans(service->engine, item->spans);
        break;
    case ITEM_SNAPSHOT:
        engine_on_snapshot(service->engine, item->source_id, item->scraper, item->target, item->snapshot,
                           item->mono_ns);
        break;
    default:
        break;
    }
    free_item(item);
}

static void apply_queue(struct sla_service *service)
{
    void *items[TAKE_MAX];
    size_t count;
    while ((count = queue_take(service->queue, items, TAKE_MAX)) > 0) {
        for (size_t i = 0; i < count; i++)
            apply(service, items[i]);
        if (clock_mono_ns() >= service->next_tick_mono_ns)
            return; /* a flood must not stop time */
    }
}

static void note_stats(struct sla_service *service)
{
    struct sla_stats stats;
    engine_stats(service->engine, &stats);
    stats.last_tick_duration_ns = service->last_tick_duration_ns;
    (void)pthread_mutex_lock(&service->lock);
    service->stats = stats;
    (void)pthread_mutex_unlock(&service->lock);
}

static void publish(struct sla_service *service)
{
    struct error err;
    batch_begin(service->batch);
    engine_snapshot(service->engine, service->batch);
    struct snapshot *snapshot = batch_finish(service->batch, clock_wall_ns(), clock_mono_ns());
    if (hub_publish(service->source, snapshot, &err))
        LOG_EVENT(LOG_WARN, "sla.publish_failed", LF_ERROR(&err));
    (void)pthread_mutex_lock(&service->lock);
    struct sla_report *former = service->report;
    service->report = sla_report_ref(engine_report(service->engine));
    (void)pthread_mutex_unlock(&service->lock);
    (void)sla_report_unref(former);
}

static void end_flush(struct sla_service *service)
{
    (void)pthread_mutex_lock(&service->lock);
    bool finished = service->flush_finished, failed = service->flush_failed;
    service->flush_finished = false;
    (void)pthread_mutex_unlock(&service->lock);
    if (!finished)
        return;
    struct sla_flush *flush = TAKE(service->flush);
    if (failed) {
        engine_aborted(service->engine, flush);
        return;
    }
    engine_committed(service->engine, flush);
    note_stats(service);
    publish(service);
}

static void begin_flush(struct sla_service *service)
{
    struct error err;
    service->flush = service->flush ? service->flush : engine_flush(service->engine);
    if (!service->flush)
        return;
    refcount_get(&service->refs);
    if (journal_submit(service->journal, store_flush, flush_done, service, &err) == 0)
        return;
    LOG_EVENT(LOG_WARN, "sla.store_refused", LF_ERROR(&err));
    engine_aborted(service->engine, TAKE(service->flush));
    (void)refcount_put(&service->refs); /* never the last: the owner waits for this thread */
}

static void begin_fold(struct sla_service *service, int64_t wall_ns)
{
    int64_t now_s = wall_ns / NS_PER_S;
    if (now_s - service->last_fold_s < FOLD_EVERY_S && now_s >= service->last_fold_s)
        return;
    service->last_fold_s = now_s;
    struct fold_work *work = xmalloc(sizeof *work);
    *work = (struct fold_work){.service = service, .now_s = now_s};
    refcount_get(&service->refs);
    if (journal_submit(service->journal, fold, fold_done, work, NULL) == 0)
        return;
    free(work);
    (void)refcount_put(&service->refs); /* never the last: the owner waits for this thread */
}

static void tick(struct sla_service *service)
{
    int64_t wall_ns = clock_wall_ns(), mono_ns = clock_mono_ns();
    overflow_drain(service->overflow, apply_probe, apply_spans, service);
    engine_tick(service->engine, wall_ns, mono_ns);
    if (service->flush)
        publish(service); /* the journal is slow: triggers are shown all the same */
    else
        begin_flush(service);
    begin_fold(service, wall_ns);
    service->last_tick_duration_ns = clock_mono_ns() - mono_ns;
    note_stats(service);
}

static void note_wants(struct sla_service *service, const struct sla_settings *settings)
{
    bool wants = false;
    for (size_t i = 0; i < settings->slos->count; i++) {
        enum sla_kind kind = sla_slo_kind(SECTION_AT(struct sla_slo_config, *settings->slos, i));
        wants |= kind == SLA_COUNTER || kind == SLA_TIME_SLICE;
    }
    for (size_t i = 0; i < settings->triggers->count; i++)
        wants |= SECTION_AT(struct sla_trigger_config, *settings->triggers, i)->when.metric != NULL;
    flag_set(&service->wants_snapshots, wants);
}

static void reconfigure(struct sla_service *service)
{
    (void)pthread_mutex_lock(&service->lock);
    struct reconfiguration *reconfiguration = TAKE(service->reconfiguration);
    (void)pthread_mutex_unlock(&service->lock);
    if (!reconfiguration)
        return;
    int code = engine_configure(service->engine, reconfiguration->settings, clock_wall_ns(), clock_mono_ns(),
                                reconfiguration->err);
    if (!code) {
        note_wants(service, reconfiguration->settings);
        service->next_tick_mono_ns = clock_mono_ns(); /* so that the report shows it now, not in a second */
    }
    (void)pthread_mutex_lock(&service->lock);
    reconfiguration->code = code;
    reconfiguration->finished = true;
    (void)pthread_cond_broadcast(&service->changed);
    (void)pthread_mutex_unlock(&service->lock);
}

/* Until the flush on its way has ended; false at the deadline. */
static bool wait_flush(struct sla_service *service, int64_t deadline_mono_ns)
{
    struct timespec deadline = {.tv_sec = deadline_mono_ns / NS_PER_S,
                                .tv_nsec = deadline_mono_ns % NS_PER_S};
    if (!service->flush)
        return true;
    (void)pthread_mutex_lock(&service->lock);
    while (!service->flush_finished) {
        if (pthread_cond_timedwait(&service->changed, &service->lock, &deadline) == ETIMEDOUT)
            break;
    }
    (void)pthread_mutex_unlock(&service->lock);
    end_flush(service);
    return !service->flush;
}

static bool is_stopping(struct sla_service *service, int64_t *ret_deadline_mono_ns)
{
    (void)pthread_mutex_lock(&service->lock);
    bool stopping = service->stopping;
    *ret_deadline_mono_ns = service->stop_deadline_mono_ns;
    (void)pthread_mutex_unlock(&service->lock);
    return stopping;
}

static void *run_thread(void *arg)
{
    struct sla_service *service = arg;
    int64_t deadline_mono_ns;
    service->next_tick_mono_ns = clock_mono_ns();
    while (!is_stopping(service, &deadline_mono_ns)) {
        queue_wait(service->queue, service->next_tick_mono_ns);
        end_flush(service);
        reconfigure(service);
        apply_queue(service);
        int64_t now_ns = clock_mono_ns();
        if (now_ns < service->next_tick_mono_ns)
            continue;
        tick(service);
        /* Late ticks are not made up for. */
        service->next_tick_mono_ns += TICK_NS;
        if (service->next_tick_mono_ns <= now_ns)
            service->next_tick_mono_ns = now_ns + TICK_NS;
    }
    if (wait_flush(service, deadline_mono_ns)) {
        service->next_tick_mono_ns = INT64_MAX;
        apply_queue(service);
        tick(service);
        (void)wait_flush(service, deadline_mono_ns);
    }
    return NULL;
}

/* --- start and stop --- */

struct start {
    const struct sla_options *options;
    const struct sla_settings *settings;
    struct engine *engine;
    uint64_t damaged_hours;
};

/* May run more than once: begins anew each time. */
static int load(struct journal_txn *txn, void *arg, struct error *err)
{
    struct start *start = arg;
    int64_t wall_ns = clock_wall_ns(), mono_ns = clock_mono_ns();
    engine_free(start->engine);
    start->engine = engine_new(&(struct engine_options){.observer = start->options->observer});
    int code = engine_configure(start->engine, start->settings, wall_ns, mono_ns, err);
    if (!code)
        code = engine_restore(start->engine, txn, wall_ns, mono_ns, err);
    return code ? code : buckets_damaged(txn, &start->damaged_hours, err);
}

int sla_service_new(const struct sla_options *options, const struct sla_settings *settings,
                    struct sla_service **ret_service, struct error *err)
{
    struct start start = {.options = options, .settings = settings};
    int code = journal_run(options->journal, load, &start, err);
    if (code) {
        engine_free(start.engine);
        return code;
    }
    struct sla_service *service = xcalloc(1, sizeof *service);
    refcount_init(&service->refs);
    service->journal = options->journal;
    service->notifier = options->notifier;
    service->queue = queue_new(QUEUE_CAPACITY);
    service->overflow = overflow_new();
    service->engine = start.engine;
    service->batch = batch_new(&(struct batch_options){0});
    (void)pthread_mutex_init(&service->lock, NULL);
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&service->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    note_wants(service, settings);
    note_damaged(service, start.damaged_hours);
    service->source = hub_register(options->hub, "collector", "sla", 1);
    hub_observe(options->hub, take_snapshot, service);
    publish(service);
    int result = pthread_create(&service->thread, NULL, run_thread, service);
    if (result) {
        /* The hub cannot forget an observer, so this one stays, without wishes; the process ends anyway. */
        flag_set(&service->wants_snapshots, 0);
        hub_unregister(service->source);
        return error_set_errno(err, result, "cannot start the SLA thread");
    }
    *ret_service = service;
    return 0;
}

int sla_service_configure(struct sla_service *service, const struct sla_settings *settings, struct error *err)
{
    struct reconfiguration reconfiguration = {.settings = settings, .err = err};
    (void)pthread_mutex_lock(&service->lock);
    while (service->reconfiguration)
        (void)pthread_cond_wait(&service->changed, &service->lock);
    service->reconfiguration = &reconfiguration;
    (void)pthread_mutex_unlock(&service->lock);
    queue_wake(service->queue);
    (void)pthread_mutex_lock(&service->lock);
    while (!reconfiguration.finished)
        (void)pthread_cond_wait(&service->changed, &service->lock);
    (void)pthread_mutex_unlock(&service->lock);
    return reconfiguration.code;
}

void sla_service_stop(struct sla_service *service, int64_t deadline_mono_ns)
{
    if (!service || service->stopped)
        return;
    service->stopped = true;
    (void)pthread_mutex_lock(&service->lock);
    service->stopping = true;
    service->stop_deadline_mono_ns = deadline_mono_ns > 0 ? deadline_mono_ns : 0;
    (void)pthread_mutex_unlock(&service->lock);
    queue_wake(service->queue);
    (void)pthread_join(service->thread, NULL);
    flag_set(&service->wants_snapshots, 0);
    hub_unregister(service->source);
}

void sla_service_free(struct sla_service *service, int64_t deadline_mono_ns)
{
    if (!service)
        return;
    sla_service_stop(service, deadline_mono_ns);
    unref(service);
}

struct sla_report *sla_service_report(struct sla_service *service)
{
    (void)pthread_mutex_lock(&service->lock);
    struct sla_report *report = sla_report_ref(service->report);
    (void)pthread_mutex_unlock(&service->lock);
    return report;
}

void sla_service_stats(struct sla_service *service, struct sla_stats *ret_stats)
{
    (void)pthread_mutex_lock(&service->lock);
    *ret_stats = service->stats;
    (void)pthread_mutex_unlock(&service->lock);
    ret_stats->probe_events_lost = counter_get(&service->probes_lost);
    ret_stats->span_counts_held = counter_get(&service->spans_held);
    ret_stats->snapshots_lost = counter_get(&service->snapshots_lost);
    ret_stats->damaged_hours = counter_get(&service->damaged_hours);
}
