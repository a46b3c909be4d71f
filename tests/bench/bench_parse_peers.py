"""Prometheus' text, OpenMetrics and protobuf: our reader beside client_python's parser and Prometheus' own in Go, on the same
pages in one run. Prints; asserts nothing. A peer that cannot be had is named."""

import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration", "sdks"))
import clients  # noqa: E402

PEERS = [("exposition_go", ["text", "openmetrics", "protobuf"], 3), ("exposition_python", ["text", "openmetrics"], 1)]


def main():
    with tempfile.TemporaryDirectory() as folder:
        page = os.path.join(folder, "page")
        subprocess.run([os.path.join(ROOT, "build", "release", "bench", "bench_parse"), page], check=True)
        for name, formats, rounds in PEERS:
            for kind in formats:
                try:
                    command, home = clients.command(name, "parse", kind, f"{page}.{kind}", rounds)
                except (unittest.SkipTest, AssertionError) as problem:
                    print(f"{name}: {problem}")
                    break
                done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
                print(f"{kind}\n{done.stdout or done.stderr.strip()[-300:]}", end="")


main()
