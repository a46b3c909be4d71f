#include "examples/service/span.h"

#include "lib/core/crypto.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };
enum { KIND_SERVER = 2, STATUS_ERROR = 2 };

static bool read_hex(const char *text, unsigned char *out, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < 2 * count; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        out[i / 2] = (unsigned char)(i % 2 ? out[i / 2] | digit : digit << 4);
        any = any || digit;
    }
    return any; /* all zero is not valid */
}

void span_start(struct span *span, const char *traceparent, int64_t wall_ns)
{
    *span = (struct span){.start_wall_ns = wall_ns};
    crypto_random(span->trace_id, sizeof span->trace_id);
    crypto_random(span->id, sizeof span->id);
    unsigned char trace_id[16], parent_id[8];
    if (traceparent && strlen(traceparent) == 55 && memcmp(traceparent, "00-", 3) == 0 &&
        traceparent[35] == '-' && traceparent[52] == '-' && read_hex(traceparent + 3, trace_id, 16) &&
        read_hex(traceparent + 36, parent_id, 8)) {
        memcpy(span->trace_id, trace_id, sizeof trace_id);
        memcpy(span->parent_id, parent_id, sizeof parent_id);
        span->has_parent = true;
    }
}

static void put_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_append_byte(out, (char)(value | 0x80));
    buf_append_byte(out, (char)value);
}

static void put_key(struct buf *out, unsigned field, unsigned wire)
{
    put_varint(out, field << 3 | wire);
}

static void put_bytes(struct buf *out, unsigned field, struct str bytes)
{
    put_key(out, field, WIRE_BYTES);
    put_varint(out, bytes.len);
    buf_append_str(out, bytes);
}

static void put_message(struct buf *out, unsigned field, struct buf *message)
{
    put_bytes(out, field, buf_str(message));
    out->failed = out->failed || message->failed;
    buf_deinit(message);
}

static void put_fixed64(struct buf *out, unsigned field, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    put_key(out, field, WIRE_FIXED64);
    buf_append(out, bytes, sizeof bytes);
}

#define PART_MAX_BYTES (1UL << 20)

/* KeyValue { key = 1, value = 2 { string_value = 1 | int_value = 3 } } */
static void put_text_attribute(struct buf *out, unsigned field, struct str name, struct str text)
{
    struct buf pair = BUF_INIT(PART_MAX_BYTES), value = BUF_INIT(PART_MAX_BYTES);
    put_bytes(&value, 1, text);
    put_bytes(&pair, 1, name);
    put_message(&pair, 2, &value);
    put_message(out, field, &pair);
}

static void put_int_attribute(struct buf *out, unsigned field, struct str name, int64_t number)
{
    struct buf pair = BUF_INIT(PART_MAX_BYTES), value = BUF_INIT(PART_MAX_BYTES);
    put_key(&value, 3, WIRE_VARINT);
    put_varint(&value, (uint64_t)number);
    put_bytes(&pair, 1, name);
    put_message(&pair, 2, &value);
    put_message(out, field, &pair);
}

static void put_resource(const struct settings *settings, struct buf *out)
{
    struct buf resource = BUF_INIT(PART_MAX_BYTES);
    put_text_attribute(&resource, 1, STR("service.name"), str_from(settings->service_name));
    for (size_t i = 0; i < settings->attribute_count; i++)
        put_text_attribute(&resource, 1, settings->attributes[i].name, settings->attributes[i].value);
    put_message(out, 1, &resource);
}

static void put_span(const struct span *span, struct buf *out)
{
    struct buf message = BUF_INIT(PART_MAX_BYTES);
    put_bytes(&message, 1, (struct str){(const char *)span->trace_id, sizeof span->trace_id});
    put_bytes(&message, 2, (struct str){(const char *)span->id, sizeof span->id});
    if (span->has_parent)
        put_bytes(&message, 4, (struct str){(const char *)span->parent_id, sizeof span->parent_id});
    put_bytes(&message, 5, str_from(span->name));
    put_key(&message, 6, WIRE_VARINT);
    put_varint(&message, KIND_SERVER);
    put_fixed64(&message, 7, (uint64_t)span->start_wall_ns);
    put_fixed64(&message, 8, (uint64_t)(span->start_wall_ns + span->duration_ns));
    put_text_attribute(&message, 9, STR("http.request.method"), STR("POST"));
    put_text_attribute(&message, 9, STR("http.route"), STR("/graphql"));
    put_int_attribute(&message, 9, STR("http.response.status_code"), span->status);
    if (span->failed) {
        struct buf status = BUF_INIT(PART_MAX_BYTES);
        put_key(&status, 3, WIRE_VARINT);
        put_varint(&status, STATUS_ERROR);
        put_message(&message, 15, &status);
    }
    put_message(out, 2, &message);
}

void span_encode(const struct settings *settings, const struct span *spans, size_t count, struct buf *out)
{
    struct buf resource_spans = BUF_INIT(PART_MAX_BYTES), scope_spans = BUF_INIT(PART_MAX_BYTES);
    struct buf scope = BUF_INIT(PART_MAX_BYTES);
    put_bytes(&scope, 1, STR("fraiseql-example-service"));
    put_message(&scope_spans, 1, &scope);
    for (size_t i = 0; i < count; i++)
        put_span(&spans[i], &scope_spans);
    put_resource(settings, &resource_spans);
    put_message(&resource_spans, 2, &scope_spans);
    put_message(out, 1, &resource_spans);
}
