"""`fraiseql deploy` of whole regions on AWS: the real terraform, the real AWS provider, the whole module, on moto; and the
mission's resolved file in one run, with Google and Azure beside it as providers that have the schema and a folder for a cloud.

moto forgets some of what it is told, so that a second plan finds changes where there are none: DRIFT names them."""

import base64
import collections
import glob
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import time
import unittest

import terraform_rig
from cloud_rig import cloud_rig, made
from harness import LONG, ROOT, Case, Folder, fetch, main, wait_until
from test_deploy_terraform import Moto, find_mirror

RESOLVED = os.path.join(ROOT, "examples", "fraiseql-deployment-resolved.yaml")
# Types that moto 5.2 gives back other than it got them.
DRIFT = {"aws_autoscaling_group", "aws_autoscaling_policy", "aws_db_instance", "aws_db_parameter_group", "aws_iam_role_policy",
         "aws_launch_template", "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"}
EC2 = ("DescribeVpcs", "DescribeSubnets", "DescribeAddresses", "DescribeNatGateways", "DescribeRouteTables",
       "DescribeSecurityGroups", "DescribeSecurityGroupRules", "DescribeFlowLogs", "DescribeLaunchTemplates")


def ec2(moto, action, location):
    scope = f"AKIAIOSFODNN7EXAMPLE/20260101/{location}/ec2/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
               "Content-Type": "application/x-www-form-urlencoded"}
    status, _, body = fetch(moto.url + "/", headers, f"Action={action}&Version=2016-11-15".encode(), "POST")
    assert status == 200, body
    return body.decode()


def copies(moto, location):
    """How often each address of the module is there, in EC2."""
    count = collections.Counter()
    for action in EC2:
        for item in re.split(r"<item>(?=\s*<(?:natGatewayId|allocationId|publicIp|vpcId|subnetId))", ec2(moto, action, location)):
            if "<state>deleted</state>" not in item:
                count.update(re.findall(r"<key>fraiseql-address</key>\s*<value>([^<]*)</value>", item))
    return count


def ssm(moto, action, **arguments):
    scope = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/ssm/aws4_request"
    headers = {"X-Amz-Target": "AmazonSSM." + action, "Content-Type": "application/x-amz-json-1.1",
               "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    status, _, body = fetch(moto.url + "/", headers, json.dumps(arguments).encode(), "POST")
    assert status == 200, body
    return json.loads(body)


def hosted_zone(moto, domain):
    """Route 53's ids begin with Z; moto's with any letter, so it is asked until one does."""
    scope = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/route53/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0", "Content-Type": "text/xml"}
    for number in range(5000):
        body = (f'<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>{domain}</Name>'
                f"<CallerReference>{number}</CallerReference></CreateHostedZoneRequest>")
        status, _, answer = fetch(moto.url + "/2013-04-01/hostedzone", headers, body.encode(), "POST")
        assert status == 201, answer
        zone = re.search(r"<Id>/hostedzone/(\w+)</Id>", answer.decode())[1]
        if zone.startswith("Z"):
            return zone
    raise AssertionError("none of 5,000 zones has an id of Route 53's form")


@unittest.skipUnless(LONG, "minutes long: scripts/test --long")
@unittest.skipUnless(shutil.which("terraform"), "terraform is not installed")
@unittest.skipUnless(shutil.which("moto_server"), "moto_server is not installed")
@unittest.skipUnless(find_mirror(), "there is no tf-plugins folder with the AWS provider")
class WholeRegions(Case):
    def rig(self, text, moto, cloud=None):
        rig = cloud_rig(self, cloud=cloud)
        rig.file = rig.folder.file("mission.yaml", text)
        rig.env.update(AWS_ENDPOINT_URL=moto.url, AWS_EC2_METADATA_DISABLED="true")
        return rig

    def kill(self, rig, process):
        for pid in [process.pid, *rig.children()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.communicate()

    def plan(self, rig):
        """{region: {(address, action), ...}} of a plan, and its exit status."""
        status, text = rig.run("--json", verb=("plan",))
        records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return status, {record["region"]: {(change["address"], change["action"]) for change in record["changes"]}
                        for record in records if record["type"] == "plan"}

    def check_replication(self, rig, moto):
        """The gateway's report counts by the digest of the document it has found: the same one that Terraform says it put there."""
        root = glob.glob(rig.folder.path + "/.fraiseql/*/render/regions/us-east/main.tf.json")[0]
        with open(root, encoding="utf-8") as file:
            place = f"/fraiseql/{json.load(file)['module']['region']['name']}/replication"
        document = gzip.decompress(base64.b64decode(ssm(moto, "GetParameter", Name=place)["Parameter"]["Value"]))
        report = {"format": 1, "phase": "done", "document": hashlib.sha256(document).hexdigest(), "peers": {}, "at": "2026-11-26T10:00:00Z"}
        ssm(moto, "PutParameter", Name=place + "-state", Value=json.dumps(report), Type="String", Overwrite=True)
        _, text = rig.run("--json", "--region", "us-east", verb=("status",))
        shown = next(record for record in map(json.loads, text.splitlines()) if record["type"] == "status")
        self.assertEqual({one["name"]: one["state"] for one in shown["regions"][0]["components"]}["replication"], "standing", text)

    @unittest.skipUnless(os.path.isdir(terraform_rig.SCHEMA_MIRROR), terraform_rig.HOW_TO_GET_THEM)
    def test_the_mission_in_one_run_killed_and_continued_elsewhere(self):
        moto = self.open(Moto(self.open(Folder())))
        with open(RESOLVED, encoding="utf-8") as file:
            text = file.read().replace("Z0123456789ABCDEFGHIJ", hosted_zone(moto, "api.example.com")) + "\nstate: { backend: s3, bucket: states, location: us-east-1 }\n"
        self.assertEqual(fetch(moto.url + "/states", method="PUT", data=b"")[0], 200)

        # Killed with terraform while the network of AWS is being made: its state, kept every 20 seconds, knows little of it.
        rig = self.rig(text, moto)
        process = rig.start("--yes", "--skip-smoke-tests", "--skip-replication-wait")
        wait_until(lambda: process.poll() is not None or "<natGatewayId>" in ec2(moto, "DescribeNatGateways", "us-east-1"), 400, "a NAT gateway", 0.1)
        self.assertIsNone(process.poll(), "it ended before anything was made")
        time.sleep(5)
        self.kill(rig, process)
        before = copies(moto, "us-east-1")
        self.assertGreater(before["aws_subnet.public/0"], 0, before)

        # Continued from another machine, which has the file and the state in S3.
        other = self.rig(text, moto, rig.cloud)
        status, said = other.deploy("--break-lock")
        self.assertEqual(status, 0, said)
        taken = re.search(r"AWS \(us-east\): \d+ to create, .*?, (\d+) to take over", said)
        self.assertTrue(taken and int(taken[1]) > 10, said)
        doubled = {address: count for address, count in copies(moto, "us-east-1").items() if count > 1}
        self.assertEqual(doubled, {}, said)
        for region in ("AWS (us-east)", "GCP (eu-west)", "Azure (apac)"):
            self.assertIn(f"[✓] Deploying to {region}", said)
        self.assertIn("[✓] Setting up cross-cloud networking", said)
        self.assertIn("Deployed, but for replication", said)
        self.assertEqual(len(made(rig.cloud, "azurerm_postgresql_flexible_server")), 1)
        self.assertEqual(len(made(rig.cloud, "google_sql_database_instance")), 1)
        self.check_replication(other, moto)

        # Nothing changed: nothing to do but moto's own changes. Something changed: that, and no more.
        _, regions = self.plan(other)
        self.assertEqual(regions.get("eu-west", set()) | regions.get("apac", set()), set())
        self.assertEqual({change for change in regions["us-east"] if change[0].split(".")[-2] not in DRIFT and change[1] != "read"},
                         set())
        self.assertEqual({action for _, action in regions["us-east"]} - {"update", "read"}, set())
        drift = regions["us-east"]
        other.folder.file("mission.yaml", text.replace("instance_type: t3.2xlarge", "instance_type: t3.2xlarge\n    max_instances: 9"))
        status, regions = self.plan(other)
        self.assertEqual(status, 2)
        self.assertEqual({address.split(".", 2)[-1] for address, action in regions["us-east"] - drift} -
                         {"aws_autoscaling_group.service"}, set())

        # Databases stay with what they need, then go with a final snapshot.
        status, said = other.run("--yes", "--confirm", "fraiseql-production", verb=("destroy",))
        self.assertEqual(status, 0, said)
        self.assertEqual(len(made(rig.cloud, "azurerm_postgresql_flexible_server")), 1)
        self.assertEqual(copies(moto, "us-east-1")["aws_nat_gateway.this"], 0)
        self.assertEqual(copies(moto, "us-east-1")["aws_vpc.this"], 1)
        status, said = other.run("--yes", "--confirm", "fraiseql-production", "--delete-data", verb=("destroy",))
        self.assertEqual(status, 0, said)
        self.assertEqual(copies(moto, "us-east-1"), {})
        self.assertEqual([name for name in os.listdir(rig.cloud) if not name.startswith("google_project_service")], [])


if __name__ == "__main__":
    main()
