#!/usr/bin/python3
"""Sets replication of this region's database up and keeps it so; runs on the gateway, the one machine that reaches it.

A timer starts this every half minute. It fetches the region's document (SQL and peers, put there by the global root) and
does what is not done yet: forwards to the peers' gateways, what this database publishes, and a subscription for every peer
that has published. Once all is done it looks again every few minutes, which also takes in new tables. Each step may be
repeated. gateway_store.py, beside this file, is the cloud: document(), password(), administrator() and report(text), which
takes REPORT_BYTES.

Passwords reach psql through its environment; no argument, file or report holds one."""

import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import time

SETTLED_S = 300  # between looks once all is done
PSQL_S = 900  # one script
DETAIL_MAX = 300
ROLE = "fraiseql_replication"

STATES = r"""
SELECT s.subname, s.subenabled, coalesce(bool_or(t.pid IS NOT NULL AND t.relid IS NULL), false),
       (SELECT count(*) FROM pg_subscription_rel r WHERE r.srsubid = s.oid),
       (SELECT count(*) FROM pg_subscription_rel r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r'),
       coalesce(round(extract(epoch FROM now() - max(t.latest_end_time) FILTER (WHERE t.relid IS NULL)))::int, -1)
  FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid LEFT JOIN pg_stat_subscription t ON t.subid = s.oid
  WHERE d.datname = current_database() GROUP BY s.oid, s.subname, s.subenabled;
"""


class Failed(Exception):
    """A step that did not work; its text holds no secret."""


def replace_file(path, text, mode):
    """Whole or not at all. True when it changed."""
    try:
        with open(path, encoding="utf-8") as old:
            if old.read() == text:
                return False
    except FileNotFoundError:
        pass
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(path + ".new", path)
    return True


def load(path):
    try:
        with open(path, encoding="utf-8") as text:
            return json.load(text)
    except (FileNotFoundError, ValueError):
        return {}


def fitting(result, most):
    """As JSON of at most so many bytes: details are cut short, then peers that are streaming left out and counted."""
    peers = result.get("peers", {})
    for detail_max in (DETAIL_MAX, 100, 30, 0):
        cut = {name: {**peer, "detail": peer["detail"][:detail_max]} for name, peer in peers.items()}
        text = json.dumps({**result, **({"peers": cut} if peers else {})}, separators=(",", ":"))
        if len(text) <= most:
            return text
    left = {name: peer for name, peer in cut.items() if peer["state"] != "streaming"}
    return json.dumps({**result, "peers": left, "omitted": len(cut) - len(left)}, separators=(",", ":"))


class Gateway:
    def __init__(self, settings, store):
        self.settings, self.store = settings, store
        self.done = load(settings["state"])  # what was done, by fingerprints; nothing of it is secret
        self.secrets = []

    # --- psql ---

    def psql(self, connection, password, sql, replication_password=None, **variables):
        words = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        environment = {**os.environ, "PGPASSWORD": password, "PGAPPNAME": "fraiseql-gateway", "PGCONNECT_TIMEOUT": "10"}
        if replication_password is not None:
            environment["FRAISEQL_REPLICATION_PASSWORD"] = replication_password
            sql = "\\getenv replication_password FRAISEQL_REPLICATION_PASSWORD\n" + sql
        text = " ".join(f"{key}='{value}'" for key, value in connection.items())
        try:
            done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse", "-v",
                                   "SHOW_CONTEXT=never", *words, "-d", text, "-f", "-"], input=sql, env=environment,
                                  capture_output=True, text=True, timeout=PSQL_S, check=False)
        except subprocess.TimeoutExpired:
            raise Failed(f"psql had not ended after {PSQL_S} s") from None
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "is not given: nothing was done for it" not in line]
            raise Failed(self.shown(" ".join(lines)) or f"psql ended with {done.returncode}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def shown(self, text):
        """Without secrets, in one line that is not too long."""
        for secret in self.secrets:
            for form in {secret, secret.replace("'", "''"), secret.replace("\\", "\\\\").replace("'", "\\'")}:
                text = text.replace(form, "***")
        return " ".join(text.split())[:DETAIL_MAX]

    def here(self):
        """The database behind this gateway."""
        return {**{key: self.settings[key] for key in ("host", "port", "sslmode", "sslrootcert") if self.settings.get(key)},
                "dbname": self.settings["database"]}

    # --- steps ---

    def address(self):
        """Ours, as the database sees it."""
        if self.settings.get("address"):
            return self.settings["address"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((self.settings["host"], int(self.settings["port"])))
            return probe.getsockname()[0]

    def forward(self, sources):
        """The database has no way to the peers but through us, by a port each."""
        if not self.settings.get("proxy"):
            return
        with open(self.settings["proxy_base"], encoding="utf-8") as base:
            text = base.read()
        for source in sources.values():
            text += (f"listen {source['variable']}\n    bind :{source['port']}\n"
                     f"    server gateway {source['address']}:{self.settings['peer_port']}\n")
        if replace_file(self.settings["proxy"], text, 0o644):
            subprocess.run(self.settings["reload"], check=True, timeout=60, capture_output=True)

    def peer(self, source):
        """How the database reaches a peer. Channel binding: who holds the connection's other end also knows the password's
        verifier, so nobody between can pretend to be the peer."""
        return {"host": self.address(), "port": source["port"], "dbname": source["database"],
                "sslmode": self.settings.get("peer_sslmode", "require"),
                "channel_binding": self.settings.get("peer_channel_binding", "require")}

    def publish(self, document, user, password, shared, fingerprint):
        fresh = self.done.get("published") != fingerprint
        self.psql({**self.here(), "user": user}, password, document["sql"], shared if fresh else None, phase="publish")
        self.done["published"] = fingerprint

    def subscribe(self, name, source, document, user, password, shared, fingerprint):
        """None, or why it has to wait."""
        fresh = self.done.setdefault("subscribed", {}).get(name) != fingerprint
        peer = self.peer(source)
        if fresh:
            try:
                found = self.psql({**peer, "user": ROLE}, shared, "SELECT 1 FROM pg_publication WHERE pubname = :'name';",
                                  name=source["publication"])
            except Failed as problem:
                return f"it cannot be asked: {problem}"
            if not found:
                return "it has published nothing yet"
        connection = " ".join(f"{key}={value}" for key, value in peer.items())
        self.psql({**self.here(), "user": user}, password, document["sql"], shared if fresh else None, phase="subscribe",
                  **{source["variable"]: connection})
        self.done["subscribed"][name] = fingerprint
        return None

    # --- a round ---

    def subscriptions(self, user, password):
        rows = self.psql({**self.here(), "user": user}, password, STATES)
        return {row[0]: {"enabled": row[1] == "t", "running": row[2] == "t", "tables": int(row[3]), "copying": int(row[4]),
                         "lag_s": int(row[5])} for row in rows}

    def judge(self, sources, waiting, failed, seen):
        peers = {}
        for name, source in sources.items():
            found = seen.get(source["subscription"])
            if name in failed:
                peers[name] = {"state": "failed", "detail": failed[name]}
            elif name in waiting:
                peers[name] = {"state": "waiting", "detail": waiting[name]}
            elif not found or not found["enabled"] or not found["running"]:
                detail = "disabled" if found and not found["enabled"] else "no worker is running; the database's log says why"
                peers[name] = {"state": "stopped", "detail": detail}
            else:
                peers[name] = {"state": "copying" if found["copying"] else "streaming", "detail": "", "tables": found["tables"],
                               "copying": found["copying"], "lag_s": found["lag_s"]}
        return peers

    def work(self, raw):
        document = json.loads(raw)
        digest = hashlib.sha256(raw).hexdigest()
        if document.get("format") != 1:
            raise Failed("the document's format is not 1: this gateway is older than what the global root writes")
        sources = document["sources"]
        self.forward(sources)
        shared = self.store.password()
        user, password = self.store.administrator()
        self.secrets = [shared, password]
        mark = f"{digest} {self.settings['host']} {self.address()}".encode()
        fingerprint = hmac.new(shared.encode(), mark, hashlib.sha256).hexdigest()
        self.publish(document, user, password, shared, fingerprint)
        waiting, failed = {}, {}
        for name, source in sources.items():
            try:
                reason = self.subscribe(name, source, document, user, password, shared, fingerprint)
                if reason:
                    waiting[name] = reason
            except Failed as problem:
                failed[name] = str(problem)
        peers = self.judge(sources, waiting, failed, self.subscriptions(user, password))
        good = all(peer["state"] in ("streaming", "copying") for peer in peers.values())
        return {"phase": "done" if good else "subscribe", "document": digest, "peers": peers}

    def report(self, result):
        """Said when it changed, and now and then: some stores keep every version."""
        steady = {**result, "peers": {name: {key: value for key, value in peer.items() if key != "lag_s"}
                                      for name, peer in result.get("peers", {}).items()}}
        now, last = time.time(), self.done.get("reported", {})
        if last.get("steady") == steady and 0 <= now - last.get("at", 0) < self.store.REPORT_EVERY_S:
            return
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        self.store.report(fitting({"format": 1, **result, "at": at}, self.store.REPORT_BYTES))
        self.done["reported"] = {"steady": steady, "at": now}

    def round(self):
        raw = self.store.document()
        digest = hashlib.sha256(raw).hexdigest() if raw else ""
        settled = self.done.get("settled", {})
        if raw and settled.get("document") == digest and 0 <= time.time() - settled.get("at", 0) < self.settings.get("settled_s", SETTLED_S):
            return
        self.done.pop("settled", None)
        try:
            if raw:
                result = self.work(raw)
            else:
                result = {"phase": "wait", "document": "", "error": "there is no document yet: the global root writes it"}
        except Failed as problem:
            result = {"phase": "publish", "document": digest, "error": str(problem)}
        except Exception as problem:  # pylint: disable=broad-except
            result = {"phase": "publish", "document": digest, "error": self.shown(f"{type(problem).__name__}: {problem}")}
        try:
            self.report(result)
            if result["phase"] == "done":
                self.done["settled"] = {"document": digest, "at": time.time()}
        finally:
            replace_file(self.settings["state"], json.dumps(self.done), 0o600)
        print(json.dumps(result), flush=True)


UNITS = {
    "fraiseql-replication.service": """[Unit]
Description=Replication between regions
After=network-online.target haproxy.service
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -B /usr/local/lib/fraiseql/replicate.py /etc/fraiseql/replication.json
TimeoutStartSec=1h
UMask=0077
StateDirectory=fraiseql
ReadWritePaths=/etc/haproxy
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectHome=yes
ProtectKernelModules=yes
ProtectSystem=strict
""",
    "fraiseql-replication.timer": """[Unit]
Description=Replication between regions, looked after

[Timer]
OnActiveSec=5
OnUnitInactiveSec=30
AccuracySec=1

[Install]
WantedBy=timers.target
""",
}


def install():
    for name, text in UNITS.items():
        replace_file("/etc/systemd/system/" + name, text, 0o644)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "enable", "--now", "fraiseql-replication.timer"], check=True)


def main():
    if sys.argv[1:] == ["--install"]:
        install()
        return
    import gateway_store
    with open(sys.argv[1], encoding="utf-8") as text:
        settings = json.load(text)
    Gateway(settings, gateway_store.Store(settings)).round()


if __name__ == "__main__":
    main()
