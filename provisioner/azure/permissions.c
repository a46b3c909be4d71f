#include "provisioner/azure/permissions.h"

#include "provisioner/inquiry.h"
#include "provisioner/render/render.h"

#include <ctype.h>

/* --- what the module needs --- */

enum need { ALWAYS, GATEWAY, LOCK };

static const struct {
    const char *what, *verbs; /* verbs apart by blanks */
    enum need need;
} rows[] = {
    {"Microsoft.Resources/subscriptions/resourceGroups/", "read write delete resources/read", ALWAYS},
    {"Microsoft.Network/virtualNetworks/", "read write delete join/action", ALWAYS},
    {"Microsoft.Network/virtualNetworks/subnets/", "read write delete join/action", ALWAYS},
    {"Microsoft.Network/networkSecurityGroups/", "read write delete join/action", ALWAYS},
    {"Microsoft.Network/networkSecurityGroups/securityRules/", "read write delete", GATEWAY},
    {"Microsoft.Network/publicIPAddresses/", "read write delete join/action", ALWAYS},
    {"Microsoft.Network/natGateways/", "read write delete join/action", ALWAYS},
    {"Microsoft.Network/networkInterfaces/", "read write delete join/action", GATEWAY},
    {"Microsoft.Network/applicationGateways/", "read write delete backendAddressPools/join/action", ALWAYS},
    {"Microsoft.Network/privateDnsZones/", "read write delete join/action SOA/read", ALWAYS},
    {"Microsoft.Network/privateDnsZones/virtualNetworkLinks/", "read write delete", ALWAYS},
    {"Microsoft.Compute/virtualMachineScaleSets/",
     "read write delete rollingUpgrades/read rollingUpgrades/cancel/action", ALWAYS},
    {"Microsoft.Compute/virtualMachines/",
     "read write delete instanceView/read deallocate/action start/action", GATEWAY},
    {"Microsoft.Compute/disks/", "read write delete", GATEWAY},
    {"Microsoft.Insights/autoscaleSettings/", "read write delete", ALWAYS},
    {"Microsoft.Insights/diagnosticSettings/", "read write delete", ALWAYS},
    {"Microsoft.Insights/dataCollectionRules/", "read write delete", ALWAYS},
    {"Microsoft.Insights/dataCollectionRuleAssociations/", "read write delete", ALWAYS},
    {"Microsoft.DBforPostgreSQL/flexibleServers/", "read write delete restart/action", ALWAYS},
    {"Microsoft.DBforPostgreSQL/flexibleServers/configurations/", "read write", ALWAYS},
    {"Microsoft.DBforPostgreSQL/flexibleServers/databases/", "read write delete", ALWAYS},
    {"Microsoft.DBforPostgreSQL/flexibleServers/backups/", "read write", ALWAYS},
    {"Microsoft.KeyVault/vaults/", "read write delete", ALWAYS},
    {"Microsoft.KeyVault/locations/deletedVaults/", "read", ALWAYS},
    {"Microsoft.ManagedIdentity/userAssignedIdentities/", "read write delete assign/action", ALWAYS},
    {"Microsoft.OperationalInsights/workspaces/", "read write delete", ALWAYS},
    {"Microsoft.OperationalInsights/deletedWorkspaces/", "read", ALWAYS},
    {"Microsoft.OperationalInsights/workspaces/", "sharedKeys/action",
     ALWAYS}, /* of the diagnostic setting */
    {"Microsoft.OperationalInsights/workspaces/tables/", "read write", ALWAYS},
    {"Microsoft.Authorization/roleAssignments/", "read write delete", ALWAYS},
    {"Microsoft.Authorization/roleDefinitions/", "read", ALWAYS},
    {"Microsoft.Authorization/locks/", "read write delete", LOCK},
};

static bool holds(const struct deployment *deployment, const struct region *region, enum need need)
{
    if (need == LOCK)
        return region->database.deletion_protection;
    return need == ALWAYS || render_is_linked(deployment, region);
}

void azure_permissions_list(const struct deployment *deployment, const struct region *region,
                            struct arena *arena, struct string_list *ret_actions)
{
    size_t room = 0, count = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        room += inquiry_names(rows[i].what, rows[i].verbs, arena, NULL);
    const char **items = arena_alloc(arena, room * sizeof *items);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (holds(deployment, region, rows[i].need))
            count += inquiry_names(rows[i].what, rows[i].verbs, arena, items + count);
    }
    *ret_actions = (struct string_list){count, items};
}

/* --- what roles allow --- */

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* One way back suffices: what an earlier * could take, the later one can take, too. */
bool azure_pattern_covers(struct str pattern, const char *action)
{
    size_t at = 0, star = pattern.len, i = 0, mark = 0, length = strlen(action);
    while (i < length) {
        if (at < pattern.len && pattern.ptr[at] == '*') {
            star = at++;
            mark = i;
        } else if (at < pattern.len && same(pattern.ptr[at], action[i])) {
            at++;
            i++;
        } else if (star < pattern.len) {
            at = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.ptr[at] == '*')
        at++;
    return at == pattern.len;
}

static bool any_covers(const struct node *patterns, const char *action)
{
    for (size_t i = 0; patterns && patterns->kind == NODE_SEQUENCE && i < patterns->count; i++) {
        const struct node *pattern = patterns->items[i];
        if (pattern->kind == NODE_SCALAR && azure_pattern_covers(pattern->scalar, action))
            return true;
    }
    return false;
}

bool azure_action_allowed(const struct node *roles, const char *action)
{
    for (size_t i = 0; roles && roles->kind == NODE_SEQUENCE && i < roles->count; i++) {
        const struct node *role = roles->items[i];
        if (any_covers(node_member(role, "actions"), action) &&
            !any_covers(node_member(role, "notActions"), action))
            return true;
    }
    return false;
}
