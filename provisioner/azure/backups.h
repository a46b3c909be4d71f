/* Backups of Azure Database for PostgreSQL: provider.h's `backups`.
 *
 * The shapes are those of Microsoft.DBforPostgreSQL, api-version 2024-08-01 (Azure's REST reference): servers
 * by resource group, backups of a flexible server listed and created by PUT, a server created with createMode
 * PointInTimeRestore; and those of Resource Manager for what takes long (Azure-AsyncOperation).
 * FRAISEQL_AZURE_RESOURCE_MANAGER replaces https://management.azure.com, as in credentials.h.
 *
 * A server's name has a part that Terraform drew by lot, so it is found by its tags in the region's resource
 * group. Azure restores moments only: a backup is restored to the moment at which it was complete. */
#ifndef FRAISEQL_PROVISIONER_AZURE_BACKUPS_H
#define FRAISEQL_PROVISIONER_AZURE_BACKUPS_H

#include "lib/core/json.h"
#include "provisioner/backups.h"

extern const struct provider_backups azure_backups;

/* One page of backups. *ret_next: the next page's address, NULL at the end. ERR_PEER when it is no such
 * answer. */
int azure_backups_read(const struct node *root, struct backup_list *list, struct arena *arena,
                       const char **ret_next, struct error *err) CHECK_RESULT;
/* The body that makes a server with the state of `source` at a moment. ERR_PEER when the source is none. */
int azure_backups_copy(const struct node *source, int64_t at_wall_ns, const char *origin, struct buf *out,
                       struct error *err) CHECK_RESULT;

#endif
