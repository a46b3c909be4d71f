"""`fraiseql deploy switchover` on own hosts: under load, killed at any moment, refused where it would lose."""

import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import unittest
import urllib.parse

import harness
from hosts_rig import DATABASE, ROOT, Deployment, Orders, children
from test_deploy_hosts_database import database

REGIONS = ("us", "eu", "ap")
HAVE = ROOT and shutil.which("haproxy") and os.path.isdir(harness.PG_BIN)
QUIET = {"without": ["monitoring", "alertmanager", "prometheus"]}
WRITERS = 8
KILLS = 8 if harness.LONG else 3


class Load:
    """Writes through every region's proxy until it is told to stop; what was acknowledged is remembered."""

    def __init__(self, urls):
        self.acknowledged, self.refused, self.begun = [], 0, time.monotonic()
        self.gaps = []
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.write, args=(number, urls[number % len(urls)])) for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self, number, url):
        place = urllib.parse.urlsplit(url)
        connection, count, last = None, 0, time.monotonic()
        while not self.stopped.is_set():
            key = f"{number}-{count}"
            count += 1
            try:
                connection = connection or http.client.HTTPConnection(place.hostname, place.port, timeout=20)
                connection.request("POST", place.path, json.dumps({"query": f'mutation {{ createOrder(what: "tea", key: "{key}") {{ id }} }}'}),
                                   {"Content-Type": "application/json"})
                data = json.loads(connection.getresponse().read()).get("data")
            except (OSError, ValueError, http.client.HTTPException):
                connection, data = None, None
            with self.lock:
                if data and data["createOrder"]:
                    now = time.monotonic()
                    self.gaps.append(now - last)
                    last = now
                    self.acknowledged.append(key)
                else:
                    self.refused += 1
            if not data:
                time.sleep(0.01)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        self.took = time.monotonic() - self.begun


@unittest.skipUnless(HAVE, "no root, haproxy or PostgreSQL 15")
class Switchover(unittest.TestCase):
    def make(self, parts=None):
        one = Deployment(self, {name: {"hosts": ["local"], "instances": 1, **(QUIET if parts is None else parts)} for name in REGIONS},
                         replication={"mode": "streaming"})
        one.deploy()
        return one

    def switch(self, one, region, status=0):
        return one.run("switchover", one.file, "--to", region, "--yes", status=status)

    def writer(self, one):
        found = []
        for region in REGIONS:
            try:
                if database(one, region, "SELECT pg_is_in_recovery()") == "f":
                    found.append(region)
            except OSError:  # on its way down or up
                continue
        return found

    def check_kept(self, one, load):
        for region in REGIONS:
            def missing(region=region):
                there = set(database(one, region, "SELECT key FROM orders", "fraiseql").split("\n"))
                return set(load.acknowledged) - there
            harness.wait_until(lambda m=missing: not m(), timeout=60, what=f"every acknowledged order in {region}")

    def test_under_load_nothing_acknowledged_is_lost(self):
        one = self.make()
        load = Load(list(Orders(one).urls.values()))
        try:
            harness.wait_until(lambda: len(load.acknowledged) > 500, timeout=60)
            said = self.switch(one, "eu").stdout
            self.assertIn("eu writes", said)
            seen = len(load.acknowledged)
            harness.wait_until(lambda: len(load.acknowledged) > seen + 500, timeout=60)
            self.switch(one, "us")
            seen = len(load.acknowledged)
            harness.wait_until(lambda: len(load.acknowledged) > seen + 500, timeout=60)
        finally:
            load.stop()
        self.check_kept(one, load)
        pause = next(line.strip() for line in said.split("\n") if "nobody wrote" in line)
        print(f"\n{len(load.acknowledged)} acknowledged in {load.took:.1f} s ({len(load.acknowledged) / load.took:.0f}/s), "
              f"{load.refused} refused, 0 lost; longest wait of a writer {max(load.gaps) * 1000:.0f} ms; {pause}")
        self.assertEqual(self.writer(one), ["us"])
        self.assertIn("Nothing to do", one.deploy().stdout)

    def test_killed_anywhere_it_goes_on(self):
        one = self.make()
        load = Load(list(Orders(one).urls.values()))
        random.seed(7)
        try:
            for number in range(KILLS):
                target = REGIONS[(number + 1) % 2]
                deployer = subprocess.Popen(one.command("switchover", one.file, "--to", target, "--yes"), stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
                time.sleep(random.uniform(0.05, 2.5))
                scripts = children(deployer.pid) if number % 2 else []
                deployer.send_signal(signal.SIGKILL)
                for pid in scripts:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                deployer.wait()
                self.assertLessEqual(len(self.writer(one)), 1, "never two that write")
                harness.wait_until(lambda t=target: one.run("switchover", one.file, "--to", t, "--yes", status=None).returncode == 0,
                                   timeout=120, what=f"{target} to write")
                self.assertEqual(self.writer(one), [target])
            seen = len(load.acknowledged)
            harness.wait_until(lambda: len(load.acknowledged) > seen + 50, timeout=60, what="writes to go on")
        finally:
            load.stop()
        self.check_kept(one, load)
        self.assertIn("Nothing to do", one.deploy().stdout)

    def test_what_would_lose_is_refused(self):
        one = self.make(DATABASE)
        self.assertIn("--to REGION is missing", one.run("switchover", one.file, "--yes", status=64).stderr)
        self.assertIn("is no region that takes part", self.switch(one, "mars", status=65).stderr)
        self.assertIn("eu would write in place of us", one.run("switchover", one.file, "--to", "eu", "--dry-run").stdout)
        self.assertEqual(self.writer(one), ["us"])
        one.supervisor("eu", "stop", "postgresql")
        self.assertIn("its database is stopped", self.switch(one, "eu", status=65).stderr)
        one.supervisor("eu", "start", "postgresql")
        harness.wait_until(lambda: database(one, "eu", "SELECT pg_is_in_recovery()") == "t")
        one.supervisor("us", "stop", "postgresql")
        self.assertIn("its database is stopped", self.switch(one, "eu", status=65).stderr)
        one.supervisor("us", "start", "postgresql")
        harness.wait_until(lambda: database(one, "us", "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "2")
        self.switch(one, "ap")
        self.assertEqual(self.writer(one), ["ap"])
        self.assertEqual(self.switch(one, "ap").returncode, 0, "again is nothing")


if __name__ == "__main__":
    harness.main()
