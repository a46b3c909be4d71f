/* Backups of a region's database by pgBackRest, kept in layout.base/backup, encrypted. Archived and backed up
 * is where the region writes; a standby only has the means. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_PGBACKREST_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_PGBACKREST_H

#include "provisioner/self_hosted/component.h"

/* File with the functions of files/pgbackrest.sh and their values, on the region's host; the layout's arena.
 */
const char *pgbackrest_functions(struct arena *arena, const struct layout *layout);

#endif
