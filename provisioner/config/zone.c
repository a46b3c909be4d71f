#include "provisioner/config/zone.h"

#include "lib/core/str.h"
#include "provisioner/provider.h"

static const char *const names[] = {"eu-only", "eea-only", "us-only", "apac-only"};

const char *const *zone_names(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(names);
    return names;
}

static bool is_country(const char *zone)
{
    for (const struct provider *const *provider = provider_all(); *provider; provider++) {
        const struct location *const *list;
        size_t count = catalog_locations((*provider)->name, &list);
        for (size_t i = 0; i < count; i++) {
            if (strcmp(list[i]->country, zone) == 0)
                return true;
        }
    }
    return false;
}

bool zone_is_known(const char *zone)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], zone) == 0)
            return true;
    }
    return is_country(zone);
}

bool zone_contains(const char *zone, const struct location *location)
{
    if (strcmp(zone, "eu-only") == 0)
        return location->eu;
    if (strcmp(zone, "eea-only") == 0)
        return location->eea || location->eu;
    if (strcmp(zone, "us-only") == 0)
        return strcmp(location->country, "US") == 0;
    if (strcmp(zone, "apac-only") == 0)
        return strcmp(location->area, "asia-pacific") == 0;
    return strcmp(location->country, zone) == 0;
}
