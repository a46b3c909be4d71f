/* The outbox as seen from the egress loop: asks the journal thread and brings answers back to the loop.
 *
 * Requests reach the journal in the order of the calls, and answers come back in that order. A store that
 * fails is tried again every OUTBOX_RETRY_NS until it is committed: what was delivered and cannot be noted
 * down would be delivered again by the next process.
 *
 * Closing waits for the journal's answers, but only for OUTBOX_CLOSE_NS: a journal that cannot commit (a full
 * disk) must not keep the process from ending. What it has not answered by then is abandoned; the journal's
 * thread frees it.
 *
 * Ownership: what a load hands over lives until its callback returns; what a store is given is copied. Each
 * callback is called exactly once. Threads: the loop's, callbacks too. */
#ifndef FRAISEQL_EXPORTERS_OUTBOX_LINK_H
#define FRAISEQL_EXPORTERS_OUTBOX_LINK_H

#include "lib/journal/outbox.h"
#include "lib/net/loop.h"

#define OUTBOX_RETRY_NS NS_PER_S
#define OUTBOX_CLOSE_NS (2 * NS_PER_S)
/* How many of the newest incidents a whole load looks through for those resolved a short while ago. */
#define OUTBOX_RECENT_INCIDENTS 200

struct outbox_incident {
    const struct journal_incident *row;
    const struct journal_delivery *deliveries; /* only when asked for */
    size_t delivery_count;
};

struct outbox_contents {
    const struct journal_delivery *pending; /* oldest first */
    size_t pending_count;
    const struct outbox_incident *incidents; /* the open ones; with `whole` also the newest resolved ones */
    size_t incident_count;
    bool whole;
};

struct outbox_job;
struct outbox_gate;

struct outbox_link {
    struct journal *journal;
    struct loop *loop;
    struct outbox_gate *gate;
    struct loop_timer timer; /* tries the jobs in `failed` again; when closing, the end of patience */
    struct outbox_job *failed, **failed_end;
    struct outbox_job *running; /* jobs the journal holds */
    bool closing, timer_closing;
    loop_fn *closed;
    void *closed_ctx;
};

/* contents NULL: the link is closing, or the load failed (it may be asked again later). */
typedef void outbox_loaded_fn(void *ctx, const struct outbox_contents *contents, const struct error *err);
/* stored false: the row may not have been stored, because it was not final or the link is closing. */
typedef void outbox_stored_fn(void *ctx, bool stored);

void outbox_link_init(struct outbox_link *link, struct journal *journal, struct loop *loop);
/* closed(ctx) after the last callback. */
void outbox_link_close(struct outbox_link *link, loop_fn *closed, void *ctx);

/* `whole`: with the deliveries of every open and recently resolved incident. */
void outbox_link_load(struct outbox_link *link, bool whole, outbox_loaded_fn *loaded, void *ctx);
void outbox_link_store(struct outbox_link *link, const struct journal_delivery *rows, size_t count,
                       bool final, outbox_stored_fn *stored, void *ctx);

#endif
