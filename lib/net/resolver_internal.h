/* Lets tests put their own getaddrinfo() under the resolver. Stays in lib/net. */
#ifndef FRAISEQL_NET_RESOLVER_INTERNAL_H
#define FRAISEQL_NET_RESOLVER_INTERNAL_H

#include "lib/net/resolver.h"

#include <netdb.h>

#define RESOLVER_DEFAULT_THREADS 16U
#define RESOLVER_MAX_QUEUED      256U           /* names that wait for a thread */
#define RESOLVER_MAX_NAMES       4096U          /* kept, answered or not */
#define RESOLVER_MAX_WAITERS     1024U          /* of one name */
#define RESOLVER_RETRY_NS        (5 * NS_PER_S) /* between lookups of a name that is served stale */

/* Like getaddrinfo(); what it returns is freed with freeaddrinfo(). */
typedef int resolver_getaddrinfo_fn(const char *host, const char *service, const struct addrinfo *hints,
                                    struct addrinfo **ret_list);

/* Before the first lookup. */
void resolver_set_getaddrinfo(struct resolver *resolver, resolver_getaddrinfo_fn *fn);

#endif
