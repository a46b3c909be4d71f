/* What HAProxy is to be told, from what it says and what is remembered. Pure.
 *
 * Safe by what it can say at all: it sets weights and ends sessions, of servers that rules name. A
 * server that somebody disabled is not enabled by that, so where writes go is never decided here. And it says
 * no more than a backend can bear: where every other server is down, disabled or out, those that we took out
 * are given back, for a slow answer is better than none.
 *
 * Ownership: the arena given. */
#ifndef FRAISEQL_FAILOVER_TRAFFIC_PLAN_H
#define FRAISEQL_FAILOVER_TRAFFIC_PLAN_H

#include "failover/haproxy_state.h"
#include "failover/traffic_state.h"

struct traffic_plan {
    const char *line;  /* commands of one line; "" when HAProxy is as it should be */
    size_t commands;   /* servers that it changes */
    const char **back; /* taken once, and in service again */
    size_t back_count;
    size_t out;            /* wanted out, and out */
    size_t held, missing;  /* wanted out, and left in as the last of its backend, or unknown to HAProxy */
    const char *held_name; /* one of each, for people; NULL: none */
    const char *missing_name;
};

void traffic_plan_make(struct arena *arena, const struct traffic_state *state,
                       const struct traffic_config *config, const struct haproxy_state *haproxy,
                       int64_t now_wall_ns, struct traffic_plan *ret_plan);

#endif
