/* One call carried through: quota, token, request, answer, and again where that may help. */
#include "lib/core/clock.h"
#include "lib/core/crypto.h"
#include "lib/core/log.h"
#include "lib/net/http_date.h"
#include "lib/net/http_wait.h"
#include "lib/net/retry.h"
#include "scrapers/cloud/target_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGES_MAX         1000U
#define TRIES_MAX         4U
#define ASK_AGAIN_NS      (15 * NS_PER_S)  /* a query whose own result was incomplete */
#define DISCOVER_AGAIN_NS (60 * NS_PER_S)  /* after one that failed */
#define SKEW_LEAST_NS     (60 * NS_PER_S)  /* less is not a wrong clock */
#define PATIENCE_NS       (120 * NS_PER_S) /* for a whole call with its retries */
#define THROTTLED_MIN_NS  NS_PER_S

static void admit(struct cloud_exchange *exchange);

static const struct cloud_source *source_of(const struct cloud_exchange *exchange)
{
    return exchange->target->spec.source;
}

static struct cloud_identity *identity_of(const struct cloud_exchange *exchange)
{
    unsigned credential = exchange->request.credential;
    return credential < exchange->target->spec.credential_count ? exchange->target->identities[credential]
                                                                : NULL;
}

/* --- ends ---------------------------------------------------------------------------------------------- */

static void release(struct cloud_exchange *exchange)
{
    struct cloud_target *target = exchange->target;
    loop_timer_stop(&exchange->timer);
    if (!exchange->discovers)
        cloud_reading_deinit(&exchange->reading);
    arena_reset(exchange->arena);
    arena_reset(exchange->page_arena);
    exchange->busy = false;
    exchange->call = NULL;
    target->busy--;
    cloud_target_go_on(target);
}

static void discovery_failed(struct cloud_exchange *exchange, const struct error *err)
{
    struct cloud_target *target = exchange->target;
    cloud_plan_abort(target->plan);
    target->discovering = false;
    target->discover_due_mono_ns = clock_mono_ns() + (target->discovered ? DISCOVER_AGAIN_NS : ASK_AGAIN_NS);
    target->discover_error = *err;
    (void)error_prefix(&target->discover_error, "discovery");
    release(exchange);
}

static void batch_failed(struct cloud_exchange *exchange, const struct error *err)
{
    struct cloud_target *target = exchange->target;
    int64_t now_ns = cloud_target_now(target);
    enum cloud_status status = err->code == ERR_AUTH ? CLOUD_FORBIDDEN : CLOUD_FAILED;
    for (size_t i = 0; i < exchange->batch.count; i++)
        cloud_plan_failed(target->plan, exchange->queries[i], status, err->message, now_ns, 0);
    target->failed_by_status[status] += exchange->batch.count;
    target->batches_failed++;
    target->poll_error = *err;
    release(exchange);
}

static void fail(struct cloud_exchange *exchange, const struct error *err)
{
    if (exchange->discovers)
        discovery_failed(exchange, err);
    else
        batch_failed(exchange, err);
}

static bool belongs(const struct cloud_reading_point *point, const struct cloud_series *series,
                    uint32_t width, const double *bounds)
{
    return point->series == series && point->width == width &&
           (width == 1 || memcmp(point->bounds, bounds, (width - 2) * sizeof *bounds) == 0);
}

/* Points of one series lie together in most answers, and are sorted by the account. */
static void take_points(struct cloud_exchange *exchange, int64_t now_ns)
{
    const struct cloud_reading *reading = &exchange->reading;
    struct cloud_bucket *buckets = arena_alloc(reading->arena, (reading->point_count + 1) * sizeof *buckets);
    for (size_t i = 0; i < reading->point_count;) {
        struct cloud_series *series = reading->points[i].series;
        const double *bounds = reading->points[i].bounds;
        uint32_t width = reading->points[i].width;
        size_t count = 0;
        for (; i < reading->point_count && belongs(&reading->points[i], series, width, bounds); i++) {
            const struct cloud_reading_point *point = &reading->points[i];
            buckets[count++] =
                (struct cloud_bucket){point->start_ns, point->values ? point->values : &point->value};
        }
        cloud_account_take(&series->account, buckets, count, width, bounds, exchange->batch.from_ns,
                           series->query->period_ns, now_ns, &series->metric->settle);
    }
}

static void batch_done(struct cloud_exchange *exchange)
{
    struct cloud_target *target = exchange->target;
    struct cloud_reading *reading = &exchange->reading;
    int64_t now_ns = cloud_target_now(target);
    take_points(exchange, now_ns);
    for (size_t i = 0; i < exchange->batch.count; i++) {
        const struct cloud_reading_query *told = &reading->queries[i];
        struct cloud_query *query = exchange->queries[i];
        if (told->status == CLOUD_COMPLETE) {
            cloud_plan_answered(target->plan, query, exchange->batch.to_ns, now_ns);
            continue;
        }
        bool soon = told->status == CLOUD_PARTIAL || told->status == CLOUD_FAILED;
        cloud_plan_failed(target->plan, query, told->status, told->message, now_ns,
                          soon && query->status == CLOUD_COMPLETE ? now_ns + ASK_AGAIN_NS : 0);
        target->failed_by_status[told->status]++;
    }
    target->bad_points += reading->bad_points;
    target->points_over_limit += reading->over_limit;
    target->unknown_results += reading->unknown;
    if (reading->point_count > 0)
        cloud_page_judge(target); /* series may have been made by the answer */
    target->batches_done++;
    target->polled_wall_ns = clock_wall_ns();
    release(exchange);
}

/* --- after an answer ----------------------------------------------------------------------------------- */

static void try_again_at(struct cloud_exchange *exchange, int64_t mono_ns)
{
    loop_timer_start(&exchange->timer, mono_ns, 0);
}

/* True when there will be another try. */
static bool again(struct cloud_exchange *exchange, int64_t asked_ns, bool throttled)
{
    unsigned char random;
    crypto_random(&random, sizeof random);
    int64_t pause_ns = retry_pause_ns(++exchange->tries, random), now_ns = clock_mono_ns();
    pause_ns = asked_ns > pause_ns ? asked_ns : pause_ns;
    if (throttled) {
        struct cloud_target *target = exchange->target;
        pause_ns = pause_ns > THROTTLED_MIN_NS ? pause_ns : THROTTLED_MIN_NS;
        target->counts[exchange->request.api].throttled++;
        cloud_limit_throttled(cloud_exchange_limit(exchange), now_ns, pause_ns);
    }
    if (exchange->tries >= TRIES_MAX || now_ns + pause_ns - exchange->began_mono_ns > PATIENCE_NS)
        return false;
    try_again_at(exchange, now_ns + pause_ns);
    return true;
}

static void split(struct cloud_exchange *exchange)
{
    struct cloud_target *target = exchange->target;
    struct error err = {0};
    size_t half = exchange->batch.count / 2;
    if (half == 0) {
        (void)error_set(&err, ERR_LIMIT, "the cloud refuses even one query as too much");
        fail(exchange, &err);
        return;
    }
    for (int i = 0; i < 2; i++) {
        size_t from = i ? half : 0, count = i ? exchange->batch.count - half : half;
        struct cloud_half *piece = xmalloc(sizeof *piece);
        *piece = (struct cloud_half){.queries = xcalloc(count, sizeof *piece->queries),
                                     .count = count,
                                     .from_ns = exchange->batch.from_ns,
                                     .to_ns = exchange->batch.to_ns,
                                     .next = target->halves};
        memcpy(piece->queries, exchange->queries + from, count * sizeof *piece->queries);
        target->halves = piece;
    }
    release(exchange);
}

/* What a verdict makes of the exchange, but for DONE and MORE. */
static void judge(struct cloud_exchange *exchange, const struct cloud_outcome *outcome, int64_t asked_ns,
                  struct error *err)
{
    struct cloud_identity *identity = identity_of(exchange);
    switch (outcome->verdict) {
    case CLOUD_THROTTLED:
    case CLOUD_PASSING:
        if (again(exchange, asked_ns, outcome->verdict == CLOUD_THROTTLED))
            return;
        if (!err->code)
            (void)error_set(err, ERR_UNAVAILABLE, "%s",
                            outcome->verdict == CLOUD_THROTTLED ? "throttled, also after some tries"
                                                                : "the cloud is out of order");
        break;
    case CLOUD_EXPIRED:
        if (identity && !exchange->renewed) {
            exchange->renewed = true;
            cloud_identity_refused(identity, exchange->generation);
            admit(exchange);
            return;
        }
        if (!err->code)
            (void)error_set(err, ERR_AUTH, "the credentials are refused");
        break;
    case CLOUD_SKEWED:
        if (!exchange->corrected) {
            exchange->corrected = true;
            cloud_target_set_offset(exchange->target, exchange->request.credential, outcome->clock_offset_ns);
            admit(exchange);
            return;
        }
        if (!err->code)
            (void)error_set(err, ERR_AUTH, "the clock of this machine is wrong");
        break;
    case CLOUD_SPLIT:
        if (!exchange->discovers) {
            split(exchange);
            return;
        }
        break;
    case CLOUD_DONE:
    case CLOUD_MORE:
    case CLOUD_REFUSED:
        break;
    }
    if (!err->code)
        (void)error_set(err, ERR_PEER, "the cloud refuses the request");
    exchange->target->counts[exchange->request.api].failures++;
    fail(exchange, err);
}

static void render(struct cloud_exchange *exchange)
{
    struct error err = {0};
    arena_reset(exchange->arena);
    exchange->request = (struct cloud_request){0};
    exchange->tries = 0;
    int code = source_of(exchange)->render(exchange->target->spec.state, &exchange->batch, exchange->arena,
                                           &exchange->request, &err);
    if (code)
        fail(exchange, &err);
    else
        admit(exchange);
}

/* Asks the source what discovery does next. */
static void discover_next(struct cloud_exchange *exchange, const struct http_response *answer)
{
    struct cloud_target *target = exchange->target;
    enum cloud_step step = CLOUD_READY;
    struct cloud_request request = {0};
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    /* The answer's parts may be kept until the next request is rendered: it has the arena to itself. */
    struct arena *arena = answer ? exchange->page_arena : exchange->arena;
    arena_reset(arena);
    int code =
        source_of(exchange)->discover(target->spec.state, target->plan, answer, cloud_target_now(target),
                                      arena, &step, &request, &outcome, &err);
    if (code || outcome.verdict != CLOUD_DONE) {
        int64_t asked_ns = answer ? retry_after_ns(answer->retry_after, clock_wall_ns(), PATIENCE_NS) : 0;
        judge(exchange, &outcome, asked_ns, &err);
        return;
    }
    if (answer) {
        exchange->page_arena = exchange->arena;
        exchange->arena = arena;
        cloud_limit_answered(cloud_exchange_limit(exchange), clock_mono_ns());
    }
    if (step == CLOUD_SEND) {
        exchange->request = request;
        exchange->tries = 0;
        admit(exchange);
        return;
    }
    cloud_plan_end(target->plan);
    cloud_page_judge(target);
    target->discovering = false;
    target->discovered = true;
    target->discovered_wall_ns = clock_wall_ns();
    target->discover_error.code = 0;
    memcpy(target->units_per_discovery, target->discovery_units, sizeof target->discovery_units);
    release(exchange);
}

static void read_batch(struct cloud_exchange *exchange, const struct http_response *answer,
                       struct cloud_outcome *outcome, struct error *err)
{
    struct cloud_target *target = exchange->target;
    int code =
        source_of(exchange)->read(target->spec.state, &exchange->batch, answer, cloud_target_now(target),
                                  &exchange->reading, exchange->arena, outcome, err);
    if (code)
        outcome->verdict = CLOUD_REFUSED;
}

static bool is_billed(enum cloud_verdict verdict)
{
    return verdict == CLOUD_DONE || verdict == CLOUD_MORE;
}

/* An answer that was read: of the batch, or of discovery. */
static void take_answer(struct cloud_exchange *exchange, const struct http_response *answer)
{
    struct cloud_target *target = exchange->target;
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    unsigned api = exchange->request.api;
    uint64_t units = exchange->request.units;
    if (exchange->discovers) {
        if (answer->status >= 200 && answer->status < 300) {
            cloud_cost_add(&target->cost, api, units, clock_wall_ns());
            target->discovery_units[api] += (double)units;
        }
        discover_next(exchange, answer);
        return;
    }
    read_batch(exchange, answer, &outcome, &err);
    /* A refusal with 200 was served, and is billed: malformed answers among them. */
    if (is_billed(outcome.verdict) || (answer->status >= 200 && answer->status < 300))
        cloud_cost_add(&target->cost, api, outcome.units ? outcome.units : units, clock_wall_ns());
    if (outcome.verdict == CLOUD_DONE || outcome.verdict == CLOUD_MORE)
        cloud_limit_answered(cloud_exchange_limit(exchange), clock_mono_ns());
    if (outcome.verdict == CLOUD_DONE) {
        batch_done(exchange);
    } else if (outcome.verdict == CLOUD_MORE) {
        char *page = xstrdup(outcome.page ? outcome.page : "");
        bool circle = exchange->batch.page && strcmp(page, exchange->batch.page) == 0;
        if (circle || ++exchange->pages > PAGES_MAX) {
            free(page);
            (void)error_set(&err, ERR_PEER, "the cloud gives the same page again and again");
            fail(exchange, &err);
            return;
        }
        arena_reset(exchange->page_arena);
        exchange->batch.page = arena_strdup(exchange->page_arena, str_from(page));
        free(page);
        render(exchange);
    } else
        judge(exchange, &outcome, retry_after_ns(answer->retry_after, clock_wall_ns(), PATIENCE_NS), &err);
}

/* A clock that is far off shows in every answer, also where no signature depends on it. */
static void look_at_clock(struct cloud_exchange *exchange, const struct http_response *answer)
{
    const char *date = http_response_header(answer, "Date");
    int64_t date_s;
    if (!date || !http_date_parse(str_from(date), &date_s) || date_s > INT64_MAX / NS_PER_S)
        return;
    int64_t ahead_ns = date_s * NS_PER_S - cloud_target_now(exchange->target);
    if (ahead_ns > SKEW_LEAST_NS || ahead_ns < -SKEW_LEAST_NS)
        cloud_target_set_offset(exchange->target, exchange->request.credential,
                                date_s * NS_PER_S - clock_wall_ns());
}

static void on_answer(void *ctx, const struct http_response *answer, const struct error *err)
{
    struct cloud_exchange *exchange = ctx;
    struct cloud_target *target = exchange->target;
    unsigned api = exchange->request.api;
    exchange->call = NULL;
    target->counts[api].in_flight_units -= exchange->request.units;
    if (exchange->cancelled) {
        struct error cancelled = {0};
        (void)error_set(&cancelled, ERR_CANCELLED, "the target is going");
        fail(exchange, &cancelled);
        return;
    }
    if (!err) {
        target->progress++;
        look_at_clock(exchange, answer);
        take_answer(exchange, answer);
        return;
    }
    /* Whoever was reached may have served it, and bills it. */
    if (answer && (answer->connect_ns > 0 || answer->reused_connection))
        cloud_cost_add(&target->cost, api, exchange->request.units, clock_wall_ns());
    struct error failure = *err;
    struct cloud_outcome outcome = {.verdict = retry_code_passes(err->code) ? CLOUD_PASSING : CLOUD_REFUSED};
    judge(exchange, &outcome, 0, &failure);
}

/* --- before it ----------------------------------------------------------------------------------------- */

/* `request` is copied. */
static void send(struct cloud_exchange *exchange, struct cloud_request *request)
{
    struct cloud_target *target = exchange->target;
    struct http_request *http = &request->http;
    struct error err = {0};
    int64_t now_ns = clock_mono_ns(), deadline = now_ns + target->spec.config->request_timeout_ns;
    if (http->deadline_mono_ns <= now_ns || http->deadline_mono_ns > deadline)
        http->deadline_mono_ns = deadline;
    http->tls = target->spec.tls;
    http->accept_gzip = true;
    int code = http_client_send(target->env->http, http, on_answer, exchange, &exchange->call, &err);
    if (code)
        fail(exchange, &err);
    else
        target->counts[exchange->request.api].in_flight_units += exchange->request.units;
}

static void on_token(void *ctx, const struct cloud_token *token, const struct error *err)
{
    struct cloud_exchange *exchange = ctx;
    struct cloud_target *target = exchange->target;
    const struct cloud_source *source = source_of(exchange);
    struct error failure = {0};
    if (err) {
        failure = *err;
        (void)error_prefix(&failure, "signing in");
        fail(exchange, &failure);
        return;
    }
    exchange->generation = cloud_identity_generation(identity_of(exchange));
    struct cloud_request request = exchange->request; /* stays as it is for another try */
    int code = 0;
    if (source->authorize)
        code = source->authorize(target->spec.state, token, cloud_target_now(target), exchange->arena,
                                 &request, &failure);
    else
        request.http.bearer_token = token->secret;
    if (code)
        fail(exchange, &failure);
    else
        send(exchange, &request);
}

static void ask_plainly(struct cloud_exchange *exchange)
{
    struct cloud_request request = exchange->request;
    send(exchange, &request);
}

static void admit(struct cloud_exchange *exchange)
{
    struct cloud_target *target = exchange->target;
    struct cloud_identity *identity = identity_of(exchange);
    int64_t now_ns = clock_mono_ns();
    unsigned api = exchange->request.api;
    struct error err = {0};
    if (api >= source_of(exchange)->api_count) {
        exchange->request.api = 0;
        (void)error_set(&err, ERR_CONFIG, "an unknown api is asked for");
        fail(exchange, &err);
        return;
    }
    if (!cloud_cost_allows(&target->cost, api, exchange->request.units + target->counts[api].in_flight_units,
                           clock_wall_ns())) {
        (void)error_set(&err, ERR_LIMIT, "the budget of the month is spent");
        error_set_hint(&err, "raise budget.usd_per_month, or ask for less");
        fail(exchange, &err);
        return;
    }
    int64_t at_ns = cloud_limit_take(cloud_exchange_limit(exchange), now_ns);
    if (at_ns > 0)
        try_again_at(exchange, at_ns);
    else if (identity)
        cloud_identity_token(identity, &exchange->waiter, on_token, exchange);
    else
        ask_plainly(exchange);
}

static void on_timer(void *ctx, int64_t lateness_ns)
{
    (void)lateness_ns;
    admit(ctx);
}

struct cloud_limit *cloud_exchange_limit(const struct cloud_exchange *exchange)
{
    const struct cloud_target *target = exchange->target;
    const struct cloud_api *api = &target->spec.source->apis[exchange->request.api];
    char name[512];
    (void)snprintf(name, sizeof name, "%s|%s|%s|%s", target->spec.source->name, target->account,
                   exchange->request.lane ? exchange->request.lane : "", api->name);
    return cloud_shared_limit(target->env->cloud, name, api->rate_per_s, api->burst);
}

/* --- beginnings ---------------------------------------------------------------------------------------- */

void cloud_exchange_init(struct cloud_exchange *exchange, struct cloud_target *target, size_t batch_max)
{
    exchange->target = target;
    exchange->arena = arena_new(0);
    exchange->page_arena = arena_new(0);
    exchange->queries = xcalloc(batch_max, sizeof *exchange->queries);
    loop_timer_init(target->env->loop, &exchange->timer, "cloud.exchange", on_timer, exchange);
}

static void begin(struct cloud_exchange *exchange)
{
    exchange->busy = true;
    exchange->tries = 0;
    exchange->pages = 0;
    exchange->renewed = exchange->corrected = false;
    exchange->began_mono_ns = clock_mono_ns();
    exchange->target->busy++;
}

void cloud_exchange_discover(struct cloud_exchange *exchange)
{
    begin(exchange);
    exchange->discovers = true;
    exchange->request = (struct cloud_request){0};
    exchange->target->discovering = true;
    memset(exchange->target->discovery_units, 0, sizeof exchange->target->discovery_units);
    cloud_plan_begin(exchange->target->plan);
    discover_next(exchange, NULL);
}

void cloud_exchange_poll(struct cloud_exchange *exchange, size_t count, int64_t from_ns, int64_t to_ns)
{
    begin(exchange);
    exchange->discovers = false;
    exchange->batch = (struct cloud_batch){.queries = exchange->queries,
                                           .count = count,
                                           .lane = exchange->queries[0]->lane,
                                           .period_ns = exchange->queries[0]->period_ns,
                                           .from_ns = from_ns,
                                           .to_ns = to_ns};
    cloud_reading_init(&exchange->reading, exchange->target->plan, count);
    if (from_ns < to_ns)
        render(exchange);
    else
        batch_done(exchange);
}

void cloud_exchange_cancel(struct cloud_exchange *exchange)
{
    struct error err = {0};
    if (!exchange->busy)
        return;
    exchange->cancelled = true;
    if (exchange->call) {
        http_call_cancel(exchange->call); /* on_answer() comes */
        return;
    }
    struct cloud_identity *identity = identity_of(exchange);
    if (identity && exchange->waiter.fn)
        cloud_identity_withdraw(identity, &exchange->waiter);
    (void)error_set(&err, ERR_CANCELLED, "the target is going");
    fail(exchange, &err);
}
