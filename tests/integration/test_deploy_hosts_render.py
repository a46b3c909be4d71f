"""`render` for own hosts: the folder alone brings a region up, says how it stands and takes it back, and either it or `deploy`
goes on where the other ended. And the secrets that both want: without them nothing is done."""

import glob
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import harness
from hosts_rig import BARE, ROOT, Deployment, children
from test_deploy_run import Rig, deployment

SERVED = {"hosts": ["local"], "instances": 1, "without": ["monitoring", "alertmanager", "prometheus"]}
STAGES = "host primary standby service traffic monitoring".split()
HAVE = ROOT and os.path.isdir(harness.PG_BIN) and all(os.path.exists("/usr/sbin/" + name) for name in ("haproxy", "nologin"))


class Folder:
    def __init__(self, one, name="out"):
        self.path = f"{one.folder.path}/{name}"
        self.one = one
        one.run("render", one.file, "--out", self.path)

    def script(self, region, *words, status=0):
        done = subprocess.run(["sh", f"{self.path}/hosts/{region}/region.sh", *words], capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL)
        if status is not None and done.returncode != status:
            raise AssertionError(f"{region} {words}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def apply(self):
        """As its README says; what was done."""
        return "".join(self.script(region, "apply", stage).stdout for stage in STAGES for region in self.one.regions)

    def words(self, region):
        return {line.split()[0] for line in self.script(region, "list").stdout.replace("to do", "to-do").splitlines()}

    def texts(self):
        for path in glob.glob(self.path + "/**", recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    yield os.path.relpath(path, self.path), file.read()


@unittest.skipUnless(HAVE, "no root, haproxy or PostgreSQL 15")
class ByHand(harness.Case):
    def test_two_regions_without_us(self):
        one = Deployment(self, {"us": SERVED, "eu": SERVED}, replication={"mode": "streaming"})
        folder = Folder(one)
        before = dict(folder.texts())
        self.no_secret_outside(one, before)
        self.assertIn(" 0 files written", one.run("render", one.file, "--out", folder.path).stdout)
        self.assertEqual(dict(folder.texts()), before, "the same file gives the same bytes")
        with open(folder.path + "/README.md", encoding="utf-8") as readme:
            self.assertIn(f"for stage in {' '.join(STAGES)}; do\n  for region in us eu; do", readme.read())

        os.rename(folder.path + "/secrets/us", folder.path + "/hidden")
        self.assertIn("bring it along", folder.script("us", "apply", status=1).stderr)
        os.rename(folder.path + "/hidden", folder.path + "/secrets/us")
        self.assertEqual(folder.words("us"), {"to-do"})
        self.assertIn("postgresql/cluster: make the PostgreSQL cluster\n    copying us", folder.apply())
        self.assertEqual((folder.words("us"), folder.words("eu"), folder.apply()), ({"stands"}, {"stands"}, ""))
        one.run("plan", one.file, status=0)
        self.assertIn("Nothing to do", one.deploy().stdout)
        one.run("health", one.file)
        self.status_is_structured(one)

        path = one.base("eu") + "/config/postgresql/pg_hba.conf"
        with open(path, "a", encoding="ascii") as file:
            file.write("# a hand was here\n")
        self.assertIn("postgresql/config: ", folder.apply())
        one.run("plan", one.file, status=0)

        self.assertIn("would have it follow another", self.with_roles_changed(one, folder).stderr)
        one.run("health", one.file)
        for region in one.regions:
            self.assertIn("data stays", folder.script(region, "undo").stdout)
            self.assertTrue(os.path.exists(one.base(region) + "/data/postgresql/PG_VERSION"))
            folder.script(region, "undo", "--delete-data")
        self.assertEqual(one.left_behind(), [])
        self.assertIn("nothing of this region stands", folder.script("us", "undo").stdout)

    def status_is_structured(self, one):
        harness.wait_until(lambda: self.component(one, "us", "postgresql")["replication"]["standbys"], what="the standby to stream")
        primary, standby = (self.component(one, region, "postgresql") for region in ("us", "eu"))
        self.assertEqual((primary["state"], primary["replication"]["role"], primary["replication"]["timeline"],
                          primary["replication"]["follows"]), ("primary", "primary", 1, None))
        seen = primary["replication"]["standbys"][0]
        self.assertEqual((seen["name"], seen["state"]), ("eu", "streaming"))
        self.assertGreaterEqual(seen["lag_bytes"], 0)
        self.assertEqual((standby["replication"]["role"], standby["replication"]["follows"], standby["replication"]["standbys"]),
                         ("standby", "us", []))
        self.assertGreaterEqual(standby["replication"]["lag_bytes"], 0)
        self.assertIsInstance(standby["replication"]["lag_s"], (int, float))
        self.assertEqual(standby["steps"], standby["steps_standing"])
        service = self.component(one, "us", "service")
        self.assertEqual([(process["name"], process["state"], process["restarts"]) for process in service["processes"]],
                         [("service-1", "running", 0)])
        self.assertEqual(service["processes"][0]["pid"], one.processes("us")["service-1"]["pid"])
        self.assertLessEqual({"name", "state", "detail"}, service.keys())

    def component(self, one, region, name):
        status = next(record for record in one.records("status", one.file) if record["type"] == "status")
        return next(part for place in status["regions"] if place["name"] == region for part in place["components"] if part["name"] == name)

    def no_secret_outside(self, one, texts):
        secrets = []
        for path in glob.glob(f"{one.folder.path}/.fraiseql/{one.name}/secrets/*"):
            with open(path, "rb") as file:
                text = file.read()
            secrets.append(text.split(b"PRIVATE KEY-----")[1].split(b"\n")[2] if b"PRIVATE KEY" in text else text.strip())
        self.assertGreater(len(secrets), 6)
        inside = 0
        for name, text in texts.items():
            found = [secret for secret in secrets if secret in text]
            inside += len(found)
            self.assertTrue(not found or name.startswith("secrets/"), name)
            if name.startswith("secrets/") and name != "secrets/.gitignore":
                self.assertEqual(os.stat(f"{one.folder.path}/out/{name}").st_mode & 0o777, 0o600)
        self.assertGreater(inside, 6)

    def with_roles_changed(self, one, folder):
        """What the script for the standby says once it is the one that writes."""
        one.run("switchover", one.file, "--to", "eu", "--yes")
        before = one.ledger("eu")
        said = folder.script("eu", "apply", status=1)
        self.assertIn("would have it write", folder.script("us", "apply", status=1).stderr)
        self.assertEqual(one.ledger("eu"), before)
        one.run("switchover", one.file, "--to", "us", "--yes")
        return said

    def test_secrets_that_are_not_here(self):
        """From another machine, or after they were lost: one error, and nothing is made in their place."""
        one = Deployment(self, {"us": {**SERVED, "without": [*SERVED["without"], "haproxy", "service"]}})
        one.deploy()
        work = f"{one.folder.path}/.fraiseql/{one.name}"
        before = one.ledger("us")
        for name in ("backup-passphrase", "authority"):
            os.rename(f"{work}/secrets/{name}", one.folder.path + "/kept")
            for verb, status in (((), 65), (("plan",), 65), (("status",), 1)):
                said = one.run(*verb, one.file, *(() if verb else ("--yes",)), status=status).stderr
                self.assertIn(f"there is no {work}/secrets/{name}", said)
                self.assertIn(f"Copy {work}, with its modes, from the machine that deployed it", said)
            self.assertFalse(os.path.exists(f"{work}/secrets/{name}"))
            os.rename(one.folder.path + "/kept", f"{work}/secrets/{name}")
        os.rename(work + "/secrets", work + "/kept")
        self.assertIn("the secrets that it was made with are not here", one.deploy(status=65).stderr)
        self.assertEqual(os.listdir(work + "/secrets"), [])
        os.rmdir(work + "/secrets")
        os.rename(work, one.folder.path + "/elsewhere")
        self.assertIn("Deploy from the folder that has its .fraiseql/" + one.name, one.deploy(status=65).stderr)
        shutil.rmtree(work)
        os.rename(one.folder.path + "/elsewhere", work)
        os.rename(work + "/kept", work + "/secrets")
        self.assertEqual(one.ledger("us"), before, "nothing was done")
        one.run("plan", one.file, status=0)
        one.destroy("--delete-data")


@unittest.skipUnless(ROOT, "deploying to this machine takes root")
class Scripts(harness.Case):
    def test_killed_and_refused(self):
        one = Deployment(self, {"us": {"hosts": ["local"], **BARE}})
        folder = Folder(one)
        rounds = 0
        while True:
            wanted = one.begun() + rounds + 1
            script = subprocess.Popen(["sh", f"{folder.path}/hosts/us/region.sh", "apply"], stdout=subprocess.DEVNULL)
            while script.poll() is None and one.begun() < wanted:
                time.sleep(0.001)
            if script.poll() is not None:
                break
            for pid in [script.pid, *children(script.pid)]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            script.wait()
            rounds += 1
            self.assertLess(rounds, 40)
        self.assertGreater(rounds, 0)
        folder.script("us", "apply")
        one.run("plan", one.file, status=0)

        for words in ((), ("sideways",), ("apply", "lunch"), ("undo", "--all")):
            self.assertIn("want list, apply", folder.script("us", *words, status=1).stderr)
        folder.script("us", "undo", "--delete-data")
        self.assertEqual(one.left_behind(), [])

        path = f"/etc/logrotate.d/fraiseql-{one.name}-us"
        with open(path, "w", encoding="ascii") as file:
            file.write("# a stranger's\n")
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        self.assertIn(f"{path} is there and is not ours", folder.script("us", "apply", status=1).stderr)
        os.unlink(path)
        lock = f"/run/fraiseql-{one.name}-us.lock"
        self.assertEqual(one.left_behind(), [lock], "what is refused leaves nothing but its lock")
        os.unlink(lock)

    def test_another_deployment_and_a_mixed_file(self):
        one = Deployment(self, {"us": {"hosts": ["local"], **BARE}})
        folder = Folder(one)
        folder.script("us", "apply", "host")
        with open(folder.path + "/hosts/us/region.conf", "a", encoding="ascii") as conf:
            conf.write("deployment_id=0199aaaa-0000-7000-8000-000000000000\n")
        for words in (("apply",), ("undo",)):
            self.assertIn("is another deployment's", folder.script("us", *words, status=1).stderr)
        one.destroy()
        self.assertEqual(one.left_behind(), [])

        rig = Rig(self)
        out = rig.folder.path + "/out"
        rig.write({"metadata": {"name": one.name}, "regions": {
            **deployment(("us-east",))["regions"], "home": {"provider": "self-hosted", "location": "x", "hosts": ["local"], **BARE}}})
        one.run("render", rig.file, "--out", out, "--dry-run", status=64)
        one.run("render", rig.file, "--out", out)
        self.assertEqual(sorted(os.listdir(out)), ["HOSTS.md", "README.md", "deployment-id", "hosts", "modules", "regions", "secrets"])
        self.assertEqual((os.listdir(out + "/regions"), os.listdir(out + "/hosts")), (["us-east"], ["home"]))
        with open(f"{rig.folder.path}/.fraiseql/{one.name}/id", "rb") as ours, open(out + "/deployment-id", "rb") as its:
            self.assertEqual(ours.read(), its.read())
        self.assertIn("as scripts", one.run("render", rig.file, "--out", out, "--format", "pulumi", status=64).stderr)
        rig.write({"metadata": {"name": one.name}, "regions": {
            "house": {"provider": "self-hosted", "location": "x", "hosts": ["local"], **BARE}}})
        rendered = [json.loads(line) for line in one.run("render", rig.file, "--out", out, "--json").stdout.splitlines()]
        self.assertEqual(next(record["stale"] for record in rendered if record["type"] == "render"), ["hosts/home"])


if __name__ == "__main__":
    harness.main()
