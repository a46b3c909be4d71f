"""Backups of own hosts by pgBackRest: taken, listed, verified by a restore, and brought back after all data directories
are gone, to a moment; with the copies made anew; from a store when the host is gone too; and what the collector tells of
it. Real servers, on this machine."""

import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import harness
import minio_rig
from hosts_rig import DATABASE, ROOT, Deployment, children
from test_deploy_hosts_database import database

REGIONS = ("us", "eu")
HAVE = ROOT and os.path.isdir(harness.PG_BIN) and shutil.which("pgbackrest")


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Case(unittest.TestCase):
    """Two regions, one of which follows the other."""

    WITHOUT = DATABASE["without"]

    def setUp(self):
        self.one = Deployment(self, {name: {"hosts": ["local"], "without": self.WITHOUT} for name in REGIONS},
                              replication={"mode": "streaming"}, **self.sections())
        self.one.deploy(env=self.environment())
        self.sql("us", "CREATE TABLE orders (id bigserial PRIMARY KEY, what text)")
        self.add(100)

    def sections(self):
        return {}

    def environment(self):
        return {}

    def sql(self, region, text, name="fraiseql"):
        return database(self.one, region, text, name)

    def add(self, count):
        self.sql("us", f"INSERT INTO orders (what) SELECT md5(n::text) FROM generate_series(1, {count}) n")

    def content(self, region):
        return self.sql(region, "SELECT count(*) || ' ' || md5(string_agg(id || what, ',' ORDER BY id)) FROM orders")

    def backups(self, region="us"):
        page = next(record for record in self.one.records("backups", self.one.file) if record["type"] == "backups")
        return next(one for one in page["regions"] if one["name"] == region)

    def restore(self, *words, status=0, region="us"):
        return self.one.run("restore", self.one.file, "--region", region, "--yes", *words, status=status)

    def disaster(self):
        for region in REGIONS:
            shutil.rmtree(self.one.base(region) + "/data")
            os.mkdir(self.one.base(region) + "/data")

    def wait_archived(self):
        """Until the log up to here is in the repository."""
        name = self.sql("us", "SELECT pg_walfile_name(pg_switch_wal())")
        harness.wait_until(lambda: self.sql("us", "SELECT coalesce(max(last_archived_wal), '') FROM pg_stat_archiver") >= name,
                           timeout=120, what=f"{name} to be archived")

    def check_both(self, content):
        self.one.deploy()
        for region in REGIONS:
            harness.wait_until(lambda r=region: self.content(r) == content, timeout=120, what=f"the rows in {region}")
            self.assertEqual(self.sql(region, "SELECT pg_is_in_recovery()"), "f" if region == "us" else "t")
        self.one.run("plan", self.one.file)


@unittest.skipUnless(HAVE, "no root, no PostgreSQL 15 or no pgBackRest")
class Backups(Case):
    def test_a_disaster_and_back_to_a_moment(self):
        taken = [one for one in self.one.records("backup", self.one.file, "--verify") if one["type"] == "backup"]
        self.assertEqual([one["region"] for one in taken], ["us"], "a copy is backed up where it is written")
        self.assertIsNotNone(taken[0]["verified"])
        self.add(11)
        self.one.run("backup", self.one.file, "--kind", "incr")
        self.add(7)
        wanted = self.content("us")
        time.sleep(1.1)
        moment = now()  # a whole second, after the rows and before what follows
        time.sleep(1.1)
        self.sql("us", "DELETE FROM orders")
        self.wait_archived()
        listed = self.backups()
        self.assertTrue({"full", "incr"} <= {one["kind"] for one in listed["backups"]}, listed)
        self.assertLessEqual(listed["earliest"], moment)
        self.assertIn(taken[0]["id"], [one["id"] for one in listed["backups"] if one["verified"]])
        self.assertEqual(self.backups("eu")["backups"], [])

        self.assertIn("the database runs", self.restore("--at", moment, status=None).stderr)
        self.disaster()
        said = self.one.deploy(status=1)
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("the database is gone, and its backups are in", said.stderr)
        self.assertIn("in place", self.restore("--at", moment, "--dry-run").stdout)
        self.assertFalse(os.path.exists(self.one.base("us") + "/data/postgresql"))
        self.restore("--at", moment)
        self.assertEqual(self.content("us"), wanted)
        self.check_both(wanted)
        with open(self.one.base("us") + "/data/postgresql/postgresql.auto.conf", encoding="utf-8") as text:
            self.assertNotIn("recovery_target_time", text.read(), "once it follows, it would stop there")
        self.add(5)
        self.check_both(self.content("us"))

    def test_a_stopped_one_is_moved_aside_and_a_killed_restore_goes_on(self):
        taken = next(one for one in self.one.records("backup", self.one.file) if one["type"] == "backup")
        wanted = self.content("us")
        self.add(3)
        self.one.supervisor("us", "stop", "postgresql")
        words = ("--backup", taken["id"])
        self.assertIn("--replace moves it aside", self.restore(*words, status=None).stderr)
        self.kill_restore(*words, "--replace")
        self.restore(*words, "--replace")
        self.assertEqual(self.content("us"), wanted)
        self.check_both(wanted)
        kept = [name for name in os.listdir(self.one.base("us") + "/data") if name.startswith("postgresql.replaced-")]
        self.assertEqual(len(kept), 1, "the former one is kept, once")

    def kill_restore(self, *words):
        restore = subprocess.Popen(self.one.command("restore", self.one.file, "--region", "us", "--yes", *words),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        folder = self.one.base("us") + "/data/postgresql.new"
        harness.wait_until(lambda: os.path.isdir(folder) or restore.poll() is not None, timeout=120, what="the restore to begin")
        below = children(restore.pid)
        restore.send_signal(signal.SIGKILL)
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        restore.wait()

    def test_the_end_of_the_log_and_a_moment_when_nobody_wrote(self):
        self.one.run("backup", self.one.file)
        self.add(9)
        wanted = self.content("us")
        time.sleep(1.1)  # the moments end with the second in which the log was archived: a later one than that of the rows
        self.wait_archived()
        time.sleep(1)
        latest = self.backups()["latest"]
        self.disaster()
        self.restore("--at", latest)
        self.check_both(wanted)
        self.add(2)
        wanted = self.content("us")
        self.wait_archived()
        self.disaster()
        self.restore("--at", "latest")
        self.check_both(wanted)

    def test_the_page_of_disaster_recovery(self):
        wanted = self.content("us")
        harness.wait_until(lambda: self.content("eu") == wanted, what="the rows in eu")
        self.one.run("backup", self.one.file)
        self.wait_archived()
        self.one.supervisor("eu", "stop", "postgresql")
        shutil.rmtree(self.one.base("eu") + "/data/postgresql")
        self.one.run_page("disaster-recovery.md", "One copy", {})
        self.check_both(wanted)
        self.disaster()
        self.one.run_page("disaster-recovery.md", "Every database of own hosts", {})
        self.check_both(wanted)

    def test_secrets_and_what_destroy_leaves(self):
        folder = self.one.base("us")
        with open(self.one.folder.path + "/.fraiseql/" + self.one.name + "/secrets/backup-passphrase", encoding="ascii") as text:
            passphrase = text.read().strip()
        self.assertEqual(os.stat(folder + "/config/pgbackrest/pgbackrest.conf").st_mode & 0o777, 0o600)
        for where, _, files in os.walk(folder):
            for name in files:
                path = os.path.join(where, name)
                with open(path, "rb") as data:
                    if passphrase.encode() in data.read():
                        self.assertEqual(path, folder + "/config/pgbackrest/pgbackrest.conf")
        self.one.run("backup", self.one.file)
        self.one.destroy()
        self.assertTrue(os.path.isdir(folder + "/backup/repository/backup"), "backups are data")
        self.one.deploy()
        self.assertEqual(len(self.backups()["backups"]), 1)
        self.one.destroy("--delete-data")
        self.assertEqual(self.one.left_behind(), [])

    def test_without_backups_there_is_nothing(self):
        self.one.file = self.one.write(backup={"enabled": False})
        self.one.deploy()
        self.assertIn("backups were not set up here", self.one.run("backup", self.one.file, status=None).stderr)
        self.assertNotIn("pgbackrest", self.one.processes("us"))
        self.assertEqual(self.sql("us", "SHOW archive_mode"), "off")


@unittest.skipUnless(HAVE, "no root, no PostgreSQL 15 or no pgBackRest")
class Told(Case):
    """What a region's collector tells of its backups."""

    WITHOUT = [part for part in DATABASE["without"] if part != "monitoring"]

    def listen(self, region):
        with open(self.one.base(region) + "/config/monitoring/collector.yaml", encoding="utf-8") as text:
            return "http://" + re.search(r"listen: (\S+)", text.read())[1]

    def metrics(self, region="us"):
        """{"name{action}" or "name": value} of the families of backups."""
        page = harness.fetch(self.listen(region) + "/metrics")[2].decode()
        found = {}
        for line in re.findall(r"^fraiseql_backup_\w+\{.*", page, re.M):
            name, labels, value = re.match(r"fraiseql_backup_(\w+)\{(.*)\} (\S+)", line).groups()
            self.assertIn(f'region="{region}"', labels)
            of = re.search(r'(?:action|backup_type)="(\w+)"', labels)
            found[name + (f"{{{of[1]}}}" if of else "")] = float(value)
        return found

    def wait_for(self, name, value=None, region="us"):
        def there():
            found = self.metrics(region)
            return found if name in found and value in (None, found[name]) else None
        return harness.wait_until(there, timeout=90, what=f"{name} of {region}")

    def test_ages_and_outcomes_and_a_switchover(self):
        found = self.wait_for("expected_since_timestamp_seconds")
        self.assertFalse({"verified_timestamp_seconds", "last_timestamp_seconds{full}"} & set(found), "nothing was taken yet")
        self.assertGreaterEqual(found["verified_age_seconds"], 0)
        self.assertEqual(self.metrics("eu"), {}, "a copy is backed up where it is written")

        self.one.run("backup", self.one.file, "--verify")
        found = self.wait_for("verified_timestamp_seconds")
        self.assertEqual((found["attempt_success{backup}"], found["attempt_success{verification}"]), (1, 1))
        self.assertGreater(found["database_bytes{full}"], found["stored_bytes{full}"])
        self.assertEqual(found["verified_timestamp_seconds"], found["last_timestamp_seconds{full}"])
        slos = json.loads(harness.fetch(self.listen("us") + "/api/v1/slos")[2])["slos"]
        self.assertIn("backup-verified", [slo["name"] for slo in slos])

        # With the schedule dead and the collector started anew it is known, and goes on ageing.
        self.one.supervisor("us", "stop", "pgbackrest")
        self.one.supervisor("us", "restart", "monitoring-collector")
        harness.wait_until(lambda: self.alive("us"), timeout=60, what="the collector")
        older = self.wait_for("verified_age_seconds")
        self.assertGreater(older["verified_age_seconds"], found["verified_age_seconds"])
        self.assertEqual(older["verified_timestamp_seconds"], found["verified_timestamp_seconds"])
        self.one.supervisor("us", "start", "pgbackrest")

        repository = self.one.base("us") + "/backup/repository"
        os.rename(repository, repository + ".away")
        self.assertNotEqual(self.one.run("backup", self.one.file, status=None).returncode, 0)
        os.rename(repository + ".away", repository)
        self.wait_for("attempt_success{backup}", 0)

        self.one.run("switchover", self.one.file, "--to", "eu", "--yes")
        self.assertEqual(self.sql("us", "SHOW archive_command"), "/bin/true")
        self.assertIn("pgbackrest", self.sql("eu", "SHOW archive_command"))
        self.wait_for("expected_since_timestamp_seconds", region="eu")
        harness.wait_until(lambda: not self.metrics("us"), timeout=60, what="the region that stood down to be silent")
        taken = [one for one in self.one.records("backup", self.one.file) if one["type"] == "backup"]
        self.assertEqual([one["region"] for one in taken], ["eu"])
        self.assertIsNone(self.backups("us")["latest"], "its log has a gap from then on")
        self.assertEqual(len(self.backups("us")["backups"]), 1, "its backups are kept")
        self.assertIn("region eu writes", self.one.run("restore", self.one.file, "--region", "us", "--yes", "--backup",
                                                      self.backups("us")["backups"][0]["id"], status=None).stderr)

    def alive(self, region):
        try:
            return harness.fetch(self.listen(region) + "/-/ready")[0] == 200
        except OSError:
            return False


@unittest.skipUnless(HAVE, "no root, no PostgreSQL 15 or no pgBackRest")
@unittest.skipUnless(minio_rig.program(), f"no MinIO: {minio_rig.HOW_TO_GET_IT}")
class Store(Case):
    """Backups in a real S3-compatible store."""

    def sections(self):
        self.store = minio_rig.Minio()
        self.addCleanup(self.store.close)
        return {"backup": {"store": {"type": "s3", "bucket": minio_rig.BUCKET, "endpoint": self.store.endpoint,
                                     "path-style": True, "ca-file": self.store.authority}}}

    def environment(self):
        """Of the first run alone: later ones find it in the deployment's folder."""
        return {"FRAISEQL_BACKUP_S3_KEY": self.store.key, "FRAISEQL_BACKUP_S3_SECRET": self.store.secret}

    def lose_hosts(self):
        """All that both hosts had."""
        for region in REGIONS:
            self.one.supervisor(region, "end")
        for folder in ("/var/lib/fraiseql/", "/run/fraiseql/"):
            shutil.rmtree(folder + self.one.name)
        for folder in ("/etc/tmpfiles.d", "/etc/logrotate.d"):
            for name in os.listdir(folder):
                if self.one.name in name:
                    os.remove(os.path.join(folder, name))

    def check_secret(self):
        folder, allowed = self.one.base("us"), self.one.base("us") + "/config/pgbackrest/pgbackrest.conf"
        self.assertEqual(os.stat(allowed).st_mode & 0o777, 0o600)
        for where, _, files in os.walk(folder):
            for name in files:
                path = os.path.join(where, name)
                with open(path, "rb") as data:
                    if self.store.secret.encode() in data.read():
                        self.assertEqual(path, allowed)

    def test_hosts_that_are_gone_come_back_from_it(self):
        half = {"FRAISEQL_BACKUP_S3_SECRET": "half"}
        self.assertIn("is set without FRAISEQL_BACKUP_S3_KEY", self.one.deploy(status=77, env=half).stderr)
        taken = [one for one in self.one.records("backup", self.one.file, "--verify") if one["type"] == "backup"]
        self.assertIsNotNone(taken[0]["verified"])
        self.add(11)
        self.one.run("backup", self.one.file, "--kind", "diff")
        self.one.run("backup", self.one.file, "--kind", "incr")
        self.assertEqual(os.listdir(self.store.folder.path + f"/data/{minio_rig.BUCKET}/fraiseql/{self.one.name}"), ["us"])
        self.assertFalse(os.path.exists(self.one.base("us") + "/backup/repository"))
        self.check_secret()
        self.add(7)
        wanted = self.content("us")
        time.sleep(1.1)
        moment = now()
        time.sleep(1.1)
        self.sql("us", "DELETE FROM orders")
        self.wait_archived()
        listed = self.backups()
        self.assertEqual(sorted(one["kind"] for one in listed["backups"]), ["diff", "full", "incr"])
        self.assertTrue(listed["earliest"] <= moment <= listed["latest"], listed)

        self.lose_hosts()
        said = self.one.deploy(status=1).stderr
        self.assertIn(f"its backups are in s3://{minio_rig.BUCKET}/fraiseql/{self.one.name}/us", said)
        found = self.backups()
        self.assertEqual((found["earliest"], len(found["backups"])), (listed["earliest"], 3))
        self.restore("--at", moment)
        self.check_both(wanted)
        self.add(5)
        self.one.run("backup", self.one.file, "--verify")
        self.assertEqual(len(self.backups()["backups"]), 4)
        self.check_both(self.content("us"))

        # A key that was changed is taken over; the store refuses a wrong one.
        self.one.deploy(env={**self.environment(), "FRAISEQL_BACKUP_S3_SECRET": "wrong-one-of-ours"})
        said = self.one.run("backup", self.one.file, status=None)
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("403", said.stderr)
        self.assertNotIn("wrong-one-of-ours", said.stdout + said.stderr)
        self.one.deploy(env=self.environment())

        self.one.file = self.one.write(backup={})
        self.one.deploy()
        self.assertEqual(self.backups()["backups"], [], "another store knows nothing of the former one")
        self.one.run("backup", self.one.file)
        self.assertEqual(len(self.backups()["backups"]), 1)
        self.one.destroy("--delete-data")
        self.assertEqual(self.one.left_behind(), [])
        self.assertTrue(os.listdir(self.store.folder.path + f"/data/{minio_rig.BUCKET}/fraiseql/{self.one.name}/us"))


if __name__ == "__main__":
    harness.main()
