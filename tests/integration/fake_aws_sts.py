"""A fake of AWS's STS and IAM, and of the servers beside a container and an instance, that is stricter than AWS: it
computes every signature itself and refuses what is not signed exactly as it should be.

It knows no more of AWS than what a sign-in asks. What it answers instead can be listed: `fake.instead` is a list of
answers that are given first, one a request: (status, headers, body), or one of the words cut, slow, malformed."""

import datetime
import hashlib
import hmac
import http.server
import json
import re
import threading
import time
import urllib.parse

from harness import free_port

ACCOUNT = "123456789012"
FORMS = ["application/x-www-form-urlencoded; charset=utf-8", "application/x-www-form-urlencoded"]
CLOCK_S = 300  # by how much a request's time may differ from ours


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def encode(text):
    return urllib.parse.quote(text, safe="-._~")


def canonical_query(query):
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    decoded = [(urllib.parse.unquote(name), urllib.parse.unquote(value)) for name, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted((encode(name), encode(value)) for name, value in decoded))


def signature(secret, method, path, query, headers, signed, body, scope, stamp):
    """The one signature that a request may carry; path is normalised already."""
    canonical = "\n".join([method, "/".join(encode(part) for part in path.split("/")), canonical_query(query),
                           *[f"{name}:{' '.join(headers[name].split())}" for name in signed], "", ";".join(signed),
                           hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def parse_stamp(stamp):
    return datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()


class FakeAws:
    def __init__(self):
        self.keys = {}       # access key -> (secret, session token or None, ARN of who it is)
        self.roles = {}      # ARN -> {"trusts": [ARN], "external_id": None or text}
        self.web_tokens = {} # token -> ARN of the role it may assume
        self.allow = lambda principal, action, resource, context: "allowed"
        self.missing_context = []
        self.simulates = lambda principal: True
        self.knows_roles = True
        self.container_token = None
        self.instance = None  # (role, credentials as a dict)
        self.container = None
        self.skew_s = 0       # of our clock
        self.instead = []
        self.calls = []       # (service, region, action, access key or None)
        self.refused = []     # codes
        self.lock = threading.Lock()
        self.issued = 0
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def date_time_string(self, timestamp=None):
                return super().date_time_string((timestamp or time.time()) + fake.skew_s)

            def do_any(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with fake.lock:
                    instead = fake.instead.pop(0) if fake.instead else None
                if instead is not None and not fake.answer_instead(self, instead):
                    return
                if instead is None:
                    self.answer(*fake.serve(self))

            do_GET = do_POST = do_PUT = do_any

            def answer(self, status, body, headers=None):
                body = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.port = free_port()
        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def user(self, access_key="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", session=None,
             arn=f"arn:aws:iam::{ACCOUNT}:user/jo"):
        """The environment of one more identity."""
        self.keys[access_key] = (secret, session, arn)
        return {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret,
                **({"AWS_SESSION_TOKEN": session} if session else {})}

    # --- answers -------------------------------------------------------------------------------------------------

    def answer_instead(self, handler, instead):
        if instead == "cut":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<GetCaller")
            handler.close_connection = True
            handler.connection.close()
            return False
        if instead == "slow":
            time.sleep(30)
            return False
        if instead == "malformed":
            handler.answer(200, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>")
            return True
        handler.answer(instead[0], instead[2], instead[1])
        return True

    def serve(self, handler):
        parts = urllib.parse.urlsplit(handler.path)
        if parts.path.startswith("/latest/"):
            return self.serve_instance(handler, parts.path)
        if parts.path == "/container":
            if self.container_token and handler.headers.get("Authorization") != self.container_token:
                return 401, "no"
            return 200, json.dumps(self.container)
        try:
            return self.serve_query(handler, parts)
        except Refusal as refusal:
            with self.lock:
                self.refused.append(refusal.code)
            return refusal.status, (
                '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n'
                f"    <Code>{refusal.code}</Code>\n    <Message>{refusal.message}</Message>\n  </Error>\n"
                "  <RequestId>1</RequestId>\n</ErrorResponse>\n")

    def serve_instance(self, handler, path):
        if not self.instance:
            return 404, ""
        if path == "/latest/api/token":
            good = handler.command == "PUT" and handler.headers.get("X-aws-ec2-metadata-token-ttl-seconds") == "21600"
            return (200, "metadata-token") if good else (400, "")
        if handler.headers.get("X-aws-ec2-metadata-token") != "metadata-token":
            return 401, ""
        base = "/latest/meta-data/iam/security-credentials/"
        role, credentials = self.instance
        return (200, role) if path == base else (200, json.dumps(credentials)) if path == base + role else (404, "")

    def check_signature(self, handler, parts):
        """(access key, service, region) of a request that is signed as it should be."""
        header = handler.headers.get("Authorization")
        if not header:
            raise Refusal(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, "
                             r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", header)
        if not match:
            raise Refusal(400, "IncompleteSignature", "Authorization header is not of the form")
        key, day, region, service, signed, given = match.groups()
        signed = signed.split(";")
        if key not in self.keys:
            raise Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        secret, session, _ = self.keys[key]
        if handler.headers.get("X-Amz-Security-Token") != session:
            raise Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid")
        needed = {"host", "x-amz-date", "content-type", *(["x-amz-security-token"] if session else [])}
        if signed != sorted(signed) or not needed <= set(signed):
            raise Refusal(403, "SignatureDoesNotMatch", f"Headers that must be signed: {sorted(needed)}")
        headers = {}
        for name in handler.headers:
            headers[name.lower()] = ",".join(handler.headers.get_all(name))
        stamp = headers["x-amz-date"]
        now = time.time() + self.skew_s
        if abs(parse_stamp(stamp) - now) > CLOCK_S:
            late = parse_stamp(stamp) < now
            raise Refusal(403, "SignatureDoesNotMatch",
                          f"Signature {'expired' if late else 'not yet current'}: {stamp} is now "
                          f"{'earlier' if late else 'still later'} than ...")
        want = signature(secret, handler.command, parts.path, parts.query, headers, signed, handler.body,
                         [day, region, service, "aws4_request"], stamp)
        if day != stamp[:8] or not hmac.compare_digest(want, given):
            raise Refusal(403, "SignatureDoesNotMatch",
                          "The request signature we calculated does not match the signature you provided.")
        return key, service, region

    def serve_query(self, handler, parts):
        if handler.headers.get("Content-Type") not in FORMS:
            raise Refusal(400, "InvalidAction", "not a form")
        form = dict(urllib.parse.parse_qsl(handler.body.decode(), strict_parsing=True, keep_blank_values=True))
        action = form.get("Action")
        key = service = region = None
        if action == "AssumeRoleWithWebIdentity":
            if "Authorization" in handler.headers:
                raise Refusal(400, "ValidationError", "this call is not signed")
        else:
            key, service, region = self.check_signature(handler, parts)
        with self.lock:
            self.calls.append((service, region, action, key))
        rules = {"GetCallerIdentity": ("sts", "2011-06-15", self.get_caller_identity),
                 "AssumeRole": ("sts", "2011-06-15", self.assume_role),
                 "AssumeRoleWithWebIdentity": (None, "2011-06-15", self.assume_role_with_web_identity),
                 "GetRole": ("iam", "2010-05-08", self.get_role),
                 "SimulatePrincipalPolicy": ("iam", "2010-05-08", self.simulate_principal_policy)}
        if action not in rules or rules[action][:2] != (service, form.get("Version")):
            raise Refusal(400, "InvalidAction", f"no {action} of {service} {form.get('Version')}")
        if service == "iam" and region != "us-east-1":
            raise Refusal(403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region.")
        inner = rules[action][2](form, key)
        return 200, (f'<{action}Response xmlns="https://amazonaws.com/doc/"><{action}Result>{inner}</{action}Result>'
                     f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>")

    def get_caller_identity(self, _, key):
        arn = self.keys[key][2]
        return f"<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{arn.split(':')[4]}</Account>"

    def issue(self, role, session_name):
        with self.lock:
            self.issued += 1
            number = self.issued
        key, secret, token = f"ASIA{number}", f"temporary-secret-{number}", f"temporary+token/{number}=="
        account, name = role.split(":")[4], role.rsplit("/", 1)[1]
        self.keys[key] = (secret, token, f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}")
        end = datetime.datetime.fromtimestamp(time.time() + 3600, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
                f"<SessionToken>{token}</SessionToken><Expiration>{end}</Expiration></Credentials>")

    def assume_role(self, form, key):
        role = self.roles.get(form["RoleArn"])
        me = self.keys[key][2]
        if not role or not any(me.startswith(who) for who in role["trusts"]) or \
                role.get("external_id") != form.get("ExternalId"):
            raise Refusal(403, "AccessDenied",
                          f"User: {me} is not authorized to perform: sts:AssumeRole on resource: {form['RoleArn']}")
        return self.issue(form["RoleArn"], form["RoleSessionName"])

    def assume_role_with_web_identity(self, form, _):
        if self.web_tokens.get(form["WebIdentityToken"]) != form["RoleArn"]:
            raise Refusal(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account")
        return self.issue(form["RoleArn"], form["RoleSessionName"])

    def get_role(self, form, key):
        if not self.knows_roles:
            raise Refusal(403, "AccessDenied", f"{self.keys[key][2]} is not authorized to perform: iam:GetRole")
        for arn in self.roles:
            if arn.rsplit("/", 1)[1] == form["RoleName"]:
                return f"<Role><Arn>{arn}</Arn></Role>"
        raise Refusal(404, "NoSuchEntity", "The role cannot be found.")

    def simulate_principal_policy(self, form, key):
        principal = form["PolicySourceArn"]
        if not self.simulates(principal):
            raise Refusal(403, "AccessDenied", f"{self.keys[key][2]} is not authorized to perform: "
                                               "iam:SimulatePrincipalPolicy")
        if not re.fullmatch(r"arn:aws:iam::\d{12}:(user|role)/.+", principal):
            raise Refusal(400, "InvalidInput", f"{principal} is no principal")
        actions = [form[name] for name in form if re.fullmatch(r"ActionNames\.member\.\d+", name)]
        context = {form[f"ContextEntries.member.{i}.ContextKeyName"]:
                   form[f"ContextEntries.member.{i}.ContextKeyValues.member.1"] for i in (1, 2, 3)}
        resource = form.get("ResourceArns.member.1", "*")
        # In pages, as IAM may do.
        start = int(form.get("Marker", "0"))
        page, rest = actions[start:start + 40], len(actions) > start + 40
        members = ""
        for action in page:
            decision = self.allow(principal, action, resource, context)
            missing = "".join(f"<member>{name}</member>" for name in self.missing_context) \
                if decision == "implicitDeny" else ""
            detail = ""
            if decision == "organization":
                decision = "implicitDeny"
                detail = ("<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>"
                          "</OrganizationsDecisionDetail>")
            members += (f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
                        f"<EvalDecision>{decision}</EvalDecision><MissingContextValues>{missing}</MissingContextValues>"
                        f"<MatchedStatements/>{detail}</member>")
        return (f"<EvaluationResults>{members}</EvaluationResults><IsTruncated>{str(rest).lower()}</IsTruncated>"
                + (f"<Marker>{start + 40}</Marker>" if rest else ""))
