/* Groups about WAL on this server: volume, files, archive, recovery, logical subscriptions. */
#include "scrapers/postgres/groups.h"

#define G METRIC_GAUGE
#define C METRIC_COUNTER

#define AGE(time) "extract(epoch FROM clock_timestamp() - " time ")"

static const struct pg_metric wal_metrics[] = {
    {"fraiseql_postgres_wal_records_total", NULL, C, 0, "wal_records", NULL, "WAL records generated."},
    {"fraiseql_postgres_wal_full_page_images_total", NULL, C, 0, "wal_fpi", NULL, "Full page images in WAL."},
    {"fraiseql_postgres_wal_bytes_total", NULL, C, 0, "wal_bytes", NULL, "Bytes of WAL generated."},
    {"fraiseql_postgres_wal_buffers_full_total", NULL, C, 0, "wal_buffers_full", NULL,
     "Times WAL was written because its buffers were full."},
    {"fraiseql_postgres_wal_writes_total", NULL, C, 0, "wal_write", NULL, "Writes of WAL buffers."},
    {"fraiseql_postgres_wal_syncs_total", NULL, C, 0, "wal_sync", NULL, "Syncs of WAL files."},
    {"fraiseql_postgres_wal_write_seconds_total", NULL, C, 0, "wal_write_time", "wal_write_time / 1000",
     "Time spent writing WAL (track_wal_io_timing)."},
    {"fraiseql_postgres_wal_sync_seconds_total", NULL, C, 0, "wal_sync_time", "wal_sync_time / 1000",
     "Time spent syncing WAL (track_wal_io_timing)."},
};

const struct pg_group group_wal = {.name = "wal_stats", .view = "pg_stat_wal", METRIC_ROWS(wal_metrics)};

static const struct pg_metric wal_file_metrics[] = {
    {"pg_wal_segments", NULL, G, 0, NULL, "count(*)", "WAL segments on disk."},
    {"pg_wal_size_bytes", NULL, G, 0, NULL, "coalesce(sum(size), 0)", "Bytes of WAL segments on disk."},
};

const struct pg_group group_wal_files = {
    .name = "wal",
    .needs = "pg_ls_waldir()",
    .from = "FROM pg_catalog.pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'",
    METRIC_ROWS(wal_file_metrics),
};

static const struct pg_metric archiver_metrics[] = {
    {"pg_stat_archiver_archived_count", NULL, C, 0, "archived_count", NULL, "WAL files archived."},
    {"pg_stat_archiver_failed_count", NULL, C, 0, "failed_count", NULL,
     "Failed attempts to archive a WAL file."},
    {"pg_stat_archiver_last_archive_age", NULL, G, 0, "last_archived_time", AGE("last_archived_time"),
     "Seconds since a WAL file was last archived."},
    {"fraiseql_postgres_archiver_last_failure_age_seconds", NULL, G, 0, "last_failed_time",
     AGE("last_failed_time"), "Seconds since archiving last failed."},
    {"fraiseql_postgres_archiver_failing", NULL, G, 0, "last_failed_time",
     "coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)",
     "1 while the last attempt to archive failed."},
};

const struct pg_group group_archiver = {
    .name = "archiver", .view = "pg_stat_archiver", METRIC_ROWS(archiver_metrics)};

static const struct pg_metric prefetch_metrics[] = {
    {"fraiseql_postgres_recovery_prefetch_blocks_total", NULL, C, 0, "prefetch", NULL,
     "Blocks prefetched during recovery."},
    {"fraiseql_postgres_recovery_prefetch_hits_total", NULL, C, 0, "hit", NULL,
     "Blocks not prefetched since they were in memory."},
    {"fraiseql_postgres_recovery_prefetch_distance_bytes", NULL, G, 0, "wal_distance", NULL,
     "Bytes that the prefetcher looks ahead."},
};

const struct pg_group group_recovery_prefetch = {
    .name = "recovery_prefetch",
    .view = "pg_stat_recovery_prefetch",
    .from = "FROM pg_catalog.pg_stat_recovery_prefetch WHERE pg_is_in_recovery()",
    METRIC_ROWS(prefetch_metrics),
};

/* Of a subscription's workers the one without relid and leader applies; the others copy tables or help. */
static const struct pg_metric subscription_metrics[] = {
    {"fraiseql_postgres_subscription_workers", NULL, G, 0, "pid", "count(pid)", "Running workers."},
    {"fraiseql_postgres_subscription_received_lsn", NULL, G, 0, "received_lsn", "max(received_lsn - '0/0')",
     "Last position received from the publisher, in its WAL."},
    {"fraiseql_postgres_subscription_reported_lsn", NULL, G, 0, "latest_end_lsn",
     "max(latest_end_lsn - '0/0')", "Last position reported to the publisher."},
    {"fraiseql_postgres_subscription_last_message_age_seconds", NULL, G, 0, "last_msg_receipt_time",
     "min(" AGE("last_msg_receipt_time") ")", "Seconds since the publisher's last message."},
    {"fraiseql_postgres_subscription_last_report_age_seconds", NULL, G, 0, "latest_end_time",
     "min(" AGE("latest_end_time") ")", "Seconds since progress was last reported to the publisher."},
};

const struct pg_group group_subscriptions = {
    .name = "subscriptions",
    .view = "pg_stat_subscription",
    .from = "FROM pg_catalog.pg_stat_subscription GROUP BY 1",
    .labels = {{"subname", "subname", NULL}},
    METRIC_ROWS(subscription_metrics),
};

#define CONFLICT(kind)                                                                                       \
    {                                                                                                        \
        "fraiseql_postgres_subscription_" kind "_conflicts_total", NULL, C, 0, "confl_" kind, NULL,          \
            "Conflicts of this kind while applying changes."                                                 \
    }

static const struct pg_metric subscription_stat_metrics[] = {
    {"fraiseql_postgres_subscription_apply_errors_total", NULL, C, 0, "apply_error_count", NULL,
     "Errors while applying changes."},
    {"fraiseql_postgres_subscription_sync_errors_total", NULL, C, 0, "sync_error_count", NULL,
     "Errors while copying tables."},
    CONFLICT("insert_exists"),
    CONFLICT("update_origin_differs"),
    CONFLICT("update_exists"),
    CONFLICT("update_missing"),
    CONFLICT("update_deleted"),
    CONFLICT("delete_origin_differs"),
    CONFLICT("delete_missing"),
    {"fraiseql_postgres_subscription_multiple_unique_conflicts_total", NULL, C, 0,
     "confl_multiple_unique_conflicts", NULL,
     "Changes that conflicted with several unique constraints at once."},
};

const struct pg_group group_subscription_stats = {
    .name = "subscription_stats",
    .view = "pg_stat_subscription_stats",
    .labels = {{"subname", "subname", NULL}},
    METRIC_ROWS(subscription_stat_metrics),
};

static const struct pg_metric origin_metrics[] = {
    {"fraiseql_postgres_origin_remote_lsn", NULL, G, 0, "remote_lsn", "remote_lsn - '0/0'",
     "Position of the origin up to which its changes are applied, in its WAL."},
};

const struct pg_group group_origins = {
    .name = "origins",
    .view = "pg_replication_origin_status",
    .needs = "pg_show_replication_origin_status()",
    .labels = {{"origin", "external_id", NULL}},
    METRIC_ROWS(origin_metrics),
};
