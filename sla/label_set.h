/* The labels that name a series or an incident: canonical text (label.h) and its pairs.
 * Ownership: label_set_init() copies; label_set_deinit() frees. Threads: owned by its caller. */
#ifndef FRAISEQL_SLA_LABEL_SET_H
#define FRAISEQL_SLA_LABEL_SET_H

#include "lib/core/option.h"
#include "lib/metrics/alert.h"

struct label_set {
    char *text; /* canonical */
    struct alert_text *pairs;
    size_t count;
    char *storage;
};

void label_set_init(struct label_set *set, struct str text);
void label_set_deinit(struct label_set *set);

/* Canonical text of those of the labels that `by` names (all of them with by NULL) into out. False when they
 * cannot be rendered. */
bool label_set_pick(const struct string_list *by, const struct label *labels, size_t count, struct buf *out);
/* The same from canonical text. */
bool label_set_pick_text(const struct string_list *by, struct str text, struct buf *out);

#endif
