/* SQL that sets native logical replication up in one region.
 *
 * For psql, run as the database's administrator, once all databases stand; running it again changes only what
 * differs. Secrets and addresses are psql variables, named at the top of the script:
 *   replication_password           of the role fraiseql_replication, alike in all regions
 *   peer_<region>                  "host=... port=... dbname=... sslmode=..." of each other region, without
 *                                  user and password; dashes of its name are underscores
 * Without the password what is there is brought up to date (new tables), and nothing is connected anew. A
 * peer that is not given is passed over.
 * Threads: any. */
#ifndef FRAISEQL_PROVISIONER_POSTGRESQL_REPLICATION_H
#define FRAISEQL_PROVISIONER_POSTGRESQL_REPLICATION_H

#include "lib/core/buf.h"
#include "lib/core/json.h"
#include "provisioner/deployment.h"

/* The region's filter, NULL when there is none. */
const struct replication_filter *replication_filter_of(const struct deployment *deployment,
                                                       const struct region *region);
/* Nothing when the region takes no part. */
void replication_render(const struct deployment *deployment, const struct region *region, struct buf *sql);
/* What the SQL calls things between two regions, as members: "variable", "publication" (of `from`) and
 * "subscription" (in `to`). False, and nothing written, where `to` fetches nothing from `from`. */
bool replication_render_source(const struct deployment *deployment, const struct region *to,
                               const struct region *from, struct json_writer *json);

#endif
