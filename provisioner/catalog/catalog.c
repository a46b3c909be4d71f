#include "provisioner/catalog/catalog.h"

#include "lib/core/map.h"
#include "provisioner/catalog/csv.h"
#include "provisioner/embedded.h"
#include "provisioner/provider.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define EARTH_RADIUS_KM     6371.0088
#define FIBRE_KM_PER_MS     200.0 /* light in glass: two thirds of 299.8 km/ms */
#define SIZE_COUNT          (SIZE_LARGE + 1)
#define MAX_CUSTOM_DATABASE 96
#define KEY_BYTES           256

/* What one provider's files hold. */
struct shelf {
    const char *provider;
    const struct location **locations;
    const struct instance_type **instances[2]; /* by `database` */
    size_t location_count, instance_count[2];
    const char *sizes[2][SIZE_COUNT];
};

static struct {
    pthread_once_t once;
    struct arena *arena;
    struct shelf *shelves;
    size_t shelf_count;
    struct map locations, instances; /* by key_of() */
} catalog = {.once = PTHREAD_ONCE_INIT};

static const char *copy(struct str text)
{
    return text.len ? arena_strdup(catalog.arena, text) : NULL;
}

static double number(struct str text)
{
    double value;
    return str_to_double(text, &value) ? value : 0.0;
}

static const char *key_of(char key[KEY_BYTES], const char *first, const char *second, const char *third)
{
    (void)snprintf(key, KEY_BYTES, "%s\n%s\n%s", first, second, third);
    return key;
}

static void *grow(void *items, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? xrealloc(items, (count ? 2 * count : 1) * size) : items;
}

/* --- rows
 * ----------------------------------------------------------------------------------------------------- */

static void take_location(void *ctx, const struct str *fields, size_t count)
{
    struct shelf *shelf = ctx;
    if (count != 10)
        return;
    struct location *location = arena_zalloc(catalog.arena, sizeof *location);
    *location = (struct location){.provider = shelf->provider,
                                  .name = copy(fields[0]),
                                  .city = copy(fields[1]),
                                  .country = copy(fields[2]),
                                  .latitude = number(fields[3]),
                                  .longitude = number(fields[4]),
                                  .eu = str_equal_text(fields[5], "1"),
                                  .eea = str_equal_text(fields[6], "1"),
                                  .area = copy(fields[7]),
                                  .nearest_aws = copy(fields[8]),
                                  .backup_pair = copy(fields[9])};
    shelf->locations = grow(shelf->locations, shelf->location_count, sizeof *shelf->locations);
    shelf->locations[shelf->location_count++] = location;
    char key[KEY_BYTES];
    (void)map_put(
        &catalog.locations,
        str_from(arena_strdup(catalog.arena, str_from(key_of(key, shelf->provider, "", location->name)))),
        location);
}

static void take_instance(void *ctx, const struct str *fields, size_t count)
{
    struct shelf *shelf = ctx;
    if (count != 5)
        return;
    struct instance_type *type = arena_zalloc(catalog.arena, sizeof *type);
    bool database = str_equal_text(fields[4], "database");
    *type = (struct instance_type){shelf->provider,   copy(fields[0]), number(fields[1]),
                                   number(fields[2]), copy(fields[3]), database};
    shelf->instances[database] =
        grow(shelf->instances[database], shelf->instance_count[database], sizeof *shelf->instances[database]);
    shelf->instances[database][shelf->instance_count[database]++] = type;
    char key[KEY_BYTES];
    (void)map_put(&catalog.instances,
                  str_from(arena_strdup(catalog.arena, str_from(key_of(key, shelf->provider,
                                                                       database ? "d" : "m", type->name)))),
                  type);
}

static void take_size(void *ctx, const struct str *fields, size_t count)
{
    static const char *const names[SIZE_COUNT] = {"", "small", "medium", "large"};
    struct shelf *shelf = ctx;
    for (size_t size = SIZE_SMALL; size < SIZE_COUNT && count == 3; size++) {
        if (!str_equal_text(fields[0], names[size]))
            continue;
        shelf->sizes[0][size] = copy(fields[1]);
        shelf->sizes[1][size] = copy(fields[2]);
    }
}

static void read_file(struct shelf *shelf, const char *name, csv_row_fn *take)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/catalog/%s.csv", shelf->provider, name);
    const struct embedded_file *file = embedded_find(path);
    if (file)
        csv_each(file->bytes, take, shelf);
}

static void read_all(void)
{
    catalog.arena = arena_new(0);
    map_init(&catalog.locations);
    map_init(&catalog.instances);
    const struct provider *const *providers = provider_all();
    while (providers[catalog.shelf_count])
        catalog.shelf_count++;
    catalog.shelves = xcalloc(catalog.shelf_count, sizeof *catalog.shelves);
    for (size_t i = 0; i < catalog.shelf_count; i++) {
        struct shelf *shelf = &catalog.shelves[i];
        shelf->provider = providers[i]->name;
        read_file(shelf, "locations", take_location);
        read_file(shelf, "instances", take_instance);
        read_file(shelf, "sizes", take_size);
    }
}

static const struct shelf *find_shelf(const char *provider)
{
    (void)pthread_once(&catalog.once, read_all);
    for (size_t i = 0; i < catalog.shelf_count; i++) {
        if (strcmp(catalog.shelves[i].provider, provider) == 0)
            return &catalog.shelves[i];
    }
    return NULL;
}

/* --- answers
 * -------------------------------------------------------------------------------------------------- */

const struct location *catalog_location(const char *provider, const char *name)
{
    char key[KEY_BYTES];
    if (!find_shelf(provider) || strlen(name) > 64)
        return NULL;
    return map_get(&catalog.locations, str_from(key_of(key, provider, "", name)));
}

size_t catalog_locations(const char *provider, const struct location *const **ret_list)
{
    const struct shelf *shelf = find_shelf(provider);
    *ret_list = shelf ? shelf->locations : NULL;
    return shelf ? shelf->location_count : 0;
}

/* db-custom-CPUS-MIB is a pattern, not a list. */
static const struct instance_type *custom_database(const char *provider, const char *name)
{
    static const char prefix[] = "db-custom-";
    if (strcmp(provider, "gcp") != 0 || strncmp(name, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const char *cpus_text = name + sizeof prefix - 1, *dash = strchr(cpus_text, '-');
    uint64_t cpus, mib;
    if (!dash || !str_to_u64((struct str){cpus_text, (size_t)(dash - cpus_text)}, &cpus) ||
        !str_to_u64(str_from(dash + 1), &mib) || cpus < 1 || cpus > MAX_CUSTOM_DATABASE || mib < 1 ||
        mib > 1 << 20)
        return NULL;
    static _Thread_local struct instance_type type;
    static _Thread_local char own_name[64];
    (void)snprintf(own_name, sizeof own_name, "%s", name);
    type = (struct instance_type){"gcp", own_name, (double)cpus, (double)mib / 1024.0, "x86_64", true};
    return &type;
}

/* Azure's flexible server writes a class with its tier in front; people write both. */
static const struct instance_type *tierless_database(const char *provider, const char *name)
{
    static const char *const tiers[] = {"GP_", "MO_", "B_"};
    char longer[96], key[KEY_BYTES];
    for (size_t i = 0; strcmp(provider, "azure") == 0 && i < ARRAY_LEN(tiers); i++) {
        (void)snprintf(longer, sizeof longer, "%s%s", tiers[i], name);
        const struct instance_type *type =
            map_get(&catalog.instances, str_from(key_of(key, provider, "d", longer)));
        if (type)
            return type;
    }
    return NULL;
}

const struct instance_type *catalog_instance(const char *provider, const char *name, bool database)
{
    char key[KEY_BYTES];
    if (!find_shelf(provider) || strlen(name) > 64)
        return NULL;
    const struct instance_type *type =
        map_get(&catalog.instances, str_from(key_of(key, provider, database ? "d" : "m", name)));
    if (!type && database)
        type = tierless_database(provider, name);
    return type || !database ? type : custom_database(provider, name);
}

size_t catalog_instances(const char *provider, bool database, const struct instance_type *const **ret_list)
{
    const struct shelf *shelf = find_shelf(provider);
    *ret_list = shelf ? shelf->instances[database] : NULL;
    return shelf ? shelf->instance_count[database] : 0;
}

const char *catalog_sized(const char *provider, enum region_size size, bool database)
{
    const struct shelf *shelf = find_shelf(provider);
    return shelf && size < SIZE_COUNT ? shelf->sizes[database][size] : NULL;
}

static double radians(double degrees)
{
    return degrees * 3.14159265358979323846 / 180.0;
}

/* The haversine formula. */
double location_distance_km(const struct location *a, const struct location *b)
{
    double half_lat = sin(radians(b->latitude - a->latitude) / 2);
    double half_lon = sin(radians(b->longitude - a->longitude) / 2);
    double h =
        half_lat * half_lat + cos(radians(a->latitude)) * cos(radians(b->latitude)) * half_lon * half_lon;
    return 2 * EARTH_RADIUS_KM * asin(sqrt(h > 1 ? 1 : h));
}

double location_min_rtt_ms(const struct location *a, const struct location *b)
{
    return 2 * location_distance_km(a, b) / FIBRE_KM_PER_MS;
}
