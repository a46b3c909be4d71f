"""The vendors' own Python SDKs sign in at the same strict fakes as `fraiseql deploy credentials` does, with the same credentials,
and what both send is compared field by field: google-auth and azure-identity, sdks/credentials. Where they cannot be had all of
this is skipped.

Where two SDKs of a vendor differ, a test says which one ours is like."""

import contextlib
import json
import os
import subprocess

import harness
from fake_azure import CLIENT, FOREIGN, IDENTITY_HEADER, SCOPE as AZURE_SCOPE, SECRET, TELEMETRY, TENANT, FakeAzure
from fake_cloud import Key, unbase64url
from fake_google import ACCOUNT, MACHINE, NARROW, SCOPE, SUBJECT, TARGET, TOKEN_URL, FakeGoogle
from sdks.clients import command
from test_deploy_credentials_tokens import Azure as AzureCheck, Google as GoogleCheck

CALL_SECONDS = 120
HEADERS = ("Content-Type", "Metadata", "Metadata-Flavor", "X-Identity-Header", "X-Ask")


class Recorded:
    """One request to a fake, its base address as BASE."""

    def __init__(self, fake, call):
        self.where = call.method, call.path
        self.query = call.query
        self.headers = {name: call.headers[name] for name in HEADERS if name in call.headers}
        self.bearer = call.bearer() is not None
        text = call.body.decode()
        form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        self.body = call.form() if form else json.loads(text) if text else None
        self.header = self.claims = None
        for name in ("assertion", "client_assertion"):
            assertion = self.body.get(name, "") if isinstance(self.body, dict) else ""
            if assertion not in ("", FOREIGN):
                self.header, self.claims = (json.loads(unbase64url(part.rstrip("="))) for part in assertion.split(".")[:2])
                self.claims["aud"] = self.claims["aud"].replace(fake.url(), "BASE")
                self.body[name] = "ASSERTION"

    def form(self):
        return {name: value for name, value in self.body.items() if not TELEMETRY.match(name)}


@contextlib.contextmanager
def record(fake):
    """All requests to the fake meanwhile."""
    seen, route = [], fake.route

    def recording(call):
        seen.append(Recorded(fake, call))
        return route(call)

    fake.route = recording
    try:
        yield seen
    finally:
        fake.route = route


class Signing:
    """Signs in by both; the case's class says at which fake."""

    vendor = ""

    def sdk(self, fake, settings, **environment):
        """What the SDK sends to sign in."""
        program, home = command("credentials", self.vendor)
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        with record(fake) as seen:
            done = subprocess.run(program, cwd=home, input=json.dumps(settings), capture_output=True, text=True, check=False,
                                  timeout=CALL_SECONDS,
                                  env={**kept, "HOME": self.home, "NO_PROXY": "*", "no_proxy": "*", **environment})
        self.assertEqual((done.returncode, fake.violations), (0, []), done.stderr)
        self.assertIn(done.stdout.strip(), fake.tokens)
        return seen

    def ours(self, env, identity, places):
        """What ours sends to the same, but for what it asks with the token."""
        with record(self.fake) as seen:
            self.check_ok(env, identity)
        return [each for each in seen if each.where[1] in places]

    def check_alike(self, theirs, ours, headers=("Content-Type",)):
        self.assertEqual([each.where for each in theirs], [each.where for each in ours])
        for one, other in zip(theirs, ours):
            self.assertEqual(one.query, other.query)
            self.assertEqual(one.bearer, other.bearer)
            for name in headers:
                self.assertEqual(one.headers.get(name), other.headers.get(name), one.where)


class Google(Signing, GoogleCheck):
    vendor = "google"

    def only(self, requests, path):
        return [each for each in requests if each.where[1] == path]

    def test_a_service_accounts_key(self):
        path = self.fake.service_account()
        theirs = self.sdk(self.fake, {"account": path, "scope": SCOPE})
        ours = self.ours(self.key(path), ACCOUNT, ["/token"])
        self.check_alike(theirs, ours)
        one, other = theirs[0], ours[0]
        self.assertEqual((one.form(), one.header), (other.form(), other.header))
        for claims in (one.claims, other.claims):
            self.assertEqual(claims.pop("exp") - claims.pop("iat"), 3600)
        # Python's SDK names Google's own address whatever the file says. Go's, which Terraform signs in by, the file's.
        self.assertEqual((one.claims.pop("aud"), other.claims.pop("aud")), (TOKEN_URL, "BASE/token"))
        self.assertEqual(one.claims, other.claims)
        self.assertEqual(set(one.claims), {"iss", "scope"})

    def test_a_user(self):
        user = {name: value for name, value in self.fake.user().items() if name != "type"}
        theirs = self.sdk(self.fake, {"user": user})
        ours = self.ours(self.key(self.folder.file("user.json", json.dumps(self.fake.user()))), "ops@example.com", ["/token"])
        self.check_alike(theirs, ours)
        self.assertEqual(theirs[0].form(), ours[0].form())
        self.assertEqual(theirs[0].form()["grant_type"], "refresh_token")

    def test_federation_with_a_file(self):
        path = self.fake.external({"file": self.folder.file("subject", SUBJECT)})
        theirs = self.sdk(self.fake, {"pool": path, "scope": SCOPE})
        ours = self.ours(self.key(path), None, ["/sts/v1/token"])
        self.check_alike(theirs, ours)
        self.assertEqual(theirs[0].form(), ours[0].form())

    def test_federation_with_an_address_and_an_account(self):
        source = {"url": self.fake.url("/subject"), "headers": {"X-Ask": "politely"},
                  "format": {"type": "json", "subject_token_field_name": "value"}}
        path = self.fake.external(source, service_account_impersonation_url=self.fake.hop())
        hop = f"/v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken"
        theirs = self.sdk(self.fake, {"pool": path, "scope": SCOPE})
        ours = self.ours(self.key(path), TARGET, ["/subject", "/sts/v1/token", hop])
        self.check_alike(theirs, ours, ("Content-Type", "X-Ask"))
        # For the hop Python's SDK asks the narrower scope, Go's, as ours, the whole one. Both may be somebody else.
        one, other = theirs[1].form(), ours[1].form()
        self.assertEqual((one.pop("scope"), other.pop("scope")), (NARROW, SCOPE))
        self.assertEqual(one, other)
        self.check_hop(theirs[2], ours[2])

    def check_hop(self, one, other):
        self.assertEqual((one.body["scope"], one.body["lifetime"]), (other.body["scope"], other.body["lifetime"]))
        self.assertEqual(one.body["delegates"] or [], other.body["delegates"])
        self.assertEqual(set(one.body), set(other.body))

    def test_a_user_who_becomes_an_account(self):
        user = self.fake.user()
        path = self.folder.file("impersonated.json", json.dumps({
            "type": "impersonated_service_account", "service_account_impersonation_url": self.fake.hop(), "delegates": [],
            "source_credentials": user}))
        del user["type"]
        theirs = self.sdk(self.fake, {"user": user, "target": TARGET, "hop": self.fake.hop(), "scope": SCOPE})
        ours = self.ours(self.key(path), TARGET, ["/token", theirs[1].where[1]])
        self.check_alike(theirs, ours)
        self.assertEqual(theirs[0].form(), ours[0].form())
        self.check_hop(theirs[1], ours[1])

    def test_the_machines_own_account(self):
        base = "/computeMetadata/v1/instance/service-accounts/default/"
        host = f"127.0.0.1:{self.fake.port}"
        theirs = self.only(self.sdk(self.fake, {"scope": SCOPE}, GCE_METADATA_HOST=host, GCE_METADATA_IP=host), base + "token")
        ours = self.ours(self.env(), MACHINE, [base + "token"])
        self.check_alike(theirs, ours, ("Metadata-Flavor",))
        self.assertEqual(theirs[0].query, {"scopes": [SCOPE]})


class Azure(Signing, AzureCheck):
    vendor = "azure"
    TOKEN = f"/{TENANT}/oauth2/v2.0/token"

    def setUp(self):
        super().setUp()
        tls = Key(self.folder, "tls")
        self.secure = self.open(FakeAzure(self.folder, tls))  # the SDK sends secrets over TLS alone
        self.secure.key = self.fake.key
        self.trust = {"REQUESTS_CA_BUNDLE": tls.certificate}

    def theirs(self, credential, **arguments):
        """Its request for a token: others only find the address of it."""
        more = {"tenant_id": TENANT, "client_id": CLIENT, "authority": self.secure.url(), "disable_instance_discovery": True}
        seen = self.sdk(self.secure, {"credential": credential, "arguments": {**more, **arguments}, "scope": AZURE_SCOPE}, **self.trust)
        self.assertEqual({each.where[1] for each in seen} - {self.TOKEN}, {f"/{TENANT}/v2.0/.well-known/openid-configuration"} &
                         {each.where[1] for each in seen})
        return [each for each in seen if each.where[1] == self.TOKEN]

    def both(self, theirs, **ours):
        ours = self.ours(self.fake.client(**ours), CLIENT, [self.TOKEN])
        self.check_alike(theirs, ours)
        self.assertEqual(len(ours), 1)
        self.assertEqual(theirs[0].form(), ours[0].form())
        return theirs[0], ours[0]

    def test_a_secret(self):
        one, _ = self.both(self.theirs("ClientSecretCredential", client_secret=SECRET), ARM_CLIENT_SECRET=SECRET)
        self.assertEqual(one.form()["client_secret"], SECRET)

    def test_a_certificate(self):
        path = self.folder.file("c.pem", self.fake.key.both())
        one, other = self.both(self.theirs("CertificateCredential", certificate_path=path), ARM_CLIENT_CERTIFICATE_PATH=path)
        # Python's MSAL still signs the older form of the assertion; ours the one that Microsoft's reference describes.
        self.assertEqual((one.header.pop("alg"), set(one.header)), ("RS256", {"typ", "x5t"}))
        self.assertEqual((other.header.pop("alg"), set(other.header)), ("PS256", {"typ", "x5t#S256"}))
        self.assertEqual(one.header["typ"], other.header["typ"])
        self.assertEqual(other.claims.pop("nbf"), other.claims["iat"])
        for claims in (one.claims, other.claims):
            self.assertAlmostEqual(claims.pop("exp") - claims.pop("iat"), 600, delta=0.001)
            self.assertRegex(claims.pop("jti"), "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
        self.assertEqual(one.claims, other.claims)
        self.assertEqual(set(one.claims), {"aud", "iss", "sub"})

    def test_a_token_of_another_issuer(self):
        path = self.folder.file("token", FOREIGN)
        one, _ = self.both(self.theirs("WorkloadIdentityCredential", token_file_path=path), AZURE_FEDERATED_TOKEN_FILE=path,
                           ARM_USE_AKS_WORKLOAD_IDENTITY="true")
        self.assertEqual(one.form()["client_assertion"], FOREIGN)

    def identity(self, fake, environment, **arguments):
        """Both requests of a managed identity."""
        settings = {"credential": "ManagedIdentityCredential", "arguments": arguments, "scope": AZURE_SCOPE}
        return self.sdk(fake, settings, **environment)

    def test_the_machines_identity(self):
        path = "/metadata/identity/oauth2/token"
        for arguments, more in (({}, {}), ({"client_id": CLIENT}, {"ARM_CLIENT_ID": CLIENT})):
            theirs = self.identity(self.fake, {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.fake.url()}, **arguments)
            ours = self.ours(self.fake.environment(ARM_USE_MSI="true", ARM_MSI_ENDPOINT=self.fake.url(path), **more), "machine-app", [path])
            self.check_alike(theirs[-1:], ours, ("Metadata",))

    def test_the_identity_of_an_app(self):
        environment = {"IDENTITY_ENDPOINT": self.fake.url("/hosted"), "IDENTITY_HEADER": IDENTITY_HEADER}
        theirs = self.identity(self.fake, environment)
        ours = self.ours(self.fake.environment(**environment), "hosted-app", ["/hosted"])
        self.check_alike(theirs, ours, ("X-Identity-Header",))
        self.assertEqual(theirs[0].headers["X-Identity-Header"], IDENTITY_HEADER)


def load_tests(loader, _, __):
    """Not the tests of the classes whose rig these use."""
    suite = loader.suiteClass()
    for case, base in ((Azure, AzureCheck), (Google, GoogleCheck)):
        suite.addTests(case(name) for name in loader.getTestCaseNames(case) if name in vars(case))
    return suite


if __name__ == "__main__":
    harness.main()
