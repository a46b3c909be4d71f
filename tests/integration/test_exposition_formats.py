"""One registry of a real client, read as text, as OpenMetrics and as protobuf: the same series each time."""

import math
import os
import sys

import harness
from harness import Case, Folder, Program, fetch, free_port, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdks"))
import clients  # noqa: E402

FORMATS = ["text", "openmetrics", "protobuf"]


class Formats(Case):
    def serve(self, name):
        port = free_port()
        command, home = clients.command(name, "serve", port)
        self.open(Program(command, self.open(Folder()), name + ".log", cwd=home))
        url = f"http://127.0.0.1:{port}/metrics"
        wait_until(lambda: fetch(url)[0] == 200, 30, "the client")
        return url

    def read(self, url, formats=FORMATS):
        """{format: {series: value}} of what the collector makes of the page, asked for in each format."""
        series = {}
        for kind in formats:  # one collector each: they give one metric different types
            c = self.collector({"scrapers": {"prometheus": [{"name": "t", "url": url, "prefer": kind, "interval": "1s",
                                                             "timeout": "1s"}]}}).start()
            wait_until(lambda c=c: c.value("fraiseql_target_up", target="t") == 1, 30, kind)
            page = c.metrics()
            series[kind] = {key: "NaN" if math.isnan(value) else value for key, value in page.items()
                            if key[0].startswith("shop_") and not key[0].endswith("_created")}
            self.assertEqual({key: value for key, value in page.items()
                              if key[0] == "fraiseql_scraper_dropped_lines_total" and value}, {})
            c.stop()
        return series

    def assert_same(self, one, other):
        self.assertEqual({key: (one.get(key), other.get(key)) for key in {*one, *other} if one.get(key) != other.get(key)}, {})

    def test_go(self):
        url = self.serve("exposition_go")
        for kind, media in zip(FORMATS, ["text/plain", "application/openmetrics-text", "application/vnd.google.protobuf"]):
            accept = media + (";proto=io.prometheus.client.MetricFamily;encoding=delimited" if kind == "protobuf" else "")
            self.assertTrue(fetch(url, headers={"Accept": accept})[1]["Content-Type"].startswith(media), kind)
        series = self.read(url)
        native = {kind: {key: value for key, value in found.items() if key[0].startswith("shop_native_seconds")}
                  for kind, found in series.items()}
        for kind, found in series.items():
            self.assertGreater(len(found), 40, kind)
            for key in native[kind]:
                del found[key]
        self.assert_same(series["text"], series["protobuf"])
        self.assert_same(series["text"], series["openmetrics"])
        # Only protobuf carries the buckets of a native histogram; each that it becomes holds exactly what is below it.
        self.assertEqual({name for name, _ in native["protobuf"]} - {name for name, _ in native["text"]}, set())
        values = [0.0] + [sign * i / 100 for i in range(1, 1001) for sign in (1, -1)]
        buckets = {dict(labels)["le"]: value for (name, labels), value in native["protobuf"].items() if name.endswith("_bucket")}
        self.assertGreater(len(buckets), 20)
        for le, count in buckets.items():
            bound = float(le)
            expected = {sum(1 for value in values if value <= bound), sum(1 for value in values if value < bound)}
            self.assertIn(count, expected, le)
        self.assertEqual(buckets["+Inf"], 2001)

    def test_python(self):
        series = self.read(self.serve("exposition_python"), ["text", "openmetrics"])
        self.assertGreater(len(series["text"]), 20)
        self.assert_same(series["text"], series["openmetrics"])
        names = {name for name, _ in series["openmetrics"]}
        self.assertLessEqual({"shop_orders_total", "shop_wait_seconds", "shop_build_info", "shop_state", "shop_summary_count",
                              "shop_classic_seconds_bucket"}, names)


if __name__ == "__main__":
    harness.main()
