/* Statements in pipeline mode (lib/db/pg_internal.h): everything goes out at once, each statement followed by
 * its own sync (PostgreSQL documentation, "Pipeline Mode"): the results of one are
 *   [parse result, NULL,] execute result, NULL, sync result. */
#include "lib/core/clock.h"
#include "lib/core/hash.h"
#include "lib/db/pg_internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Two NULL results in a row end a statement whose parse failed; more mean that libpq expects nothing. */
#define MAX_EMPTY_RESULTS 3

#define SERVER_NAME_SIZE 64 /* NAMEDATALEN: the server tells no more characters apart */

static const char *server_name(const struct pg *pg, const char *name, char text[SERVER_NAME_SIZE])
{
    char suffix[16] = "";
    if (pg->losses)
        (void)snprintf(suffix, sizeof suffix, "~%u", pg->losses);
    if (strlen(name) + strlen(suffix) < SERVER_NAME_SIZE)
        (void)snprintf(text, SERVER_NAME_SIZE, "%s%s", name, suffix);
    else
        (void)snprintf(text, SERVER_NAME_SIZE, "%.28s_%016llx%s", name,
                       (unsigned long long)hash_stable(str_from(name)), suffix);
    return text;
}

static void forget(struct pg *pg, const char *name)
{
    (void)map_remove(&pg->prepared, str_from(name));
}

/* The session lost its statements (DISCARD ALL, another server behind a pooler) or has ones we do not know
 * of. From the next batch on they are prepared anew under other names; if that goes on, not at all. */
static void note_loss(struct pg *pg)
{
    if (pg->batch.lost)
        return;
    pg->batch.lost = true;
    pg->losses++;
    map_deinit(&pg->prepared);
    map_init(&pg->prepared);
    /* The keys stay in prepared_arena; losses are bounded by PG_MAX_LOSSES, so is what is left there. */
}

static bool send_statement(struct pg *pg, const struct pg_statement *statement, size_t index)
{
    struct pg_item *item = &pg->batch.items[pg->batch.count++];
    char text[SERVER_NAME_SIZE];
    int count = (int)statement->param_count;
    const char *const *params = statement->params;
    *item = (struct pg_item){.index = index, .internal = index == SIZE_MAX};
    if (!statement->name || pg->losses >= PG_MAX_LOSSES)
        return PQsendQueryParams(pg->conn, statement->sql, count, NULL, params, NULL, NULL, 0) &&
               PQpipelineSync(pg->conn);
    item->name = arena_strdup(pg->batch_arena, str_from(statement->name));
    const char *name = server_name(pg, statement->name, text);
    struct pg_prepared *prepared = map_get(&pg->prepared, str_from(statement->name));
    if (!prepared) {
        prepared = arena_zalloc(pg->prepared_arena, sizeof *prepared);
        const char *key = arena_strdup(pg->prepared_arena, str_from(statement->name));
        (void)map_put(&pg->prepared, str_from(key), prepared);
        item->prepares = true;
        if (!PQsendPrepare(pg->conn, name, statement->sql, 0, NULL))
            return false;
    }
    return PQsendQueryPrepared(pg->conn, name, count, params, NULL, NULL, 0) && PQpipelineSync(pg->conn);
}

/* The settings a pooler did not take in the startup packet. */
static bool send_session(struct pg *pg)
{
    char statement_ms[24], lock_ms[24];
    struct pg_statement statement = {
        .sql = "select case when $1 <> '0' then set_config('statement_timeout', $1, false) end, "
               "case when $2 <> '0' then set_config('lock_timeout', $2, false) end, "
               "case when $3 = 'on' then set_config('default_transaction_read_only', $3, false) end",
        .params = {statement_ms, lock_ms, pg->read_only ? "on" : "off"},
        .param_count = 3};
    (void)snprintf(statement_ms, sizeof statement_ms, "%lld", (long long)pg->statement_timeout_ms);
    (void)snprintf(lock_ms, sizeof lock_ms, "%lld", (long long)pg->lock_timeout_ms);
    return send_statement(pg, &statement, SIZE_MAX);
}

void pg_lost_error(struct pg *pg, struct error *err)
{
    char text[ERROR_MESSAGE_MAX];
    pg_clean_text(pg, PQerrorMessage(pg->conn), text, sizeof text);
    (void)error_set(err, ERR_UNAVAILABLE, "the connection is lost: %s",
                    text[0] ? text : "no reason is known");
}

/* False when the connection broke, which is then reported later. */
static bool flush(struct pg *pg)
{
    struct error err;
    int rc = PQflush(pg->conn);
    if (rc < 0) {
        pg_lost_error(pg, &err);
        pg_fail_later(pg, &err);
        return false;
    }
    pg_watch_events(pg, rc == 1 ? LOOP_READABLE | LOOP_WRITABLE : LOOP_READABLE);
    return !pg->failing;
}

/* Until version 17 libpq writes at each sync. Corked, a batch leaves in as few packets as it fits in, and the
 * server does not wake for each statement; a Unix socket just refuses the option. */
static void cork(struct pg *pg, int on)
{
    (void)setsockopt(PQsocket(pg->conn), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

int pg_run(struct pg *pg, const struct pg_statement *statements, size_t count, int64_t deadline_mono_ns,
           pg_result_fn *on_result, pg_done_fn *done, void *ctx, struct error *err)
{
    if (pg->state == PG_DEAD || pg->failing || pg->close_requested)
        return error_set(err, ERR_UNAVAILABLE, "the connection has ended");
    if (pg->state != PG_IDLE)
        return error_set(err, ERR_CONFLICT, "the connection is busy");
    if (!count || deadline_mono_ns <= 0)
        return error_set(err, ERR_CONFIG, "a batch needs a statement and a deadline");
    for (size_t i = 0; i < count; i++)
        if (statements[i].param_count > PG_MAX_PARAMS)
            return error_set(err, ERR_CONFIG, "a statement has more than %d parameters", PG_MAX_PARAMS);
    arena_reset(pg->batch_arena);
    struct pg_item *items = arena_zalloc(pg->batch_arena, (count + 1) * sizeof *items);
    pg->batch = (struct pg_batch){.items = items, .on_result = on_result, .done = done, .ctx = ctx};
    pg->state = PG_RUNNING;
    pg->sent = true;
    pg_set_sqlstate(pg, NULL);
    loop_timer_start(&pg->timer, deadline_mono_ns, 0);
    cork(pg, 1);
    bool ok = !pg->session_pending || send_session(pg);
    pg->session_pending = false;
    size_t sent = 0;
    while (sent < count && ok) {
        ok = send_statement(pg, &statements[sent], sent);
        sent++;
    }
    for (; sent < count; sent++) /* never went out, and is reported as failed all the same */
        pg->batch.items[pg->batch.count++] = (struct pg_item){.index = sent};
    if (ok)
        (void)flush(pg);
    cork(pg, 0);
    if (ok)
        return 0;
    struct error lost;
    pg_lost_error(pg, &lost);
    pg_fail_later(pg, &lost);
    return 0;
}

static void report(struct pg *pg, struct pg_item *item, const struct pg_result *result,
                   const struct error *err)
{
    if (item->reported)
        return;
    item->reported = true;
    if (!item->internal)
        pg->batch.on_result(pg->batch.ctx, item->index, result, err);
}

void pg_batch_fail(struct pg *pg, const struct error *err)
{
    struct pg_batch *batch = &pg->batch;
    for (; batch->at < batch->count; batch->at++)
        report(pg, &batch->items[batch->at], NULL, err);
    batch->done(batch->ctx, err);
}

static void fill_error(struct pg *pg, const PGresult *result, struct error *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char text[ERROR_MESSAGE_MAX];
    pg_set_sqlstate(pg, sqlstate);
    pg_clean_text(pg, primary ? primary : PQresultErrorMessage(result), text, sizeof text);
    (void)error_set(err, pg_error_code(pg->sqlstate, ERR_PEER), "%s",
                    text[0] ? text : "the server gave no result");
    if (detail)
        error_set_detail(err, "%s", detail);
    if (hint)
        error_set_hint(err, "%s", hint);
}

static void on_parse_result(struct pg *pg, struct pg_item *item, const PGresult *result)
{
    struct error err;
    item->parsed = true;
    if (PQresultStatus(result) == PGRES_COMMAND_OK)
        return;
    forget(pg, item->name); /* so that it is prepared again next time */
    fill_error(pg, result, &err);
    if (strcmp(pg->sqlstate, "42P05") == 0) /* a name that exists: another's session behind a pooler */
        note_loss(pg);
    report(pg, item, NULL, &err);
}

static void on_execute_result(struct pg *pg, struct pg_item *item, PGresult *result)
{
    struct error err;
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
        pg_set_sqlstate(pg, NULL);
        report(pg, item, &(struct pg_result){result}, NULL);
        return;
    }
    if (status == PGRES_PIPELINE_ABORTED && item->reported)
        return; /* what follows a failed parse */
    fill_error(pg, result, &err);
    bool stale_plan = strcmp(pg->sqlstate, "0A000") == 0 && item->name && !item->prepares;
    if (item->name && (strcmp(pg->sqlstate, "26000") == 0 || stale_plan))
        note_loss(pg);
    if (item->internal) { /* without its limits the session must not be used */
        (void)error_prefix(&err, "cannot set the session's limits");
        pg_fail_later(pg, &err);
    }
    report(pg, item, NULL, &err);
}

static void on_item_result(struct pg *pg, PGresult *result)
{
    struct pg_item *item = &pg->batch.items[pg->batch.at];
    struct error err;
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
        (void)error_set(&err, ERR_PEER, "the server gave no result");
        report(pg, item, NULL, &err);
        pg->batch.at++;
        return;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        (void)error_set(&err, ERR_PEER, "COPY cannot be run on this connection");
        report(pg, item, NULL, &err);
        pg_fail_later(pg, &err);
        return;
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
    case PGRES_SINGLE_TUPLE:
    case PGRES_PIPELINE_ABORTED:
    default:
        if (item->prepares && !item->parsed)
            on_parse_result(pg, item, result);
        else
            on_execute_result(pg, item, result);
    }
}

static void finish_batch(struct pg *pg)
{
    loop_timer_stop(&pg->timer);
    pg->state = PG_IDLE;
    pg_watch_events(pg, LOOP_READABLE);
    pg->batch.done(pg->batch.ctx, NULL);
}

/* The callbacks may close the connection, but its end is carried out from the timer, so `pg` stays valid. */
static void take_results(struct pg *pg)
{
    struct pg_batch *batch = &pg->batch;
    while (batch->at < batch->count) {
        if (pg->close_requested || pg->failing || PQisBusy(pg->conn))
            return;
        PGresult *result = PQgetResult(pg->conn);
        if (result) {
            batch->empty_results = 0;
            on_item_result(pg, result);
            PQclear(result);
        } else if (++batch->empty_results > MAX_EMPTY_RESULTS) {
            struct error err;
            pg_lost_error(pg, &err);
            pg_fail_later(pg, &err);
            return;
        }
    }
    if (!pg->close_requested && !pg->failing)
        finish_batch(pg);
}

/* The server's last words (57P01 ...) may have come before the end of the connection. */
static void connection_lost(struct pg *pg)
{
    struct error err;
    pg_set_sqlstate(pg, NULL);
    pg_lost_error(pg, &err);
    for (unsigned i = 0; pg->state == PG_RUNNING && i <= MAX_EMPTY_RESULTS; i++) {
        PGresult *result = PQgetResult(pg->conn);
        const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
        if (sqlstate) {
            fill_error(pg, result, &err);
            (void)error_prefix(&err, "the connection is lost");
        }
        PQclear(result);
        if (sqlstate)
            break;
    }
    pg_fail(pg, &err);
}

void pg_batch_ready(struct pg *pg, int events)
{
    if (events & (LOOP_READABLE | LOOP_DISCONNECT)) {
        bool alive = PQconsumeInput(pg->conn) == 1 && PQstatus(pg->conn) == CONNECTION_OK;
        if (pg->sent && alive) {
            pg->round_trips++;
            pg->sent = false;
        }
        if (!alive) {
            connection_lost(pg);
            return;
        }
    }
    if (pg->state == PG_RUNNING) {
        if (flush(pg))
            take_results(pg);
        return;
    }
    /* Idle: notices and parameter changes are read and forgotten. */
    while (!PQisBusy(pg->conn)) {
        PGresult *result = PQgetResult(pg->conn);
        if (!result)
            break;
        PQclear(result);
    }
    PGnotify *notify;
    while ((notify = PQnotifies(pg->conn)))
        PQfreemem(notify);
}
