/* Regions: names, places, counts, databases. */
#include "lib/core/str.h"
#include "lib/core/units.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/config/checks.h"
#include "provisioner/database.h"
#include "provisioner/provider.h"

static void check_location(const struct deployment *deployment, const struct region *region, const char *path,
                           struct findings *findings)
{
    const struct location *const *list;
    size_t count = catalog_locations(region->provider->name, &list);
    if (region->location || !region->location_name)
        return;
    const char **names = arena_alloc(deployment->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = list[i]->name;
    for (const struct provider *const *other = provider_all(); *other; other++) {
        if (*other == region->provider || !catalog_location((*other)->name, region->location_name))
            continue;
        struct finding *finding =
            check_fail(deployment, findings, "location", path, "%s has no location \"%.60s\"; %s has",
                       region->provider->title, region->location_name, (*other)->title);
        finding_hint(findings, finding, "Change provider to %s or name a location of %s.", (*other)->name,
                     region->provider->title);
        return;
    }
    (void)check_fail(deployment, findings, "location", path, "%s has no location \"%.60s\"%s",
                     region->provider->title, region->location_name,
                     check_nearest(deployment, region->location_name, names, count));
}

static void check_counts(const struct deployment *deployment, const struct region *region,
                         struct findings *findings)
{
    const struct region_database *database = &region->database;
    char least[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];
    if (region->instances && region->max_instances < region->instances)
        (void)check_fail(deployment, findings, "instances",
                         check_path(deployment, "regions.%s.max-instances", region->name),
                         "%lld is less than the %lld of instances", (long long)region->max_instances,
                         (long long)region->instances);
    if (database->storage_bytes && database->max_storage_bytes < database->storage_bytes)
        (void)check_fail(deployment, findings, "storage",
                         check_path(deployment, "regions.%s.database.max-storage", region->name),
                         "%s is less than the %s of storage",
                         units_format_size(database->max_storage_bytes, most),
                         units_format_size(database->storage_bytes, least));
}

static void check_engine(const struct deployment *deployment, const struct region *region,
                         struct findings *findings)
{
    const struct region_database *database = &region->database;
    const struct database *engine = database->engine ? database_find(database->engine) : NULL;
    if (!engine)
        return;
    if (engine->refusal) {
        (void)check_fail(deployment, findings, "engine",
                         check_path(deployment, "regions.%s.database.engine", region->name), "%s",
                         engine->refusal);
        return;
    }
    if (database->version < engine->min_version || database->version > engine->max_version)
        (void)check_fail(deployment, findings, "database-version",
                         check_path(deployment, "regions.%s.database.version", region->name),
                         "%s %lld cannot be deployed: want %lld to %lld", engine->title,
                         (long long)database->version, (long long)engine->min_version,
                         (long long)engine->max_version);
    if (engine->validate)
        engine->validate(deployment, region, findings);
}

static void check_key(const struct deployment *deployment, const struct region *region,
                      struct findings *findings)
{
    const char *key = region->database.encryption_key, *account = region->account;
    if (key && !check_is_plain(key, ":/._-"))
        (void)check_fail(deployment, findings, "encryption-key",
                         check_path(deployment, "regions.%s.database.encryption-key", region->name),
                         "want an ARN, a resource name or an id, found \"%.100s\"", key);
    if (account && !check_is_plain(account, ":/._-+=,@"))
        (void)check_fail(deployment, findings, "account",
                         check_path(deployment, "regions.%s.account", region->name),
                         "want a role's ARN, a project or a subscription, found \"%.100s\"", account);
    if (key && !region->database.encrypted)
        (void)check_fail(deployment, findings, "encryption-key",
                         check_path(deployment, "regions.%s.database.encryption-key", region->name),
                         "a key is given, and encrypted is false");
}

/* Keys of own hosts mean nothing on a cloud. */
static void check_cloud_only(const struct deployment *deployment, const struct region *region,
                             struct findings *findings)
{
    const char *key = region->hosts.count     ? "hosts"
                      : region->address       ? "address"
                      : region->port_base     ? "port-base"
                      : region->without.count ? "without"
                                              : NULL;
    if (key)
        (void)check_fail(deployment, findings, "hosts",
                         check_path(deployment, "regions.%s.%s", region->name, key),
                         "is for provider: self-hosted, and this is %s", region->provider->title);
}

static uint64_t place_of(unsigned line, unsigned column)
{
    return (uint64_t)line << 32 | column;
}

/* The place of the key after the one named, else `end`. */
static uint64_t end_of(const struct node *mapping, const char *name, uint64_t end)
{
    const struct node_pair *pair = node_find(mapping, name);
    bool last = !pair || pair == &mapping->pairs[mapping->count - 1];
    return last ? end : place_of(pair[1].line, pair[1].column);
}

/* True when nothing is wrong between this region's name and the next: a cloud judges the values of such a
 * one. */
static bool is_sound(const struct deployment *deployment, const struct region *region,
                     const struct findings *findings)
{
    const struct node *regions = deployment_node(deployment, "regions");
    const struct node_pair *pair = node_find(regions, region->name);
    if (!pair)
        return findings->errors == 0;
    uint64_t start = place_of(pair->line, pair->column);
    uint64_t end = end_of(regions, region->name, end_of(regions->parent, "regions", UINT64_MAX));
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        uint64_t place = place_of(finding->line, finding->column);
        if (finding->severity == DIAG_ERROR && place >= start && place < end)
            return false;
    }
    return true;
}

static void check_region(const struct deployment *deployment, const struct region *region,
                         struct findings *findings)
{
    const char *path = check_path(deployment, "regions.%s", region->name);
    if (!check_is_name(region->name, 20) || strcmp(region->name, "global") == 0) {
        struct finding *finding =
            check_fail(deployment, findings, "region-name", path, "this name cannot be used for a region");
        check_at_name(deployment, "regions", region->name, finding);
        finding_hint(findings, finding,
                     "Use at most 20 lower case letters, digits and dashes, a letter first "
                     "and no dash last; \"global\" is taken.");
    }
    check_counts(deployment, region, findings);
    check_engine(deployment, region, findings);
    check_key(deployment, region, findings);
    check_labels(deployment, &region->labels, check_path(deployment, "%s.labels", path), findings);
    if (!region->provider)
        return;
    if (region->provider->refusal) {
        (void)check_fail(deployment, findings, "provider", check_path(deployment, "%s.provider", path), "%s",
                         region->provider->refusal);
        return;
    }
    if (region->provider->own_hosts) {
        region->provider->validate_region(deployment, region, findings);
        return;
    }
    check_cloud_only(deployment, region, findings);
    check_location(deployment, region, check_path(deployment, "%s.location", path), findings);
    check_types(deployment, region, findings);
    if (region->provider->validate_region && region->location && region->instance_type &&
        region->database.class && is_sound(deployment, region, findings))
        region->provider->validate_region(deployment, region, findings);
}

/* No two at one place, and none beyond the last. */
static void check_place(const struct deployment *deployment, size_t at, struct findings *findings)
{
    const struct region *region = deployment_region(deployment, at);
    const char *path = check_path(deployment, "regions.%s.place", region->name);
    if (region->index >= REGIONS_MAX && deployment_region_count(deployment) <= REGIONS_MAX)
        (void)check_fail(deployment, findings, "place", path, "there is no place %zu: the last is %d",
                         region->index + 1, REGIONS_MAX);
    for (size_t i = 0; i < at; i++) {
        const struct region *other = deployment_region(deployment, i);
        if (other->index != region->index)
            continue;
        struct finding *finding =
            check_fail(deployment, findings, "place", path, "has place %zu, as region %s has (line %u)",
                       region->index + 1, other->name, other->position.line);
        finding_hint(findings, finding,
                     "Whichever of the two stands already keeps its place; the other takes a number that no "
                     "region has.");
        return;
    }
}

void check_regions(const struct deployment *deployment, struct findings *findings)
{
    if (deployment_region_count(deployment) > REGIONS_MAX)
        (void)check_fail(deployment, findings, "regions", "regions",
                         "%zu regions are more than the %d that fit", deployment_region_count(deployment),
                         REGIONS_MAX);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        check_region(deployment, deployment_region(deployment, i), findings);
        check_place(deployment, i, findings);
    }
}
