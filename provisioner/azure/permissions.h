/* What Azure's role assignments allow, as Microsoft.Authorization/permissions lists it: a role an entry, with
 * actions and notActions whose * stands for any text, slashes too, and whose case does not matter. An action
 * is allowed when one role names it and does not take it back; other roles do not take it back.
 * Threads: pure. */
#ifndef FRAISEQL_PROVISIONER_AZURE_PERMISSIONS_H
#define FRAISEQL_PROVISIONER_AZURE_PERMISSIONS_H

#include "lib/core/yaml.h"

bool azure_pattern_covers(struct str pattern, const char *action);
/* `roles` is the answer's "value": a list of {actions, notActions}. */
bool azure_action_allowed(const struct node *roles, const char *action);

#endif
