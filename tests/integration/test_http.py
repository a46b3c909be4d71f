"""The HTTP contract: paths, negotiation, discovery, reload, limits, what a second collector says."""

import gzip
import json
import os
import re
import socket
import subprocess
import zlib

import harness
from harness import Case, Collector, Folder, Peer, fetch, free_port, wait_until

PROMETHEUS_2_42 = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                   "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
PROMETHEUS_3_5 = ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                  "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")


class Http(Case):
    def setUp(self):
        self.api = self.open(Peer())
        self.c = self.collector({
            "regions": {"us-east": {"provider": "aws", "location": "us-east-1"}},
            "probes": [{"name": "api", "http": {"url": self.api.url()}, "interval": "100ms"}],
            "scrapers": {"prometheus": [{"name": "app", "region": "eu-west", "url": self.api.url("/metrics")}],
                         "postgres": [{"name": "nobody", "cluster": "none", "region": "apac",
                                       "dsn": f"host=127.0.0.1 port={free_port()} user=monitor"}]},
            "slos": [{"name": "api", "objective": 99.9, "window": "1d", "sli": {"probe": "api"}}],
        }).start()
        wait_until(lambda: self.c.value("fraiseql_probe_success") == 1, 10, "the first outcome")
        wait_until(lambda: self.c.value("pg_up") == 0, 10, "the first scrape")

    def test_negotiation(self):
        for accept, media in [(None, "text/plain"), ("*/*", "text/plain"), (PROMETHEUS_2_42, "application/openmetrics-text"),
                              (PROMETHEUS_3_5, "application/openmetrics-text"),
                              ("text/plain;version=0.0.4;q=0.5", "text/plain"), ("text/html", "text/plain"),
                              ("application/openmetrics-text;q=0,text/plain", "text/plain")]:
            status, headers, body = self.c.get("/metrics", headers={"Accept": accept} if accept else {})
            self.assertEqual(status, 200)
            self.assertTrue(headers["Content-Type"].startswith(media + ";"), (accept, headers["Content-Type"]))
            self.assertEqual(body.endswith(b"# EOF\n"), media == "application/openmetrics-text")
            self.assertIn("Accept", headers["Vary"])

    def test_gzip_is_one_stream_that_every_reader_takes(self):
        status, headers, body = self.c.get("/metrics", headers={"Accept-Encoding": "gzip"})
        self.assertEqual((status, headers["Content-Encoding"]), (200, "gzip"))
        inflater = zlib.decompressobj(31)  # stops after the first member, as curl does
        text = inflater.decompress(body)
        self.assertTrue(inflater.eof)
        self.assertEqual(inflater.unused_data, b"")
        self.assertEqual(text, gzip.decompress(body))
        self.assertIn(b"fraiseql_probe_success{", text)

    def test_parts_of_the_page(self):
        names = lambda query: {name for name, _ in self.c.metrics(query)}
        self.assertEqual(names("?name[]=fraiseql_probe_success"), {"fraiseql_probe_success"})
        self.assertEqual(names("?name[]=fraiseql_probe_success&name[]=process_open_fds"),
                         {"fraiseql_probe_success", "process_open_fds"})
        nobody = self.c.metrics("?target=nobody")
        self.assertEqual({dict(labels)["target"] for _, labels in nobody}, {"nobody"})
        self.assertIn("pg_up", {name for name, _ in nobody})
        self.assertIn("pg_up", names("?collect[]=postgres"))
        self.assertNotIn("process_open_fds", names("?collect[]=postgres"))
        both = names("?collect[]=postgres&collect[]=collector")
        self.assertTrue({"pg_up", "process_open_fds"} <= both)
        self.assertEqual(self.c.metrics("?target=unknown"), {})

    def test_every_series_comes_once_by_discovery(self):
        whole = {key for key in self.c.metrics()}
        parts = set()
        for entry in self.c.json("/sd"):
            labels = entry["labels"]
            query = f"?target={labels['__param_target']}"
            if "__param_scraper" in labels:
                query += f"&scraper={labels['__param_scraper']}"
            part = set(self.c.metrics(query))
            self.assertFalse(part & parts)
            parts |= part
        self.assertEqual({name for name, _ in whole}, {name for name, _ in parts})

    def test_a_target_may_be_named_as_the_collector(self):
        name = self.c.config["collector"]["name"]
        self.c.config["scrapers"]["prometheus"].append({"name": name, "url": self.api.url("/other")})
        self.c.write()
        self.assertEqual(self.c.get("/-/reload", method="POST", data=b"")[0], 200)
        own = lambda: set(self.c.metrics(f"?target={name}"))
        target = wait_until(lambda: set(self.c.metrics(f"?target={name}&scraper=prometheus")), 10, "the target's part")
        self.assertIn("fraiseql_collector_ready", {key for key, _ in own()})
        self.assertFalse(own() & target)

    def test_discovery(self):
        entries = {entry["labels"]["target"]: entry for entry in self.c.json("/sd")}
        self.assertEqual(entries["app"]["labels"]["instance"], f"127.0.0.1:{self.api.port}")
        self.assertEqual(entries["app"]["labels"]["region"], "eu-west")
        self.assertEqual(entries["app"]["labels"]["__metrics_path__"], "/metrics")
        self.assertEqual(entries["app"]["targets"], [f"127.0.0.1:{self.c.port}"])
        for entry in entries.values():
            for name, value in entry["labels"].items():
                self.assertRegex(name, "^[a-zA-Z_][a-zA-Z0-9_]*$")
                self.assertIsInstance(value, str)

    def test_health_and_status(self):
        self.assertEqual(self.c.get("/-/healthy")[0], 200)
        status = self.c.json("/api/v1/status")
        self.assertEqual(set(status) >= {"version", "name", "region", "uptime_s", "ready", "targets", "probes", "conflicts"}, True)
        down = wait_until(lambda: [t for t in self.c.json("/api/v1/status")["targets"] if t["name"] == "nobody" and t["error"]],
                          10, "the error of the target")[0]
        self.assertFalse(down["up"])
        self.assertIsNone(down["last_success"])
        self.assertEqual(self.c.value("pg_up", target="nobody"), 0)
        self.assertEqual(self.c.value("fraiseql_target_up", target="nobody"), 0)

    def test_methods_and_unknown_paths(self):
        self.assertEqual(self.c.get("/nothing")[0], 404)
        status, headers, _ = self.c.get("/metrics", method="POST", data=b"")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(self.c.get("/metrics", method="HEAD")[0], 200)
        self.assertEqual(self.c.get("/-/reload")[0], 405)
        for query in ["limit=0", "limit=x", "limit=1001", "cursor=x", "cursor=../../etc"]:
            self.assertEqual(self.c.get("/api/v1/incidents?" + query)[0], 400, query)
        self.assertEqual(self.c.get("/")[0], 200)

    def test_page_is_stable_from_scrape_to_scrape(self):
        heads = lambda: [line.rsplit(" ", 1)[0] for line in self.c.get("/metrics")[2].decode().splitlines()]
        wait_until(lambda: heads() == heads(), 10, "two equal pages")

    def test_smuggling_is_refused(self):
        with socket.create_connection(("127.0.0.1", self.c.port)) as raw:
            raw.sendall(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            self.assertIn(b" 400 ", raw.recv(4096).split(b"\r\n")[0])

    def test_a_large_body_is_refused(self):
        self.assertEqual(self.c.get("/-/reload", method="POST", data=b"x" * 100000)[0], 413)

    def test_promtool_accepts_the_page(self):
        page = self.c.get("/metrics")[2]
        result = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)
        # Names taken over from other exporters are exempt; see tests/integration/promtool_exemptions.txt.
        with open(os.path.join(os.path.dirname(__file__), "promtool_exemptions.txt"), encoding="utf-8") as text:
            exempt = [line.split("#")[0].strip() for line in text if line.split("#")[0].strip()]
        complaints = [line for line in (result.stdout + result.stderr).decode().splitlines()
                      if line and not any(re.match(pattern, line) for pattern in exempt)]
        self.assertEqual(complaints, [])


class Reload(Case):
    def config(self, interval="100ms", **more):
        return {"probes": [{"name": "api", "http": {"url": self.api.url()}, "interval": interval}],
                "slos": [{"name": "api", "objective": 99.9, "window": "1d", "sli": {"probe": "api"}}], **more}

    def setUp(self):
        self.api = self.open(Peer())
        self.folder = self.open(Folder())
        self.c = self.collector(self.config(), folder=self.folder).start()

    def reload(self):
        return self.c.get("/-/reload", method="POST", data=b"")

    def test_counters_live_through_a_reload(self):
        before = wait_until(lambda: self.c.value("fraiseql_probe_attempts_total") or None, 10, "attempts")
        self.c.config["probes"].append({"name": "second", "http": {"url": self.api.url()}, "interval": "100ms"})
        self.c.write()
        self.assertEqual(self.reload()[0], 200)
        wait_until(lambda: self.c.value("fraiseql_probe_success", probe="second") == 1, 10, "the new probe")
        self.assertGreaterEqual(self.c.value("fraiseql_probe_attempts_total", probe="api"), before)

    def test_an_invalid_configuration_is_refused_and_the_old_one_goes_on(self):
        self.c.write('version: 1\nprobes:\n  - name: api\n    intervall: 5s\n    http: { url: "http://127.0.0.1:1/" }\n')
        status, _, body = self.reload()
        self.assertEqual(status, 400)
        self.assertIn('c.yaml:4:5: unknown key "intervall" in probes[0]: did you mean "interval"?', body.decode())
        wait_until(lambda: self.c.value("fraiseql_collector_config_last_reload_successful") == 0, 5, "the metric")
        before = self.c.value("fraiseql_probe_attempts_total", probe="api")
        wait_until(lambda: self.c.value("fraiseql_probe_attempts_total", probe="api") > before, 5, "the old probe")

    def test_what_needs_a_restart_is_said_at_every_reload_until_it_is_undone(self):
        listen = self.c.config["collector"]["listen"]
        self.c.config["collector"]["listen"] = "127.0.0.1:1"
        self.c.write()
        for _ in range(2):
            self.assertIn(b"collector.listen has changed", self.reload()[2])
        self.c.config["collector"]["listen"] = listen
        self.c.write()
        self.assertEqual(self.reload()[2], b"reloaded\n")

    def test_a_reload_that_a_part_refuses_changes_nothing(self):
        otlp = {"http": f"127.0.0.1:{free_port()}"}
        c = self.collector(self.config(otlp=otlp), folder=self.open(Folder())).start()
        reload = lambda: c.get("/-/reload", method="POST", data=b"")[0]
        self.assertEqual(reload(), 200)
        for attempt in range(3):  # buckets are fixed while the process lives
            c.config["otlp"] = {**otlp, "buckets": [f"{attempt + 1}ms", "1s"]}
            c.config["slos"] = [{"name": f"new{attempt}", "objective": 99, "window": "1d", "sli": {"probe": "api"}}]
            c.write()
            self.assertEqual(reload(), 400)
            before = c.value("fraiseql_probe_attempts_total", probe="api")
            wait_until(lambda: c.value("fraiseql_probe_attempts_total", probe="api") > before, 5, "the old probe")
            self.assertIsNotNone(c.slo("api"))
            self.assertIsNone(c.slo(f"new{attempt}"))
        c.config["otlp"] = otlp
        c.write()
        self.assertEqual(reload(), 200)
        wait_until(lambda: c.slo("new2"), 5, "the new SLO")

    def test_sighup(self):
        self.c.config["slos"].append({"name": "other", "objective": 99, "window": "1d", "sli": {"probe": "api"}})
        self.c.write()
        self.c.process.send_signal(1)
        wait_until(lambda: self.c.slo("other"), 10, "the new SLO")

    def test_a_broken_include_is_refused_alone(self):
        self.c.config["include"] = ["conf.d/*.yaml"]
        self.c.write()
        self.folder.file("conf.d/a.yaml", f'probes: [{{name: extra, http: {{url: "{self.api.url()}"}}, interval: 100ms}}]')
        self.folder.file("conf.d/b.yaml", "probes: [{name: broken, htpp: {}}]")
        self.folder.file("conf.d/c.yaml", f'probes: [{{name: api, http: {{url: "{self.api.url()}"}}}}]')
        status, _, body = self.reload()
        self.assertEqual(status, 200, body)
        self.assertIn("conf.d/b.yaml", body.decode())
        self.assertIn("conf.d/c.yaml", body.decode())
        wait_until(lambda: self.c.value("fraiseql_probe_success", probe="extra") == 1, 10, "the good include")
        self.assertEqual(wait_until(lambda: self.c.value("fraiseql_collector_config_files_refused"), 5, "the metric"), 2)

    def test_config_shows_no_secret(self):
        self.c.config["scrapers"] = {"postgres": [{"name": "p", "dsn": "host=127.0.0.1 port=1 user=u password=hunter2-secret"}],
                                     "prometheus": [{"name": "m", "url": self.api.url("/?x=1&api_key=hunter2-secret")}]}
        self.c.write()
        self.assertEqual(self.reload()[0], 200)
        page = self.c.get("/config")[2].decode()
        self.assertNotIn("hunter2-secret", page)
        self.assertIn("***", page)


class CommandLine(Case):
    def run_it(self, *arguments):
        return subprocess.run([*harness.LAUNCHER, harness.COLLECTOR, *arguments], capture_output=True, text=True, timeout=20)

    def test_usage(self):
        self.assertEqual(self.run_it("--help").returncode, 0)
        self.assertRegex(self.run_it("--version").stdout, r"^fraiseql-collector \d+\.\d+\.\d+\n$")
        self.assertEqual(self.run_it().returncode, 64)
        self.assertEqual(self.run_it("--confg", "x").returncode, 64)
        self.assertEqual(self.run_it("--config", "x", "--log-level", "inof").returncode, 64)

    def test_check(self):
        folder = self.open(Folder())
        good = folder.file("good.yaml", "version: 1\n")
        self.assertEqual(self.run_it("--config", good, "--check").returncode, 0)
        bad = folder.file("bad.yaml", "version: 1\ncollector:\n  listen: nowhere\n  limits: { series: many }\nfailover: { mode: observe }\n")
        result = self.run_it("--config", bad, "--check")
        self.assertEqual(result.returncode, 65)
        for place in ["bad.yaml:3:11:", "bad.yaml:4:21:", "bad.yaml:5:11:"]:
            self.assertIn(place, result.stderr)
        self.assertEqual(self.run_it("--config", bad).returncode, 65)
        self.assertEqual(self.run_it("--config", folder.path + "/absent.yaml").returncode, 65)

    def test_the_contract_configuration_is_accepted_as_it_stands(self):
        path = os.path.join(harness.ROOT, "tests", "integration", "contract_collector.yaml")
        result = self.run_it("--config", path, "--check")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_second_collector_says_so_and_ends(self):
        first = self.collector({}).start()
        same_journal = Collector({"collector": {"journal": first.config["collector"]["journal"]}}, first.folder, "j")
        same_journal.start(ready=False)
        self.assertEqual(same_journal.process.wait(20), 1)
        self.assertIn("journal", same_journal.log())
        same_port = Collector({"collector": {"listen": first.config["collector"]["listen"]}}, first.folder, "p")
        same_port.start(ready=False)
        self.assertEqual(same_port.process.wait(20), 1)
        self.assertIn("in use", same_port.log())
        self.assertTrue(first.is_ready())

    def test_sigterm_ends_within_five_seconds(self):
        hang = self.open(Peer(lambda handler: __import__("time").sleep(60)))
        c = self.collector({"scrapers": {"prometheus": [{"name": "hang", "url": hang.url(), "timeout": "10s"}]}}).start()
        wait_until(lambda: hang.taken(), 10, "the scrape that hangs")
        self.assertEqual(c.stop(5), 0)


if __name__ == "__main__":
    harness.main()
