"""Signatures of random requests, compared with those of a live botocore: the installed one, or one that is fetched into
~/.cache/fraiseql-tests. Skipped aloud where neither can be had."""

import json
import os
import random
import subprocess
import sys
import unittest
import urllib.parse

from harness import BUILD, LAUNCHER, main

SIGNER = os.path.join(BUILD, "tests", "sign_requests")
CACHE = os.path.expanduser("~/.cache/fraiseql-tests/botocore")
COUNT = 400
SEED = int(os.environ.get("FRAISEQL_TEST_SEED", "20261126"))

# Run by the Python that has botocore: the same lines in, "Authorization" a line out.
ORACLE = """
import datetime, json, sys
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
for line in sys.stdin:
    given = json.loads(line)
    now = datetime.datetime.fromtimestamp(int(given["time"]), datetime.timezone.utc)
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = lambda *_, **__: now
    else:
        class Fixed(datetime.datetime):
            utcnow = classmethod(lambda cls: now.replace(tzinfo=None))
        botocore.auth.datetime.datetime = Fixed
    request = AWSRequest(method=given["method"], url=given["url"], data=given["body"].encode() or None)
    for name, value in given["headers"]:
        request.headers.add_header(name, value)
    kind = botocore.auth.S3SigV4Auth if given["service"] == "s3" else botocore.auth.SigV4Auth
    kind(Credentials(given["key"], given["secret"], given["session"] or None), given["service"],
         given["region"]).add_auth(request)
    print(request.headers["Authorization"])
"""


def has_botocore(python):
    return subprocess.run([python, "-c", "import botocore.auth"], capture_output=True).returncode == 0


def python_with_botocore():
    own = os.path.join(CACHE, "bin", "python")
    for python in (sys.executable, own):
        if (python == sys.executable or os.path.exists(python)) and has_botocore(python):
            return python
    try:
        subprocess.run([sys.executable, "-m", "venv", CACHE], check=True, capture_output=True, timeout=120)
        subprocess.run([own, "-m", "pip", "install", "-q", "botocore"], check=True, capture_output=True, timeout=240)
    except (OSError, subprocess.SubprocessError):
        return None
    return own if has_botocore(own) else None


class Requests:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, low=0, high=12):
        letters = "abcXYZ019-._~/:+ =&%?#@!$'()*,;[]éЖ\U0001F600"
        return "".join(self.random.choice(letters) for _ in range(self.random.randint(low, high)))

    def quoted(self, low=0, high=12):
        return urllib.parse.quote(self.text(low, high), safe="-._~")

    def path(self):
        """Encoded, with empty and dot segments within, not at the end, where botocore drops a slash that RFC 3986 keeps."""
        segments = [self.random.choice(["", ".", "..", self.quoted()]) if self.random.random() < 0.3 else self.quoted(1)
                    for _ in range(self.random.randint(0, 5))]
        # A segment of dots only is no text of ours but a step in the path.
        return "/" + "/".join([*segments, self.quoted(3).replace(".", "x")])

    def header_value(self):
        return self.random.choice(["", "  two   blanks ", "a,b", "a\tb", '"a   b"', "plain", "x" * 200])

    def one(self):
        choose = self.random.choice
        service = choose(["sts", "iam", "monitoring", "execute-api", "s3"])
        host = choose(["example.amazonaws.com", "Example.AmazonAWS.com", "example.amazonaws.com:8443", "127.0.0.1:4566",
                       "example.amazonaws.com:443", "[::1]:9"])
        path = self.path() if service != "s3" else "/" + "/".join(self.quoted(1) for _ in range(3))
        query = "&".join(self.quoted(1) + choose(["", "=", "=" + self.quoted()]) for _ in range(choose([0, 0, 1, 2, 5])))
        names = ["Content-Type", "X-Amz-Target", "X-Amz-Meta-A", "x-amz-meta-a-b", "Accept", "User-Agent", "My-Header"]
        headers = [[choose(names), self.header_value()] for _ in range(choose([0, 1, 3, 6]))]
        return {"method": choose(["GET", "POST", "PUT", "DELETE", "HEAD"]),
                "url": f"https://{host}{path}{'?' + query if query or choose([False, True]) else ''}",
                "headers": headers, "body": choose(["", "Action=A&Version=1", "{}", "é\n"]), "service": service,
                "region": choose(["us-east-1", "eu-west-1", "cn-north-1"]), "key": "AKIDEXAMPLE",
                "secret": choose(["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "s"]),
                "session": choose(["", "a+session/token=="]), "time": str(self.random.randint(0, 4_000_000_000))}


class Signature(unittest.TestCase):
    def test_random_requests(self):
        python = python_with_botocore()
        if not python:
            self.skipTest("there is no botocore, and none could be fetched by pip")
        requests = [Requests(SEED + i).one() for i in range(COUNT)]
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        ours = subprocess.run([*LAUNCHER, SIGNER], input=lines, capture_output=True, text=True, check=True).stdout
        theirs = subprocess.run([python, "-c", ORACLE], input=lines, capture_output=True, text=True, check=True).stdout
        ours, theirs = ours.splitlines(), theirs.splitlines()
        self.assertEqual((len(ours), len(theirs)), (COUNT, COUNT))
        differ = [(request, mine, other) for request, mine, other in zip(requests, ours, theirs) if mine != other]
        self.assertEqual(differ, [], f"{len(differ)} of {COUNT} differ (seed {SEED})")
        print(f"compared {COUNT} signatures with botocore (seed {SEED})")


if __name__ == "__main__":
    main()
