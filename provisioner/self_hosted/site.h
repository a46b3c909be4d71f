/* The regions on own hosts of a deployment, and the steps of each. Pure but for the secrets, which are made
 * where they are missing. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_SITE_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_SITE_H

#include "provisioner/self_hosted/component.h"

/* One of `sites`, for a region of `deployment`, which has own hosts alone; no host yet, and what writes is
 * the region itself. `layout` and `arena` are its own. */
int site_init(struct site *site, const struct site *sites, const struct deployment *deployment,
              const struct region *region, struct layout *layout, struct vault *vault, struct arena *arena,
              struct error *err) CHECK_RESULT;
/* Appends what all its components want, in the order in which it is done within a stage. */
int site_steps(const struct site *site, struct step_list *list, struct error *err) CHECK_RESULT;

#endif
