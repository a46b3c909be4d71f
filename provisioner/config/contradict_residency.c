/* Data that must stay in a zone, against every wish that carries a copy out of it: the place of the region,
 * replication, copies of backups, monitoring, the cache. */
#include "lib/core/str.h"
#include "provisioner/config/checks.h"
#include "provisioner/config/zone.h"

struct residency {
    const struct deployment *deployment;
    struct findings *findings;
    const struct region *region;
    const char *zone;
    const struct node *node; /* the line that keeps the data */
};

static bool leaves(const struct residency *residency, const struct location *location)
{
    return location && !zone_contains(residency->zone, location);
}

static unsigned line_of(const struct residency *residency, const char *path)
{
    return deployment_node(residency->deployment, path)->line;
}

static void contradict_place(const struct residency *residency)
{
    const struct region *region = residency->region;
    if (!leaves(residency, region->location))
        return;
    struct finding *finding = findings_contradict(
        residency->findings, "residency-location", residency->node,
        "compliance.data-residency.%s is %s, and the region itself is in %s (%s, %s; line %u)", region->name,
        residency->zone, region->location_name, region->location->city, region->location->country,
        line_of(residency, check_path(residency->deployment, "regions.%s.location", region->name)));
    finding_hint(residency->findings, finding, "Move the region, or lift or change its residency.");
}

static bool is_filtered(const struct residency *residency)
{
    const struct section_list *filters = &residency->deployment->replication.filters;
    for (size_t i = 0; i < filters->count; i++) {
        if (strcmp(SECTION_AT(const struct replication_filter, *filters, i)->region,
                   residency->region->name) == 0)
            return true;
    }
    return false;
}

/* With streaming only the primary's rows travel. */
static bool sends_rows(const struct residency *residency)
{
    const struct deployment_replication *replication = &residency->deployment->replication;
    return deployment_replicates(residency->deployment, residency->region) &&
           (replication->mode == REPLICATION_ACTIVE_ACTIVE ||
            (replication->primary && strcmp(replication->primary, residency->region->name) == 0));
}

static void contradict_replication(const struct residency *residency)
{
    const struct deployment *deployment = residency->deployment;
    const char *name = residency->region->name;
    if (!sends_rows(residency) || is_filtered(residency))
        return;
    struct buf outside = BUF_INIT(4096);
    size_t count = 0;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *other = deployment_region(deployment, i);
        if (other != residency->region && deployment_replicates(deployment, other) &&
            leaves(residency, other->location))
            buf_printf(&outside, "%s%s (%s, %s)", count++ ? ", " : "", other->name, other->location->city,
                       other->location->country);
    }
    if (count) {
        bool active = deployment->replication.mode == REPLICATION_ACTIVE_ACTIVE;
        struct finding *finding = findings_contradict(
            residency->findings, "residency-replication", residency->node,
            "compliance.data-residency.%s is %s (line %u), and replication.mode is %s (line %u), which "
            "copies every "
            "row of %s to %s",
            name, residency->zone, residency->node->line, active ? "active-active" : "streaming",
            line_of(residency, "replication.mode"), name, buf_text(&outside));
        finding_hint(
            residency->findings, finding,
            "Three ways out: say in replication.filters by table or row what may leave %s; leave %s out of "
            "replication.regions; or lift compliance.data-residency.%s.",
            name, name, name);
    }
    buf_deinit(&outside);
}

static void contradict_backup(const struct residency *residency)
{
    const struct deployment_backup *backup = &residency->deployment->backup;
    const struct location *home = residency->region->location;
    if (!backup->enabled || !backup->geo_redundant || !home)
        return;
    const char *copy =
        backup->copy_location && catalog_location(residency->region->provider_name, backup->copy_location)
            ? backup->copy_location
            : home->backup_pair;
    const struct location *place = copy ? catalog_location(residency->region->provider_name, copy) : NULL;
    if (!leaves(residency, place))
        return;
    struct finding *finding = findings_contradict(
        residency->findings, "residency-backup", residency->node,
        "compliance.data-residency.%s is %s (line %u), and backup.geo-redundant (line %u) puts copies into "
        "%s (%s, "
        "%s)",
        residency->region->name, residency->zone, residency->node->line,
        line_of(residency, "backup.geo-redundant"), place->name, place->city, place->country);
    finding_hint(residency->findings, finding,
                 "Name a backup.copy-location inside, or take geo-redundant off.");
}

static void contradict_monitoring(const struct residency *residency)
{
    const struct deployment *deployment = residency->deployment;
    const struct region *sink = deployment_find_region(deployment, deployment->monitoring.location);
    if (!deployment->monitoring.enabled || !sink || !leaves(residency, sink->location))
        return;
    struct finding *finding = findings_contradict(
        residency->findings, "residency-monitoring", residency->node,
        "compliance.data-residency.%s is %s (line %u), and monitoring.location (line %u) keeps its logs and "
        "traces "
        "in %s (%s, %s)",
        residency->region->name, residency->zone, residency->node->line,
        line_of(residency, "monitoring.location"), sink->name, sink->location->city, sink->location->country);
    finding_hint(residency->findings, finding,
                 "Leave monitoring.location out: each region then keeps its own.");
}

static void contradict_cache(const struct residency *residency)
{
    if (!residency->deployment->traffic.cdn)
        return;
    struct finding *finding = findings_contradict(residency->findings, "residency-cdn", residency->node,
                                                  "compliance.data-residency.%s is %s (line %u), and "
                                                  "traffic.cdn (line %u) caches answers all over the world",
                                                  residency->region->name, residency->zone,
                                                  residency->node->line, line_of(residency, "traffic.cdn"));
    finding_hint(residency->findings, finding, "Take traffic.cdn off, or lift the residency.");
}

void contradict_residency(const struct deployment *deployment, struct findings *findings)
{
    const struct string_map *map = &deployment->compliance.data_residency;
    for (size_t i = 0; i < map->count; i++) {
        struct residency residency = {
            .deployment = deployment,
            .findings = findings,
            .region = deployment_find_region(deployment, map->items[i].key),
            .zone = map->items[i].value,
            .node = deployment_node(
                deployment, check_path(deployment, "compliance.data-residency.%s", map->items[i].key))};
        if (!residency.region)
            continue;
        contradict_place(&residency);
        contradict_replication(&residency);
        contradict_backup(&residency);
        contradict_monitoring(&residency);
        contradict_cache(&residency);
    }
}
