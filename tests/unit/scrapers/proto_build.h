/* Writes io.prometheus.client messages for tests. */
#ifndef FRAISEQL_TESTS_PROTO_BUILD_H
#define FRAISEQL_TESTS_PROTO_BUILD_H

#include "tests/support/wire_build.h"

enum { PROTO_COUNTER, PROTO_GAUGE, PROTO_SUMMARY, PROTO_UNTYPED, PROTO_HISTOGRAM, PROTO_GAUGE_HISTOGRAM };

static inline void UNUSED proto_double_field(struct buf *out, uint32_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    build_fixed64(out, field, bits);
}

static inline void UNUSED proto_label(struct buf *metric, const char *name, const char *value)
{
    struct buf pair = BUF_INIT(BUILD_MAX);
    build_bytes(&pair, 1, str_from(name));
    build_bytes(&pair, 2, str_from(value));
    build_message(metric, 1, &pair);
    buf_deinit(&pair);
}

/* Metric.gauge, .counter or .untyped. */
static inline void UNUSED proto_number(struct buf *metric, uint32_t field, double value)
{
    struct buf number = BUF_INIT(BUILD_MAX);
    proto_double_field(&number, 1, value);
    build_message(metric, field, &number);
    buf_deinit(&number);
}

static inline void UNUSED proto_begin(struct buf *family, const char *name, const char *help, unsigned type)
{
    buf_reset(family);
    build_bytes(family, 1, str_from(name));
    if (help)
        build_bytes(family, 2, str_from(help));
    build_u64(family, 3, type);
}

/* Puts the family on the page, behind its length. */
static inline void UNUSED proto_end(struct buf *page, struct buf *family)
{
    build_varint(page, family->len);
    buf_append_str(page, buf_str(family));
    buf_reset(family);
}

static inline uint64_t UNUSED proto_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline void UNUSED proto_span(struct buf *histogram, uint32_t field, int32_t offset, uint32_t length)
{
    struct buf span = BUF_INIT(BUILD_MAX);
    build_u64(&span, 1, proto_zigzag(offset));
    build_u64(&span, 2, length);
    build_message(histogram, field, &span);
    buf_deinit(&span);
}

#endif
