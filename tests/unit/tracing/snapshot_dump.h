/* A snapshot as lines of text, as far as these tests read it; histograms with cumulative buckets. */
#ifndef FRAISEQL_TESTS_SNAPSHOT_DUMP_H
#define FRAISEQL_TESTS_SNAPSHOT_DUMP_H

#include "lib/core/buf.h"
#include "lib/metrics/snapshot.h"

static inline void UNUSED dump_value(struct buf *out, struct value value)
{
    char text[NUMBER_TEXT_MAX];
    buf_append(out, text, (size_t)(number_write_value(text, value) - text));
    buf_append_byte(out, '\n');
}

static inline void UNUSED dump_histogram(struct buf *out, const struct snapshot *snapshot,
                                         const struct shape_family *family, const struct shape_series *series)
{
    const struct histogram_layout *layout = &snapshot->shape->layouts[series->layout];
    struct str text = shape_series_text(snapshot->shape, series);
    for (uint32_t i = 0; i <= layout->bound_count; i++) {
        buf_printf(out, "%.*s_bucket{%.*s,le=\"%.*s\"} ", STR_ARGS(family->name), STR_ARGS(text),
                   STR_ARGS(layout->le_text[i]));
        dump_value(out, snapshot_value(snapshot, series->slot + i));
    }
    buf_printf(out, "%.*s_sum{%.*s} ", STR_ARGS(family->name), STR_ARGS(text));
    dump_value(out, snapshot_value(snapshot, series->slot + layout->bound_count + 1));
}

static inline void UNUSED dump_snapshot(struct buf *out, const struct snapshot *snapshot)
{
    for (uint32_t f = 0; f < snapshot->shape->family_count; f++) {
        const struct shape_family *family = &snapshot->shape->families[f];
        for (uint32_t s = 0; s < family->series_count; s++) {
            const struct shape_series *series = &snapshot->shape->series[family->first_series + s];
            struct str text = shape_series_text(snapshot->shape, series);
            if (series->kind == SERIES_HISTOGRAM) {
                dump_histogram(out, snapshot, family, series);
                continue;
            }
            buf_printf(out, "%.*s{%.*s} ", STR_ARGS(family->name), STR_ARGS(text));
            dump_value(out, snapshot_value(snapshot, series->slot));
        }
    }
}

#endif
