"""`fraiseql deploy` on own hosts: this machine, in network namespaces. The payload is what every region stands on and one
kept process, the relay between the namespaces; databases and services have tests of their own."""

import glob
import os
import shutil
import signal
import subprocess
import unittest

import harness
from hosts_rig import BARE, ROOT, Deployment, users

LOCAL = {"hosts": ["local"], **BARE}
HAVE_NAMESPACES = ROOT and shutil.which("ip") and os.path.exists("/dev/net/tun")
NETWORK = {"topology": "namespaces", "latency-ms": {"us/eu": 40}}


@unittest.skipUnless(ROOT, "deploying to this machine takes root")
@unittest.skipUnless(HAVE_NAMESPACES, "no ip or no /dev/net/tun")
class Regions(unittest.TestCase):
    def make(self, *regions):
        return Deployment(self, {name: LOCAL for name in regions or ("us", "eu")}, network=NETWORK)

    def test_deploy_again_change_destroy(self):
        before = users()
        one = self.make()
        self.assertIn("to create", one.run("plan", one.file, status=2).stdout)
        self.assertEqual(one.left_behind(), [], "a plan changes nothing")
        progress = [record for record in one.records(one.file, "--yes") if record["type"] == "progress"]
        running = [record for record in progress if record["state"] == "running" and record["region"] == "us"]
        self.assertEqual([record["done"] for record in running], list(range(1, running[-1]["planned"] + 1)))
        self.assertEqual({record["step"] for record in progress} - {"validate", "credentials", "render", "plan", "apply", "smoke"}, set())
        self.assertIn("Nothing to do", one.deploy().stdout)
        one.run("plan", one.file, status=0)
        status = next(record for record in one.records("status", one.file) if record["type"] == "status")
        self.assertEqual({region["state"] for region in status["regions"]}, {"standing"})
        self.assertEqual({part["name"]: part["state"] for part in status["regions"][0]["components"]}["network"], "standing")

        relay = one.processes("us")["network"]["pid"]
        one.file = one.write(network={**NETWORK, "latency-ms": {"us/eu": 60}})
        plan = next(record for record in one.records("plan", one.file, status=2) if record["type"] == "plan")
        self.assertEqual({change["address"]: change["action"] for change in plan["changes"]},
                         {"network/files": "update", "network/process": "update"}, "what watches a changed file is due too")
        one.deploy()
        self.assertNotEqual(one.processes("us")["network"]["pid"], relay, "restarted with its new configuration")

        self.assertIn("takes --yes", one.run("destroy", one.file, status=64).stderr)
        self.assertIn("is called", one.run("destroy", one.file, "--yes", "--confirm", "other", status=64).stderr)
        one.destroy()
        self.assertEqual(one.left_behind(), [])
        self.assertLessEqual(users() - before, users() if os.path.exists("/var/lib/fraiseql") else set(),
                             "a user of ours stays only while another deployment wants it")
        self.assertIn("nothing to destroy", one.destroy().stdout)

    def test_a_region_that_the_file_no_longer_has(self):
        one = self.make("us", "mid", "eu")
        one.deploy()
        gone = one.regions.pop("mid")
        one.file = one.write()
        self.assertIn("regions.eu: was deployed at place 3, and has place 2 now", one.deploy(status=65).stderr)
        one.regions["eu"] = {**one.regions["eu"], "place": 3}
        one.file = one.write()
        said = one.deploy()
        self.assertIn("region mid was deployed and is no longer in the file", said.stderr)
        self.assertIn("Own hosts (mid): standing", one.run("status", one.file).stdout)
        one.destroy("--region", "mid", "--delete-data")
        self.assertFalse(os.path.exists(one.base("mid")))
        self.assertTrue(os.path.exists(one.base("eu")))
        self.assertNotIn("mid", one.run("status", one.file).stdout)
        self.assertNotIn("mid", one.run("plan", one.file, status=0).stderr)
        one.regions = {"us": one.regions["us"], "mid": gone, "eu": one.regions["eu"]}
        one.file = one.write()
        one.deploy()
        del one.regions["mid"]
        one.file = one.write()
        one.destroy("--delete-data")  # the deployment, with what its file no longer has
        self.assertEqual(one.left_behind(), [])

    def test_what_was_spoiled_is_mended(self):
        one = self.make("us", "eu")
        one.deploy()
        file = one.base("us") + "/config/network.conf"
        with open(file, "a", encoding="ascii") as text:
            text.write("# a hand was here\n")
        one.supervisor("eu", "stop", "network")
        plan = {record["region"]: record for record in one.records("plan", one.file, status=2) if record["type"] == "plan"}
        self.assertIn("network/files", [change["address"] for change in plan["us"]["changes"]])
        self.assertEqual([change["address"] for change in plan["eu"]["changes"]], ["network/process"])
        status = next(record for record in one.records("status", one.file) if record["type"] == "status")
        self.assertEqual([region["state"] for region in status["regions"]], ["incomplete", "incomplete"])
        one.deploy()
        one.run("plan", one.file, status=0)
        self.assertEqual(one.processes("eu")["network"]["state"], "running")

    def test_a_long_ledger_is_written_anew(self):
        one = self.make()
        one.deploy()
        path = one.base("us") + "/ledger.jsonl"
        with open(path, encoding="utf-8") as text:
            last = text.read().splitlines()[-1] + "\n"
        with open(path, "a", encoding="utf-8") as out:
            out.write(last * (600_000 // len(last)) + '{"torn')
        one.run("plan", one.file, status=0)
        self.assertLess(os.path.getsize(path), 100_000)
        one.destroy()
        self.assertEqual(one.left_behind(), [])

    def test_killed_in_every_step(self):
        """The deployer alone: the step under way ends by itself, and the next run waits for it."""
        one = self.make()
        rounds = 0
        while one.kill_after(1):
            rounds += 1
            self.assertLess(rounds, 100)
        self.assertGreaterEqual(rounds, 5)
        one.run("plan", one.file, status=0)
        one.destroy()
        self.assertEqual(one.left_behind(), [])

    def test_killed_with_its_scripts(self):
        """As when the machine stops: steps are left half done."""
        one = self.make()
        rounds = 0
        while one.kill_after(rounds + 1, scripts=True):
            rounds += 1
            self.assertLess(rounds, 100)
        self.assertGreaterEqual(rounds, 3)
        one.run("plan", one.file, status=0)
        one.destroy()
        self.assertEqual(one.left_behind(), [])

    def test_destroy_after_a_kill_leaves_nothing(self):
        for begun in (1, 3, 5):
            one = self.make("us", "eu")
            one.kill_after(begun)
            one.destroy()
            self.assertEqual(one.left_behind(), [])

    def test_ctrl_c_finishes_the_step(self):
        one = self.make("us", "eu")
        deployer = subprocess.Popen(one.command(one.file, "--yes"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        harness.wait_until(lambda: one.ledger("us"), what="the first step")
        deployer.send_signal(signal.SIGINT)
        said, _ = deployer.communicate(timeout=100)
        if deployer.returncode != 0:  # it may have been at its last step
            self.assertEqual(deployer.returncode, 130, said)
            self.assertIn("Interrupted", said)
            for region in ("us", "eu"):
                done = {line["id"] for line in one.ledger(region) if line["event"] == "done"}
                self.assertEqual(done, {line["id"] for line in one.ledger(region) if line["event"] == "begin"})
        one.deploy()
        one.run("plan", one.file, status=0)

    def test_each_process_and_the_supervisor_killed(self):
        one = self.make("us", "eu")
        one.deploy()
        first = one.processes("us")["network"]["pid"]
        os.kill(first, signal.SIGKILL)
        second = harness.wait_until(lambda: one.processes("us")["network"]["pid"] not in (0, first) and
                                    one.processes("us")["network"]["pid"], what="the restart")
        supervisor = int(subprocess.run(["pgrep", "-f", f"^{one.base('us')}/bin/fraiseql-supervisor run"], capture_output=True,
                                        text=True, check=True).stdout)
        os.kill(supervisor, signal.SIGKILL)
        harness.wait_until(lambda: one.supervisor("us", "ping").returncode != 0)
        os.kill(second, 0)  # its children live on
        self.assertIn("base/supervisor", one.run("plan", one.file, "--json", status=2).stdout)
        one.deploy()
        self.assertEqual(one.processes("us")["network"]["pid"], second, "adopted, not started anew")
        os.kill(second, signal.SIGKILL)
        harness.wait_until(lambda: one.processes("us")["network"]["pid"] not in (0, second), what="the restart of an adopted one")
        one.run("plan", one.file, status=0)

    def test_killed_supervisor_then_destroy(self):
        one = self.make("us", "eu")
        one.deploy()
        pid = int(subprocess.run(["pgrep", "-f", f"^{one.base('eu')}/bin/fraiseql-supervisor run"], capture_output=True,
                                 text=True, check=True).stdout)
        os.kill(pid, signal.SIGKILL)
        one.destroy()
        self.assertEqual(one.left_behind(), [])

    def test_another_deployment_of_this_name(self):
        one = self.make()
        one.deploy()
        other = harness.Folder()
        self.addCleanup(other.remove)
        with open(one.file, encoding="utf-8") as text:
            file = other.file("d.yaml", text.read())
        told = one.run(file, "--yes", status=65).stderr
        self.assertIn("is not this one", told)
        one.run("plan", one.file, status=0)


@unittest.skipUnless(ROOT, "deploying to this machine takes root")
class Refusals(unittest.TestCase):
    def test_full_disk(self):
        one = Deployment(self, {"us": LOCAL})
        os.makedirs("/var/lib/fraiseql/" + one.name)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/var/lib/fraiseql/" + one.name],
                                 capture_output=True, text=True)
        if mounted.returncode:
            os.rmdir("/var/lib/fraiseql/" + one.name)
            self.skipTest("no tmpfs can be mounted: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "/var/lib/fraiseql/" + one.name], capture_output=True)
        told = one.deploy(status=1)
        self.assertIn("No space left on device", told.stderr)
        subprocess.run(["mount", "-o", "remount,size=64m", "/var/lib/fraiseql/" + one.name], check=True)
        one.deploy()
        one.run("plan", one.file, status=0)
        one.destroy()
        subprocess.run(["umount", "/var/lib/fraiseql/" + one.name], check=True)
        os.rmdir("/var/lib/fraiseql/" + one.name)
        self.assertEqual(one.left_behind(), [])

    def test_a_file_that_is_not_ours(self):
        one = Deployment(self, {"us": LOCAL})
        path = f"/etc/tmpfiles.d/fraiseql-{one.name}-us.conf"
        os.makedirs("/etc/tmpfiles.d", exist_ok=True)
        with open(path, "w", encoding="ascii") as text:
            text.write("# a stranger's\n")
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        self.assertIn(f"{path} is there and is not ours", one.deploy(status=1).stderr)
        one.destroy()
        with open(path, encoding="ascii") as text:
            self.assertEqual(text.read(), "# a stranger's\n")

    def test_no_root(self):
        one = Deployment(self, {"us": LOCAL})
        os.chmod(one.folder.path, 0o777)
        os.chmod(one.file, 0o644)
        told = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *one.command(one.file, "--yes")],
                              capture_output=True, text=True)
        self.assertEqual(told.returncode, 77, told.stderr)
        self.assertIn("not root", told.stderr)
        self.assertEqual(one.left_behind(), [])

    def test_findings(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        from test_deploy_render import as_yaml
        cases = [({"hosts": []}, {}, "names its host"), ({"hosts": ["http://x"]}, {}, "neither local nor an ssh"),
                 ({"hosts": ["ssh://a:b@x"]}, {}, "a password cannot be given"), ({"hosts": ["local", "ssh://x"]}, {}, "one a region"),
                 ({"hosts": ["ssh://db1"]}, {}, "IPv4 address must be given"), ({"hosts": ["local"], "without": ["haproxi"]}, {}, 'did you mean "haproxy"'),
                 ({"hosts": ["local"], "without": ["base"]}, {}, "to leave out"),
                 ({"hosts": ["local"], "address": "::1"}, {}, "IPv4"),
                 ({"hosts": ["ssh://1.2.3.4"]}, {"topology": "namespaces"}, "another machine"),
                 ({"hosts": ["local"]}, {"latency-ms": {"us/eu": 3}}, "is for topology: namespaces"),
                 ({"hosts": ["local"]}, {"topology": "namespaces", "latency-ms": {"us/mars": 3}}, "there is no region"),
                 ({"hosts": ["local"]}, {"topology": "namespaces", "latency-ms": {"us/us": 3}}, "to itself"),
                 ({"hosts": ["local"]}, {"topology": "namespaces", "latency-ms": {"us/eu": -3}}, "whole milliseconds")]
        one = Deployment(self, {})
        for region, network, text in cases:
            regions = {"us": {"provider": "self-hosted", "location": "x", **region},
                       "eu": {"provider": "self-hosted", "location": "y", "hosts": ["local"]}}
            file = folder.file("d.yaml", as_yaml({"metadata": {"name": "x"}, "regions": regions, "network": network}))
            told = one.run("validate", file, status=65).stderr
            self.assertIn(text, told)
            self.assertRegex(told, r"d\.yaml:\d+")
        same = {name: {"provider": "self-hosted", "location": "x", "hosts": ["ssh://10.1.1.1"]} for name in ("a", "b")}
        told = one.run("validate", folder.file("d.yaml", as_yaml({"metadata": {"name": "x"}, "regions": same})), status=65).stderr
        self.assertIn("as region a has (line", told)

    def test_clouds_beside_own_hosts(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        from test_deploy_render import as_yaml
        mixed = {"metadata": {"name": "mixed"}, "regions": {
            "us": {"provider": "aws", "location": "us-east-1"}, "eu": {"provider": "self-hosted", "location": "x", "hosts": ["local"]}}}
        one = Deployment(self, {})
        file = folder.file("d.yaml", as_yaml(mixed))
        one.run("validate", file)
        cost = next(record for record in one.records("cost", file) if record["type"] == "cost")
        self.assertEqual({region["name"] for region in cost["regions"]}, {"us", "eu"})
        one.run("compliance", file, status=None)

    def test_a_saved_plan_is_done_exactly_or_refused(self):
        one = Deployment(self, {"us": LOCAL})
        saved = one.folder.path + "/saved"
        one.run("plan", one.file, "--out", saved, status=2)
        with open(saved + "/us.steps", encoding="ascii") as steps:
            planned = [line.split()[:2] for line in steps]
        self.assertEqual(planned[0], ["create", "base/folders"])
        one.deploy("--plan", saved)
        self.assertEqual([line["id"] for line in one.ledger("us") if line["event"] == "done"], [step for _, step in planned])
        self.assertIn('"create base/folders" is not to do any more', one.deploy("--plan", saved, status=65).stderr)

        one.supervisor("us", "end")
        one.run("plan", one.file, "--out", saved, status=2)
        with open(one.base("us") + "/bin/fraiseql-supervisor", "ab") as program:
            program.write(b"0")
        with open(f"/etc/logrotate.d/fraiseql-{one.name}-us", "a", encoding="ascii") as text:
            text.write("# a hand was here\n")
        before = one.ledger("us")
        self.assertIn('in region us "update base/folders" is to do now', one.deploy("--plan", saved, status=65).stderr)
        self.assertEqual(one.ledger("us"), before, "nothing was done")
        with open(saved + "/us.steps", "a", encoding="ascii") as text:
            text.write("create x y -\n")
        self.assertIn("is not the one that was saved", one.deploy("--plan", saved, status=65).stderr)
        one.run("plan", one.file, "--out", saved, status=2)
        one.deploy("--plan", saved)
        one.run("plan", one.file, status=0)

    def test_what_is_of_terraform_is_refused(self):
        one = Deployment(self, {"us": LOCAL})
        told = one.run("state", "show", one.file, status=65).stderr
        self.assertIn("own hosts have no state", told)
        self.assertIn(f".fraiseql/{one.name} there", told)
        one.file = one.write(state={"backend": "s3", "bucket": "b", "location": "eu-west-1"})
        self.assertIn("need no other state", one.run("validate", one.file, status=65).stderr)


if __name__ == "__main__":
    harness.main()
