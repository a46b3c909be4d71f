/* Histograms of the protobuf exposition: classic buckets, and native ones as classic. */
#include "lib/metrics/exp_histogram.h"
#include "scrapers/prometheus/exposition_proto.h"

#include <math.h>

#define POINTS_MAX 100000U
/* Prometheus' exponential schemas; -53 are custom bounds, which a scrape does not carry. */
#define SCHEMA_MIN (-4)
#define SCHEMA_MAX 8

enum {
    HISTOGRAM_COUNT = 1,
    HISTOGRAM_SUM = 2,
    HISTOGRAM_BUCKET = 3,
    HISTOGRAM_COUNT_FLOAT = 4,
    HISTOGRAM_SCHEMA = 5,
    HISTOGRAM_ZERO_THRESHOLD = 6,
    HISTOGRAM_ZERO_COUNT = 7,
    HISTOGRAM_NEGATIVE_SPAN = 9,
    HISTOGRAM_NEGATIVE_DELTA = 10,
    HISTOGRAM_POSITIVE_SPAN = 12,
    HISTOGRAM_POSITIVE_DELTA = 13
};

struct header {
    uint64_t count, sum_bits, zero_count, zero_threshold_bits, schema;
    uint64_t float_bits;
    bool has_float, native, infinite;
};

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static bool read_bucket(struct exposition_proto *proto, struct wire message, bool *ret_infinite)
{
    uint64_t count = 0, bound = 0, float_bits = 0;
    bool is_float = false;
    while (wire_more(&message)) {
        uint32_t tag;
        bool good = wire_tag(&message, &tag);
        if (good && tag == WIRE_TAG(1, WIRE_VARINT)) {
            good = wire_varint(&message, &count);
        } else if (good && tag == WIRE_TAG(2, WIRE_FIXED64)) {
            good = wire_fixed64(&message, &bound);
        } else if (good && tag == WIRE_TAG(4, WIRE_FIXED64)) {
            good = wire_fixed64(&message, &float_bits);
            is_float = true;
        } else {
            good = good && wire_skip(&message, tag);
        }
        if (!good)
            return false;
    }
    double upper = proto_double(bound).f64;
    *ret_infinite |= isinf(upper) && upper > 0;
    proto_add_bound(proto, PROTO_BUCKET, "le", upper,
                    is_float ? proto_double(float_bits) : VALUE_OF_U64(count));
    return true;
}

/* Where a number of the header goes; NULL: not one of them. */
static uint64_t *varint_member(struct header *header, uint32_t tag)
{
    switch (tag) {
    case WIRE_TAG(HISTOGRAM_COUNT, WIRE_VARINT):
        return &header->count;
    case WIRE_TAG(HISTOGRAM_SCHEMA, WIRE_VARINT):
        header->native = true;
        return &header->schema;
    case WIRE_TAG(HISTOGRAM_ZERO_COUNT, WIRE_VARINT):
        return &header->zero_count;
    default:
        return NULL;
    }
}

static uint64_t *fixed_member(struct header *header, uint32_t tag)
{
    switch (tag) {
    case WIRE_TAG(HISTOGRAM_SUM, WIRE_FIXED64):
        return &header->sum_bits;
    case WIRE_TAG(HISTOGRAM_ZERO_THRESHOLD, WIRE_FIXED64):
        return &header->zero_threshold_bits;
    case WIRE_TAG(HISTOGRAM_COUNT_FLOAT, WIRE_FIXED64):
        header->has_float = true;
        return &header->float_bits;
    default:
        return NULL;
    }
}

/* The classic buckets go to the points at once. */
static bool read_header(struct exposition_proto *proto, struct wire message, struct header *header)
{
    *header = (struct header){0};
    while (wire_more(&message)) {
        uint32_t tag;
        struct wire bucket;
        if (!wire_tag(&message, &tag))
            return false;
        uint64_t *varint = varint_member(header, tag), *fixed = fixed_member(header, tag);
        bool good;
        if (varint)
            good = wire_varint(&message, varint);
        else if (fixed)
            good = wire_fixed64(&message, fixed);
        else if (tag == WIRE_TAG(HISTOGRAM_BUCKET, WIRE_BYTES))
            good = wire_bytes(&message, &bucket) && proto->point_count < POINTS_MAX &&
                   read_bucket(proto, bucket, &header->infinite);
        else
            good = wire_skip(&message, tag);
        if (!good)
            return false;
    }
    return true;
}

/* --- native --- */

/* Walks the occurrences of one field in a message. */
struct field_walk {
    struct wire rest, packed;
    uint32_t field;
};

static bool next_span(struct field_walk *walk, int64_t *ret_offset, uint64_t *ret_length)
{
    struct wire span;
    uint32_t tag;
    uint64_t offset = 0;
    *ret_length = 0;
    for (;;) {
        if (!wire_more(&walk->rest) || !wire_tag(&walk->rest, &tag))
            return false;
        if (tag == WIRE_TAG(walk->field, WIRE_BYTES))
            break;
        if (!wire_skip(&walk->rest, tag))
            return false;
    }
    if (!wire_bytes(&walk->rest, &span))
        return false;
    while (wire_more(&span)) {
        if (!wire_tag(&span, &tag))
            return false;
        bool good = tag == WIRE_TAG(1, WIRE_VARINT)   ? wire_varint(&span, &offset)
                    : tag == WIRE_TAG(2, WIRE_VARINT) ? wire_varint(&span, ret_length)
                                                      : wire_skip(&span, tag);
        if (!good)
            return false;
    }
    *ret_offset = (int32_t)unzigzag(offset & UINT32_MAX);
    return *ret_length <= UINT32_MAX;
}

/* One sint64, packed or not. */
static bool next_delta(struct field_walk *walk, int64_t *ret_delta)
{
    uint64_t value;
    uint32_t tag;
    while (!wire_more(&walk->packed)) {
        if (!wire_more(&walk->rest) || !wire_tag(&walk->rest, &tag))
            return false;
        if (tag == WIRE_TAG(walk->field, WIRE_VARINT)) {
            if (!wire_varint(&walk->rest, &value))
                return false;
            *ret_delta = unzigzag(value);
            return true;
        }
        if (tag == WIRE_TAG(walk->field, WIRE_BYTES) ? !wire_bytes(&walk->rest, &walk->packed)
                                                     : !wire_skip(&walk->rest, tag))
            return false;
    }
    if (!wire_varint(&walk->packed, &value))
        return false;
    *ret_delta = unzigzag(value);
    return true;
}

/* Lowest and highest index that the spans name; false when there is none. */
static bool span_range(struct wire message, uint32_t field, int64_t *ret_low, int64_t *ret_high)
{
    struct field_walk walk = {.rest = message, .field = field};
    int64_t at = 0, offset;
    uint64_t length;
    bool any = false;
    while (next_span(&walk, &offset, &length)) {
        at += offset;
        if (length > 0) {
            *ret_low = any ? *ret_low : at;
            at += (int64_t)length;
            *ret_high = at - 1;
            any = true;
        }
    }
    return any;
}

/* Prometheus' index i is OpenTelemetry's i - 1; `by` neighbours' halvings make them fit. */
static const char *fill(struct wire message, uint32_t span_field, uint32_t delta_field, unsigned by,
                        struct exp_buckets *buckets)
{
    struct field_walk spans = {.rest = message, .field = span_field};
    struct field_walk deltas = {.rest = message, .field = delta_field};
    int64_t low, high, at = 0, offset, delta, count = 0;
    uint64_t length;
    if (!span_range(message, span_field, &low, &high))
        return NULL;
    buckets->offset = (int32_t)((low - 1) >> by);
    while (next_span(&spans, &offset, &length)) {
        at += offset;
        for (; length > 0; length--, at++) {
            if (!next_delta(&deltas, &delta))
                return "a native histogram with fewer buckets than its spans say";
            if (__builtin_add_overflow(count, delta, &count) || count < 0)
                return "a native histogram with a negative bucket";
            int64_t i = ((at - 1) >> by) - buckets->offset;
            if (i < 0 || i >= EXP_HISTOGRAM_MAX_BUCKETS)
                return "a native histogram whose spans run backwards";
            buckets->counts[i] += (uint64_t)count;
            if ((uint32_t)i >= buckets->count)
                buckets->count = (uint32_t)i + 1;
        }
    }
    return NULL;
}

static unsigned halvings(struct wire message, uint32_t field, unsigned by)
{
    int64_t low, high;
    if (!span_range(message, field, &low, &high))
        return by;
    while (((high - 1) >> by) - ((low - 1) >> by) >= EXP_HISTOGRAM_MAX_BUCKETS && by < 32)
        by++;
    return by;
}

static const char *read_native(struct exposition_proto *proto, struct wire message,
                               const struct header *header)
{
    struct exp_histogram histogram;
    double bounds[HISTOGRAM_MAX_BOUNDS];
    uint64_t counts[HISTOGRAM_MAX_BOUNDS + 1], below = 0;
    int64_t schema = unzigzag(header->schema);
    if (schema < SCHEMA_MIN || schema > SCHEMA_MAX)
        return "a native histogram of an unknown schema";
    if (header->has_float)
        return "a native histogram of floats";
    unsigned by = halvings(message, HISTOGRAM_NEGATIVE_SPAN, 0);
    by = halvings(message, HISTOGRAM_POSITIVE_SPAN, by);
    if (schema - (int64_t)by < EXP_HISTOGRAM_MIN_SCALE)
        return "a native histogram of too wide a range";
    exp_histogram_init(&histogram, EXP_HISTOGRAM_MAX_BUCKETS);
    histogram.scale = (int32_t)schema - (int32_t)by;
    histogram.count = header->count;
    histogram.zero_count = header->zero_count;
    histogram.zero_threshold = proto_double(header->zero_threshold_bits).f64;
    const char *reason =
        fill(message, HISTOGRAM_NEGATIVE_SPAN, HISTOGRAM_NEGATIVE_DELTA, by, &histogram.negative);
    if (!reason)
        reason = fill(message, HISTOGRAM_POSITIVE_SPAN, HISTOGRAM_POSITIVE_DELTA, by, &histogram.positive);
    if (reason)
        return reason;
    size_t used = exp_histogram_to_classic(&histogram, bounds, counts, HISTOGRAM_MAX_BOUNDS);
    for (size_t i = 0; i < used; i++) {
        below += counts[i];
        proto_add_bound(proto, PROTO_BUCKET, "le", bounds[i], VALUE_OF_U64(below));
    }
    return NULL;
}

const char *proto_read_histogram(struct exposition_proto *proto, struct wire message, bool gauge)
{
    struct header header;
    if (!read_header(proto, message, &header))
        return "a damaged histogram";
    struct value count = header.has_float ? proto_double(header.float_bits) : VALUE_OF_U64(header.count);
    if (proto->point_count == 0 && header.native) {
        const char *reason = read_native(proto, message, &header);
        if (reason)
            return reason;
    }
    if (!header.infinite) /* client_golang leaves it out */
        proto_add_bound(proto, PROTO_BUCKET, "le", (double)INFINITY, count);
    proto_add_point(proto, gauge ? PROTO_GSUM : PROTO_SUM, proto_double(header.sum_bits));
    proto_add_point(proto, gauge ? PROTO_GCOUNT : PROTO_COUNT, count);
    return NULL;
}
