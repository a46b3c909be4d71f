/* Real PostgreSQL 15 servers for tests, each in a folder of its own with a port of its own.
 *
 * The data folder of the first server of a machine is kept as $TMPDIR/fraiseql-pg-template-<uid> and copied
 * from then on, because initdb takes longer than most tests. As root the servers run as the user `postgres`.
 * Users: postgres (superuser, trusted), scram_user (password "correct horse", SCRAM).
 * A server dies with the thread that started it. */
#ifndef FRAISEQL_TESTS_PG_SERVER_H
#define FRAISEQL_TESTS_PG_SERVER_H

#include "lib/core/compiler.h"

struct pg_server;

#define PG_SERVER_SCRAM_PASSWORD "correct horse"

/* False, with a line "SKIP ..." on standard error, when the binaries are not installed. */
bool pg_server_available(void);
/* Starts and waits until it accepts connections. `config` is appended to postgresql.conf (may be NULL).
 * Aborts when that fails. */
struct pg_server *pg_server_new(const char *config);
/* A streaming standby of `primary` with the slot and application_name `name`. */
struct pg_server *pg_server_new_standby(struct pg_server *primary, const char *name, const char *config);
/* Ends it at once and removes the folder; accepts NULL. */
void pg_server_free(struct pg_server *server);

uint16_t pg_server_port(const struct pg_server *server);
const char *pg_server_folder(const struct pg_server *server);   /* holds data/, log and the Unix socket */
const char *pg_server_conninfo(const struct pg_server *server); /* host=127.0.0.1 ... user=postgres */

void pg_server_stop(struct pg_server *server);  /* fast shutdown, waits */
void pg_server_start(struct pg_server *server); /* after a stop or kill */
void pg_server_kill(struct pg_server *server);  /* kill -9 of all its processes */
void pg_server_pause(struct pg_server *server); /* SIGSTOP to all its processes: a hung server */
void pg_server_resume(struct pg_server *server);

/* psql -Atc: its output without the last line end, malloc'd. Aborts when psql fails. */
char *pg_server_sql(struct pg_server *server, const char *sql);

#endif
