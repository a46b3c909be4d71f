"""The demo behind scripts/demo: deploys examples/three-regions.yaml, puts a load on it, tells a story, shows it."""

import base64
import collections
import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILE = os.path.join(ROOT, "examples", "three-regions.yaml")
NAME = "three-regions"
FRAISEQL = os.path.join(os.environ.get("FRAISEQL_BUILD", os.path.join(ROOT, "build", "release")), "bin", "fraiseql")
STATE = "/run/fraiseql-demo.pid"
HOOK_PORT = 9999
STEADY_S = float(os.environ.get("FRAISEQL_DEMO_STEADY_S", "20"))
CUT_S = 20
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
CREATE = "mutation M($what: String!, $key: String) { createOrder(what: $what, key: $key) { id } }"


def paint(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text):
    print(text, flush=True)


def running_pid():
    try:
        with open(STATE, encoding="ascii") as text:
            pid = int(text.read())
        with open(f"/proc/{pid}/cmdline", "rb") as text:
            return pid if b"demo.py" in text.read() else None
    except (OSError, ValueError):
        return None


def destroy():
    subprocess.run([FRAISEQL, "deploy", "destroy", FILE, "--yes", "--confirm", NAME, "--delete-data"], check=False,
                   stdin=subprocess.DEVNULL)
    with contextlib.suppress(OSError):
        os.remove(STATE)


def stop():
    pid = running_pid()
    if not pid:
        if not os.path.exists(f"/var/lib/fraiseql/{NAME}"):
            say("no demo is running")
            return 0
        destroy()
        return 0
    os.kill(pid, signal.SIGTERM)
    for _ in range(1200):
        if not running_pid():
            say("the demo has ended")
            return 0
        time.sleep(0.1)
    say(f"the demo (process {pid}) does not end")
    return 1


class Hook:
    """Takes the collectors' webhooks and verifies their signatures (Standard Webhooks)."""

    def __init__(self, address):
        with open(os.path.join(os.path.dirname(FILE), ".fraiseql", NAME, "secrets", "monitoring-webhook"), "rb") as text:
            secret = text.read().strip()
        self.taken = collections.deque(maxlen=4)
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                hook.take(secret, self.headers, body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, HOOK_PORT), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, secret, headers, body):
        told = ".".join([headers.get("webhook-id", ""), headers.get("webhook-timestamp", ""), ""]).encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(secret, told, hashlib.sha256).digest()).decode()
        signed = any(hmac.compare_digest(wanted, one) for one in headers.get("webhook-signature", "").split())
        with contextlib.suppress(ValueError, LookupError, TypeError):
            for alert in json.loads(body)["alerts"]:
                labels = alert["labels"]
                self.taken.append((time.strftime("%H:%M:%S"), alert["status"], labels["alertname"], labels.get("region", ""),
                                   f"seen by {labels['observer']}" if "observer" in labels else "",
                                   "signature verified" if signed else "not signed"))


class Region:
    """A region as its clients know it, and a client that reads and writes there."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self.lock = threading.Lock()
        self.done = collections.deque()  # (time, kind, good, seconds)
        self.acknowledged = 0

    def get(self, port, path):
        with urllib.request.urlopen(f"http://{self.address}:{port}{path}", timeout=3) as answer:
            return json.loads(answer.read())

    def ask(self, query, variables=None):
        connection = http.client.HTTPConnection(self.address, 8080, timeout=5)
        try:
            connection.request("POST", "/graphql", json.dumps({"query": query, "variables": variables or {}}),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status == 200 and "errors" not in json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()

    def work(self, kind, stopping):
        while not stopping.wait(0.1):
            begun = time.monotonic()
            good = self.ask("{ orders(limit: 5) { id region } }") if kind == "read" else \
                self.ask(CREATE, {"what": "demo", "key": uuid.uuid4().hex})
            with self.lock:
                self.done.append((time.monotonic(), kind, good, time.monotonic() - begun))
                self.acknowledged += good and kind == "write"
                while self.done and self.done[0][0] < time.monotonic() - 3:
                    self.done.popleft()

    def lately(self, kind):
        """(good and bad ones a second, median seconds) of the last three seconds."""
        with self.lock:
            some = [one for one in self.done if one[1] == kind]
        times = sorted(seconds for _, _, good, seconds in some if good)
        good = len(times)
        return good / 3, (len(some) - good) / 3, times[good // 2] if times else None

    def relay(self, *words):
        subprocess.run([f"/var/lib/fraiseql/{NAME}/{self.name}/bin/fraiseql-relay", "control",
                        f"/run/fraiseql/{NAME}/{self.name}/network/control", *words], check=False, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def kill_database(self):
        with open(f"/run/fraiseql/{NAME}/{self.name}/postgresql.pid", encoding="ascii") as text:
            os.kill(int(text.read().split()[0]), signal.SIGKILL)


class Demo:
    def __init__(self):
        self.note, self.stopping, self.told = "steady state", threading.Event(), False
        self.regions, self.hook = [], None

    def start(self):
        begun = time.monotonic()
        say(f"fraiseql deploy {os.path.relpath(FILE)} --yes")
        if subprocess.run([FRAISEQL, "deploy", FILE, "--yes"], check=False, stdin=subprocess.DEVNULL).returncode:
            raise SystemExit(1)
        status = subprocess.run([FRAISEQL, "deploy", "status", FILE, "--json"], check=False, capture_output=True, text=True,
                                stdin=subprocess.DEVNULL).stdout
        rows = next(row for row in map(json.loads, status.splitlines()) if row["type"] == "status")["regions"]
        self.regions = [Region(row["name"], row["endpoint"].split("//")[-1].split(":")[0]) for row in rows]
        say(f"three regions after {time.monotonic() - begun:.0f} s")
        # The machine's end of the regions' cables.
        self.hook = Hook(self.regions[0].address.rsplit(".", 1)[0] + ".1")
        for region in self.regions:
            for kind in ("read", "write"):
                threading.Thread(target=region.work, args=(kind, self.stopping), daemon=True).start()
        threading.Thread(target=self.story, daemon=True).start()

    def pause(self, seconds, note):
        self.note = note
        return self.stopping.wait(seconds)

    def story(self):
        _, near, far = self.regions
        if self.pause(STEADY_S, "steady state: every region writes to the primary and reads at home"):
            return
        near.kill_database()
        if self.pause(15, f"{near.name}: its database was killed; reads went on elsewhere until it was started again"):
            return
        far.relay("cut", "all")
        if self.pause(CUT_S, f"{far.name} is cut off for {CUT_S} s: it reads at home and cannot write, its budget burns"):
            return
        far.relay("heal", "all")
        if self.pause(25, f"{far.name} is back: its database catches up, incidents end"):
            return
        self.note, self.told = "the story is told; the load goes on", True

    # --- the view ---

    def lines(self):
        first = self.regions[0]
        status, slos = first.get(9480, "/api/v1/status"), first.get(9480, "/api/v1/slos")["slos"]
        incidents = first.get(9480, "/api/v1/incidents?limit=5")["incidents"]
        yield f"{NAME}, {time.strftime('%H:%M:%S')}   now: {paint(self.note, 36)}"
        yield ""
        yield f"{'region':15} {'api':5} {'database':9} {'reads/s':>8} {'ms':>5} {'failed':>7}   {'writes/s':>8} {'ms':>5} {'failed':>7} {'acknowledged':>13}"
        for region in self.regions:
            up = {probe["name"]: probe["up"] for probe in status["probes"] if probe["region"] == region.name}
            parts = []
            for kind in ("read", "write"):
                good, bad, middle = region.lately(kind)
                parts.append(f"{good:8.1f} {'-' if middle is None else f'{middle * 1000:.0f}':>5} "
                             f"{paint(f'{bad:7.1f}', 31 if bad else 32)}")
            yield (f"{region.name:15} {self.up(up.get('api'), 5)} {self.up(up.get('database'), 9)} {parts[0]}   {parts[1]} "
                   f"{region.acknowledged:13}")
        yield ""
        yield f"{'objective':18} {'region':15} {'target':>7} {'good/total':>15} {'budget left':>12} {'burn 5m':>8}"
        for slo in slos:
            left, burn = slo["error_budget"]["remaining_ratio"], slo["burn_rates"].get("5m")
            text = "-" if left is None else f"{left * 100:.3f} %"
            events = f"{slo['events']['good']}/{slo['events']['total']}"
            yield (f"{slo['name']:18} {slo['labels'].get('region', ''):15} {slo['objective']:>7} {events:>15} "
                   f"{paint(f'{text:>12}', 31 if left is not None and left < 0 else 32)} "
                   f"{'-' if burn is None else f'{burn:.1f}':>8}")
        yield ""
        yield f"incidents that {first.name} knows of:"
        for incident in incidents:
            told = ", ".join(f"{one['receiver']} {one['state']}" for one in incident["notifications"])
            colour = {"firing": 31, "resolved": 32}.get(incident["state"], 33)
            yield (f"  {incident['started'][11:19]} {paint(format(incident['state'], '9'), colour)} {incident['trigger']:14} "
                   f"{incident['labels'].get('region', ''):15} {told}")
        yield f"webhooks taken on port {HOOK_PORT}:"
        for row in self.hook.taken:
            yield "  " + " ".join(f"{word:{width}}" for word, width in zip(row, (8, 9, 15, 15, 23, 0)))
        yield ""
        yield from self.where()

    def where(self):
        a = self.regions[0].address
        yield f"look at: service http://{a}:8080/graphql   collector http://{a}:9480/   Prometheus http://{a}:9090   Alertmanager http://{a}:9093"
        yield f"         fraiseql deploy status {os.path.relpath(FILE)}   logs /var/lib/fraiseql/{NAME}/*/log   Ctrl-C ends everything"

    @staticmethod
    def up(value, width):
        text = {True: "up", False: "DOWN"}.get(value, "-")
        return paint(f"{text:{width}}", {True: 32, False: 31}.get(value, 33))

    def show(self):
        terminal = sys.stdout.isatty()
        while not self.stopping.wait(1 if terminal else 5):
            try:
                page = list(self.lines())
            except (OSError, ValueError, LookupError) as problem:  # the view outlives what it shows
                page = [f"the collector of {self.regions[0].name} does not answer: {problem}"]
            if terminal:
                sys.stdout.write("\033[H\033[2J")
            say("\n".join(page) + ("" if terminal else "\n"))


def check_machine():
    if os.geteuid() != 0:
        sys.exit("scripts/demo: run it as root: it makes network namespaces and users")
    if running_pid():
        sys.exit("scripts/demo: a demo is running already; `scripts/demo stop` ends it")
    if not os.path.exists("/dev/net/tun"):
        sys.exit("scripts/demo: this machine has no /dev/net/tun, which regions reach each other by")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", HOOK_PORT))
        except OSError:
            sys.exit(f"scripts/demo: port {HOOK_PORT} is in use, where webhooks are taken")


def start():
    check_machine()
    demo = Demo()
    with open(STATE, "w", encoding="ascii") as out:
        out.write(str(os.getpid()))

    def end(*_):
        demo.stopping.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    try:
        demo.start()
        demo.show()
    except KeyboardInterrupt:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        demo.stopping.set()
        say("ending everything")
        destroy()
    return 0


if __name__ == "__main__":
    sys.exit({"start": start, "stop": stop}[sys.argv[1]]())
