"""The program of the gateways sets replication up between real servers, with TLS and passwords as the clouds ask for them:
AWS's store is moto's, Google's and Azure's are small strict servers."""

import base64
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import unittest
import urllib.parse

import harness
from harness import Case, Folder, Postgres, free_port, wait_until
from test_deploy_replication import DEPLOYMENT, FRAISEQL, TABLES

PROVISIONER = os.path.join(harness.ROOT, "provisioner")
PROGRAM = os.path.join(PROVISIONER, "postgresql", "gateway", "replicate.py")
SHARED = "sh'ared \\ pass\"word"
ADMIN = "ad'min \\ pass\"word"
TLS = "ssl=on\nssl_cert_file='{0}/server.crt'\nssl_key_file='{0}/server.key'\npassword_encryption=scram-sha-256\n"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Region:
    """A server that takes passwords over TLS only, and a gateway that never left this machine."""

    def __init__(self, case, name, cloud):
        self.case, self.name, self.cloud = case, name, cloud
        self.folder = case.open(Folder("fraiseql-gw-"))
        subprocess.run(["chmod", "755", self.folder.path], check=True)
        key, crt = self.folder.path + "/server.key", self.folder.path + "/server.crt"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt, "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost")
        os.environ["HOME"] = self.folder.path  # where a server looks for certificates of its own: not in root's
        for path in (key, crt):
            shutil.chown(path, "postgres", "postgres")
            os.chmod(path, 0o600 if path == key else 0o644)
        self.server = case.open(Postgres(standbys=0, settings=TLS.format(self.folder.path)))
        quoted = ADMIN.replace("'", "''")
        self.server.sql(f"create role fraiseql superuser login password '{quoted}'")
        with open(self.server.data[0] + "/pg_hba.conf", "w", encoding="ascii") as hba:
            hba.write("hostssl all fraiseql,fraiseql_replication 127.0.0.1/32 scram-sha-256\n"
                      "hostnossl all fraiseql,fraiseql_replication 127.0.0.1/32 reject\n"
                      "host all postgres 127.0.0.1/32 trust\nlocal all all trust\n")
        self.server.sql("select pg_reload_conf()")
        self.server.sql(TABLES)
        shutil.copy(PROGRAM, self.folder.path)
        shutil.copy(f"{PROVISIONER}/{cloud.name}/module/gateway_store.py", self.folder.path)
        self.folder.file("base.cfg", "# base\n")
        self.settings = {"host": "localhost", "port": self.server.ports[0], "database": "postgres", "sslmode": "verify-full",
                         "sslrootcert": crt, "address": "127.0.0.1", "state": self.folder.path + "/state.json", "settled_s": 0,
                         "proxy_base": self.folder.path + "/base.cfg", "proxy": self.folder.path + "/proxy.cfg",
                         "peer_port": 5432, "reload": ["touch", self.folder.path + "/reloaded"], **cloud.settings(name)}

    def prepare(self):
        path = self.folder.file("settings.json", json.dumps(self.settings))
        return {"args": [sys.executable, "-B", self.folder.path + "/replicate.py", path],
                "env": {**os.environ, **self.cloud.environment()}, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}

    def round(self):
        """What it says on its own output; nothing when it had nothing to do."""
        done = subprocess.run(**self.prepare(), check=False, timeout=120)
        self.case.assertEqual(done.returncode, 0, done.stdout)
        for secret in (SHARED, ADMIN):
            self.case.assertNotIn(secret, done.stdout)
        return json.loads(done.stdout) if done.stdout else None

    def told(self):
        return json.loads(self.cloud.state(self.name))


class Aws:
    """moto."""
    name = "aws"

    def __init__(self, case):
        if not shutil.which("moto_server"):
            raise unittest.SkipTest("moto_server is not installed")
        try:
            import boto3
        except ImportError:
            raise unittest.SkipTest("boto3 is not installed") from None
        from test_deploy_terraform import Moto
        self.moto = case.open(Moto(case.open(Folder())))
        os.environ.update({**self.environment()})
        self.secrets = boto3.client("secretsmanager", region_name="us-east-1")
        self.parameters = boto3.client("ssm", region_name="us-east-1")

    def environment(self):
        return {"AWS_ENDPOINT_URL": self.moto.url, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"}

    def settings(self, region):
        return {"location": "us-east-1", "secret": f"{region}/admin", "document": f"/fraiseql/{region}/replication",
                "password": f"{region}/replication", "report": f"/fraiseql/{region}/replication-state"}

    def put(self, region, document, shared=SHARED, admin=ADMIN):
        settings = self.settings(region)
        for name, value in ((settings["secret"], json.dumps({"username": "fraiseql", "password": admin})), (settings["password"], shared)):
            try:
                self.secrets.create_secret(Name=name, SecretString=value)
            except self.secrets.exceptions.ResourceExistsException:
                self.secrets.put_secret_value(SecretId=name, SecretString=value)
        if document:
            self.parameters.put_parameter(Name=settings["document"], Value=document, Type="String", Overwrite=True)

    def state(self, region):
        return self.parameters.get_parameter(Name=self.settings(region)["report"])["Parameter"]["Value"]


class Small:
    """Answers what one gateway asks of Google or Azure, and writes down what neither would take."""

    def __init__(self, case):
        self.values, self.reports, self.violations = {}, {}, []
        self.peer = case.open(harness.Peer(self.answer))
        case.addCleanup(lambda: case.assertEqual(self.violations, []))

    def put(self, region, document, shared=SHARED, admin=ADMIN):
        for name, value in (("replication", document), ("replication-password", shared), ("database", admin)):
            if value:
                self.values[self.key(region, name)] = value

    def state(self, region):
        return self.reports[region]

    def answer(self, handler):
        parts = urllib.parse.urlsplit(handler.path)
        try:
            found = self.serve(handler, parts.path, dict(urllib.parse.parse_qsl(parts.query)), handler.body)
        except (KeyError, ValueError) as problem:
            self.violations.append(f"{handler.command} {handler.path}: {problem!r}")
            return 400, {}, b"{}"
        return (404, {}, b"{}") if found is None else (200, {"Content-Type": "application/json"}, json.dumps(found).encode())


class Google(Small):
    name = "gcp"

    def environment(self):
        host = self.peer.url("").split("//")[1].rstrip("/")
        return {"GCE_METADATA_HOST": host, "FRAISEQL_SECRET_MANAGER": f"http://{host}/v1/"}

    def key(self, region, name):
        return f"projects/p/secrets/{region}-{name}"

    def settings(self, region):
        self.region = region
        return {"secret": self.key(region, "database"), "document": self.key(region, "replication"),
                "password": self.key(region, "replication-password")}

    def serve(self, handler, path, _, body):
        if path.startswith("/computeMetadata/v1/instance/"):
            if handler.headers["Metadata-Flavor"] != "Google":
                raise ValueError("no flavor")
            rest = path[len("/computeMetadata/v1/instance/"):]
            if (handler.command, rest) == ("PUT", "guest-attributes/fraiseql/replication"):
                self.reports[self.region] = body.decode()
                return {}
            if (handler.command, rest) != ("GET", "service-accounts/default/token"):
                raise ValueError(rest)
            return {"access_token": "ya29.x", "expires_in": 3000, "token_type": "Bearer"}
        found = re.fullmatch(r"/v1/(projects/p/secrets/[a-z-]+)/versions/(latest|1):access", path)
        if handler.command != "GET" or handler.headers["Authorization"] != "Bearer ya29.x" or not found:
            raise ValueError(path)
        value = self.values.get(found[1])
        return value and {"payload": {"data": base64.b64encode(value.encode()).decode()}}


class Azure(Small):
    name = "azure"

    def environment(self):
        return {"FRAISEQL_METADATA": self.peer.url("").rstrip("/")}

    def key(self, region, name):
        return "database-password" if name == "database" else name

    def settings(self, region):
        self.region = region
        return {"vault": self.peer.url("/"), "client": "identity-of-the-gateway"}

    def serve(self, handler, path, query, body):
        if path == "/metadata/identity/oauth2/token":
            if handler.headers["Metadata"] != "true" or query != {"api-version": "2018-02-01", "resource": "https://vault.azure.net",
                                                                  "client_id": "identity-of-the-gateway"}:
                raise ValueError(query)
            return {"access_token": "eyJ.x"}
        if handler.headers["Authorization"] != "Bearer eyJ.x" or query != {"api-version": "7.4"} or not path.startswith("/secrets/"):
            raise ValueError(path)
        name = path[len("/secrets/"):]
        if handler.command == "PUT" and name == "replication-state":
            self.reports[self.region] = json.loads(body)["value"]
            return {}
        if handler.command != "GET" or name not in ("replication", "replication-password", "database-password"):
            raise ValueError(path)
        value = self.values.get(name)
        return value and {"value": value}


class Report(unittest.TestCase):
    def fitting(self, states, detail=""):
        program = importlib.util.module_from_spec(importlib.util.spec_from_file_location("replicate", PROGRAM))
        program.__spec__.loader.exec_module(program)
        peers = {f"region-{i}": {"state": state, "detail": detail, **({"tables": 10, "copying": 0, "lag_s": 0} if state == "streaming" else {})}
                 for i, state in enumerate(states)}
        text = program.fitting({"format": 1, "phase": "done", "document": "0" * 64, "peers": peers, "at": "2026-11-26T10:00:00Z"}, 4000)
        self.assertLessEqual(len(text), 4000)
        return json.loads(text)

    def test_what_a_store_has_no_room_for_is_counted_and_never_half_a_report(self):
        self.assertEqual(len(self.fitting(["streaming"] * 9)["peers"]), 9)
        few = self.fitting(["failed"] * 20, "x" * 300)
        self.assertEqual({len(peer["detail"]) for peer in few["peers"].values()}, {100})
        many = self.fitting(["streaming"] * 60 + ["failed"] * 10, "x" * 300)
        self.assertEqual((len(many["peers"]), many["omitted"]), (10, 60))
        self.assertEqual(len(self.fitting(["waiting"] * 70, "x" * 300)["peers"]), 70)


class Gateways(Case):
    def regions(self, us, eu):
        self.us, self.eu = Region(self, "us-east", us), Region(self, "eu", eu)
        self.out = self.open(Folder())
        path = self.out.file("d.yaml", DEPLOYMENT.format(version=15, mode="streaming", filtered="us-east"))
        subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "render", path, "--out", self.out.path + "/r"], check=True, capture_output=True)
        with open(self.out.path + "/r/global/main.tf.json", encoding="utf-8") as root:
            self.links = json.load(root)["module"]

    def document(self, region, peer):
        """As the module `links` makes it, from what the global root gives that."""
        with open(f"{self.out.path}/r/regions/{region.name}/replication.sql", encoding="utf-8") as sql:
            text = sql.read()
        sources = self.links["link_" + region.name]["replication"]["sources"]
        made = {name: {**source, "database": "postgres", "port": peer.server.ports[0], "address": "198.51.100.7"}
                for name, source in sources.items()}
        raw = json.dumps({"format": 1, "region": region.name, "sql": text, "sources": made}).encode()
        region.digest = hashlib.sha256(raw).hexdigest()
        return base64.b64encode(gzip.compress(raw)).decode()

    def rows(self, region, table="tb_user"):
        return region.server.sql(f"select string_agg(name, ',' order by name) from {table}")

    def settle(self):
        """eu has it all: said and seen."""
        wait_until(lambda: (self.eu.round() or {}).get("phase") == "done", 60, lambda: self.eu.told())
        wait_until(lambda: self.eu.round()["peers"]["us-east"]["state"] == "streaming", 60, lambda: self.eu.told())

    def check_all(self, us, eu):
        self.regions(us, eu)
        self.us.server.sql("insert into tb_user (name, residence) values ('early', 'us')")
        self.assertEqual(self.eu.round()["phase"], "wait", "there is no document")
        for region, peer in ((self.us, self.eu), (self.eu, self.us)):
            region.cloud.put(region.name, self.document(region, peer))
        said = self.eu.round()
        self.assertEqual((said["phase"], said["peers"]["us-east"]["state"]), ("subscribe", "waiting"), said)
        self.assertEqual(self.us.round()["phase"], "done", "it fetches nothing: to publish is all it does")
        self.settle()
        self.assertEqual(self.us.told()["document"], self.us.digest)
        self.assertEqual(self.eu.told()["document"], self.eu.digest)
        wait_until(lambda: self.rows(self.eu) == "early", 30, "the first copy")
        self.us.server.sql("insert into tb_user (name, residence) values ('in', 'us'), ('out', 'e''u')")
        wait_until(lambda: self.rows(self.eu) == "early,in", 30, "a row")
        with open(self.eu.settings["proxy"], encoding="utf-8") as proxy:
            self.assertIn("server gateway 198.51.100.7:5432", proxy.read())
        self.assertTrue(os.path.exists(self.eu.folder.path + "/reloaded"))
        for region in (self.us, self.eu):
            found = subprocess.run(["grep", "-rlF", "-e", SHARED, "-e", ADMIN, region.folder.path], capture_output=True, text=True, check=False)
            self.assertEqual(found.stdout, "")

    def test_google_to_azure(self):
        self.check_all(Google(self), Azure(self))

    def test_azure_to_google(self):
        self.check_all(Azure(self), Google(self))

    def test_aws_and_what_goes_wrong(self):
        cloud = Aws(self)
        self.check_all(cloud, cloud)

        # A second run connects nothing anew; a table that came later is taken in.
        worker = self.eu.server.sql("select pid from pg_stat_subscription where relid is null")
        for region in (self.us, self.eu):
            region.server.sql("create table tb_late (pk int primary key, name text, residence text)")
            self.assertEqual(region.round()["phase"], "done")
        self.us.server.sql("insert into tb_late values (1, 'late', 'us')")
        wait_until(lambda: self.rows(self.eu, "tb_late") == "late", 30, "a table that was made later")
        self.assertEqual(self.eu.server.sql("select pid from pg_stat_subscription where relid is null"), worker)

        # A password that is another one in one store: said, and mended by the same run once it is alike.
        cloud.put("us-east", None, shared="another one")
        self.assertEqual(self.us.round()["phase"], "done")
        cloud.put("eu", self.document(self.eu, self.us), shared="a third one")
        said = self.eu.round()
        self.assertIn("password authentication failed", said["peers"]["us-east"]["detail"], said)
        self.assertNotIn("a third one", json.dumps(said))
        cloud.put("eu", None, shared="another one")
        self.settle()

        # The administrator's is wrong: nothing is done, and it is said.
        cloud.put("eu", None, shared="another one", admin="not this")
        said = self.eu.round()
        self.assertIn("password authentication failed", said["error"])
        self.assertIn("password authentication failed", self.eu.told()["error"])
        cloud.put("eu", None, shared="another one")
        self.settle()

    def test_killed_in_the_middle_and_run_again(self):
        cloud = Azure(self)
        self.regions(Google(self), cloud)
        for region, peer in ((self.us, self.eu), (self.eu, self.us)):
            region.cloud.put(region.name, self.document(region, peer))
        self.assertEqual(self.us.round()["phase"], "done")
        self.us.server.sql("insert into tb_user (name, residence) select 'n' || i, 'us' from generate_series(1, 100) i")
        for delay in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4):
            process = subprocess.Popen(**self.eu.prepare())
            threading.Event().wait(delay)
            process.kill()
            process.communicate()
        seen = []
        process = subprocess.Popen(**self.eu.prepare())
        while process.poll() is None:
            seen.append(subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout)
        process.communicate()
        self.assertIn("replicate.py", "".join(seen))
        for secret in (SHARED, ADMIN):
            self.assertNotIn(secret, "".join(seen))
        self.settle()
        wait_until(lambda: self.eu.server.sql("select count(*) from tb_user") == "100", 30, "all rows, once")


if __name__ == "__main__":
    harness.main()
