"""What the machines of the modules run at their first boot, as terraform renders it: shells, Python, HAProxy and systemd take it,
and it does what it says with a cloud that is a few functions."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import harness
import terraform_rig

PROVISIONER = os.path.join(harness.ROOT, "provisioner")
SERVICE = {"image": "ghcr.io/fraiseql/server:2.19.0", "port": 8000, "schema": "/schema.json", "secret_environment": {"KEY": "key"}}
COMMON = {"service": SERVICE, "environment": {"A": "b"}, "host": "127.0.0.1", "port": 5432, "database": "fraiseql", "location": "us-east-1",
          "log_group": "/fraiseql/x/service", "secret": "login", "token": "token", "project": "p1", "name": "x", "instance": "x-1",
          "vault": "https://v.vault.azure.net/", "client": "c", "password": 1, "ca": "CERTIFICATE",
          "settings": {"host": "127.0.0.1", "port": 5432, "database": "fraiseql", "secret": "s" * 100, "document": "d" * 100}}
BOTO3 = """
import json
class Missing(Exception):
    pass
class Manager:
    class exceptions:
        ResourceNotFoundException = Missing
    def get_secret_value(self, SecretId):
        with open({secrets!r}) as text:
            return {{"SecretString": json.load(text)[SecretId]}}
def client(kind, region_name):
    assert (kind, region_name) == ("secretsmanager", "us-east-1")
    return Manager()
"""


def here(script, word):
    """What stands between <<'WORD' and WORD."""
    return re.findall(rf"<<'{word}'[^\n]*\n(.*?\n){word}\n", script, re.S)


@unittest.skipUnless(terraform_rig.TERRAFORM, "neither tofu nor terraform is on the PATH")
class Machines(harness.Case):
    def setUp(self):
        self.folder = self.open(harness.Folder())
        with open(os.path.join(PROVISIONER, "postgresql", "gateway", "replicate.py"), encoding="utf-8") as text:
            program = text.read()
        arguments = {}
        for cloud in ("aws", "gcp", "azure"):
            with open(os.path.join(PROVISIONER, cloud, "module", "gateway_store.py"), encoding="utf-8") as text:
                arguments[cloud] = {**COMMON, "program": program, "store": text.read()}
        self.folder.file("arguments.json", json.dumps(arguments))
        scripts = ", ".join(f'"{cloud}-{kind}" = templatefile("{PROVISIONER}/{cloud}/module/{kind}.sh.tftpl", local.all.{cloud})'
                            for cloud in arguments for kind in ("service", "gateway"))
        self.folder.file("main.tf", 'locals {\n  all = jsondecode(file("${path.module}/arguments.json"))\n}\noutput "scripts" {\n'
                         f"  value = {{ {scripts} }}\n}}\n")
        rig = terraform_rig.Rig(self.folder)
        rig.check(self.folder.path, "apply", "-auto-approve")
        self.scripts = json.loads(rig.check(self.folder.path, "output", "-json", "scripts"))

    def test_shells_and_python_take_them(self):
        self.assertEqual(len(self.scripts), 6)
        for name, script in self.scripts.items():
            with self.subTest(name):
                done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=20)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(script, r"\nagain (dnf|apt-get) ", "a first boot waits for its network and for the package manager")
                for program in here(script, "PYTHON"):
                    compile(program, name, "exec")
                for unit in here(script, "UNIT"):
                    if "ExecStart=/usr/bin/docker run" in unit:
                        self.assertIn("StartLimitIntervalSec=0", unit, "what fails a few times quickly must be tried on")

    def test_again_gives_up_at_last(self):
        function = re.search(r"again\(\) \{.*?\n\}\n", self.scripts["gcp-service"], re.S)[0]
        done = subprocess.run(["bash", "-c", "sleep() { :; }\n" + function + 'tries=0; late() { [ $((tries += 1)) -ge 3 ]; }; again late; echo "$? $tries"; '
                               'again false; echo "$?"'], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.stdout, "0 3\n1\n", done.stderr)

    def test_user_data_of_aws_is_short_enough(self):
        for kind in ("service", "gateway"):
            self.assertLess(len(self.scripts["aws-" + kind]), 16384, "EC2 takes no longer ones")

    @unittest.skipUnless(shutil.which("haproxy"), "no haproxy")
    def test_haproxy_takes_its_configuration(self):
        for cloud in ("aws", "gcp", "azure"):
            text, = here(self.scripts[cloud + "-gateway"], "CONFIG")
            path = self.folder.file(cloud + ".cfg", text)
            done = subprocess.run(["haproxy", "-c", "-q", "-f", path], capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 0, done.stderr)
            # A name may lead elsewhere after the server's standby took over; Google gives an address, which moves along.
            self.assertEqual("resolvers" in text, cloud != "gcp")

    def test_a_restart_of_googles_gateway_keeps_the_peers(self):
        part = re.search(r"(if ! cmp .*?\nfi\n)", self.scripts["gcp-gateway"], re.S)[1]
        for folder in ("etc/haproxy", "etc/fraiseql"):
            os.makedirs(self.folder.path + "/" + folder)
        part = part.replace("/etc/", self.folder.path + "/etc/")
        base, used = self.folder.path + "/etc/fraiseql/haproxy.cfg", self.folder.path + "/etc/haproxy/haproxy.cfg"
        seen = []
        for text, then in (("one\n", "one\npeers\n"), ("one\n", None), ("two\n", None)):
            with open(base, "w", encoding="utf-8") as out:
                out.write(text)
            subprocess.run(["bash", "-eu", "-c", part], check=True, timeout=20)
            with open(used, encoding="utf-8") as now:
                seen.append(now.read())
            if then:
                with open(used, "w", encoding="utf-8") as out:
                    out.write(then)
        self.assertEqual(seen, ["one\n", "one\npeers\n", "two\n"])

    def test_a_new_password_of_rds_is_noticed(self):
        program, = here(self.scripts["aws-service"], "PYTHON")
        secrets, env = self.folder.path + "/secrets.json", self.folder.path + "/env"
        self.folder.file("boto3.py", BOTO3.format(secrets=secrets))
        self.folder.file("botocore/exceptions.py", "class ClientError(Exception):\n    pass\n")
        path = self.folder.file("environment.py", program.replace("/run/fraiseql.env", env))

        def run(*arguments):
            return subprocess.run([sys.executable, "-B", path, *arguments], env={**os.environ, "PYTHONPATH": self.folder.path},
                                  capture_output=True, text=True, timeout=20)

        def password(text):
            self.folder.file("secrets.json", json.dumps({"login": json.dumps({"username": "fraiseql", "password": text}),
                                                         "token": "t" * 20, "key": "value"}))

        password("a/b")
        self.assertEqual(run("--changed").returncode, 1, "before the first start there is nothing to restart")
        done = run()
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(env, encoding="utf-8") as text:
            self.assertEqual(set(text.read().splitlines()), {
                "A=b", "KEY=value", "FRAISEQL_METRICS_TOKEN=" + "t" * 20, "FRAISEQL_SCHEMA_PATH=/schema.json",
                "DATABASE_URL=postgresql://fraiseql:a%2Fb@127.0.0.1:5432/fraiseql?sslmode=require"})
        self.assertEqual(run("--changed").returncode, 1)
        password("other")
        self.assertEqual(run("--changed").returncode, 0, "systemd then restarts the service")
        self.assertEqual(run().returncode, 0)
        self.assertEqual(run("--changed").returncode, 1)
        units = here(self.scripts["aws-service"], "UNIT")
        self.assertTrue(any("ExecCondition=/usr/local/sbin/fraiseql-environment --changed" in unit for unit in units))


if __name__ == "__main__":
    harness.main()
