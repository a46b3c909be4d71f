/* Keys in the table's spelling, whichever of - and _ the file uses. */
#include "lib/core/str.h"
#include "provisioner/config/internal.h"

static bool alike(struct str key, const char *name)
{
    size_t length = strlen(name);
    bool same = key.len == length;
    for (size_t i = 0; i < length && same; i++) {
        char a = key.ptr[i] == '_' ? '-' : key.ptr[i], b = name[i] == '_' ? '-' : name[i];
        same = a == b;
    }
    return same;
}

static const struct option *find_alike(const struct option_section *section, struct str key)
{
    for (size_t i = 0; i < section->option_count; i++) {
        if (alike(key, section->options[i].name))
            return &section->options[i];
    }
    return NULL;
}

static void remove_pair(struct node *mapping, size_t at)
{
    memmove(&mapping->pairs[at], &mapping->pairs[at + 1], (mapping->count - at - 1) * sizeof *mapping->pairs);
    mapping->count--;
}

/* An earlier key that means the same. */
static const struct node_pair *earlier(const struct node *mapping, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++) {
        if (alike(mapping->pairs[i].key, name))
            return &mapping->pairs[i];
    }
    return NULL;
}

static void descend(const struct option *option, struct node *node, struct diag *diag)
{
    switch ((int)option->type) {
    case OPT_SECTION:
    case OPT_SECTION_PTR:
        spelling_normalize(option->section, node, diag);
        break;
    case OPT_SECTION_LIST:
        for (size_t i = 0; node->kind == NODE_SEQUENCE && i < node->count; i++)
            spelling_normalize(option->section, node->items[i], diag);
        break;
    case OPT_SECTION_MAP:
        for (size_t i = 0; node->kind == NODE_MAPPING && i < node->count; i++)
            spelling_normalize(option->section, node->pairs[i].value, diag);
        break;
    default:
        break;
    }
}

void spelling_normalize(const struct option_section *section, struct node *node, struct diag *diag)
{
    for (size_t i = 0; node->kind == NODE_MAPPING && i < node->count;) {
        struct node_pair *pair = &node->pairs[i];
        const struct option *option = find_alike(section, pair->key);
        const struct node_pair *first = option ? earlier(node, i, option->name) : NULL;
        if (first) {
            (void)diag_add(diag, DIAG_ERROR, node->file, pair->line, pair->column,
                           "\"%s\" is the same as \"%s\" with - for _, and line %u gives it already",
                           pair->key.ptr, option->name, first->line);
            remove_pair(node, i);
            continue;
        }
        if (option) {
            pair->key = str_from(option->name);
            pair->value->key = option->name;
            descend(option, pair->value, diag);
        }
        i++;
    }
}
