/* What clouds offer, as data: locations, instance types, database classes, portable sizes, dated prices.
 *
 * Each provider has CSV files (locations, instances, sizes, prices; the first line names the columns) in its
 * folder (provisioner/<provider>/catalog/), embedded in the program and read once; prices in the user's
 * cache or in a file given win over them. A line that is not there is unknown, never zero.
 *
 * Ownership: process lifetime. Threads: any; what is returned is immutable (the answer for a custom Cloud SQL
 * class until the same thread asks the next such question). */
#ifndef FRAISEQL_PROVISIONER_CATALOG_H
#define FRAISEQL_PROVISIONER_CATALOG_H

#include "lib/core/error.h"
#include "provisioner/deployment.h"

struct location {
    const char *provider, *name; /* "aws", "eu-west-1" */
    const char *city, *country;  /* "Dublin", "IE" (ISO 3166-1 alpha-2) */
    double latitude, longitude;  /* degrees */
    bool eu, eea;                /* member of the EU, of the EEA; the UK and Switzerland are neither */
    const char
        *area; /* "europe", "north-america", "asia-pacific", "south-america", "middle-east", "africa" */
    const char *nearest_aws; /* AWS region for latency records, for locations of other clouds */
    const char *backup_pair; /* where the cloud itself puts a geo-redundant copy; NULL: nowhere or chosen */
};

struct instance_type {
    const char *provider, *name;
    double vcpus, memory_gib;
    const char *architecture; /* "x86_64", "arm64" */
    bool database;            /* a class of the managed database, not of a virtual machine */
};

/* nano-USD keep 0.0000004 a request exact; a month is 730 hours. */
#define NANO_USD        INT64_C(1000000000)
#define HOURS_PER_MONTH 730

struct price {
    int64_t nano_usd;          /* for one unit */
    const char *unit;          /* "hour", "GB-month", "GB", "million-queries", "month" */
    const char *source, *date; /* where it was read; YYYY-MM-DD */
};

const struct location *catalog_location(const char *provider, const char *name);
size_t catalog_locations(const char *provider, const struct location *const **ret_list);
const struct instance_type *catalog_instance(const char *provider, const char *name, bool database);
size_t catalog_instances(const char *provider, bool database, const struct instance_type *const **ret_list);
/* The exact type for a portable size; NULL when the provider has none. */
const char *catalog_sized(const char *provider, enum region_size size, bool database);
/* NULL: unknown. `location` "*" holds for all locations of the provider that have no line of their own. */
const struct price *catalog_price(const char *provider, const char *location, const char *item);
/* Great-circle distance and the least round trip that light in fibre allows over it (200 km/ms one way,
 * path stretch left out, so it is a bound and not an estimate). */
double location_distance_km(const struct location *a, const struct location *b);
double location_min_rtt_ms(const struct location *a, const struct location *b);

#endif
