/* What credentials must be allowed to do in a project, so that Terraform can make, read, change and remove a
 * region of the module: tests/data/permissions/google_calls.txt says which call needs what, and a test holds
 * both against each other.
 *
 * Ownership: the arena's. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_GCP_PERMISSIONS_H
#define FRAISEQL_PROVISIONER_GCP_PERMISSIONS_H

#include "lib/core/arena.h"
#include "provisioner/deployment.h"

struct gcp_permission {
    const char *name; /* "compute.networks.create" */
    const char *role; /* the predefined one that gives it and as little else as can be */
};

/* Those of a region, each once, the permissions of a role and of a kind of resource side
 * by side. Returns how many. */
size_t gcp_permissions_list(const struct deployment *deployment, const struct region *region,
                            struct arena *arena, const struct gcp_permission **ret_list);

#endif
