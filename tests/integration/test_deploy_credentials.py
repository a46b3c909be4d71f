"""`fraiseql deploy credentials`, and the step of deploying that asks the same, against a fake of STS and IAM that checks
every signature (fake_aws_sts.py)."""

import glob
import json
import os
import pty
import subprocess
import time

from fake_aws_sts import ACCOUNT, FakeAws
from harness import BUILD, LAUNCHER, Case, Folder, free_port, main, wait_until
from test_deploy_run import Rig, deployment

PROGRAM = os.path.join(BUILD, "bin", "fraiseql")
USER = f"arn:aws:iam::{ACCOUNT}:user/jo"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/teams/web/deploy"


def error(code, message="m", status=403, headers=None):
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return status, headers or {}, body


class Asking:
    """One deployment file, one fake, and an environment that names nothing else."""

    def __init__(self, case, regions=("us-east",), account=None, provider=None):
        self.folder = case.open(Folder())
        self.fake = case.open(FakeAws())
        config = deployment(regions=regions)
        for region in config["regions"].values():
            if account:
                region["account"] = account
        if provider:
            config["regions"].update(provider)
        self.file = self.folder.file("f.yaml", json.dumps(config))
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS") if name in os.environ}
        self.env = {**kept, "HOME": self.folder.path, "AWS_ENDPOINT_URL": self.fake.url(),
                    "AWS_EC2_METADATA_DISABLED": "true"}

    def sign_in(self, **more):
        self.env.update(self.fake.user(**more))
        return self

    def run(self, *more):
        done = subprocess.run([*LAUNCHER, PROGRAM, "deploy", "credentials", self.file, *more], env=self.env,
                              capture_output=True, text=True, timeout=120)
        for secret, session, _ in self.fake.keys.values():
            assert secret not in done.stdout + done.stderr, done.stdout + done.stderr
            assert not session or session not in done.stdout + done.stderr, done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    def lines(self, *more):
        status, out, problems = self.run(*more)
        assert problems == "", problems
        return status, out.splitlines()

    def record(self, *more):
        """(exit status, the one region's answer)"""
        status, out, problems = self.run("--json", *more)
        records = [json.loads(line) for line in out.splitlines()]
        assert problems == "" and records[0] == {"type": "version", "format": 1, "program": "fraiseql 0.1.0"}, out
        assert [record["type"] for record in records] == ["version", "credentials", "result"], out
        assert records[2]["exit"] == status and records[2]["ok"] == (status == 0), out
        regions = records[1]["regions"]
        return status, regions[0] if len(regions) == 1 else regions


class Verb(Case):
    def check(self, asking, status, *lines):
        self.assertEqual(asking.lines(), (status, list(lines)))

    def test_all_is_well(self):
        asking = Asking(self).sign_in()
        self.check(asking, 0, f"[✓] us-east  AWS  {USER}")
        calls = [call[:3] for call in asking.fake.calls]
        self.assertEqual(calls[0], ("sts", "us-east-1", "GetCallerIdentity"))
        self.assertEqual(set(calls[1:]), {("iam", "us-east-1", "SimulatePrincipalPolicy")})
        self.assertGreater(len(calls), 2, "the answer comes in pages")
        self.assertEqual(asking.record(), (0, {
            "name": "us-east", "provider": "aws", "state": "ok", "identity": USER, "permitted": True, "problem": None,
            "mend": None, "note": None, "missing": []}))
        self.assertEqual(asking.fake.refused, [])

    def test_regions_are_asked_at_the_same_time(self):
        asking = Asking(self, regions=("us-east", "eu-west", "apac")).sign_in()
        asking.fake.instead = 3 * [(429, {"Retry-After": "2"}, "")]
        started = time.monotonic()
        status, regions = asking.record()
        self.assertLess(time.monotonic() - started, 5, "each waits two seconds")
        self.assertEqual((status, [region["state"] for region in regions]), (0, 3 * ["ok"]))
        self.assertEqual({call[1] for call in asking.fake.calls if call[0] == "sts"},
                         {"us-east-1", "eu-west-1", "ap-southeast-1"})
        asking.fake.calls.clear()
        self.assertEqual(asking.lines("--region", "eu-west"), (0, [f"[✓] eu-west  AWS  {USER}"]))
        self.assertEqual({call[1] for call in asking.fake.calls if call[0] == "sts"}, {"eu-west-1"})
        self.assertEqual(asking.lines("--parallelism", "1"), (0, [
            f"[✓] us-east  AWS  {USER}", f"[✓] eu-west  AWS  {USER}", f"[✓] apac     AWS  {USER}"]))

    def test_a_provider_that_is_not_asked_is_named(self):
        gcp = {"eu": {"provider": "gcp", "location": "europe-west1", "instances": 1, "size": "small"}}
        asking = Asking(self, provider=gcp).sign_in()
        status, regions = asking.record()
        self.assertEqual(regions[0]["state"], "ok")
        if regions[1]["state"] == "not checked":
            self.assertEqual((status, regions[1]["note"]),
                             (0, "this version does not ask GCP who we are; terraform does when it plans"))
        self.assertNotEqual(regions[1]["state"], "ok")

    def test_no_credentials(self):
        asking = Asking(self)
        self.check(asking, 77, "[✗] us-east  AWS  refused",
                   f"    no AWS credentials: AWS_ACCESS_KEY_ID is not set; neither {asking.folder.path}/.aws/credentials nor "
                   f"{asking.folder.path}/.aws/config is there; AWS_WEB_IDENTITY_TOKEN_FILE is not set; "
                   "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set; AWS_EC2_METADATA_DISABLED is true",
                   "    mend: Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run: aws configure")
        self.assertEqual(asking.fake.calls, [])

    def test_refusals(self):
        asking = Asking(self).sign_in()
        asking.env["AWS_SECRET_ACCESS_KEY"] = "anothersecret"
        self.check(asking, 77, "[✗] us-east  AWS  refused",
                   "    GetCallerIdentity: the secret access key does not belong to the access key (SignatureDoesNotMatch, "
                   "credentials: environment): The request signature we calculated does not match the signature you "
                   "provided.",
                   "    mend: Compare both with what AWS gave; a blank or a line end copied along is the usual reason")
        asking.env["AWS_ACCESS_KEY_ID"] = "AKIAUNKNOWN"
        status, region = asking.record()
        self.assertEqual((status, region["state"], region["identity"], region["permitted"]), (77, "refused", None, None))
        self.assertEqual(region["problem"],
                         "GetCallerIdentity: AWS does not know this access key (InvalidClientTokenId, credentials: "
                         "environment): The security token included in the request is invalid.")
        self.assertIn("aws iam create-access-key", region["mend"])

    def test_other_refusals(self):
        asking = Asking(self).sign_in()
        for answer, problem in [
                (error("ExpiredToken", "The security token included in the request is expired"),
                 "GetCallerIdentity: the session has expired (ExpiredToken, credentials: environment): The security token "
                 "included in the request is expired"),
                ((401, {}, ""), "GetCallerIdentity was answered 401 without a reason (credentials: environment)"),
                ((403, {}, "<html>"), "GetCallerIdentity was answered 403 without a reason (credentials: environment)"),
                (error("RegionDisabledException"),
                 "GetCallerIdentity: STS is not enabled in this region for the account (RegionDisabledException, "
                 "credentials: environment): m")]:
            asking.fake.instead = [answer]
            status, region = asking.record()
            self.assertEqual((status, region["state"], region["problem"]), (77, "refused", problem))

    def test_what_passes_is_waited_for(self):
        asking = Asking(self).sign_in()
        for instead in [[(429, {"Retry-After": "1"}, "")], [(500, {}, "<html>"), (503, {}, "")], ["cut"],
                        [error("Throttling", "Rate exceeded", 400)]]:
            asking.fake.instead = list(instead)
            self.check(asking, 0, f"[✓] us-east  AWS  {USER}")
            self.assertEqual(asking.fake.instead, [])

    def test_a_cloud_that_cannot_be_asked_is_no_refusal(self):
        asking = Asking(self).sign_in()
        asking.fake.instead = 5 * [(500, {}, "")]
        self.check(asking, 1, "[!] us-east  AWS  unknown",
                   "    GetCallerIdentity was answered 500 without a reason (credentials: environment)")
        asking.fake.instead = 5 * ["cut"]
        status, region = asking.record()
        self.assertEqual((status, region["state"]), (1, "unknown"))
        asking.fake.instead = ["malformed"]
        self.check(asking, 1, "[!] us-east  AWS  unknown",
                   "    GetCallerIdentity was answered 200 with something that is not AWS's XML")
        asking.fake.instead = [(429, {"Retry-After": "3600"}, "")]
        self.check(asking, 1, "[!] us-east  AWS  unknown",
                   "    GetCallerIdentity was answered 429 without a reason (credentials: environment)")
        asking.fake.instead = ["slow"]
        started = time.monotonic()
        status, region = asking.record("--timeout", "2")
        self.assertLess(time.monotonic() - started, 8)
        self.assertEqual((status, region["state"]), (1, "unknown"), region)
        asking.env["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{free_port()}"
        status, region = asking.record("--timeout", "1")
        self.assertEqual((status, region["state"]), (1, "unknown"), region)

    def test_a_wrong_clock(self):
        asking = Asking(self).sign_in()
        for skew in (3600, -3600):
            asking.fake.skew_s = skew
            asking.fake.refused.clear()
            self.check(asking, 0, f"[✓] us-east  AWS  {USER}")
            self.assertEqual(asking.fake.refused, ["SignatureDoesNotMatch"], "the second call knows the offset")
        asking.fake.instead = 2 * [error("SignatureDoesNotMatch", "Signature expired: x")]
        status, region = asking.record()
        self.assertEqual(status, 77)
        self.assertRegex(region["mend"], r"^This machine's clock is wrong by 3\d\d\d s: set it \(timedatectl\)$")

    def test_on_a_terminal_marks_have_colours(self):
        asking = Asking(self, regions=("us-east", "apac")).sign_in()
        asking.fake.allow = lambda principal, action, resource, context: (
            "explicitDeny" if context["aws:RequestedRegion"] == "ap-southeast-1" else "allowed")
        ours, theirs = pty.openpty()
        process = subprocess.Popen([*LAUNCHER, PROGRAM, "deploy", "credentials", asking.file], env=asking.env,
                                   stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            text += part
        os.close(ours)
        self.assertEqual(process.wait(30), 77)
        lines = text.decode().splitlines()
        self.assertEqual(lines[0], f"\x1b[32m[✓]\x1b[0m us-east  AWS  {USER}")
        self.assertEqual(lines[1], f"\x1b[31m[✗]\x1b[0m apac     AWS  {USER}")

    def test_usage(self):
        asking = Asking(self).sign_in()
        for wrong in ("0", "x", "-1", "3601", "1.5"):
            status, _, problems = asking.run("--timeout", wrong)
            self.assertEqual(status, 64, problems)
            self.assertIn(f'--timeout takes seconds from 1 to 3600, not "{wrong}"', problems)
        self.assertEqual(asking.run("--region", "nowhere")[0], 64)


class Permissions(Case):
    def test_what_is_lacking_is_listed(self):
        asking = Asking(self).sign_in()
        lacking = ["ec2:CreateVpc", "kms:CreateKey", "rds:CreateDBInstance", "rds:DeleteDBInstance", "ssm:GetParameter"]
        asking.fake.allow = lambda principal, action, resource, context: (
            "allowed" if action not in lacking else "explicitDeny" if action == "kms:CreateKey" else "implicitDeny")
        status, lines = asking.lines()
        self.assertEqual(status, 77)
        self.assertEqual(lines[0], f"[✗] us-east  AWS  {USER}")
        self.assertRegex(lines[1], r"^    may not do 5 of the \d+ actions of a deployment: ec2:CreateVpc, kms:CreateKey, "
                                   r"rds:CreateDBInstance, rds:DeleteDBInstance and 1 more$")
        self.assertEqual(lines[2:], [f"      {action}" for action in lacking] +
                         [f"    mend: attach a policy that allows them to {USER}"])
        status, region = asking.record()
        self.assertEqual((region["state"], region["permitted"], region["missing"]), ("lacking", False, lacking))

    def test_many_that_are_lacking_are_counted(self):
        asking = Asking(self).sign_in()
        asking.fake.allow = lambda principal, action, resource, context: (
            "implicitDeny" if action.startswith("ec2:") else "allowed")
        status, region = asking.record()
        count = len(region["missing"])
        self.assertEqual((status, {action[:4] for action in region["missing"]}), (77, {"ec2:"}))
        self.assertGreater(count, 12)
        status, lines = asking.lines()
        self.assertEqual((status, len(lines)), (77, 4), lines)
        self.assertIn(f" and {count - 4} more", lines[1])
        self.assertEqual(lines[2:], [
            f"      --json lists all {count}",
            f"    mend: attach a policy that allows them to {USER}; PowerUserAccess and IAMFullAccess of AWS have them all"])

    def test_a_policy_for_our_own_resources_is_enough(self):
        asking = Asking(self).sign_in()
        asked = []

        def allow(principal, action, resource, context):
            asked.append((action, resource))
            self.assertEqual(context, {"aws:RequestedRegion": "us-east-1", "ec2:Region": "us-east-1",
                                       "aws:SecureTransport": "true"})
            own = {"rds": f"arn:aws:rds:us-east-1:{ACCOUNT}:", "iam": f"arn:aws:iam::{ACCOUNT}:"}.get(action[:3])
            return "allowed" if own is None or resource.startswith(own) and "demo-us-east" in resource else "implicitDeny"

        asking.fake.allow = allow
        self.assertEqual(asking.lines(), (0, [f"[✓] us-east  AWS  {USER}"]))
        again = {resource for action, resource in asked if resource != "*"}
        self.assertEqual(again, {f"arn:aws:rds:us-east-1:{ACCOUNT}:{name}" for name in
                                 ("db:demo-us-east", "subgrp:demo-us-east", "pg:demo-us-east-pg16")} |
                         {f"arn:aws:iam::{ACCOUNT}:{name}" for name in
                          ("role/demo-us-east-service", "instance-profile/demo-us-east-service")})

    def test_the_organization_forbids(self):
        asking = Asking(self).sign_in()
        asking.fake.allow = lambda principal, action, *_: "organization" if action == "rds:CreateDBInstance" else "allowed"
        status, region = asking.record()
        self.assertEqual((status, region["missing"]), (77, ["rds:CreateDBInstance"]))
        self.assertEqual(region["mend"], "1 of them are denied by the organization's policies or a permissions boundary, "
                                         "which its administrator changes")

    def test_what_depends_on_the_real_call_is_not_claimed(self):
        asking = Asking(self).sign_in()
        asking.fake.missing_context = ["aws:RequestTag/team"]
        asking.fake.allow = lambda principal, action, *_: "implicitDeny" if action.startswith("ec2:Create") else "allowed"
        status, lines = asking.lines()
        self.assertEqual((status, lines[0]), (0, f"[!] us-east  AWS  {USER}"))
        self.assertRegex(lines[1], r"^    note: IAM could not say whether it may do \d+ of the \d+ actions of a deployment: "
                                   r"its policies ask for what is known in the real call only$")
        self.assertEqual(asking.record()[1]["permitted"], None)

    def test_who_may_not_ask_is_told_so(self):
        asking = Asking(self).sign_in()
        asking.fake.simulates = lambda principal: False
        self.assertEqual(asking.lines(), (0, [
            f"[!] us-east  AWS  {USER}", "    note: whether it may do what a deployment does was not checked: "
                                         "iam:SimulatePrincipalPolicy is not allowed to it"]))
        self.assertEqual(asking.record()[1]["permitted"], None)

    def test_sessions_of_roles(self):
        asking = Asking(self).sign_in(access_key="ASIA0", session="a+session/token==",
                                      arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/me")
        principals = set()
        asking.fake.allow = lambda principal, *_: principals.add(principal) or "allowed"
        asking.fake.roles[ROLE] = {"trusts": []}
        self.assertEqual(asking.lines(), (0, [f"[✓] us-east  AWS  arn:aws:sts::{ACCOUNT}:assumed-role/deploy/me"]))
        self.assertEqual(principals, {ROLE}, "the path of the role, which a session's ARN lacks")
        principals.clear()
        asking.fake.knows_roles = False
        self.assertEqual(asking.run()[0], 0)
        self.assertEqual(principals, {f"arn:aws:iam::{ACCOUNT}:role/deploy"})

    def test_root_and_federated_users(self):
        for arn, why in ((f"arn:aws:iam::{ACCOUNT}:root", "this is the account's root, which IAM does not simulate; deploy "
                                                          "with a role instead"),
                         (f"arn:aws:sts::{ACCOUNT}:federated-user/jo", "IAM simulates users and roles only")):
            asking = Asking(self).sign_in(arn=arn)
            self.assertEqual(asking.lines(), (0, [
                f"[!] us-east  AWS  {arn}", f"    note: whether it may do what a deployment does was not checked: {why}"]))
            self.assertEqual([call[2] for call in asking.fake.calls], ["GetCallerIdentity"])


class Chain(Case):
    def test_the_account_of_the_file(self):
        asking = Asking(self, account="210987654321").sign_in()
        self.assertEqual(asking.lines(), (77, [
            f"[✗] us-east  AWS  {USER}",
            f"    the credentials (environment) are of account {ACCOUNT}, and the file says account 210987654321",
            "    mend: use credentials of 210987654321, or correct regions.us-east.account in the file"]))
        self.assertEqual(Asking(self, account=ACCOUNT).sign_in().run()[0], 0)

    def test_the_role_of_the_file_is_assumed(self):
        asking = Asking(self, account=ROLE).sign_in()
        asking.fake.roles[ROLE] = {"trusts": [USER]}
        self.assertEqual(asking.lines(), (0, [f"[✓] us-east  AWS  arn:aws:sts::{ACCOUNT}:assumed-role/deploy/fraiseql"]))
        self.assertEqual([call[2:] for call in asking.fake.calls][:2],
                         [("AssumeRole", "AKIAIOSFODNN7EXAMPLE"), ("GetCallerIdentity", "ASIA1")])
        asking.fake.roles[ROLE] = {"trusts": []}
        status, lines = asking.lines()
        self.assertEqual((status, lines), (77, [
            "[✗] us-east  AWS  refused",
            f"    the region's account: role {ROLE}: AssumeRole: AWS knows who we are and refuses this call (AccessDenied, "
            f"credentials: environment): User: {USER} is not authorized to perform: sts:AssumeRole on resource: {ROLE}",
            "    mend: The role must trust this identity, and a policy of it allow sts:AssumeRole"]))
        # The clock is corrected here, too.
        asking.fake.roles[ROLE] = {"trusts": [USER]}
        asking.fake.skew_s = 1800
        self.assertEqual(asking.run()[0], 0)

    def test_profiles(self):
        asking = Asking(self)
        asking.fake.user()
        asking.fake.roles[ROLE] = {"trusts": [USER], "external_id": "x y/z"}
        asking.folder.file(".aws/credentials", "[base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
                                               "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")
        config = asking.folder.file(".aws/config", f"[profile ci]\nrole_arn = {ROLE}\nsource_profile = base\n"
                                                   "external_id = x y/z\nrole_session_name = ci\n"
                                                   "[profile sso]\nsso_session = corp\n")
        asking.env["AWS_PROFILE"] = "base"
        self.assertEqual(asking.lines(), (0, [f"[✓] us-east  AWS  {USER}"]))
        asking.env["AWS_PROFILE"] = "ci"
        self.assertEqual(asking.lines(), (0, [f"[✓] us-east  AWS  arn:aws:sts::{ACCOUNT}:assumed-role/deploy/ci"]))
        asking.env["AWS_PROFILE"] = "sso"
        self.assertEqual(asking.lines(), (1, [
            "[!] us-east  AWS  unknown", f"    {config}:7: profile sso: signing in by SSO is not part of this program",
            "    mend: Sign in with `aws sso login`, then: eval \"$(aws configure export-credentials --format env)\""]))
        asking.env["AWS_PROFILE"] = "gone"
        status, region = asking.record()
        self.assertEqual(status, 77)
        self.assertTrue(region["problem"].startswith("AWS_PROFILE names the profile gone, and "), region)

    def test_web_identity_container_and_instance(self):
        asking = Asking(self)
        asking.fake.roles[ROLE] = {"trusts": []}
        asking.fake.web_tokens["e.y.J"] = ROLE
        asking.env.update(AWS_ROLE_ARN=ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=asking.folder.file("token", "e.y.J\n"))
        session = f"[✓] us-east  AWS  arn:aws:sts::{ACCOUNT}:assumed-role/deploy/fraiseql"
        self.assertEqual(asking.lines(), (0, [session]))
        asking.folder.file("token", "expired\n")
        status, region = asking.record()
        self.assertEqual(status, 77)
        self.assertIn("AWS refuses the web identity's token (InvalidIdentityToken", region["problem"])
        self.assertNotIn("expired", region["problem"])

        for name in ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"):
            del asking.env[name]
        asking.fake.user("ASIAC", "container-secret", "container+token==")
        credentials = {"AccessKeyId": "ASIAC", "SecretAccessKey": "container-secret", "Token": "container+token==",
                       "Expiration": "2099-01-01T00:00:00Z"}
        asking.fake.container, asking.fake.container_token = credentials, "let me in"
        asking.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = asking.fake.url("/container")
        self.assertEqual(asking.record()[1]["problem"], "the container's credential server answered 401")
        asking.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "let me in"
        self.assertEqual(asking.lines(), (0, [f"[✓] us-east  AWS  {USER}"]))

        del asking.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        del asking.env["AWS_EC2_METADATA_DISABLED"]
        asking.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = asking.fake.url("/")
        self.assertIn("; the metadata server answered 404", asking.record()[1]["problem"])
        asking.fake.instance = ("my-role", {"Code": "Success", **credentials})
        self.assertEqual(asking.lines(), (0, [f"[✓] us-east  AWS  {USER}"]))

    def test_no_secret_is_in_the_process_list(self):
        asking = Asking(self).sign_in(session="a+session/token==")
        asking.fake.instead = ["slow"]
        process = subprocess.Popen([*LAUNCHER, PROGRAM, "deploy", "credentials", asking.file, "--timeout", "3"],
                                   env=asking.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: not asking.fake.instead, 20, "the request")
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    line = file.read()
            except OSError:
                continue
            self.assertNotIn(b"wJalrXUtnFEMI/K7MDENG", line)
            self.assertNotIn(b"a+session/token==", line)
        self.assertEqual(process.wait(30), 1)


class Deploy(Case):
    """The step of deploying, with the fake terraform."""

    def rig(self):
        rig = Rig(self)
        rig.fake = self.open(FakeAws())
        rig.env.update(rig.fake.user(), AWS_ENDPOINT_URL=rig.fake.url())
        return rig

    def check_nothing_was_done(self, rig):
        self.assertEqual(rig.things(), [])
        self.assertFalse(os.path.exists(rig.cloud + "/calls") and rig.calls("apply"), "terraform applied something")

    def test_good_credentials(self):
        rig = self.rig()
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("[✓] Checking cloud credentials (AWS)\n", text)
        self.assertEqual(rig.fake.refused, [])
        for path in glob.glob(rig.folder.path + "/**", recursive=True) + glob.glob(rig.folder.path + "/.fraiseql/**",
                                                                                  recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    self.assertNotIn(b"wJalrXUtnFEMI", file.read(), path)
        status, text = rig.deploy("--json")
        record = next(json.loads(line) for line in text.splitlines() if '"type":"credentials"' in line)
        self.assertEqual([region["state"] for region in record["regions"]], 3 * ["ok"])

    def test_refused_ones_end_it_before_anything_is_changed(self):
        rig = self.rig()
        rig.env["AWS_SECRET_ACCESS_KEY"] = "another"
        for verb in ((), ("plan",)):
            status, text = rig.run("--yes", verb=verb) if not verb else rig.run(verb=verb)
            self.assertEqual(status, 77, text)
            self.assertIn("[✗] Checking cloud credentials (AWS)\n", text)
            self.assertIn("error: us-east: GetCallerIdentity: the secret access key does not belong to the access key", text)
            self.check_nothing_was_done(rig)

    def test_lacking_permissions_end_a_deployment_and_no_plan(self):
        rig = self.rig()
        rig.fake.allow = lambda principal, action, *_: "implicitDeny" if action == "rds:CreateDBInstance" else "allowed"
        status, text = rig.deploy()
        self.assertEqual(status, 77, text)
        self.assertRegex(text, r"error: us-east: may not do 1 of the \d+ actions of a deployment: rds:CreateDBInstance\n")
        self.check_nothing_was_done(rig)
        for more, verb in ((("--dry-run",), ()), ((), ("plan",))):
            status, text = rig.run(*more, verb=verb)
            self.assertEqual(status, 2, text)
            self.assertIn("[!] Checking cloud credentials (AWS)\n    us-east: may not do 1 of the ", text)

    def test_a_way_to_sign_in_that_only_others_have_stops_nothing(self):
        rig = self.rig()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del rig.env[name]
        rig.env.update(HOME=rig.folder.path, AWS_EC2_METADATA_DISABLED="true")
        config = rig.folder.file(".aws/config", "[default]\nsso_session = corp\n")
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn(f"[!] Checking cloud credentials (AWS)\n    us-east: {config}:2: profile default: signing in by SSO is "
                      "not part of this program\n", text)

    def test_what_cannot_be_asked_stops_nothing(self):
        rig = self.rig()
        rig.fake.simulates = lambda principal: False
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("[!] Checking cloud credentials (AWS)\n    us-east: whether it may do what a deployment does was not "
                      "checked: iam:SimulatePrincipalPolicy is not allowed to it\n", text)
        rig.env["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{free_port()}"
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("[!] Checking cloud credentials (AWS)\n    us-east: GetCallerIdentity: ", text)


if __name__ == "__main__":
    main()
