"""One file with regions in a cloud and on own hosts: one run, one journal, one stream of records, failing independently.

The cloud is fake_terraform.py's; the own host is this machine."""

import glob
import json
import os
import random
import signal
import time
import unittest

import harness
from hosts_rig import BARE, ROOT, Deployment, children
from test_deploy_run import Rig, deployment

SERVED = {"instances": 1, "without": ["pgbackrest", "monitoring", "alertmanager", "prometheus"]}
HAVE = ROOT and os.path.isdir(harness.PG_BIN) and os.path.exists("/usr/sbin/haproxy")


class Mixed(Deployment):
    """A deployment of hosts_rig with the fake's clouds in it: what is left behind on this machine is asked of the first."""

    def __init__(self, case, own, clouds=("us-east", "eu-west"), **sections):
        self.rig = Rig(case)
        self.clouds = deployment(clouds, instances=1)["regions"]
        super().__init__(case, own, **sections)

    def write(self, **changes):
        self.sections = {**self.sections, **changes}
        own = {name: {"provider": "self-hosted", "location": "here", "hosts": ["local"], **region} for name, region in self.regions.items()}
        clouds = list(self.clouds.items())
        self.rig.write({"metadata": {"name": self.name, "environment": "test"},
                        "regions": {**dict(clouds[:1]), **own, **dict(clouds[1:])}, **self.sections})
        return self.rig.file

    def command(self, *words):
        return super().command(*words, *(("--tf-bin", self.rig.binary) if words[0] != "validate" else ()))

    def run(self, *words, status=0, env=None):
        return super().run(*words, status=status, env={**self.rig.env, **(env or {})})


def marks(text):
    return [line[4:] for line in text.splitlines() if line.startswith("[")]


@unittest.skipUnless(ROOT, "deploying to this machine takes root")
class MixedFile(harness.Case):
    def found(self, one, verb):
        record = next(record for record in one.records(verb, one.file, status=None) if record["type"] == verb)
        return {region["name"]: region for region in record["regions"]}

    @unittest.skipUnless(HAVE, "no haproxy or PostgreSQL 15")
    def test_deploy_status_health_destroy(self):
        one = Mixed(self, {"home": SERVED})
        self.assertEqual(one.run("plan", one.file, status=2).stdout.count("to create"), 3)
        said = one.deploy("--skip-smoke-tests")
        steps = marks(said.stdout)
        self.assertEqual(steps[:4], ["Validating configuration", "Checking cloud credentials (AWS)", "Generating Terraform modules",
                                     "Reaching hosts (local)"])
        self.assertIn("Deploying to AWS (us-east)", steps)
        self.assertIn("Deploying to Own hosts (home)", steps)
        self.assertLess(steps.index("Deploying to AWS (us-east)"), steps.index("Deploying to Own hosts (home)"), "in the file's order")
        self.assertEqual(len(one.rig.things()), 6)
        self.assertFalse(glob.glob(one.rig.folder.path + "/.fraiseql/*/render/regions/home"), "terraform knows nothing of it")
        self.assertIn("Nothing to do", one.deploy().stdout)
        one.run("plan", one.file, status=0)

        status = self.found(one, "status")
        self.assertEqual({name: (region["provider"], region["state"]) for name, region in status.items()},
                         {"us-east": ("aws", "standing"), "home": ("self-hosted", "standing"), "eu-west": ("aws", "standing")})
        parts = {part["name"]: part["state"] for part in status["home"]["components"]}
        self.assertEqual((parts["postgresql"], parts["service"]), ("primary", "standing"))
        health = self.found(one, "health")
        self.assertEqual((health["home"]["ok"], health["us-east"]["ok"]), (True, False), "the fake's regions answer nobody")
        one.run("status", one.file, "--region", "home", env={"PATH": "/nowhere"})

        one.run("destroy", one.file, "--yes", "--confirm", one.name, "--region", "us-east", "--delete-data")
        self.assertEqual(len(one.rig.things()), 3)
        self.assertEqual(self.found(one, "status")["home"]["state"], "standing")
        kept = one.destroy().stdout
        self.assertIn("Databases stay", kept)
        self.assertIn("Databases' data stays on its hosts", kept)
        self.assertTrue(os.path.exists(one.base("home") + "/data/postgresql/PG_VERSION"))
        one.destroy("--delete-data")
        self.assertEqual(one.rig.things(), [])
        self.assertEqual(one.left_behind(), [])

    def test_records_are_one_stream(self):
        one = Mixed(self, {"home": BARE})
        records = one.records(one.file, "--yes", "--skip-smoke-tests")
        self.assertEqual((records[0]["type"], records[-1]["type"], records[-1]["ok"]), ("version", "result", True))
        plans = {record["region"] for record in records if record["type"] == "plan"}
        running = {record["region"] for record in records if record["type"] == "progress" and record["step"] == "apply"}
        self.assertEqual((plans, running), ({"us-east", "home", "eu-west"}, {"us-east", "home", "eu-west"}))
        with open(f"{one.rig.folder.path}/.fraiseql/{one.name}/journal.jsonl", encoding="utf-8") as lines:
            ended = {line["root"] for line in map(json.loads, lines) if line["event"] == "end" and line["outcome"] == "ok"}
        self.assertEqual(ended, {"us-east", "home", "eu-west"})

    def test_neither_kind_stops_the_other(self):
        one = Mixed(self, {"home": BARE, "away": {**BARE, "hosts": ["ssh://127.0.0.1:1"], "address": "127.9.9.9"}})
        one.rig.behave(**{"eu-west": "fail"})
        said = one.deploy("--skip-smoke-tests", status=1)
        self.assertIn("region away: ", said.stderr)
        self.assertIn("AWS (us-east): stands", said.stdout)
        self.assertIn("AWS (eu-west): does not stand as described", said.stdout)
        self.assertIn("Own hosts (home): stands", said.stdout)
        self.assertIn("Own hosts (away): was left as it was: it could not be planned", said.stdout)
        status = self.found(one, "status")
        self.assertEqual({name: region["state"] for name, region in status.items()},
                         {"us-east": "standing", "home": "standing", "away": "unknown", "eu-west": "incomplete"})
        del one.regions["away"]
        one.clouds["eu-west"]["place"] = 4  # as it was deployed
        one.file = one.write()
        one.rig.behave()
        one.deploy("--skip-smoke-tests")
        one.run("plan", one.file, status=0)

    def test_killed_in_the_middle(self):
        """The deployer alone, then all that it started; each time the same command goes on."""
        for both in (False, True):
            one = Mixed(self, {"home": BARE})
            for number in range(4):
                one.rig.behave(delay=0.05)
                process = one.rig.start("--yes", "--skip-smoke-tests")
                wanted = one.begun() + 1
                harness.wait_until(lambda: process.poll() is not None or one.begun() >= wanted or (number % 2 and one.rig.things()),
                                   30, "something to be begun", 0.005)
                time.sleep(random.uniform(0, 0.15))
                below = children(process.pid) if both else []
                process.kill()
                for pid in below:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                process.communicate()
            one.rig.behave()
            one.deploy("--skip-smoke-tests")
            self.assertEqual(len(one.rig.things()), 6)
            one.run("plan", one.file, status=0)
            self.assertEqual({region["state"] for region in self.found(one, "status").values()}, {"standing"})
            one.destroy("--delete-data")
            self.assertEqual((one.rig.things(), one.left_behind()), ([], []))

    def test_ctrl_c(self):
        one = Mixed(self, {"home": BARE})
        one.rig.behave(delay=0.3)
        process = one.rig.start("--yes", "--skip-smoke-tests")
        harness.wait_until(one.rig.things, 20, "the first resource")
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
        self.assertIn("Once more stops terraform", text)
        self.assertEqual({line["id"] for line in one.ledger("home") if line["event"] == "begin"},
                         {line["id"] for line in one.ledger("home") if line["event"] == "done"}, "no step is left half done")
        one.rig.behave()
        one.deploy("--skip-smoke-tests")
        one.run("plan", one.file, status=0)

    def test_a_saved_plan_is_done_exactly_or_refused(self):
        one = Mixed(self, {"home": BARE})
        saved = one.folder.path + "/saved"
        one.run("plan", one.file, "--out", saved, status=2)
        self.assertEqual(sorted(os.listdir(saved)), ["eu-west.tfplan", "home.steps", "manifest.json", "us-east.tfplan"])
        self.assertEqual(os.stat(saved + "/home.steps").st_mode & 0o777, 0o600)
        one.run(one.file, "--yes", "--region", "home", "--plan", saved, status=65)
        one.deploy("--plan", saved, "--skip-smoke-tests")
        one.run("plan", one.file, status=0)
        self.assertIn("is not to do any more", one.deploy("--plan", saved, status=65).stderr)

    def test_what_cannot_go_together_is_refused(self):
        one = Mixed(self, {"home": SERVED}, replication={"mode": "streaming"})
        said = one.run("validate", one.file, status=65).stderr
        self.assertIn("replication between home, which is on own hosts, and us-east (AWS) is not part of this version", said)
        self.assertRegex(said, r"f\.yaml:\d+")
        self.assertIn("is not part of this version", one.deploy(status=65).stderr)
        one.file = one.write(replication={"mode": "none"}, traffic={"domain": "api.example.com", "dns": "route53"})
        said = one.run("validate", one.file).stderr
        self.assertIn("home is on own hosts, and no record of api.example.com leads there", said)


if __name__ == "__main__":
    harness.main()
