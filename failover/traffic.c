#include "failover/traffic_internal.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/journal/state.h"

#include <stdlib.h>

#define SPACE              "traffic"
#define KEY                "state"
#define MESSAGE_MAX_BYTES  (4UL * 1024 * 1024)
#define LOOK               "show servers state"
#define COMMIT_TIMEOUT_NS  (5 * NS_PER_S)
#define ROUNDS_MAX         64U /* lines of commands on end; HAProxy that never agrees is left for a while */
#define IDLE_INTERVAL_NS   (2 * NS_PER_S)
#define DEFAULT_TIMEOUT_NS (2 * NS_PER_S)

static void look(struct traffic *traffic);

static void unref(struct traffic *traffic)
{
    if (!refcount_put(&traffic->refs))
        return;
    traffic_state_free(traffic->state);
    (void)pthread_cond_destroy(&traffic->committed);
    (void)pthread_mutex_destroy(&traffic->lock);
    free(traffic->path);
    free(traffic);
}

/* --- remembering
 * ---------------------------------------------------------------------------------------------- */

struct stored {
    struct buf text;
};

static int put(struct journal_txn *txn, void *arg, struct error *err)
{
    struct stored *stored = arg;
    return state_put(txn, SPACE, KEY, buf_str(&stored->text), err);
}

static void write_stored(const struct traffic_state *state, struct stored *stored)
{
    buf_init(&stored->text, TRAFFIC_STATE_MAX_BYTES);
    traffic_state_write(state, &stored->text);
}

static void on_stored(void *arg, const struct error *err)
{
    struct stored *stored = arg;
    if (err) /* what is remembered too long is only given back once more */
        LOG_EVENT(LOG_WARN, "traffic.not_stored", LF_ERROR(err));
    buf_deinit(&stored->text);
    free(stored);
}

/* With the lock held, so that states are stored in the order in which they are made. */
static void store_later(struct traffic *traffic)
{
    struct stored *stored = xcalloc(1, sizeof *stored);
    struct error err = {0};
    write_stored(traffic->state, stored);
    if (journal_submit(traffic->options.journal, put, on_stored, stored, &err))
        on_stored(stored, &err);
}

static int read_one(void *ctx, const char *key, struct str value, struct error *err)
{
    struct traffic *traffic = ctx;
    struct traffic_state *state;
    if (strcmp(key, KEY) != 0)
        return 0;
    int code = traffic_state_read(value, &state, err);
    if (code)
        return code;
    traffic_state_free(traffic->state);
    traffic->state = state;
    return 0;
}

static int load(struct journal_txn *txn, void *arg, struct error *err)
{
    return state_each(txn, SPACE, read_one, arg, err);
}

/* --- HAProxy
 * -------------------------------------------------------------------------------------------------- */

static void plan_next(struct traffic *traffic, int64_t wait_ns)
{
    loop_timer_start(&traffic->timer, clock_mono_ns() + wait_ns, 0);
}

static void count_failure(struct traffic *traffic, const struct error *err)
{
    (void)pthread_mutex_lock(&traffic->lock);
    traffic->stats.failed++;
    (void)pthread_mutex_unlock(&traffic->lock);
    if (!traffic->failing)
        LOG_EVENT(LOG_ERROR, "traffic.failed", LF_ERROR(err));
    traffic->failing = true;
    traffic->rounds = 0;
    plan_next(traffic, traffic->interval_ns);
}

/* With the lock held. What is back is forgotten, but not while a webhook computes with the state there is. */
static void settle(struct traffic *traffic, const struct traffic_plan *plan)
{
    traffic->out = plan->out;
    traffic->held = plan->held;
    traffic->missing = plan->missing;
    if (plan->commands) {
        if (!traffic->ordered_mono_ns)
            traffic->ordered_mono_ns = clock_mono_ns();
        return;
    }
    if (traffic->rounds) {
        traffic->stats.done++;
        traffic->stats.last_duration_ns = clock_mono_ns() - traffic->ordered_mono_ns;
    }
    traffic->ordered_mono_ns = 0;
    if (!plan->back_count || traffic->receiving)
        return;
    struct traffic_state *after = traffic_state_without(traffic->state, plan->back, plan->back_count);
    traffic_state_free(traffic->state);
    traffic->state = after;
    store_later(traffic);
}

static void on_answer(void *ctx, struct str answer, const struct error *err);

static void say(struct traffic *traffic, const char *line)
{
    traffic->call = haproxy_call_start(traffic->options.loop, traffic->path, str_from(line),
                                       traffic->timeout_ns, on_answer, traffic);
}

/* `news`: what is held or missing is not what it was at the last look. */
static void log_round(const struct traffic *traffic, const struct traffic_plan *plan, bool news)
{
    if (plan->commands)
        LOG_EVENT(LOG_WARN, "traffic.switching", LF_TEXT("commands", plan->line));
    else if (traffic->rounds)
        LOG_EVENT(LOG_WARN, "traffic.switched", LF_I64("servers_out", plan->out),
                  LF_I64("servers_held_in", plan->held), LF_I64("servers_back", plan->back_count));
    if (plan->held_name && news)
        LOG_EVENT(LOG_WARN, "traffic.held", LF_TEXT("server", plan->held_name),
                  LF_TEXT("reason", "no other server of its backend would be left"));
    if (plan->missing_name && news)
        LOG_EVENT(LOG_ERROR, "traffic.unknown_server", LF_TEXT("server", plan->missing_name),
                  LF_TEXT("consequence", "HAProxy has no such server: nothing is switched for it"));
}

static void go_on(struct traffic *traffic, const struct traffic_plan *plan, struct arena *arena)
{
    if (!plan->commands) {
        traffic->rounds = 0;
        plan_next(traffic, traffic->again ? 0 : traffic->interval_ns);
        traffic->again = false;
    } else if (++traffic->rounds > ROUNDS_MAX) {
        struct error err = {0};
        (void)error_set(&err, ERR_PEER, "HAProxy takes the commands and does not follow them");
        count_failure(traffic, &err);
    } else {
        say(traffic, arena_printf(arena, "%s;" LOOK, plan->line));
    }
}

static void on_answer(void *ctx, struct str answer, const struct error *failed)
{
    struct traffic *traffic = ctx;
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct haproxy_state haproxy;
    struct traffic_plan plan;
    struct error err = failed ? *failed : (struct error){0};
    traffic->call = NULL;
    if (failed || haproxy_state_read(arena, answer, &haproxy, &err)) {
        count_failure(traffic, &err);
        return;
    }
    traffic->failing = false;
    (void)pthread_mutex_lock(&traffic->lock);
    traffic_plan_make(arena, traffic->state, traffic->config, &haproxy, clock_wall_ns(), &plan);
    bool news = plan.held != traffic->held || plan.missing != traffic->missing;
    settle(traffic, &plan);
    (void)pthread_mutex_unlock(&traffic->lock);
    log_round(traffic, &plan, news);
    go_on(traffic, &plan, arena);
}

/* Asks HAProxy, when there is anything that it may have to be told. */
static void look(struct traffic *traffic)
{
    (void)pthread_mutex_lock(&traffic->lock);
    bool due = traffic->state->taken_count && traffic->path;
    (void)pthread_mutex_unlock(&traffic->lock);
    if (traffic->call)
        traffic->again = true;
    else if (due)
        say(traffic, LOOK);
}

static void on_time(void *ctx, int64_t lateness_ns)
{
    (void)lateness_ns;
    look(ctx);
}

static void on_order(void *ctx)
{
    struct traffic *traffic = ctx;
    if (!traffic->freed)
        look(traffic);
    unref(traffic);
}

/* --- webhooks
 * ------------------------------------------------------------------------------------------------- */

/* The state that the message makes; NULL and 0 when the webhook was taken before. */
static int step(struct traffic *traffic, const char *webhook_id, const struct traffic_message *message,
                struct traffic_state **ret_after, struct error *err)
{
    *ret_after = NULL;
    if (!traffic->config)
        return error_set(err, ERR_PEER, "there are no rules of traffic");
    if (traffic->receiving)
        return error_set(err, ERR_CONFLICT, "another webhook is being taken");
    if (traffic_state_has_seen(traffic->state, webhook_id)) {
        traffic->stats.repeated++;
        return 0;
    }
    int code = traffic_state_step(traffic->state, traffic->config, webhook_id, message, clock_wall_ns(),
                                  ret_after, err);
    traffic->receiving = !code;
    return code;
}

/* A webhook on its way into the journal: of who waits, and of the journal. Guarded by traffic's lock. */
struct order {
    struct refcount refs;
    struct traffic *traffic; /* a reference, until it is committed */
    struct traffic_state *after;
    struct stored stored;
    struct error err; /* code 0: it was committed */
    bool ended;
};

static void order_unref(struct order *order)
{
    if (!refcount_put(&order->refs))
        return;
    buf_deinit(&order->stored.text);
    free(order);
}

static int put_order(struct journal_txn *txn, void *arg, struct error *err)
{
    return put(txn, &((struct order *)arg)->stored, err);
}

/* The state counts once it is committed, also when nobody waits for that any more. */
static void on_committed(void *arg, const struct error *err)
{
    struct order *order = arg;
    struct traffic *traffic = order->traffic;
    (void)pthread_mutex_lock(&traffic->lock);
    struct traffic_state *unused = err ? order->after : traffic->state;
    traffic->receiving = false;
    if (err) {
        order->err = *err;
    } else {
        traffic->state = order->after;
        traffic->stats.accepted++;
        if (!traffic->ordered_mono_ns)
            traffic->ordered_mono_ns = clock_mono_ns();
    }
    order->ended = true;
    (void)pthread_cond_broadcast(&traffic->committed);
    /* With the lock: once traffic_free() had it, there may be no loop any more. */
    bool posted =
        !err && !traffic->freed && loop_post(traffic->options.loop, "traffic.order", on_order, traffic);
    (void)pthread_mutex_unlock(&traffic->lock);
    traffic_state_free(unused);
    order_unref(order);
    if (!posted)
        unref(traffic);
}

/* A disk that takes nothing must not hold up whoever asks, nor the end of the process. */
static int await_commit(struct traffic *traffic, struct order *order, struct error *err)
{
    int64_t until_ns = clock_mono_ns() + COMMIT_TIMEOUT_NS;
    const struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    int code = 0;
    (void)pthread_mutex_lock(&traffic->lock);
    while (!order->ended && !code)
        code = pthread_cond_timedwait(&traffic->committed, &traffic->lock, &until);
    if (!order->ended)
        code = error_set(err, ERR_TIMEOUT, "the journal could not store it yet");
    else if ((code = order->err.code))
        *err = order->err;
    (void)pthread_mutex_unlock(&traffic->lock);
    order_unref(order);
    return code;
}

static int commit(struct traffic *traffic, struct traffic_state *after, struct error *err)
{
    struct order *order = xcalloc(1, sizeof *order);
    order->traffic = traffic;
    order->after = after;
    refcount_init(&order->refs);
    refcount_get(&order->refs);
    refcount_get(&traffic->refs);
    write_stored(after, &order->stored);
    int code = order->stored.text.failed
                   ? error_set(err, ERR_LIMIT, "too much to remember")
                   : journal_submit(traffic->options.journal, put_order, on_committed, order, err);
    if (code)
        on_committed(order, err);
    return await_commit(traffic, order, err);
}

int traffic_receive(struct traffic *traffic, const char *webhook_id, struct str body, struct error *err)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(MESSAGE_MAX_BYTES);
    struct traffic_message message;
    struct traffic_state *after = NULL;
    int code = traffic_message_read(arena, body, &message, err);
    if (!code) {
        (void)pthread_mutex_lock(&traffic->lock);
        code = step(traffic, webhook_id, &message, &after, err);
        (void)pthread_mutex_unlock(&traffic->lock);
    }
    if (code == ERR_PARSE || code == ERR_PEER)
        traffic_count_refused(traffic);
    if (code || !after)
        return code;
    return commit(traffic, after, err);
}

void traffic_count_refused(struct traffic *traffic)
{
    (void)pthread_mutex_lock(&traffic->lock);
    traffic->stats.refused++;
    (void)pthread_mutex_unlock(&traffic->lock);
}

/* --- begin and end
 * -------------------------------------------------------------------------------------------- */

void traffic_configure(struct traffic *traffic, const struct traffic_config *config)
{
    (void)pthread_mutex_lock(&traffic->lock);
    traffic->config = config;
    (void)pthread_mutex_unlock(&traffic->lock);
    if (!traffic->begun)
        loop_timer_init(traffic->options.loop, &traffic->timer, "traffic.look", on_time, traffic);
    traffic->begun = true;
    if (config) {
        free(traffic->path);
        traffic->path = xstrdup(config->haproxy);
        traffic->timeout_ns = config->timeout_ns;
        traffic->interval_ns = config->interval_ns;
    }
    look(traffic);
}

int traffic_new(const struct traffic_options *options, struct traffic **ret_traffic, struct error *err)
{
    struct traffic *traffic = xcalloc(1, sizeof *traffic);
    traffic->options = *options;
    traffic->state = traffic_state_new();
    traffic->timeout_ns = DEFAULT_TIMEOUT_NS;
    traffic->interval_ns = IDLE_INTERVAL_NS;
    int code = journal_run(options->journal, load, traffic, err);
    if (code) {
        traffic_state_free(traffic->state);
        free(traffic);
        return code;
    }
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&traffic->committed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&traffic->lock, NULL);
    refcount_init(&traffic->refs);
    traffic->source = hub_register(options->hub, "traffic", options->observer, 0);
    traffic->batch = batch_new(&(struct batch_options){0});
    *ret_traffic = traffic;
    return 0;
}

static void on_closed(void *ctx)
{
    struct traffic *traffic = ctx;
    loop_fn *freed = traffic->freed;
    void *freed_ctx = traffic->freed_ctx;
    hub_unregister(traffic->source);
    batch_free(traffic->batch);
    unref(traffic);
    freed(freed_ctx);
}

void traffic_free(struct traffic *traffic, loop_fn *freed, void *ctx)
{
    (void)pthread_mutex_lock(&traffic->lock);
    traffic->freed = freed;
    traffic->freed_ctx = ctx;
    (void)pthread_mutex_unlock(&traffic->lock);
    if (traffic->call)
        haproxy_call_cancel(traffic->call);
    if (traffic->begun)
        loop_timer_close(&traffic->timer, on_closed);
    else
        on_closed(traffic);
}
