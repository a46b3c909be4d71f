"""Azure Monitor: batches by region, global resources, each minute counted once through faults and restarts."""

import os
import time

import harness
from fake_azure_monitor import CLIENT, SECRET, SUBSCRIPTION, TENANT, FakeAzureMonitor
from harness import Case, Folder, wait_until

POSTGRES = "Microsoft.DBforPostgreSQL/flexibleServers"
TRAFFIC = "Microsoft.Network/trafficManagerProfiles"
STORAGE = "Microsoft.Storage/storageAccounts"
MACHINE = "Microsoft.Compute/virtualMachines"
PREFIX = "azurerm_resource_metric_"
FAILED = PREFIX + "connections_failed_count_total"


class TestAzureMonitor(Case):
    def setUp(self):
        self.folder = self.open(Folder())
        self.fake = self.open(FakeAzureMonitor())
        self.now = time.time()
        self.orders = self.fake.add(POSTGRES, "Orders-DB")

    def write_secret(self, text):
        path = self.folder.file("azure.secret")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
            out.write(text + "\n")
        return path

    def run_collector(self, **more):
        target = {"name": "azure-apac", "region": "apac", "subscription": SUBSCRIPTION, "endpoint": self.fake.url(),
                  "credentials": {"tenant": TENANT, "client": CLIENT, "secret_file": self.write_secret(SECRET)},
                  "profiles": ["postgresql-flexible"], "resource_group": "Production", "interval": "1s", "timeout": "1s",
                  "request_timeout": "2s", **more}
        return self.collector({"defaults": {"interval": "1s", "timeout": "1s"}, "scrapers": {"azure": [target]}}).start()

    def put_failed(self, minutes, count, visible=0):
        self.fake.put(self.orders, "connections_failed", self.now - 60 * minutes, "total", count, visible=visible)

    def test_names_labels_and_the_common_vocabulary(self):
        foreign = self.fake.add(POSTGRES, "foreign", group="Other")
        self.fake.put(foreign, "cpu_percent", self.now - 400, "average", 99)
        for minutes in range(3, 12):
            at = self.now - 60 * minutes
            self.fake.put(self.orders, "is_db_alive", at, "maximum", 1)
            self.fake.put(self.orders, "cpu_percent", at, "average", 12.5)
            self.fake.put(self.orders, "physical_replication_delay_in_seconds", at, "maximum", 2)
            self.fake.put(self.orders, "xact_total", at, "total", 5, "orders")
            self.fake.put(self.orders, "xact_total", at, "total", 2, "carts")
            self.put_failed(minutes, 3)
        c = self.run_collector()
        wait_until(lambda: (c.value(FAILED) or 0) >= 21, 60, "sums")
        name = PREFIX + "cpu_percent_average_percent"
        wait_until(lambda: c.value(name) == 12.5, 60, "a gauge")
        labels = dict(next(labels for at, labels in c.metrics() if at == name))
        self.assertEqual({key: labels[key] for key in ("resourceID", "resourceName", "resourceGroup", "subscriptionID", "target")},
                         {"resourceID": self.orders, "resourceName": "orders-db", "resourceGroup": "production",
                          "subscriptionID": SUBSCRIPTION, "target": "azure-apac"})
        self.assertEqual(c.value("fraiseql_region_database_cpu_ratio", resource="Orders-DB", region="apac"), 0.125)
        self.assertEqual(c.value("fraiseql_region_database_up", resource="Orders-DB"), 1)
        self.assertEqual(c.value("fraiseql_region_database_lag_seconds", resource="Orders-DB"), 2)
        transactions = PREFIX + "xact_total_count_total"
        wait_until(lambda: (c.value(transactions, dimension="orders") or 0) >= 35, 60, "a dimension")
        self.assertEqual(c.value("azurerm_resource_info", resourceName="orders-db", location="westeurope"), 1)
        self.assertIsNone(c.value(name, resourceName="foreign"))
        self.assertFalse(self.fake.violations)

    def test_faults_and_restarts_neither_lose_nor_double_a_minute(self):
        self.fake.fail("token", 503)
        self.fake.fail("resources", 500, 429)
        self.fake.fail("batch", 429, 500, "cut", 529, "slow")
        for minutes in range(5, 14):
            self.put_failed(minutes, 10)
        c = self.run_collector()
        wait_until(lambda: c.value(FAILED) == 90, 120, "the sum behind the faults")
        c.kill()
        self.put_failed(6, 14)  # a minute that grew meanwhile
        self.fake.forget_tokens()
        c.start()
        wait_until(lambda: c.value(FAILED) is not None, 30, "what the journal keeps")
        self.assertGreaterEqual(c.value(FAILED), 90)
        self.put_failed(5, 16, visible=time.time() + 10)  # and one that grows after it was read again
        wait_until(lambda: c.value(FAILED) == 100, 180, "what came late, once")
        self.assertFalse(self.fake.violations)

    def test_tokens_that_are_refused_are_renewed(self):
        self.put_failed(6, 10)
        c = self.run_collector()
        wait_until(lambda: c.value(FAILED) == 10, 60, "a first sum")
        self.fake.forget_tokens()
        self.put_failed(5, 4)
        wait_until(lambda: c.value(FAILED) == 14, 120, "a sum by the next token")
        self.assertFalse(self.fake.violations)

    def test_pages_halves_and_errors_inside_a_success(self):
        ids = [self.fake.add(MACHINE, f"vm-{i:02}", "eastus" if i % 2 else "westeurope") for i in range(55)]
        for path in ids:
            self.fake.put(path, "Network In Total", self.now - 400, "total", 8)
        self.fake.forbidden = {ids[7]}
        self.fake.metric_errors = {"CPU Credits Remaining": "InternalServerError"}
        c = self.run_collector(profiles=["vm"])
        name = PREFIX + "network_in_total_bytes_total"
        wait_until(lambda: sum(v for (n, _), v in c.metrics().items() if n == name) == 8 * 54, 90, "all others")
        wait_until(lambda: c.value("fraiseql_cloud_query_failures_total", status="forbidden"), 60, "the forbidden one")
        wait_until(lambda: c.value("fraiseql_cloud_query_failures_total", status="partial"), 60, "the metric that failed")
        self.assertGreaterEqual(self.fake.count("resources"), 3)
        self.assertEqual(sum(v for (n, labels), v in c.metrics().items()
                             if n == "fraiseql_region_machine_network_received_bytes_total"), 8 * 54)
        self.assertFalse(self.fake.violations)

    def test_global_resources_are_asked_of_resource_manager(self):
        path = self.fake.add(TRAFFIC, "front", "global")
        for minutes in range(4, 10):
            self.fake.put(path, "QpsByEndpoint", self.now - 60 * minutes, "total", 7, "eu")
            self.fake.put(path, "ProbeAgentCurrentEndpointStateByProfileResourceId", self.now - 60 * minutes, "maximum", 1, "eu")
        c = self.run_collector(profiles=["traffic-manager"])
        wait_until(lambda: c.value("fraiseql_region_load_balancer_requests_total", resource="front") == 42, 60, "requests")
        wait_until(lambda: c.value("fraiseql_region_health_ratio", resource="front/eu") == 1, 60, "health")
        self.assertEqual({api for api, *_ in self.fake.ledger}, {"metrics"})
        self.assertGreaterEqual(c.value("fraiseql_cloud_billed_units_total", api="metrics"), 1)
        self.assertFalse(self.fake.violations)

    def test_metrics_of_any_type(self):
        fake = self.fake
        store, front = fake.add(STORAGE, "Logs"), fake.add(TRAFFIC, "front", "global")
        blobs = store + "/blobservices/default"
        fake.units.update({"Ingress": "Bytes", "database_size_bytes": "Bytes", "tps/second %": "CountPerSecond"})
        for minutes in range(4, 10):
            at = self.now - 60 * minutes
            for service, count in ((store, 7), (blobs, 5)):
                fake.put(service, "Transactions", at, "total", count, ("GetBlob", "OAuth"))
            fake.put(blobs, "Ingress", at, "total", 100)
            fake.put(blobs, "Ingress", at, "count", 2)
            fake.put(self.orders, "tps/second %", at, "maximum", 12.5)
            fake.put(self.orders, "cpu_percent", at, "average", 50)
            fake.put(front, "QpsByEndpoint", at, "total", 3, "eu")
        for minutes in range(5, 100, 5):
            fake.put(self.orders, "database_size_bytes", self.now - 60 * minutes, "maximum", 1 << 30)
        inside = STORAGE + "/blobServices"
        split = {"ApiName": "*", "Authentication": "OAuth"}
        c = self.run_collector(metrics=[
            {"type": STORAGE, "name": "Transactions", "aggregations": ["Total"], "dimensions": split},
            {"type": STORAGE, "namespace": inside, "name": "Transactions", "aggregations": ["total"], "dimensions": split},
            {"type": STORAGE, "namespace": inside, "name": "Ingress", "aggregations": ["total", "count"]},
            {"type": POSTGRES, "name": "tps/second %", "aggregations": ["maximum"]},
            {"type": POSTGRES, "name": "cpu_percent", "aggregations": ["average"]},  # the profile's already
            {"type": POSTGRES, "name": "database_size_bytes", "aggregations": ["maximum"], "period": "30m"},
            {"type": TRAFFIC, "name": "QpsByEndpoint", "aggregations": ["total"], "dimensions": {"EndpointName": "eu"}}])
        sums = lambda name, **labels: lambda: c.value(PREFIX + name, **labels)
        transactions = sums("transactions_count_total", resourceID=store, dimensionApiname="GetBlob", dimensionAuthentication="OAuth")
        wait_until(lambda: transactions() == 42, 60, "values by two dimensions")
        wait_until(lambda: sums("transactions_count_total", resourceID=blobs)() == 30, 60, "a service inside a resource")
        self.assertEqual(sums("ingress_bytes_total")(), 600)
        self.assertEqual(sums("ingress_count_bytes_total", resourceName="logs")(), 12)
        wait_until(lambda: sums("tps_second__maximum_countpersecond")() == 12.5, 60, "a unit that the answer gives")
        wait_until(lambda: sums("qpsbyendpoint_count_total", dimension="eu")() == 18, 60, "a global resource")
        wait_until(lambda: sums("database_size_bytes_maximum_bytes")() == 1 << 30, 60, "a longer grain")
        self.assertEqual({names for _, names, *_ in fake.ledger if "cpu_percent" in names and len(names) < 5}, set())
        self.assertFalse(fake.violations)


if __name__ == "__main__":
    harness.main()
