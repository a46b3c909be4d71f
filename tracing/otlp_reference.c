#include "tracing/otlp_reference.h"

#include "lib/metrics/proto/otlp.pb-c.h"

static void *alloc_in_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void free_in_arena(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

static struct str bytes_str(ProtobufCBinaryData bytes)
{
    return (struct str){(const char *)bytes.data, bytes.len};
}

static struct otlp_resource resource_of(const Otlp__ResourceSpans *group)
{
    struct otlp_resource resource = {0};
    for (size_t i = 0; group->resource && i < group->resource->n_attributes; i++) {
        const Otlp__KeyValue *attribute = group->resource->attributes[i];
        if (attribute->value && attribute->value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE)
            otlp_resource_attribute(&resource, bytes_str(attribute->key),
                                    bytes_str(attribute->value->string_value));
    }
    return resource;
}

static struct otlp_span span_of(const Otlp__Span *message)
{
    return (struct otlp_span){
        .trace_id = bytes_str(message->trace_id),
        .span_id = bytes_str(message->span_id),
        .parent_span_id = bytes_str(message->parent_span_id),
        .trace_state = bytes_str(message->trace_state),
        .name = bytes_str(message->name),
        .start_ns = message->start_time_unix_nano,
        .end_ns = message->end_time_unix_nano,
        .kind = message->kind,
        .status = message->status ? message->status->code : 0,
        .flags = message->flags,
    };
}

static void visit_group(const Otlp__ResourceSpans *group, const struct otlp_visitor *visitor,
                        uint64_t *ordinal)
{
    struct otlp_resource resource = resource_of(group);
    bool resource_ok = otlp_resource_accept(&resource);
    if (resource_ok)
        visitor->resource(visitor->ctx, &resource);
    for (size_t i = 0; i < group->n_scope_spans; i++) {
        const Otlp__ScopeSpans *scope = group->scope_spans[i];
        for (size_t j = 0; j < scope->n_spans; j++) {
            struct otlp_span span = span_of(scope->spans[j]);
            enum otlp_reject reason = OTLP_REJECT_RESOURCE_UTF8;
            ++*ordinal;
            if (resource_ok && otlp_span_accept(&span, &reason))
                visitor->span(visitor->ctx, &span);
            else
                visitor->reject(visitor->ctx, reason, *ordinal);
        }
    }
}

int otlp_reference_traces(struct str request, struct arena *arena, const struct otlp_visitor *visitor,
                          struct otlp_frame *ret_frame, struct error *err)
{
    ProtobufCAllocator allocator = {.alloc = alloc_in_arena, .free = free_in_arena, .allocator_data = arena};
    static const uint8_t nothing[1];
    const uint8_t *bytes = request.len ? (const uint8_t *)request.ptr : nothing;
    const Otlp__ExportTraceRequest *message =
        otlp__export_trace_request__unpack(&allocator, request.len, bytes);
    if (!message)
        return error_set(err, ERR_PARSE, "not an ExportTraceServiceRequest");
    uint64_t ordinal = 0;
    for (size_t i = 0; i < message->n_resource_spans; i++)
        visit_group(message->resource_spans[i], visitor, &ordinal);
    *ret_frame = (struct otlp_frame){.groups = message->n_resource_spans, .spans = ordinal};
    return 0;
}
