/* POST /graphql: a body in, a body out.
 *
 *   type Order { id: ID!  what: String!  region: String!  createdAt: String! }
 *   type Query { orders(limit: Int = 20): [Order!]!  order(id: ID!): Order }
 *   type Mutation { createOrder(what: String!, key: String): Order! }
 *
 * (and __typename everywhere). `region` is the region whose service took the write. A `key` makes a write
 * that is sent again harmless. Whatever fails makes `data` null and one entry of `errors` with message,
 * locations, path and extensions.code: BAD_REQUEST (400), DATABASE_UNAVAILABLE (503), OUTCOME_UNKNOWN (503:
 * the write may be done or not), REFUSED (200).
 *
 * Ownership: the arena of the request. Threads: any. */
#ifndef FRAISEQL_EXAMPLES_SERVICE_ANSWER_H
#define FRAISEQL_EXAMPLES_SERVICE_ANSWER_H

#include "examples/service/store.h"
#include "lib/core/buf.h"

struct answer {
    int status;       /* of HTTP */
    bool failed;      /* `errors` is there */
    const char *name; /* "query orders", "mutation createOrder", "graphql": what the span is called */
};

void answer_graphql(struct store *store, struct arena *arena, struct str body, struct buf *out,
                    struct answer *ret);

#endif
