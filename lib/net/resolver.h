/* Name resolution away from the loops: a few threads with a bounded queue call getaddrinfo(); answers come
 * back on the asking loop. Numeric addresses answer at once without a thread. Answers are cached for
 * RESOLVER_TTL_NS and, when a later lookup fails, served stale, so that a dead DNS server does not turn every
 * probe bad. Two names that hang never delay a third: each name has at most one lookup under way and the lane
 * has more threads than a slow server can take (excess is refused with ERR_UNAVAILABLE).
 * Threads: resolver_lookup() on any loop's thread. */
#ifndef FRAISEQL_NET_RESOLVER_H
#define FRAISEQL_NET_RESOLVER_H

#include "lib/net/loop.h"

#define RESOLVER_TTL_NS        (30 * NS_PER_S)
#define RESOLVER_MAX_ADDRESSES 8
#define RESOLVER_ADDRESS_MAX   64 /* numeric text with scope, terminated */

struct resolver;

struct resolver_answer {
    size_t count;
    char addresses[RESOLVER_MAX_ADDRESSES][RESOLVER_ADDRESS_MAX];
};

int resolver_new(unsigned threads, struct resolver **ret_resolver, struct error *err) CHECK_RESULT;
void resolver_free(struct resolver *resolver); /* after the loops that ask have stopped */

/* err is NULL on success. Called exactly once, on `loop`, possibly before resolver_lookup() returns (cache
 * and numeric hits). */
typedef void resolver_fn(void *ctx, const struct resolver_answer *answer, const struct error *err);

void resolver_lookup(struct resolver *resolver, struct loop *loop, const char *host, resolver_fn *fn,
                     void *ctx);

#endif
