#include "lib/metrics/batch_internal.h"

#include "lib/metrics/label_internal.h"
#include "lib/metrics/snapshot_internal.h"

#include <math.h>
#include <stdlib.h>

static void set_common(struct batch *batch, const struct batch_options *options)
{
    size_t count = options ? options->common_count : 0;
    struct label *labels = xcalloc(count, sizeof *labels);
    for (size_t i = 0; i < count; i++)
        labels[i] = options->common[i];
    struct buf text = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
    labels_sort(labels, &count);
    batch->common = arena_zalloc(batch->arena, count * sizeof *batch->common);
    /* One by one: a bad common label costs itself, not every series. */
    for (size_t i = 0; i < count; i++) {
        struct str name = labels[i].name;
        buf_reset(&text);
        if (labels_render_sorted(&labels[i], 1, &text) || (i > 0 && str_equal(name, labels[i - 1].name))) {
            batch->counts.dropped_invalid++;
            continue;
        }
        struct batch_common *common = &batch->common[batch->common_count++];
        common->label = (struct label){str_from(arena_strdup(batch->arena, name)),
                                       str_from(arena_strdup(batch->arena, labels[i].value))};
        common->exported = str_from(arena_printf(batch->arena, "exported_%.*s", STR_ARGS(name)));
        common->exported_twice =
            str_from(arena_printf(batch->arena, "exported_exported_%.*s", STR_ARGS(name)));
    }
    for (size_t i = 0; i < batch->common_count; i++)
        labels[i] = batch->common[i].label;
    buf_reset(&text);
    if (labels_render_sorted(labels, batch->common_count, &text) == 0)
        batch->common_text = str_from(arena_strdup(batch->arena, buf_str(&text)));
    buf_deinit(&text);
    free(labels);
}

struct batch *batch_new(const struct batch_options *options)
{
    struct batch *batch = xcalloc(1, sizeof *batch);
    batch->arena = arena_new(0);
    batch->max_series =
        options && options->max_series ? options->max_series : (uint32_t)LIMIT_SERIES_PER_TARGET;
    batch->bad_name.state = FAMILY_BAD_NAME;
    batch->type_clash.state = FAMILY_TYPE_CLASH;
    map_init(&batch->family_by_name);
    buf_init(&batch->text, UINT32_MAX);
    buf_init(&batch->keys, UINT32_MAX);
    buf_init(&batch->scratch,
             2UL * LIMIT_LABELS_PER_SERIES * (LIMIT_LABEL_NAME_BYTES + 2UL * LIMIT_LABEL_VALUE_BYTES));
    batch->common_text = STR("");
    set_common(batch, options);
    batch->merged = xcalloc(LIMIT_LABELS_PER_SERIES + batch->common_count, sizeof *batch->merged);
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    (void)snapshot_unref(batch->next);
    (void)shape_unref(batch->shape);
    batch_families_deinit(batch);
    batch_list_free(&batch->pending);
    batch_list_free(&batch->bits);
    batch_list_free(&batch->kinds);
    buf_deinit(&batch->text);
    buf_deinit(&batch->keys);
    buf_deinit(&batch->scratch);
    free(batch->shape_owners);
    free(batch->order);
    free(batch->layouts);
    free(batch->merged);
    arena_free(batch->arena);
    free(batch);
}

/* Also ends a scrape that was begun and not finished. */
void batch_begin(struct batch *batch)
{
    batch_families_sweep(batch);
    batch->next = snapshot_unref(batch->next);
    batch->pending.count = batch->bits.count = batch->kinds.count = 0;
    buf_reset(&batch->text);
    buf_reset(&batch->keys);
    batch->scrape++;
    batch->family_hint = 0;
    batch->position = 0;
    batch->slots_used = 0;
    batch->diverged = false;
}

static bool usable(struct batch *batch, const struct batch_family *family)
{
    if (likely(family->state == FAMILY_GOOD))
        return true;
    if (family->state == FAMILY_BAD_NAME)
        batch->counts.dropped_invalid++;
    else
        batch->counts.dropped_type++;
    return false;
}

/* An info is 1 and a state is 0 or 1: what OpenMetrics readers insist on. */
static bool value_fits(enum metric_type type, struct value value)
{
    if (value.kind == VALUE_ABSENT || (type != METRIC_INFO && type != METRIC_STATESET))
        return true;
    double number = value_to_double(value);
    return number == 1.0 || (type == METRIC_STATESET && number == 0.0);
}

static bool suffix_fits(enum metric_type type, enum series_suffix suffix)
{
    switch (suffix) {
    case SUFFIX_NONE:
        return type != METRIC_HISTOGRAM;
    case SUFFIX_BUCKET:
        return type == METRIC_HISTOGRAM;
    case SUFFIX_COUNT:
    case SUFFIX_SUM:
        return type == METRIC_HISTOGRAM || type == METRIC_SUMMARY;
    case SUFFIX_TOTAL:
    case SUFFIX_CREATED:
    case SUFFIX_INFO:
        break;
    }
    return false;
}

/* OpenMetrics names a counter without its _total and an info without its _info; here names are those of
 * lines. */
static struct batch_family *family_of_suffix(struct batch *batch, struct batch_family *family,
                                             enum series_suffix suffix)
{
    bool total = suffix == SUFFIX_TOTAL && family->type == METRIC_COUNTER;
    bool info = suffix == SUFFIX_INFO && family->type == METRIC_INFO;
    if (!total && !info)
        return family;
    char name[LIMIT_METRIC_NAME_BYTES + 8];
    size_t length = family->name_str.len;
    memcpy(name, family->name, length);
    memcpy(name + length, total ? "_total" : "_info", total ? 7 : 6);
    struct metric_desc desc = {name, family->type, family->help, family->unit};
    return batch_family(batch, &desc);
}

static void add_sample(struct batch *batch, struct batch_family *family, enum series_suffix suffix,
                       struct label *labels, size_t count, struct value value)
{
    uint8_t kind = (uint8_t)value.kind;
    struct batch_line line = {.family = family,
                              .kind = SERIES_SAMPLE,
                              .suffix = suffix,
                              .slots = 1,
                              .bound_name = batch_bound_name(family->type, suffix),
                              .bits = &value.bits,
                              .kinds = &kind};
    if (family->type == METRIC_HISTOGRAM && !line.bound_name.len)
        line.forbidden = STR("le");
    if (family->type == METRIC_SUMMARY && !line.bound_name.len)
        line.forbidden = STR("quantile");
    if (family->type == METRIC_STATESET)
        line.required = family->name_str;
    batch_add_line(batch, &line, labels, count);
}

void batch_add(struct batch *batch, struct batch_family *family, struct label *labels, size_t count,
               struct value value)
{
    batch_add_suffixed(batch, family, SUFFIX_NONE, labels, count, value);
}

void batch_add_suffixed(struct batch *batch, struct batch_family *family, enum series_suffix suffix,
                        struct label *labels, size_t count, struct value value)
{
    if (!usable(batch, family) || suffix == SUFFIX_CREATED)
        return;
    if (suffix == SUFFIX_TOTAL || suffix == SUFFIX_INFO) {
        struct batch_family *named = family_of_suffix(batch, family, suffix);
        if (named != family)
            suffix = SUFFIX_NONE;
        family = named;
        if (!usable(batch, family))
            return;
    }
    if (!suffix_fits(family->type, suffix) || !value_fits(family->type, value)) {
        batch->counts.dropped_invalid++;
        return;
    }
    add_sample(batch, family, suffix, labels, count, value);
}

static bool bounds_ascend(const struct histogram *histogram)
{
    for (size_t i = 0; i < histogram->bound_count; i++) {
        if (!isfinite(histogram->bounds[i]) || (i > 0 && histogram->bounds[i] <= histogram->bounds[i - 1]))
            return false;
    }
    return histogram->bound_count <= HISTOGRAM_MAX_BOUNDS;
}

/* Layouts are few and live as long as the batch: index of these bounds. */
static bool layout_of(struct batch *batch, const struct histogram *histogram, uint16_t *ret_layout)
{
    size_t count = histogram->bound_count, bytes = count * sizeof(double);
    for (size_t i = 0; i < batch->layout_count; i++) {
        if (batch->layouts[i].bound_count == count &&
            (!count || memcmp(batch->layouts[i].bounds, histogram->bounds, bytes) == 0)) {
            *ret_layout = (uint16_t)i;
            return true;
        }
    }
    if (batch->layout_count > UINT16_MAX || !bounds_ascend(histogram))
        return false;
    double *bounds = arena_alloc(batch->arena, bytes);
    struct str *text = arena_alloc(batch->arena, (count + 1) * sizeof *text);
    for (size_t i = 0; i < count; i++) {
        char le[NUMBER_TEXT_MAX];
        bounds[i] = histogram->bounds[i];
        struct str written = {le, (size_t)(number_write_bound(le, bounds[i]) - le)};
        text[i] = (struct str){arena_strdup(batch->arena, written), written.len};
    }
    text[count] = STR("+Inf");
    batch->layouts = xrealloc(batch->layouts, (batch->layout_count + 1) * sizeof *batch->layouts);
    batch->layouts[batch->layout_count] = (struct histogram_layout){(uint32_t)count, bounds, text};
    *ret_layout = (uint16_t)batch->layout_count++;
    return true;
}

void batch_add_histogram(struct batch *batch, struct batch_family *family, struct label *labels, size_t count,
                         const struct histogram *histogram)
{
    uint64_t bits[HISTOGRAM_MAX_BOUNDS + 2];
    uint8_t kinds[HISTOGRAM_MAX_BOUNDS + 2];
    uint16_t layout;
    if (!usable(batch, family))
        return;
    if (family->type != METRIC_HISTOGRAM || !layout_of(batch, histogram, &layout)) {
        batch->counts.dropped_invalid++;
        return;
    }
    uint64_t cumulative = 0;
    size_t buckets = histogram->bound_count + 1;
    for (size_t i = 0; i < buckets; i++) {
        cumulative += histogram->counts[i];
        bits[i] = cumulative;
    }
    memset(kinds, VALUE_U64, buckets);
    bits[buckets] = VALUE_OF_F64(histogram->sum).bits;
    kinds[buckets] = VALUE_F64;
    struct batch_line line = {.family = family,
                              .kind = SERIES_HISTOGRAM,
                              .layout = layout,
                              .slots = (uint32_t)buckets + 1,
                              .forbidden = STR("le"),
                              .bits = bits,
                              .kinds = kinds};
    batch_add_line(batch, &line, labels, count);
}

void batch_put(struct batch *batch, const struct metric_desc *desc, struct label *labels, size_t count,
               struct value value)
{
    batch_add(batch, batch_family(batch, desc), labels, count, value);
}

struct snapshot *batch_finish(struct batch *batch, int64_t taken_wall_ns, int64_t taken_mono_ns)
{
    struct snapshot *snapshot;
    if (!batch->shape || batch->position < batch->order_count)
        batch_diverge(batch);
    if (batch->diverged)
        snapshot = batch_lay_out(batch);
    else if (batch->next)
        snapshot = TAKE(batch->next);
    else
        snapshot = snapshot_new(batch->shape, &batch->next_bits, &batch->next_kinds);
    snapshot->taken_wall_ns = taken_wall_ns;
    snapshot->taken_mono_ns = taken_mono_ns;
    return snapshot;
}

void batch_counts(const struct batch *batch, struct batch_counts *ret_counts)
{
    *ret_counts = batch->counts;
}
