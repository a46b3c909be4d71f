#include "exporters/outbox_link.h"

#include "lib/core/atomic.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"

#include <pthread.h>
#include <stdlib.h>

/* Where the journal's thread meets a link that may be closing. Lives as long as the link and every job do. */
struct outbox_gate {
    struct refcount refs;
    pthread_mutex_t lock; /* over `posted` and `abandoned` of the link's jobs */
};

/* One transaction. On the journal thread from journal_submit() until finished(), on the loop's before and
 * after. */
struct outbox_job {
    struct outbox_job *next, **back; /* in `failed` (next only) or `running` */
    struct outbox_link *link;        /* not to be used once abandoned */
    struct outbox_gate *gate;
    bool posted, abandoned;
    journal_fn *work;
    struct arena *arena;
    bool failed;
    struct error error;
    /* load */
    struct outbox_contents contents;
    outbox_loaded_fn *loaded;
    /* store */
    struct journal_delivery *rows;
    size_t row_count;
    bool final;
    outbox_stored_fn *stored;
    void *ctx;
};

/* --- on the journal thread */

static int load_incidents(struct journal_txn *txn, struct outbox_job *job,
                          const struct journal_incident *rows, size_t count,
                          struct outbox_incident *incidents, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        incidents[i] = (struct outbox_incident){.row = &rows[i]};
        if (!job->contents.whole)
            continue;
        struct journal_delivery *deliveries;
        int rc =
            outbox_load_incident(txn, rows[i].id, job->arena, &deliveries, &incidents[i].delivery_count, err);
        if (rc)
            return rc;
        incidents[i].deliveries = deliveries;
    }
    return 0;
}

static int load_work(struct journal_txn *txn, void *arg, struct error *err)
{
    struct outbox_job *job = arg;
    arena_reset(job->arena);
    struct outbox_contents *contents = &job->contents;
    struct journal_delivery *pending;
    int rc = outbox_load_pending(txn, job->arena, &pending, &contents->pending_count, err);
    if (rc)
        return rc;
    contents->pending = pending;
    struct journal_incident *open;
    struct journal_incident *recent = NULL;
    size_t open_count;
    size_t recent_count = 0;
    rc = incident_load_open(txn, job->arena, &open, &open_count, err);
    if (rc == 0 && contents->whole)
        rc = incident_list(txn, NULL, OUTBOX_RECENT_INCIDENTS, job->arena, &recent, &recent_count, err);
    if (rc)
        return rc;
    size_t resolved = 0; /* the open ones among the newest are there already */
    for (size_t i = 0; i < recent_count; i++) {
        if (recent[i].resolved_wall_ns != 0)
            recent[resolved++] = recent[i];
    }
    struct outbox_incident *incidents =
        arena_zalloc(job->arena, (open_count + resolved) * sizeof *incidents + 1);
    contents->incidents = incidents;
    contents->incident_count = open_count + resolved;
    rc = load_incidents(txn, job, open, open_count, incidents, err);
    return rc ? rc : load_incidents(txn, job, recent, resolved, incidents + open_count, err);
}

static int store_work(struct journal_txn *txn, void *arg, struct error *err)
{
    const struct outbox_job *job = arg;
    for (size_t i = 0; i < job->row_count; i++) {
        int rc = outbox_update(txn, &job->rows[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

static void answer(void *arg);

static void gate_unref(struct outbox_gate *gate)
{
    if (!refcount_put(&gate->refs))
        return;
    (void)pthread_mutex_destroy(&gate->lock);
    free(gate);
}

static void job_free(struct outbox_job *job)
{
    gate_unref(job->gate);
    arena_free(job->arena);
    free(job);
}

static void finished(void *arg, const struct error *err)
{
    struct outbox_job *job = arg;
    job->failed = err != NULL;
    if (err)
        job->error = *err;
    struct outbox_gate *gate = job->gate;
    (void)pthread_mutex_lock(&gate->lock);
    if (job->abandoned) {
        (void)pthread_mutex_unlock(&gate->lock);
        job_free(job);
        return;
    }
    /* Once posted, the job is the loop's and may be gone, and its hold on the gate with it: nothing of it is
     * touched after that. Refused by a loop that has stopped without closing the link first, nobody asks any
     * more. */
    refcount_get(&gate->refs);
    job->posted = true;
    if (!loop_post(job->link->loop, "outbox.answer", answer, job))
        job->posted = false;
    (void)pthread_mutex_unlock(&gate->lock);
    gate_unref(gate);
}

/* --- on the loop */

static void timer_closed(void *ctx)
{
    struct outbox_link *link = ctx;
    gate_unref(link->gate);
    link->closed(link->closed_ctx);
}

static void check_closed(struct outbox_link *link)
{
    if (!link->closing || link->running || link->timer_closing)
        return;
    link->timer_closing = true;
    loop_timer_close(&link->timer, timer_closed);
}

static void give_up(struct outbox_job *job)
{
    if (job->stored)
        job->stored(job->ctx, false);
    else
        job->loaded(job->ctx, NULL, job->failed ? &job->error : NULL);
    job_free(job);
}

/* A final store waits for the next try. Another is dropped, as by then it would overwrite what came after it;
 * a load is the caller's to ask again. */
static void put_off(struct outbox_link *link, struct outbox_job *job)
{
    LOG_EVENT(LOG_WARN, "notify.journal_failed", LF_ERROR(&job->error));
    if (link->closing || !job->final) {
        give_up(job);
        return;
    }
    job->next = NULL;
    *link->failed_end = job;
    link->failed_end = &job->next;
    if (!loop_timer_active(&link->timer))
        loop_timer_start(&link->timer, clock_mono_ns() + OUTBOX_RETRY_NS, 0);
}

static void running_add(struct outbox_link *link, struct outbox_job *job)
{
    job->next = link->running;
    job->back = &link->running;
    if (job->next)
        job->next->back = &job->next;
    link->running = job;
}

static void running_remove(struct outbox_job *job)
{
    *job->back = job->next;
    if (job->next)
        job->next->back = job->back;
    job->next = NULL;
}

static void submit(struct outbox_link *link, struct outbox_job *job)
{
    job->posted = false;
    running_add(link, job);
    if (journal_submit(link->journal, job->work, finished, job, &job->error) == 0)
        return;
    running_remove(job);
    job->failed = true;
    put_off(link, job);
}

static void answer(void *arg)
{
    struct outbox_job *job = arg;
    struct outbox_link *link = job->link;
    running_remove(job);
    if (job->failed) {
        put_off(link, job);
    } else {
        if (job->stored)
            job->stored(job->ctx, true);
        else
            job->loaded(job->ctx, &job->contents, NULL);
        job_free(job);
    }
    check_closed(link);
}

/* The journal does not answer in time: leaves its jobs to it. Those whose answer is on its way are waited
 * for. */
static void abandon(struct outbox_link *link)
{
    struct outbox_job *job = link->running;
    while (job) {
        struct outbox_job *next = job->next;
        (void)pthread_mutex_lock(&link->gate->lock);
        bool posted = job->posted;
        outbox_stored_fn *stored = job->stored;
        outbox_loaded_fn *loaded = job->loaded;
        void *ctx = job->ctx;
        if (!posted) {
            running_remove(job);
            job->abandoned = true; /* from the unlock on it may be freed at any time */
        }
        (void)pthread_mutex_unlock(&link->gate->lock);
        if (!posted && stored)
            stored(ctx, false);
        else if (!posted)
            loaded(ctx, NULL, NULL);
        job = next;
    }
    check_closed(link);
}

static void timer_due(void *ctx, int64_t lateness_ns)
{
    (void)lateness_ns;
    struct outbox_link *link = ctx;
    if (link->closing) {
        abandon(link);
        return;
    }
    struct outbox_job *job = link->failed;
    link->failed = NULL;
    link->failed_end = &link->failed;
    while (job) {
        struct outbox_job *next = job->next;
        submit(link, job);
        job = next;
    }
}

void outbox_link_init(struct outbox_link *link, struct journal *journal, struct loop *loop)
{
    *link = (struct outbox_link){.journal = journal, .loop = loop};
    link->failed_end = &link->failed;
    loop_timer_init(loop, &link->timer, "outbox.timer", timer_due, link);
    link->gate = xcalloc(1, sizeof *link->gate);
    refcount_init(&link->gate->refs);
    (void)pthread_mutex_init(&link->gate->lock, NULL);
}

void outbox_link_close(struct outbox_link *link, loop_fn *closed, void *ctx)
{
    link->closing = true;
    link->closed = closed;
    link->closed_ctx = ctx;
    while (link->failed) {
        struct outbox_job *job = link->failed;
        link->failed = job->next;
        give_up(job);
    }
    link->failed_end = &link->failed;
    if (link->running)
        loop_timer_start(&link->timer, clock_mono_ns() + OUTBOX_CLOSE_NS, 0);
    else
        check_closed(link);
}

static struct outbox_job *job_new(struct outbox_link *link, journal_fn *work, void *ctx)
{
    struct outbox_job *job = xcalloc(1, sizeof *job);
    job->link = link;
    job->gate = link->gate;
    refcount_get(&link->gate->refs);
    job->work = work;
    job->arena = arena_new(0);
    job->ctx = ctx;
    return job;
}

void outbox_link_load(struct outbox_link *link, bool whole, outbox_loaded_fn *loaded, void *ctx)
{
    struct outbox_job *job = job_new(link, load_work, ctx);
    job->contents.whole = whole;
    job->loaded = loaded;
    submit(link, job);
}

void outbox_link_store(struct outbox_link *link, const struct journal_delivery *rows, size_t count,
                       bool final, outbox_stored_fn *stored, void *ctx)
{
    struct outbox_job *job = job_new(link, store_work, ctx);
    job->stored = stored;
    job->final = final;
    job->row_count = count;
    job->rows = arena_zalloc(job->arena, count * sizeof *job->rows + 1);
    for (size_t i = 0; i < count; i++) {
        job->rows[i] = (struct journal_delivery){
            .id = arena_strdup(job->arena, str_from(rows[i].id)),
            .next_attempt_wall_ns = rows[i].next_attempt_wall_ns,
            .attempts = rows[i].attempts,
            .state = rows[i].state,
            .last_error = arena_strdup(job->arena, str_from(rows[i].last_error)),
        };
    }
    submit(link, job);
}
