"""Three whole regions on this machine while things go wrong: a region cut off under writes, the deployer killed at many steps,
and a host that has no room or holds something of somebody else."""

import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import harness
from hosts_rig import Orders
from test_deploy_hosts_regions import HAVE, REGIONS, check_orders, check_standing, three_regions

CUT_S = 60


class Writer(threading.Thread):
    """Writes through one region without a pause, and remembers what was acknowledged."""

    def __init__(self, orders, region):
        super().__init__(daemon=True)
        self.orders, self.region = orders, region
        self.acknowledged, self.refused, self.ending = [], 0, False

    def run(self):
        number = 0
        while not self.ending:
            number += 1
            found = self.orders.create(self.region, f"{self.region}-{number}", timeout=5)
            if found:
                self.acknowledged.append(found)
                time.sleep(0.01)  # each is looked for in every region afterwards
            else:
                self.refused += 1
                time.sleep(0.05)


@unittest.skipUnless(HAVE, "no root, ip, /dev/net/tun, haproxy or PostgreSQL 15")
class Faults(unittest.TestCase):
    def test_a_region_cut_off_under_writes(self):
        one = three_regions(self)
        one.deploy()
        orders = Orders(one)
        writers = [Writer(orders, region) for region in REGIONS]
        for writer in writers:
            writer.start()
        for writer in writers:
            harness.wait_until(lambda w=writer: len(w.acknowledged) >= 20, timeout=60, what=f"writes of {writer.region}")
        one.relay("eu-west", "cut", "all")
        cut_at = time.monotonic()
        before = len(writers[1].acknowledged)
        harness.wait_until(lambda: orders.count("eu-west") is not None, timeout=30, what="the region that is cut off to answer reads")
        while time.monotonic() - cut_at < CUT_S:
            time.sleep(0.5)
        during = len(writers[0].acknowledged)
        self.assertLessEqual(len(writers[1].acknowledged), before + 5, "no write of it is acknowledged without the primary")
        self.assertGreater(during, 100, "the others went on")
        one.relay("eu-west", "heal", "all")
        back = len(writers[1].acknowledged)
        harness.wait_until(lambda: len(writers[1].acknowledged) > back + 10, timeout=120, what="writes of the region that is back")
        for writer in writers:
            writer.ending = True
        for writer in writers:
            writer.join()
        acknowledged = [number for writer in writers for number in writer.acknowledged]
        self.assertEqual(len(set(acknowledged)), len(acknowledged))
        for region in REGIONS:
            harness.wait_until(lambda r=region: orders.has(r, acknowledged[-1]) and orders.has(r, writers[0].acknowledged[-1]),
                               timeout=60, what=f"{region} to have caught up")
            lost = [number for number in acknowledged if not orders.has(region, number)]
            self.assertEqual(lost, [], f"acknowledged and not in {region}")
        print(f"\nacknowledged: {', '.join(f'{w.region} {len(w.acknowledged)} (refused {w.refused})' for w in writers)}")
        one.run("plan", one.file, status=0)

    def test_the_deployer_killed_at_many_steps(self):
        """With its scripts, as when the machine stops, at every sixth step; then the database is as good as new."""
        one = three_regions(self)
        rounds = 0
        while one.kill_after(6, scripts=True):
            rounds += 1
            self.assertLess(rounds, 200)
        one.deploy()
        one.run("plan", one.file, status=0)
        orders = Orders(one)
        number = orders.create("asia-southeast", "after-it-all")
        for region in REGIONS:
            harness.wait_until(lambda r=region: orders.has(r, number), what=f"the order in {region}")
        print(f"\nkilled {rounds} times")
        one.destroy("--delete-data")
        self.assertEqual(one.left_behind(), [])

    def test_spoiled_killed_changed_and_deployed_again(self):
        one = three_regions(self)
        one.deploy()
        check_orders(self, one)
        self.check_killed_processes(one)
        self.check_health_of_a_stopped_proxy(one)
        self.check_change(one)
        one.destroy()
        self.assertTrue(os.path.isdir(one.base("us-east") + "/data"), "data stays unless it is told to go")
        one.deploy()
        self.assertEqual(Orders(one).count("us-east"), len(REGIONS), "and is there again")
        one.destroy("--delete-data")
        self.assertEqual(one.left_behind(), [])

    def check_killed_processes(self, one):
        for region in ("us-east", "eu-west"):
            for name, before in one.processes(region).items():
                os.kill(before["pid"], signal.SIGKILL)
                harness.wait_until(lambda r=region, n=name, p=before["pid"]: one.processes(r)[n]["state"] == "running" and
                                   one.processes(r)[n]["pid"] not in (0, p), what=f"{name} of {region} to run again")
        orders = Orders(one)
        for region in REGIONS:
            harness.wait_until(lambda r=region: orders.count(r) == len(REGIONS), timeout=60, what=f"{region} to answer again")
        harness.wait_until(lambda: one.run("plan", one.file, status=None).returncode == 0, timeout=60, what="nothing to be due")

    def check_health_of_a_stopped_proxy(self, one):
        one.supervisor("eu-west", "stop", "haproxy")
        health = next(record for record in one.records("health", one.file, "--log-lines", "4", status=1) if record["type"] == "health")
        ill = next(region for region in health["regions"] if region["name"] == "eu-west")
        self.assertFalse(ill["ok"])
        self.assertTrue(ill["log"], ill)
        self.assertLessEqual(len(ill["log"]), 4)
        one.deploy()
        check_standing(self, one)

    def check_change(self, one):
        one.regions["eu-west"]["instances"] = 1
        one.file = one.write()
        plan = {record["region"]: record for record in one.records("plan", one.file, status=2) if record["type"] == "plan"}
        self.assertIn("service-2/process", [change["address"] for change in plan["eu-west"]["changes"] if change["action"] == "delete"])
        self.assertEqual(plan["us-east"]["destroy"], 0)
        one.deploy()
        self.assertNotIn("service-2", one.processes("eu-west"))
        one.run("plan", one.file, status=0)
        check_standing(self, one)

    def test_a_port_in_use(self):
        one = three_regions(self)
        one.file = one.write(network={})
        one.deploy("--region", "us-east", status=None)  # for its address
        status = next(record for record in one.records("status", one.file) if record["type"] == "status")
        address = status["regions"][0]["endpoint"].split("//")[1].split(":")[0]
        one.destroy("--delete-data")
        with socket.create_server((address, 5432)):
            told = one.deploy(status=1)
        self.assertIn("5432", told.stderr)
        one.deploy()
        one.destroy("--delete-data")
        self.assertEqual(one.left_behind(), [])

    def test_a_cluster_of_somebody_else(self):
        one = three_regions(self)
        folder = one.base("us-east") + "/data/postgresql"
        os.makedirs(folder)
        with open(folder + "/PG_VERSION", "w", encoding="ascii") as text:
            text.write("15\n")
        told = one.deploy(status=None)
        self.assertNotEqual(told.returncode, 0, told.stdout)
        self.assertIn(folder, told.stderr)
        one.destroy("--delete-data", status=None)
        self.assertTrue(os.path.exists(folder + "/PG_VERSION"), "what is not ours is not touched")
        os.unlink(folder + "/PG_VERSION")
        os.removedirs(folder)


if __name__ == "__main__":
    harness.main()
