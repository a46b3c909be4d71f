"""Real Prometheus and real Alertmanager with the collector between them."""

import json
import os
import re

import harness
from harness import Case, Folder, Peer, Postgres, free_port, otlp_request, otlp_span, prometheus_query, send_spans, wait_until


class WithPrometheus(Case):
    def test_prometheus_scrapes_through_discovery(self):
        folder = self.open(Folder())
        postgres = self.open(Postgres(standbys=1))
        api = self.open(Peer())
        otlp = free_port()
        c = self.collector({
            "defaults": {"interval": "1s", "timeout": "1s"},
            "regions": {"us-east": {"provider": "aws", "location": "us-east-1"}},
            "probes": [{"name": "api", "http": {"url": api.url()}, "interval": "200ms"}],
            "scrapers": {"postgres": [{"name": f"n{i}", "cluster": "orders", "region": region, "dsn": postgres.dsn(i)}
                                      for i, region in enumerate(["us-east", "eu-west"])]},
            "otlp": {"http": f"127.0.0.1:{otlp}"},
            "slos": [{"name": "api", "objective": 99.9, "window": "1d", "by": ["region"], "sli": {"probe": "api"}}],
            "triggers": [{"name": "down", "when": {"probe": "api", "failures": 3, "of": 3}, "by": ["region"], "notify": ["hook"]}],
            "notify": [{"name": "hook", "webhook": {"url": api.url("/hook"), "secret_file": folder.file("s", "secret-secret-secret-secret")}}],
        }, folder=folder).start()
        self.assertEqual(send_spans(otlp, otlp_request([otlp_span("request")]))[0], 200)
        api.answer = lambda handler: (500, {}, b"") if handler.path == "/" else (200, {}, b"")
        wait_until(lambda: any(path == "/hook" for _, path, _, _ in api.taken()), 10, "an incident")
        api.answer = lambda handler: (200, {}, b"")
        program, url = harness.start_prometheus(folder, [{"job_name": "fraiseql", "honor_labels": True, "http_sd_configs": [
            {"url": c.url("/sd"), "refresh_interval": "1s"}]}])
        self.open(program)
        wait_until(lambda: len(prometheus_query(url, 'up == 1')) == 3, 30, "three targets up")
        # Each target of ours has its own `up`, with its own address as instance.
        instances = {sample["metric"]["target"]: sample["metric"]["instance"] for sample in prometheus_query(url, "up")}
        self.assertEqual(instances["n1"], f"127.0.0.1:{postgres.ports[1]}")
        # Every name on the page, and so every documented one that can appear here, is answered by Prometheus.
        wait_until(lambda: prometheus_query(url, "fraiseql_slo_error_budget_remaining_ratio"), 20, "the budget")
        names = {name for name, _ in c.metrics()}
        known = lambda: {sample["metric"]["__name__"] for sample in prometheus_query(url, '{__name__=~".+"}')}
        wait_until(lambda: names <= known(), 20, lambda: f"names {names - known()}")
        self.assertEqual(prometheus_query(url, "sum(scrape_samples_scraped) by (target)") != [], True)
        with open(program.log_path, encoding="utf-8") as log:
            self.assertNotRegex(log.read(), "Append failed|duplicate|out of order")


class WithAlertmanager(Case):
    def test_alertmanager_shows_and_resolves(self):
        folder = self.open(Folder())
        api = self.open(Peer())
        program, url = harness.start_alertmanager(folder)
        self.open(program)
        c = self.collector({
            "probes": [{"name": "api", "region": "eu-west", "http": {"url": api.url()}, "interval": "100ms"}],
            "triggers": [{"name": "region-down", "when": {"probe": "api", "failures": 3, "of": 3}, "by": ["region"],
                          "resolve": {"successes": 5, "of": 5}, "labels": {"severity": "page"},
                          "annotations": {"summary": "API down in {{region}}"}, "notify": ["am"]}],
            # The first Alertmanager of the pair is dead: that must not keep the second from being told.
            "notify": [{"name": "am", "alertmanager": {"urls": [f"http://127.0.0.1:{free_port()}", url]}}],
        }, folder=folder).start()
        wait_until(lambda: c.value("fraiseql_probe_success") == 1, 10, "a good probe")
        alerts = lambda: json.loads(harness.fetch(url + "/api/v2/alerts?active=true")[2])
        self.assertEqual(alerts(), [])
        api.answer = lambda handler: (503, {}, b"")
        alert = wait_until(alerts, 10, "the alert")[0]
        self.assertEqual(alert["labels"], {"alertname": "region-down", "region": "eu-west", "severity": "page"})
        self.assertEqual(alert["annotations"]["summary"], "API down in eu-west")
        self.assertEqual(c.json("/api/v1/incidents")["incidents"][0]["state"], "firing")
        # A restart neither resolves nor forgets it.
        c.kill()
        c.start()
        self.assertEqual(len(alerts()), 1)
        api.answer = lambda handler: (200, {}, b"")
        wait_until(lambda: not alerts(), 15, "the alert to be resolved")
        self.assertEqual(c.json("/api/v1/incidents")["incidents"][0]["state"], "resolved")


if __name__ == "__main__":
    harness.main()
