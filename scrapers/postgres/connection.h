/* Opens the connections of a target: password file, session limits, and the account of what is open, so that
 * a target is destroyed only after the last connection is closed.
 *
 * Ownership: embedded in its user; connection_close() may be called at any time, `closed` runs once nothing
 * of it is left. Threads: the scrape loop's. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_CONNECTION_H
#define FRAISEQL_SCRAPERS_POSTGRES_CONNECTION_H

#include "lib/db/pg.h"
#include "scrapers/postgres/postgres.h"

struct connection {
    const struct scraper_env *env;
    const struct postgres_config *config;
    struct pg *pg;                      /* NULL: not connected */
    unsigned closing;                   /* pg_close() calls under way */
    uint64_t opened_total, round_trips; /* of connections closed already */
    loop_fn *idle;                      /* waits for closing to be 0 */
    void *idle_ctx;
};

void connection_init(struct connection *connection, const struct scraper_env *env,
                     const struct postgres_config *config);
/* Reads the password file and starts to connect; done as in pg_connect(). */
int connection_open(struct connection *connection, int64_t statement_timeout_ns, int64_t deadline_mono_ns,
                    pg_connect_fn *done, void *ctx, struct error *err) CHECK_RESULT;
/* Pending calls end with ERR_CANCELLED. Nothing when not connected. */
void connection_drop(struct connection *connection);
/* Drops, then idle(ctx) once all is closed; at once when nothing is open. */
void connection_shutdown(struct connection *connection, loop_fn *idle, void *ctx);
uint64_t connection_round_trips(const struct connection *connection);

#endif
