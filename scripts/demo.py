"""The demo behind scripts/demo: starts real servers with the integration tests' harness, tells a story, shows it."""

import contextlib
import json
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "integration"))
import harness  # noqa: E402

STATE = "/run/fraiseql-demo.pid"
REGIONS = ["us-east", "eu-west", "apac"]
PORTS = {"collector": 9480, "prometheus": 9490, "alertmanager": 9493, "hook": 9999, "otlp": 4318}
SERVICE_PORTS = [8801, 8802, 8803]
POSTGRES_PORTS = [5501, 5502, 5503]
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def say(text):
    print(text, flush=True)


def running_pid():
    try:
        with open(STATE, encoding="ascii") as text:
            pid = int(text.read())
        os.kill(pid, 0)
        return pid
    except (OSError, ValueError):
        return None


def stop():
    pid = running_pid()
    if not pid:
        say("no demo is running")
        return 0
    os.kill(pid, signal.SIGTERM)
    harness.wait_until(lambda: not running_pid(), 30, "the demo to end")
    say("the demo has ended")
    return 0


def check_ports():
    import socket
    for port in [*PORTS.values(), *SERVICE_PORTS, *POSTGRES_PORTS]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                sys.exit(f"scripts/demo: port {port} is in use; `scripts/demo stop` ends an earlier demo")


class Service:
    """One region's service: readiness, counters, and a span for every request it pretends to have served."""

    def __init__(self, region, port):
        self.region, self.port, self.down = region, port, False
        self.total = self.errors = 0
        harness_port = harness.free_port
        harness.free_port = lambda: port
        self.peer = harness.Peer(self.answer)
        harness.free_port = harness_port

    def answer(self, handler):
        if handler.path == "/metrics":
            text = (f"# TYPE fraiseql_graphql_queries_total counter\nfraiseql_graphql_queries_total {self.total}\n"
                    f"# TYPE fraiseql_graphql_queries_error counter\nfraiseql_graphql_queries_error {self.errors}\n")
            return 200, {"Content-Type": "text/plain; version=0.0.4"}, text.encode()
        return (503, {}, b"down\n") if self.down else (200, {}, b"ready\n")

    def serve_some(self):
        spans = []
        for _ in range(random.randint(15, 25)):
            failed = self.down and random.random() < 0.5
            self.total += 1
            self.errors += failed
            spans.append(harness.otlp_span("request", random.lognormvariate(-4, 0.6), error=failed))
        body = harness.otlp_request(spans, attributes={"cloud.region": self.region})
        with contextlib.suppress(OSError):
            harness.send_spans(PORTS["otlp"], body)


class Demo:
    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.note = "steady"
        self.stopping = threading.Event()

    def keep(self, thing):
        self.stack.callback(thing.close if hasattr(thing, "close") else thing.remove)
        return thing

    def start(self):
        begun = time.monotonic()
        self.folder = self.keep(harness.Folder("fraiseql-demo-"))
        say("starting PostgreSQL 15: a primary and two streaming standbys")
        ports = iter(POSTGRES_PORTS)
        free_port, harness.free_port = harness.free_port, lambda: next(ports)
        try:
            self.postgres = self.keep(harness.Postgres(standbys=2, password="demo-monitor"))
        finally:
            harness.free_port = free_port
        self.postgres.sql("create table orders(id bigserial primary key, what text)")
        say("starting the services, the webhook receiver, Alertmanager and Prometheus")
        self.services = [Service(region, port) for region, port in zip(REGIONS, SERVICE_PORTS)]
        for service in self.services:
            self.keep(service.peer)
        self.hook = self.keep_on(PORTS["hook"], lambda: harness.Peer(lambda handler: (200, {}, b"")))
        self.alertmanager = self.keep_on(PORTS["alertmanager"], lambda: harness.start_alertmanager(self.folder)[0])
        self.start_collector()
        scrape = [{"job_name": "fraiseql", "honor_labels": True, "http_sd_configs": [{"url": f"http://127.0.0.1:{PORTS['collector']}/sd",
                                                                 "refresh_interval": "5s"}]}]
        self.prometheus = self.keep_on(PORTS["prometheus"], lambda: harness.start_prometheus(
            self.folder, scrape, alertmanager_port=PORTS["alertmanager"])[0])
        for action in (self.load, self.story):
            threading.Thread(target=action, daemon=True).start()
        say(f"everything stands after {time.monotonic() - begun:.1f} s")

    def keep_on(self, port, make):
        free_port, harness.free_port = harness.free_port, lambda: port
        try:
            return self.keep(make())
        finally:
            harness.free_port = free_port

    def start_collector(self):
        say("starting the collector")
        self.folder.file("monitor.password", "demo-monitor\n")
        self.folder.file("webhook.secret", "whsec_ZGVtby1kZW1vLWRlbW8tZGVtby1kZW1vLWRlbW8=\n")
        with open(os.path.join(harness.ROOT, "examples/demo/collector.yaml"), encoding="utf-8") as text:
            config = text.read().replace("@FOLDER@", self.folder.path)
        self.collector = harness.Collector({"collector": {"listen": f"127.0.0.1:{PORTS['collector']}"}}, self.folder)
        self.collector.write(config)
        self.keep(self.collector).start()

    def load(self):
        while not self.stopping.wait(0.5):
            for service in self.services:
                service.serve_some()
            with contextlib.suppress(Exception):
                self.postgres.sql("insert into orders(what) select 'x' from generate_series(1,50)")

    def story(self):
        while True:
            if self.stopping.wait(15):
                return
            self.note = "eu-west: the service answers 503"
            self.services[1].down = True
            self.stopping.wait(6)
            self.services[1].down = False
            self.note = "steady"
            if self.stopping.wait(15):
                return
            self.note = "apac: the standby is stopped"
            with contextlib.suppress(Exception):
                self.postgres.stop(2)
            self.stopping.wait(10)
            with contextlib.suppress(Exception):
                self.postgres.start(2)
            self.note = "steady"

    # --- the view ---

    def lines(self):
        c = self.collector
        status, slos = c.json("/api/v1/status"), c.json("/api/v1/slos")
        incidents = c.json("/api/v1/incidents?limit=5")["incidents"]
        metrics = c.metrics()
        lag = {dict(labels)["region"]: value for (name, labels), value in metrics.items()
               if name == "fraiseql_postgres_replication_lag_seconds"}
        known = {dict(labels)["region"]: value for (name, labels), value in metrics.items()
                 if name == "fraiseql_postgres_replication_lag_known"}
        yield f"fraiseql-collector, {time.strftime('%H:%M:%S')}   now: {paint(self.note, 36)}"
        yield ""
        yield f"{'region':10} {'api':8} {'database':10} {'lag':>12}"
        for region in REGIONS:
            probe = next((p for p in status["probes"] if p["name"] == "api" and p["region"] == region), {})
            target = next((t for t in status["targets"] if t["scraper"] == "postgres" and t["region"] == region), {})
            behind = "primary" if region not in lag else f"{'' if known.get(region) else '> '}{lag[region]:.3f} s"
            yield (f"{region:10} {self.up(probe.get('up'), 8)} {self.up(target.get('up'), 10)} {behind:>12}")
        yield ""
        yield f"{'objective':18} {'region':8} {'target':>8} {'good/total':>19} {'budget left':>12} {'burn 5m':>8}"
        for slo in slos["slos"]:
            left, burn = slo["error_budget"]["remaining_ratio"], slo["burn_rates"].get("5m")
            text = "-" if left is None else f"{left * 100:.3f} %"
            yield (f"{slo['name']:18} {slo['labels'].get('region', ''):8} {slo['objective']:>8} "
                   f"{slo['events']['good']:>9}/{slo['events']['total']:<9} "
                   f"{paint(f'{text:>12}', 31 if left is not None and left < 0 else 32)} "
                   f"{'-' if burn is None else f'{burn:.1f}':>8}")
        yield ""
        yield "last incidents:"
        for incident in incidents:
            told = ", ".join(f"{n['receiver']} {n['state']}" for n in incident["notifications"])
            colour = {"firing": 31, "resolved": 32}.get(incident["state"], 33)
            yield (f"  {incident['started'][11:19]} {paint(format(incident['state'], '9'), colour)} {incident['trigger']:14} "
                   f"{json.dumps(incident['labels'])}  {told}")
        yield ""
        yield (f"metrics http://127.0.0.1:{PORTS['collector']}/metrics   status page http://127.0.0.1:{PORTS['collector']}/   "
               f"Prometheus http://127.0.0.1:{PORTS['prometheus']}   Alertmanager http://127.0.0.1:{PORTS['alertmanager']}")
        yield f"files {self.folder.path}   Ctrl-C ends everything"

    @staticmethod
    def up(value, width):
        text = {True: "up", False: "DOWN"}.get(value, "-")
        return paint(f"{text:{width}}", {True: 32, False: 31}.get(value, 33))

    def show(self):
        terminal = sys.stdout.isatty()
        while not self.stopping.wait(1 if terminal else 5):
            try:
                page = list(self.lines())
            except Exception as problem:  # the view must outlive what it shows
                page = [f"the collector does not answer: {problem}"]
            if terminal:
                sys.stdout.write("\033[H\033[2J")
            say("\n".join(page) + ("" if terminal else "\n"))


def start():
    if running_pid():
        sys.exit("scripts/demo: a demo is running already; `scripts/demo stop` ends it")
    if os.geteuid() != 0:
        sys.exit("scripts/demo: run it as root: it starts PostgreSQL as the user postgres")
    check_ports()
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
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        demo.stopping.set()
        say("ending everything")
        demo.stack.close()
        with contextlib.suppress(OSError):
            os.remove(STATE)
    return 0


if __name__ == "__main__":
    sys.exit({"start": start, "stop": stop}[sys.argv[1]]())
