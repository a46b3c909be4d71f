"""A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager, and kwok in the place of
the kubelets. Objects are stored, controllers act on them, and nothing is run."""

import base64
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import unittest
import urllib.error
import urllib.request

import peers
from harness import Folder, Program, free_port, wait_until

ADMIN = "admin-token"


def own_address():
    """An address of this machine that is not loopback: the API server's proxies refuse loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            raise unittest.SkipTest("this machine has no address but loopback") from None


class Backend:
    """In the place of a kubelet and of the metrics server, over TLS: a page a path. A path that was not given is 404, and
    so is every method but GET."""

    def __init__(self, cluster):
        backend = self
        self.pages, self.asked = {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.split("?")[0]
                backend.asked.append(self.path)
                page = backend.pages.get(path)
                kind, body = page() if page else ("text/plain", "nothing here\n")
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.address = own_address()
        self.server = http.server.ThreadingHTTPServer((self.address, 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cluster.path("server.pem"), cluster.path("server.key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Cluster:
    def __init__(self):
        self.folder = Folder("fraiseql-kube-")
        self.parts = []
        self.port = free_port()
        self.etcd_port = free_port()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    # --- parts ---

    def path(self, name):
        return os.path.join(self.folder.path, name)

    def run(self, name, *arguments):
        self.parts.append(Program([peers.program(name), *arguments], self.folder, name + ".log"))

    def start(self):
        for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kwok"):
            peers.program(name)
        self.make_certificates()
        etcd, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{free_port()}"
        self.run("etcd", "--data-dir", self.path("etcd"), "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer)
        self.run("kube-apiserver", "--etcd-servers=" + etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
                 f"--secure-port={self.port}", "--tls-cert-file=" + self.path("server.pem"),
                 "--tls-private-key-file=" + self.path("server.key"), "--client-ca-file=" + self.path("ca.pem"),
                 "--service-cluster-ip-range=10.96.0.0/16", "--service-account-issuer=https://kubernetes.default.svc",
                 "--service-account-key-file=" + self.path("sa.pub"), "--service-account-signing-key-file=" + self.path("sa.key"),
                 "--token-auth-file=" + self.folder.file("tokens.csv", f'{ADMIN},admin,admin,"system:masters"\n'),
                 "--authorization-mode=RBAC", "--enable-aggregator-routing=true", "--etcd-compaction-interval=0",
                 # Pages from etcd, so that a compaction makes them expire, as it does where the cache has no snapshot any more.
                 "--feature-gates=ListFromCacheSnapshot=false")
        wait_until(lambda: self.call("/readyz") == "ok", 90, lambda: "the API server: " + self.log("kube-apiserver"))
        config = self.kubeconfig("admin", {"token": ADMIN})
        self.run("kube-controller-manager", "--kubeconfig=" + config, "--authentication-kubeconfig=" + config,
                 "--authorization-kubeconfig=" + config, "--bind-address=127.0.0.1", f"--secure-port={free_port()}",
                 "--leader-elect=false", "--service-account-private-key-file=" + self.path("sa.key"),
                 "--use-service-account-credentials=false", "--cert-dir=" + self.path("certs"))
        self.run("kwok", "--kubeconfig=" + config, "--manage-all-nodes=false",
                 "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", f"--server-address=127.0.0.1:{free_port()}")

    def log(self, name):
        with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as text:
            return "\n".join(text.read().splitlines()[-3:])

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder.path)

    def certificate(self, name, subject, extension):
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject)
        self.folder.file(name + ".ext", extension)
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                     "-out", name + ".pem", "-extfile", name + ".ext")

    def make_certificates(self):
        self.openssl("genrsa", "-out", "sa.key", "2048")
        self.openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
                     "/CN=kube-test-ca")
        self.certificate("server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,DNS:kubernetes.default.svc")

    # --- the API, as the administrator ---

    @property
    def server(self):
        return f"https://127.0.0.1:{self.port}"

    def call(self, path, method="GET", body=None, content_type="application/json"):
        request = urllib.request.Request(self.server + path, method=method, headers={
            "Authorization": "Bearer " + ADMIN, "Content-Type": content_type}, data=json.dumps(body).encode() if body is not None else None)
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as answer:
            raise AssertionError(f"{method} {path}: {answer.code} {answer.read().decode()[:300]}") from None
        return json.loads(text) if text.startswith("{") else text

    def create(self, path, **body):
        return self.call(path, "POST", body)

    def namespace(self, name):
        self.create("/api/v1/namespaces", metadata={"name": name})
        # Pods are admitted once the controller has made the namespace's account.
        wait_until(lambda: self.call(f"/api/v1/namespaces/{name}/serviceaccounts/default"), 60, "the namespace's service account")

    def node(self, name):
        self.create("/api/v1/nodes", metadata={"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}},
                    status={"allocatable": {"cpu": "32", "memory": "256Gi", "pods": "30000"},
                            "capacity": {"cpu": "32", "memory": "256Gi", "pods": "30000"}})

    def node_with_kubelet(self, name, address, port):
        self.create("/api/v1/nodes", metadata={"name": name})
        self.call(f"/api/v1/nodes/{name}/status", "PATCH", {"status": {
            "addresses": [{"type": "InternalIP", "address": address}], "capacity": {"cpu": "4", "memory": "16Gi"},
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}}, "application/merge-patch+json")

    def aggregate_metrics(self, address, port):
        """Has metrics.k8s.io answered by the server at that address."""
        self.create("/api/v1/namespaces/kube-system/services", metadata={"name": "metrics-server"},
                    spec={"ports": [{"port": 443, "targetPort": port}]})
        self.create("/api/v1/namespaces/kube-system/endpoints", metadata={"name": "metrics-server"},
                    subsets=[{"addresses": [{"ip": address}], "ports": [{"port": port}]}])
        self.create("/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", addressType="IPv4", metadata={
            "name": "metrics-server", "labels": {"kubernetes.io/service-name": "metrics-server"}},
            endpoints=[{"addresses": [address], "conditions": {"ready": True}}], ports=[{"port": port}])
        self.create("/apis/apiregistration.k8s.io/v1/apiservices", metadata={"name": "v1beta1.metrics.k8s.io"}, spec={
            "service": {"name": "metrics-server", "namespace": "kube-system", "port": 443}, "group": "metrics.k8s.io",
            "version": "v1beta1", "insecureSkipTLSVerify": True, "groupPriorityMinimum": 100, "versionPriority": 100})

    def pod(self, namespace, name, node, **spec):
        container = {"name": "c", "image": "i:1", "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}}
        return self.create(f"/api/v1/namespaces/{namespace}/pods", metadata={"name": name},
                           spec={"nodeName": node, "automountServiceAccountToken": False, "containers": [container], **spec})

    def account_token(self, namespace, name, seconds=3600):
        return self.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
                           spec={"expirationSeconds": seconds})["status"]["token"]

    def kubeconfig(self, name, user, **cluster):
        with open(self.path("ca.pem"), "rb") as authority:
            data = base64.b64encode(authority.read()).decode()
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "x",
                  "clusters": [{"name": "c", "cluster": {"server": self.server, "certificate-authority-data": data, **cluster}}],
                  "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "users": [{"name": "u", "user": user}]}
        return self.folder.file(name + ".kubeconfig", json.dumps(config))

    def compact(self):
        """Makes etcd forget what was, so that lists under way expire."""
        revision = json.loads(urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{self.etcd_port}/v3/kv/range", data=json.dumps({"key": "AA=="}).encode())).read())["header"]["revision"]
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.etcd_port}/v3/kv/compaction", data=json.dumps(
            {"revision": revision, "physical": True}).encode())).read()

    def close(self):
        for part in reversed(self.parts):
            part.close()
        self.folder.remove()
