"""Three regions on this machine, as examples/three-regions.yaml has them: how long deploying takes, how late copies are, and
how long nobody writes in a switchover and in a failover. With --restore instead: one region whose database of a gigabyte is backed up, deleted
and restored to a moment. As root; prints; asserts nothing but that what was restored is what was there.

    python3 tests/bench/bench_regions.py [--restore] [PROGRAM]      default build/release/bin/fraiseql
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAME = "bench-regions"
ROWS = 300
SWITCHES = 6
ROUND_TRIPS_MS = {"us-east/eu-west": 80, "us-east/asia-southeast": 220, "eu-west/asia-southeast": 160}


ONE_REGION = "us-east"
FILL_BYTES = 10 ** 9
ROW_BYTES = 290  # of the table below, with what a row costs


class Session:
    """One psql that stays, as the administrator of a region."""

    def __init__(self, region):
        self.psql = subprocess.Popen(["psql", "-XqAt", "-h", f"/run/fraiseql/{NAME}/{region}/postgresql", "-U", "postgres", "-d",
                                      "fraiseql"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, sql):
        self.psql.stdin.write(sql + ";\n\\echo .\n")
        lines = []
        while (line := self.psql.stdout.readline().rstrip("\n")) != ".":
            lines.append(line)
        return lines

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def write_file(folder):
    path = os.path.join(folder, "regions.yaml")
    with open(path, "w", encoding="ascii") as out:
        out.write(f"metadata: {{ name: {NAME}, environment: test }}\nregions:\n")
        for region in ("us-east", "eu-west", "asia-southeast"):
            out.write(f"  {region}: {{ provider: self-hosted, location: here, hosts: [local], instances: 2 }}\n")
        out.write("network:\n  topology: namespaces\n  latency-ms:\n")
        for pair, ms in ROUND_TRIPS_MS.items():
            out.write(f"    {pair}: {ms}\n")
        out.write("replication: { mode: streaming, primary: us-east }\n")
    return path


def deploy(program, *words):
    begin = time.perf_counter()
    done = subprocess.run([program, "deploy", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"deploy {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return time.perf_counter() - begin, done.stdout


def delays():
    writer, readers = Session("us-east"), {region: Session(region) for region in ("eu-west", "asia-southeast")}
    writer.ask("CREATE TABLE bench (id bigint PRIMARY KEY)")
    for region, reader in readers.items():
        while not reader.ask("SELECT to_regclass('bench')")[0]:
            time.sleep(0.05)
        times = []
        for number in range(ROWS):
            row = f"{len(region)}{number:06}"
            writer.ask(f"INSERT INTO bench VALUES ({row})")
            begin = time.perf_counter()
            while not reader.ask(f"SELECT 1 FROM bench WHERE id = {row}"):
                pass
            times.append((time.perf_counter() - begin) * 1e3)
        times.sort()
        one_way = ROUND_TRIPS_MS[f"us-east/{region}"] / 2
        print(f"a committed row in {region:15} after {statistics.median(times):6.1f} ms median, "
              f"{times[int(ROWS * 0.99)]:6.1f} ms p99 of {ROWS}; the way there takes {one_way:.0f} ms")
    for session in (writer, *readers.values()):
        session.close()


def switch(program, path, failover=False):
    """There and back, with what was left behind made to follow again (not counted)."""
    pauses, whole = [], []
    for number in range(SWITCHES):
        old, new = (("us-east", "eu-west"), ("eu-west", "us-east"))[number % 2]
        took, said = deploy(program, *(("failover", path, "--lost", old) if failover else ("switchover", path)), "--to", new, "--yes")
        whole.append(took)
        pauses += [float(ms) for ms in re.findall(r"nobody wrote for (\d+) ms", said)]
        if failover:
            deploy(program, path, "--yes")
    print(f"{'failover' if failover else 'switchover'} between regions 80 ms apart: nobody wrote for {statistics.median(pauses):.0f} ms median, "
          f"{max(pauses):.0f} ms worst of {len(pauses)}; the command {statistics.median(whole):.1f} s")


def write_one(folder):
    path = os.path.join(folder, "one.yaml")
    with open(path, "w", encoding="ascii") as out:
        out.write(f"metadata: {{ name: {NAME}, environment: test }}\nregions:\n"
                  f"  {ONE_REGION}: {{ provider: self-hosted, location: here, hosts: [local], "
                  "without: [haproxy, service, monitoring, alertmanager, prometheus] }\n")
    return path


def fill(session):
    """Text that compresses by half, as rows of names and numbers do."""
    session.ask("CREATE TABLE bench (id bigint PRIMARY KEY, what text)")
    session.ask("INSERT INTO bench SELECT n, (SELECT string_agg(md5(n::text || '.' || part), '') FROM generate_series(1, 8) part) "
                f"FROM generate_series(1, {FILL_BYTES // ROW_BYTES}) n")
    session.ask("CHECKPOINT")


def content(session):
    return session.ask("SELECT count(*), sum(hashtextextended(what, id)) FROM bench")[0]


def wait_archived(session):
    name = session.ask("SELECT pg_walfile_name(pg_switch_wal())")[0]
    while session.ask("SELECT coalesce(max(last_archived_wal), '') FROM pg_stat_archiver")[0] < name:
        time.sleep(0.5)


def rate(took, size):
    return f"{took:6.1f} s, {size / 1e6 / took:4.0f} MB/s"


def restore(program, path):
    session = Session(ONE_REGION)
    begin = time.perf_counter()
    fill(session)
    size = int(session.ask("SELECT sum(pg_database_size(oid)) FROM pg_database")[0])
    print(f"a database of {size / 1e6:.0f} MB filled: {rate(time.perf_counter() - begin, size)}")
    wait_archived(session)
    print(f"full backup: {rate(deploy(program, 'backup', path)[0], size)}")
    session.ask("INSERT INTO bench SELECT -n, 'after the backup' FROM generate_series(1, 1000) n")
    wanted = content(session)
    time.sleep(1.1)
    moment = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)
    session.ask("DELETE FROM bench")
    wait_archived(session)
    took, _ = deploy(program, "backup", path, "--kind", "incr", "--verify")
    print(f"an incremental one after all rows were deleted, and reading it to the end: {took:6.1f} s")
    session.close()
    base = f"/var/lib/fraiseql/{NAME}/{ONE_REGION}"
    stop = (["systemctl", "stop", f"fraiseql-{NAME}-{ONE_REGION}-postgresql"] if os.path.isdir("/run/systemd/system") else
            [base + "/bin/fraiseql-supervisor", "control", f"/run/fraiseql/{NAME}/{ONE_REGION}", "stop", "postgresql"])
    subprocess.run(stop, check=True, capture_output=True)
    took, _ = deploy(program, "restore", path, "--region", ONE_REGION, "--at", moment, "--replace", "--yes")
    print(f"restored to a moment, until it takes writes: {rate(took, size)}")
    session = Session(ONE_REGION)
    if content(session) != wanted:
        sys.exit("what was restored is not what was there")
    session.close()


def bench_restore(program):
    with tempfile.TemporaryDirectory() as folder:
        path = write_one(folder)
        try:
            deploy(program, path, "--yes")
            restore(program, path)
        finally:
            deploy(program, "destroy", path, "--yes", "--confirm", NAME, "--delete-data")


def main():
    words = sys.argv[1:]
    only_restore = words[:1] == ["--restore"]
    program = (words[1:] if only_restore else words)[:1]
    program = program[0] if program else os.path.join(ROOT, "build/release/bin/fraiseql")
    if os.geteuid():
        sys.exit("bench_regions.py takes root")
    if only_restore:
        bench_restore(program)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = write_file(folder)
        try:
            took, said = deploy(program, path, "--yes")
            steps = re.search(r"Preparing (\d+) steps", said)[1]
            print(f"three regions from nothing, {steps} steps: {took:.1f} s")
            print(f"again, nothing to do: {deploy(program, path, '--yes')[0]:.1f} s")
            delays()
            switch(program, path)
            switch(program, path, failover=True)
        finally:
            took, _ = deploy(program, "destroy", path, "--yes", "--confirm", NAME, "--delete-data")
            print(f"destroyed with its data: {took:.1f} s")


main()
