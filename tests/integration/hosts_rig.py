"""Deployments on own hosts for tests: a name of its own each, and what must be gone afterwards."""

import contextlib
import http.client
import json
import os
import pwd
import signal
import subprocess
import time

import harness
from test_deploy_render import as_yaml

FRAISEQL = os.path.join(harness.BUILD, "bin", "fraiseql")
ROOT = os.geteuid() == 0
# What every region stands on, and nothing else.
BARE = {"without": ["postgresql", "haproxy", "service", "monitoring", "alertmanager", "prometheus"]}
# That, and the database.
DATABASE = {"without": [part for part in BARE["without"] if part != "postgresql"]}


class Deployment:
    """A deployment file in a folder of its own; destroyed with its data by cleanup()."""

    def __init__(self, test, regions, **sections):
        self.name = "t" + os.urandom(4).hex()
        self.folder = harness.Folder()
        self.regions = regions
        self.sections = sections
        self.file = self.write()
        test.addCleanup(self.cleanup)

    def write(self, **changes):
        self.sections = {**self.sections, **changes}
        regions = {name: {"provider": "self-hosted", "location": "here", **region} for name, region in self.regions.items()}
        return self.folder.file("d.yaml", as_yaml({"metadata": {"name": self.name, "environment": "test"}, "regions": regions,
                                                   **self.sections}))

    def command(self, *words):
        return [*harness.LAUNCHER, FRAISEQL, "deploy", *words]

    def run(self, *words, status=0, env=None):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL,
                              env={**os.environ, **(env or {})})
        if status is not None and done.returncode != status:
            raise AssertionError(f"{words}: status {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
        return done

    def deploy(self, *words, status=0, env=None):
        return self.run(self.file, "--yes", *words, status=status, env=env)

    def destroy(self, *words, status=0, env=None):
        return self.run("destroy", self.file, "--yes", "--confirm", self.name, *words, status=status, env=env)

    def records(self, *words, status=0, env=None):
        return [json.loads(line) for line in self.run(*words, "--json", status=status, env=env).stdout.splitlines()]

    def run_page(self, page, heading, words, statuses=()):
        """The commands below a heading of docs/PAGE, in their order, with words of the page replaced; 0 is expected of each, or
        what `statuses` says."""
        with open(os.path.join(harness.ROOT, "docs", page), encoding="utf-8") as text:
            section = text.read().split(f"\n## {heading}\n")[1].split("\n## ")[0]
        lines = [line for block in section.split("```\n")[1::2] for line in block.splitlines()]
        assert lines and all(line.startswith("fraiseql deploy ") for line in lines), lines
        for number, line in enumerate(lines):
            parts = [{"FILE": self.file, **words}.get(part, part) for part in line.split("  #")[0].split()[2:]]
            self.run(*parts, status=statuses[number] if number < len(statuses) else 0)

    def base(self, region):
        return f"/var/lib/fraiseql/{self.name}/{region}"

    def run_folder(self, region):
        return f"/run/fraiseql/{self.name}/{region}"

    def ledger(self, region):
        """A line whose writer was killed is no entry, here as in the program."""
        entries = []
        try:
            with open(self.base(region) + "/ledger.jsonl", encoding="utf-8") as lines:
                for line in lines:
                    with contextlib.suppress(ValueError):
                        entries.append(json.loads(line))
        except FileNotFoundError:
            pass
        return entries

    def supervisor(self, region, *words):
        return subprocess.run([self.base(region) + "/bin/fraiseql-supervisor", "control", self.run_folder(region), *words],
                              capture_output=True, text=True, timeout=100)

    def processes(self, region):
        return {one["name"]: one for one in json.loads(self.supervisor(region, "status").stdout)}

    def relay(self, region, *words):
        """What a region in a namespace is told: `cut all`, `heal all`. What it said."""
        return subprocess.run([self.base(region) + "/bin/fraiseql-relay", "control", self.run_folder(region) + "/network/control",
                               *words], check=True, capture_output=True, text=True).stdout

    def begun(self):
        return sum(line["event"] == "begin" for region in self.regions for line in self.ledger(region))

    def kill_after(self, more, scripts=False):
        """Deploys, and kills the deployer with SIGKILL once so many steps have begun, with `scripts` what runs on the hosts
        too. False: it ended before."""
        wanted = self.begun() + more
        deployer = subprocess.Popen(self.command(self.file, "--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    stdin=subprocess.DEVNULL)
        while deployer.poll() is None:
            if self.begun() >= wanted:
                killed = children(deployer.pid) if scripts else []
                deployer.send_signal(signal.SIGKILL)
                for pid in killed:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                deployer.wait()
                return True
            time.sleep(0.001)
        return False

    def left_behind(self):
        """What of this deployment can still be seen on the machine."""
        left = [path for path in (f"/var/lib/fraiseql/{self.name}", f"/run/fraiseql/{self.name}") if os.path.exists(path)]
        left += [f"/run/{name}" for name in os.listdir("/run") if name.startswith(f"fraiseql-{self.name}-")]
        for folder in ("/etc/tmpfiles.d", "/etc/logrotate.d"):
            left += [f"{folder}/{name}" for name in os.listdir(folder) if self.name in name] if os.path.isdir(folder) else []
        if os.path.isdir("/run/netns"):
            left += [name for name in os.listdir("/run/netns") if name.startswith(f"fraiseql-{self.name}-")]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as text:
                    line = text.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if f"/fraiseql/{self.name}/" in line:
                left.append(f"process {pid}: {line[:200]}")
        users = "/var/lib/fraiseql/.users"
        for user in os.listdir(users) if os.path.isdir(users) else []:
            left += [name for name in os.listdir(os.path.join(users, user)) if name.startswith(self.name + ".")]
        return left

    def cleanup(self):
        if ROOT:
            self.run("destroy", self.file, "--yes", "--confirm", self.name, "--delete-data", status=None)
        self.folder.remove()


def children(pid):
    """Its descendants."""
    parents = {}
    for one in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{one}/stat", encoding="ascii", errors="replace") as text:
                parents[int(one)] = int(text.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = [pid]
    for parent in found:
        found += [child for child, its in parents.items() if its == parent]
    return found[1:]


def users():
    return {entry.pw_name for entry in pwd.getpwall()}


class Orders:
    """A client of the example service through a region's proxy."""

    def __init__(self, deployment):
        self.deployment = deployment
        status = next(record for record in deployment.records("status", deployment.file) if record["type"] == "status")
        self.urls = {region["name"]: region["endpoint"] + "/graphql" for region in status["regions"]}

    def ask(self, region, query, timeout=10.0):
        """The data, None where it was refused or nobody answered."""
        try:
            _, _, body = harness.fetch(self.urls[region], {"Content-Type": "application/json"},
                                       json.dumps({"query": query}).encode(), "POST", timeout)
            return json.loads(body).get("data")
        except (OSError, ValueError, http.client.HTTPException):
            return None

    def create(self, region, key, timeout=10.0):
        """The id of an order that was acknowledged; None: not acknowledged."""
        data = self.ask(region, f'mutation {{ createOrder(what: "tea", key: "{key}") {{ id }} }}', timeout)
        return data and data["createOrder"] and data["createOrder"]["id"]

    def has(self, region, number):
        data = self.ask(region, f'{{ order(id: "{number}") {{ id }} }}')
        return bool(data and data["order"])

    def count(self, region):
        data = self.ask(region, "{ orders(limit: 100) { id } }")
        return None if data is None else len(data["orders"])
