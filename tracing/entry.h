/* Which spans are requests: those without a parent in their own service.
 *
 * OTLP has no such mark, and kind does not tell it (FraiseQL's spans are all INTERNAL), so, in this order:
 * 1. no parent: the request;
 * 2. flags say that it is known whether the parent is remote (0x100): the request iff it is (0x200);
 * 3. kind SERVER or CONSUMER, from senders without those flags: the request;
 * 4. the parent is in the same body under another service: the request;
 * 5. else not: a parent of the same service that was sent before, or will be, is the usual case.
 * Rule 4 needs the parents, so a body with several resources is indexed once the first span asks; bodies of
 * SDKs have one resource and never are. Over ENTRY_INDEX_MAX spans it is not applied.
 *
 * Ownership: an index lives for one body. Threads: owned by its caller. */
#ifndef FRAISEQL_TRACING_ENTRY_H
#define FRAISEQL_TRACING_ENTRY_H

#include "tracing/otlp_decode.h"

#define ENTRY_INDEX_MAX 65536U

enum entry_verdict { ENTRY_NO, ENTRY_YES, ENTRY_ASK_PARENT };

enum entry_verdict entry_decide(const struct otlp_span *span); /* rules 1 to 3 */

struct entry_slot {
    uint64_t span; /* its ids folded; 0: free */
    uint64_t service;
};

struct entry_index {
    struct entry_slot *slots;
    size_t mask;
};

/* Service of every span of the body. False when it has too many. The body was decoded before. */
bool entry_index_build(struct entry_index *index, struct str body, const struct otlp_frame *frame);
void entry_index_deinit(struct entry_index *index);
/* Rule 4. */
bool entry_parent_elsewhere(const struct entry_index *index, const struct otlp_span *span,
                            struct str service);

#endif
