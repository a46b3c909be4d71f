/* What the file left out: providers, places, exact types, ranges. */
#include "lib/core/clock.h"
#include "lib/core/str.h"
#include "lib/core/units.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/config/cidr.h"
#include "provisioner/config/internal.h"
#include "provisioner/database.h"
#include "provisioner/provider.h"

/* --- types
 * ----------------------------------------------------------------------------------------------------- */

static const char *sized(const struct deployment *deployment, const struct region *region, bool database,
                         struct findings *findings)
{
    int size = region->size == SIZE_UNSET ? SIZE_MEDIUM : region->size;
    const char *name = catalog_sized(region->provider->name, (enum region_size)size, database);
    if (name)
        return name;
    struct finding *finding =
        findings_add(findings, DIAG_ERROR, "size", region_node(deployment, region, "size"),
                     "regions.%s: the catalog has no %s of this size for %s", region->name,
                     database ? "database class" : "instance type", region->provider->title);
    finding_hint(findings, finding, "Name an exact one.");
    return "";
}

static void resolve_types(const struct deployment *deployment, struct region *region,
                          struct findings *findings)
{
    struct region_database *database = &region->database;
    if (!region->instance_type)
        region->instance_type = sized(deployment, region, false, findings);
    if (!database->type)
        database->type = region->provider->database_product;
    database->class = database->size   ? database->size
                      : database->tier ? database->tier
                      : database->sku  ? database->sku
                                       : sized(deployment, region, true, findings);
}

static void resolve_region(struct deployment *deployment, struct region *region, struct findings *findings)
{
    struct region_database *database = &region->database;
    const struct database *engine = database->engine ? database_find(database->engine) : NULL;
    /* Only a default is raised: what was written and is too small is an error of check_regions(). */
    const struct node *written = region_node(deployment, region, "database.max-storage");
    bool given = written && written->key && strcmp(written->key, "max-storage") == 0;
    if (!given && database->max_storage_bytes < database->storage_bytes)
        database->max_storage_bytes = database->storage_bytes;
    if (!region->max_instances)
        region->max_instances = 2 * region->instances;
    region->provider = region->provider_name ? provider_find(region->provider_name) : NULL;
    if (engine && !database->version)
        database->version = region->provider && region->provider->database_version
                                ? region->provider->database_version
                                : engine->default_version;
    region->host = region->hosts.count ? region->hosts.items[0] : NULL;
    if (!region->provider || region->provider->refusal)
        return;
    if (region->provider->own_hosts) {
        region->instance_type = region->instance_type ? region->instance_type : "";
        database->class = "";
        database->type = database->type ? database->type : region->provider->database_product;
        return;
    }
    if (region->location_name)
        region->location = catalog_location(region->provider->name, region->location_name);
    resolve_types(deployment, region, findings);
}

/* --- ranges
 * ---------------------------------------------------------------------------------------------------- */

static bool overlaps_written(const struct deployment *deployment, struct cidr block)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = region_at(deployment, i);
        struct cidr range;
        if (!region->network.allotted && region->network.cidr &&
            !cidr_parse(region->network.cidr, &range, NULL) && cidr_overlaps(range, block))
            return true;
    }
    return false;
}

static struct region *at_place(const struct deployment *deployment, size_t place)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        if (region_at(deployment, i)->index == place)
            return region_at(deployment, i);
    }
    return NULL;
}

/* Blocks of `bits` that are free for the regions without a range, by place. A place that no region has keeps
 * its block: taking a region out moves no other. False: too few. */
static bool allot(const struct deployment *deployment, struct cidr all, unsigned bits)
{
    uint64_t blocks = UINT64_C(1) << (bits - all.bits), at = 0;
    for (size_t place = 0; place < deployment_places(deployment); place++) {
        struct region *region = at_place(deployment, place);
        if (region && !region->network.allotted)
            continue;
        struct cidr block = {0};
        for (; at < blocks; at++) {
            block = (struct cidr){all.address + (uint32_t)(at << (32 - bits)), bits};
            if (!overlaps_written(deployment, block))
                break;
        }
        if (at++ >= blocks)
            return false;
        char text[CIDR_TEXT_MAX];
        if (region)
            region->network.cidr = arena_strdup(deployment->arena, str_from(cidr_format(block, text)));
    }
    return true;
}

#define WIDEST_BITS    16
#define NARROWEST_BITS 20

/* The shortest that every plan of Cloudflare with load balancing takes. */
#define CLOUDFLARE_INTERVAL_NS (60 * NS_PER_S)

static void allot_ranges(struct deployment *deployment, struct findings *findings)
{
    struct cidr all;
    size_t wanting = 0;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        struct region *region = region_at(deployment, i);
        region->network.allotted = !region->network.cidr;
        wanting += region->network.allotted ? 1 : 0;
    }
    if (!wanting || !deployment->network.cidr || cidr_parse(deployment->network.cidr, &all, NULL))
        return;
    for (unsigned bits = all.bits > WIDEST_BITS ? all.bits : WIDEST_BITS; bits <= NARROWEST_BITS; bits++) {
        if (allot(deployment, all, bits))
            return;
    }
    struct finding *finding =
        findings_add(findings, DIAG_ERROR, "network-size", deployment_node(deployment, "network.cidr"),
                     "network.cidr: %s has no room for a /%d for each of %zu regions",
                     deployment->network.cidr, NARROWEST_BITS, wanting);
    finding_hint(findings, finding, "Take a wider range, such as 10.0.0.0/8.");
}

static size_t place_of(struct deployment *deployment, size_t i)
{
    const struct region *region = region_at(deployment, i);
    if (region->place)
        return (size_t)region->place - 1;
    return i ? region_at(deployment, i - 1)->index + 1 : 0;
}

void resolve_deployment(struct deployment *deployment, struct findings *findings)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        region_at(deployment, i)->index = place_of(deployment, i);
        resolve_region(deployment, region_at(deployment, i), findings);
    }
    allot_ranges(deployment, findings);
    struct deployment_replication *replication = &deployment->replication;
    if (replication->mode == REPLICATION_STREAMING && !replication->primary)
        replication->primary = replication->regions.count            ? replication->regions.items[0]
                               : deployment_region_count(deployment) ? region_at(deployment, 0)->name
                                                                     : NULL;
    struct deployment_traffic *traffic = &deployment->traffic;
    const struct node *dns = deployment_node(deployment, "traffic.dns");
    if (traffic->domain && !(dns && dns->key && strcmp(dns->key, "dns") == 0))
        traffic->dns = traffic->cloudflare_zone || traffic->cloudflare_account ? DNS_CLOUDFLARE : DNS_ROUTE53;
    const struct node *interval = deployment_node(deployment, "traffic.health-interval");
    if (traffic->dns == DNS_CLOUDFLARE &&
        !(interval && interval->key && strcmp(interval->key, "health-interval") == 0))
        traffic->health_interval_ns = CLOUDFLARE_INTERVAL_NS;
    uint64_t scaled;
    if (deployment->monitoring.availability &&
        !units_parse_decimal(str_from(deployment->monitoring.availability), 7, &scaled, NULL))
        deployment->monitoring.availability_percent = (double)scaled / 1e7;
}
