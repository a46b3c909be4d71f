"""`fraiseql deploy compliance`: formats, exit statuses, and the table of docs/compliance.md."""

import csv
import json
import os
import re
import subprocess
import unittest

import harness

# A small file of one region, to which a case adds. Its lines: the region 5, its database 9 (what a case writes there 10),
# the standards 11, what a case adds at the end from 12 on.
BASE = """\
metadata: {name: test}
replication: {mode: MODE}
regions:
  eu:
    provider: aws
    location: eu-west-1
    size: small
    database:
      engine: postgresql
DATABASE
compliance: {standards: [gdpr, hipaa, soc2, sox], RESIDENCY}
"""
ZONE = "data-residency: {eu: eu-only}"
CHECKED = "compliance: {standards: [gdpr, hipaa, soc2, sox], %s waivers: [{rule: %s, reason: somebody looked, until: 2999-12-31}]}\n"


def text(database="", more="", mode="none", residency="waivers: []", eu="eu-west-1"):
    return BASE.replace("DATABASE", f"      {database}" if database else "      # nothing of its own").replace("MODE", mode).replace(
        "RESIDENCY", residency).replace("eu-west-1\n", eu + "\n", 1) + more


def checked(rule, residency="", **more):
    """A person's look, recorded: what a file cannot show is settled by a waiver."""
    head, _, tail = text(**more).partition("compliance:")
    return head + CHECKED % (residency, rule) + tail.split("\n", 1)[1]


KEY = "encryption-key: arn:aws:kms:%s:1:key/a"
S3 = "state: {backend: s3, bucket: b, location: %s}\n"
HOME = "  home: {provider: self-hosted, location: cellar, hosts: [local]}\n"
US = "  us: {provider: aws, location: us-east-1, size: small}\n"


def with_us(yaml):
    return yaml.replace("compliance:", US + "compliance:", 1)


def with_home(yaml):
    return yaml.replace("compliance:", HOME + "compliance:", 1)


# rule: (a file that settles it, how: pass, waived or absent), (a file that does not, how: fail or manual, the line).
# Where a file that breaks the rule is not even read, the id of that error stands there.
PAIRS = {
    "database-encrypted": ((text("encrypted: true"), "pass"), (text("encrypted: false"), "fail", 10)),
    "database-customer-key": ((text(KEY % "eu-west-1"), "pass"), (text(), "fail", 9)),
    "database-private": ((text("public-access: false"), "pass"), (text("public-access: true"), "fail", 10)),
    "database-tls": ((checked("database-tls"), "waived"), (text(), "manual", 5)),
    "service-tls": ((checked("service-tls", more="traffic: {domain: api.example.com, dns: route53, dns-zone: Z01}\n"), "waived"),
                    (text(more="traffic:\n  domain: api.example.com\n  dns: route53\n"), "fail", 13)),
    "links-encrypted": ((with_us(text(mode="active-active", more="network: {links: tls}\n")), "pass"),
                        (with_us(text(mode="active-active", more="network: {links: wireguard}\n")), "refused as links", 13)),
    "backup-enabled": ((text(more="backup: {enabled: true}\n"), "pass"), (text(more="backup: {enabled: false}\n"), "fail", 12)),
    "backup-retention": ((text(more="backup: {retention: 7d}\n"), "pass"), (text(more="backup: {retention: 6d}\n"), "fail", 12)),
    "restore-tested": ((text(more="backup: {restore-test: true}\n"), "pass"),
                       (text(more="backup: {restore-test: false}\n"), "fail", 12)),
    "high-availability": ((text("high-availability: true"), "pass"), (text("high-availability: false"), "fail", 10)),
    "deletion-protection": ((text("deletion-protection: true"), "pass"), (text("deletion-protection: false"), "fail", 10)),
    "audit-log": ((text(more="monitoring: {audit-log: true}\n"), "pass"), (text(more="monitoring: {audit-log: false}\n"), "fail", 12)),
    "log-retention": ((text(more="monitoring: {log-retention: 2555d}\n"), "pass"),
                      (text(more="monitoring:\n  log-retention: 2554d\n"), "fail", 13)),
    "monitoring-enabled": ((text(more="monitoring: {enabled: true}\n"), "pass"), (text(more="monitoring: {enabled: false}\n"), "fail", 12)),
    "least-privilege": ((checked("least-privilege"), "waived"), (text(), "manual", 5)),
    "secrets-outside": ((text(more="service: {environment: {COLOR: blue}}\n"), "pass"),
                        (text(more="service:\n  environment:\n    COLOR: blue\n    API_TOKEN: x\n"), "refused as secret-in-file", 15)),
    "change-management": ((checked("change-management"), "waived"), (text(), "manual", 11)),
    "incident-contact": ((checked("incident-contact"), "waived"), (text(), "manual", 11)),
    "business-associate": ((checked("business-associate"), "waived"), (text(), "manual", 11)),
    "residency-location": ((text(residency=ZONE), "pass"), (text(residency="data-residency: {eu: us-only}"), "fail", 11)),
    "residency-replication": ((with_us(text(residency=ZONE)), "pass"),
                              (with_us(text(residency=ZONE, mode="active-active")), "fail", 12)),
    "residency-backup": ((text(residency=ZONE, more="backup: {geo-redundant: true, copy-location: eu-central-1}\n"), "pass"),
                         (text(residency=ZONE, more="backup: {geo-redundant: true, copy-location: us-east-1}\n"), "fail", 11)),
    "residency-monitoring": ((with_us(text(residency=ZONE, more="monitoring: {location: eu}\n")), "pass"),
                             (with_us(text(residency=ZONE, more="monitoring: {location: us}\n")), "fail", 12)),
    "residency-cdn": ((text(residency=ZONE, more="traffic: {cdn: false}\n"), "pass"),
                      (text(residency=ZONE, more="traffic: {cdn: true, domain: api.example.com, dns: cloudflare,\n"
                            "          cloudflare-account: 0123456789abcdef0123456789abcdef,\n"
                            "          cloudflare-zone: 0123456789abcdef0123456789abcdef}\n"), "fail", 11)),
    "residency-telemetry": ((text(residency=ZONE), "absent"),
                            (text(residency=ZONE, more="monitoring: {otlp-endpoint: 'https://otlp.example.com:4317'}\n"), "manual", 12)),
    "residency-alerts": ((text(residency=ZONE), "absent"),
                         (with_home(text(residency=ZONE, more="monitoring: {webhook: 'https://hooks.example.com/a'}\n")), "manual", 13)),
    "residency-keys": ((text(KEY % "eu-west-1", residency=ZONE), "pass"), (text(KEY % "us-east-1", residency=ZONE), "fail", 10)),
    "residency-state": ((text(residency=ZONE, more=S3 % "eu-central-1"), "pass"), (text(residency=ZONE, more=S3 % "us-east-1"), "fail", 12)),
    "transfer-outside": ((text(), "absent"), (text(eu="us-east-1"), "manual", 6)),
}
FRAISEQL = os.path.join(harness.BUILD, "bin", "fraiseql")
MISSION = os.path.join(harness.ROOT, "examples", "fraiseql-deployment.yaml")
RESOLVED = os.path.join(harness.ROOT, "examples", "fraiseql-deployment-resolved.yaml")


def compliance(*arguments, status):
    done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "compliance", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done


def rules():
    with open(os.path.join(harness.ROOT, "provisioner", "compliance", "rules.csv"), encoding="utf-8") as table:
        return list(csv.DictReader(line for line in table if not line.startswith("#")))


class Pairs(unittest.TestCase):
    """Each rule over a file that settles it and one that does not."""

    def setUp(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        self.path = os.path.join(folder.path, "case.yaml")

    def records(self, yaml):
        with open(self.path, "w", encoding="utf-8") as case:
            case.write(yaml)
        done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "compliance", self.path, "--json"], capture_output=True, text=True,
                              timeout=60)
        self.assertIn(done.returncode, (0, 65), done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def outcomes(self, rule, yaml):
        records = self.records(yaml)
        found = [(r["outcome"], r["line"]) for r in records if r["type"] == "compliance" and r["rule"] == rule and r["region"] in (None, "eu")]
        if not any(r["type"] == "compliance" for r in records):
            return [("refused as " + r["rule"], r["line"]) for r in records if r["type"] == "diagnostic" and r["severity"] == "error"]
        return found or [("absent", None)]

    def test_every_rule_has_a_pair(self):
        self.assertEqual({row["id"] for row in rules()}, set(PAIRS))

    def test_each_pair(self):
        for rule, ((good, settled), (bad, outcome, line)) in PAIRS.items():
            with self.subTest(rule=rule, file="good"):
                self.assertEqual([found for found, _ in self.outcomes(rule, good)], [settled])
            with self.subTest(rule=rule, file="bad"):
                self.assertEqual(self.outcomes(rule, bad), [(outcome, line)])


class Compliance(unittest.TestCase):
    def test_text_is_grouped_by_standard_with_a_summary_each(self):
        shown = compliance(MISSION, status=65).stdout
        heads = re.findall(r"^(\S.*?): (\d+) passed, (\d+) failed", shown, re.M)
        self.assertEqual([head for head, _, _ in heads], ["GDPR", "HIPAA", "All"])
        for group in shown.split("\n\n")[:-1]:
            counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|waived|to check by hand|not applicable)",
                                                             group.splitlines()[0])}
            lines = re.findall(r"^  (fail|advice|manual|waived|pass|n/a) +[a-z-]+((?: [a-z-]+,?)*): ", group, re.M)
            seen = {word: sum(max(1, len(regions.split())) for found, regions in lines if found in words) for word, words in
                    {"passed": ["pass"], "failed": ["fail", "advice"], "waived": ["waived"], "to check by hand": ["manual"],
                     "not applicable": ["n/a"]}.items()}
            self.assertEqual(seen, counts, group)
        self.assertIn("  fail    residency-replication eu-west: Rows are not replicated out of the zone [Art. 44]\n          " + MISSION +
                      ":41: compliance.data-residency.eu-west is eu-only (line 41)", shown)
        self.assertIn("          mend: Three ways out: say in replication.filters", shown)
        self.assertLess(shown.index("  fail "), shown.index("  advice"))
        self.assertLess(shown.index("  manual"), shown.index("  pass"))

    def test_residency_has_its_own_group_without_gdpr(self):
        shown = compliance(MISSION, "--standard", "sox", status=65).stdout
        self.assertEqual(re.findall(r"^(\S.*?): \d+ passed", shown, re.M), ["SOX", "Data residency", "All"])
        self.assertIn("  fail    residency-replication eu-west", shown.split("Data residency")[1])

    def test_a_waiver_shows_its_day_and_reason(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        shown = compliance(folder.file("w.yaml", checked("incident-contact")), status=65).stdout
        self.assertIn("          waived until 2999-12-31: somebody looked\n", shown)

    def test_the_resolved_example_passes(self):
        done = compliance(RESOLVED, status=0)
        self.assertEqual(done.stderr, "")
        self.assertNotIn("  fail ", done.stdout)

    def test_json(self):
        records = [json.loads(line) for line in compliance(MISSION, "--json", status=65).stdout.splitlines()]
        self.assertEqual((records[0]["type"], records[-1]["type"], records[-1]["exit"]), ("version", "result", 65))
        failed = {(r["rule"], r["region"], r["line"]) for r in records if r["type"] == "compliance" and r["outcome"] == "fail"}
        self.assertIn(("residency-replication", "eu-west", 41), failed)
        diagnosed = [r for r in records if r["type"] == "diagnostic" and r["rule"] == "residency-replication"]
        self.assertEqual(len(diagnosed), 1)

    def test_sarif(self):
        log = json.loads(compliance(MISSION, "--format", "sarif", status=65).stdout)
        self.assertEqual(log["version"], "2.1.0")
        run = log["runs"][0]
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        self.assertEqual(len(ids), len(set(ids)))
        for result in run["results"]:
            self.assertIn(result["ruleId"], ids)
            self.assertIn(result["kind"], ("fail", "review"))
            self.assertEqual(result["level"] == "none", result["kind"] != "fail")
            region = result["locations"][0]["physicalLocation"]["region"]
            self.assertGreaterEqual(min(region["startLine"], region["startColumn"]), 1)

    def sarif(self, folder, path):
        done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "compliance", path, "--format", "sarif", "--standard", "soc2"],
                              capture_output=True, text=True, timeout=60, cwd=folder)
        return json.loads(done.stdout)["runs"][0]

    def test_sarif_is_what_code_scanning_takes(self):
        """A path of the repository, a fingerprint that an edit above does not change, rules with texts and levels; and nothing
        that passes, since there each result is an alert."""
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        here = os.path.realpath(folder.path)
        folder.file("a b\u00fc.yaml", text())
        run = self.sarif(here, "./a b\u00fc.yaml")
        rules_shown = run["tool"]["driver"]["rules"]
        for rule in rules_shown:
            self.assertTrue(all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help")), rule)
            self.assertIn(rule["defaultConfiguration"]["level"], ("error", "warning"))
        for result in run["results"]:
            self.assertEqual(rules_shown[result["ruleIndex"]]["id"], result["ruleId"])
            self.assertNotEqual(result["kind"], "pass")
            self.assertEqual(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20b%C3%BC.yaml")
        prints = [result["partialFingerprints"] for result in run["results"]]
        self.assertEqual(len({str(each) for each in prints}), len(prints))
        self.assertEqual(self.sarif(here, os.path.join(here, "a b\u00fc.yaml")), run)
        folder.file("a b\u00fc.yaml", "# a line more\n" + text())
        self.assertEqual([result["partialFingerprints"] for result in self.sarif(here, "a b\u00fc.yaml")["results"]], prints)
        away = self.sarif("/", os.path.join(here, "a b\u00fc.yaml"))["results"][0]["locations"][0]["physicalLocation"]
        self.assertRegex(away["artifactLocation"]["uri"], r"^file:///.*/a%20b%C3%BC\.yaml$")

    def test_own_hosts_pass_nothing_that_only_the_host_shows(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        own = text(residency="data-residency: {eu: eu-only}", more="backup: {store: {type: s3, bucket: b, location: us-east-1}}\n")
        own = own.replace("provider: aws", "provider: self-hosted\n    hosts: [local]").replace("    size: small\n", "")
        done = compliance(folder.file("own.yaml", own), "--json", status=65)
        found = {r["rule"]: r["outcome"] for r in map(json.loads, done.stdout.splitlines()) if r["type"] == "compliance"}
        for rule in ("database-encrypted", "database-customer-key", "database-private", "high-availability", "deletion-protection"):
            self.assertEqual(found[rule], "manual", rule)
        self.assertEqual((found["audit-log"], found["residency-backup"]), ("fail", "fail"))

    def test_a_waiver_of_a_rule_that_is_none(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        said = compliance(folder.file("w.yaml", checked("incident-contakt")), status=65).stderr
        self.assertIn('there is no rule "incident-contakt": did you mean "incident-contact"?', said)

    def test_usage(self):
        compliance(MISSION, "--standard", "pci", status=64)
        compliance(MISSION, "--format", "xml", status=64)
        compliance(MISSION, "--json", "--format", "sarif", status=64)

    def test_a_file_without_a_standard_is_not_called_compliant_in_silence(self):
        folder = harness.Folder()
        self.addCleanup(folder.remove)
        path = os.path.join(folder.path, "plain.yaml")
        with open(path, "w", encoding="utf-8") as plain:
            plain.write("metadata: {name: test}\nregions:\n  eu: {provider: aws, location: eu-west-1, size: small}\n")
        self.assertIn("names no standard, so nothing is judged", compliance(path, status=0).stderr)

    def test_page_has_every_rule(self):
        with open(os.path.join(harness.ROOT, "docs", "compliance.md"), encoding="utf-8") as page:
            shown = page.read()
        for row in rules():
            cells = [row[key] for key in ("title", "gdpr", "hipaa", "soc2", "sox")]
            self.assertIn(f"| `{row['id']}` | {' | '.join(cells)} |", shown)
        self.assertEqual(shown.count("\n| `"), len(rules()))


if __name__ == "__main__":
    unittest.main()
