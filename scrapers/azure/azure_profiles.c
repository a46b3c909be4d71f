/* Ready-made lists. Sources, with names, units and aggregations as they stand there: Microsoft's reference
 * pages "Supported metrics" (learn.microsoft.com/azure/azure-monitor/reference/supported-metrics) of
 * microsoft-dbforpostgresql-flexibleservers, microsoft-compute-virtualmachines, microsoft-cdn-profiles,
 * microsoft-network-trafficmanagerprofiles and microsoft-network-loadbalancers, looked up in 2026-11. */
#include "scrapers/azure/azure_internal.h"

const char *const azure_aggregations[AZ_AGGREGATIONS] = {"average", "minimum", "maximum", "total", "count"};

#define NONE NULL, 0, 0

static const struct azure_row postgresql[] = {
    {"is_db_alive", "Count", AZ_MAXIMUM, "database_up", 1, 0},
    {"cpu_percent", "Percent", AZ_AVERAGE, "database_cpu_ratio", 0.01, 0},
    {"memory_percent", "Percent", AZ_AVERAGE, "database_memory_ratio", 0.01, 0},
    {"active_connections", "Count", AZ_MAXIMUM, "database_connections", 1, 0},
    {"connections_failed", "Count", AZ_TOTAL, NONE},
    {"connections_succeeded", "Count", AZ_TOTAL, NONE},
    {"storage_percent", "Percent", AZ_MAXIMUM, "database_storage_ratio", 0.01, 0},
    {"storage_free", "Bytes", AZ_MINIMUM, "database_storage_free_bytes", 1, 0},
    {"txlogs_storage_used", "Bytes", AZ_AVERAGE, NONE},
    {"read_iops", "Count", AZ_AVERAGE, NONE},
    {"write_iops", "Count", AZ_AVERAGE, NONE},
    {"disk_queue_depth", "Count", AZ_AVERAGE, NONE},
    {"network_bytes_ingress", "Bytes", AZ_TOTAL, NONE},
    {"network_bytes_egress", "Bytes", AZ_TOTAL, NONE},
    {"cpu_credits_remaining", "Count", AZ_AVERAGE, NONE},
    {"maximum_used_transactionIDs", "Count", AZ_MAXIMUM, "database_transaction_ids_used", 1, 0},
    /* On a replica, and on its primary; grows on an idle primary. */
    {"physical_replication_delay_in_seconds", "Seconds", AZ_MAXIMUM, "database_lag_seconds", 1,
     AZ_NEGATIVE_ABSENT},
    {"physical_replication_delay_in_bytes", "Bytes", AZ_MAXIMUM, "database_lag_bytes", 1, AZ_NEGATIVE_ABSENT},
};

/* It is not written more often. */
static const struct azure_row postgresql_settings[] = {
    {"max_connections", "Count", AZ_MAXIMUM, NONE},
};

static const struct azure_row postgresql_databases[] = {
    {"xact_total", "Count", AZ_TOTAL, "database_transactions_total", 1, 0},
    {"deadlocks", "Count", AZ_TOTAL, "database_deadlocks_total", 1, 0},
};

static const struct azure_row machines[] = {
    {"VmAvailabilityMetric", "Count", AZ_MINIMUM, "machine_up", 1, 0},
    {"Percentage CPU", "Percent", AZ_AVERAGE, "machine_cpu_ratio", 0.01, 0},
    {"Available Memory Bytes", "Bytes", AZ_AVERAGE, "machine_memory_free_bytes", 1, 0},
    {"Network In Total", "Bytes", AZ_TOTAL, "machine_network_received_bytes_total", 1, 0},
    {"Network Out Total", "Bytes", AZ_TOTAL, "machine_network_sent_bytes_total", 1, 0},
    {"OS Disk IOPS Consumed Percentage", "Percent", AZ_AVERAGE, NONE},
    {"Data Disk IOPS Consumed Percentage", "Percent", AZ_AVERAGE, NONE},
    {"CPU Credits Remaining", "Count", AZ_AVERAGE, NONE},
};

static const struct azure_row front_doors[] = {
    {"RequestCount", "Count", AZ_TOTAL, "load_balancer_requests_total", 1, 0},
    {"TotalLatency", "MilliSeconds", AZ_AVERAGE, "load_balancer_latency_seconds", 0.001, 0},
    {"ResponseSize", "Bytes", AZ_TOTAL, NONE},
    {"ByteHitRatio", "Percent", AZ_AVERAGE, NONE},
    {"Percentage4XX", "Percent", AZ_AVERAGE, NONE},
    {"Percentage5XX", "Percent", AZ_AVERAGE, NONE},
};

static const struct azure_row front_door_groups[] = {
    {"OriginHealthPercentage", "Percent", AZ_AVERAGE, "health_ratio", 0.01, 0},
};

/* These do not have the dimension OriginGroup. */
static const struct azure_row front_door_origins[] = {
    {"OriginRequestCount", "Count", AZ_TOTAL, NONE},
    {"OriginLatency", "MilliSeconds", AZ_AVERAGE, NONE},
};

static const struct azure_row traffic_managers[] = {
    {"ProbeAgentCurrentEndpointStateByProfileResourceId", "Count", AZ_MAXIMUM, "health_ratio", 1, 0},
    {"QpsByEndpoint", "Count", AZ_TOTAL, "load_balancer_requests_total", 1, 0},
};

static const struct azure_row load_balancers[] = {
    {"VipAvailability", "Count", AZ_AVERAGE, "health_ratio", 0.01, 0},
    {"DipAvailability", "Count", AZ_AVERAGE, NONE},
    {"SYNCount", "Count", AZ_TOTAL, "load_balancer_connections_total", 1, 0},
    {"SnatConnectionCount", "Count", AZ_TOTAL, NONE},
    {"ByteCount", "Bytes", AZ_TOTAL, NONE},
};

static const struct azure_dimension by_database[] = {{"DatabaseName", "*"}};
static const struct azure_dimension by_origin_group[] = {{"OriginGroup", "*"}};
static const struct azure_dimension by_origin[] = {{"Origin", "*"}};
static const struct azure_dimension by_endpoint[] = {{"EndpointName", "*"}};

#define ROWS(rows) rows, ARRAY_LEN(rows)
#define WHOLE      NULL, 0

#define POSTGRESQL "Microsoft.DBforPostgreSQL/flexibleServers"
#define FRONT_DOOR "Microsoft.Cdn/profiles"

const struct azure_set azure_sets[] = {
    {"postgresql-flexible", POSTGRESQL, NULL, 60, WHOLE, ROWS(postgresql)},
    {"postgresql-flexible", POSTGRESQL, NULL, 1800, WHOLE, ROWS(postgresql_settings)},
    {"postgresql-flexible", POSTGRESQL, NULL, 60, ROWS(by_database), ROWS(postgresql_databases)},
    {"vm", "Microsoft.Compute/virtualMachines", NULL, 60, WHOLE, ROWS(machines)},
    {"front-door", FRONT_DOOR, NULL, 60, WHOLE, ROWS(front_doors)},
    {"front-door", FRONT_DOOR, NULL, 60, ROWS(by_origin_group), ROWS(front_door_groups)},
    {"front-door", FRONT_DOOR, NULL, 60, ROWS(by_origin), ROWS(front_door_origins)},
    {"traffic-manager", "Microsoft.Network/trafficManagerProfiles", NULL, 60, ROWS(by_endpoint),
     ROWS(traffic_managers)},
    {"load-balancer", "Microsoft.Network/loadBalancers", NULL, 60, WHOLE, ROWS(load_balancers)},
    {0},
};
