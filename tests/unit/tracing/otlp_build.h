/* Writes OTLP messages byte by byte, in any field order: what encoders of the wild do and a generated one
 * cannot. For tests and the benchmark. */
#ifndef FRAISEQL_TESTS_OTLP_BUILD_H
#define FRAISEQL_TESTS_OTLP_BUILD_H

#include "tests/support/wire_build.h"

/* KeyValue with a text, as field `field`. */
static inline void UNUSED build_attribute(struct buf *out, uint32_t field, const char *key, const char *value)
{
    struct buf any = BUF_INIT(BUILD_MAX), pair = BUF_INIT(BUILD_MAX);
    build_bytes(&any, 1, str_from(value));
    build_bytes(&pair, 1, str_from(key));
    build_message(&pair, 2, &any);
    build_message(out, field, &pair);
    buf_deinit(&any);
    buf_deinit(&pair);
}

struct build_span {
    uint64_t trace, span, parent; /* ids; 0: absent */
    const char *name, *trace_state;
    uint32_t kind, status, flags;
    uint64_t start_ns, end_ns;
    int attributes;
};

static inline void UNUSED build_span_field(struct buf *out, const struct build_span *span, uint32_t field)
{
    char id[16] = {0};
    struct buf status = BUF_INIT(BUILD_MAX);
    switch (field) {
    case 1:
        memcpy(id, &span->trace, 8);
        memcpy(id + 8, &span->trace, 8);
        if (span->trace)
            build_bytes(out, 1, (struct str){id, 16});
        break;
    case 2:
        memcpy(id, &span->span, 8);
        if (span->span)
            build_bytes(out, 2, (struct str){id, 8});
        break;
    case 3:
        if (span->trace_state)
            build_bytes(out, 3, str_from(span->trace_state));
        break;
    case 4:
        memcpy(id, &span->parent, 8);
        if (span->parent)
            build_bytes(out, 4, (struct str){id, 8});
        break;
    case 5:
        if (span->name)
            build_bytes(out, 5, str_from(span->name));
        break;
    case 6:
        if (span->kind)
            build_u64(out, 6, span->kind);
        break;
    case 7:
        build_fixed64(out, 7, span->start_ns);
        break;
    case 8:
        build_fixed64(out, 8, span->end_ns);
        break;
    case 9:
        for (int i = 0; i < span->attributes; i++)
            build_attribute(out, 9, "http.request.method", "GET");
        break;
    case 15:
        if (span->status) {
            build_u64(&status, 3, span->status);
            build_message(out, 15, &status);
        }
        break;
    case 16:
        if (span->flags)
            build_fixed32(out, 16, span->flags);
        break;
    default:
        break;
    }
    buf_deinit(&status);
}

/* A Span as field 2 of a scope; descending: as the Collector writes it (15 ... 5, 16, 4, 2, 1). */
static inline void UNUSED build_span(struct buf *scope, const struct build_span *span, bool descending)
{
    static const uint32_t down[] = {15, 9, 8, 7, 6, 5, 16, 4, 3, 2, 1};
    struct buf message = BUF_INIT(BUILD_MAX);
    for (size_t i = 0; i < ARRAY_LEN(down); i++)
        build_span_field(&message, span, down[descending ? i : ARRAY_LEN(down) - 1 - i]);
    build_message(scope, 2, &message);
    buf_deinit(&message);
}

/* A ResourceSpans with one scope, as field 1 of a request. service and region may be NULL. */
static inline void UNUSED build_group(struct buf *request, const char *service, const char *region,
                                      const struct build_span *spans, size_t count, bool descending)
{
    struct buf group = BUF_INIT(BUILD_MAX), resource = BUF_INIT(BUILD_MAX), scope = BUF_INIT(BUILD_MAX);
    if (service)
        build_attribute(&resource, 1, "service.name", service);
    if (region)
        build_attribute(&resource, 1, "deployment.region", region);
    for (size_t i = 0; i < count; i++)
        build_span(&scope, &spans[i], descending);
    if (!descending)
        build_message(&group, 1, &resource);
    build_message(&group, 2, &scope);
    if (descending)
        build_message(&group, 1, &resource);
    build_message(request, 1, &group);
    buf_deinit(&group);
    buf_deinit(&resource);
    buf_deinit(&scope);
}

#endif
