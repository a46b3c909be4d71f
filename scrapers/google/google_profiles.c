/* Ready-made lists. Source: Google's pages of metrics of Cloud SQL, Compute Engine and load balancing. */
#include "scrapers/google/google_internal.h"

#define SQL "cloudsql.googleapis.com/database/"
#define GCE "compute.googleapis.com/instance/"
#define LB  "loadbalancing.googleapis.com/https/"

static const struct google_profile_metric cloudsql[] = {
    {SQL "up", 0, "database_up", 0, NULL},
    {SQL "cpu/utilization", 0, "database_cpu_ratio", 0, NULL},
    {SQL "memory/utilization", 0, "database_memory_ratio", 0, NULL},
    {SQL "disk/utilization", 0, "database_storage_ratio", 0, NULL},
    {SQL "disk/bytes_used", 0, NULL, 0, NULL},
    {SQL "disk/quota", 0, NULL, 0, NULL},
    {SQL "disk/read_ops_count", 0, NULL, 0, NULL},
    {SQL "disk/write_ops_count", 0, NULL, 0, NULL},
    {SQL "network/connections", 0, NULL, 0, NULL},
    {SQL "postgresql/num_backends", 0, "database_connections", 0, NULL},
    {SQL "postgresql/transaction_count", GOOGLE_ABSENT_ZERO, "database_transactions_total", 0, NULL},
    {SQL "postgresql/deadlock_count", GOOGLE_ABSENT_ZERO, "database_deadlocks_total", 0, NULL},
    {SQL "postgresql/vacuum/oldest_transaction_age", 0, NULL, 0, NULL},
    {SQL "replication/replica_lag", GOOGLE_NEGATIVE_ABSENT, "database_lag_seconds", 0, NULL},
    {SQL "replication/network_lag", GOOGLE_NEGATIVE_ABSENT, NULL, 0, NULL},
    {SQL "postgresql/replication/replica_byte_lag", 0, "database_lag_bytes", 0,
     "metric.labels.replica_lag_type = \"replay_location\""},
    {SQL "available_for_failover", 0, NULL, 0, NULL},
    {SQL "auto_failover_request_count", GOOGLE_ABSENT_ZERO, NULL, 0, NULL},
};

static const struct google_profile_metric gce[] = {
    {GCE "cpu/utilization", 0, "machine_cpu_ratio", 0, NULL},
    {GCE "uptime_total", 0, NULL, 0, NULL},
    {GCE "network/received_bytes_count", 0, "machine_network_received_bytes_total", 0, NULL},
    {GCE "network/sent_bytes_count", 0, "machine_network_sent_bytes_total", 0, NULL},
    {GCE "disk/read_bytes_count", 0, NULL, 0, NULL},
    {GCE "disk/write_bytes_count", 0, NULL, 0, NULL},
};

static const struct google_profile_metric balancing[] = {
    {LB "request_count", GOOGLE_ABSENT_ZERO, "load_balancer_requests_total", 0, NULL},
    {LB "backend_request_count", GOOGLE_ABSENT_ZERO, NULL, 0, NULL},
    {LB "total_latencies", 0, NULL, 0, NULL},
    {LB "backend_latencies", 0, NULL, 0, NULL},
};

const struct google_profile google_profiles[] = {
    {"cloudsql-postgresql", cloudsql, ARRAY_LEN(cloudsql)},
    {"gce", gce, ARRAY_LEN(gce)},
    {"load-balancing", balancing, ARRAY_LEN(balancing)},
    {0},
};

const struct google_profile *google_profile_find(const char *name)
{
    for (const struct google_profile *at = google_profiles; at->name; at++) {
        if (strcmp(at->name, name) == 0)
            return at;
    }
    return NULL;
}

unsigned google_type_flags(const char *type)
{
    for (const struct google_profile *at = google_profiles; at->name; at++) {
        for (size_t i = 0; i < at->count; i++) {
            if (strcmp(at->metrics[i].type, type) == 0)
                return at->metrics[i].flags;
        }
    }
    return 0;
}
