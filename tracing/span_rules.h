/* What spans are counted by: the buckets of the duration histogram and the SLOs made of spans.
 *
 * An SLO's `faster_than` becomes one more internal bound just below it, so that counting a span costs the
 * same with and without SLOs and the number of slow spans is exact; internal buckets are added up to the
 * exposed ones at publish. Faster means strictly: a span of exactly faster_than is bad.
 *
 * Ownership: span_rules_free(); everything is copied. Threads: immutable. */
#ifndef FRAISEQL_TRACING_SPAN_RULES_H
#define FRAISEQL_TRACING_SPAN_RULES_H

#include "lib/core/error.h"
#include "lib/core/str.h"
#include "lib/metrics/sli.h"

#define SPAN_MAX_EXPOSED    48U
#define SPAN_MAX_THRESHOLDS 64U
#define SPAN_MAX_BOUNDS     (SPAN_MAX_EXPOSED + SPAN_MAX_THRESHOLDS)

struct span_rule {
    const char *slo;
    struct str service, name; /* ptr NULL: any */
    int kind;                 /* -1: any */
    bool entry;
    bool timed;
    size_t fast_buckets; /* when timed: the internal buckets below this one are fast enough */
};

struct span_rules {
    double exposed_ms[SPAN_MAX_EXPOSED]; /* finite bounds of the histogram, in milliseconds */
    size_t exposed_count;
    uint64_t bounds_ns[SPAN_MAX_BOUNDS + 1]; /* internal, ascending, the last UINT64_MAX */
    size_t bucket_count;                     /* internal buckets: finite bounds and one */
    uint8_t exposed_of[SPAN_MAX_BOUNDS + 1]; /* exposed bucket of an internal one */
    uint8_t octave_first[64];                /* first bucket that can hold durations of 2^i ns and more */
    struct span_rule *rules;
    size_t rule_count;
    struct arena *arena;
};

/* bounds_ns ascending and positive. ERR_CONFIG: an unknown kind, too many distinct faster_than. */
int span_rules_new(const int64_t *bounds_ns, size_t bound_count, const struct sli_span_selector *selectors,
                   size_t selector_count, struct span_rules **ret_rules, struct error *err) CHECK_RESULT;
void span_rules_free(struct span_rules *rules); /* accepts NULL */

/* Internal bucket of a duration: the first whose bound is not below it. */
static inline size_t span_rules_bucket(const struct span_rules *rules, uint64_t duration_ns)
{
    size_t bucket = rules->octave_first[63 - __builtin_clzll(duration_ns | 1)];
    while (duration_ns > rules->bounds_ns[bucket])
        bucket++;
    return bucket;
}

bool span_rule_matches(const struct span_rule *rule, struct str service, struct str name, unsigned kind,
                       bool entry);
/* True when an SLO asks for this service or span name: such spans are never folded into an overflow. */
bool span_rules_name_service(const struct span_rules *rules, struct str service);
bool span_rules_name_span(const struct span_rules *rules, struct str name);

const char *span_kind_text(unsigned kind);     /* "SPAN_KIND_SERVER" */
const char *span_status_text(unsigned status); /* "STATUS_CODE_OK" */

#endif
