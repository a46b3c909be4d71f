/* JSON read in place, value by value, for bodies too large or too frequent for a tree: nothing is copied and
 * nothing is allocated, but for a text that holds an escape.
 *
 * A `struct json_pull` is a cursor over one complete document. The caller asks for what it wants and skips
 * the rest; after json_pull_member() and json_pull_element() it reads exactly one value. Any damage sets
 * `failed` and ends every loop, so it is checked once, behind them:
 *
 *     if (json_pull_object(&pull))
 *         while (json_pull_member(&pull, &key))
 *             str_equal(key, STR("name")) ? json_pull_text(&pull, arena, &name) : json_pull_skip(&pull);
 *
 * Of a value of another kind than asked for the reader says false and skips it. What is skipped is checked
 * for brackets and quotes only. Keys are compared as written: one with an escape matches nothing. Values
 * nested deeper than JSON_PULL_DEPTH are damage. Texts are not checked for UTF-8.
 *
 * Ownership: slices point into the document, unescaped texts into the arena. Threads: owned by its caller. */
#ifndef FRAISEQL_CORE_JSON_PULL_H
#define FRAISEQL_CORE_JSON_PULL_H

#include "lib/core/arena.h"

#define JSON_PULL_DEPTH 64U

struct json_pull {
    const char *at, *end;
    unsigned depth;
    bool fresh; /* behind an opening bracket: no comma is due */
    bool failed;
};

static inline struct json_pull json_pull_from(struct str document)
{
    return (struct json_pull){.at = document.ptr,
                              .end = document.len ? document.ptr + document.len : document.ptr};
}

/* The first byte of the value at the cursor: { [ " t f n - or a digit; 0 at the end. */
char json_pull_peek(struct json_pull *pull);
/* Enters an object or an array. */
bool json_pull_object(struct json_pull *pull);
bool json_pull_array(struct json_pull *pull);
/* The next member's key, or false behind the closing bracket. */
bool json_pull_member(struct json_pull *pull, struct str *ret_key);
bool json_pull_element(struct json_pull *pull);
bool json_pull_text(struct json_pull *pull, struct arena *arena, struct str *ret_text);
bool json_pull_i64(struct json_pull *pull, int64_t *ret_number); /* false for a fraction or an exponent too */
bool json_pull_f64(struct json_pull *pull, double *ret_number);
bool json_pull_bool(struct json_pull *pull, bool *ret_value);
void json_pull_skip(struct json_pull *pull);
/* Skips a value and gives its bytes, for another cursor. */
struct str json_pull_raw(struct json_pull *pull);
/* True when nothing but white space is left and nothing has failed. */
bool json_pull_finish(struct json_pull *pull);

#endif
