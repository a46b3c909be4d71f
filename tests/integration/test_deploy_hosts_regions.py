"""Three whole regions on this machine, as examples/three-regions.yaml describes them: deployed, deployed again, changed, with
each of their processes killed, and destroyed without a trace. What takes minutes is in test_deploy_hosts_faults.py."""

import glob
import os
import shutil
import signal
import subprocess
import unittest

import harness
from hosts_rig import ROOT, Deployment, Orders

REGIONS = ("us-east", "eu-west", "asia-southeast")
HAVE = ROOT and shutil.which("ip") and os.path.exists("/dev/net/tun") and shutil.which("haproxy") and os.path.isdir(harness.PG_BIN)


def three_regions(test, **sections):
    """The example's regions, under another name."""
    return Deployment(test, {name: {"hosts": ["local"], "instances": 2} for name in REGIONS},
                      network={"topology": "namespaces", "latency-ms": {"us-east/eu-west": 40, "us-east/asia-southeast": 80}},
                      replication={"mode": "streaming", "primary": "us-east"}, **sections)


@unittest.skipUnless(HAVE, "no root, ip, /dev/net/tun, haproxy or PostgreSQL 15")
class ThreeRegions(unittest.TestCase):
    def test_from_nothing_to_nothing(self):
        one = three_regions(self)
        one.deploy()
        self.check_standing(one)
        self.check_units(one)
        self.assertIn("Nothing to do", one.deploy().stdout)
        self.check_orders(one)
        self.check_killed_processes(one)
        self.check_health_of_a_stopped_proxy(one)
        self.check_change(one)
        one.destroy()
        self.assertTrue(os.path.isdir(one.base("us-east") + "/data"), "data stays unless it is told to go")
        one.deploy()
        self.assertEqual(Orders(one).count("us-east"), self.orders, "and is there again")
        one.destroy("--delete-data")
        self.assertEqual(one.left_behind(), [])

    def check_standing(self, one):
        status = next(record for record in one.records("status", one.file) if record["type"] == "status")
        for region in status["regions"]:
            self.assertEqual(region["state"], "standing", region)
            parts = {part["name"]: part["state"] for part in region["components"]}
            self.assertEqual(parts.pop("postgresql"), "primary" if region["name"] == "us-east" else "standby")
            self.assertEqual(set(parts.values()), {"standing"}, parts)
        health = next(record for record in one.records("health", one.file) if record["type"] == "health")
        self.assertTrue(all(region["ok"] for region in health["regions"]), health)

    def check_units(self, one):
        """What systemd would be given, by its own checker: it does not run everywhere where this test does."""
        units = sorted(glob.glob(one.base("us-east") + "/config/process/*.service"))
        self.assertGreaterEqual(len(units), 7)
        if shutil.which("systemd-analyze"):
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60)
            said = [line for line in done.stderr.splitlines() if one.name in line]
            self.assertEqual(said, [])
            self.assertEqual(done.returncode, 0, done.stderr)

    def check_orders(self, one):
        orders = Orders(one)
        for number, region in enumerate(REGIONS):
            self.assertIsNotNone(orders.create(region, f"first-{number}"), "every region takes writes to the one that writes")
        self.orders = len(REGIONS)
        for region in REGIONS:
            harness.wait_until(lambda r=region: orders.count(r) == self.orders, what=f"all orders in {region}")

    def check_health_of_a_stopped_proxy(self, one):
        one.supervisor("eu-west", "stop", "haproxy")
        health = next(record for record in one.records("health", one.file, "--log-lines", "4", status=1) if record["type"] == "health")
        ill = next(region for region in health["regions"] if region["name"] == "eu-west")
        self.assertFalse(ill["ok"])
        self.assertTrue(ill["log"], ill)
        self.assertLessEqual(len(ill["log"]), 4)
        one.deploy()
        self.check_standing(one)

    def check_killed_processes(self, one):
        for region in ("us-east", "eu-west"):
            for name, before in one.processes(region).items():
                os.kill(before["pid"], signal.SIGKILL)
                harness.wait_until(lambda r=region, n=name, p=before["pid"]: one.processes(r)[n]["state"] == "running" and
                                   one.processes(r)[n]["pid"] not in (0, p), what=f"{name} of {region} to run again")
        orders = Orders(one)
        for region in REGIONS:
            harness.wait_until(lambda r=region: orders.count(r) == self.orders, timeout=60, what=f"{region} to answer again")
        harness.wait_until(lambda: one.run("plan", one.file, status=None).returncode == 0, timeout=60, what="nothing to be due")

    def check_change(self, one):
        one.regions["eu-west"]["instances"] = 1
        one.file = one.write()
        plan = {record["region"]: record for record in one.records("plan", one.file, status=2) if record["type"] == "plan"}
        self.assertIn("service-2/process", [change["address"] for change in plan["eu-west"]["changes"] if change["action"] == "delete"])
        self.assertEqual(plan["us-east"]["destroy"], 0)
        one.deploy()
        self.assertNotIn("service-2", one.processes("eu-west"))
        one.run("plan", one.file, status=0)
        self.check_standing(one)


if __name__ == "__main__":
    harness.main()
