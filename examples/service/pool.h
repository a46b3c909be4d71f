/* A bounded pool of PostgreSQL connections, and statements on them that end by a deadline.
 *
 * A connection that was cut while it lay idle is found out when it is taken and replaced; one whose statement
 * failed half way is closed. With target_session_attrs "read-write" a pool connects to a primary only,
 * wherever the address leads.
 *
 * Ownership: a result is the caller's (PQclear). Lock: one mutex inside. Threads: any; a connection belongs
 * to one thread between take and give. */
#ifndef FRAISEQL_EXAMPLES_SERVICE_POOL_H
#define FRAISEQL_EXAMPLES_SERVICE_POOL_H

#include "lib/core/error.h"

#include <libpq-fe.h>

struct pool;

struct pool *pool_new(const char *url, const char *session_attrs, unsigned max);
void pool_free(struct pool *pool); /* all connections given back; accepts NULL */

/* Waits for a free place, connects when none is idle. ERR_TIMEOUT, ERR_UNAVAILABLE. */
int pool_take(struct pool *pool, int64_t deadline_mono_ns, PGconn **ret, struct error *err) CHECK_RESULT;
/* `close`: it is of no more use (it leads to a standby, its statement may go on). */
void pool_give(struct pool *pool, PGconn *connection, bool close);
void pool_counts(struct pool *pool, unsigned *ret_active, unsigned *ret_idle);

/* What is known of a statement that failed. */
enum pool_failure {
    POOL_NOT_DONE,  /* the server said so, or it was never sent: it changed nothing */
    POOL_READ_ONLY, /* the same, because this is a standby */
    POOL_UNKNOWN    /* the connection went after it was sent: it may or may not be done */
};

/* One statement in a transaction of its own, parameters as text. ERR_PEER: the server refuses it for good. */
int pool_query(PGconn *connection, const char *sql, const char *const *values, int count,
               int64_t deadline_mono_ns, PGresult **ret, enum pool_failure *ret_failure, struct error *err)
    CHECK_RESULT;

#endif
