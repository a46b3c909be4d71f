#include "provisioner/run/attributes.h"

#define DEPTH_MAX 4U

/* One place of a change: each is NULL where there is nothing. */
struct place {
    const struct node *before, *after, *unknown, *hidden_before, *hidden_after;
};

struct search {
    struct arena *arena;
    bool replaced;
    struct attribute_names *names;
};

static void add(struct search *search, const char *name)
{
    struct attribute_names *names = search->names;
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0)
            return;
    }
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 8;
        const char **items = arena_alloc(search->arena, capacity * sizeof *items);
        if (names->count)
            memcpy(items, names->items, names->count * sizeof *items);
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count++] = arena_strdup(search->arena, str_from(name));
}

static bool is_true(const struct node *node)
{
    return node && node->kind == NODE_SCALAR && node->plain && str_equal_text(node->scalar, "true");
}

static bool is_nothing(const struct node *node)
{
    return !node || node_is_null(node);
}

static bool is_same(const struct node *a, const struct node *b)
{
    if (is_nothing(a) || is_nothing(b))
        return is_nothing(a) && is_nothing(b);
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == NODE_SCALAR)
        return a->plain == b->plain && str_equal(a->scalar, b->scalar);
    for (size_t i = 0; i < a->count; i++) {
        const struct node *other =
            a->kind == NODE_SEQUENCE ? b->items[i] : node_member(b, a->pairs[i].key.ptr);
        if (!other || !is_same(a->kind == NODE_SEQUENCE ? a->items[i] : a->pairs[i].value, other))
            return false;
    }
    return true;
}

static bool any_true(const struct node *node)
{
    if (!node || node->kind == NODE_SCALAR)
        return is_true(node);
    for (size_t i = 0; i < node->count; i++) {
        if (any_true(node->kind == NODE_SEQUENCE ? node->items[i] : node->pairs[i].value))
            return true;
    }
    return false;
}

static bool is_kind(const struct node *node, enum node_kind kind)
{
    return node && node->kind == kind;
}

static const struct node *item_of(const struct node *list, size_t i)
{
    return is_kind(list, NODE_SEQUENCE) && i < list->count ? list->items[i] : NULL;
}

static void look(struct search *search, const char *path, const struct place *place, unsigned depth);

static void look_at_member(struct search *search, const char *path, const struct place *place,
                           const char *key, unsigned depth)
{
    const struct place member = {node_member(place->before, key), node_member(place->after, key),
                                 node_member(place->unknown, key), node_member(place->hidden_before, key),
                                 node_member(place->hidden_after, key)};
    look(search, path[0] ? arena_printf(search->arena, "%s.%s", path, key) : key, &member, depth + 1);
}

/* Members of the first, then those that only the others have. */
static void look_at_members(struct search *search, const char *path, const struct place *place,
                            unsigned depth)
{
    const struct node *const holders[] = {place->before, place->after, place->unknown};
    for (size_t i = 0; i < ARRAY_LEN(holders); i++) {
        for (size_t j = 0; is_kind(holders[i], NODE_MAPPING) && j < holders[i]->count; j++) {
            const char *key = holders[i]->pairs[j].key.ptr;
            bool seen = false;
            for (size_t k = 0; k < i; k++)
                seen = seen || node_member(holders[k], key);
            if (!seen)
                look_at_member(search, path, place, key, depth);
        }
    }
}

static bool are_blocks(const struct node *before, const struct node *after)
{
    return is_kind(before, NODE_SEQUENCE) && is_kind(after, NODE_SEQUENCE) && before->count == after->count &&
           is_kind(item_of(before, 0), NODE_MAPPING) && is_kind(item_of(after, 0), NODE_MAPPING);
}

static void look(struct search *search, const char *path, const struct place *place, unsigned depth)
{
    bool unknown = any_true(place->unknown);
    if (is_same(place->before, place->after) && (!unknown || search->replaced))
        return;
    if (is_true(place->unknown)) {
        if (!search->replaced)
            add(search, path);
    } else if (is_true(place->hidden_before) || is_true(place->hidden_after) || depth == DEPTH_MAX) {
        add(search, path);
    } else if (is_kind(place->before, NODE_MAPPING) && is_kind(place->after, NODE_MAPPING)) {
        look_at_members(search, path, place, depth);
    } else if (are_blocks(place->before, place->after)) {
        for (size_t i = 0; i < place->before->count; i++) {
            const struct place item = {place->before->items[i], place->after->items[i],
                                       item_of(place->unknown, i), item_of(place->hidden_before, i),
                                       item_of(place->hidden_after, i)};
            look(search, path, &item, depth);
        }
    } else {
        add(search, path);
    }
}

/* "[["settings",0,"tier"]]": positions in lists are left out. */
static void add_forcing(struct search *search, const struct node *paths)
{
    for (size_t i = 0; is_kind(paths, NODE_SEQUENCE) && i < paths->count; i++) {
        const struct node *path = paths->items[i];
        const char *name = "";
        for (size_t j = 0; is_kind(path, NODE_SEQUENCE) && j < path->count; j++) {
            const struct node *part = path->items[j];
            if (part->kind == NODE_SCALAR && !part->plain)
                name = arena_printf(search->arena, "%s%s%s", name, name[0] ? "." : "", part->scalar.ptr);
        }
        if (name[0])
            add(search, name);
    }
}

void attributes_of_change(const struct node *change, bool replaced, struct arena *arena,
                          struct attribute_names *ret)
{
    struct search search = {arena, replaced, ret};
    const struct place whole = {node_member(change, "before"), node_member(change, "after"),
                                node_member(change, "after_unknown"), node_member(change, "before_sensitive"),
                                node_member(change, "after_sensitive")};
    *ret = (struct attribute_names){0};
    if (replaced)
        add_forcing(&search, node_member(change, "replace_paths"));
    if (is_kind(whole.before, NODE_MAPPING) && is_kind(whole.after, NODE_MAPPING))
        look_at_members(&search, "", &whole, 0);
}
