#include "provisioner/prices/left.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_ITEM 128

/* What every estimate of a cloud asks for in each of its locations (cost/region.c, cost/traffic.c). */
static const struct {
    const char *provider, *items[16]; /* ended by NULL */
} wanted[] = {
    {"aws",
     {"db-storage", "db-backup", "disk", "lb", "lb-lcu", "nat", "nat-data", "ipv4", "egress-internet:0",
      "logs", "metrics-api", "secret", "key"}},
    {"gcp",
     {"db-storage", "db-backup", "disk", "lb", "lb-data", "nat", "nat-data", "ipv4", "egress-internet:0",
      "logs", "metrics-api", "secret"}},
    {"azure",
     {"db-storage", "db-backup", "disk", "lb", "lb-lcu", "nat", "nat-data", "ipv4", "egress-internet:0",
      "private-zone", "logs", "metrics-api", "secret-requests"}},
};

/* What names cost, wherever the regions are. */
static const char *const names[] = {"dns-zone",
                                    "dns-queries",
                                    "dns-queries-latency",
                                    "dns-queries-geo",
                                    "dns-health-check",
                                    "dns-health-check-other",
                                    "dns-health-option",
                                    "dns-health-option-other"};

struct search {
    const struct prices_scope *scope;
    const struct found *found;
    struct arena *arena;
    struct map seen; /* "location\nitem" of those that are left */
    struct prices_left_item *items;
    size_t count, capacity;
    enum price_layer layer; /* that is looked through */
};

static bool has(const struct search *search, const char *location, const char *item)
{
    return found_has(search->found, (struct found_key){location, item});
}

static bool found_anywhere(const struct search *search, const char *location, const char *item)
{
    return has(search, location, item) || has(search, "*", item);
}

/* A Google machine from its series, and one of Cloud SQL's own classes from its parts. */
static bool follows(const struct search *search, const char *location, const char *item)
{
    char cpu[MAX_ITEM], ram[MAX_ITEM];
    if (strcmp(search->scope->provider, "gcp") != 0)
        return false;
    if (strncmp(item, "db:db-custom-", 13) == 0)
        return has(search, location, "db-vcpu") && has(search, location, "db-ram");
    if (strncmp(item, "vm:", 3) != 0)
        return false;
    int series = (int)strcspn(item + 3, "-");
    (void)snprintf(cpu, sizeof cpu, "vm-vcpu:%.*s", series, item + 3);
    (void)snprintf(ram, sizeof ram, "vm-ram:%.*s", series, item + 3);
    return has(search, location, cpu) && has(search, location, ram);
}

static struct prices_left_item *entry_of(struct search *search, const char *item, bool kept)
{
    for (size_t i = 0; i < search->count; i++) {
        if (search->items[i].kept == kept && strcmp(search->items[i].item, item) == 0)
            return &search->items[i];
    }
    if (search->count == search->capacity) {
        search->capacity = search->capacity ? 2 * search->capacity : 32;
        search->items = xrealloc(search->items, search->capacity * sizeof *search->items);
    }
    struct prices_left_item *entry = &search->items[search->count++];
    size_t most = search->scope->locations.count + 1;
    *entry = (struct prices_left_item){arena_strdup(search->arena, str_from(item)),
                                       kept,
                                       {0, arena_alloc(search->arena, most * sizeof(const char *))}};
    return entry;
}

/* The first word on an item in a place is the last. */
static void leave(struct search *search, const char *location, const char *item, bool kept)
{
    struct str key = str_from(arena_printf(search->arena, "%s\n%s", location, item));
    if (map_get(&search->seen, key))
        return;
    (void)map_put(&search->seen, key, search);
    struct prices_left_item *entry = entry_of(search, item, kept);
    entry->locations.items[entry->locations.count++] = arena_strdup(search->arena, str_from(location));
}

/* "vm:m5.large" of a type that nobody asked for. */
static bool is_foreign(const struct prices_scope *scope, const char *item)
{
    static const char *const prefixes[] = {"vm:", "db:", "db-ha:"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncmp(item, prefixes[i], length) == 0)
            return !prices_scope_type(scope, str_from(item + length));
    }
    return false;
}

static void look_at_old(void *ctx, const char *location, const char *item)
{
    struct search *search = ctx;
    const struct prices_scope *scope = search->scope;
    bool everywhere = strcmp(location, "*") == 0;
    if (is_foreign(scope, item) || (!everywhere && !prices_scope_has_location(scope, str_from(location))))
        return;
    if (!everywhere) {
        /* A line of the cache hides what costs the same everywhere from now on; one of the program does not.
         */
        bool renewed = search->layer == PRICES_CACHED ? has(search, location, item)
                                                      : found_anywhere(search, location, item);
        if (!renewed && !follows(search, location, item))
            leave(search, location, item, true);
        return;
    }
    bool name = strncmp(item, "dns-", 4) == 0;
    if (name && scope->dns && !has(search, "*", item))
        leave(search, "*", item, true);
    for (size_t i = 0; !name && i < scope->locations.count; i++) {
        if (!found_anywhere(search, scope->locations.items[i], item))
            leave(search, scope->locations.items[i], item, true);
    }
}

static void want(struct search *search, const char *location, const char *item)
{
    if (!found_anywhere(search, location, item) && !follows(search, location, item))
        leave(search, location, item, catalog_price(search->scope->provider, location, item) != NULL);
}

static void want_types(struct search *search, const char *location)
{
    char item[MAX_ITEM];
    MAP_EACH (entry, &search->scope->types) {
        const struct instance_type *type = entry->value;
        (void)snprintf(item, sizeof item, "%s%s", type->database ? "db:" : "vm:", type->name);
        want(search, location, item);
    }
}

static void want_traffic(struct search *search, const char *location)
{
    char item[MAX_ITEM];
    const struct prices_scope *scope = search->scope;
    for (size_t i = 0; i < scope->peers.count; i++) {
        const struct location *peer = catalog_location(scope->provider, scope->peers.items[i]);
        if (!peer || strcmp(peer->name, location) == 0)
            continue;
        (void)snprintf(item, sizeof item, "egress-region:%s", peer->area);
        if (!found_anywhere(search, location, item) && !has(search, location, "egress-region"))
            want(search, location, item);
    }
}

static void want_all(struct search *search)
{
    const struct prices_scope *scope = search->scope;
    for (size_t i = 0; i < scope->locations.count; i++) {
        const char *location = scope->locations.items[i];
        for (size_t j = 0; j < ARRAY_LEN(wanted); j++) {
            for (size_t k = 0; strcmp(wanted[j].provider, scope->provider) == 0 && wanted[j].items[k]; k++)
                want(search, location, wanted[j].items[k]);
        }
        want_traffic(search, location);
        /* Of all that the catalog knows, not everything is sold everywhere. */
        if (!scope->whole)
            want_types(search, location);
    }
    for (size_t i = 0; scope->dns && i < ARRAY_LEN(names); i++)
        want(search, "*", names[i]);
}

static int by_kept_and_item(const void *a, const void *b)
{
    const struct prices_left_item *left = a, *right = b;
    return left->kept != right->kept ? right->kept - left->kept : strcmp(left->item, right->item);
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

void prices_left_find(const struct prices_scope *scope, const struct found *found, struct arena *arena,
                      struct prices_left *ret_left)
{
    struct search search = {.scope = scope, .found = found, .arena = arena};
    map_init(&search.seen);
    /* Of a whole refresh the cache holds nothing else. */
    for (search.layer = PRICES_BUILT_IN; search.layer <= PRICES_CACHED; search.layer++) {
        if (search.layer == PRICES_BUILT_IN || !scope->whole)
            price_list_each(search.layer, scope->provider, look_at_old, &search);
    }
    want_all(&search);
    *ret_left =
        (struct prices_left){arena_zalloc(arena, (search.count + 1) * sizeof *search.items), search.count};
    if (search.count) {
        memcpy(ret_left->items, search.items, search.count * sizeof *search.items);
        qsort(ret_left->items, search.count, sizeof *search.items, by_kept_and_item);
    }
    for (size_t i = 0; i < search.count; i++) {
        struct string_list *locations = &ret_left->items[i].locations;
        qsort(locations->items, locations->count, sizeof *locations->items, by_name);
    }
    map_deinit(&search.seen);
    free(search.items);
}
