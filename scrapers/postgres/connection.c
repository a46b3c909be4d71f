#include "scrapers/postgres/connection.h"

void connection_init(struct connection *connection, const struct scraper_env *env,
                     const struct postgres_config *config)
{
    *connection = (struct connection){.env = env, .config = config};
}

int connection_open(struct connection *connection, int64_t statement_timeout_ns, int64_t deadline_mono_ns,
                    pg_connect_fn *done, void *ctx, struct error *err)
{
    const struct postgres_config *config = connection->config;
    CLEANUP(secret_free_cleanup) struct secret *password = NULL;

    /* Anew each time: a changed password heals with the next attempt. */
    if (config->password_file) {
        int code = secret_read_file(config->password_file, &password, NULL, err);
        if (code < 0)
            return code;
    }
    struct pg_options options = {
        .conninfo = config->dsn,
        .password = password,
        .statement_timeout_ns = statement_timeout_ns,
        .lock_timeout_ns = config->lock_timeout_ns,
        .read_only = true,
    };
    connection->opened_total++;
    return pg_connect(connection->env->loop, connection->env->resolver, &options, deadline_mono_ns, done, ctx,
                      &connection->pg, err);
}

static void tell_idle(struct connection *connection)
{
    if (connection->closing == 0 && connection->idle) {
        loop_fn *idle = connection->idle;
        connection->idle = NULL;
        idle(connection->idle_ctx);
    }
}

static void on_closed(void *ctx)
{
    struct connection *connection = ctx;

    connection->closing--;
    tell_idle(connection);
}

void connection_drop(struct connection *connection)
{
    if (!connection->pg)
        return;
    struct pg *pg = TAKE(connection->pg);
    connection->round_trips += pg_round_trips(pg);
    connection->closing++;
    pg_close(pg, on_closed, connection);
}

void connection_shutdown(struct connection *connection, loop_fn *idle, void *ctx)
{
    connection_drop(connection);
    connection->idle = idle;
    connection->idle_ctx = ctx;
    tell_idle(connection);
}

uint64_t connection_round_trips(const struct connection *connection)
{
    return connection->round_trips + (connection->pg ? pg_round_trips(connection->pg) : 0);
}
