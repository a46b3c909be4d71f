/* Protocol Buffers' wire format, read in place (https://protobuf.dev/programming-guides/encoding).
 *
 * A `struct wire` is a cursor over the bytes of one message. Every function returns false for damage and then
 * leaves the cursor anywhere; a caller gives the message up. Nothing is copied, nothing recurses.
 *
 * Accepted as the specification demands of a reader: varints of up to ten bytes even where fewer would do,
 * tags of up to five, unknown fields of any wire type, groups among them. Refused: field number 0, wire types
 * 6 and 7, an end of group without a start, lengths beyond the message. */
#ifndef FRAISEQL_TRACING_OTLP_WIRE_H
#define FRAISEQL_TRACING_OTLP_WIRE_H

#include "lib/core/str.h"

struct wire {
    const uint8_t *at, *end;
};

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3,
    WIRE_GROUP_END = 4,
    WIRE_FIXED32 = 5
};

/* The tag of a field: one byte for fields 1 to 15. */
#define WIRE_TAG(field, type) ((uint32_t)(field) << 3 | (uint32_t)(type))

/* Messages nested in messages (or groups in groups) beyond this are refused: attribute values nest freely. */
#define WIRE_MAX_DEPTH 64

static inline struct wire wire_from(struct str bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    return (struct wire){at, bytes.len ? at + bytes.len : at};
}

static inline struct str wire_str(struct wire wire)
{
    return (struct str){(const char *)wire.at, (size_t)(wire.end - wire.at)};
}

static inline bool wire_more(const struct wire *wire)
{
    return wire->at < wire->end;
}

/* Varints of two bytes and more; bits beyond 64 are dropped, as by the reference implementations. */
bool wire_varint_long(struct wire *wire, uint64_t *ret_value);
bool wire_tag_long(struct wire *wire, uint32_t *ret_tag);

static inline bool wire_varint(struct wire *wire, uint64_t *ret_value)
{
    if (likely(wire->at < wire->end && *wire->at < 0x80)) {
        *ret_value = *wire->at++;
        return true;
    }
    return wire_varint_long(wire, ret_value);
}

static inline bool wire_tag(struct wire *wire, uint32_t *ret_tag)
{
    if (likely(wire->at < wire->end && *wire->at < 0x80 && *wire->at >= 8)) {
        *ret_tag = *wire->at++;
        return true;
    }
    return wire_tag_long(wire, ret_tag);
}

static inline bool wire_fixed64(struct wire *wire, uint64_t *ret_value)
{
    if (unlikely(wire->end - wire->at < 8))
        return false;
    uint64_t value;
    memcpy(&value, wire->at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    *ret_value = value;
    wire->at += 8;
    return true;
}

static inline bool wire_fixed32(struct wire *wire, uint32_t *ret_value)
{
    if (unlikely(wire->end - wire->at < 4))
        return false;
    uint32_t value;
    memcpy(&value, wire->at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    *ret_value = value;
    wire->at += 4;
    return true;
}

/* A length and that many bytes: a text, bytes or a nested message. */
static inline bool wire_bytes(struct wire *wire, struct wire *ret_bytes)
{
    uint64_t len;
    if (unlikely(!wire_varint(wire, &len) || len > (uint64_t)(wire->end - wire->at)))
        return false;
    *ret_bytes = (struct wire){wire->at, wire->at + len};
    wire->at += len;
    return true;
}

/* Skips the value of a field whose tag was read, groups with all they hold. */
bool wire_skip(struct wire *wire, uint32_t tag);

#endif
