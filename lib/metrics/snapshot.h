/* What a source publishes: an immutable shape (names, label text, layout) shared by successive snapshots, and
 * the values of one moment.
 *
 * A family is a name with its type, help and unit; a series of it is either a sample (one slot) or a classic
 * histogram (one slot a bucket, cumulative counts, then one for the sum). Families are sorted by name; inside
 * a family series are sorted by label text without le and quantile (byte order), then own histogram,
 * quantiles or buckets by bound, sum, count: all lines of one metric lie together, and two shapes merge in
 * one pass. A slot may be absent although its series is in the shape: it has no line then.
 *
 * Ownership: both are reference-counted; snapshot_ref()/snapshot_unref(); a snapshot holds its shape.
 * Threads: immutable, so any thread may read. */
#ifndef FRAISEQL_METRICS_SNAPSHOT_H
#define FRAISEQL_METRICS_SNAPSHOT_H

#include "lib/core/atomic.h"
#include "lib/core/str.h"
#include "lib/metrics/value.h"

enum metric_type {
    METRIC_UNTYPED,
    METRIC_GAUGE,
    METRIC_COUNTER,
    METRIC_HISTOGRAM,
    METRIC_SUMMARY,
    METRIC_INFO,    /* OpenMetrics only; gauge in text 0.0.4 */
    METRIC_STATESET /* OpenMetrics only; gauge in text 0.0.4 */
};

/* What follows the family's name on a line of a foreign histogram, summary or counter. Shapes hold NONE,
 * BUCKET, COUNT and SUM only: batches rename the family for _total and _info and do not keep _created. */
enum series_suffix {
    SUFFIX_NONE,
    SUFFIX_BUCKET,
    SUFFIX_COUNT,
    SUFFIX_SUM,
    SUFFIX_TOTAL,
    SUFFIX_CREATED,
    SUFFIX_INFO
};

/* Description of a family by its source. Names are as on a text 0.0.4 line: a counter's name has its _total
 * (or lacks it, when a compatible name demands so), a histogram's has no suffix. */
struct metric_desc {
    const char *name;
    enum metric_type type;
    const char *help; /* may be "" */
    const char *unit; /* may be NULL; a suffix of the name (without _total) when given */
};

/* Bounds of a histogram with their text, shared by the series of a shape. */
struct histogram_layout {
    uint32_t bound_count; /* finite bounds; the +Inf bucket is one more */
    const double *bounds;
    const struct str *le_text; /* bound_count + 1, the last "+Inf" */
};

struct shape_series {
    uint32_t text; /* offset of the canonical label text in shape->text */
    uint32_t slot; /* first value slot */
    uint16_t text_len;
    uint16_t layout; /* index into layouts when SERIES_HISTOGRAM */
    uint8_t kind;    /* enum series_kind */
    uint8_t suffix;  /* enum series_suffix */
    uint16_t reserved;
};

enum series_kind { SERIES_SAMPLE, SERIES_HISTOGRAM };

struct shape_family {
    struct str name, help, unit;
    enum metric_type type;
    uint32_t first_series, series_count;
};

struct shape {
    struct refcount refs;
    uint64_t id; /* unique in the process: a key for what is resolved once a shape */
    uint32_t family_count, series_count, slot_count, layout_count;
    const struct shape_family *families;
    const struct shape_series *series;
    const struct histogram_layout *layouts;
    const char *text;
    struct str common_text; /* canonical text of the labels that every series has with these values */
    size_t bytes;           /* all memory of the shape */
};

struct snapshot {
    struct refcount refs;
    struct shape *shape;
    int64_t taken_wall_ns, taken_mono_ns;
    const uint64_t *bits; /* one a slot */
    const uint8_t *kinds; /* enum value_kind, one a slot */
    size_t bytes;         /* without the shape */
};

struct snapshot *snapshot_ref(struct snapshot *snapshot);
struct snapshot *snapshot_unref(struct snapshot *snapshot); /* accepts NULL; returns NULL */

static inline struct str shape_series_text(const struct shape *shape, const struct shape_series *series)
{
    return (struct str){shape->text + series->text, series->text_len};
}

static inline struct value snapshot_value(const struct snapshot *snapshot, uint32_t slot)
{
    return (struct value){.kind = (enum value_kind)snapshot->kinds[slot], .bits = snapshot->bits[slot]};
}

/* Binary search; NULL when absent. */
const struct shape_family *shape_find_family(const struct shape *shape, struct str name);

#endif
