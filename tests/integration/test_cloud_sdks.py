"""The vendors' own SDKs call the fakes of clouds: what they send is taken, and what they read is what the fake holds.

So a fake that the scrapers are tested against answers as its cloud does, as far as the vendor's parser tells. The SDKs are
npm packages, sdks/clouds; where they cannot be had all of this is skipped."""

import calendar
import json
import os
import subprocess
import time

import fake_azure_monitor
import fake_kubernetes
import harness
from fake_azure_monitor import CLIENT, MONITOR, SECRET, SUBSCRIPTION, TENANT, FakeAzureMonitor
from fake_cloud import Key
from fake_cloudflare import FakeCloudflare, identity, stamp
from fake_cloudwatch import FakeCloudWatch
from fake_google_monitoring import READ, FakeGoogleMonitoring, spread
from fake_kubernetes import FakeKubernetes
from harness import Case, Folder, wait_until
from sdks.clients import command

NOW = int(time.time()) // 60 * 60
CALL_SECONDS = 120


def seconds_of(stamp):
    """Of the time that JSON.stringify writes."""
    return calendar.timegm(time.strptime(stamp.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S"))


class SdkCase(Case):
    vendor = None

    def setUp(self):
        self.program, self.home = command("clouds", self.vendor)

    def ask(self, settings, *steps, **environment):
        """What each step gave: {"value": ...} or {"error": {"name", "code", "status", "message"}}."""
        proxies = {"NO_PROXY": "*", "no_proxy": "*"}
        done = subprocess.run(self.program, cwd=self.home, input=json.dumps({"settings": settings, "steps": steps}).encode(),
                              env={**os.environ, **proxies, **environment}, capture_output=True, timeout=CALL_SECONDS, check=False)
        if done.returncode:
            raise AssertionError(f"the client of {self.vendor}: {done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout)

    def values(self, *given, **environment):
        """As ask(), of steps that all succeed."""
        results = self.ask(*given, **environment)
        self.assertEqual([result["error"] for result in results if "error" in result], [], getattr(self.fake, "violations", None))
        return [result.get("value") for result in results]


class TestAws(SdkCase):
    vendor = "aws"

    def setUp(self):
        super().setUp()
        self.fake = self.open(FakeCloudWatch())
        self.env = self.fake.user()
        self.settings = {"endpoint": self.fake.url("/"), "region": "us-east-1"}

    def test_values_page_by_page(self):
        for ago in range(1, 6):
            for store in ("a", "b"):
                self.fake.put("Shop", "Orders", {"Store": store}, ago, NOW - 60 * ago)
        self.fake.put("Shop", "Latency", {}, 0.125, NOW - 60)
        self.fake.page_points = 3
        stat = lambda name, dimensions, stat: {"Metric": {"Namespace": "Shop", "MetricName": name, "Dimensions": dimensions},
                                               "Period": 60, "Stat": stat}
        queries = [{"Id": "a", "MetricStat": stat("Orders", [{"Name": "Store", "Value": "a"}], "Sum")},
                   {"Id": "b", "MetricStat": stat("Orders", [{"Name": "Store", "Value": "b"}], "Maximum")},
                   {"Id": "c", "MetricStat": stat("Latency", [], "p99")}]
        pages, = self.values(self.settings, ["getMetricData", {
            "StartTime": NOW - 600, "EndTime": NOW, "ScanBy": "TimestampAscending", "MetricDataQueries": queries}], **self.env)
        found = {}
        for page in pages:
            for result in page["MetricDataResults"]:
                points = found.setdefault(result["Id"], {})
                self.assertFalse(points.keys() & {seconds_of(at) for at in result["Timestamps"]})
                points.update({seconds_of(at): value for at, value in zip(result["Timestamps"], result["Values"])})
        orders = {NOW - 60 * ago: ago for ago in range(1, 6)}
        self.assertEqual(found, {"a": orders, "b": orders, "c": {NOW - 60: 0.125}})
        self.assertEqual(len(pages), 4)
        self.assertEqual({result["StatusCode"] for result in pages[-1]["MetricDataResults"]}, {"Complete"})
        self.assertEqual(self.fake.billed["GetMetricData"], 3)

    def test_partial_and_forbidden_results(self):
        for ago in range(1, 5):
            self.fake.put("Shop", "Orders", {}, ago, NOW - 60 * ago)
            self.fake.put("Shop", "Carts", {}, ago, NOW - 60 * ago)
        self.fake.forbidden = {"Carts"}
        self.fake.instead = ["partial"]
        queries = [{"Id": id_, "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": 60, "Stat": "Sum"}}
                   for id_, name in (("qq", "Orders"), ("q", "Carts"))]
        pages, = self.values(self.settings, ["getMetricData", {"StartTime": NOW - 600, "EndTime": NOW, "MetricDataQueries": queries}],
                             **self.env)
        orders, carts = pages[0]["MetricDataResults"]
        self.assertEqual((orders["StatusCode"], len(orders["Values"])), ("PartialData", 2))
        self.assertEqual((carts["StatusCode"], carts["Messages"][0]["Code"]), ("Forbidden", "Forbidden"))

    def test_discovery_page_by_page(self):
        for number in range(5):
            self.fake.put("Shop", "Orders", {"Store": f"s{number}"}, 1)
        self.fake.page_metrics = 2
        self.fake.resources = [(f"arn:aws:rds:us-east-1:123456789012:db:{i}", {"a": "b", "i": str(i)}) for i in range(5)]
        metrics, resources = self.values(
            self.settings, ["listMetrics", {"Namespace": "Shop", "MetricName": "Orders", "RecentlyActive": "PT3H"}],
            ["getResources", {"ResourcesPerPage": 100, "TagFilters": [{"Key": "a", "Values": ["b"]}]}], **self.env)
        self.assertEqual([len(page["Metrics"]) for page in metrics], [2, 2, 1])
        self.assertEqual(metrics[2]["Metrics"], [{"Namespace": "Shop", "MetricName": "Orders",
                                                  "Dimensions": [{"Name": "Store", "Value": "s4"}]}])
        found = {entry["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in entry["Tags"]}
                 for page in resources for entry in page["ResourceTagMappingList"]}
        self.assertEqual(found, dict(self.fake.resources))
        self.assertEqual(len(resources), 3)

    def test_who_asks(self):
        role = "arn:aws:iam::123456789012:role/fraiseql-metrics"
        self.fake.roles[role] = {"trusts": ["arn:aws:iam::123456789012:user/jo"], "external_id": "shop"}
        me, given, refused = self.ask(
            self.settings, ["getCallerIdentity", {}], ["assumeRole", {"RoleArn": role, "RoleSessionName": "s", "ExternalId": "shop"}],
            ["assumeRole", {"RoleArn": role, "RoleSessionName": "s"}], **self.env)
        self.assertEqual(me["value"]["Arn"], "arn:aws:iam::123456789012:user/jo")
        self.assertEqual(given["value"]["Credentials"]["AccessKeyId"], "ASIA1")
        self.assertAlmostEqual(seconds_of(given["value"]["Credentials"]["Expiration"]), time.time() + 3600, delta=120)
        self.assertEqual((refused["error"]["name"], refused["error"]["status"]), ("AccessDenied", 403))

    def test_errors(self):
        listed = ["listMetrics", {"Namespace": "Shop"}]
        self.fake.instead = ["throttle", "expired", (500, {}, '{"__type": "com.amazonaws#InternalServiceFault"}')]
        throttled, expired, failed = self.ask(self.settings, *[listed] * 3, **self.env)
        self.assertEqual((throttled["error"]["name"], throttled["error"]["message"]), ("Throttling", "Rate exceeded"))
        self.assertEqual(expired["error"]["name"], "ExpiredTokenException")
        self.assertEqual((failed["error"]["name"], failed["error"]["status"]), ("InternalServiceFault", 500))
        forged, = self.ask(self.settings, listed, **{**self.env, "AWS_SECRET_ACCESS_KEY": "another"})
        self.assertEqual(forged["error"]["name"], "SignatureDoesNotMatch")


class TestGoogle(SdkCase):
    vendor = "google"
    REQUESTS = "loadbalancing.googleapis.com/https/request_count"

    def setUp(self):
        super().setUp()
        self.folder = self.open(Folder())
        self.fake = self.open(FakeGoogleMonitoring(self.folder))
        self.fake.describe(self.REQUESTS, "https_lb_rule", "DELTA", "INT64", delay=90)
        subject = self.fake.external({"url": self.fake.url("/subject"), "headers": {"X-Ask": "politely"},
                                      "format": {"type": "json", "subject_token_field_name": "value"}})
        self.settings = {"host": "127.0.0.1", "port": self.fake.port, "credentials": subject, "scope": READ,
                         "project": self.fake.project}

    def series(self, kind, aligner=None, **more):
        aggregation = {"aggregation": {"alignmentPeriod": {"seconds": 60}, "perSeriesAligner": aligner}} if aligner else {}
        return ["timeSeries", {"name": f"projects/{self.fake.project}", "filter": f'metric.type = "{kind}"', "view": "FULL",
                               "interval": {"startTime": {"seconds": NOW - 1200}, "endTime": {"seconds": NOW}},
                               "pageSize": 1000, **aggregation, **more}]

    @staticmethod
    def points(pages):
        """{sorted labels: {end: typed value}}, of all pages."""
        found = {}
        for page in pages:
            for series in page["timeSeries"]:
                labels = tuple(sorted({**series["metric"]["labels"], **series["resource"]["labels"]}.items()))
                for point in series["points"]:
                    at = int(point["interval"]["endTime"]["seconds"])
                    assert at not in found.setdefault(labels, {}), "a point comes twice"
                    found[labels][at] = {key: value for key, value in point["value"].items() if key != "value"}  # which it is
        return found

    def test_descriptors(self):
        name = f"projects/{self.fake.project}/metricDescriptors/"
        found, missing = self.ask(self.settings, ["descriptor", {"name": name + self.REQUESTS}],
                                  ["descriptor", {"name": name + "example.com/nowhere"}])
        self.assertEqual({key: found["value"][key] for key in ("type", "metricKind", "valueType", "unit", "monitoredResourceTypes")},
                         {"type": self.REQUESTS, "metricKind": "DELTA", "valueType": "INT64", "unit": "1",
                          "monitoredResourceTypes": ["https_lb_rule"]})
        self.assertEqual([found["value"]["metadata"][key]["seconds"] for key in ("samplePeriod", "ingestDelay")], ["60", "90"])
        self.assertIn("example.com/nowhere", missing["error"]["message"])
        self.assertFalse(self.fake.violations)

    def test_series_page_by_page(self):
        self.fake.page_points = 3
        for ago in range(1, 6):
            for rule in ("web", "api"):
                self.fake.put(self.REQUESTS, NOW - 60 * ago, 10 + ago, {"response_code_class": "200"}, url_map_name=rule)
        pages, = self.values(self.settings, self.series(self.REQUESTS, "ALIGN_SUM"))
        self.assertEqual(len(pages), 4)
        want = {NOW - 60 * ago: {"int64Value": str(10 + ago)} for ago in range(1, 6)}
        found = self.points(pages)
        self.assertEqual({dict(labels)["url_map_name"]: points for labels, points in found.items()}, {"web": want, "api": want})
        self.assertEqual({dict(labels)["response_code_class"] for labels in found}, {"200"})
        self.assertEqual({page["unit"] for page in pages}, {"1"})
        self.assertFalse(self.fake.violations)

    def test_every_type_of_value(self):
        fake, at = self.fake, NOW - 120
        fake.describe("example.com/ratio", "global")
        fake.describe("example.com/ready", "global", value="BOOL")
        fake.describe("example.com/latency", "global", "DELTA", "DISTRIBUTION", "ms")
        fake.put("example.com/ratio", at, 0.25)
        fake.put("example.com/ready", at, True)
        fake.put("example.com/latency", at, spread([10, 100, 1000], [5, 50, 50, 500]))
        found = self.values(self.settings, self.series("example.com/ratio", "ALIGN_MEAN"),
                            self.series("example.com/ready", "ALIGN_FRACTION_TRUE"), self.series("example.com/ready", "ALIGN_NEXT_OLDER"),
                            self.series("example.com/latency", "ALIGN_DELTA"))
        ratio, share, ready, latency = [next(iter(self.points(pages).values()))[at] for pages in found]
        self.assertEqual((ratio, share, ready), ({"doubleValue": 0.25}, {"doubleValue": 1}, {"boolValue": True}))
        distribution = latency["distributionValue"]
        self.assertEqual((distribution["count"], distribution["mean"], distribution["bucketCounts"]), ("4", 151.25, ["1", "2", "1"]))
        self.assertEqual(distribution["bucketOptions"]["explicitBuckets"]["bounds"], [10, 100, 1000])
        self.assertFalse(fake.violations)

    def test_errors_and_partial_answers(self):
        for rule in ("web", "api"):
            self.fake.put(self.REQUESTS, NOW - 60, 1, url_map_name=rule)
        asked = self.series(self.REQUESTS, "ALIGN_SUM")
        self.fake.fail("series", 429, 503, "partial")
        throttled, unavailable, partial, whole = self.ask(self.settings, *[asked] * 4)
        self.assertIn("fault 429", throttled["error"]["message"])
        self.assertIn("fault 503", unavailable["error"]["message"])
        self.assertEqual([(error["code"], len(page["timeSeries"])) for page in partial["value"] for error in page["executionErrors"]],
                         [(4, 1)])
        self.assertEqual(len(whole["value"][0]["timeSeries"]), 2)
        self.fake.forbidden = {self.REQUESTS}
        refused, = self.ask(self.settings, asked)
        self.assertEqual(refused["error"]["code"], 403)
        self.assertIn("monitoring.timeSeries.list denied", refused["error"]["message"])
        self.assertFalse(self.fake.violations)


class TestAzure(SdkCase):
    vendor = "azure"
    POSTGRES, TRAFFIC = "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.Network/trafficManagerProfiles"

    def setUp(self):
        super().setUp()
        self.key = Key(self.open(Folder()))
        self.fake = self.open(FakeAzureMonitor(self.key))  # Microsoft's SDKs send tokens over TLS alone
        self.settings = {"endpoint": self.fake.url(), "tenant": TENANT, "client": CLIENT, "secret": SECRET,
                         "subscription": SUBSCRIPTION, "scope": MONITOR,
                         "versions": {"metrics": "2024-02-01", "resources": "2021-04-01"}}

    def ask(self, *given, **environment):
        return super().ask(*given, NODE_EXTRA_CA_CERTS=self.key.certificate, **environment)

    def batch(self, ids, names, **more):
        return ["queryResources", {"ids": ids, "names": names, "namespace": self.POSTGRES, "startTime": NOW - 600, "endTime": NOW,
                                   "interval": "PT1M", **more}]

    def test_batches(self):
        ids = [self.fake.add(self.POSTGRES, name) for name in ("orders", "carts")]
        for number, path in enumerate(ids):
            for ago in range(1, 6):
                self.fake.put(path, "cpu_percent", NOW - 60 * ago, "average", number + ago / 4)
                self.fake.put(path, "connections_failed", NOW - 60 * ago, "total", ago)
        found, = self.values(self.settings, self.batch(ids, ["cpu_percent", "connections_failed"], aggregation="average,total"))
        self.assertEqual([result["resourceId"].lower() for result in found], ids)
        for number, result in enumerate(found):
            self.assertEqual((result["namespace"], result["resourceRegion"], result["granularity"]),
                             (self.POSTGRES, "westeurope", "PT1M"))
            cpu, failed = result["metrics"]
            self.assertEqual((cpu["name"], failed["name"]), ("cpu_percent", "connections_failed"))
            self.assertEqual((cpu["unit"], cpu["errorCode"]), ("Count", "Success"))
            points = {seconds_of(point["timeStamp"]): point for point in cpu["timeseries"][0]["data"]}
            self.assertEqual(sorted(points), list(range(NOW - 600, NOW, 60)))
            self.assertEqual([points[NOW - 60 * ago]["average"] for ago in range(1, 6)], [number + ago / 4 for ago in range(1, 6)])
            self.assertIsNone(points[NOW - 600].get("average"))
            self.assertEqual(sum(point.get("total") or 0 for point in failed["timeseries"][0]["data"]), 15)
        self.assertEqual([entry[:2] for entry in self.fake.ledger], [("batch", ("cpu_percent", "connections_failed"))])
        self.assertFalse(self.fake.violations)

    def test_values_of_a_dimension(self):
        path = self.fake.add(self.POSTGRES, "orders")
        for name, count in (("orders", 5), ("carts", 2)):
            self.fake.put(path, "xact_total", NOW - 60, "total", count, name)
        found, = self.values(self.settings, self.batch([path], ["xact_total"], aggregation="total", filter="DatabaseName eq '*'", top=100))
        series = {entry["metadatavalues"][0]["value"]: entry for entry in found[0]["metrics"][0]["timeseries"]}
        self.assertEqual({name: entry["data"][-1]["total"] for name, entry in series.items()}, {"orders": 5, "carts": 2})
        self.assertEqual(series["carts"]["metadatavalues"][0]["name"], "DatabaseName")
        self.assertFalse(self.fake.violations)

    def test_one_resource_of_resource_manager(self):
        path = self.fake.add(self.TRAFFIC, "front", "global")
        self.fake.put(path, "QpsByEndpoint", NOW - 120, "total", 7, "eu")
        span = "/".join(map(fake_azure_monitor.stamp, (NOW - 600, NOW)))
        found, = self.values(self.settings, ["metrics", {
            "id": path, "timespan": span, "interval": "PT1M", "metricnames": "QpsByEndpoint", "aggregation": "total",
            "filter": "EndpointName eq '*'", "top": 100, "metricnamespace": self.TRAFFIC}])
        self.assertEqual((found["timespan"], found["interval"], found["namespace"]), (span, "PT1M", self.TRAFFIC))
        metric = found["value"][0]
        self.assertEqual(metric["name"]["value"], "QpsByEndpoint")
        data = metric["timeseries"][0]["data"]
        self.assertEqual({seconds_of(point["timeStamp"]): point["total"] for point in data if "total" in point}, {NOW - 120: 7})
        self.assertFalse(self.fake.violations)

    def test_resources_page_by_page(self):
        ids = {self.fake.add(self.POSTGRES, f"db-{i:02}", group="Production" if i % 2 else "Other") for i in range(45)}
        self.fake.add(self.TRAFFIC, "front", "global")
        wanted = f"resourceType eq '{self.POSTGRES}'"
        every, group = self.values(self.settings, ["resources", {"filter": wanted}],
                                   ["resourcesOfGroup", {"group": "Production", "filter": wanted}])
        self.assertEqual({each["id"].lower() for each in every}, ids)
        self.assertEqual({each["id"].lower() for each in group}, {path for path in ids if "/production/" in path})
        self.assertEqual((every[0]["name"], every[0]["type"], every[0]["location"]), ("db-00", self.POSTGRES, "westeurope"))
        self.assertEqual(self.fake.count("resources"), 3 + 2)
        self.assertFalse(self.fake.violations)

    def test_errors(self):
        path = self.fake.add(self.POSTGRES, "orders")
        asked = self.batch([path], ["cpu_percent"], aggregation="average")
        self.fake.fail("batch", 429, 500)
        throttled, failed, _ = self.ask(self.settings, *[asked] * 3)
        self.assertEqual((throttled["error"]["status"], throttled["error"]["code"]), (429, "TooManyRequests"))
        self.assertEqual((failed["error"]["status"], failed["error"]["code"]), (500, "Fault"))
        self.fake.metric_errors = {"cpu_percent": "InternalServerError"}
        self.fake.forbidden = {self.fake.add(self.POSTGRES, "secret")}
        inside, refused, resources = self.ask(self.settings, asked, self.batch([*self.fake.forbidden], ["cpu_percent"], aggregation="average"),
                                              ["resources", {"filter": "resourceType eq 'X.Y/z'"}])
        self.assertEqual([metric["errorCode"] for metric in inside["value"][0]["metrics"]], ["InternalServerError"])
        self.assertEqual((refused["error"]["status"], refused["error"]["code"]), (403, "AuthorizationFailed"))
        self.assertEqual(resources["value"], [])
        self.fake.secret = "another"
        unknown, = self.ask(self.settings, asked)
        self.assertIn("AADSTS7000215", unknown["error"]["message"])
        self.assertFalse(self.fake.violations)


class TestCloudflare(SdkCase):
    vendor = "cloudflare"

    def setUp(self):
        super().setUp()
        self.fake = self.open(FakeCloudflare(*[f"z{i:02}.example" for i in range(25)]))
        self.settings = {"endpoint": self.fake.url("/client/v4"), "token": self.fake.token}

    def test_zones_page_by_page(self):
        zones, = self.values(self.settings, ["zones", {"page": 1, "per_page": 10}])
        self.assertEqual({zone["id"]: zone["name"] for zone in zones}, self.fake.zones)
        self.assertEqual(zones[0]["account"], {"id": self.fake.account, "name": "Shop"})
        self.assertEqual(self.fake.count("zones"), 4)  # it asks until a page is empty
        self.assertFalse(self.fake.violations)

    def test_pools(self):
        self.fake.pools = [{"id": identity("eu"), "name": "eu", "enabled": True, "healthy": True, "origins": [
            {"name": "eu-1", "address": "192.0.2.1", "healthy": True}, {"name": "eu-2", "address": "192.0.2.2", "healthy": False}]}]
        pools, = self.values(self.settings, ["pools", {"account_id": self.fake.account}])
        self.assertEqual(pools, self.fake.pools)
        self.assertFalse(self.fake.violations)

    def test_analytics(self):
        """The collector's own queries: valid by the schema, and answered with what the fake holds."""
        fake, folder = self.fake, self.open(Folder())
        for ago in range(6, 12):
            fake.put("z00.example", 10, NOW - 60 * ago)
            fake.balance("z00.example", NOW - 60 * ago, "lb.example", "eu", "eu-1", 4)
        fake.put("z00.example", 7, NOW - 480, 503)
        self.collector({"scrapers": {"cloudflare": [
            {"name": "edge", "region": "us-east", "zones": ["z00.example"], "token_file": folder.file("token", fake.token, 0o600),
             "endpoint": fake.url(), "load_balancers": True, "interval": "1s", "timeout": "1s"}]}}).start()
        wait_until(lambda: len(fake.queries) == 2, 60, "both datasets to be asked for")
        texts = [fake.queries[name][0] for name in ("httpRequests1mGroups", "loadBalancingRequestsAdaptiveGroups")]
        window = {"zones": [identity("z00.example")], "limit": 1000, "from": stamp(NOW - 1200), "to": stamp(NOW)}
        *judged, http, balancing = self.values(self.settings, *[["judge", {"query": text}] for text in texts],
                                               *[["graphql", {"query": text, "variables": window}] for text in texts])
        self.assertEqual(judged, [[], []])
        zone, = http["data"]["viewer"]["zones"]
        self.assertEqual(zone["zoneTag"], identity("z00.example"))
        self.assertEqual([row["sum"]["requests"] for row in zone["rows"]], [10, 10, 10, 17, 10, 10])
        self.assertEqual(zone["rows"][3]["sum"]["responseStatusMap"],
                         [{"edgeResponseStatus": 200, "requests": 10}, {"edgeResponseStatus": 503, "requests": 7}])
        rows = balancing["data"]["viewer"]["zones"][0]["rows"]
        self.assertEqual([(row["count"], row["dimensions"]["selectedOriginName"]) for row in rows], [(4, "eu-1")] * 6)
        fake.forbidden = {"z00.example"}
        refused, = self.values(self.settings, ["graphql", {"query": texts[0], "variables": window}])
        self.assertEqual((refused["data"], refused["errors"][0]["extensions"]["code"]), (None, "authz"))
        self.assertFalse(fake.violations)

    def test_errors(self):
        self.fake.fail("zones", 429, 500)
        page = ["zones", {"page": 1, "per_page": 10}]
        throttled, failed = self.ask(self.settings, page, page)
        self.assertEqual((throttled["error"]["status"], failed["error"]["status"]), (429, 500))
        refused, = self.ask({**self.settings, "token": "another"}, page)
        self.assertEqual(refused["error"]["status"], 401)
        self.assertIn("Invalid access token", refused["error"]["message"])
        self.assertFalse(self.fake.violations)


class TestKubernetes(SdkCase):
    vendor = "kubernetes"

    def test_every_list(self):
        fake = self.fake = self.open(FakeKubernetes())
        kinds = {path.rsplit("/", 1)[1]: thing for path, thing in fake_kubernetes.OBJECTS.items()}
        settings = {"endpoint": fake.peer.url("").rstrip("/"), "token": fake_kubernetes.TOKEN}
        *lists, nodes, pods, page = self.values(settings, *[["list", {"kind": kind}] for kind in kinds], ["nodeMetrics", {}],
                                                ["podMetrics", {}], ["cadvisor", {"node": "n1"}])
        for (kind, want), found in zip(kinds.items(), lists):
            item, = found["items"]
            self.assertEqual(item["metadata"]["name"], want["metadata"]["name"], kind)
            self.assertEqual(seconds_of(item["metadata"]["creationTimestamp"]), seconds_of(want["metadata"]["creationTimestamp"]), kind)
            for part in ("spec", "status"):
                self.assertLessEqual(set(want.get(part) or {}), set(item.get(part) or {}), f"{part} of {kind}")
        self.assertEqual(nodes["items"][0]["usage"], {"cpu": "100m", "memory": "1Mi"})
        self.assertEqual(pods["items"][0]["containers"], [{"name": "c", "usage": {"cpu": "100m", "memory": "1Mi"}}])
        self.assertIn("machine_cpu_cores 4", page)
        refused, = self.ask({**settings, "token": "another"}, ["list", {"kind": "pods"}])
        self.assertEqual(refused["error"]["code"], 401)


if __name__ == "__main__":
    harness.main()
