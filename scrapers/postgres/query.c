#include "scrapers/postgres/query.h"

#include "lib/core/buf.h"
#include "scrapers/postgres/settings.h"

static bool has_a_name(const struct pg_metric *metric, enum postgres_names names)
{
    if (names == NAMES_NEW)
        return metric->name != NULL;
    return true;
}

static void append_labels(struct buf *sql, const struct pg_group *group, const struct catalog *catalog,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pg_label *label = &group->labels[i];
        bool there = catalog_has(catalog, group->view, label->column);
        buf_printf(sql, "%s(%s)::text", i ? ", " : "", there ? label->sql : "NULL");
    }
}

bool query_build(const struct pg_group *group, const struct catalog *catalog, enum postgres_names names,
                 struct arena *arena, struct query *ret_query)
{
    struct query query = {.group = group, .label_count = pg_group_label_count(group)};
    struct buf sql = BUF_INIT(64UL * 1024);

    if (!catalog_has_view(catalog, group->view) || !catalog_has(catalog, group->view, group->needs))
        return false;
    if (group->flags & GROUP_SETTINGS) {
        query.sql = settings_sql;
        *ret_query = query;
        return true;
    }
    buf_append_text(&sql, "SELECT ");
    append_labels(&sql, group, catalog, query.label_count);
    for (size_t i = 0; i < group->metric_count && query.metric_count < QUERY_MAX_METRICS; i++) {
        const struct pg_metric *metric = &group->metrics[i];
        if (!has_a_name(metric, names) || !catalog_has(catalog, group->view, metric->column))
            continue;
        const char *comma = query.label_count + query.metric_count ? ", " : "";
        buf_printf(&sql, "%s%s", comma, metric->sql ? metric->sql : metric->column);
        query.metrics[query.metric_count++] = metric;
    }
    if (group->from)
        buf_printf(&sql, " %s", group->from);
    else
        buf_printf(&sql, " FROM pg_catalog.%s", group->view);
    query.sql = arena_strdup(arena, buf_str(&sql));
    query.limited = strstr(query.sql, "$1") != NULL;
    buf_deinit(&sql);
    *ret_query = query;
    return query.metric_count > 0;
}
