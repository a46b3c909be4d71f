/* Backups of a region's database by pgBackRest, kept where backup.store says, encrypted. Archived and backed
 * up is where the region writes; a standby only has the means. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_PGBACKREST_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_PGBACKREST_H

#include "provisioner/self_hosted/component.h"

/* Whether the database of this region is backed up here: it writes, and nothing is left out. */
bool pgbackrest_runs(const struct site *site);
/* What the schedule says of itself, for the collector; the site's arena. */
const char *pgbackrest_status_file(const struct site *site);
/* sh that fails where the region's backups are there and its database is gone. "" where nothing is backed up.
 */
const char *pgbackrest_guard(const struct site *site);

/* A backup that is as old as this is followed by the next one, whatever the hour. */
#define BACKUP_LATEST_NS (30 * 3600 * NS_PER_S)
/* Time to take one and to read it to the end. */
#define BACKUP_GRACE_NS (6 * 3600 * NS_PER_S)

/* File with the functions of files/pgbackrest.sh and their values, on the region's host; the layout's arena.
 */
const char *pgbackrest_functions(struct arena *arena, const struct layout *layout);

#endif
