#include "scrapers/prometheus/exposition_proto.h"

#include "lib/core/arena.h"
#include "lib/core/hash.h"
#include "scrapers/prometheus/exposition_scan.h"

#include <math.h>
#include <stdlib.h>

/* Field numbers. */
enum { FAMILY_NAME = 1, FAMILY_HELP = 2, FAMILY_TYPE = 3, FAMILY_METRIC = 4, FAMILY_UNIT = 5 };
enum {
    METRIC_LABEL = 1,
    METRIC_VALUE_GAUGE = 2,
    METRIC_VALUE_COUNTER = 3,
    METRIC_VALUE_SUMMARY = 4,
    METRIC_VALUE_UNTYPED = 5,
    METRIC_TIMESTAMP = 6,
    METRIC_VALUE_HISTOGRAM = 7
};
enum { LABEL_NAME = 1, LABEL_VALUE = 2 };
enum { SUMMARY_COUNT = 1, SUMMARY_SUM = 2, SUMMARY_QUANTILE = 3 };

/* MetricType. */
enum {
    TYPE_COUNTER,
    TYPE_GAUGE,
    TYPE_SUMMARY,
    TYPE_UNTYPED,
    TYPE_HISTOGRAM,
    TYPE_GAUGE_HISTOGRAM,
    TYPE_COUNT
};

enum { STEP_TYPE, STEP_HELP, STEP_UNIT, STEP_METRICS };

static const char *const suffix_texts[PROTO_SUFFIX_COUNT] = {"",     "_bucket", "_count",
                                                             "_sum", "_gcount", "_gsum"};

#define POINTS_MAX (1UL << 20) /* of one metric */

void exposition_proto_init(struct exposition_proto *proto)
{
    *proto = (struct exposition_proto){
        .names = BUF_INIT(PROTO_SUFFIX_COUNT * (LIMIT_LINE_BYTES + 16)),
        .scratch = BUF_INIT(LIMIT_LINE_BYTES),
    };
}

void exposition_proto_deinit(struct exposition_proto *proto)
{
    buf_deinit(&proto->names);
    buf_deinit(&proto->scratch);
    free(proto->points);
}

void exposition_proto_begin(struct exposition_proto *proto, struct str page)
{
    proto->page = page;
    proto->offset = proto->family_count = 0;
    proto->complete = true;
    proto->family = (struct wire){0};
    proto->step = STEP_METRICS;
    proto->point_count = proto->point_at = 0;
}

struct value proto_double(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return VALUE_OF_F64(isnan(number) ? (double)NAN : number); /* a page cannot forge a stale marker */
}

void proto_add_bound(struct exposition_proto *proto, enum proto_suffix suffix, const char *label,
                     double bound, struct value value)
{
    if (proto->point_count == proto->point_capacity) {
        proto->point_capacity = proto->point_capacity ? proto->point_capacity * 2 : 64;
        proto->points = xrealloc(proto->points, proto->point_capacity * sizeof *proto->points);
    }
    proto->points[proto->point_count++] =
        (struct proto_point){.suffix = suffix, .bound_label = label, .bound = bound, .value = value};
}

void proto_add_point(struct exposition_proto *proto, enum proto_suffix suffix, struct value value)
{
    proto_add_bound(proto, suffix, NULL, 0, value);
}

/* --- values --- */

/* Gauge, Counter and Untyped: the double of field 1; what is left out is 0. */
static const char *read_number(struct exposition_proto *proto, struct wire message)
{
    uint64_t bits = 0;
    while (wire_more(&message)) {
        uint32_t tag;
        if (!wire_tag(&message, &tag) ||
            (tag == WIRE_TAG(1, WIRE_FIXED64) ? !wire_fixed64(&message, &bits) : !wire_skip(&message, tag)))
            return "a damaged value";
    }
    proto_add_point(proto, PROTO_PLAIN, proto_double(bits));
    return NULL;
}

static bool read_quantile(struct exposition_proto *proto, struct wire message)
{
    uint64_t fields[3] = {0};
    while (wire_more(&message)) {
        uint32_t tag;
        if (!wire_tag(&message, &tag))
            return false;
        bool known = tag == WIRE_TAG(1, WIRE_FIXED64) || tag == WIRE_TAG(2, WIRE_FIXED64);
        if (known ? !wire_fixed64(&message, &fields[tag >> 3]) : !wire_skip(&message, tag))
            return false;
    }
    proto_add_bound(proto, PROTO_PLAIN, "quantile", proto_double(fields[1]).f64, proto_double(fields[2]));
    return true;
}

static const char *read_summary(struct exposition_proto *proto, struct wire message)
{
    uint64_t count = 0, sum = 0;
    while (wire_more(&message)) {
        uint32_t tag;
        struct wire quantile;
        bool good = wire_tag(&message, &tag);
        if (good && tag == WIRE_TAG(SUMMARY_COUNT, WIRE_VARINT))
            good = wire_varint(&message, &count);
        else if (good && tag == WIRE_TAG(SUMMARY_SUM, WIRE_FIXED64))
            good = wire_fixed64(&message, &sum);
        else if (good && tag == WIRE_TAG(SUMMARY_QUANTILE, WIRE_BYTES))
            good = wire_bytes(&message, &quantile) && proto->point_count < POINTS_MAX &&
                   read_quantile(proto, quantile);
        else
            good = good && wire_skip(&message, tag);
        if (!good)
            return "a damaged summary";
    }
    proto_add_point(proto, PROTO_SUM, proto_double(sum));
    proto_add_point(proto, PROTO_COUNT, VALUE_OF_U64(count));
    return NULL;
}

/* --- a metric --- */

static const char *read_label(struct exposition_proto *proto, struct wire message)
{
    struct str parts[3] = {0};
    proto->labels_key = hash_mix(proto->labels_key, hash_str(wire_str(message)));
    while (wire_more(&message)) {
        uint32_t tag;
        struct wire bytes;
        if (!wire_tag(&message, &tag))
            return "a damaged label";
        if (tag != WIRE_TAG(LABEL_NAME, WIRE_BYTES) && tag != WIRE_TAG(LABEL_VALUE, WIRE_BYTES)) {
            if (!wire_skip(&message, tag))
                return "a damaged label";
            continue;
        }
        if (!wire_bytes(&message, &bytes))
            return "a damaged label";
        parts[tag >> 3] = wire_str(bytes);
    }
    if (proto->base_count == ARRAY_LEN(proto->base))
        return "too many labels";
    struct str name = exposition_map_label_name(&proto->scratch, parts[LABEL_NAME]);
    if (!name.ptr || name.len == 0)
        return "bad label name";
    if (str_equal(name, STR("__name__")))
        return "the label __name__ is reserved";
    proto->base[proto->base_count++] = (struct label){name, parts[LABEL_VALUE]};
    return NULL;
}

static const char *read_value(struct exposition_proto *proto, unsigned field, struct wire message)
{
    switch (field) {
    case METRIC_VALUE_SUMMARY:
        return read_summary(proto, message);
    case METRIC_VALUE_HISTOGRAM:
        return proto_read_histogram(proto, message, proto->type == TYPE_GAUGE_HISTOGRAM);
    default:
        return read_number(proto, message);
    }
}

/* The field that holds a value of the family's type. */
static unsigned value_field(unsigned type)
{
    static const unsigned fields[TYPE_COUNT] = {
        [TYPE_COUNTER] = METRIC_VALUE_COUNTER,     [TYPE_GAUGE] = METRIC_VALUE_GAUGE,
        [TYPE_SUMMARY] = METRIC_VALUE_SUMMARY,     [TYPE_UNTYPED] = METRIC_VALUE_UNTYPED,
        [TYPE_HISTOGRAM] = METRIC_VALUE_HISTOGRAM, [TYPE_GAUGE_HISTOGRAM] = METRIC_VALUE_HISTOGRAM,
    };
    return fields[type];
}

static const char *read_metric(struct exposition_proto *proto, struct wire metric)
{
    unsigned wanted = value_field(proto->type);
    struct wire value = {0}, bytes;
    bool has_value = false;
    size_t size = (size_t)(metric.end - metric.at);
    buf_reset(&proto->scratch);
    proto->base_count = 0;
    proto->labels_key = 0;
    proto->has_timestamp = false;
    if (size > LIMIT_LINE_BYTES || !buf_reserve(&proto->scratch, size))
        return "the metric is too long";
    while (wire_more(&metric)) {
        uint32_t tag;
        uint64_t number;
        const char *reason = NULL;
        if (!wire_tag(&metric, &tag))
            return "a damaged metric";
        if (tag == WIRE_TAG(METRIC_TIMESTAMP, WIRE_VARINT)) {
            if (!wire_varint(&metric, &number))
                return "a damaged metric";
            proto->timestamp_ms = (int64_t)number;
            proto->has_timestamp = true;
        } else if ((tag & 7) != WIRE_BYTES) {
            reason = wire_skip(&metric, tag) ? NULL : "a damaged metric";
        } else if (!wire_bytes(&metric, &bytes)) {
            return "a damaged metric";
        } else if (tag >> 3 == METRIC_LABEL) {
            reason = read_label(proto, bytes);
        } else if (tag >> 3 == wanted) {
            value = bytes;
            has_value = true;
        }
        if (reason)
            return reason;
    }
    return has_value ? read_value(proto, wanted, value) : "a metric without a value of its type";
}

/* --- a family --- */

static bool unit_fits(struct str name, struct str unit)
{
    if (str_ends(name, STR("_total")))
        name.len -= sizeof "_total" - 1;
    return name.len > unit.len && str_ends(name, unit) && name.ptr[name.len - unit.len - 1] == '_';
}

static const char *read_header(struct exposition_proto *proto, struct wire family)
{
    uint64_t type = TYPE_COUNTER;
    struct wire bytes;
    proto->name = proto->help = proto->unit = (struct str){0};
    while (wire_more(&family)) {
        uint32_t tag;
        bool good = wire_tag(&family, &tag);
        if (good && tag == WIRE_TAG(FAMILY_TYPE, WIRE_VARINT)) {
            good = wire_varint(&family, &type);
        } else if (good && (tag & 7) == WIRE_BYTES) {
            good = wire_bytes(&family, &bytes);
            if (good && tag >> 3 == FAMILY_NAME)
                proto->name = wire_str(bytes);
            else if (good && tag >> 3 == FAMILY_HELP)
                proto->help = wire_str(bytes);
            else if (good && tag >> 3 == FAMILY_UNIT)
                proto->unit = wire_str(bytes);
        } else {
            good = good && wire_skip(&family, tag);
        }
        if (!good)
            return "a damaged family";
    }
    if (type >= TYPE_COUNT)
        return "unknown metric type";
    proto->type = (unsigned)type;
    if (!unit_fits(proto->name, proto->unit))
        proto->unit = (struct str){0};
    return NULL;
}

/* The names of its lines, one behind the other. */
static const char *make_names(struct exposition_proto *proto)
{
    buf_reset(&proto->scratch);
    buf_reset(&proto->names);
    if (proto->name.len > LIMIT_METRIC_NAME_BYTES || !buf_reserve(&proto->scratch, proto->name.len) ||
        !buf_reserve(&proto->names, PROTO_SUFFIX_COUNT * (proto->name.len + 16)))
        return "the family's name is too long";
    struct str name = exposition_map_metric_name(&proto->scratch, proto->name);
    if (name.len == 0)
        return "bad family name";
    for (size_t i = 0; i < PROTO_SUFFIX_COUNT; i++) {
        size_t start = proto->names.len;
        buf_append_str(&proto->names, name);
        buf_append_text(&proto->names, suffix_texts[i]);
        proto->line_names[i] = (struct str){proto->names.data + start, proto->names.len - start};
        proto->line_keys[i] = hash_str(proto->line_names[i]);
    }
    proto->name = proto->line_names[PROTO_PLAIN];
    return NULL;
}

/* Moves to the next family. False at the end of the page. */
static bool next_family(struct exposition_proto *proto, const char **ret_reason)
{
    struct wire rest =
        wire_from((struct str){proto->page.ptr + proto->offset, proto->page.len - proto->offset});
    proto->family = (struct wire){0};
    proto->step = STEP_METRICS;
    if (!wire_more(&rest))
        return false;
    if (!wire_bytes(&rest, &proto->family)) {
        proto->complete = false;
        proto->offset = proto->page.len;
        return false;
    }
    proto->family_count++;
    *ret_reason = read_header(proto, proto->family);
    if (!*ret_reason)
        *ret_reason = make_names(proto);
    proto->offset = (size_t)((const char *)rest.at - proto->page.ptr);
    if (*ret_reason)
        proto->family = (struct wire){0};
    else
        proto->step = STEP_TYPE;
    return true;
}

/* False when the step has no item. */
static bool header_item(struct exposition_proto *proto, struct exposition_item *item)
{
    static const enum metric_type types[TYPE_COUNT] = {
        [TYPE_COUNTER] = METRIC_COUNTER,     [TYPE_GAUGE] = METRIC_GAUGE,
        [TYPE_SUMMARY] = METRIC_SUMMARY,     [TYPE_UNTYPED] = METRIC_UNTYPED,
        [TYPE_HISTOGRAM] = METRIC_HISTOGRAM, [TYPE_GAUGE_HISTOGRAM] = METRIC_UNTYPED,
    };
    item->name = proto->name;
    switch (proto->step++) {
    case STEP_TYPE:
        item->kind = EXPOSITION_TYPE;
        item->type = types[proto->type];
        return true;
    case STEP_HELP:
        item->kind = EXPOSITION_HELP;
        item->text = proto->help;
        return proto->help.len > 0;
    default:
        item->kind = EXPOSITION_UNIT;
        item->text = proto->unit;
        return proto->unit.len > 0;
    }
}

static void sample_item(struct exposition_proto *proto, struct exposition_item *item)
{
    const struct proto_point *point = &proto->points[proto->point_at++];
    item->kind = EXPOSITION_SAMPLE;
    item->name = proto->line_names[point->suffix];
    item->labels = proto->labels;
    item->label_count = proto->base_count;
    memcpy(proto->labels, proto->base, proto->base_count * sizeof *proto->base);
    item->value = point->value;
    item->key = hash_mix(proto->labels_key, proto->line_keys[point->suffix]);
    item->has_timestamp = proto->has_timestamp;
    item->timestamp_ms = proto->timestamp_ms;
    if (point->bound_label && item->label_count < ARRAY_LEN(proto->labels)) {
        char *end = number_write_bound(proto->bound_text, point->bound);
        struct str text = {proto->bound_text, (size_t)(end - proto->bound_text)};
        proto->labels[item->label_count++] = (struct label){str_from(point->bound_label), text};
        item->key = hash_mix(item->key, hash_str(text));
    }
}

/* The next metric of the family. False when it has none left. */
static bool next_metric(struct exposition_proto *proto, const char **ret_reason)
{
    struct wire *family = &proto->family;
    struct wire metric;
    uint32_t tag;
    while (wire_more(family) && wire_tag(family, &tag)) {
        if (tag != WIRE_TAG(FAMILY_METRIC, WIRE_BYTES)) {
            if (!wire_skip(family, tag))
                break;
            continue;
        }
        if (!wire_bytes(family, &metric))
            break;
        proto->point_count = proto->point_at = 0;
        *ret_reason = read_metric(proto, metric);
        if (*ret_reason)
            proto->point_count = 0;
        return true;
    }
    *family = (struct wire){0}; /* damage would have been found by the header's look */
    return false;
}

size_t exposition_proto_offset(const struct exposition_proto *proto)
{
    return wire_more(&proto->family) ? (size_t)((const char *)proto->family.at - proto->page.ptr)
                                     : proto->offset;
}

bool exposition_proto_next(struct exposition_proto *proto, struct exposition_item *ret_item)
{
    for (;;) {
        const char *reason = NULL;
        *ret_item = (struct exposition_item){.line = proto->family_count};
        if (proto->point_at < proto->point_count) {
            sample_item(proto, ret_item);
            return true;
        }
        if (proto->step < STEP_METRICS) {
            if (header_item(proto, ret_item))
                return true;
            continue;
        }
        if (!next_metric(proto, &reason) && !next_family(proto, &reason))
            return false;
        if (reason) {
            *ret_item = (struct exposition_item){
                .kind = EXPOSITION_BAD, .line = proto->family_count, .reason = reason};
            return true;
        }
    }
}
