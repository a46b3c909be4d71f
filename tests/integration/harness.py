"""Real servers for the integration tests: the collector under test, PostgreSQL, Prometheus, Alertmanager, and small
HTTP peers whose behaviour a test chooses. Everything runs on loopback with ports and folders of its own.

A test file is a unittest module; `main()` runs it, prints skips aloud and ends with 77 when all were skipped."""

import contextlib
import http.client
import http.server
import json
import os

import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("FRAISEQL_BUILD", os.path.join(ROOT, "build", "release")))
COLLECTOR = os.path.join(BUILD, "bin", "fraiseql-collector")
LONG = os.environ.get("FRAISEQL_TEST_LONG") == "1"
# Sanitizer builds are slower and need address randomisation lowered.
LAUNCHER = os.environ.get("FRAISEQL_LAUNCHER", "").split()
if LAUNCHER:  # by its path: some tests empty the PATH
    LAUNCHER[0] = shutil.which(LAUNCHER[0]) or LAUNCHER[0]
PG_BIN = "/usr/lib/postgresql/15/bin"


def free_port():
    # Below the range of outgoing ports, so that no connection of ours takes it in between.
    for _ in range(1000):
        port = int.from_bytes(os.urandom(2), "big") % 12000 + 20000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def wait_until(condition, timeout=20.0, what="the condition", step=0.05):
    """The first true value of condition(), or AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
        except (OSError, http.client.HTTPException, urllib.error.URLError, AssertionError) as problem:
            last = None
            error = problem
        else:
            error = None
        if last:
            return last
        time.sleep(step)
    raise AssertionError(f"waited {timeout} s in vain for {what() if callable(what) else what}" + (f" (last error: {error})" if error else ""))


def fetch(url, headers=None, data=None, method=None, timeout=10.0):
    """(status, headers, body) of one request, whatever the status."""
    request = urllib.request.Request(url, headers=headers or {}, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


class Folder:
    """A temporary folder that any user may enter."""

    def __init__(self, prefix="fraiseql-test-"):
        self.path = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
        os.chmod(self.path, 0o755)

    def file(self, name, text="", mode=0o600):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, mode)
        return path

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Collector:
    """The program under test with a configuration given as a dict (JSON is YAML)."""

    def __init__(self, config, folder=None, name="c"):
        self.folder = folder or Folder()
        self.port = free_port()
        config.setdefault("version", 1)
        own = config.setdefault("collector", {})
        own.setdefault("name", "observer-1")
        own.setdefault("region", "us-east")
        own.setdefault("listen", f"127.0.0.1:{self.port}")
        own.setdefault("journal", os.path.join(self.folder.path, name + "-journal.db"))
        self.port = int(own["listen"].rsplit(":", 1)[1])
        self.config = config
        self.path = os.path.join(self.folder.path, name + ".yaml")
        self.log_path = os.path.join(self.folder.path, name + ".log")
        self.process = None
        self.write()

    def write(self, text=None):
        with open(self.path, "w", encoding="utf-8") as out:
            out.write(text if text is not None else json.dumps(self.config, indent=1))

    def start(self, ready=True, extra=(), env=None):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen([*LAUNCHER, COLLECTOR, "--config", self.path, *extra], stdout=log, stderr=log,
                                        env={**os.environ, **(env or {})})
        log.close()
        if ready:
            wait_until(self.is_ready, 30, "the collector to be ready")
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the collector ended with {self.process.returncode}:\n{self.log()}")
        return self.get("/-/ready")[0] == 200

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path, **more):
        return fetch(self.url(path), **more)

    def json(self, path):
        status, _, body = self.get(path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def metrics(self, query=""):
        status, _, body = self.get("/metrics" + query)
        assert status == 200, (status, body[:200])
        return parse_metrics(body.decode())

    def value(self, name, **labels):
        """The one value of the series that carries these labels, or None."""
        found = [v for (n, have), v in self.metrics().items()
                 if n == name and all(dict(have).get(k) == want for k, want in labels.items())]
        assert len(found) <= 1, (name, labels, found)
        return found[0] if found else None

    def slo(self, name, **labels):
        for slo in self.json("/api/v1/slos")["slos"]:
            if slo["name"] == name and slo["labels"] == labels:
                return slo
        return None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as text:
            return text.read()

    def stop(self, timeout=15):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout)
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as text:
            return int(text.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def close(self):
        with contextlib.suppress(Exception):
            self.stop(5)
        if self.process and self.process.poll() is None:
            self.kill()


def parse_metrics(text):
    """{(name, sorted label pairs): value} of a text 0.0.4 page; a series twice is an error."""
    series = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        head, value = line.rsplit(" ", 1)
        name, _, rest = head.partition("{")
        labels = []
        if rest:
            rest = rest[:-1]
            while rest:
                key, _, rest = rest.partition('="')
                value_text, i = "", 0
                while rest[i] != '"':
                    if rest[i] == "\\":
                        i += 1
                        value_text += {"n": "\n"}.get(rest[i], rest[i])
                    else:
                        value_text += rest[i]
                    i += 1
                labels.append((key, value_text))
                rest = rest[i + 1:].lstrip(",")
        key = (name, tuple(sorted(labels)))
        assert key not in series, f"series twice: {key}"
        series[key] = float(value)
    return series


# --- PostgreSQL ---------------------------------------------------------------------------------------------------

def as_postgres(command, **options):
    return subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command], check=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", **options)


class Postgres:
    """A primary and streaming standbys with slots, in a folder of their own."""

    def __init__(self, standbys=2, password=None, settings=""):
        if not os.path.exists(f"{PG_BIN}/postgres"):
            raise unittest.SkipTest("PostgreSQL 15 is not installed")
        self.folder = Folder("fraiseql-pg-")
        shutil.chown(self.folder.path, "postgres", "postgres")
        self.ports = [free_port() for _ in range(standbys + 1)]
        self.data = [os.path.join(self.folder.path, f"n{i}") for i in range(standbys + 1)]
        as_postgres([f"{PG_BIN}/initdb", "-D", self.data[0], "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8",
                     "--locale", "C"])
        with open(self.data[0] + "/postgresql.conf", "a", encoding="ascii") as conf:
            conf.write(f"port={self.ports[0]}\nlisten_addresses='127.0.0.1'\n"
                       f"unix_socket_directories='{self.folder.path}'\nwal_level=logical\nmax_wal_senders=20\n"
                       f"max_replication_slots=20\nhot_standby=on\nshared_buffers=32MB\nfsync=off\n"
                       f"wal_receiver_status_interval=1s\n{settings}\n")
        self.start(0)
        self.sql("create role monitor login" + (f" password '{password}'" if password else "") + "; grant pg_monitor to monitor")
        if password:
            with open(self.data[0] + "/pg_hba.conf", encoding="ascii") as hba:
                rules = hba.read()
            with open(self.data[0] + "/pg_hba.conf", "w", encoding="ascii") as hba:
                hba.write("host all monitor 127.0.0.1/32 scram-sha-256\n" + rules)
            self.sql("select pg_reload_conf()")
        for i in range(1, standbys + 1):
            self.add_standby(i)

    def add_standby(self, i, upstream_port=None):
        as_postgres([f"{PG_BIN}/pg_basebackup", "-d",
                     f"host=127.0.0.1 port={upstream_port or self.ports[0]} user=postgres application_name=n{i}", "-D", self.data[i],
                     "-R", "-X", "stream", "-C", "-S", f"slot_n{i}", "-c", "fast", "--no-sync"])
        with open(self.data[i] + "/postgresql.conf", "a", encoding="ascii") as conf:
            conf.write(f"port={self.ports[i]}\n")
        self.start(i)

    def start(self, i):
        as_postgres([f"{PG_BIN}/pg_ctl", "-D", self.data[i], "-l", f"{self.data[i]}.log", "-w", "start"])

    def stop(self, i, mode="fast"):
        as_postgres([f"{PG_BIN}/pg_ctl", "-D", self.data[i], "-m", mode, "-w", "stop"])

    def postmaster(self, i):
        with open(self.data[i] + "/postmaster.pid", encoding="ascii") as text:
            return int(text.readline())

    def signal_all(self, i, number):
        """To the postmaster and all its children."""
        pid = self.postmaster(i)
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as text:
            children = [int(child) for child in text.read().split()]
        for each in [pid, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)

    def sql(self, text, i=0, database="postgres"):
        result = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                                 str(self.ports[i]), "-U", "postgres", "-d", database, "-c", text],
                                check=True, capture_output=True, text=True)
        return result.stdout.strip()

    def dsn(self, i=0, user="monitor"):
        return f"host=127.0.0.1 port={self.ports[i]} dbname=postgres user={user}"

    def close(self):
        for i, data in enumerate(self.data):
            with contextlib.suppress(Exception):
                self.signal_all(i, signal.SIGCONT)
            with contextlib.suppress(Exception):
                self.stop(i, "immediate")
        self.folder.remove()


# --- HTTP peers ---------------------------------------------------------------------------------------------------

class Peer:
    """An HTTP server whose answer a test chooses: `peer.answer = lambda handler: (status, headers, body)`."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda handler: (200, {}, b"ready\n"))
        self.requests = []
        self.lock = threading.Lock()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                with peer.lock:
                    peer.requests.append((self.command, self.path, dict(self.headers), self.body))
                status, headers, body = peer.answer(self)
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_HEAD = handle_any

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.port = free_port()
        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def taken(self):
        with self.lock:
            return list(self.requests)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Program:
    """A server of somebody else's as a child process."""

    def __init__(self, command, folder, log_name, cwd=None):
        self.log_path = os.path.join(folder.path, log_name)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=cwd or folder.path)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def start_prometheus(folder, scrape_config, rules=None, alertmanager_port=None):
    """(Program, base url)"""
    if not shutil.which("prometheus"):
        raise unittest.SkipTest("prometheus is not installed")
    port = free_port()
    config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "scrape_configs": scrape_config}
    if rules:
        config["rule_files"] = [folder.file("rules.yml", json.dumps(rules), 0o644)]
    if alertmanager_port:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}]}
    path = folder.file("prometheus.yml", json.dumps(config), 0o644)
    program = Program(["prometheus", "--config.file=" + path, f"--web.listen-address=127.0.0.1:{port}",
                       "--storage.tsdb.path=" + os.path.join(folder.path, "prometheus"), "--log.level=warn"], folder,
                      "prometheus.log")
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: fetch(url + "/-/ready")[0] == 200, 20, "Prometheus")
    return program, url


def prometheus_query(url, expression):
    status, _, body = fetch(url + "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
    assert status == 200, body
    return json.loads(body)["data"]["result"]


def start_alertmanager(folder, webhook_url=None):
    """(Program, base url)"""
    if not shutil.which("prometheus-alertmanager"):
        raise unittest.SkipTest("prometheus-alertmanager is not installed")
    port = free_port()
    receiver = {"name": "all"}
    if webhook_url:
        receiver["webhook_configs"] = [{"url": webhook_url, "send_resolved": True}]
    config = {"route": {"receiver": "all", "group_wait": "0s", "group_interval": "1s"}, "receivers": [receiver]}
    path = folder.file("alertmanager.yml", json.dumps(config), 0o644)
    program = Program(["prometheus-alertmanager", "--config.file=" + path, f"--web.listen-address=127.0.0.1:{port}",
                       "--cluster.listen-address=", "--storage.path=" + os.path.join(folder.path, "alertmanager")], folder,
                      "alertmanager.log")
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: fetch(url + "/-/ready")[0] == 200, 20, "Alertmanager")
    return program, url


# --- OTLP ---------------------------------------------------------------------------------------------------------

def _varint(number):
    out = bytearray()
    while True:
        out.append((number & 0x7F) | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def _field(number, payload):
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _attribute(key, value):
    return _field(1, key.encode()) + _field(2, _field(1, value.encode()))


def otlp_span(name, duration_s=0.01, kind=1, error=False, parent=b"", end_s=None):
    end = int((end_s or time.time()) * 1e9)
    start = end - int(duration_s * 1e9)
    span = _field(1, os.urandom(16)) + _field(2, os.urandom(8))
    if parent:
        span += _field(4, parent)
    span += _field(5, name.encode()) + _varint(6 << 3) + _varint(kind)
    span += _varint(7 << 3 | 1) + struct.pack("<Q", start) + _varint(8 << 3 | 1) + struct.pack("<Q", end)
    if error:
        span += _field(15, _varint(3 << 3) + _varint(2))
    return span


def otlp_request(spans, service="fraiseql", attributes=None, resource_last=False):
    resource = _field(1, b"".join(_field(1, _attribute(k, v)) for k, v in
                                  {"service.name": service, **(attributes or {})}.items()))
    scope = _field(2, b"".join(_field(2, span) for span in spans))
    return _field(1, scope + resource if resource_last else resource + scope)


def send_spans(port, body, headers=None, path="/v1/traces"):
    return fetch(f"http://127.0.0.1:{port}{path}", {"Content-Type": "application/x-protobuf", **(headers or {})}, body, "POST")


# --- running ------------------------------------------------------------------------------------------------------

class Case(unittest.TestCase):
    """Closes what a test opens, last first; keeps the logs of a failed test."""

    def open(self, thing):
        self.addCleanup(thing.close if hasattr(thing, "close") else thing.remove)
        return thing

    def collector(self, config, **more):
        collector = self.open(Collector(config, **more))
        self.addCleanup(lambda: self._show_log(collector))
        return collector

    def _show_log(self, collector):
        outcome = getattr(self, "_outcome", None)
        result = getattr(outcome, "result", None)
        if result and any(test is self for test, _ in [*result.failures, *result.errors]):
            print("--- log of the collector ---\n" + "\n".join(collector.log().splitlines()[-40:]), file=sys.stderr)


def main():
    result = unittest.main(module="__main__", exit=False, verbosity=2, warnings="ignore").result
    for test, reason in result.skipped:
        print(f"SKIP {test.id()}: {reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    # A class that is skipped as a whole is one skip and no run.
    skipped_runs = sum(isinstance(test, unittest.TestCase) for test, _ in result.skipped)
    sys.exit(77 if result.skipped and skipped_runs == result.testsRun else 0)
