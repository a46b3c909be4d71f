/* What the batch needs of labels beyond label.h. */
#ifndef FRAISEQL_METRICS_LABEL_INTERNAL_H
#define FRAISEQL_METRICS_LABEL_INTERNAL_H

#include "lib/metrics/label.h"

/* Removes empty values and sorts by name, in place. The usual input is sorted already. */
void labels_sort(struct label *labels, size_t *count);

/* Validates and appends the text of labels that labels_sort() has been over; see labels_render(). */
int labels_render_sorted(const struct label *labels, size_t count, struct buf *out) CHECK_RESULT;

/* True when the canonical text of the sorted labels is `text`: compares without rendering. Whoever matches is
 * valid, since the text is. */
bool labels_match_text(const struct label *labels, size_t count, struct str text);

/* Canonical text without the pair of that name. */
void label_text_without(struct str text, struct str name, struct buf *out);

#endif
