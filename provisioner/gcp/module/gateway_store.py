"""What the gateway reads and writes at Google: three secrets, and a guest attribute of its own machine with its report."""

import base64
import gzip
import json
import os
import urllib.error
import urllib.request

MANAGER = os.environ.get("FRAISEQL_SECRET_MANAGER", "https://secretmanager.googleapis.com/v1/")
METADATA = f"http://{os.environ.get('GCE_METADATA_HOST', 'metadata.google.internal')}/computeMetadata/v1/instance/"


def call(url, headers, method="GET", data=None):
    request = urllib.request.Request(url, headers=headers, method=method, data=data)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


class Store:
    REPORT_EVERY_S = 300
    REPORT_BYTES = 32 * 1024

    def __init__(self, settings):
        self.settings = settings
        token = json.loads(call(METADATA + "service-accounts/default/token", {"Metadata-Flavor": "Google"}))["access_token"]
        self.bearer = {"Authorization": "Bearer " + token}

    def value(self, secret, version="latest"):
        answer = json.loads(call(f"{MANAGER}{secret}/versions/{version}:access", self.bearer))
        return base64.b64decode(answer["payload"]["data"])

    def document(self):
        try:
            return gzip.decompress(base64.b64decode(self.value(self.settings["document"])))
        except urllib.error.HTTPError as problem:
            if problem.code != 404:
                raise
            return None

    def password(self):
        return self.value(self.settings["password"]).decode()

    def administrator(self):
        # The service's first instance makes it, and the first version counts.
        return "fraiseql", self.value(self.settings["secret"], "1").decode()

    def report(self, text):
        call(METADATA + "guest-attributes/fraiseql/replication", {"Metadata-Flavor": "Google"}, "PUT", text.encode())
