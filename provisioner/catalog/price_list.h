/* Dated unit prices: those in the program, those of the user's cache, those of a file given with
 * --price-file. The later of these wins line by line.
 *
 * A list is CSV (csv.h): location,item,usd,unit,source,date
 *   location  the provider's name of it, "*" for every location without a line of its own
 *   item      see below
 *   usd       for one unit, at most nine digits after the point, no sign
 *   unit      hour, month, GB, GB-month, thousand, million
 *   source    where it was read, without commas
 *   date      YYYY-MM-DD, when it was valid
 * The cache is one such file a provider, FOLDER/<provider>.csv, where FOLDER is $FRAISEQL_PRICES,
 * $XDG_CACHE_HOME/fraiseql/prices or ~/.cache/fraiseql/prices. A --price-file has the provider as one more
 * column in front, so that one file holds discounts of all clouds.
 *
 * Items ("GB" and "GiB" are the same 2^30 bytes to the clouds' bills):
 *   vm:<type>                      hour; a virtual machine, Linux, on demand
 *   vm-vcpu:<series>, vm-ram:<series>  hour; GCP's machine series ("n2") by vCPU and by GiB: used for a type
 *                                  without a line, or whose line is older
 *   db:<class>, db-ha:<class>      hour; one instance, an instance with its standby (default: twice db:)
 *   db-vcpu, db-ram                hour; Cloud SQL's custom classes by vCPU and by GiB
 *   db-storage, db-storage-ha      GB-month (default of the second: twice the first)
 *   db-backup                      GB-month; backup over what is free, and copies elsewhere
 *   disk                           GB-month; root disks
 *   lb, lb-lcu, lb-data            hour, hour of one capacity unit, GB
 *   nat, nat-data                  hour (GCP: of one machine behind it), GB
 *   ipv4                           hour; a public address
 *   egress-region:<area>, egress-region  GB; to another location of the same cloud, by its area where it
 *                                  matters
 *   egress-internet:<from>         GB; from that many GB a month on: 0, 1024, 10240, 51200, 153600
 *   dns-zone                       month
 *   dns-health-check, dns-health-option  month; a check of an endpoint in the same cloud, and each of: HTTPS,
 *                                  latency measured, fast interval; with -other: of an endpoint elsewhere
 *   dns-queries, dns-queries-latency, dns-queries-geo  million; by how they are answered
 *   metrics-api                    thousand; metrics asked of the cloud's monitoring
 *   logs                           GB; taken in
 *   secret, key                    month each; secret-requests: thousand
 *   private-zone                   month; a zone of names of Azure's own network
 *
 * Ownership: process lifetime. Threads: reading further lists is for the start of a command, before other
 * threads ask catalog_price(). */
#ifndef FRAISEQL_PROVISIONER_PRICE_LIST_H
#define FRAISEQL_PROVISIONER_PRICE_LIST_H

#include "lib/core/buf.h"
#include "provisioner/catalog/catalog.h"

enum price_layer { PRICES_BUILT_IN, PRICES_CACHED, PRICES_GIVEN, PRICE_LAYERS };

#define PRICE_LIST_MAX_BYTES (64UL * 1024 * 1024)

/* Takes a list over into a layer. provider NULL: the first column names it. `path` is for messages; an error
 * has the line. */
int price_list_read(enum price_layer layer, const char *provider, const char *path, struct str bytes,
                    struct error *err) CHECK_RESULT;
/* What the cache holds; a cache or a provider that is not there is no error. */
int price_list_load_cache(struct error *err) CHECK_RESULT;
/* A --price-file. */
int price_list_load_file(const char *path, struct error *err) CHECK_RESULT;
/* Where a provider's cached list is, whether or not it exists; NULL when no folder is known. Provider NULL:
 * the folder. */
const char *price_list_path(const char *provider, struct arena *arena);

/* What a layer holds of a provider's; dates are NULL where it holds nothing. */
struct price_list_facts {
    size_t prices;
    const char *oldest, *newest;
};
void price_list_look(enum price_layer layer, const char *provider, struct price_list_facts *ret_facts);

/* Every price of a provider's that a layer holds, in no order. */
typedef void price_list_fn(void *ctx, const char *location, const char *item);
void price_list_each(enum price_layer layer, const char *provider, price_list_fn *fn, void *ctx);

/* A list's first line, and one price; what would break a line (commas, line ends) becomes a blank. */
void price_list_write_header(struct buf *out);
void price_list_write(struct buf *out, const char *location, const char *item, const struct price *price);

#endif
