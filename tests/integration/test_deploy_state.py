"""`fraiseql deploy state`: shown, and moved by terraform from local files into PostgreSQL, also when it is interrupted.

Providers are left out: a wrapper around terraform keeps of each rendered root what names its backend."""

import json
import os
import unittest
import uuid

import harness
import terraform_rig
from test_deploy_render import as_yaml, deploy

DEPLOYMENT = {
    "metadata": {"name": "moved", "environment": "test"},
    "regions": {"eu": {"provider": "aws", "location": "eu-west-1", "size": "small"},
                "us": {"provider": "aws", "location": "us-east-1", "size": "small"}},
    "replication": {"mode": "active-active"},
}

WRAPPER = """#!/usr/bin/env python3
import json, os, sys
folder = next((a[7:] for a in sys.argv if a.startswith("-chdir=")), None)
if folder:
    path = os.path.join(folder, "main.tf.json")
    with open(path) as text:
        whole = json.load(text)["terraform"]
    with open(path, "w") as text:
        json.dump({"terraform": {"backend": whole["backend"]}}, text)
    if os.path.exists("FAIL") and folder.endswith("us") and "-migrate-state" in sys.argv:
        sys.exit("the network went away")
os.execv("TERRAFORM", ["terraform", *sys.argv[1:]])
"""


class Show(unittest.TestCase):
    def setUp(self):
        self.folder = harness.Folder()
        self.addCleanup(self.folder.remove)

    def test_show(self):
        file = self.folder.file("d.yaml", as_yaml(DEPLOYMENT))
        out = deploy("state", "show", file).stdout
        self.assertIn("backend: local", out)
        self.assertIn(f"{self.folder.path}/.fraiseql/moved/render/state/regions/eu.tfstate (not there yet)", out)
        self.assertFalse(os.path.exists(os.path.join(self.folder.path, ".fraiseql")), "showing makes nothing")
        s3 = self.folder.file("s3.yaml", as_yaml({**DEPLOYMENT, "state": {"backend": "s3", "bucket": "b-1", "location": "eu-west-1"}}))
        records = [json.loads(line) for line in deploy("state", "show", s3, "--json").stdout.splitlines()]
        self.assertEqual([root["address"] for root in records[1]["roots"]],
                         ["s3://b-1/fraiseql/moved/regions/eu.tfstate", "s3://b-1/fraiseql/moved/regions/us.tfstate",
                          "s3://b-1/fraiseql/moved/global.tfstate"])

    def test_usage(self):
        file = self.folder.file("d.yaml", as_yaml(DEPLOYMENT))
        self.assertIn("neither show nor migrate", deploy("state", "move", file, status=64).stderr)
        self.assertIn("show|migrate FILE", deploy("state", file, status=64).stderr)
        self.assertIn("--region does not go", deploy("state", "migrate", file, "--region", "eu", status=64).stderr)

    @unittest.skipUnless(terraform_rig.TERRAFORM, "neither tofu nor terraform is on the PATH")
    def test_nothing_to_move(self):
        file = self.folder.file("d.yaml", as_yaml(DEPLOYMENT))
        self.assertIn("no state to move", deploy("state", "migrate", file, status=65).stderr)


@unittest.skipUnless(terraform_rig.TERRAFORM, "neither tofu nor terraform is on the PATH")
class Migrate(unittest.TestCase):
    def setUp(self):
        self.folder = harness.Folder()
        self.addCleanup(self.folder.remove)
        self.trouble = os.path.join(self.folder.path, "fail")
        self.wrapper = self.folder.file("terraform", WRAPPER.replace("FAIL", self.trouble).replace("TERRAFORM", terraform_rig.TERRAFORM), 0o755)
        self.work = os.path.join(self.folder.path, ".fraiseql", "moved")

    def test_local_to_postgres_and_back(self):
        server = harness.Postgres(standbys=0)
        self.addCleanup(server.close)
        file = self.folder.file("d.yaml", as_yaml(DEPLOYMENT))
        render = os.path.join(self.work, "render")
        deploy("render", file, "--out", render)
        roots = ("regions/eu", "regions/us", "global")
        for name in roots:
            path = os.path.join(render, "state", name + ".tfstate")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as state:
                json.dump({"version": 4, "terraform_version": "1.6.0", "serial": 7, "lineage": str(uuid.uuid4()),
                           "outputs": {"endpoint": {"value": name, "type": "string"}}, "resources": []}, state)

        connection = f"postgres://postgres@127.0.0.1:{server.ports[0]}/postgres?sslmode=disable"
        self.folder.file("d.yaml", as_yaml({**DEPLOYMENT, "state": {"backend": "pg", "connection": connection}}))
        self.folder.file("fail")
        done = deploy("state", "migrate", file, "--tf-bin", self.wrapper, status=1)
        self.assertIn("the network went away", done.stderr)
        os.unlink(self.trouble)
        for _ in range(2):  # the second time finds nothing to do
            deploy("state", "migrate", file, "--tf-bin", self.wrapper)
            for name in roots:
                schema = "fraiseql_moved_" + name.replace("regions/", "region_")
                state = json.loads(server.sql(f'select data from "{schema}".states'))
                self.assertEqual(state["outputs"]["endpoint"]["value"], name)
        self.assertIn("fraiseql_moved_region_eu", deploy("state", "show", file).stdout)

        self.folder.file("d.yaml", as_yaml(DEPLOYMENT))
        deploy("state", "migrate", file, "--tf-bin", self.wrapper)
        for name in roots:
            with open(os.path.join(render, "state", name + ".tfstate"), encoding="utf-8") as text:
                self.assertEqual(json.load(text)["outputs"]["endpoint"]["value"], name)


if __name__ == "__main__":
    harness.main()
