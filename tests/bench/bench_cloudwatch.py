"""What CloudWatch costs to poll: calls, billed units, bytes and our CPU for 1,000 and 20,000 metrics with a period of a
minute, from the strict fake, and /metrics meanwhile. Prints; asserts nothing.

    tests/bench/bench_cloudwatch.py [METRICS...]"""

import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
import harness  # noqa: E402
from bench_process import cpu_seconds, memory  # noqa: E402
from fake_cloudwatch import FakeCloudWatch  # noqa: E402


class Counting(FakeCloudWatch):
    """Also counts the bytes of requests and answers, headers left out."""

    def __init__(self):
        super().__init__()
        self.received = self.sent = 0

    def serve(self, handler):
        answer = super().serve(handler)
        with self.lock:
            self.received += len(handler.body)
            self.sent += len(answer[1])
        return answer


def state(fake, collector):
    with fake.lock:
        return (fake.requests.get("GetMetricData", 0), fake.billed.get("GetMetricData", 0), fake.received, fake.sent,
                cpu_seconds(collector.process.pid))


def run(count):
    fake, folder = Counting(), harness.Folder()
    now = time.time()
    for i in range(count):
        for minute in range(1, 25):
            fake.put("Shop", "Orders", {"Store": f"s{i}"}, i, now - 60 * minute, 0)
    fake.put("Shop", "Orders", {"Store": "s0"}, 1, now + 60, 0)
    collector = harness.Collector({"defaults": {"interval": "5s", "timeout": "5s"}, "collector": {"limits": {"series": 200000}},
                                   "scrapers": {"cloudwatch": [{
                                       "name": "aws", "region": "us-east", "location": "us-east-1", "endpoint": fake.url("/"),
                                       "discover_every": "1h", "max_series": 100000, "metrics": [
                                           {"namespace": "Shop", "name": "Orders", "statistics": ["Sum"],
                                            "dimensions": {"Store": "*"}}]}]}}, folder=folder)
    env = {**fake.user(), "AWS_EC2_METADATA_DISABLED": "true"}
    began = time.monotonic()
    collector.start(env=env)
    try:
        calls = -(-count // 500)
        harness.wait_until(lambda: fake.requests.get("GetMetricData", 0) >= calls, 300, "the first poll")
        harness.wait_until(lambda: (collector.value("fraiseql_target_series", target="aws") or 0) > count, 120, "the page")
        first_s = time.monotonic() - began
        before = state(fake, collector)
        harness.wait_until(lambda: fake.requests["GetMetricData"] > before[0], 120, "the second poll")
        times = []
        while fake.requests["GetMetricData"] < before[0] + calls:
            started = time.perf_counter()
            collector.get("/metrics?name[]=fraiseql_target_up")
            times.append(time.perf_counter() - started)
            time.sleep(0.005)
        time.sleep(6)
        after = state(fake, collector)
        polled = [a - b for a, b in zip(after, before)]
        print(f"{count} metrics: a poll is {polled[0]} calls, {polled[1]} billed metrics, {polled[2] / 1e6:.2f} MB asked, "
              f"{polled[3] / 1e6:.2f} MB answered before compression, {polled[4]:.2f} s of our CPU for the minute; first page after "
              f"{first_s:.1f} s, {memory(collector.process.pid)[0]:.0f} MiB resident")
        if len(times) > 20:
            print(f"  a small page meanwhile: median {statistics.median(times) * 1e3:.2f} ms, p99 "
                  f"{statistics.quantiles(times, n=100)[98] * 1e3:.2f} ms of {len(times)}")
        print(f"  by their documentation: yet-another-cloudwatch-exporter {calls} calls of GetMetricData a scrape and a "
              f"discovery each time; cloudwatch_exporter (Java) {count} calls of GetMetricStatistics a scrape by default")
    finally:
        collector.close()
        fake.close()
        folder.remove()


if __name__ == "__main__":
    for argument in sys.argv[1:] or ["1000", "20000"]:
        run(int(argument))
