/* What Azure's role assignments allow, as Microsoft.Authorization/permissions lists it: a role an entry, with
 * actions and notActions whose * stands for any text, slashes too, and whose case does not matter. An action
 * is allowed when one role names it and does not take it back; other roles do not take it back.
 *
 * And what credentials must be allowed to do in a subscription, so that Terraform can make, read, change and
 * remove a region of the module: tests/data/permissions/azure_calls.txt says which call needs what, and a
 * test holds both against each other.
 *
 * Ownership: the arena's. Threads: pure. */
#ifndef FRAISEQL_PROVISIONER_AZURE_PERMISSIONS_H
#define FRAISEQL_PROVISIONER_AZURE_PERMISSIONS_H

#include "lib/core/yaml.h"
#include "provisioner/deployment.h"

bool azure_pattern_covers(struct str pattern, const char *action);
/* `roles` is the answer's "value": a list of {actions, notActions}. */
bool azure_action_allowed(const struct node *roles, const char *action);

/* The actions of a region, each once, those of a kind of resource side by side. */
void azure_permissions_list(const struct deployment *deployment, const struct region *region,
                            struct arena *arena, struct string_list *ret_actions);

#endif
