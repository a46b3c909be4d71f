"""Google Cloud Monitoring: each point counted once, through faults and restarts; names, kinds and the bill as Google's."""

import json
import os
import time

import harness
from fake_google import ACCOUNT
from fake_google_monitoring import FakeGoogleMonitoring, spread
from harness import Case, Folder, wait_until

SQL = "cloudsql.googleapis.com/database/"
LB = "loadbalancing.googleapis.com/https/"
REQUESTS = "stackdriver_https_lb_rule_loadbalancing_googleapis_com_https_request_count"
BILLED = "fraiseql_cloud_billed_units_total"


class WithFake(Case):
    def setUp(self):
        self.folder = self.open(Folder())
        self.fake = self.open(FakeGoogleMonitoring(self.folder))
        self.now = int(time.time())
        self.fake.describe(LB + "request_count", "https_lb_rule", "DELTA", "INT64")
        self.env = {**self.fake.environment(), "HOME": self.folder.path, "GOOGLE_APPLICATION_CREDENTIALS": "",
                    "CLOUDSDK_CONFIG": self.folder.path}

    def minute(self, ago):
        """The end of a bucket, so many minutes ago."""
        return self.now // 60 * 60 - 60 * ago

    def target(self, name="gcp", **more):
        return {"name": name, "region": "eu-west", "project": self.fake.project, "endpoint": self.fake.url(),
                "credentials_file": self.fake.service_account(), "interval": "1s", "timeout": "1s", "request_timeout": "2s",
                **({} if "metrics" in more or "profiles" in more else {"metrics": [{"type": LB + "request_count", "period": "60s"}]}),
                **more}

    def run_collector(self, *targets):
        return self.collector({"defaults": {"interval": "1s", "timeout": "1s"},
                               "scrapers": {"google": list(targets)}}).start(env=self.env)

    def requests(self, count, ago, visible=0, rule="web", **metric):
        self.fake.put(LB + "request_count", self.minute(ago), count, metric, visible, url_map_name=rule)


class TestSeries(WithFake):
    def test_names_labels_and_values_of_every_kind(self):
        fake, where = self.fake, {"database_id": "shop-1:orders", "region": "europe-west1"}
        fake.describe(SQL + "cpu/utilization", "cloudsql_database", unit="10^2.%")
        fake.describe(SQL + "up", "cloudsql_database", value="INT64")
        fake.describe(SQL + "replication/replica_lag", "cloudsql_database", unit="s")
        fake.describe(SQL + "postgresql/transaction_count", "cloudsql_database", "DELTA", "INT64")
        fake.describe("example.com/served", "global", "CUMULATIVE", "INT64")
        fake.describe("example.com/ready", "global", value="BOOL")
        fake.describe("example.com/name", "global", value="STRING")
        fake.describe(LB + "total_latencies", "https_lb_rule", "DELTA", "DISTRIBUTION", "ms")
        for ago in range(3, 12):
            fake.put(SQL + "cpu/utilization", self.minute(ago), 0.25, **where)
            fake.put(SQL + "up", self.minute(ago), 1, **where)
            fake.put(SQL + "replication/replica_lag", self.minute(ago), 1.5, **{**where, "database_id": "shop-1:replica"})
            fake.put(SQL + "replication/replica_lag", self.minute(ago), -1, **where)
            fake.put(SQL + "postgresql/transaction_count", self.minute(ago), 100, {"database": "shop"}, **where)
            fake.put("example.com/served", self.minute(ago), 1000 - ago)
            fake.put("example.com/ready", self.minute(ago), True)
        for ago in (4, 6):
            fake.put(LB + "total_latencies", self.minute(ago), spread([10, 100, 1000], [5, 50, 50, 5000]), url_map_name="web")
        fake.describe(LB + "backend_latencies", "https_lb_rule", "DELTA", "DISTRIBUTION", "ms")
        fake.put(LB + "backend_latencies", self.minute(5), {
            "count": "4", "mean": 30.0, "bucketCounts": ["0", "1", "2", "1"],
            "bucketOptions": {"exponentialBuckets": {"numFiniteBuckets": 4, "growthFactor": 2.0, "scale": 10.0}}}, url_map_name="web")
        c = self.run_collector(self.target(profiles=["cloudsql-postgresql"], metrics=[
            {"type": LB + "backend_latencies"}, {"type": "example.com/served"}, {"type": "example.com/ready"}, {"type": "example.com/name"},
            {"type": "example.com/nowhere"}, {"type": LB + "total_latencies"}]))
        prefix = "stackdriver_cloudsql_database_cloudsql_googleapis_com_database_"
        wait_until(lambda: c.value(prefix + "cpu_utilization") == 0.25, 90, "a gauge")
        labels = next(dict(labels) for name, labels in c.metrics() if name == prefix + "cpu_utilization")
        self.assertEqual({key: labels[key] for key in ("database_id", "region", "project_id", "unit", "target")},
                         {**where, "project_id": "shop-1", "unit": "10^2.%", "target": "gcp"})
        self.assertEqual(labels["deployment_region"], "eu-west")
        wait_until(lambda: c.value(prefix + "postgresql_transaction_count_total", database="shop") == 900, 60, "a sum")
        wait_until(lambda: c.value("stackdriver_global_example_com_served") == 997 or
                   c.value("stackdriver_global_example_com_served_total") == 997, 60, "a counter of Google's")
        wait_until(lambda: c.value("stackdriver_global_example_com_ready") == 1, 60, "a truth")
        histogram = "stackdriver_https_lb_rule_loadbalancing_googleapis_com_https_total_latencies"
        wait_until(lambda: c.value(histogram + "_count") == 8, 60, "a histogram")
        self.assertEqual(c.value(histogram + "_sum"), 2 * 5105)
        self.assertEqual([c.value(histogram + "_bucket", le=le) for le in ("10.0", "100.0", "1000.0", "+Inf")], [2, 6, 6, 8])
        backends = histogram.replace("total_latencies", "backend_latencies")
        wait_until(lambda: c.value(backends + "_sum") == 120, 60, "exponential buckets")
        self.assertEqual([c.value(backends + "_bucket", le=le) for le in ("10.0", "20.0", "40.0", "80.0")], [0, 1, 3, 4])
        self.assertEqual(c.value(prefix + "replication_replica_lag", database_id="shop-1:replica"), 1.5)
        self.assertEqual(c.value("stackdriver_metric_type_found", metric_type="example.com/nowhere"), 0)
        for word, want in (("database_cpu_ratio", 0.25), ("database_up", 1), ("database_transactions_total", 900)):
            self.assertEqual(c.value("fraiseql_region_" + word, region="eu-west", resource="orders"), want, word)
        self.assertEqual(c.value("fraiseql_region_database_lag_seconds", resource="replica"), 1.5)
        self.assertIsNone(c.value("fraiseql_region_database_lag_seconds", resource="orders"))
        self.assertFalse(fake.violations)

    def test_pages_and_the_bill(self):
        fake, names = self.fake, [f"rule-{i:02}" for i in range(20)]
        fake.page_points = 7
        for name in names:
            for ago in range(3, 8):
                self.requests(2, ago, rule=name)
        c = self.run_collector(self.target())
        wait_until(lambda: [c.value(REQUESTS + "_total", url_map_name=name) for name in names] == [10] * 20, 90, "every series")

        def agree():
            with fake.lock:
                return (c.value(BILLED, api="timeSeries.list"), c.value("fraiseql_cloud_requests_total", api="timeSeries.list")) == \
                    (fake.billed, fake.answered)
        wait_until(agree, 60, "the bills to agree")
        self.assertGreater(fake.billed, 20)
        self.assertFalse(fake.violations)


class TestFaults(WithFake):
    def test_faults_and_restarts_neither_lose_nor_double_a_point(self):
        fake = self.fake
        fake.fail("descriptor", 503)
        fake.fail("series", 429, "partial", "cut", 500, "malformed")
        for ago in range(3, 9):  # well inside the first window, however long the faults take
            self.requests(10, ago)
            self.requests(1, ago, rule="api", response_code_class="500")
        c = self.run_collector(self.target())
        wait_until(lambda: c.value(REQUESTS + "_total", url_map_name="web") == 60, 120, "the sum behind the faults")
        wait_until(lambda: c.value(REQUESTS + "_total", response_code_class="500") == 6, 90, "the other series")
        c.kill()
        fake.tokens.clear()  # whoever still has one is refused
        self.requests(23, 5)  # a minute that grew meanwhile
        self.requests(7, 4, visible=time.time() + 5)
        c.start(env=self.env)
        wait_until(lambda: c.value(REQUESTS + "_total", url_map_name="web"), 30, "what the journal keeps")
        self.assertGreaterEqual(c.value(REQUESTS + "_total", url_map_name="web"), 60)
        wait_until(lambda: c.value(REQUESTS + "_total", url_map_name="web") == fake.total(LB + "request_count", url_map_name="web"),
                   150, "what came late, once")
        fake.tokens.clear()
        self.requests(5, 3)
        wait_until(lambda: c.value(REQUESTS + "_total", url_map_name="web") == 95, 150, "a new token")
        self.assertFalse(fake.violations)

    def test_what_is_forbidden_costs_only_itself_and_is_told(self):
        fake = self.fake
        fake.describe(SQL + "up", "cloudsql_database", value="INT64")
        fake.forbidden = {SQL + "up"}
        self.requests(3, 4)
        c = self.run_collector(self.target(metrics=[{"type": SQL + "up"}, {"type": LB + "request_count"}]))
        wait_until(lambda: c.value(REQUESTS + "_total") == 3, 90, "the other metric")
        wait_until(lambda: c.value("fraiseql_cloud_query_failures_total", status="forbidden"), 60, "the failure")
        self.assertFalse(fake.violations)


    def test_a_project_that_may_not_be_seen_is_told(self):
        self.fake.fail("descriptor", *[403] * 50)
        c = self.run_collector(self.target())
        wait_until(lambda: c.value("fraiseql_target_up", scraper="google") == 0, 30, "a refused project")
        wait_until(lambda: "Google Cloud Monitoring answered 403" in c.log(), 30, "the reason")

    def test_a_project_that_hangs_delays_no_other(self):
        slow = self.open(FakeGoogleMonitoring(self.open(Folder())))
        slow.hangs = True
        self.requests(10, 6)
        c = self.run_collector(self.target("slow", endpoint=slow.url(), credentials_file=slow.service_account()), self.target())
        wait_until(lambda: c.value(REQUESTS + "_total", target="gcp") == 10, 60, "the other project")
        self.assertNotEqual(c.value("fraiseql_target_up", target="slow"), 1)


class TestIdentity(WithFake):
    def test_the_metadata_server_and_federation(self):
        self.requests(3, 4)
        subject = self.fake.external({"url": self.fake.url("/subject"), "headers": {"X-Ask": "politely"},
                                      "format": {"type": "json", "subject_token_field_name": "value"}})
        machine = self.target("machine")
        del machine["credentials_file"]
        self.env.pop("GOOGLE_APPLICATION_CREDENTIALS")
        c = self.run_collector(machine, self.target("federated", credentials_file=subject), self.target("key"))
        for name in ("machine", "federated", "key"):
            wait_until(lambda n=name: c.value(REQUESTS + "_total", target=n) == 3, 90, name)
        self.assertLessEqual({None, ACCOUNT, "machine@shop-1.iam.gserviceaccount.com"}, set(self.fake.tokens.values()))
        self.assertFalse(self.fake.violations)

    def test_a_key_that_is_refused_is_told_and_mended_in_place(self):
        self.requests(3, 4)
        target = self.target()
        path = target["credentials_file"]
        with open(path, encoding="utf-8") as text:
            good = text.read()
        with open(path, "w", encoding="utf-8") as out:
            json.dump({**json.loads(good), "client_email": "nobody@shop-1.iam.gserviceaccount.com", "type": "service_account"}, out)
        os.chmod(path, 0o600)
        self.fake.fail("token", 400, 400)
        c = self.run_collector(target)
        wait_until(lambda: c.value("fraiseql_target_up", scraper="google") == 0, 30, "a refused key")
        with open(path, "w", encoding="utf-8") as out:
            out.write(good)
        wait_until(lambda: c.value(REQUESTS + "_total") == 3, 120, "the key that is mended")


if __name__ == "__main__":
    harness.main()
