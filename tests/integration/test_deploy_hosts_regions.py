"""Three whole regions on this machine, as examples/three-regions.yaml describes them: deployed, deployed again, used, and
destroyed without a trace. What takes minutes is in test_deploy_hosts_faults.py."""

import glob
import os
import shutil
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


def check_standing(test, one):
    status = next(record for record in one.records("status", one.file) if record["type"] == "status")
    for region in status["regions"]:
        test.assertEqual(region["state"], "standing", region)
        parts = {part["name"]: part["state"] for part in region["components"]}
        test.assertEqual(parts.pop("postgresql"), "primary" if region["name"] == "us-east" else "standby")
        test.assertEqual(set(parts.values()), {"standing"}, parts)
    health = next(record for record in one.records("health", one.file) if record["type"] == "health")
    test.assertTrue(all(region["ok"] for region in health["regions"]), health)


def check_orders(test, one):
    orders = Orders(one)
    for number, region in enumerate(REGIONS):
        test.assertIsNotNone(orders.create(region, f"first-{number}"), "every region takes writes to the one that writes")
    for region in REGIONS:
        harness.wait_until(lambda r=region: orders.count(r) == len(REGIONS), what=f"all orders in {region}")


@unittest.skipUnless(HAVE, "no root, ip, /dev/net/tun, haproxy or PostgreSQL 15")
class ThreeRegions(unittest.TestCase):
    def test_from_nothing_to_nothing(self):
        one = three_regions(self)
        one.deploy()
        check_standing(self, one)
        self.check_units(one)
        self.assertIn("Nothing to do", one.deploy().stdout)
        check_orders(self, one)
        one.destroy("--delete-data")
        self.assertEqual(one.left_behind(), [])

    def check_units(self, one):
        """What systemd would be given, by its own checker: it does not run everywhere where this test does."""
        units = sorted(glob.glob(one.base("us-east") + "/config/process/*.service"))
        self.assertGreaterEqual(len(units), 7)
        if shutil.which("systemd-analyze"):
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60)
            said = [line for line in done.stderr.splitlines() if one.name in line]
            self.assertEqual(said, [])
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    harness.main()
