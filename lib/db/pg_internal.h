/* The parts of the PostgreSQL client: pg_conninfo.c reads connection strings, pg_connect.c connects,
 * pg_batch.c runs statements in pipeline mode, pg.c holds the connection and the accessors. */
#ifndef FRAISEQL_DB_PG_INTERNAL_H
#define FRAISEQL_DB_PG_INTERNAL_H

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/core/map.h"
#include "lib/db/pg.h"

#include <libpq-fe.h>

#define PG_MAX_KEYWORDS 64
#define PG_MAX_TARGETS  32 /* addresses of all hosts of a conninfo together */
/* How often prepared statements may turn out lost before we stop preparing (a pooler in transaction mode). */
#define PG_MAX_LOSSES 4

/* Keywords and values for libpq, owned; values are wiped when freed. */
struct pg_params {
    size_t count;
    const char *keywords[PG_MAX_KEYWORDS + 1];
    char *values[PG_MAX_KEYWORDS + 1];
};

int pg_params_parse(const char *conninfo, struct pg_params *params, struct error *err) CHECK_RESULT;
void pg_params_deinit(struct pg_params *params);
const char *pg_params_get(const struct pg_params *params, const char *keyword); /* NULL when absent */
void pg_params_set(struct pg_params *params, const char *keyword, const char *value);
void pg_params_set_default(struct pg_params *params, const char *keyword, const char *value);
/* Item `index` of a comma-separated list; false past its end. */
bool pg_list_item(const char *list, size_t index, struct str *ret_item);

struct pg_watch {
    struct pg *pg;
    struct loop_watch watch;
};

struct pg_lookup {
    struct pg *pg; /* NULL: nobody waits any more */
};

struct pg_prepared {
    bool ready;
};

/* One statement on the wire. */
struct pg_item {
    const char *name; /* NULL: not prepared */
    size_t index;     /* of the caller's statement */
    bool internal;    /* ours: no callback */
    bool prepares;    /* a Parse result comes first */
    bool parsed, reported;
};

struct pg_batch {
    struct pg_item *items;
    size_t count, at;
    unsigned empty_results; /* NULL results in a row */
    bool lost;              /* a loss of prepared statements was counted in this batch */
    pg_result_fn *on_result;
    pg_done_fn *done;
    void *ctx;
};

enum pg_state { PG_RESOLVING, PG_CONNECTING, PG_IDLE, PG_RUNNING, PG_DEAD };

struct pg {
    struct loop *loop;
    struct resolver *resolver;
    enum pg_state state;
    PGconn *conn;
    struct pg_watch *watch;
    struct loop_timer timer; /* the deadline, or at once: a failure or a close to be carried out */
    size_t closing;          /* handles whose `closed` is still to come */
    bool failing;            /* `failure` is to be reported from the timer */
    struct error failure;
    bool close_requested;
    loop_fn *closed;
    void *closed_ctx;
    char sqlstate[6];

    /* Connecting. */
    struct pg_params params;
    pg_connect_fn *on_connect;
    void *connect_ctx;
    struct pg_lookup *lookup;
    char *hosts; /* as configured, comma-separated */
    char *ports;
    size_t host_index, target_count;
    struct buf target_hosts, target_addresses, target_ports;
    bool any_address; /* one of the targets is not a Unix socket */
    struct error lookup_failure;
    char *user_options;
    bool without_options; /* a pooler refused the startup parameter `options` */
    bool session_pending; /* the settings go out with the first batch instead */
    int64_t statement_timeout_ms, lock_timeout_ms;
    bool read_only;

    /* Prepared statements of this connection: name to struct pg_prepared. */
    struct map prepared;
    struct arena *prepared_arena;
    unsigned losses; /* also the suffix of server-side names, so that a new one never meets an old one */

    struct arena *batch_arena;
    struct pg_batch batch;
    bool sent; /* something went out since the last byte came in */
    uint64_t round_trips;
};

struct pg_result {
    PGresult *result;
};

/* pg.c */
void pg_watch_events(struct pg *pg, int events); /* (re)creates the watch on the connection's descriptor */
void pg_drop_watch(struct pg *pg);
void pg_fail(struct pg *pg, const struct error *err);
void pg_fail_later(struct pg *pg, const struct error *err);
void pg_set_sqlstate(struct pg *pg, const char *sqlstate);
/* libpq's text on one line, without the password and the source location. */
void pg_clean_text(const struct pg *pg, const char *text, char *line, size_t size);
int pg_error_code(const char *sqlstate, int otherwise);

/* pg_connect.c */
void pg_connect_start(struct pg *pg);
void pg_connect_ready(struct pg *pg); /* the descriptor is ready */

/* pg_batch.c */
void pg_batch_ready(struct pg *pg, int events);
void pg_batch_fail(struct pg *pg, const struct error *err);
/* The error that ended the connection. */
void pg_lost_error(struct pg *pg, struct error *err);

#endif
