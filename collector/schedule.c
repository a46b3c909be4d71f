#include "collector/schedule.h"

#include "lib/core/clock.h"
#include "lib/core/hash.h"
#include "lib/core/log.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct target {
    struct schedule *schedule;
    struct config *generation; /* keeps `config` alive */
    const struct scraper_kind *kind;
    const struct scraper_target *config;
    unsigned char identity[OPTION_DIGEST_BYTES]; /* of the effective configuration: equal means unchanged */
    void *state;                                 /* of the scraper; NULL when it could not be made */
    struct loop_timer timer;
    struct hub_source *source, *meta_source;
    struct batch *meta;
    int64_t started_ns;
    bool running, closing, kept;
    struct schedule_status status; /* lock: schedule->lock; writer: the scrape loop */
    struct target *next;
};

struct schedule {
    struct scraper_env env;
    struct target *targets; /* list: schedule->lock for readers off the loop */
    size_t count;           /* including those that are closing */
    uint32_t next_order;
    loop_fn *freed;
    void *freed_ctx;
    pthread_mutex_t lock;
};

static const struct metric_desc up_desc = {"fraiseql_target_up", METRIC_GAUGE,
                                           "Whether the last scrape of the target succeeded.", NULL};
static const struct metric_desc duration_desc = {"fraiseql_target_scrape_duration_seconds", METRIC_GAUGE,
                                                 "Duration of the last scrape of the target.", "seconds"};
static const struct metric_desc success_desc = {
    "fraiseql_target_last_success_timestamp_seconds", METRIC_GAUGE,
    "When the last successful scrape of the target began.", "seconds"};
static const struct metric_desc series_desc = {"fraiseql_target_series", METRIC_GAUGE,
                                               "Series that the last scrape of the target gave.", NULL};
static const struct metric_desc skipped_desc = {"fraiseql_target_scrapes_skipped_total", METRIC_COUNTER,
                                                "Scrapes not begun because the one before had not ended.",
                                                NULL};
static const struct metric_desc scrapes_desc = {"fraiseql_target_scrapes_total", METRIC_COUNTER,
                                                "Scrapes of the target that have ended.", NULL};
static const struct metric_desc failures_desc = {"fraiseql_target_scrape_failures_total", METRIC_COUNTER,
                                                 "Scrapes of the target that have failed.", NULL};
static const struct metric_desc refused_desc = {"fraiseql_target_snapshots_refused_total", METRIC_COUNTER,
                                                "Snapshots of the target refused by a limit on series.",
                                                NULL};

static void log_publish_error(const struct target *target, const struct error *err)
{
    LOG_EVENT(LOG_WARN, "target.not_published", LF_TEXT("scraper", target->kind->name),
              LF_TEXT("target", target->config->name), LF_ERROR(err));
}

static void publish_meta(struct target *target)
{
    const struct schedule_status *status = &target->status;
    struct batch *batch = target->meta;
    batch_begin(batch);
    batch_put(batch, &up_desc, NULL, 0, VALUE_OF_BOOL(status->up));
    batch_put(batch, &series_desc, NULL, 0, VALUE_OF_U64(status->series));
    batch_put(batch, &skipped_desc, NULL, 0, VALUE_OF_U64(status->skipped));
    batch_put(batch, &scrapes_desc, NULL, 0, VALUE_OF_U64(status->scrapes));
    batch_put(batch, &failures_desc, NULL, 0, VALUE_OF_U64(status->failures));
    batch_put(batch, &refused_desc, NULL, 0, VALUE_OF_U64(status->refused));
    if (status->seen)
        batch_put(batch, &duration_desc, NULL, 0, VALUE_OF_F64((double)status->last_duration_ns / 1e9));
    if (status->last_success_wall_ns)
        batch_put(batch, &success_desc, NULL, 0,
                  VALUE_OF_F64((double)(status->last_success_wall_ns / NS_PER_MS) / 1e3));
    struct error err = {0};
    if (hub_publish(target->meta_source, batch_finish(batch, clock_wall_ns(), clock_mono_ns()), &err) != 0)
        log_publish_error(target, &err);
}

static void log_transition(const struct target *target, bool was_up, bool was_seen, const struct error *err)
{
    if (err && (was_up || !was_seen))
        LOG_EVENT(LOG_WARN, "target.down", LF_TEXT("scraper", target->kind->name),
                  LF_TEXT("target", target->config->name), LF_TEXT("region", target->config->region),
                  LF_ERROR(err));
    else if (!err && was_seen && !was_up)
        LOG_EVENT(LOG_INFO, "target.up", LF_TEXT("scraper", target->kind->name),
                  LF_TEXT("target", target->config->name), LF_TEXT("region", target->config->region));
}

static void record(struct target *target, uint64_t series, bool refused, const struct error *err)
{
    struct schedule_status *status = &target->status;
    bool was_up = status->up, was_seen = status->seen;
    (void)pthread_mutex_lock(&target->schedule->lock);
    status->seen = true;
    status->up = !err;
    status->series = series;
    status->scrapes++;
    status->failures += err ? 1 : 0;
    status->refused += refused ? 1 : 0;
    status->last_duration_ns = clock_mono_ns() - target->started_ns;
    if (!err)
        status->last_success_wall_ns = clock_wall_ns() - status->last_duration_ns;
    status->error[0] = '\0';
    if (err)
        error_format(err, status->error, sizeof status->error);
    (void)pthread_mutex_unlock(&target->schedule->lock);
    log_transition(target, was_up, was_seen, err);
}

static void on_scraped(void *ctx, struct snapshot *snapshot, const struct error *err)
{
    struct target *target = ctx;
    uint64_t series = snapshot ? snapshot->shape->series_count : 0;
    struct error refused = {0};
    target->running = false;
    if (target->closing) {
        (void)snapshot_unref(snapshot);
        return;
    }
    bool is_refused = hub_publish(target->source, snapshot, &refused) != 0;
    if (is_refused)
        log_publish_error(target, &refused);
    record(target, is_refused ? 0 : series, is_refused, err ? err : is_refused ? &refused : NULL);
    publish_meta(target);
}

static void on_tick(void *ctx, int64_t lateness_ns)
{
    struct target *target = ctx;
    (void)lateness_ns;
    if (target->running) {
        (void)pthread_mutex_lock(&target->schedule->lock);
        target->status.skipped++;
        (void)pthread_mutex_unlock(&target->schedule->lock);
        return;
    }
    target->running = true;
    target->started_ns = clock_mono_ns();
    target->kind->scrape(target->state, target->started_ns + target->config->timeout_ns, on_scraped, target);
}

/* --- targets come and go
 * -------------------------------------------------------------------------------------- */

static void free_target(struct target *target)
{
    struct schedule *schedule = target->schedule;
    batch_free(target->meta);
    (void)config_unref(target->generation);
    free(target);
    schedule->count--;
    if (schedule->freed && schedule->count == 0) {
        loop_fn *freed = schedule->freed;
        void *ctx = schedule->freed_ctx;
        (void)pthread_mutex_destroy(&schedule->lock);
        free(schedule);
        freed(ctx);
    }
}

static void on_destroyed(void *ctx)
{
    free_target(ctx);
}

static void on_timer_closed(void *ctx)
{
    struct target *target = ctx;
    if (!target->state) {
        free_target(target);
        return;
    }
    target->kind->cancel(target->state);
    target->kind->destroy(target->state, on_destroyed, target);
}

static void close_target(struct target *target)
{
    target->closing = true;
    hub_unregister(target->source);
    hub_unregister(target->meta_source);
    loop_timer_close(&target->timer, on_timer_closed);
}

static struct batch *make_meta_batch(const struct target *target)
{
    const struct label common[] = {LABEL_TEXT("scraper", target->kind->name),
                                   LABEL_TEXT("target", target->config->name),
                                   LABEL_TEXT("region", target->config->region)};
    return batch_new(&(struct batch_options){.common = common, .common_count = ARRAY_LEN(common)});
}

static void begin_ticking(struct target *target)
{
    int64_t interval_ns = target->config->interval_ns;
    uint64_t jitter = hash_stable(str_from(target->config->name)) % (uint64_t)interval_ns;
    /* The first scrape comes soon whatever the interval, then the grid of the jitter. */
    int64_t now = clock_mono_ns();
    int64_t soon = now + (int64_t)(jitter % (uint64_t)(interval_ns < NS_PER_S ? interval_ns : NS_PER_S));
    loop_timer_start(&target->timer, soon, interval_ns);
}

static void add_target(struct schedule *schedule, struct config *generation, const struct scraper_kind *kind,
                       const struct scraper_target *config)
{
    struct target *target = xcalloc(1, sizeof *target);
    *target = (struct target){.schedule = schedule,
                              .generation = config_ref(generation),
                              .kind = kind,
                              .config = config,
                              .kept = true};
    option_digest(kind->section, config, target->identity);
    target->status =
        (struct schedule_status){.scraper = kind->name, .name = config->name, .region = config->region};
    target->meta = make_meta_batch(target);
    target->source = hub_register(schedule->env.hub, kind->name, config->name, schedule->next_order++);
    target->meta_source = hub_register(schedule->env.hub, kind->name, config->name, schedule->next_order++);
    loop_timer_init(schedule->env.loop, &target->timer, "scrape", on_tick, target);
    struct error err = {0};
    if (kind->create(&schedule->env, config, &target->state, &err) != 0) {
        target->state = NULL;
        target->started_ns = clock_mono_ns();
        record(target, 0, false, &err);
    }
    publish_meta(target);
    (void)pthread_mutex_lock(&schedule->lock);
    struct target **end = &schedule->targets;
    while (*end)
        end = &(*end)->next;
    *end = target;
    schedule->count++;
    (void)pthread_mutex_unlock(&schedule->lock);
    if (target->state)
        begin_ticking(target);
}

static bool keep_target(struct schedule *schedule, const struct scraper_kind *kind,
                        const struct scraper_target *config)
{
    unsigned char identity[OPTION_DIGEST_BYTES];
    option_digest(kind->section, config, identity);
    for (struct target *target = schedule->targets; target; target = target->next) {
        if (!target->kept && target->kind == kind && memcmp(target->identity, identity, sizeof identity) == 0)
            return target->kept = true;
    }
    return false;
}

/* Unlinks and closes what the new generation does not have. */
static void drop_targets(struct schedule *schedule)
{
    struct target *dropped = NULL;
    (void)pthread_mutex_lock(&schedule->lock);
    for (struct target **link = &schedule->targets; *link;) {
        struct target *target = *link;
        if (target->kept) {
            link = &target->next;
            continue;
        }
        *link = target->next;
        target->next = dropped;
        dropped = target;
    }
    (void)pthread_mutex_unlock(&schedule->lock);
    while (dropped) {
        struct target *next = dropped->next;
        close_target(dropped);
        dropped = next;
    }
}

struct wanted {
    const struct scraper_kind *kind;
    const struct scraper_target *config;
};

void schedule_configure(struct schedule *schedule, struct config *config)
{
    for (struct target *target = schedule->targets; target; target = target->next)
        target->kept = false;
    size_t total = 0, count = 0;
    for (size_t k = 0; scraper_kinds[k]; k++)
        total += config->all.scrapers[k].count;
    struct wanted *wanted = xcalloc(total + 1, sizeof *wanted);
    for (size_t k = 0; scraper_kinds[k]; k++) {
        const struct section_list *list = &config->all.scrapers[k];
        for (size_t i = 0; i < list->count; i++) {
            const struct scraper_target *target = config_element(list, scraper_kinds[k]->section, i);
            if (!keep_target(schedule, scraper_kinds[k], target))
                wanted[count++] = (struct wanted){scraper_kinds[k], target};
        }
    }
    /* New ones first: what they replace may hand something over (a bound on lag goes on growing). */
    for (size_t i = 0; i < count; i++)
        add_target(schedule, config, wanted[i].kind, wanted[i].config);
    drop_targets(schedule);
    free(wanted);
}

int schedule_new(const struct scraper_env *env, struct schedule **ret_schedule, struct error *err)
{
    struct schedule *schedule = xcalloc(1, sizeof *schedule);
    schedule->env = *env;
    schedule->next_order = 1000; /* own sources come first when types clash */
    int code = pthread_mutex_init(&schedule->lock, NULL);
    if (code) {
        free(schedule);
        return error_set_errno(err, code, "cannot make the schedule's lock");
    }
    *ret_schedule = schedule;
    return 0;
}

void schedule_free(struct schedule *schedule, loop_fn *freed, void *ctx)
{
    assert(!schedule->freed);
    for (struct target *target = schedule->targets; target; target = target->next)
        target->kept = false;
    schedule->count++; /* held until the list is walked, so that the last target cannot free us early */
    schedule->freed = freed;
    schedule->freed_ctx = ctx;
    drop_targets(schedule);
    struct target *anchor = xcalloc(1, sizeof *anchor);
    anchor->schedule = schedule;
    free_target(anchor);
}

void schedule_status(struct schedule *schedule, void (*fn)(void *ctx, const struct schedule_status *status),
                     void *ctx)
{
    (void)pthread_mutex_lock(&schedule->lock);
    for (const struct target *target = schedule->targets; target; target = target->next)
        fn(ctx, &target->status);
    (void)pthread_mutex_unlock(&schedule->lock);
}
