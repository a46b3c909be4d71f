/* Where rows may live: the zones of compliance.data-residency. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_CONFIG_ZONE_H
#define FRAISEQL_PROVISIONER_CONFIG_ZONE_H

#include "provisioner/catalog/catalog.h"

/* eu-only, eea-only, us-only, apac-only, or the code of a country in which some cloud has a location. */
bool zone_is_known(const char *zone);
bool zone_contains(const char *zone, const struct location *location);
/* The zones that have a name. */
const char *const *zone_names(size_t *ret_count);

#endif
