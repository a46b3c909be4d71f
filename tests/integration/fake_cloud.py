"""What the fakes of clouds share: a strict HTTP server with faults by order, keys, and JWTs judged by openssl.

A fake answers as its cloud does and writes down whatever a real one would not take (`violations`); a test ends with
`assert not fake.violations`. `fail(place, *faults)` makes the next answers of a place go wrong: a status (429, 500),
"slow", "cut" (half of the body), "malformed" (no JSON)."""

import base64
import http.server
import json
import os
import re
import ssl
import subprocess
import threading
import time
import urllib.parse

import harness

SLOW_S = 3.0


def unbase64url(text):
    if "=" in text or "+" in text or "/" in text:
        raise ValueError("not base64url without padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


class Key:
    """An RSA key with a certificate of its own, in files of a folder."""

    def __init__(self, folder, name="key"):
        self.folder = folder
        self.path = os.path.join(folder.path, name + ".pem")
        self.certificate = os.path.join(folder.path, name + ".crt")
        self.public = os.path.join(folder.path, name + ".pub")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.path, "-out", self.certificate, "-days", "2",
                "-subj", "/CN=fake", "-addext", "subjectAltName=IP:127.0.0.1")
        with open(self.public, "wb") as out:
            out.write(openssl("pkey", "-in", self.path, "-pubout"))

    def pem(self):
        with open(self.path, encoding="ascii") as text:
            return text.read()

    def both(self):
        with open(self.certificate, encoding="ascii") as text:
            return self.pem() + text.read()

    def pkcs12(self, password):
        return openssl("pkcs12", "-export", "-inkey", self.path, "-in", self.certificate, "-passout", "pass:" + password)

    def thumbprint(self, digest):
        text = openssl("x509", "-in", self.certificate, "-noout", "-fingerprint", "-" + digest).decode()
        return base64url(bytes.fromhex(text.strip().split("=")[1].replace(":", "")))

    def verify(self, jwt):
        """(header, claims) of a JWT that this key signed; ValueError of any other."""
        head, claims, signature = jwt.split(".")
        header = json.loads(unbase64url(head))
        if header["alg"] not in ("RS256", "PS256"):
            raise ValueError("alg " + header["alg"])
        path = self.folder.file(f"signature-{threading.get_ident()}.bin")  # several are judged at a time
        with open(path, "wb") as out:
            out.write(unbase64url(signature))
        padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if header["alg"] == "PS256" else []
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.public, *padding, "-signature", path],
                              input=f"{head}.{claims}".encode(), capture_output=True, check=False)
        if done.returncode:
            raise ValueError("the signature is not the key's")
        return header, json.loads(unbase64url(claims))


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(status)
        self.status, self.body = status, body


class Call:
    """One request: method, path, query and headers as they came; form() and json() of its body."""

    def __init__(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        self.method, self.path = handler.command, parts.path
        self.query = urllib.parse.parse_qs(parts.query, strict_parsing=bool(parts.query), keep_blank_values=True)
        self.headers, self.body = handler.headers, body

    def kind(self):
        """What the body is called; that it is UTF-8 need not be said."""
        return re.sub(r"; ?charset=utf-8$", "", self.headers.get("Content-Type") or "", flags=re.I)

    def form(self):
        if self.kind() != "application/x-www-form-urlencoded":
            raise ValueError("a form is not called one: " + str(self.headers.get("Content-Type")))
        pairs = urllib.parse.parse_qsl(self.body.decode("ascii"), strict_parsing=True, keep_blank_values=True)
        form = dict(pairs)
        if len(form) != len(pairs):
            raise ValueError("a member of the form comes twice")
        return form

    def json(self):
        if self.kind() != "application/json":
            raise ValueError("JSON is not called that: " + str(self.headers.get("Content-Type")))
        return json.loads(self.body)

    def bearer(self):
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        return token if kind == "Bearer" else None


class FakeCloud:
    """Subclasses answer `route(call)` with (place, function); the function returns (headers, object or bytes). With a Key
    in `tls` it is served over TLS with the key's certificate, for clients that send tokens over nothing else."""

    def __init__(self, tls=None):
        self.violations, self.calls = [], []
        self.scheme = "https" if tls else "http"
        self.faults, self.lock = {}, threading.Lock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                fake.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.port = harness.free_port()
        self.server = Server(("127.0.0.1", self.port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.path)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path=""):
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def fail(self, place, *faults):
        with self.lock:
            self.faults.setdefault(place, []).extend(faults)

    def count(self, place):
        with self.lock:
            return self.calls.count(place)

    def violate(self, what):
        with self.lock:
            self.violations.append(what)

    def fault(self, place):
        with self.lock:
            self.calls.append(place)
            waiting = self.faults.get(place)
            return waiting.pop(0) if waiting else None

    def error_body(self, status):
        return {"error": "fault", "error_description": f"fault {status}"}

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        call = Call(handler, body)
        try:
            place, function = self.route(call)
        except (KeyError, ValueError, TypeError) as problem:
            self.violate(f"{call.method} {call.path}: {problem!r}")
            return self.send(handler, 404, {}, {})
        fault = self.fault(place)
        if isinstance(fault, int):
            headers = {"Retry-After": "1"} if fault == 429 else {}
            return self.send(handler, fault, headers, self.error_body(fault))
        if fault == "slow":
            time.sleep(SLOW_S)
        try:
            headers, answer = function(call)
            status = 200
        except Refused as refused:
            status, headers, answer = refused.status, {}, refused.body
        except (KeyError, ValueError, TypeError) as problem:
            self.violate(f"{place}: {problem!r}")
            status, headers, answer = 400, {}, {"error": "invalid_request", "error_description": repr(problem)}
        if fault == "malformed":
            answer = b"<html>not json</html>"
        return self.send(handler, status, headers, answer, cut=fault == "cut")

    @staticmethod
    def send(handler, status, headers, answer, cut=False):
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        handler.send_response(status)
        kind = "text/plain" if isinstance(answer, bytes) else "application/json"
        for key, value in {"Content-Type": kind, **headers}.items():
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw[:len(raw) // 2] if cut else raw)
        if cut:
            handler.close_connection = True

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def near(seconds, want, slack=60):
    """Whether a time in seconds is what is wanted, give or take."""
    return isinstance(seconds, int) and abs(seconds - want) <= slack
