"""`fraiseql deploy health`, and the last lines of the log of a region that is not ready: AWS's from moto where it is installed,
Google's and Azure's from strict fakes."""

import json
import shutil
import time

from fake_azure import SECRET, SUBSCRIPTION, FakeAzure
from fake_cloud import SLOW_S
from fake_google import FakeGoogle
from harness import Case, Peer, fetch, main
from test_deploy_run import Rig, deployment
from test_deploy_terraform import Moto

PLACES = {"gcp": {"provider": "gcp", "location": "europe-west1", "size": "small"},
          "azure": {"provider": "azure", "location": "westeurope", "size": "small"}}


class Health(Case):
    def rig(self, regions):
        """A deployment that the fake terraform has made, whose every region answers 503."""
        config = deployment(regions=())
        config["regions"] = regions
        rig = Rig(self, config)
        self.google, self.azure = self.open(FakeGoogle(rig.folder)), self.open(FakeAzure(rig.folder))
        rig.env.update(self.google.environment(), GOOGLE_APPLICATION_CREDENTIALS=self.google.service_account(),
                       GOOGLE_PROJECT=self.google.project)
        rig.env.update(self.azure.client(ARM_CLIENT_SECRET=SECRET, ARM_SUBSCRIPTION_ID=SUBSCRIPTION))
        self.peer = self.open(Peer(lambda handler: (503, {}, b"no database")))
        rig.env["FAKE_URL"] = self.peer.url("")
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        return rig

    def regions(self, rig, *more):
        status, text = rig.run("--json", *more, verb=("health",))
        records = [json.loads(line) for line in text.splitlines()]
        record = next(record for record in records if record.get("type") == "health")
        return status, {region["name"]: region for region in record["regions"]}

    def test_the_last_lines_of_google_and_azure(self):
        rig = self.rig(PLACES)
        self.google.log = [f"g{i} password=hunter2" for i in range(30)]
        self.azure.log = [f"a{i} \x1b[31mred" for i in range(30)]
        status, text = rig.run(verb=("health",))
        self.assertEqual(status, 1, text)
        for line in ("g20", "g29", "a20", "a29", "it says: no database"):
            self.assertIn(line, text)
        for line in ("g19", "a19", "hunter2", "\x1b"):
            self.assertNotIn(line, text)
        self.assertLess(text.index("g20"), text.index("g29"))
        _, regions = self.regions(rig, "--log-lines", "3")
        self.assertEqual([line.split()[0] for line in regions["gcp"]["log"]], ["g27", "g28", "g29"])
        self.assertEqual([line.split()[0] for line in regions["azure"]["log"]], ["a27", "a28", "a29"])
        _, regions = self.regions(rig, "--log-lines", "0")
        self.assertFalse(regions["gcp"]["log"] or regions["azure"]["log"])
        self.assertEqual(self.google.violations + self.azure.violations, [])
        self.peer.answer = lambda handler: (200, {}, b"ready")
        status, text = rig.run(verb=("health",))
        self.assertEqual(status, 0, text)
        self.assertNotIn("g29", text)

    def test_a_log_that_cannot_be_read_is_a_note(self):
        rig = self.rig(PLACES)
        self.google.log = self.azure.log = ["line"]
        for faults in ((403,), ("malformed",), ("cut",) * 9, (500,) * 9):
            self.google.fail("logging", *faults)
            self.azure.fail("analytics", *faults)
            begin = time.monotonic()
            status, regions = self.regions(rig)
            self.assertLess(time.monotonic() - begin, 60)
            self.assertEqual(status, 1)
            for name, region in regions.items():
                self.assertIn("could not be read", region["log_problem"], (name, faults))
                self.assertEqual(region["readiness"], 503)
            self.google.faults.clear()
            self.azure.faults.clear()
        self.google.fail("logging", "slow")
        self.azure.fail("analytics", "slow")
        begin = time.monotonic()
        _, regions = self.regions(rig)
        self.assertGreater(time.monotonic() - begin, SLOW_S)
        self.assertEqual([region["log"] for region in regions.values()], [["line"], ["line"]])

    def test_the_last_lines_of_aws(self):
        if not shutil.which("moto_server"):
            self.skipTest("moto_server is not installed")
        rig = self.rig({"us-east": {"provider": "aws", "location": "us-east-1", "size": "small"}})
        moto = self.open(Moto(rig.folder))
        rig.env.update(AWS_ENDPOINT_URL=moto.url, AWS_EC2_METADATA_DISABLED="true")
        _, regions = self.regions(rig)
        self.assertIn("the log group /fraiseql/demo-us-east/service is not there", regions["us-east"]["log_problem"])
        now = int(time.time() * 1000)
        group = {"logGroupName": "/fraiseql/demo-us-east/service"}
        self.logs(moto, "CreateLogGroup", group)
        _, regions = self.regions(rig)
        self.assertIn("no line", regions["us-east"]["log_problem"] or "no line")
        for stream in range(2):
            name = {**group, "logStreamName": f"i-{stream}"}
            self.logs(moto, "CreateLogStream", name)
            self.logs(moto, "PutLogEvents", {**name, "logEvents": [
                {"timestamp": now - 60_000 + 1000 * i, "message": f"s{stream} line {i}"} for i in range(20)]})
        _, regions = self.regions(rig, "--log-lines", "4")
        self.assertEqual(sorted(regions["us-east"]["log"]), ["s0 line 18", "s0 line 19", "s1 line 18", "s1 line 19"])

    def logs(self, moto, action, body):
        scope = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/logs/aws4_request"
        headers = {"X-Amz-Target": "Logs_20140328." + action, "Content-Type": "application/x-amz-json-1.1",
                   "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        status, _, answer = fetch(moto.url + "/", headers, json.dumps(body).encode(), "POST")
        self.assertEqual(status, 200, answer)


if __name__ == "__main__":
    main()
