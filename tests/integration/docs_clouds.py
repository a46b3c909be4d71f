"""The clouds of docs_rig.py: fakes with one resource of each profile, and the targets that scrape them."""

import time

from fake_azure_monitor import CLIENT, SECRET, SUBSCRIPTION, TENANT, FakeAzureMonitor
from fake_cloudflare import FakeCloudflare, identity
from fake_cloudwatch import FakeCloudWatch
from fake_google_monitoring import FakeGoogleMonitoring, spread

MINUTES = range(3, 15)


def make_aws(case):
    """(environment, target)"""
    fake = case.open(FakeCloudWatch())
    role = "arn:aws:iam::123456789012:role/metrics"
    fake.roles[role] = {"trusts": ["arn:aws:iam::123456789012:user/jo"]}
    at = time.time()
    database, balancer, machine = {"DBInstanceIdentifier": "orders"}, {"LoadBalancer": "app/shop/1"}, {"InstanceId": "i-1"}
    values = [("AWS/RDS", database, ["CPUUtilization", "DatabaseConnections", "FreeableMemory", "FreeStorageSpace", "ReadLatency",
                                     "WriteLatency", "ReplicaLag", "MaximumUsedTransactionIDs"]),
              ("AWS/EC2", machine, ["StatusCheckFailed", "CPUUtilization", "NetworkIn", "NetworkOut", "CPUCreditBalance"]),
              ("AWS/ApplicationELB", balancer, ["RequestCount", "HTTPCode_ELB_5XX_Count", "TargetResponseTime",
                                                "NewConnectionCount"]),
              ("AWS/ApplicationELB", {**balancer, "TargetGroup": "t/1"}, ["HealthyHostCount", "UnHealthyHostCount"]),
              ("AWS/Route53", {"HealthCheckId": "h"}, ["HealthCheckPercentageHealthy"])]
    for namespace, dimensions, names in values:
        for name in names:
            for i in range(20):
                fake.put(namespace, name, dimensions, 1, at - 60 * i)
    fake.forbidden = {"CPUCreditBalance"}
    target = {"name": "aws", "region": "us-east", "location": "us-east-1", "endpoint": fake.url("/"), "interval": "1s",
              "profiles": ["rds-postgresql", "ec2", "alb", "route53"], "credentials": {"role_arn": role},
              "budget": {"usd_per_month": 1000}}
    return fake.user(), target


def make_google(case, folder):
    """The target."""
    fake, now = case.open(FakeGoogleMonitoring(folder)), int(time.time()) // 60 * 60
    sql, https = "cloudsql.googleapis.com/database/", "loadbalancing.googleapis.com/https/"
    gauges = [sql + name for name in ("up", "cpu/utilization", "memory/utilization", "disk/utilization", "postgresql/num_backends",
                                      "replication/replica_lag")]
    sums = [sql + "postgresql/transaction_count", sql + "postgresql/deadlock_count", https + "request_count"]
    for kind in gauges + sums:
        resource = "https_lb_rule" if kind.startswith(https) else "cloudsql_database"
        fake.describe(kind, resource, "DELTA" if kind in sums else "GAUGE", "INT64" if kind in sums else "DOUBLE")
        labels = {"url_map_name": "web"} if kind.startswith(https) else {"database_id": "shop-1:orders"}
        for minutes in MINUTES:
            fake.put(kind, now - 60 * minutes, 1, **labels)
    lag = sql + "postgresql/replication/replica_byte_lag"
    fake.describe(lag, "cloudsql_database", value="INT64", unit="By")
    fake.describe(https + "total_latencies", "https_lb_rule", "DELTA", "DISTRIBUTION", "ms")
    for minutes in MINUTES:
        fake.put(lag, now - 60 * minutes, 1, {"replica_lag_type": "replay_location"}, database_id="shop-1:orders")
        fake.put(https + "total_latencies", now - 60 * minutes, spread([10, 100], [5, 50]), url_map_name="web")
    return {"name": "gcp", "region": "us-east", "project": fake.project, "endpoint": fake.url(), "interval": "1s",
            "credentials_file": fake.service_account(), "profiles": ["cloudsql-postgresql", "gce", "load-balancing"]}


def make_azure(case, folder):
    """The target."""
    fake, now = case.open(FakeAzureMonitor()), time.time()
    database = fake.add("Microsoft.DBforPostgreSQL/flexibleServers", "orders")
    machine = fake.add("Microsoft.Compute/virtualMachines", "api-1")
    balancer = fake.add("Microsoft.Network/loadBalancers", "front")
    values = [(database, "is_db_alive", "maximum"), (database, "storage_percent", "maximum"), (database, "storage_free", "minimum"),
              (database, "memory_percent", "average"), (database, "connections_failed", "total"),
              (machine, "Available Memory Bytes", "average"), (machine, "Network In Total", "total"),
              (balancer, "VipAvailability", "average"), (balancer, "SYNCount", "total")]
    for resource, name, aggregation in values:
        for minutes in MINUTES:
            fake.put(resource, name, now - 60 * minutes, aggregation, 1)
    credentials = {"tenant": TENANT, "client": CLIENT, "secret_file": folder.file("azure.secret", SECRET + "\n", 0o600)}
    return {"name": "azure", "region": "us-east", "subscription": SUBSCRIPTION, "endpoint": fake.url(), "interval": "1s",
            "credentials": credentials, "profiles": ["postgresql-flexible", "vm", "load-balancer"],
            "metrics": [{"type": "Microsoft.Compute/virtualMachines", "name": "Percentage CPU", "aggregations": ["maximum"]}]}


def make_cloudflare(case, folder):
    """The target."""
    fake, now = case.open(FakeCloudflare("example.com")), time.time()
    for minutes in MINUTES:
        fake.put("example.com", 10, now - 60 * minutes)
        fake.balance("example.com", now - 60 * minutes, "lb.example.com", "eu", "eu-1", 4)
    fake.pools = [{"id": identity("eu"), "name": "eu", "enabled": True, "healthy": True, "origins": [
        {"name": "eu-1", "address": "192.0.2.1", "healthy": True}]}]
    return {"name": "edge", "region": "us-east", "zones": ["example.com"], "endpoint": fake.url(), "interval": "1s",
            "token_file": folder.file("cloudflare.token", fake.token + "\n", 0o600), "load_balancers": True}


def make_clouds(case, folder):
    """(environment of the collector, {scraper: targets})"""
    env, aws = make_aws(case)
    return env, {"cloudwatch": [aws], "google": [make_google(case, folder)], "azure": [make_azure(case, folder)],
                 "cloudflare": [make_cloudflare(case, folder)]}
