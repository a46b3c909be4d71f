"""`fraiseql deploy` as a program: what it does, and what it does when something ends it.

With fake_terraform.py, whose cloud hangs, fails and is killed on demand; test_deploy_terraform.py has the real one."""

import glob
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import time

from harness import BUILD, LAUNCHER, LONG, Case, Folder, Peer, main, wait_until

PROGRAM = os.path.join(BUILD, "bin", "fraiseql")
FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_terraform.py")
REGIONS = {"us-east": "us-east-1", "eu-west": "eu-west-1", "apac": "ap-southeast-1"}


def deployment(regions=("us-east", "eu-west", "apac"), instances=3, size="t3.large", **more):
    return {"version": 1, "metadata": {"name": "demo", "environment": "staging"},
            "regions": {name: {"provider": "aws", "location": REGIONS[name], "instance_type": size,
                               "instances": instances,
                               "database": {"engine": "postgresql", "type": "rds", "size": "db.t3.large"}}
                        for name in regions}, **more}


# What AWS says to somebody who asks who he is.
IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/test</Arn><UserId>AIDATEST</UserId><Account>123456789012</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""


def interrupted_twice(process):
    """What it says until its end; the first Ctrl-C does not end it."""
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=100)
    return text


class Rig:
    """One deployment file with the fake."""

    def __init__(self, case, config=None, cloud=None):
        self.folder = case.open(Folder())
        self.cloud = cloud or self.folder.path + "/cloud"
        os.makedirs(self.cloud, exist_ok=True)
        sts = case.open(Peer(lambda handler: (200, {"Content-Type": "text/xml"}, IDENTITY)))
        self.env = {**os.environ, "FAKE_CLOUD": self.cloud, "XDG_CACHE_HOME": self.folder.path + "/cache",
                    "FAKE_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                    "AWS_SECRET_ACCESS_KEY": "very-secret-indeed", "AWS_ENDPOINT_URL": sts.url("")}
        self.binary = FAKE
        self.write(config or deployment())

    def write(self, config):
        self.file = self.folder.file("f.yaml", json.dumps(config))

    def behave(self, **what):
        with open(self.cloud + "/behaviour.json", "w", encoding="utf-8") as file:
            json.dump(what, file)

    def arguments(self, *more, verb=()):
        return [*LAUNCHER, PROGRAM, "deploy", *verb, self.file, "--tf-bin", self.binary, *more]

    def start(self, *more, verb=()):
        return subprocess.Popen(self.arguments(*more, verb=verb), env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)

    def run(self, *more, verb=(), timeout=1000):
        process = self.start(*more, verb=verb)
        text, _ = process.communicate(timeout=timeout)
        return process.returncode, text

    def deploy(self, *more):
        return self.run("--yes", "--skip-smoke-tests", "--skip-replication-wait", *more)

    def things(self):
        return sorted(os.path.relpath(path, self.cloud + "/things")
                      for path in glob.glob(self.cloud + "/things/*/*"))

    def calls(self, word):
        with open(self.cloud + "/calls", encoding="utf-8") as calls:
            return sum(line.split()[1] == word for line in calls)

    def children(self):
        """Pids of what works in the folders of this rig."""
        found = []
        for path in glob.glob("/proc/[0-9]*"):
            try:
                with open(path + "/cmdline", "rb") as file:
                    line = file.read()
                # A provider says nothing in its arguments; terraform starts it in the root's folder.
                inside = os.readlink(path + "/cwd").startswith(self.folder.path + "/")
            except OSError:
                continue
            if inside or b"-chdir=" + self.folder.path.encode() in line:
                found.append(int(path.split("/")[2]))
        return found


class WithFake(Case):
    def check_converged(self, rig, count=15):
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertEqual(len(rig.things()), count)
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("Nothing to do", text)

    def test_deploy_then_nothing_then_a_change(self):
        rig = Rig(self)
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        marks = re.findall(r"^\[.\] (.*)$", text, re.M)
        self.assertEqual(marks, [
            "Validating configuration", "Checking cloud credentials (AWS)", "Generating Terraform modules",
            "Planning infrastructure (9 compute, 3 databases)", "Deploying to AWS (us-east)",
            "Deploying to AWS (eu-west)", "Deploying to AWS (apac)", "Setting up cross-cloud networking: skipped",
            "Configuring replication (none): skipped", "Running smoke tests (all regions): skipped",
            "Updating DNS (latency routing): skipped"])
        self.assertIn("Deployment complete!\nTotal time: ", text)
        self.assertEqual(len(rig.things()), 15)
        applies = rig.calls("apply")
        self.check_converged(rig)
        self.assertEqual(rig.calls("apply"), applies, "nothing changed means nothing done")
        rig.write(deployment(size="t3.xlarge"))
        status, text = rig.run(verb=("plan",))
        self.assertEqual(status, 2, text)
        self.assertIn("0 to create, 3 to change, 0 to replace, 0 to destroy", text)
        self.check_converged(rig)
        for path in glob.glob(rig.folder.path + "/.fraiseql/demo/logs/*"):
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, path)

    def test_a_plan_names_what_changes(self):
        rig = Rig(self, deployment(regions=("us-east",)))
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("Planning infrastructure (3 compute, 1 database)", text)
        rig.write(deployment(regions=("us-east",), instances=2, size="t3.xlarge"))
        status, text = rig.run(verb=("plan",))
        self.assertEqual(status, 2, text)
        named = ("    AWS (us-east): 0 to create, 2 to change, 0 to replace, 1 to destroy\n"
                 "      destroy   aws_thing.t[2]\n"
                 "      update    aws_thing.t[0]: instance_type\n"
                 "      update    aws_thing.t[1]: instance_type\n")
        self.assertIn(named, text)
        self.assertNotIn("t3.", text)
        status, text = rig.run("--json", verb=("plan",))
        plan, = [r for r in map(json.loads, text.splitlines()) if r["type"] == "plan"]
        self.assertEqual((plan["create"], plan["change"], plan["destroy"]), (0, 2, 1))
        self.assertEqual(sorted((c["action"], c["address"], c["database"], c["import"], c["attributes"]) for c in plan["changes"]),
                         [("delete", "module.region.aws_thing.t[2]", False, False, []),
                          ("update", "module.region.aws_thing.t[0]", False, False, ["instance_type"]),
                          ("update", "module.region.aws_thing.t[1]", False, False, ["instance_type"])])
        self.assertNotIn("t3.", text)
        saved = rig.folder.path + "/saved"
        self.assertEqual(rig.run("--out", saved, verb=("plan",))[0], 2)
        status, text = rig.deploy("--plan", saved, "--dry-run")
        self.assertEqual(status, 2, text)
        self.assertIn(named, text)
        rig.behave(**{"us-east": "no show"})
        status, text = rig.run(verb=("plan",))
        self.assertEqual(status, 2, text)
        self.assertIn("      update    aws_thing.t[1]\n      what changes in them is not known: fake_terraform.py show failed: "
                      "Failed to load plugin schemas\n", text)

    def test_a_plan_of_many_changes_is_cut_and_json_has_all(self):
        rig = Rig(self, deployment(regions=("us-east",), instances=30))
        self.assertEqual(rig.deploy()[0], 0)
        rig.write(deployment(regions=("us-east",), instances=30, size="t3.xlarge"))
        text = rig.run(verb=("plan",))[1]
        self.assertEqual(text.count("      update    "), 20)
        self.assertIn("      and 10 more; --json names all\n", text)
        plan, = [r for r in map(json.loads, rig.run("--json", verb=("plan",))[1].splitlines()) if r["type"] == "plan"]
        self.assertEqual(sum(c["attributes"] == ["instance_type"] for c in plan["changes"]), 30)
        text = self.in_terminal(rig, columns=40, answer=b"no\n")[1]
        lines = [line for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).split("\r\n") if line.startswith("      ")]
        self.assertEqual((len(lines), lines[0]), (21, "      update    aws_thing.t[0]"))
        self.assertLess(max(map(len, lines)), 40)
        # Nothing is destroyed without being named.
        text = rig.run("--dry-run", "--delete-data", verb=("destroy",))[1]
        self.assertEqual(text.count("      destroy   "), 32)
        self.assertIn("      DATABASE DESTROYED: aws_db_instance.this: its data is lost with it\n", text)
        self.assertNotIn(" more;", text)

    def test_a_region_that_the_file_no_longer_has(self):
        """Named until it is destroyed, which takes the file as it was; the others stay where they are."""
        rig = Rig(self)
        self.assertEqual(rig.deploy()[0], 0)
        before = rig.things()
        config = deployment(regions=("us-east", "apac"))
        rig.write(config)
        code, text = rig.deploy()
        self.assertEqual(code, 65, text)
        self.assertIn("regions.apac: was deployed at place 3, and has place 2 now", text)
        self.assertIn("Write `place: 3` in it.", text)
        self.assertEqual(rig.things(), before)
        config["regions"]["apac"]["place"] = 3
        rig.write(config)
        for verb in ("plan",), ():
            code, text = rig.run("--yes", "--skip-smoke-tests", verb=verb) if not verb else rig.run(verb=verb)
            self.assertEqual(code, 0, text)
            self.assertIn("warning: region eu-west was deployed and is no longer in the file", text)
            self.assertIn("--region eu-west` removes it", text)
        self.assertEqual(rig.things(), before)
        code, text = rig.run(verb=("status",))
        self.assertIn("AWS (eu-west): standing\n", text)
        code, text = rig.run("--json", verb=("status",))
        status = next(record for record in map(json.loads, text.splitlines()) if record["type"] == "status")
        self.assertEqual([(region["name"], region["state"]) for region in status["regions"]],
                         [("us-east", "standing"), ("apac", "standing"), ("eu-west", "standing")])

        code, text = rig.run("--region", "nowhere", "--yes", "--confirm", "demo", verb=("destroy",))
        self.assertEqual(code, 64, text)
        code, text = rig.run("--region", "eu-west", "--yes", "--confirm", "demo", verb=("destroy",))
        self.assertEqual(code, 0, text)
        kept = rig.things()
        self.assertEqual([thing for thing in kept if not thing.startswith("demo-eu-west/")],
                         [thing for thing in before if not thing.startswith("demo-eu-west/")])
        self.assertLess(len(kept), len(before))
        self.assertIn("eu-west was deployed", rig.run(verb=("plan",))[1])  # its database is kept
        code, text = rig.run("--region", "eu-west", "--delete-data", "--yes", "--confirm", "demo", verb=("destroy",))
        self.assertEqual(code, 0, text)
        self.assertEqual([thing for thing in rig.things() if thing.startswith("demo-eu-west/")], [])
        self.assertNotIn("eu-west", rig.run(verb=("plan",))[1])
        self.assertNotIn("eu-west", rig.run(verb=("status",))[1])

        rig.write(deployment(regions=("us-east",)))
        code, text = rig.run("--delete-data", "--yes", "--confirm", "demo", verb=("destroy",))
        self.assertEqual(code, 0, text)
        self.assertIn("Region apac, which", text)
        self.assertEqual(rig.things(), [])

    def test_what_lies_between_regions(self):
        config = deployment(regions=("us-east", "eu-west"), traffic={"domain": "api.example.com", "dns": "route53",
                                                                     "routing": "geographic"})
        config["replication"] = {"mode": "active-active", "conflict-resolution": "error"}
        rig = Rig(self, config)
        peer = self.open(Peer(lambda handler: (503, {}, b"not yet")))
        rig.env["FAKE_URL"] = peer.url("")
        status, text = rig.run("--yes", "--smoke-timeout", "0")
        self.assertEqual(status, 1, text)
        self.assertIn("[✓] Setting up cross-cloud networking", text)
        self.assertIn("[!] Configuring replication (active-active)", text)
        self.assertRegex(text, r"us-east: psql .*replication\.sql")
        self.assertIn("[!] Updating DNS (geographic routing): skipped", text)
        self.assertFalse([thing for thing in rig.things() if "route53" in thing], "no traffic to a region that fails")
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("[✓] Updating DNS (geographic routing)", text)
        self.assertIn("Deployed, but for replication: ", text)
        self.assertNotIn("Deployment complete", text)
        self.assertEqual(len([thing for thing in rig.things() if "route53" in thing]), 1)
        self.assertIn("Nothing to do", rig.deploy()[1])
        status, text = rig.run("--yes", "--confirm", "demo", "--delete-data", verb=("destroy",))
        self.assertEqual((status, rig.things()), (0, []), text)

    def test_more_lies_between_regions_than_there_are_arguments(self):
        config = deployment(regions=())
        config["regions"] = {f"r{i}": {"provider": "aws", "location": "us-east-1", "size": "small", "instances": 1} for i in range(24)}
        config["replication"] = {"mode": "active-active", "conflict-resolution": "error"}
        rig = Rig(self, config)
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("[✓] Setting up cross-cloud networking\n[", text)
        self.assertEqual(len([thing for thing in rig.things() if "ingress_rule" in thing]), 24 * 23)

    def test_json_lines(self):
        rig = Rig(self)
        status, text = rig.deploy("--json")
        self.assertEqual(status, 0, text)
        records = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(records[0]["type"], "version")
        self.assertEqual(records[-1]["type"], "result")
        progress = [r for r in records if r["type"] == "progress" and r["region"] == "us-east" and r["step"] == "apply"]
        self.assertEqual([r["done"] for r in progress if r["state"] == "running"], [1, 2, 3, 4, 5])
        self.assertEqual(progress[-1]["state"], "done")
        status, text = rig.run("--json", verb=("status",))
        shown = [json.loads(line) for line in text.splitlines()][1]
        self.assertEqual([r["state"] for r in shown["regions"]], ["standing"] * 3)

    def test_without_a_terminal_a_question_is_refused(self):
        rig = Rig(self)
        status, text = rig.run()
        self.assertEqual(status, 64, text)
        self.assertIn("--yes", text)
        self.assertEqual(rig.things(), [])
        self.assertEqual(rig.run("--dry-run")[0], 2)
        self.assertEqual(rig.things(), [])

    def test_a_cloud_that_answers_500_stops_no_other(self):
        rig = Rig(self)
        rig.behave(**{"eu-west": "fail"})
        status, text = rig.deploy()
        self.assertEqual(status, 1, text)
        self.assertIn("[✗] Deploying to AWS (eu-west)", text)
        self.assertIn("StatusCode: 500", text)
        self.assertIn("AWS (us-east): stands", text)
        self.assertIn("AWS (eu-west): does not stand as described", text)
        self.assertIn("Next: fraiseql deploy ", text)
        self.assertIn("incomplete", rig.run(verb=("status",))[1])
        rig.behave()
        self.check_converged(rig)

    def test_a_cloud_that_hangs_and_ctrl_c_twice(self):
        rig = Rig(self)
        rig.behave(**{"eu-west": "hang"})
        process = rig.start("--yes", "--skip-smoke-tests")
        wait_until(lambda: len(rig.things()) >= 12 - 1, 20, "the other regions to stand")
        process.send_signal(signal.SIGINT)
        time.sleep(0.7)
        self.assertIsNone(process.poll(), "the first Ctrl-C waits for what is in flight")
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 130, text)
        self.assertIn("Once more stops terraform", text)
        self.assertNotIn("execution halted", text)
        self.assertIn("eu-west apply: stopped in the middle by the interrupt; what was made is in the state", text)
        rig.behave()
        self.check_converged(rig)

    def test_ctrl_c_once_begins_nothing_new(self):
        rig = Rig(self)
        rig.behave(delay=0.2)
        process = rig.start("--yes", "--skip-smoke-tests", "--parallelism", "1")
        wait_until(rig.things, 20, "the first resource")
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 130, text)
        self.assertEqual(len(rig.things()), 5, "the region that was in flight is whole, the others are not begun")
        self.assertIn("interrupted before it began", text)
        rig.behave()
        self.check_converged(rig)

    def test_a_plan_whose_log_is_cut_is_no_plan(self):
        rig = Rig(self)
        for behaviour in ("cut plan", "holed plan"):
            rig.behave(**{"eu-west": behaviour})
            status, text = rig.run(verb=("plan",))
            self.assertEqual(status, 1, text)
            self.assertIn("eu-west plan: what fake_terraform.py said of it is cut off", text)
            self.assertNotIn("AWS (eu-west): no changes", text)
            self.assertNotIn("AWS (eu-west): 2 to create", text)
        status, text = rig.deploy()
        self.assertEqual((status, len(rig.things())), (1, 10), text)
        self.assertIn("AWS (eu-west): was left as it was: it could not be planned", text)
        rig.behave()
        self.check_converged(rig)

    def test_ctrl_c_while_it_plans_changes_nothing(self):
        rig = Rig(self)
        for arguments in ((), ("--yes",)):
            rig.behave(**{"eu-west": "hang plan"})
            process = rig.start(*arguments, verb=() if arguments else ("plan",))
            wait_until(lambda: rig.calls("plan") >= 3, 20, "the plans to begin")
            text = interrupted_twice(process)
            self.assertEqual(process.returncode, 130, text)
            self.assertIn("Stopping: terraform has been told to end; planning changes nothing.", text)
            self.assertTrue(text.endswith("\nNothing was changed.\n"), text)
            self.assertNotIn("state", text)
            self.assertEqual(rig.things(), [])
            os.unlink(rig.cloud + "/calls")
        rig.behave()
        self.check_converged(rig)
        rig.behave(**{"eu-west": "hang plan"})
        before = rig.calls("plan")
        process = rig.start("--yes", "--confirm", "demo", "--delete-data", verb=("destroy",))
        wait_until(lambda: rig.calls("plan") >= before + 3, 20, "the plans to begin")
        text = interrupted_twice(process)
        self.assertEqual((process.returncode, len(rig.things())), (130, 15), text)
        self.assertTrue(text.endswith("\nNothing was changed.\n"), text)

    def test_ctrl_c_while_what_lies_between_regions_is_planned(self):
        rig = Rig(self, deployment(regions=("us-east", "eu-west"),
                                   traffic={"domain": "api.example.com", "dns": "route53", "routing": "geographic"}))
        rig.behave(delay=0.3)
        process = rig.start("--yes", "--skip-smoke-tests", "--skip-replication-wait")
        wait_until(rig.things, 20, "the first resource")
        rig.behave(**{"global": "hang plan"})
        before = rig.calls("plan")
        wait_until(lambda: rig.calls("plan") > before, 20, "the global part's plan")
        text = interrupted_twice(process)
        self.assertEqual(process.returncode, 130, text)
        self.assertIn("global plan: stopped in the middle by the interrupt; it changes nothing", text)
        self.assertNotIn("canceled", text)
        self.assertNotIn("Nothing was changed", text)

    def test_a_closed_session_finishes_what_is_in_flight(self):
        rig = Rig(self)
        rig.behave(delay=0.2)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe(LAUNCHER[0] if LAUNCHER else PROGRAM,
                       rig.arguments("--yes", "--skip-smoke-tests", "--parallelism", "1"), {**rig.env, "TERM": "xterm"})
        wait_until(rig.things, 20, "the first resource")
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130)
        self.assertEqual(len(rig.things()), 5, "the region that was in flight is whole, the others are not begun")
        status, text = rig.run(verb=("status",))
        self.assertEqual(sorted(re.findall(r"\): (\w+)$", text, re.M)), ["absent", "absent", "standing"], text)
        rig.behave()
        self.check_converged(rig)

    def test_hangups_are_one_first_signal_and_the_end_says_what_is_next(self):
        rig = Rig(self)
        rig.behave(**{"eu-west": "hang"})
        process = rig.start("--yes", "--skip-smoke-tests")
        wait_until(lambda: len(rig.things()) >= 12 - 1, 20, "the other regions to stand")
        for _ in range(3):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
        self.assertIsNone(process.poll(), "what is in flight is waited for")
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 130, text)
        self.assertEqual(text.count("Interrupted: "), 1)
        self.assertIn(f"Next: fraiseql deploy {rig.file} ", text)

    def test_a_hangup_that_is_ignored_ends_nothing(self):
        rig = Rig(self, deployment(regions=("us-east",)))
        rig.behave(delay=0.2)
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        process = rig.start("--yes", "--skip-smoke-tests")
        signal.signal(signal.SIGHUP, before)
        wait_until(rig.things, 20, "the first resource")
        process.send_signal(signal.SIGHUP)
        text, _ = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 0, text)

    def kill_loop(self, both):
        rounds = 10 if LONG else 2
        for number in range(rounds):
            rig = Rig(self)
            rig.behave(delay=0.05)
            process = rig.start("--yes", "--skip-smoke-tests")
            if number % 2 == 0:  # while resources are being made
                wait_until(rig.things, 20, "the first resource", 0.01)
                time.sleep(random.uniform(0, 0.2))
            else:  # anywhere
                time.sleep(random.uniform(0.05, 1.2))
            process.kill()
            for pid in rig.children() if both else ():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            process.communicate()
            rig.behave()
            self.check_converged(rig)

    def test_waiting_for_the_terraform_of_a_run_that_was_killed(self):
        rig = Rig(self)
        rig.behave(**{"eu-west": "hang"})
        process = rig.start("--yes", "--skip-smoke-tests")
        wait_until(lambda: len(rig.things()) >= 12 - 1, 20, "the other regions to stand")
        process.kill()
        process.communicate()
        wait_until(lambda: len(rig.children()) == 1, 20, "the other regions' terraform to end")
        orphan, = rig.children()
        waiting = rf"eu-west: waiting for the fake_terraform\.py of an earlier run, .*\(process {orphan}, since 2\d+-\S+Z\)\n"
        self.assertRegex(self.interrupted_while_it_waits(rig), waiting)
        self.assertEqual(rig.children(), [orphan])
        self.assertTrue(self.interrupted_while_it_waits(rig).endswith(
            f"Nothing was changed.\nThe fake_terraform.py of an earlier run goes on with eu-west (process {orphan}).\n"))
        records = [json.loads(line) for line in self.interrupted_while_it_waits(rig, "--json").splitlines()
                   if line.startswith("{")]
        waits, = [r for r in records if r.get("state") == "waiting"]
        self.assertEqual((waits["type"], waits["region"], waits["step"], waits["pid"]), ("progress", "eu-west", "plan", orphan))
        status, text = self.in_terminal(rig, "--yes", "--skip-smoke-tests", columns=100, answer=b"\x03", prompt=b"since")
        self.assertEqual(status, 130, text)
        self.assertRegex(text, rf"eu-west +waiting +\d\S+ +fake_terraform\.py {orphan} since \d\d:\d\d:\d\d UTC \(\d\S*s\)")
        rig.behave()
        os.kill(orphan, signal.SIGINT)
        self.check_converged(rig)

    def interrupted_while_it_waits(self, rig, *more):
        """What it says; eu-west is not planned."""
        before = rig.calls("plan")
        process = rig.start("--yes", "--skip-smoke-tests", *more)
        wait_until(lambda: rig.calls("plan") >= before + 2, 20, "the other regions' plans")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 130, text)
        with open(rig.cloud + "/calls", encoding="utf-8") as calls:
            self.assertEqual(calls.read().count("eu-west plan"), 1)
        return text

    def test_killed_alone_terraform_goes_on(self):
        self.kill_loop(both=False)

    def test_killed_with_terraform_what_exists_is_taken_over(self):
        self.kill_loop(both=True)

    def test_what_is_somebody_elses_is_refused(self):
        rig = Rig(self, deployment(regions=("us-east",)))
        rig.deploy("--dry-run")
        prefix = "demo-us-east"
        os.makedirs(f"{rig.cloud}/things/{prefix}")
        path = f"{rig.cloud}/things/{prefix}/module.region.aws_thing.t[1]"
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"owner": "somebody"}, file)
        status, text = rig.deploy()
        self.assertEqual(status, 65, text)
        self.assertIn("aws_thing.t[1] exists (demo-us-east/module.region.aws_thing.t[1]) and is not this deployment's", text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(json.load(file), {"owner": "somebody"})
        os.unlink(path)
        self.check_converged(rig, 5)

    def test_another_machine_finds_the_deployment_by_its_state(self):
        config = deployment(state={"backend": "s3", "bucket": "states", "location": "us-east-1"})
        rig = Rig(self, config)
        rig.behave(delay=0.05)
        process = rig.start("--yes", "--skip-smoke-tests")
        wait_until(lambda: len(rig.things()) >= 4, 20, "some resources")
        for pid in [process.pid, *rig.children()]:
            os.kill(pid, signal.SIGKILL)
        process.communicate()
        other = Rig(self, config, cloud=rig.cloud)
        other.behave()
        self.check_converged(other)
        with open(rig.folder.path + "/.fraiseql/demo/id", encoding="utf-8") as a, \
                open(other.folder.path + "/.fraiseql/demo/id", encoding="utf-8") as b:
            self.assertEqual(a.read(), b.read())

    def test_a_saved_plan_is_done_exactly_or_refused(self):
        rig = Rig(self)
        saved = rig.folder.path + "/saved"
        self.assertEqual(rig.run("--out", saved, verb=("plan",))[0], 2)
        self.assertEqual(os.stat(saved + "/us-east.tfplan").st_mode & 0o777, 0o600)
        rig.write(deployment(instances=4))
        status, text = rig.deploy("--plan", saved)
        self.assertEqual(status, 65, text)
        self.assertIn("no longer holds", text)
        rig.write(deployment())
        status, text = rig.deploy("--plan", saved)
        self.assertEqual(status, 0, text)
        self.assertIn("AWS (us-east): 5 to create, 0 to change", text)
        self.assertIn("Estimated cost: ", text)
        self.assertEqual(len(rig.things()), 15)
        # The regions' states have moved: refused as what is rendered is, and nothing was changed.
        status, text = rig.deploy("--plan", saved)
        self.assertEqual(status, 65, text)
        self.assertIn("[✗] Taking the saved plan", text)
        self.assertIn("apac: the saved plan no longer holds: its state has moved since; nothing was changed "
                      "(there was none when the plan was made)", text)
        self.assertTrue(text.endswith("Nothing was changed.\n"), text)

    def saved_change(self):
        """A rig that stands in three regions, and a saved plan that changes each."""
        rig = Rig(self)
        saved = rig.folder.path + "/saved"
        self.assertEqual(rig.deploy()[0], 0)
        rig.write(deployment(size="t3.xlarge"))
        self.assertEqual(rig.run("--out", saved, verb=("plan",))[0], 2)
        return rig, saved

    def test_a_saved_plan_of_which_one_state_has_moved_changes_no_region(self):
        rig, saved = self.saved_change()
        path = glob.glob(rig.folder.path + "/.fraiseql/demo/render/regions/eu-west/fake.tfstate")[0]
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**state, "serial": state["serial"] + 1}, file)
        applies = rig.calls("apply")
        status, text = rig.deploy("--plan", saved)
        self.assertEqual((status, rig.calls("apply")), (65, applies), text)
        self.assertIn("eu-west: the saved plan no longer holds: its state has moved since; nothing was changed "
                      f"(it had serial {state['serial']}, and has {state['serial'] + 1} now)", text)
        self.assertIn(f"Plan again with `fraiseql deploy plan {rig.file} --out {saved}`", text)
        self.assertNotIn("us-east: the saved plan", text)
        for other, why in ({**state, "lineage": "other"}, "it is not the one that the plan was made from"), (None, "there is none any more"):
            os.unlink(path)
            if other:
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(other, file)
            status, text = rig.deploy("--plan", saved)
            self.assertEqual((status, rig.calls("apply")), (65, applies), text)
            self.assertIn(f"eu-west: the saved plan no longer holds: its state has moved since; nothing was changed ({why})", text)
        # One that cannot be asked cannot be checked.
        with open(path, "w", encoding="utf-8") as file:
            json.dump(state, file)
        rig.behave(**{"apac": "no state"})
        status, text = rig.deploy("--plan", saved)
        self.assertEqual((status, rig.calls("apply")), (1, applies), text)
        self.assertIn("apac: fake_terraform.py state failed: Failed to read state: AccessDenied", text)
        self.assertTrue(text.endswith("Nothing was changed.\n"), text)
        rig.behave()
        status, text = rig.deploy("--plan", saved)
        self.assertEqual((status, rig.calls("apply")), (0, applies + 3), text)

    def test_a_saved_plan_waits_for_the_terraform_of_a_run_that_was_killed(self):
        rig, saved = self.saved_change()
        before = rig.calls("apply")
        rig.behave(**{"eu-west": "hang"})
        process = rig.start("--yes", "--skip-smoke-tests", "--plan", saved)
        wait_until(lambda: rig.calls("apply") == before + 3, 20, "the applies")
        process.kill()
        process.communicate()
        wait_until(lambda: len(rig.children()) == 1, 20, "the other regions' terraform to end")
        orphan, = rig.children()
        again = rig.start("--yes", "--skip-smoke-tests", "--plan", saved)
        for line in again.stdout:
            if "waiting for" in line:
                break
        self.assertRegex(line, rf"eu-west: waiting for the .*\(process {orphan}, ")
        self.assertEqual(rig.calls("apply"), before + 3)
        rig.behave()
        os.kill(orphan, signal.SIGINT)
        text, _ = again.communicate(timeout=100)
        self.assertEqual((again.returncode, rig.calls("apply")), (65, before + 3), text)  # the others have moved
        self.check_converged(rig)

    def test_a_saved_plan_of_what_lies_between_the_regions(self):
        rig = Rig(self, deployment(regions=("us-east", "eu-west")))
        saved, other = rig.folder.path + "/saved", rig.folder.path + "/other"
        self.assertEqual(rig.deploy()[0], 0)
        rig.write(deployment(regions=("us-east", "eu-west"), traffic={"domain": "api.example.com", "dns": "route53"}))
        for folder in (saved, other):
            status, text = rig.run("--out", folder, verb=("plan",))
            self.assertEqual(status, 2, text)
            self.assertRegex(text, "(?i)global.*: 1 to create")
        status, text = rig.deploy("--plan", saved)
        self.assertEqual(status, 0, text)
        self.assertRegex(text, "(?i)global.*: 1 to create")
        self.assertEqual(len([thing for thing in rig.things() if "route53" in thing]), 1)
        status, text = rig.deploy("--plan", other)
        self.assertEqual(status, 65, text)
        self.assertIn('the saved plan no longer holds: between the regions "create module.dns.aws_route53_record.r" is not to do any more', text)

    def test_a_plan_that_changes_outputs_alone_is_no_empty_one(self):
        rig = Rig(self, deployment(regions=("us-east", "eu-west")))
        self.assertEqual(rig.deploy()[0], 0)
        rig.behave(**{"us-east": "outputs"})
        saved = rig.folder.path + "/saved"
        status, text = rig.run("--out", saved, verb=("plan",))
        self.assertEqual(status, 2, text)
        self.assertIn("AWS (us-east): no resource changes, what its state says of them does", text)
        self.assertIn("AWS (eu-west): no changes", text)
        applies = rig.calls("apply")
        status, text = rig.deploy("--plan", saved)
        self.assertEqual((status, rig.calls("apply")), (0, applies + 1), text)
        self.assertIn("Nothing to do", rig.deploy()[1])
        self.assertEqual(rig.run(verb=("plan",))[0], 0)

    def test_what_lies_between_regions_that_stand_and_cannot_be_planned(self):
        rig = Rig(self, deployment(regions=("us-east", "eu-west"), traffic={"domain": "api.example.com", "dns": "route53"}))
        rig.behave(**{"global": "no plan"})
        status, text = rig.run(verb=("plan",))
        self.assertEqual(status, 2, text)  # without regions it may fail
        self.assertIn("planned once its regions stand", text)
        rig.behave()
        self.assertEqual(rig.deploy()[0], 0)
        rig.behave(**{"global": "no plan"})
        for verb in (("plan",), ()):
            status, text = rig.run(*([] if verb else ["--yes", "--skip-smoke-tests"]), verb=verb)
            self.assertEqual(status, 1, text)
            self.assertIn("global plan: ExpiredToken", text)
            self.assertNotIn("Nothing to do", text)

    def test_a_state_that_does_not_come_is_waited_for_until_the_second_ctrl_c(self):
        rig, saved = self.saved_change()
        rig.behave(**{"eu-west": "hang state"})
        applies, asked = rig.calls("apply"), rig.calls("state")
        process = rig.start("--yes", "--skip-smoke-tests", "--plan", saved)
        wait_until(lambda: rig.calls("state") == asked + 3, 20, "all states to be asked for")
        text = interrupted_twice(process)
        self.assertEqual((process.returncode, rig.calls("apply")), (130, applies), text)
        self.assertTrue(text.endswith("Nothing was changed.\n"), text)

    def test_a_state_that_moves_after_the_saved_plan_was_checked(self):
        rig, saved = self.saved_change()
        rig.behave(**{"apac": "stale"})
        status, text = rig.deploy("--plan", saved)
        self.assertEqual(status, 65, text)
        self.assertIn("apac: the saved plan no longer holds: its state has moved since; nothing was changed "
                      "(fake_terraform.py says: Saved plan is stale)", text)
        self.assertIn("AWS (apac): was left as it was: the saved plan no longer holds", text)
        self.assertIn(f"Next: fraiseql deploy plan {rig.file} --out {saved}  (", text)
        self.assertNotIn("does not stand as described", text)
        self.assertIn("AWS (apac): standing", rig.run(verb=("status",))[1])

    def test_a_damaged_saved_plan_is_named(self):
        rig = Rig(self, deployment(regions=("us-east",)))
        saved = rig.folder.path + "/saved"
        self.assertEqual(rig.run("--out", saved, verb=("plan",))[0], 2)
        path = saved + "/manifest.json"
        with open(path, encoding="utf-8") as file:
            whole = file.read()
        for text, where in ((whole[:99], ":1:99: error: malformed JSON"),
                            (whole.replace('"roots"', '"root"'), ": error: the manifest of the saved plan lists no roots"),
                            (whole.replace('"changes"', '"changing"'),
                             ": error: the manifest of the saved plan lists no changes of region us-east")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            status, text = rig.deploy("--plan", saved)
            self.assertEqual(status, 65, text)
            self.assertIn(path + where, text)
            self.assertIn("Plan again with", text)
        self.assertEqual(rig.things(), [])

    def test_destroy_keeps_databases_unless_told(self):
        rig = Rig(self)
        self.assertEqual(rig.deploy()[0], 0)
        status, text = rig.run(verb=("destroy",))
        self.assertEqual(status, 64, text)
        status, text = rig.run("--yes", "--confirm", "other", verb=("destroy",))
        self.assertEqual(status, 64, text)
        self.assertEqual(len(rig.things()), 15)
        status, text = rig.run("--yes", "--confirm", "demo", verb=("destroy",))
        self.assertEqual(status, 0, text)
        self.assertIn("Databases stay", text)
        self.assertEqual([thing.split(".")[-2] for thing in rig.things()], ["aws_db_instance", "aws_vpc"] * 3)
        status, text = rig.run("--yes", "--confirm", "demo", "--delete-data", verb=("destroy",))
        self.assertEqual(status, 0, text)
        self.assertEqual(rig.things(), [])
        self.check_converged(rig)

    def test_a_region_that_cannot_be_planned_keeps_no_other_from_being_destroyed(self):
        for behaviour, said in (("no plan", "eu-west plan: ExpiredToken"), ("no state", "eu-west: fake_terraform.py state failed: Failed to read")):
            rig = Rig(self)
            self.assertEqual(rig.deploy()[0], 0)
            rig.behave(**{"eu-west": behaviour})
            status, text = rig.run("--yes", "--confirm", "demo", "--delete-data", verb=("destroy",))
            self.assertEqual(status, 1, text)
            self.assertIn(said, text)
            self.assertIn("AWS (eu-west): cannot be planned and is left as it is", text)
            self.assertIn("AWS (us-east): is removed\n", text)
            self.assertIn("AWS (eu-west): was left as it was: it could not be planned\n", text)
            self.assertIn(f"Next: fraiseql deploy destroy {rig.file} --region eu-west --delete-data  (", text)
            self.assertEqual({thing.split("/")[0] for thing in rig.things()}, {"demo-eu-west"})
            self.assertEqual(len(rig.things()), 5)
            status, text = rig.run("--yes", "--confirm", "demo", "--delete-data", verb=("destroy",))
            self.assertEqual((status, "nothing to destroy" in text), (1, False), text)
            rig.behave()
            self.assertEqual(rig.run("--yes", "--confirm", "demo", "--delete-data", "--region", "eu-west", verb=("destroy",))[0], 0)
            self.assertEqual(rig.things(), [])

    def test_a_plan_that_loses_a_database_is_refused(self):
        rig = Rig(self, deployment(regions=("us-east",)))
        self.assertEqual(rig.deploy()[0], 0)
        path = glob.glob(rig.folder.path + "/.fraiseql/demo/render/regions/us-east/fake.tfstate")[0]
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        state["resources"]["module.region.aws_db_instance.old"] = "1"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(state, file)
        status, text = rig.deploy()
        self.assertEqual(status, 65, text)
        self.assertIn("DATABASE DESTROYED: aws_db_instance.old", text)
        saved = rig.folder.path + "/saved"
        self.assertEqual(rig.run("--out", saved, verb=("plan",))[0], 2)
        status, text = rig.deploy("--plan", saved)
        self.assertEqual(status, 65, text)
        self.assertIn("DATABASE DESTROYED: aws_db_instance.old", text)
        self.assertIn("this plan replaces or destroys the database; nothing was changed", text)

    def test_two_at_once(self):
        rig = Rig(self)
        rig.behave(delay=0.2)
        process = rig.start("--yes", "--skip-smoke-tests")
        wait_until(rig.things, 20, "the first resource")
        status, text = rig.deploy()
        self.assertEqual(status, 1, text)
        self.assertRegex(text, rf'another run is at work on "demo": \S+/lock is locked by process {process.pid} on '
                               rf"{re.escape(os.uname().nodename)} since 2\d\d\d-\S+Z\n")
        self.assertIn(f"Wait until it ends; `fraiseql deploy status {rig.file}` shows how far it is.", text)
        self.assertEqual(rig.run(verb=("status",))[0], 0)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_smoke_tests_and_health_ask_the_regions(self):
        rig = Rig(self, deployment(regions=("us-east",)))
        peer = self.open(Peer(lambda handler: (503, {}, b"database is away\x1b[31m")))
        rig.env["FAKE_URL"] = peer.url("")
        status, text = rig.run("--yes", "--smoke-timeout", "1")
        self.assertEqual(status, 1, text)
        self.assertIn("[✗] Running smoke tests", text)
        self.assertIn("us-east answers 503: database is away [31m", text)
        self.assertIn("  AWS (us-east): stands; its health check failed\n", text)
        status, text = rig.run(verb=("health",))
        self.assertEqual(status, 1, text)
        self.assertIn("it says: database is away", text)
        peer.answer = lambda handler: (200, {}, b"ready")
        self.assertEqual(rig.run(verb=("health",))[0], 0)

    def test_status_asks_all_regions_at_once(self):
        rig = Rig(self)
        self.assertEqual(rig.deploy()[0], 0)
        shutil.rmtree(rig.cloud + "/met", ignore_errors=True)
        rig.behave(meet=3)
        status, text = rig.run(verb=("status",))
        self.assertEqual(status, 0, text)
        self.assertEqual(re.findall(r"^AWS \((.*)\): (.*)$", text, re.M),
                         [("us-east", "standing"), ("eu-west", "standing"), ("apac", "standing")])

    def test_no_secret_in_process_list_output_or_files(self):
        rig = Rig(self)
        rig.behave(delay=0.05)
        process = rig.start("--yes", "--skip-smoke-tests")
        seen = ""
        while process.poll() is None:
            seen += subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
            time.sleep(0.05)
        text, _ = process.communicate()
        self.assertIn("fake_terraform", seen)
        self.assertNotIn("very-secret-indeed", seen + text)
        found = subprocess.run(["grep", "-rl", "very-secret-indeed", rig.folder.path], capture_output=True, text=True)
        self.assertEqual(found.stdout, "")

    def test_without_terraform_it_says_how_to_get_one(self):
        rig = Rig(self)
        rig.env["PATH"] = "/nonexistent"
        result = subprocess.run([*LAUNCHER, PROGRAM, "deploy", rig.file], env=rig.env, capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("opentofu.org", result.stderr)

    def in_terminal(self, rig, *more, columns, answer=None, prompt=b"goes on:"):
        """(status, text) of a run whose terminal has so many columns, with an answer when the prompt is there."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("sh", ["sh", "-c", f'stty cols {columns} rows 40; exec "$@"', "sh", *rig.arguments(*more)],
                       {**rig.env, "TERM": "xterm"})
        seen = b""
        while True:
            if not select.select([terminal], [], [], 60)[0]:
                break
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
            if answer and prompt in seen:
                os.write(terminal, answer)
                answer = None
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()

    def test_the_live_view_in_a_terminal(self):
        for columns in (40, 100):
            rig = Rig(self)
            rig.behave(delay=0.15)
            status, text = self.in_terminal(rig, "--skip-smoke-tests", columns=columns, answer=b"yes\n")
            self.assertEqual(status, 0, text)
            self.assertRegex(text, r"us-east +deploying +\d/5")
            self.assertIn("\x1b[3A\r\x1b[J", text)
            self.assertIn("\x1b[32m[✓]\x1b[0m Deploying to AWS (apac)", text)
            if columns == 100:
                self.assertRegex(text, r"aws_(thing|vpc|db_instance)\S+ \(")
            for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)):
                if re.match(r"(us-east|eu-west|apac) +(deploying|planning|done)", line):
                    self.assertLess(len(line), columns)

    def test_no_is_no(self):
        rig = Rig(self)
        status, text = self.in_terminal(rig, columns=80, answer=b"no\n")
        self.assertEqual(status, 1, text)
        self.assertIn("Nothing was changed", text)
        self.assertEqual(rig.things(), [])

    def test_ctrl_c_at_the_question_changes_nothing(self):
        rig = Rig(self, deployment(regions=("us-east",)))
        status, text = self.in_terminal(rig, columns=80, answer=b"\x03")
        self.assertEqual(status, 130, text)
        self.assertRegex(text, r"goes on: (\^C)?\r\nNothing was changed\.\r\n$")
        self.assertNotIn("in flight", text)
        self.assertEqual(rig.things(), [])

    def test_an_answer_that_ends_without_enter_leaves_the_questions_line(self):
        rig = Rig(self, deployment(regions=("us-east",)))
        status, text = self.in_terminal(rig, columns=80, answer=b"\x04")
        self.assertEqual(status, 1, text)
        self.assertIn("goes on: \r\nNothing was changed.", text)


if __name__ == "__main__":
    main()
