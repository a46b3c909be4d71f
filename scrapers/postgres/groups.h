/* What is asked of a server: groups of metrics, one group a statement, one row of a table a metric.
 *
 * A group names the view it reads, the labels of its rows and its metrics. A metric names the column of the
 * view it needs; at connect the catalogue says which columns there are (catalog.h) and the statement is made
 * of those (query.h), so a column that a version lacks costs one metric. To add a metric, add a row.
 *
 * Statements work on a primary and on a standby alike (CASE WHEN pg_is_in_recovery() ...), so a promotion
 * between two statements breaks nothing.
 *
 * Names: `name` is today's (postgres_exporter from 0.12 on, or our own), `legacy` an older spelling of the
 * same value. Which of them are written is the target's switch (enum postgres_names). Sources:
 * postgres_exporter's metric names; PostgreSQL documentation, chapter "Monitoring Database Activity".
 *
 * Ownership: static tables. Threads: immutable. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_GROUPS_H
#define FRAISEQL_SCRAPERS_POSTGRES_GROUPS_H

#include "lib/metrics/snapshot.h"

enum { GROUP_MAX_LABELS = 7, GROUP_MAX = 40 };

/* Values of pg_metric.labels; otherwise bit i stands for the group's label i. */
enum { ALL_LABELS = 0, NO_LABELS = 0x80 };

struct pg_metric {
    const char *name, *legacy; /* either may be NULL, not both */
    enum metric_type type;
    uint8_t labels;     /* which of the group's */
    const char *column; /* of the group's view, or "view.column", "function()"; NULL: always there */
    const char *sql;    /* NULL: the column itself */
    const char *help;
};

struct pg_label {
    const char *name, *sql;
    const char *column; /* as in struct pg_metric; the label is left out when absent */
};

enum group_pace { PACE_SCRAPE, PACE_SETTINGS, PACE_TABLES, PACE_SIZES };

enum group_flag {
    GROUP_OFF = 1,       /* only when asked for by `collect` */
    GROUP_NEW_NAMES = 2, /* only while today's names alone are written */
    GROUP_OLD_NAMES = 4, /* only while older names are written */
    GROUP_TABLES = 8,    /* one row a table: `tables: false` leaves it out */
    GROUP_SETTINGS = 16  /* rows of pg_settings: each is a family (settings.h) */
};

struct pg_group {
    const char *name;  /* label `collector`, word of `collect` */
    const char *view;  /* of pg_catalog or of an extension; must exist. NULL: none */
    const char *needs; /* further requirement, as `column`; NULL: none */
    const char *from;  /* what follows the select list; NULL: FROM pg_catalog.<view> */
    enum group_pace pace;
    unsigned flags;
    struct pg_label labels[GROUP_MAX_LABELS];
    const struct pg_metric *metrics;
    size_t metric_count;
};

/* Ended by NULL. The most wanted first: series over a target's maximum are dropped from the end. */
extern const struct pg_group *const pg_groups[];
/* NULL when there is none. */
const struct pg_group *pg_group_find(const char *name);
size_t pg_group_label_count(const struct pg_group *group);

extern const struct pg_group group_server, group_replication, group_standbys, group_wal_receiver, group_slots,
    group_slot_stats, group_wal, group_wal_files, group_archiver, group_recovery_prefetch,
    group_subscriptions, group_subscription_stats, group_origins;
extern const struct pg_group group_database, group_database_conflicts, group_database_limits,
    group_database_size, group_bgwriter, group_checkpointer, group_io;
extern const struct pg_group group_activity, group_activity_old, group_locks, group_long_transactions,
    group_roles, group_progress_vacuum, group_statements, group_settings;
extern const struct pg_group group_tables, group_table_sizes, group_table_io, group_indexes;

#define METRIC_ROWS(rows) .metrics = (rows), .metric_count = ARRAY_LEN(rows)

#endif
