#include "provisioner/azure/permissions.h"

#include <ctype.h>

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
