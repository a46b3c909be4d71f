/* Runs a function on a loop and waits for it: for start, reload and stop, never from a loop's own thread. */
#ifndef FRAISEQL_COLLECTOR_LOOP_CALL_H
#define FRAISEQL_COLLECTOR_LOOP_CALL_H

#include "lib/net/loop.h"

typedef int loop_call_fn(void *arg, struct error *err);

/* What fn returned; ERR_CANCELLED when the loop has stopped. */
int loop_call(struct loop *loop, const char *what, loop_call_fn *fn, void *arg, struct error *err);

/* As loop_call() for something that ends later: begin(arg, ended, ctx) must make ended(ctx) be called once.
 */
typedef void loop_close_fn(void *arg, loop_fn *ended, void *ctx);
void loop_call_close(struct loop *loop, const char *what, loop_close_fn *begin, void *arg);

#endif
