"""Real OpenTelemetry SDKs, and a real OpenTelemetry Collector, send to the collector over OTLP/HTTP.

The clients are in sdks/; each is fetched and built once into ~/.cache/fraiseql-tests and its tests are skipped where that
cannot be. The OpenTelemetry Collector (with otlp, spanmetrics, otlphttp and prometheus) is the program that
FRAISEQL_OTELCOL names."""

import json
import os
import socket
import threading
import unittest

import harness
from harness import Case, Folder, Program, fetch, free_port, parse_metrics, send_spans, wait_until
from sdks.clients import client, planned

CALLS = "traces_span_metrics_calls_total"
DURATION = "traces_span_metrics_duration_milliseconds"
BOUNDS_MS = [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000]
MANY = 20000


def expected_series(service, region, count):
    """What /metrics must say of a client's spans, in full; the arithmetic is in integers of microseconds."""
    series = {}
    for (name, kind, status), durations in planned(count).items():
        labels = {"service_name": service, "span_name": name, "span_kind": kind, "status_code": status, "region": region}
        put = lambda metric, value, **more: series.__setitem__((metric, tuple(sorted({**labels, **more}.items()))), value)
        put(CALLS, len(durations))
        put(DURATION + "_count", len(durations))
        put(DURATION + "_sum", sum(durations) / 1000)
        put(DURATION + "_bucket", len(durations), le="+Inf")
        for bound in BOUNDS_MS:
            put(DURATION + "_bucket", sum(us <= bound * 1000 for us in durations), le=f"{bound}.0")
    return series


def span_series(metrics, service=None):
    return {key: value for key, value in metrics.items() if key[0].startswith("traces_span_metrics_") and
            (service is None or dict(key[1])["service_name"] == service)}


class SdkCase(Case):
    def setUp(self):
        self.otlp = free_port()
        self.base = f"http://127.0.0.1:{self.otlp}"
        self.folder = self.open(Folder())

    def start(self, **limits):
        self.c = self.collector({
            "collector": {"limits": limits},
            "otlp": {"http": f"127.0.0.1:{self.otlp}"},
            "slos": [{"name": "entries", "objective": 99.9, "window": "1d", "by": ["region"],
                      "sli": {"spans": {"service": "orders", "entry": True}}}],
        }, folder=self.folder).start()

    def wait_for_spans(self, count):
        wait_until(lambda: self.c.value("fraiseql_otlp_spans_total") >= count and
                   sum(v for (name, _), v in self.c.metrics().items() if name == CALLS) >= count, 10, f"{count} spans")

    def requests(self):
        """{(signal, code): count} of what the collector has answered."""
        return {(dict(labels)["signal"], dict(labels)["code"]): value for (name, labels), value in self.c.metrics().items()
                if name == "fraiseql_otlp_requests_total" and value}

    def wait_for_requests(self, key, at_least=1):
        return wait_until(lambda: self.requests().get(key, 0) >= at_least and self.requests(), 10, f"requests {key}")

    def check_series(self, service, region, count):
        want, have = expected_series(service, region, count), span_series(self.c.metrics(), service)
        wrong = {key: (want.get(key), have.get(key)) for key in want.keys() | have.keys() if want.get(key) != have.get(key)}
        if wrong:
            some = "\n".join(map(str, sorted(wrong.items())[:10]))
            self.fail(f"{len(wrong)} of {len(want)} series differ, such as (series, (expected, found))\n{some}")

    def check_entries(self, region, count):
        """One span in 20 has no parent. All others say that theirs is in the same process, whatever their kind."""
        entries = range(0, count, 20)
        want = {"good": sum(i % 7 != 3 for i in entries), "total": len(entries), "unknown": 0}
        found = lambda: (self.c.slo("entries", region=region) or {"events": None})["events"]
        wait_until(lambda: found() == want, 10, lambda: f"events {want}, found {found()}")

    def send_many(self, sdk, region_attribute="region", quiet=True, **more):
        """Every span of a batch processor arrives once, and the SDK has nothing to report."""
        more.setdefault("endpoint", self.base)
        said = sdk.run(spans=MANY, service="orders", attributes=f"{region_attribute}=eu-west", **more)
        if quiet:
            self.assertEqual(said, "")
        self.wait_for_spans(MANY)
        self.check_series("orders", "eu-west", MANY)
        self.check_entries("eu-west", MANY)
        self.assertEqual(set(self.requests()), {("traces", "200")})
        self.assertEqual(self.c.value("fraiseql_otlp_spans_total"), MANY)
        self.assertEqual(self.c.value("fraiseql_otlp_skewed_spans_total"), 0)
        self.assertEqual(self.c.value("fraiseql_otlp_unnamed_spans_total"), 0)
        errors = sum(value for (name, labels), value in self.c.metrics().items()
                     if name == CALLS and dict(labels)["status_code"] == "STATUS_CODE_ERROR")
        self.assertEqual(errors, sum(i % 7 == 3 for i in range(MANY)))

    def check_compressed(self, compressed):
        wire, plain = (self.c.value(f"fraiseql_otlp_{what}_bytes_total") for what in ["received", "message"])
        self.assertGreater(plain, MANY * 50)
        if compressed:
            self.assertLess(wire, plain / 2)
        else:
            self.assertEqual(wire, plain)


class EverySignal:
    """What Python and Node.js are both asked to do."""

    def test_plain(self):
        self.send_many(self.sdk)
        self.check_compressed(False)

    def test_gzip(self):
        self.send_many(self.sdk, "deployment.region", exporter_otlp_compression="gzip")
        self.check_compressed(True)

    def test_endpoint_without_path(self):
        self.send_many(self.sdk, endpoint=None, exporter_otlp_traces_endpoint=self.base + "/")
        self.assertGreater(self.c.value("fraiseql_otlp_root_requests_total"), 0)

    def test_metrics_are_refused_once_an_export(self):
        said = self.sdk.run("metrics", endpoint=self.base)
        self.check_metrics_refused(said)

    def check_metrics_refused(self, said):
        # Both SDKs show no more of an answer than its status, so the collector's own log says what to do.
        self.assertIn("Not Found", said)
        # Four intervals and the last collection, each reported in a line; a retry would be one request more.
        exports = len(said.splitlines())
        self.assertLessEqual(exports, 6)
        wait_until(lambda: self.requests() == {("metrics", "404"): exports}, 10, f"{exports} refused requests")
        self.assertEqual(self.c.value("fraiseql_otlp_refused_requests_total", reason="signal"), exports)
        self.check_said_once("signal", "OTEL_METRICS_EXPORTER=none")

    def check_said_once(self, reason, advice):
        lines = wait_until(lambda: [line for line in self.c.log().splitlines() if "event=otlp.refused" in line], 5, "the log")
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(f"reason={reason}", lines[0])
        self.assertIn(advice, lines[0])


class PythonSdk(EverySignal, SdkCase):
    def setUp(self):
        super().setUp()
        self.sdk = client("python")
        self.start()

    def test_deflate(self):
        self.send_many(self.sdk, "cloud.region", exporter_otlp_compression="deflate")
        self.check_compressed(True)


class NodeSdk(EverySignal, SdkCase):
    def setUp(self):
        super().setUp()
        self.sdk = client("node")
        self.start()

    def test_json_is_refused_once(self):
        """`exporter-trace-otlp-http`, the default of many set-ups, sends JSON."""
        said = self.sdk.run("json", spans=10, endpoint=self.base)
        self.assertIn("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", said)
        self.assertEqual(self.wait_for_requests(("traces", "415")), {("traces", "415"): 1})
        self.check_said_once("content_type", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
        self.assertEqual(self.c.value("fraiseql_otlp_spans_total"), 0)


class GoSdk(SdkCase):
    def setUp(self):
        super().setUp()
        self.sdk = client("go")
        self.start()

    def test_plain(self):
        self.send_many(self.sdk)
        self.check_compressed(False)

    def test_gzip_and_endpoint_without_path(self):
        self.send_many(self.sdk, "cloud.region", endpoint=None, exporter_otlp_traces_endpoint=self.base,
                       exporter_otlp_compression="gzip")
        self.check_compressed(True)
        self.assertGreater(self.c.value("fraiseql_otlp_root_requests_total"), 0)


class RustSdk(SdkCase):
    def setUp(self):
        super().setUp()
        self.sdk = client("rust")
        self.start()

    def test_with_endpoint_posts_to_the_root(self):
        self.send_many(self.sdk, endpoint=None, client_endpoint=self.base)
        self.check_compressed(False)
        self.assertGreater(self.c.value("fraiseql_otlp_root_requests_total"), 0)

    def test_gzip(self):
        self.send_many(self.sdk, "deployment.region", exporter_otlp_compression="gzip")
        self.check_compressed(True)


class JavaSdk(SdkCase):
    def setUp(self):
        super().setUp()
        self.sdk = client("java")
        self.start()

    def test_gzip(self):
        self.send_many(self.sdk, "cloud.region", exporter_otlp_compression="gzip")
        self.check_compressed(True)

    def test_default_exporters_get_spans_through(self):
        """Left alone, the SDK sends metrics too: their refusal is shown and costs no span."""
        said = self.sdk.run(spans=MANY, endpoint=self.base, attributes="region=apac", metrics_exporter="otlp",
                            logs_exporter="otlp")
        self.assertIn("traces only", said)
        self.wait_for_spans(MANY)
        self.check_series("orders", "apac", MANY)
        self.assertLessEqual(set(self.requests()), {("traces", "200"), ("metrics", "404")})


class Refusals(SdkCase):
    """What is refused for a moment is sent again and counted once; what is refused for good is not sent again."""

    def refused(self, reason):
        return sum(value for (name, labels), value in self.c.metrics().items()
                   if name == "fraiseql_collector_http_refused_total" and ("reason", reason) in labels)

    def retried(self, language):
        sdk = client(language)
        self.start(memory="256MiB", body="64MiB")
        # One sender has sent all the bytes that may be in flight but one, and is slow with that one.
        with socket.create_connection(("127.0.0.1", self.otlp)) as hog:
            hog.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                        b"Content-Length: 67108864\r\n\r\n")
            hog.sendall(bytes((64 << 20) - 1))
            held = lambda: self.c.value("fraiseql_collector_http_inflight_bytes", server="otlp_http")
            wait_until(lambda: held() == (64 << 20) - 1, 10, "the slow sender to be waited for")
            self.assertEqual(send_spans(self.otlp, b"\n\0")[0], 503)
            before = wait_until(lambda: self.refused("inflight_bytes"), 5, "the refusal to be counted")
            said = []
            sender = threading.Thread(target=lambda: said.append(sdk.run(spans=400, endpoint=self.base,
                                                                         attributes="region=eu-west")))
            sender.start()
            wait_until(lambda: self.refused("inflight_bytes") > before, 60, "the SDK to be refused")
        sender.join(60)
        self.wait_for_spans(400)
        self.check_series("orders", "eu-west", 400)
        self.assertEqual(set(self.requests()), {("traces", "200")})
        return said[0]

    def test_python_retries(self):
        self.assertRegex(self.retried("python"), "^(WARNING:[^\n]*Transient error Service Unavailable[^\n]*\n)+$")

    def test_node_retries(self):
        self.assertNotIn("rror", self.retried("node"))

    def test_go_retries(self):
        self.assertEqual(self.retried("go"), "")

    def test_java_retries(self):
        self.assertNotIn("Failed to export", self.retried("java"))

    def too_large(self, language, message, **more):
        sdk = client(language)
        self.start(body="16KiB")
        self.assertIn(message, sdk.run(spans=400, endpoint=self.base, **more))
        wait_until(lambda: self.refused("body_size") == 1, 5, "the refusal to be counted")
        self.assertEqual(self.c.value("fraiseql_otlp_spans_total"), 0)

    def test_python_does_not_repeat_what_is_too_large(self):
        self.too_large("python", "413")

    def test_node_does_not_repeat_what_is_too_large(self):
        self.too_large("node", "the body is larger than the limit of 16384 bytes")

    def test_go_does_not_repeat_what_is_too_large(self):
        self.too_large("go", "the body is larger than the limit of 16384 bytes")

    def test_rust_does_not_repeat_what_is_too_large(self):
        self.too_large("rust", "413")

    def test_java_does_not_repeat_what_is_too_large(self):
        self.too_large("java", "413")


class OpenTelemetryCollector(SdkCase):
    """Its spanmetrics connector beside ours, over the same spans."""

    def setUp(self):
        super().setUp()
        self.program = os.environ.get("FRAISEQL_OTELCOL")
        if not self.program:
            raise unittest.SkipTest("FRAISEQL_OTELCOL names no OpenTelemetry Collector")
        self.sdk = client("python")
        self.start()

    def start_peer(self, metrics_exporters):
        """Spans to spanmetrics and to us, gzip; (Program, OTLP base url, page url)"""
        receive, page = free_port(), free_port()
        config = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{receive}"}}}},
            "connectors": {"spanmetrics": {"metrics_flush_interval": "1s"}},
            "exporters": {"prometheus": {"endpoint": f"127.0.0.1:{page}"},
                          "otlphttp": {"endpoint": self.base, "compression": "gzip"}},
            "service": {"telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
                        "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["spanmetrics", "otlphttp"]},
                                      "metrics": {"receivers": ["spanmetrics"], "exporters": metrics_exporters}}},
        }
        program = self.open(Program([self.program, "--config", self.folder.file("otelcol.yaml", json.dumps(config), 0o644)],
                                    self.folder, "otelcol.log"))
        url = f"http://127.0.0.1:{receive}"
        wait_until(lambda: fetch(url + "/v1/traces", {"Content-Type": "application/x-protobuf"}, b"", "POST")[0] == 200, 20,
                   "the OpenTelemetry Collector")
        return program, url, f"http://127.0.0.1:{page}/metrics"

    @staticmethod
    def comparable(metrics):
        """Without what one side alone says: its identity and the scope there, the region here."""
        kept = {"service_name", "span_name", "span_kind", "status_code"}
        return {(name, tuple((key, value) for key, value in labels if key in kept),
                 float(dict(labels)["le"]) if "le" in dict(labels) else None): value
                for (name, labels), value in span_series(metrics).items()}

    def log_of(self, program):
        with open(program.log_path, encoding="utf-8", errors="replace") as text:
            return text.read()

    def test_same_series_as_spanmetrics(self):
        program, url, page = self.start_peer(["prometheus"])
        for service in ["orders", "billing"]:
            self.assertEqual(self.sdk.run(spans=MANY, service=service, endpoint=url), "")
        self.wait_for_spans(2 * MANY)
        theirs = lambda: parse_metrics(fetch(page)[2].decode())
        total = lambda metrics, family: sum(value for (name, _), value in metrics.items() if name == family)
        counted = lambda: min(total(theirs(), family) for family in [CALLS, DURATION + "_count"])
        wait_until(lambda: counted() >= 2 * MANY, 20, "spanmetrics to have counted")
        ours, peer = self.comparable(self.c.metrics()), self.comparable(theirs())
        self.assertGreater(len(ours), 1000)
        self.assertEqual(ours.keys() ^ peer.keys(), set())
        for key, value in ours.items():
            # Their sums are added up in floats, ours in integers of nanoseconds.
            if key[0].endswith("_sum"):
                self.assertAlmostEqual(value, peer[key], delta=1e-9 * peer[key], msg=key)
            else:
                self.assertEqual(value, peer[key], key)
        self.assertEqual(set(self.requests()), {("traces", "200")})
        self.check_compressed(True)
        self.assertNotIn("xporting failed", self.log_of(program))

    def test_its_metrics_are_refused_for_good(self):
        program, url, _ = self.start_peer(["otlphttp"])
        self.assertEqual(self.sdk.run(spans=10, endpoint=url), "")
        wait_until(lambda: "traces only" in self.log_of(program), 15, "the refusal in its log")
        self.assertIn("not retryable", self.log_of(program))
        self.wait_for_spans(10)
        # One flush a second; a retry would come with each and never stop.
        refused = self.wait_for_requests(("metrics", "404"), 3)["metrics", "404"]
        self.assertGreaterEqual(self.log_of(program).count("traces only"), refused - 1)


if __name__ == "__main__":
    harness.main()
