/* Steps of deployment_parse(), each in a file of its own. All report into findings at the line they judge and
 * go on; they run after a file with errors too, so members may be missing (NULL or zero). */
#ifndef FRAISEQL_PROVISIONER_CONFIG_INTERNAL_H
#define FRAISEQL_PROVISIONER_CONFIG_INTERNAL_H

#include "provisioner/deployment.h"

/* Renames keys that are written with _ for - (or the other way) to the table's spelling. A key that is given
 * in both spellings is reported, and the later one taken out. */
void spelling_normalize(const struct option_section *section, struct node *node, struct diag *diag);

/* Fills in what the file left out: provider, location, types, classes, ranges. */
void resolve_deployment(struct deployment *deployment, struct findings *findings);

static inline struct region *region_at(const struct deployment *deployment, size_t i)
{
    return &((struct region *)deployment->region_list.items)[i];
}
/* The node of a region's member ("database.tier"), or the nearest above it. */
const struct node *region_node(const struct deployment *deployment, const struct region *region,
                               const char *member);

#endif
