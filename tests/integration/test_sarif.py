"""`fraiseql deploy compliance --format sarif` by the JSON schema of SARIF 2.1.0 and by the rules of Microsoft's Multitool, which has
those of GitHub's code scanning: logs of all example files, of a file for and against each rule, and of paths that are hard to write.
What judges is fetched, sdks/sarif; where that cannot be had all of this is skipped."""

import glob
import json
import os
import subprocess

import harness
from harness import LAUNCHER, Case, Folder
from sdks.clients import command
from test_deploy_compliance import FRAISEQL, PAIRS, checked, text

JUDGE_SECONDS = 300
# Nothing of ours: there is no page of the program's own to name.
ABSENT = {("warning", "SARIF2005")}


class TestSarif(Case):
    def setUp(self):
        self.folder = self.open(Folder())
        self.program, self.home = command("sarif")
        self.logs = []

    def log(self, path, *more, cwd=None):
        """One log, kept as a file to judge. None of a file that is not even read."""
        done = subprocess.run([*LAUNCHER, FRAISEQL, "deploy", "compliance", path, "--format", "sarif", *more], capture_output=True,
                              text=True, timeout=60, check=False, cwd=cwd or self.folder.path)
        self.assertIn(done.returncode, (0, 65), done.stderr)
        if not done.stdout:
            return None
        self.logs.append(self.folder.file(f"{len(self.logs)}.sarif", done.stdout))
        return json.loads(done.stdout)

    def judge(self):
        done = subprocess.run([*self.program, *self.logs], cwd=self.home, capture_output=True, text=True, check=False,
                              timeout=JUDGE_SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check_sound(self):
        found = self.judge()
        self.assertEqual(found["schema"], [])
        self.assertEqual([each for each in found["rules"] if tuple(each[:2]) not in ABSENT], [])
        self.assertEqual(len(found["rules"]), len(self.logs), "a log that it cannot read it says nothing of")

    def test_example_files(self):
        names = sorted(glob.glob(os.path.join(harness.ROOT, "examples", "*.yaml")))
        for path in names:
            self.log(path)
            self.log(os.path.relpath(path, harness.ROOT), "--standard", "gdpr", "--standard", "sox", cwd=harness.ROOT)
        self.assertGreaterEqual(len(self.logs), 6)
        self.check_sound()

    def test_a_file_for_and_against_each_rule(self):
        results = []
        for rule, pair in PAIRS.items():
            for case in pair:
                log = self.log(self.folder.file(rule + ".yaml", case[0]))
                results += log["runs"][0]["results"] if log else []
        self.assertGreater(len(self.logs), 50)
        self.assertEqual({each["kind"] for each in results}, {"fail", "review"})
        self.assertTrue(any("suppressions" in each for each in results))
        self.check_sound()

    def test_waivers(self):
        log = self.log(self.folder.file("w.yaml", checked("database-customer-key", more="monitoring: {audit-log: false}\n")))
        waived = [each for each in log["runs"][0]["results"] if "suppressions" in each]
        self.assertEqual([each["ruleId"] for each in waived], ["database-customer-key"])
        self.assertEqual(waived[0]["suppressions"], [{"kind": "inSource", "justification": "somebody looked"}])
        quoted = checked("least-privilege").replace("somebody looked", r'"a \"word\" of <b>\u00fc\n</b>"')
        said, = [each for each in self.log(self.folder.file("q.yaml", quoted))["runs"][0]["results"] if "suppressions" in each]
        self.assertEqual(said["suppressions"][0]["justification"], 'a "word" of <b>ü\n</b>')
        self.check_sound()

    def test_paths_that_are_hard_to_write(self):
        for name in ("a bü.yaml", "50%#?&;.yaml", "[x]:y.yaml", "deep/er/d.yaml"):
            path = self.folder.file(name, text())
            self.log(name)
            self.log(path, cwd="/")
        self.assertEqual(len(self.logs), 8)
        self.check_sound()

    def test_a_log_that_is_wrong_is_seen(self):
        for name, key, value in (("one", "ruleIndex", 1000), ("two", "kind", "perhaps")):  # what follows the last is not judged
            log = self.log(self.folder.file("w.yaml", text()))
            log["runs"][0]["results"][0][key] = value
            self.logs[-1] = self.folder.file(name + ".sarif", json.dumps(log))
        found = self.judge()
        self.assertEqual(len(found["schema"]), 1)
        self.assertIn("'perhaps' is not one of", found["schema"][0])
        self.assertEqual([each[:2] for each in found["rules"] if tuple(each[:2]) not in ABSENT], [["error", "SARIF1009"]])


if __name__ == "__main__":
    harness.main()
