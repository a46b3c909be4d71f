/* The health of load balancer pools and their origins, as Cloudflare's monitors see it now. Answers are
 * outside bytes. */
#include "scrapers/cloud/vocabulary.h"
#include "scrapers/cloudflare/cloudflare_internal.h"

struct place {
    struct cloud_query *query;
    const struct cloudflare_query *data;
    int64_t at_ns;
    struct cloud_reading *reading;
    struct arena *arena;
};

static const struct node *list_of(const struct node *node, const char *key)
{
    const struct node *list = node_member(node, key);
    return list && list->kind == NODE_SEQUENCE ? list : NULL;
}

/* 1, 0, or -1: not known. */
static int health_of(const struct node *node)
{
    struct str text = node_text(node, "healthy");
    return str_equal_text(text, "true") ? 1 : str_equal_text(text, "false") ? 0 : -1;
}

static void put(const struct place *place, const char *name, const char *help, const char *word,
                const struct node *pool, const struct node *origin, double value)
{
    struct str origin_name = origin ? node_text(origin, "name") : STR("");
    const struct label labels[] = {LABEL_TEXT("account", place->data->account),
                                   {STR("pool_name"), node_text(pool, "name")},
                                   {STR("origin_name"), origin_name},
                                   {STR("ip"), origin ? node_text(origin, "address") : STR("")}};
    const char *key = arena_printf(place->arena, "%s|%s|%s|%s", name, place->data->id,
                                   node_text(pool, "id").ptr, origin_name.ptr);
    struct cloud_metric *metric = cloud_plan_metric(
        place->reading->plan, &(struct cloud_metric_desc){.name = name,
                                                          .help = help,
                                                          .kind = CLOUD_GAUGE,
                                                          .settle_ns = NS_PER_S,
                                                          .common = word ? cloud_common_find(word) : NULL});
    struct cloud_series *series = cloud_plan_series(place->reading->plan, place->query, metric, str_from(key),
                                                    labels, origin ? 4 : 2, node_text(pool, "name"));
    if (series)
        cloud_reading_point(place->reading, series, place->at_ns, value);
}

static void read_pool(const struct place *place, const struct node *pool)
{
    const struct node *origins = list_of(pool, "origins");
    unsigned counts[2] = {0, 0};
    int health = health_of(pool);
    if (!cloudflare_is_id(node_text(pool, "id")) || node_text(pool, "name").len == 0) {
        place->reading->unknown++;
        return;
    }
    if (health >= 0)
        put(place, "cloudflare_pool_health_status", "Whether the pool is healthy: 1 or 0.", NULL, pool, NULL,
            health);
    for (size_t i = 0; origins && i < origins->count; i++) {
        struct str name = node_text(origins->items[i], "name");
        int healthy = health_of(origins->items[i]);
        if (healthy < 0 || name.len == 0)
            continue; /* no monitor looks at it */
        counts[healthy]++;
        put(place, "cloudflare_pool_origin_health_status", "Whether the origin passes its checks: 1 or 0.",
            NULL, pool, origins->items[i], healthy);
    }
    if (counts[0] + counts[1] == 0)
        return;
    put(place, "cloudflare_pool_healthy_origins", "Origins of the pool that pass their checks.",
        "load_balancer_healthy_backends", pool, NULL, counts[1]);
    put(place, "cloudflare_pool_unhealthy_origins", "Origins of the pool that do not.",
        "load_balancer_unhealthy_backends", pool, NULL, counts[0]);
}

int cloudflare_read_pools(const struct cloud_batch *batch, const struct http_response *answer,
                          struct cloud_reading *reading, struct arena *arena,
                          struct cloud_outcome *ret_outcome, struct error *err)
{
    const struct node *root;
    const struct place place = {.query = batch->queries[0],
                                .data = batch->queries[0]->data,
                                .at_ns = batch->to_ns - batch->period_ns,
                                .reading = reading,
                                .arena = arena};
    int code = cloudflare_parse(answer, arena, &root, ret_outcome, err);
    if (code || !root)
        return code;
    const struct node *pools = list_of(root, "result");
    if (!pools)
        return error_set(err, ERR_PEER, "Cloudflare answered without a list of pools");
    for (size_t i = 0; i < pools->count; i++)
        read_pool(&place, pools->items[i]);
    if (place.data->pools)
        cloud_reading_point(reading, place.data->pools, place.at_ns, (double)pools->count);
    ret_outcome->verdict = CLOUD_DONE;
    return 0;
}
