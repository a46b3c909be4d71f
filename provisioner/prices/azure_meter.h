/* Which items of Azure's Retail Prices (2023-01-01-preview) are which of ours (price_list.h). What no rule
 * takes is left out.
 *
 * Taken are list prices of consumption in USD: virtual machines with Linux (no Windows, Spot, Low Priority,
 * Cloud Services or dedicated hosts), compute, storage and backup of PostgreSQL flexible servers, the
 * application gateway Standard v2, the standard NAT gateway and public address, traffic to other regions and,
 * behind the free allowance, to the internet, standard SSDs of 32 GiB by the GiB, private DNS zones, logs
 * taken in by Log Analytics behind what is free, and operations of standard key vaults.
 *
 * The database's compute is sold by the vCore of a series ("vCore", "1 vCore") or as "4 vCore"; where several
 * sizes of one series cost the same, theirs is the price of one vCore. A class gets the price of its own
 * size, else the one of a vCore times its vCores.
 *
 * Ownership: the reader borrows scope and found. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_PRICES_AZURE_METER_H
#define FRAISEQL_PROVISIONER_PRICES_AZURE_METER_H

#include "provisioner/prices/found.h"
#include "provisioner/prices/json_items.h"
#include "provisioner/prices/scope.h"

struct azure_service {
    const char *name, *product; /* product NULL: all of the service */
};

/* Ended by a NULL name; the first is virtual machines. */
extern const struct azure_service azure_services[];

/* What costs the same everywhere is listed under a place that is none, whose prices hold for "*". Ended by a
 * NULL service. */
struct azure_everywhere {
    const char *service, *place;
};
extern const struct azure_everywhere azure_everywhere[];

#define AZURE_LINK_MAX 4096

struct azure_vcores; /* what was read of the database's compute */

/* Reads the pages of one question, of one service in one location. */
struct azure_reader {
    struct json_items items;
    const struct prices_scope *scope;
    struct found *found;
    const char *service, *location;
    bool everywhere; /* the location is no place */
    struct azure_vcores *vcores;
    size_t vcore_count, vcores_before; /* of this page */
    char
        next_link[AZURE_LINK_MAX]; /* after azure_reader_page(): of the next page, empty: this was the last */
};

void azure_reader_init(struct azure_reader *reader, const char *service, const char *location,
                       const struct prices_scope *scope, struct found *found);
void azure_reader_deinit(struct azure_reader *reader);
/* Before each page, and before it is read again. */
void azure_reader_begin(struct azure_reader *reader);
int azure_reader_feed(struct azure_reader *reader, struct str chunk, struct error *err) CHECK_RESULT;
/* After each page. */
int azure_reader_page(struct azure_reader *reader, struct error *err) CHECK_RESULT;
/* After the last one: the classes of the database. */
void azure_reader_end(struct azure_reader *reader);

#endif
