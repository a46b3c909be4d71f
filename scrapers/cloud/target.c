#include "scrapers/cloud/target_internal.h"

#include "lib/core/clock.h"
#include "lib/core/hash.h"

#include <assert.h>
#include <stdlib.h>

#define JITTER_MAX_NS (5 * NS_PER_S)

/* --- the clock ----------------------------------------------------------------------------------------- */

int64_t cloud_target_now(const struct cloud_target *target)
{
    int64_t offset_ns = target->spec.credential_count ? cloud_identity_offset_ns(target->identities[0])
                                                      : target->clock_offset_ns;
    return clock_wall_ns() + offset_ns;
}

void cloud_target_set_offset(struct cloud_target *target, unsigned credential, int64_t offset_ns)
{
    (void)credential; /* one cloud has one time */
    target->clock_offset_ns = offset_ns;
    for (size_t i = 0; i < target->spec.credential_count; i++)
        cloud_identity_set_offset(target->identities[i], offset_ns);
}

/* --- life ---------------------------------------------------------------------------------------------- */

static void free_selectors(struct selector **selectors, size_t count)
{
    for (size_t i = 0; selectors && i < count; i++)
        selector_free(selectors[i]);
    free(selectors);
}

static void free_halves(struct cloud_target *target)
{
    while (target->halves) {
        struct cloud_half *half = target->halves;
        target->halves = half->next;
        free(half->queries);
        free(half);
    }
}

static void free_target(struct cloud_target *target)
{
    for (size_t i = 0; i < target->exchange_count; i++) {
        arena_free(target->exchanges[i].arena);
        arena_free(target->exchanges[i].page_arena);
        free(target->exchanges[i].queries);
    }
    free(target->exchanges);
    free_halves(target);
    cloud_store_free(target->store);
    cloud_plan_free(target->plan);
    batch_free(target->page);
    free_selectors(target->keep, target->spec.config->keep.count);
    free_selectors(target->drop, target->spec.config->drop.count);
    for (size_t i = 0; i < CLOUD_CREDENTIALS_MAX; i++)
        cloud_identity_release(target->identities[i]);
    if (target->spec.source->free)
        target->spec.source->free(target->spec.state);
    free(target->account);
    free(target);
}

static int parse_selectors(const struct string_list *texts, struct selector ***ret_selectors,
                           struct error *err)
{
    *ret_selectors = xcalloc(texts->count + 1, sizeof **ret_selectors);
    for (size_t i = 0; i < texts->count; i++) {
        int code = selector_parse(texts->items[i], &(*ret_selectors)[i], err);
        if (code)
            return error_prefix(err, "selector \"%s\"", texts->items[i]);
    }
    return 0;
}

static void make_plan(struct cloud_target *target)
{
    const struct cloud_source *source = target->spec.source;
    const struct cloud_config *config = target->spec.config;
    uint64_t max_series = target->spec.target->max_series;
    const struct cloud_plan_options options = {
        .settle_ns = source->settle_ns,
        .late_ns = source->late_ns,
        .retention_ns = source->retention_ns,
        .catch_up_ns = config->catch_up_ns,
        .jitter_ns = (int64_t)(hash_stable(str_from(target->spec.target->name)) % (uint64_t)JITTER_MAX_NS),
        .max_series = max_series ? max_series : LIMIT_SERIES_PER_TARGET,
    };
    target->plan = cloud_plan_new(&options);
    double budget_usd = config->budget ? (double)config->budget->microusd_per_month / 1e6 : 0;
    cloud_cost_init(&target->cost, source->apis, source->api_count, budget_usd);
    /* The maximum is the plan's; the page has counters, words of the vocabulary and our own lines besides. */
    target->page =
        batch_new(&(struct batch_options){.max_series = (uint32_t)(options.max_series * 4 + 10000)});
}

static void on_deadline(void *ctx, int64_t lateness_ns);

static void make_exchanges(struct cloud_target *target)
{
    target->exchange_count = 1 + (size_t)target->spec.config->concurrency;
    target->exchanges = xcalloc(target->exchange_count, sizeof *target->exchanges);
    for (size_t i = 0; i < target->exchange_count; i++)
        cloud_exchange_init(&target->exchanges[i], target, target->spec.source->batch_max);
    loop_timer_init(target->env->loop, &target->deadline, "cloud.deadline", on_deadline, target);
}

int cloud_target_new(const struct scraper_env *env, const struct cloud_target_spec *spec,
                     struct cloud_target **ret_target, struct error *err)
{
    struct cloud_target *target = xcalloc(1, sizeof *target);
    *target = (struct cloud_target){.env = env, .spec = *spec};
    int code = env->cloud ? 0 : error_set(err, ERR_CONFIG, "cloud sources are not available here");
    if (!code)
        code = parse_selectors(&spec->config->keep, &target->keep, err);
    if (!code)
        code = parse_selectors(&spec->config->drop, &target->drop, err);
    if (code) {
        free_target(target);
        return code;
    }
    for (size_t i = 0; i < spec->credential_count; i++)
        target->identities[i] = cloud_identity_open(env->cloud, &spec->credentials[i]);
    target->account = xstrdup(spec->account                ? spec->account
                              : spec->credential_count > 0 ? spec->credentials[0].key
                                                           : spec->target->name);
    make_plan(target);
    make_exchanges(target);
    target->store = cloud_store_new(target);
    *ret_target = target;
    return 0;
}

/* --- what is begun ------------------------------------------------------------------------------------- */

static void plan_cost(struct cloud_target *target)
{
    const struct cloud_source *source = target->spec.source;
    double discoveries_per_hour = (double)(3600 * NS_PER_S) / (double)target->spec.config->discover_every_ns;
    for (unsigned api = 0; api < source->api_count; api++)
        target->units_per_hour[api] = cloud_plan_units_per_hour(target->plan, api) +
                                      target->units_per_discovery[api] * discoveries_per_hour;
    (void)cloud_cost_plan(&target->cost, target->units_per_hour, clock_wall_ns());
}

static struct cloud_exchange *idle_exchange(struct cloud_target *target)
{
    for (size_t i = 1; i < target->exchange_count; i++) {
        if (!target->exchanges[i].busy)
            return &target->exchanges[i];
    }
    return NULL;
}

static bool begin_half(struct cloud_target *target, struct cloud_exchange *exchange)
{
    struct cloud_half *half = target->halves;
    if (!half)
        return false;
    target->halves = half->next;
    memcpy(exchange->queries, half->queries, half->count * sizeof(struct cloud_query *));
    size_t count = half->count;
    int64_t from_ns = half->from_ns, to_ns = half->to_ns;
    free(half->queries);
    free(half);
    cloud_exchange_poll(exchange, count, from_ns, to_ns);
    return true;
}

/* Discovery has the plan to itself: it begins when nothing is under way, and nothing begins before it ends.
 */
static void begin_what_is_due(struct cloud_target *target)
{
    int64_t now_ns = clock_mono_ns();
    if (target->closing || !target->loaded || target->discovering)
        return;
    if (now_ns >= target->discover_due_mono_ns && !target->halves) {
        if (target->busy > 0)
            return;
        target->discover_due_mono_ns =
            now_ns + (int64_t)((double)target->spec.config->discover_every_ns * target->cost.stretch);
        cloud_exchange_discover(&target->exchanges[0]);
        return;
    }
    if (!target->discovered)
        return;
    for (struct cloud_exchange *exchange = idle_exchange(target); exchange;
         exchange = idle_exchange(target)) {
        int64_t from_ns, to_ns;
        if (begin_half(target, exchange))
            continue;
        const struct cloud_source *source = target->spec.source;
        size_t count =
            cloud_plan_take(target->plan, cloud_target_now(target), target->cost.stretch, source->batch_max,
                            source->points_max, exchange->queries, &from_ns, &to_ns);
        if (count == 0)
            return;
        cloud_exchange_poll(exchange, count, from_ns, to_ns);
    }
}

/* --- scrapes ------------------------------------------------------------------------------------------- */

static const struct error *error_of_scrape(const struct cloud_target *target)
{
    if (target->poll_error.code)
        return &target->poll_error;
    return target->discover_error.code ? &target->discover_error : NULL;
}

static void finish_scrape(struct cloud_target *target, const struct error *err)
{
    scraper_done_fn *done = TAKE(target->done);
    loop_timer_stop(&target->deadline);
    if (target->batches_done > 0 && target->batches_failed == 0)
        target->poll_error.code = 0;
    else if (target->batches_done > 0 && !err)
        target->poll_error.code = 0; /* some were answered: the rest shows query by query */
    target->batches_done = target->batches_failed = 0;
    struct error failure = {0};
    const struct error *found = err ? err : error_of_scrape(target);
    if (found)
        failure = *found;
    done(target->done_ctx, cloud_page_make(target), found ? &failure : NULL);
}

static void on_deadline(void *ctx, int64_t lateness_ns)
{
    struct cloud_target *target = ctx;
    struct error err = {0};
    (void)lateness_ns;
    if (!target->done)
        return;
    bool stuck = target->busy > 0 && target->progress == target->progress_at_scrape;
    if (stuck)
        (void)error_set(&err, ERR_TIMEOUT, "the cloud has not answered yet");
    else if (!target->loaded)
        (void)error_set(&err, ERR_TIMEOUT, "the journal has not answered yet");
    finish_scrape(target, err.code ? &err : NULL);
}

static void finish_destroying(struct cloud_target *target);

void cloud_target_go_on(struct cloud_target *target)
{
    target->go_again = true;
    if (target->going_on)
        return;
    target->going_on = true;
    while (target->go_again) {
        target->go_again = false;
        begin_what_is_due(target);
    }
    target->going_on = false;
    if (target->busy > 0)
        return;
    if (target->closing) {
        finish_destroying(target);
        return;
    }
    if (!target->loaded && cloud_store_busy(target->store))
        return;
    if (cloud_store_commit(target->store) || cloud_store_busy(target->store))
        return; /* what was read is shown once it is committed */
    if (target->done)
        finish_scrape(target, NULL);
}

void cloud_target_scrape(void *target_pointer, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx)
{
    struct cloud_target *target = target_pointer;
    assert(!target->done);
    target->done = done;
    target->done_ctx = ctx;
    target->progress_at_scrape = target->progress;
    loop_timer_start(&target->deadline, deadline_mono_ns, 0);
    if (!target->loaded)
        cloud_store_load(target->store);
    plan_cost(target);
    cloud_target_go_on(target);
}

/* --- the end ------------------------------------------------------------------------------------------- */

static void on_timer_closed(struct cloud_target *target)
{
    if (--target->timers_open > 0)
        return;
    loop_fn *destroyed = target->destroyed;
    void *ctx = target->destroyed_ctx;
    free_target(target);
    destroyed(ctx);
}

static void on_exchange_timer_closed(void *ctx)
{
    on_timer_closed(((struct cloud_exchange *)ctx)->target);
}

static void on_deadline_timer_closed(void *ctx)
{
    on_timer_closed(ctx);
}

static void finish_destroying(struct cloud_target *target)
{
    if (target->timers_open > 0 || !target->destroyed)
        return;
    struct error err = {0};
    if (target->done) {
        (void)error_set(&err, ERR_CANCELLED, "the scrape was cancelled");
        finish_scrape(target, &err);
    }
    (void)cloud_store_commit(target->store); /* what was read since: it goes on without us */
    target->timers_open = target->exchange_count + 1;
    for (size_t i = 0; i < target->exchange_count; i++)
        loop_timer_close(&target->exchanges[i].timer, on_exchange_timer_closed);
    loop_timer_close(&target->deadline, on_deadline_timer_closed);
}

void cloud_target_cancel(void *target_pointer)
{
    struct cloud_target *target = target_pointer;
    struct error err = {0};
    if (!target->done)
        return;
    (void)error_set(&err, ERR_CANCELLED, "the scrape was cancelled");
    finish_scrape(target, &err);
}

void cloud_target_destroy(void *target_pointer, loop_fn *destroyed, void *ctx)
{
    struct cloud_target *target = target_pointer;
    target->destroyed = destroyed;
    target->destroyed_ctx = ctx;
    target->closing = true;
    free_halves(target);
    target->going_on = true; /* nothing begins, and the end comes once */
    for (size_t i = 0; i < target->exchange_count; i++)
        cloud_exchange_cancel(&target->exchanges[i]);
    target->going_on = false;
    cloud_target_go_on(target);
}
