"""What the tests of CloudWatch share: a fake of AWS, and collectors that scrape it."""

from fake_cloudwatch import FakeCloudWatch
from harness import Case

SHOP = {"namespace": "Shop", "name": "Orders", "statistics": ["Sum"], "period": "1s", "dimensions": {"Store": "*"}}


def target(endpoint, name="aws", **more):
    return {"name": name, "region": "us-east", "location": "us-east-1", "endpoint": endpoint, "interval": "1s",
            "timeout": "1s", **({} if "metrics" in more or "profiles" in more else {"metrics": [SHOP]}), **more}


def config(*targets, **more):
    return {"defaults": {"interval": "1s", "timeout": "1s"}, "scrapers": {"cloudwatch": list(targets)}, **more}


class WithFake(Case):
    def setUp(self):
        self.fake = self.open(FakeCloudWatch())
        self.env = {**self.fake.user(), "AWS_EC2_METADATA_DISABLED": "true"}

    def run_collector(self, *targets, **more):
        return self.collector(config(*targets, **more)).start(env=self.env)
