"""`fraiseql deploy failover` on own hosts: a writer that stopped, one that is cut off and goes on, one out of reach."""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

import harness
from hosts_rig import DATABASE, ROOT, Deployment, Orders, children
from test_deploy_hosts_database import database
from test_deploy_hosts_regions import HAVE as HAVE_NAMESPACES
from test_deploy_hosts_regions import three_regions
from test_deploy_hosts_ssh import SSHD, Server

HAVE = ROOT and os.path.isdir(harness.PG_BIN)
FOLLOWERS = "SELECT string_agg(application_name, ' ' ORDER BY application_name) FROM pg_stat_replication WHERE state = 'streaming'"


@unittest.skipUnless(HAVE, "no root or no PostgreSQL 15")
class Failover(unittest.TestCase):
    def make(self, parts=None, **regions):
        names, parts = ("us", "eu", "ap"), parts or DATABASE
        self.one = Deployment(self, {name: {"hosts": ["local"], **parts, **regions.get(name, {})} for name in names},
                              replication={"mode": "streaming"})
        self.one.deploy()
        if parts is DATABASE:  # the service makes its own
            self.sql("us", "CREATE TABLE orders (id bigserial PRIMARY KEY, what text)", "fraiseql")
            self.write("us")

    def sql(self, region, text, name="postgres"):
        return database(self.one, region, text, name)

    def write(self, region):
        self.sql(region, "INSERT INTO orders (what) SELECT 'tea' FROM generate_series(1, 100)", "fraiseql")

    def rows(self, region):
        return int(self.sql(region, "SELECT count(*) FROM orders", "fraiseql"))

    def failover(self, *words, status=0):
        return self.one.run("failover", self.one.file, *words, status=status)

    def reads(self, region):
        return self.sql(region, "SELECT pg_is_in_recovery()") == "t"

    def check_followed(self, writer, others):
        self.assertFalse(self.reads(writer))
        harness.wait_until(lambda: self.sql(writer, FOLLOWERS) == others, timeout=60, what=f"{others} to follow {writer}")

    def test_a_writer_that_stopped_then_one_that_runs(self):
        self.make()
        self.assertIn("--to REGION is missing", self.failover(status=64).stderr)
        self.assertIn("--lost mars", self.failover("--to", "eu", "--lost", "mars", status=64).stderr)
        self.assertIn("it is the one that shall write", self.failover("--to", "eu", "--lost", "eu", status=64).stderr)
        told = self.failover("--to", "eu", "--yes", status=65)
        self.assertIn("the database of us answers and writes", told.stderr)
        self.assertIn("switchover", told.stderr)
        self.one.supervisor("us", "stop", "postgresql")
        told = self.failover("--to", "eu", "--yes", status=65)
        self.assertIn("region us: its database is stopped", told.stderr)
        self.assertIn("--lost us gives it up", told.stderr)
        self.assertIn("Nothing was changed", self.failover("--to", "eu", "--lost", "us", "--dry-run").stdout)
        self.assertTrue(self.reads("eu"))

        said = self.failover("--to", "eu", "--lost", "us", "--yes").stdout
        self.assertIn("us no longer writes", said)
        self.assertIn("nothing is lost", said)
        self.check_followed("eu", "ap")
        self.assertTrue(self.reads("us"), "it came back, and does not write")
        self.write("eu")
        self.one.deploy()
        self.check_followed("eu", "ap us")
        harness.wait_until(lambda: self.rows("us") == 200, timeout=60, what="what was written meanwhile")

        said = self.failover("--to", "us", "--lost", "eu", "--yes").stdout
        self.assertIn("nothing is lost", said, "the way was open")
        self.check_followed("us", "ap")
        self.assertEqual(self.failover("--to", "us", "--lost", "eu", "--yes").returncode, 0, "again is nothing")
        self.write("us")
        self.one.deploy()
        self.check_followed("us", "ap eu")
        harness.wait_until(lambda: self.rows("eu") == 300, timeout=60, what="what was written meanwhile")
        self.assertIn("Nothing to do", self.one.deploy().stdout)

    def test_killed_anywhere_it_goes_on(self):
        self.make()
        random.seed(11)
        for number in range(5 if harness.LONG else 3):
            target, lost = (("eu", "us"), ("us", "eu"))[number % 2]
            words = ("failover", self.one.file, "--to", target, "--lost", lost, "--yes")
            deployer = subprocess.Popen(self.one.command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        stdin=subprocess.DEVNULL)
            time.sleep(random.uniform(0.05, 2.5))
            scripts = children(deployer.pid) if number % 2 else []
            deployer.send_signal(signal.SIGKILL)
            for pid in scripts:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            deployer.wait()
            harness.wait_until(lambda: self.one.run(*words, status=None).returncode == 0, timeout=120, what=f"{target} to write")
            self.assertFalse(self.reads(target))
            self.assertTrue(self.reads(lost))
            self.write(target)
            self.one.deploy()
            self.check_followed(target, " ".join(sorted({"us", "eu", "ap"} - {target})))
            rows = self.rows(target)
            self.assertEqual(rows, 100 * (number + 2), "the way was open: nothing is lost")
            harness.wait_until(lambda: all(self.rows(region) == rows for region in ("us", "eu", "ap")), timeout=60, what="all rows")

    def test_one_that_has_less_is_refused(self):
        self.make()
        harness.wait_until(lambda: self.rows("ap") == 100, what="ap to have it")
        self.sql("ap", "ALTER SYSTEM SET primary_conninfo = ''")
        self.sql("ap", "SELECT pg_reload_conf()")
        harness.wait_until(lambda: self.sql("us", FOLLOWERS) == "eu", what="ap to follow nobody")
        self.write("us")
        harness.wait_until(lambda: self.rows("eu") == 200, what="eu to have it")
        self.one.supervisor("us", "stop", "postgresql")
        told = self.failover("--to", "ap", "--lost", "us", "--yes", status=65)
        self.assertRegex(told.stderr, "region eu has the log up to .*, ap only up to")
        self.assertIn(f"failover {self.one.file} --to eu", told.stderr)
        self.assertTrue(self.reads("ap"), "nothing was changed")
        said = self.failover("--to", "ap", "--lost", "us", "--lost", "eu", "--yes").stdout
        self.assertRegex(said, r"The last \d+ bytes of the log of (us|eu) are not in ap")
        self.assertTrue(self.reads("us") and self.reads("eu"))

    def run_page(self, heading):
        self.one.run_page("failover.md", heading, {"us-east": "us", "eu-west": "eu"})

    @unittest.skipUnless(shutil.which("haproxy"), "no haproxy")
    def test_the_runbook(self):
        self.make({"instances": 1, "without": ["monitoring", "alertmanager", "prometheus"]})
        self.run_page("1. Look")
        self.run_page("2. What mends itself")
        self.run_page("3. The region shall go, and still answers")
        self.assertFalse(self.reads("eu"))
        self.run_page("6. Back home")
        self.one.supervisor("us", "stop", "postgresql")
        self.run_page("4. The region is lost")
        self.assertFalse(self.reads("eu"))
        self.run_page("5. Afterwards")
        self.check_followed("eu", "ap us")
        self.run_page("6. Back home")
        self.check_followed("us", "ap eu")

    @unittest.skipUnless(SSHD and shutil.which("ssh"), "no OpenSSH server and client")
    def test_a_host_out_of_reach_and_back(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        server = Server(folder)
        self.addCleanup(server.stop)
        os.environ["FRAISEQL_SSH_CONFIG"] = server.env["FRAISEQL_SSH_CONFIG"]
        self.addCleanup(os.environ.pop, "FRAISEQL_SSH_CONFIG", None)
        self.make(us={"hosts": [f"ssh://root@127.0.0.1:{server.port}"], "address": "127.77.3.1"})
        harness.wait_until(lambda: self.rows("eu") == 100, what="eu to have it")
        server.stop()
        for pid in server.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        told = self.failover("--to", "eu", "--lost", "us", "--yes", status=64)
        self.assertIn(f"--confirm {self.one.name}", told.stderr)
        self.assertIn("make sure that its database does not write", told.stdout)
        self.assertTrue(self.reads("eu"), "nothing was changed")
        said = self.failover("--to", "eu", "--lost", "us", "--yes", "--confirm", self.one.name).stdout
        self.assertIn("us was not ended", said)
        self.assertIn("this command again ends its database", said)
        self.check_followed("eu", "ap")
        self.write("eu")

        server.start()
        self.assertFalse(self.reads("us"), "nothing could reach it")
        self.assertIn("both say that they are the one that writes", self.one.deploy(status=65).stderr)
        self.assertIn("us no longer writes", self.failover("--to", "eu", "--lost", "us", "--yes").stdout)
        self.assertTrue(self.reads("us"))
        self.one.deploy()
        self.check_followed("eu", "ap us")
        harness.wait_until(lambda: self.rows("us") == 200, timeout=60, what="what was written meanwhile")


@unittest.skipUnless(HAVE_NAMESPACES, "no root, ip, /dev/net/tun, haproxy or PostgreSQL 15")
class CutOff(unittest.TestCase):
    def test_what_only_a_region_that_is_cut_off_has_is_said(self):
        one = three_regions(self)
        one.deploy()
        orders = Orders(one)
        before = [orders.create(region, f"before-{region}") for region in orders.urls]
        self.assertTrue(all(before))
        harness.wait_until(lambda: all(orders.has(region, number) for region in orders.urls for number in before), timeout=60)
        one.relay("us-east", "cut", "all")
        alone = [orders.create("us-east", f"alone-{number}") for number in range(20)]
        self.assertTrue(all(alone), "it goes on writing for its own clients")
        said = one.run("failover", one.file, "--to", "eu-west", "--lost", "us-east", "--yes").stdout
        lost = re.search(r"The last (\d+) bytes of the log of us-east are not in eu-west", said)
        self.assertTrue(lost and int(lost[1]) > 0, said)
        self.assertEqual(database(one, "us-east", "SELECT pg_is_in_recovery()"), "t")
        self.assertIsNone(orders.create("us-east", "refused", timeout=5), "no second one writes")
        self.assertEqual(database(one, "us-east", "SELECT count(*) FROM orders WHERE key LIKE 'alone%'", "fraiseql"), "20",
                         "what only it has can still be read there")
        after = [orders.create(region, f"after-{region}") for region in ("eu-west", "asia-southeast")]
        self.assertTrue(all(after))

        one.relay("us-east", "heal", "all")
        one.deploy()
        after.append(orders.create("us-east", "after-us-east"))
        for region in orders.urls:
            harness.wait_until(lambda r=region: all(orders.has(r, number) for number in before + after), timeout=60,
                               what=f"{region} to have what was acknowledged by those that were not given up")
            self.assertEqual(database(one, region, "SELECT count(*) FROM orders WHERE key LIKE 'alone%'", "fraiseql"), "0")
        self.assertIn("Nothing to do", one.deploy().stdout)


if __name__ == "__main__":
    harness.main()
