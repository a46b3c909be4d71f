/* The tables of metrics, the catalogue and the statements made of the two. */
#include "scrapers/postgres/groups.h"

#include "lib/core/map.h"
#include "lib/metrics/label.h"
#include "scrapers/postgres/query.h"
#include "tests/support/support.h"

static struct arena *arena;
static struct catalog catalog;

static void set_up(void)
{
    arena = arena_new(0);
    catalog_init(&catalog);
}

static void tear_down(void)
{
    catalog_deinit(&catalog);
    arena_free(arena);
}

static void has(const char *view, const char *column)
{
    catalog_add(&catalog, str_from(view), str_from(column));
}

/* Everything that any version has. */
static void has_all(void)
{
    for (size_t i = 0; pg_groups[i]; i++) {
        const struct pg_group *group = pg_groups[i];
        if (group->view)
            has(group->view, "x");
        for (size_t j = 0; j < group->metric_count; j++) {
            if (group->view && group->metrics[j].column)
                has(group->view, group->metrics[j].column);
        }
        if (group->needs)
            catalog_add(&catalog, (struct str){0}, (struct str){group->needs, strcspn(group->needs, "(")});
    }
}

static void check_name(struct map *families, const char *name, const struct pg_metric *metric)
{
    if (!name)
        return;
    ck_assert_msg(metric_name_valid(str_from(name)), "%s", name);
    const struct pg_metric *former = map_put(families, str_from(name), (void *)(uintptr_t)metric);
    /* A name may come from several groups, of which a server has one; then its type is the same. */
    ck_assert_msg(!former || former->type == metric->type, "%s has two types", name);
}

START_TEST(every_row_is_well_formed)
{
    struct map families;
    map_init(&families);
    for (size_t i = 0; pg_groups[i]; i++) {
        const struct pg_group *group = pg_groups[i];
        ck_assert_ptr_eq(pg_group_find(group->name), group);
        size_t labels = pg_group_label_count(group);
        ck_assert_uint_lt(i, GROUP_MAX);
        ck_assert_uint_le(group->metric_count, QUERY_MAX_METRICS);
        for (size_t j = 0; j < labels; j++)
            ck_assert(label_name_valid(str_from(group->labels[j].name)));
        for (size_t j = 0; j < group->metric_count; j++) {
            const struct pg_metric *metric = &group->metrics[j];
            check_name(&families, metric->name, metric);
            check_name(&families, metric->legacy, metric);
            ck_assert(metric->name || metric->legacy);
            ck_assert(metric->sql || metric->column);
            ck_assert_msg(metric->help && metric->help[strlen(metric->help) - 1] == '.', "%s", metric->name);
            ck_assert(metric->labels == NO_LABELS || metric->labels >> labels == 0);
            /* promtool: a counter of our own ends in _total. */
            if (metric->type == METRIC_COUNTER && metric->name && strncmp(metric->name, "fraiseql_", 9) == 0)
                ck_assert_msg(str_ends(str_from(metric->name), STR("_total")), "%s", metric->name);
        }
    }
    map_deinit(&families);
}
END_TEST

START_TEST(a_missing_column_costs_one_metric)
{
    struct query all, some;
    has_all();
    ck_assert(query_build(&group_wal, &catalog, NAMES_NEW, arena, &all));
    ck_assert_contains(all.sql, "wal_write_time / 1000");
    catalog_reset(&catalog);
    has("pg_stat_wal", "wal_records");
    has("pg_stat_wal", "wal_bytes");
    ck_assert(query_build(&group_wal, &catalog, NAMES_NEW, arena, &some));
    ck_assert_str_eq(some.sql, "SELECT wal_records, wal_bytes FROM pg_catalog.pg_stat_wal");
    ck_assert_uint_eq(some.metric_count, 2);
    ck_assert_uint_lt(some.metric_count, all.metric_count);
    catalog_reset(&catalog);
    ck_assert(!query_build(&group_wal, &catalog, NAMES_NEW, arena, &some));
}
END_TEST

START_TEST(a_function_that_may_not_be_called_costs_its_group)
{
    struct query query;
    ck_assert(!query_build(&group_wal_files, &catalog, NAMES_NEW, arena, &query));
    catalog_add(&catalog, (struct str){0}, STR("pg_ls_waldir"));
    ck_assert(query_build(&group_wal_files, &catalog, NAMES_NEW, arena, &query));
}
END_TEST

START_TEST(a_missing_label_keeps_its_place)
{
    struct query query;
    has("pg_replication_slots", "active");
    ck_assert(query_build(&group_slots, &catalog, NAMES_NEW, arena, &query));
    ck_assert_contains(query.sql, "(slot_type)::text, (NULL)::text, active");
    has("pg_replication_slots", "wal_status");
    ck_assert(query_build(&group_slots, &catalog, NAMES_NEW, arena, &query));
    ck_assert_contains(query.sql, "(wal_status)::text, active");
}
END_TEST

START_TEST(metrics_with_an_old_name_alone_are_asked_only_where_written)
{
    struct query query;
    has("pg_stat_database", "active_time");
    ck_assert(query_build(&group_database, &catalog, NAMES_NEW, arena, &query));
    ck_assert_uint_eq(query.metric_count, 1);
    ck_assert(query_build(&group_database, &catalog, NAMES_BOTH, arena, &query));
    ck_assert_uint_eq(query.metric_count, 2);
}
END_TEST

START_TEST(the_catalogue_asks_for_each_view_once)
{
    const char *sql = catalog_sql(arena);
    const char *first = strstr(sql, "'pg_stat_replication'");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "'pg_stat_replication'"));
    ck_assert_contains(sql, "'pg_ls_waldir'");
    ck_assert(catalog_has(&catalog, "x", NULL));
    ck_assert(catalog_has_view(&catalog, NULL));
    ck_assert(!catalog_has_view(&catalog, "x"));
    has("x", "y");
    ck_assert(catalog_has(&catalog, "x", "y"));
    ck_assert(catalog_has(&catalog, "other", "x.y"));
    ck_assert(!catalog_has(&catalog, "x", "z"));
    ck_assert(!catalog_has(&catalog, "x", "y()"));
}
END_TEST

static Suite *groups_suite(void)
{
    Suite *suite = suite_create("postgres_groups");
    TCase *tcase = tcase_create("groups");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_row_is_well_formed);
    tcase_add_test(tcase, a_missing_column_costs_one_metric);
    tcase_add_test(tcase, a_function_that_may_not_be_called_costs_its_group);
    tcase_add_test(tcase, a_missing_label_keeps_its_place);
    tcase_add_test(tcase, metrics_with_an_old_name_alone_are_asked_only_where_written);
    tcase_add_test(tcase, the_catalogue_asks_for_each_view_once);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(groups_suite)
