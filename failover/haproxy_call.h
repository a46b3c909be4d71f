/* One line of commands to HAProxy's runtime socket, and its whole answer.
 *
 * Ownership: the call is its own until done() ran, or haproxy_call_cancel() was called; `answer` and `err`
 * live during done() only. Threads: the loop's. */
#ifndef FRAISEQL_FAILOVER_HAPROXY_CALL_H
#define FRAISEQL_FAILOVER_HAPROXY_CALL_H

#include "lib/core/str.h"
#include "lib/net/loop.h"

#define HAPROXY_ANSWER_MAX_BYTES (4UL * 1024 * 1024)

struct haproxy_call;
/* err NULL: the answer came whole. */
typedef void haproxy_done_fn(void *ctx, struct str answer, const struct error *err);

/* done() comes later, never from within. */
struct haproxy_call *haproxy_call_start(struct loop *loop, const char *path, struct str line,
                                        int64_t timeout_ns, haproxy_done_fn *done, void *ctx);
/* done() will not be called; what was sent may be carried out all the same. */
void haproxy_call_cancel(struct haproxy_call *call);

#endif
