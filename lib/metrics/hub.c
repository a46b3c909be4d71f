#include "lib/metrics/hub_internal.h"

#include "lib/core/limits.h"
#include "lib/metrics/snapshot_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct hub_source {
    struct hub *hub;
    char *scraper, *target;
    uint32_t order;
    uint64_t id;
    struct snapshot *snapshot; /* guarded by hub->lock; NULL while there is none */
};

struct observer {
    hub_observer_fn *fn;
    void *ctx;
};

struct hub {
    pthread_mutex_t lock; /* guards everything below; held for O(sources) and never while anyone renders */
    uint64_t max_series, series, publishes, refused;
    uint64_t version;            /* of the set of shapes: what a plan is made for */
    struct hub_source **sources; /* by order, then id */
    size_t source_count, source_capacity;
    struct hub_plan *plan; /* of this version, or NULL */
    struct observer *observers;
    size_t observer_count;
};

struct view_block {
    struct hub_view view;
    struct hub_plan *plan;
    struct snapshot **snapshots;
    uint32_t snapshot_count;
};

struct hub *hub_new(const struct hub_options *options)
{
    struct hub *hub = xcalloc(1, sizeof *hub);
    (void)pthread_mutex_init(&hub->lock, NULL);
    hub->max_series = options && options->max_series ? options->max_series : LIMIT_SERIES;
    return hub;
}

void hub_free(struct hub *hub)
{
    if (!hub)
        return;
    assert(hub->source_count == 0);
    (void)hub_plan_unref(hub->plan);
    (void)pthread_mutex_destroy(&hub->lock);
    free(hub->sources);
    free(hub->observers);
    free(hub);
}

void hub_set_max_series(struct hub *hub, uint64_t max_series)
{
    (void)pthread_mutex_lock(&hub->lock);
    hub->max_series = max_series ? max_series : LIMIT_SERIES;
    (void)pthread_mutex_unlock(&hub->lock);
}

struct hub_source *hub_register(struct hub *hub, const char *scraper, const char *target, uint32_t order)
{
    static struct counter last_id; /* ids are unique in the process */
    struct hub_source *source = xcalloc(1, sizeof *source);
    *source = (struct hub_source){.hub = hub,
                                  .scraper = xstrdup(scraper),
                                  .target = xstrdup(target),
                                  .order = order,
                                  .id = counter_draw(&last_id, 1) + 1};
    (void)pthread_mutex_lock(&hub->lock);
    if (hub->source_count == hub->source_capacity) {
        hub->source_capacity = hub->source_capacity ? hub->source_capacity * 2 : 16;
        hub->sources = xrealloc(hub->sources, hub->source_capacity * sizeof(struct hub_source *));
    }
    size_t at = hub->source_count++;
    for (; at > 0 && hub->sources[at - 1]->order > order; at--)
        hub->sources[at] = hub->sources[at - 1];
    hub->sources[at] = source;
    (void)pthread_mutex_unlock(&hub->lock);
    return source;
}

/* With the lock: what the source had is taken out; the caller unrefs both outside the lock. */
static void replace_snapshot(struct hub_source *source, struct snapshot *snapshot, struct snapshot **ret_old,
                             struct hub_plan **ret_plan)
{
    struct hub *hub = source->hub;
    struct snapshot *old = source->snapshot;
    hub->series += snapshot ? snapshot->shape->slot_count : 0;
    hub->series -= old ? old->shape->slot_count : 0;
    if ((old ? old->shape : NULL) != (snapshot ? snapshot->shape : NULL)) {
        hub->version++;
        *ret_plan = TAKE(hub->plan); /* it would keep the old shape's memory */
    }
    source->snapshot = snapshot;
    *ret_old = old;
}

static void notify(struct hub_source *source, struct snapshot *snapshot)
{
    /* Observers are registered before the first publish, so that the array is read without the lock. */
    for (size_t i = 0; i < source->hub->observer_count; i++)
        source->hub->observers[i].fn(source->hub->observers[i].ctx, source, snapshot);
}

int hub_publish(struct hub_source *source, struct snapshot *snapshot, struct error *err)
{
    struct hub *hub = source->hub;
    struct snapshot *old;
    struct hub_plan *plan = NULL;
    uint64_t held = snapshot ? snapshot->shape->slot_count : 0;
    (void)pthread_mutex_lock(&hub->lock);
    uint64_t max_series = hub->max_series;
    uint64_t others = hub->series - (source->snapshot ? source->snapshot->shape->slot_count : 0);
    bool refused = snapshot && others + held > max_series;
    struct snapshot *refused_snapshot = refused ? TAKE(snapshot) : NULL;
    hub->publishes++;
    hub->refused += refused;
    replace_snapshot(source, snapshot, &old, &plan);
    if (snapshot && hub->observer_count)
        (void)snapshot_ref(snapshot); /* the next publish may come before the observers are through */
    (void)pthread_mutex_unlock(&hub->lock);
    (void)snapshot_unref(old);
    (void)snapshot_unref(refused_snapshot);
    (void)hub_plan_unref(plan);
    if (hub->observer_count) {
        notify(source, snapshot);
        (void)snapshot_unref(snapshot);
    }
    if (!refused)
        return 0;
    return error_set(err, ERR_LIMIT, "%s %s: %llu series on top of %llu would pass the limit of %llu",
                     source->scraper, source->target, (unsigned long long)held, (unsigned long long)others,
                     (unsigned long long)max_series);
}

void hub_unregister(struct hub_source *source)
{
    if (!source)
        return;
    struct hub *hub = source->hub;
    struct snapshot *old;
    struct hub_plan *plan = NULL;
    (void)pthread_mutex_lock(&hub->lock);
    bool published = source->snapshot != NULL;
    replace_snapshot(source, NULL, &old, &plan);
    size_t at = 0;
    while (hub->sources[at] != source)
        at++;
    hub->source_count--;
    memmove(hub->sources + at, hub->sources + at + 1, (hub->source_count - at) * sizeof(struct hub_source *));
    (void)pthread_mutex_unlock(&hub->lock);
    (void)snapshot_unref(old);
    (void)hub_plan_unref(plan);
    if (published)
        notify(source, NULL);
    free(source->scraper);
    free(source->target);
    free(source);
}

void hub_observe(struct hub *hub, hub_observer_fn *fn, void *ctx)
{
    hub->observers = xrealloc(hub->observers, (hub->observer_count + 1) * sizeof *hub->observers);
    hub->observers[hub->observer_count++] = (struct observer){fn, ctx};
}

const char *hub_source_scraper(const struct hub_source *source)
{
    return source->scraper;
}

const char *hub_source_target(const struct hub_source *source)
{
    return source->target;
}

uint64_t hub_source_id(const struct hub_source *source)
{
    return source->id;
}

/* What a view is made of, taken under the lock. */
struct taken {
    struct snapshot **snapshots;
    struct plan_source *sources; /* names are copies, since a source may be unregistered meanwhile */
    uint32_t count;
    uint64_t version;
    struct hub_plan *plan; /* of exactly these shapes, or NULL */
};

struct by_name {
    const char *scraper, *target;
};

static bool pick_by_name(void *ctx, const char *scraper, const char *target)
{
    const struct by_name *wanted = ctx;
    return (!wanted->scraper || strcmp(wanted->scraper, scraper) == 0) &&
           (!wanted->target || strcmp(wanted->target, target) == 0);
}

/* filter NULL: all. The names are copied only when a plan must be built. */
static void take_sources(struct hub *hub, hub_filter_fn *filter, void *ctx, struct arena *arena,
                         struct taken *ret_taken)
{
    *ret_taken = (struct taken){0};
    (void)pthread_mutex_lock(&hub->lock);
    ret_taken->version = hub->version;
    if (hub->plan)
        ret_taken->plan = hub_plan_ref(hub->plan);
    bool names = filter || !hub->plan;
    ret_taken->snapshots = xcalloc(hub->source_count, sizeof(struct snapshot *));
    ret_taken->sources = xcalloc(hub->source_count, sizeof *ret_taken->sources);
    for (size_t i = 0; i < hub->source_count; i++) {
        const struct hub_source *source = hub->sources[i];
        if (!source->snapshot || (filter && !filter(ctx, source->scraper, source->target)))
            continue;
        ret_taken->snapshots[ret_taken->count] = snapshot_ref(source->snapshot);
        struct plan_source *entry = &ret_taken->sources[ret_taken->count++];
        entry->shape = source->snapshot->shape;
        entry->id = source->id;
        if (names) {
            entry->scraper = arena_strdup(arena, str_from(source->scraper));
            entry->target = arena_strdup(arena, str_from(source->target));
        }
    }
    (void)pthread_mutex_unlock(&hub->lock);
}

static void drop_taken(struct taken *taken)
{
    for (uint32_t i = 0; i < taken->count; i++)
        (void)snapshot_unref(taken->snapshots[i]);
    free(taken->snapshots);
    free(taken->sources);
    taken->plan = hub_plan_unref(taken->plan);
}

/* All sources with their plan, which is made if need be and kept for the next reader. */
static void take_all(struct hub *hub, struct taken *ret_taken)
{
    struct arena *arena = arena_new(0);
    take_sources(hub, NULL, NULL, arena, ret_taken);
    if (!ret_taken->plan) {
        struct hub_plan *plan = hub_plan_new(ret_taken->sources, ret_taken->count, NULL);
        ret_taken->plan = plan;
        (void)pthread_mutex_lock(&hub->lock);
        if (hub->version == ret_taken->version && !hub->plan)
            hub->plan = hub_plan_ref(plan);
        (void)pthread_mutex_unlock(&hub->lock);
    }
    arena_free(arena);
}

static struct hub_view *make_view(struct taken *taken, struct hub_plan *plan)
{
    struct view_block *block = xcalloc(1, sizeof *block);
    struct hub_part *parts = xcalloc(plan->part_count, sizeof *parts);
    for (uint32_t i = 0; i < plan->part_count; i++) {
        const struct plan_part *part = &plan->parts[i];
        parts[i] =
            (struct hub_part){taken->snapshots[part->source], part->family, part->skip, part->skip_count};
    }
    refcount_init(&block->view.refs);
    block->view.family_count = plan->family_count;
    block->view.part_count = plan->part_count;
    block->view.source_count = taken->count;
    block->view.duplicate_count = plan->duplicate_count;
    block->view.families = plan->families;
    block->view.parts = parts;
    for (uint32_t i = 0; i < taken->count; i++)
        block->view.series_count += taken->snapshots[i]->shape->slot_count;
    block->plan = hub_plan_ref(plan);
    block->snapshot_count = taken->count;
    block->snapshots = TAKE(taken->snapshots);
    taken->count = 0;
    return &block->view;
}

struct hub_view *hub_view_take_filtered(struct hub *hub, hub_filter_fn *filter, void *ctx)
{
    struct taken all, some;
    take_all(hub, &all);
    struct arena *arena = arena_new(0);
    take_sources(hub, filter, ctx, arena, &some);
    struct hub_plan *plan = hub_plan_new(some.sources, some.count, all.plan);
    struct hub_view *view = make_view(&some, plan);
    (void)hub_plan_unref(plan);
    drop_taken(&some);
    drop_taken(&all);
    arena_free(arena);
    return view;
}

struct hub_view *hub_view_take(struct hub *hub, const char *scraper, const char *target)
{
    struct by_name wanted = {scraper, target};
    if (scraper || target)
        return hub_view_take_filtered(hub, pick_by_name, &wanted);
    struct taken all;
    take_all(hub, &all);
    struct hub_view *view = make_view(&all, all.plan);
    drop_taken(&all);
    return view;
}

struct hub_view *hub_view_unref(struct hub_view *view)
{
    if (view && refcount_put(&view->refs)) {
        struct view_block *block = CONTAINER_OF(view, struct view_block, view);
        for (uint32_t i = 0; i < block->snapshot_count; i++)
            (void)snapshot_unref(block->snapshots[i]);
        free(block->snapshots);
        (void)hub_plan_unref(block->plan);
        free((void *)(uintptr_t)view->parts);
        free(block);
    }
    return NULL;
}

void hub_conflicts(struct hub *hub, hub_conflict_fn *fn, void *ctx)
{
    struct taken all;
    take_all(hub, &all);
    for (uint32_t i = 0; i < all.plan->conflict_count; i++) {
        const struct plan_conflict *from = &all.plan->conflicts[i];
        const struct plan_source *kept = &all.plan->sources[from->kept];
        const struct plan_source *left_out = &all.plan->sources[from->left_out];
        struct buf name = BUF_INIT(LIMIT_METRIC_NAME_BYTES);
        buf_append_str(&name, from->family);
        struct hub_conflict conflict = {.family = buf_text(&name),
                                        .kept_scraper = kept->scraper,
                                        .kept_target = kept->target,
                                        .left_out_scraper = left_out->scraper,
                                        .left_out_target = left_out->target,
                                        .kept_type = from->kept_type,
                                        .left_out_type = from->left_out_type};
        fn(ctx, &conflict);
        buf_deinit(&name);
    }
    drop_taken(&all);
}

void hub_stats(struct hub *hub, struct hub_stats *ret_stats)
{
    struct taken all;
    take_all(hub, &all);
    *ret_stats =
        (struct hub_stats){.conflicts = all.plan->conflict_count, .duplicates = all.plan->duplicate_count};
    drop_taken(&all);
    (void)pthread_mutex_lock(&hub->lock);
    ret_stats->sources = hub->source_count;
    ret_stats->series = hub->series;
    ret_stats->publishes = hub->publishes;
    ret_stats->refused = hub->refused;
    for (size_t i = 0; i < hub->source_count; i++) {
        const struct snapshot *snapshot = hub->sources[i]->snapshot;
        if (snapshot)
            ret_stats->bytes += snapshot->bytes + snapshot->shape->bytes;
    }
    (void)pthread_mutex_unlock(&hub->lock);
}
