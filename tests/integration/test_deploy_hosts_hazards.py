"""PostgreSQL on own hosts where a wrong guess would lose what was written: regions that cannot be asked, an old primary that
came back, a setting that would keep the server from starting, a switchover that was cut short."""

import os
import shutil
import subprocess
import unittest

import harness
from hosts_rig import DATABASE, ROOT, Deployment
from test_deploy_hosts_database import database

REGIONS = ("us", "eu", "ap")
HAVE = ROOT and os.path.isdir(harness.PG_BIN)
STREAMS = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"


@unittest.skipUnless(HAVE, "no root or no PostgreSQL 15")
class Hazards(unittest.TestCase):
    def setUp(self):
        self.one = Deployment(self, {name: {"hosts": ["local"], **DATABASE} for name in REGIONS}, replication={"mode": "streaming"})
        self.one.deploy()
        self.sql("us", "CREATE TABLE orders (id bigserial PRIMARY KEY, what text)", "fraiseql")
        harness.wait_until(lambda: self.sql("us", STREAMS) == "2", what="two standbys")

    def sql(self, region, text, name="postgres"):
        return database(self.one, region, text, name)

    def data(self, region):
        return self.one.base(region) + "/data/postgresql"

    def reach(self, **hosts):
        """Regions whose host is at another address than it was: nobody listens there."""
        for region in REGIONS:
            self.one.regions[region]["hosts"] = [hosts.get(region, "local")]
        self.one.file = self.one.write()

    def nowhere(self):
        return f"ssh://127.0.0.1:{harness.free_port()}"

    def test_a_stopped_primary_is_not_believed_while_another_region_is_silent(self):
        self.one.supervisor("us", "stop", "postgresql")
        self.reach(ap=self.nowhere())
        try:
            said = self.one.deploy(status=None)
            self.assertNotEqual(said.returncode, 0)
            self.assertIn("that of ap, which may have taken its place, cannot be asked", said.stderr)
            self.assertNotEqual(self.one.processes("us")["postgresql"]["state"], "running")
        finally:
            self.reach()
        self.one.deploy()
        self.assertEqual(self.sql("us", "SELECT pg_is_in_recovery()"), "f")

    def test_nothing_empty_takes_the_place_of_a_database_that_is_silent(self):
        self.sql("us", "INSERT INTO orders (what) VALUES ('tea')", "fraiseql")
        harness.wait_until(lambda: self.sql("eu", "SELECT count(*) FROM orders", "fraiseql") == "1", what="eu to have it")
        for region in ("us", "ap"):
            self.one.supervisor(region, "stop", "postgresql")
            shutil.rmtree(self.data(region))
        self.reach(eu=self.nowhere())
        try:
            said = self.one.deploy(status=None)
            self.assertNotEqual(said.returncode, 0)
            self.assertIn("eu, which was deployed and cannot be asked, may hold the only copy", said.stderr)
            self.assertFalse(os.path.exists(self.data("us")))
        finally:
            self.reach()
        self.assertIn("no region's database writes", self.one.deploy(status=65).stderr)
        harness.wait_until(lambda: self.sql("eu", "SELECT pg_promote()") == "t")
        self.one.deploy()
        for region in ("us", "ap"):
            harness.wait_until(lambda r=region: self.sql(r, "SELECT count(*) FROM orders", "fraiseql") == "1", what=f"{region} to have it")

    def test_a_copy_does_not_go_back_to_an_older_timeline(self):
        self.one.supervisor("us", "stop", "postgresql")
        harness.wait_until(lambda: self.sql("eu", "SELECT pg_promote()") == "t")
        self.reach(us=self.nowhere())
        try:
            self.one.deploy(status=None)
            self.sql("eu", "INSERT INTO orders (what) VALUES ('new')", "fraiseql")
            rows = "SELECT count(*) FROM orders"
            harness.wait_until(lambda: self.sql("ap", rows, "fraiseql") == "1", what="ap to follow eu")
            # The old primary comes back and writes, and the new one cannot be asked.
            self.one.supervisor("us", "start", "postgresql")
            harness.wait_until(lambda: self.sql("us", "SELECT pg_is_in_recovery()") == "f")
            self.reach(eu=self.nowhere())
            said = self.one.deploy(status=None)
            self.assertNotEqual(said.returncode, 0)
            self.assertIn("an older one", said.stderr + said.stdout)
            self.assertEqual(self.sql("ap", rows, "fraiseql"), "1", "what was acknowledged is there still")
        finally:
            self.reach()
        self.assertIn("both say that they are the one that writes", self.one.deploy(status=65).stderr)
        self.one.supervisor("us", "stop", "postgresql")
        self.one.deploy()
        for region in ("us", "ap"):
            harness.wait_until(lambda r=region: self.sql(r, rows, "fraiseql") == "1", what=f"{region} to follow eu")

    def test_a_setting_that_is_not_taken_restarts_nothing(self):
        before = self.one.processes("us")["postgresql"]["pid"]
        path = self.one.base("us") + "/config/postgresql/conf.d/wrong.conf"
        with open(path, "w", encoding="ascii") as text:
            text.write("shared_buffers = banana\n")
        quorum = {"mode": "streaming", "commit": "quorum", "quorum": 1}
        self.one.file = self.one.write(replication=quorum)
        said = self.one.deploy(status=None)
        self.assertNotEqual(said.returncode, 0)
        self.assertIn('invalid value for parameter "shared_buffers"', said.stderr + said.stdout)
        self.assertEqual(self.one.processes("us")["postgresql"]["pid"], before)
        self.assertEqual(self.sql("us", "SELECT 1"), "1")
        os.remove(path)
        self.one.deploy()
        self.assertEqual(self.one.processes("us")["postgresql"]["pid"], before)
        self.assertEqual(self.sql("us", "SHOW synchronous_standby_names"), 'ANY 1 ("eu", "ap")')

    def test_a_standby_never_has_less_than_its_primary(self):
        def change(connections, quorum):
            for region in REGIONS:
                with open(self.one.base(region) + "/config/postgresql/conf.d/connections.conf", "w", encoding="ascii") as text:
                    text.write(f"max_connections = {connections}\n")
            self.one.file = self.one.write(replication={"mode": "streaming", "commit": "quorum", "quorum": quorum})
            self.one.deploy()
            began = {}
            for region in REGIONS:
                self.assertEqual(self.sql(region, "SHOW max_connections"), str(connections), region)
                began[region] = float(self.sql(region, "SELECT extract(epoch FROM pg_postmaster_start_time())"))
            harness.wait_until(lambda: self.sql("us", STREAMS) == "2", what="two standbys")
            return began
        began = change(300, 1)
        self.assertGreater(began["us"], max(began["eu"], began["ap"]), "more comes to the standbys first")
        began = change(150, 2)
        self.assertLess(began["us"], min(began["eu"], began["ap"]), "less comes to the primary first")
        for region in ("eu", "ap"):
            with open(self.one.base(region) + "/log/postgresql.log", encoding="utf-8", errors="replace") as text:
                self.assertNotRegex(text.read(), "insufficient parameter settings|hot standby is not possible")

    def test_a_switchover_cut_short_before_anything_stood_down(self):
        """The primary still writes, and would come back from a crash as a standby."""
        open(self.data("us") + "/standby.signal", "w", encoding="ascii").close()
        self.one.deploy()
        self.assertFalse(os.path.exists(self.data("us") + "/standby.signal"))
        self.assertEqual(self.sql("us", "SELECT pg_is_in_recovery()"), "f")

    def test_a_number_in_an_old_file_is_nobodys_server(self):
        """After a crash of the machine postmaster.pid may hold the number of any process."""
        self.one.supervisor("eu", "stop", "postgresql")
        with subprocess.Popen(["sleep", "600"]) as stranger:
            try:
                os.remove(self.data("eu") + "/standby.signal")
                with open(self.data("eu") + "/postmaster.pid", "w", encoding="ascii") as text:
                    text.write(f"{stranger.pid}\n{self.data('eu')}\n")
                self.one.supervisor("us", "start", "postgresql")
                self.one.deploy()
                self.assertIsNone(stranger.poll(), "it was no business of ours")
            finally:
                stranger.kill()
        harness.wait_until(lambda: self.sql("us", STREAMS) == "2", what="two standbys")


if __name__ == "__main__":
    harness.main()
