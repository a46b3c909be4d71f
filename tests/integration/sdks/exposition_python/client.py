"""A registry of prometheus_client that does not change, served as text or OpenMetrics, and its own parsers on a page:

    client.py serve PORT
    client.py parse text|openmetrics FILE ROUNDS    prints a line of figures
"""

import sys
import threading
import time

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary


def make_registry():
    registry = CollectorRegistry()
    counter = Counter("shop_orders", "Orders with a \\ and\na \"line\".", ["path"], registry=registry)
    for i, path in enumerate(["/a", "/b\"c\\d\ne", "/über", ""]):
        counter.labels(path).inc(i * 1.5)
    gauge = Gauge("shop_gauge", "Numbers of all kinds.", ["kind"], registry=registry)
    for kind, value in {"zero": 0, "small": 5e-324, "large": 1.7976931348623157e308, "nan": float("nan"), "inf": float("inf"),
                        "minus": float("-inf"), "third": 1 / 3, "negative": -42, "exponent": 1e21}.items():
        gauge.labels(kind).set(value)
    unit = Gauge("shop_wait", "With a unit.", unit="seconds", registry=registry)
    unit.set(1.25)
    summary = Summary("shop_summary", "A summary.", ["l"], registry=registry)
    histogram = Histogram("shop_classic_seconds", "A classic histogram.", ["l"], buckets=[0.005, 0.5, 1, 2.5, 1e6], registry=registry)
    for i in range(1, 1001):
        summary.labels("a").observe(i / 100)
        histogram.labels("a").observe(i / 100, {"trace_id": "abc"})
    Info("shop_build", "What was built.", registry=registry).info({"version": "1.2.3", "branch": "main"})
    Enum("shop_state", "A state.", states=["up", "down"], registry=registry).state("down")
    return registry


def serve(port):
    prometheus_client.start_http_server(port, "127.0.0.1", make_registry())
    threading.Event().wait()


def parse(kind, path, rounds):
    if kind == "openmetrics":
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
    else:
        from prometheus_client.parser import text_string_to_metric_families as families
    with open(path, encoding="utf-8") as page:
        text = page.read()
    begun, samples = time.process_time(), 0
    for _ in range(rounds):
        samples = sum(len(family.samples) for family in families(text))
    seconds = (time.process_time() - begun) / rounds
    print(f"{'prometheus_client (Python)':<34} {len(text.encode()) / 1e6 / seconds:7.1f} MB/s {samples / 1e6 / seconds:6.2f} M samples/s "
          f"{seconds * 1e3:7.1f} ms CPU")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        parse(sys.argv[2], sys.argv[3], int(sys.argv[4]))
