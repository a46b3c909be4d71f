/* What holds for spans and resources whichever decoder read them. */
#include "tracing/otlp_decode.h"

static const struct {
    const char *name, *text;
} rejects[OTLP_REJECT_COUNT] = {
    [OTLP_REJECT_DAMAGED] = {"damaged", "it is not a readable Span message"},
    [OTLP_REJECT_DEPTH] = {"depth", "attribute values are nested more than 64 messages deep"},
    [OTLP_REJECT_TRACE_ID] = {"trace_id", "trace_id is not 16 bytes or all zero"},
    [OTLP_REJECT_SPAN_ID] = {"span_id", "span_id is not 8 bytes or all zero"},
    [OTLP_REJECT_PARENT_ID] = {"parent_span_id", "parent_span_id is neither empty nor 8 bytes"},
    [OTLP_REJECT_UTF8] = {"utf8", "its name is not UTF-8"},
    [OTLP_REJECT_RESOURCE] = {"resource", "its resource is not a readable Resource message"},
    [OTLP_REJECT_RESOURCE_UTF8] = {"resource_utf8",
                                   "a service or region that its resource names is not UTF-8"},
    [OTLP_REJECT_SCOPE] = {"scope", "its instrumentation scope is not readable"},
};

const char *otlp_reject_name(enum otlp_reject reason)
{
    return rejects[reason].name;
}

const char *otlp_reject_text(enum otlp_reject reason)
{
    return rejects[reason].text;
}

static inline uint64_t eight_bytes(const char *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline bool id8_present(struct str id)
{
    return id.len == 8 && eight_bytes(id.ptr) != 0;
}

bool otlp_span_accept(struct otlp_span *span, enum otlp_reject *ret_reason)
{
    if (unlikely(span->trace_id.len != 16 ||
                 (eight_bytes(span->trace_id.ptr) | eight_bytes(span->trace_id.ptr + 8)) == 0)) {
        *ret_reason = OTLP_REJECT_TRACE_ID;
        return false;
    }
    if (unlikely(!id8_present(span->span_id))) {
        *ret_reason = OTLP_REJECT_SPAN_ID;
        return false;
    }
    if (span->parent_span_id.len && !id8_present(span->parent_span_id)) {
        if (span->parent_span_id.len != 8) {
            *ret_reason = OTLP_REJECT_PARENT_ID;
            return false;
        }
        span->parent_span_id = (struct str){NULL, 0}; /* some senders write eight zeros for "none" */
    }
    if (unlikely(!str_is_utf8(span->name))) {
        *ret_reason = OTLP_REJECT_UTF8;
        return false;
    }
    if (span->kind >= OTLP_KIND_COUNT)
        span->kind = OTLP_KIND_UNSPECIFIED;
    if (span->status >= OTLP_STATUS_COUNT)
        span->status = OTLP_STATUS_UNSET;
    return true;
}

void otlp_resource_attribute(struct otlp_resource *resource, struct str key, struct str value)
{
    struct str *member;
    if (str_equal(key, STR("service.name")))
        member = &resource->service;
    else if (str_equal(key, STR("service.instance.id")))
        member = &resource->instance;
    else if (str_equal(key, STR("deployment.region")))
        member = &resource->deployment_region;
    else if (str_equal(key, STR("region")))
        member = &resource->region;
    else if (str_equal(key, STR("cloud.region")))
        member = &resource->cloud_region;
    else
        return;
    if (member->len == 0)
        *member = value;
}

bool otlp_resource_accept(const struct otlp_resource *resource)
{
    return str_is_utf8(resource->service) && str_is_utf8(resource->instance) &&
           str_is_utf8(resource->deployment_region) && str_is_utf8(resource->region) &&
           str_is_utf8(resource->cloud_region);
}
