/* What a refresh did not find: prices that an estimate may ask for and that stay as old, or as unknown, as
 * they were. An item that an older list still answers is "kept"; which list goes before which is
 * price_list.h's.
 *
 * Asked of are the items that every estimate of the cloud has, the machines and database classes of the
 * deployment, and whatever else an older list says of the places that were asked for. What follows from new
 * prices (a Google machine from its series) is not left.
 *
 * Ownership: everything lives in the arena. Threads: as price_list.h. */
#ifndef FRAISEQL_PROVISIONER_PRICES_LEFT_H
#define FRAISEQL_PROVISIONER_PRICES_LEFT_H

#include "provisioner/prices/found.h"
#include "provisioner/prices/scope.h"

struct prices_left_item {
    const char *item;
    bool kept;                    /* an older price stays in use; else none is known */
    struct string_list locations; /* "*": everywhere */
};

struct prices_left {
    struct prices_left_item *items; /* by item, kept ones first */
    size_t count;
};

void prices_left_find(const struct prices_scope *scope, const struct found *found, struct arena *arena,
                      struct prices_left *ret_left);

#endif
