/* What an identity must be allowed to do, so that Terraform can make, read, change and remove a region of the
 * module: one row a type of resource, which a test compares with the module. Actions that only a first
 * deployment into an account takes (service-linked roles of RDS, load balancers and autoscaling) are left
 * out: most accounts have them.
 *
 * Ownership: the arena's. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_AWS_PERMISSIONS_H
#define FRAISEQL_PROVISIONER_AWS_PERMISSIONS_H

#include "lib/core/arena.h"
#include "provisioner/deployment.h"

/* The actions ("rds:CreateDBInstance") of one region, each once, in the order of the alphabet. */
void aws_permissions_list(const struct deployment *deployment, const struct region *region,
                          struct arena *arena, struct string_list *ret_actions);

/* What an action of a service would be done to, as an ARN with the names that the module gives: policies may
 * be limited to these. `action` "rds:CreateDBInstance". */
const char *aws_permissions_resource(const struct deployment *deployment, const struct region *region,
                                     const char *partition, const char *account, const char *action,
                                     struct arena *arena);

/* For the test: actions of a type ("aws_vpc", "data.aws_ssm_parameter"); NULL when the table lacks it. */
const char *aws_permissions_of(const char *type);

#endif
