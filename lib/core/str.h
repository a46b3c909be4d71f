/* Borrowed byte slices. A struct str does not own its bytes and need not be terminated. */
#ifndef FRAISEQL_CORE_STR_H
#define FRAISEQL_CORE_STR_H

#include "lib/core/compiler.h"

#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/* For "%.*s". */
#define STR_ARGS(s) (int)(s).len, (s).ptr

/* For "%zu region%s". */
#define PLURAL(count) ((count) == 1 ? "" : "s")

static inline struct str str_from(const char *text)
{
    return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_equal_text(struct str a, const char *text)
{
    return str_equal(a, str_from(text));
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* Byte order, then length: a strict weak order for sorting. */
int str_compare(struct str a, struct str b);

/* Strips spaces, tabs, CR and LF from both ends. */
struct str str_trim(struct str s);

/* Whole-slice conversions; false when a byte is left over or the value does not fit. Base 10, no sign for
 * str_to_u64; str_to_double takes what strtod takes in the C locale, without leading blanks. */
bool str_to_u64(struct str s, uint64_t *ret_value);
bool str_to_i64(struct str s, int64_t *ret_value);
bool str_to_double(struct str s, double *ret_value);

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool str_is_utf8(struct str s);

/* Length of the well-formed UTF-8 sequence that s starts with (1 to 4), 0 when it starts with none. */
size_t str_utf8_length(struct str s);

/* The candidate nearest to `text` by edit distance, NULL when none is near enough to be a likely typo. */
const char *str_nearest(const char *text, const char *const *candidates, size_t count);
/* Another word for a name: "google" for "gcp". */
struct str_alias {
    const char *word, *name;
};
/* The name that a word stands for, in either case; NULL: none. The list is ended by {NULL, NULL}. */
const char *str_meant(const char *word, const struct str_alias *aliases);

#endif
