"""The Kubernetes source against a real API server with many pods: time, CPU and memory of a scrape. Prints; asserts nothing.

    bench_kubernetes_live.py [PODS]      default 10000"""

import concurrent.futures
import sys
import time
import unittest

from bench_process import cpu_seconds, harness, memory, peak_mib
import kube_rig  # noqa: E402  (beside harness)

SCRAPES = 5


def make_pods(cluster, count):
    cluster.namespace("many")
    cluster.node("n1")
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: cluster.pod("many", f"pod-{i:05d}", "n1"), range(count)))
    print(f"{count} pods made in {time.monotonic() - begun:.0f} s", flush=True)


def measure(cluster, count, page_size):
    collector = harness.Collector({
        "collector": {"limits": {"series": 4000000, "series_per_target": 2000000}},
        "scrapers": {"kubernetes": [{"name": "k8s", "region": "eu", "interval": "20s", "timeout": "20s", "usage": False,
                                     "page_size": page_size, "kubeconfig": cluster.kubeconfig("admin", {"token": kube_rig.ADMIN})}]}}).start()
    up = lambda name, **labels: sum(value for (have, pairs), value in collector.metrics("?name[]=" + name).items()
                                    if have == name and labels.items() <= dict(pairs).items())
    pid = collector.process.pid
    harness.wait_until(lambda: up("fraiseql_kubernetes_objects", resource="pods") == count, 60, "all pods")
    durations, before = [], cpu_seconds(pid)
    for i in range(SCRAPES):
        seen = up("fraiseql_target_scrapes_total")
        harness.wait_until(lambda: up("fraiseql_target_scrapes_total") > seen, 60, "a scrape")
        durations.append(up("fraiseql_target_scrape_duration_seconds"))
    print(f"{count} pods, pages of {page_size}: scrape {sorted(durations)[SCRAPES // 2]:.2f} s (the server's time in it), "
          f"cpu {(cpu_seconds(pid) - before) / SCRAPES * 1e3:.0f} ms a scrape, {up('fraiseql_target_series'):.0f} series, "
          f"private {memory(pid)[1]:.0f} MiB, peak {peak_mib(pid):.0f} MiB", flush=True)
    collector.close()


if __name__ == "__main__":
    pods = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    try:
        rig = kube_rig.Cluster()
    except unittest.SkipTest as problem:
        print(problem)
        sys.exit(0)
    try:
        make_pods(rig, pods)
        time.sleep(20)  # until kwok has told their states
        for size in (500, 5000):
            measure(rig, pods, size)
    finally:
        rig.close()
