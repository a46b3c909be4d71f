#include "tracing/entry.h"

#include "lib/core/arena.h"
#include "lib/core/hash.h"

#include <stdlib.h>

enum entry_verdict entry_decide(const struct otlp_span *span)
{
    if (span->parent_span_id.len == 0)
        return ENTRY_YES;
    if (span->flags & OTLP_FLAG_REMOTE_KNOWN)
        return span->flags & OTLP_FLAG_REMOTE ? ENTRY_YES : ENTRY_NO;
    if (span->kind == OTLP_KIND_SERVER || span->kind == OTLP_KIND_CONSUMER)
        return ENTRY_YES;
    return ENTRY_ASK_PARENT;
}

static uint64_t fold_ids(struct str trace_id, struct str span_id)
{
    return hash_mix(hash_str(trace_id), hash_str(span_id)) | 1;
}

struct build {
    struct entry_index *index;
    uint64_t service;
};

static void build_resource(void *ctx, const struct otlp_resource *resource)
{
    struct build *build = ctx;
    build->service = hash_str(resource->service);
}

static void build_span(void *ctx, const struct otlp_span *span)
{
    struct build *build = ctx;
    struct entry_index *index = build->index;
    uint64_t key = fold_ids(span->trace_id, span->span_id);
    size_t at = (size_t)key & index->mask;
    while (index->slots[at].span && index->slots[at].span != key)
        at = (at + 1) & index->mask;
    index->slots[at] = (struct entry_slot){key, build->service};
}

static void build_reject(void *ctx, enum otlp_reject reason, uint64_t ordinal)
{
    (void)ctx;
    (void)reason;
    (void)ordinal;
}

bool entry_index_build(struct entry_index *index, struct str body, const struct otlp_frame *frame)
{
    *index = (struct entry_index){0};
    if (frame->spans > ENTRY_INDEX_MAX)
        return false;
    size_t capacity = 16;
    while (capacity < 2 * frame->spans)
        capacity *= 2;
    index->slots = xcalloc(capacity, sizeof *index->slots);
    index->mask = capacity - 1;
    struct build build = {.index = index};
    const struct otlp_visitor visitor = {&build, build_resource, build_span, build_reject};
    struct otlp_frame again;
    if (otlp_decode_traces(body, &visitor, &again, NULL)) {
        entry_index_deinit(index);
        return false;
    }
    return true;
}

void entry_index_deinit(struct entry_index *index)
{
    free(index->slots);
    *index = (struct entry_index){0};
}

bool entry_parent_elsewhere(const struct entry_index *index, const struct otlp_span *span, struct str service)
{
    if (!index->slots)
        return false;
    uint64_t key = fold_ids(span->trace_id, span->parent_span_id);
    for (size_t at = (size_t)key & index->mask; index->slots[at].span; at = (at + 1) & index->mask)
        if (index->slots[at].span == key)
            return index->slots[at].service != hash_str(service);
    return false;
}
