#include "provisioner/run/keep.h"

struct keep_item {
    const char *address;      /* with its index */
    struct str base;          /* without: what depends_on names */
    const struct node *needs; /* depends_on; NULL: none */
    bool database, keep;
};

struct keep_items {
    struct keep_item *items;
    size_t count, capacity;
};

bool keep_is_database(const char *resource_type)
{
    static const char *const types[] = {"aws_db_instance",
                                        "aws_rds_cluster",
                                        "google_sql_database_instance",
                                        "google_sql_database",
                                        "google_sql_user",
                                        "azurerm_postgresql_flexible_server",
                                        "azurerm_postgresql_flexible_server_database"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i], resource_type) == 0)
            return true;
    }
    return false;
}

static size_t items_of(const struct node *node)
{
    return node && node->kind == NODE_SEQUENCE ? node->count : 0;
}

/* "module.region.aws_subnet.public[0]" -> "module.region.aws_subnet.public". */
static struct str without_index(struct str address)
{
    if (address.len && address.ptr[address.len - 1] == ']') {
        while (address.len && address.ptr[address.len - 1] != '[')
            address.len--;
        address.len -= address.len > 0;
    }
    return address;
}

static void add(struct arena *arena, struct keep_items *list, const struct node *resource)
{
    if (!str_equal_text(node_text(resource, "mode"), "managed"))
        return;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct keep_item *items = arena_alloc(arena, capacity * sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    struct str address = node_text(resource, "address");
    bool database = keep_is_database(node_text(resource, "type").ptr);
    list->items[list->count++] = (struct keep_item){.address = arena_strdup(arena, address),
                                                    .base = without_index(address),
                                                    .needs = node_member(resource, "depends_on"),
                                                    .database = database,
                                                    .keep = database};
}

static void collect(struct arena *arena, struct keep_items *list, const struct node *module, unsigned depth)
{
    const struct node *resources = node_member(module, "resources"),
                      *children = node_member(module, "child_modules");
    for (size_t i = 0; i < items_of(resources); i++)
        add(arena, list, resources->items[i]);
    for (size_t i = 0; depth < 16 && i < items_of(children); i++)
        collect(arena, list, children->items[i], depth + 1);
}

/* True when something new is kept. */
static bool keep_needs(struct keep_items *list, const struct keep_item *item)
{
    bool grown = false;
    for (size_t i = 0; i < items_of(item->needs); i++) {
        struct str need = without_index(item->needs->items[i]->scalar);
        for (size_t j = 0; j < list->count; j++) {
            if (list->items[j].keep || !str_equal(list->items[j].base, need))
                continue;
            list->items[j].keep = grown = true;
        }
    }
    return grown;
}

void keep_databases(struct arena *arena, const struct node *state, struct keep_list *ret)
{
    struct keep_items list = {0};
    collect(arena, &list, node_member(node_member(state, "values"), "root_module"), 0);
    for (bool grown = true; grown;) {
        grown = false;
        for (size_t i = 0; i < list.count; i++)
            grown = (list.items[i].keep && keep_needs(&list, &list.items[i])) || grown;
    }
    *ret = (struct keep_list){.removable = arena_zalloc(arena, (list.count + 1) * sizeof *ret->removable)};
    for (size_t i = 0; i < list.count; i++) {
        ret->database_count += list.items[i].database;
        ret->kept_count += list.items[i].keep;
        if (!list.items[i].keep)
            ret->removable[ret->removable_count++] = list.items[i].address;
    }
}
