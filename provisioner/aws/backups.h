/* Backups of RDS: provider.h's `backups`.
 *
 * The shapes are those of the RDS API, version 2014-10-31, Query protocol: DescribeDBInstances,
 * DescribeDBSnapshots, CreateDBSnapshot, RestoreDBInstanceFromDBSnapshot, RestoreDBInstanceToPointInTime.
 * AWS_ENDPOINT_URL_RDS and AWS_ENDPOINT_URL move the service.
 *
 * A moment can be restored from the oldest automated snapshot on, up to the instance's LatestRestorableTime.
 * The new instance gets the network, parameters and class of the old one, and its tags but for
 * fraiseql-address, by which the module's own is found. */
#ifndef FRAISEQL_PROVISIONER_AWS_BACKUPS_H
#define FRAISEQL_PROVISIONER_AWS_BACKUPS_H

#include "lib/cloud/aws_call.h"
#include "provisioner/backups.h"

extern const struct provider_backups aws_backups;

/* One page of DescribeDBSnapshotsResult. *ret_next: the next page's marker, NULL at the end. ERR_LIMIT. */
int aws_backups_read(const struct xml *result, struct backup_list *list, struct arena *arena,
                     const char **ret_next, struct error *err) CHECK_RESULT;
/* The value of a tag in an element with TagList; "" where there is none. */
const char *aws_backups_tag(const struct xml *element, const char *key);
/* What a restore takes over from the instance that runs: members of the form. */
void aws_backups_settings(const struct xml *instance, const char *origin, struct aws_form *form);

#endif
