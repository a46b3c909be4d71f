"""Azure Database for PostgreSQL, as far as backups meet it, for FakeAzure: servers of a resource group, their backups and
operations that are done when they have been looked at `looks` times."""

import re
import time

from fake_cloud import Refused

PART = "/providers/Microsoft.DBforPostgreSQL/flexibleServers"
VERSION = "2024-08-01"


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime(seconds))


class AzurePostgres:
    def __init__(self, fake):
        self.fake = fake
        self.servers, self.backups, self.operations = {}, [], {}
        self.looks = 1
        self.fails = None  # the message of an operation that fails

    def add(self, group, name, owner="demo", address="azurerm_postgresql_flexible_server.this"):
        self.group = group
        self.servers[name] = {
            "id": f"/subscriptions/s/resourceGroups/{group}{PART}/{name}", "name": name, "location": "westeurope",
            "tags": {"fraiseql-deployment": owner, "fraiseql-address": address},
            "properties": {"state": "Ready", "fullyQualifiedDomainName": f"{name}.postgres.database.azure.com",
                           "network": {"delegatedSubnetResourceId": "/subnet", "privateDnsZoneArmResourceId": "/zone"},
                           "backup": {"backupRetentionDays": 7, "earliestRestoreDate": stamp(time.time() - 86400)}}}

    def begin(self, call, done):
        number = str(len(self.operations))
        self.operations[number] = [self.looks, done]
        base = call.path.split("/resourceGroups/")[0]
        return {"Azure-AsyncOperation": self.fake.url(f"{base}/azureAsyncOperation/{number}?api-version={VERSION}"),
                "Location": self.fake.url(f"{base}/operationResults/{number}?api-version={VERSION}")}, {}

    def serve(self, call, rest):
        """`rest` is the path below the subscription."""
        if call.query["api-version"] != [VERSION]:
            raise ValueError(call.query)
        if rest.startswith("/azureAsyncOperation/"):
            return self.look(rest.rsplit("/", 1)[1])
        match = re.fullmatch(r"/resourceGroups/([^/]+)" + re.escape(PART) + r"(?:/([^/]+)(?:/backups(?:/([\w.-]+))?)?)?", rest)
        group, name, backup = match[1], match[2], match[3]
        if group != self.group:
            raise Refused(404, {"error": {"code": "ResourceGroupNotFound", "message": "Resource group could not be found."}})
        if not name:
            return self.pages(call, list(self.servers.values()))
        if "/backups" in rest:
            return self.on_backups(call, name, backup)
        if call.method == "PUT":
            return self.make(call, group, name)
        if name not in self.servers:
            raise Refused(404, {"error": {"code": "ResourceNotFound", "message": "The server was not found."}})
        self.pass_by()
        return {}, self.servers[name]

    def pages(self, call, items):
        """One a page, which Azure may do too."""
        if call.method != "GET":
            raise ValueError(call.method)
        at = int(call.query.get("$skiptoken", ["0"])[0])
        link = self.fake.url(f"{call.path}?api-version={VERSION}&$skiptoken={at + 1}")
        return {}, {"value": items[at:at + 1], **({"nextLink": link} if at + 1 < len(items) else {})}

    def pass_by(self):
        """It goes on whether its operation is looked at or what it makes."""
        for operation in self.operations.values():
            operation[0] -= 1
            if operation[0] < 0 and operation[1] and not self.fails:
                operation[1]()
                operation[1] = None

    def look(self, number):
        self.pass_by()
        if self.operations[number][0] >= 0:
            return {}, {"name": number, "status": "InProgress"}
        if self.fails:
            return {}, {"name": number, "status": "Failed", "error": {"code": "InternalServerError", "message": self.fails}}
        return {}, {"name": number, "status": "Succeeded"}

    def on_backups(self, call, name, backup):
        if name not in self.servers:
            raise Refused(404, {"error": {"code": "ResourceNotFound", "message": "The server was not found."}})
        if call.method == "PUT" and backup:
            if any(each["name"] == backup for each in self.backups):
                raise Refused(409, {"error": {"code": "BackupAlreadyExists", "message": "There is one of that name."}})
            entry = {"id": "/b/" + backup, "name": backup, "type": "Microsoft.DBforPostgreSQL/flexibleServers/backups",
                     "properties": {"backupType": "Customer On-Demand", "source": "Full"}}
            self.backups.insert(0, entry)
            return self.begin(call, lambda: entry["properties"].update(completedTime=stamp(time.time() - 600)))
        if backup:
            raise ValueError(call.method)
        if "$skiptoken" not in call.query:
            self.pass_by()
        return self.pages(call, self.backups)

    def make(self, call, group, name):
        body = call.json()
        properties = body["properties"]
        if set(body) != {"location", "tags", "properties"} or properties["createMode"] != "PointInTimeRestore" or \
                set(properties) != {"createMode", "sourceServerResourceId", "pointInTimeUTC", "network"} or name in self.servers:
            raise ValueError(body)
        if not any(each["id"] == properties["sourceServerResourceId"] for each in self.servers.values()):
            raise ValueError(body)
        if set(properties["network"]) != {"delegatedSubnetResourceId", "privateDnsZoneArmResourceId"}:
            raise ValueError(body)
        self.servers[name] = {"id": f"/subscriptions/s/resourceGroups/{group}{PART}/{name}", "name": name,
                              "location": body["location"], "tags": body["tags"],
                              "properties": {"state": "Updating", "fullyQualifiedDomainName": name + ".postgres.database.azure.com"}}
        return self.begin(call, lambda: self.servers[name]["properties"].update(state="Ready"))
