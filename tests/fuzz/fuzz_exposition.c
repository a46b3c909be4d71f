/* Exposition pages: the parser alone (its slices must lie in the page or its scratch) and the reader with a
 * batch. The first byte chooses the grammar (lowest bit) and the size of a slice. */
#include "scrapers/prometheus/exposition_reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_slice(const struct exposition_parser *parser, struct str slice)
{
    if (slice.len == 0)
        return;
    bool in_page =
        slice.ptr >= parser->page.ptr && slice.ptr + slice.len <= parser->page.ptr + parser->page.len;
    bool in_scratch = slice.ptr >= parser->scratch.data &&
                      slice.ptr + slice.len <= parser->scratch.data + parser->scratch.len;
    if (!in_page && !in_scratch)
        abort();
}

static void parse(enum exposition_format format, struct str page)
{
    struct exposition_parser parser;
    struct exposition_item item;
    size_t line = 0;
    exposition_parser_init(&parser);
    exposition_parser_begin(&parser, format, page);
    while (exposition_next(&parser, &item)) {
        if (item.line <= line || (item.kind == EXPOSITION_BAD) != (item.reason != NULL))
            abort();
        line = item.line;
        if (item.kind == EXPOSITION_BAD)
            continue;
        if (!metric_name_valid((struct str){item.name.ptr, item.name.len > 100 ? 100 : item.name.len}))
            abort();
        check_slice(&parser, item.name);
        check_slice(&parser, item.text);
        for (size_t i = 0; i < item.label_count; i++) {
            check_slice(&parser, item.labels[i].name);
            check_slice(&parser, item.labels[i].value);
        }
    }
    exposition_parser_deinit(&parser);
}

/* Twice, so that the second page meets what was remembered of the first. */
static void read_twice(enum exposition_format format, struct str page, size_t slice)
{
    const struct label common[] = {LABEL("target", STR("t"))};
    const struct batch_options options = {.common = common, .common_count = 1, .max_series = 1000};
    struct batch *batch = batch_new(&options);
    const struct exposition_reader_options reader_options = {.batch = batch, .max_names = 1000};
    struct exposition_reader *reader = exposition_reader_new(&reader_options);
    uint64_t shape_id = 0;
    for (unsigned round = 0; round < 2; round++) {
        struct exposition_counts counts;
        struct error err;
        batch_begin(batch);
        exposition_reader_begin(reader, format, page);
        while (exposition_reader_step(reader, slice))
            continue;
        (void)!exposition_reader_finish(reader, &counts, &err);
        struct snapshot *snapshot = batch_finish(batch, 1, 1);
        if (round == 1 && snapshot->shape->id != shape_id)
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
    enum exposition_format format = bytes[0] & 1 ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
    struct str page = {(const char *)bytes + 1, size - 1};
    parse(format, page);
    read_twice(format, page, (size_t)(bytes[0] >> 1) + 1);
    return 0;
}
