/* A visitor that writes what a decoder hands out as text, so that two decoders compare by one string. */
#ifndef FRAISEQL_TESTS_OTLP_RECORD_H
#define FRAISEQL_TESTS_OTLP_RECORD_H

#include "lib/core/buf.h"
#include "tracing/otlp_decode.h"

struct record {
    struct buf text;
    uint64_t resources, spans, rejects, by_reason[OTLP_REJECT_COUNT];
    struct otlp_span last; /* points into the request */
    struct otlp_resource last_resource;
};

static inline void UNUSED record_bytes(struct buf *out, struct str bytes)
{
    buf_printf(out, " %zu:", bytes.len);
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(out, "%02x", (unsigned char)bytes.ptr[i]);
}

static inline void UNUSED record_resource(void *ctx, const struct otlp_resource *resource)
{
    struct record *record = ctx;
    record->resources++;
    record->last_resource = *resource;
    buf_append_text(&record->text, "resource");
    record_bytes(&record->text, resource->service);
    record_bytes(&record->text, resource->instance);
    record_bytes(&record->text, resource->deployment_region);
    record_bytes(&record->text, resource->region);
    record_bytes(&record->text, resource->cloud_region);
    buf_append_text(&record->text, "\n");
}

static inline void UNUSED record_span(void *ctx, const struct otlp_span *span)
{
    struct record *record = ctx;
    record->spans++;
    record->last = *span;
    buf_append_text(&record->text, "span");
    record_bytes(&record->text, span->trace_id);
    record_bytes(&record->text, span->span_id);
    record_bytes(&record->text, span->parent_span_id);
    record_bytes(&record->text, span->trace_state);
    record_bytes(&record->text, span->name);
    buf_printf(&record->text, " %llu %llu %u %u %u\n", (unsigned long long)span->start_ns,
               (unsigned long long)span->end_ns, span->kind, span->status, span->flags);
}

static inline void UNUSED record_reject(void *ctx, enum otlp_reject reason, uint64_t ordinal)
{
    struct record *record = ctx;
    record->rejects++;
    record->by_reason[reason]++;
    buf_printf(&record->text, "reject %s %llu\n", otlp_reject_name(reason), (unsigned long long)ordinal);
}

static inline void UNUSED record_init(struct record *record)
{
    *record = (struct record){.text = BUF_INIT(1UL << 30)};
}

static inline struct otlp_visitor UNUSED record_visitor(struct record *record)
{
    return (struct otlp_visitor){record, record_resource, record_span, record_reject};
}

#endif
