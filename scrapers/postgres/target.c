#include "scrapers/postgres/lag_source.h"
#include "scrapers/postgres/postgres_internal.h"

#include <stdio.h>
#include <stdlib.h>

static int create(const struct scraper_env *env, const void *config_, void **ret_state, struct error *err)
{
    const struct postgres_config *config = config_;
    struct label common[4];

    int code = pg_check_conninfo(config->dsn, err);
    if (code < 0)
        return code;
    struct target *target = xcalloc(1, sizeof *target);
    target->env = env;
    target->config = config;
    target->names = postgres_names_of(config, env);
    connection_init(&target->connection, env, config);
    catalog_init(&target->catalog);
    target->queries = arena_new(0);
    snprintf(target->tables_max, sizeof target->tables_max, "%lld", (long long)config->tables_max);
    for (size_t i = 0; pg_groups[i] && target->group_count < GROUP_MAX; i++) {
        if (!postgres_wants(config, pg_groups[i], target->names))
            continue;
        struct group_state *group = &target->groups[target->group_count++];
        group->query.group = pg_groups[i];
        samples_init(&group->samples);
    }
    struct batch_options options = {.common = common,
                                    .common_count = postgres_common_labels(env, config, common),
                                    .max_series = (uint32_t)config->target.max_series};
    target->batch = batch_new(&options);
    if (config->lag)
        target->sampler = sampler_new(env, config);
    *ret_state = target;
    return 0;
}

static void on_part_closed(void *ctx)
{
    struct target *target = ctx;

    if (--target->open > 0)
        return;
    loop_fn *destroyed = target->destroyed;
    void *destroyed_ctx = target->destroyed_ctx;
    for (size_t i = 0; i < target->group_count; i++)
        samples_deinit(&target->groups[i].samples);
    catalog_deinit(&target->catalog);
    arena_free(target->queries);
    batch_free(target->batch);
    free(target);
    if (destroyed)
        destroyed(destroyed_ctx);
}

static void on_shutdown(void *ctx)
{
    struct target *target = ctx;

    target->open = target->sampler ? 2 : 1;
    if (target->sampler)
        sampler_shutdown(TAKE(target->sampler), on_part_closed, target);
    connection_shutdown(&target->connection, on_part_closed, target);
}

static void destroy(void *state, loop_fn *destroyed, void *ctx)
{
    struct target *target = state;

    target->destroyed = destroyed;
    target->destroyed_ctx = ctx;
    /* Later, as promised; at once only where the loop has stopped and there is no later. */
    if (!loop_post(target->env->loop, "postgres.destroy", on_shutdown, target))
        on_shutdown(target);
}

static void address(const void *config, char *text, size_t size)
{
    pg_conninfo_target(((const struct postgres_config *)config)->dsn, text, size);
}

/* What the lag sampler publishes comes first. */
static const char *const prefixes[] = {"fraiseql_postgres_replication_lag", "fraiseql_postgres_failover_loss",
                                       "pg_", "fraiseql_postgres_", NULL};
#define SAMPLED_PREFIXES 2

static int64_t publish_interval_ns(const void *config, size_t i)
{
    return i < SAMPLED_PREFIXES ? ((const struct postgres_config *)config)->lag_interval_ns : 0;
}

const struct scraper_kind postgres_scraper = {
    .name = "postgres",
    .section = &postgres_section,
    .prefixes = prefixes,
    .publish_interval_ns = publish_interval_ns,
    .address = address,
    .create = create,
    .scrape = postgres_scrape,
    .cancel = postgres_cancel,
    .destroy = destroy,
    .check = postgres_check,
};
