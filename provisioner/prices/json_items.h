/* The objects of one array of a JSON answer, one by one as the bytes come: {"skus": [{...}, {...}], "next":
 * "..."}. What is kept is one object and what stands around the array, whatever the size of the answer.
 *
 * Each object, and at the end the whole answer with an empty array, is parsed by json_parse(), so malformed
 * JSON is found where it stands. Numbers come as their own text (a scalar that is not plain), never through
 * floating point. The array may be anywhere among the members of the outermost object, once.
 *
 * Ownership: nodes given to the callback live until it returns; the last tree until json_items_deinit().
 * Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_PRICES_JSON_ITEMS_H
#define FRAISEQL_PROVISIONER_PRICES_JSON_ITEMS_H

#include "lib/core/json.h"

#define JSON_ITEM_MAX_BYTES (1024UL * 1024) /* of one object, and of all that is not in the array */

/* A negative code ends the reading. */
typedef int json_item_fn(void *ctx, const struct node *item, struct error *err);

struct json_items {
    const char *array;
    json_item_fn *fn;
    void *ctx;
    struct arena *arena;
    struct buf item, around, token;
    unsigned depth; /* of brackets that are open */
    bool in_text, in_number, escaped;
    bool at_array;       /* the last key of the outermost object was the array's */
    bool in_array, seen; /* between its brackets; it has been there */
    bool after_item;     /* a comma must come before the next object */
    bool after_comma;    /* an object must come before the array ends */
    size_t count;
};

void json_items_init(struct json_items *items, const char *array, json_item_fn *fn, void *ctx);
void json_items_deinit(struct json_items *items);
/* Errors: ERR_PARSE, ERR_LIMIT, the callback's. */
int json_items_feed(struct json_items *items, struct str chunk, struct error *err) CHECK_RESULT;
/* *ret_around: the outermost object; ERR_PARSE when the answer is not complete or has no such array. */
int json_items_end(struct json_items *items, const struct node **ret_around, struct error *err) CHECK_RESULT;

#endif
