"""Time of `fraiseql deploy validate` and `cost` on a file of 50 regions, the start of the program included.
Prints; asserts nothing.

    python3 tests/bench/bench_deploy.py [PROGRAM]      default build/release/bin/fraiseql
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REGIONS = 50
ROUNDS = 15
PLACES = (("aws", ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-1", "us-west-2")),
          ("gcp", ("us-central1", "europe-west1", "europe-west4", "asia-southeast1", "me-west1")),
          ("azure", ("eastus", "westeurope", "northeurope", "southeastasia", "uksouth")))


def deployment():
    lines = ["metadata: { name: bench, environment: production }", "regions:"]
    for i in range(REGIONS):
        provider, locations = PLACES[i % len(PLACES)]
        lines.append(f"  region-{i}: {{ provider: {provider}, location: {locations[i // 3 % 5]}, size: medium }}")
    lines.append("replication: { mode: active-active, conflict-resolution: last-update-wins }")
    return "\n".join(lines) + "\n"


def measure(program, path, verb, flags, environment):
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        done = subprocess.run([program, "deploy", verb, path, *flags], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, env=environment)
        times.append((time.perf_counter() - begin) * 1e3)
    first = done.stderr.decode().splitlines()[:1] if done.returncode else []
    print(f"{verb:10} {' '.join(flags):24} {statistics.median(times):7.1f} ms median of {ROUNDS}, "
          f"{max(times):7.1f} ms worst, {len(done.stdout)} bytes, exit {done.returncode} {' '.join(first)}")
    return statistics.median(times)


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/bin/fraiseql")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bench.yaml")
        with open(path, "w", encoding="ascii") as out:
            out.write(deployment())
        environment = dict(os.environ, FRAISEQL_PRICES=folder)
        together = measure(program, path, "validate", (), environment)
        together += measure(program, path, "cost", ("--format", "json"), environment)
        together += measure(program, path, "render", ("--out", os.path.join(folder, "rendered")), environment)
        print(f"validate + cost + render of {REGIONS} regions: {together:.1f} ms (aim: under 200 ms)")
        measure(program, path, "cost", ("--alternatives",), environment)


main()
