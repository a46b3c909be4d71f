/* Groups about databases and what the server does as a whole. */
#include "scrapers/postgres/groups.h"

#define G METRIC_GAUGE
#define C METRIC_COUNTER

/* Names without _total and times in milliseconds: so they have been for ten years of dashboards. */
#define COUNTER(column, help)                                                                                \
    {                                                                                                        \
        "pg_stat_database_" column, NULL, C, ALL_LABELS, column, NULL, help                                  \
    }

static const struct pg_metric database_metrics[] = {
    {"pg_stat_database_numbackends", NULL, G, ALL_LABELS, "numbackends", NULL, "Backends connected."},
    COUNTER("xact_commit", "Transactions committed."),
    COUNTER("xact_rollback", "Transactions rolled back."),
    COUNTER("blks_read", "Blocks read."),
    COUNTER("blks_hit", "Blocks found in the buffer cache."),
    COUNTER("tup_returned", "Rows returned by scans."),
    COUNTER("tup_fetched", "Rows fetched by queries."),
    COUNTER("tup_inserted", "Rows inserted."),
    COUNTER("tup_updated", "Rows updated."),
    COUNTER("tup_deleted", "Rows deleted."),
    COUNTER("conflicts", "Queries cancelled by conflicts with recovery."),
    COUNTER("temp_files", "Temporary files created."),
    COUNTER("temp_bytes", "Bytes written to temporary files."),
    COUNTER("deadlocks", "Deadlocks detected."),
    COUNTER("checksum_failures", "Pages whose checksum did not match."),
    {"pg_stat_database_checksum_last_failure", NULL, G, ALL_LABELS, "checksum_last_failure",
     "extract(epoch FROM checksum_last_failure)", "Time of the last checksum failure."},
    COUNTER("blk_read_time", "Milliseconds spent reading (track_io_timing)."),
    COUNTER("blk_write_time", "Milliseconds spent writing (track_io_timing)."),
    COUNTER("session_time", "Milliseconds spent in sessions."),
    {NULL, "pg_stat_database_active_time", C, ALL_LABELS, "active_time", NULL,
     "Milliseconds spent executing statements."},
    {"pg_stat_database_active_time_seconds_total", NULL, C, ALL_LABELS, "active_time", "active_time / 1000",
     "Time spent executing statements."},
    COUNTER("idle_in_transaction_time", "Milliseconds spent idle in transaction."),
    COUNTER("sessions", "Sessions established."),
    COUNTER("sessions_abandoned", "Sessions ended by loss of the client."),
    COUNTER("sessions_fatal", "Sessions ended by fatal errors."),
    COUNTER("sessions_killed", "Sessions ended by an operator."),
    {"pg_stat_database_parallel_workers_to_launch", NULL, C, ALL_LABELS, "parallel_workers_to_launch", NULL,
     "Parallel workers planned."},
    {"pg_stat_database_parallel_workers_launched", NULL, C, ALL_LABELS, "parallel_workers_launched", NULL,
     "Parallel workers launched."},
    {"pg_stat_database_stats_reset", NULL, C, ALL_LABELS, "stats_reset", "extract(epoch FROM stats_reset)",
     "Time at which these statistics were last reset."},
};

const struct pg_group group_database = {
    .name = "database",
    .view = "pg_stat_database",
    .labels = {{"datid", "datid", NULL}, {"datname", "datname", NULL}},
    METRIC_ROWS(database_metrics),
};

#define CONFLICT(kind)                                                                                       \
    {                                                                                                        \
        "pg_stat_database_conflicts_confl_" kind, NULL, C, ALL_LABELS, "confl_" kind, NULL,                  \
            "Queries on this standby cancelled by this kind of conflict with recovery."                      \
    }

static const struct pg_metric conflict_metrics[] = {
    CONFLICT("tablespace"), CONFLICT("lock"),     CONFLICT("snapshot"),
    CONFLICT("bufferpin"),  CONFLICT("deadlock"), CONFLICT("active_logicalslot"),
};

const struct pg_group group_database_conflicts = {
    .name = "database_conflicts",
    .view = "pg_stat_database_conflicts",
    .labels = {{"datid", "datid", NULL}, {"datname", "datname", NULL}},
    METRIC_ROWS(conflict_metrics),
};

/* The wraparound ages are transactions, in spite of their compatible names. */
static const struct pg_metric limit_metrics[] = {
    {"pg_database_connection_limit", NULL, G, ALL_LABELS, "datconnlimit", NULL,
     "Connection limit of the database, -1 for none."},
    {"pg_database_wraparound_age_datfrozenxid_seconds", NULL, G, ALL_LABELS, "datfrozenxid",
     "age(datfrozenxid)", "Age of the oldest transaction id that is not frozen, in transactions."},
    {"pg_database_wraparound_age_datminmxid_seconds", NULL, G, ALL_LABELS, "datminmxid",
     "mxid_age(datminmxid)", "Age of the oldest multixact id in use, in multixacts."},
};

const struct pg_group group_database_limits = {
    .name = "database_wraparound",
    .view = "pg_database",
    .from = "FROM pg_catalog.pg_database WHERE datallowconn",
    .labels = {{"datname", "datname", NULL}},
    METRIC_ROWS(limit_metrics),
};

static const struct pg_metric size_metrics[] = {
    {"pg_database_size_bytes", NULL, G, ALL_LABELS, NULL, "pg_database_size(oid)",
     "Disk space used by the database."},
};

const struct pg_group group_database_size = {
    .name = "database_size",
    .view = "pg_database",
    .from = "FROM pg_catalog.pg_database WHERE has_database_privilege(oid, 'CONNECT') "
            "OR pg_has_role('pg_read_all_stats', 'USAGE')",
    .pace = PACE_SIZES,
    .labels = {{"datname", "datname", NULL}},
    METRIC_ROWS(size_metrics),
};

#define BGWRITER(column, help)                                                                               \
    {                                                                                                        \
        "pg_stat_bgwriter_" column "_total", "pg_stat_bgwriter_" column, C, ALL_LABELS, column, NULL, help   \
    }

static const struct pg_metric bgwriter_metrics[] = {
    BGWRITER("checkpoints_timed", "Scheduled checkpoints performed."),
    BGWRITER("checkpoints_req", "Requested checkpoints performed."),
    BGWRITER("checkpoint_write_time", "Milliseconds spent writing in checkpoints."),
    BGWRITER("checkpoint_sync_time", "Milliseconds spent syncing in checkpoints."),
    BGWRITER("buffers_checkpoint", "Buffers written by checkpoints."),
    BGWRITER("buffers_clean", "Buffers written by the background writer."),
    BGWRITER("maxwritten_clean", "Times the background writer stopped since it had written too much."),
    BGWRITER("buffers_backend", "Buffers written by backends."),
    BGWRITER("buffers_backend_fsync", "Syncs that backends had to do themselves."),
    BGWRITER("buffers_alloc", "Buffers allocated."),
    {"pg_stat_bgwriter_stats_reset_total", "pg_stat_bgwriter_stats_reset", C, ALL_LABELS, "stats_reset",
     "extract(epoch FROM stats_reset)", "Time at which these statistics were last reset."},
};

const struct pg_group group_bgwriter = {
    .name = "bgwriter", .view = "pg_stat_bgwriter", METRIC_ROWS(bgwriter_metrics)};

/* From version 17 on checkpoints have a view of their own. The older name beside a row keeps panels alive
 * that were drawn for pg_stat_bgwriter. */
static const struct pg_metric checkpointer_metrics[] = {
    {"pg_stat_checkpointer_num_timed_total", "pg_stat_bgwriter_checkpoints_timed_total", C, ALL_LABELS,
     "num_timed", NULL, "Scheduled checkpoints, also those skipped as idle."},
    {"pg_stat_checkpointer_num_requested_total", "pg_stat_bgwriter_checkpoints_req_total", C, ALL_LABELS,
     "num_requested", NULL, "Requested checkpoints."},
    {"pg_stat_checkpointer_num_done_total", NULL, C, ALL_LABELS, "num_done", NULL, "Checkpoints performed."},
    {"pg_stat_checkpointer_restartpoints_timed_total", NULL, C, ALL_LABELS, "restartpoints_timed", NULL,
     "Scheduled restartpoints."},
    {"pg_stat_checkpointer_restartpoints_req_total", NULL, C, ALL_LABELS, "restartpoints_req", NULL,
     "Requested restartpoints."},
    {"pg_stat_checkpointer_restartpoints_done_total", NULL, C, ALL_LABELS, "restartpoints_done", NULL,
     "Restartpoints performed."},
    {"pg_stat_checkpointer_write_time_total", "pg_stat_bgwriter_checkpoint_write_time_total", C, ALL_LABELS,
     "write_time", NULL, "Milliseconds spent writing in checkpoints and restartpoints."},
    {"pg_stat_checkpointer_sync_time_total", "pg_stat_bgwriter_checkpoint_sync_time_total", C, ALL_LABELS,
     "sync_time", NULL, "Milliseconds spent syncing in checkpoints and restartpoints."},
    {"pg_stat_checkpointer_buffers_written_total", "pg_stat_bgwriter_buffers_checkpoint_total", C, ALL_LABELS,
     "buffers_written", NULL, "Buffers written by checkpoints and restartpoints."},
    {"pg_stat_checkpointer_slru_written_total", NULL, C, ALL_LABELS, "slru_written", NULL,
     "SLRU buffers written by checkpoints and restartpoints."},
    {"pg_stat_checkpointer_stats_reset_total", NULL, C, ALL_LABELS, "stats_reset",
     "extract(epoch FROM stats_reset)", "Time at which these statistics were last reset."},
};

const struct pg_group group_checkpointer = {
    .name = "checkpointer", .view = "pg_stat_checkpointer", METRIC_ROWS(checkpointer_metrics)};

#define IO(name, column, help)                                                                               \
    {                                                                                                        \
        "fraiseql_postgres_io_" name "_total", NULL, C, ALL_LABELS, column, NULL, help                       \
    }
#define IO_TIME(name, column, help)                                                                          \
    {                                                                                                        \
        "fraiseql_postgres_io_" name "_seconds_total", NULL, C, ALL_LABELS, column, column " / 1000", help   \
    }

/* Bytes are counted from version 18 on; before, operations times op_bytes gives them. */
static const struct pg_metric io_metrics[] = {
    IO("reads", "reads", "Read operations."),
    IO("writes", "writes", "Write operations."),
    IO("extends", "extends", "Operations that extended a relation."),
    IO("writebacks", "writebacks", "Requests to the kernel to write back."),
    IO("hits", "hits", "Blocks found in a shared buffer."),
    IO("evictions", "evictions", "Blocks evicted to make room."),
    IO("reuses", "reuses", "Buffers of a ring reused."),
    IO("fsyncs", "fsyncs", "Syncs."),
    IO("read_bytes", "read_bytes", "Bytes read."),
    IO("write_bytes", "write_bytes", "Bytes written."),
    IO("extend_bytes", "extend_bytes", "Bytes by which relations were extended."),
    IO_TIME("read", "read_time", "Time spent reading (track_io_timing)."),
    IO_TIME("write", "write_time", "Time spent writing (track_io_timing)."),
    IO_TIME("extend", "extend_time", "Time spent extending (track_io_timing)."),
    IO_TIME("fsync", "fsync_time", "Time spent syncing (track_io_timing)."),
};

const struct pg_group group_io = {
    .name = "io",
    .view = "pg_stat_io",
    .labels = {{"backend_type", "backend_type", NULL},
               {"object", "object", NULL},
               {"context", "context", NULL}},
    METRIC_ROWS(io_metrics),
};
