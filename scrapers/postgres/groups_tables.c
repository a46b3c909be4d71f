/* Groups with a row for each table of the dsn's database. The largest ones only: `tables_max`, as $1. Ordered
 * by relpages, which only vacuum and analyze change, so that the choice is the same from scrape to scrape. */
#include "scrapers/postgres/groups.h"

#define G METRIC_GAUGE
#define C METRIC_COUNTER

#define LARGEST                                                                                              \
    " JOIN (SELECT oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm', 'p', 't') AND oid >= 16384 "     \
    "ORDER BY relpages DESC, oid LIMIT $1::bigint) largest ON largest.oid = relid"
#define LABELS                                                                                               \
    .labels = {{"datname", "current_database()", NULL},                                                      \
               {"schemaname", "schemaname", NULL},                                                           \
               {"relname", "relname", NULL}}

#define COUNTER(column, help)                                                                                \
    {                                                                                                        \
        "pg_stat_user_tables_" column, NULL, C, ALL_LABELS, column, NULL, help                               \
    }
#define NUMBER(column, help)                                                                                 \
    {                                                                                                        \
        "pg_stat_user_tables_" column, NULL, G, ALL_LABELS, column, NULL, help                               \
    }
/* 0 for never, as postgres_exporter has it. */
#define TIME(column, help)                                                                                   \
    {                                                                                                        \
        "pg_stat_user_tables_" column, NULL, G, ALL_LABELS, column,                                          \
            "coalesce(extract(epoch FROM " column "), 0)", help                                              \
    }

static const struct pg_metric table_metrics[] = {
    COUNTER("seq_scan", "Sequential scans."),
    COUNTER("seq_tup_read", "Rows read by sequential scans."),
    COUNTER("idx_scan", "Index scans."),
    COUNTER("idx_tup_fetch", "Rows fetched by index scans."),
    COUNTER("n_tup_ins", "Rows inserted."),
    COUNTER("n_tup_upd", "Rows updated."),
    COUNTER("n_tup_del", "Rows deleted."),
    COUNTER("n_tup_hot_upd", "Rows updated without a new index entry."),
    COUNTER("n_tup_newpage_upd", "Rows updated with the new version on another page."),
    NUMBER("n_live_tup", "Estimated live rows."),
    NUMBER("n_dead_tup", "Estimated dead rows."),
    NUMBER("n_mod_since_analyze", "Estimated rows changed since the last analyze."),
    NUMBER("n_ins_since_vacuum", "Estimated rows inserted since the last vacuum."),
    TIME("last_vacuum", "Time of the last manual vacuum."),
    TIME("last_autovacuum", "Time of the last autovacuum."),
    TIME("last_analyze", "Time of the last manual analyze."),
    TIME("last_autoanalyze", "Time of the last autoanalyze."),
    COUNTER("vacuum_count", "Manual vacuums."),
    COUNTER("autovacuum_count", "Autovacuums."),
    COUNTER("analyze_count", "Manual analyzes."),
    COUNTER("autoanalyze_count", "Autoanalyzes."),
};

const struct pg_group group_tables = {
    .name = "stat_user_tables",
    .view = "pg_stat_user_tables",
    .from = "FROM pg_catalog.pg_stat_user_tables" LARGEST,
    .pace = PACE_TABLES,
    .flags = GROUP_TABLES,
    LABELS,
    METRIC_ROWS(table_metrics),
};

static const struct pg_metric table_size_metrics[] = {
    {"pg_stat_user_tables_index_size_bytes", NULL, G, ALL_LABELS, NULL, "pg_indexes_size(relid)",
     "Disk space used by the table's indexes."},
    {"pg_stat_user_tables_table_size_bytes", NULL, G, ALL_LABELS, NULL, "pg_table_size(relid)",
     "Disk space used by the table, its TOAST table and its maps."},
};

/* The size functions take a lock on each table and so wait behind an ALTER TABLE: a group of their own. */
const struct pg_group group_table_sizes = {
    .name = "table_size",
    .view = "pg_stat_user_tables",
    .from = "FROM pg_catalog.pg_stat_user_tables" LARGEST,
    .pace = PACE_SIZES,
    .flags = GROUP_TABLES,
    LABELS,
    METRIC_ROWS(table_size_metrics),
};

#define BLOCKS(kind, column, help)                                                                           \
    {                                                                                                        \
        "pg_statio_user_tables_" kind, NULL, C, ALL_LABELS, column, NULL, help                               \
    }

static const struct pg_metric table_io_metrics[] = {
    BLOCKS("heap_blocks_read", "heap_blks_read", "Blocks of the table read."),
    BLOCKS("heap_blocks_hit", "heap_blks_hit", "Blocks of the table found in the buffer cache."),
    BLOCKS("idx_blocks_read", "idx_blks_read", "Blocks of its indexes read."),
    BLOCKS("idx_blocks_hit", "idx_blks_hit", "Blocks of its indexes found in the buffer cache."),
    BLOCKS("toast_blocks_read", "toast_blks_read", "Blocks of its TOAST table read."),
    BLOCKS("toast_blocks_hit", "toast_blks_hit", "Blocks of its TOAST table found in the buffer cache."),
    BLOCKS("tidx_blocks_read", "tidx_blks_read", "Blocks of its TOAST index read."),
    BLOCKS("tidx_blocks_hit", "tidx_blks_hit", "Blocks of its TOAST index found in the buffer cache."),
};

const struct pg_group group_table_io = {
    .name = "statio_user_tables",
    .view = "pg_statio_user_tables",
    .from = "FROM pg_catalog.pg_statio_user_tables" LARGEST,
    .pace = PACE_TABLES,
    .flags = GROUP_TABLES,
    LABELS,
    METRIC_ROWS(table_io_metrics),
};

static const struct pg_metric index_metrics[] = {
    {"pg_statio_user_indexes_idx_blks_read_total", NULL, C, ALL_LABELS, "idx_blks_read", NULL,
     "Blocks of the index read."},
    {"pg_statio_user_indexes_idx_blks_hit_total", NULL, C, ALL_LABELS, "idx_blks_hit", NULL,
     "Blocks of the index found in the buffer cache."},
};

const struct pg_group group_indexes = {
    .name = "statio_user_indexes",
    .view = "pg_statio_user_indexes",
    .from = "FROM pg_catalog.pg_statio_user_indexes" LARGEST,
    .pace = PACE_TABLES,
    .flags = GROUP_TABLES | GROUP_OFF,
    .labels = {{"schemaname", "schemaname", NULL},
               {"relname", "relname", NULL},
               {"indexrelname", "indexrelname", NULL}},
    METRIC_ROWS(index_metrics),
};
