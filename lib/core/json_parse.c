#include "lib/core/json.h"

#define json_null jansson_null /* see json.h */
#include <jansson.h>
#undef json_null

#define JSON_MAX_BYTES (64UL * 1024 * 1024)
#define JSON_MAX_DEPTH 64U

static int convert(struct arena *arena, const json_t *value, unsigned depth, struct node **ret_node,
                   struct error *err);

static int out_of_room(struct error *err)
{
    return error_set(err, ERR_LIMIT, "the JSON document needs more memory than it may have");
}

/* jansson's own writer gives integers exactly and reals so that they read back the same. */
static int convert_number(struct arena *arena, const json_t *value, struct node *node, struct error *err)
{
    char text[64];
    size_t length = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY);
    if (!length || length > sizeof text)
        return error_set(err, ERR_PARSE, "a JSON number cannot be read");
    node->plain = true;
    node->scalar = (struct str){arena_strdup(arena, (struct str){text, length}), length};
    return node->scalar.ptr ? 0 : out_of_room(err);
}

static int convert_scalar(struct arena *arena, const json_t *value, struct node *node, struct error *err)
{
    struct str text = STR("null");
    node->plain = !json_is_string(value);
    if (json_is_number(value))
        return convert_number(arena, value, node, err);
    if (json_is_string(value))
        text = (struct str){json_string_value(value), json_string_length(value)};
    else if (json_is_boolean(value))
        text = json_is_true(value) ? STR("true") : STR("false");
    node->scalar = (struct str){arena_strdup(arena, text), text.len};
    return node->scalar.ptr ? 0 : out_of_room(err);
}

static int convert_array(struct arena *arena, const json_t *value, unsigned depth, struct node *node,
                         struct error *err)
{
    size_t count = json_array_size(value);
    node->kind = NODE_SEQUENCE;
    node->items = arena_zalloc(arena, count * sizeof *node->items);
    if (!node->items)
        return out_of_room(err);
    for (size_t i = 0; i < count; i++) {
        int code = convert(arena, json_array_get(value, i), depth + 1, &node->items[i], err);
        if (code)
            return code;
        node->items[i]->parent = node;
    }
    node->count = count;
    return 0;
}

static int convert_object(struct arena *arena, const json_t *value, unsigned depth, struct node *node,
                          struct error *err)
{
    json_t *object = (json_t *)(uintptr_t)value; /* its iterators are not const */
    node->kind = NODE_MAPPING;
    node->pairs = arena_zalloc(arena, json_object_size(value) * sizeof *node->pairs);
    if (!node->pairs)
        return out_of_room(err);
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        struct node_pair *pair = &node->pairs[node->count];
        size_t length = json_object_iter_key_len(at);
        pair->key = (struct str){arena_strdup(arena, (struct str){json_object_iter_key(at), length}), length};
        if (!pair->key.ptr)
            return out_of_room(err);
        int code = convert(arena, json_object_iter_value(at), depth + 1, &pair->value, err);
        if (code)
            return code;
        pair->value->parent = node;
        pair->value->key = pair->key.ptr;
        node->count++;
    }
    return 0;
}

static int convert(struct arena *arena, const json_t *value, unsigned depth, struct node **ret_node,
                   struct error *err)
{
    if (depth > JSON_MAX_DEPTH)
        return error_set(err, ERR_LIMIT, "the JSON document is nested deeper than %u levels", JSON_MAX_DEPTH);
    struct node *node = arena_zalloc(arena, sizeof *node);
    if (!node)
        return out_of_room(err);
    *ret_node = node;
    if (json_is_object(value))
        return convert_object(arena, value, depth, node, err);
    if (json_is_array(value))
        return convert_array(arena, value, depth, node, err);
    return convert_scalar(arena, value, node, err);
}

int json_parse(struct arena *arena, struct str bytes, struct node **ret_root, struct error *err)
{
    json_error_t reason;
    if (bytes.len > JSON_MAX_BYTES)
        return error_set(err, ERR_LIMIT, "the JSON document is larger than %lu bytes", JSON_MAX_BYTES);
    json_t *value =
        json_loadb(bytes.len ? bytes.ptr : "", bytes.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &reason);
    if (!value) {
        (void)error_set(err, ERR_PARSE, "malformed JSON: %s", reason.text);
        if (err && reason.line > 0) {
            err->line = (unsigned)reason.line;
            err->column = (unsigned)(reason.column > 0 ? reason.column : 1);
        }
        return ERR_PARSE;
    }
    struct node *root = NULL;
    int code = convert(arena, value, 1, &root, err);
    json_decref(value);
    if (!code)
        *ret_root = root;
    return code;
}
