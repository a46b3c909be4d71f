#include "tracing/otlp_validate.h"

/* What a known field must be: its wire type plus one, so that 0 is "unknown: skip", and the nested message.
 */
struct field_rule {
    uint8_t type_plus_one;
    uint8_t message;
};

#define MAX_FIELD 9 /* of the messages below */
#define VARINT                                                                                               \
    {                                                                                                        \
        WIRE_VARINT + 1, OTLP_MESSAGE_NONE                                                                   \
    }
#define FIXED32                                                                                              \
    {                                                                                                        \
        WIRE_FIXED32 + 1, OTLP_MESSAGE_NONE                                                                  \
    }
#define FIXED64                                                                                              \
    {                                                                                                        \
        WIRE_FIXED64 + 1, OTLP_MESSAGE_NONE                                                                  \
    }
#define BYTES                                                                                                \
    {                                                                                                        \
        WIRE_BYTES + 1, OTLP_MESSAGE_NONE                                                                    \
    }
#define NESTED(m)                                                                                            \
    {                                                                                                        \
        WIRE_BYTES + 1, OTLP_MESSAGE_##m                                                                     \
    }

static const struct field_rule rules[OTLP_MESSAGE_COUNT][MAX_FIELD] = {
    [OTLP_MESSAGE_RESOURCE] = {[1] = NESTED(KEY_VALUE), [2] = VARINT, [3] = NESTED(ENTITY_REF)},
    [OTLP_MESSAGE_SCOPE] = {[1] = BYTES, [2] = BYTES, [3] = NESTED(KEY_VALUE), [4] = VARINT},
    [OTLP_MESSAGE_KEY_VALUE] = {[1] = BYTES, [2] = NESTED(ANY_VALUE), [3] = VARINT},
    [OTLP_MESSAGE_ANY_VALUE] = {[1] = BYTES,
                                [2] = VARINT,
                                [3] = VARINT,
                                [4] = FIXED64,
                                [5] = NESTED(ARRAY),
                                [6] = NESTED(KEY_VALUE_LIST),
                                [7] = BYTES,
                                [8] = VARINT},
    [OTLP_MESSAGE_ARRAY] = {[1] = NESTED(ANY_VALUE)},
    [OTLP_MESSAGE_KEY_VALUE_LIST] = {[1] = NESTED(KEY_VALUE)},
    [OTLP_MESSAGE_ENTITY_REF] = {[1] = BYTES, [2] = BYTES, [3] = BYTES, [4] = BYTES},
    [OTLP_MESSAGE_EVENT] = {[1] = FIXED64, [2] = BYTES, [3] = NESTED(KEY_VALUE), [4] = VARINT},
    [OTLP_MESSAGE_LINK] =
        {[1] = BYTES, [2] = BYTES, [3] = BYTES, [4] = NESTED(KEY_VALUE), [5] = VARINT, [6] = FIXED32},
};

struct level {
    const uint8_t *end;
    enum otlp_message type;
};

enum otlp_validity otlp_validate(struct wire message, enum otlp_message type)
{
    struct level stack[WIRE_MAX_DEPTH];
    size_t depth = 0;
    struct wire wire = message;
    for (;;) {
        while (!wire_more(&wire)) {
            if (depth == 0)
                return OTLP_VALID;
            depth--;
            wire.end = stack[depth].end;
            type = stack[depth].type;
        }
        uint32_t tag;
        if (!wire_tag(&wire, &tag))
            return OTLP_DAMAGED;
        uint32_t field = tag >> 3;
        struct field_rule rule = field < MAX_FIELD ? rules[type][field] : (struct field_rule){0, 0};
        if (rule.type_plus_one && rule.type_plus_one != (tag & 7) + 1)
            return OTLP_DAMAGED;
        if (!rule.message) {
            if (!wire_skip(&wire, tag))
                return OTLP_DAMAGED;
            continue;
        }
        struct wire nested;
        if (!wire_bytes(&wire, &nested))
            return OTLP_DAMAGED;
        if (depth == WIRE_MAX_DEPTH)
            return OTLP_TOO_DEEP;
        stack[depth++] = (struct level){wire.end, type};
        wire = nested;
        type = (enum otlp_message)rule.message;
    }
}

/* True for a value that is exactly one text, number or boolean, or empty. */
static inline bool is_plain_value(struct wire value)
{
    ptrdiff_t len = value.end - value.at;
    if (len == 0)
        return true;
    uint64_t ignored;
    struct wire bytes;
    switch (*value.at++) {
    case WIRE_TAG(1, WIRE_BYTES):
        return wire_bytes(&value, &bytes) && value.at == value.end;
    case WIRE_TAG(2, WIRE_VARINT):
    case WIRE_TAG(3, WIRE_VARINT):
        return wire_varint(&value, &ignored) && value.at == value.end;
    case WIRE_TAG(4, WIRE_FIXED64):
        return len == 9;
    default:
        return false;
    }
}

enum otlp_validity otlp_validate_attribute(struct wire attribute)
{
    struct wire wire = attribute;
    while (wire_more(&wire)) {
        uint8_t tag = *wire.at++;
        struct wire field;
        if ((tag != WIRE_TAG(1, WIRE_BYTES) && tag != WIRE_TAG(2, WIRE_BYTES)) ||
            !wire_bytes(&wire, &field) || (tag == WIRE_TAG(2, WIRE_BYTES) && !is_plain_value(field)))
            return otlp_validate(attribute, OTLP_MESSAGE_KEY_VALUE);
    }
    return OTLP_VALID;
}
