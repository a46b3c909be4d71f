/* One scrape: connect if need be, learn what the server has if that is new, then everything that is due in
 * one round trip. */
#include "scrapers/postgres/postgres_internal.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"

#include <stdio.h>

enum {
    IDENTITY_STANDBY,
    IDENTITY_VERSION,
    IDENTITY_VERSION_TEXT,
    IDENTITY_ROLE,
    IDENTITY_MONITOR,
    IDENTITY_SYSTEM,
    IDENTITY_TIMELINE
};

static const char identity_sql[] =
    "SELECT pg_is_in_recovery(), current_setting('server_version_num'), current_setting('server_version'), "
    "current_user::text, pg_has_role('pg_read_all_stats', 'USAGE'), "
    "(SELECT system_identifier::text FROM pg_catalog.pg_control_system()), "
    "CASE WHEN pg_is_in_recovery() THEN "
    "coalesce((SELECT nullif(received_tli, 0) FROM pg_catalog.pg_stat_wal_receiver), "
    "(SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())) "
    "ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END";

static void finish(struct target *target, const struct error *err)
{
    scraper_done_fn *done = TAKE(target->done);
    int64_t now_ns = clock_mono_ns();
    struct error complaint;

    target->last_duration_ns = now_ns - target->started_ns;
    target->last_failed = err != NULL;
    for (size_t i = 0; !err && i < target->group_count; i++)
        target->last_failed |= target->groups[i].asked && !target->groups[i].ok;
    for (size_t i = 0; err && i < target->group_count; i++)
        target->groups[i].samples.observed = false;
    struct snapshot *snapshot = postgres_report(target, err == NULL);
    if (!err && postgres_complaint(target, &complaint))
        err = &complaint;
    done(target->done_ctx, snapshot, err);
}

static void finish_posted(void *arg)
{
    struct target *target = arg;

    if (target->done)
        finish(target, &target->failure);
}

/* For failures that come before anything was under way: done() never runs inside scrape(). */
static void finish_later(struct target *target)
{
    if (!loop_post(target->env->loop, "postgres.scrape", finish_posted, target))
        finish_posted(target);
}

static void copy_cell(const struct pg_result *result, size_t column, char text[POSTGRES_TEXT_MAX])
{
    struct str value = pg_value(result, 0, column);
    size_t len = value.len < POSTGRES_TEXT_MAX ? value.len : POSTGRES_TEXT_MAX - 1;

    memcpy(text, value.len ? value.ptr : "", len);
    text[len] = '\0';
}

static void read_identity(struct target *target, const struct pg_result *result)
{
    struct identity *identity = &target->identity;
    uint64_t timeline = 0;

    if (pg_rows(result) != 1)
        return;
    identity->known = true;
    identity->standby = str_equal(pg_value(result, 0, IDENTITY_STANDBY), STR("t"));
    identity->monitor = str_equal(pg_value(result, 0, IDENTITY_MONITOR), STR("t"));
    if (!str_to_u64(pg_value(result, 0, IDENTITY_VERSION), &identity->version))
        identity->version = 0;
    if (str_to_u64(pg_value(result, 0, IDENTITY_TIMELINE), &timeline))
        identity->timeline = (uint32_t)timeline;
    copy_cell(result, IDENTITY_VERSION_TEXT, identity->version_text);
    copy_cell(result, IDENTITY_ROLE, identity->role);
    copy_cell(result, IDENTITY_SYSTEM, identity->system_identifier);
}

static struct str get_cell(const void *ctx, size_t row, size_t column)
{
    const struct pg_result *result = ctx;

    return pg_is_null(result, row, column) ? (struct str){NULL, 0} : pg_value(result, row, column);
}

static void read_catalog(struct target *target, const struct pg_result *result)
{
    catalog_reset(&target->catalog);
    for (size_t row = 0; row < pg_rows(result); row++)
        catalog_add(&target->catalog, pg_value(result, row, 0), pg_value(result, row, 1));
    target->has_catalog = true;
}

/* Statements for what the catalogue now says. Those of the former generation stay prepared on the connection,
 * so the new ones get names of their own. */
static void build_queries(struct target *target)
{
    target->generation++;
    arena_reset(target->queries);
    target->catalog_statement = NULL;
    for (size_t i = 0; i < target->group_count; i++) {
        struct group_state *state = &target->groups[i];
        const struct pg_group *group = state->query.group;
        if (!query_build(group, &target->catalog, target->names, target->queries, &state->query)) {
            state->query = (struct query){.group = group};
            samples_reset(&state->samples);
            state->ok = true;
            continue;
        }
        state->due_ns = 0;
        snprintf(state->statement_name, sizeof state->statement_name, "g%u_%s", target->generation,
                 group->name);
    }
}

static int64_t pace_ns(const struct postgres_config *config, enum group_pace pace)
{
    switch (pace) {
    case PACE_SETTINGS:
        return config->settings_interval_ns;
    case PACE_TABLES:
        return config->table_interval_ns;
    case PACE_SIZES:
        return config->size_interval_ns;
    case PACE_SCRAPE:
        break;
    }
    return 0;
}

static void on_group(struct target *target, struct group_state *state, const struct pg_result *result,
                     const struct error *err)
{
    int64_t now_ns = clock_mono_ns();

    state->answered = true;
    state->ok = err == NULL;
    state->duration_ns = now_ns - target->last_answer_ns;
    target->last_answer_ns = now_ns;
    if (!err) {
        struct cells cells = {
            .ctx = result, .rows = pg_rows(result), .columns = pg_columns(result), .get = get_cell};
        samples_read(&state->samples, &state->query, &cells);
        state->failing = false;
        return;
    }
    state->samples.observed = false;
    if (strcmp(pg_error_sqlstate(target->connection.pg), "42501") == 0)
        target->denied = true;
    if (state->failing)
        return;
    state->failing = true;
    LOG_EVENT(LOG_WARN, "postgres.group_failed", LF_TEXT("target", target->config->target.name),
              LF_TEXT("group", state->query.group->name), LF_ERROR(err));
}

static void on_result(void *ctx, size_t index, const struct pg_result *result, const struct error *err)
{
    struct target *target = ctx;
    size_t which = target->statement_group[index];

    /* The connection ended before this one was answered: that is said once, by done(). */
    if (err && (!target->connection.pg || pg_is_dead(target->connection.pg)))
        return;
    if (which < GROUP_MAX) {
        on_group(target, &target->groups[which], result, err);
        return;
    }
    target->last_answer_ns = clock_mono_ns();
    if (err && target->failure.code == 0)
        target->failure = *err;
    if (!err && which == STATEMENT_IDENTITY)
        read_identity(target, result);
    if (!err && which == STATEMENT_CATALOG)
        read_catalog(target, result);
}

static void add_statement(struct target *target, size_t which, struct pg_statement statement)
{
    target->statement_group[target->statement_count] = which;
    target->statements[target->statement_count++] = statement;
}

static void add_catalog(struct target *target)
{
    if (!target->catalog_statement)
        target->catalog_statement = catalog_sql(target->queries);
    add_statement(target, STATEMENT_CATALOG, (struct pg_statement){.sql = target->catalog_statement});
}

static void add_groups(struct target *target)
{
    for (size_t i = 0; i < target->group_count; i++) {
        struct group_state *state = &target->groups[i];
        int64_t pause_ns = pace_ns(target->config, state->query.group->pace);
        if (!state->query.sql || state->due_ns > target->started_ns)
            continue;
        struct pg_statement statement = {.name = state->statement_name, .sql = state->query.sql};
        if (state->query.limited)
            statement.params[statement.param_count++] = target->tables_max;
        state->asked = true;
        /* Moved on before it is answered: a statement that costs the scrape its deadline is not the first
         * thing that the next scrape asks. */
        state->due_ns = pause_ns ? target->started_ns + pause_ns : 0;
        add_statement(target, i, statement);
    }
}

static void start_run(struct target *target, pg_done_fn *done)
{
    struct error err;

    target->last_answer_ns = clock_mono_ns();
    if (pg_run(target->connection.pg, target->statements, target->statement_count, target->deadline_ns,
               on_result, done, target, &err) == 0)
        return;
    connection_drop(&target->connection);
    target->failure = err;
    finish_later(target);
}

/* The deadline passed within the slow groups at the end: what came before them is whole. */
static bool only_slow_ones_missing(const struct target *target)
{
    bool missing = false;

    for (size_t i = 0; i < target->group_count; i++) {
        const struct group_state *state = &target->groups[i];
        if (!state->asked || state->answered)
            continue;
        if (state->query.group->pace == PACE_SCRAPE)
            return false;
        missing = true;
    }
    return missing && target->identity.known;
}

static void on_scraped(void *ctx, const struct error *err)
{
    struct target *target = ctx;

    if (err)
        connection_drop(&target->connection);
    if (err && err->code != ERR_CANCELLED && only_slow_ones_missing(target)) {
        LOG_EVENT(LOG_WARN, "postgres.scrape_cut", LF_TEXT("target", target->config->target.name),
                  LF_ERROR(err));
        for (size_t i = 0; i < target->group_count; i++) {
            struct group_state *state = &target->groups[i];
            state->ok = state->ok && (state->answered || !state->asked);
            state->samples.observed = state->samples.observed && (state->answered || !state->asked);
        }
        err = NULL;
    }
    if (!err && !target->identity.known && target->failure.code)
        err = &target->failure;
    /* A promotion: what the server shows may have changed with its role. */
    if (!err && target->identity.standby != target->was_standby)
        target->has_catalog = false;
    target->was_standby = target->identity.standby;
    finish(target, err);
}

static void run(struct target *target)
{
    target->statement_count = 0;
    add_statement(target, STATEMENT_IDENTITY, (struct pg_statement){.name = "identity", .sql = identity_sql});
    add_groups(target);
    start_run(target, on_scraped);
}

static void on_catalog(void *ctx, const struct error *err)
{
    struct target *target = ctx;

    if (!err && !target->has_catalog && target->failure.code)
        err = &target->failure;
    if (err) {
        connection_drop(&target->connection);
        finish(target, err);
        return;
    }
    build_queries(target);
    target->was_standby = target->identity.standby;
    run(target);
}

static void ask_catalog(struct target *target)
{
    target->statement_count = 0;
    target->has_catalog = false;
    add_statement(target, STATEMENT_IDENTITY, (struct pg_statement){.name = "identity", .sql = identity_sql});
    add_catalog(target);
    start_run(target, on_catalog);
}

static void on_connected(void *ctx, struct pg *pg, const struct error *err)
{
    struct target *target = ctx;

    (void)pg;
    if (err) {
        connection_drop(&target->connection);
        finish(target, err);
        return;
    }
    ask_catalog(target);
}

static int64_t statement_timeout_ns(const struct postgres_config *config)
{
    return config->statement_timeout_ns ? config->statement_timeout_ns : config->target.timeout_ns / 5 * 4;
}

void postgres_scrape(void *state, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx)
{
    struct target *target = state;

    target->done = done;
    target->done_ctx = ctx;
    target->deadline_ns = deadline_mono_ns;
    target->started_ns = clock_mono_ns();
    target->scrapes_total++;
    target->denied = false;
    target->identity = (struct identity){0};
    error_clear(&target->failure);
    for (size_t i = 0; i < target->group_count; i++)
        target->groups[i].asked = target->groups[i].answered = false;
    if (target->connection.pg && pg_is_dead(target->connection.pg))
        connection_drop(&target->connection);
    if (target->connection.pg && target->has_catalog) {
        run(target);
    } else if (target->connection.pg) {
        ask_catalog(target);
    } else if (connection_open(&target->connection, statement_timeout_ns(target->config), deadline_mono_ns,
                               on_connected, target, &target->failure) < 0) {
        finish_later(target);
    }
}

void postgres_cancel(void *state)
{
    struct target *target = state;

    /* The call under way ends with ERR_CANCELLED, which ends the scrape. */
    if (target->done)
        connection_drop(&target->connection);
}
