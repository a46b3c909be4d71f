/* SQL that sets native logical replication up in one region.
 *
 * For psql, run as the database's administrator, once all databases stand; running it again changes only what
 * differs. Secrets and addresses are psql variables, named at the top of the script:
 *   replication_password           of the role fraiseql_replication, alike in all regions
 *   peer_<region>                  "host=... port=... dbname=... sslmode=..." of each other region, without
 *                                  user and password; dashes of its name are underscores
 * Threads: any. */
#ifndef FRAISEQL_PROVISIONER_POSTGRESQL_REPLICATION_H
#define FRAISEQL_PROVISIONER_POSTGRESQL_REPLICATION_H

#include "lib/core/buf.h"
#include "provisioner/deployment.h"

/* The region's filter, NULL when there is none. */
const struct replication_filter *replication_filter_of(const struct deployment *deployment,
                                                       const struct region *region);
/* Nothing when the region takes no part. */
void replication_render(const struct deployment *deployment, const struct region *region, struct buf *sql);

#endif
