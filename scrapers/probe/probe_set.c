#include "lib/core/clock.h"
#include "lib/core/hash.h"
#include "lib/core/log.h"
#include "lib/core/map.h"
#include "scrapers/probe/probe_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* The heartbeat that shows our own stalls beats a few times in the shortest limit that it is judged by. */
#define BEAT_MIN_NS (2 * NS_PER_MS)
#define BEAT_MAX_NS (100 * NS_PER_MS)

static const struct probe_kind *kind_of(const struct probe_config *config)
{
    return config->http ? &probe_http : config->tcp ? &probe_tcp : &probe_postgres;
}

static void free_probe(struct probe *probe)
{
    secret_free(probe->secret);
    free(probe->name);
    free(probe->target);
    free(probe->region);
    free(probe);
}

static void free_set(struct probe_set *set)
{
    loop_fn *freed = set->freed;
    void *ctx = set->freed_ctx;
    hub_unregister(set->source);
    batch_free(set->batch);
    pthread_mutex_destroy(&set->lock);
    free(set);
    if (freed)
        freed(ctx);
}

static void set_handle_closed(struct probe_set *set)
{
    if (--set->handles == 0)
        free_set(set);
}

void probe_handle_closed(struct probe *probe)
{
    if (--probe->handles > 0)
        return;
    struct probe_set *set = probe->set;
    probe->kind->cleanup(probe);
    free_probe(probe);
    set_handle_closed(set);
}

static void on_tick_closed(void *ctx)
{
    probe_handle_closed(ctx);
}

static void on_deadline_closed(void *ctx)
{
    struct probe_attempt *attempt = ctx;
    probe_handle_closed(attempt->probe);
}

/* The probe is out of the list; what is under way ends without an outcome, as the probe is no more. */
static void close_probe(struct probe *probe)
{
    for (size_t i = 0; i < PROBE_ATTEMPTS; i++) {
        struct probe_attempt *attempt = &probe->attempts[i];
        loop_timer_close(&attempt->deadline, on_deadline_closed);
        if (attempt->state == ATTEMPT_RUNNING) {
            attempt->state = ATTEMPT_CLOSING;
            probe->kind->abort(attempt);
        }
    }
    loop_timer_close(&probe->tick, on_tick_closed);
}

static uint64_t phase_hash(const struct probe *probe)
{
    return hash_stable(str_from(probe->name)) ^ (hash_stable(str_from(probe->target)) * 3) ^
           (hash_stable(str_from(probe->region)) * 5);
}

/* Takes over a configuration; what was under way with the former one has been voided. */
static void adopt(struct probe *probe, const struct probe_config *config)
{
    bool same_grid = probe->config && probe->grid.interval_ns == config->interval_ns;
    if (probe->kind)
        probe->kind->cleanup(probe);
    probe->config = config;
    probe->kind = kind_of(config);
    secret_free(TAKE(probe->secret));
    probe->secret_tried_ns = 0;
    probe->kind->prepare(probe);
    if (!same_grid)
        probe_grid_init(&probe->grid, config->interval_ns, phase_hash(probe), clock_mono_ns());
    loop_timer_start(&probe->tick, probe->grid.next_due_ns, 0);
}

static struct probe *new_probe(struct probe_set *set, const struct probe_config *config)
{
    struct probe *probe = xcalloc(1, sizeof *probe);
    probe->set = set;
    probe->name = xstrdup(config->name);
    probe->target = xstrdup(config->target);
    probe->region = xstrdup(config->region);
    probe->labels[0] = LABEL_TEXT("observer", set->env.observer);
    probe->labels[1] = LABEL_TEXT("probe", probe->name);
    probe->labels[2] = LABEL_TEXT("region", probe->region);
    probe->labels[3] = LABEL_TEXT("target", probe->target);
    histogram_init(&probe->durations, probe_duration_bounds, probe_duration_bound_count);
    probe->status = (struct probe_status){
        .name = probe->name, .target = probe->target, .region = probe->region, .outcome = SLI_UNKNOWN};
    loop_timer_init(set->env.loop, &probe->tick, "probe.tick", probe_run_tick, probe);
    for (size_t i = 0; i < PROBE_ATTEMPTS; i++) {
        probe->attempts[i].probe = probe;
        loop_timer_init(set->env.loop, &probe->attempts[i].deadline, "probe.deadline", probe_run_deadline,
                        &probe->attempts[i]);
    }
    probe->handles = 1 + PROBE_ATTEMPTS;
    set->handles++;
    return probe;
}

static bool is_same(const struct probe *probe, const struct probe_config *config)
{
    return strcmp(probe->name, config->name) == 0 && strcmp(probe->target, config->target) == 0 &&
           strcmp(probe->region, config->region) == 0;
}

/* Takes the probe of this identity out of the list. */
static struct probe *take_probe(struct probe **list, const struct probe_config *config)
{
    for (struct probe **link = list; *link; link = &(*link)->next) {
        if (is_same(*link, config)) {
            struct probe *probe = *link;
            *link = probe->next;
            return probe;
        }
    }
    return NULL;
}

static int check_one(const struct probe_config *config, struct map *seen, struct arena *arena,
                     struct error *err)
{
    if (config->timeout_ns > config->interval_ns) {
        error_set(err, ERR_CONFIG, "probe %s: timeout is above interval", config->name);
    } else {
        const char *key = arena_printf(arena, "%s\n%s\n%s", config->name, config->target, config->region);
        if (!map_put(seen, str_from(key), (void *)(uintptr_t)config))
            return 0;
        error_set(err, ERR_CONFIG, "two probes have the name %s, target %s and region %s", config->name,
                  config->target, config->region);
        error_set_hint(err, "give one of them a `target` of its own");
    }
    const struct option_position *at = &config->position;
    error_set_position(err, at->file, at->line, at->column);
    return ERR_CONFIG;
}

static int check_all(const struct probe_config *const *configs, size_t count, struct error *err)
{
    CLEANUP(arena_free_cleanup) struct arena *arena = arena_new(0);
    struct map seen;
    int rc = 0;
    map_init(&seen);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = check_one(configs[i], &seen, arena, err);
    map_deinit(&seen);
    return rc;
}

static void set_beat(struct probe_set *set)
{
    int64_t shortest_ns = BEAT_MAX_NS * 4;
    for (const struct probe *probe = set->probes; probe; probe = probe->next) {
        if (probe->config->timeout_ns < shortest_ns)
            shortest_ns = probe->config->timeout_ns;
    }
    set->beat_period_ns = shortest_ns / 4 > BEAT_MIN_NS ? shortest_ns / 4 : BEAT_MIN_NS;
    if (set->probes)
        probe_run_beat(set, 0);
}

int probe_set_configure(struct probe_set *set, const struct probe_config *const *configs, size_t count,
                        struct error *err)
{
    if (check_all(configs, count, err) != 0)
        return ERR_CONFIG;
    struct probe *former = set->probes, *list = NULL, **end = &list;
    loop_timer_stop(&set->heartbeat);
    set->beat_due_ns = 0;
    for (struct probe *probe = former; probe; probe = probe->next)
        probe_run_void(probe, "the configuration was reloaded");
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < count; i++) {
        struct probe *probe = take_probe(&former, configs[i]);
        if (!probe)
            probe = new_probe(set, configs[i]);
        adopt(probe, configs[i]);
        *end = probe;
        probe->next = NULL;
        end = &probe->next;
    }
    set->probes = list;
    pthread_mutex_unlock(&set->lock);
    while (former) {
        struct probe *probe = former;
        former = probe->next;
        close_probe(probe);
    }
    set_beat(set);
    probe_publish_tick(set, 0);
    return 0;
}

int probe_set_new(const struct probe_env *env, struct probe_set **ret_set, struct error *err)
{
    (void)err;
    struct probe_set *set = xcalloc(1, sizeof *set);
    const struct batch_options options = {.max_series = LIMIT_SERIES};
    set->env = *env;
    set->batch = batch_new(&options);
    set->source = hub_register(env->hub, "probe", "probes", 0);
    (void)pthread_mutex_init(&set->lock, NULL);
    loop_timer_init(env->loop, &set->heartbeat, "probe.heartbeat", probe_run_beat, set);
    loop_timer_init(env->loop, &set->publish, "probe.publish", probe_publish_tick, set);
    set->handles = 2;
    *ret_set = set;
    return 0;
}

void probe_set_status(struct probe_set *set, void (*fn)(void *ctx, const struct probe_status *status),
                      void *ctx)
{
    pthread_mutex_lock(&set->lock);
    for (const struct probe *probe = set->probes; probe; probe = probe->next)
        fn(ctx, &probe->status);
    pthread_mutex_unlock(&set->lock);
}

static void on_set_timer_closed(void *ctx)
{
    set_handle_closed(ctx);
}

void probe_set_free(struct probe_set *set, loop_fn *freed, void *ctx)
{
    set->closing = true;
    set->freed = freed;
    set->freed_ctx = ctx;
    pthread_mutex_lock(&set->lock);
    struct probe *list = TAKE(set->probes);
    pthread_mutex_unlock(&set->lock);
    while (list) {
        struct probe *probe = list;
        list = probe->next;
        close_probe(probe);
    }
    loop_timer_close(&set->heartbeat, on_set_timer_closed);
    loop_timer_close(&set->publish, on_set_timer_closed);
}
