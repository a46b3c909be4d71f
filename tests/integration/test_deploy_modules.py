"""The hand-written modules of the regions: formatted, taken by terraform with the providers' own schemas, and tested with
mocked providers, each where a mirror has its provider."""

import base64
import glob
import os
import re
import shutil
import subprocess
import unittest

import harness
import terraform_rig

PROVISIONER = os.path.join(harness.ROOT, "provisioner")
MODULES = sorted(os.path.relpath(path, PROVISIONER) for path in glob.glob(os.path.join(PROVISIONER, "*", "module"))
                 if os.path.exists(os.path.join(path, "main.tf")))
PROVIDERS = {"aws/module": "hashicorp/aws", "gcp/module": "hashicorp/google", "azure/module": "hashicorp/azurerm"}


@unittest.skipUnless(terraform_rig.TERRAFORM, "neither tofu nor terraform is on the PATH")
class Modules(harness.Case):
    def setUp(self):
        self.folder = self.open(harness.Folder())

    def test_formatted(self):
        done = subprocess.run([terraform_rig.TERRAFORM, "fmt", "-check", "-recursive", PROVISIONER], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_variables_and_outputs_are_alike(self):
        """A region moves to another cloud by its file alone, so every module takes and gives the same."""
        names = {}
        for module in PROVIDERS:
            if module not in MODULES:
                continue
            for kind in ("variables", "outputs"):
                with open(os.path.join(PROVISIONER, module, kind + ".tf"), encoding="utf-8") as text:
                    word = kind[:-1]
                    found = {line.split('"')[1] for line in text if line.startswith(word + ' "')}
                names.setdefault(kind, {})[module] = found
        common = set.intersection(*names["variables"].values())
        self.assertGreaterEqual(len(common), 20)
        self.assertLessEqual({"name", "deployment_id", "cidr", "service", "database", "node", "links"}, common)
        self.assertEqual(len({frozenset(found) for found in names["outputs"].values()}), 1, names["outputs"])

    def test_nobody_has_the_private_half_of_azures_key(self):
        """It is RSA-2048 of the RSA Factoring Challenge, told by what RSA Laboratories printed beside it: 617 digits, whose sum
        is 2738, and by its ends."""
        with open(os.path.join(PROVISIONER, "azure", "module", "compute.tf"), encoding="utf-8") as text:
            blob = base64.b64decode(re.search(r'nobodys_key += "ssh-rsa ([^"]+)"', text.read())[1])
        parts = []
        while blob:
            length = int.from_bytes(blob[:4], "big")
            parts.append(blob[4:4 + length])
            blob = blob[4 + length:]
        self.assertEqual((parts[0], int.from_bytes(parts[1], "big"), len(parts)), (b"ssh-rsa", 65537, 3))
        digits = str(int.from_bytes(parts[2], "big"))
        self.assertEqual((len(digits), sum(map(int, digits))), (617, 2738))
        self.assertEqual((digits[:20], digits[-9:]), ("25195908475657893494", "120720357"))

    def test_modules(self):
        have = terraform_rig.providers()
        for module, provider in PROVIDERS.items():
            with self.subTest(module):
                if module not in MODULES:
                    self.skipTest(f"there is no {module}")
                if provider not in have:
                    self.skipTest(f"no mirror has {provider}; {terraform_rig.HOW_TO_GET_THEM}")
                copy = os.path.join(self.folder.path, module)
                shutil.copytree(os.path.join(PROVISIONER, module), copy)
                rig = terraform_rig.Rig(self.folder)
                rig.check(copy, "init", "-backend=false")
                rig.check(copy, "validate")
                said = rig.check(copy, "test", "-no-color")
                self.assertRegex(said, r"Success! [1-9]\d* passed, 0 failed\.")


if __name__ == "__main__":
    harness.main()
