/* Writes Protocol Buffers messages field by field, in any order: what encoders of the wild do and a generated
 * one cannot. For tests and benchmarks. */
#ifndef FRAISEQL_TESTS_WIRE_BUILD_H
#define FRAISEQL_TESTS_WIRE_BUILD_H

#include "lib/core/buf.h"
#include "lib/core/wire.h"

#define BUILD_MAX (256UL * 1024 * 1024)

static inline void UNUSED build_varint(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_append_byte(out, (char)(unsigned char)(value | 0x80));
        value >>= 7;
    }
    buf_append_byte(out, (char)value);
}

static inline void UNUSED build_tag(struct buf *out, uint32_t field, uint32_t type)
{
    build_varint(out, WIRE_TAG(field, type));
}

static inline void UNUSED build_u64(struct buf *out, uint32_t field, uint64_t value)
{
    build_tag(out, field, WIRE_VARINT);
    build_varint(out, value);
}

static inline void UNUSED build_fixed64(struct buf *out, uint32_t field, uint64_t value)
{
    build_tag(out, field, WIRE_FIXED64);
    buf_append(out, &value, sizeof value);
}

static inline void UNUSED build_fixed32(struct buf *out, uint32_t field, uint32_t value)
{
    build_tag(out, field, WIRE_FIXED32);
    buf_append(out, &value, sizeof value);
}

static inline void UNUSED build_bytes(struct buf *out, uint32_t field, struct str bytes)
{
    build_tag(out, field, WIRE_BYTES);
    build_varint(out, bytes.len);
    buf_append_str(out, bytes);
}

/* Moves a finished message into a field of another and empties it. */
static inline void UNUSED build_message(struct buf *out, uint32_t field, struct buf *message)
{
    build_bytes(out, field, buf_str(message));
    buf_reset(message);
}

#endif
