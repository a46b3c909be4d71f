"""What the gateway reads and writes in Azure: secrets of the region's vault, each by a right of its own."""

import base64
import gzip
import json
import os
import urllib.error
import urllib.parse
import urllib.request

METADATA = os.environ.get("FRAISEQL_METADATA", "http://169.254.169.254")


def call(url, headers, method="GET", data=None):
    request = urllib.request.Request(url, headers=headers, method=method, data=data)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


class Store:
    REPORT_EVERY_S = 6 * 3600  # the vault keeps every version
    REPORT_BYTES = 24 * 1024  # of a secret's 25 k

    def __init__(self, settings):
        self.settings = settings
        query = urllib.parse.urlencode({"api-version": "2018-02-01", "resource": "https://vault.azure.net", "client_id": settings["client"]})
        token = call(f"{METADATA}/metadata/identity/oauth2/token?{query}", {"Metadata": "true"})["access_token"]
        self.bearer = {"Authorization": "Bearer " + token}

    def address(self, name):
        return f"{self.settings['vault'].rstrip('/')}/secrets/{name}?api-version=7.4"

    def value(self, name):
        return call(self.address(name), self.bearer)["value"]

    def document(self):
        try:
            return gzip.decompress(base64.b64decode(self.value("replication")))
        except urllib.error.HTTPError as problem:
            # Not there, or not yet ours to read: rights to it are given with it.
            if problem.code not in (403, 404):
                raise
            return None

    def password(self):
        return self.value("replication-password")

    def administrator(self):
        return "fraiseql", self.value("database-password")

    def report(self, text):
        body = json.dumps({"value": text}).encode()
        call(self.address("replication-state"), {**self.bearer, "Content-Type": "application/json"}, "PUT", body)
