"""The proxy of a region as the provisioner renders it, in a real HAProxy before real PostgreSQL servers and the example
service: the switch of the write target under load, its memory over restarts, and the way to other regions."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import time
import unittest

import harness
from example_service import CREATE, Load, Service, ask, check_accounts

GOLDEN = os.path.join(harness.ROOT, "tests/unit/provisioner/golden/haproxy.cfg")
SCRIPT = os.path.join(harness.ROOT, "provisioner/self_hosted/files/write-target.sh")
HAPROXY = shutil.which("haproxy") or "/usr/sbin/haproxy"
REGIONS = ["us-east", "eu-west", "apac"]


class Proxy:
    """HAProxy with the golden file of eu-west, at ports of this test's own."""

    def __init__(self, folder, databases, others):
        self.folder = folder
        self.ports = {name: harness.free_port() for name in ("http", "write", "read", "metrics", "service-1", "service-2")}
        self.socket, self.master = folder.path + "/admin.sock", folder.path + "/master.sock"
        self.target = folder.path + "/write-target.cfg"
        with open(GOLDEN, encoding="utf-8") as text:
            config = text.read()
        for port, name in {8080: "http", 5433: "write", 5434: "read", 8405: "metrics"}.items():
            config = re.sub(rf"bind \S+:{port}\b", f"bind 127.0.0.1:{self.ports[name]}", config)
        for name in ("service-1", "service-2"):
            config = re.sub(rf"server {name} \S+", f"server {name} 127.0.0.1:{self.ports[name]}", config)
        for region in REGIONS:
            config = re.sub(rf"server region-{region} \S+", f"server region-{region} 127.0.0.1:{others.get(region, 1)}", config)
            config = re.sub(rf"server {region} \S+", f"server {region} 127.0.0.1:{databases.get(region, 1)}", config)
        config = re.sub(r"stats socket \S+", f"stats socket {self.socket}", config)
        assert "127.129." not in config, config
        self.config = folder.file("haproxy.cfg", config, 0o644)
        with open(SCRIPT, encoding="utf-8") as text:
            self.script = folder.file("fraiseql-write-target",
                                      f"#!/bin/sh\nregions='{' '.join(REGIONS)}'\nsocket={self.socket}\n"
                                      f"master={self.master}\ntarget={self.target}\n" + text.read(), 0o755)
        self.program = None

    def start(self):
        self.program = harness.Program([HAPROXY, "-W", "-db", "-S", f"{self.master},mode,600", "-f", self.target, "-f",
                                        self.config], self.folder, "haproxy.log")
        harness.wait_until(lambda: harness.fetch(f"http://127.0.0.1:{self.ports['metrics']}/metrics")[0] == 200, 20,
                           lambda: "HAProxy; its log:\n" + self.log())
        return self

    def switch(self, *words):
        done = subprocess.run([self.script, *words], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    def url(self, name):
        return f"postgresql://postgres@127.0.0.1:{self.ports[name]}/postgres"

    def close(self):
        if self.program:
            self.program.close()

    def log(self):
        with open(self.program.log_path, encoding="utf-8") as text:
            return text.read()


@unittest.skipUnless(os.path.exists(HAPROXY), "haproxy is not installed")
class Region(harness.Case):
    """The proxy of eu-west before its standby, and the primary in us-east."""

    def setUp(self):
        self.folder = self.open(harness.Folder())
        self.postgres = self.open(harness.Postgres(standbys=1))
        # The other region's proxy, which answers what is sent on to it.
        self.other = self.open(harness.Peer(lambda handler: (200, {"x-answered-by": "us-east"}, b"{}")))
        self.proxy = self.open(Proxy(self.folder, dict(zip(["us-east", "eu-west"], self.postgres.ports)),
                                     {"us-east": self.other.port}))

    def start(self, target):
        self.assertEqual(self.proxy.switch("open", target), (0, ""))
        self.proxy.start()

    def select(self, name):
        done = subprocess.run(["psql", "-XAtc", "select current_setting('port')", self.proxy.url(name)],
                              capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.strip()

    def sleeper(self, name, i):
        """A session through the proxy that lasts, on server i."""
        query = "select pg_sleep(60) /* " + os.urandom(4).hex() + " */"
        session = subprocess.Popen(["psql", "-XAtc", query, self.proxy.url(name)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (session.kill(), session.wait()))
        harness.wait_until(lambda: self.postgres.sql(f"select 1 from pg_stat_activity where query = '{query}'", i), 10, "the session")
        return session


class WriteTarget(Region):
    def service(self, name):
        return self.open(Service(self.folder, self.proxy.url("write"), self.proxy.url("read"), self.proxy.ports[name],
                                 name)).wait_ready()

    def processes(self):
        with socket.socket(socket.AF_UNIX) as master:
            master.settimeout(5)
            master.connect(self.proxy.master)
            master.sendall(b"show proc\n")
            master.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: master.recv(65536), b""))

    def test_a_switch_under_load_loses_nothing_acknowledged(self):
        self.start("us-east")
        self.service("service-1")
        self.service("service-2")
        load = Load(self.proxy.ports["http"])
        harness.wait_until(lambda: load.count() > 300, 60, "writes")
        self.assertEqual(self.proxy.switch("close"), (0, ""))
        self.postgres.stop(0, "fast")
        harness.as_postgres([f"{harness.PG_BIN}/pg_ctl", "-D", self.postgres.data[1], "-w", "promote"])
        self.assertEqual(self.proxy.switch("open", "eu-west"), (0, ""))
        before = load.count()
        harness.wait_until(lambda: load.count() > before + 300, 60, "writes on the new primary")
        acknowledged = load.stop()
        check_accounts(self, acknowledged, self.postgres.sql("select key, id from orders", 1))
        print(f"{len(acknowledged)} writes acknowledged, {load.failures} attempts failed, longest wait {load.longest_wait:.2f} s")

    def test_nothing_is_open_until_it_is_said_and_a_restart_remembers(self):
        self.proxy.switch("close")
        self.proxy.start()
        self.assertEqual(self.select("write"), "")
        self.assertEqual(self.proxy.switch("show"), (0, "closed"))
        self.assertEqual(self.proxy.switch("open", "us-east"), (0, ""))
        self.assertEqual(self.select("write"), str(self.postgres.ports[0]))
        self.assertEqual(self.select("read"), str(self.postgres.ports[1]))
        self.proxy.close()
        self.proxy.start()
        self.assertEqual(self.select("write"), str(self.postgres.ports[0]))
        self.assertEqual(self.proxy.switch("close"), (0, ""))
        self.proxy.close()
        self.proxy.start()
        self.assertEqual(self.select("write"), "")

    def test_closing_cuts_sessions_also_those_of_a_former_worker(self):
        self.start("us-east")
        session = self.sleeper("write", 0)
        self.proxy.program.process.send_signal(12)  # SIGUSR2: a reload
        harness.wait_until(lambda: b"# old workers" in self.processes(), 20, "a former worker")
        self.assertEqual(self.proxy.switch("close"), (0, ""))
        self.assertNotEqual(session.wait(20), 0)

    def test_mistakes_are_named(self):
        self.start("us-east")
        code, text = self.proxy.switch("open", "mars")
        self.assertEqual(code, 64)
        self.assertIn("there is no region mars; there are: us-east eu-west apac", text)
        self.assertEqual(self.proxy.switch()[0], 64)
        self.assertEqual(self.proxy.switch("open")[0], 64)
        self.assertEqual(self.proxy.switch("show"), (0, "us-east"))

    def test_reads_go_on_elsewhere_when_the_own_database_ends(self):
        self.start("us-east")
        self.assertEqual(self.select("read"), str(self.postgres.ports[1]))
        self.postgres.stop(1, "immediate")
        harness.wait_until(lambda: self.select("read") == str(self.postgres.ports[0]), 20, "reads from the other region")
        kept = self.sleeper("read", 0)
        self.postgres.start(1)
        harness.wait_until(lambda: self.select("read") == str(self.postgres.ports[1]), 20, "reads from the own region again")
        self.assertNotEqual(kept.wait(20), 0)  # a connection that a pool keeps comes home too

    def test_requests_go_to_another_region_when_no_instance_is_ready(self):
        self.start("us-east")
        service = self.service("service-1")
        port = self.proxy.ports["http"]
        harness.wait_until(lambda: ask(port, "{ __typename }")[1].get("data"), 20, "the own instance")
        service.close()

        def answered_by():
            return harness.fetch(f"http://127.0.0.1:{port}/graphql", {"Content-Type": "application/json"}, b"{}")[1].get("x-answered-by")
        harness.wait_until(lambda: answered_by() == "us-east", 20, "the other region to answer")
        # What another region sent on goes no further.
        status, headers, body = harness.fetch(f"http://127.0.0.1:{port}/graphql",
                                              {"Content-Type": "application/json", "x-fraiseql-region": "us-east"}, b"{}")
        self.assertEqual(status, 503)
        self.assertIn(b"NO_REGION", body)
        self.assertEqual(headers["content-type"], "application/json")
        sent = [headers for method, path, headers, _ in self.other.taken() if path == "/graphql"]
        self.assertEqual({headers["x-fraiseql-region"] for headers in sent}, {"eu-west"})

    def test_checks_leave_no_line_in_the_log_of_postgresql(self):
        self.start("us-east")
        with open(self.postgres.data[0] + ".log", encoding="utf-8") as text:
            before = len(text.read().splitlines())
        counter = 'haproxy_server_check_last_change'  # any page says that checks run

        def checked():
            page = harness.fetch(f"http://127.0.0.1:{self.proxy.ports['metrics']}/metrics")[2].decode()
            return "write" in page and self.select("write")
        harness.wait_until(checked, 20, counter)
        time.sleep(3)
        with open(self.postgres.data[0] + ".log", encoding="utf-8") as text:
            after = [line for line in text.read().splitlines()[before:] if "checkpoint" not in line]
        self.assertEqual(after, [])


def signed(secret, body, identity="msg-1", at=None):
    """The headers of Standard Webhooks."""
    stamp = str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {"Content-Type": "application/json", "webhook-id": identity, "webhook-timestamp": stamp,
            "webhook-signature": "v1," + base64.b64encode(mac).decode()}


def alert(trigger, region, status="firing", **more):
    return json.dumps({"version": "4", "status": status, "alerts": [{
        "status": status, "labels": {"alertname": trigger, "region": region}, "annotations": {}, "fingerprint": "f00d", **more}]}).encode()


class Webhook(Region):
    """A collector that takes the webhooks of another one, and drives the same HAProxy."""

    SECRET = "a secret of a length that nobody will guess"

    def setUp(self):
        super().setUp()
        self.start("us-east")
        secret = self.folder.file("traffic.secret", self.SECRET + "\n")
        read = {"us-east": {"cut": ["read/us-east"]}, "eu-west": {"cut": ["read/eu-west"], "cut_after": ["read/us-east"]}}
        self.receiver = self.collector({"collector": {"name": "receiver"}, "traffic": {
            "haproxy": self.proxy.socket, "secret_file": secret, "interval": "200ms",
            "rules": [{"trigger": "lag-high", "region": region, **servers} for region, servers in read.items()] +
                     [{"trigger": "no-writes", "region": "eu-west", "cut": ["write/eu-west"]}]}}, name="receiver").start()
        self.url = self.receiver.url("/api/v1/traffic")

    def post(self, body, headers=None, **more):
        status, _, text = harness.fetch(self.url, signed(self.SECRET, body, **more) if headers is None else headers, body)
        return status, text.decode()

    def servers(self, state):
        return self.receiver.value("fraiseql_traffic_servers", state=state)

    def reads_in(self, i, what):
        harness.wait_until(lambda: self.select("read") == str(self.postgres.ports[i]), 20, what)

    def test_a_collector_tells_another_one_to_read_elsewhere(self):
        lag = [0]
        page = self.open(harness.Peer(lambda _: (200, {"Content-Type": "text/plain"}, b"shop_lag %d\n" % lag[0])))
        sender = self.collector({
            "collector": {"name": "sender"},
            "scrapers": {"prometheus": [{"name": "shop", "region": "eu-west", "interval": "200ms", "timeout": "150ms", "url": page.url()}]},
            "triggers": [{"name": "lag-high", "when": {"metric": "shop_lag", "above": 5, "for": "300ms"}, "by": ["region"],
                          "resolve": {"for": "300ms"}, "notify": ["traffic"]}],
            "notify": [{"name": "traffic", "webhook": {"url": self.url, "secret_file": self.folder.path + "/traffic.secret"}}]},
            name="sender").start()
        self.reads_in(1, "reads of the own database")
        kept = self.sleeper("read", 1)
        lag[0] = 60
        self.reads_in(0, "reads of the nearest other database")
        self.assertNotEqual(kept.wait(20), 0)
        harness.wait_until(lambda: self.servers("out") == 1, 20, "the server to be seen out")
        self.assertEqual(self.receiver.value("fraiseql_traffic_incidents", trigger="lag-high", region="eu-west"), 1)
        self.assertGreater(self.receiver.value("fraiseql_traffic_switch_duration_seconds"), 0)
        self.assertEqual(self.proxy.switch("show"), (0, "us-east"))  # writes stay where they were
        self.assertEqual(self.select("write"), str(self.postgres.ports[0]))
        # Neither restart forgets it.
        self.proxy.close()
        self.proxy.start()
        self.reads_in(0, "what HAProxy forgot to be said again")
        far = self.sleeper("read", 0)
        self.receiver.stop()
        lag[0] = 0
        self.receiver.start()
        self.reads_in(1, "reads of the own database again")
        self.assertNotEqual(far.wait(20), 0)  # what stood in is left
        harness.wait_until(lambda: self.servers("out") == 0, 20, "nothing to be out")
        harness.wait_until(lambda: sender.value("fraiseql_notifications_pending", receiver="traffic") == 0, 20, "no webhook to be left")

    def test_what_is_not_allowed_is_refused(self):
        body = alert("lag-high", "eu-west")
        refused = [({"Content-Type": "application/json"}, body, 401, "needs webhook-id"),
                   (signed("another secret", body), body, 401, "webhook-signature"),
                   (signed(self.SECRET, b"{}"), body, 401, "webhook-signature"),
                   (signed(self.SECRET, body, at=time.time() - 400), body, 401, "max_age"),
                   (signed(self.SECRET, body, at=time.time() + 400), body, 401, "max_age"),
                   (signed(self.SECRET, body, identity="a.b"), body, 401, "malformed"),
                   (signed(self.SECRET, b"{"), b"{", 400, "JSON"),
                   (signed(self.SECRET, b"{}"), b"{}", 422, "version 4")]
        mars = alert("lag-high", "mars")
        refused.append((signed(self.SECRET, mars), mars, 422, 'of the region "mars"; there are rules for: us-east eu-west'))
        for headers, sent, status, part in refused:
            got, text = self.post(sent, headers)
            self.assertEqual((got, part in text), (status, True), text)
        harness.wait_until(lambda: self.receiver.value("fraiseql_traffic_webhooks_total", result="refused") == len(refused), 10,
                           "the refusals to be counted")
        self.assertEqual(harness.fetch(self.url)[0], 405)
        self.assertEqual(self.post(alert("of-nobodys-interest", "mars"))[0], 200)
        self.assertEqual(self.select("read"), str(self.postgres.ports[1]))

    def test_a_repeat_changes_nothing(self):
        firing = alert("lag-high", "eu-west")
        headers = signed(self.SECRET, firing, "one")
        self.assertEqual(self.post(firing, headers), (200, "taken\n"))
        self.reads_in(0, "reads elsewhere")
        self.assertEqual(self.post(alert("lag-high", "eu-west", "resolved"), identity="two")[0], 200)
        self.reads_in(1, "reads of the own database")
        self.assertEqual(self.post(firing, headers)[0], 200)  # somebody kept it, and sends it again
        harness.wait_until(lambda: self.receiver.value("fraiseql_traffic_webhooks_total", result="repeated") == 1, 10, "the repeat")
        self.assertEqual(self.select("read"), str(self.postgres.ports[1]))
        self.receiver.stop()
        self.receiver.start()
        self.assertEqual(self.post(firing, headers)[0], 200)
        self.assertEqual(self.select("read"), str(self.postgres.ports[1]))

    def test_the_last_database_stays_and_no_disabled_one_is_opened(self):
        self.assertEqual(self.post(alert("lag-high", "us-east"), identity="one")[0], 200)
        self.assertEqual(self.post(alert("lag-high", "eu-west"), identity="two")[0], 200)
        harness.wait_until(lambda: self.servers("held") == 2, 20, "both to be wanted out")
        self.reads_in(1, "reads all the same")
        self.assertEqual(self.post(alert("lag-high", "us-east", "resolved"), identity="three")[0], 200)
        self.reads_in(0, "reads of the one that is well")
        self.postgres.stop(0, "immediate")  # and now the other one is better than none
        self.reads_in(1, "reads of the one that is left")
        # The write target is disabled there: taking it out and giving it back opens nothing.
        self.assertEqual(self.proxy.switch("close"), (0, ""))
        for identity, status in (("four", "firing"), ("five", "resolved")):
            self.assertEqual(self.post(alert("no-writes", "eu-west", status), identity=identity)[0], 200)
        harness.wait_until(lambda: self.receiver.value("fraiseql_traffic_incidents", trigger="no-writes", region="eu-west") == 0, 10,
                           "the incident to end")
        self.assertEqual(self.select("write"), "")

    def test_a_haproxy_that_is_away_is_told_later(self):
        self.proxy.close()
        self.assertEqual(self.post(alert("lag-high", "eu-west"))[0], 200)
        harness.wait_until(lambda: (self.receiver.value("fraiseql_traffic_switches_total", result="failed") or 0) > 0, 20, "a failure")
        self.proxy.start()
        self.reads_in(0, "reads elsewhere")
        self.assertIn("traffic.failed", self.receiver.log())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        harness.main()
