/* Backups of Cloud SQL: provider.h's `backups`.
 *
 * The shapes are those of the Cloud SQL Admin API, v1beta4 as Terraform's provider uses it (resources
 * backupRuns, instances, operations): backupRuns.list and insert, instances.get, getLatestRecoveryTime,
 * clone, insert and restoreBackup, operations.list. GOOGLE_SQL_CUSTOM_ENDPOINT (Terraform's own variable)
 * replaces https://sqladmin.googleapis.com/sql/v1beta4/; it is sent the token, so it is https or of this
 * machine.
 *
 * A backup run has a number that Google gives; our name is its description, and by that it is found again. To
 * a moment an instance is cloned; a backup is restored into a new instance with the settings of the old one.
 */
#ifndef FRAISEQL_PROVISIONER_GCP_BACKUPS_H
#define FRAISEQL_PROVISIONER_GCP_BACKUPS_H

#include "lib/core/json.h"
#include "provisioner/backups.h"

extern const struct provider_backups gcp_backups;

/* One page of backupRuns.list. *ret_next: the next page's token, NULL at the end. ERR_PEER when it is no such
 * answer. */
int gcp_backups_read(const struct node *root, struct backup_list *list, struct arena *arena,
                     const char **ret_next, struct error *err) CHECK_RESULT;
/* The body of instances.insert for a new instance with the settings of `source`, labelled. ERR_PEER when the
 * source is none. */
int gcp_backups_copy(const struct node *source, const char *name, const char *origin, struct buf *out,
                     struct error *err) CHECK_RESULT;

#endif
