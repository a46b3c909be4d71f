#include "tracing/otlp_decode.h"

#include "tracing/otlp_validate.h"

/* --- envelope: request -> ResourceSpans -> ScopeSpans -> spans, by their lengths */

struct frame_position {
    const struct str *request;
    struct error *err;
};

static int damaged(const struct frame_position *position, const struct wire *wire, const char *message)
{
    size_t offset = (size_t)((const char *)wire->at - position->request->ptr);
    return error_set(position->err, ERR_PARSE,
                     "not an ExportTraceServiceRequest: %s is damaged near byte %zu", message, offset);
}

static int frame_scope(const struct frame_position *position, struct wire wire, struct otlp_frame *frame)
{
    while (wire_more(&wire)) {
        uint32_t tag;
        if (!wire_tag(&wire, &tag))
            return damaged(position, &wire, "ScopeSpans");
        uint32_t field = tag >> 3;
        if (field >= 1 && field <= 3 && (tag & 7) != WIRE_BYTES)
            return damaged(position, &wire, "ScopeSpans");
        frame->spans += tag == WIRE_TAG(2, WIRE_BYTES);
        if (!wire_skip(&wire, tag))
            return damaged(position, &wire, "ScopeSpans");
    }
    return 0;
}

static int frame_group(const struct frame_position *position, struct wire wire, struct otlp_frame *frame)
{
    while (wire_more(&wire)) {
        uint32_t tag;
        if (!wire_tag(&wire, &tag))
            return damaged(position, &wire, "ResourceSpans");
        uint32_t field = tag >> 3;
        if (field >= 1 && field <= 3 && (tag & 7) != WIRE_BYTES)
            return damaged(position, &wire, "ResourceSpans");
        if (tag != WIRE_TAG(2, WIRE_BYTES)) {
            if (!wire_skip(&wire, tag))
                return damaged(position, &wire, "ResourceSpans");
            continue;
        }
        struct wire scope;
        if (!wire_bytes(&wire, &scope))
            return damaged(position, &wire, "ResourceSpans");
        int rc = frame_scope(position, scope, frame);
        if (rc)
            return rc;
    }
    return 0;
}

int otlp_frame_traces(struct str request, struct otlp_frame *ret_frame, struct error *err)
{
    const struct frame_position position = {&request, err};
    struct otlp_frame frame = {0};
    struct wire wire = wire_from(request);
    while (wire_more(&wire)) {
        uint32_t tag;
        struct wire group;
        if (!wire_tag(&wire, &tag))
            return damaged(&position, &wire, "the request");
        if (tag >> 3 != 1) {
            if (!wire_skip(&wire, tag))
                return damaged(&position, &wire, "the request");
            continue;
        }
        if ((tag & 7) != WIRE_BYTES || !wire_bytes(&wire, &group))
            return damaged(&position, &wire, "the request");
        frame.groups++;
        int rc = frame_group(&position, group, &frame);
        if (rc)
            return rc;
    }
    *ret_frame = frame;
    return 0;
}

/* --- resource */

/* A value that comes in parts is merged: of a oneof the last part that sets one counts. */
static void read_text_value(struct wire wire, struct str *text, bool *is_text)
{
    while (wire_more(&wire)) {
        uint32_t tag;
        struct wire bytes;
        if (!wire_tag(&wire, &tag))
            return;
        if (tag == WIRE_TAG(1, WIRE_BYTES)) {
            if (!wire_bytes(&wire, &bytes))
                return;
            *text = wire_str(bytes);
            *is_text = true;
        } else {
            if (tag >> 3 <= 8)
                *is_text = false;
            if (!wire_skip(&wire, tag))
                return;
        }
    }
}

/* The attribute was validated: what cannot be read cannot happen. */
static void read_attribute(struct wire wire, struct otlp_resource *resource)
{
    struct str key = {NULL, 0}, value = {NULL, 0};
    bool is_text = false;
    while (wire_more(&wire)) {
        uint32_t tag;
        struct wire bytes;
        if (!wire_tag(&wire, &tag))
            return;
        if (tag == WIRE_TAG(1, WIRE_BYTES) || tag == WIRE_TAG(2, WIRE_BYTES)) {
            if (!wire_bytes(&wire, &bytes))
                return;
            if (tag == WIRE_TAG(1, WIRE_BYTES))
                key = wire_str(bytes);
            else
                read_text_value(bytes, &value, &is_text);
        } else if (!wire_skip(&wire, tag)) {
            return;
        }
    }
    if (is_text)
        otlp_resource_attribute(resource, key, value);
}

static bool read_resource(struct wire wire, struct otlp_resource *resource)
{
    if (otlp_validate(wire, OTLP_MESSAGE_RESOURCE) != OTLP_VALID)
        return false;
    while (wire_more(&wire)) {
        uint32_t tag;
        struct wire attribute;
        if (!wire_tag(&wire, &tag))
            return false;
        if (tag == WIRE_TAG(1, WIRE_BYTES)) {
            if (!wire_bytes(&wire, &attribute))
                return false;
            read_attribute(attribute, resource);
        } else if (!wire_skip(&wire, tag)) {
            return false;
        }
    }
    return true;
}

/* Every part of field 1 of a group or scope, wherever it stands. The envelope was checked. */
static bool read_heads(struct wire wire, struct otlp_resource *resource)
{
    while (wire_more(&wire)) {
        uint32_t tag;
        struct wire head;
        if (!wire_tag(&wire, &tag))
            return false;
        if (tag != WIRE_TAG(1, WIRE_BYTES)) {
            if (!wire_skip(&wire, tag))
                return false;
            continue;
        }
        if (!wire_bytes(&wire, &head))
            return false;
        if (resource ? !read_resource(head, resource) : otlp_validate(head, OTLP_MESSAGE_SCOPE) != OTLP_VALID)
            return false;
    }
    return true;
}

/* --- span */

static bool read_status(struct wire wire, uint32_t *status)
{
    while (wire_more(&wire)) {
        uint32_t tag;
        uint64_t value;
        if (!wire_tag(&wire, &tag))
            return false;
        if (tag == WIRE_TAG(3, WIRE_VARINT)) {
            if (!wire_varint(&wire, &value))
                return false;
            *status = (uint32_t)value;
        } else if (tag >> 3 == 3 || (tag >> 3 == 2 && (tag & 7) != WIRE_BYTES) || !wire_skip(&wire, tag)) {
            return false;
        }
    }
    return true;
}

/* Fields that nothing reads, whose content is checked all the same. */
static enum otlp_validity check_rest(struct wire *wire, uint32_t tag)
{
    enum otlp_message nested = OTLP_MESSAGE_NONE;
    uint32_t type;
    switch (tag >> 3) {
    case 1 ... 5:
    case 9:
    case 15:
        type = WIRE_BYTES;
        break;
    case 11:
        type = WIRE_BYTES;
        nested = OTLP_MESSAGE_EVENT;
        break;
    case 13:
        type = WIRE_BYTES;
        nested = OTLP_MESSAGE_LINK;
        break;
    case 6:
    case 10:
    case 12:
    case 14:
        type = WIRE_VARINT;
        break;
    case 7:
    case 8:
        type = WIRE_FIXED64;
        break;
    case 16:
        type = WIRE_FIXED32;
        break;
    default:
        return wire_skip(wire, tag) ? OTLP_VALID : OTLP_DAMAGED;
    }
    struct wire message;
    if ((tag & 7) != type)
        return OTLP_DAMAGED;
    if (!nested)
        return wire_skip(wire, tag) ? OTLP_VALID : OTLP_DAMAGED;
    if (!wire_bytes(wire, &message))
        return OTLP_DAMAGED;
    return otlp_validate(message, nested);
}

static inline bool read_text(struct wire *wire, struct str *text)
{
    struct wire bytes;
    if (unlikely(!wire_bytes(wire, &bytes)))
        return false;
    *text = wire_str(bytes);
    return true;
}

static inline bool read_u32(struct wire *wire, uint32_t *number)
{
    uint64_t value;
    if (unlikely(!wire_varint(wire, &value)))
        return false;
    *number = (uint32_t)value;
    return true;
}

static inline enum otlp_validity validity_of(bool ok)
{
    return likely(ok) ? OTLP_VALID : OTLP_DAMAGED;
}

static inline enum otlp_validity read_field(struct wire *wire, uint32_t tag, struct otlp_span *span)
{
    struct wire nested;
    switch (tag) {
    case WIRE_TAG(1, WIRE_BYTES):
        return validity_of(read_text(wire, &span->trace_id));
    case WIRE_TAG(2, WIRE_BYTES):
        return validity_of(read_text(wire, &span->span_id));
    case WIRE_TAG(3, WIRE_BYTES):
        return validity_of(read_text(wire, &span->trace_state));
    case WIRE_TAG(4, WIRE_BYTES):
        return validity_of(read_text(wire, &span->parent_span_id));
    case WIRE_TAG(5, WIRE_BYTES):
        return validity_of(read_text(wire, &span->name));
    case WIRE_TAG(6, WIRE_VARINT):
        return validity_of(read_u32(wire, &span->kind));
    case WIRE_TAG(7, WIRE_FIXED64):
        return validity_of(wire_fixed64(wire, &span->start_ns));
    case WIRE_TAG(8, WIRE_FIXED64):
        return validity_of(wire_fixed64(wire, &span->end_ns));
    case WIRE_TAG(9, WIRE_BYTES):
        if (unlikely(!wire_bytes(wire, &nested)))
            return OTLP_DAMAGED;
        return otlp_validate_attribute(nested);
    case WIRE_TAG(15, WIRE_BYTES):
        return validity_of(wire_bytes(wire, &nested) && read_status(nested, &span->status));
    case WIRE_TAG(16, WIRE_FIXED32):
        return validity_of(wire_fixed32(wire, &span->flags));
    default:
        return check_rest(wire, tag);
    }
}

static bool read_span(struct wire wire, struct otlp_span *span, enum otlp_reject *ret_reason)
{
    *span = (struct otlp_span){0};
    while (wire_more(&wire)) {
        uint32_t tag;
        enum otlp_validity validity =
            likely(wire_tag(&wire, &tag)) ? read_field(&wire, tag, span) : OTLP_DAMAGED;
        if (unlikely(validity != OTLP_VALID)) {
            *ret_reason = validity == OTLP_TOO_DEEP ? OTLP_REJECT_DEPTH : OTLP_REJECT_DAMAGED;
            return false;
        }
    }
    return otlp_span_accept(span, ret_reason);
}

/* --- the walk; the envelope was checked, so its reads cannot fail */

struct walk {
    const struct otlp_visitor *visitor;
    uint64_t ordinal;
    bool resource_ok;
    enum otlp_reject resource_reason; /* when it is not */
};

static void walk_scope(struct walk *walk, struct wire wire)
{
    const struct otlp_visitor *visitor = walk->visitor;
    bool scope_ok = read_heads(wire, NULL);
    enum otlp_reject blanket = walk->resource_ok ? OTLP_REJECT_SCOPE : walk->resource_reason;
    while (wire_more(&wire)) {
        uint32_t tag;
        struct wire bytes;
        if (!wire_tag(&wire, &tag))
            return;
        if (tag != WIRE_TAG(2, WIRE_BYTES)) {
            if (!wire_skip(&wire, tag))
                return;
            continue;
        }
        if (!wire_bytes(&wire, &bytes))
            return;
        walk->ordinal++;
        struct otlp_span span;
        enum otlp_reject reason = blanket;
        if (likely(walk->resource_ok && scope_ok && read_span(bytes, &span, &reason)))
            visitor->span(visitor->ctx, &span);
        else
            visitor->reject(visitor->ctx, reason, walk->ordinal);
    }
}

static void walk_group(struct walk *walk, struct wire wire)
{
    struct otlp_resource resource = {0};
    bool readable = read_heads(wire, &resource);
    walk->resource_ok = readable && otlp_resource_accept(&resource);
    walk->resource_reason = readable ? OTLP_REJECT_RESOURCE_UTF8 : OTLP_REJECT_RESOURCE;
    if (walk->resource_ok)
        walk->visitor->resource(walk->visitor->ctx, &resource);
    while (wire_more(&wire)) {
        uint32_t tag;
        struct wire scope;
        if (!wire_tag(&wire, &tag))
            return;
        if (tag == WIRE_TAG(2, WIRE_BYTES)) {
            if (!wire_bytes(&wire, &scope))
                return;
            walk_scope(walk, scope);
        } else if (!wire_skip(&wire, tag)) {
            return;
        }
    }
}

int otlp_decode_traces(struct str request, const struct otlp_visitor *visitor, struct otlp_frame *ret_frame,
                       struct error *err)
{
    int rc = otlp_frame_traces(request, ret_frame, err);
    if (rc)
        return rc;
    struct walk walk = {.visitor = visitor};
    struct wire wire = wire_from(request);
    while (wire_more(&wire)) {
        uint32_t tag;
        struct wire group;
        if (!wire_tag(&wire, &tag))
            break;
        if (tag == WIRE_TAG(1, WIRE_BYTES)) {
            if (!wire_bytes(&wire, &group))
                break;
            walk_group(&walk, group);
        } else if (!wire_skip(&wire, tag)) {
            break;
        }
    }
    return 0;
}
