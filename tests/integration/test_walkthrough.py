"""The thinnest path through everything: a probe, PostgreSQL, spans and counters in; /metrics, budgets, a webhook out."""

import hashlib
import hmac
import base64
import json
import os

import harness
from harness import Case, Folder, Peer, Postgres, otlp_request, otlp_span, send_spans, wait_until


class Walkthrough(Case):
    def setUp(self):
        self.folder = self.open(Folder())
        self.postgres = self.open(Postgres(standbys=2, password="s3cret-monitor"))
        self.api = self.open(Peer())
        self.hook = self.open(Peer(lambda handler: (200, {}, b"")))
        self.counters = {"total": 100, "error": 0}
        self.app = self.open(Peer(self.app_metrics))
        secret = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
        password = self.folder.file("monitor.password", "s3cret-monitor\n")
        otlp = harness.free_port()
        self.otlp = otlp
        members = [{"name": f"orders-{region}", "cluster": "orders", "region": region, "dsn": self.postgres.dsn(i),
                    "password_file": password, "interval": "1s", "lag_interval": "250ms"}
                   for i, region in enumerate(["us-east", "eu-west", "apac"])]
        self.c = self.collector({
            "defaults": {"interval": "1s", "timeout": "1s"},
            "regions": {"us-east": {"provider": "aws", "location": "us-east-1"}},
            "scrapers": {"postgres": members,
                         "prometheus": [{"name": "app", "region": "us-east", "url": self.app.url("/metrics")}]},
            "probes": [{"name": "api", "region": "us-east", "http": {"url": self.api.url("/readiness"),
                        "expect": {"status": [200], "body": "ready"}}, "interval": "50ms", "timeout": "50ms"}],
            "otlp": {"http": f"127.0.0.1:{otlp}", "sources": [{"address": "127.0.0.1/32", "region": "us-east"}]},
            "slos": [
                {"name": "api-availability", "objective": 99.99, "window": "30d", "by": ["region"], "sli": {"probe": "api"},
                 "no_data": "bad"},
                {"name": "errors", "objective": 99.95, "window": "30d", "by": ["region"],
                 "sli": {"bad": "fraiseql_graphql_queries_error", "total": "fraiseql_graphql_queries_total"}},
                {"name": "spans", "objective": 99.95, "window": "30d", "by": ["region"],
                 "sli": {"spans": {"service": "fraiseql", "entry": True}}},
                {"name": "lag", "objective": 99.9, "window": "30d", "by": ["region"], "sli": {"time_slice": {
                    "metric": "fraiseql_postgres_replication_lag_seconds", "below": 0.5, "every": "1s"}}},
            ],
            "triggers": [{"name": "region-down", "when": {"probe": "api", "failures": 3, "of": 3}, "by": ["region"],
                          "resolve": {"successes": 5, "of": 5}, "labels": {"severity": "page"},
                          "annotations": {"summary": "API down in {{region}}"}, "notify": ["oncall"]}],
            "notify": [{"name": "oncall", "webhook": {"url": self.hook.url("/hook"), "format": "alertmanager-webhook-v4",
                        "secret_file": self.folder.file("webhook.secret", "whsec_" + secret)}}],
        }, folder=self.folder)
        self.secret = b"0123456789abcdef0123456789abcdef"

    def app_metrics(self, _):
        text = ("# TYPE fraiseql_graphql_queries_total counter\nfraiseql_graphql_queries_total %(total)d\n"
                "# TYPE fraiseql_graphql_queries_error counter\nfraiseql_graphql_queries_error %(error)d\n" % self.counters)
        return 200, {"Content-Type": "text/plain; version=0.0.4"}, text.encode()

    def check_signature(self, request):
        _, _, headers, body = request
        headers = {key.lower(): value for key, value in headers.items()}
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        want = "v1," + base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
        self.assertIn(want, headers["webhook-signature"].split(" "))

    def test_everything_flows(self):
        c = self.c.start()
        for region in ["us-east", "eu-west", "apac"]:
            wait_until(lambda: c.value("pg_up", target=f"orders-{region}") == 1, 20, f"pg_up of {region}")
        for region in ["eu-west", "apac"]:
            wait_until(lambda: c.value("fraiseql_postgres_replication_lag_known", target=f"orders-{region}") == 1, 20, "lag")
            self.assertLess(c.value("fraiseql_postgres_replication_lag_seconds", target=f"orders-{region}"), 2)
        self.assertEqual(c.value("fraiseql_region_info", region="us-east", provider="aws", location="us-east-1"), 1)

        # Spans: exact counts in metrics and in the budget.
        spans = [otlp_span("request", error=i < 3) for i in range(100)]
        self.assertEqual(send_spans(self.otlp, otlp_request(spans, resource_last=True))[0], 200)
        wait_until(lambda: c.slo("spans", region="us-east") and
                   c.slo("spans", region="us-east")["events"] == {"good": 97, "total": 100, "unknown": 0}, 10, "span events")
        self.assertEqual(c.value("traces_span_metrics_calls_total", service_name="fraiseql", span_name="request",
                                 status_code="STATUS_CODE_ERROR"), 3)

        # Counters: what came before the first scrape does not count, what comes after counts exactly.
        wait_until(lambda: c.value("fraiseql_graphql_queries_total", target="app") == 100, 10, "the first scrape")
        self.counters = {"total": 1100, "error": 7}
        wait_until(lambda: c.slo("errors", region="us-east") and
                   c.slo("errors", region="us-east")["events"] == {"good": 993, "total": 1000, "unknown": 0}, 10, "counter events")

        # An outage: one firing webhook, then one resolved, both signed.
        self.api.answer = lambda handler: (503, {}, b"no")
        firing = wait_until(lambda: self.hook.taken(), 10, "the webhook")[0]
        body = json.loads(firing[3])
        self.assertEqual((body["version"], body["status"]), ("4", "firing"))
        self.assertEqual(body["alerts"][0]["labels"], {"alertname": "region-down", "region": "us-east", "severity": "page"})
        self.assertEqual(body["alerts"][0]["annotations"]["summary"], "API down in us-east")
        self.check_signature(firing)
        self.assertEqual(c.value("fraiseql_trigger_firing", trigger="region-down", region="us-east"), 1)
        self.api.answer = lambda handler: (200, {}, b"ready")
        resolved = wait_until(lambda: len(self.hook.taken()) == 2 and self.hook.taken(), 10, "the second webhook")[1]
        self.assertEqual(json.loads(resolved[3])["status"], "resolved")
        self.check_signature(resolved)

        # Budgets and incidents agree with what happened, and survive kill -9.
        wait_until(lambda: c.json("/api/v1/incidents")["incidents"][0]["notifications"][0]["state"] == "delivered", 5, "2xx")
        slo = wait_until(lambda: c.slo("api-availability", region="us-east"), 5, "the SLO")
        self.assertEqual(slo["error_budget"]["basis"], "expected")
        self.assertEqual(slo["error_budget"]["allowed"], "5184")  # 30 d / 50 ms x 1e-4
        self.assertGreaterEqual(slo["error_budget"]["spent"], 3)
        self.assertIsNotNone(c.slo("lag", region="eu-west"))
        before = slo["events"]
        c.kill()
        c.start()
        after = wait_until(lambda: c.slo("api-availability", region="us-east"), 10, "the SLO after kill -9")["events"]
        self.assertGreaterEqual(after["total"], before["total"])
        self.assertGreaterEqual(after["good"], before["good"])
        self.assertEqual(c.json("/api/v1/incidents")["incidents"][0]["state"], "resolved")
        self.assertEqual(len(self.hook.taken()), 2)
        self.assertNotIn("s3cret-monitor", c.log() + c.get("/config")[2].decode() + c.get("/metrics")[2].decode())
        self.assertEqual(c.stop(), 0)


if __name__ == "__main__":
    harness.main()
