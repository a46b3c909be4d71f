"""What hostile peers must not bring about: no crash, no growth without bounds, no page that cannot be read, and nobody
else kept waiting."""

import gzip
import json
import os
import random
import re
import resource
import shutil
import socket
import subprocess
import threading
import time
import unittest
import zlib

import harness
from harness import Case, Folder, Peer, fetch, free_port, otlp_request, otlp_span, send_spans, wait_until

# Sanitizers keep freed memory back, and pad what is in use.
MEMORY_BYTES = (2 << 30) if harness.LAUNCHER else (400 << 20)
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?,?\}})? (\S+)")
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "summary": ["", "_sum", "_count"],
            "gauge": [""], "unknown": [""], "info": ["_info"], "stateset": [""]}


def check_page(page, openmetrics):
    """Refuses what a strict reader of the format refuses: families in pieces, series twice, lines out of place."""
    text = page.decode("utf-8", errors="strict")
    lines = text.split("\n")
    assert lines.pop() == "", "the page does not end with a line end"
    if openmetrics:
        assert lines.pop() == "# EOF", "the page does not end with # EOF"
    families, names, series, family, kind = set(), {}, set(), None, None
    for line in lines:
        if line.startswith("# "):
            _, what, name, *rest = line.split(" ", 3)
            assert what in ("HELP", "TYPE", "UNIT"), line
            if name != family:
                assert name not in families, f"family in pieces: {name}"
                families.add(name)
                family, kind = name, None
            if what == "TYPE":
                assert kind is None, f"two types: {line}"
                kind = rest[0]
            continue
        match = SAMPLE.fullmatch(line)
        assert match, f"no sample: {line[:200]!r}"
        name, labels, value = match.groups()
        float(value)
        pairs = re.findall(LABEL, labels or "")
        assert len({pair.split("=")[0] for pair in pairs}) == len(pairs), f"a label twice: {line[:200]}"
        key = (name, tuple(sorted(pairs)))
        assert key not in series, f"series twice: {key}"
        series.add(key)
        if kind is None or (kind == "untyped"):
            if name != family:
                assert name not in families, f"family in pieces: {name}"
                families.add(name)
                family, kind = name, None
            continue
        suffixes = SUFFIXES[kind] if openmetrics else SUFFIXES[kind] + [""]
        assert any(name == family + suffix for suffix in suffixes), f"{name} under the {kind} {family}"
        assert names.setdefault(name, family) == family, f"{name} belongs to two families"
    return series


def raw(port, request, patience=45.0, read=65536):
    """What a server answers to these bytes, b"" when it closes, be it after its idle timeout."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        answer = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while len(answer) < read and (data := connection.recv(65536)):
                answer += data
        except TimeoutError:
            raise
        except OSError:
            pass
        return answer


class Flood:
    """Connections that are held open and sent one byte each in a while; those that are cut are opened again."""

    def __init__(self, port, count, beginning, period=0.2):
        self.port, self.count, self.beginning, self.period = port, count, beginning, period
        self.stopped = threading.Event()
        self.opened = 0
        self.connections = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def open_one(self):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", self.port))
        self.opened += 1
        return [connection, False]

    def feed(self, entry):
        try:
            if not entry[1]:
                entry[0].send(self.beginning)
                entry[1] = True
            else:
                entry[0].send(b"x")
        except BlockingIOError:
            pass
        except OSError:
            entry[0].close()
            entry[:] = self.open_one()

    def run(self):
        while not self.stopped.wait(self.period):
            while len(self.connections) < self.count:
                self.connections.append(self.open_one())
            for entry in self.connections:
                self.feed(entry)

    def close(self):
        self.stopped.set()
        self.thread.join()
        for connection, _ in self.connections:
            connection.close()


class RawServer:
    """Answers each connection with whatever `send(connection)` sends."""

    def __init__(self, send):
        self.send = send
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.taken = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                connection.recv(65536)
                self.taken += 1
                self.send(connection)
            except OSError:
                pass

    def close(self):
        self.listener.close()


class Attacked(Case):
    def begin(self, **config):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.api = self.open(Peer())
        self.c = self.collector({"probes": [{"name": "api", "http": {"url": self.api.url()}, "interval": "200ms"}],
                                 **config}).start()
        wait_until(lambda: self.c.metrics("?collect[]=probe").get(("fraiseql_probe_success", self.probe_labels())) == 1, 10,
                   "the first outcome")

    def probe_labels(self):
        return tuple(sorted({"observer": "observer-1", "probe": "api", "region": "us-east",
                             "target": f"127.0.0.1:{self.api.port}"}.items()))

    def assert_well(self):
        """Alive, healthy, measuring, readable, and not grown."""
        self.assertIsNone(self.c.process.poll(), self.c.log()[-3000:])
        self.assertEqual(wait_until(lambda: self.c.get("/-/healthy"), 20, "an answer")[0], 200)
        attempts = lambda: self.c.metrics("?collect[]=probe")[("fraiseql_probe_attempts_total", self.probe_labels())]
        before = attempts()
        wait_until(lambda: attempts() > before, 10, "the probe to go on")
        for accept in ("text/plain", OPENMETRICS):
            status, _, page = self.c.get("/metrics", headers={"Accept": accept}, timeout=60)
            self.assertEqual(status, 200)
            series = check_page(page, accept == OPENMETRICS)
            self.assertIn("fraiseql_probe_success", {name for name, _ in series})
            if accept == "text/plain" and shutil.which("promtool"):
                result = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)
                self.assertNotIn(b"error while linting", result.stderr, result.stderr[:500])
        self.assertLess(self.c.resident_bytes(), MEMORY_BYTES)


class Listener(Attacked):
    def setUp(self):
        self.begin()

    def assert_answers_during(self, flood):
        wait_until(lambda: flood.opened >= flood.count, 20, "the flood")
        slowest = 0
        for _ in range(20):
            begun = time.monotonic()
            status, _, page = self.c.get("/metrics", timeout=20)
            slowest = max(slowest, time.monotonic() - begun)
            self.assertEqual(status, 200)
            self.assertTrue(page)
            time.sleep(0.1)
        print(f"{self.id().rsplit('.')[-1]}: slowest of 20 pages took {slowest:.2f} s", flush=True)

    def test_slow_headers(self):
        flood = self.open(Flood(self.c.port, 300, b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: "))
        self.assert_answers_during(flood)
        wait_until(lambda: self.c.value("fraiseql_collector_http_refused_total", server="http", reason="slow") > 0, 30,
                   "slow requests to be cut")
        flood.close()
        self.assert_well()

    def test_slow_bodies(self):
        flood = self.open(Flood(self.c.port, 300, b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"))
        self.assert_answers_during(flood)
        flood.close()
        self.assert_well()
        wait_until(lambda: self.c.value("fraiseql_collector_http_inflight_bytes", server="http") == 0, 20,
                   "the bodies to be given back")

    def test_more_slow_headers_than_connections(self):
        flood = self.open(Flood(self.c.port, 2000, b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ", period=1))
        self.assert_answers_during(flood)
        flood.close()
        self.assert_well()

    def test_two_thousand_idle_connections(self):
        flood = self.open(Flood(self.c.port, 2000, b"", period=1))
        self.assert_answers_during(flood)
        wait_until(lambda: self.c.value("fraiseql_collector_http_refused_total", server="http", reason="connections") > 0, 30,
                   "idle connections to make room")
        flood.close()
        self.assert_well()
        self.assertLessEqual(self.c.value("fraiseql_collector_http_connections", server="http"), 1000)

    def test_slow_readers(self):
        readers = []
        for _ in range(100):
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", self.c.port))
            reader.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            readers.append(reader)
        self.assert_well()
        for reader in readers:
            reader.close()
        self.assert_well()

    def test_hostile_requests(self):
        head = b"Host: x\r\nConnection: close\r\n\r\n"
        requests = [
            (b"", b""), (b"\r\n\r\n\r\n", b""), (b"GET\r\n\r\n", b"4"), (b"GET /metrics\r\n\r\n", b"4"),
            (b"GET /metrics HTTP/9.9\r\n" + head, b"45"), (b"GET  /metrics  HTTP/1.1\r\n" + head, b"24"),
            (b"get /metrics HTTP/1.1\r\n" + head, b"4"), (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, b"4"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"45"), (b"\x00" * 5000, b"4"), (os.urandom(20000), b"4"),
            (b"GET /metrics HTTP/1.1\r\n\r\n", b"4"),  # no Host
            (b"GET http://127.0.0.1/metrics HTTP/1.1\r\n" + head, b"24"),
            (b"GET http://[::1/metrics HTTP/1.1\r\n" + head, b"4"), (b"CONNECT x:443 HTTP/1.1\r\n" + head, b"4"),
            (b"OPTIONS * HTTP/1.1\r\n" + head, b"4"), (b"TRACE / HTTP/1.1\r\n" + head, b"4"),
            (b"GET /metrics%00 HTTP/1.1\r\n" + head, b"4"), (b"GET /metrics%00.png HTTP/1.1\r\n" + head, b"4"),
            (b"GET /%00 HTTP/1.1\r\n" + head, b"4"), (b"GET /-/reload%00 HTTP/1.1\r\n" + head, b"4"),
            (b"GET /metrics?name%00[]=a%00b HTTP/1.1\r\n" + head, b"24"),
            (b"GET /metrics?%00 HTTP/1.1\r\n" + head, b"24"), (b"GET /metrics?& &&=&==&% HTTP/1.1\r\n" + head, b"24"),
            (b"GET /metrics?target=%zz%f HTTP/1.1\r\n" + head, b"24"), (b"GET /../../etc/passwd HTTP/1.1\r\n" + head, b"4"),
            (b"GET /metrics?x=" + b"a" * 100000 + b" HTTP/1.1\r\n" + head, b"24"),
            (b"GET /metrics?target=" + b"a" * 100000 + b" HTTP/1.1\r\n" + head, b"24"),
            (b"GET /metrics?" + b"name[]=a&" * 10000 + b" HTTP/1.1\r\n" + head, b"4"),
            (b"GET /metrics?" + b"collect[]=a&" * 10000 + b" HTTP/1.1\r\n" + head, b"4"),
            (b"GET /metrics?" + b"name[]=process_open_fds&" * 256 + b" HTTP/1.1\r\n" + head, b"2"),
            (b"GET /" + b"a" * 1000000 + b" HTTP/1.1\r\n" + head, b"4"),
            (b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 1000000 + b"\r\n" + head, b"4"),
            (b"GET /metrics HTTP/1.1\r\n" + b"".join(b"X%d: a\r\n" % i for i in range(20000)) + head, b"4"),
            (b"GET /metrics HTTP/1.1\r\nAccept: " + b"text/plain;q=0.5," * 4000 + b"\r\n" + head, b"2"),
            (b"GET /metrics HTTP/1.1\r\nAccept-Encoding: " + b"gzip;q=0," * 4000 + b"\r\n" + head, b"2"),
            (b"GET /metrics HTTP/1.1\r\nAccept: \xff\xfe;q=-1e999;;;=,,,\r\n" + head, b"24"),
            (b"GET /metrics HTTP/1.1\r\n folded\r\n: x\r\nno colon\r\n" + head, b"24"),
            (b"GET /sd HTTP/1.1\r\nHost: \"},\x01\xff<script>\r\nConnection: close\r\n\r\n", b"24"),
            (b"POST /-/reload HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n" + head, b"4"),
            (b"POST /-/reload HTTP/1.1\r\nContent-Length: -1\r\n" + head, b"4"),
            (b"POST /-/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + head + b"ffffffffffffffffffff\r\n", b"4"),
            (b"POST /-/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + head + b"-1\r\nxx\r\n0\r\n\r\n", b"4"),
            (b"POST /-/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + head + b"2;" + b"e" * 100000 + b"\r\nxx\r\n", b"4"),
            (b"POST /-/reload HTTP/1.1\r\nAuthorization: Bearer " + b"x" * 100000 + b"\r\n" + head, b"24"),
        ]
        for request, classes in requests:
            try:
                answer = raw(self.c.port, request)
            except TimeoutError:
                self.fail(f"neither answered nor closed: {request[:80]!r}")
            self.assertIsNone(self.c.process.poll(), f"{request[:80]!r} ended the process")
            if answer:  # closing without a word is fine too
                self.assertRegex(answer[:200], rb"^HTTP/1\.[01] [%s]" % (classes or b"4"), request[:80])
        self.assert_well()

    def test_requests_that_fill_the_memory_of_a_connection(self):
        """Paths, parameters, cookies, headers and trailers whose sum lies around what a connection may hold."""
        chance = random.Random(1)
        pick = lambda *choices: chance.choice(choices)
        for _ in range(20000 if harness.LONG else 1500):
            parts = [b"GET /" + b"p" * pick(0, 60000, 130000, 250000) + b"?" +
                     pick(b"n&", b"&", b"name[]=a&", b"x=" + b"y" * 28 + b"&") * pick(0, 1000, 1023, 1024, 3500, 4000, 10000) +
                     b" HTTP/1.1\r\nHost: x\r\n",
                     b"Cookie: " + pick(b"a=b; ", b"a;", b"=;", b'a="b";') * pick(0, 1000, 3000, 4000, 30000) + b"\r\n",
                     pick(b"X: a\r\n", b"A:\r\n") * pick(0, 1000, 3000, 3400, 3600, 9000),
                     pick(b"", b"Transfer-Encoding: chunked\r\n"), b"\r\n",
                     b"5\r\nhello\r\n0\r\n" + b"F: x\r\n" * pick(0, 3000, 10000) + b"\r\n"]
            request = b"".join(parts)
            request = request[:chance.randrange(len(request))] if chance.random() < 0.3 else request
            try:
                with socket.create_connection(("127.0.0.1", self.c.port), timeout=0.05) as connection:
                    connection.sendall(request)
                    if pick(True, False):
                        connection.shutdown(socket.SHUT_WR)
                    if pick(True, False):
                        connection.recv(4096)
                    connection.sendall(b"more\r\n\r\n")
            except OSError:
                pass
            self.assertIsNone(self.c.process.poll(), f"{request[:80]!r} ended the process")
        self.assert_well()

    def test_requests_ended_anywhere(self):
        request = b"POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        for end in range(len(request)):
            connection = socket.create_connection(("127.0.0.1", self.c.port))
            connection.sendall(request[:end])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # a reset
            connection.close()
        self.assert_well()


class Authorisation(Attacked):
    """Who may write when there is a token."""

    TOKEN = "s3cret-Token_of.some+length=="

    def setUp(self):
        self.port = free_port()
        self.folder = self.open(Folder())
        self.token = self.folder.file("token", self.TOKEN + "\n")
        self.begin(collector={"token_file": self.token}, otlp={"http": f"127.0.0.1:{self.port}"})

    def reload(self, authorization=None):
        return self.c.get("/-/reload", method="POST", data=b"", headers={"Authorization": authorization} if authorization else {})

    def test_only_the_token_opens(self):
        status, headers, _ = self.reload()
        self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"))
        right = self.TOKEN
        for wrong in ["Bearer", "Bearer ", f"Bearer {right[:-1]}", f"Bearer {right}x", f"Bearer {right.lower()}", right, f"Basic {right}",
                      f"Bearer  {right}", f"Bearer {right} {right}", "Bearer " + "x" * 10000, f"Bearer\t{right}", f'Bearer "{right}"']:
            self.assertEqual(self.reload(wrong)[0], 401, wrong)
            self.assertEqual(send_spans(self.port, otlp_request([otlp_span("a")]), {"Authorization": wrong})[0], 401, wrong)
        for name in ("Bearer", "bearer", "BEARER"):
            self.assertEqual(self.reload(f"{name} {right}")[0], 200)
        self.assertEqual(send_spans(self.port, otlp_request([otlp_span("a")]))[0], 401)
        self.assertEqual(send_spans(self.port, otlp_request([otlp_span("a")]), {"Authorization": f"Bearer {right}"})[0], 200)
        for path in ("/metrics", "/sd", "/config", "/api/v1/status", "/api/v1/slos", "/api/v1/incidents", "/"):
            status, _, body = self.c.get(path)  # reading is free, and tells nothing
            self.assertEqual(status, 200)
            self.assertNotIn(right.encode(), body)
        self.assertNotIn(right, self.c.log())
        self.assert_well()

    def test_a_reload_takes_another_token(self):
        self.folder.file("token", "another\n")
        self.assertEqual(self.reload(f"Bearer {self.TOKEN}")[0], 200)
        self.assertEqual(self.reload(f"Bearer {self.TOKEN}")[0], 401)
        self.assertEqual(self.reload("Bearer another")[0], 200)
        os.unlink(self.token)
        self.assertEqual(self.reload("Bearer another")[0], 400)  # and the former token stays
        self.assertEqual(self.reload("Bearer wrong")[0], 401)
        self.folder.file("token", "third\n")
        self.assertEqual(self.reload("Bearer another")[0], 200)
        self.assertEqual(self.reload("Bearer third")[0], 200)

    def test_off_loopback_there_must_be_a_token(self):
        config = {"otlp": {"http": f"0.0.0.0:{free_port()}"}}
        open_wide = self.collector(config)
        result = subprocess.run([*harness.LAUNCHER, harness.COLLECTOR, "--config", open_wide.path, "--check"], capture_output=True,
                                text=True, timeout=20)
        self.assertEqual(result.returncode, 65, result.stderr)
        self.assertIn("token", result.stderr)
        listening = self.collector({"collector": {"listen": f"0.0.0.0:{free_port()}"}})
        listening.start()
        self.assertEqual(listening.get("/-/reload", method="POST", data=b"")[0], 403)
        self.assertEqual(listening.get("/metrics")[0], 200)


class Otlp(Attacked):
    def setUp(self):
        self.port = free_port()
        self.begin(otlp={"http": f"127.0.0.1:{self.port}", "sources": [{"address": "127.0.0.1/32", "region": "us-east"}]})

    def post(self, body, **headers):
        return send_spans(self.port, body, {name.replace("_", "-"): value for name, value in headers.items()})[0]

    def assert_takes_spans(self):
        taken = lambda: self.post(otlp_request([otlp_span("ok")])) == 200
        wait_until(taken, 20, "spans to be taken again")
        self.assert_well()

    def test_compression_bombs(self):
        zeros = bytes(1 << 20)
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()
        members = gzip.compress(zeros) * 300
        nested = gzip.compress(bomb)
        for body in (bomb, members, nested, bomb[:-100], bomb[:30]):
            for _ in range(3):
                status = self.post(body, Content_Encoding="gzip")
                self.assertIn(status, (400, 413), len(body))
        self.assertLess(self.c.resident_bytes(), MEMORY_BYTES)
        self.assert_takes_spans()

    def test_refusals_of_the_server_itself_are_a_status(self):
        """OTLP/HTTP demands google.rpc.Status in the request's encoding, whoever refuses."""
        too_large, nowhere = bytes(65 << 20), f"http://127.0.0.1:{self.port}/v1/profiles"
        status, headers, body = send_spans(self.port, too_large)
        self.assertEqual((status, headers["Content-Type"]), (413, "application/x-protobuf"))
        self.assertEqual(body[:3], b"\x08\x08\x12", body)  # RESOURCE_EXHAUSTED, then the message
        self.assertIn(b"larger than the limit of 67108864 bytes", body)
        status, headers, body = fetch(nowhere, data=b"{}", headers={"Content-Type": "application/json"})
        self.assertEqual((status, headers["Content-Type"]), (404, "application/json"))
        self.assertEqual(json.loads(body)["code"], 12)
        status, headers, body = fetch(nowhere)
        self.assertEqual((status, headers["Content-Type"]), (404, "text/plain; charset=utf-8"))

    def test_large_bodies(self):
        body = bytes(65 << 20)
        self.assertEqual(self.post(body), 413)
        outcomes = []

        def send():
            try:
                outcomes.append(self.post(body))
            except OSError as problem:  # cut, since bodies over the limit are not waited for for ever
                outcomes.append(str(problem))

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([outcome for outcome in outcomes if isinstance(outcome, int) and outcome not in (413, 503)], [])
        self.assert_takes_spans()

    def test_announced_bodies_that_never_come(self):
        waiting = []
        for _ in range(50):
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                               b"Content-Length: 67108864\r\n\r\n")
            waiting.append(connection)
        self.assert_well()
        self.assert_takes_spans()  # they are cut after limits.request_timeout
        for connection in waiting:
            connection.close()

    def test_garbage(self):
        good = otlp_request([otlp_span("ok") for _ in range(20)])
        bodies = [b"", b"\x00", b"\xff" * 1000, os.urandom(100000), b"{}", b"[" * 100000, b"\x0a" * 100000, good[:-1],
                  good[:len(good) // 2], b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"]
        bodies += [good[:i] + bytes([good[i] ^ 0xFF]) + good[i + 1:] for i in range(0, 200, 7)]
        for body in bodies:
            for more in ({}, {"Content_Encoding": "gzip"}, {"Content_Encoding": "snappy"}, {"Content_Type": "application/json"},
                         {"Content_Type": "text/html; charset=\xff"}, {"Content_Encoding": "gzip, gzip"}):
                self.assertIn(self.post(body, **more), (200, 400, 413, 415), (body[:40], more))
        self.assert_takes_spans()

    def test_names_without_end(self):
        for start in range(0, 20000, 500):
            self.assertEqual(self.post(otlp_request([otlp_span(f"GET /user/{i}") for i in range(start, start + 500)],
                                                    service=f"s{start}")), 200)
        hostile = ["", "a" * 100000, "\n", '"} 1\n# TYPE x counter\nx 1\n', "\\", "\x00\x01", "\u202e"]
        self.assertEqual(self.post(otlp_request([otlp_span(name) for name in hostile], service='"\n\\')), 200)
        self.assertEqual(self.post(otlp_request([otlp_span("old", end_s=1)])), 200)
        time.sleep(1.5)  # one publication
        self.assert_takes_spans()


def page_of(text):
    body = text if isinstance(text, bytes) else text.encode()
    return lambda handler: (200, {"Content-Type": "text/plain; version=0.0.4"}, body)


class Pages(Attacked):
    """Hostile servers among the targets of the Prometheus scraper."""

    def scrape(self, servers, **target):
        """A collector that scrapes them all, each at least twice."""
        targets = [{"name": name, "url": f"http://127.0.0.1:{server.port}/metrics", **target} for name, server in servers.items()]
        self.begin(defaults={"interval": "1s", "timeout": "1s"}, scrapers={"prometheus": targets})
        scrapes = lambda: {t["name"]: self.c.metrics(f"?target={t['name']}").get(("fraiseql_target_scrapes_total", (
            ("region", "us-east"), ("scraper", "prometheus"), ("target", t["name"]))), 0) for t in targets}
        wait_until(lambda: min(scrapes().values()) >= 2, 60, scrapes)

    def test_hostile_text(self):
        changing = iter(range(1 << 30))
        kinds = ["counter", "gauge", "histogram", "summary", "untyped"]
        pages = {
            "bad-utf8": b'ok 1\nbad{a="\xff\xfe"} 1\nbad\xc0\x80 2\n# HELP ok \xff\xff\nok2 1\n',
            "surrogates": b'm{a="\xed\xa0\x80"} 1\nm{a="\xf4\x90\x80\x80"} 1\n',
            "nul": b'm{a="\x00"} 1\nm\x00 1\n\x00\n',
            "collision": "# TYPE foo_total counter\nfoo_total 1\n# TYPE foo gauge\nfoo 2\n# TYPE foo_info gauge\nfoo_info 3\n"
                         "# TYPE foo_bucket gauge\nfoo_bucket 1\n# TYPE foo_sum counter\nfoo_sum 1\n# TYPE foo_count counter\nfoo_count 3\n",
            "collision-2": "# TYPE foo histogram\nfoo_bucket{le=\"1\"} 1\nfoo_bucket{le=\"+Inf\"} 2\nfoo_sum 1\nfoo_count 2\n",
            "collision-3": "# TYPE foo summary\nfoo{quantile=\"0.5\"} 1\nfoo_sum 1\nfoo_count 1\n# TYPE foo_total gauge\nfoo_total 1\n",
            "twice": "m 1\nm 2\nm{a=\"1\",b=\"2\"} 1\nm{b=\"2\",a=\"1\"} 2\nm{a=\"\"} 3\nm{a=\"1\",a=\"2\"} 1\n",
            "interleaved": "".join(f"a{{i=\"{i}\"}} 1\nb{{i=\"{i}\"}} 1\n# TYPE a counter\n" for i in range(100)),
            "numbers": "m 1e999\nm2 nan\nm3 -Inf\nm4 0x1p3\nm5 1_000\nm6 1e\nm7 --1\nm8 " + "9" * 5000 + "\nm9 1 99999999999999999999\n",
            "histogram": "# TYPE h histogram\nh_bucket{le=\"2\"} 5\nh_bucket{le=\"1\"} 9\nh_bucket{le=\"x\"} 1\nh_bucket 1\nh_count -1\nh_sum NaN\n",
            "labels": "m{" + ",".join(f'l{i}="v"' for i in range(1000)) + "} 1\n" + 'm{__name__="other",target="x",scraper="y",region="z"} 1\n',
            "quotes": 'm{a="\\"} 1\nm{a="\\q"} 1\nm{a="x} 1\nm{a=x"} 1\nm{{a="1"}} 1\nm{,} 1\nm{a="1",,} 1\n{m="1"} 1\n{"quoted name",a="1"} 1\n',
            "metadata": "# TYPE\n# TYPE m\n# TYPE m nonsense\n# TYPE m gauge\n# TYPE m counter\n# HELP m a\\qb\\\n# UNIT m\n#TYPE m gauge\n# EOF\nm 1\n",
            "html": "<!doctype html><html><body>" + "<p>no metrics</p>\n" * 1000,
            "empty": "", "blank": "\n \n\t\n\r\n" * 1000, "no-end": "m 1", "crlf": "m 1\r\nm2{a=\"1\"} 2\r\n",
        }
        servers = {name: self.open(Peer(page_of(text))) for name, text in pages.items()}
        servers["changing"] = self.open(Peer(lambda handler: page_of(
            "# TYPE shift {0}\nshift{1} 1\n".format(kinds[(kind := next(changing)) % 5], "_total" if kind % 2 else ""))(handler)))
        self.scrape(servers)
        self.assert_well()

    def test_imitations_of_our_own(self):
        self.begin()
        own = self.c.get("/metrics")[2].decode()
        self.c.close()
        twisted = re.sub(r"(?m)^# TYPE (\S+) \S+$", r"# TYPE \1 counter", own)
        servers = {"same": self.open(Peer(page_of(own))), "twisted": self.open(Peer(page_of(twisted))),
                   "target": self.open(Peer(page_of("# TYPE fraiseql_target_up gauge\n" + "".join(
                       f'fraiseql_target_up{{scraper="prometheus",target="{name}",region="us-east"}} 42\n'
                       for name in ("same", "twisted", "target")))))}
        self.scrape(servers)
        self.assert_well()
        self.assertEqual(self.c.metrics()[("fraiseql_probe_success", self.probe_labels())], 1)
        for name in servers:
            own_labels = (("region", "us-east"), ("scraper", "prometheus"), ("target", name))
            self.assertEqual(self.c.metrics()[("fraiseql_target_up", own_labels)], 1)

    def test_pages_without_measure(self):
        series = b"# TYPE many gauge\n" + b"".join(b'many{i="%d"} 1\n' % i for i in range(1000000))
        labels = b"m{" + b",".join(b'l%d="v"' % i for i in range(1000000)) + b"} 1\nafter 1\n"
        self.scrape({"series": self.open(Peer(page_of(series))), "labels": self.open(Peer(page_of(labels))),
                     "families": self.open(Peer(page_of(b"".join(b"f%d 1\n" % i for i in range(300000))))),
                     "help": self.open(Peer(page_of(b"# HELP m " + b"x" * 20000000 + b"\nm 1\n"))),
                     "value": self.open(Peer(page_of(b'm{a="' + b"x" * 20000000 + b'"} 1\nafter 1\n')))},
                    interval="10s", timeout="10s")
        self.assert_well()
        self.assertLessEqual(sum(1 for name, _ in self.c.metrics() if name == "many"), 10000)

    def test_bodies_without_end(self):
        def endless(connection, piece, head=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"):
            connection.sendall(head)
            while True:
                connection.sendall(piece)

        def chunks(connection):
            endless(connection, b"10000\r\n" + b"m 1\n" * 16384 + b"\r\n",
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

        def bomb(connection):
            packer = zlib.compressobj(9, zlib.DEFLATED, 31)
            body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(512)) + packer.flush()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        self.scrape({"line": self.open(RawServer(lambda connection: endless(connection, b"x" * 65536))),
                     "lines": self.open(RawServer(lambda connection: endless(connection, b'm{a="1"} 1\n' * 6000))),
                     "newlines": self.open(RawServer(lambda connection: endless(connection, b"\n" * 65536))),
                     "headers": self.open(RawServer(lambda connection: endless(connection, b"X: " + b"y" * 65000 + b"\r\n",
                                                                               b"HTTP/1.1 200 OK\r\n"))),
                     "interim": self.open(RawServer(lambda connection: endless(connection, b"HTTP/1.1 100 Continue\r\n\r\n", b""))),
                     "chunks": self.open(RawServer(chunks)), "bomb": self.open(RawServer(bomb))})
        self.assert_well()

    def test_servers_that_waste_time(self):
        def drip(connection):
            for byte in b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"m 1\n" * 1000:
                connection.sendall(bytes([byte]))
                time.sleep(1)

        def drip_body(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)

        answers = {"status-0": b"HTTP/1.1 000 x\r\n\r\n", "status-long": b"HTTP/1.1 99999 x\r\n\r\n", "nothing": b"",
                   "garbage": os.urandom(5000), "short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nm 1\n",
                   "negative": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nm 1\n",
                   "both": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nm 1\r\n0\r\n\r\n",
                   "file": b"HTTP/1.1 302 x\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
                   "bad-gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nm 1\n"}
        servers = {name: self.open(RawServer(lambda connection, text=text: connection.sendall(text)))
                   for name, text in answers.items()}
        servers["drip"] = self.open(RawServer(drip))
        servers["drip-body"] = self.open(RawServer(drip_body))
        loop = self.open(Peer())
        loop.answer = lambda handler: (302, {"Location": loop.url("/again")}, b"")
        servers["redirects"] = loop
        self.scrape(servers)
        self.assert_well()
        for name in ("drip", "drip-body", "redirects", "file", "nothing", "garbage", "bad-gzip", "short"):
            self.assertEqual(self.c.value("fraiseql_target_up", target=name), 0, name)
        scrapes = self.c.value("fraiseql_target_scrapes_total", target="redirects")
        self.assertLess(len(loop.taken()), (scrapes + 2) * 20)


class Flooded(Attacked):
    def test_spans_scrapes_and_reloads_at_once(self):
        port = free_port()
        self.begin(otlp={"http": f"127.0.0.1:{port}"})
        stop, problems = threading.Event(), []

        def again(act):
            while not stop.is_set():
                try:
                    act()
                except Exception as problem:  # pylint: disable=broad-except
                    problems.append(repr(problem))

        body = otlp_request([otlp_span(f"op{i}") for i in range(100)])
        acts = [lambda: send_spans(port, body), lambda: self.c.get("/metrics", headers={"Accept-Encoding": "gzip"}, timeout=30),
                lambda: self.c.get("/-/reload", method="POST", data=b"", timeout=30), lambda: self.c.json("/api/v1/status"),
                lambda: self.c.json("/api/v1/slos"), lambda: self.c.json("/sd"), lambda: self.c.get("/config")]
        threads = [threading.Thread(target=again, args=(act,)) for act in acts for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(8 if not harness.LONG else 60)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        self.assert_well()
        self.assertEqual(self.c.stop(15), 0)


class Reader(unittest.TestCase):
    """The strict reader itself must refuse."""

    def test_it_refuses(self):
        for page in [b"a 1", b"a 1\na 1\n", b"a 1\nb 1\na{x=\"1\"} 1\n", b"# TYPE a gauge\nb 1\n", b"a{x=\"1\",x=\"2\"} 1\n",
                     b"a{x=\"\n\"} 1\n", b"a x\n", b"# TYPE a gauge\n# TYPE a gauge\na 1\n"]:
            with self.assertRaises((AssertionError, ValueError)):
                check_page(page, False)
        self.assertEqual(len(check_page(b"# TYPE a counter\na_total 1\n# TYPE b gauge\nb 1\n# EOF\n", True)), 2)


if __name__ == "__main__":
    harness.main()
