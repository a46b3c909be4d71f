/* Which attributes of a resource a plan changes: their names, from the "change" of `terraform show -json`,
 * never their values, which may be secret.
 *
 *   tags.team, settings.ip_configuration.require_ssl
 *
 * Blocks and maps are followed a few levels down, elements of a list have its name, and what a module marks
 * as sensitive is not looked into. Of a replacement what forces it comes first, and what is only not known
 * yet is left out: all that the cloud gives a new resource is.
 *
 * Pure. Ownership: names live in the arena. */
#ifndef FRAISEQL_PROVISIONER_RUN_ATTRIBUTES_H
#define FRAISEQL_PROVISIONER_RUN_ATTRIBUTES_H

#include "lib/core/json.h"

struct attribute_names {
    const char **items;
    size_t count, capacity;
};

/* `change` may be NULL: no names. */
void attributes_of_change(const struct node *change, bool replaced, struct arena *arena,
                          struct attribute_names *ret);

#endif
