"""`fraiseql deploy backup`, `backups` and `restore`: RDS on moto where it is installed, Cloud SQL and Azure's PostgreSQL on
strict fakes."""

import json
import os
import shutil
import signal
import subprocess
import time
import unittest
import urllib.parse

from fake_azure import SECRET, SUBSCRIPTION, FakeAzure
from fake_google import FakeGoogle
from harness import LAUNCHER, Case, Folder, fetch, main, wait_until
from test_deploy_run import PROGRAM
from test_deploy_terraform import Moto

LOCATIONS = {"aws": "us-east-1", "gcp": "europe-west1", "azure": "westeurope"}


class Rig:
    def __init__(self, case, *providers):
        self.folder = case.open(Folder())
        regions = {name: {"provider": name, "location": LOCATIONS[name], "size": "small"} for name in providers}
        self.file = self.folder.file("f.yaml", json.dumps({
            "version": 1, "metadata": {"name": "demo", "environment": "staging"}, "regions": regions}))
        self.env = {**os.environ, "XDG_CACHE_HOME": self.folder.path + "/cache", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                    "AWS_SECRET_ACCESS_KEY": "very-secret-indeed", "AWS_EC2_METADATA_DISABLED": "true"}

    def start(self, verb, *more):
        return subprocess.Popen([*LAUNCHER, PROGRAM, "deploy", verb, self.file, *more], env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)

    def run(self, verb, *more):
        process = self.start(verb, *more)
        text, _ = process.communicate(timeout=300)
        return process.returncode, text

    def records(self, verb, *more):
        status, text = self.run(verb, "--json", *more)
        return status, [json.loads(line) for line in text.splitlines()]

    def record(self, kind, verb, *more):
        status, records = self.records(verb, *more)
        found = [record for record in records if record.get("type") == kind]
        assert found, records
        return status, found[-1]


@unittest.skipUnless(shutil.which("moto_server"), "moto_server is not installed")
class Aws(Case):
    def setUp(self):
        self.rig = Rig(self, "aws")
        self.moto = self.open(Moto(self.rig.folder))
        self.rig.env["AWS_ENDPOINT_URL"] = self.moto.url

    def rds(self, action, **arguments):
        scope = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/rds/aws4_request"
        headers = {"Content-Type": "application/x-www-form-urlencoded",
                   "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        body = urllib.parse.urlencode({"Action": action, "Version": "2014-10-31", **arguments})
        status, _, answer = fetch(self.moto.url + "/", headers, body.encode(), "POST")
        self.assertEqual(status, 200, answer)
        return answer.decode() if isinstance(answer, bytes) else answer

    def make(self, owner="demo"):
        self.rds("CreateDBInstance", **{
            "DBInstanceIdentifier": "demo-aws", "DBInstanceClass": "db.t3.medium", "Engine": "postgres", "AllocatedStorage": "20",
            "MasterUsername": "fraiseql", "MasterUserPassword": "irrelevant", "BackupRetentionPeriod": "7",
            "Tags.Tag.1.Key": "fraiseql-deployment", "Tags.Tag.1.Value": owner,
            "Tags.Tag.2.Key": "fraiseql-address", "Tags.Tag.2.Value": "aws_db_instance.this"})

    def test_a_backup_is_taken_listed_and_restored_beside_the_database(self):
        status, text = self.rig.run("backup")
        self.assertEqual(status, 1, text)
        self.assertIn("there is no RDS instance demo-aws in us-east-1", text)
        self.make()
        status, text = self.rig.run("backup", "--dry-run")
        self.assertEqual(status, 0, text)
        self.assertIn("would take demo-aws-20", text)
        _, record = self.rig.record("backups", "backups")
        self.assertFalse([each for each in record["regions"][0]["backups"] if each["kind"] == "manual"])
        status, taken = self.rig.record("backup", "backup")
        self.assertEqual((status, taken["state"], taken["size_bytes"], taken["resumed"]), (0, "done", 20 << 30, False))
        status, record = self.rig.record("backups", "backups")
        self.assertEqual(status, 0)
        region = record["regions"][0]
        self.assertEqual((region["database"], region["problem"]), ("demo-aws", None))
        self.assertIn((taken["id"], None), [(each["id"], each["verified"]) for each in region["backups"]])
        status, text = self.rig.run("backups")
        self.assertIn(taken["id"], text)
        # A dry run makes nothing, and without a terminal nothing is made unasked.
        status, dry = self.rig.record("restore", "restore", "--backup", taken["id"], "--dry-run")
        self.assertEqual((status, dry["done"], dry["backup"], dry["at"]), (0, False, taken["id"], taken["at"]))
        status, text = self.rig.run("restore", "--backup", taken["id"])
        self.assertEqual(status, 64, text)
        self.assertNotIn(dry["into"], self.rds("DescribeDBInstances"))
        status, done = self.rig.record("restore", "restore", "--backup", taken["id"], "--yes")
        self.assertEqual((status, done["done"], done["into"], done["found"]), (0, True, dry["into"], False))
        self.assertTrue(done["address"].startswith(done["into"]))
        self.assertIn("--new-db-instance-identifier", " ".join(done["next"]))
        made = self.rds("DescribeDBInstances", DBInstanceIdentifier=done["into"])
        self.assertIn("<Key>fraiseql-restored-from</Key>", made)
        self.assertNotIn("fraiseql-address", made)
        self.assertIn("fraiseql-address", self.rds("DescribeDBInstances", DBInstanceIdentifier="demo-aws"))
        # Once more it is found.
        status, again = self.rig.record("restore", "restore", "--backup", taken["id"], "--yes")
        self.assertEqual((status, again["into"], again["found"]), (0, done["into"], True))

    def test_what_is_refused(self):
        self.make()
        for arguments, status, message in (
                ((), 64, "--at TIME or --backup ID"),
                (("--at", "latest", "--backup", "x"), 64, "one of them"),
                (("--at", "yesterday"), 64, "--at takes"),
                (("--backup", "x", "--into", "Not a name"), 64, "--into takes a name"),
                (("--backup", "not-there"), 65, "demo-aws has no backup \"not-there\""),
                (("--at", "2001-01-01T00:00:00Z", "--timeout", "0"), 64, "--timeout takes seconds"),
                (("--at", "2101-01-01T00:00:00Z"), 65, "can")):
            got, text = self.rig.run("restore", "--yes", *arguments)
            self.assertEqual(got, status, (arguments, text))
            self.assertIn(message, text)
        status, taken = self.rig.record("backup", "backup")
        self.assertEqual(status, 0)
        for name in ("demo-aws", "somebody-elses"):
            if name != "demo-aws":
                self.rds("CreateDBInstance", **{"DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.medium",
                                                "Engine": "postgres", "AllocatedStorage": "20", "MasterUsername": "a",
                                                "MasterUserPassword": "irrelevant"})
            status, text = self.rig.run("restore", "--backup", taken["id"], "--into", name, "--yes")
            self.assertEqual(status, 65, text)

    def test_another_deployments_database_is_left_alone(self):
        self.make(owner="other")
        for verb, more in (("backup", ()), ("backups", ()), ("restore", ("--at", "latest", "--yes"))):
            status, text = self.rig.run(verb, *more)
            self.assertEqual(status, 65, text)
            self.assertIn("is not this deployment's", text)
        self.assertNotIn("<SnapshotType>manual", self.rds("DescribeDBSnapshots"))

    def test_no_credentials(self):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del self.rig.env[name]
        self.rig.env["HOME"] = self.rig.folder.path
        status, text = self.rig.run("backups")
        self.assertEqual(status, 77, text)


class Fakes(Case):
    def setUp(self):
        self.rig = Rig(self, "gcp", "azure")
        self.google, self.azure = self.open(FakeGoogle(self.rig.folder)), self.open(FakeAzure(self.rig.folder))
        self.rig.env.update(self.google.environment(), GOOGLE_APPLICATION_CREDENTIALS=self.google.service_account(),
                            GOOGLE_PROJECT=self.google.project)
        self.rig.env.update(self.azure.client(ARM_CLIENT_SECRET=SECRET, ARM_SUBSCRIPTION_ID=SUBSCRIPTION))
        self.google.sql.add("demo-gcp-123456", owner="another")
        self.google.sql.add("demo-gcp-0a1b2c")
        self.azure.postgres.add("demo-azure", "another-4711", owner="another")
        self.azure.postgres.add("demo-azure", "demo-azure-k2x9")

    def check(self):
        self.assertEqual(self.google.violations + self.azure.violations, [])

    def backups(self, *more):
        status, record = self.rig.record("backups", "backups", *more)
        return status, {region["name"]: region for region in record["regions"]}

    def test_both_are_taken_at_once_and_listed_page_by_page(self):
        status, records = self.rig.records("backup")
        self.assertEqual(status, 0, records)
        first = {record["region"]: record for record in records if record.get("type") == "backup"}
        self.assertEqual({record["state"] for record in first.values()}, {"done"})
        self.assertTrue(first["gcp"]["name"].startswith("demo-gcp-20") and first["gcp"]["id"].isdigit())
        for _ in range(2):
            time.sleep(1.1)  # names are made of seconds
            self.assertEqual(self.rig.run("backup")[0], 0)
        status, regions = self.backups()
        self.assertEqual((status, len(regions["gcp"]["backups"]), len(regions["azure"]["backups"])), (0, 3, 3))
        self.assertEqual(regions["azure"]["database"], "demo-azure-k2x9")
        self.assertEqual(regions["gcp"]["database"], "demo-gcp-0a1b2c")
        for region in regions.values():
            self.assertLess(region["earliest"], region["latest"])
            held = [backup["at"] for backup in region["backups"]]
            self.assertEqual(held, sorted(held, reverse=True))
        status, text = self.rig.run("backups")
        self.assertIn(first["azure"]["id"], text)
        self.assertIn("any moment from", text)
        self.check()

    def test_restores_into_a_new_database(self):
        self.assertEqual(self.rig.run("backup")[0], 0)
        _, regions = self.backups()
        status, text = self.rig.run("restore", "--at", "latest", "--yes")
        self.assertEqual(status, 64, text)  # of which region?
        for name in ("gcp", "azure"):
            backup = regions[name]["backups"][0]
            status, done = self.rig.record("restore", "restore", "--region", name, "--backup", backup["id"], "--yes")
            self.assertEqual((status, done["done"], done["backup"]), (0, True, backup["id"]), name)
            status, again = self.rig.record("restore", "restore", "--region", name, "--backup", backup["id"], "--yes")
            self.assertEqual((status, again["into"], again["found"]), (0, done["into"], True), name)
            status, moment = self.rig.record("restore", "restore", "--region", name, "--at", "latest", "--into", "look-" + name, "--yes")
            self.assertEqual((status, moment["into"]), (0, "look-" + name), name)
            status, text = self.rig.run("restore", "--region", name, "--backup", backup["id"], "--into", "look-" + name, "--yes")
            self.assertEqual(status, 65, text)
            self.assertIn("already", text)
            status, text = self.rig.run("restore", "--region", name, "--at", "2001-01-01T00:00:00Z", "--yes")
            self.assertEqual(status, 65, text)
            self.assertIn("can be restored to moments from", text)
        for running in ("demo-gcp-0a1b2c", "demo-gcp-123456"):
            status, text = self.rig.run("restore", "--region", "gcp", "--at", "latest", "--into", running, "--yes")
            self.assertEqual(status, 65, text)
        restores = [each for each in self.google.sql.operations if each["operationType"] == "RESTORE_VOLUME"]
        self.assertEqual([each["targetId"] for each in restores if each["targetId"].startswith("demo-gcp-of-")], [restores[0]["targetId"]])
        self.assertEqual(self.google.sql.instances["demo-gcp-0a1b2c"]["state"], "RUNNABLE")
        made = [server for server in self.azure.postgres.servers.values() if "fraiseql-restored-from" in server["tags"]]
        self.assertEqual(len(made), 2)
        self.assertFalse([server for server in made if "fraiseql-address" in server["tags"]])
        self.check()

    def test_killed_while_it_waits_it_goes_on_with_the_same_one(self):
        self.google.sql.looks = self.azure.postgres.looks = 1000
        process = self.rig.start("backup")
        try:
            wait_until(lambda: self.google.sql.runs and self.azure.postgres.backups, 60, "both backups to be under way")
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
        for run in self.google.sql.runs:
            run["left"] = 0
        for operation in self.azure.postgres.operations.values():
            operation[0] = 0
        self.azure.postgres.backups[0]["properties"]["completedTime"] = "2026-01-01T00:00:00Z"
        status, records = self.rig.records("backup")
        self.assertEqual(status, 0, records)
        taken = [record for record in records if record.get("type") == "backup"]
        self.assertEqual([record["resumed"] for record in taken], [True, True])
        self.assertEqual((len(self.google.sql.runs), len(self.azure.postgres.backups)), (1, 1))
        self.google.sql.looks = self.azure.postgres.looks = 1
        time.sleep(1.1)
        status, record = self.rig.record("backup", "backup", "--region", "gcp")
        self.assertEqual((status, record["resumed"], len(self.google.sql.runs)), (0, False, 2))
        self.check()

    def test_a_restore_that_was_killed_makes_no_second_one(self):
        self.google.sql.looks = 1000
        process = self.rig.start("restore", "--region", "gcp", "--at", "latest", "--yes")
        try:
            wait_until(lambda: len(self.google.sql.instances) == 3, 60, "a clone")
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
        for instance in self.google.sql.instances.values():
            instance["left"] = 0
        time.sleep(1.1)  # "latest" is another moment now
        status, record = self.rig.record("restore", "restore", "--region", "gcp", "--at", "latest", "--yes")
        self.assertEqual((status, record["found"], len(self.google.sql.instances)), (0, True, 3))
        self.check()

    def test_what_passes_is_tried_again(self):
        self.google.fail("sql-get", 429, 500, "cut")
        self.azure.fail("postgres-get", 429, 500, "cut")
        self.google.fail("sql-post", 500, "cut")
        self.azure.fail("postgres-put", 503, "cut")
        status, text = self.rig.run("backup")
        self.assertEqual(status, 0, text)
        self.assertEqual((len(self.google.sql.runs), len(self.azure.postgres.backups)), (1, 1))
        self.check()

    def test_what_does_not_pass_is_said(self):
        for faults, want, message in (((403,), 77, "fault 403"), (("malformed",), 1, "something else")):
            self.google.fail("sql-get", *faults)
            self.azure.fail("postgres-get", *faults)
            status, regions = self.backups()
            self.assertEqual(status, want)
            for region in regions.values():
                self.assertIn(message, region["problem"])
        self.google.fail("sql-get", *["slow"] * 4)
        status, regions = self.backups("--timeout", "2", "--region", "gcp")
        self.assertEqual(status, 1)
        self.assertTrue(regions["gcp"]["problem"])
        self.google.faults.clear()
        self.google.sql.add("demo-gcp-ffffff")
        status, regions = self.backups("--region", "gcp")
        self.assertEqual(status, 65)
        self.assertIn("demo-gcp-0a1b2c and demo-gcp-ffffff both look like the region's own", regions["gcp"]["problem"])
        del self.google.sql.instances["demo-gcp-ffffff"]
        self.google.sql.bad = "FAILED"
        self.azure.postgres.fails = "no room for it"
        status, text = self.rig.run("backup")
        self.assertEqual(status, 1, text)
        self.assertIn("FAILED", text)
        self.assertIn("no room for it", text)
        self.check()

    def test_what_is_still_under_way_is_not_lost(self):
        self.google.sql.looks = 1000
        status, text = self.rig.run("backup", "--region", "gcp", "--timeout", "4")
        self.assertEqual(status, 1, text)
        self.assertIn("still under way", text)
        self.google.sql.runs[0]["left"] = 0
        status, record = self.rig.record("backup", "backup", "--region", "gcp")
        self.assertEqual((status, record["resumed"], len(self.google.sql.runs)), (0, True, 1))


if __name__ == "__main__":
    main()
