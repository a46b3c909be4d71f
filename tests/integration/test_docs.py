"""What docs/ says is what the program does: every metric both ways, the generated reference and schema, and the
commands that README.md and docs/*.md show."""

import glob
import json
import os
import re
import subprocess
import unittest

import docs_rig
import harness
from harness import COLLECTOR, ROOT, Case, Folder, fetch, prometheus_query, start_prometheus, wait_until

FRAISEQL = os.path.join(harness.BUILD, "bin", "fraiseql")

METRICS_PAGE = os.path.join(ROOT, "docs", "metrics.md")
HEADER = "| metric | type | unit | labels | meaning | when |"
# Families of the rig's own application.
FOREIGN = {"app_requests_total", "app_errors_total"}
# Names that hang on what a cloud or a node is asked for.
OPEN = ("aws_", "azurerm_resource_metric_", "stackdriver_", "machine_")


class Documented:
    """One row of docs/metrics.md."""

    def __init__(self, name, kind, labels, when):
        self.name, self.kind, self.when = name, kind, when
        self.optional = {label for label in re.findall(r"\(`(\w+)`\)", labels)}
        self.required = {label for label in re.findall(r"`(\w+)`", labels)} - self.optional
        self.open = "`*`" in labels

    def matches(self, name):
        return name == self.name or self.name.endswith("*") and name.startswith(self.name[:-1])

    def expected(self):
        return not any(condition in docs_rig.UNMET for condition in self.when)

    def complaint(self, family):
        if family["type"] != self.kind:
            return f"is a {family['type']}, documented as {self.kind}"
        for labels in family["labels"]:
            if not self.required <= labels:
                return f"lacks the documented label {', '.join(sorted(self.required - labels))}"
            if not self.open and not labels <= self.required | self.optional:
                return f"has the undocumented label {', '.join(sorted(labels - self.required - self.optional))}"
        return None


def read_page(path):
    """(rows, conditions) of docs/metrics.md. A section's own sentences add labels and conditions to its rows."""
    rows, conditions, in_table, in_conditions = [], set(), False, False
    common_labels, common_when = "", []
    with open(path, encoding="utf-8") as text:
        for line in text.read().splitlines():
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if line.startswith("## "):
                common_labels, common_when = "", []
            if line.startswith("On every series: "):
                sentences = line.split(". Every family needs: ")
                common_labels = ", " + sentences[0]
                common_when = sentences[1].rstrip(".").split(", ")
            in_table = line == HEADER or in_table and bool(cells)
            in_conditions = line == "| condition | holds |" or in_conditions and bool(cells)
            if not cells or set(line) <= set("|- "):
                continue
            if in_conditions and cells[0] != "condition":
                conditions.add(cells[0])
            elif in_table and line != HEADER:
                name, kind, _, labels, meaning, when = cells
                assert meaning, line
                rows.append(Documented(name.strip("`"), kind, labels + common_labels,
                                       common_when + [each for each in when.split(", ") if each]))
    return rows, conditions


def families(text):
    """{name: {"type", "help", "labels": [sets]}} of a text 0.0.4 page; labels without a histogram's le."""
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith(("# HELP ", "# TYPE ")):
            _, what, name, value = (line + " ").split(" ", 3)
            current = found.setdefault(name, {"type": None, "help": None, "labels": []})
            current[what.lower()] = value.strip()
        elif line and not line.startswith("#"):
            text_of_labels = line[line.index("{"):line.rindex("}")] if "{" in line else ""
            current["labels"].append({name for name in re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', text_of_labels)} - {"le"})
    return {name: family for name, family in found.items() if family["labels"]}


class Metrics(Case):
    """One rig for all: it takes some seconds to make."""

    def page(self):
        return families(self.rig.collector.get("/metrics")[2].decode())

    def missing(self, live):
        return sorted(row.name for row in self.rows if row.expected() and not any(row.matches(name) for name in live))

    def test_metrics_are_those_documented(self):
        self.rows, conditions = read_page(METRICS_PAGE)
        self.assertGreater(len(self.rows), 250, "rows of docs/metrics.md are no longer recognised")
        names = [row.name for row in self.rows]
        self.assertEqual(sorted(set(names)), sorted(names), "a family is documented twice")
        used = {condition for row in self.rows for condition in row.when}
        self.assertEqual(used - conditions, set(), "conditions that the page does not explain")
        self.assertEqual(set(docs_rig.UNMET) - used, set(), "conditions that nothing uses any more")

        self.rig = docs_rig.Rig(self)
        prometheus, url = start_prometheus(self.open(Folder()), [
            {"job_name": "all", "static_configs": [{"targets": [f"127.0.0.1:{self.rig.collector.port}"]}]}])
        self.open(prometheus)
        live = self.settle()
        problems = []
        for name, family in sorted(live.items()):
            rows = [row for row in self.rows if row.matches(name)]
            if name in FOREIGN or not rows and name.startswith(OPEN):
                continue
            if not rows:
                problems.append(f"{name} ({family['type']}) is live and not documented")
                continue
            if not family["help"]:
                problems.append(f"{name} has no HELP")
            if rows[0].complaint(family):
                problems.append(f"{name} {rows[0].complaint(family)}")
            if not rows[0].expected():
                problems.append(f"{name} is live, though its condition does not hold: {', '.join(rows[0].when)}")
        self.assertEqual(problems, [], "\n" + "\n".join(problems))
        self.check_prometheus(url)

    def settle(self):
        """What is live once everything documented is; families that come and go may do so in the meantime."""
        live = {}

        def complete():
            self.rig.send_spans()
            for name, family in self.page().items():
                known = live.setdefault(name, family)
                known["labels"] += family["labels"]
            return not self.missing(live)

        try:
            wait_until(complete, 60, "all documented families", 0.3)
        except AssertionError:
            raise AssertionError("documented and not live:\n" + "\n".join(self.missing(live))) from None
        return live

    def check_prometheus(self, url):
        """Prometheus has a series of each: it took the page as it is, and a query by name works."""
        def unanswered():
            left = []
            for row in self.rows:
                if not row.expected():
                    continue
                name = row.name + "_count" if row.kind == "histogram" else row.name
                selector = f'{{__name__=~"{name[:-1]}.*"}}' if name.endswith("*") else name
                # What comes and goes was there within the last minute.
                if not prometheus_query(url, f"count(last_over_time({selector}[2m]))" if not name.endswith("*")
                                        else f"count({selector})"):
                    left.append(row.name)
            return left

        left = unanswered()
        if left:
            wait_until(lambda: not unanswered(), 20, lambda: "answers to queries of " + ", ".join(unanswered()), 1)
        self.assertEqual(prometheus_query(url, "up")[0]["value"][1], "1")


class Generated(unittest.TestCase):
    def output_of(self, *options, program=COLLECTOR):
        return subprocess.run([*harness.LAUNCHER, program, *options], check=True, capture_output=True, text=True).stdout

    def read(self, name):
        with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as text:
            return text.read()

    def test_reference_is_current(self):
        self.assertTrue(self.read("configuration.md") == self.output_of("--print-reference"),
                        "docs/configuration.md has drifted: run scripts/reference")

    def test_schema_is_current(self):
        self.assertTrue(json.loads(self.read("collector.schema.json")) == json.loads(self.output_of("--print-schema")),
                        "docs/collector.schema.json has drifted: run scripts/reference")

    def test_deployment_is_current(self):
        self.assertTrue(self.read("deployment.md") == self.output_of("deploy", "schema", "--reference", program=FRAISEQL),
                        "docs/deployment.md has drifted: run scripts/reference")
        self.assertTrue(json.loads(self.read("deployment.schema.json")) ==
                        json.loads(self.output_of("deploy", "schema", program=FRAISEQL)),
                        "docs/deployment.schema.json has drifted: run scripts/reference")

    def test_links_and_anchors_resolve(self):
        self.check_links(self.read("configuration.md"))
        self.check_links(self.read("deployment.md"))

    def check_links(self, text):
        anchors = {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")
                   for heading in re.findall(r"^#+ (.*)$", text, re.M)}
        links = set(re.findall(r"\]\(#([^)]*)\)", text))
        self.assertGreater(len(links), 10)
        self.assertEqual(links - anchors, set())

    def validator(self, name="collector.schema.json"):
        try:
            import jsonschema
            import yaml
        except ImportError as problem:
            self.skipTest(f"python's {problem.name} is not installed: pip install jsonschema pyyaml")
        schema = json.loads(self.read(name))
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema), yaml.safe_load

    def test_examples_validate(self):
        self.check_examples("collector.schema.json",
                            ["tests/integration/contract_collector.yaml", "examples/collector.yaml"])
        self.check_examples("deployment.schema.json",
                            ["examples/fraiseql-deployment.yaml", "examples/fraiseql-deployment-resolved.yaml",
                             "examples/three-regions.yaml"])

    def check_examples(self, schema, examples):
        validator, load = self.validator(schema)
        for path in examples:
            with open(os.path.join(ROOT, path), encoding="utf-8") as text:
                document = load(text)
            complaints = [f"{path}: {'/'.join(map(str, each.absolute_path))}: {each.message}"
                          for each in validator.iter_errors(document)]
            self.assertEqual(complaints, [])

    def test_schema_refuses_what_deploy_refuses(self):
        validator, _ = self.validator("deployment.schema.json")
        region = {"provider": "aws", "location": "us-east-1"}
        sound = {"metadata": {"name": "a"}, "regions": {"r": region}}
        self.assertTrue(validator.is_valid(sound))
        self.assertTrue(validator.is_valid({**sound, "regions": {"r": {**region, "database": None}}}))
        quoted = {**region, "instances": "3", "database": {"encrypted": "true", "storage": "100GB"}}
        self.assertTrue(validator.is_valid({**sound, "regions": {"r": quoted}, "cost-management": {"monthly-budget": "9.5"}}))
        self.assertFalse(validator.is_valid({"regions": sound["regions"]}))
        for wrong in [{"regions": {}}, {"regions": {"r": {**region, "provider": "kubernetes"}}}, {"version": 2},
                      {"regions": {"r": {**region, "size": "huge"}}}, {"compliance": {"standards": ["pci"]}},
                      {"replication": {"consistency": "casual"}}, {"backups": {}}, {"backup": {"retention": -1}},
                      {"replication": {"lag-target": 0}}, {"cost-management": {"monthly-budget": "much"}},
                      {"regions": {"r": {**region, "instances": "three"}}},
                      {"regions": {"r": {**region, "database": {"size": "a", "sku": "b"}}}}]:
            self.assertFalse(validator.is_valid({**sound, **wrong}), wrong)

    def test_schema_refuses_what_the_collector_refuses(self):
        validator, _ = self.validator()
        for wrong in [{"probess": []}, {"collector": {"log": {"level": "loud"}}}, {"slos": [{"name": "a"}]}, {"version": 2},
                      {"defaults": {"interval": "soon"}}, {"notify": [{"name": "x", "webhook": {"url": 1, "urls": 2}}]}]:
            self.assertFalse(validator.is_valid(wrong), wrong)


# Beginnings of commands that are shown and not run here, with the reason.
SKIPPED_COMMANDS = {
    "scripts/demo": "runs until it is stopped; a test of its own",
    "scripts/test": "would run this test again",
    "scripts/deps": "changes the machine; scripts/test has run it",
    "cmake --preset": "has made what is tested; a second build into the same folder would disturb other tests",
    "systemctl": "needs systemd as process 1",
    "journalctl": "needs systemd as process 1",
}


def shown_commands():
    """(file, line number, command) of the ```sh blocks of README.md, CONTRIBUTING.md and docs/*.md."""
    for path in ["README.md", "CONTRIBUTING.md", *sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")))]:
        with open(os.path.join(ROOT, path), encoding="utf-8") as text:
            inside, command = False, ""
            for number, line in enumerate(text, 1):
                if line.startswith("```"):
                    inside, command = line.strip() == "```sh", ""
                elif inside:
                    command += re.sub(r"(^|\s)#.*", "", line).strip()
                    if command.endswith("\\"):
                        command = command[:-1]
                    elif command:
                        yield os.path.relpath(os.path.join(ROOT, path), ROOT), number, command
                        command = ""


class Commands(Case):
    """The commands of one file run in one shell, in their order, at the root of a copy of what they name. Ports and
    the journal are the test's own, so that a collector which runs on this machine stays out of it."""

    def adapt(self, command):
        command = command.replace("build/release/bin/fraiseql", os.path.join(harness.BUILD, "bin", "fraiseql"))
        command = command.replace("cmake --install build/release", "cmake --install " + harness.BUILD)
        command = command.replace("examples/collector.yaml", self.example)
        return command.replace("127.0.0.1:9480", f"127.0.0.1:{self.port}")

    def test_shown_commands_run(self):
        folder = self.open(Folder())
        self.port = harness.free_port()
        with open(os.path.join(ROOT, "examples", "collector.yaml"), encoding="utf-8") as text:
            example = text.read().replace("127.0.0.1:9480", f"127.0.0.1:{self.port}")
        example = example.replace("/tmp/fraiseql-collector/journal.db", os.path.join(folder.path, "journal.db"))
        self.example = folder.file("collector.yaml", example.replace("127.0.0.1:4318", f"127.0.0.1:{harness.free_port()}"))
        ran = 0
        for path, number, command in shown_commands():
            reason = next((SKIPPED_COMMANDS[head] for head in SKIPPED_COMMANDS if command.startswith(head)), None)
            if reason:
                print(f"not run: {path}:{number}: {command.split('  ')[0]}: {reason}")
                continue
            with self.subTest(f"{path}:{number}: {command}"):
                self.run_command(self.adapt(command))
            ran += 1
        self.assertGreater(ran, 3)

    def run_command(self, command):
        if command.endswith("&"):
            process = subprocess.Popen(["bash", "-c", "exec " + command[:-1]], cwd=ROOT, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.terminate)
            wait_until(lambda: fetch(f"http://127.0.0.1:{self.port}/-/ready")[0] == 200, 20, command)
            return
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
        # head ends before curl does: 23 is curl's complaint about that.
        self.assertIn(done.returncode, (0, 23) if "| head" in command else (0,), done.stderr)
        self.assertTrue(done.stdout.strip(), "it printed nothing")


if __name__ == "__main__":
    harness.main()
