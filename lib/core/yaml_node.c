#include "lib/core/yaml.h"

#include <stdarg.h>
#include <stdio.h>

const struct node_pair *node_find(const struct node *mapping, const char *key)
{
    if (!mapping || mapping->kind != NODE_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->count; i++) {
        if (str_equal_text(mapping->pairs[i].key, key))
            return &mapping->pairs[i];
    }
    return NULL;
}

const struct node *node_member(const struct node *mapping, const char *key)
{
    const struct node_pair *pair = node_find(mapping, key);
    return pair ? pair->value : NULL;
}

struct str node_text(const struct node *mapping, const char *key)
{
    const struct node *value = node_member(mapping, key);
    return value && value->kind == NODE_SCALAR && !node_is_null(value) ? value->scalar : STR("");
}

bool node_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->plain &&
           (!node->scalar.len || str_equal(node->scalar, STR("~")) || str_equal(node->scalar, STR("null")));
}

const char *node_kind_text(const struct node *node)
{
    switch (node->kind) {
    case NODE_MAPPING:
        return "a mapping";
    case NODE_SEQUENCE:
        return "a list";
    case NODE_SCALAR:
        break;
    }
    return "a scalar";
}

static size_t index_of(const struct node *sequence, const struct node *item)
{
    size_t i = 0;
    while (i < sequence->count && sequence->items[i] != item)
        i++;
    return i;
}

const char *node_path(const struct node *node, char path[NODE_PATH_MAX])
{
    const struct node *chain[YAML_MAX_DEPTH + 2];
    size_t depth = 0, used = 0;
    for (; node && node->parent && depth < ARRAY_LEN(chain); node = node->parent)
        chain[depth++] = node;
    path[0] = '\0';
    while (depth-- && used < NODE_PATH_MAX) {
        const struct node *step = chain[depth];
        int length = step->key
                         ? snprintf(path + used, NODE_PATH_MAX - used, "%s%s", used ? "." : "", step->key)
                         : snprintf(path + used, NODE_PATH_MAX - used, "[%zu]", index_of(step->parent, step));
        used += (size_t)length;
    }
    return path;
}

struct error *node_report(const struct node *node, struct diag *diag, enum diag_severity severity,
                          const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX], path[NODE_PATH_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    path[0] = '\0';
    if (diag->count < DIAG_MAX) /* what is only counted needs no search for its place in long lists */
        (void)node_path(node, path);
    return diag_add(diag, severity, node->file, node->line, node->column, "%s%s%s", path, path[0] ? ": " : "",
                    message);
}
