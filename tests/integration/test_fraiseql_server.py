"""FraiseQL's own server on PostgreSQL 18: with what a region on own hosts is given (golden files of the unit tests) behind
the region's proxy, and in a whole deployment; its answers, metrics and spans, through a change of the primary by hand.

FRAISEQL_TEST_BIN names a folder with fraiseql-server and fraiseql-cli. Without it this is skipped, and where PostgreSQL 18
cannot be had."""

import json
import os
import re
import shutil
import subprocess
import unittest

import harness
from example_service import ask
from hosts_rig import Deployment
from postgres18 import Postgres18
from test_write_target import HAPROXY, Proxy

BIN = os.environ.get("FRAISEQL_TEST_BIN", "")
GOLDEN = os.path.join(harness.ROOT, "tests/unit/provisioner/golden")
SCHEMA = {"types": [{"name": "User", "sql_source": "v_user",
                     "fields": [{"name": "id", "type": "Int", "nullable": False}, {"name": "name", "type": "String", "nullable": True}]}],
          "queries": [{"name": "users", "return_type": "User", "returns_list": True, "nullable": False, "sql_source": "v_user",
                       "arguments": []}],
          "mutations": []}
TABLES = ("create table tb_user(id int primary key, name text); insert into tb_user values (1, 'ada'), (2, 'grace'); "
          "create view v_user as select id, jsonb_build_object('id', id, 'name', name) as data from tb_user; ")
HAVE = all(os.access(os.path.join(BIN, name), os.X_OK) for name in ("fraiseql-server", "fraiseql-cli")) and \
    os.path.exists(HAPROXY) and os.geteuid() == 0


class Pair:
    """A primary and a standby with TLS."""

    def __init__(self, programs, certificates):
        self.programs = programs
        self.folder = harness.Folder()
        for name in ("server.crt", "server.key"):
            shutil.copy(os.path.join(certificates, name), self.folder.path)
        shutil.chown(self.folder.path, "postgres", "postgres")
        for name in os.listdir(self.folder.path):
            shutil.chown(os.path.join(self.folder.path, name), "postgres", "postgres")
        os.chmod(self.folder.path + "/server.key", 0o600)
        self.ports = [harness.free_port(), harness.free_port()]
        self.run("initdb", "-D", self.data(0), "-A", "trust", "--no-sync", "--locale", "C")
        with open(self.data(0) + "/postgresql.conf", "a", encoding="ascii") as conf:
            conf.write(f"port={self.ports[0]}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{self.folder.path}'\n"
                       f"fsync=off\nssl=on\nssl_cert_file='{self.folder.path}/server.crt'\n"
                       f"ssl_key_file='{self.folder.path}/server.key'\n")
        self.start(0)
        self.sql("create role fraiseql_service login")
        self.sql("create database fraiseql owner fraiseql_service")
        self.sql(TABLES + "grant select on v_user to fraiseql_service", database="fraiseql")
        self.run("pg_basebackup", "-d", f"host=127.0.0.1 port={self.ports[0]} user=postgres", "-D", self.data(1), "-R", "-X",
                 "stream", "-c", "fast", "--no-sync")
        with open(self.data(1) + "/postgresql.conf", "a", encoding="ascii") as conf:
            conf.write(f"port={self.ports[1]}\n")
        self.start(1)

    def data(self, i):
        return f"{self.folder.path}/n{i}"

    def run(self, program, *words):
        harness.as_postgres([f"{self.programs.bin}/{program}", *words])

    def start(self, i):
        self.run("pg_ctl", "-w", "-D", self.data(i), "-l", self.data(i) + ".log", "start")

    def stop(self, i, mode):
        self.run("pg_ctl", "-w", "-D", self.data(i), "-m", mode, "stop")

    def sql(self, text, i=0, database="postgres"):
        subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.ports[i]), "-U", "postgres", "-d",
                        database, "-c", text], check=True, capture_output=True, timeout=60)

    def close(self):
        for i in range(2):
            if os.path.exists(self.data(i) + "/postmaster.pid"):
                self.stop(i, "immediate")
        self.folder.remove()


def compile_schema(folder):
    path = folder.path + "/schema.compiled.json"
    subprocess.run([os.path.join(BIN, "fraiseql-cli"), "compile", folder.file("schema.json", json.dumps(SCHEMA)), "-o", path],
                   check=True, capture_output=True, timeout=60)
    os.chmod(path, 0o644)
    return path


def users(port, address="127.0.0.1"):
    """Their names; False where the server does not give them."""
    status, answer = ask(port, "{ users { id name } }", address=address)
    return status == 200 and [user["name"] for user in (answer.get("data") or {}).get("users", [])]


def make_certificates(folder):
    """An authority, and a certificate for the proxy's address, as the deployment makes them."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, cwd=folder.path, capture_output=True, timeout=60)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=postgresql")
    folder.file("names", "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.crt",
            "-days", "2", "-extfile", "names")


@unittest.skipUnless(HAVE, "FRAISEQL_TEST_BIN has no fraiseql-server and fraiseql-cli, no haproxy, or no root")
class RealServer(harness.Case):
    def setUp(self):
        try:
            self.programs = self.open(Postgres18())
        except RuntimeError as problem:
            self.skipTest(f"PostgreSQL 18 cannot be had: {problem}")
        self.folder = self.open(harness.Folder())

    def environment(self, proxy, otlp, token):
        """The rendered one, at this test's addresses."""
        with open(GOLDEN + "/service.env", encoding="utf-8") as text:
            given = dict(line.split("=", 1) for line in text.read().splitlines())
        with open(GOLDEN + "/fraiseql.toml", encoding="utf-8") as text:
            config = re.sub(r'ca_bundle_path = ".*"', f'ca_bundle_path = "{self.folder.path}/ca.pem"', text.read())
        given.update(DATABASE_URL=re.sub(r"@[^/]+/", f"@127.0.0.1:{proxy.ports['write']}/", given["DATABASE_URL"]),
                     FRAISEQL_BIND_ADDR=f"127.0.0.1:{proxy.ports['service-1']}", FRAISEQL_METRICS_TOKEN=token,
                     FRAISEQL_SCHEMA_PATH=self.folder.path + "/schema.compiled.json",
                     FRAISEQL_CONFIG=self.folder.file("fraiseql.toml", config),
                     OTEL_EXPORTER_OTLP_ENDPOINT=re.sub(r"//[^/]+/", f"//127.0.0.1:{otlp}/", given["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        return given

    def test_through_a_change_of_the_primary(self):
        make_certificates(self.folder)
        postgres = self.open(Pair(self.programs, self.folder.path))
        proxy = self.open(Proxy(self.folder, dict(zip(["us-east", "eu-west"], postgres.ports)), {}))
        self.assertEqual(proxy.switch("open", "us-east"), (0, ""))
        proxy.start()
        otlp, token = harness.free_port(), "0123456789abcdef-token"
        compile_schema(self.folder)
        collector = self.collector({
            "otlp": {"http": f"127.0.0.1:{otlp}"},
            "scrapers": {"prometheus": [{"name": "service", "region": "eu-west", "interval": "500ms", "timeout": "400ms",
                                         "url": f"http://127.0.0.1:{proxy.ports['service-1']}/metrics",
                                         "bearer_token_file": self.folder.file("token", token + "\n")}]},
            "slos": [{"name": "spans", "objective": 99, "by": ["region"],
                      "sli": {"spans": {"service": "fraiseql", "entry": True}}}]}).start()
        with open(self.folder.path + "/server.log", "wb") as log:
            server = subprocess.Popen([os.path.join(BIN, "fraiseql-server")], stdout=log, stderr=log,
                                      env={"PATH": os.environ["PATH"], **self.environment(proxy, otlp, token)})
        self.addCleanup(lambda: (server.terminate(), server.wait(60)))

        def names():
            return users(proxy.ports["http"])

        def log():
            with open(self.folder.path + "/server.log", encoding="utf-8", errors="replace") as text:
                return text.read()[-2000:]
        harness.wait_until(lambda: names() == ["ada", "grace"], 30, lambda: "answers of the server; its log ends:\n" + log())
        harness.wait_until(lambda: (collector.value("fraiseql_graphql_queries_total", target="service") or 0) >= 1, 30, "its metrics")
        harness.wait_until(lambda: collector.slo("spans", region="eu-west"), 30, "its spans, of the region that it was told")

        self.assertEqual(proxy.switch("close"), (0, ""))
        self.assertFalse(names())
        postgres.stop(0, "fast")
        postgres.run("pg_ctl", "-w", "-D", postgres.data(1), "promote")
        postgres.sql("insert into tb_user values (3, 'barbara')", 1, "fraiseql")
        self.assertEqual(proxy.switch("open", "eu-west"), (0, ""))
        harness.wait_until(lambda: names() == ["ada", "grace", "barbara"], 60, lambda: "the new primary; the log ends:\n" + log())
        self.assertIsNone(server.poll())

    def test_a_whole_deployment(self):
        compiled = compile_schema(self.folder)
        server = shutil.copy(os.path.join(BIN, "fraiseql-server"), self.folder.path)
        os.chmod(server, 0o755)
        self.one = Deployment(self, {name: {"hosts": ["local"], "instances": 1, "database": {"version": 18}}
                                     for name in ("us-east", "eu-west")},
                              replication={"mode": "streaming", "primary": "us-east"}, backup={"enabled": False},
                              monitoring={"prometheus": False, "alertmanager": False},
                              service={"binary": server, "schema": compiled})
        self.one.deploy()
        status = next(row for row in self.one.records("status", self.one.file) if row["type"] == "status")
        self.addresses = {row["name"]: row["endpoint"].split("//")[1].split(":")[0] for row in status["regions"]}
        self.sql("us-east", TABLES + "grant select on v_user to fraiseql_service")
        self.see(["ada", "grace"])
        self.one.run("switchover", self.one.file, "--to", "eu-west", "--yes")
        self.sql("eu-west", "insert into tb_user values (3, 'barbara')")
        self.see(["ada", "grace", "barbara"])
        self.one.destroy("--delete-data")
        self.assertEqual(self.one.left_behind(), [])

    def sql(self, region, text):
        subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.one.run_folder(region) + "/postgresql", "-U", "postgres", "-d",
                        "fraiseql", "-c", text], check=True, capture_output=True, timeout=60)

    def see(self, wanted):
        """Every region's server answers, and its own metrics and spans are at its region's collector."""
        def value(region, name):
            page = harness.fetch(f"http://{self.addresses[region]}:9480/metrics?name[]={name}")[2].decode()
            return sum(number for (family, labels), number in harness.parse_metrics(page).items()
                       if family == name and ("region", region) in labels)
        for region, address in self.addresses.items():
            harness.wait_until(lambda: users(8080, address) == wanted, 60, lambda: f"{region} to answer: {ask(8080, '{ users { id name } }', address=address)}")
            queries, spans = (value(region, name) for name in ("fraiseql_graphql_queries_total", "traces_span_metrics_calls_total"))
            users(8080, address)
            harness.wait_until(lambda: value(region, "fraiseql_graphql_queries_total") > queries, 30, f"the metrics of the server in {region}")
            harness.wait_until(lambda: value(region, "traces_span_metrics_calls_total") > spans, 30, f"the spans of the server in {region}")


if __name__ == "__main__":
    harness.main()
