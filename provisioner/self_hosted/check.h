/* What `validate` says of regions on own hosts. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_CHECK_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_CHECK_H

#include "provisioner/deployment.h"

/* Of one region, at its lines; the components' own checks are among them. */
void self_hosted_check(const struct deployment *deployment, const struct region *region,
                       struct findings *findings);

#endif
