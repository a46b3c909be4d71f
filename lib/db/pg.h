/* PostgreSQL without blocking: libpq driven on a loop, in pipeline mode with prepared statements.
 *
 * A batch of statements goes out in one round trip, each followed by its own sync, so that one that fails
 * does not take the others with it. Statements are prepared once a connection, in the same round trip as
 * their first use. Names are resolved on the blocking lane and handed over as hostaddr.
 *
 * Lifetime rules:
 *  1. A connection belongs to one loop; all calls are made on its thread.
 *  2. pg_connect() and pg_run() call `done` exactly once, later; pg_close() makes pending ones end with
 *     ERR_CANCELLED before `closed` runs. Nothing of the connection may be used after `closed`.
 *  3. Only one connect or batch is under way at a time.
 *  4. Results are valid during the callback only.
 *  5. pg_close() may be called inside any callback. It is called once for each pg_connect() that returned 0,
 * also after the connect has failed. Passwords come as struct secret and are never put into an error, a log
 * line or a dump. A deadline that passes closes the socket (the server ends the statement by its own
 * statement_timeout). */
#ifndef FRAISEQL_DB_PG_H
#define FRAISEQL_DB_PG_H

#include "lib/core/secret.h"
#include "lib/net/resolver.h"

struct pg;
struct pg_result; /* rows of one statement */

struct pg_options {
    const char *conninfo;          /* keyword/value or URI, without or with password; several hosts are tried
                                      in order; PGHOST ... stand in for what it leaves out, as with psql */
    const struct secret *password; /* overrides; NULL: none */
    const char *application_name;  /* default fraiseql-collector */
    /* Set in the startup packet, after what `options` of the conninfo says (which wins for the timeouts), or
     * with the first batch when a pooler refuses that parameter. 0: the server's. */
    int64_t statement_timeout_ns;
    int64_t lock_timeout_ns;
    bool read_only; /* default_transaction_read_only=on */
    /* sslmode, sslrootcert ... are taken from the conninfo. */
};

/* Checks a conninfo without connecting; names the bad keyword; never echoes a password. */
int pg_check_conninfo(const char *conninfo, struct error *err) CHECK_RESULT;
/* "host:port" of the (first) server, for default names and labels. Terminated, truncated to size. */
void pg_conninfo_target(const char *conninfo, char *target, size_t size);

/* err NULL: connected. ERR_AUTH: refused credentials; ERR_UNAVAILABLE: cannot reach; ERR_TIMEOUT. */
typedef void pg_connect_fn(void *ctx, struct pg *pg, const struct error *err);

int pg_connect(struct loop *loop, struct resolver *resolver, const struct pg_options *options,
               int64_t deadline_mono_ns, pg_connect_fn *done, void *ctx, struct pg **ret_pg,
               struct error *err) CHECK_RESULT;
/* Never blocks. closed(ctx) may be NULL. */
void pg_close(struct pg *pg, loop_fn *closed, void *ctx);

enum { PG_MAX_PARAMS = 8 };

struct pg_statement {
    const char *name; /* of the prepared statement, unique by text; NULL: not prepared */
    const char *sql;  /* one statement */
    const char *params[PG_MAX_PARAMS];
    unsigned param_count;
};

/* One call a statement in order, with either a result or an error (sqlstate in pg_error_sqlstate()), then one
 * done. After an error of the connection itself (done with err) the connection is dead: close it; the
 * statements that had no answer yet were called with that error first, also when it is a close
 * (ERR_CANCELLED). Errors of a statement: ERR_AUTH for class 28 and 42501 (no privilege), ERR_TIMEOUT for
 * 57014 and 55P03, ERR_UNAVAILABLE for classes 08, 53 and 57P, ERR_PEER otherwise. A prepared statement that
 * turns out lost (26000) or out of date (0A000) fails once and is prepared anew the next time. */
typedef void pg_result_fn(void *ctx, size_t index, const struct pg_result *result, const struct error *err);
typedef void pg_done_fn(void *ctx, const struct error *err);

int pg_run(struct pg *pg, const struct pg_statement *statements, size_t count, int64_t deadline_mono_ns,
           pg_result_fn *on_result, pg_done_fn *done, void *ctx, struct error *err) CHECK_RESULT;

int pg_server_version(const struct pg *pg); /* e.g. 150020 */
/* SQLSTATE of the error just reported to a pg_result_fn or pg_connect_fn; "" when there is none. */
const char *pg_error_sqlstate(const struct pg *pg);
bool pg_is_dead(const struct pg *pg);
/* Round trips of the batches so far, for the bench and self metrics. */
uint64_t pg_round_trips(const struct pg *pg);

size_t pg_rows(const struct pg_result *result);
size_t pg_columns(const struct pg_result *result);
const char *pg_column_name(const struct pg_result *result, size_t column);
/* Column by name, SIZE_MAX when absent. */
size_t pg_find_column(const struct pg_result *result, const char *name);
bool pg_is_null(const struct pg_result *result, size_t row, size_t column);
struct str pg_value(const struct pg_result *result, size_t row,
                    size_t column); /* text format; empty for NULL */

#endif
