#include "provisioner/prices/scope.h"

#include "provisioner/cost/cost.h"

static void add_type(struct prices_scope *scope, const char *name, bool database)
{
    const struct instance_type *type = name ? catalog_instance(scope->provider, name, database) : NULL;
    /* Types are the catalog's and live as long as the process; those made for a custom class do not. */
    if (type && !map_get(&scope->types, str_from(type->name)) && strncmp(type->name, "db-custom-", 10) != 0)
        (void)map_put(&scope->types, str_from(type->name), (void *)(uintptr_t)type);
}

static void add_location(struct prices_scope *scope, const char *name)
{
    if (!prices_scope_has_location(scope, str_from(name)))
        scope->locations.items[scope->locations.count++] = name;
}

/* Route 53 alone: Cloudflare has no list. */
static bool sells_names(const char *provider)
{
    return strcmp(provider, "aws") == 0;
}

void prices_scope_all(struct prices_scope *scope, const char *provider, struct arena *arena)
{
    *scope = (struct prices_scope){.provider = provider, .whole = true, .dns = sells_names(provider)};
    map_init(&scope->types);
    const struct location *const *locations;
    size_t count = catalog_locations(provider, &locations);
    scope->locations.items = arena_alloc(arena, (count + 1) * sizeof *scope->locations.items);
    for (size_t i = 0; i < count; i++)
        add_location(scope, locations[i]->name);
    scope->peers = scope->locations;
    for (int database = 0; database < 2; database++) {
        const struct instance_type *const *types;
        size_t types_count = catalog_instances(provider, database, &types);
        for (size_t i = 0; i < types_count; i++)
            add_type(scope, types[i]->name, database);
    }
}

static bool is_named(const struct string_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0)
            return true;
    }
    return names->count == 0;
}

void prices_scope_of(struct prices_scope *scope, const char *provider, const struct deployment *deployment,
                     const struct string_list *names, struct arena *arena)
{
    size_t count = deployment_region_count(deployment);
    *scope =
        (struct prices_scope){.provider = provider,
                              .dns = sells_names(provider) && !names->count && deployment->traffic.domain &&
                                     deployment->traffic.dns == DNS_ROUTE53};
    map_init(&scope->types);
    scope->locations.items = arena_alloc(arena, (count + 1) * sizeof *scope->locations.items);
    scope->peers.items = arena_alloc(arena, (count + 1) * sizeof *scope->peers.items);
    for (size_t i = 0; i < count; i++) {
        const struct region *region = deployment_region(deployment, i);
        if (strcmp(region->provider_name, provider) != 0)
            continue;
        scope->peers.items[scope->peers.count++] = region->location_name;
        if (!is_named(names, region->name))
            continue;
        add_location(scope, region->location_name);
        add_type(scope, region->instance_type, false);
        add_type(scope, region->database.class, true);
    }
    add_type(scope, cost_gateway_type(provider), false);
    for (enum region_size size = SIZE_SMALL; size <= SIZE_LARGE; size++) {
        add_type(scope, catalog_sized(provider, size, false), false);
        add_type(scope, catalog_sized(provider, size, true), true);
    }
}

void prices_scope_deinit(struct prices_scope *scope)
{
    map_deinit(&scope->types);
}

bool prices_scope_is_empty(const struct prices_scope *scope)
{
    return scope->locations.count == 0 && !scope->dns;
}

bool prices_scope_has_location(const struct prices_scope *scope, struct str name)
{
    for (size_t i = 0; i < scope->locations.count; i++) {
        if (str_equal_text(name, scope->locations.items[i]))
            return true;
    }
    return false;
}

const struct instance_type *prices_scope_type(const struct prices_scope *scope, struct str name)
{
    return map_get(&scope->types, name);
}
