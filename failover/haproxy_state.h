/* What HAProxy answers to `show servers state` (version 1 of the table, HAProxy 1.8 and later). Pure.
 *
 * Ownership: texts live in the arena given. */
#ifndef FRAISEQL_FAILOVER_HAPROXY_STATE_H
#define FRAISEQL_FAILOVER_HAPROXY_STATE_H

#include "lib/core/arena.h"
#include "lib/core/error.h"

#define HAPROXY_MAX_SERVERS 4096U

struct haproxy_server {
    const char *name;    /* "backend/server" */
    size_t backend_size; /* bytes of the backend's name in it */
    bool usable;         /* up, and neither disabled nor draining by anybody's order; weight aside */
    bool weighted;       /* its weight is not 0: new connections may go to it */
    bool weighs_nothing; /* configured with weight 0: nothing to give back */
};

struct haproxy_state {
    struct haproxy_server *servers;
    size_t count;
};

/* ERR_PEER with what HAProxy said when it is anything else, an error of a command before it included. */
int haproxy_state_read(struct arena *arena, struct str answer, struct haproxy_state *ret_state,
                       struct error *err) CHECK_RESULT;

const struct haproxy_server *haproxy_state_find(const struct haproxy_state *state, const char *name);

#endif
