/* Regular expressions as Prometheus has them in selectors and relabelling: anchored at both ends, "." matches
 * every character, text is UTF-8. PCRE2 runs them with a match limit, so a hostile one costs a refusal, not a
 * thread; it takes all that RE2 takes, and some more.
 *
 * Ownership: pattern_free(). Threads: immutable; a pattern_groups belongs to one thread. */
#ifndef FRAISEQL_METRICS_PATTERN_H
#define FRAISEQL_METRICS_PATTERN_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

struct pattern;
struct pattern_groups; /* where the groups of the last match lie */

/* ERR_PARSE with what is wrong and where; ERR_LIMIT: too long. */
int pattern_new(struct str text, struct pattern **ret_pattern, struct error *err) CHECK_RESULT;
void pattern_free(struct pattern *pattern); /* accepts NULL */

/* *ret_failed (may be NULL): the match limit was hit, and the answer is no. */
bool pattern_matches(const struct pattern *pattern, struct str value, bool *ret_failed);

/* The same where groups are wanted: they hold until the next match with them. */
struct pattern_groups *pattern_groups_new(const struct pattern *pattern);
void pattern_groups_free(struct pattern_groups *groups); /* accepts NULL */
bool pattern_find(const struct pattern *pattern, struct str value, struct pattern_groups *groups);

/* Appends `template` with $1, ${1}, $name, ${name} and $$ replaced, by the rules of Go's regexp.Expand: a
 * name is as long as it can be, one that the pattern does not have is empty, and a $ without a name stays.
 * `value` is what the groups are of. */
void pattern_expand(const struct pattern *pattern, const struct pattern_groups *groups, struct str value,
                    struct str template, struct buf *out);

#endif
