/* Inside of the batch.
 *
 * A scrape runs in one of two modes. In *positional* mode the n-th added series is compared with the n-th one
 * of the last shape and only its value is stored. The first difference makes the batch *diverge*: what was
 * added so far is copied into the list of pending series, the rest of the scrape goes there too, and
 * batch_finish() lays out a new shape. */
#ifndef FRAISEQL_METRICS_BATCH_INTERNAL_H
#define FRAISEQL_METRICS_BATCH_INTERNAL_H

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/core/map.h"
#include "lib/metrics/batch.h"

enum family_state { FAMILY_GOOD, FAMILY_BAD_NAME, FAMILY_TYPE_CLASH };

struct batch_family {
    char *name, *help, *unit; /* as its source gave them; malloc'd */
    struct str name_str;
    enum metric_type type;
    enum family_state state;
    uint32_t index;        /* in batch->families */
    uint32_t first, count; /* its series in the last shape */
    uint64_t seen;         /* the scrape that described it last */
};

#define ORDER_DUPLICATE (UINT32_C(1) << 31) /* the position repeats a series: counted and skipped */

/* One series of a scrape that diverged. */
struct pending {
    uint32_t family;    /* index in batch->families */
    uint32_t text, key; /* offsets in batch->text; in batch->keys when keyed, else the key is the text */
    uint32_t value;     /* first index in batch->bits and ->kinds */
    uint16_t text_len, key_len;
    uint16_t layout;
    uint8_t kind, suffix; /* enum series_kind, enum series_suffix */
    bool keyed,
        counted;  /* counted: known as a duplicate from an earlier scrape and in batch->counts already */
    double bound; /* le or quantile; 0 when there is none */
};

/* A vector of any element; the batch's vectors are freed after each layout. */
struct batch_list {
    void *items;
    size_t count, capacity;
};

struct batch_common {
    struct label label;
    struct str exported, exported_twice; /* what a series' own label of that name becomes */
};

struct batch {
    struct arena *arena; /* common labels and layouts' text; as old as the batch */
    struct batch_common *common;
    size_t common_count;
    struct str common_text;
    uint32_t max_series;
    struct batch_counts counts;

    struct batch_family **families;
    size_t family_count, family_capacity, family_hint;
    struct map family_by_name;
    struct batch_family bad_name, type_clash;
    uint64_t scrape;

    struct shape *shape;    /* of the last scrape; NULL before the first */
    uint32_t *shape_owners; /* shape family -> index in families */
    uint32_t *order;        /* position -> series of the shape, perhaps with ORDER_DUPLICATE */
    uint32_t order_count, position;
    uint32_t slots_used;

    struct snapshot *next; /* being filled in positional mode */
    uint64_t *next_bits;
    uint8_t *next_kinds;

    bool diverged;
    struct batch_list pending, bits, kinds;
    struct buf text, keys;
    struct histogram_layout *layouts; /* ever met; few */
    size_t layout_count;

    struct label *merged; /* a series' labels with the common ones */
    struct buf scratch;
};

/* batch_family.c */
void batch_families_deinit(struct batch *batch);
/* Forgets families that the last scrape did not describe; pointers to them end. */
void batch_families_sweep(struct batch *batch);

/* batch_series.c */
struct batch_line {
    struct batch_family *family;
    enum series_kind kind;
    enum series_suffix suffix;
    uint16_t layout;
    uint32_t slots;
    struct str bound_name; /* "le", "quantile" or empty: must be there and a number */
    struct str forbidden;  /* a label that would be taken for a bound, or empty */
    struct str required;   /* a label that must be there, or empty */
    const uint64_t *bits;
    const uint8_t *kinds;
};
void batch_add_line(struct batch *batch, const struct batch_line *line, struct label *labels, size_t count);
/* Leaves positional mode. */
void batch_diverge(struct batch *batch);

/* "le" of a bucket line, "quantile" of a summary's, else empty. */
struct str batch_bound_name(enum metric_type type, enum series_suffix suffix);

/* batch_layout.c: the pending series as a snapshot with a shape of its own; order and shape are replaced. */
struct snapshot *batch_lay_out(struct batch *batch);

void *batch_list_extend(struct batch_list *list, size_t count, size_t size);
void batch_list_free(struct batch_list *list);

#endif
