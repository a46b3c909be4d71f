#include "scrapers/postgres/catalog.h"

#include "lib/core/buf.h"

void catalog_init(struct catalog *catalog)
{
    catalog->arena = arena_new(0);
    map_init(&catalog->names);
}

void catalog_deinit(struct catalog *catalog)
{
    map_deinit(&catalog->names);
    arena_free(catalog->arena);
    catalog->arena = NULL;
}

void catalog_reset(struct catalog *catalog)
{
    map_deinit(&catalog->names);
    map_init(&catalog->names);
    arena_reset(catalog->arena);
}

static void add_key(struct catalog *catalog, char *key)
{
    map_put(&catalog->names, str_from(key), key);
}

void catalog_add(struct catalog *catalog, struct str view, struct str name)
{
    if (view.len == 0) {
        add_key(catalog, arena_printf(catalog->arena, "%.*s()", STR_ARGS(name)));
        return;
    }
    add_key(catalog, arena_printf(catalog->arena, "%.*s.%.*s", STR_ARGS(view), STR_ARGS(name)));
    if (!map_get(&catalog->names, view))
        add_key(catalog, arena_strdup(catalog->arena, view));
}

bool catalog_has_view(const struct catalog *catalog, const char *view)
{
    return !view || map_get(&catalog->names, str_from(view)) != NULL;
}

bool catalog_has(const struct catalog *catalog, const char *view, const char *name)
{
    char key[160];
    struct buf text = BUF_INIT(sizeof key);

    if (!name)
        return true;
    if (strchr(name, '.') || strchr(name, '('))
        return map_get(&catalog->names, str_from(name)) != NULL;
    buf_printf(&text, "%s.%s", view ? view : "", name);
    bool found = map_get(&catalog->names, buf_str(&text)) != NULL;
    buf_deinit(&text);
    return found;
}

static void append_views(struct buf *sql)
{
    struct map seen;

    map_init(&seen);
    for (size_t i = 0; pg_groups[i]; i++) {
        const char *view = pg_groups[i]->view;
        if (!view || map_put(&seen, str_from(view), (void *)(uintptr_t)view))
            continue;
        buf_printf(sql, "%s'%s'", seen.count > 1 ? "," : "", view);
    }
    map_deinit(&seen);
}

static void append_functions(struct buf *sql)
{
    const char *comma = "";

    for (size_t i = 0; pg_groups[i]; i++) {
        const char *needs = pg_groups[i]->needs;
        if (!needs)
            continue;
        buf_printf(sql, "%s'%.*s'", comma, (int)strcspn(needs, "("), needs);
        comma = ",";
    }
}

const char *catalog_sql(struct arena *arena)
{
    struct buf sql = BUF_INIT(64UL * 1024);

    /* Views of extensions live in any schema of the search path: pg_table_is_visible(). */
    buf_append_text(&sql, "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_class c "
                          "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
                          "WHERE a.attnum > 0 AND NOT a.attisdropped AND pg_table_is_visible(c.oid) "
                          "AND c.relname IN (");
    append_views(&sql);
    buf_append_text(&sql, ") UNION ALL SELECT '', proname::text FROM pg_catalog.pg_proc "
                          "WHERE pronamespace = 'pg_catalog'::regnamespace "
                          "AND has_function_privilege(oid, 'EXECUTE') AND proname IN (");
    append_functions(&sql);
    buf_append_text(&sql, ")");
    const char *text = arena_strdup(arena, buf_str(&sql));
    buf_deinit(&sql);
    return text;
}
