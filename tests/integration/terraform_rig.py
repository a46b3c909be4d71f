"""Terraform for the tests: the program, the providers that can be had here, and folders to run it in.

Real providers come from a filesystem mirror called tf-plugins (in / or one level below) and from the mirrors that
FRAISEQL_TF_MIRROR names (colon-separated). For those of clouds that are not there, schema_providers/build.py makes ones that
have the schema and no cloud, in build/schema-providers. Nothing is fetched from a registry here."""

import glob
import os
import shutil
import subprocess
import sys

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "integration", "schema_providers"))
import build as schema_providers  # noqa: E402

TERRAFORM = shutil.which("tofu") or shutil.which("terraform")
SCHEMA_MIRROR = os.path.join(harness.ROOT, "build", "schema-providers")
HOW_TO_GET_THEM = f"tests/integration/schema_providers/build.py {os.path.relpath(SCHEMA_MIRROR, harness.ROOT)} makes ones without a cloud"


def mirrors():
    named = [path for path in os.environ.get("FRAISEQL_TF_MIRROR", "").split(":") if path]
    real = sorted(glob.glob("/tf-plugins") + glob.glob("/*/tf-plugins"))
    # One that was made from other sources than today's may lack what today's tests need.
    ours = [SCHEMA_MIRROR] if schema_providers.up_to_date(SCHEMA_MIRROR) else []
    return real + ours + named


def providers():
    """{"hashicorp/aws": folder of the mirror}, the first mirror that has it wins."""
    found = {}
    for mirror in mirrors():
        for path in sorted(glob.glob(os.path.join(mirror, "registry.terraform.io", "*", "*"))):
            found.setdefault("/".join(path.split("/")[-2:]), mirror)
    return found


class Rig:
    """An environment in which terraform finds the providers of the mirrors and nothing else."""

    def __init__(self, folder):
        lines = ["provider_installation {"]
        for name, mirror in providers().items():
            lines += ["  filesystem_mirror {", f'    path    = "{mirror}"', f'    include = ["{name}"]', "  }"]
        lines.append("}")
        self.config = folder.file("terraformrc", "\n".join(lines) + "\n")
        self.env = {**os.environ, "TF_CLI_CONFIG_FILE": self.config, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1",
                    "TF_INPUT": "0", "FRAISEQL_SETTLE_SECONDS": "0"}

    def run(self, root, *arguments):
        return subprocess.run([TERRAFORM, f"-chdir={root}", *arguments], env=self.env, capture_output=True, text=True,
                              timeout=300)

    def check(self, root, *arguments):
        done = self.run(root, *arguments)
        assert done.returncode == 0, f"terraform {' '.join(arguments)} in {root} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout
