#include "scrapers/postgres/lag_source.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"

#include <stdlib.h>

/* An unchanged lag is said again this often: whoever samples time slices must see that it is still observed.
 * Half of the shortest slice, so that a late tick leaves none of them empty. */
#define REPEAT_NS (NS_PER_S / 2)

struct lag_source {
    const struct postgres_config *config;
    const struct cluster_member *member;
    struct hub_source *hub_source;
    struct batch *batch;
    bool published;
    int64_t published_ns;
    struct cluster_lag last;
    char upstream[CLUSTER_ADDRESS_MAX];
};

static const struct metric_desc lag_seconds = {
    "fraiseql_postgres_replication_lag_seconds", METRIC_GAUGE,
    "Age of the oldest WAL that the standby has not replayed; while that cannot be seen, a bound that grows.",
    "seconds"};
static const struct metric_desc lag_known = {"fraiseql_postgres_replication_lag_known", METRIC_GAUGE,
                                             "0 while the lag is a bound.", NULL};
static const struct metric_desc lag_bytes = {"fraiseql_postgres_replication_lag_bytes", METRIC_GAUGE,
                                             "WAL that the standby has not replayed; absent while unknown.",
                                             "bytes"};
static const struct metric_desc loss_seconds = {
    "fraiseql_postgres_failover_loss_seconds", METRIC_GAUGE,
    "Bound on the time whose commits are lost if this standby were promoted now.", "seconds"};
static const struct metric_desc loss_bytes = {
    "fraiseql_postgres_failover_loss_bytes", METRIC_GAUGE,
    "Bound on the WAL that is lost if this standby were promoted now; absent while unknown.", "bytes"};

size_t postgres_common_labels(const struct scraper_env *env, const struct postgres_config *config,
                              struct label labels[4])
{
    const char *region = config->target.region ? config->target.region : env->region;

    labels[0] = LABEL_TEXT("db_cluster", config->cluster ? config->cluster : config->target.name);
    labels[1] = LABEL_TEXT("region", region);
    labels[2] = LABEL_TEXT("target", config->target.name);
    return 3;
}

struct lag_source *lag_source_new(const struct scraper_env *env, const struct postgres_config *config,
                                  const struct cluster_member *member)
{
    struct lag_source *source = xcalloc(1, sizeof *source);
    struct label common[4];
    struct batch_options options = {.common = common,
                                    .common_count = postgres_common_labels(env, config, common)};

    source->config = config;
    source->member = member;
    source->batch = batch_new(&options);
    source->hub_source = hub_register(env->hub, "postgres", config->target.name, 0);
    return source;
}

void lag_source_free(struct lag_source *source)
{
    if (!source)
        return;
    hub_unregister(source->hub_source);
    batch_free(source->batch);
    free(source);
}

static void put(struct lag_source *source, const struct metric_desc *desc, bool upstream, struct value value)
{
    struct label label = LABEL_TEXT("upstream", source->upstream);

    batch_put(source->batch, desc, &label, upstream ? 1 : 0, value);
}

static double seconds(int64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

static void publish(struct lag_source *source, struct snapshot *snapshot)
{
    struct error err;

    if (hub_publish(source->hub_source, snapshot, &err) < 0)
        LOG_EVENT(LOG_WARN, "postgres.lag_refused", LF_TEXT("target", source->config->target.name),
                  LF_ERROR(&err));
}

static bool is_same(const struct cluster_lag *a, const struct cluster_lag *b)
{
    return a->standby == b->standby && a->known == b->known && a->lag_ns == b->lag_ns &&
           a->loss_ns == b->loss_ns && a->lag_bytes == b->lag_bytes && a->loss_bytes == b->loss_bytes;
}

void lag_source_publish(struct lag_source *source, int64_t now_ns)
{
    struct cluster_lag lag = cluster_lag(source->member, now_ns);
    const char *upstream = cluster_upstream(source->member);

    if (!lag.standby) {
        if (source->published)
            publish(source, NULL);
        source->published = false;
        return;
    }
    bool fresh = now_ns - source->published_ns < REPEAT_NS;
    if (source->published && fresh && is_same(&lag, &source->last) && strcmp(upstream, source->upstream) == 0)
        return;
    source->published = true;
    source->published_ns = now_ns;
    source->last = lag;
    size_t len = strnlen(upstream, sizeof source->upstream - 1);
    memcpy(source->upstream, upstream, len);
    source->upstream[len] = '\0';
    batch_begin(source->batch);
    put(source, &lag_seconds, true, VALUE_OF_F64(seconds(lag.lag_ns)));
    put(source, &lag_known, true, VALUE_OF_BOOL(lag.known));
    put(source, &loss_seconds, false, VALUE_OF_F64(seconds(lag.loss_ns)));
    if (lag.known) {
        put(source, &lag_bytes, true, VALUE_OF_U64(lag.lag_bytes));
        put(source, &loss_bytes, false, VALUE_OF_U64(lag.loss_bytes));
    }
    publish(source, batch_finish(source->batch, clock_wall_ns(), now_ns));
}
