"""`fraiseql deploy credentials` against strict fakes of Google and Azure: every place where credentials lie, what is
missing, and answers that fail, come late, or are cut."""

import json
import os
import subprocess
import time

import harness
from fake_azure import CLIENT, FOREIGN, IDENTITY_HEADER, SECRET, SUBSCRIPTION, FakeAzure
from fake_cloud import SLOW_S, Key, Refused
from fake_google import ACCOUNT, SUBJECT, TARGET, FakeGoogle
from harness import Case, Folder

FRAISEQL = os.path.join(harness.BUILD, "bin", "fraiseql")
REFUSED = 77
ASKED = 2 * ["permissions"]  # more than the hundred of one question


class Check(Case):
    """Runs the verb with nothing of this machine's environment but what a test gives."""

    provider, location, kind, database, account = "", "", "", "", ""

    def setUp(self):
        self.folder = self.open(Folder())
        self.home = os.path.join(self.folder.path, "home")
        os.mkdir(self.home)

    def file(self, account=None):
        account = self.account if account is None else account
        return self.folder.file("d.yaml", f"""metadata: {{name: shop, environment: production}}
regions:
  eu: {{provider: {self.provider}, location: {self.location}, instance_type: {self.kind}{account},
       database: {{engine: postgresql, {self.database}}}}}
""")

    def run_verb(self, env, account=None, timeout=20):
        """(exit status, the region's answer, both streams)"""
        base = {key: os.environ[key] for key in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS") if key in os.environ}
        done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "credentials", self.file(account), "--json", "--timeout",
                               str(timeout)], capture_output=True, text=True, check=False, timeout=90, stdin=subprocess.DEVNULL,
                              env={**base, "HOME": self.home, **env})
        records = [json.loads(line) for line in done.stdout.splitlines()]
        answers = [record for record in records if record.get("type") == "credentials"]
        self.assertEqual(len(answers), 1, done.stdout + done.stderr)
        self.assertEqual([region["name"] for region in answers[0]["regions"]], ["eu"])
        return done.returncode, answers[0]["regions"][0], done.stdout + done.stderr

    def check_ok(self, env, identity, **more):
        status, region, text = self.run_verb(env, **more)
        self.assertEqual((status, region["state"], region["problem"]), (0, "ok", None), text)
        self.assertEqual(region["identity"], identity)
        self.assertEqual(self.fake.violations, [])
        return region

    def check_refused(self, env, *words, state="refused", **more):
        status, region, text = self.run_verb(env, **more)
        self.assertEqual((status, region["state"]), (REFUSED, state), text)
        for word in words:
            self.assertIn(word, region["problem"])
        self.assertTrue(region["mend"])
        self.assertEqual(self.fake.violations, [])
        return region, text

    def check_unknown(self, env, *words, **more):
        status, region, text = self.run_verb(env, **more)
        self.assertEqual((status, region["state"]), (1, "unknown"), text)
        for word in words:
            self.assertIn(word, region["problem"])
        return text


class Google(Check):
    provider, location, kind, database = "gcp", "europe-west1", "n2-standard-4", "tier: db-custom-4-16384"
    account = ", account: shop-1"

    def setUp(self):
        super().setUp()
        self.fake = self.open(FakeGoogle(self.folder))

    def env(self, **more):
        return {**self.fake.environment(), **more}

    def key(self, path):
        return self.env(GOOGLE_APPLICATION_CREDENTIALS=path)

    def test_a_service_accounts_key(self):
        self.check_ok(self.key(self.fake.service_account()), ACCOUNT)
        self.assertEqual(self.fake.calls, ["token", *ASKED])

    def test_a_key_of_another_is_refused_and_not_shown(self):
        other = Key(self.folder, "other").pem()
        region, text = self.check_refused(self.key(self.fake.service_account(private_key=other)), "invalid_grant",
                                          "Invalid JWT Signature.")
        self.assertIn("--iam-account=" + ACCOUNT, region["mend"])
        for line in other.splitlines():
            self.assertNotIn(line, text)

    def test_a_user_whom_tokeninfo_names(self):
        folder = os.path.join(self.folder.path, "gcloud")
        self.folder.file("gcloud/application_default_credentials.json", json.dumps(self.fake.user()))
        self.check_ok(self.env(CLOUDSDK_CONFIG=folder), "ops@example.com")
        self.assertEqual(self.fake.calls, ["token", "tokeninfo", *ASKED])

    def test_a_user_who_was_logged_out(self):
        self.folder.file("home/.config/gcloud/application_default_credentials.json",
                         json.dumps(self.fake.user(refresh_token="1//old")))
        region, text = self.check_refused(self.env(), "expired or revoked")
        self.assertEqual(region["mend"], "gcloud auth application-default login")
        self.assertNotIn("1//old", text)

    def test_federation_with_a_file(self):
        path = self.folder.file("subject", SUBJECT + "\n")
        region = self.check_ok(self.key(self.fake.external({"file": path})), None)
        self.assertIsNone(region["identity"])

    def test_federation_with_an_address_and_an_account(self):
        source = {"url": self.fake.url("/subject"), "headers": {"X-Ask": "politely"},
                  "format": {"type": "json", "subject_token_field_name": "value"}}
        path = self.fake.external(source, service_account_impersonation_url=self.fake.hop())
        self.check_ok(self.key(path), TARGET)
        self.assertEqual(self.fake.calls, ["subject", "sts", "impersonate", *ASKED])

    def test_a_subject_that_is_not_theirs_is_not_shown(self):
        path = self.folder.file("subject", "hush.hush.hush")
        _, text = self.check_refused(self.key(self.fake.external({"file": path})), "not one of ours")
        self.assertNotIn("hush", text)

    def test_sources_that_are_not_supported(self):
        self.check_unknown(self.key(self.fake.external({"executable": {"command": "x"}})), "external.json", "executable")
        self.check_unknown(self.key(self.fake.external({"environment_id": "aws1"})), "external.json", "AWS")

    def test_impersonation_by_file_and_by_environment(self):
        path = self.folder.file("impersonated.json", json.dumps({
            "type": "impersonated_service_account", "service_account_impersonation_url": self.fake.hop(), "delegates": [],
            "source_credentials": self.fake.user()}))
        self.check_ok(self.key(path), TARGET)
        self.check_ok({**self.key(self.fake.service_account()), "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT": TARGET}, TARGET)
        region, _ = self.check_refused({**self.key(self.fake.service_account()),
                                        "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT": "other@shop-1.iam.gserviceaccount.com"},
                                       "PERMISSION_DENIED")
        self.assertIn("roles/iam.serviceAccountTokenCreator", region["mend"])

    def test_a_token_and_a_token_that_has_ended(self):
        token = self.fake.give("ops@example.com")
        self.check_ok(self.env(GOOGLE_OAUTH_ACCESS_TOKEN=token), "ops@example.com")
        _, text = self.check_refused(self.env(GOOGLE_OAUTH_ACCESS_TOKEN="ya29.ended"), "UNAUTHENTICATED")
        self.assertNotIn("ya29.ended", text)

    def test_the_machines_own_account(self):
        self.check_ok(self.env(), "machine@shop-1.iam.gserviceaccount.com")

    def test_nothing_is_found(self):
        region, _ = self.check_refused(self.env(GCE_METADATA_HOST="127.0.0.1:1"), "no Google credentials are found",
                                       "GOOGLE_APPLICATION_CREDENTIALS", "application_default_credentials.json")
        self.assertIn("gcloud auth application-default login", region["mend"])

    def test_what_is_missing(self):
        self.fake.lacking = {"compute.networks.delete", "cloudsql.instances.create", "iam.roles.get"}  # of both questions
        region, _ = self.check_refused(self.key(self.fake.service_account()), "lacks 3 of", state="lacking")
        self.assertEqual(set(region["missing"]), self.fake.lacking)
        self.assertEqual(region["mend"], " && ".join(
            f"gcloud projects add-iam-policy-binding shop-1 --member=serviceAccount:{ACCOUNT} --role=roles/{role}"
            for role in ("compute.admin", "cloudsql.admin", "iam.roleAdmin")))

    def test_a_later_question_that_fails(self):
        self.fake.lacking = {"compute.networks.delete"}
        key = self.key(self.fake.service_account())
        answer, asked = self.fake.permissions, []

        def second_fails(call):
            asked.append(call)
            if len(asked) == 2:
                raise Refused(409, {"error": {"code": 409, "message": "Not now."}})
            return answer(call)

        self.fake.permissions = second_fails
        self.check_unknown(key, "answered 409", "Not now")
        self.assertEqual(len(asked), 2)

    def test_permissions_that_google_does_not_know_hide_no_others(self):
        self.fake.unknown = {"compute.networks.delete", "compute.networks.get", "cloudsql.instances.create"}
        region = self.check_ok(self.key(self.fake.service_account()), ACCOUNT)
        for each in self.fake.unknown:
            self.assertIn(each, region["note"])
        self.fake.lacking = {"iam.roles.get", "cloudsql.instances.delete"}
        region, _ = self.check_refused(self.key(self.fake.service_account()), "lacks 2 of", state="lacking")
        self.assertEqual(set(region["missing"]), self.fake.lacking)

    def test_a_question_that_is_wrong_is_not_asked_for_ever(self):
        key, asked = self.key(self.fake.service_account()), []

        def wrong(call):
            asked.append(call)
            raise Refused(400, {"error": {"code": 400, "message": "Request contains an invalid argument."}})

        self.fake.permissions = wrong
        self.check_unknown(key, "answered 400", "invalid argument")
        self.assertLess(len(asked), 40)

    def test_an_api_that_is_off(self):
        self.fake.disabled = True
        region, _ = self.check_refused(self.key(self.fake.service_account()), "is not enabled in project 42")
        self.assertEqual(region["mend"], "gcloud services enable cloudresourcemanager.googleapis.com --project=42")

    def test_the_project_comes_from_the_environment(self):
        key = self.key(self.fake.service_account())
        self.check_ok({**key, "GOOGLE_CLOUD_PROJECT": "shop-1"}, ACCOUNT, account="")
        self.check_refused({**key, "GOOGLE_PROJECT": "shop-2"}, "project shop-2 does not exist", account="")
        self.check_refused(key, "no project is named", account="")

    def test_what_passes_is_waited_out(self):
        self.fake.fail("token", 429, 503)
        self.fake.fail("permissions", 500, 429, "cut")
        self.check_ok(self.key(self.fake.service_account()), ACCOUNT, timeout=40)
        self.assertEqual((self.fake.count("token"), self.fake.count("permissions")), (3, 3 + len(ASKED)))

    def test_slow_is_not_too_slow(self):
        self.fake.fail("token", "slow")
        self.check_ok(self.key(self.fake.service_account()), ACCOUNT)

    def test_the_deadline_holds(self):
        self.fake.fail("permissions", *["slow"] * 9)
        began = time.monotonic()
        self.check_unknown(self.key(self.fake.service_account()), timeout=2)
        self.assertLess(time.monotonic() - began, 15)

    def test_malformed_answers(self):
        self.fake.fail("token", "malformed")
        self.check_unknown(self.key(self.fake.service_account()), "no JSON object")
        self.fake.fail("permissions", "malformed")
        self.check_unknown(self.key(self.fake.service_account()), "something else than what is asked for")


class Azure(Check):
    provider, location, kind, database = "azure", "westeurope", "Standard_D4s_v5", "sku: Standard_D4s_v3"
    account = f", account: {SUBSCRIPTION}"

    def setUp(self):
        super().setUp()
        self.fake = self.open(FakeAzure(self.folder))

    def test_a_secret(self):
        region = self.check_ok(self.fake.client(ARM_CLIENT_SECRET=SECRET), CLIENT)
        self.assertIsNone(region["note"])
        self.assertEqual(self.fake.calls, ["token", "manager", "manager"])

    def test_a_secret_that_is_wrong_is_not_shown(self):
        region, text = self.check_refused(self.fake.client(ARM_CLIENT_SECRET="wrong-hush"), "AADSTS7000215")
        self.assertIn("to the secret's value", region["mend"])
        self.assertNotIn("wrong-hush", text)
        self.assertNotIn("Trace ID", text)

    def test_certificates_in_both_forms(self):
        pem = self.folder.file("c.pem", self.fake.key.both())
        region = self.check_ok(self.fake.client(ARM_CLIENT_CERTIFICATE_PATH=pem), CLIENT)
        self.assertIn("PKCS#12 only", region["note"])
        pfx = os.path.join(self.folder.path, "c.pfx")
        with open(pfx, "wb") as out:
            out.write(self.fake.key.pkcs12("horse"))
        region = self.check_ok(self.fake.client(ARM_CLIENT_CERTIFICATE_PATH=pfx, ARM_CLIENT_CERTIFICATE_PASSWORD="horse"), CLIENT)
        self.assertIsNone(region["note"])
        self.check_refused(self.fake.client(ARM_CLIENT_CERTIFICATE_PATH=pfx), "no password was given")
        other = self.folder.file("o.pem", Key(self.folder, "other").both())
        self.check_refused(self.fake.client(ARM_CLIENT_CERTIFICATE_PATH=other), "AADSTS700027")

    def test_a_federated_token_and_a_job_of_github(self):
        path = self.folder.file("token", FOREIGN + "\n")
        env = self.fake.client(AZURE_FEDERATED_TOKEN_FILE=path, ARM_USE_AKS_WORKLOAD_IDENTITY="true")
        self.assertIsNone(self.check_ok(env, CLIENT)["note"])
        self.check_ok(self.fake.client(ARM_USE_OIDC="true", ACTIONS_ID_TOKEN_REQUEST_TOKEN="job-token",
                                       ACTIONS_ID_TOKEN_REQUEST_URL=self.fake.url("/job?v=1")), CLIENT)

    def test_managed_identities(self):
        self.check_ok(self.fake.environment(ARM_USE_MSI="true", ARM_MSI_ENDPOINT=self.fake.url("/metadata/identity/oauth2/token")), "machine-app")
        hosted = self.fake.environment(IDENTITY_ENDPOINT=self.fake.url("/hosted"), IDENTITY_HEADER=IDENTITY_HEADER)
        self.assertIn("ARM_USE_MSI", self.check_ok(hosted, "hosted-app")["note"])
        _, text = self.check_refused({**hosted, "IDENTITY_HEADER": "other-hush"}, "Unauthorized")
        self.assertNotIn("other-hush", text)

    def test_the_clis_login_is_spoken_of(self):
        self.folder.file("home/.azure/azureProfile.json", "{}")
        text = self.check_unknown(self.fake.environment(), "can be read by the CLI only")
        self.assertIn("az ad sp create-for-rbac", text)

    def test_nothing_is_found(self):
        region, _ = self.check_refused(self.fake.environment(), "no Azure credentials are found", "ARM_CLIENT_SECRET")
        self.assertIn("az ad sp create-for-rbac", region["mend"])

    def test_a_contributor_lacks_the_roles_of_others(self):
        self.fake.roles = [[{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"]}]]
        region, _ = self.check_refused(self.fake.client(ARM_CLIENT_SECRET=SECRET), "lacks 4 of", state="lacking")
        self.assertEqual(region["missing"], [f"Microsoft.Authorization/{kind}/{verb}" for kind in ("roleAssignments", "locks")
                                             for verb in ("write", "delete")])
        self.assertEqual(region["mend"], f"az role assignment create --assignee {CLIENT} --role 'User Access Administrator' "
                                         f"--scope /subscriptions/{SUBSCRIPTION}")
        self.fake.roles.append([{"actions": ["Microsoft.Authorization/*"], "notActions": []}])
        self.check_ok(self.fake.client(ARM_CLIENT_SECRET=SECRET), CLIENT)

    def test_subscriptions(self):
        env = self.fake.client(ARM_CLIENT_SECRET=SECRET)
        self.check_ok({**env, "ARM_SUBSCRIPTION_ID": SUBSCRIPTION}, CLIENT, account="")
        self.check_refused(env, "no subscription is named", account="")
        self.check_refused({**env, "ARM_SUBSCRIPTION_ID": "0" * 8 + SUBSCRIPTION[8:]}, "SubscriptionNotFound", account="")
        self.fake.state = "Disabled"
        self.check_refused(env, "its state is Disabled")

    def test_providers_that_nobody_may_register(self):
        self.fake.roles = [[{"actions": ["*"], "notActions": ["*/register/action"]}]]
        self.check_ok(self.fake.client(ARM_CLIENT_SECRET=SECRET), CLIENT)
        self.fake.registered["Microsoft.KeyVault"] = "NotRegistered"
        region, _ = self.check_refused(self.fake.client(ARM_CLIENT_SECRET=SECRET), "Microsoft.KeyVault")
        self.assertIn("az provider register --namespace Microsoft.KeyVault", region["mend"])

    def test_what_passes_is_waited_out(self):
        self.fake.fail("token", 503, 429)
        self.fake.fail("manager", 429, "cut", 500)
        self.check_ok(self.fake.client(ARM_CLIENT_SECRET=SECRET), CLIENT, timeout=40)

    def test_malformed_answers_and_the_deadline(self):
        env = self.fake.client(ARM_CLIENT_SECRET=SECRET)
        self.fake.fail("token", "malformed")
        self.check_unknown(env, "no JSON object")
        self.fake.fail("manager", "malformed")
        self.check_unknown(env, "something else than what is asked for")
        self.fake.fail("manager", *["slow"] * 9)
        began = time.monotonic()
        self.check_unknown(env, timeout=2)
        self.assertLess(time.monotonic() - began, 15)

    def test_a_token_is_sent_to_https_or_this_machine_only(self):
        self.check_refused({**self.fake.client(ARM_CLIENT_SECRET=SECRET), "AZURE_AUTHORITY_HOST": "http://login.example.com"},
                           "AZURE_AUTHORITY_HOST")
        self.check_refused({**self.fake.client(ARM_CLIENT_SECRET=SECRET),
                            "FRAISEQL_AZURE_RESOURCE_MANAGER": "http://management.example.com"}, "is not https")
        self.assertEqual(self.fake.calls, [])


class Both(Case):
    def test_regions_of_both_clouds_are_asked_at_the_same_time(self):
        folder = self.open(Folder())
        google, azure = self.open(FakeGoogle(folder)), self.open(FakeAzure(folder))
        regions = {f"g{i}": {"provider": "gcp", "location": "europe-west1", "instance_type": "n2-standard-4", "account": "shop-1",
                             "database": {"engine": "postgresql", "tier": "db-custom-4-16384"}} for i in range(4)}
        regions |= {f"a{i}": {"provider": "azure", "location": "westeurope", "instance_type": "Standard_D4s_v5",
                              "account": SUBSCRIPTION, "database": {"engine": "postgresql", "sku": "Standard_D4s_v3"}}
                    for i in range(4)}
        path = folder.file("d.yaml", json.dumps({"metadata": {"name": "shop", "environment": "production"}, "regions": regions}))
        for fake, place in ((google, "permissions"), (azure, "manager")):
            fake.fail(place, *["slow"] * 4)
        began = time.monotonic()
        done = subprocess.run([*harness.LAUNCHER, FRAISEQL, "deploy", "credentials", path, "--json"], capture_output=True, text=True,
                              check=False, timeout=90, stdin=subprocess.DEVNULL,
                              env={**os.environ, **google.environment(), **azure.client(ARM_CLIENT_SECRET=SECRET),
                                   "GOOGLE_APPLICATION_CREDENTIALS": google.service_account()})
        self.assertLess(time.monotonic() - began, 4 * SLOW_S)
        answers = [json.loads(line) for line in done.stdout.splitlines() if '"credentials"' in line][0]["regions"]
        self.assertEqual({(each["name"], each["state"]) for each in answers}, {(name, "ok") for name in regions}, done.stdout)
        self.assertEqual(google.violations + azure.violations, [])


if __name__ == "__main__":
    harness.main()
