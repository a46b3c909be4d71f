/* What leaves a region, and the names that lead to it. */
#include "provisioner/cost/internal.h"

#include <stdio.h>

#define SECONDS_PER_MONTH ((double)HOURS_PER_MONTH * 3600)
#define BYTES_PER_GIB     1073741824.0
#define MAX_AREAS         8
#define FAST_INTERVAL_NS  (INT64_C(10) * 1000 * 1000 * 1000)

/* Tiers by which internet traffic gets cheaper, as GB from which they hold; a cloud has some of them. */
static const unsigned tier_starts[] = {0, 1024, 10240, 51200, 153600};

static const struct price *tier_price(const struct builder *builder, unsigned start)
{
    char item[64];
    (void)snprintf(item, sizeof item, "egress-internet:%u", start);
    return cost_price(builder, item);
}

/* Where the tier that follows tier i starts; 0: there is none. */
static double next_start(const struct builder *builder, size_t i)
{
    while (++i < ARRAY_LEN(tier_starts)) {
        if (tier_price(builder, tier_starts[i]))
            return (double)tier_starts[i];
    }
    return 0;
}

/* The part of `gb` that lies in each tier when `before` GB of the month have gone out already. */
static void add_internet(struct builder *builder, const char *label, double before, double gb,
                         const char *what)
{
    for (size_t i = 0; i < ARRAY_LEN(tier_starts) && gb > 0; i++) {
        const struct price *price = tier_price(builder, tier_starts[i]);
        double end = next_start(builder, i);
        if ((i > 0 && !price) || (end > 0 && before >= end))
            continue;
        double part = end > 0 && before + gb > end ? end - before : gb;
        if (tier_starts[i])
            cost_add(builder, "traffic", label, part, "GB", price, "%s, from %u GB a month on", what,
                     tier_starts[i]);
        else
            cost_add(builder, "traffic", label, part, "GB", price, "%s", what);
        before += part;
        gb -= part;
    }
}

static bool writes(const struct deployment *deployment, const struct region *region)
{
    const struct deployment_replication *replication = &deployment->replication;
    if (replication->mode == REPLICATION_NONE || !deployment_replicates(deployment, region))
        return false;
    if (replication->mode == REPLICATION_ACTIVE_ACTIVE)
        return true;
    return replication->primary ? strcmp(replication->primary, region->name) == 0 : region->index == 0;
}

/* Regions of the same cloud elsewhere, by area. */
struct peers {
    size_t areas, other_clouds;
    struct {
        const char *area;
        size_t count;
    } same_cloud[MAX_AREAS];
};

static void count_same_cloud(struct peers *peers, const char *area)
{
    size_t i = 0;
    while (i < peers->areas && strcmp(peers->same_cloud[i].area, area) != 0)
        i++;
    if (i == peers->areas && peers->areas < MAX_AREAS)
        peers->same_cloud[peers->areas++].area = area;
    if (i < peers->areas)
        peers->same_cloud[i].count++;
}

static struct peers find_peers(const struct builder *builder)
{
    struct peers peers = {0};
    const struct region *own = builder->region;
    for (size_t i = 0; i < deployment_region_count(builder->deployment); i++) {
        const struct region *region = deployment_region(builder->deployment, i);
        if (strcmp(region->name, own->name) == 0 || !deployment_replicates(builder->deployment, region))
            continue;
        if (strcmp(region->provider_name, own->provider_name) != 0)
            peers.other_clouds++;
        else if (strcmp(region->location_name, own->location_name) != 0)
            count_same_cloud(&peers, region->location ? region->location->area : "elsewhere");
    }
    return peers;
}

static void add_replication(struct builder *builder, double before)
{
    struct peers peers = find_peers(builder);
    double gb = (double)builder->usage->write_bytes_per_s * SECONDS_PER_MONTH / BYTES_PER_GIB;
    for (size_t i = 0; i < peers.areas; i++) {
        char item[64];
        (void)snprintf(item, sizeof item, "egress-region:%s", peers.same_cloud[i].area);
        const struct price *price = cost_price(builder, item);
        price = price ? price : cost_price(builder, "egress-region");
        cost_add(builder, "traffic", "replication", gb * (double)peers.same_cloud[i].count, "GB", price,
                 "Replication to %zu region%s of the same cloud, %s", peers.same_cloud[i].count,
                 PLURAL(peers.same_cloud[i].count), peers.same_cloud[i].area);
    }
    if (peers.other_clouds == 0)
        return;
    char what[96];
    (void)snprintf(what, sizeof what, "Replication to %zu region%s of other clouds", peers.other_clouds,
                   PLURAL(peers.other_clouds));
    add_internet(builder, "replication", before, gb * (double)peers.other_clouds, what);
}

void cost_add_traffic(struct builder *builder)
{
    double gb = (double)builder->usage->internet_egress_bytes / COST_BYTES_PER_GB;
    add_internet(builder, "internet", 0, gb, "Traffic to the internet");
    if (writes(builder->deployment, builder->region))
        add_replication(builder, gb);
}

/* Checks ask by HTTPS and measure latency, and every ten seconds they are "fast": three
 * options with a price each. An endpoint outside AWS costs more. */
static void add_health_checks(struct builder *builder)
{
    size_t regions = deployment_region_count(builder->deployment), own = 0;
    for (size_t i = 0; i < regions; i++)
        own += strcmp(deployment_region(builder->deployment, i)->provider_name, "aws") == 0;
    int64_t interval_ns = builder->deployment->traffic.health_interval_ns;
    double options = interval_ns > 0 && interval_ns <= FAST_INTERVAL_NS ? 3 : 2;
    if (own) {
        cost_add(builder, "dns", "health checks", (double)own, "month",
                 catalog_price("aws", "*", "dns-health-check"), "Health checks of AWS endpoints");
        cost_add(builder, "dns", "health checks", options * (double)own, "month",
                 catalog_price("aws", "*", "dns-health-option"), "Options of checks of AWS endpoints");
    }
    if (own == regions)
        return;
    cost_add(builder, "dns", "health checks", (double)(regions - own), "month",
             catalog_price("aws", "*", "dns-health-check-other"), "Health checks of other endpoints");
    cost_add(builder, "dns", "health checks", options * (double)(regions - own), "month",
             catalog_price("aws", "*", "dns-health-option-other"), "Options of checks of other endpoints");
}

static void add_route53(struct builder *builder)
{
    int routing = builder->deployment->traffic.routing;
    double queries = 0;
    for (size_t i = 0; i < deployment_region_count(builder->deployment); i++)
        queries += (double)cost_usage_of(builder->usage, deployment_region(builder->deployment, i)->name)
                       ->dns_queries;
    const char *item = routing == ROUTE_LATENCY      ? "dns-queries-latency"
                       : routing == ROUTE_GEOGRAPHIC ? "dns-queries-geo"
                                                     : "dns-queries";
    cost_add(builder, "dns", "zone", 1, "month", catalog_price("aws", "*", "dns-zone"), "Route 53 zone");
    add_health_checks(builder);
    cost_add(builder, "dns", "queries", queries / 1e6, "million", catalog_price("aws", "*", item),
             "Route 53 queries");
}

void cost_add_global(struct builder *builder)
{
    const struct deployment_traffic *traffic = &builder->deployment->traffic;
    if (!traffic->domain)
        return;
    if (traffic->dns == DNS_ROUTE53)
        add_route53(builder);
    if (traffic->dns == DNS_CLOUDFLARE || traffic->cdn)
        cost_add(builder, "dns", "Cloudflare", 1, "month", NULL, "Cloudflare load balancing%s",
                 traffic->cdn ? " and cache" : "");
}
