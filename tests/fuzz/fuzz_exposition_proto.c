/* Prometheus' protobuf exposition: the decoder alone (its texts must lie in the page or its own memory) and
 * the reader with a batch, twice, as the second page meets what was remembered of the first. */
#include "scrapers/prometheus/exposition_proto.h"
#include "scrapers/prometheus/exposition_reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool inside(struct str slice, const char *start, size_t len)
{
    return slice.ptr >= start && slice.ptr + slice.len <= start + len;
}

static void check_slice(const struct exposition_proto *proto, struct str slice)
{
    if (slice.len > 0 && !inside(slice, proto->page.ptr, proto->page.len) &&
        !inside(slice, proto->names.data, proto->names.len) &&
        !inside(slice, proto->scratch.data, proto->scratch.len) &&
        !inside(slice, proto->bound_text, sizeof proto->bound_text))
        abort();
}

static void decode(struct str page)
{
    struct exposition_proto proto;
    struct exposition_item item;
    exposition_proto_init(&proto);
    exposition_proto_begin(&proto, page);
    while (exposition_proto_next(&proto, &item)) {
        if ((item.kind == EXPOSITION_BAD) != (item.reason != NULL))
            abort();
        check_slice(&proto, item.name);
        check_slice(&proto, item.text);
        for (size_t i = 0; i < item.label_count; i++) {
            if (!inside(item.labels[i].name, "le", 2) && !inside(item.labels[i].name, "quantile", 8) &&
                item.labels[i].value.ptr != proto.bound_text)
                check_slice(&proto, item.labels[i].name);
            check_slice(&proto, item.labels[i].value);
        }
    }
    exposition_proto_deinit(&proto);
}

static void read_twice(struct str page, size_t slice)
{
    const struct batch_options options = {.max_series = 1000};
    struct batch *batch = batch_new(&options);
    const struct exposition_reader_options reader_options = {
        .batch = batch, .max_names = 1000, .max_sample_age_ms = 1000};
    struct exposition_reader *reader = exposition_reader_new(&reader_options);
    uint64_t shape_id = 0;
    for (unsigned round = 0; round < 2; round++) {
        struct exposition_counts counts;
        struct error err;
        batch_begin(batch);
        const struct exposition_page at = {EXPOSITION_PROTOBUF, page, 1000000, NULL, false};
        exposition_reader_begin_page(reader, &at);
        while (exposition_reader_step(reader, slice))
            continue;
        (void)!exposition_reader_finish(reader, &counts, &err);
        struct snapshot *snapshot = batch_finish(batch, 1, 1);
        if (round == 1 && counts.out_of_order == 0 && snapshot->shape->id != shape_id)
            abort(); /* the same page has the same shape */
        shape_id = snapshot->shape->id;
        snapshot_unref(snapshot);
    }
    exposition_reader_free(reader);
    batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    struct str page = {(const char *)bytes + 1, size - 1};
    decode(page);
    read_twice(page, (size_t)bytes[0] + 1);
    return 0;
}
