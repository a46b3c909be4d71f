/* The prices found in a cloud's answers, and how they become the cached list.
 *
 * Rules: a price of zero is no price (free tiers, rows that only exist for the form) and is not taken. A
 * price found twice must be the same both times; else neither is known.
 *
 * Ownership: everything put is copied. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_PRICES_FOUND_H
#define FRAISEQL_PROVISIONER_PRICES_FOUND_H

#include "lib/core/map.h"
#include "provisioner/catalog/price_list.h"

struct found {
    struct arena *arena;
    struct map prices; /* struct found_price by "location\nitem" */
    size_t conflicts;
    char date[11]; /* YYYY-MM-DD, of every price: when it was read, and therefore valid */
};

void found_init(struct found *found, int64_t wall_ns);
void found_deinit(struct found *found);
void found_reset(struct found *found); /* forgets the prices */

struct found_key {
    const char *location, *item;
};

void found_put(struct found *found, struct found_key key, int64_t nano_usd, const char *unit,
               const char *source);
/* For items that stand for several of the cloud's: the dearest stays, and its source says so. */
void found_put_dearest(struct found *found, struct found_key key, int64_t nano_usd, const char *unit,
                       const char *source);
/* As if all had been put into `found`. */
void found_take(struct found *found, const struct found *from);
size_t found_count(const struct found *found);                   /* those that are known */
bool found_has(const struct found *found, struct found_key key); /* and it is known */

/* Writes the list, sorted, in place of the old one (file_replace()); the folder is made. With `keep` lines of
 * the old list that were not found again stay. ERR_PARSE when the old list cannot be read, ERR_LIMIT when the
 * new one is larger than PRICE_LIST_MAX_BYTES. */
int found_save(const struct found *found, const char *path, bool keep, struct error *err) CHECK_RESULT;

#endif
