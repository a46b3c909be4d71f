"""fraiseql-supervisor by itself: restarts with back-off, stops, logs, adoption, and no zombies."""

import json
import os
import signal
import subprocess
import unittest

import harness

SUPERVISOR = os.path.join(harness.BUILD, "bin", "fraiseql-supervisor")


@unittest.skipUnless(os.geteuid() == 0, "it changes users, which takes root")
class Supervisor(unittest.TestCase):
    def setUp(self):
        self.folder = harness.Folder()
        self.addCleanup(self.folder.remove)
        self.run_folder = os.path.join(self.folder.path, "run")
        self.process_folder = os.path.join(self.folder.path, "process")
        os.mkdir(self.run_folder)
        os.mkdir(self.process_folder)
        self.supervisor = None
        self.addCleanup(self.end)

    def end(self):
        self.control("end")
        if self.supervisor:
            self.supervisor.wait(timeout=60)
        for name in os.listdir(self.process_folder):  # those that a killed supervisor left
            self.control("stop", name.removesuffix(".process"))

    def start(self):
        self.supervisor = subprocess.Popen([*harness.LAUNCHER, SUPERVISOR, "run", self.run_folder, self.process_folder],
                                           stderr=subprocess.DEVNULL, start_new_session=True)
        harness.wait_until(lambda: self.control("ping").returncode == 0, what="the supervisor")

    def control(self, *words):
        return subprocess.run([*harness.LAUNCHER, SUPERVISOR, "control", self.run_folder, *words], capture_output=True, text=True,
                              timeout=120)

    def describe(self, name, *argv, **more):
        lines = [f"arg {word}" for word in argv] + [f"log {self.log(name)}"]
        lines += [f"{key.replace('_', '-')} {value}" for key, value in more.items()]
        self.folder.file(f"process/{name}.process", "\n".join(lines) + "\n")

    def log(self, name):
        return os.path.join(self.folder.path, name + ".log")

    def read_log(self, name):
        with open(self.log(name), encoding="utf-8", errors="replace") as text:
            return text.read()

    def status(self, name):
        return next((one for one in json.loads(self.control("status").stdout) if one["name"] == name), None)

    def running(self, name):
        return harness.wait_until(lambda: (self.status(name) or {}).get("state") == "running" and self.status(name)["pid"],
                                  what=lambda: f"{name} to run: {self.status(name)}")

    def test_a_killed_process_is_started_again(self):
        self.describe("sleeper", "/bin/sleep", "1000")
        self.start()
        first = self.running("sleeper")
        os.kill(first, signal.SIGKILL)
        second = harness.wait_until(lambda: self.status("sleeper")["pid"] not in (0, first) and self.status("sleeper")["pid"])
        self.assertEqual(self.status("sleeper")["restarts"], 1)
        self.assertFalse(os.path.exists(f"/proc/{first}"), "no zombie is left")
        self.assertEqual(self.control("up", "sleeper").returncode, 0)
        self.assertEqual(self.control("restart", "sleeper").returncode, 0)
        self.assertNotEqual(self.status("sleeper")["pid"], second)
        self.assertEqual(self.status("sleeper")["restarts"], 1, "one that was asked for is not counted")

    def test_one_that_ends_at_once_backs_off(self):
        self.describe("brief", "/bin/sh", "-c", "echo here; exit 3")
        self.describe("absent", "/no/such/program")
        self.start()
        harness.wait_until(lambda: self.status("brief")["restarts"] >= 4)
        self.assertLess(self.read_log("brief").count("here"), 100)
        harness.wait_until(lambda: self.status("absent")["restarts"] >= 2)
        self.assertEqual(self.control("up", "absent").returncode, 1)

    def test_stop_stays_over_a_new_supervisor(self):
        self.describe("sleeper", "/bin/sleep", "1000")
        self.start()
        self.running("sleeper")
        self.assertEqual(self.control("stop", "sleeper").returncode, 0)
        self.assertEqual(self.status("sleeper")["state"], "stopped")
        self.assertEqual(self.control("retire").returncode, 0)
        self.supervisor.wait(timeout=60)
        self.start()
        self.assertEqual(self.status("sleeper")["state"], "stopped")
        self.assertEqual(self.control("start", "sleeper").returncode, 0)
        self.running("sleeper")

    def test_one_that_does_not_heed_its_signal_is_killed(self):
        self.describe("deaf", "/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done", stop_timeout_s=1)
        self.start()
        pid = self.running("deaf")
        harness.wait_until(lambda: "ready" in self.read_log("deaf"))
        self.assertEqual(self.control("stop", "deaf").returncode, 0)
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_a_killed_supervisor_leaves_its_children_to_the_next(self):
        self.describe("sleeper", "/bin/sleep", "1000")
        self.start()
        pid = self.running("sleeper")
        self.supervisor.kill()
        self.supervisor.wait()
        os.kill(pid, 0)
        self.start()
        self.assertEqual(self.status("sleeper")["pid"], pid)
        os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: self.status("sleeper")["pid"] not in (0, pid))
        self.supervisor.kill()
        self.supervisor.wait()
        pid = int(open(f"{self.run_folder}/sleeper.pid", encoding="ascii").read().split()[0])
        self.assertEqual(self.control("stop", "sleeper").returncode, 0, "stopped without a supervisor")
        harness.wait_until(lambda: not os.path.exists(f"/proc/{pid}") or " Z " in open(f"/proc/{pid}/stat", encoding="ascii").read())

    def test_a_pid_that_is_another_process_now(self):
        self.describe("sleeper", "/bin/sleep", "1000")
        stranger = subprocess.Popen(["/bin/sleep", "1000"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        self.folder.file("run/sleeper.pid", f"{stranger.pid} 12345 15 1\n")
        self.start()
        self.assertNotEqual(self.running("sleeper"), stranger.pid)
        self.assertIsNone(stranger.poll())

    def test_only_one_supervisor(self):
        self.start()
        second = subprocess.run([*harness.LAUNCHER, SUPERVISOR, "run", self.run_folder, self.process_folder], capture_output=True,
                                text=True, timeout=60)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another supervisor", second.stderr)
        self.assertEqual(self.control("ping").returncode, 0, "the first one still answers")

    def test_orphans_are_reaped_and_sessions_end_together(self):
        self.describe("parent", "/bin/sh", "-c", "sleep 0.2 & (sleep 1000 &) ; sleep 1000")
        self.start()
        pid = self.running("parent")
        os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: self.status("parent")["pid"] not in (0, pid))
        def zombies():
            found = []
            for one in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{one}/stat", encoding="ascii", errors="replace") as text:
                        fields = text.read().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if int(fields[1]) == self.supervisor.pid and fields[0] == "Z":
                    found.append(one)
            return found
        harness.wait_until(lambda: not zombies(), what="all orphans to be reaped")
        groups = subprocess.run(["pgrep", "-g", str(pid)], capture_output=True, text=True)
        self.assertEqual(groups.stdout, "", "nothing of the killed one's session lives on")

    def test_user_environment_and_capabilities(self):
        secret = self.folder.file("env", "ONE=1\n# a comment\nTWO=a b=c\n")
        os.chmod(secret, 0o600)
        self.describe("who", "/bin/sh", "-c", "id -un; echo $ONE $TWO; grep CapAmb /proc/self/status; ls /proc/self/fd | wc -l; sleep 1000",
                      user="nobody", environment_file=secret, capability="NET_BIND_SERVICE")
        self.start()
        self.running("who")
        said = harness.wait_until(lambda: self.read_log("who").count("\n") >= 4 and self.read_log("who"))
        lines = said.split("\n")
        self.assertEqual(lines[0], "nobody")
        self.assertEqual(lines[1], "1 a b=c")
        self.assertEqual(int(lines[2].split()[1], 16), 1 << 10)
        self.assertLessEqual(int(lines[3]), 4, "no descriptor of the supervisor's is handed on")

    def test_a_log_is_bounded(self):
        self.describe("chatty", "/bin/sh", "-c", "head -c 12000000 /dev/zero | tr '\\\\0' x; echo done; sleep 1000")
        self.start()
        harness.wait_until(lambda: os.path.exists(self.log("chatty") + ".1"), timeout=60, what="the rotation")
        harness.wait_until(lambda: os.path.getsize(self.log("chatty")) < 10_000_000)

    def test_names_that_are_none(self):
        self.start()
        self.assertEqual(self.control("start", "../up").returncode, 64)
        self.assertEqual(self.control("start", "nowhere").returncode, 1)
        self.assertEqual(self.control("explode", "x").returncode, 1)


if __name__ == "__main__":
    harness.main()
