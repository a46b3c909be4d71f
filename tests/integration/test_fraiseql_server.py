"""FraiseQL's own server with what a region on own hosts is given (golden files of the unit tests), on PostgreSQL 18 behind the
region's proxy: its answers, metrics and spans, through a change of the primary by hand.

FRAISEQL_TEST_BIN names a folder with fraiseql-server and fraiseql-cli, FRAISEQL_TEST_PG18 the root of a system that has
PostgreSQL 18 ("/" or a folder to chroot into, as debootstrap makes one). Without them it is skipped."""

import json
import os
import re
import shutil
import subprocess
import unittest

import harness
from example_service import ask
from test_write_target import HAPROXY, Proxy

BIN = os.environ.get("FRAISEQL_TEST_BIN", "")
ROOT18 = os.environ.get("FRAISEQL_TEST_PG18", "/")
PG18 = "/usr/lib/postgresql/18/bin"
GOLDEN = os.path.join(harness.ROOT, "tests/unit/provisioner/golden")
SCHEMA = {"types": [{"name": "User", "sql_source": "v_user",
                     "fields": [{"name": "id", "type": "Int", "nullable": False}, {"name": "name", "type": "String", "nullable": True}]}],
          "queries": [{"name": "users", "return_type": "User", "returns_list": True, "nullable": False, "sql_source": "v_user",
                       "arguments": []}],
          "mutations": []}
HAVE = all(os.access(os.path.join(BIN, name), os.X_OK) for name in ("fraiseql-server", "fraiseql-cli")) and \
    os.path.exists(ROOT18 + PG18) and os.path.exists(HAPROXY) and os.geteuid() == 0


class Postgres18:
    """A primary and a standby with TLS."""

    def __init__(self, certificates):
        self.inner = "/tmp/fraiseql-pg18-" + os.urandom(4).hex()
        self.outer = os.path.join(ROOT18, self.inner.lstrip("/"))
        os.makedirs(self.outer)
        for name in ("server.crt", "server.key"):
            shutil.copy(os.path.join(certificates, name), self.outer)
        self.run("root", "chown", "-R", "postgres", self.inner)
        os.chmod(self.outer + "/server.key", 0o600)
        self.ports = [harness.free_port(), harness.free_port()]
        self.postgres("initdb", "-D", self.inner + "/n0", "-A", "trust", "--no-sync", "--locale", "C")
        with open(self.outer + "/n0/postgresql.conf", "a", encoding="ascii") as conf:
            conf.write(f"port={self.ports[0]}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{self.inner}'\nfsync=off\n"
                       f"ssl=on\nssl_cert_file='{self.inner}/server.crt'\nssl_key_file='{self.inner}/server.key'\n")
        self.start(0)
        self.sql("create role fraiseql_service login")
        self.sql("create database fraiseql owner fraiseql_service")
        self.sql("create table tb_user(id int primary key, name text); insert into tb_user values (1, 'ada'), (2, 'grace'); "
                 "create view v_user as select id, jsonb_build_object('id', id, 'name', name) as data from tb_user; "
                 "grant select on v_user to fraiseql_service", database="fraiseql")
        self.postgres("pg_basebackup", "-d", f"host=127.0.0.1 port={self.ports[0]} user=postgres", "-D", self.inner + "/n1", "-R",
                      "-X", "stream", "-c", "fast", "--no-sync")
        with open(self.outer + "/n1/postgresql.conf", "a", encoding="ascii") as conf:
            conf.write(f"port={self.ports[1]}\n")
        self.start(1)

    def run(self, user, *command):
        inside = ["chroot", ROOT18] if ROOT18 != "/" else []
        subprocess.run([*inside, "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command], check=True, cwd="/",
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120)

    def postgres(self, program, *words):
        self.run("postgres", f"{PG18}/{program}", *words)

    def start(self, i):
        self.postgres("pg_ctl", "-w", "-D", f"{self.inner}/n{i}", "-l", f"{self.inner}/n{i}.log", "start")

    def stop(self, i, mode):
        self.postgres("pg_ctl", "-w", "-D", f"{self.inner}/n{i}", "-m", mode, "stop")

    def sql(self, text, i=0, database="postgres"):
        subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.ports[i]), "-U", "postgres", "-d",
                        database, "-c", text], check=True, capture_output=True, timeout=60)

    def close(self):
        for i in range(2):
            if os.path.exists(f"{self.outer}/n{i}/postmaster.pid"):
                self.stop(i, "immediate")
        shutil.rmtree(self.outer, ignore_errors=True)


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


@unittest.skipUnless(HAVE, "FRAISEQL_TEST_BIN has no fraiseql-server and fraiseql-cli, or FRAISEQL_TEST_PG18 no PostgreSQL 18")
class RealServer(harness.Case):
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
        self.folder = self.open(harness.Folder())
        make_certificates(self.folder)
        postgres = self.open(Postgres18(self.folder.path))
        proxy = self.open(Proxy(self.folder, dict(zip(["us-east", "eu-west"], postgres.ports)), {}))
        self.assertEqual(proxy.switch("open", "us-east"), (0, ""))
        proxy.start()
        otlp, token = harness.free_port(), "0123456789abcdef-token"
        subprocess.run([os.path.join(BIN, "fraiseql-cli"), "compile", self.folder.file("schema.json", json.dumps(SCHEMA)), "-o",
                        self.folder.path + "/schema.compiled.json"], check=True, capture_output=True, timeout=60)
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
            status, answer = ask(proxy.ports["http"], "{ users { id name } }")
            return status == 200 and [user["name"] for user in (answer.get("data") or {}).get("users", [])]

        def log():
            with open(self.folder.path + "/server.log", encoding="utf-8", errors="replace") as text:
                return text.read()[-2000:]
        harness.wait_until(lambda: names() == ["ada", "grace"], 30, lambda: "answers of the server; its log ends:\n" + log())
        harness.wait_until(lambda: (collector.value("fraiseql_graphql_queries_total", target="service") or 0) >= 1, 30, "its metrics")
        harness.wait_until(lambda: collector.slo("spans", region="eu-west"), 30, "its spans, of the region that it was told")

        self.assertEqual(proxy.switch("close"), (0, ""))
        self.assertFalse(names())
        postgres.stop(0, "fast")
        postgres.postgres("pg_ctl", "-w", "-D", postgres.inner + "/n1", "promote")
        postgres.sql("insert into tb_user values (3, 'barbara')", 1, "fraiseql")
        self.assertEqual(proxy.switch("open", "eu-west"), (0, ""))
        harness.wait_until(lambda: names() == ["ada", "grace", "barbara"], 60, lambda: "the new primary; the log ends:\n" + log())
        self.assertIsNone(server.poll())


if __name__ == "__main__":
    harness.main()
