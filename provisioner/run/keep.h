/* What must stay for a database to stay: itself and everything it depends on, from `terraform show -json`.
 * Pure. Ownership: texts live in the arena. */
#ifndef FRAISEQL_PROVISIONER_RUN_KEEP_H
#define FRAISEQL_PROVISIONER_RUN_KEEP_H

#include "lib/core/json.h"

struct keep_list {
    const char **removable; /* addresses that no database depends on */
    size_t removable_count, kept_count, database_count;
};

bool keep_is_database(const char *resource_type);
void keep_databases(struct arena *arena, const struct node *state, struct keep_list *ret);

#endif
