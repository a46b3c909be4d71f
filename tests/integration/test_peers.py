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


RELABELLED = """# TYPE shop_orders_total counter
shop_orders_total{region="eu",code="200",path="/a/b",tmp_x="1"} 1
shop_orders_total{region="us",code="503",path="/a",tmp_x="2"} 2
shop_orders_total{region="us",code="404",path="",tmp_x="2"} 3
# TYPE shop_queue gauge
shop_queue{name="Main-Queue",pod_name="main",app="shop"} 4
shop_queue{name="other",pod_name="other",app="Other"} 5
# TYPE shop_wait_seconds histogram
shop_wait_seconds_bucket{le="0.5",app="shop"} 1
shop_wait_seconds_bucket{le="+Inf",app="shop"} 2
shop_wait_seconds_sum{app="shop"} 1
shop_wait_seconds_count{app="shop"} 2
""".encode()
RULES = [
    {"source_labels": ["code"], "regex": "(.)..", "target_label": "class", "replacement": "${1}xx"},
    {"source_labels": ["region", "code"], "separator": "/", "target_label": "where"},
    {"source_labels": ["code"], "regex": "404", "action": "drop"},
    {"source_labels": ["__name__"], "regex": "shop_(queue|orders).*", "target_label": "kind", "replacement": "$1-$2$$"},
    {"source_labels": ["path"], "regex": "/(?P<first>[^/]*)/?(.*)", "target_label": "under_${first}", "replacement": "$2"},
    {"regex": "pod_(.+)", "replacement": "k8s_$1", "action": "labelmap"},
    {"regex": "tmp_.*|pod_name", "action": "labeldrop"},
    {"source_labels": ["name"], "target_label": "name", "action": "lowercase"},
    {"source_labels": ["app"], "target_label": "__tmp_app"},
    {"source_labels": ["__tmp_app"], "regex": "sh(.*)", "target_label": "suffix", "replacement": "$1x$1_"},
    {"source_labels": ["app"], "regex": "Other", "target_label": "app", "replacement": ""},
    {"source_labels": ["name"], "regex": "", "target_label": "name", "replacement": "none"},
    {"source_labels": ["k8s_name"], "target_label": "name", "action": "dropequal"},
    {"source_labels": ["region"], "regex": "e.", "target_label": "region", "replacement": "EU"},
]


class Relabelling(Case):
    def test_rules_do_what_they_do_in_prometheus(self):
        folder = self.open(Folder())
        page = self.open(Peer(lambda handler: (200, {"Content-Type": "text/plain; version=0.0.4"}, RELABELLED)))
        program, url = harness.start_prometheus(folder, [{
            "job_name": "page", "static_configs": [{"targets": [page.url("").split("//")[1].rstrip("/")]}],
            "metric_relabel_configs": RULES}])
        self.open(program)
        c = self.collector({"scrapers": {"prometheus": [
            {"name": "page", "url": page.url("/metrics"), "interval": "500ms", "relabel": RULES}]}}, folder=folder).start()

        def theirs():
            """Without the labels of its own, and of rules among themselves, which it keeps."""
            return {tuple(sorted((name, value) for name, value in one["metric"].items()
                                 if name not in ("job", "instance", "__tmp_app")))
                    for one in prometheus_query(url, '{__name__=~"shop_.+"}')}

        def ours():
            """Without the labels that name the target; the page's own region gives way to that."""
            return {tuple(sorted([("__name__", name), *((label.removeprefix("exported_"), value) for label, value in labels
                                                        if label not in ("target", "scraper", "region"))]))
                    for name, labels in c.metrics() if name.startswith("shop_")}
        wanted = wait_until(theirs, 20, "Prometheus' scrape")
        self.assertEqual(len(wanted), 7)
        self.assertEqual(wait_until(ours, 20, "the collector's scrape"), wanted)


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
