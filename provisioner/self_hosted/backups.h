/* Backups of own hosts: struct provider's table, over the functions of files/pgbackrest.sh on the host.
 *
 * There is no cloud to make a second database, so a restore is in place: of a database that is gone, or that
 * is stopped and may be moved aside. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_BACKUPS_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_BACKUPS_H

#include "provisioner/backups.h"

extern const struct provider_backups backups_self_hosted;

/* What the function `list` printed. ERR_PARSE where it is not that. */
int backups_self_hosted_read(struct str text, struct arena *arena, struct backup_list *ret_list,
                             struct error *err) CHECK_RESULT;

#endif
