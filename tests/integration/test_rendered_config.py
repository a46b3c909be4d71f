"""What regions on own hosts are given, judged by those who read it: the golden files that the unit tests compare with
go to the collector, Prometheus, Alertmanager and HAProxy themselves."""

import os
import re
import shutil
import subprocess
import unittest

import harness

GOLDEN = os.path.join(harness.ROOT, "tests/unit/provisioner/golden")


def golden(name):
    with open(os.path.join(GOLDEN, name), encoding="utf-8") as text:
        return text.read()


def judge(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


class Rendered(harness.Case):
    def setUp(self):
        self.folder = self.open(harness.Folder())

    def test_the_collector_takes_its_configuration(self):
        text = re.sub(r"/var/lib/fraiseql/shop/[a-z-]+", self.folder.path, golden("collector.yaml"))
        for name in ("monitor.password", "metrics.token", "webhook.secret", "traffic.secret"):
            self.folder.file(f"config/monitoring/{name}", "0123456789abcdef0123456789abcdef\n")
        path = self.folder.file("collector.yaml", text)
        code, said = judge(harness.COLLECTOR, "--config", path, "--check")
        self.assertEqual(code, 0, said)
        # In a namespace it listens, and asks, at the namespace's own address; nothing else is said.
        warnings = [line for line in said.splitlines() if "warning: " in line]
        self.assertEqual(len(warnings), 3, said)
        for line in warnings:
            self.assertRegex(line, "collector.listen: .* is not on loopback|the bearer token is sent without TLS")

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_prometheus_takes_its_configuration(self):
        rules = self.folder.file("rules.yml", open(os.path.join(harness.ROOT, "dashboards/rules.yml"), encoding="utf-8").read())
        path = self.folder.file("prometheus.yml", golden("prometheus.yml").replace("/etc/rules.yml", rules))
        code, said = judge("promtool", "check", "config", path)
        self.assertEqual(code, 0, said)

    @unittest.skipUnless(shutil.which("amtool"), "amtool is not installed")
    def test_alertmanager_takes_its_configuration(self):
        code, said = judge("amtool", "check-config", self.folder.file("alertmanager.yml", golden("alertmanager.yml")))
        self.assertEqual(code, 0, said)
        _, said = judge("amtool", "config", "routes", "test", "--config.file=" + self.folder.path + "/alertmanager.yml",
                        "source=collector", "alertname=region-down")
        self.assertEqual(said.splitlines()[0], "told-by-the-collector")

    @unittest.skipUnless(os.path.exists("/usr/sbin/haproxy"), "haproxy is not installed")
    def test_haproxy_takes_its_configuration_for_every_target(self):
        socket = self.folder.path + "/admin.sock"
        config = self.folder.file("haproxy.cfg", re.sub(r"stats socket \S+", f"stats socket {socket}", golden("haproxy.cfg")))
        for target in ("us-east", "eu-west", "apac", "-"):
            path = self.folder.file("target.cfg", f"global\n    setenv FRAISEQL_WRITE_TARGET {target}\n")
            code, said = judge("/usr/sbin/haproxy", "-c", "-f", path, "-f", config)
            self.assertEqual((code, said.strip()), (0, "Configuration file is valid"))


if __name__ == "__main__":
    harness.main()
