/* JSON read in place: what the tree's parser takes, the cursor takes too and gives the same texts; whatever
 * it is given, slices stay inside the document and every loop ends. */
#include "lib/core/json.h"
#include "lib/core/json_pull.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void die(const char *what)
{
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static void walk(struct json_pull *pull, struct arena *arena, const struct node *node);

static void walk_mapping(struct json_pull *pull, struct arena *arena, const struct node *node)
{
    struct str key;
    if (!json_pull_object(pull))
        die("no object");
    for (size_t i = 0; json_pull_member(pull, &key); i++) {
        if (i >= node->count)
            die("more members");
        walk(pull, arena, node->pairs[i].value);
    }
}

static void walk(struct json_pull *pull, struct arena *arena, const struct node *node)
{
    struct str text;
    if (node->kind == NODE_MAPPING) {
        walk_mapping(pull, arena, node);
    } else if (node->kind == NODE_SEQUENCE) {
        if (!json_pull_array(pull))
            die("no array");
        for (size_t i = 0; json_pull_element(pull); i++) {
            if (i >= node->count)
                die("more elements");
            walk(pull, arena, node->items[i]);
        }
    } else if (node->plain) {
        json_pull_skip(pull);
    } else if (!json_pull_text(pull, arena, &text) || !str_equal(text, node->scalar)) {
        die("another text");
    }
    if (pull->failed)
        die("damage where the tree's parser sees none");
}

/* As a caller would that trusts nothing. */
static void roam(struct json_pull *pull, struct arena *arena, struct str document, unsigned depth)
{
    struct str text;
    double real;
    int64_t number;
    bool flag;
    switch (json_pull_peek(pull)) {
    case '{':
        if (json_pull_object(pull))
            while (json_pull_member(pull, &text))
                depth > 20 ? json_pull_skip(pull) : roam(pull, arena, document, depth + 1);
        break;
    case '[':
        if (json_pull_array(pull))
            while (json_pull_element(pull))
                depth > 20 ? json_pull_skip(pull) : roam(pull, arena, document, depth + 1);
        break;
    case '"':
        (void)json_pull_text(pull, arena, &text);
        break;
    case 't':
        (void)json_pull_bool(pull, &flag);
        break;
    case '-':
        (void)json_pull_f64(pull, &real);
        break;
    case '1':
        (void)json_pull_i64(pull, &number);
        break;
    default:
        text = json_pull_raw(pull);
        if (text.len > 0 && (text.ptr < document.ptr || text.ptr + text.len > document.ptr + document.len))
            die("a slice outside the document");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str document = {(const char *)bytes, size};
    struct arena *arena = arena_new(0);
    struct json_pull pull = json_pull_from(document);
    struct node *root;
    struct error err;
    roam(&pull, arena, document, 0);
    (void)json_pull_finish(&pull);
    /* The tree's parser stops at a zero byte behind the document. */
    if (size > 0 && !memchr(bytes, 0, size) && json_parse(arena, document, &root, &err) == 0) {
        pull = json_pull_from(document);
        walk(&pull, arena, root);
        if (!json_pull_finish(&pull))
            die("bytes left");
    }
    arena_free(arena);
    return 0;
}
