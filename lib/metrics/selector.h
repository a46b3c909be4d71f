/* Selectors in PromQL's syntax: name{label="x",other!="y",re=~"a|b",nre!~"c.*"}, {__name__=~"a.*"}.
 *
 * Regular expressions are anchored at both ends as PromQL's are; PCRE2 runs them with a match limit, so a
 * hostile pattern costs a refusal, not a thread. A selector without a name and with only matchers that accept
 * the empty string is refused, as PromQL refuses it. A matcher on an absent label sees the empty string.
 * Resolve a selector once a shape and keep the result by shape->id.
 *
 * Ownership: selector_free(). Threads: immutable after parsing; selector_matches_* may be called from any
 * thread. */
#ifndef FRAISEQL_METRICS_SELECTOR_H
#define FRAISEQL_METRICS_SELECTOR_H

#include "lib/core/error.h"
#include "lib/metrics/snapshot.h"

struct selector;

int selector_parse(const char *text, struct selector **ret_selector, struct error *err) CHECK_RESULT;
void selector_free(struct selector *selector); /* accepts NULL */
const char *selector_text(const struct selector *selector);

/* A line's metric name (family name plus suffix) and its canonical label text. */
bool selector_matches(const struct selector *selector, struct str name, struct str label_text);
/* False when no series of a family with this name (plus any suffix) can match: a quick first look. */
bool selector_may_match_family(const struct selector *selector, const struct shape_family *family);

struct selector_match {
    uint32_t family; /* index into shape->families */
    uint32_t series; /* index into shape->series */
    uint32_t slot;   /* for a histogram the slot of name_count is the +Inf bucket */
};

/* All series of the shape that match (malloc'd, *ret_count of them; NULL when none). Own histograms match by
 * name_count and name_sum. The caller frees the array. */
struct selector_match *selector_resolve(const struct selector *selector, const struct shape *shape,
                                        size_t *ret_count);

#endif
