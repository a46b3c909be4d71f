"""CloudWatch: the collector against the real moto server, and against a fake that verifies signatures, pages, throttles,
cuts, forbids, is late, and bills. The fake itself is called by AWS's own SDK for Python."""

import json
import os
import random
import shutil
import subprocess
import time
import unittest

import harness
from fake_cloudwatch import FakeCloudWatch
from harness import Case, COLLECTOR, Folder, fetch, free_port, wait_until

try:
    import boto3
except ImportError:
    boto3 = None

SHOP = {"namespace": "Shop", "name": "Orders", "statistics": ["Sum"], "period": "1s", "dimensions": {"Store": "*"}}


def target(endpoint, name="aws", **more):
    return {"name": name, "region": "us-east", "location": "us-east-1", "endpoint": endpoint, "interval": "1s",
            "timeout": "1s", **({} if "metrics" in more or "profiles" in more else {"metrics": [SHOP]}), **more}


def config(*targets, **more):
    return {"defaults": {"interval": "1s", "timeout": "1s"}, "scrapers": {"cloudwatch": list(targets)}, **more}


class WithFake(Case):
    def setUp(self):
        self.fake = self.open(FakeCloudWatch())
        self.env = {**self.fake.user(), "AWS_EC2_METADATA_DISABLED": "true"}

    def run_collector(self, *targets, **more):
        return self.collector(config(*targets, **more)).start(env=self.env)


class TestValues(WithFake):
    def test_names_labels_and_vocabulary(self):
        now = time.time()
        for name, value in {"CPUUtilization": 40, "FreeStorageSpace": 1000, "ReplicaLag": -1}.items():
            self.fake.put("AWS/RDS", name, {"DBInstanceIdentifier": "orders"}, value, now - 300)
            self.fake.put("AWS/RDS", name, {"DBInstanceIdentifier": "other"}, value, now - 300)
        for kind in ("Target", "ELB"):
            self.fake.put("AWS/ApplicationELB", f"HTTPCode_{kind}_5XX_Count", {"LoadBalancer": "app/shop/1"}, 3, now - 300)
        self.fake.resources = [
            ("arn:aws:rds:us-east-1:123456789012:db:orders", {"deployment": "shop", "aws:x": "y", "bad key!": "z"}),
            ("arn:aws:rds:us-east-1:123456789012:db:other", {"deployment": "another"}),
            ("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/1", {"deployment": "shop"})]
        c = self.run_collector(target(self.fake.url("/"), profiles=["rds-postgresql", "alb"],
                                      discover={"tags": {"deployment": "shop"}}))
        cpu = "aws_rds_cpuutilization_average"
        wait_until(lambda: c.value(cpu) == 40, 30, cpu)
        page = c.metrics()
        labels = dict(next(labels for name, labels in page if name == cpu))
        self.assertEqual(labels, {"account_id": "123456789012", "deployment_region": "us-east", "region": "us-east-1",
                                  "dimension_DBInstanceIdentifier": "orders", "target": "aws",
                                  "name": "arn:aws:rds:us-east-1:123456789012:db:orders"})
        info = dict(next(labels for name, labels in page if name == "aws_rds_info"))
        self.assertEqual((info["tag_deployment"], info["tag_aws_x"]), ("shop", "y"))
        self.assertEqual(c.value("fraiseql_region_database_cpu_ratio"), 0.4)
        words = dict(next(labels for name, labels in page if name == "fraiseql_region_database_cpu_ratio"))
        self.assertEqual(words, {"region": "us-east", "target": "aws", "resource": "orders"})
        self.assertEqual(c.value("aws_rds_replica_lag_maximum"), -1)
        self.assertIsNone(c.value("fraiseql_region_database_lag_seconds"))  # not active
        self.assertEqual(c.value("fraiseql_region_load_balancer_errors_total"), 6)
        self.assertEqual(c.value("fraiseql_target_up", scraper="cloudwatch"), 1)

    def test_a_forbidden_metric_costs_only_itself(self):
        for name in ("Orders", "Carts"):
            self.fake.put("Shop", name, {"Store": "a"}, 5)
        self.fake.forbidden = {"Carts"}
        c = self.run_collector(target(self.fake.url("/"), metrics=[SHOP, {**SHOP, "name": "Carts"}]))
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 5, 30, "the sum")
        wait_until(lambda: c.value("fraiseql_cloud_query_failures_total", status="forbidden"), 30, "the failure")
        self.assertEqual(c.value("fraiseql_cloud_query_failing"), 1)
        self.assertEqual(c.value("fraiseql_target_up", scraper="cloudwatch"), 1)

    def test_pages_and_disorder_and_more_than_five_hundred(self):
        at = time.time() - 180
        for i in range(700):
            self.fake.put("Shop", "Orders", {"Store": f"s{i}"}, i, at)
        self.fake.page_points, self.fake.page_metrics = 150, 100
        self.fake.instead = [None] * 8 + ["disorder"] * 3
        c = self.run_collector(target(self.fake.url("/"), metrics=[{**SHOP, "period": "60s"}], max_series=2000))
        wait_until(lambda: sum(v for (n, _), v in c.metrics().items() if n == "aws_shop_orders_sum_total") ==
                   sum(range(700)), 60, "every store")
        self.assertEqual(max(queries for _, _, queries in self.fake.windows), 500)

    def test_too_much_at_once_is_asked_in_halves(self):
        for i in range(4):
            self.fake.put("Shop", "Orders", {"Store": f"s{i}"}, 5)
        c = self.run_collector(target(self.fake.url("/")))
        wait_until(lambda: c.value("aws_shop_orders_sum_total", dimension_Store="s3") == 5, 30, "the sum")
        self.fake.instead = [(413, {}, "")]
        for i in range(4):
            self.fake.put("Shop", "Orders", {"Store": f"s{i}"}, 7)
        wait_until(lambda: all(c.value("aws_shop_orders_sum_total", dimension_Store=f"s{i}") == 12 for i in range(4)), 30, "all")
        self.assertEqual({queries for _, _, queries in self.fake.windows}, {2, 4})

    def test_what_is_dropped_is_not_paid_for(self):
        for name in ("Orders", "Carts"):
            self.fake.put("Shop", name, {"Store": "a"}, 5)
        c = self.run_collector(target(self.fake.url("/"), metrics=[SHOP, {**SHOP, "name": "Carts"}],
                                      drop=["aws_shop_carts_sum"]))
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 5, 30, "the sum")
        wait_until(lambda: len(self.fake.windows) > 2, 30, "some calls")
        self.assertEqual({queries for _, _, queries in self.fake.windows}, {1})
        self.assertIsNone(c.value("aws_shop_carts_sum_total"))

    def test_a_reload_takes_the_counters_along(self):
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5)
        c = self.run_collector(target(self.fake.url("/")))
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 5, 30, "the sum")
        c.config["scrapers"]["cloudwatch"][0]["metrics"] = [SHOP, {**SHOP, "name": "Carts"}]
        c.write()
        self.fake.put("Shop", "Orders", {"Store": "a"}, 7)
        self.assertEqual(c.get("/-/reload", data=b"", method="POST")[0], 200)
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 12, 30, "the sum of both")

    def test_a_value_that_comes_no_more_vanishes_and_its_counter_stays(self):
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5, time.time() - 430)
        self.fake.put("Shop", "Orders", {"Store": "b"}, 6, time.time() - 130)
        c = self.run_collector(target(self.fake.url("/")))
        wait_until(lambda: c.value("aws_shop_orders_sum_total", dimension_Store="a") == 5, 30, "the sum")
        self.assertIsNone(c.value("aws_shop_orders_sum", dimension_Store="a"))
        self.assertEqual(c.value("aws_shop_orders_sum", dimension_Store="b"), 6)

    def test_a_wrong_clock_is_corrected(self):
        self.fake.skew_s = 7200
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5)
        c = self.run_collector(target(self.fake.url("/")))
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 5, 30, "the sum")
        self.assertAlmostEqual(c.value("fraiseql_cloud_clock_offset_seconds"), 7200, delta=5)

    def test_what_is_refused_says_why(self):
        self.env["AWS_SECRET_ACCESS_KEY"] = "another"
        c = self.run_collector(target(self.fake.url("/")))
        wait_until(lambda: any("secret access key does not belong" in (t["error"] or "") for t in
                               c.json("/api/v1/status")["targets"]), 30, "the error")
        self.assertEqual(c.value("fraiseql_target_up", scraper="cloudwatch"), 0)


class TestExactness(WithFake):
    def test_each_value_is_counted_once_through_faults_and_kills_and_billed_as_counted(self):
        random.seed(7)
        c = self.run_collector(target(self.fake.url("/"), request_timeout="1s"))
        wait_until(lambda: c.value("fraiseql_cloud_last_success_timestamp_seconds", call="discovery"), 30, "discovery")
        stores = [{"Store": "a"}, {"Store": "b"}]
        for store in stores:
            self.fake.put("Shop", "Orders", store, 1)
        self.assertEqual(c.stop(), 0)
        c.start(env=self.env)
        for store in stores:
            wait_until(lambda s=store: c.value("aws_shop_orders_sum_total", dimension_Store=s["Store"]), 30, "a store")
        billed, requests = dict(self.fake.billed), dict(self.fake.requests)
        last = {}
        for step in range(24):
            for store in stores:
                at = time.time()
                for _ in range(3):
                    self.fake.put("Shop", "Orders", store, random.randrange(1000), at, at + random.choice([0, 0, 1, 4]))
            if random.random() < 0.5:
                self.fake.instead.append(random.choice(["throttle", "cut", "malformed", "partial", "internal", "slow",
                                                        "disorder", (500, {}, "no"), (503, {"Retry-After": "1"}, "")]))
            if step in (8, 16):
                c.kill()
                c.start(env=self.env)
            time.sleep(0.5)
            for (name, labels), value in c.metrics().items():
                if name == "aws_shop_orders_sum_total":  # never falls, kills included
                    self.assertGreaterEqual(value, last.get(labels, 0))
                    last[labels] = value
        self.fake.instead = []
        for store in stores:
            wait_until(lambda s=store: c.value("aws_shop_orders_sum_total", dimension_Store=s["Store"]) ==
                       self.fake.total("Shop", "Orders", s), 60, "the sum of all values")
        self.assertGreater(self.fake.billed["GetMetricData"], billed["GetMetricData"])
        self.assertGreater(self.fake.requests["GetMetricData"], requests["GetMetricData"])
        self.assertEqual(c.stop(), 0)

    def test_calls_and_units_are_those_of_the_bill(self):
        for i in range(30):
            self.fake.put("Shop", "Orders", {"Store": f"s{i}"}, i)
        metric = {**SHOP, "statistics": ["Sum", "Average", "Minimum", "Maximum", "p95", "p99"]}
        c = self.run_collector(target(self.fake.url("/"), metrics=[metric], request_timeout="1s"))
        wait_until(lambda: c.value("fraiseql_cloud_requests_total", api="GetMetricData"), 30, "a call")
        self.fake.instead = ["throttle", None, "cut", None, "malformed", None, "partial", None, (500, {}, "")]
        wait_until(lambda: not self.fake.instead, 60, "the faults to be over")
        time.sleep(2)
        c.config["scrapers"]["cloudwatch"][0]["interval"] = "600s"  # no call is under way when both are read

        def agree():
            with self.fake.lock:
                ours = {api: (c.value("fraiseql_cloud_requests_total", api=api),
                              c.value("fraiseql_cloud_billed_units_total", api=api))
                        for api in ("GetMetricData", "ListMetrics")}
                theirs = {api: (self.fake.requests[api], self.fake.billed[api]) for api in ours}
            return ours == theirs or None
        wait_until(agree, 30, "the bills to agree")
        self.assertEqual(c.value("fraiseql_cloud_throttled_total", api="GetMetricData"), 1)

    def test_a_budget_slows_polling(self):
        for i in range(50):
            self.fake.put("Shop", "Orders", {"Store": f"s{i}"}, i)
        c = self.run_collector(target(self.fake.url("/"), budget={"usd_per_month": 1}))
        wait_until(lambda: (c.value("fraiseql_cloud_stretch_ratio") or 1) > 100, 30, "the stretch")
        self.assertLessEqual(c.value("fraiseql_cloud_estimated_usd_per_month"), 8)


class TestTargets(WithFake):
    def test_fifty_accounts_of_which_two_hang(self):
        hanging = self.open(FakeCloudWatch())
        hanging.hangs = True
        hanging.keys = self.fake.keys
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5)
        self.fake.put("Shop", "Orders", {"Store": "a"}, 0, time.time() - 200)
        c = self.run_collector(*[target((hanging if i in (0, 25) else self.fake).url("/"), name=f"account-{i}",
                                        metrics=[{**SHOP, "period": "60s"}], interval="5s", timeout="5s")
                                 for i in range(50)])
        wait_until(lambda: sum(n == "aws_shop_orders_sum_total" for n, _ in c.metrics()) == 48, 60, "48 accounts")
        for i in range(50):
            if i not in (0, 25):
                self.assertEqual(c.value("fraiseql_target_up", target=f"account-{i}", scraper="cloudwatch"), 1)
        wait_until(lambda: c.value("fraiseql_target_up", target="account-0", scraper="cloudwatch") == 0, 60, "the hanging one")
        self.assertIn("has not answered yet", "".join((t["error"] or "") for t in c.json("/api/v1/status")["targets"]))
        self.assertEqual(c.stop(), 0)  # with calls under way

    def test_targets_of_one_role_sign_in_once(self):
        role = "arn:aws:iam::210987654321:role/metrics"
        self.fake.roles[role] = {"trusts": ["arn:aws:iam::123456789012:user/jo"], "external_id": "shop"}
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5)
        c = self.run_collector(*[target(self.fake.url("/"), name=f"t{i}", credentials={"role_arn": role, "external_id": "shop"})
                                 for i in range(12)])
        wait_until(lambda: sum(n == "aws_shop_orders_sum_total" for n, _ in c.metrics()) == 12, 60, "12 targets")
        self.assertEqual(sum(action == "AssumeRole" for _, _, action, _ in self.fake.calls), 1)
        self.assertEqual(c.value("aws_shop_orders_sum_total", target="t3", account_id="210987654321"), 5)

    def test_an_expired_token_is_replaced(self):
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5)
        c = self.run_collector(target(self.fake.url("/")))
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 5, 30, "the sum")
        self.fake.instead = ["expired"]
        wait_until(lambda: c.value("fraiseql_cloud_signins_total") == 2, 30, "another sign-in")
        self.assertEqual(c.value("fraiseql_target_up", scraper="cloudwatch"), 1)


class TestCost(Case):
    def test_the_plan_before_the_first_call(self):
        folder = self.open(Folder())
        path = folder.file("c.yaml", json.dumps({
            "version": 1, "collector": {"name": "a", "region": "us-east", "journal": folder.path + "/j"},
            "scrapers": {"cloudwatch": [target("http://127.0.0.1:1", metrics=[{**SHOP, "period": "60s"}],
                                               discover={"expected": 1000}, budget={"usd_per_month": 100})]}}))
        text = subprocess.run([COLLECTOR, "cost", "--config", path], capture_output=True, text=True, check=True).stdout
        self.assertIn("the budget of USD 100.00 makes polling 4.4", text)
        plan = json.loads(subprocess.run([COLLECTOR, "cost", "--json", "--config", path], capture_output=True, text=True,
                                         check=True).stdout)
        self.assertEqual(plan["currency"], "USD")
        self.assertAlmostEqual(plan["usd_per_month"], 438, places=1)
        api = plan["targets"][0]["apis"][0]
        self.assertEqual((api["requests_per_month"], api["units_per_month"]), (2 * 43800, 43800000))


@unittest.skipUnless(boto3, "boto3 is not installed")
class TestFake(WithFake):
    """AWS's own SDK reads what the fake answers, and the fake what it sends."""

    def client(self, service):
        return boto3.client(service, region_name="us-east-1", endpoint_url=self.fake.url("/"),
                            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"])

    def test_boto3_agrees(self):
        minute = int(time.time()) // 60 * 60
        for i in range(5):
            self.fake.put("Shop", "Orders", {"Store": "a"}, i + 1, minute - 60 * (i + 1))
        self.fake.resources = [(f"arn:aws:rds:us-east-1:123456789012:db:{i}", {"a": "b"}) for i in range(5)]
        resources = self.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(
            ResourcesPerPage=100, TagFilters=[{"Key": "a", "Values": ["b"]}]).build_full_result()
        self.assertEqual(len(resources["ResourceTagMappingList"]), 5)
        cloudwatch = self.client("cloudwatch")
        if cloudwatch.meta.service_model.resolved_protocol != "json":
            self.skipTest(f"this boto3 speaks {cloudwatch.meta.service_model.resolved_protocol} to CloudWatch")
        listed = cloudwatch.list_metrics(Namespace="Shop", RecentlyActive="PT3H")["Metrics"]
        self.assertEqual(listed[0]["Dimensions"], [{"Name": "Store", "Value": "a"}])
        self.fake.page_points = 2
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            StartTime=minute - 600, EndTime=minute, MetricDataQueries=[
                {"Id": "q0", "MetricStat": {"Metric": listed[0], "Period": 60, "Stat": "Sum"}}]).build_full_result()
        self.assertEqual(sum(sum(result["Values"]) for result in pages["MetricDataResults"]), 15)
        self.fake.instead = ["throttle"] * 9
        with self.assertRaisesRegex(Exception, "Rate exceeded"):
            cloudwatch.list_metrics(Namespace="Shop")


@unittest.skipUnless(boto3 and shutil.which("moto_server"), "moto_server and boto3 are not installed")
class TestMoto(Case):
    def setUp(self):
        self.folder = self.open(Folder())
        self.url = f"http://127.0.0.1:{free_port()}"
        log = open(self.folder.path + "/moto.log", "wb")
        self.moto = subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", self.url.rsplit(":", 1)[1]], stdout=log, stderr=log)
        self.addCleanup(lambda: (self.moto.terminate(), self.moto.wait(10)))
        wait_until(lambda: fetch(self.url + "/moto-api/data.json")[0] == 200, 60, "moto")

    def client(self, service):
        return boto3.client(service, region_name="us-east-1", endpoint_url=self.url, aws_access_key_id="a",
                            aws_secret_access_key="b")

    def put(self, namespace, name, dimension, value, minutes_ago):
        minute = int(time.time()) // 60 * 60
        self.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[
            {"MetricName": name, "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}], "Value": value,
             "Timestamp": minute - 60 * minutes_ago + 5}])

    def test_values_tags_and_a_kill(self):
        ec2 = self.client("ec2")
        image = ec2.describe_images()["Images"][0]["ImageId"]
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "deployment", "Value": "shop"}]}]
        ours = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"][0]["InstanceId"]
        other = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        for instance in (ours, other):
            self.put("AWS/EC2", "StatusCheckFailed", ("InstanceId", instance), 0, 4)
        for minutes in range(1, 9):
            self.put("Shop", "Orders", ("Store", "a"), minutes, minutes)
        c = self.collector(config(target(self.url, profiles=["ec2"], metrics=[{**SHOP, "period": "60s"}],
                                         discover={"tags": {"deployment": "shop"}})))
        env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        c.start(env=env)
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 36, 60, "the sum")
        self.assertEqual(c.value("fraiseql_region_machine_up", resource=ours), 1)
        found = [dict(labels) for name, labels in c.metrics() if name == "aws_ec2_status_check_failed_maximum"]
        self.assertEqual([labels["dimension_InstanceId"] for labels in found], [ours])
        self.assertEqual(c.value("aws_ec2_info", tag_deployment="shop"), 0)
        c.kill()
        self.put("Shop", "Orders", ("Store", "a"), 1000, 5)  # late, while nobody looks
        c.start(env=env)
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 1036, 90, "the late value, once")


if __name__ == "__main__":
    harness.main()
