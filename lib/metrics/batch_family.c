/* The families of a batch: found by position, then by name. */
#include "lib/metrics/batch_internal.h"

#include "lib/metrics/label.h"

#include <stdlib.h>

static void family_free(struct batch_family *family)
{
    free(family->name);
    free(family->help);
    free(family->unit);
    free(family);
}

void batch_families_deinit(struct batch *batch)
{
    for (size_t i = 0; i < batch->family_count; i++)
        family_free(batch->families[i]);
    free(batch->families);
    map_deinit(&batch->family_by_name);
}

void batch_families_sweep(struct batch *batch)
{
    size_t stale = 0, kept = 0;
    for (size_t i = 0; i < batch->family_count; i++)
        stale += batch->families[i]->seen != batch->scrape && batch->families[i]->count == 0;
    if (!stale)
        return;
    uint32_t *moved = xcalloc(batch->family_count, sizeof *moved);
    for (size_t i = 0; i < batch->family_count; i++) {
        struct batch_family *family = batch->families[i];
        /* The shape may hold a family whose values were not added this time only if the batch did not
         * diverge. */
        if (family->seen != batch->scrape && family->count == 0) {
            (void)map_remove(&batch->family_by_name, family->name_str);
            family_free(family);
            continue;
        }
        moved[i] = (uint32_t)kept;
        family->index = (uint32_t)kept;
        batch->families[kept++] = family;
    }
    if (batch->shape) {
        for (uint32_t i = 0; i < batch->shape->family_count; i++)
            batch->shape_owners[i] = moved[batch->shape_owners[i]];
    }
    batch->family_count = kept;
    free(moved);
}

static struct batch_family *find(struct batch *batch, struct str name)
{
    if (batch->family_hint < batch->family_count) {
        struct batch_family *family = batch->families[batch->family_hint];
        if (str_equal(family->name_str, name)) {
            batch->family_hint++;
            return family;
        }
    }
    struct batch_family *family = map_get(&batch->family_by_name, name);
    if (family)
        batch->family_hint = family->index + 1;
    return family;
}

static struct batch_family *create(struct batch *batch, const struct metric_desc *desc, struct str name)
{
    struct batch_family *family = xcalloc(1, sizeof *family);
    family->name = xstrndup(name);
    family->name_str = (struct str){family->name, name.len};
    family->help = xstrdup(desc->help ? desc->help : "");
    family->unit = xstrdup(desc->unit ? desc->unit : "");
    family->type = desc->type;
    family->index = (uint32_t)batch->family_count;
    family->seen = batch->scrape;
    if (batch->family_count == batch->family_capacity) {
        batch->family_capacity = batch->family_capacity ? batch->family_capacity * 2 : 16;
        batch->families = xrealloc(batch->families, batch->family_capacity * sizeof *batch->families);
    }
    batch->families[batch->family_count++] = family;
    (void)map_put(&batch->family_by_name, family->name_str, family);
    batch->family_hint = batch->family_count;
    return family;
}

static bool replace_text(char **text, const char *wanted)
{
    if (strcmp(*text, wanted ? wanted : "") == 0)
        return false;
    free(*text);
    *text = xstrdup(wanted ? wanted : "");
    return true;
}

struct batch_family *batch_family(struct batch *batch, const struct metric_desc *desc)
{
    struct str name = str_from(desc->name);
    struct batch_family *family = find(batch, name);
    if (!family)
        return metric_name_valid(name) ? create(batch, desc, name) : &batch->bad_name;
    if (family->seen == batch->scrape)
        return family->type == desc->type ? family : &batch->type_clash;
    family->seen = batch->scrape;
    bool changed = family->type != desc->type;
    family->type = desc->type;
    changed = replace_text(&family->help, desc->help) || changed;
    changed = replace_text(&family->unit, desc->unit) || changed;
    if (changed && family->count > 0)
        batch_diverge(batch);
    return family;
}
