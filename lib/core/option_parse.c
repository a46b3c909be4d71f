/* Sections: unknown and missing keys, nesting, defaults. */
#include "lib/core/option_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* One pass over a section. `defaults_only`: fill what is left out and report nothing. */
struct pass {
    struct arena *arena;
    struct diag *diag;
    bool defaults_only;
};

static void parse_section(const struct pass *pass, const struct option_section *section,
                          const struct node *node, void *config);

static void *member_of(void *config, const struct option *option)
{
    return (char *)config + option->offset;
}

static const struct option *find_option(const struct option_section *section, struct str key)
{
    const struct option *rest = NULL;
    for (size_t i = 0; i < section->option_count; i++) {
        if (option_is_rest(&section->options[i]))
            rest = &section->options[i];
        else if (str_equal_text(key, section->options[i].name))
            return &section->options[i];
    }
    return rest;
}

#define NAMES_MAX 256

/* The name that an unknown key was meant to be, NULL when it is like none. */
static const char *nearest_name(const struct option_section *section, const struct node_pair *pair)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    while (count < section->option_count && count < NAMES_MAX) {
        names[count] = section->options[count].name;
        count++;
    }
    return str_nearest(pair->key.ptr, names, count);
}

/* True when an unknown key is told to be this one misspelt: then it is not said to be missing as well. */
static bool is_misspelt(const struct option_section *section, const struct node *node, const char *name)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct node_pair *pair = &node->pairs[i];
        const char *nearest = find_option(section, pair->key) ? NULL : nearest_name(section, pair);
        if (nearest && strcmp(nearest, name) == 0)
            return true;
    }
    return false;
}

static void refuse_unknown(const struct option_section *section, const struct node *node,
                           const struct node_pair *pair, struct diag *diag)
{
    char path[NODE_PATH_MAX], all[OPTION_TEXT_MAX];
    size_t used = 0;
    all[0] = '\0';
    for (size_t i = 0; i < section->option_count && used < sizeof all; i++)
        used +=
            (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", section->options[i].name);
    path[0] = '\0';
    if (diag->count < DIAG_MAX)
        (void)node_path(node, path);
    const char *nearest = nearest_name(section, pair);
    struct error *error =
        diag_add(diag, DIAG_ERROR, node->file, pair->line, pair->column, "unknown key \"%.*s\"%s%s%s%s%s",
                 (int)(pair->key.len < 80 ? pair->key.len : 80), pair->key.ptr, path[0] ? " in " : "", path,
                 nearest ? ": did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    if (!nearest && used < sizeof all)
        error_set_hint(error, "known are %s", all);
}

/* True when the node is a mapping or nothing; reports otherwise. */
static bool check_mapping(const struct option *option, const struct node *node, struct diag *diag)
{
    if (node->kind == NODE_MAPPING || node_is_null(node))
        return true;
    option_refuse_kind(option, node, diag);
    return false;
}

static void check_not_empty(const struct option *option, const struct node *node, struct diag *diag)
{
    if (option->not_empty && !node->count)
        (void)node_report(node, diag, DIAG_ERROR, "must not be empty");
}

/* With `section` NULL the whole mapping, otherwise (row "*") the keys that the section does not name. */
static void parse_string_map(const struct pass *pass, const struct option *option,
                             const struct option_section *section, const struct node *node,
                             struct string_map *ret_map)
{
    struct option item = *option;
    item.type = OPT_STRING;
    item.not_empty = false;
    ret_map->count = 0;
    ret_map->items = arena_zalloc(pass->arena, node->count * sizeof *ret_map->items);
    for (size_t i = 0; i < node->count; i++) {
        const struct node_pair *pair = &node->pairs[i];
        if (section && find_option(section, pair->key) != option)
            continue;
        struct string_pair *entry = &ret_map->items[ret_map->count++];
        *entry = (struct string_pair){arena_strdup(pass->arena, pair->key), ""};
        option_parse_scalar(&item, pair->value, pass->arena, (void *)&entry->value, pass->diag);
    }
}

static void parse_section_list(const struct pass *pass, const struct option *option, const struct node *node,
                               struct section_list *ret_list)
{
    if (node->kind != NODE_SEQUENCE && !node_is_null(node)) {
        option_refuse_kind(option, node, pass->diag);
        return;
    }
    check_not_empty(option, node, pass->diag);
    ret_list->items = arena_zalloc(pass->arena, node->count * option->section->size);
    ret_list->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        if (item->kind == NODE_MAPPING)
            parse_section(pass, option->section, item, (char *)ret_list->items + i * option->section->size);
        else
            (void)node_report(item, pass->diag, DIAG_ERROR, "want a mapping, found %s", node_kind_text(item));
    }
}

static void parse_section_map(const struct pass *pass, const struct option *option, const struct node *node,
                              struct section_list *ret_list)
{
    if (!check_mapping(option, node, pass->diag))
        return;
    check_not_empty(option, node, pass->diag);
    ret_list->items = arena_zalloc(pass->arena, node->count * option->section->size);
    ret_list->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->pairs[i].value;
        void *element = (char *)ret_list->items + i * option->section->size;
        *(const char **)element = arena_strdup(pass->arena, node->pairs[i].key);
        if (item->kind == NODE_MAPPING || node_is_null(item))
            parse_section(pass, option->section, item, element);
        else
            (void)node_report(item, pass->diag, DIAG_ERROR, "want a mapping, found %s", node_kind_text(item));
    }
}

static void parse_nested(const struct pass *pass, const struct option *option, const struct node *node,
                         void *member)
{
    if (!check_mapping(option, node, pass->diag))
        return;
    if (option->type == OPT_SECTION_PTR) {
        void *nested = arena_zalloc(pass->arena, option->section->size);
        parse_section(pass, option->section, node, nested);
        *(void **)member = nested;
        return;
    }
    parse_section(pass, option->section, node, member);
}

static void parse_member(const struct pass *pass, const struct option *option, const struct node *node,
                         void *member)
{
    switch ((int)option->type) {
    case OPT_STRING_LIST:
        option_parse_string_list(option, node, pass->arena, member, pass->diag);
        break;
    case OPT_INT_LIST:
        option_parse_int_list(option, node, pass->arena, member, pass->diag);
        break;
    case OPT_STRING_MAP:
        if (check_mapping(option, node, pass->diag)) {
            check_not_empty(option, node, pass->diag);
            parse_string_map(pass, option, NULL, node, member);
        }
        break;
    case OPT_SECTION:
    case OPT_SECTION_PTR:
        parse_nested(pass, option, node, member);
        break;
    case OPT_SECTION_LIST:
        parse_section_list(pass, option, node, member);
        break;
    case OPT_SECTION_MAP:
        parse_section_map(pass, option, node, member);
        break;
    case OPT_DYNAMIC: {
        size_t before = pass->diag->errors;
        /* A hook that fails without a word must not pass for a good configuration. */
        if (option->parse(option, node, pass->arena, member, pass->diag) < 0 && pass->diag->errors == before)
            (void)node_report(node, pass->diag, DIAG_ERROR, "is refused");
        break;
    }
    default:
        option_parse_scalar(option, node, pass->arena, member, pass->diag);
    }
}

static NO_RETURN void bad_default(const struct option *option, const struct diag *diag)
{
    (void)fprintf(stderr, "bug: the default of option \"%s\" is refused:\n", option->name);
    diag_print(diag, 2);
    abort();
}

static void parse_default(const struct pass *pass, const struct option *option, void *member)
{
    struct diag diag;
    diag_init(&diag);
    struct node *node = arena_zalloc(pass->arena, sizeof *node);
    node->file = "default";
    node->scalar = str_from(option->default_text);
    if (option->type >= OPT_STRING_LIST && yaml_parse(pass->arena, "default", node->scalar, &node, &diag))
        bad_default(option, &diag);
    struct pass inner = {.arena = pass->arena, .diag = &diag};
    parse_member(&inner, option, node, member);
    if (diag.errors)
        bad_default(option, &diag);
    diag_deinit(&diag);
}

/* The value of an option whose key is not there. */
static void fill_absent(const struct pass *pass, const struct option_section *section,
                        const struct option *option, const struct node *node, void *member)
{
    if (option->required && !pass->defaults_only) {
        if (!is_misspelt(section, node, option->name))
            (void)node_report(node, pass->diag, DIAG_ERROR, "\"%s\" is missing", option->name);
    } else if (option->default_text) {
        parse_default(pass, option, member);
    } else if (option->type == OPT_SECTION) {
        struct node *empty = arena_zalloc(pass->arena, sizeof *empty);
        *empty = (struct node){.kind = NODE_MAPPING,
                               .line = node->line,
                               .column = node->column,
                               .file = node->file,
                               .parent = node,
                               .key = option->name};
        struct pass inner = *pass;
        inner.defaults_only |= is_misspelt(section, node, option->name);
        parse_section(&inner, option->section, empty, member);
    }
}

static void check_one_of(const struct option_section *section, const struct node *node, struct diag *diag)
{
    const char *const *names = section->one_of;
    const struct node_pair *first = NULL;
    char all[OPTION_TEXT_MAX] = "";
    size_t used = 0;
    for (size_t i = 0; names && names[i]; i++) {
        const struct node_pair *pair = node_find(node, names[i]);
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s",
                                     !i             ? ""
                                     : names[i + 1] ? ", "
                                                    : " or ",
                                     names[i]);
        if (pair && first)
            (void)node_report(pair->value, diag, DIAG_ERROR, "cannot be given together with \"%s\"",
                              first->key.ptr);
        else if (pair)
            first = pair;
    }
    if (names && section->one_of_required && !first)
        (void)node_report(node, diag, DIAG_ERROR, "one of %s is missing", all);
}

static void record_position(const struct pass *pass, const struct option_section *section,
                            const struct node *node, void *config)
{
    if (!section->has_position)
        return;
    struct option_position *position = (void *)((char *)config + section->position_offset);
    *position = (struct option_position){.line = node->line, .column = node->column};
    position->file = node->file ? arena_strdup(pass->arena, str_from(node->file)) : NULL;
}

static void parse_section(const struct pass *pass, const struct option_section *section,
                          const struct node *node, void *config)
{
    size_t before = pass->defaults_only ? 0 : pass->diag->errors;
    record_position(pass, section, node, config);
    for (size_t i = 0; i < node->count; i++) {
        if (!find_option(section, node->pairs[i].key))
            refuse_unknown(section, node, &node->pairs[i], pass->diag);
    }
    for (size_t i = 0; i < section->option_count; i++) {
        const struct option *option = &section->options[i];
        void *member = member_of(config, option);
        const struct node_pair *pair = option_is_rest(option) ? NULL : node_find(node, option->name);
        if (option_is_rest(option))
            parse_string_map(pass, option, section, node, member);
        else if (pair)
            parse_member(pass, option, pair->value, member);
        else
            fill_absent(pass, section, option, node, member);
    }
    if (pass->defaults_only)
        return;
    check_one_of(section, node, pass->diag);
    if (section->check && pass->diag->errors == before)
        section->check(config, node, pass->diag);
}

int option_parse(const struct option_section *section, const struct node *node, struct arena *arena,
                 void *config, struct diag *diag)
{
    struct pass pass = {.arena = arena, .diag = diag};
    size_t before = diag->errors;
    if (node->kind == NODE_MAPPING || node_is_null(node))
        parse_section(&pass, section, node, config);
    else
        (void)node_report(node, diag, DIAG_ERROR, "want a mapping, found %s", node_kind_text(node));
    return diag->errors == before ? 0 : ERR_CONFIG;
}

void option_defaults(const struct option_section *section, struct arena *arena, void *config)
{
    static const struct node empty = {.kind = NODE_MAPPING};
    struct pass pass = {.arena = arena, .defaults_only = true};
    parse_section(&pass, section, &empty, config);
}
