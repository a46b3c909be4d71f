/* Groups about WAL and replication, as seen from either side. */
#include "scrapers/postgres/groups.h"

#define G METRIC_GAUGE
#define C METRIC_COUNTER

/* Where this server's WAL ends: what it has written, or as a standby what it has received. */
#define CURRENT_LSN                                                                                          \
    "CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) "      \
    "ELSE pg_current_wal_lsn() END"
/* The whole 64 bits would lose digits in a double; postgres_exporter's reduction keeps differences right. */
#define AS_DOUBLE(lsn) "(" lsn " - '0/0') % (2^52)::bigint"
#define AGE(time)      "extract(epoch FROM clock_timestamp() - " time ")"

static const struct pg_metric server_metrics[] = {
    {"pg_postmaster_start_time_seconds", NULL, G, NO_LABELS, NULL,
     "extract(epoch FROM pg_postmaster_start_time())", "Time at which the server started."},
    {"pg_replication_is_replica", NULL, G, NO_LABELS, NULL, "pg_is_in_recovery()",
     "1 while the server is in recovery."},
    {"pg_replication_lag_seconds", "pg_replication_lag", G, NO_LABELS, NULL,
     "CASE WHEN NOT pg_is_in_recovery() THEN 0 "
     "WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 "
     "ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END",
     "postgres_exporter's lag: 0 on a cut link. Use fraiseql_postgres_replication_lag_seconds."},
    {"pg_replication_last_replay_seconds", NULL, G, NO_LABELS, NULL,
     "extract(epoch FROM now() - pg_last_xact_replay_timestamp())",
     "Seconds since the last replayed commit was made, by the servers' clocks."},
    {"pg_xlog_location_bytes", NULL, G, NO_LABELS, NULL, AS_DOUBLE("(" CURRENT_LSN ")"),
     "Position at the end of the WAL, modulo 2^52."},
    {"pg_static", NULL, G, ALL_LABELS, NULL, "1", "Version of the server."},
    {"fraiseql_postgres_recovery_paused", NULL, G, NO_LABELS, NULL,
     "CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END",
     "1 while replay is paused on request."},
    {"fraiseql_postgres_max_connections_used_ratio", NULL, G, NO_LABELS, NULL,
     "(SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend') / "
     "current_setting('max_connections')::float8",
     "Client connections as a share of max_connections."},
    {"fraiseql_postgres_oldest_transaction_age_seconds", NULL, G, NO_LABELS, NULL,
     "coalesce((SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) FROM "
     "pg_catalog.pg_stat_activity "
     "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()), 0)",
     "Age of the oldest open transaction of a client."},
};

const struct pg_group group_server = {
    .name = "server",
    .from = "",
    .labels = {{"version", "version()", NULL},
               {"short_version",
                "format('%s.%s.0', current_setting('server_version_num')::int / 10000, "
                "current_setting('server_version_num')::int % 10000)",
                NULL}},
    METRIC_ROWS(server_metrics),
};

/* Several standbys may have one name, address and state; then the series is that of the farthest behind. */
static const struct pg_metric replication_metrics[] = {
    {"pg_stat_replication_pg_current_wal_lsn_bytes", NULL, G, 0, NULL,
     "max(" AS_DOUBLE("(" CURRENT_LSN ")") ")", "WAL position of this server in bytes, modulo 2^52."},
    {"pg_stat_replication_pg_wal_lsn_diff", NULL, G, 0, "replay_lsn",
     "max(pg_wal_lsn_diff(" CURRENT_LSN ", replay_lsn))",
     "Bytes of WAL that the standby has not replayed yet."},
    {"pg_stat_replication_reply_time", NULL, G, 0, "reply_time", "min(extract(epoch FROM reply_time))",
     "Time of the standby's last reply, by its clock."},
};

const struct pg_group group_replication = {
    .name = "replication",
    .view = "pg_stat_replication",
    .from = "FROM pg_catalog.pg_stat_replication r LEFT JOIN pg_catalog.pg_replication_slots s "
            "ON s.active_pid = r.pid GROUP BY 1, 2, 3, 4",
    .labels = {{"application_name", "r.application_name", NULL},
               {"client_addr", "host(r.client_addr)", NULL},
               {"state", "r.state", NULL},
               {"slot_name", "s.slot_name", NULL}},
    METRIC_ROWS(replication_metrics),
};

static const struct pg_metric standby_metrics[] = {
    {"fraiseql_postgres_standbys", NULL, G, 31, NULL, "count(*)", "Standbys connected with these labels."},
    {"fraiseql_postgres_standby_sent_lag_bytes", NULL, G, 7, "sent_lsn",
     "max(pg_wal_lsn_diff(" CURRENT_LSN ", sent_lsn))", "Bytes of WAL not yet sent to the standby."},
    {"fraiseql_postgres_standby_write_lag_bytes", NULL, G, 7, "write_lsn",
     "max(pg_wal_lsn_diff(" CURRENT_LSN ", write_lsn))", "Bytes of WAL that the standby has not written."},
    {"fraiseql_postgres_standby_flush_lag_bytes", NULL, G, 7, "flush_lsn",
     "max(pg_wal_lsn_diff(" CURRENT_LSN ", flush_lsn))", "Bytes of WAL that the standby has not flushed."},
    {"fraiseql_postgres_standby_replay_lag_bytes", NULL, G, 7, "replay_lsn",
     "max(pg_wal_lsn_diff(" CURRENT_LSN ", replay_lsn))", "Bytes of WAL that the standby has not replayed."},
    {"fraiseql_postgres_standby_write_lag_seconds", NULL, G, 7, "write_lag",
     "max(extract(epoch FROM write_lag))",
     "Round trip until WAL is written by the standby; absent when idle."},
    {"fraiseql_postgres_standby_flush_lag_seconds", NULL, G, 7, "flush_lag",
     "max(extract(epoch FROM flush_lag))",
     "Round trip until WAL is flushed by the standby; absent when idle."},
    {"fraiseql_postgres_standby_replay_lag_seconds", NULL, G, 7, "replay_lag",
     "max(extract(epoch FROM replay_lag))",
     "Round trip until WAL is replayed by the standby; absent when idle."},
    {"fraiseql_postgres_standby_reply_age_seconds", NULL, G, 7, "reply_time", "max(" AGE("reply_time") ")",
     "Seconds since the standby's last reply: grows on a cut link."},
};

const struct pg_group group_standbys = {
    .name = "standbys",
    .view = "pg_stat_replication",
    .from = "FROM pg_catalog.pg_stat_replication r LEFT JOIN pg_catalog.pg_replication_slots s "
            "ON s.active_pid = r.pid GROUP BY 1, 2, 3, 4, 5",
    .labels = {{"application_name", "r.application_name", NULL},
               {"client_addr", "host(r.client_addr)", NULL},
               {"slot_name", "s.slot_name", NULL},
               {"state", "r.state", NULL},
               {"sync_state", "r.sync_state", NULL}},
    METRIC_ROWS(standby_metrics),
};

static const struct pg_metric receiver_metrics[] = {
    {"pg_stat_wal_receiver_receive_start_lsn", NULL, C, 0, "receive_start_lsn",
     AS_DOUBLE("receive_start_lsn"), "Position at which the WAL receiver started, modulo 2^52."},
    {"pg_stat_wal_receiver_receive_start_tli", NULL, G, 0, "receive_start_tli", NULL,
     "Timeline at which the WAL receiver started."},
    {"pg_stat_wal_receiver_flushed_lsn", NULL, C, 0, "flushed_lsn", AS_DOUBLE("flushed_lsn"),
     "Position up to which WAL is received and flushed, modulo 2^52."},
    {"pg_stat_wal_receiver_received_tli", NULL, G, 0, "received_tli", NULL,
     "Timeline of the last received WAL."},
    {"pg_stat_wal_receiver_last_msg_send_time", NULL, C, 0, "last_msg_send_time",
     "extract(epoch FROM last_msg_send_time)",
     "Time at which the sender sent its last message, by its clock."},
    {"pg_stat_wal_receiver_last_msg_receipt_time", NULL, C, 0, "last_msg_receipt_time",
     "extract(epoch FROM last_msg_receipt_time)", "Time at which the last message was received."},
    {"pg_stat_wal_receiver_latest_end_lsn", NULL, C, 0, "latest_end_lsn", AS_DOUBLE("latest_end_lsn"),
     "Last position reported to the sender, modulo 2^52."},
    {"pg_stat_wal_receiver_latest_end_time", NULL, C, 0, "latest_end_time",
     "extract(epoch FROM latest_end_time)", "Time of the last position reported to the sender."},
    {"pg_stat_wal_receiver_upstream_node", NULL, G, 0, "slot_name",
     "coalesce(substring(slot_name FROM 'repmgr_slot_([0-9]*)'), '0')",
     "Number in a slot name made by repmgr."},
    {"fraiseql_postgres_wal_receiver_last_message_age_seconds", NULL, G, 0, "last_msg_receipt_time",
     AGE("last_msg_receipt_time"), "Seconds since the sender's last message: grows on a cut link."},
};

const struct pg_group group_wal_receiver = {
    .name = "wal_receiver",
    .view = "pg_stat_wal_receiver",
    .from = "FROM pg_catalog.pg_stat_wal_receiver WHERE status IS NOT NULL",
    .labels = {{"upstream_host", "sender_host", "sender_host"},
               {"slot_name", "slot_name", "slot_name"},
               {"status", "status", NULL}},
    METRIC_ROWS(receiver_metrics),
};

static const struct pg_metric slot_metrics[] = {
    {"pg_replication_slots_active", NULL, G, 3, "active", NULL, "1 while the slot is in use."},
    {"pg_replication_slots_pg_wal_lsn_diff", NULL, G, 3, "restart_lsn",
     "pg_wal_lsn_diff(" CURRENT_LSN ", restart_lsn)", "Bytes of WAL that the slot retains."},
    {"pg_replication_slots_slot_current_wal_lsn", "pg_replication_slot_slot_current_wal_lsn", G, 5, NULL,
     "(" CURRENT_LSN ") - '0/0'", "WAL position of this server."},
    {"pg_replication_slots_slot_confirmed_flush_lsn", "pg_replication_slot_slot_confirmed_flush_lsn", G, 5,
     "confirmed_flush_lsn", "coalesce(confirmed_flush_lsn, '0/0') - '0/0'",
     "Position that a logical subscriber has confirmed."},
    {"pg_replication_slots_slot_is_active", "pg_replication_slot_slot_is_active", G, 5, "active", NULL,
     "1 while the slot is in use."},
    {"pg_replication_slots_safe_wal_size_bytes", "pg_replication_slot_safe_wal_size_bytes", G, 5,
     "safe_wal_size", NULL, "Bytes that may be written before the slot is in danger of being lost."},
    {"pg_replication_slots_wal_status", "pg_replication_slot_wal_status", G, 13, "wal_status", "1",
     "Availability of the WAL that the slot claims."},
    {"fraiseql_postgres_slot_retained_bytes", NULL, G, 5, "restart_lsn",
     "pg_wal_lsn_diff(" CURRENT_LSN ", restart_lsn)", "Bytes of WAL that the slot retains."},
    {"fraiseql_postgres_slot_unconfirmed_bytes", NULL, G, 5, "confirmed_flush_lsn",
     "pg_wal_lsn_diff(" CURRENT_LSN ", confirmed_flush_lsn)", "Bytes that a logical subscriber lacks."},
    {"fraiseql_postgres_slot_lost", NULL, G, 5, "wal_status", "wal_status = 'lost'",
     "1 when the slot can no longer be used."},
    {"fraiseql_postgres_slot_xmin_age_transactions", NULL, G, 5, NULL,
     "greatest(age(xmin), age(catalog_xmin))", "Transactions held back from vacuum by the slot."},
    {"fraiseql_postgres_slot_inactive_seconds", NULL, G, 5, "inactive_since",
     "CASE WHEN active THEN 0 ELSE " AGE("inactive_since") " END", "Seconds since the slot was last in use."},
    {"fraiseql_postgres_slot_conflicting", NULL, G, 5, "conflicting", NULL,
     "1 when a logical slot was invalidated by a conflict with recovery."},
    {"fraiseql_postgres_slot_synced", NULL, G, 5, "synced", NULL,
     "1 when the slot is synchronised from the primary."},
};

const struct pg_group group_slots = {
    .name = "slots",
    .view = "pg_replication_slots",
    .labels = {{"slot_name", "slot_name", NULL},
               {"database", "database", NULL},
               {"slot_type", "slot_type", NULL},
               {"wal_status", "wal_status", "wal_status"}},
    METRIC_ROWS(slot_metrics),
};

static const struct pg_metric slot_stat_metrics[] = {
    {"fraiseql_postgres_slot_spilled_transactions_total", NULL, C, 0, "spill_txns", NULL,
     "Transactions that logical decoding spilled to disk."},
    {"fraiseql_postgres_slot_spilled_bytes_total", NULL, C, 0, "spill_bytes", NULL,
     "Bytes that logical decoding spilled to disk."},
    {"fraiseql_postgres_slot_streamed_bytes_total", NULL, C, 0, "stream_bytes", NULL,
     "Bytes of transactions streamed while in progress."},
    {"fraiseql_postgres_slot_decoded_transactions_total", NULL, C, 0, "total_txns", NULL,
     "Transactions decoded for the slot."},
    {"fraiseql_postgres_slot_decoded_bytes_total", NULL, C, 0, "total_bytes", NULL,
     "Bytes decoded for the slot."},
};

const struct pg_group group_slot_stats = {
    .name = "slot_stats",
    .view = "pg_stat_replication_slots",
    .labels = {{"slot_name", "slot_name", NULL}},
    METRIC_ROWS(slot_stat_metrics),
};
