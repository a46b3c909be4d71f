#include "lib/core/clock.h"
#include "scrapers/probe/probe_internal.h"

#include <stdio.h>

#define CLIENT_SLACK_NS (1 * NS_PER_S) /* the deadline is ours (probe_internal.h) */
#define REASON(name)    (1U << PROBE_REASON_##name)

static void prepare(struct probe *probe)
{
    (void)probe;
}

static void on_closed(void *ctx)
{
    probe_attempt_released(ctx);
}

static void close_connection(struct probe_attempt *attempt)
{
    struct postgres_attempt *postgres = &attempt->postgres;
    if (postgres->closing)
        return;
    postgres->closing = true;
    if (postgres->pg)
        pg_close(TAKE(postgres->pg), on_closed, attempt);
    else
        probe_attempt_released(attempt);
}

static void fail(struct probe_attempt *attempt, enum probe_reason reason, const struct error *err)
{
    if (err->code == ERR_AUTH)
        attempt->probe->secret_stale = true; /* it may have been rotated */
    if (err->code == ERR_CANCELLED)
        probe_attempt_void(attempt, "the collector is stopping");
    probe_attempt_verdict(attempt, err->code == ERR_TIMEOUT ? PROBE_REASON_TIMEOUT : reason, err->message);
    close_connection(attempt);
}

static void on_result(void *ctx, size_t index, const struct pg_result *result, const struct error *err)
{
    struct probe_attempt *attempt = ctx;
    struct postgres_attempt *postgres = &attempt->postgres;
    (void)index;
    if (attempt->state != ATTEMPT_RUNNING)
        return; /* the configuration may be another by now */
    const char *expect = attempt->probe->config->postgres->expect;
    postgres->answered = true;
    if (err) {
        postgres->error = *err;
    } else if (expect) {
        bool has_value = pg_rows(result) > 0 && pg_columns(result) > 0 && !pg_is_null(result, 0, 0);
        if (!has_value || !str_equal_text(pg_value(result, 0, 0), expect))
            error_set(&postgres->error, ERR_PEER, "the query's value is not the expected one");
    }
}

static void on_ran(void *ctx, const struct error *err)
{
    struct probe_attempt *attempt = ctx;
    struct postgres_attempt *postgres = &attempt->postgres;
    if (attempt->state != ATTEMPT_RUNNING)
        return;
    if (err) {
        fail(attempt, PROBE_REASON_PROTOCOL, err);
        return;
    }
    if (!postgres->answered)
        error_set(&postgres->error, ERR_PEER, "the query gave no result");
    if (postgres->error.code != 0) {
        fail(attempt, PROBE_REASON_QUERY, &postgres->error);
        return;
    }
    probe_attempt_phase(attempt, PROBE_PHASE_PROCESSING,
                        probe_attempt_elapsed(attempt) - postgres->connected_ns);
    probe_attempt_verdict(attempt, PROBE_REASONS, "");
    close_connection(attempt);
}

static void on_connected(void *ctx, struct pg *pg, const struct error *err)
{
    struct probe_attempt *attempt = ctx;
    struct postgres_attempt *postgres = &attempt->postgres;
    struct error failure = {0};
    if (attempt->state != ATTEMPT_RUNNING)
        return; /* the configuration may be another by now */
    const char *query = attempt->probe->config->postgres->query;
    if (err) {
        fail(attempt, err->code == ERR_AUTH ? PROBE_REASON_AUTH : PROBE_REASON_CONNECT, err);
        return;
    }
    postgres->connected_ns = probe_attempt_elapsed(attempt);
    probe_attempt_phase(attempt, PROBE_PHASE_CONNECT, postgres->connected_ns);
    if (!query || !*query) {
        probe_attempt_verdict(attempt, PROBE_REASONS, "");
        close_connection(attempt);
        return;
    }
    const struct pg_statement statement = {.sql = query};
    if (pg_run(pg, &statement, 1, attempt->times.deadline_ns + CLIENT_SLACK_NS, on_result, on_ran, attempt,
               &failure) != 0)
        fail(attempt, PROBE_REASON_PROTOCOL, &failure);
}

static void start(struct probe_attempt *attempt)
{
    const struct probe *probe = attempt->probe;
    const struct probe_env *env = &probe->set->env;
    struct error err = {0};
    attempt->postgres = (struct postgres_attempt){0};
    if (!probe_attempt_secret(attempt, probe->config->postgres->password_file))
        return;
    const struct pg_options options = {
        .conninfo = probe->config->postgres->dsn,
        .password = probe->secret,
        .application_name = "fraiseql-probe",
        .statement_timeout_ns = probe->config->timeout_ns,
    };
    if (pg_connect(env->loop, env->resolver, &options, attempt->times.deadline_ns + CLIENT_SLACK_NS,
                   on_connected, attempt, &attempt->postgres.pg, &err) != 0)
        fail(attempt, PROBE_REASON_CONNECT, &err);
}

const struct probe_kind probe_postgres = {
    .reasons = REASON(TIMEOUT) | REASON(CONNECT) | REASON(AUTH) | REASON(QUERY) | REASON(PROTOCOL),
    .prepare = prepare,
    .cleanup = prepare,
    .start = start,
    .abort = close_connection,
};
