#include "tracing/otlp_sniff.h"

#include "lib/core/wire.h"

/* The first length-delimited field of that number with any content. */
static bool find_message(struct wire wire, uint32_t field, struct wire *ret_message)
{
    while (wire_more(&wire)) {
        uint32_t tag;
        if (!wire_tag(&wire, &tag))
            return false;
        if (tag != WIRE_TAG(field, WIRE_BYTES)) {
            if (!wire_skip(&wire, tag))
                return false;
            continue;
        }
        if (!wire_bytes(&wire, ret_message))
            return false;
        if (wire_more(ret_message))
            return true;
    }
    return false;
}

/* The first record, looking past groups and scopes without one. */
static bool find_record(struct wire request, struct wire *ret_record)
{
    struct wire group, scope;
    while (find_message(request, 1, &group)) {
        request.at = group.end;
        while (find_message(group, 2, &scope)) {
            if (find_message(scope, 2, ret_record))
                return true;
            group.at = scope.end;
        }
    }
    return false;
}

static enum otlp_signal signal_of_field(struct wire *wire, uint32_t tag)
{
    struct wire bytes;
    switch (tag) {
    case WIRE_TAG(1,
                  WIRE_BYTES): /* a trace id, or a metric's name: sixteen printable bytes are no random id */
        if (!wire_bytes(wire, &bytes) || bytes.end - bytes.at != 16)
            return OTLP_METRICS;
        for (const uint8_t *at = bytes.at; at < bytes.end; at++)
            if (*at < 0x20 || *at > 0x7E)
                return OTLP_TRACES;
        return OTLP_METRICS;
    case WIRE_TAG(1, WIRE_FIXED64):
    case WIRE_TAG(11, WIRE_FIXED64):
    case WIRE_TAG(2, WIRE_VARINT):
    case WIRE_TAG(8, WIRE_FIXED32):
        return OTLP_LOGS;
    case WIRE_TAG(7, WIRE_FIXED64):
    case WIRE_TAG(8, WIRE_FIXED64):
    case WIRE_TAG(16, WIRE_FIXED32):
    case WIRE_TAG(15, WIRE_BYTES):
        return OTLP_TRACES;
    default:
        return OTLP_SNIFF;
    }
}

enum otlp_signal otlp_sniff(struct str request)
{
    struct wire wire = wire_from(request), record;
    if (!wire_more(&wire))
        return OTLP_TRACES;
    if (!find_record(wire, &record))
        return OTLP_SNIFF;
    while (wire_more(&record)) {
        uint32_t tag;
        if (!wire_tag(&record, &tag))
            break;
        struct wire value = record;
        enum otlp_signal signal = signal_of_field(&value, tag);
        if (signal != OTLP_SNIFF)
            return signal;
        if (!wire_skip(&record, tag))
            break;
    }
    return OTLP_SNIFF;
}
