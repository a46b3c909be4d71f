"""Own hosts where systemd runs: each process is a unit that starts again after a kill and after a start of the machine, and
`destroy` leaves none."""

import json
import os
import unittest

import harness
from hosts_rig import ROOT, FRAISEQL
from systemd_rig import Machine
from test_deploy_render import as_yaml

NAME = "tsystemd"
REGION = {"provider": "self-hosted", "location": "here", "hosts": ["local"], "instances": 1,
          "without": ["monitoring", "alertmanager", "prometheus"]}
PROCESSES = {"postgresql", "haproxy", "service-1", "pgbackrest"}


@unittest.skipUnless(ROOT and os.path.isdir(harness.PG_BIN) and os.path.exists("/usr/sbin/haproxy"), "no root, haproxy or PostgreSQL 15")
class Units(harness.Case):
    def setUp(self):
        self.folder = self.open(harness.Folder())
        self.file = self.folder.file("d.yaml", as_yaml({"metadata": {"name": NAME}, "regions": {"us": REGION}}))
        self.machine = self.open(Machine(harness.BUILD, self.folder.path))
        why = self.machine.start()
        if why:
            self.skipTest("no machine with systemd can be had here: " + why)

    def deploy(self, *words, status=0):
        done = self.machine.run(*harness.LAUNCHER, FRAISEQL, "deploy", *words, timeout=600)
        self.assertEqual(done.returncode, status, f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def units(self):
        """Name of the process and pid of each unit of ours that is active."""
        listed = self.machine.run("systemctl", "list-units", "--plain", "--no-legend", "--state=active", f"fraiseql-{NAME}-*").stdout
        found = {}
        for unit in (line.split()[0] for line in listed.splitlines()):
            pid = self.machine.run("systemctl", "show", "-P", "MainPID", unit).stdout.strip()
            found[unit.removeprefix(f"fraiseql-{NAME}-us-").removesuffix(".service")] = int(pid)
        return found

    def test_units(self):
        self.deploy(self.file, "--yes")
        before = self.units()
        self.assertEqual(set(before), PROCESSES)
        self.assertNotEqual(self.machine.run("pgrep", "-f", "fraiseql-supervisor run").returncode, 0, "systemd alone keeps them")
        self.assertIn("Nothing to do", self.deploy(self.file, "--yes"))

        for name in ("haproxy", "postgresql"):
            self.machine.run("kill", "-KILL", str(before[name]))
        harness.wait_until(lambda: set(self.units()) == PROCESSES and all(self.units().get(name) not in (0, before[name])
                                                                          for name in ("haproxy", "postgresql")), 60, "the restart")
        harness.wait_until(lambda: self.machine.run(FRAISEQL, "deploy", "health", self.file).returncode == 0, 60, "the region to answer")
        self.deploy("plan", self.file)

        self.machine.power_off()
        self.assertIsNone(self.machine.boot())
        harness.wait_until(lambda: set(self.units()) == PROCESSES, 60, lambda: f"the units after a start: {self.units()}")
        harness.wait_until(lambda: self.machine.run(FRAISEQL, "deploy", "health", self.file).returncode == 0, 60, "the region to answer")
        self.deploy(self.file, "--yes")
        self.deploy("plan", self.file)
        status = next(record for record in map(json.loads, self.deploy("status", self.file, "--json").splitlines())
                      if record["type"] == "status")
        self.assertEqual(status["regions"][0]["state"], "standing")
        told = {process["name"]: (process["state"], process["pid"]) for part in status["regions"][0]["components"]
                for process in part["processes"]}
        self.assertEqual(told, {name: ("running", pid) for name, pid in self.units().items()})

        self.deploy("destroy", self.file, "--yes", "--confirm", NAME, "--delete-data")
        self.assertEqual(self.units(), {})
        left = self.machine.run("find", "/etc/systemd/system", "/etc/tmpfiles.d", "/etc/logrotate.d", "/var/lib/fraiseql", "/run/fraiseql",
                                "-name", f"*{NAME}*").stdout
        self.assertEqual(left, "")
        self.assertEqual(self.machine.run("pgrep", "-f", f"/fraiseql/{NAME}/").stdout, "")


if __name__ == "__main__":
    harness.main()
