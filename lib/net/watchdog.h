/* A thread that looks at the heartbeat of every registered loop and logs `loop.stuck` with the name of the
 * callback that holds it over 100 ms (once a hold, and again when it ends, with its duration). */
#ifndef FRAISEQL_NET_WATCHDOG_H
#define FRAISEQL_NET_WATCHDOG_H

#include "lib/net/loop.h"

struct watchdog;

int watchdog_start(struct loop *const *loops, size_t count, struct watchdog **ret_watchdog, struct error *err)
    CHECK_RESULT;
void watchdog_stop(struct watchdog *watchdog); /* joins; accepts NULL */

#endif
