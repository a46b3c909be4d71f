"""Cloudflare: each minute of each zone counted once, through faults and restarts; load balancers; accounts apart."""

import os
import time

import harness
from fake_cloudflare import FakeCloudflare, identity
from harness import Case, Folder, wait_until

REQUESTS = "cloudflare_zone_requests_total"


class WithFake(Case):
    def setUp(self):
        self.folder = self.open(Folder())
        self.fake = self.open(FakeCloudflare("example.com", "example.org", "other.net"))
        self.now = time.time()

    def token(self, fake, name="token"):
        path = self.folder.file(name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
            out.write(fake.token + "\n")
        return path

    def target(self, fake=None, name="edge", **more):
        fake = fake or self.fake
        return {"name": name, "zones": ["example.com"], "token_file": self.token(fake, name), "endpoint": fake.url(),
                "interval": "1s", "timeout": "1s", "request_timeout": "2s", **more}

    def run_collector(self, *targets):
        return self.collector({"defaults": {"interval": "1s", "timeout": "1s"},
                               "scrapers": {"cloudflare": list(targets)}}).start()


class TestZones(WithFake):
    def test_names_labels_and_zones_that_are_missing(self):
        for minutes in range(4, 14):
            self.fake.put("example.com", 10, self.now - 60 * minutes)
        self.fake.put("example.com", 7, self.now - 480, 503)
        self.fake.put("other.net", 5, self.now - 480)
        c = self.run_collector(self.target(zones=["example.com", "nowhere.example"]))
        wait_until(lambda: c.value(REQUESTS) == 107, 60, "every minute")
        labels = dict(next(labels for name, labels in c.metrics() if name == REQUESTS))
        self.assertEqual({key: labels[key] for key in ("zone", "account", "target")},
                         {"zone": "example.com", "account": "Shop", "target": "edge"})
        self.assertEqual(c.value("cloudflare_zone_requests_status_total", status="503"), 7)
        self.assertEqual(c.value("cloudflare_zone_bandwidth_total"), 107000)
        # As cloudflare-exporter has it: counters that are not called so, beside ours.
        for name, want in (("requests_cached", 53), ("requests_ssl_encrypted", 107), ("bandwidth_cached", 10700)):
            self.assertEqual([c.value("cloudflare_zone_" + name + end) for end in ("", "_total")], [want] * 2, name)
        self.assertEqual(c.value("cloudflare_zone_requests_status", status="503"), 7)
        self.assertEqual(c.value("cloudflare_zone_uniques"), 3)
        self.assertEqual(c.value("cloudflare_zone_found", zone="example.com"), 1)
        self.assertEqual(c.value("cloudflare_zone_found", zone="nowhere.example"), 0)
        self.assertFalse(self.fake.violations)

    def test_faults_and_restarts_neither_lose_nor_double_a_minute(self):
        self.fake.fail("zones", 503)
        self.fake.fail("graphql", 429, "internal", "limited", "cut", 500)
        for minutes in range(4, 14):
            self.fake.put("example.com", 10, self.now - 60 * minutes)
        c = self.run_collector(self.target())
        wait_until(lambda: c.value(REQUESTS) == 100, 90, "the sum behind the faults")
        c.kill()
        self.fake.put("example.com", 23, self.now - 300)  # a minute that grew meanwhile
        self.fake.put("example.com", 1, self.now - 180)
        c.start()
        wait_until(lambda: c.value(REQUESTS) is not None, 30, "what the journal keeps")
        self.assertGreaterEqual(c.value(REQUESTS), 100)
        wait_until(lambda: c.value(REQUESTS) == 124, 90, "what came late, once")
        self.assertFalse(self.fake.violations)

    def test_a_forbidden_zone_costs_only_itself_and_fifty_make_pages(self):
        names = [f"z{i:02}.example" for i in range(55)]
        self.fake.zones.update({identity(name): name for name in names})
        for name in names:
            self.fake.put(name, 2, self.now - 400)
        self.fake.forbidden = {"z07.example"}
        c = self.run_collector(self.target(zones=names))
        wait_until(lambda: sum(v for (n, _), v in c.metrics().items() if n == REQUESTS) == 108, 90, "all others")
        wait_until(lambda: c.value("fraiseql_cloud_query_failures_total", status="forbidden"), 60, "the failure")
        self.assertEqual(self.fake.count("zones"), 2)
        self.assertLessEqual(max(zones for *_, zones in self.fake.windows), 10)
        self.assertFalse(self.fake.violations)

    def test_a_new_token_in_the_file_is_taken(self):
        self.fake.put("example.com", 10, self.now - 400)
        target = self.target()
        with open(target["token_file"], "w", encoding="ascii") as out:
            out.write("old\n")
        c = self.run_collector(target)
        wait_until(lambda: c.value("fraiseql_target_up", scraper="cloudflare") == 0, 30, "a refused token")
        self.token(self.fake, "edge")
        wait_until(lambda: c.value(REQUESTS) == 10, 90, "the new token")


class TestBalancers(WithFake):
    def test_requests_of_origins_and_the_health_of_pools(self):
        for minutes in range(5, 9):
            self.fake.balance("example.com", self.now - 60 * minutes, "lb.example.com", "eu", "eu-1", 4)
            self.fake.balance("example.com", self.now - 60 * minutes, "lb.example.com", "us", "us-1", 3)
        self.fake.pools = [{"id": identity("eu"), "name": "eu", "enabled": True, "healthy": True, "origins": [
            {"name": "eu-1", "address": "192.0.2.1", "healthy": True}, {"name": "eu-2", "address": "192.0.2.2", "healthy": False},
            {"name": "eu-3", "address": "192.0.2.3"}]}]
        c = self.run_collector(self.target(load_balancers=True))
        requests = "cloudflare_zone_pool_requests_total"
        wait_until(lambda: c.value(requests, pool_name="eu", origin_name="eu-1", load_balancer_name="lb.example.com") == 16,
                   60, "requests")
        self.assertEqual(c.value(requests, pool_name="us"), 12)
        self.assertEqual(c.value("fraiseql_region_load_balancer_requests_total", resource="lb.example.com"), 28)
        wait_until(lambda: c.value("cloudflare_pool_health_status", pool_name="eu") == 1, 60, "health")
        self.assertEqual(c.value("cloudflare_pool_origin_health_status", origin_name="eu-2", ip="192.0.2.2"), 0)
        self.assertIsNone(c.value("cloudflare_pool_origin_health_status", origin_name="eu-3"))
        self.assertEqual(c.value("fraiseql_region_load_balancer_healthy_backends", resource="eu"), 1)
        self.assertEqual(c.value("fraiseql_region_load_balancer_unhealthy_backends", resource="eu"), 1)
        self.assertFalse(self.fake.violations)

    def test_an_account_that_hangs_delays_no_other(self):
        slow = self.open(FakeCloudflare("example.com"))
        slow.hangs = True
        self.fake.put("example.com", 10, self.now - 400)
        c = self.run_collector(self.target(slow, "slow"), self.target())
        wait_until(lambda: c.value(REQUESTS, target="edge") == 10, 60, "the other account")
        self.assertNotEqual(c.value("fraiseql_target_up", target="slow"), 1)


if __name__ == "__main__":
    harness.main()
