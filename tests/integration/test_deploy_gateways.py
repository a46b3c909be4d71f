"""`fraiseql deploy` waits until the gateways say that replication is set up, and `status` shows it: AWS's reports lie in moto,
Google's and Azure's in strict fakes, the deployment is the fake terraform's, and this file is the gateways."""

import hashlib
import json
import os
import pty
import select
import shutil
import signal
import time

from fake_azure import SECRET, SUBSCRIPTION, FakeAzure
from fake_google import FakeGoogle
from harness import Case, fetch, main, wait_until
from test_deploy_run import Rig
from test_deploy_terraform import Moto

PLACES = {"us": {"provider": "aws", "location": "us-east-1", "size": "small"},
          "eu": {"provider": "gcp", "location": "europe-west1", "size": "small"},
          "ap": {"provider": "azure", "location": "westeurope", "size": "small"}}
STATES = {"us": "/fraiseql/demo-us/replication-state",
          "eu": "projects/shop-1/zones/europe-west1-b/instances/demo-eu-gateway",
          "ap": "https://demo-ap.vault.azure.net/secrets/replication-state"}
DIGESTS = {name: hashlib.sha256(name.encode()).hexdigest() for name in PLACES}


def streaming(name, **more):
    """What the gateway of a region says when all is well."""
    peers = {other: {"state": "streaming", "detail": "", "tables": 4, "copying": 0, "lag_s": 0} for other in PLACES if other != name}
    return {"format": 1, "phase": "done", "document": DIGESTS[name], "peers": peers, "at": "2026-11-26T10:00:00Z", **more}


class Gateways(Case):
    def rig(self, names=("eu", "ap"), **more):
        rig = Rig(self, {"version": 1, "metadata": {"name": "demo", "environment": "staging"},
                         "regions": {name: PLACES[name] for name in names},
                         "replication": {"mode": "active-active", "conflict-resolution": "error"}, **more})
        self.google, self.azure = self.open(FakeGoogle(rig.folder)), self.open(FakeAzure(rig.folder))
        rig.env.update(self.google.environment(), GOOGLE_APPLICATION_CREDENTIALS=self.google.service_account(),
                       GOOGLE_PROJECT=self.google.project)
        rig.env.update(self.azure.client(ARM_CLIENT_SECRET=SECRET, ARM_SUBSCRIPTION_ID=SUBSCRIPTION))
        self.moto = None
        if "us" in names:
            if not shutil.which("moto_server"):
                self.skipTest("moto_server is not installed")
            self.moto = self.open(Moto(rig.folder))
            rig.env.update(AWS_ENDPOINT_URL=self.moto.url, AWS_EC2_METADATA_DISABLED="true")
        self.outputs = {name: {"replication_state": STATES[name], "gateway_address": "198.51.100.7"} for name in names}
        self.outputs["global"] = {"replication": {name: DIGESTS[name] for name in names}}
        rig.behave(outputs=self.outputs)
        self.addCleanup(lambda: self.assertEqual(self.google.violations + self.azure.violations, []))
        return rig

    def report(self, name, what):
        text = what if isinstance(what, str) else json.dumps(what)
        if name == "eu":
            self.google.report = text
        elif name == "ap":
            self.azure.report = text
        else:
            scope = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/ssm/aws4_request"
            headers = {"X-Amz-Target": "AmazonSSM.PutParameter", "Content-Type": "application/x-amz-json-1.1",
                       "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
            body = json.dumps({"Name": STATES["us"], "Type": "String", "Overwrite": True, "Value": text}).encode()
            self.assertEqual(fetch(self.moto.url + "/", headers, body, "POST")[0], 200)

    def deploy(self, rig, *more):
        return rig.run("--yes", "--skip-smoke-tests", *more)

    def replication(self, rig, *more):
        """{region: component} of status --json."""
        status, text = rig.run("--json", *more, verb=("status",))
        self.assertEqual(status, 0, text)
        shown = next(record for record in map(json.loads, text.splitlines()) if record["type"] == "status")
        return {region["name"]: component for region in shown["regions"] for component in region["components"]
                if component["name"] == "replication"}

    def test_three_clouds_are_waited_for_and_shown(self):
        rig = self.rig(("us", "eu", "ap"))
        self.report("us", "{}")
        self.report("eu", streaming("eu"))
        process = rig.start("--yes", "--skip-smoke-tests", "--json")
        wait_until(lambda: self.azure.count("vault"), 60, "Azure to be asked")
        for name in ("us", "ap"):
            self.report(name, streaming(name))
        text, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, text)
        records = [json.loads(line) for line in text.splitlines()]
        waited = [(r["region"], r["state"]) for r in records if r["type"] == "progress" and r["step"] == "replication"]
        self.assertIn(("us", "running"), waited)
        self.assertIn(("ap", "running"), waited)
        self.assertNotIn(("eu", "running"), waited)
        self.assertEqual({region for region, state in waited if state == "done"}, {"us", "eu", "ap", None})
        self.assertEqual({name: one["state"] for name, one in self.replication(rig).items()}, dict.fromkeys(PLACES, "standing"))
        status, text = rig.run(verb=("status",))
        self.assertIn("    replication standing: us streaming; ap streaming", text)
        status, text = self.deploy(rig)
        self.assertEqual(status, 0, text)
        self.assertIn("Nothing to do", text)
        self.assertNotIn("Configuring replication", text)

    def test_what_the_gateway_says_fails_it_and_a_rerun_goes_on(self):
        rig = self.rig(traffic={"domain": "api.example.com", "dns": "route53"})
        self.report("eu", streaming("eu"))
        self.report("ap", {**streaming("ap"), "phase": "publish", "peers": {}, "error": "FATAL: \x1b[31m no, password=hunter2"})
        status, text = self.deploy(rig, "--replication-timeout", "0")
        self.assertEqual(status, 1, text)
        self.assertIn("[✗] Configuring replication (active-active)", text)
        self.assertIn("ap: replication is not set up, and its gateway says: FATAL: [31m no, password=***", text)
        self.assertIn(f"`fraiseql deploy {rig.file}` goes on waiting", text)
        self.assertIn("[!] Updating DNS (latency routing): skipped", text)
        self.assertIn("Replication between them is not set up.", text)
        self.assertNotIn("hunter2", text)
        self.assertNotIn("\x1b", text)
        shown = self.replication(rig)
        self.assertEqual((shown["eu"]["state"], shown["ap"]["state"]), ("standing", "failed"))
        self.report("ap", streaming("ap", peers={"eu": {"state": "copying", "detail": "", "tables": 9, "copying": 2, "lag_s": -1}}))
        status, text = self.deploy(rig)
        self.assertEqual(status, 0, text)
        self.assertIn("[✓] Configuring replication (active-active)\n", text)
        self.assertIn("ap: copying: eu copying, 2 of 9 tables to go", text)
        self.assertIn("[✓] Updating DNS (latency routing)", text)

    def test_nothing_else_to_do_and_it_still_waits(self):
        rig = self.rig()
        self.report("eu", streaming("eu"))
        self.assertEqual(rig.deploy()[0], 0)
        status, text = self.deploy(rig, "--replication-timeout", "0")
        self.assertEqual(status, 1, text)
        self.assertIn("ap: replication is not set up: its report could not be read: Key Vault", text)
        self.assertIn("All regions stand as", text)
        self.report("ap", streaming("ap"))
        self.assertEqual(self.deploy(rig)[0], 0)
        self.assertIn("Nothing to do", self.deploy(rig)[1])

    def test_reports_that_are_not_believed(self):
        rig = self.rig()
        self.assertEqual(rig.deploy()[0], 0)
        cases = [({**streaming("eu"), "document": DIGESTS["ap"]}, "waiting", "an older plan or another deployment"),
                 ({**streaming("eu"), "format": 2}, "unknown", "\"format\" is not 1"),
                 ("{", "unknown", "no JSON object"), ("x" * 70000, "unknown", "longer than"), ("{}", "waiting", "has not reported yet"),
                 (None, "waiting", "has not reported yet")]
        for what, state, detail in cases:
            if what is None:
                self.google.report = None
            else:
                self.report("eu", what)
            shown = self.replication(rig)["eu"]
            self.assertEqual(shown["state"], state, shown)
            self.assertIn(detail, shown["detail"])
        self.report("eu", streaming("eu"))
        for faults in ((403,), ("malformed",), ("cut", *[500] * 9)):
            self.google.fail("attributes", *faults)
            self.assertEqual(self.replication(rig, "--region", "eu")["eu"]["state"], "unknown", faults)
            self.google.faults.clear()
        # Addresses come from the state: none but the cloud's own is sent a token.
        self.outputs["ap"]["replication_state"] = "https://demo-ap.vault.azure.net.example.com/secrets/replication-state"
        self.outputs["eu"]["replication_state"] = "projects/shop-1/zones/z/instances/../../x"
        rig.behave(outputs=self.outputs)
        before = self.azure.count("vault"), self.google.count("attributes")
        shown = self.replication(rig)
        self.assertIn("is no secret of a key vault", shown["ap"]["detail"])
        self.assertIn("is no machine of Compute Engine", shown["eu"]["detail"])
        self.assertEqual((self.azure.count("vault"), self.google.count("attributes")), before)

    def test_ctrl_c_ends_the_waiting(self):
        rig = self.rig()
        self.report("eu", streaming("eu"))
        process = rig.start("--yes", "--skip-smoke-tests")
        wait_until(lambda: self.azure.count("vault"), 60, "Azure to be asked")
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 130, text)
        self.assertIn("interrupted; the gateways go on by themselves:", text)
        self.assertIn("eu: standing: us streaming; ap streaming", text)
        self.report("ap", streaming("ap"))
        status, text = self.deploy(rig)
        self.assertEqual(status, 0, text)

    def test_a_region_that_fails_is_not_waited_for(self):
        rig = self.rig()
        rig.behave(outputs=self.outputs, ap="fail")
        status, text = self.deploy(rig)
        self.assertEqual(status, 1, text)
        self.assertIn("[!] Configuring replication (active-active)", text)
        self.assertIn("the gateways go on by themselves once the rest stands", text)

    def test_one_region_before_the_part_between_them(self):
        rig = self.rig()
        del self.outputs["global"]
        rig.behave(outputs=self.outputs)
        for _ in range(2):
            status, text = self.deploy(rig, "--region", "eu")
            self.assertEqual(status, 0, text)
        self.assertEqual(self.replication(rig, "--region", "eu")["eu"]["detail"],
                         "the part between the regions has not told its gateway yet what to do")

    def test_the_live_view_says_what_is_waited_for(self):
        rig = self.rig()
        self.report("eu", streaming("eu"))
        self.report("ap", {**streaming("ap"), "phase": "subscribe", "peers": {"eu": {"state": "waiting", "detail": "it has published nothing yet"}}})
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("sh", ["sh", "-c", 'stty cols 100 rows 40; exec "$@"', "sh", *rig.arguments("--yes", "--skip-smoke-tests")],
                       {**rig.env, "TERM": "xterm"})
        seen, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            seen += piece
            if b"published nothing" in seen:
                self.report("ap", streaming("ap"))
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, seen.decode())
        self.assertRegex(seen.decode(), r"ap +connecting +0/1 +\S+ +eu waiting: it has published nothing yet \(")
        self.assertIn("Configuring replication (active-active)", seen.decode())


if __name__ == "__main__":
    main()
