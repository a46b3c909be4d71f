#include "provisioner/prices/json_items.h"

void json_items_init(struct json_items *items, const char *array, json_item_fn *fn, void *ctx)
{
    *items = (struct json_items){.array = array, .fn = fn, .ctx = ctx, .arena = arena_new(0)};
    buf_init(&items->item, JSON_ITEM_MAX_BYTES);
    buf_init(&items->around, JSON_ITEM_MAX_BYTES);
    buf_init(&items->token, 64);
}

void json_items_deinit(struct json_items *items)
{
    buf_deinit(&items->item);
    buf_deinit(&items->around);
    buf_deinit(&items->token);
    arena_free(items->arena);
}

/* Where the bytes of the moment go. Inside the array: the object, from its own bracket on. */
static struct buf *target(struct json_items *items)
{
    return items->in_array ? &items->item : &items->around;
}

static int finish_item(struct json_items *items, struct error *err)
{
    struct node *node;
    arena_reset(items->arena);
    int code = json_parse(items->arena, buf_str(&items->item), &node, err);
    if (!code)
        code = items->fn(items->ctx, node, err);
    buf_reset(&items->item);
    items->after_item = true;
    items->after_comma = false;
    items->count++;
    return code ? error_prefix(err, "%s %zu", items->array, items->count) : 0;
}

static bool starts_number(char byte)
{
    return byte == '-' || (byte >= '0' && byte <= '9');
}

static bool in_number(char byte)
{
    return starts_number(byte) || byte == '+' || byte == '.' || byte == 'e' || byte == 'E';
}

/* A number stands between quotes from here on, so that its digits survive. */
static void end_number(struct json_items *items)
{
    if (items->in_number)
        buf_append_byte(target(items), '"');
    items->in_number = false;
}

static void take_text_byte(struct json_items *items, char byte)
{
    buf_append_byte(target(items), byte);
    if (items->escaped)
        items->escaped = false;
    else if (byte == '\\')
        items->escaped = true;
    else if (byte == '"')
        items->in_text = false;
    if (items->in_text && items->depth == 1 && !items->in_array)
        buf_append_byte(&items->token, byte); /* may fail: then it is no key that is looked for */
    if (!items->in_text && items->depth == 1 && !items->in_array)
        items->at_array = !items->token.failed && str_equal_text(buf_str(&items->token), items->array);
}

static void begin_text(struct json_items *items)
{
    items->in_text = true;
    if (items->depth == 1 && !items->in_array) {
        items->token.failed = false;
        buf_reset(&items->token);
    }
    buf_append_byte(target(items), '"');
}

static int open_bracket(struct json_items *items, char byte, struct error *err)
{
    bool array = byte == '[' && items->depth == 1 && items->at_array && !items->in_array;
    if (array && items->seen)
        return error_set(err, ERR_PARSE, "malformed JSON: %s twice", items->array);
    if (items->in_array && items->depth == 2 && (byte != '{' || items->after_item))
        return error_set(err, ERR_PARSE, "malformed JSON: %s holds what is no object", items->array);
    buf_append_byte(target(items), byte);
    items->in_array = items->in_array || array;
    items->seen = items->seen || array;
    items->depth++;
    return 0;
}

static int close_bracket(struct json_items *items, char byte, struct error *err)
{
    if (items->depth == 0)
        return error_set(err, ERR_PARSE, "malformed JSON: a bracket too much");
    items->depth--;
    if (items->in_array && items->depth == 1) {
        if (items->after_comma)
            return error_set(err, ERR_PARSE, "malformed JSON: a comma at the end of %s", items->array);
        items->in_array = items->at_array = false;
        buf_append_byte(&items->around, byte);
        return 0;
    }
    buf_append_byte(target(items), byte);
    return items->in_array && items->depth == 2 ? finish_item(items, err) : 0;
}

/* A byte between two objects of the array. */
static int take_between(struct json_items *items, char byte, struct error *err)
{
    if (byte == ',' && items->after_item) {
        items->after_item = false;
        items->after_comma = true;
    } else if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t') {
        return error_set(err, ERR_PARSE, "malformed JSON: %s holds what is no object", items->array);
    }
    return 0;
}

static int take_byte(struct json_items *items, char byte, struct error *err)
{
    if (items->in_text) {
        take_text_byte(items, byte);
        return 0;
    }
    if (items->in_number && !in_number(byte))
        end_number(items);
    if (byte == '{' || byte == '[')
        return open_bracket(items, byte, err);
    if (byte == '}' || byte == ']')
        return close_bracket(items, byte, err);
    if (items->in_array && items->depth == 2)
        return take_between(items, byte, err);
    if (byte == '"') {
        begin_text(items);
        return 0;
    }
    if (byte == ',')
        items->at_array = items->at_array && items->depth != 1;
    if (!items->in_number && starts_number(byte)) {
        items->in_number = true;
        buf_append_byte(target(items), '"');
    }
    buf_append_byte(target(items), byte);
    return 0;
}

int json_items_feed(struct json_items *items, struct str chunk, struct error *err)
{
    int code = 0;
    for (size_t i = 0; i < chunk.len && !code; i++)
        code = take_byte(items, chunk.ptr[i], err);
    if (!code && (items->item.failed || items->around.failed))
        code = error_set(err, ERR_LIMIT, "an object of the answer is larger than %lu bytes",
                         JSON_ITEM_MAX_BYTES);
    return code;
}

int json_items_end(struct json_items *items, const struct node **ret_around, struct error *err)
{
    struct node *node;
    end_number(items);
    if (items->depth || items->in_text)
        return error_set(err, ERR_PARSE, "malformed JSON: the answer ends too early");
    arena_reset(items->arena);
    int code = json_parse(items->arena, buf_str(&items->around), &node, err);
    if (code)
        return code;
    if (!items->seen)
        return error_set(err, ERR_PARSE, "the answer has no list \"%s\"", items->array);
    *ret_around = node;
    return 0;
}
