"""Figures of the whole process: /metrics, span intake over HTTP, idle cost. Prints; asserts nothing.

    tests/bench/run [SERIES...]      default 1000 100000 1000000"""

import gzip
import os
import random
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
import harness  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as text:
        fields = text.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid):
    """(resident, private) in MiB"""
    values = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as text:
        for line in text:
            key, _, rest = line.partition(":")
            if rest.strip().endswith("kB"):
                values[key] = int(rest.split()[0]) / 1024
    return values["Rss"], values["Private_Clean"] + values["Private_Dirty"]


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as text:
        return next(int(line.split()[1]) / 1024 for line in text if line.startswith("VmHWM"))


def page_of(series):
    families = max(1, series // 1000)
    out = []
    for family in range(families):
        out.append(f"# HELP bench_metric_{family:04d} A gauge of the bench.\n# TYPE bench_metric_{family:04d} gauge\n")
        for i in range(series // families):
            out.append(f'bench_metric_{family:04d}{{cluster="cluster-{i % 7}",namespace="namespace-{i % 31}",pod="pod-{i:06d}",'
                       f'zone="zone-{i % 3}"}} {(i * 7919 + family) % 100003 / (1 if i % 2 else 8)}\n')
    return "".join(out).encode()


def scrape(port, headers):
    """(time to first byte of the body, total, bytes) of one request on a socket of its own."""
    begun = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n".encode())
        buffer, total, first = bytearray(1 << 20), 0, None
        while got := connection.recv_into(buffer):
            first = first or time.perf_counter() - begun
            total += got
    return first, time.perf_counter() - begun, total


def bench_metrics(series):
    peer = harness.Peer()
    page = page_of(series)
    peer.answer = lambda handler: (200, {"Content-Type": "text/plain; version=0.0.4"}, page)
    limit = series * 2 + 10000
    collector = harness.Collector({
        "collector": {"limits": {"memory": "8GiB", "series": limit, "series_per_target": limit, "body": "1GiB"}},
        "scrapers": {"prometheus": [{"name": "big", "url": peer.url(), "interval": "1h", "timeout": "120s", "max_body": "1GiB"}]}})
    collector.start()
    pid = collector.process.pid
    idle_private = memory(pid)[1]
    harness.wait_until(lambda: any(value >= series for value in collector.metrics("?name[]=fraiseql_target_series").values()), 180,
                       "the scrape")
    time.sleep(1)
    private = memory(pid)[1]
    for name, headers in [("text", ""), ("gzip", "Accept-Encoding: gzip\r\n"), ("gzip, again", "Accept-Encoding: gzip\r\n")]:
        runs = []
        for _ in range(5):
            before = cpu_seconds(pid)
            first, total, size = scrape(collector.port, headers)
            runs.append((cpu_seconds(pid) - before, first, total, size))
        cpu, first, total, size = sorted(runs)[len(runs) // 2]
        print(f"/metrics {series:>8} series {name:12} first byte {first * 1e3:7.1f} ms  last {total * 1e3:8.1f} ms  "
              f"cpu {cpu * 1e3:7.0f} ms  {size / 1e6:7.1f} MB", flush=True)
    print(f"/metrics {series:>8} series memory: private {private:.0f} MiB ({(private - idle_private) * 2**20 / series:.0f} B a series), "
          f"peak {peak_mib(pid):.0f} MiB", flush=True)
    collector.close()
    peer.close()


def attribute(key, value):
    return harness._field(9, harness._attribute(key, value))


def realistic_span(i):
    """About 413 bytes and 12 attributes, of three kinds."""
    kind = (2, 1, 3)[i % 3]
    keys = [("http.request.method", "POST"), ("url.path", "/graphql"), ("server.address", "api.example.com"),
            ("network.protocol.version", "1.1"), ("user_agent.original", "Mozilla/5.0 (X11)"), ("graphql.operation.type", "query"),
            ("graphql.operation.name", f"op{i % 10}"), ("db.system.name", "postgresql"), ("db.namespace", "orders"),
            ("code.function.name", "execute"), ("thread.name", f"worker-{i % 8}"), ("busy_ns", str(random.randint(1000, 99999)))]
    span = harness.otlp_span(f"operation-{i % 10}", random.lognormvariate(-4, 1), kind, error=i % 50 == 0, parent=os.urandom(8))
    return span + b"".join(attribute(key, value) for key, value in keys)


def bench_spans():
    load = os.path.join(harness.BUILD, "bench", "http_load")
    port = harness.free_port()
    collector = harness.Collector({"otlp": {"http": f"127.0.0.1:{port}"}}).start()
    pid = collector.process.pid
    for spans in (100, 512, 8192):
        body = harness.otlp_request([realistic_span(i) for i in range(spans)])
        requests = max(20, 1_500_000 // spans)
        for encoding in ("", "gzip"):
            path = collector.folder.file("body", "")
            with open(path, "wb") as out:
                out.write(gzip.compress(body, 6) if encoding else body)
            before = cpu_seconds(pid)
            seconds, failed = subprocess.run([load, str(port), "/v1/traces", path, str(requests), "2", *([encoding] if encoding else [])],
                                             check=True, capture_output=True, text=True).stdout.split()
            cpu = cpu_seconds(pid) - before
            count = spans * requests
            print(f"spans in batches of {spans:5} {encoding or 'plain':5} ({len(body) / spans:.0f} B a span): {count / cpu / 1e3:7.0f}k spans/s a core  "
                  f"{cpu / count * 1e9:5.0f} ns a span  wall {count / float(seconds) / 1e3:7.0f}k spans/s  failed {failed}  "
                  f"private {memory(pid)[1]:.0f} MiB", flush=True)
    collector.close()


def bench_idle():
    peer = harness.Peer(lambda handler: (200, {"Content-Type": "text/plain; version=0.0.4"}, page_of(200)))
    collector = harness.Collector({
        "otlp": {"http": f"127.0.0.1:{harness.free_port()}"},
        "scrapers": {"prometheus": [{"name": f"t{i}", "url": peer.url(), "interval": "15s"} for i in range(50)]},
        "probes": [{"name": "api", "region": f"r{i}", "http": {"url": peer.url()}, "interval": "1s"} for i in range(3)],
        "slos": [{"name": "api", "objective": 99.99, "window": "30d", "by": ["region"], "sli": {"probe": "api"}}]}).start()
    pid = collector.process.pid
    time.sleep(20)
    before = cpu_seconds(pid)
    time.sleep(30)
    resident, private = memory(pid)
    print(f"idle with 50 targets of 200 series (15 s) and 3 probes (1 s): cpu {(cpu_seconds(pid) - before) / 30 * 100:.2f} % of a core, "
          f"private {private:.1f} MiB, resident {resident:.1f} MiB", flush=True)
    collector.close()
    peer.close()


if __name__ == "__main__":
    bench_idle()
    bench_spans()
    for count in [int(word) for word in sys.argv[1:]] or [1000, 100000, 1000000]:
        bench_metrics(count)
