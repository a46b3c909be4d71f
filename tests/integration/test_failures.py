"""What must not hurt: targets that hang, servers that freeze, links that swallow, disks that fill, kill -9."""

import os
import signal
import socket
import subprocess
import threading
import time

import harness
from harness import Case, Collector, Folder, Peer, Postgres, free_port, otlp_request, otlp_span, send_spans, wait_until


class BlackHole:
    """Accepts connections and never answers."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = free_port()
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(512)
        self.held = []
        threading.Thread(target=self.hold, daemon=True).start()

    def hold(self):
        while True:
            try:
                self.held.append(self.listener.accept()[0])
            except OSError:
                return

    def close(self):
        self.listener.close()
        for each in self.held:
            each.close()


class Relay:
    """A TCP relay that can stop forwarding without closing anything: a silent partition."""

    def __init__(self, port):
        self.target, self.cut = port, threading.Event()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = free_port()
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                left = self.listener.accept()[0]
                right = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for pair in ((left, right), (right, left)):
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                while self.cut.is_set():
                    time.sleep(0.02)
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.cut.clear()
        self.listener.close()


class HungTargets(Case):
    def test_25_of_100_targets_hang_and_delay_nobody(self):
        hole = self.open(BlackHole())
        good = self.open(Peer(lambda handler: (200, {"Content-Type": "text/plain; version=0.0.4"}, b"# TYPE m gauge\nm 1\n")))
        targets = [{"name": f"t{i}", "url": f"http://127.0.0.1:{hole.port if i % 4 == 0 else good.port}/metrics"} for i in range(100)]
        c = self.collector({"defaults": {"interval": "1s", "timeout": "1s"}, "scrapers": {"prometheus": targets}}).start()
        seen = lambda: [t for t in c.json("/api/v1/status")["targets"] if t["up"]]
        wait_until(lambda: len(seen()) == 75, 30, "75 targets up")
        slowest = 0
        for _ in range(20):
            begun = time.monotonic()
            page = c.metrics("?name[]=fraiseql_target_up")
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.1)
        self.assertEqual(sum(page.values()), 75)
        print(f"/metrics with 25 hung targets: slowest of 20 took {slowest * 1000:.1f} ms", flush=True)
        before = {t["name"]: t["last_success"] for t in seen()}
        wait_until(lambda: all(t["last_success"] > before[t["name"]] for t in seen()), 20, "every good target again")
        self.assertEqual(len(seen()), 75)


class HungDatabase(Case):
    def test_a_frozen_server_is_down_and_comes_back(self):
        postgres = self.open(Postgres(standbys=1))
        c = self.collector({"defaults": {"interval": "500ms", "timeout": "400ms"}, "scrapers": {"postgres": [
            {"name": f"n{i}", "cluster": "c", "region": f"r{i}", "dsn": postgres.dsn(i)} for i in range(2)]}}).start()
        wait_until(lambda: c.value("pg_up", target="n0") == 1 and c.value("pg_up", target="n1") == 1, 20, "both up")
        postgres.signal_all(0, signal.SIGSTOP)
        wait_until(lambda: c.value("pg_up", target="n0") == 0, 10, "the frozen one to be down")
        self.assertEqual(c.value("pg_up", target="n1"), 1)
        first = wait_until(lambda: c.value("fraiseql_postgres_replication_lag_known", target="n1") == 0 and
                           c.value("fraiseql_postgres_replication_lag_seconds", target="n1"), 10, "a bound on the lag")
        wait_until(lambda: c.value("fraiseql_postgres_replication_lag_seconds", target="n1") > first, 5, "the bound to grow")
        postgres.signal_all(0, signal.SIGCONT)
        wait_until(lambda: c.value("pg_up", target="n0") == 1, 15, "it to come back")
        wait_until(lambda: c.value("fraiseql_postgres_replication_lag_known", target="n1") == 1, 15, "the lag to be known")

    def test_a_changed_password_heals(self):
        folder = self.open(Folder())
        postgres = self.open(Postgres(standbys=0, password="first-password"))
        path = folder.file("pw", "first-password\n")
        c = self.collector({"scrapers": {"postgres": [{"name": "n0", "dsn": postgres.dsn(), "password_file": path,
                                                       "interval": "500ms", "timeout": "500ms"}]}}, folder=folder).start()
        wait_until(lambda: c.value("pg_up") == 1, 20, "pg_up")
        postgres.sql("alter role monitor password 'second-password'")
        postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'monitor'")
        wait_until(lambda: c.value("pg_up") == 0, 10, "the refusal")
        error = wait_until(lambda: c.json("/api/v1/status")["targets"][0]["error"], 5, "the error")
        self.assertIn("password", error)
        self.assertNotIn("first-password", error)
        folder.file("pw", "second-password\n")
        wait_until(lambda: c.value("pg_up") == 1, 15, "the new password to be taken")

    def test_a_role_without_pg_monitor_is_told_the_grant(self):
        postgres = self.open(Postgres(standbys=0))
        postgres.sql("create role poor login")
        c = self.collector({"scrapers": {"postgres": [{"name": "n0", "dsn": postgres.dsn(user="poor"), "interval": "500ms",
                                                       "timeout": "500ms"}]}}).start()
        wait_until(lambda: "pg_monitor" in str(c.json("/api/v1/status")["targets"][0]["error"]) or "pg_monitor" in c.log(),
                   15, "the message that names the grant")


class OwnStall(Case):
    def test_a_collector_that_stood_still_blames_no_replica(self):
        postgres = self.open(Postgres(standbys=1))
        c = self.collector({
            "scrapers": {"postgres": [{"name": f"n{i}", "cluster": "c", "region": f"r{i}", "dsn": postgres.dsn(i)} for i in range(2)]},
            "slos": [{"name": "lag", "objective": 99.9, "window": "1d", "by": ["region"], "sli": {"time_slice": {
                "metric": "fraiseql_postgres_replication_lag_seconds", "below": 0.5, "every": "1s"}}}]}).start()
        events = lambda: (c.slo("lag", region="r1") or {"events": {"good": 0, "total": 0, "unknown": 0}})["events"]
        wait_until(lambda: events()["good"] > 2, 20, "good slices")
        c.process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        c.process.send_signal(signal.SIGCONT)
        good = events()["good"]
        wait_until(lambda: events()["good"] > good + 2, 20, "good slices again")
        self.assertEqual(events()["good"], events()["total"])
        self.assertGreater(events()["unknown"], 0)


class LinkCut(Case):
    def test_an_alert_on_lag_keeps_firing_when_the_replica_cannot_be_seen(self):
        postgres = self.open(Postgres(standbys=1))
        relay = self.open(Relay(postgres.ports[1]))
        hook = self.open(Peer(lambda handler: (200, {}, b"")))
        folder = self.open(Folder())
        c = self.collector({
            "defaults": {"interval": "500ms", "timeout": "400ms"},
            "scrapers": {"postgres": [
                {"name": "n0", "cluster": "c", "region": "r0", "dsn": postgres.dsn(0)},
                {"name": "n1", "cluster": "c", "region": "r1", "dsn": f"host=127.0.0.1 port={relay.port} dbname=postgres user=monitor"}]},
            "triggers": [{"name": "lag-high", "when": {"metric": "fraiseql_postgres_replication_lag_seconds", "above": 1.5, "for": "500ms"},
                          "by": ["region", "db_cluster", "target"], "resolve": {"for": "1s"}, "notify": ["hook"]}],
            "notify": [{"name": "hook", "webhook": {"url": hook.url(), "secret_file": folder.file("s", "secret-secret-secret-secret")}}],
        }, folder=folder).start()
        wait_until(lambda: c.value("fraiseql_postgres_replication_lag_known", target="n1") == 1, 20, "a known lag")
        relay.cut.set()
        firing = lambda: c.value("fraiseql_trigger_firing", trigger="lag-high", target="n1")
        wait_until(lambda: firing() == 1, 15, "the alert")
        for _ in range(30):
            self.assertEqual(firing(), 1)
            time.sleep(0.1)
        relay.cut.clear()
        wait_until(lambda: firing() == 0, 20, "the alert to be resolved")
        self.assertEqual([request[3].count(b'"status":"resolved"') > 0 for request in hook.taken()].count(True), 1)


class Journal(Case):
    def config(self, api, folder, hook):
        return {"probes": [{"name": "api", "http": {"url": api.url()}, "interval": "50ms"}],
                "slos": [{"name": "api", "objective": 99.99, "window": "30d", "sli": {"probe": "api"}}],
                "triggers": [{"name": "down", "when": {"probe": "api", "failures": 3, "of": 3}, "notify": ["hook"]}],
                "notify": [{"name": "hook", "webhook": {"url": hook.url(), "secret_file": folder.file("s", "secret-secret-secret-secret")}}]}

    def test_a_full_disk_loses_nothing(self):
        folder = self.open(Folder())
        disk = os.path.join(folder.path, "disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True).returncode:
            self.skipTest("a small tmpfs cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        api, hook = self.open(Peer()), self.open(Peer(lambda handler: (200, {}, b"")))
        config = self.config(api, folder, hook)
        config["collector"] = {"journal": disk + "/journal.db"}
        c = self.collector(config, folder=folder).start()
        wait_until(lambda: c.slo("api") and c.slo("api")["events"]["total"] > 20, 15, "events")
        ballast = os.open(disk + "/ballast", os.O_CREAT | os.O_WRONLY)
        try:
            while True:
                os.write(ballast, b"x" * 4096)
        except OSError:
            os.close(ballast)
        wait_until(lambda: c.value("fraiseql_collector_journal_failed_commits_total") > 0, 60, "a failed commit")
        held = c.json("/api/v1/slos")
        total = c.slo("api")["events"]["total"]
        api.answer = lambda handler: (500, {}, b"")  # an incident while nothing can be stored
        time.sleep(2)
        self.assertEqual(c.get("/metrics")[0], 200)
        self.assertGreaterEqual(c.slo("api")["events"]["total"], total)
        os.remove(disk + "/ballast")
        wait_until(lambda: c.json("/api/v1/slos")["durable_until"] > held["durable_until"], 90, "commits again")
        wait_until(lambda: hook.taken(), 30, "the notification of the incident")
        api.answer = lambda handler: (200, {}, b"")
        attempts = c.value("fraiseql_probe_attempts_total") + c.value("fraiseql_probe_unknown_total")
        wait_until(lambda: c.slo("api")["events"]["total"] + c.slo("api")["events"]["unknown"] >= attempts, 30,
                   "every event of the time without a disk")

    def test_kill_9_over_and_over(self):
        folder = self.open(Folder())
        api, hook = self.open(Peer()), self.open(Peer(lambda handler: (200, {}, b"")))
        c = self.collector(self.config(api, folder, hook), folder=folder)
        highest = {"good": 0, "total": 0, "unknown": 0}
        for round_number in range(20 if harness.LONG else 5):
            c.start()
            end = time.monotonic() + 1.0 + 0.37 * (round_number % 4)
            while time.monotonic() < end:
                slo = c.slo("api")
                if slo:
                    for kind, count in slo["events"].items():
                        self.assertGreaterEqual(count, highest[kind], f"{kind} fell after kill -9")
                        highest[kind] = count
                time.sleep(0.05)
            c.kill()
        self.assertGreater(highest["total"], 20)


class Load(Case):
    def test_reload_under_load_loses_no_span(self):
        otlp = free_port()
        config = {"otlp": {"http": f"127.0.0.1:{otlp}"},
                  "slos": [{"name": "spans", "objective": 99.9, "window": "1d", "sli": {"spans": {"service": "fraiseql", "entry": True}}}]}
        c = self.collector(config).start()
        stop, sent, failures = threading.Event(), [0], []

        def send():
            body = otlp_request([otlp_span("request") for _ in range(50)])
            while not stop.is_set():
                status = send_spans(otlp, body)[0]
                if status == 200:
                    sent[0] += 50
                else:
                    failures.append(status)

        sender = threading.Thread(target=send)
        sender.start()
        for i in range(10):
            c.config["slos"].append({"name": f"extra{i}", "objective": 99, "window": "1d", "sli": {"spans": {"service": "other"}}})
            c.write()
            self.assertEqual(c.get("/-/reload", method="POST", data=b"")[0], 200)
        stop.set()
        sender.join()
        self.assertEqual(failures, [])
        wait_until(lambda: c.slo("spans")["events"]["total"] == sent[0], 10, lambda: f"{sent[0]} spans, {c.slo('spans')}")

    def test_the_memory_limit_refuses_instead_of_growing(self):
        otlp = free_port()
        c = self.collector({"collector": {"limits": {"memory": "64MiB", "body": "32MiB"}}, "otlp": {"http": f"127.0.0.1:{otlp}"}}).start()
        body = otlp_request([otlp_span("request" + "x" * 900) for _ in range(8000)])
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.extend(send_spans(otlp, body)[0] for _ in range(5))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(set(statuses) <= {200, 503}, statuses)
        resident = c.resident_bytes()
        print(f"resident after 320 MB of spans under a limit of 64 MiB: {resident / 2**20:.0f} MiB", flush=True)
        if not harness.LAUNCHER:  # sanitizers keep what was freed
            self.assertLess(resident, 64 << 20)
        self.assertEqual(c.get("/-/healthy")[0], 200)


if __name__ == "__main__":
    harness.main()
