/* JSON out (a streaming writer that cannot produce a malformed document) and in (jansson behind a tree of
 * the same kind as YAML's, so readers are shared).
 * Ownership: the writer borrows the buffer; parsed trees live in the arena. Threads: owned by the caller. */
#ifndef FRAISEQL_CORE_JSON_H
#define FRAISEQL_CORE_JSON_H

#include "lib/core/buf.h"
#include "lib/core/yaml.h"

#define JSON_WRITER_DEPTH 32

struct json_writer {
    struct buf *out;
    unsigned depth;
    bool need_comma[JSON_WRITER_DEPTH + 1], in_object[JSON_WRITER_DEPTH + 1], after_key;
};

void json_init(struct json_writer *json, struct buf *out);
void json_object_begin(struct json_writer *json);
void json_object_end(struct json_writer *json);
void json_array_begin(struct json_writer *json);
void json_array_end(struct json_writer *json);
void json_key(struct json_writer *json, const char *key);
void json_str(struct json_writer *json, struct str value);   /* invalid UTF-8 becomes U+FFFD */
void json_text(struct json_writer *json, const char *value); /* NULL is null */
void json_i64(struct json_writer *json, int64_t value);
void json_u64(struct json_writer *json, uint64_t value);
void json_f64(struct json_writer *json, double value); /* shortest round trip; NaN and infinities are null */
void json_bool(struct json_writer *json, bool value);
void json_raw(struct json_writer *json, struct str value); /* one complete value, as it is */
/* Inline, because jansson has a function of this name and a program must not export a second one. */
static inline void json_null(struct json_writer *json)
{
    json_raw(json, STR("null"));
}
void json_time(struct json_writer *json, int64_t wall_ns); /* RFC 3339; 0 is null */

/* A tree that json_parse() made, as it was; NULL, and what lies deeper than 24, is null. */
void json_node(struct json_writer *json, const struct node *node);

/* key and value in one call. */
void json_kv_text(struct json_writer *json, const char *key, const char *value);
void json_kv_str(struct json_writer *json, const char *key, struct str value);
void json_kv_i64(struct json_writer *json, const char *key, int64_t value);
void json_kv_u64(struct json_writer *json, const char *key, uint64_t value);
void json_kv_f64(struct json_writer *json, const char *key, double value);
void json_kv_bool(struct json_writer *json, const char *key, bool value);

/* Objects become NODE_MAPPING (duplicate keys refused), arrays NODE_SEQUENCE, everything else NODE_SCALAR
 * with its text (plain for numbers, true, false and null). */
int json_parse(struct arena *arena, struct str bytes, struct node **ret_root, struct error *err) CHECK_RESULT;

#endif
