/* Events that did not fit into the service's queue, added up until the engine takes them: probe outcomes as
 * unknown (their order is lost, so n-of-m must not see them), span counts as they were. Threads: any; one
 * mutex, held for a search over at most OVERFLOW_MAX entries. */
#ifndef FRAISEQL_SLA_OVERFLOW_H
#define FRAISEQL_SLA_OVERFLOW_H

#include "lib/metrics/sli.h"

#define OVERFLOW_MAX 1024U

struct overflow;

struct overflow *overflow_new(void);
void overflow_free(struct overflow *overflow); /* accepts NULL */
/* False when there is no room for another probe or label set: the event is lost, and only counted. */
bool overflow_add_probe(struct overflow *overflow, const struct sli_probe_event *event);
bool overflow_add_spans(struct overflow *overflow, const struct sli_span_counts *counts);
/* Hands over everything and empties. The functions are called outside the lock. */
void overflow_drain(struct overflow *overflow,
                    void (*probe)(void *ctx, const struct sli_probe_event *, uint64_t times),
                    void (*spans)(void *ctx, const struct sli_span_counts *), void *ctx);

#endif
