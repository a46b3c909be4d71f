/* Labels: pairs of a name and a value, and their canonical rendered text.
 *
 * Canonical text is `a="x",b="y"`: sorted by name, values escaped (\\, \", \n), no braces, no empty values.
 * Prometheus keys its series cache by the raw text of a line, so equal label sets must give equal bytes. */
#ifndef FRAISEQL_METRICS_LABEL_H
#define FRAISEQL_METRICS_LABEL_H

#include "lib/core/buf.h"
#include "lib/core/limits.h"

struct label {
    struct str name, value;
};

#define LABEL(n, v)         ((struct label){STR(n), (v)})
#define LABEL_TEXT(n, text) ((struct label){STR(n), str_from(text)})

bool metric_name_valid(struct str name); /* [a-zA-Z_:][a-zA-Z0-9_:]*, at most LIMIT_METRIC_NAME_BYTES */
bool label_name_valid(struct str name);  /* [a-zA-Z_][a-zA-Z0-9_]*, at most LIMIT_LABEL_NAME_BYTES */

/* Sorts in place, drops empty values, and appends the canonical text. 0, or ERR_LIMIT/ERR_PARSE (bad name,
 * name twice, value not UTF-8 or too long). *count is updated to what was kept. */
int labels_render(struct label *labels, size_t *count, struct buf *out) CHECK_RESULT;
void label_append_escaped(struct buf *out, struct str value);

/* The unescaped value of `name` in canonical text, copied into out; false when it is not there. */
bool label_text_find(struct str text, struct str name, struct buf *out);
/* Walks canonical text: *cursor starts at 0; false at the end. `raw_value` is still escaped. */
bool label_text_next(struct str text, size_t *cursor, struct str *ret_name, struct str *ret_raw_value);
/* Unescapes into out. */
void label_unescape(struct str raw_value, struct buf *out);

#endif
