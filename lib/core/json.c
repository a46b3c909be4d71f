#include "lib/core/json.h"

#include "lib/core/clock.h"
#include "lib/core/yaml.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define NODE_DEPTH_MAX 24U

void json_init(struct json_writer *json, struct buf *out)
{
    *json = (struct json_writer){.out = out};
}

/* Comma before a key or an array's element. A value in an object without a key is our bug. */
static void before_value(struct json_writer *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    assert(!json->in_object[json->depth]);
    if (json->need_comma[json->depth])
        buf_append_byte(json->out, ',');
    json->need_comma[json->depth] = true;
}

static void begin(struct json_writer *json, char bracket)
{
    before_value(json);
    buf_append_byte(json->out, bracket);
    assert(json->depth < JSON_WRITER_DEPTH);
    json->depth++;
    json->need_comma[json->depth] = false;
    json->in_object[json->depth] = bracket == '{';
}

static void end(struct json_writer *json, bool object)
{
    assert(json->depth > 0 && !json->after_key && json->in_object[json->depth] == object);
    json->depth--;
    buf_append_byte(json->out, object ? '}' : ']');
}

void json_object_begin(struct json_writer *json)
{
    begin(json, '{');
}

void json_object_end(struct json_writer *json)
{
    end(json, true);
}

void json_array_begin(struct json_writer *json)
{
    begin(json, '[');
}

void json_array_end(struct json_writer *json)
{
    end(json, false);
}

static void append_escaped(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        buf_append(out, "\\\"", 2);
        break;
    case '\\':
        buf_append(out, "\\\\", 2);
        break;
    case '\n':
        buf_append(out, "\\n", 2);
        break;
    case '\r':
        buf_append(out, "\\r", 2);
        break;
    case '\t':
        buf_append(out, "\\t", 2);
        break;
    default:
        buf_printf(out, "\\u%04x", c);
    }
}

static void append_string(struct buf *out, struct str value)
{
    buf_append_byte(out, '"');
    size_t run = 0; /* start of the bytes that are copied as they are */
    for (size_t i = 0; i < value.len;) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c >= ' ' && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t length = c < 0x80 ? 0 : str_utf8_length((struct str){value.ptr + i, value.len - i});
        if (length) {
            i += length;
            continue;
        }
        buf_append(out, value.ptr + run, i - run);
        if (c < 0x80)
            append_escaped(out, c);
        else
            buf_append(out, "\xEF\xBF\xBD", 3);
        run = ++i;
    }
    if (value.len > run)
        buf_append(out, value.ptr + run, value.len - run);
    buf_append_byte(out, '"');
}

void json_key(struct json_writer *json, const char *key)
{
    assert(json->in_object[json->depth] && !json->after_key);
    if (json->need_comma[json->depth])
        buf_append_byte(json->out, ',');
    json->need_comma[json->depth] = true;
    append_string(json->out, str_from(key));
    buf_append_byte(json->out, ':');
    json->after_key = true;
}

void json_str(struct json_writer *json, struct str value)
{
    before_value(json);
    append_string(json->out, value);
}

void json_text(struct json_writer *json, const char *value)
{
    if (value)
        json_str(json, str_from(value));
    else
        json_null(json);
}

void json_i64(struct json_writer *json, int64_t value)
{
    before_value(json);
    buf_printf(json->out, "%lld", (long long)value);
}

void json_u64(struct json_writer *json, uint64_t value)
{
    before_value(json);
    buf_printf(json->out, "%llu", (unsigned long long)value);
}

void json_f64(struct json_writer *json, double value)
{
    if (!isfinite(value)) {
        json_null(json);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        int length = snprintf(text, sizeof text, "%.*g", digits, value);
        if (str_to_double((struct str){text, (size_t)length}, &back) && !(back < value) && !(back > value))
            break;
    }
    before_value(json);
    buf_append_text(json->out, text);
}

void json_bool(struct json_writer *json, bool value)
{
    before_value(json);
    buf_append_text(json->out, value ? "true" : "false");
}

void json_raw(struct json_writer *json, struct str value)
{
    before_value(json);
    buf_append_str(json->out, value);
}

static void write_node(struct json_writer *json, const struct node *node, unsigned depth)
{
    if (!node || depth > NODE_DEPTH_MAX || (node->kind == NODE_SCALAR && node->plain && node_is_null(node))) {
        json_null(json);
    } else if (node->kind == NODE_MAPPING) {
        json_object_begin(json);
        for (size_t i = 0; i < node->count; i++) {
            json_key(json, node->pairs[i].key.ptr);
            write_node(json, node->pairs[i].value, depth + 1);
        }
        json_object_end(json);
    } else if (node->kind == NODE_SEQUENCE) {
        json_array_begin(json);
        for (size_t i = 0; i < node->count; i++)
            write_node(json, node->items[i], depth + 1);
        json_array_end(json);
    } else if (node->plain) {
        json_raw(json, node->scalar);
    } else {
        json_str(json, node->scalar);
    }
}

void json_node(struct json_writer *json, const struct node *node)
{
    write_node(json, node, 0);
}

void json_time(struct json_writer *json, int64_t wall_ns)
{
    char text[CLOCK_RFC3339_SIZE];
    json_text(json, wall_ns ? clock_format_rfc3339(wall_ns, text) : NULL);
}

void json_kv_text(struct json_writer *json, const char *key, const char *value)
{
    json_key(json, key);
    json_text(json, value);
}

void json_kv_str(struct json_writer *json, const char *key, struct str value)
{
    json_key(json, key);
    json_str(json, value);
}

void json_kv_i64(struct json_writer *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_i64(json, value);
}

void json_kv_u64(struct json_writer *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

void json_kv_f64(struct json_writer *json, const char *key, double value)
{
    json_key(json, key);
    json_f64(json, value);
}

void json_kv_bool(struct json_writer *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}
