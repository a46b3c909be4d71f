"""`cmake --install` puts everything where a packager and systemd look for it, and what it installs works there."""

import glob
import os
import shutil
import subprocess

import harness
from harness import BUILD, LAUNCHER, ROOT, Case, Folder

PREFIX = "/opt/fraiseql-test"


def names(pattern):
    return sorted(os.path.basename(path) for path in glob.glob(os.path.join(ROOT, pattern)))


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


class Install(Case):
    def install(self, prefix, destdir=None):
        environment = {key: value for key, value in os.environ.items() if key != "DESTDIR"}
        if destdir:
            environment["DESTDIR"] = destdir
        run(["cmake", "--install", BUILD, "--prefix", prefix], env=environment)

    def test_files_go_below_destdir(self):
        folder = self.open(Folder()).path
        self.install(PREFIX, folder)
        self.assertFalse(os.path.exists(PREFIX), "something was written outside of DESTDIR")
        self.assertEqual(os.listdir(folder), ["opt"])
        found = sorted(os.path.relpath(os.path.join(where, name), folder + PREFIX)
                       for where, _, files in os.walk(folder + PREFIX) for name in files)
        doc = "share/doc/fraiseql/"
        expected = ["bin/fraiseql", "bin/fraiseql-collector", "bin/fraiseql-example-service", "bin/fraiseql-relay",
                    "bin/fraiseql-supervisor", "lib/systemd/system/fraiseql-collector.service",
                    doc + "README.md", doc + "LICENSE", doc + "examples/collector.yaml", doc + "docs/collector.schema.json",
                    doc + "docs/deployment.schema.json", doc + "examples/fraiseql-deployment.yaml",
                    doc + "examples/fraiseql-deployment-resolved.yaml", doc + "examples/three-regions.yaml"]
        expected += [doc + "packaging/kubernetes/" + name for name in names("packaging/kubernetes/*.yaml")]
        expected += ["share/man/man8/" + name for name in names("docs/man/*.8")]
        expected += [doc + "docs/" + name for name in names("docs/*.md")]
        expected += ["share/fraiseql/dashboards/" + name for name in names("dashboards/*.json") + names("dashboards/*.yml")]
        self.assertGreater(len(expected), 15)
        self.assertEqual(found, sorted(expected))
        with open(folder + PREFIX + "/lib/systemd/system/fraiseql-collector.service", encoding="utf-8") as text:
            unit = text.read()
        self.assertIn(f"\nExecStart={PREFIX}/bin/fraiseql-collector ", unit)
        self.assertNotIn("/usr/bin/fraiseql", unit)

    def test_what_is_installed_works(self):
        folder = self.open(Folder()).path
        self.install(folder)
        program = folder + "/bin/fraiseql-collector"
        self.assertRegex(run([*LAUNCHER, program, "--version"]).stdout, r"^fraiseql-collector \d+\.\d+\.\d+\n$")
        self.assertIn("Usage:", run([*LAUNCHER, folder + "/bin/fraiseql", "help"]).stdout)
        checked = run([*LAUNCHER, program, "--config", folder + "/share/doc/fraiseql/examples/collector.yaml", "--check"])
        self.assertIn(": ok, 1 file, 0 warnings", checked.stdout)

    def test_manual_pages_render(self):
        if not shutil.which("man"):
            self.skipTest("man is not installed")
        folder = self.open(Folder()).path
        self.install(folder)
        for page in glob.glob(folder + "/share/man/man8/*.8"):
            done = run(["man", "--warnings", "-l", page], env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
            self.assertEqual(done.stderr, "", page)
            self.assertIn("DESCRIPTION", done.stdout)

    def test_unit_is_accepted(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        folder = self.open(Folder()).path
        self.install(folder)
        done = run(["systemd-analyze", "verify", "--man=no", folder + "/lib/systemd/system/fraiseql-collector.service"])
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    harness.main()
