"""What stands around the databases of regions on own hosts: the monitoring that is deployed with them sees everything and
tells it, a change is taken over without a restart, and traffic finds its way when a region's service ends."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import stat
import unittest

import harness
from example_service import CREATE, ask
from hosts_rig import ROOT, Deployment
from test_write_target import signed

REGIONS = ("us-east", "eu-west", "apac")
HAVE = ROOT and all(map(shutil.which, ("haproxy", "prometheus", "prometheus-alertmanager"))) and os.path.isdir(harness.PG_BIN)


@unittest.skipUnless(HAVE, "no root, haproxy, prometheus, prometheus-alertmanager or PostgreSQL 15")
class Around(harness.Case):
    def test_monitoring_and_traffic_of_three_regions(self):
        self.hook = self.open(harness.Peer(lambda handler: (200, {}, b"")))
        self.one = Deployment(self, {name: {"hosts": ["local"], "instances": 1} for name in REGIONS},
                              replication={"mode": "streaming"}, monitoring={"webhook": self.hook.url("/hook")})
        self.one.deploy()
        status = next(row for row in self.one.records("status", self.one.file) if row["type"] == "status")
        self.addresses = {row["name"]: row["endpoint"].split("//")[1].split(":")[0] for row in status["regions"]}
        for check in (self.everything_is_seen, self.secrets_are_nobody_elses, self.a_change_is_taken_over,
                      self.a_service_that_ends_is_told_and_replaced, self.an_incident_moves_reads, self.the_write_target_outlives_the_proxy):
            with self.subTest(check.__name__):
                check()
        self.one.destroy("--delete-data")
        self.assertEqual(self.one.left_behind(), [])

    def get(self, region, port, path):
        return json.loads(harness.fetch(f"http://{self.addresses[region]}:{port}{path}")[2])

    def everything_is_seen(self):
        backups = {region: region == "us-east" for region in REGIONS}  # where the database is written

        def unseen(region):
            page = self.get(region, 9480, "/api/v1/status")
            down = [(one["name"], one["region"], one["error"]) for one in page["targets"] + page["probes"] if not one["up"]]
            return down or len(page["targets"]) != 5 + backups[region] or len(page["probes"]) != 9

        def unscraped(region):
            targets = self.get(region, 9090, "/api/v1/targets")["data"]["activeTargets"]
            return [one["labels"] for one in targets if one["health"] != "up"] or len(targets) != 6 + backups[region]
        for region in REGIONS:
            harness.wait_until(lambda: not unseen(region), 60, lambda: f"the collector of {region} to see everything: {unseen(region)}")
            harness.wait_until(lambda: not unscraped(region), 60, lambda: f"Prometheus of {region}: {unscraped(region)}")
            ask(8080, CREATE, {"what": "seen"}, address=self.addresses[region])

        def events(region):
            slos = self.get(region, 9480, "/api/v1/slos")["slos"]
            return {slo["name"] for slo in slos if slo["events"]["good"] > 0}
        for region in REGIONS:
            wanted = {"api-availability", "api-latency", "graphql-errors", "graphql-spans", "replication-lag"}
            harness.wait_until(lambda: events(region) - {"backup-verified"} == wanted, 60, lambda: f"objectives of {region}: {events(region)}")

    def secrets_are_nobody_elses(self):
        for region in REGIONS:
            found = 0
            for folder, _, names in os.walk(self.one.base(region) + "/config"):
                for name in names:
                    if name.endswith((".password", ".token", ".secret", ".env", ".key")):
                        mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                        self.assertEqual(mode, 0o600, os.path.join(folder, name))
                        found += 1
            self.assertGreaterEqual(found, 4)

    def a_change_is_taken_over(self):
        names = ("monitoring-collector", "prometheus", "alertmanager", "haproxy", "service-1")
        before = {name: self.one.processes("us-east")[name]["pid"] for name in names}
        self.one.file = self.one.write(monitoring={"availability": "99.95", "webhook": self.hook.url("/hook")})
        self.one.deploy()
        self.assertEqual({name: self.one.processes("us-east")[name]["pid"] for name in names}, before, "nothing was restarted")

        def objective():
            slos = self.get("us-east", 9480, "/api/v1/slos")["slos"]
            return {slo["objective"] for slo in slos if slo["name"] == "api-availability"}
        harness.wait_until(lambda: objective() == {"99.95"}, 30, "the new objective")

    def a_service_that_ends_is_told_and_replaced(self):
        address = self.addresses["apac"]
        self.one.supervisor("apac", "stop", "service-1")

        def served_by():
            _, answer = ask(8080, CREATE.replace("{ id }", "{ region }"), {"what": "elsewhere"}, address=address)
            return (answer.get("data") or {}).get("createOrder", {}).get("region")
        harness.wait_until(lambda: served_by() in ("us-east", "eu-west"), 30, "another region to answer for apac")
        harness.wait_until(lambda: ("firing", "region-down", "apac") in self.told(), 60, lambda: f"the webhook: {self.told()}")
        self.one.supervisor("apac", "start", "service-1")
        harness.wait_until(lambda: served_by() == "apac", 30, "apac to answer for itself")
        harness.wait_until(lambda: ("resolved", "region-down", "apac") in self.told(), 60, lambda: f"the webhook: {self.told()}")

    def secret(self, name):
        with open(os.path.join(os.path.dirname(self.one.file), ".fraiseql", self.one.name, "secrets", name), "rb") as text:
            return text.read().strip()

    def an_incident_moves_reads(self):
        def out():
            page = harness.parse_metrics(harness.fetch(f"http://{self.addresses['apac']}:9480/metrics")[2].decode())
            return [value for (name, labels), value in page.items() if name == "fraiseql_traffic_servers" and ("state", "out") in labels]

        for status, servers in (("firing", [1]), ("resolved", [0])):
            body = json.dumps({"version": "4", "alerts": [{"status": status, "fingerprint": "1", "labels": {
                "alertname": "lag-high", "region": "apac"}}]}).encode()
            headers = signed(self.secret("monitoring-traffic").decode(), body, status)
            self.assertEqual(harness.fetch(f"http://{self.addresses['apac']}:9480/api/v1/traffic", headers, body)[0], 200)
            harness.wait_until(lambda: out() == servers, 30, lambda: f"{servers} servers to be out: {out()}")
            address = self.addresses["apac"]
            self.assertEqual(ask(8080, CREATE, {"what": status}, address=address)[0], 200)

    def told(self):
        """Alerts whose signature was verified with the secret that the deployment made."""
        secret = self.secret("monitoring-webhook")
        told = set()
        for _, _, headers, body in self.hook.taken():
            headers = {name.lower(): value for name, value in headers.items()}
            if "webhook-id" not in headers:  # Alertmanager's own, of Prometheus' rules
                for alert in json.loads(body)["alerts"]:
                    self.assertNotEqual(alert["labels"].get("source"), "collector", "told twice")
                continue
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            wanted = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
            self.assertIn(wanted, headers["webhook-signature"].split())
            told |= {(one["status"], one["labels"]["alertname"], one["labels"]["region"]) for one in json.loads(body)["alerts"]}
        return told

    def the_write_target_outlives_the_proxy(self):
        os.kill(self.one.processes("eu-west")["haproxy"]["pid"], 9)
        address = self.addresses["eu-west"]
        harness.wait_until(lambda: ask(8080, CREATE, {"what": "again"}, address=address)[0] == 200, 60, "writes by eu-west again")


if __name__ == "__main__":
    harness.main()
