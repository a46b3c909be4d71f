"""Google's token endpoint, STS, IAM credentials, metadata server, tokeninfo and resource manager, as far as a check of
credentials meets them, and stricter: see fake_cloud."""

import json
import time

import fake_cloud_sql
from fake_cloud import FakeCloud, Key, Refused, near

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
NARROW = "https://www.googleapis.com/auth/iam"  # suffices to be somebody else, and for nothing else here
TOKEN_URL = "https://oauth2.googleapis.com/token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"
ACCOUNT = "deployer@shop-1.iam.gserviceaccount.com"
MACHINE = "machine@shop-1.iam.gserviceaccount.com"
TARGET = "target@shop-1.iam.gserviceaccount.com"
SUBJECT = "subject.of.somebody"


class FakeGoogle(FakeCloud):
    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self.key = Key(folder, "google")
        self.tokens = {}  # token: e-mail, or None where tokeninfo does not say
        self.narrow = set()  # those of the narrow scope
        self.lacking = set()  # permissions that nobody has
        self.unknown = set()  # those that a project cannot have
        self.project = "shop-1"
        self.scope = SCOPE
        self.disabled = False
        self.log = []  # messages of the service, oldest first
        self.report = None  # of the gateway: the value of its guest attribute
        self.sql = fake_cloud_sql.CloudSql(self.project)

    # --- files ---

    def service_account(self, **more):
        return self.folder.file("account.json", json.dumps({
            "type": "service_account", "project_id": self.project, "private_key_id": "key-1", "private_key": self.key.pem(),
            "client_email": ACCOUNT, "client_id": "1", "token_uri": self.url("/token"), **more}))

    def user(self, **more):
        return {"type": "authorized_user", "client_id": "client.apps", "client_secret": "user-secret",
                "refresh_token": "1//refresh", "token_uri": self.url("/token"), **more}

    def external(self, source, **more):
        return self.folder.file("external.json", json.dumps({
            "type": "external_account", "audience": AUDIENCE, "subject_token_type": JWT, "token_url": self.url("/sts/v1/token"),
            "credential_source": source, **more}))

    def hop(self, account=TARGET):
        return self.url(f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken")

    def environment(self):
        return {"GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT": self.url("/crm/v1/"),
                "GOOGLE_LOGGING_CUSTOM_ENDPOINT": self.url("/logging/v2/"),
                "GOOGLE_COMPUTE_CUSTOM_ENDPOINT": self.url("/compute/v1/"),
                "GOOGLE_SQL_CUSTOM_ENDPOINT": self.url("/sql/v1beta4/"),
                "GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT": self.url("/v1/"),
                "FRAISEQL_GOOGLE_TOKENINFO": self.url("/tokeninfo"), "GCE_METADATA_HOST": f"127.0.0.1:{self.port}"}

    # --- answers ---

    def error_body(self, status):
        return {"error": {"code": status, "status": "FAULT", "message": f"fault {status}"}}

    def route(self, call):
        if call.path == "/" or call.path.startswith("/computeMetadata/"):
            return "metadata", self.metadata
        if call.path.startswith("/v1/projects/-/serviceAccounts/"):
            return "impersonate", self.impersonate
        if call.path.startswith("/crm/v1/projects/"):
            return "permissions", self.permissions
        if call.path.startswith(fake_cloud_sql.PREFIX):
            return "sql-" + call.method.lower(), self.database
        if call.path == f"/compute/v1/projects/{self.project}/zones/europe-west1-b/instances/demo-eu-gateway/getGuestAttributes":
            return "attributes", self.attributes
        if call.path == "/logging/v2/entries:list":
            return "logging", self.logging
        return {"/token": ("token", self.token), "/sts/v1/token": ("sts", self.exchange), "/subject": ("subject", self.subject),
                "/tokeninfo": ("tokeninfo", self.tokeninfo)}[call.path]

    def give(self, email):
        with self.lock:
            token = f"ya29.fake-{len(self.tokens)}"
            self.tokens[token] = email
        return token

    def owner(self, call, narrow=False):
        token = call.bearer()
        if token not in self.tokens:
            raise Refused(401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "Invalid credentials."}})
        if token in self.narrow and not narrow:
            raise Refused(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [
                {"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com"}]}})
        return self.tokens[token]

    def token(self, call):
        form = call.form()
        if call.method != "POST":
            raise ValueError(call.method)
        if form["grant_type"] == "refresh_token":
            if set(form) != {"grant_type", "client_id", "client_secret", "refresh_token"}:
                raise ValueError(sorted(form))
            if (form["client_id"], form["client_secret"], form["refresh_token"]) != ("client.apps", "user-secret", "1//refresh"):
                raise Refused(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
            return {}, {"access_token": self.give("ops@example.com"), "expires_in": 3599, "token_type": "Bearer", "scope": self.scope}
        if form["grant_type"] != JWT_BEARER or set(form) != {"grant_type", "assertion"}:
            raise ValueError(sorted(form.items()))
        try:
            header, claims = self.key.verify(form["assertion"])
        except ValueError:
            raise Refused(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}) from None
        now = int(time.time())
        if header != {"alg": "RS256", "typ": "JWT", "kid": "key-1"} or set(claims) != {"iss", "scope", "aud", "iat", "exp"}:
            raise ValueError((header, claims))
        if claims["iss"] != ACCOUNT or claims["scope"] != self.scope or claims["aud"] not in (self.url("/token"), TOKEN_URL):
            raise ValueError(claims)
        if not near(claims["iat"], now) or claims["exp"] - claims["iat"] != 3600:
            raise ValueError(claims)
        return {}, {"access_token": self.give(ACCOUNT), "expires_in": 3599, "token_type": "Bearer"}

    def subject(self, call):
        if call.method != "GET" or call.headers.get("X-Ask") != "politely":
            raise ValueError(dict(call.headers))
        return {}, {"value": SUBJECT}

    def exchange(self, call):
        form = call.form()
        want = {"grant_type": EXCHANGE, "audience": AUDIENCE, "scope": self.scope, "requested_token_type": ACCESS_TOKEN,
                "subject_token_type": JWT, "subject_token": SUBJECT}
        if form.get("scope") == NARROW:
            want["scope"] = NARROW
        if form["subject_token"] != SUBJECT:
            raise Refused(400, {"error": "invalid_grant", "error_description": "The subject token is not one of ours."})
        if form != want or call.method != "POST":
            raise ValueError(form)
        token = self.give(None)
        if form["scope"] == NARROW:
            self.narrow.add(token)
        return {}, {"access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3599}

    def impersonate(self, call):
        self.owner(call, narrow=True)
        account = call.path.rsplit("/", 1)[1].split(":")[0]
        body = call.json()
        if call.method != "POST" or set(body) != {"delegates", "scope", "lifetime"} or body["scope"] != [self.scope]:
            raise ValueError(body)
        if account != TARGET:
            raise Refused(403, {"error": {"code": 403, "status": "PERMISSION_DENIED",
                                          "message": "Permission 'iam.serviceAccounts.getAccessToken' denied"}})
        end = time.gmtime(time.time() + int(body["lifetime"][:-1]))
        return {}, {"accessToken": self.give(account), "expireTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", end)}

    def metadata(self, call):
        if call.method != "GET" or call.headers.get("Metadata-Flavor") != "Google":
            raise Refused(403, {"error": "missing flavor"})
        base = "/computeMetadata/v1/instance/service-accounts/default/"
        flavor = {"Metadata-Flavor": "Google"}
        if call.path == "/":  # is this one at all
            return flavor, b"computeMetadata/\n"
        if call.path == base and call.query == {"recursive": ["true"]}:
            return flavor, {"email": MACHINE, "aliases": ["default"], "scopes": [self.scope]}
        if call.path == base + "email":
            return flavor, MACHINE.encode()
        if call.path != base + "token" or call.query != {"scopes": [self.scope]}:
            raise ValueError((call.path, call.query))
        return flavor, {"access_token": self.give(MACHINE), "expires_in": 1200,
                        "token_type": "Bearer"}

    def tokeninfo(self, call):
        email = self.owner(call)
        if call.method != "POST" or call.query:
            raise ValueError("a token belongs into no address")
        return {}, {"scope": self.scope, "expires_in": "3000", **({"email": email} if email else {})}

    def permissions(self, call):
        self.owner(call)
        if call.method != "POST" or call.query:
            raise ValueError(call.method)
        if self.disabled:
            raise Refused(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "has not been used", "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com",
                 "metadata": {"service": "cloudresourcemanager.googleapis.com", "consumer": "projects/42"}}]}})
        if call.path != f"/crm/v1/projects/{self.project}:testIamPermissions":
            raise Refused(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "The caller does not have permission"}})
        body = call.json()
        asked = body["permissions"]
        if set(body) != {"permissions"} or not asked or len(set(asked)) != len(asked) or any("*" in each for each in asked):
            raise ValueError(body)
        if len(asked) > 100:
            raise ValueError(f"{len(asked)} permissions, of which a question takes 100")
        for each in asked:  # one of them, and the whole question is refused
            if each in self.unknown:
                raise Refused(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT",
                                              "message": f"Permission {each} is not valid for this resource."}})
        granted = [each for each in asked if each not in self.lacking]
        return {}, {"permissions": granted} if granted else {}

    def logging(self, call):
        """Newest first, two a page however many are asked for, which Google may do too."""
        self.owner(call)
        body = call.json()
        if call.method != "POST" or call.query or body["resourceNames"] != [f"projects/{self.project}"] or \
                body["orderBy"] != "timestamp desc" or not 1 <= body["pageSize"] <= 1000 or \
                not set(body) <= {"resourceNames", "filter", "orderBy", "pageSize", "pageToken"} or \
                'log_id("gcplogs-docker-driver")' not in body["filter"]:
            raise ValueError(body)
        start = int(body.get("pageToken", "0"))
        page = self.log[::-1][start:start + 2]
        more = {"nextPageToken": str(start + 2)} if start + 2 < len(self.log) else {}
        return {}, {"entries": [{"jsonPayload": {"message": line}} for line in page], **more}

    def attributes(self, call):
        self.owner(call)
        if call.method != "GET" or call.query != {"queryPath": ["fraiseql/replication"]}:
            raise ValueError(call.query)
        if self.report is None:
            raise Refused(404, {"error": {"code": 404, "message": "The resource 'fraiseql/replication' of type 'Guest Attribute' was not found."}})
        return {}, {"kind": "compute#guestAttributes", "queryPath": "fraiseql/replication", "queryValue": {
            "items": [{"namespace": "fraiseql", "key": "replication", "value": self.report}]}}

    def database(self, call):
        self.owner(call)
        with self.lock:
            return {}, self.sql.serve(call)
