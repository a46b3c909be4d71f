#!/usr/bin/env python3
"""A real S3-compatible store for tests: MinIO behind TLS, with one bucket.

    minio_rig.py FOLDER     builds it into FOLDER, where it is not there yet; takes go and its module proxy, and minutes"""

import os
import shutil
import subprocess
import sys

import harness

# The last commit of the server that can be had from the module proxy.
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
CACHE = os.path.join(harness.ROOT, "build", "minio")
HOW_TO_GET_IT = "tests/integration/minio_rig.py build/minio builds it"
BUCKET = "backups"


def program():
    """None: there is none."""
    built = os.path.join(CACHE, "minio")
    return os.environ.get("FRAISEQL_MINIO") or shutil.which("minio") or (built if os.access(built, os.X_OK) else None)


def build(folder):
    if os.access(os.path.join(folder, "minio"), os.X_OK):
        return
    os.makedirs(folder, exist_ok=True)
    fresh = os.path.join(os.path.abspath(folder), "new")
    subprocess.run(["go", "install", "-trimpath", "-ldflags=-s -w", f"github.com/minio/minio@{VERSION}"], check=True,
                   env={**os.environ, "GOBIN": fresh, "GOFLAGS": "-buildvcs=false"})
    os.rename(os.path.join(fresh, "minio"), os.path.join(folder, "minio"))
    os.rmdir(fresh)


class Minio:
    """Endpoints are by name: pgBackRest does not take a certificate for an address."""

    def __init__(self):
        self.folder = harness.Folder()
        self.key, self.secret = "fraiseql-test", os.urandom(16).hex()
        self.port = harness.free_port()
        self.endpoint = f"https://localhost:{self.port}"
        certificates = os.path.join(self.folder.path, "certificates")
        self.authority = os.path.join(certificates, "public.crt")
        os.makedirs(certificates)
        os.makedirs(os.path.join(self.folder.path, "data", BUCKET))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                        os.path.join(certificates, "private.key"), "-out", self.authority, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        with open(os.path.join(self.folder.path, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [program(), "server", os.path.join(self.folder.path, "data"), "--address", f"127.0.0.1:{self.port}",
                 "--console-address", f"127.0.0.1:{harness.free_port()}", "--certs-dir", os.path.join(self.folder.path, "certificates")],
                stdout=log, stderr=log, env={**os.environ, "MINIO_ROOT_USER": self.key, "MINIO_ROOT_PASSWORD": self.secret})
        harness.wait_until(self.answers, timeout=60, what="MinIO to answer")

    def answers(self):
        asked = subprocess.run(["curl", "-fsS", "--cacert", self.authority, "-o", "/dev/null", self.endpoint + "/minio/health/live"],
                               capture_output=True, check=False)
        return asked.returncode == 0

    def close(self):
        self.process.kill()
        self.process.wait()
        self.folder.remove()


def main():
    """A machine where it cannot be had loses one test, which says so."""
    try:
        build(sys.argv[1])
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"minio_rig.py: {problem}: tests of the S3-compatible store are skipped", file=sys.stderr)


if __name__ == "__main__":
    main()
