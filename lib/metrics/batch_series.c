/* Adding one series: positional when it is the expected one, else rendered and kept for the layout. */
#include "lib/metrics/batch_internal.h"

#include "lib/metrics/label_internal.h"
#include "lib/metrics/snapshot_internal.h"

#include <math.h>
#include <stdlib.h>

void *batch_list_extend(struct batch_list *list, size_t count, size_t size)
{
    if (list->count + count > list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        while (capacity < list->count + count)
            capacity *= 2;
        list->items = xrealloc(list->items, capacity * size);
        list->capacity = capacity;
    }
    void *added = (char *)list->items + list->count * size;
    list->count += count;
    return added;
}

void batch_list_free(struct batch_list *list)
{
    free(list->items);
    *list = (struct batch_list){0};
}

/* The first of exported_<name> and exported_exported_<name> that the series has not. */
static bool rename_clash(const struct batch_common *common, struct label *merged, size_t *count,
                         struct str value)
{
    const struct str names[] = {common->exported, common->exported_twice};
    for (size_t n = 0; n < ARRAY_LEN(names); n++) {
        bool taken = false;
        for (size_t i = 0; i < *count; i++)
            taken = taken || str_equal(merged[i].name, names[n]);
        if (!taken) {
            merged[(*count)++] = (struct label){names[n], value};
            return true;
        }
    }
    return false;
}

/* A series' labels with the common ones, sorted, in batch->merged; false when the series cannot be. */
static bool merge_labels(struct batch *batch, struct label *labels, size_t count, size_t *ret_count)
{
    if (count > LIMIT_LABELS_PER_SERIES)
        return false;
    labels_sort(labels, &count);
    struct label *merged = batch->merged;
    size_t kept = 0, clashes = 0, common = 0;
    const struct batch_common *clash[LIMIT_LABELS_PER_SERIES];
    struct str clash_value[LIMIT_LABELS_PER_SERIES];
    for (size_t i = 0; i < count; i++) {
        int order = -1;
        while (common < batch->common_count &&
               (order = str_compare(batch->common[common].label.name, labels[i].name)) < 0)
            merged[kept++] = batch->common[common++].label;
        if (common < batch->common_count && order == 0) {
            clash[clashes] = &batch->common[common];
            clash_value[clashes++] = labels[i].value;
        } else {
            merged[kept++] = labels[i];
        }
    }
    while (common < batch->common_count)
        merged[kept++] = batch->common[common++].label;
    for (size_t i = 0; i < clashes; i++) {
        if (!rename_clash(clash[i], merged, &kept, clash_value[i]))
            return false;
    }
    if (clashes)
        labels_sort(merged, &kept);
    *ret_count = kept;
    return true;
}

/* le and quantile as our own text, so that one bound is one series whoever wrote it. */
static bool normalise_bound(struct batch *batch, const struct batch_line *line, size_t count,
                            double *ret_bound, char text[NUMBER_TEXT_MAX])
{
    for (size_t i = 0; i < count; i++) {
        struct label *label = &batch->merged[i];
        if (!str_equal(label->name, line->bound_name))
            continue;
        double bound;
        if (!str_to_double(label->value, &bound) || isnan(bound))
            return false;
        *ret_bound = bound;
        label->value = (struct str){text, (size_t)(number_write_bound(text, bound) - text)};
        return true;
    }
    return false;
}

static bool has_label(const struct batch *batch, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(batch->merged[i].name, name))
            return true;
    }
    return false;
}

static bool expected_next(const struct batch *batch, const struct batch_line *line, size_t count)
{
    if (batch->diverged || batch->position >= batch->order_count)
        return false;
    uint32_t index = batch->order[batch->position] & ~ORDER_DUPLICATE;
    const struct shape_series *series = &batch->shape->series[index];
    return index - line->family->first < line->family->count && series->kind == line->kind &&
           series->suffix == line->suffix && series->layout == line->layout &&
           labels_match_text(batch->merged, count, shape_series_text(batch->shape, series));
}

static void store_positional(struct batch *batch, const struct batch_line *line)
{
    uint32_t entry = batch->order[batch->position++];
    if (entry & ORDER_DUPLICATE) {
        batch->counts.dropped_duplicate++;
        batch->slots_used += line->slots; /* as when it was met first */
        return;
    }
    if (!batch->next)
        batch->next = snapshot_new(batch->shape, &batch->next_bits, &batch->next_kinds);
    uint32_t slot = batch->shape->series[entry].slot;
    memcpy(batch->next_bits + slot, line->bits, line->slots * sizeof *line->bits);
    memcpy(batch->next_kinds + slot, line->kinds, line->slots);
    batch->slots_used += line->slots;
}

static void push_values(struct batch *batch, const uint64_t *bits, const uint8_t *kinds, uint32_t slots)
{
    memcpy(batch_list_extend(&batch->bits, slots, sizeof *bits), bits, slots * sizeof *bits);
    memcpy(batch_list_extend(&batch->kinds, slots, sizeof *kinds), kinds, slots);
}

/* `text` is the end of batch->text. */
static struct pending *push_pending(struct batch *batch, const struct batch_line *line, size_t text,
                                    double bound)
{
    struct pending *pending = batch_list_extend(&batch->pending, 1, sizeof *pending);
    *pending = (struct pending){.family = line->family->index,
                                .text = (uint32_t)text,
                                .text_len = (uint16_t)(batch->text.len - text),
                                .value = (uint32_t)batch->bits.count,
                                .layout = line->layout,
                                .kind = (uint8_t)line->kind,
                                .suffix = (uint8_t)line->suffix,
                                .bound = bound};
    if (line->bound_name.len) {
        size_t key = batch->keys.len;
        label_text_without((struct str){batch->text.data + text, pending->text_len}, line->bound_name,
                           &batch->keys);
        pending->keyed = true;
        pending->key = (uint32_t)key;
        pending->key_len = (uint16_t)(batch->keys.len - key);
    }
    push_values(batch, line->bits, line->kinds, line->slots);
    return pending;
}

struct str batch_bound_name(enum metric_type type, enum series_suffix suffix)
{
    if (type == METRIC_HISTOGRAM && suffix == SUFFIX_BUCKET)
        return STR("le");
    if (type == METRIC_SUMMARY && suffix == SUFFIX_NONE)
        return STR("quantile");
    return (struct str){"", 0};
}

static double bound_of_text(struct str text, struct str name)
{
    size_t cursor = 0;
    struct str found, raw;
    double bound = 0;
    while (name.len && label_text_next(text, &cursor, &found, &raw)) {
        if (str_equal(found, name))
            (void)str_to_double(raw, &bound);
    }
    return bound;
}

/* The family of a series by binary search over the shape's families. */
static uint32_t shape_family_of(const struct shape *shape, uint32_t series)
{
    uint32_t low = 0, high = shape->family_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (shape->families[middle].first_series <= series)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void batch_diverge(struct batch *batch)
{
    if (batch->diverged)
        return;
    batch->diverged = true;
    const struct shape *shape = batch->shape;
    for (uint32_t i = 0; i < batch->position; i++) {
        uint32_t entry = batch->order[i];
        const struct shape_series *series = &shape->series[entry & ~ORDER_DUPLICATE];
        uint32_t family = shape_family_of(shape, entry & ~ORDER_DUPLICATE);
        bool histogram = series->kind == SERIES_HISTOGRAM;
        struct batch_line line = {.family = batch->families[batch->shape_owners[family]],
                                  .kind = (enum series_kind)series->kind,
                                  .suffix = (enum series_suffix)series->suffix,
                                  .layout = series->layout,
                                  .slots = histogram ? shape->layouts[series->layout].bound_count + 2 : 1,
                                  .bits = batch->next_bits + series->slot,
                                  .kinds = batch->next_kinds + series->slot};
        if (batch->next_kinds[series->slot] == VALUE_ABSENT) {
            batch->slots_used -= line.slots;
            continue;
        }
        struct str text = shape_series_text(shape, series);
        /* By the shape's type: the description may just have changed. */
        line.bound_name =
            histogram ? (struct str){"", 0} : batch_bound_name(shape->families[family].type, line.suffix);
        size_t at = batch->text.len;
        buf_append_str(&batch->text, text);
        push_pending(batch, &line, at, bound_of_text(text, line.bound_name))->counted =
            entry & ORDER_DUPLICATE;
    }
    batch->next = snapshot_unref(batch->next);
}

void batch_add_line(struct batch *batch, const struct batch_line *line, struct label *labels, size_t count)
{
    char bound_text[NUMBER_TEXT_MAX];
    double bound = 0;
    size_t merged;
    if (!merge_labels(batch, labels, count, &merged) ||
        (line->bound_name.len && !normalise_bound(batch, line, merged, &bound, bound_text))) {
        batch->counts.dropped_invalid++;
        return;
    }
    if (expected_next(batch, line, merged)) {
        store_positional(batch, line);
        return;
    }
    if (line->kinds[0] == VALUE_ABSENT)
        return;
    if (batch->slots_used + line->slots > batch->max_series) {
        batch->counts.dropped_limit++;
        return;
    }
    buf_reset(&batch->scratch);
    if ((line->forbidden.len && has_label(batch, merged, line->forbidden)) ||
        (line->required.len && !has_label(batch, merged, line->required)) ||
        labels_render_sorted(batch->merged, merged, &batch->scratch)) {
        batch->counts.dropped_invalid++;
        return;
    }
    batch_diverge(batch);
    size_t at = batch->text.len;
    buf_append_str(&batch->text, buf_str(&batch->scratch));
    if (batch->text.failed) { /* offsets have 32 bits */
        batch->text.failed = false;
        batch->counts.dropped_limit++;
        return;
    }
    (void)push_pending(batch, line, at, bound);
    batch->slots_used += line->slots;
}
