"""`fraiseql deploy` with the real terraform and the real AWS provider, over a small module (small_terraform.py) on moto:
resources that are made in a moment, so that a run can be killed in the middle of them."""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from harness import LONG, Case, fetch, free_port, main, wait_until
from test_deploy_run import FAKE, REGIONS, Rig, deployment


def find_mirror():
    for pattern in ("/tf-plugins", "/*/tf-plugins"):
        for path in glob.glob(pattern):
            if glob.glob(path + "/registry.terraform.io/hashicorp/aws/*"):
                return path
    return None


class Moto:
    def __init__(self, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        log = open(folder.path + "/moto.log", "wb")
        self.process = subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", str(self.port)], stdout=log, stderr=log)
        wait_until(lambda: fetch(self.url + "/moto-api/data.json")[0] == 200, 60, "moto")

    def parameters(self, region):
        """Names of the parameters in one region of REGIONS: the first page, which moto ends after ten."""
        scope = f"AKIAIOSFODNN7EXAMPLE/20260101/{REGIONS[region]}/ssm/aws4_request"
        headers = {"X-Amz-Target": "AmazonSSM.DescribeParameters", "Content-Type": "application/x-amz-json-1.1",
                   "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        status, _, body = fetch(self.url + "/", headers, b'{"MaxResults": 50}', "POST")
        assert status == 200, body
        return [item["Name"] for item in json.loads(body)["Parameters"]]

    def close(self):
        self.process.terminate()
        self.process.wait(10)


@unittest.skipUnless(shutil.which("terraform"), "terraform is not installed")
@unittest.skipUnless(shutil.which("moto_server"), "moto_server is not installed")
@unittest.skipUnless(find_mirror(), "there is no tf-plugins folder with the AWS provider")
class WithTerraform(Case):

    def rig(self, config, moto=None):
        rig = Rig(self, config)
        rig.binary = os.path.join(os.path.dirname(FAKE), "small_terraform.py")
        rig.moto = moto or self.open(Moto(rig.folder))
        rig.env["SMALL_CLOUD"] = rig.env["AWS_ENDPOINT_URL"] = rig.moto.url
        rig.env["TF_CLI_CONFIG_FILE"] = rig.folder.file(
            "tfrc", f'provider_installation {{\n  filesystem_mirror {{ path = "{find_mirror()}" }}\n}}\n')
        return rig

    def first_resource(self, rig, process, step):
        """Waits until there is one; a deployment that ended before fails with what it said."""
        wait_until(lambda: rig.moto.parameters("us-east") or process.poll() is not None, 400, "the first resource", step)
        if not rig.moto.parameters("us-east"):
            self.fail(process.communicate()[0])

    def test_deploy_again_change_and_destroy(self):
        rig = self.rig(deployment(regions=("us-east", "eu-west"), instances=1))
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("AWS (us-east): 4 to create, 0 to change, 0 to replace, 0 to destroy", text)
        self.assertEqual(len(rig.moto.parameters("us-east")), 4)
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("Nothing to do", text)
        rig.write(deployment(regions=("us-east", "eu-west"), instances=1, size="t3.xlarge"))
        status, text = rig.run(verb=("plan",))
        self.assertEqual(status, 2, text)
        self.assertIn("0 to create, 4 to change, 0 to replace, 0 to destroy\n"
                      "      update    aws_ssm_parameter.setting[0]: ", text)
        self.assertRegex(text, r"aws_ssm_parameter\.setting\[3\]: .*\bvalue\b")
        self.assertNotIn("t3.", text)
        status, text = rig.run("--yes", "--confirm", "demo", verb=("destroy",))
        self.assertEqual(status, 0, text)
        self.assertEqual(rig.moto.parameters("us-east") + rig.moto.parameters("eu-west"), [])

    def test_killed_with_terraform_what_exists_is_taken_over(self):
        for _ in range(10 if LONG else 1):
            rig = self.rig(deployment(regions=("us-east",), instances=2))
            process = rig.start("--yes", "--skip-smoke-tests")
            self.first_resource(rig, process, 0.01)
            time.sleep(random.uniform(0, 0.5))
            for pid in [process.pid, *rig.children()]:
                os.kill(pid, signal.SIGKILL)
            process.communicate()
            status, text = rig.deploy()
            self.assertEqual(status, 0, text)
            self.assertEqual(len(rig.moto.parameters("us-east")), 8)
        status, text = rig.deploy()
        self.assertIn("Nothing to do", text)
        self.assertEqual(rig.run("--yes", "--confirm", "demo", verb=("destroy",))[0], 0)
        self.assertEqual(rig.moto.parameters("us-east"), [])

    def test_killed_and_continued_in_another_folder_with_remote_state(self):
        config = deployment(regions=("us-east",), instances=2,
                            state={"backend": "s3", "bucket": "states", "location": "us-east-1"})
        rig = self.rig(config)
        self.assertEqual(fetch(rig.moto.url + "/states", method="PUT", data=b"")[0], 200)
        process = rig.start("--yes", "--skip-smoke-tests")
        self.first_resource(rig, process, 0.05)
        process.kill()
        process.communicate()
        other = self.rig(config, rig.moto)
        status, text = other.deploy()
        self.assertEqual(status, 0, text)
        self.assertEqual(len(rig.moto.parameters("us-east")), 8)
        status, text = other.deploy()
        self.assertIn("Nothing to do", text)


if __name__ == "__main__":
    main()
