#include "lib/db/pg.h"

#include "lib/core/clock.h"
#include "lib/db/pg_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void finish_close(struct pg *pg)
{
    loop_fn *closed = pg->closed;
    void *ctx = pg->closed_ctx;
    pg_params_deinit(&pg->params);
    map_deinit(&pg->prepared);
    arena_free(pg->prepared_arena);
    arena_free(pg->batch_arena);
    buf_deinit(&pg->target_hosts);
    buf_deinit(&pg->target_addresses);
    buf_deinit(&pg->target_ports);
    free(pg->hosts);
    free(pg->ports);
    free(pg->user_options);
    free(pg);
    if (closed)
        closed(ctx);
}

static void on_handle_closed(struct pg *pg)
{
    pg->closing--;
    if (!pg->closing && pg->close_requested)
        finish_close(pg);
}

static void on_watch_closed(void *ctx)
{
    struct pg_watch *watch = ctx;
    struct pg *pg = watch->pg;
    free(watch);
    on_handle_closed(pg);
}

static void on_timer_closed(void *ctx)
{
    on_handle_closed(ctx);
}

static void on_ready(void *ctx, int status, int events)
{
    struct pg_watch *watch = ctx;
    struct pg *pg = watch->pg;
    /* An error of the descriptor is found by reading from it. */
    if (status < 0)
        events = LOOP_READABLE;
    if (pg->state == PG_CONNECTING)
        pg_connect_ready(pg);
    else
        pg_batch_ready(pg, events);
}

void pg_drop_watch(struct pg *pg)
{
    if (!pg->watch)
        return;
    loop_watch_close(&TAKE(pg->watch)->watch, on_watch_closed);
}

void pg_watch_events(struct pg *pg, int events)
{
    struct error err;
    if (!pg->watch) {
        struct pg_watch *watch = xcalloc(1, sizeof *watch);
        watch->pg = pg;
        int rc = loop_watch_init(pg->loop, &watch->watch, PQsocket(pg->conn), "pg.socket", on_ready, watch);
        if (rc < 0) {
            free(watch);
            (void)error_set_errno(&err, -rc, "cannot wait for the connection");
            pg_fail_later(pg, &err);
            return;
        }
        pg->closing++;
        pg->watch = watch;
    }
    loop_watch_start(&pg->watch->watch, events);
}

void pg_set_sqlstate(struct pg *pg, const char *sqlstate)
{
    (void)snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", sqlstate ? sqlstate : "");
}

void pg_clean_text(const struct pg *pg, const char *text, char *line, size_t size)
{
    struct buf out = BUF_INIT(ERROR_MESSAGE_MAX);
    while (*text) {
        size_t len = strcspn(text, "\n");
        struct str piece = str_trim((struct str){text, len});
        text += len + (text[len] == '\n');
        if (!piece.len || str_starts(piece, STR("LOCATION:")))
            continue;
        if (out.len)
            buf_append_text(&out, "; ");
        if (piece.len > ERROR_MESSAGE_MAX / 2)
            piece.len = ERROR_MESSAGE_MAX / 2;
        buf_append_str(&out, piece);
    }
    (void)snprintf(line, size, "%s", buf_text(&out));
    buf_deinit(&out);
    /* libpq does not quote passwords; a server that does shall not get them into our log. */
    const char *password = pg_params_get(&pg->params, "password");
    if (password && strlen(password) >= 4 && strstr(line, password))
        (void)snprintf(line, size, "the server's message is withheld because it holds the password");
}

int pg_error_code(const char *sqlstate, int otherwise)
{
    if (strncmp(sqlstate, "28", 2) == 0 || strcmp(sqlstate, "42501") == 0)
        return ERR_AUTH;
    if (strcmp(sqlstate, "57014") == 0 || strcmp(sqlstate, "55P03") == 0)
        return ERR_TIMEOUT; /* statement_timeout, lock_timeout */
    if (strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "53", 2) == 0 ||
        strncmp(sqlstate, "57P", 3) == 0)
        return ERR_UNAVAILABLE; /* connection, resources, shutdown */
    return otherwise;
}

/* Ends the connection and whatever is under way on it. */
void pg_fail(struct pg *pg, const struct error *err)
{
    enum pg_state before = pg->state;
    if (before == PG_DEAD)
        return;
    pg->state = PG_DEAD;
    loop_timer_stop(&pg->timer);
    if (pg->close_requested)
        loop_timer_start(&pg->timer, clock_mono_ns(), 0);
    pg_drop_watch(pg);
    if (pg->lookup)
        TAKE(pg->lookup)->pg = NULL;
    PQfinish(TAKE(pg->conn));
    if (before == PG_RESOLVING || before == PG_CONNECTING)
        pg->on_connect(pg->connect_ctx, pg, err);
    else if (before == PG_RUNNING)
        pg_batch_fail(pg, err);
}

void pg_fail_later(struct pg *pg, const struct error *err)
{
    if (pg->failing || pg->state == PG_DEAD)
        return;
    pg->failing = true;
    pg->failure = *err;
    loop_timer_start(&pg->timer, clock_mono_ns(), 0);
}

static void carry_out_close(struct pg *pg)
{
    struct error err;
    (void)error_set(&err, ERR_CANCELLED, "the connection is being closed");
    pg_set_sqlstate(pg, NULL);
    pg_fail(pg, &err);
    loop_timer_stop(&pg->timer);
    loop_timer_close(&pg->timer, on_timer_closed);
}

static void on_timer(void *ctx, int64_t lateness_ns)
{
    (void)lateness_ns;
    struct pg *pg = ctx;
    struct error err;
    if (pg->close_requested) {
        carry_out_close(pg);
        return;
    }
    pg->failing = pg->failing && pg->state != PG_DEAD;
    if (pg->failing) {
        err = pg->failure;
        pg_fail(pg, &err);
        return;
    }
    const char *doing = pg->state == PG_RESOLVING    ? "resolving the server's name"
                        : pg->state == PG_CONNECTING ? "connecting"
                                                     : "waiting for the server";
    (void)error_set(&err, ERR_TIMEOUT, "timed out while %s", doing);
    pg_set_sqlstate(pg, NULL);
    pg_fail(pg, &err);
}

static char *milliseconds(int64_t ms, char text[24])
{
    (void)snprintf(text, 24, "%lld", (long long)ms);
    return text;
}

static void set_defaults(struct pg *pg, const struct pg_options *options)
{
    struct pg_params *params = &pg->params;
    char text[24];
    if (options->password)
        pg_params_set(params, "password", secret_reveal(options->password).ptr);
    pg_params_set_default(params, "application_name",
                          options->application_name ? options->application_name : "fraiseql-collector");
    pg_params_set_default(params, "client_encoding", "UTF8");
    /* A black-holed connection must end by itself, also while it is idle. */
    pg_params_set_default(params, "keepalives", "1");
    pg_params_set_default(params, "keepalives_idle", "10");
    pg_params_set_default(params, "keepalives_interval", "5");
    pg_params_set_default(params, "keepalives_count", "3");
    pg_params_set_default(params, "tcp_user_timeout", milliseconds(20000, text));
    pg_params_set_default(params, "gssencmode", "disable"); /* it would ask a key server, blocking */
    const char *user_options = pg_params_get(params, "options");
    pg->user_options = xstrdup(user_options ? user_options : "");
    pg->statement_timeout_ms = (options->statement_timeout_ns + NS_PER_MS - 1) / NS_PER_MS;
    pg->lock_timeout_ms = (options->lock_timeout_ns + NS_PER_MS - 1) / NS_PER_MS;
    pg->read_only = options->read_only;
}

int pg_connect(struct loop *loop, struct resolver *resolver, const struct pg_options *options,
               int64_t deadline_mono_ns, pg_connect_fn *done, void *ctx, struct pg **ret_pg,
               struct error *err)
{
    struct pg_params params;
    if (deadline_mono_ns <= 0)
        return error_set(err, ERR_CONFIG, "a connection needs a deadline");
    int rc = pg_params_parse(options->conninfo, &params, err);
    if (rc < 0)
        return rc;
    struct pg *pg = xcalloc(1, sizeof *pg);
    pg->loop = loop;
    pg->resolver = resolver;
    pg->params = params;
    pg->on_connect = done;
    pg->connect_ctx = ctx;
    pg->state = PG_RESOLVING;
    pg->prepared_arena = arena_new(0);
    pg->batch_arena = arena_new(0);
    pg->target_hosts.max = pg->target_addresses.max = pg->target_ports.max = 65536;
    map_init(&pg->prepared);
    set_defaults(pg, options);
    loop_timer_init(loop, &pg->timer, "pg.timer", on_timer, pg);
    loop_timer_start(&pg->timer, deadline_mono_ns, 0);
    pg->closing++;
    *ret_pg = pg;
    pg_connect_start(pg);
    return 0;
}

void pg_close(struct pg *pg, loop_fn *closed, void *ctx)
{
    pg->close_requested = true;
    pg->closed = closed;
    pg->closed_ctx = ctx;
    pg_drop_watch(pg);
    loop_timer_start(&pg->timer, clock_mono_ns(), 0);
}

int pg_server_version(const struct pg *pg)
{
    return pg->conn ? PQserverVersion(pg->conn) : 0;
}

const char *pg_error_sqlstate(const struct pg *pg)
{
    return pg->sqlstate;
}

bool pg_is_dead(const struct pg *pg)
{
    return pg->state == PG_DEAD || pg->failing;
}

uint64_t pg_round_trips(const struct pg *pg)
{
    return pg->round_trips;
}

size_t pg_rows(const struct pg_result *result)
{
    return (size_t)PQntuples(result->result);
}

size_t pg_columns(const struct pg_result *result)
{
    return (size_t)PQnfields(result->result);
}

const char *pg_column_name(const struct pg_result *result, size_t column)
{
    return PQfname(result->result, (int)column);
}

size_t pg_find_column(const struct pg_result *result, const char *name)
{
    /* PQfnumber() would fold the case of what it is asked for. */
    for (size_t column = 0; column < pg_columns(result); column++)
        if (strcmp(pg_column_name(result, column), name) == 0)
            return column;
    return SIZE_MAX;
}

bool pg_is_null(const struct pg_result *result, size_t row, size_t column)
{
    return PQgetisnull(result->result, (int)row, (int)column) != 0;
}

struct str pg_value(const struct pg_result *result, size_t row, size_t column)
{
    return (struct str){PQgetvalue(result->result, (int)row, (int)column),
                        (size_t)PQgetlength(result->result, (int)row, (int)column)};
}
