/* From pending series to a shape: sort, drop duplicates, lay out in one block.
 *
 * Inside a family the order is by label text without le and quantile, then buckets (or quantiles) by their
 * bound, then sum and count: all lines of one metric together, as both text formats want it. */
#include "lib/metrics/batch_internal.h"

#include "lib/metrics/snapshot_internal.h"

#include <stdlib.h>

struct work {
    struct batch *batch;
    const struct pending *pending;
    uint32_t count;
    struct batch_family **sorted; /* families that have series, by name */
    uint32_t *starts;             /* of each of them in `index`; one more at the end */
    uint32_t family_count;
    uint32_t *index; /* pending series in the shape's order; after dropping: `kept` of them */
};

static struct str key_of(const struct batch *batch, const struct pending *p)
{
    if (!(p->keyed ? p->key_len : p->text_len)) /* a series without labels: there may be no text at all */
        return STR("");
    return p->keyed ? (struct str){batch->keys.data + p->key, p->key_len}
                    : (struct str){batch->text.data + p->text, p->text_len};
}

static int rank_of(const struct pending *p)
{
    static const uint8_t ranks[] = {
        [SUFFIX_NONE] = 1,  [SUFFIX_BUCKET] = 2,  [SUFFIX_SUM] = 3,  [SUFFIX_COUNT] = 4,
        [SUFFIX_TOTAL] = 5, [SUFFIX_CREATED] = 6, [SUFFIX_INFO] = 7,
    };
    return p->kind == SERIES_HISTOGRAM ? 0 : ranks[p->suffix];
}

/* 0 for the same series. */
static int compare_series(const struct batch *batch, const struct pending *a, const struct pending *b)
{
    int order = str_compare(key_of(batch, a), key_of(batch, b));
    if (order == 0)
        order = rank_of(a) - rank_of(b);
    if (order == 0)
        order = (a->bound > b->bound) - (a->bound < b->bound);
    return order;
}

static int compare_index(const void *a, const void *b, void *ctx)
{
    const struct work *work = ctx;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int order = compare_series(work->batch, &work->pending[i], &work->pending[j]);
    return order ? order : (i > j) - (i < j); /* of a series added twice the first stays */
}

static int compare_families(const void *a, const void *b)
{
    const struct batch_family *const *left = a, *const *right = b;
    return str_compare((*left)->name_str, (*right)->name_str);
}

/* Groups the pending series by family, in the order of names, and sorts each group unless it is sorted. */
static void sort_series(struct work *work)
{
    struct batch *batch = work->batch;
    uint32_t *cursor = xcalloc(batch->family_count + 1, sizeof *cursor);
    work->sorted = xcalloc(batch->family_count, sizeof *work->sorted);
    for (uint32_t i = 0; i < work->count; i++)
        cursor[work->pending[i].family]++;
    for (size_t i = 0; i < batch->family_count; i++) {
        if (cursor[i])
            work->sorted[work->family_count++] = batch->families[i];
    }
    qsort(work->sorted, work->family_count, sizeof *work->sorted, compare_families);
    work->starts = xcalloc(work->family_count + 1, sizeof *work->starts);
    uint32_t at = 0;
    for (uint32_t i = 0; i < work->family_count; i++) {
        uint32_t family = work->sorted[i]->index, size = cursor[family];
        work->starts[i] = cursor[family] = at;
        at += size;
    }
    work->starts[work->family_count] = at;
    work->index = xcalloc(work->count, sizeof *work->index);
    for (uint32_t i = 0; i < work->count; i++)
        work->index[cursor[work->pending[i].family]++] = i;
    free(cursor);
    for (uint32_t i = 0; i < work->family_count; i++) {
        uint32_t *first = work->index + work->starts[i], *end = work->index + work->starts[i + 1];
        bool sorted = true;
        for (uint32_t *p = first; sorted && p + 1 < end; p++)
            sorted = compare_index(p, p + 1, work) < 0;
        if (!sorted)
            qsort_r(first, (size_t)(end - first), sizeof *first, compare_index, work);
    }
}

/* A line of a metric that is an own histogram too would repeat one of that histogram's lines. */
static bool is_duplicate(const struct work *work, const struct pending *kept, const struct pending *p)
{
    if (compare_series(work->batch, kept, p) == 0)
        return true;
    return kept->kind == SERIES_HISTOGRAM && str_equal(key_of(work->batch, kept), key_of(work->batch, p));
}

/* Closes the gaps of duplicates in index and starts; order gets each position's series. */
static uint32_t drop_duplicates(struct work *work, uint32_t *order)
{
    uint32_t kept = 0, from = 0;
    for (uint32_t f = 0; f < work->family_count; f++) {
        uint32_t first = kept, end = work->starts[f + 1];
        const struct pending *last = NULL;
        for (work->starts[f] = first; from < end; from++) {
            const struct pending *p = &work->pending[work->index[from]];
            if (last && is_duplicate(work, last, p)) {
                /* A repeated line matches by its own text only when that is the kept one's. */
                order[work->index[from]] = (kept - 1) | ORDER_DUPLICATE;
                work->batch->counts.dropped_duplicate += p->counted ? 0 : 1;
                continue;
            }
            last = p;
            order[work->index[from]] = kept;
            work->index[kept++] = work->index[from];
        }
    }
    work->starts[work->family_count] = kept;
    return kept;
}

/* A unit counts only when it is the end of the name (OpenMetrics), before a counter's _total. */
static struct str family_unit(const struct batch_family *family)
{
    struct str unit = str_from(family->unit), name = family->name_str;
    if (!unit.len || family->type == METRIC_INFO || family->type == METRIC_STATESET)
        return STR("");
    if (family->type == METRIC_COUNTER && str_ends(name, STR("_total")))
        name.len -= STR("_total").len;
    bool suffix = name.len > unit.len + 1 && str_ends(name, unit) && name.ptr[name.len - unit.len - 1] == '_';
    return suffix ? unit : STR("");
}

/* HELP as it may stand on a page: UTF-8, bounded, without CR or NUL. */
static struct str family_help(const struct batch_family *family)
{
    struct str help = str_from(family->help);
    if (!str_is_utf8(help))
        return STR("");
    if (help.len > LIMIT_HELP_BYTES) {
        help.len = LIMIT_HELP_BYTES;
        while (help.len && ((unsigned char)help.ptr[help.len] & 0xC0) == 0x80)
            help.len--;
    }
    return help;
}

/* Bump allocation inside the block of a shape; with base NULL it only measures. */
struct block {
    char *base;
    size_t used;
};

static void *block_take(struct block *block, size_t size)
{
    size_t at = block->used;
    block->used += (size + 7) & ~(size_t)7;
    return block->base ? block->base + at : NULL;
}

static struct str block_text(struct block *block, struct str text)
{
    char *copy = block_take(block, text.len + 1);
    if (copy) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        for (size_t i = 0; i < text.len; i++) {
            if (copy[i] == '\r')
                copy[i] = ' ';
        }
    }
    return (struct str){copy, text.len};
}

static void lay_layouts(struct block *block, const struct batch *batch, struct shape *shape)
{
    struct histogram_layout *layouts = block_take(block, batch->layout_count * sizeof *layouts);
    for (size_t i = 0; i < batch->layout_count; i++) {
        const struct histogram_layout *from = &batch->layouts[i];
        double *bounds = block_take(block, from->bound_count * sizeof *bounds);
        struct str *le = block_take(block, (from->bound_count + 1) * sizeof *le);
        if (bounds && from->bound_count)
            memcpy(bounds, from->bounds, from->bound_count * sizeof *bounds);
        for (size_t k = 0; k <= from->bound_count; k++) {
            struct str copy = block_text(block, from->le_text[k]);
            if (le)
                le[k] = copy;
        }
        if (layouts)
            layouts[i] = (struct histogram_layout){from->bound_count, bounds, le};
    }
    if (shape)
        shape->layouts = layouts;
}

static void lay_families(struct block *block, const struct work *work, struct shape *shape)
{
    struct shape_family *families = block_take(block, work->family_count * sizeof *families);
    for (uint32_t i = 0; i < work->family_count; i++) {
        const struct batch_family *from = work->sorted[i];
        struct shape_family family = {.name = block_text(block, from->name_str),
                                      .help = block_text(block, family_help(from)),
                                      .unit = block_text(block, family_unit(from)),
                                      .type = from->type,
                                      .first_series = work->starts[i],
                                      .series_count = work->starts[i + 1] - work->starts[i]};
        if (families)
            families[i] = family;
    }
    if (shape)
        shape->families = families;
}

/* Fills the series and their slots; returns whether their text lies in ascending order in batch->text. */
static bool lay_series(const struct work *work, struct shape *shape, struct shape_series *series)
{
    uint32_t slot = 0, end = 0;
    bool ascending = true;
    for (uint32_t i = 0; i < shape->series_count; i++) {
        const struct pending *p = &work->pending[work->index[i]];
        series[i] = (struct shape_series){.text = p->text,
                                          .slot = slot,
                                          .text_len = p->text_len,
                                          .layout = p->layout,
                                          .kind = p->kind,
                                          .suffix = p->suffix};
        slot += p->kind == SERIES_HISTOGRAM ? shape->layouts[p->layout].bound_count + 2 : 1;
        ascending = ascending && p->text >= end;
        end = p->text + p->text_len;
    }
    shape->slot_count = slot;
    return ascending;
}

/* The label text in the order of the series, so that a page is rendered by reading memory forwards. */
static void lay_text(struct batch *batch, struct shape *shape, struct shape_series *series, bool ascending)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < shape->series_count; i++)
        bytes += series[i].text_len;
    if (ascending && batch->text.len == bytes) {
        shape->text = xrealloc(TAKE(batch->text.data), bytes);
        batch->text.len = batch->text.cap = 0;
    } else {
        char *text = xmalloc(bytes);
        uint32_t at = 0;
        for (uint32_t i = 0; i < shape->series_count; i++) {
            if (series[i].text_len)
                memcpy(text + at, batch->text.data + series[i].text, series[i].text_len);
            series[i].text = at;
            at += series[i].text_len;
        }
        shape->text = text;
    }
    shape->bytes += bytes;
}

static struct shape *make_shape(struct work *work, uint32_t series_count)
{
    struct batch *batch = work->batch;
    struct block block = {NULL, 0};
    for (int pass = 0; pass < 2; pass++) {
        struct shape *shape = block_take(&block, sizeof *shape);
        struct shape_series *series = block_take(&block, series_count * sizeof *series);
        if (shape) {
            memset(shape, 0, sizeof *shape);
            shape->family_count = work->family_count;
            shape->series_count = series_count;
            shape->layout_count = (uint32_t)batch->layout_count;
            shape->series = series;
        }
        lay_families(&block, work, shape);
        lay_layouts(&block, batch, shape);
        struct str common = block_text(&block, batch->common_text);
        if (shape) {
            refcount_init(&shape->refs);
            shape->id = shape_next_id();
            shape->common_text = common;
            shape->bytes = block.used;
            lay_text(batch, shape, series, lay_series(work, shape, series));
            return shape;
        }
        block = (struct block){xmalloc(block.used), 0};
    }
    return NULL;
}

static struct snapshot *gather_values(const struct work *work, struct shape *shape)
{
    uint64_t *bits;
    uint8_t *kinds;
    struct snapshot *snapshot = snapshot_new(shape, &bits, &kinds);
    const uint64_t *from_bits = work->batch->bits.items;
    const uint8_t *from_kinds = work->batch->kinds.items;
    for (uint32_t i = 0; i < shape->series_count; i++) {
        const struct shape_series *series = &shape->series[i];
        uint32_t slots =
            series->kind == SERIES_HISTOGRAM ? shape->layouts[series->layout].bound_count + 2 : 1;
        uint32_t from = work->pending[work->index[i]].value;
        memcpy(bits + series->slot, from_bits + from, slots * sizeof *bits);
        memcpy(kinds + series->slot, from_kinds + from, slots);
    }
    return snapshot;
}

/* What positional mode needs of the new shape. */
static void adopt_shape(struct work *work, struct shape *shape, uint32_t *order)
{
    struct batch *batch = work->batch;
    for (size_t i = 0; i < batch->family_count; i++)
        batch->families[i]->first = batch->families[i]->count = 0;
    batch->shape_owners =
        xrealloc(batch->shape_owners, (work->family_count + 1) * sizeof *batch->shape_owners);
    for (uint32_t i = 0; i < work->family_count; i++) {
        batch->shape_owners[i] = work->sorted[i]->index;
        work->sorted[i]->first = work->starts[i];
        work->sorted[i]->count = work->starts[i + 1] - work->starts[i];
    }
    (void)shape_unref(batch->shape);
    batch->shape = shape;
    free(batch->order);
    batch->order = order;
    batch->order_count = work->count;
}

static bool same_family(const struct shape_family *a, const struct shape_family *b)
{
    return a->type == b->type && a->series_count == b->series_count && str_equal(a->name, b->name) &&
           str_equal(a->help, b->help) && str_equal(a->unit, b->unit);
}

/* Rows that come in another order make the batch diverge and the same shape again. */
static bool same_shape(const struct shape *a, const struct shape *b)
{
    if (a->family_count != b->family_count || a->series_count != b->series_count ||
        a->slot_count != b->slot_count || a->layout_count != b->layout_count)
        return false;
    for (uint32_t i = 0; i < a->family_count; i++) {
        if (!same_family(&a->families[i], &b->families[i]))
            return false;
    }
    for (uint32_t i = 0; i < a->series_count; i++) {
        const struct shape_series *x = &a->series[i], *y = &b->series[i];
        if (x->kind != y->kind || x->suffix != y->suffix || x->layout != y->layout || x->slot != y->slot ||
            !str_equal(shape_series_text(a, x), shape_series_text(b, y)))
            return false;
    }
    return true;
}

struct snapshot *batch_lay_out(struct batch *batch)
{
    struct work work = {
        .batch = batch, .pending = batch->pending.items, .count = (uint32_t)batch->pending.count};
    uint32_t *order = xcalloc(work.count, sizeof *order);
    sort_series(&work);
    uint32_t series_count = drop_duplicates(&work, order);
    struct shape *shape = make_shape(&work, series_count);
    if (batch->shape && same_shape(shape, batch->shape)) {
        (void)shape_unref(shape); /* what readers resolved for the old one stays good */
        shape = shape_ref(batch->shape);
    }
    struct snapshot *snapshot = gather_values(&work, shape);
    adopt_shape(&work, shape, order);
    batch_list_free(&batch->pending);
    batch_list_free(&batch->bits);
    batch_list_free(&batch->kinds);
    buf_deinit(&batch->text);
    buf_deinit(&batch->keys);
    free(work.sorted);
    free(work.starts);
    free(work.index);
    return snapshot;
}
