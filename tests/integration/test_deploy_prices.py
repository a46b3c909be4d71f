"""`fraiseql deploy prices`: the clouds' lists are read into the cache from strict fakes of their APIs, whatever goes
wrong on the way; `cost` takes its prices from there."""

import email.utils
import json
import os
import pty
import signal
import subprocess
import time
import unittest

import fake_prices
import harness
from fake_prices import KEY, cut_at, cut_in_last_line, failing, replaced, slow

FRAISEQL = os.path.join(harness.BUILD, "bin", "fraiseql")
FILE = """
metadata: { name: shop, environment: production }
regions:
  us: { provider: aws, location: us-east-1, size: medium }
  eu: { provider: gcp, location: europe-west1, size: medium }
  asia: { provider: azure, location: southeastasia, size: medium }
replication: { mode: active-active, conflict-resolution: last-update-wins }
"""
VARIABLES = ("FRAISEQL_PRICES_AWS_URL", "FRAISEQL_PRICES_GCP_URL", "FRAISEQL_PRICES_AZURE_URL")


class Prices(unittest.TestCase):
    padding = 0

    def setUp(self):
        self.folder = harness.Folder()
        self.addCleanup(self.folder.remove)
        self.fake = fake_prices.Prices(self.padding)
        self.addCleanup(self.fake.close)
        self.file = self.folder.file("shop.yaml", FILE)
        self.cache = os.path.join(self.folder.path, "cache", "prices")
        self.environment = {**os.environ, "FRAISEQL_PRICES": self.cache, "GOOGLE_API_KEY": KEY,
                            **dict.fromkeys(VARIABLES, self.fake.url)}

    def start(self, *arguments):
        return subprocess.Popen([*harness.LAUNCHER, FRAISEQL, "deploy", *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.environment)

    def deploy(self, *arguments, status=0):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, status, (arguments, out, err))
        self.assertNotIn(KEY, out + err)
        self.assertEqual(self.fake.wrong, [])
        return out, err

    def refresh(self, *arguments, status=0):
        return self.deploy("prices", "refresh", self.file, *arguments, status=status)

    def list(self, provider):
        """{(location, item): (usd, unit, source, date)} of the cached list."""
        with open(os.path.join(self.cache, provider + ".csv"), encoding="ascii") as text:
            lines = [line.rstrip("\n").split(",") for line in text if not line.startswith("#")]
        self.assertEqual(lines, sorted(lines, key=lambda fields: fields[:2]))
        found = {(fields[0], fields[1]): tuple(fields[2:]) for fields in lines}
        self.assertEqual(len(found), len(lines))
        return found

    def usd(self, provider):
        return {key: fields[0] for key, fields in self.list(provider).items()}

    def old(self, provider, text="# ours\nus-east-1,vm:t3.large,9,hour,the old list,2026-01-02\n"):
        return self.folder.file(f"cache/prices/{provider}.csv", text)

    def read(self, path):
        with open(path, encoding="ascii") as text:
            return text.read()


class Refresh(Prices):
    def test_three_clouds(self):
        out, _ = self.refresh()
        aws, gcp, azure = self.usd("aws"), self.usd("gcp"), self.usd("azure")
        self.assertEqual(aws, {("*" if item.startswith("dns-") else "us-east-1", item): usd for item, usd in {
            "vm:t3.large": "0.0833", "vm:m6i.xlarge": "0.1921", "vm:t4g.small": "0.0169", "disk": "0.081", "nat": "0.046",
            "nat-data": "0.0455", "db:db.t3.medium": "0.0721", "db-ha:db.t3.medium": "0.1443", "db:db.m6i.large": "0.1781",
            "db-storage": "0.1151", "db-storage-ha": "0.2303", "db-backup": "0.0951", "lb": "0.0226", "lb-lcu": "0.0081",
            "ipv4": "0.0051", "egress-internet:0": "0.091", "egress-internet:10240": "0.086", "egress-internet:51200": "0.071",
            "egress-internet:153600": "0.051", "egress-region:north-america": "0.021", "egress-region:europe": "0.022",
            "egress-region": "0.022", "logs": "0.51", "metrics-api": "0.011", "secret": "0.41", "key": "1.01", "dns-zone": "0.51",
            "dns-queries": "0.41", "dns-queries-latency": "0.61", "dns-queries-geo": "0.71", "dns-health-check": "0.52",
            "dns-health-check-other": "0.76", "dns-health-option": "1.01", "dns-health-option-other": "2.01"}.items()})
        self.assertEqual(gcp.pop(("*", "logs")), gcp["europe-west1", "logs"])
        self.assertEqual(gcp, {("*" if item in ("ipv4", "lb", "nat", "nat-data", "metrics-api", "secret") else "europe-west1", item): usd for item, usd in {
            "vm-vcpu:n2": "0.0348", "vm-ram:n2": "0.00467", "vm-vcpu:e2": "0.024", "vm-ram:e2": "0.00321", "vm-vcpu:n2d": "0.0303",
            "disk": "0.101", "db-vcpu": "0.0414", "db-ram": "0.0071", "db-storage": "0.1701", "db-storage-ha": "0.3403",
            "db-backup": "0.0801", "db:db-f1-micro": "0.0105", "ipv4": "0.0053", "lb": "0.0253", "lb-data": "0.0082", "nat": "0.0015",
            "nat-data": "0.0453", "logs": "0.51", "metrics-api": "0.011", "secret": "0.061", "egress-internet:0": "0.121",
            "egress-internet:1024": "0.111", "egress-internet:10240": "0.081", "egress-region": "0.081",
            "egress-region:europe": "0.021", "egress-region:north-america": "0.051", "egress-region:asia-pacific": "0.081"}.items()})
        self.assertEqual(azure, {("*" if item in ("nat", "nat-data", "private-zone") else "southeastasia", item): usd for item, usd in {
            "vm:Standard_D4s_v5": "0.2301", "vm:Standard_B1s": "0.0104", "vm:Standard_D8s_v5": "0.4602",
            "db:GP_Standard_D2ds_v5": "0.2031", "db:MO_Standard_E4ds_v5": "0.524", "db-storage": "0.1381", "db-backup": "0.0951",
            "lb": "0.2461", "lb-lcu": "0.0081", "nat": "0.0451", "nat-data": "0.0452", "ipv4": "0.0052",
            "egress-internet:0": "0.0871", "egress-internet:10240": "0.0831", "egress-region": "0.0805", "disk": "0.08", "logs": "2.95",
            "secret-requests": "0.0031", "private-zone": "0.51"}.items()})
        today = time.strftime("%Y-%m-%d", time.gmtime())
        for provider in ("aws", "gcp", "azure"):
            self.assertIn(f"{provider}: {len(self.usd(provider))} prices", out)
            self.assertIn(today, {fields[3] for fields in self.list(provider).values()})
        self.assertEqual(self.list("aws")["us-east-1", "lb"][2], "AWS price list AWSELB of 2026-11-20")
        self.assertIn("dearest", self.list("aws")["us-east-1", "egress-region:europe"][2])
        self.assertRegex(self.list("gcp")["europe-west1", "db-ram"][2], r"Cloud Billing Catalog [-0-9A-F]{14}; in force since 2026-11-24")
        self.assertEqual(self.list("azure")["*", "nat"][2], "Azure Retail Prices; in force since 2023-03-01")
        self.assertEqual(self.list("azure")["southeastasia", "disk"][2], "Azure Retail Prices; in force since 2023-03-01; a 32nd of E4")
        self.assertIn("dearest", self.list("gcp")["europe-west1", "egress-internet:0"][2])
        self.assertIn("1 have several prices", out)
        self.assertGreater(len(self.fake.paths("pageToken")), 3)
        self.assertGreater(len(self.fake.paths("skip")), 3)

    def test_cost_takes_the_new_prices(self):
        def costs():
            out, _ = self.deploy("cost", self.file, "--json")
            record = next(each for each in map(json.loads, out.splitlines()) if each["type"] == "cost")
            return {(region["name"], each["component"], each["description"]): each for region in record["regions"]
                    for each in region["components"]}
        before = costs()
        self.refresh()
        after = costs()
        changed = {key for key in after if before.get(key, {}).get("unit_price") != after[key]["unit_price"]}
        self.assertEqual({key[0] for key in changed}, {"us", "eu", "asia"})
        compute = {key[0]: each for key, each in after.items() if key[1] == "compute"}
        self.assertEqual(compute["us"]["unit_price"], 0.1921)
        self.assertAlmostEqual(compute["eu"]["unit_price"], 4 * 0.0348 + 16 * 0.00467)
        self.assertEqual(compute["asia"]["unit_price"], 0.2301)
        self.assertIn("Azure Retail Prices", compute["asia"]["source"])

    def test_json(self):
        out, err = self.refresh("--json")
        records = [json.loads(line) for line in out.splitlines()]
        self.assertEqual((records[0]["type"], records[-1]["type"], records[-1]["ok"], err), ("version", "result", True, ""))
        done = [each for each in records if each["type"] == "progress" and each["state"] == "done"]
        self.assertEqual([each["step"] for each in done], ["prices aws", "prices gcp", "prices azure"])
        result = next(each for each in records if each["type"] == "prices")
        self.assertEqual([(each["name"], each["state"], each["problem"]) for each in result["providers"]],
                         [("aws", "refreshed", None), ("gcp", "refreshed", None), ("azure", "refreshed", None)])

    def left(self, *arguments):
        """{provider: {(item, an older price stays): locations}} of what the refresh did not find."""
        out, _ = self.deploy("prices", "refresh", *arguments, "--json")
        record = next(each for each in map(json.loads, out.splitlines()) if each["type"] == "prices")
        return {each["name"]: {(item["item"], item["older_price"]): item["locations"] for item in each["not_refreshed"]}
                for each in record["providers"]}

    def test_what_is_not_found_is_named(self):
        out, _ = self.refresh()
        self.assertIn("    not refreshed, an older price stays in use: db:db.r6i.xlarge, vm:m6i.2xlarge\n", out)
        self.assertIn("    not refreshed, an older price stays in use: metrics-api, vm:Standard_B2ms\n", out)
        self.assertNotIn("no price is known", out)
        left = self.left(self.file)
        self.assertEqual(left["azure"], {(item, True): ["southeastasia"] for item in ("metrics-api", "vm:Standard_B2ms")})
        self.assertEqual(left["gcp"], {(item, True): ["europe-west1"] for item in ("key", "vm-ram:n2d")})

    def test_what_is_no_longer_found_is_named(self):
        self.refresh()
        self.fake.trouble("AWSELB/current/us-east-1", replaced('"LCUUsage"', '"OtherUsage"'))
        self.fake.trouble("AmazonRoute53/current/index.csv", replaced('"HostedZone"', '"OtherZone"'))
        self.fake.trouble("Log Analytics", replaced("Data Ingestion", "Data Swallowing", False), 2)
        self.fake.trouble("9662-B51E-5089", replaced("Backups", "Backdowns", False), 9)
        file = self.folder.file("named.yaml", FILE + "traffic: { domain: shop.example, dns: route53, dns-zone: Z01 }\n")
        before = self.usd("aws")["us-east-1", "lb-lcu"]
        left = self.left(file)
        self.assertEqual(left["aws"]["lb-lcu", True], ["us-east-1"])
        self.assertEqual(left["aws"]["dns-zone", True], ["*"])
        self.assertEqual(left["azure"]["logs", True], ["southeastasia"])
        self.assertEqual(left["gcp"]["db-backup", True], ["europe-west1"])
        self.assertEqual(self.usd("aws")["us-east-1", "lb-lcu"], before)

    def test_a_whole_refresh_counts_types(self):
        out, _ = self.deploy("prices", "refresh", "--provider", "azure")
        self.assertRegex(out, r"an older price stays in use: metrics-api, \d+ types of machines and databases, which --json names\n")
        self.assertEqual(self.left("--provider", "azure")["azure"]["vm:Standard_D16s_v3", True][0], "eastus")
        out, _ = self.deploy("prices", "refresh", "--provider", "aws")
        self.assertRegex(out, r"no price is known: .*logs \(27 of 32 places\)")

    def test_names_are_read_for_regions_of_other_clouds(self):
        file = self.folder.file("names.yaml", """
metadata: { name: shop, environment: production }
regions:
  eu: { provider: gcp, location: europe-west1, size: medium }
traffic: { domain: shop.example, dns: route53, dns-zone: Z01 }
""")
        self.assertIn("aws: AWS price lists for 0 locations, for names alone, would be read", self.deploy("prices", "refresh", file, "--dry-run")[0])
        self.deploy("prices", "refresh", file)
        self.assertEqual({location for location, _ in self.usd("aws")}, {"*"})
        self.assertEqual(len(self.usd("aws")), 8)
        self.assertEqual(len(self.fake.paths("/offers/")), 2)
        self.assertFalse(os.path.exists(os.path.join(self.cache, "azure.csv")))

    def test_without_a_file_all_that_is_known(self):
        self.deploy("prices", "refresh", "--provider", "aws")
        self.assertIn(("eu-west-1", "vm:t3.large"), self.usd("aws"))
        self.assertEqual(self.usd("aws")["eu-west-1", "vm:t3.large"], "0.1666")
        self.deploy("prices", "refresh", "--provider", "gcp", "--provider", "azure")
        self.assertIn(("us-east1", "vm-vcpu:n2"), self.usd("gcp"))
        azure = self.usd("azure")
        self.assertEqual(azure["westeurope", "db:GP_Standard_D4ds_v5"], "0.4062")
        self.assertGreater(len({location for location, _ in azure}), 40)

    def test_only_some(self):
        self.refresh("--provider", "azure")
        self.assertEqual(os.listdir(self.cache), ["azure.csv"])
        self.refresh("--region", "eu")
        self.assertEqual(sorted(os.listdir(self.cache)), ["azure.csv", "gcp.csv"])
        self.assertIn("no region", self.refresh("--region", "eu", "--provider", "aws", status=1)[1])

    def test_a_part_keeps_the_rest_and_the_whole_does_not(self):
        self.old("aws", "eu-west-1,vm:t3.large,7,hour,ours,2026-01-02\nus-east-1,vm:t3.large,9,hour,ours,2026-01-02\n")
        self.refresh("--provider", "aws")
        self.assertEqual(self.list("aws")["eu-west-1", "vm:t3.large"], ("7", "hour", "ours", "2026-01-02"))
        self.assertEqual(self.usd("aws")["us-east-1", "vm:t3.large"], "0.0833")
        self.deploy("prices", "refresh", "--provider", "aws")
        self.assertEqual(self.usd("aws")["eu-west-1", "vm:t3.large"], "0.1666")

    def test_dry_run(self):
        out, _ = self.refresh("--dry-run")
        self.assertIn("would be read", out)
        out, _ = self.refresh("--dry-run", "--json")
        result = next(each for each in map(json.loads, out.splitlines()) if each["type"] == "prices")
        self.assertEqual([(each["name"], each["state"], each["locations"]) for each in result["providers"]],
                         [("aws", "planned", 1), ("gcp", "planned", 1), ("azure", "planned", 1)])
        self.assertEqual((self.fake.requests, os.path.exists(self.cache)), ([], False))

    def test_show(self):
        out, _ = self.deploy("prices")
        self.assertIn(f"{self.cache} (not there yet)", out)
        self.refresh()
        out, _ = self.deploy("prices")
        self.assertRegex(out, r"the cache +aws +34 prices of (\S+) to \1\n")
        self.assertRegex(out, r"the program +azure +\d+ prices of 20\S+ to 20\S+\n")
        records = [json.loads(line) for line in self.deploy("prices", "--json")[0].splitlines()]
        self.assertEqual([each["prices"] for each in records[1]["lists"]][:3], [34, 28, 19])

    def stderr_on_a_terminal(self, *arguments):
        self.fake.troubles = [["AWSELB/current/us-east-1", slow(2.5), 1]]
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "prices", "refresh", self.file, "--provider", "aws", *arguments],
                       stdout=subprocess.DEVNULL, stderr=theirs, env=self.environment, check=True, timeout=60)
        os.close(theirs)
        return os.read(ours, 65536).decode()

    def test_progress(self):
        said = self.stderr_on_a_terminal()
        self.assertRegex(said, r"\raws: \d+ requests, \d+\.\d MB, \d+ prices\x1b\[K")
        self.assertTrue(said.endswith("\r\x1b[K"), repr(said))
        self.assertNotIn("\x1b[K", self.stderr_on_a_terminal("--no-color"))

    def test_usage(self):
        for arguments in (["prices", "refrsh"], ["prices", "refresh", "--region", "eu"], ["prices", "refresh", "--timeout", "0"],
                          ["prices", "refresh", "--provider", "ibm"], ["prices", "refresh", self.file, "more"]):
            self.deploy(*arguments, status=64)

    def test_places_that_may_not_be_asked(self):
        for url in ("http://prices.example", "ftp://127.0.0.1", "https://user@prices.example", "http://127.0.0.1/path",
                    "http://localhost.example"):
            self.environment["FRAISEQL_PRICES_AZURE_URL"] = url
            self.assertIn("FRAISEQL_PRICES_AZURE_URL", self.refresh("--provider", "azure", status=1)[1])


class Key(Prices):
    def test_without_key_google_is_skipped(self):
        del self.environment["GOOGLE_API_KEY"]
        path = self.old("gcp")
        before = self.read(path)
        out, err = self.refresh(status=77)
        self.assertIn("gcp is skipped: GOOGLE_API_KEY is not set", err)
        self.assertEqual((self.read(path), self.fake.paths("/v1/")), (before, []))
        self.assertIn("azure: ", out)

    def test_a_key_that_is_refused(self):
        self.environment["GOOGLE_API_KEY"] = "another"
        _, err = self.refresh("--provider", "gcp", status=1)
        self.assertIn("status 403", err)
        self.assertIn("Cloud Billing API", err)
        self.assertNotIn("another", err)
        self.environment["GOOGLE_API_KEY"] = "two\nlines"
        self.assertIn("does not hold an API key", self.refresh("--provider", "gcp", status=1)[1])

    def test_the_key_is_googles_alone(self):
        self.refresh()
        for path, headers in self.fake.requests:
            self.assertEqual("X-Goog-Api-Key" in headers, path.startswith("/v1/"))
            self.assertNotIn(KEY, path)


class NoLongerSold(Prices):
    """What a cloud sells under another name, or no more, keeps nothing else from being refreshed."""

    def left(self, provider):
        out, _ = self.refresh("--provider", provider, "--json")
        result = next(each for each in map(json.loads, out.splitlines()) if each["type"] == "prices")
        return {each["item"] for each in result["providers"][0]["not_refreshed"]}

    def test_an_offer_that_the_index_does_not_name(self):
        before = self.left("aws")
        self.fake.trouble("/aws/index.json", replaced('"AmazonCloudWatch":', '"AmazonOtherWatch":'))
        self.assertEqual(self.left("aws") - before, {"logs", "metrics-api"})
        self.assertEqual(self.usd("aws")["us-east-1", "nat"], "0.046")

    def test_a_service_that_is_not_found(self):
        before = self.left("gcp")
        self.fake.trouble("5490-F7B7-8DF6", failing(404))
        self.assertEqual(self.left("gcp") - before, {"logs"})

    def test_machines_are_always_sold(self):
        self.fake.trouble("6F81-5844-456A", failing(404))
        self.assertIn("status 404", self.refresh("--provider", "gcp", status=1)[1])
        self.fake.trouble("/aws/index.json", replaced('"AmazonEC2":', '"AmazonEC3":'))
        self.assertIn("does not name AmazonEC2", self.refresh("--provider", "aws", status=1)[1])


class Troubles(Prices):
    """Each is once or twice, and then over."""

    def retried(self, provider, part, action, times=1):
        self.fake.trouble(part, action, times)
        out, _ = self.refresh("--provider", provider, "--json")
        result = next(each for each in map(json.loads, out.splitlines()) if each["type"] == "prices")
        self.assertEqual(result["providers"][0]["retries"], times)
        return result

    def test_500_and_503(self):
        self.retried("aws", "AmazonRDS/current/us-east-1", failing(500), 2)
        self.retried("azure", "serviceName eq 'Bandwidth'", failing(503))

    def test_429_in_seconds(self):
        began = time.monotonic()
        self.retried("azure", "$skip", failing(429, [("Retry-After", "2")]))
        self.assertGreater(time.monotonic() - began, 2)

    def test_429_until_a_date(self):
        began = time.monotonic()
        self.retried("gcp", "pageToken", failing(429, [("Retry-After", email.utils.formatdate(time.time() + 3, usegmt=True))]))
        self.assertGreater(time.monotonic() - began, 1.5)

    def test_cut_off(self):
        whole = len(fake_prices.aws_file("AmazonEC2", "us-east-1"))
        self.retried("aws", "AmazonEC2/current/us-east-1", cut_at(0.7), 2)
        self.assertGreater(whole, 1000)
        self.assertEqual(self.usd("aws")["us-east-1", "nat"], "0.046")
        self.retried("gcp", "9662-B51E-5089", cut_at(0.5))
        self.retried("azure", "Virtual Machines", cut_at(0.9))
        self.assertEqual(self.usd("azure")["southeastasia", "db:GP_Standard_D2ds_v5"], "0.2031")

    def test_slow(self):
        self.fake.trouble("AmazonRDS/current/us-east-1", slow(1))
        self.refresh("--provider", "aws")


class Failures(Prices):
    """The old list stays as it was, and the other clouds' are refreshed."""

    def failed(self, provider, part, action, times=99, says="", more=()):
        path = self.old(provider)
        before, inode = self.read(path), os.stat(path).st_ino
        for other in {"aws", "gcp", "azure"} - {provider}:
            if os.path.exists(os.path.join(self.cache, other + ".csv")):
                os.unlink(os.path.join(self.cache, other + ".csv"))
        self.fake.troubles = [[part, action, times]]
        out, err = self.refresh(*more, status=1)
        self.assertIn(f"{provider} is as old as it was", err)
        self.assertIn(says, err)
        self.assertEqual((self.read(path), os.stat(path).st_ino), (before, inode))
        self.assertEqual(sorted(os.listdir(self.cache)), ["aws.csv", "azure.csv", "gcp.csv"])
        return err

    def test_status(self):
        self.failed("aws", "AmazonVPC/current/us-east-1", failing(403), says="status 403")
        self.failed("azure", "NAT Gateway", failing(404), says="status 404")
        self.failed("gcp", "9662", failing(302, [("Location", "http://127.0.0.1:9/")]), says="status 302")

    def test_for_ever_busy(self):
        began = time.monotonic()
        self.failed("azure", "NAT Gateway", failing(429, [("Retry-After", "3600")]), says="given up", more=("--timeout", "30"))
        self.failed("gcp", "6F81", failing(500), says="given up", more=("--timeout", "4"))
        self.assertLess(time.monotonic() - began, 25)

    def test_slow(self):
        self.failed("aws", "AmazonEC2/current/us-east-1", slow(20), says="timed out", more=("--timeout", "3"))

    def test_malformed(self):
        self.failed("aws", "AmazonEC2/current/us-east-1", replaced('"OnDemand",', '"OnDemand"'), says="fields")
        self.failed("aws", "AmazonEC2/current/us-east-1", replaced('"0.0833000000"', '"0,0833"'), says="not a price")
        self.failed("aws", "AmazonRDS/current/us-east-1", replaced('"OfferCode","AmazonRDS"', '"OfferCode","AmazonEC2"'), says="another service")
        self.failed("aws", "AWSELB/current/us-east-1", cut_in_last_line, says="fields")
        self.failed("aws", "index.json", replaced("current/region_index", "../../etc/region_index"), says="strange place")
        self.failed("gcp", "6F81", replaced('"skus":', '"skus"'), says="malformed JSON")
        self.failed("gcp", "pageToken=at+5", replaced('"nanos": 31700000', '"nanos": -5'), says="no price")
        self.failed("azure", "'Standard_D4s_v5'", replaced('"retailPrice": 0.2301', '"retailPrice": "x"'), says="not a price")
        self.failed("azure", "Bandwidth", replaced("}]", "}"), says="malformed JSON")
        err = self.failed("aws", "/aws/index.json", replaced("/offers/v1.0/aws/AmazonRDS/current/region", "/\\u001b[31m"), says="strange place")
        self.assertNotIn("\x1b", err)

    def test_links_that_lead_away(self):
        for link in ("https://prices.azure.com.example/api", "http://127.0.0.1:9/api", "//127.0.0.1:9/x", "file:///etc/passwd"):
            self.failed("azure", "Bandwidth", replaced(f'"NextPageLink": "{self.fake.url}/api', f'"NextPageLink": "{link}'))
        self.failed("gcp", "pageToken=at+5", replaced("at+10/=", "at+5/="), says="itself")

    def test_nobody_there(self):
        self.environment["FRAISEQL_PRICES_AZURE_URL"] = f"http://127.0.0.1:{harness.free_port()}"
        self.failed("azure", "nothing", failing(500), says="given up", more=("--timeout", "2"))

    def test_an_old_list_that_cannot_be_read(self):
        self.old("azure", "southeastasia,lb\n")
        self.assertIn("price 1 is malformed", self.refresh("--provider", "azure", status=1)[1])

    def test_a_folder_that_cannot_be_written(self):
        self.folder.file("cache/prices", "a file")
        self.assertIn("as old as it was", self.refresh("--provider", "azure", status=1)[1])


class Killed(Prices):
    padding = 20000

    def test_the_old_list_stays(self):
        path = self.old("aws")
        before = self.read(path)
        for signal_number in (signal.SIGKILL, signal.SIGINT):
            self.fake.requests.clear()
            self.fake.trouble("AWSELB/current/us-east-1", slow(30))
            process = self.start("prices", "refresh", self.file, "--provider", "aws")
            harness.wait_until(lambda: self.fake.paths("AWSELB/current/us-east-1"), 60, "the file before the last")
            time.sleep(0.2)
            # The launcher of sanitizer builds has become the program itself.
            process.send_signal(signal_number)
            process.communicate(timeout=20)
            self.assertNotEqual(process.returncode, 0)
            self.assertEqual((self.read(path), os.listdir(self.cache)), (before, ["aws.csv"]))
        self.fake.troubles.clear()
        self.refresh("--provider", "aws")
        self.assertEqual(self.usd("aws")["us-east-1", "vm:t3.large"], "0.0833")


if __name__ == "__main__":
    harness.main()
