"""CloudWatch: that every value is counted once and every call billed as it is counted, through faults and kills; and that
targets share what they should and nothing else."""

import datetime
import random
import time

import harness
from cloudwatch_rig import SHOP, WithFake, target
from fake_cloudwatch import FakeCloudWatch
from harness import wait_until


def hours_left_of_month():
    now = datetime.datetime.now(datetime.timezone.utc)
    turn = now.replace(year=now.year + now.month // 12, month=now.month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return (turn - now).total_seconds() / 3600


class TestExactness(WithFake):
    def test_each_value_is_counted_once_through_faults_and_kills_and_billed_as_counted(self):
        random.seed(7)
        c = self.run_collector(target(self.fake.url("/"), request_timeout="1s"))
        wait_until(lambda: c.value("fraiseql_cloud_last_success_timestamp_seconds", call="discovery"), 30, "discovery")
        stores = [{"Store": "a"}, {"Store": "b"}]
        for store in stores:
            self.fake.put("Shop", "Orders", store, 1)
        self.assertEqual(c.stop(), 0)
        c.start(env=self.env)
        for store in stores:
            wait_until(lambda s=store: c.value("aws_shop_orders_sum_total", dimension_Store=s["Store"]), 30, "a store")
        billed, requests = dict(self.fake.billed), dict(self.fake.requests)
        last = {}
        for step in range(24):
            for store in stores:
                at = time.time()
                for _ in range(3):
                    self.fake.put("Shop", "Orders", store, random.randrange(1000), at, at + random.choice([0, 0, 1, 4]))
            if random.random() < 0.5:
                self.fake.instead.append(random.choice(["throttle", "cut", "malformed", "partial", "internal", "slow",
                                                        "disorder", (500, {}, "no"), (503, {"Retry-After": "1"}, "")]))
            if step in (8, 16):
                c.kill()
                c.start(env=self.env)
            time.sleep(0.5)
            for (name, labels), value in c.metrics().items():
                if name == "aws_shop_orders_sum_total":  # never falls, kills included
                    self.assertGreaterEqual(value, last.get(labels, 0))
                    last[labels] = value
        self.fake.instead = []
        for store in stores:
            wait_until(lambda s=store: c.value("aws_shop_orders_sum_total", dimension_Store=s["Store"]) ==
                       self.fake.total("Shop", "Orders", s), 60, "the sum of all values")
        self.assertGreater(self.fake.billed["GetMetricData"], billed["GetMetricData"])
        self.assertGreater(self.fake.requests["GetMetricData"], requests["GetMetricData"])
        self.assertEqual(c.stop(), 0)

    def test_calls_and_units_are_those_of_the_bill(self):
        for i in range(30):
            for age_s in (0, 130, 140, 150, 160):
                self.fake.put("Shop", "Orders", {"Store": f"s{i}"}, i, time.time() - age_s)
        metric = {**SHOP, "statistics": ["Sum", "Average", "Minimum", "Maximum", "p95", "p99"]}
        c = self.run_collector(target(self.fake.url("/"), metrics=[metric, {**SHOP, "statistics": ["SampleCount"]}], request_timeout="1s"))
        wait_until(lambda: c.value("fraiseql_cloud_requests_total", api="GetMetricData"), 30, "a call")
        self.fake.instead = ["throttle", None, "cut", None, "malformed", None, "partial", None, (500, {}, "")]
        wait_until(lambda: not self.fake.instead, 60, "the faults to be over")
        time.sleep(2)
        c.config["scrapers"]["cloudwatch"][0]["interval"] = "600s"  # no call is under way when both are read

        def agree():
            with self.fake.lock:
                ours = {api: (c.value("fraiseql_cloud_requests_total", api=api),
                              c.value("fraiseql_cloud_billed_units_total", api=api))
                        for api in ("GetMetricData", "ListMetrics")}
                theirs = {api: (self.fake.requests[api], self.fake.billed[api]) for api in ours}
            return ours == theirs or None
        wait_until(agree, 30, "the bills to agree")
        self.assertEqual(c.value("fraiseql_cloud_throttled_total", api="GetMetricData"), 1)
        page = c.metrics()
        for statistic in ("sum_total", "average", "minimum", "maximum", "p95", "p99", "sample_count_total"):
            self.assertEqual(sum(n == f"aws_shop_orders_{statistic}" for n, _ in page), 30, statistic)

    def test_a_budget_slows_polling(self):
        for i in range(50):
            self.fake.put("Shop", "Orders", {"Store": f"s{i}"}, i)
        # What a budget leaves is spread over the rest of the calendar month: that share of USD 4 is the same speed on any day.
        if (hours := hours_left_of_month()) < 0.1:
            time.sleep(hours * 3600 + 1)
            hours = hours_left_of_month()
        c = self.run_collector(target(self.fake.url("/"), budget={"usd_per_month": round(4 * hours / 730, 6)}))
        wait_until(lambda: (c.value("fraiseql_cloud_stretch_ratio") or 1) > 100, 30, "the stretch")
        estimate = c.value("fraiseql_cloud_estimated_usd_per_month")
        self.assertLessEqual(estimate, 4)
        if hours > 1:  # else the first call of all took too much of it
            self.assertGreater(estimate, 3)


class TestTargets(WithFake):
    def test_fifty_accounts_of_which_two_hang(self):
        hanging = self.open(FakeCloudWatch())
        hanging.hangs = True
        hanging.keys = self.fake.keys
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5)
        self.fake.put("Shop", "Orders", {"Store": "a"}, 0, time.time() - 200)
        c = self.run_collector(*[target((hanging if i in (0, 25) else self.fake).url("/"), name=f"account-{i}",
                                        metrics=[{**SHOP, "period": "60s"}], interval="5s", timeout="5s")
                                 for i in range(50)])
        wait_until(lambda: sum(n == "aws_shop_orders_sum_total" for n, _ in c.metrics()) == 48, 60, "48 accounts")
        for i in range(50):
            if i not in (0, 25):
                self.assertEqual(c.value("fraiseql_target_up", target=f"account-{i}", scraper="cloudwatch"), 1)
        wait_until(lambda: c.value("fraiseql_target_up", target="account-0", scraper="cloudwatch") == 0, 60, "the hanging one")
        self.assertIn("has not answered yet", "".join((t["error"] or "") for t in c.json("/api/v1/status")["targets"]))
        self.assertEqual(c.stop(), 0)  # with calls under way

    def test_targets_of_one_role_sign_in_once(self):
        role = "arn:aws:iam::210987654321:role/metrics"
        self.fake.roles[role] = {"trusts": ["arn:aws:iam::123456789012:user/jo"], "external_id": "shop"}
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5)
        c = self.run_collector(*[target(self.fake.url("/"), name=f"t{i}", credentials={"role_arn": role, "external_id": "shop"})
                                 for i in range(12)])
        wait_until(lambda: sum(n == "aws_shop_orders_sum_total" for n, _ in c.metrics()) == 12, 60, "12 targets")
        self.assertEqual(sum(action == "AssumeRole" for _, _, action, _ in self.fake.calls), 1)
        self.assertEqual(c.value("aws_shop_orders_sum_total", target="t3", account_id="210987654321"), 5)

    def test_an_expired_token_is_replaced(self):
        self.fake.put("Shop", "Orders", {"Store": "a"}, 5)
        c = self.run_collector(target(self.fake.url("/")))
        wait_until(lambda: c.value("aws_shop_orders_sum_total") == 5, 30, "the sum")
        self.fake.instead = ["expired"]
        wait_until(lambda: c.value("fraiseql_cloud_signins_total") == 2, 30, "another sign-in")
        self.assertEqual(c.value("fraiseql_target_up", scraper="cloudwatch"), 1)


if __name__ == "__main__":
    harness.main()
