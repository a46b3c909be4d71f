#include "lib/metrics/hub_internal.h"

#include "lib/core/map.h"
#include "lib/metrics/snapshot_internal.h"

#include <stdlib.h>

/* All parts of one name while the plan is built. */
struct group {
    const struct shape_family *first;
    uint32_t source; /* of `first` */
    uint32_t parts, next;
};

struct build {
    struct hub_plan *plan;
    struct arena *scratch;
    struct map groups; /* name -> struct group */
    struct group **of; /* of every family of every source; NULL: left out */
    struct group **sorted;
};

/* The conflicts of one source lie together, since plans are built source by source. */
struct conflict_range {
    const struct plan_conflict *first;
    uint32_t count;
};

static struct conflict_range conflicts_of(const struct hub_plan *full, uint64_t source_id)
{
    struct conflict_range range = {NULL, 0};
    for (uint32_t i = 0; full && i < full->conflict_count; i++) {
        if (full->sources[full->conflicts[i].left_out].id != source_id)
            continue;
        if (!range.count++)
            range.first = &full->conflicts[i];
    }
    return range;
}

static bool left_out_by(const struct conflict_range *range, struct str family)
{
    for (uint32_t i = 0; i < range->count; i++) {
        if (str_equal(range->first[i].family, family))
            return true;
    }
    return false;
}

static void add_conflict(struct hub_plan *plan, const struct group *group, uint32_t source,
                         const struct shape_family *family)
{
    if ((plan->conflict_count & (plan->conflict_count - 1)) == 0) {
        size_t room = plan->conflict_count ? 2 * (size_t)plan->conflict_count : 1;
        plan->conflicts = xrealloc(plan->conflicts, room * sizeof *plan->conflicts);
    }
    plan->conflicts[plan->conflict_count++] = (struct plan_conflict){.family = group->first->name,
                                                                     .kept = group->source,
                                                                     .left_out = source,
                                                                     .kept_type = group->first->type,
                                                                     .left_out_type = family->type};
}

static void group_families(struct build *build, const struct hub_plan *full)
{
    struct hub_plan *plan = build->plan;
    size_t at = 0;
    for (uint32_t s = 0; s < plan->source_count; s++) {
        const struct shape *shape = plan->sources[s].shape;
        struct conflict_range left_out = conflicts_of(full, plan->sources[s].id);
        for (uint32_t f = 0; f < shape->family_count; f++, at++) {
            const struct shape_family *family = &shape->families[f];
            if (left_out_by(&left_out, family->name))
                continue;
            struct group *group = map_get(&build->groups, family->name);
            if (!group) {
                group = arena_zalloc(build->scratch, sizeof *group);
                *group = (struct group){.first = family, .source = s};
                (void)map_put(&build->groups, family->name, group);
            } else if (group->first->type != family->type) {
                add_conflict(plan, group, s, family);
                continue;
            }
            build->of[at] = group;
            group->parts++;
        }
    }
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *const *left = a, *const *right = b;
    return str_compare((*left)->first->name, (*right)->first->name);
}

static void list_families(struct build *build)
{
    struct hub_plan *plan = build->plan;
    plan->families = arena_alloc(plan->arena, build->groups.count * sizeof *plan->families);
    MAP_EACH (entry, &build->groups) {
        build->sorted[plan->family_count++] = entry->value;
    }
    qsort(build->sorted, plan->family_count, sizeof(struct group *), compare_groups);
    for (uint32_t i = 0; i < plan->family_count; i++) {
        struct group *group = build->sorted[i];
        plan->families[i] = (struct hub_family){.name = group->first->name,
                                                .help = group->first->help,
                                                .unit = group->first->unit,
                                                .type = group->first->type,
                                                .first_part = plan->part_count,
                                                .part_count = group->parts};
        group->next = plan->part_count;
        plan->part_count += group->parts;
    }
}

static void list_parts(struct build *build)
{
    struct hub_plan *plan = build->plan;
    plan->parts = arena_zalloc(plan->arena, plan->part_count * sizeof *plan->parts);
    size_t at = 0;
    for (uint32_t s = 0; s < plan->source_count; s++) {
        const struct shape *shape = plan->sources[s].shape;
        for (uint32_t f = 0; f < shape->family_count; f++, at++) {
            if (build->of[at])
                plan->parts[build->of[at]->next++] =
                    (struct plan_part){.source = s, .family = &shape->families[f]};
        }
    }
    for (uint32_t i = 0; i < plan->family_count; i++) {
        if (plan->families[i].part_count > 1)
            hub_plan_find_duplicates(plan, plan->parts + plan->families[i].first_part,
                                     plan->families[i].part_count);
    }
}

struct hub_plan *hub_plan_new(const struct plan_source *sources, uint32_t count, const struct hub_plan *full)
{
    struct hub_plan *plan = xcalloc(1, sizeof *plan);
    refcount_init(&plan->refs);
    plan->arena = arena_new(0);
    plan->source_count = count;
    plan->sources = arena_alloc(plan->arena, count * sizeof *plan->sources);
    size_t families = 0;
    for (uint32_t i = 0; i < count; i++) {
        plan->sources[i] =
            (struct plan_source){.shape = shape_ref(sources[i].shape),
                                 .id = sources[i].id,
                                 .scraper = arena_strdup(plan->arena, str_from(sources[i].scraper)),
                                 .target = arena_strdup(plan->arena, str_from(sources[i].target))};
        families += sources[i].shape->family_count;
    }
    struct build build = {.plan = plan, .scratch = arena_new(0)};
    build.of = xcalloc(families, sizeof(struct group *));
    group_families(&build, full);
    build.sorted = xcalloc(build.groups.count, sizeof(struct group *));
    list_families(&build);
    list_parts(&build);
    free(build.of);
    free(build.sorted);
    map_deinit(&build.groups);
    arena_free(build.scratch);
    return plan;
}

struct hub_plan *hub_plan_ref(struct hub_plan *plan)
{
    refcount_get(&plan->refs);
    return plan;
}

struct hub_plan *hub_plan_unref(struct hub_plan *plan)
{
    if (plan && refcount_put(&plan->refs)) {
        for (uint32_t i = 0; i < plan->source_count; i++)
            (void)shape_unref(plan->sources[i].shape);
        free(plan->conflicts);
        arena_free(plan->arena);
        free(plan);
    }
    return NULL;
}
