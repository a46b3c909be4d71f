/* JSON in: json_parse() and, for what it accepts, a second reading of what the writer makes of the tree. */
#include "lib/core/json.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena *arena = arena_new(4UL * 1024 * 1024);
    struct node *root, *again;
    struct error err;
    if (json_parse(arena, (struct str){(const char *)bytes, size}, &root, &err) == 0) {
        struct buf out = BUF_INIT(16UL * 1024 * 1024);
        struct json_writer json;
        json_init(&json, &out);
        json_node(&json, root);
        if (json_parse(arena, buf_str(&out), &again, &err) && err.code != ERR_LIMIT) {
            (void)fprintf(stderr, "not read back: %s\n%s\n", err.message, buf_text(&out));
            abort();
        }
        buf_deinit(&out);
    }
    arena_free(arena);
    return 0;
}
