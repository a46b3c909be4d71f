/* Inside the frame: target.c decides what is begun, exchange.c carries one call through, store.c keeps the
 * accounts in the journal, page.c shows it all. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_TARGET_INTERNAL_H
#define FRAISEQL_SCRAPERS_CLOUD_TARGET_INTERNAL_H

#include "lib/metrics/selector.h"
#include "lib/net/loop.h"
#include "scrapers/cloud/target.h"

struct cloud_store;

/* A batch that was too large, in halves. */
struct cloud_half {
    struct cloud_query **queries;
    size_t count;
    int64_t from_ns, to_ns;
    struct cloud_half *next;
};

/* One call at a time, page after page; the first of a target discovers, the others poll. */
struct cloud_exchange {
    struct cloud_target *target;
    bool busy, discovers;
    struct cloud_batch batch;
    struct cloud_query **queries;
    struct cloud_reading reading;
    struct arena *arena;      /* of the request under way */
    struct arena *page_arena; /* of the page token that it carries */
    struct cloud_request request;
    size_t pages;
    unsigned tries;          /* that failed in passing */
    bool renewed, corrected; /* the token, the clock: once a call */
    bool cancelled;
    uint64_t generation; /* of the token that was sent */
    int64_t began_mono_ns;
    struct cloud_waiter waiter;
    struct http_call *call;
    struct loop_timer timer;
};

struct cloud_api_counts {
    uint64_t failures, throttled, in_flight_units;
};

struct cloud_target {
    const struct scraper_env *env;
    struct cloud_target_spec spec;
    struct cloud_identity *identities[CLOUD_CREDENTIALS_MAX];
    char *account;
    struct cloud_plan *plan;
    struct cloud_cost cost;
    struct cloud_store *store;
    struct batch *page;
    struct selector **keep, **drop;

    struct cloud_exchange *exchanges; /* 1 + concurrency */
    size_t exchange_count, busy;
    struct cloud_half *halves;
    bool loaded, discovering, discovered;
    int64_t discover_due_mono_ns;
    double discovery_units[CLOUD_APIS_MAX]; /* of the discovery under way */
    double units_per_discovery[CLOUD_APIS_MAX], units_per_hour[CLOUD_APIS_MAX];
    bool going_on, go_again; /* cloud_target_go_on() is not entered twice */
    int64_t clock_offset_ns; /* without credentials */

    /* The scrape under way. */
    scraper_done_fn *done;
    void *done_ctx;
    struct loop_timer deadline;
    uint64_t progress, progress_at_scrape; /* answers */

    /* What came of it. */
    uint64_t batches_failed, batches_done;      /* since the last scrape */
    struct error poll_error, discover_error;    /* code 0: none */
    int64_t polled_wall_ns, discovered_wall_ns; /* last success; 0: never */
    struct cloud_api_counts counts[CLOUD_APIS_MAX];
    uint64_t bad_points, points_over_limit, unknown_results;
    uint64_t failed_by_status[CLOUD_FAILED + 1];

    bool closing;
    size_t timers_open;
    loop_fn *destroyed;
    void *destroyed_ctx;
};

/* target.c: an exchange has ended, or the store has; begins what can be begun. */
void cloud_target_go_on(struct cloud_target *target);
/* The cloud's clock as far as we know it. */
int64_t cloud_target_now(const struct cloud_target *target);
void cloud_target_set_offset(struct cloud_target *target, unsigned credential, int64_t offset_ns);

/* exchange.c */
void cloud_exchange_init(struct cloud_exchange *exchange, struct cloud_target *target, size_t batch_max);
void cloud_exchange_discover(struct cloud_exchange *exchange);
/* The batch's queries are in exchange->queries. */
void cloud_exchange_poll(struct cloud_exchange *exchange, size_t count, int64_t from_ns, int64_t to_ns);
void cloud_exchange_cancel(struct cloud_exchange *exchange);
/* The quota that its request falls under. */
struct cloud_limit *cloud_exchange_limit(const struct cloud_exchange *exchange);

/* store.c. With no journal everything is shown at once. */
struct cloud_store *cloud_store_new(struct cloud_target *target);
void cloud_store_load(struct cloud_store *store); /* cloud_target_go_on() follows, with target->loaded */
void cloud_store_free(struct cloud_store *store); /* a transaction under way goes on without the target */
/* Commits what has changed; false: nothing has, or one is under way. */
bool cloud_store_commit(struct cloud_store *store);
bool cloud_store_busy(const struct cloud_store *store);

/* page.c */
struct snapshot *cloud_page_make(struct cloud_target *target);
/* Which series keep and drop leave out, of those that were not looked at yet; queries without another are not
 * asked. */
void cloud_page_judge(struct cloud_target *target);

#endif
