#include "scrapers/cloudwatch/cloudwatch_profiles.h"

#include "lib/core/compiler.h"

#define RDS(name, stats, ...)                                                                                \
    {                                                                                                        \
        "AWS/RDS", name, stats, "DBInstanceIdentifier", 60, __VA_ARGS__                                      \
    }
#define CLUSTER(name, stats, ...)                                                                            \
    {                                                                                                        \
        "AWS/RDS", name, stats, "DBClusterIdentifier", 60, __VA_ARGS__                                       \
    }
#define GLOBAL(name, stats, ...)                                                                             \
    {                                                                                                        \
        "AWS/RDS", name, stats, "DBClusterIdentifier,SourceRegion", 60, __VA_ARGS__                          \
    }
#define EC2(name, stats, period, ...)                                                                        \
    {                                                                                                        \
        "AWS/EC2", name, stats, "InstanceId", period, __VA_ARGS__                                            \
    }
#define ALB(name, stats, ...)                                                                                \
    {                                                                                                        \
        "AWS/ApplicationELB", name, stats, "LoadBalancer", 60, __VA_ARGS__                                   \
    }
#define ALB_GROUP(name, stats, ...)                                                                          \
    {                                                                                                        \
        "AWS/ApplicationELB", name, stats, "LoadBalancer,TargetGroup", 60, __VA_ARGS__                       \
    }
#define NLB(name, stats, ...)                                                                                \
    {                                                                                                        \
        "AWS/NetworkELB", name, stats, "LoadBalancer", 60, __VA_ARGS__                                       \
    }
#define NLB_GROUP(name, stats, ...)                                                                          \
    {                                                                                                        \
        "AWS/NetworkELB", name, stats, "LoadBalancer,TargetGroup", 60, __VA_ARGS__                           \
    }
#define R53(name, stats, ...)                                                                                \
    {                                                                                                        \
        "AWS/Route53", name, stats, "HealthCheckId", 60, __VA_ARGS__                                         \
    }
#define NONE 0, NULL, NULL, 0, 0

static const struct cloudwatch_profile_metric rds_postgresql[] = {
    RDS("CPUUtilization", "Average,Maximum", 0, "database_cpu_ratio", "Average", 0.01, 0),
    RDS("DatabaseConnections", "Maximum,Average", 0, "database_connections", "Maximum", 1, 0),
    RDS("FreeableMemory", "Minimum", 0, "database_memory_free_bytes", "Minimum", 1, 0),
    RDS("FreeStorageSpace", "Minimum", 0, "database_storage_free_bytes", "Minimum", 1, 0),
    RDS("ReadLatency", "Average", 0, "database_read_latency_seconds", "Average", 1, 0),
    RDS("WriteLatency", "Average", 0, "database_write_latency_seconds", "Average", 1, 0),
    /* Minus one where replication is not active; grows on an idle primary. */
    RDS("ReplicaLag", "Maximum", CW_NEGATIVE_ABSENT, "database_lag_seconds", "Maximum", 1, 0),
    RDS("MaximumUsedTransactionIDs", "Maximum", 0, "database_transaction_ids_used", "Maximum", 1, 0),
    RDS("SwapUsage", "Average", NONE),
    RDS("ReadIOPS", "Average", NONE),
    RDS("WriteIOPS", "Average", NONE),
    RDS("ReadThroughput", "Average", NONE),
    RDS("WriteThroughput", "Average", NONE),
    RDS("DiskQueueDepth", "Average", NONE),
    RDS("BurstBalance", "Minimum", NONE),
    RDS("EBSIOBalance%", "Minimum", NONE),
    RDS("EBSByteBalance%", "Minimum", NONE),
    RDS("CPUCreditBalance", "Minimum", NONE),
    RDS("NetworkReceiveThroughput", "Average", NONE),
    RDS("NetworkTransmitThroughput", "Average", NONE),
    RDS("OldestReplicationSlotLag", "Maximum", NONE),
    RDS("ReplicationSlotDiskUsage", "Maximum", NONE),
    RDS("TransactionLogsDiskUsage", "Maximum", NONE),
    RDS("CheckpointLag", "Maximum", NONE),
};

static const struct cloudwatch_profile_metric aurora[] = {
    RDS("CPUUtilization", "Average,Maximum", 0, "database_cpu_ratio", "Average", 0.01, 0),
    RDS("DatabaseConnections", "Maximum,Average", 0, "database_connections", "Maximum", 1, 0),
    RDS("FreeableMemory", "Minimum", 0, "database_memory_free_bytes", "Minimum", 1, 0),
    RDS("FreeLocalStorage", "Minimum", 0, "database_storage_free_bytes", "Minimum", 1, 0),
    RDS("ReadLatency", "Average", 0, "database_read_latency_seconds", "Average", 1, 0),
    RDS("WriteLatency", "Average", 0, "database_write_latency_seconds", "Average", 1, 0),
    RDS("AuroraReplicaLag", "Maximum", CW_NEGATIVE_ABSENT, "database_lag_seconds", "Maximum", 0.001, 0),
    RDS("MaximumUsedTransactionIDs", "Maximum", 0, "database_transaction_ids_used", "Maximum", 1, 0),
    RDS("CommitLatency", "Average", NONE),
    RDS("CommitThroughput", "Average", NONE),
    RDS("Deadlocks", "Average", NONE),
    RDS("BufferCacheHitRatio", "Average", NONE),
    RDS("ServerlessDatabaseCapacity", "Average,Maximum", NONE),
    RDS("ACUUtilization", "Average,Maximum", NONE),
    RDS("EngineUptime", "Minimum", NONE),
    CLUSTER("VolumeBytesUsed", "Average", NONE),
    /* Published in the secondary region only. */
    GLOBAL("AuroraGlobalDBReplicationLag", "Maximum", 0, "database_lag_seconds", "Maximum", 0.001, 0),
    GLOBAL("AuroraGlobalDBRPOLag", "Maximum", NONE),
    GLOBAL("AuroraGlobalDBProgressLag", "Maximum", NONE),
    GLOBAL("AuroraGlobalDBDataTransferBytes", "Sum", NONE),
    GLOBAL("AuroraGlobalDBReplicatedWriteIO", "Sum", NONE),
};

/* Without detailed monitoring all but the status checks come every five minutes. */
static const struct cloudwatch_profile_metric ec2[] = {
    EC2("StatusCheckFailed", "Maximum", 60, 0, "machine_up", "Maximum", -1, 1),
    EC2("StatusCheckFailed_Instance", "Maximum", 60, NONE),
    EC2("StatusCheckFailed_System", "Maximum", 60, NONE),
    EC2("CPUUtilization", "Average,Maximum", 300, 0, "machine_cpu_ratio", "Average", 0.01, 0),
    EC2("NetworkIn", "Sum", 300, 0, "machine_network_received_bytes_total", "Sum", 1, 0),
    EC2("NetworkOut", "Sum", 300, 0, "machine_network_sent_bytes_total", "Sum", 1, 0),
    EC2("NetworkPacketsIn", "Sum", 300, NONE),
    EC2("NetworkPacketsOut", "Sum", 300, NONE),
    EC2("CPUCreditBalance", "Minimum", 300, NONE),
    EC2("EBSIOBalance%", "Minimum", 300, NONE),
    EC2("EBSByteBalance%", "Minimum", 300, NONE),
};

/* Counts of errors are written when there is one: absent is zero. No RequestCount is no knowledge. */
static const struct cloudwatch_profile_metric alb[] = {
    ALB("RequestCount", "Sum", 0, "load_balancer_requests_total", "Sum", 1, 0),
    ALB("HTTPCode_Target_5XX_Count", "Sum", CW_ABSENT_ZERO, "load_balancer_errors_total", "Sum", 1, 0),
    ALB("HTTPCode_ELB_5XX_Count", "Sum", CW_ABSENT_ZERO, "load_balancer_errors_total", "Sum", 1, 0),
    ALB("TargetResponseTime", "Average,p50,p95,p99", 0, "load_balancer_latency_seconds", "p95", 1, 0),
    ALB("HTTPCode_Target_2XX_Count", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    ALB("HTTPCode_Target_3XX_Count", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    ALB("HTTPCode_Target_4XX_Count", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    ALB("HTTPCode_ELB_4XX_Count", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    ALB("TargetConnectionErrorCount", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    ALB("RejectedConnectionCount", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    ALB("NewConnectionCount", "Sum", 0, "load_balancer_connections_total", "Sum", 1, 0),
    ALB("ActiveConnectionCount", "Sum", NONE),
    ALB("ProcessedBytes", "Sum", NONE),
    ALB("ConsumedLCUs", "Sum", NONE),
    ALB_GROUP("HealthyHostCount", "Minimum", 0, "load_balancer_healthy_backends", "Minimum", 1, 0),
    ALB_GROUP("UnHealthyHostCount", "Maximum", 0, "load_balancer_unhealthy_backends", "Maximum", 1, 0),
};

static const struct cloudwatch_profile_metric nlb[] = {
    NLB("NewFlowCount", "Sum", 0, "load_balancer_connections_total", "Sum", 1, 0),
    NLB("ActiveFlowCount", "Average,Maximum", NONE),
    NLB("ProcessedBytes", "Sum", NONE),
    NLB("TCP_Target_Reset_Count", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    NLB("TCP_ELB_Reset_Count", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    NLB("TCP_Client_Reset_Count", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    NLB("PortAllocationErrorCount", "Sum", CW_ABSENT_ZERO, NULL, NULL, 0, 0),
    NLB_GROUP("HealthyHostCount", "Minimum", 0, "load_balancer_healthy_backends", "Minimum", 1, 0),
    NLB_GROUP("UnHealthyHostCount", "Maximum", 0, "load_balancer_unhealthy_backends", "Maximum", 1, 0),
};

static const struct cloudwatch_profile_metric route53[] = {
    R53("HealthCheckPercentageHealthy", "Average,Minimum", 0, "health_ratio", "Average", 0.01, 0),
    R53("HealthCheckStatus", "Minimum", NONE),
    R53("ChildHealthCheckHealthyCount", "Minimum", NONE),
    R53("ConnectionTime", "Average", NONE),
    R53("TimeToFirstByte", "Average", NONE),
    R53("SSLHandshakeTime", "Average", NONE),
};

#define PROFILE(name, list)                                                                                  \
    {                                                                                                        \
        name, list, ARRAY_LEN(list)                                                                          \
    }
const struct cloudwatch_profile cloudwatch_profiles[] = {
    PROFILE("rds-postgresql", rds_postgresql),
    PROFILE("aurora", aurora),
    PROFILE("ec2", ec2),
    PROFILE("alb", alb),
    PROFILE("nlb", nlb),
    PROFILE("route53", route53),
    {0},
};

const struct cloudwatch_profile *cloudwatch_profile_find(const char *name)
{
    for (const struct cloudwatch_profile *at = cloudwatch_profiles; at->name; at++) {
        if (strcmp(at->name, name) == 0)
            return at;
    }
    return NULL;
}

size_t cloudwatch_profile_names(const char *names[CLOUDWATCH_PROFILES_MAX])
{
    size_t count = 0;
    for (const struct cloudwatch_profile *at = cloudwatch_profiles; at->name; at++)
        names[count++] = at->name;
    return count;
}

/* Services that have no region of their own publish in one. */
const char *cloudwatch_home(const char *namespace_name, const char *location)
{
    bool commercial = strncmp(location, "cn-", 3) != 0 && strncmp(location, "us-gov-", 7) != 0 &&
                      strncmp(location, "us-iso", 6) != 0 && strncmp(location, "eusc-", 5) != 0;
    if (!commercial)
        return location;
    if (strcmp(namespace_name, "AWS/Route53") == 0 || strcmp(namespace_name, "AWS/CloudFront") == 0 ||
        strcmp(namespace_name, "AWS/Billing") == 0)
        return "us-east-1";
    return strcmp(namespace_name, "AWS/GlobalAccelerator") == 0 ? "us-west-2" : location;
}

const struct cloudwatch_resource_kind cloudwatch_resource_kinds[] = {
    {"AWS/RDS", "DBInstanceIdentifier", "rds:db", "rds", "db:", false},
    {"AWS/RDS", "DBClusterIdentifier", "rds:cluster", "rds", "cluster:", false},
    {"AWS/EC2", "InstanceId", "ec2:instance", "ec2", "instance/", false},
    {"AWS/ApplicationELB", "LoadBalancer", "elasticloadbalancing:loadbalancer/app", "elasticloadbalancing",
     "loadbalancer/", false},
    {"AWS/NetworkELB", "LoadBalancer", "elasticloadbalancing:loadbalancer/net", "elasticloadbalancing",
     "loadbalancer/", false},
    {"AWS/Route53", "HealthCheckId", "route53:healthcheck", "route53", "healthcheck/", true},
    {0},
};
