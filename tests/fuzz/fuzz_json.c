/* JSON in: json_parse() and, for what it accepts, a second reading of what the writer makes of the tree. */
#include "lib/core/json.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void write_node(struct json_writer *json, const struct node *node, unsigned depth)
{
    if (depth > 30) {
        json_null(json);
    } else if (node->kind == NODE_SEQUENCE) {
        json_array_begin(json);
        for (size_t i = 0; i < node->count; i++)
            write_node(json, node->items[i], depth + 1);
        json_array_end(json);
    } else if (node->kind == NODE_MAPPING) {
        json_object_begin(json);
        for (size_t i = 0; i < node->count; i++) {
            json_key(json, node->pairs[i].key.ptr);
            write_node(json, node->pairs[i].value, depth + 1);
        }
        json_object_end(json);
    } else if (node->plain) {
        json_raw(json, node->scalar);
    } else {
        json_str(json, node->scalar);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena *arena = arena_new(4UL * 1024 * 1024);
    struct node *root, *again;
    struct error err;
    if (json_parse(arena, (struct str){(const char *)bytes, size}, &root, &err) == 0) {
        struct buf out = BUF_INIT(16UL * 1024 * 1024);
        struct json_writer json;
        json_init(&json, &out);
        write_node(&json, root, 0);
        if (json_parse(arena, buf_str(&out), &again, &err) && err.code != ERR_LIMIT) {
            (void)fprintf(stderr, "not read back: %s\n%s\n", err.message, buf_text(&out));
            abort();
        }
        buf_deinit(&out);
    }
    arena_free(arena);
    return 0;
}
