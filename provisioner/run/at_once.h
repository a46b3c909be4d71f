/* Waiting for several clouds or regions at the same time, for verbs that have no view and no journal
 * (run_each() has both). Threads: returns when all have ended. */
#ifndef FRAISEQL_PROVISIONER_RUN_AT_ONCE_H
#define FRAISEQL_PROVISIONER_RUN_AT_ONCE_H

#include <stddef.h>
#include <stdint.h>

typedef void at_once_fn(void *ctx, size_t number);

/* work(ctx, 0) to work(ctx, count - 1), each once, at most `limit` at a time (0: all). */
void at_once(size_t count, int64_t limit, at_once_fn *work, void *ctx);

#endif
