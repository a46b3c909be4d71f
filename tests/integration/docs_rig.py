"""What test_docs.py compares docs/metrics.md with: one collector that is given everything this machine can offer, so
that as many families as possible are live at once. What it cannot offer is listed as a condition in the page itself."""

import os
import ssl
import subprocess
import threading
import time

import harness
from docs_clouds import make_clouds
from fake_kubernetes import FakeKubernetes
from harness import Folder, Peer, Postgres, otlp_request, otlp_span, send_spans

# Conditions of docs/metrics.md that the rig does not meet, and why. A family with one of these must be absent, every
# other one live.
UNMET = {
    "checksums": "the rig's initdb makes clusters without",
    "checksum failure": "no page is damaged",
    "a switch": "there is no HAProxy",
    "PostgreSQL 16+": "the rig runs Debian's 15",
    "PostgreSQL 17+": "the rig runs Debian's 15",
    "PostgreSQL 18+": "the rig runs Debian's 15",
    "PostgreSQL 19+": "the rig runs Debian's 15",
}

SETTINGS = """
shared_preload_libraries='pg_stat_statements'
max_slot_wal_keep_size=1GB
track_io_timing=on
archive_mode=on
archive_command='test -e {folder}/archived || {{ touch {folder}/archived; false; }}'
wal_receiver_status_interval=1s
autovacuum=off
"""


BACKUPS = """since 1000
backup 20261126-175601F full 1100 22992570 2833728 done
verified 20261126-175601F 1150
attempt backup 1101 done
attempt verification 1150 done
"""


class TlsPeer(Peer):
    """A peer with a certificate of its own making."""

    def __init__(self, folder):
        super().__init__()
        key, cert = os.path.join(folder.path, "peer.key"), os.path.join(folder.path, "peer.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "30", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.certificate = cert
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)

    def url(self, path="/"):
        return f"https://127.0.0.1:{self.port}{path}"


class Activity:
    """What makes the rarer families appear: a write every moment, and a vacuum that takes its time."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.ended = threading.Event()
        self.writer = threading.Thread(target=self.write, daemon=True)
        self.writer.start()
        self.vacuum = subprocess.Popen(
            ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(postgres.ports[0]), "-U", "postgres", "-c",
             "set vacuum_cost_delay = '100ms'", "-c", "set vacuum_cost_limit = 1", "-c",
             "vacuum (disable_page_skipping) big"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write(self):
        while not self.ended.wait(0.05):
            try:
                self.postgres.sql("insert into orders default values")
            except subprocess.CalledProcessError:
                return

    def close(self):
        self.ended.set()
        self.vacuum.kill()
        self.vacuum.wait()
        self.writer.join()


def make_postgres(case):
    folder = case.open(Folder())
    os.chmod(folder.path, 0o777)
    postgres = case.open(Postgres(standbys=1, settings=SETTINGS.format(folder=folder.path)))
    postgres.sql("create extension pg_stat_statements; create table orders (id serial primary key); "
                 "create table big as select g, repeat('x', 500) from generate_series(1, 20000) g; "
                 "create role limited login connection limit 7; select pg_stat_reset(); select pg_switch_wal(); "
                 "grant select on pg_replication_origin_status to monitor; "
                 "grant execute on function pg_show_replication_origin_status() to monitor")
    # A subscription within one server: its slot must be made apart, or creating it waits for itself.
    postgres.sql("create database copy")
    postgres.sql("create table orders (id serial primary key)", database="copy")
    postgres.sql("create publication all_orders for table orders")
    postgres.sql("select pg_create_logical_replication_slot('all_orders', 'pgoutput')")
    postgres.sql(f"create subscription all_orders connection 'host=127.0.0.1 port={postgres.ports[0]} dbname=postgres "
                 "user=postgres' publication all_orders with (create_slot = false, slot_name = 'all_orders')", database="copy")
    return postgres


def postgres_targets(postgres):
    common = {"cluster": "orders", "interval": "500ms", "timeout": "500ms", "lag_interval": "50ms", "table_interval": "1s",
              "size_interval": "1s", "settings_interval": "1s"}
    return [{**common, "name": "orders-a", "region": "us-east", "dsn": postgres.dsn(0), "wal_disk": "100GiB",
             "collect": ["statements", "statio_user_indexes"]},
            {**common, "name": "orders-b", "region": "eu-west", "dsn": postgres.dsn(1)},
            {**common, "name": "orders-old-names", "region": "us-east", "dsn": postgres.dsn(0), "names": "both", "lag": False}]


def app_page(_):
    now_ms = int(time.time() * 1000)
    return 200, {"Content-Type": "text/plain; version=0.0.4"}, (
        f"# HELP app_requests_total Requests.\n# TYPE app_requests_total counter\napp_requests_total 100 {now_ms}\n"
        "# HELP app_errors_total Errors.\n# TYPE app_errors_total counter\napp_errors_total 1\n").encode()


def probes(postgres, plain, tls):
    return [{"name": "api", "region": "us-east", "http": {"url": plain.url("/readiness")}, "interval": "50ms"},
            {"name": "tls", "region": "us-east", "http": {"url": tls.url("/"), "tls": {"ca_file": tls.certificate}},
             "interval": "200ms"},
            {"name": "db", "region": "us-east", "postgres": {"dsn": postgres.dsn(0)}, "interval": "200ms"},
            {"name": "port", "region": "us-east", "tcp": {"address": f"127.0.0.1:{postgres.ports[0]}"}, "interval": "100ms"},
            {"name": "gone", "region": "us-east", "tcp": {"address": "127.0.0.1:9"}, "interval": "100ms"}]


SLOS = [
    {"name": "availability", "objective": 99.99, "window": "30d", "by": ["region"], "sli": {"probe": "api"}},
    {"name": "errors", "objective": 99.9, "window": "30d", "sli": {"bad": "app_errors_total", "total": "app_requests_total"}},
    {"name": "spans", "objective": 99.9, "window": "30d", "by": ["region"], "sli": {"spans": {"service": "fraiseql"}}},
    {"name": "lag", "objective": 99.9, "window": "30d", "sli": {"time_slice": {
        "metric": "fraiseql_postgres_replication_lag_seconds", "below": 5, "every": "1s"}}},
]


class Rig:
    """Everything at once. `collector` is started and answers; what it shows settles within some seconds."""

    def __init__(self, case):
        self.folder = case.open(Folder())
        self.postgres = make_postgres(case)
        self.plain, self.tls, self.app = case.open(Peer()), case.open(TlsPeer(self.folder)), case.open(Peer(app_page))
        self.hook = case.open(Peer(lambda handler: (200, {}, b"")))
        self.otlp = harness.free_port()
        secret = self.folder.file("webhook.secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n")
        env, clouds = make_clouds(case, self.folder)
        self.collector = case.collector({
            "collector": {"name": "observer-1", "region": "us-east"},
            "regions": {"us-east": {"provider": "aws", "location": "us-east-1"}},
            "scrapers": {"postgres": postgres_targets(self.postgres), "prometheus": [
                {"name": "app", "region": "us-east", "url": self.app.url("/metrics"), "interval": "500ms"}],
                "backup": [{"name": "backup-us-east", "region": "us-east", "status_file": self.folder.file("status", BACKUPS)}],
                **clouds, "kubernetes": [case.open(FakeKubernetes()).target()]},
            "probes": probes(self.postgres, self.plain, self.tls),
            "otlp": {"http": f"127.0.0.1:{self.otlp}", "grpc": f"127.0.0.1:{harness.free_port()}",
                     "sources": [{"address": "127.0.0.1/32", "region": "us-east"}]},
            "slos": SLOS,
            "triggers": [{"name": "gone", "when": {"probe": "gone", "failures": 3, "of": 3}, "by": ["region"],
                          "labels": {"severity": "page"}, "notify": ["oncall"]}],
            "notify": [{"name": "oncall", "webhook": {"url": self.hook.url("/hook"), "secret_file": secret}}],
            "traffic": {"haproxy": self.folder.path + "/haproxy.sock", "secret_file": secret,
                        "rules": [{"trigger": "gone", "region": "us-east", "cut": ["read/us-east"]}]},
        }, folder=self.folder)
        self.activity = case.open(Activity(self.postgres))
        self.collector.start(env=env)

    def send_spans(self):
        body = otlp_request([otlp_span("request", error=i == 0) for i in range(10)])
        assert send_spans(self.otlp, body)[0] == 200
