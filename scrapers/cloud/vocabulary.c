#include "scrapers/cloud/vocabulary.h"

const struct cloud_common cloud_common_words[] = {
    {"database_up", "Whether the cloud says that the database answers: 1 or 0.", NULL, false},
    {"database_cpu_ratio", "Busy share of the database's processors.", "ratio", false},
    {"database_memory_ratio", "Used share of the database's memory.", "ratio", false},
    {"database_memory_free_bytes", "Memory that the database has left.", "bytes", false},
    {"database_connections", "Open connections to the database.", NULL, false},
    {"database_storage_free_bytes", "Storage that the database has left.", "bytes", false},
    {"database_storage_ratio", "Used share of the database's storage.", "ratio", false},
    {"database_lag_seconds",
     "How far this replica is behind, as the cloud measures it: it may grow while the primary is idle.",
     "seconds", false},
    {"database_lag_bytes", "How far this replica is behind, in bytes.", "bytes", false},
    {"database_read_latency_seconds", "Mean time of a read of the database's storage.", "seconds", false},
    {"database_write_latency_seconds", "Mean time of a write to the database's storage.", "seconds", false},
    {"database_transactions_total", "Transactions of the database.", NULL, true},
    {"database_deadlocks_total", "Deadlocks of the database.", NULL, true},
    {"database_transaction_ids_used", "Age of the oldest transaction id: two thousand million is the end.",
     NULL, false},
    {"machine_up", "Whether the cloud's checks of the machine pass: 1 or 0.", NULL, false},
    {"machine_cpu_ratio", "Busy share of the machine's processors.", "ratio", false},
    {"machine_memory_free_bytes", "Memory that the machine has left.", "bytes", false},
    {"machine_network_received_bytes_total", "Bytes that the machine received.", "bytes", true},
    {"machine_network_sent_bytes_total", "Bytes that the machine sent.", "bytes", true},
    {"load_balancer_requests_total", "Requests that the load balancer took.", NULL, true},
    {"load_balancer_errors_total", "Requests that were answered with a server error.", NULL, true},
    {"load_balancer_latency_seconds",
     "Time until the backends answered: the 95th percentile, or the mean where "
     "the cloud has no other.",
     "seconds", false},
    {"load_balancer_connections_total", "Connections that the load balancer took.", NULL, true},
    {"load_balancer_healthy_backends", "Backends that pass the load balancer's checks.", NULL, false},
    {"load_balancer_unhealthy_backends", "Backends that do not.", NULL, false},
    {"health_ratio", "Share of health checks from outside that pass: 1 is healthy.", "ratio", false},
    {0},
};

const struct cloud_common *cloud_common_find(const char *word)
{
    for (const struct cloud_common *at = cloud_common_words; at->word; at++) {
        if (strcmp(at->word, word) == 0)
            return at;
    }
    return NULL;
}
