/* Groups about sessions, locks, roles, statements and settings. */
#include "scrapers/postgres/groups.h"

#define G METRIC_GAUGE
#define C METRIC_COUNTER

#define STATES                                                                                               \
    "(VALUES ('active'), ('idle'), ('idle in transaction'), ('idle in transaction (aborted)'), "             \
    "('fastpath function call'), ('disabled')) AS s(state) CROSS JOIN pg_catalog.pg_database d "

static const struct pg_metric activity_metrics[] = {
    {"pg_stat_activity_count", NULL, G, ALL_LABELS, NULL, "count(a.pid)", "Sessions in this state."},
    {"pg_stat_activity_max_tx_duration", NULL, G, ALL_LABELS, NULL,
     "coalesce(max(extract(epoch FROM now() - a.xact_start)), 0)",
     "Age of the oldest transaction of these sessions, in seconds."},
};

/* A state without sessions is a 0, so that alerts on a state do not lose their series. */
const struct pg_group group_activity = {
    .name = "activity",
    .view = "pg_stat_activity",
    .from = "FROM " STATES "LEFT JOIN pg_catalog.pg_stat_activity a ON a.datid = d.oid AND a.state = s.state "
            "GROUP BY 1, 2, 3, 4, 5, 6, 7",
    .flags = GROUP_NEW_NAMES,
    .labels = {{"datname", "d.datname", NULL},
               {"state", "s.state", NULL},
               {"usename", "a.usename", NULL},
               {"application_name", "a.application_name", NULL},
               {"backend_type", "a.backend_type", NULL},
               {"wait_event_type", "a.wait_event_type", NULL},
               {"wait_event", "a.wait_event", NULL}},
    METRIC_ROWS(activity_metrics),
};

/* Up to 0.16 the same families had two labels. Both at once would count every session twice. */
const struct pg_group group_activity_old = {
    .name = "activity_states",
    .view = "pg_stat_activity",
    .from = "FROM " STATES "LEFT JOIN pg_catalog.pg_stat_activity a ON a.datid = d.oid AND a.state = s.state "
            "GROUP BY 1, 2",
    .flags = GROUP_OLD_NAMES,
    .labels = {{"datname", "d.datname", NULL}, {"state", "s.state", NULL}},
    METRIC_ROWS(activity_metrics),
};

static const struct pg_metric lock_metrics[] = {
    {"pg_locks_count", NULL, G, ALL_LABELS, NULL, "count(l.pid)", "Locks held or awaited."},
    {"fraiseql_postgres_locks_waiting", NULL, G, ALL_LABELS, "granted",
     "count(l.pid) FILTER (WHERE NOT l.granted)", "Locks awaited."},
};

const struct pg_group group_locks = {
    .name = "locks",
    .view = "pg_locks",
    .from = "FROM (VALUES ('accesssharelock'), ('rowsharelock'), ('rowexclusivelock'), "
            "('shareupdateexclusivelock'), ('sharelock'), ('sharerowexclusivelock'), ('exclusivelock'), "
            "('accessexclusivelock'), ('sireadlock')) AS m(mode) CROSS JOIN pg_catalog.pg_database d "
            "LEFT JOIN pg_catalog.pg_locks l ON l.database = d.oid AND lower(l.mode) = m.mode GROUP BY 1, 2",
    .labels = {{"datname", "d.datname", NULL}, {"mode", "m.mode", NULL}},
    METRIC_ROWS(lock_metrics),
};

static const struct pg_metric long_metrics[] = {
    {"pg_long_running_transactions", NULL, G, ALL_LABELS, NULL, "count(*)",
     "Sessions with an open transaction, except autovacuum's."},
    {"pg_long_running_transactions_oldest_timestamp_seconds", NULL, G, ALL_LABELS, NULL,
     "coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)",
     "Age of the oldest of them, in seconds."},
};

const struct pg_group group_long_transactions = {
    .name = "long_running_transactions",
    .view = "pg_stat_activity",
    .from = "FROM pg_catalog.pg_stat_activity WHERE state IS DISTINCT FROM 'idle' AND query NOT LIKE "
            "'autovacuum:%' "
            "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()",
    METRIC_ROWS(long_metrics),
};

static const struct pg_metric role_metrics[] = {
    {"pg_roles_connection_limit", NULL, G, ALL_LABELS, "rolconnlimit", NULL,
     "Connection limit of the role, -1 for none."},
};

const struct pg_group group_roles = {
    .name = "roles",
    .view = "pg_roles",
    .pace = PACE_SETTINGS,
    .from = "FROM pg_catalog.pg_roles WHERE rolcanlogin AND rolconnlimit <> -1",
    .labels = {{"rolname", "rolname", NULL}},
    METRIC_ROWS(role_metrics),
};

/* Labels 2 is the phase. */
static const struct pg_metric vacuum_metrics[] = {
    {"pg_stat_progress_vacuum_phase", NULL, G, ALL_LABELS, "phase", "1", "The phase that the vacuum is in."},
    {"pg_stat_progress_vacuum_heap_blks", NULL, G, 3, "heap_blks_total", NULL, "Blocks of the table."},
    {"pg_stat_progress_vacuum_heap_blks_scanned", NULL, G, 3, "heap_blks_scanned", NULL, "Blocks scanned."},
    {"pg_stat_progress_vacuum_heap_blks_vacuumed", NULL, G, 3, "heap_blks_vacuumed", NULL,
     "Blocks vacuumed."},
    {"pg_stat_progress_vacuum_index_vacuums", NULL, G, 3, "index_vacuum_count", NULL,
     "Completed rounds over the indexes."},
    {"pg_stat_progress_vacuum_max_dead_tuples", NULL, G, 3, "max_dead_tuples", NULL,
     "Dead rows that can be remembered before a round over the indexes."},
    {"pg_stat_progress_vacuum_num_dead_tuples", NULL, G, 3, "num_dead_tuples", NULL,
     "Dead rows found since the last round."},
};

const struct pg_group group_progress_vacuum = {
    .name = "stat_progress_vacuum",
    .view = "pg_stat_progress_vacuum",
    .labels =
        {{"datname", "datname", NULL},
         {"relname",
          "coalesce(CASE WHEN datname = current_database() THEN relid::regclass::text END, relid::text)",
          NULL},
         {"phase", "phase", NULL}},
    METRIC_ROWS(vacuum_metrics),
};

static const struct pg_metric statement_metrics[] = {
    {"pg_stat_statements_calls_total", NULL, C, ALL_LABELS, "calls", NULL, "Executions."},
    {"pg_stat_statements_seconds_total", NULL, C, ALL_LABELS, "total_exec_time", "total_exec_time / 1000",
     "Time spent executing."},
    {"pg_stat_statements_rows_total", NULL, C, ALL_LABELS, "rows", NULL, "Rows returned or affected."},
    {"pg_stat_statements_block_read_seconds_total", NULL, C, ALL_LABELS, "blk_read_time",
     "blk_read_time / 1000", "Time spent reading blocks (track_io_timing)."},
    {"pg_stat_statements_block_write_seconds_total", NULL, C, ALL_LABELS, "blk_write_time",
     "blk_write_time / 1000", "Time spent writing blocks (track_io_timing)."},
};

/* The hundred statements that took longest. Needs the extension, in the dsn's database and in its
 * search_path. */
const struct pg_group group_statements = {
    .name = "statements",
    .view = "pg_stat_statements",
    .from = "FROM pg_stat_statements JOIN pg_catalog.pg_roles ON pg_roles.oid = userid "
            "JOIN pg_catalog.pg_database ON pg_database.oid = dbid WHERE queryid IS NOT NULL "
            "ORDER BY total_exec_time DESC LIMIT 100",
    .pace = PACE_TABLES,
    .flags = GROUP_OFF,
    .labels = {{"user", "rolname", NULL}, {"datname", "datname", NULL}, {"queryid", "queryid", NULL}},
    METRIC_ROWS(statement_metrics),
};

const struct pg_group group_settings = {
    .name = "settings",
    .view = "pg_settings",
    .pace = PACE_SETTINGS,
    .flags = GROUP_SETTINGS,
};
