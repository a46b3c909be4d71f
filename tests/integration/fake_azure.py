"""Entra ID's token endpoint, GitHub's issuer for a job, both managed identities, and Azure Resource Manager, as far as a
check of credentials meets them, and stricter: see fake_cloud."""

import json
import re
import time
import uuid

import fake_azure_postgres
from fake_cloud import FakeCloud, Key, Refused, base64url, near

TENANT = "aaaaaaaa-0000-0000-0000-000000000001"
CLIENT = "bbbbbbbb-0000-0000-0000-000000000002"
SUBSCRIPTION = "cccccccc-0000-0000-0000-000000000003"
SECRET = "Sec~ret+1&2=3"
SCOPE = "https://management.azure.com/.default"
ANALYTICS = "https://api.loganalytics.io/.default"
VAULT = "https://vault.azure.net/.default"
WORKSPACE = "dddddddd-0000-0000-0000-000000000004"
ASSERTED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FOREIGN = "token.of.another"
IDENTITY_HEADER = "header-secret"
RESOURCE = "https://management.azure.com"
TELEMETRY = re.compile("x-client-|x-app-|x-ms-|client-request-id$|client_info$|claims$")  # what MSAL adds to a form


def openid(base):
    """Where Microsoft's own sign-in finds what ours knows."""
    return {"issuer": f"{base}/v2.0", "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize", "jwks_uri": f"{base}/discovery/v2.0/keys"}


class FakeAzure(FakeCloud):
    def __init__(self, folder, tls=None):
        super().__init__(tls)
        self.folder = folder
        self.key = Key(folder, "azure")
        self.tokens, self.assertions = set(), set()
        self.state = "Enabled"
        self.roles = [[{"actions": ["*"], "notActions": []}]]  # pages of roles
        self.registered = {}  # namespace: registrationState
        self.readers = set()  # tokens for Log Analytics
        self.log = []  # lines of the workspace, oldest first
        self.keepers = set()  # tokens for key vaults
        self.report = None  # of the gateway: the value of its secret
        self.postgres = fake_azure_postgres.AzurePostgres(self)

    def environment(self, **more):
        return {"AZURE_AUTHORITY_HOST": self.url(), "FRAISEQL_AZURE_RESOURCE_MANAGER": self.url("/arm"),
                "FRAISEQL_AZURE_LOG_ANALYTICS": self.url("/analytics"), "FRAISEQL_AZURE_KEY_VAULT": self.url("/vault"), **more}

    def client(self, **more):
        return self.environment(ARM_TENANT_ID=TENANT, ARM_CLIENT_ID=CLIENT, **more)

    # --- answers ---

    def error_body(self, status):
        return {"error": {"code": "Fault", "message": f"fault {status}"}}

    def route(self, call):
        if call.path == f"/{TENANT}/oauth2/v2.0/token":
            return "token", self.token
        if call.path == f"/{TENANT}/v2.0/.well-known/openid-configuration":
            return "openid", lambda _: ({}, openid(self.url(f"/{TENANT}")))
        if call.path.startswith("/arm/subscriptions/") and (fake_azure_postgres.PART in call.path or "/azureAsyncOperation/" in call.path):
            return "postgres-" + call.method.lower(), self.database
        if call.path.startswith("/arm/subscriptions/"):
            return "manager", self.manager
        if call.path == f"/analytics/v1/workspaces/{WORKSPACE}/query":
            return "analytics", self.analytics
        if call.path == "/vault/secrets/replication-state":
            return "vault", self.vault
        return {"/metadata/identity/oauth2/token": ("machine", self.machine), "/hosted": ("hosted", self.hosted), "/job": ("job", self.job)}[call.path]

    def give(self, readers=None, **claims):
        token = ".".join(base64url(json.dumps(part).encode())
                         for part in ({"alg": "none"}, {"appid": CLIENT, "jti": str(uuid.uuid4()), **claims})) + ".c2ln"
        (self.tokens if readers is None else readers).add(token)
        return token

    def refuse(self, status, error, number, text):
        raise Refused(status, {"error": error, "error_description": f"AADSTS{number}: {text}\r\nTrace ID: 1\r\nTimestamp: 2",
                               "error_codes": [number]})

    def judge_assertion(self, assertion):
        if assertion == FOREIGN:
            return
        try:
            header, claims = self.key.verify(assertion)
        except ValueError:
            self.refuse(401, "invalid_client", 700027, "The certificate with identifier used to sign is not registered.")
        now = int(time.time())
        names = {"aud", "iss", "sub", "jti", "iat", "nbf", "exp"}
        if header["alg"] == "RS256":  # the older form, which is still taken: without nbf, and with fractions of seconds
            header["x5t"] = header["x5t"].rstrip("=")
            claims.update({name: int(claims.get(name, claims["iat"])) for name in ("iat", "nbf", "exp")})
            want = {"alg": "RS256", "typ": "JWT", "x5t": self.key.thumbprint("sha1")}
        else:
            want = {"alg": "PS256", "typ": "JWT", "x5t#S256": self.key.thumbprint("sha256")}
        if header != want:
            raise ValueError(header)
        if set(claims) != names or claims["aud"] != self.url(f"/{TENANT}/oauth2/v2.0/token"):
            raise ValueError(claims)
        if claims["iss"] != CLIENT or claims["sub"] != CLIENT or claims["jti"] in self.assertions:
            raise ValueError(claims)
        if not near(claims["nbf"], now) or not 0 < claims["exp"] - claims["nbf"] <= 600:
            raise ValueError(claims)
        self.assertions.add(str(uuid.UUID(claims["jti"])))

    def token(self, call):
        form = {name: value for name, value in call.form().items() if not TELEMETRY.match(name)}
        if call.method != "POST" or form["grant_type"] != "client_credentials" or form["scope"] not in (SCOPE, ANALYTICS, VAULT):
            raise ValueError(form)
        if form["client_id"] != CLIENT:
            self.refuse(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        rest = set(form) - {"grant_type", "scope", "client_id"}
        if rest == {"client_secret"}:
            if form["client_secret"] != SECRET:
                self.refuse(401, "invalid_client", 7000215, "Invalid client secret provided.")
        elif rest == {"client_assertion", "client_assertion_type"} and form["client_assertion_type"] == ASSERTED:
            self.judge_assertion(form["client_assertion"])
        else:
            raise ValueError(form)
        return {}, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
                    "access_token": self.give(readers={ANALYTICS: self.readers, VAULT: self.keepers}.get(form["scope"]))}

    def job(self, call):
        if call.bearer() != "job-token" or call.query != {"v": ["1"], "audience": ["api://AzureADTokenExchange"]}:
            raise ValueError(call.query)
        return {}, {"count": 1, "value": FOREIGN}

    def machine(self, call):
        if call.method != "GET" or call.headers.get("Metadata") != "true":
            raise Refused(400, {"error": "bad_request_102", "error_description": "Required metadata header not specified"})
        if call.query not in ({"api-version": ["2018-02-01"], "resource": [RESOURCE], **who} for who in ({}, {"client_id": [CLIENT]})):
            raise ValueError(call.query)
        now = int(time.time())
        return {}, {"access_token": self.give(appid="machine-app"), "expires_in": "86399", "expires_on": str(now + 86399),
                    "resource": RESOURCE, "token_type": "Bearer"}

    def hosted(self, call):
        if call.headers.get("X-IDENTITY-HEADER") != IDENTITY_HEADER:
            raise Refused(401, {"error": {"code": "Unauthorized", "message": "no header"}})
        if call.query not in ({"api-version": ["2019-08-01"], "resource": [RESOURCE], **who} for who in ({}, {"client_id": [CLIENT]})):
            raise ValueError(call.query)
        return {}, {"access_token": self.give(appid="hosted-app"), "expires_on": str(int(time.time()) + 3600),
                    "token_type": "Bearer"}

    def manager(self, call):
        if call.bearer() not in self.tokens:
            raise Refused(401, {"error": {"code": "InvalidAuthenticationToken", "message": "The access token is invalid."}})
        if call.method != "GET":
            raise ValueError(call.method)
        if not call.path.startswith(f"/arm/subscriptions/{SUBSCRIPTION}"):
            raise Refused(404, {"error": {"code": "SubscriptionNotFound", "message": "The subscription could not be found."}})
        rest, version = call.path[len(f"/arm/subscriptions/{SUBSCRIPTION}"):], call.query["api-version"]
        if not rest:
            if version != ["2022-12-01"]:
                raise ValueError(version)
            return {}, {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION, "state": self.state}
        if rest == "/providers/Microsoft.Authorization/permissions":
            if version != ["2022-04-01"]:
                raise ValueError(version)
            page = int(call.query.get("page", ["0"])[0])
            link = self.url(f"{call.path}?api-version=2022-04-01&page={page + 1}")
            return {}, {"value": self.roles[page], **({"nextLink": link} if page + 1 < len(self.roles) else {})}
        if "/providers/Microsoft.OperationalInsights/workspaces/" in rest:
            if version != ["2022-10-01"] or not rest.startswith("/resourceGroups/"):
                raise ValueError(call.path)
            return {}, {"properties": {"customerId": WORKSPACE}}
        namespace = rest.removeprefix("/providers/")
        if version != ["2021-04-01"] or "/" in namespace:
            raise ValueError(call.path)
        return {}, {"namespace": namespace, "registrationState": self.registered.get(namespace, "Registered")}

    def database(self, call):
        if call.bearer() not in self.tokens:
            raise Refused(401, {"error": {"code": "InvalidAuthenticationToken", "message": "The access token is invalid."}})
        with self.lock:
            return self.postgres.serve(call, call.path[len(f"/arm/subscriptions/{SUBSCRIPTION}"):])

    def vault(self, call):
        if call.bearer() not in self.keepers:
            raise Refused(401, {"error": {"code": "Unauthorized", "message": "AKV10022: Invalid audience."}})
        if call.method != "GET" or call.query != {"api-version": ["7.4"]}:
            raise ValueError(call.query)
        if self.report is None:
            raise Refused(404, {"error": {"code": "SecretNotFound", "message": "A secret with that name was not found."}})
        return {}, {"value": self.report, "id": "https://shop.vault.azure.net/secrets/replication-state/1", "attributes": {"enabled": True}}

    def analytics(self, call):
        if call.bearer() not in self.readers:
            raise Refused(403, {"error": {"code": "InvalidTokenError", "message": "The token is for another audience."}})
        body = call.json()
        most = re.search(r'^Syslog \| where Facility == "local0" \| top (\d+) by TimeGenerated desc \| '
                         r"order by TimeGenerated asc \| project SyslogMessage$", body["query"])
        if call.method != "POST" or call.query or set(body) != {"query", "timespan"} or not most:
            raise ValueError(body)
        return {}, {"tables": [{"name": "PrimaryResult", "columns": [{"name": "SyslogMessage", "type": "string"}],
                                "rows": [[line] for line in self.log[-int(most[1]):]]}]}
