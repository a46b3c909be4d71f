/* One metric from two sources must not reach a page twice.
 *
 * Nearly always this is proved without looking at a series: when the labels common to all series of a source
 * have the same names in every part and different values in each, no label set can be in two parts. Otherwise
 * every metric of the family is looked up in a hash table. */
#include "lib/metrics/hub_internal.h"

#include "lib/core/map.h"
#include "lib/metrics/label_internal.h"

#include <stdlib.h>

static bool same_names(struct str a, struct str b)
{
    size_t at_a = 0, at_b = 0;
    struct str name_a, name_b, raw;
    for (;;) {
        bool more = label_text_next(a, &at_a, &name_a, &raw);
        if (more != label_text_next(b, &at_b, &name_b, &raw))
            return false;
        if (!more)
            return true;
        if (!str_equal(name_a, name_b))
            return false;
    }
}

static bool provably_disjoint(const struct hub_plan *plan, const struct plan_part *parts, uint32_t count)
{
    struct map seen;
    map_init(&seen);
    struct str first = plan->sources[parts[0].source].shape->common_text;
    bool disjoint = first.len > 0;
    for (uint32_t i = 0; disjoint && i < count; i++) {
        struct str text = plan->sources[parts[i].source].shape->common_text;
        disjoint = same_names(first, text) && !map_put(&seen, text, &seen);
    }
    map_deinit(&seen);
    return disjoint;
}

/* What makes a metric: the label text without the bound of a bucket or quantile line. */
static struct str metric_key(const struct shape *shape, enum metric_type type,
                             const struct shape_series *series, struct arena *arena)
{
    struct str text = shape_series_text(shape, series);
    bool bucket = type == METRIC_HISTOGRAM && series->suffix == SUFFIX_BUCKET;
    bool quantile = type == METRIC_SUMMARY && series->suffix == SUFFIX_NONE;
    if (series->kind != SERIES_SAMPLE || (!bucket && !quantile))
        return text;
    struct buf key = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
    label_text_without(text, bucket ? STR("le") : STR("quantile"), &key);
    struct str copy = {arena_strdup(arena, buf_str(&key)), key.len};
    buf_deinit(&key);
    return copy;
}

void hub_plan_find_duplicates(struct hub_plan *plan, struct plan_part *parts, uint32_t count)
{
    if (provably_disjoint(plan, parts, count))
        return;
    struct arena *scratch = arena_new(0);
    struct map owners; /* metric -> its first part */
    map_init(&owners);
    for (uint32_t i = 0; i < count; i++) {
        struct plan_part *part = &parts[i];
        const struct shape *shape = plan->sources[part->source].shape;
        uint32_t *skip = xcalloc(part->family->series_count, sizeof *skip);
        for (uint32_t k = 0; k < part->family->series_count; k++) {
            uint32_t index = part->family->first_series + k;
            struct str key = metric_key(shape, part->family->type, &shape->series[index], scratch);
            const struct plan_part *owner = map_get(&owners, key);
            if (!owner)
                (void)map_put(&owners, key, part);
            else if (owner != part)
                skip[part->skip_count++] = index;
        }
        if (part->skip_count) {
            uint32_t *kept = arena_alloc(plan->arena, part->skip_count * sizeof *kept);
            memcpy(kept, skip, part->skip_count * sizeof *kept);
            part->skip = kept;
            plan->duplicate_count += part->skip_count;
        }
        free(skip);
    }
    map_deinit(&owners);
    arena_free(scratch);
}
