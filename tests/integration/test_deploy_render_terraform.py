"""What `fraiseql deploy render` writes is taken by terraform, with the providers' own schemas: every rendered root, and the
hand-written modules of DNS and links with their tests."""

import json
import os
import subprocess
import unittest

import harness
import terraform_rig
from test_deploy_render import MODULES, NASTY, Rendered, as_yaml


@unittest.skipUnless(terraform_rig.TERRAFORM, "neither tofu nor terraform is on the PATH")
class Terraform(Rendered):
    NEEDS = {"aws": "hashicorp/aws", "gcp": "hashicorp/google", "azure": "hashicorp/azurerm",
             "cloudflare": "cloudflare/cloudflare", "route53": "hashicorp/aws"}

    def need(self, *kinds):
        have = terraform_rig.providers()
        missing = sorted({self.NEEDS[kind] for kind in kinds} - set(have))
        if missing:
            self.skipTest(f"no mirror has {', '.join(missing)}; {terraform_rig.HOW_TO_GET_THEM}")

    def validate(self, root):
        rig = terraform_rig.Rig(self.folder)
        rig.check(root, "init", "-backend=false")
        answer = json.loads(rig.run(root, "validate", "-json").stdout)
        self.assertTrue(answer["valid"], json.dumps(answer["diagnostics"], indent=1))
        self.assertEqual(answer["warning_count"], 0, json.dumps(answer["diagnostics"], indent=1))

    def test_regions(self):
        self.render(self.mission())
        for region, kind in (("us-east", "aws"), ("eu-west", "gcp"), ("apac", "azure")):
            with self.subTest(region):
                self.need(kind)
                if not os.path.isdir(os.path.join(MODULES, kind, "module")):
                    self.skipTest(f"there is no module of {kind}")
                self.validate(os.path.join(self.out, "regions", region))

    def test_global_route53(self):
        self.need("aws", "gcp", "azure", "route53")
        self.render(self.mission())
        self.validate(os.path.join(self.out, "global"))

    def test_global_cloudflare(self):
        self.need("aws", "gcp", "azure", "cloudflare")
        with open(self.mission(), encoding="utf-8") as text:
            file = self.folder.file("d.yaml", text.read().replace(
                "dns: route53\n  dns-zone: Z0123456789ABCDEFGHIJ", "dns: cloudflare\n  cdn: true\n  cloudflare-account: 0123456789abcdef0123456789abcdef\n  cloudflare-zone: 0123456789abcdef0123456789abcdef"))
        self.render(file)
        self.validate(os.path.join(self.out, "global"))

    def test_global_aws_only(self):
        self.need("aws")
        self.render(self.folder.file("nasty.yaml", as_yaml({**NASTY, "traffic": {"domain": "api.example.com", "dns": "route53"}})))
        self.validate(os.path.join(self.out, "global"))

    def test_missing_states_block_nothing(self):
        """Regions that are left out are not read; those that are there without outputs get no record."""
        self.render(self.folder.file("nasty.yaml", as_yaml(NASTY)))
        root = os.path.join(self.out, "global")
        rig = terraform_rig.Rig(self.folder)
        with open(os.path.join(root, "main.tf.json"), encoding="utf-8") as text:
            document = json.load(text)
        document.pop("module"), document.pop("provider", None)  # what is asked here is the reading of states
        document["terraform"].pop("required_providers")
        document["output"].pop("replication")
        with open(os.path.join(root, "main.tf.json"), "w", encoding="utf-8") as text:
            json.dump(document, text)
        rig.check(root, "init")
        rig.check(root, "plan")
        states = os.path.join(self.out, "state", "regions")
        os.makedirs(states)
        with open(os.path.join(states, "us.tfstate"), "w", encoding="ascii") as state:
            state.write('{"version":4,"terraform_version":"1.6.0","serial":1,"lineage":"x","outputs":{},"resources":[]}')
        for more in ((), ("-var", 'regions=["us"]'), ("-var", "regions=[]")):
            rig.check(root, "apply", "-auto-approve", *more)
        self.assertEqual(json.loads(rig.check(root, "output", "-json"))["regions"]["value"], {"eu": "", "us": ""})

    def test_module_tests(self):
        for folder, kind in (("route53", "route53"), ("cloudflare", "cloudflare"), ("links/aws", "aws"), ("links/gcp", "gcp"),
                             ("links/azure", "azure")):
            with self.subTest(folder):
                self.need(kind)
                copy = os.path.join(self.folder.path, "module", folder)
                source = os.path.join(MODULES, "global", "module", folder)
                subprocess.run(["mkdir", "-p", os.path.dirname(copy)], check=True)
                subprocess.run(["cp", "-r", source, copy], check=True)
                # Terraform mocks nothing ephemeral, and tests no module that gives such: the global roots validate it.
                if os.path.exists(copy + "/password.tf"):
                    os.unlink(copy + "/password.tf")
                rig = terraform_rig.Rig(self.folder)
                rig.check(copy, "init")
                rig.check(copy, "test")

    def test_format(self):
        rig = terraform_rig.Rig(self.folder)
        rig.check(os.path.join(MODULES, "global", "module"), "fmt", "-check", "-recursive", "-diff")


if __name__ == "__main__":
    harness.main()
