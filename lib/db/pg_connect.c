/* Connecting: names through the lane, then libpq's state machine (lib/db/pg_internal.h). */
#include "lib/core/clock.h"
#include "lib/db/pg_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void resolve_next(struct pg *pg);

static bool is_socket_folder(struct str host)
{
    return host.len == 0 || host.ptr[0] == '/' || host.ptr[0] == '@';
}

static void add_target(struct pg *pg, struct str host, const char *address)
{
    struct str port = {0};
    if (pg->target_count == PG_MAX_TARGETS)
        return;
    /* One port serves all hosts, otherwise there is one a host. */
    if (!pg_list_item(pg->ports, pg->host_index, &port))
        (void)pg_list_item(pg->ports, 0, &port);
    const char *comma = pg->target_count ? "," : "";
    buf_printf(&pg->target_hosts, "%s%.*s", comma, STR_ARGS(host));
    buf_printf(&pg->target_addresses, "%s%s", comma, address);
    buf_printf(&pg->target_ports, "%s%.*s", comma, (int)port.len, port.len ? port.ptr : "");
    pg->target_count++;
}

static void on_resolved(void *ctx, const struct resolver_answer *answer, const struct error *err)
{
    struct pg_lookup *lookup = ctx;
    struct pg *pg = lookup->pg;
    free(lookup);
    if (!pg)
        return;
    pg->lookup = NULL;
    struct str host;
    if (pg_list_item(pg->hosts, pg->host_index, &host) && answer) {
        for (size_t i = 0; i < answer->count; i++)
            add_target(pg, host, answer->addresses[i]);
        pg->any_address = true;
    } else if (err) {
        pg->lookup_failure = *err; /* another host may still do */
    }
    pg->host_index++;
    resolve_next(pg);
}

/* Session settings travel in the startup packet, which saves a round trip. What the user's own options say
 * about timeouts stands; read-only is ours to insist on. */
static void set_session_options(struct pg *pg)
{
    struct buf out = BUF_INIT(16384);
    if (!pg->without_options) {
        buf_append_text(&out, pg->user_options);
        if (pg->statement_timeout_ms && !strstr(pg->user_options, "statement_timeout"))
            buf_printf(&out, " -c statement_timeout=%lld", (long long)pg->statement_timeout_ms);
        if (pg->lock_timeout_ms && !strstr(pg->user_options, "lock_timeout"))
            buf_printf(&out, " -c lock_timeout=%lld", (long long)pg->lock_timeout_ms);
        if (pg->read_only)
            buf_append_text(&out, " -c default_transaction_read_only=on");
    }
    pg_params_set(&pg->params, "options", buf_text(&out));
    buf_deinit(&out);
}

static void ignore_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result; /* libpq would print it on standard error */
}

static void start_libpq(struct pg *pg)
{
    struct error err;
    char text[ERROR_MESSAGE_MAX];
    set_session_options(pg);
    pg->params.keywords[pg->params.count] = NULL;
    pg->params.values[pg->params.count] = NULL;
    pg->conn = PQconnectStartParams(pg->params.keywords, (const char *const *)pg->params.values, 0);
    if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD) {
        pg_clean_text(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory", text, sizeof text);
        /* Values that libpq refuses are found before it tries a server. */
        bool tried = str_starts(str_from(text), STR("connection to server"));
        (void)error_set(&err, tried ? ERR_UNAVAILABLE : ERR_CONFIG, "cannot connect: %s", text);
        pg_fail_later(pg, &err);
        return;
    }
    (void)PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
    /* The SQLSTATE of a refused connection is shown in the verbose text only. */
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
    pg->state = PG_CONNECTING;
    pg_watch_events(pg, LOOP_WRITABLE);
}

static void resolve_next(struct pg *pg)
{
    struct str host;
    while (pg_list_item(pg->hosts, pg->host_index, &host)) {
        if (is_socket_folder(host)) {
            add_target(pg, host, "");
            pg->host_index++;
            continue;
        }
        struct pg_lookup *lookup = xcalloc(1, sizeof *lookup);
        lookup->pg = pg;
        pg->lookup = lookup;
        char *name = arena_strdup(pg->batch_arena, host);
        resolver_lookup(pg->resolver, pg->loop, name, on_resolved, lookup);
        return;
    }
    if (!pg->target_count) {
        pg_fail_later(pg, &pg->lookup_failure);
        return;
    }
    pg_params_set(&pg->params, "host", buf_text(&pg->target_hosts));
    pg_params_set(&pg->params, "port", buf_text(&pg->target_ports));
    if (pg->any_address)
        pg_params_set(&pg->params, "hostaddr", buf_text(&pg->target_addresses));
    start_libpq(pg);
}

/* What libpq would take when the conninfo names no host (PGHOST, or the default socket). */
static char *default_of(const char *keyword)
{
    char *value = NULL;
    PQconninfoOption *defaults = PQconndefaults();
    for (const PQconninfoOption *option = defaults; option && option->keyword; option++)
        if (strcmp(option->keyword, keyword) == 0 && option->val)
            value = xstrdup(option->val);
    PQconninfoFree(defaults);
    return value ? value : xstrdup("");
}

void pg_connect_start(struct pg *pg)
{
    const char *host = pg_params_get(&pg->params, "host");
    const char *port = pg_params_get(&pg->params, "port");
    if (pg_params_get(&pg->params, "hostaddr")) {
        start_libpq(pg); /* nothing to resolve */
        return;
    }
    pg->hosts = host ? xstrdup(host) : default_of("host");
    pg->ports = port ? xstrdup(port) : default_of("port");
    resolve_next(pg);
}

/* "FATAL:  28P01: password authentication failed": the last code in the text, which tells of the last address
 * that was tried. */
static void read_sqlstate(struct pg *pg, const char *text)
{
    pg_set_sqlstate(pg, NULL);
    for (const char *at = strstr(text, ":  "); at; at = strstr(at + 3, ":  ")) {
        size_t len = strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (len == 5 && at[8] == ':') {
            char code[6];
            memcpy(code, at + 3, 5);
            code[5] = '\0';
            pg_set_sqlstate(pg, code);
        }
    }
}

static void connect_failed(struct pg *pg)
{
    const char *raw = PQerrorMessage(pg->conn);
    char text[ERROR_MESSAGE_MAX];
    struct error err;
    read_sqlstate(pg, raw);
    /* Options of the user's own cannot be sent another way, so their refusal is an error. */
    bool can_do_without = pg_params_get(&pg->params, "options") && !pg->user_options[0];
    bool refused = strcmp(pg->sqlstate, "08P01") == 0 || strcmp(pg->sqlstate, "0A000") == 0 ||
                   strstr(raw, "unsupported startup parameter");
    if (refused && can_do_without && !pg->without_options) {
        pg->without_options = true;
        pg->session_pending = pg->statement_timeout_ms || pg->lock_timeout_ms || pg->read_only;
        PQfinish(TAKE(pg->conn));
        start_libpq(pg);
        return;
    }
    pg_clean_text(pg, raw, text, sizeof text);
    int code = pg_error_code(pg->sqlstate, pg->sqlstate[0] ? ERR_PEER : ERR_UNAVAILABLE);
    if (PQconnectionNeedsPassword(pg->conn))
        code = ERR_AUTH;
    else if (strstr(raw, "certificate verify failed") || strstr(raw, "does not match host name"))
        code = ERR_PEER;
    (void)error_set(&err, code, "cannot connect: %s", text);
    if (code == ERR_AUTH && PQconnectionNeedsPassword(pg->conn))
        error_set_hint(&err, "the server asks for a password; give one in a password file");
    pg_fail(pg, &err);
}

static void connected(struct pg *pg)
{
    struct error err;
    if (PQsetnonblocking(pg->conn, 1) != 0 || PQenterPipelineMode(pg->conn) != 1) {
        (void)error_set(&err, ERR_PEER, "the connection cannot enter pipeline mode");
        pg_fail(pg, &err);
        return;
    }
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
    loop_timer_stop(&pg->timer);
    arena_reset(pg->batch_arena);
    pg->state = PG_IDLE;
    pg_set_sqlstate(pg, NULL);
    pg_watch_events(pg, LOOP_READABLE); /* a server that goes away while we are idle is noticed */
    pg->on_connect(pg->connect_ctx, pg, NULL);
}

void pg_connect_ready(struct pg *pg)
{
    /* libpq may close the descriptor and open another, even with the same number, for the next address. */
    pg_drop_watch(pg);
    switch (PQconnectPoll(pg->conn)) {
    case PGRES_POLLING_OK:
        connected(pg);
        break;
    case PGRES_POLLING_READING:
        pg_watch_events(pg, LOOP_READABLE);
        break;
    case PGRES_POLLING_WRITING:
        pg_watch_events(pg, LOOP_WRITABLE);
        break;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
    default:
        connect_failed(pg);
        break;
    }
}
