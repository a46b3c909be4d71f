"""Cloud SQL Admin, as far as backups meet it, for FakeGoogle: instances, backup runs, clones and their operations, each of
which is done when it has been looked at `looks` times."""

import re
import time

from fake_cloud import Refused

PREFIX = "/sql/v1beta4/projects/"
PAGE = 2


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class CloudSql:
    def __init__(self, project):
        self.project = project
        self.instances, self.runs, self.operations = {}, [], []
        self.looks = 1
        self.bad = None  # a backup's last status in place of SUCCESSFUL

    def add(self, name, owner="demo", state="RUNNABLE", **settings):
        self.instances[name] = {
            "kind": "sql#instance", "name": name, "region": "europe-west1", "databaseVersion": "POSTGRES_16", "state": state,
            "settings": {"kind": "sql#settings", "settingsVersion": "7", "tier": "db-custom-2-7680", "availabilityType": "REGIONAL",
                         "backupConfiguration": {"enabled": True, "pointInTimeRecoveryEnabled": True},
                         "userLabels": {"fraiseql-deployment": owner, "fraiseql-address": "google_sql_database_instance-this"},
                         **settings},
            "ipAddresses": [{"type": "PRIVATE", "ipAddress": "10.0.0.3"}]}

    def operate(self, kind, target):
        self.operations.insert(0, {"kind": "sql#operation", "name": f"op-{len(self.operations)}", "operationType": kind,
                                   "targetId": target, "status": "PENDING", "left": self.looks})
        return {name: value for name, value in self.operations[0].items() if name != "left"}

    def instance(self, name):
        if name not in self.instances:
            raise Refused(404, {"error": {"code": 404, "message": "The Cloud SQL instance does not exist."}})
        return self.instances[name]

    def get(self, name):
        instance = self.instance(name)
        if instance["state"] == "PENDING_CREATE":
            instance["left"] -= 1
            if instance["left"] < 0:
                instance["state"] = "RUNNABLE"
        return {key: value for key, value in instance.items() if key != "left"}

    def make(self, name, source, settings):
        if name in self.instances:
            raise Refused(409, {"error": {"code": 409, "message": "The Cloud SQL instance already exists."}})
        self.instances[name] = {**source, "name": name, "state": "PENDING_CREATE", "left": self.looks, "settings": settings}

    def serve(self, call):
        parts = call.path[len(PREFIX):].split("/")
        if parts[0] != self.project:
            raise Refused(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "The client is not authorized"}})
        if parts[1] == "operations":
            return self.list_operations(call)
        if parts[1] != "instances" or len(parts) > 4:
            raise ValueError(call.path)
        rest = parts[2:]
        if not rest:
            return self.insert(call) if call.method == "POST" else self.list_instances(call)
        if len(rest) == 1:
            if call.method != "GET" or call.query:
                raise ValueError(call.method)
            return self.get(rest[0])
        return {"backupRuns": self.backup_runs, "clone": self.clone, "restoreBackup": self.restore,
                "getLatestRecoveryTime": self.window}[rest[1]](call, rest[0])

    def list_instances(self, call):
        if call.method != "GET" or not set(call.query) <= {"maxResults", "pageToken"}:
            raise ValueError(call.query)
        start = int(call.query.get("pageToken", ["0"])[0])
        more = {"nextPageToken": str(start + PAGE)} if start + PAGE < len(self.instances) else {}
        page = [self.get(name) for name in list(self.instances)[start:start + PAGE]]
        return {"kind": "sql#instancesList", **({"items": page} if page else {}), **more}

    def list_operations(self, call):
        if call.method != "GET" or not set(call.query) <= {"instance", "maxResults"}:
            raise ValueError(call.query)
        found = [each for each in self.operations if each["targetId"] == call.query["instance"][0]]
        for each in found:
            each["left"] -= 1
            if each["left"] < 0:
                each["status"] = "DONE"
        return {"kind": "sql#operationsList", "items": [{k: v for k, v in each.items() if k != "left"} for each in found]}

    def insert(self, call):
        body = call.json()
        if call.method != "POST" or not set(body) <= {"name", "region", "databaseVersion", "settings", "diskEncryptionConfiguration"}:
            raise ValueError(body)
        if "settingsVersion" in body["settings"] or not body["settings"]["tier"]:
            raise ValueError(body["settings"])
        if body["settings"]["backupConfiguration"]["enabled"] is not True:
            raise ValueError("a boolean became something else")
        for key, value in body["settings"]["userLabels"].items():
            if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) or not re.fullmatch(r"[a-z0-9_-]{0,63}", value):
                raise ValueError((key, value))
        self.make(body["name"], {"region": body["region"], "databaseVersion": body["databaseVersion"],
                                 "ipAddresses": [{"ipAddress": "10.0.0.9"}]}, body["settings"])
        return self.operate("CREATE", body["name"])

    def clone(self, call, name):
        body = call.json()
        context = body["cloneContext"]
        if call.method != "POST" or set(body) != {"cloneContext"} or set(context) != {"destinationInstanceName", "pointInTime"}:
            raise ValueError(body)
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", context["pointInTime"]):
            raise ValueError(body)
        source = self.instance(name)
        self.make(context["destinationInstanceName"], source, source["settings"])
        return self.operate("CLONE", name)

    def restore(self, call, name):
        body = call.json()
        context = body["restoreBackupContext"]
        if call.method != "POST" or set(context) != {"backupRunId", "instanceId", "project"}:
            raise ValueError(body)
        run = [run for run in self.runs if run["id"] == context["backupRunId"]]
        if len(run) != 1 or self.instance(name)["state"] != "RUNNABLE" or context["instanceId"] == name:
            raise ValueError(body)
        return self.operate("RESTORE_VOLUME", name)

    def window(self, call, name):
        self.instance(name)
        now = time.time()
        return {"kind": "sql#getLatestRecoveryTime", "earliestRecoveryTime": stamp(now - 7 * 86400), "latestRecoveryTime": stamp(now - 60)}

    def backup_runs(self, call, name):
        self.instance(name)
        if call.method == "POST":
            body = call.json()
            if set(body) != {"description"}:
                raise ValueError(body)
            self.runs.insert(0, {"kind": "sql#backupRun", "id": str(1700000000000 + len(self.runs)), "instance": name,
                                 "status": "ENQUEUED", "type": "ON_DEMAND", "description": body["description"],
                                 "startTime": stamp(time.time()), "left": self.looks})
            return self.operate("BACKUP_VOLUME", name)
        if call.method != "GET" or not set(call.query) <= {"maxResults", "pageToken"}:
            raise ValueError(call.query)
        start = int(call.query.get("pageToken", ["0"])[0])
        if not start:
            for run in self.runs:
                run["left"] = run.get("left", 0) - 1
                run["status"] = (self.bad or "SUCCESSFUL") if run["left"] < 0 else "RUNNING"
        more = {"nextPageToken": str(start + PAGE)} if start + PAGE < len(self.runs) else {}
        page = [{k: v for k, v in run.items() if k != "left"} for run in self.runs[start:start + PAGE]]
        return {"kind": "sql#backupRunsList", **({"items": page} if page else {}), **more}
