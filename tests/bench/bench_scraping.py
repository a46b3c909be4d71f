"""How long /metrics takes while pages of the same size are being scraped each second, beside how long it takes in peace.
Prints; asserts nothing.

    bench_scraping.py [SERIES...]      default 10000 200000"""

import multiprocessing
import sys
import time

from bench_process import cpu_seconds, harness, page_of, scrape

REQUESTS = 200
PAUSE = 0.02


def serve(page, ports):
    """A process of its own, so that the time it takes is not the measuring one's."""
    peer = harness.Peer(lambda handler: (200, {"Content-Type": "text/plain; version=0.0.4"}, page))
    ports.put(peer.port)
    time.sleep(3600)


def quantile(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1, int(q * len(sorted_values)))]


def measure(series, interval, what):
    ports = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(page_of(series), ports), daemon=True)
    server.start()
    limit = series * 2 + 10000
    collector = harness.Collector({
        "collector": {"limits": {"memory": "8GiB", "series": limit, "series_per_target": limit}},
        "scrapers": {"prometheus": [{"name": "big", "url": f"http://127.0.0.1:{ports.get()}/metrics", "interval": interval,
                                     "timeout": interval if interval == "1s" else "60s", "max_body": "1GiB"}]}}).start()
    up = lambda name: sum(collector.metrics("?name[]=" + name).values())
    harness.wait_until(lambda: up("fraiseql_target_series") >= series, 120, "the scrape")
    time.sleep(2)
    scrapes, cpu, begun = up("fraiseql_target_scrapes_total"), cpu_seconds(collector.process.pid), time.monotonic()
    first, last = [], []
    for _ in range(REQUESTS):
        to_first, to_last, size = scrape(collector.port, "")
        first.append(to_first)
        last.append(to_last)
        time.sleep(PAUSE)
    seconds = time.monotonic() - begun
    first.sort()
    last.sort()
    cpu = cpu_seconds(collector.process.pid) - cpu
    failures = up("fraiseql_target_scrape_failures_total")
    print(f"/metrics {series:>7} series {what:14} first byte p50 {quantile(first, .5) * 1e3:6.2f} p99 {quantile(first, .99) * 1e3:6.2f} ms  "
          f"last byte p50 {quantile(last, .5) * 1e3:6.2f} p99 {quantile(last, .99) * 1e3:6.2f} ms  {size / 1e6:.1f} MB  "
          f"{up('fraiseql_target_scrapes_total') - scrapes:.0f} scrapes in {seconds:.1f} s, {failures:.0f} failed  cpu {cpu / seconds * 100:.0f} %",
          flush=True)
    collector.close()
    server.terminate()


if __name__ == "__main__":
    for count in [int(word) for word in sys.argv[1:]] or [10000, 200000]:
        measure(count, "1h", "in peace")
        measure(count, "1s", "while scraping")
