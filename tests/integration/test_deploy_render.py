"""`fraiseql deploy render`: the same bytes as the golden files, text of the user that never becomes code. FRAISEQL_UPDATE_GOLDEN=1 writes the golden files anew."""

import difflib
import json
import os
import re
import subprocess
import time
import unittest

import harness
import terraform_rig

FRAISEQL = os.path.join(harness.BUILD, "bin", "fraiseql")
DATA = os.path.join(harness.ROOT, "tests", "data", "render")
MODULES = os.path.join(harness.ROOT, "provisioner")
ID = "01a214e4-0000-7000-8000-000000000000"

NASTY = {
    "version": 1,
    "metadata": {"name": "nasty", "environment": "test", "labels": {"team": "platform"}},
    "regions": {"eu": {"provider": "aws", "location": "eu-west-1", "size": "small"},
                "us": {"provider": "aws", "location": "us-east-1", "size": "small"}},
    "replication": {"mode": "active-active",
                    "filters": [{"region": "eu", "tables": ["orders"], "rows": "note <> '${file(\"/etc/passwd\")}' and b = 'it''s'"}]},
    "service": {"environment": {
        "DOLLAR": "${file(\"/etc/passwd\")}", "PERCENT": "%{ if true }x%{ endif }", "QUOTES": "a \"b\" \\ c 'd'",
        "UNICODE": "\u00e9 \u2603 \u65e5\u672c \U0001F680", "TWICE": "$${x} %%{y} $$$ {z} 100%", "COMMENT": "// # /* */"}},
}


def deploy(*arguments, status=0):
    done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done


def tree(folder):
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as data:
                found[os.path.relpath(path, folder)] = data.read()
    return found


def literal(text):
    """What terraform makes of a template without interpolation."""
    assert not re.search(r"(?<!\$)\$\{", text) and not re.search(r"(?<!%)%\{", text), text
    return text.replace("$${", "${").replace("%%{", "%{")


def as_yaml(deployment):
    return json.dumps(deployment, ensure_ascii=False)


class Rendered(unittest.TestCase):
    def setUp(self):
        self.folder = harness.Folder()
        self.addCleanup(self.folder.remove)
        self.out = os.path.join(self.folder.path, "out")

    def render(self, file, *more, status=0, out=None):
        out = out or self.out
        os.makedirs(out, exist_ok=True)
        path = os.path.join(out, "deployment-id")
        if not os.path.exists(path):
            with open(path, "w", encoding="ascii") as text:
                text.write(ID + "\n")
        return deploy("render", file, "--out", out, *more, status=status)

    def mission(self):
        return os.path.join(DATA, "mission.yaml")


class Golden(Rendered):
    def compare(self, name, data):
        path = os.path.join(DATA, "golden", name)
        if os.environ.get("FRAISEQL_UPDATE_GOLDEN"):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(data)
        with open(path, encoding="utf-8") as text:
            expected = text.read().splitlines()
        changes = list(difflib.unified_diff(expected, data.decode().splitlines(), path, "rendered", lineterm=""))
        self.assertEqual(changes, [], "\n".join(changes))

    def test_golden(self):
        self.render(self.mission())
        made = {name: data for name, data in tree(self.out).items() if not name.startswith("modules/") and name != "deployment-id"}
        self.render(self.mission(), "--format", "pulumi", out=self.out + "-pulumi")
        pulumi = tree(self.out + "-pulumi")
        made["pulumi/Pulumi.yaml"], made["pulumi/README.md"] = pulumi["Pulumi.yaml"], pulumi["README.md"]
        for name, data in sorted(made.items()):
            with self.subTest(name):
                self.compare(name, data)
        kept = set(tree(os.path.join(DATA, "golden")))
        self.assertEqual(kept, set(made), "golden files of what is rendered, no more and no less")

    def test_same_bytes(self):
        self.render(self.mission())
        first = tree(self.out)
        times = {name: os.stat(os.path.join(self.out, name)).st_mtime_ns for name in first}
        self.assertIn("0 files written", self.render(self.mission()).stdout)
        self.assertEqual(times, {name: os.stat(os.path.join(self.out, name)).st_mtime_ns for name in first})
        self.render(self.mission(), out=self.out + "2")
        self.assertEqual(first, tree(self.out + "2"))

    def test_an_id_is_made_once(self):
        out = os.path.join(self.folder.path, "fresh")
        deploy("render", self.mission(), "--out", out)
        first = tree(out)
        self.assertRegex(first["deployment-id"].decode(), r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$")
        deploy("render", self.mission(), "--out", out)
        self.assertEqual(first, tree(out))

    def test_modes(self):
        self.render(self.mission())
        for name in tree(self.out):
            mode = os.stat(os.path.join(self.out, name)).st_mode & 0o777
            private = name.endswith(("main.tf.json", ".sql"))
            if name != "deployment-id":
                self.assertEqual(mode, 0o600 if private else 0o644, name)


class Behaviour(Rendered):
    def test_contradiction_is_a_warning(self):
        done = self.render(os.path.join(harness.ROOT, "examples", "fraiseql-deployment.yaml"))
        self.assertIn("warning", done.stderr)
        self.assertNotIn(" error: ", done.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.out, "regions", "apac", "main.tf.json")))

    def test_dry_run_writes_nothing(self):
        out = os.path.join(self.folder.path, "none")
        self.assertIn("to write", deploy("render", self.mission(), "--out", out, "--dry-run").stdout)
        self.assertFalse(os.path.exists(out))

    def test_stale_regions_are_named_and_kept(self):
        self.render(self.mission())
        with open(self.mission(), encoding="utf-8") as text:
            smaller = re.sub(r"  us-east:.*?(?=  eu-west:)", "", text.read(), flags=re.S)
        file = self.folder.file("smaller.yaml", smaller)
        self.assertIn("regions/us-east belongs to no region", self.render(file).stderr)
        self.assertTrue(os.path.exists(os.path.join(self.out, "regions", "us-east", "main.tf.json")))
        records = [json.loads(line) for line in self.render(file, "--json").stdout.splitlines()]
        self.assertEqual([r["stale"] for r in records if r["type"] == "render"], [["regions/us-east"]])
        self.assertEqual(records[0]["type"], "version")
        self.assertTrue(records[-1]["ok"])

    def test_no_region_called_global(self):
        file = self.folder.file("d.yaml", as_yaml({**NASTY, "regions": {"global": NASTY["regions"]["eu"]}, "replication": {"mode": "none"}}))
        self.assertIn("global", deploy("render", file, "--out", self.out, status=65).stderr)

    def test_usage(self):
        self.assertIn("--out DIR", deploy("render", self.mission(), status=64).stderr)
        self.assertIn("terraform or pulumi", deploy("render", self.mission(), "--out", self.out, "--format", "cdk", status=64).stderr)

    def test_text_in_sql(self):
        self.render(self.folder.file("nasty.yaml", as_yaml(NASTY)))
        quoted = NASTY["replication"]["filters"][0]["rows"].replace("'", "''")
        self.assertIn(f"WHERE ({quoted})'", tree(self.out)["regions/eu/replication.sql"].decode())

    def test_no_password(self):
        with open(self.mission(), encoding="utf-8") as text:
            file = self.folder.file("d.yaml", text.read() + "\nstate: {backend: pg, connection: 'host=h password=hunter2'}\n")
        done = deploy("render", file, "--out", self.out, status=65)
        self.assertNotIn("hunter2", done.stdout + done.stderr)
        self.assertNotIn(b"hunter2", b"".join(tree(self.out).values()))

    def test_fifty_regions(self):
        regions = {f"r{i}": {"provider": ("aws", "gcp", "azure")[i % 3], "size": "small",
                             "location": ("us-east-1", "europe-west1", "southeastasia")[i % 3]} for i in range(50)}
        file = self.folder.file("fifty.yaml", json.dumps({
            "metadata": {"name": "fifty", "environment": "test"}, "regions": regions,
            "replication": {"mode": "active-active"}, "traffic": {"domain": "api.example.com", "dns": "route53"}}))
        started = time.monotonic()
        self.render(file)
        # The bench holds it to 200 ms; here only a blunder is to be seen, on any machine.
        self.assertLess(time.monotonic() - started, 10 if harness.LAUNCHER else 3)
        with open(os.path.join(self.out, "global", "main.tf.json"), encoding="utf-8") as text:
            self.assertEqual(len(json.load(text)["data"]["terraform_remote_state"]), 50)


class Escaping(Rendered):
    def test_text_comes_back(self):
        self.render(self.folder.file("nasty.yaml", as_yaml(NASTY)))
        with open(os.path.join(self.out, "regions", "eu", "main.tf.json"), encoding="utf-8") as text:
            module = json.load(text)["module"]["region"]
        environment = {literal(key): literal(value) for key, value in module["service"]["environment"].items()}
        self.assertEqual(environment, NASTY["service"]["environment"])

    def test_only_our_own_templates(self):
        """No string holds an interpolation but those of ours."""
        self.render(self.folder.file("nasty.yaml", as_yaml(NASTY)))
        ours = re.compile(r"^\$\{(module|var|local|data|try|contains|file\(.\$\{path\.root\}/|\{for )")

        def walk(value):
            if isinstance(value, dict):
                for key, inner in value.items():
                    self.assertIsNone(re.search(r"(?<!\$)\$\{|(?<!%)%\{", key), key)
                    walk(inner)
            elif isinstance(value, list):
                for inner in value:
                    walk(inner)
            elif isinstance(value, str) and not ours.match(value):
                self.assertIsNone(re.search(r"(?<!\$)\$\{|(?<!%)%\{", value), value)

        for name, data in tree(self.out).items():
            if name.endswith(".tf.json"):
                walk(json.loads(data))

    def test_pulumi_text(self):
        self.render(self.folder.file("nasty.yaml", as_yaml(NASTY)), "--format", "pulumi")
        program = json.loads(tree(self.out)["Pulumi.yaml"])
        self.assertEqual(program["runtime"], "yaml")
        environment = program["resources"]["eu"]["properties"]["service"]["environment"]
        self.assertEqual({key: value.replace("$${", "${") for key, value in environment.items()},
                         NASTY["service"]["environment"])
        packages = program["packages"]
        for name, resource in program["resources"].items():
            kind = resource["type"].split(":")
            package = kind[-1] if kind[0] == "pulumi" else kind[0]
            self.assertIn(package, packages, name)
        for package in packages.values():
            self.assertEqual(package["source"], "terraform-module")
            self.assertTrue(os.path.isdir(os.path.join(self.out, package["parameters"][0])) or
                            not os.path.isdir(os.path.join(MODULES, package["parameters"][0].split("/")[-1], "module")),
                            package)

    @unittest.skipUnless(terraform_rig.TERRAFORM, "neither tofu nor terraform is on the PATH")
    def test_terraform_reads_the_same_text(self):
        """Terraform itself, on a root that gives back the arguments of the rendered one."""
        self.render(self.folder.file("nasty.yaml", as_yaml(NASTY)))
        with open(os.path.join(self.out, "regions", "eu", "main.tf.json"), encoding="utf-8") as text:
            module = json.load(text)["module"]["region"]
        echo = {"output": {"all": {"value": module["service"]}}}
        root = os.path.dirname(self.folder.file("echo/main.tf.json", json.dumps(echo)))
        rig = terraform_rig.Rig(self.folder)
        rig.check(root, "apply", "-auto-approve")
        value = json.loads(rig.check(root, "output", "-json"))["all"]["value"]
        self.assertEqual(value["environment"], NASTY["service"]["environment"])


if __name__ == "__main__":
    harness.main()
