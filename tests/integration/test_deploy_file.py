"""`fraiseql deploy validate`, `init`, `schema` and `completion` as programs: exit codes, streams, JSON lines, files."""

import csv
import io
import json
import os
import pty
import shlex
import shutil
import subprocess

import harness
from harness import ROOT, Case, Folder

FRAISEQL = os.path.join(harness.BUILD, "bin", "fraiseql")
MISSION = os.path.join(ROOT, "examples", "fraiseql-deployment.yaml")
RESOLVED = os.path.join(ROOT, "examples", "fraiseql-deployment-resolved.yaml")


def deploy(*arguments, **options):
    return subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", *arguments], capture_output=True, text=True, check=False,
                          timeout=60, stdin=subprocess.DEVNULL, **options)


class Validate(Case):
    def test_the_missions_contradiction_is_reported_with_both_lines_and_three_ways_out(self):
        done = deploy("validate", MISSION)
        self.assertEqual(done.returncode, 65)
        self.assertEqual(done.stdout, "")
        self.assertIn("examples/fraiseql-deployment.yaml:41:14: error: compliance.data-residency.eu-west is eu-only (line 41), "
                      "and replication.mode is active-active (line 34)", done.stderr)
        for way in ("replication.filters", "leave eu-west out of replication.regions", "lift compliance.data-residency.eu-west"):
            self.assertIn(way, done.stderr)

    def test_the_resolved_file_is_valid(self):
        done = deploy("validate", RESOLVED)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("is valid: 3 regions, us-east (aws us-east-1)", done.stdout)

    def test_json_is_lines_from_a_version_to_a_result(self):
        done = deploy("validate", MISSION, "--json")
        self.assertEqual((done.returncode, done.stderr), (65, ""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((lines[0]["type"], lines[0]["format"]), ("version", 1))
        self.assertEqual((lines[-1]["type"], lines[-1]["ok"]), ("result", False))
        found = [line for line in lines if line.get("rule") == "residency-replication"]
        self.assertEqual([(each["severity"], each["line"], each["column"]) for each in found], [("error", 41, 14)])

    def test_a_waiver_whose_last_day_is_over_is_a_warning_and_one_that_holds_is_none(self):
        folder = Folder()
        self.addCleanup(folder.remove)
        plain = "metadata: {name: a}\nregions: {r: {provider: aws, location: us-east-1}}\ncompliance:\n  waivers:\n"
        for until, said in (("2020-02-29", "5:7: warning: the waiver of audit-log ended on 2020-02-29 and no longer counts\n"),
                            ("2999-12-31", "")):
            path = folder.file("d.yaml", plain + f"    - {{rule: audit-log, reason: known, until: {until}}}\n")
            done = deploy("validate", path)
            self.assertEqual((done.returncode, done.stderr.partition("d.yaml:")[2]), (0, said))

    def test_a_file_that_is_not_there(self):
        done = deploy("validate", "/tmp/there-is-no-such-file.yaml")
        self.assertEqual(done.returncode, 65)
        self.assertIn("No such file", done.stderr)
        self.assertIn("`fraiseql deploy init /tmp/there-is-no-such-file.yaml` writes one", done.stderr)

    def test_standard_input_is_no_file_and_is_not_told_to_be_made(self):
        done = deploy("validate", "-")
        self.assertEqual(done.returncode, 65)
        self.assertIn("standard input is not read", done.stderr)
        self.assertNotIn("deploy init", done.stderr)

    def test_region_names_some_of_the_regions(self):
        done = deploy("validate", RESOLVED, "--region", "apac")
        self.assertEqual((done.returncode, done.stdout.split(" is valid")[1]), (0, ": 3 regions, apac (azure southeastasia)\n"))


class Output(Case):
    def test_a_full_disk_is_a_failure_and_a_reader_that_went_away_is_none(self):
        for arguments in (["schema"], ["--help"], ["validate", RESOLVED], ["validate", RESOLVED, "--json"], ["completion", "bash"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", *arguments], stdout=full, stderr=subprocess.PIPE,
                                      text=True, check=False, timeout=60)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn("cannot write to standard output: No space left on device", done.stderr)
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "schema"], stdout=writing, stderr=subprocess.PIPE,
                              text=True, check=False, timeout=60)
        os.close(writing)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_file_that_is_opened_never_takes_the_place_of_a_closed_stream(self):
        folder = self.open(Folder()).path
        path = os.path.join(folder, "d.yaml")
        shutil.copy(RESOLVED, path)
        done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *harness.LAUNCHER, FRAISEQL, "deploy", "status", path],
                              check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        for where, _, names in os.walk(os.path.join(folder, ".fraiseql")):
            for name in names:
                with open(os.path.join(where, name), encoding="utf-8") as file:
                    self.assertNotIn("us-east", file.read(), name)

    def test_a_command_line_that_is_wrong_is_said_in_json_too(self):
        for arguments in (["validate"], ["validat", "x"], ["cost", RESOLVED, "--format", "tabel"], ["--bogus"], ["completion"]):
            done = deploy(*arguments, "--json")
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual(done.returncode, 64, arguments)
            self.assertEqual([line["type"] for line in lines], ["version", "diagnostic", "result"])
            self.assertEqual((lines[1]["rule"], lines[2]["exit"]), ("usage", 64))
            self.assertIn(lines[1]["message"], done.stderr)

    def test_a_name_with_escape_sequences_does_not_reach_a_terminal(self):
        path = os.path.join(self.open(Folder()).path, "a\x1b]0;x\x07\u202eb.yaml")
        shutil.copy(RESOLVED, path)
        done = deploy("validate", path)
        self.assertEqual(done.returncode, 0)
        self.assertIn("a?]0;x??b.yaml is valid", done.stdout)


class Cost(Case):
    def test_all_errors_of_a_usage_file_at_once(self):
        path = self.open(Folder()).file("u.yaml", "internet-egres: 5GB\nregions: {eu-wst: {logs: 1GB}}\n")
        done = deploy("cost", RESOLVED, "--usage", path)
        self.assertEqual((done.returncode, done.stdout), (65, ""))
        self.assertIn('u.yaml:1:1: error: unknown key "internet-egres": did you mean "internet-egress"?', done.stderr)
        self.assertIn('the deployment has no region "eu-wst"', done.stderr)

    def test_csv_is_for_programs(self):
        shown = deploy("cost", MISSION, "--compare", RESOLVED, "--alternatives", "--format", "csv").stdout
        differences, alternatives = (list(csv.DictReader(io.StringIO(part))) for part in shown.split("\n\n"))
        self.assertIn({"region": "us-east", "component": "compute", "before": "728.832", "after": "728.832", "change": "0",
                       "complete": "true"}, differences)
        self.assertIn({"region": "apac", "component": "database", "before": "", "after": "", "change": "", "complete": "false"},
                      differences)
        self.assertTrue(all(float(row["monthly"]) > 0 and float(row["current"]) > 0 for row in alternatives))


class NothingStands(Case):
    def test_status_and_health_say_what_is_next(self):
        path = self.open(Folder()).file("d.yaml", "metadata: {name: shop}\nregions:\n"
                                        "  us: {provider: aws, location: us-east-1, size: small}\n")
        status = deploy("status", path)
        self.assertEqual((status.returncode, status.stdout), (0, f"AWS (us): absent\nNothing stands. Next: fraiseql deploy plan {path}\n"))
        health = deploy("health", path)
        self.assertEqual(health.returncode, 1)
        self.assertTrue(health.stdout.endswith(f"Nothing stands. Next: fraiseql deploy plan {path}\n"), health.stdout)


class Init(Case):
    def setUp(self):
        self.folder = self.open(Folder())
        self.path = os.path.join(self.folder.path, "d.yaml")

    def test_what_flags_say_is_written_and_valid_and_never_overwritten_by_itself(self):
        flags = ["init", "--name", "shop", "--region", "us=aws:us-east-1", "--region=eu=gcp:europe-west1", "--size", "small",
                 "--out", self.path]
        self.assertEqual(deploy(*flags).returncode, 0)
        self.assertEqual(deploy("validate", self.path).returncode, 0)
        with open(self.path, encoding="utf-8") as text:
            first = text.read()
        again = deploy(*flags[:2], "other", *flags[3:])
        self.assertEqual(again.returncode, 1)
        self.assertIn("is there already, and nothing was written", again.stderr)
        with open(self.path, encoding="utf-8") as text:
            self.assertEqual(text.read(), first)
        self.assertEqual(deploy(*flags[:2], "other", *flags[3:], "--yes").returncode, 0)
        with open(self.path, encoding="utf-8") as text:
            self.assertIn("name: other", text.read())

    def test_nothing_is_written_that_is_not_valid(self):
        done = deploy("init", "--name", "shop", "--region", "us=aws:us-east-11", "--out", self.path)
        self.assertEqual(done.returncode, 65)
        self.assertIn(f"{self.path} (not written):13:15: error:", done.stderr)
        self.assertIn('did you mean "us-east-1"?', done.stderr)
        self.assertFalse(os.path.exists(self.path))

    def test_json_says_where_it_went_or_what_would_have_been_written(self):
        flags = ["init", "--name", "shop", "--region", "us=aws:us-east-1", "--json"]
        dry = json.loads(deploy(*flags, "--out", self.path, "--dry-run").stdout.splitlines()[1])
        self.assertEqual((dry["type"], dry["path"], dry["written"], os.path.exists(self.path)), ("init", self.path, False, False))
        done = json.loads(deploy(*flags, "--out", self.path).stdout.splitlines()[1])
        self.assertEqual(done, {"type": "init", "path": self.path, "written": True})
        with open(self.path, encoding="utf-8") as text:
            self.assertEqual(text.read(), dry["text"])
        self.assertEqual(deploy(*flags[:-1], self.path, "--out", self.path).returncode, 64)

    def test_without_a_terminal_nothing_is_asked(self):
        done = deploy("init", "--out", self.path)
        self.assertEqual(done.returncode, 64)
        done = deploy("init", "--name", "a", "--region", "us-east-1", "--out", self.path)
        self.assertEqual(done.returncode, 64)
        self.assertIn("NAME=PROVIDER:LOCATION", done.stderr)

    def test_on_a_terminal_it_asks(self):
        main, side = pty.openpty()
        with subprocess.Popen([*harness.LAUNCHER, FRAISEQL, "deploy", "init", self.path], stdin=side, stdout=side,
                              stderr=side) as process:
            os.close(side)
            os.write(main, b"shop\nstaging\n\nus\naws\neu-west-1\n\n")
            self.assertEqual(process.wait(30), 0)
        os.close(main)
        done = deploy("validate", self.path)
        self.assertIn("1 region, us (aws eu-west-1)", done.stdout)

    def test_an_answer_that_ends_without_enter_leaves_the_questions_line(self):
        main, side = pty.openpty()
        with subprocess.Popen([*harness.LAUNCHER, FRAISEQL, "deploy", "init", self.path], stdin=side, stdout=side,
                              stderr=side) as process:
            os.close(side)
            os.write(main, b"\x04")
            self.assertEqual(process.wait(30), 130)
        shown = os.read(main, 1 << 16).decode()
        os.close(main)
        self.assertEqual(shown, "Name of the deployment [my-service]: \r\n")
        self.assertFalse(os.path.exists(self.path))

    def test_a_wrong_answer_is_asked_for_again_and_costs_no_other_answer(self):
        main, side = pty.openpty()
        with subprocess.Popen([*harness.LAUNCHER, FRAISEQL, "deploy", "init", self.path], stdin=side, stdout=side,
                              stderr=side) as process:
            os.close(side)
            os.write(main, b"My Shop\nshop\n\nhuge\nsmall\nEU\neu\namazon\nkubernetes\naws\neu-wst-1\neu-west-1\n"
                           b"eu\nown\nself-hosted\n\n\n")
            self.assertEqual(process.wait(30), 0)
        shown = os.read(main, 1 << 16).decode()
        os.close(main)
        self.assertIn('AWS has no location "eu-wst-1": did you mean "eu-west-1"?', shown)
        self.assertIn("this name is taken by an earlier region", shown)
        self.assertIn("2 regions, eu (aws eu-west-1), own (self-hosted here)", deploy("validate", self.path).stdout)

    def test_a_region_on_own_hosts_is_given_by_a_flag(self):
        done = deploy("init", "--name", "shop", "--region", "own=self-hosted:cellar", "--out", self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 region, own (self-hosted cellar)", deploy("validate", self.path).stdout)

    def test_a_flag_that_a_conversion_would_ignore_is_refused(self):
        for flag, value in (("--name", "a"), ("--region", "us=aws:us-east-1"), ("--size", "small"), ("--environment", "test")):
            done = deploy("init", "--from", MISSION, flag, value, "--out", self.path)
            self.assertEqual(done.returncode, 64, flag)
            self.assertIn(f"{flag} and --from cannot be given together", done.stderr)
        self.assertFalse(os.path.exists(self.path))

    def test_the_other_dialect_is_converted_with_a_word_on_what_is_left_behind(self):
        old = self.folder.file("old.yaml", "metadata: {name: shop}\nregions:\n  us:\n    provider: aws\n    location: us-east-1\n"
                               "    compute: {type: ec2, instance: t3.large, count: 2}\n    networking: {vpc: vpc-1}\n")
        done = deploy("init", "--from", old, "--out", self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("old.yaml:7:23: warning: regions.us.networking.vpc is not carried over", done.stderr)
        with open(self.path, encoding="utf-8") as text:
            self.assertIn("#   7: regions.us.networking.vpc is not carried over: each region has", text.read())
        self.assertEqual(deploy("validate", self.path).returncode, 0)
        self.assertIn(f"Next: fraiseql deploy cost {self.path}\n", done.stdout)

    def test_a_conversion_with_errors_is_written_and_says_to_mend_them(self):
        old = self.folder.file("old.yaml", "metadata: {name: shop}\nregions:\n  us:\n    provider: aws\n    location: us-east-1\n"
                               "    database: {storage: lots}\n")
        done = deploy("init", "--from", old, "--out", self.path)
        self.assertEqual(done.returncode, 65)
        self.assertIn('regions.us.database.storage: "lots" is not a size', done.stderr)
        self.assertIn(f"Next: mend what is said of it, then fraiseql deploy validate {self.path}\n", done.stdout)


class Completion(Case):
    def complete(self, words, folder, breaks=" \"'@><=;|&(:"):
        script = deploy("completion", "bash").stdout
        program = f"{script}\nCOMP_WORDS=({words})\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n" \
                  f"COMP_WORDBREAKS={shlex.quote(breaks)}\n_fraiseql_deploy\n" \
                  "printf '%s\\n' \"${COMPREPLY[@]}\"\n"
        env = {**os.environ, "PATH": os.path.join(harness.BUILD, "bin") + ":" + os.environ["PATH"]}
        done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, cwd=folder, env=env)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_bash_completes_verbs_flags_and_regions(self):
        folder = self.open(Folder())
        trap = os.path.join(folder.path, "trapped")
        folder.file("d.yaml", f"regions:\n  us-east: {{}}\n  eu: {{}}\n  \"$(touch {trap})\": {{}}\n")
        self.assertEqual(self.complete("fraiseql deploy vali", folder.path), {"validate"})
        self.assertIn("--from", self.complete("fraiseql deploy init --", folder.path))
        self.assertNotIn("--reference", self.complete("fraiseql deploy schema --", folder.path))
        self.assertEqual(self.complete("fraiseql deploy plan d.yaml --region ''", folder.path), {"us-east", "eu"})
        self.assertFalse(os.path.exists(trap))

    def test_what_a_flag_or_an_operand_takes_is_completed_of_its_own_verb(self):
        folder = self.open(Folder()).path
        for words, expected in (("init --size", "small medium large"), ("cost d.yaml --format", "table json csv markdown"),
                                ("compliance d.yaml --format", "text json sarif"), ("state", "show migrate"),
                                ("completion", "bash zsh fish"), ("prices refresh --provider", "aws gcp azure"), ("prices", "refresh")):
            self.assertEqual(self.complete(f"fraiseql deploy {words} ''", folder), set(expected.split()), words)
        if shutil.which("fish"):
            env = {**os.environ, "HOME": folder, "PATH": os.path.join(harness.BUILD, "bin") + ":" + os.environ["PATH"]}
            for words, there, absent in (("validate --", "--json", "--break-lock"), ("--", "--break-lock", "--usage"),
                                         ("init --size ", "large", "--"), ("state ", "migrate", "bash")):
                done = subprocess.run(["fish", "-c", "fraiseql deploy completion fish | source; complete -C "
                                       f"'fraiseql deploy {words}'"], capture_output=True, text=True, check=False, env=env)
                self.assertIn(there, done.stdout, done.stderr)
                self.assertNotIn(absent, done.stdout, words)

    def test_flags_are_completed_where_an_operand_may_come_too(self):
        folder = self.open(Folder())
        folder.file("d.yaml", "regions:\n  us-east: {}\n")
        for words, there in (("prices --", {"--provider", "--timeout"}), ("prices refresh --", {"--provider", "--timeout", "--region"}),
                             ("prices refresh d.yaml --", {"--provider", "--region"}), ("state --", {"--json"})):
            self.assertLessEqual(there, self.complete(f"fraiseql deploy {words}", folder.path), words)
        self.assertEqual(self.complete("fraiseql deploy prices refresh ''", folder.path), {"d.yaml"})
        self.assertEqual(self.complete("fraiseql deploy prices refresh d.yaml --region ''", folder.path), {"us-east"})
        self.assertEqual(self.complete("fraiseql deploy prices refresh d.yaml --timeout ''", folder.path), set())

    def test_the_places_of_a_new_region_are_completed(self):
        folder = self.open(Folder()).path
        places = set(deploy("completion", "--places").stdout.split())
        self.assertLessEqual({"aws:us-east-1", "gcp:europe-west1", "azure:southeastasia", "self-hosted:here"}, places)
        # Bash breaks words at = and :, and replaces what is behind the last break.
        for words, expected in (("--region us = ''", places), ("--region us =", places),
                                ("--region us = az", {each for each in places if each.startswith("azure:")}),
                                ("--region us = aws : us-e", {"us-east-1", "us-east-2"}),
                                ("--region us = aws :", {each[4:] for each in places if each.startswith("aws:")}),
                                ("--name shop --region us = aws : us-east-1 --region eu = gcp : europe-north",
                                 {"europe-north1", "europe-north2"}),
                                ("--region u", set()), ("--region us = aws : us-east-1 --size ''", {"small", "medium", "large"})):
            self.assertEqual(self.complete(f"fraiseql deploy init {words}", folder), expected, words)
        self.assertIn("--size", self.complete("fraiseql deploy init --region us = aws : us-east-1 --", folder))
        # As in zsh, whose words are not broken.
        self.assertEqual(self.complete("fraiseql deploy init --region us=aws:us-e", folder, breaks=" "),
                         {"us=aws:us-east-1", "us=aws:us-east-2"})

    def test_with_json_it_is_one_record(self):
        for shell in ("bash", "zsh", "fish"):
            lines = [json.loads(line) for line in deploy("completion", shell, "--json").stdout.splitlines()]
            self.assertEqual([line["type"] for line in lines], ["version", "completion", "result"])
            self.assertEqual((lines[1]["shell"], lines[1]["text"]), (shell, deploy("completion", shell).stdout))

    def test_the_other_shells_take_theirs(self):
        for shell in ("zsh", "fish"):
            script = deploy("completion", shell).stdout
            self.assertIn("validate", script)
            if shutil.which(shell):
                self.assertEqual(subprocess.run([shell, "-n"], input=script, text=True, check=False).returncode, 0)
        self.assertEqual(deploy("completion", "csh").returncode, 64)
        self.assertEqual(deploy("completion").returncode, 64)


class Help(Case):
    def test_a_flag_is_told_once_and_columns_stand_below_each_other(self):
        shown = deploy("init", "--help").stdout
        self.assertEqual(shown.count("  --region "), 1)
        self.assertIn("  --region NAME=PROVIDER:LOCATION\n                           a region, such as", shown)
        self.assertIn("Usage: fraiseql deploy schema [OPTION]...\n", deploy("schema", "--help").stdout)
        self.assertIn("Usage: fraiseql deploy FILE [OPTION]...\n", deploy("deploy", "--help").stdout)


class Schema(Case):
    def test_it_is_one_document_and_one_record_with_json(self):
        document = json.loads(deploy("schema").stdout)
        record = json.loads(deploy("schema", "--json").stdout.splitlines()[1])
        self.assertEqual(record, {"type": "schema", "schema": document})
        self.assertNotIn("--reference", deploy("schema", "--help").stdout)


if __name__ == "__main__":
    harness.main()
