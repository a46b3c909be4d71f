"""The example service as a child process, and a load that knows what was acknowledged."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
import uuid

import harness

PROGRAM = os.path.join(harness.BUILD, "bin", "fraiseql-example-service")
TOKEN = "0123456789abcdef-token"


class Service:
    def __init__(self, folder, url, read_url=None, port=None, name="service", **environment):
        self.port = port or harness.free_port()
        self.log_path = os.path.join(folder.path, name + ".log")
        variables = {"DATABASE_URL": url, "FRAISEQL_BIND_ADDR": f"127.0.0.1:{self.port}",
                     "FRAISEQL_METRICS_ENABLED": "true", "FRAISEQL_METRICS_TOKEN": TOKEN, "PATH": os.environ["PATH"],
                     **environment}
        if read_url:
            variables["DATABASE_READ_URL"] = read_url
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*harness.LAUNCHER, PROGRAM], env=variables, stdout=log, stderr=log)

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the service ended with {self.process.returncode}:\n{self.log()}")
        return harness.fetch(f"http://127.0.0.1:{self.port}/readiness")[0] == 200

    def wait_ready(self):
        harness.wait_until(self.ready, 30, "the service to be ready")
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8") as text:
            return text.read()

    def metrics(self):
        status, _, body = harness.fetch(f"http://127.0.0.1:{self.port}/metrics", {"Authorization": f"Bearer {TOKEN}"})
        assert status == 200, body
        return {name: value for (name, _), value in harness.parse_metrics(body.decode()).items()}

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


def ask(port, query, variables=None, timeout=30, address="127.0.0.1"):
    """(status, answer) of one GraphQL request; OSError or HTTPException when the connection broke."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request("POST", "/graphql", json.dumps({"query": query, "variables": variables or {}}),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


CREATE = "mutation M($what: String!, $key: String) { createOrder(what: $what, key: $key) { id } }"


class Load:
    """Writers that send each key until it is acknowledged. `acknowledged`: key to id, as the service said."""

    def __init__(self, port, writers=4, pause=0.002, address="127.0.0.1"):
        self.port, self.pause, self.address = port, pause, address
        self.acknowledged, self.failures, self.longest_wait = {}, 0, 0.0
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(writers)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.stopping.is_set():
            key, began = uuid.uuid4().hex, time.monotonic()
            while True:
                order = self.send(key)
                if order or (self.stopping.is_set() and time.monotonic() - began > 60):
                    break
                time.sleep(0.02)
            with self.lock:
                if order:
                    self.acknowledged[key] = order
                self.longest_wait = max(self.longest_wait, time.monotonic() - began)
            time.sleep(self.pause)

    def send(self, key):
        try:
            status, answer = ask(self.port, CREATE, {"what": "load", "key": key}, address=self.address)
            if status == 200 and not answer.get("errors"):
                return answer["data"]["createOrder"]["id"]
        except (OSError, http.client.HTTPException, ValueError):
            pass
        with self.lock:
            self.failures += 1
        return None

    def count(self):
        with self.lock:
            return len(self.acknowledged)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(90)
        return self.acknowledged


def check_accounts(case, acknowledged, rows):
    """`rows`: "key|id" lines of the database that writes now. Everything acknowledged is there, once, as it was said."""
    there = dict(row.split("|") for row in rows.splitlines() if row)
    case.assertEqual(len(there), len(rows.splitlines()))
    lost = {key for key in acknowledged if key not in there}
    case.assertEqual(lost, set(), f"{len(lost)} of {len(acknowledged)} acknowledged writes are lost")
    changed = {key for key, order in acknowledged.items() if there[key] != order}
    case.assertEqual(changed, set(), "what was acknowledged under one id is there under another")
