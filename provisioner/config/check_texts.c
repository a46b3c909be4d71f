/* Passwords in addresses. And control characters: no key or value of the file may hold one, since all of it
 * ends up in names, scripts, terminals and lines of logs. Line ends are allowed where SQL and reasons are
 * written. */
#include "provisioner/config/checks.h"

#include <string.h>

static bool is_sound(struct str text, bool lines)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool line = lines && (c == '\n' || c == '\t');
        /* U+0080 to U+009F, the second range of control characters, is C2 80 to C2 9F. */
        bool second = c == 0xC2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xA0;
        if (((c < 0x20 || c == 0x7F) && !line) || second)
            return false;
    }
    return true;
}

static void check_node(const struct node *node, struct findings *findings)
{
    char path[NODE_PATH_MAX];
    bool lines = node->key && (strcmp(node->key, "rows") == 0 || strcmp(node->key, "reason") == 0);
    if (node->kind == NODE_SCALAR && !is_sound(node->scalar, lines))
        (void)findings_add(findings, DIAG_ERROR, "control-character", node, "%s: holds a control character",
                           node_path(node, path));
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_SEQUENCE) {
            check_node(node->items[i], findings);
            continue;
        }
        if (!is_sound(node->pairs[i].key, false)) {
            const char *above = node_path(node, path);
            struct finding *finding =
                findings_add(findings, DIAG_ERROR, "control-character", node->pairs[i].value,
                             "%s%sa key holds a control character", above, *above ? ": " : "");
            finding->line = node->pairs[i].line;
            finding->column = node->pairs[i].column;
        }
        check_node(node->pairs[i].value, findings);
    }
}

bool check_holds_password(const char *text)
{
    const char *host = strstr(text, "://");
    const char *at = host ? strchr(host, '@') : NULL;
    const char *colon = host ? strchr(host + 3, ':') : NULL;
    const char *slash = host ? strchr(host + 3, '/') : NULL;
    return at && colon && colon < at && !(slash && slash < at);
}

void check_no_password(const struct deployment *deployment, const char *text, const char *path,
                       struct findings *findings)
{
    if (text && check_holds_password(text))
        (void)check_fail(deployment, findings, "secret-in-file", path,
                         "holds a password, and this file is no place for one");
}

void check_texts(const struct deployment *deployment, struct findings *findings)
{
    check_node(deployment->root, findings);
}
