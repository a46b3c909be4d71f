"""The Kubernetes source against a real API server with its controllers."""

import base64
import json
import os
import threading
import time

import harness
import kube_rig
from harness import Case, Folder, wait_until

MANIFEST = os.path.join(harness.ROOT, "packaging", "kubernetes", "rbac.yaml")


def manifest():
    import yaml  # python3-yaml
    with open(MANIFEST, encoding="utf-8") as text:
        return list(yaml.safe_load_all(text))


PATHS = {"ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts", "Namespace": "/api/v1/namespaces",
         "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
         "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
         "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
         "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"}


class Kubernetes(Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = kube_rig.Cluster()
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.namespace("shop")
        cls.cluster.node("n1")

    def start(self, **target):
        target = {"name": "k8s", "region": "onprem", "interval": "2s", "timeout": "2s", **target}
        if "kubeconfig" not in target:
            target["kubeconfig"] = self.cluster.kubeconfig("admin", {"token": kube_rig.ADMIN})
        return self.collector({"scrapers": {"kubernetes": [target]}}).start()

    def up(self, c, resource, **labels):
        return c.value("fraiseql_kubernetes_resource_up", resource=resource, **labels)

    def test_what_a_cluster_has(self):
        cluster = self.cluster
        cluster.pod("shop", "db-0", "n1")
        cluster.create("/apis/apps/v1/namespaces/shop/deployments", metadata={"name": "web"}, spec={
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}}, "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i:1"}]}}})
        cluster.create("/api/v1/namespaces/shop/services", metadata={"name": "web"},
                       spec={"selector": {"app": "web"}, "ports": [{"port": 80}]})
        cluster.create("/apis/policy/v1/namespaces/shop/poddisruptionbudgets", metadata={"name": "web"},
                       spec={"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}})
        cluster.create("/api/v1/namespaces/shop/persistentvolumeclaims", metadata={"name": "data"}, spec={
            "accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}})
        c = self.start()
        wait_until(lambda: c.value("kube_deployment_status_replicas_available", deployment="web", namespace="shop") == 2, 60,
                   "the deployment's pods to be available")
        wait_until(lambda: c.value("kube_node_status_condition", node="n1", condition="Ready", status="true") == 1, 60, "the node")
        wait_until(lambda: c.value("kube_pod_status_phase", pod="db-0", phase="Running") == 1, 60, "the pod to run")
        wait_until(lambda: c.value("kube_poddisruptionbudget_status_pod_disruptions_allowed", poddisruptionbudget="web") == 1, 60, "the budget")
        self.assertEqual(c.value("kube_pod_status_ready", pod="db-0", condition="true"), 1)
        self.assertEqual(c.value("kube_pod_container_resource_requests", pod="db-0", resource="cpu", unit="core", node="n1"), 0.25)
        self.assertEqual(c.value("kube_pod_container_status_restarts_total", pod="db-0", container="c"), 0)
        self.assertEqual(c.value("kube_persistentvolumeclaim_resource_requests_storage_bytes", persistentvolumeclaim="data"), 10 << 30)
        self.assertEqual(c.value("kube_node_status_capacity", node="n1", resource="memory", unit="byte"), 256 << 30)
        owners = {dict(labels)["created_by_kind"] for (name, labels), _ in c.metrics().items()
                  if name == "kube_pod_info" and dict(labels)["pod"].startswith("web-")}
        self.assertEqual(owners, {"ReplicaSet"})
        # The vocabulary that clouds share.
        self.assertEqual(c.value("fraiseql_region_machine_up", region="onprem", resource="n1"), 1)
        wait_until(lambda: c.value("fraiseql_region_load_balancer_healthy_backends", region="onprem", resource="shop/web") == 2, 60,
                   "the service's endpoints")
        # No metrics server: that costs its own metrics, and is no failure.
        self.assertEqual(self.up(c, "pods.metrics.k8s.io"), 0)
        self.assertEqual(self.up(c, "deployments.apps"), 1)
        self.assertEqual(c.value("fraiseql_target_up", scraper="kubernetes"), 1)
        # What goes, goes.
        cluster.call("/api/v1/namespaces/shop/pods/db-0?gracePeriodSeconds=0", "DELETE")
        wait_until(lambda: c.value("kube_pod_status_phase", pod="db-0", phase="Running") is None, 30, "the pod to vanish")

    def test_pages_and_a_list_that_expires(self):
        cluster = self.cluster
        cluster.namespace("many")
        for i in range(25):
            cluster.pod("many", f"p{i:02d}", "n1")
        c = self.start(namespaces=["many"], resources=["pods"], usage=False, page_size=7)
        count = lambda: sum(1 for (name, labels) in c.metrics() if name == "kube_pod_info")
        wait_until(lambda: count() == 25, 30, "all pods")
        self.assertEqual(c.value("fraiseql_kubernetes_objects", resource="pods", namespace="many"), 25)
        # Four pages a scrape.
        before = c.value("fraiseql_kubernetes_requests_total")
        self.assertEqual(before % 4, 0)
        # etcd is compacted and pods change all the time, so that tokens expire under way (HTTP 410).
        ended = threading.Event()

        def disturb():
            i = 0
            while not ended.wait(0.002):
                i += 1
                cluster.call("/api/v1/namespaces/many/pods/p00", "PATCH", {"metadata": {"annotations": {"i": str(i)}}},
                             "application/merge-patch+json")
                cluster.compact()

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            c.config["scrapers"]["kubernetes"][0].update(page_size=1)
            c.write()
            self.assertEqual(c.get("/-/reload", method="POST", data=b"")[0], 200)
            wait_until(lambda: c.value("fraiseql_kubernetes_expired_lists_total"), 60, "a list that has expired")
            wait_until(lambda: count() == 25, 30, "all pods, in spite of it")
        finally:
            ended.set()
            thread.join()

    def test_the_manifest_grants_what_is_read_and_no_more(self):
        cluster = self.cluster
        for thing in manifest():
            path = PATHS[thing["kind"]].format(namespace=thing["metadata"].get("namespace", ""))
            cluster.call(path, "POST", thing)
        account = next(thing["metadata"] for thing in manifest() if thing["kind"] == "ServiceAccount")
        token = cluster.account_token(account["namespace"], account["name"])
        cluster.pod("shop", "seen", "n1")
        c = self.start(kubeconfig=cluster.kubeconfig("account", {"token": token}))
        wait_until(lambda: c.value("kube_pod_info", pod="seen") == 1, 30, "the pod")
        refused = [dict(labels)["resource"] for (name, labels), value in c.metrics().items()
                   if name == "fraiseql_kubernetes_resource_up" and value == 0 and "metrics.k8s.io" not in dict(labels)["resource"]]
        self.assertEqual(refused, [])
        may = lambda verb, resource, group="": cluster.create(
            "/apis/authorization.k8s.io/v1/subjectaccessreviews", apiVersion="authorization.k8s.io/v1", kind="SubjectAccessReview",
            spec={"user": f"system:serviceaccount:{account['namespace']}:{account['name']}",
                  "groups": ["system:serviceaccounts", "system:authenticated"],
                  "resourceAttributes": {"verb": verb, "resource": resource.split("/")[0], "group": group,
                                         "subresource": (resource.split("/") + [""])[1]}})["status"]["allowed"]
        self.assertTrue(may("list", "pods"))
        self.assertTrue(may("list", "pods", "metrics.k8s.io"))
        for verb, resource in [("list", "secrets"), ("get", "secrets"), ("get", "configmaps"), ("get", "nodes/proxy"),
                               ("create", "pods/exec"), ("delete", "pods"), ("update", "deployments"), ("create", "pods")]:
            self.assertFalse(may(verb, resource), f"{verb} {resource}")

    def test_an_account_that_may_read_pods_of_one_namespace(self):
        cluster = self.cluster
        cluster.namespace("small")
        roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/small/"
        cluster.create(roles + "roles", metadata={"name": "pods"}, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}])
        cluster.create(roles + "rolebindings", metadata={"name": "pods"}, roleRef={
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pods"},
            subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": "small"}])
        cluster.pod("small", "mine", "n1")
        token = cluster.account_token("small", "default")
        c = self.start(kubeconfig=cluster.kubeconfig("small", {"token": token}), namespaces=["small"],
                       resources=["pods", "deployments", "nodes"], usage=False)
        wait_until(lambda: c.value("kube_pod_info", pod="mine") == 1, 30, "the pod")
        self.assertEqual(self.up(c, "deployments.apps"), 0)
        self.assertEqual(self.up(c, "nodes"), 0)
        self.assertEqual(c.value("fraiseql_target_up", scraper="kubernetes"), 1)
        log = c.log()
        self.assertIn("may not list deployments in namespace small (HTTP 403)", log)
        self.assertIn('grant the verb list on the resource deployments of the API group', log)
        self.assertEqual(log.count("may not list nodes"), 1)  # said once
        # Nothing that it may read is a failure of the target, by the words of what is lacking.
        d = self.start(kubeconfig=cluster.kubeconfig("none", {"token": token}), namespaces=["shop"], resources=["pods"], usage=False)
        error = lambda: d.json("/api/v1/status")["targets"][0]["error"] or ""
        wait_until(lambda: "may not list pods in namespace shop (HTTP 403)" in error(), 30, "the failure")

    def test_a_pod_s_own_account_whose_token_rotates(self):
        cluster = self.cluster
        folder = self.open(Folder())
        with open(cluster.path("ca.pem"), encoding="ascii") as authority:
            folder.file("ca.crt", authority.read())
        folder.file("token", "no-such-token")
        binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
        cluster.create(binding, metadata={"name": "rotating"}, roleRef={
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": "shop"}])
        c = self.collector({"scrapers": {"kubernetes": [{
            "name": "k8s", "region": "onprem", "interval": "2s", "timeout": "2s", "service_account": folder.path,
            "resources": ["pods"], "usage": False}]}})
        c.start(env={"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(cluster.port)})
        status = lambda: c.json("/api/v1/status")["targets"][0]
        wait_until(lambda: "does not know us (HTTP 401)" in (status()["error"] or ""), 30, "the refusal")
        folder.file("token", cluster.account_token("shop", "default"))
        wait_until(lambda: status()["up"], 30, "the new token to be read, without a minute's wait")

    def test_a_client_certificate(self):
        cluster = self.cluster
        cluster.certificate("monitor", "/O=system:masters/CN=monitor", "extendedKeyUsage=clientAuth")
        data = {}
        for key, name in (("client-certificate-data", "monitor.pem"), ("client-key-data", "monitor.key")):
            with open(cluster.path(name), "rb") as pem:
                data[key] = base64.b64encode(pem.read()).decode()
        files = {"client-certificate": "monitor.pem", "client-key": "monitor.key"}
        for name, user in (("data", data), ("files", files)):
            c = self.start(kubeconfig=cluster.kubeconfig(name, user), resources=["nodes"], usage=False)
            wait_until(lambda c=c: c.value("kube_node_info", node="n1") == 1, 30, name)
            c.stop()

    def test_usage_and_cadvisor_through_the_api_server(self):
        cluster = self.cluster
        backend = self.open(kube_rig.Backend(cluster))
        now = lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        usage = lambda kind, **item: ("application/json", json.dumps({"kind": kind, "apiVersion": "metrics.k8s.io/v1beta1",
                                                                      "metadata": {}, "items": [item]}))
        base = "/apis/metrics.k8s.io/v1beta1"
        backend.pages = {
            base: lambda: ("application/json", json.dumps({"kind": "APIResourceList", "groupVersion": "metrics.k8s.io/v1beta1", "resources": []})),
            base + "/nodes": lambda: usage("NodeMetricsList", metadata={"name": "real"}, timestamp=now(), window="10s",
                                           usage={"cpu": "1250m", "memory": "2Gi"}),
            base + "/pods": lambda: usage("PodMetricsList", metadata={"name": "p", "namespace": "shop"}, timestamp=now(), window="10s",
                                          containers=[{"name": "c", "usage": {"cpu": "1500000n", "memory": "3Mi"}}]),
        }
        stamp = lambda ago: int((time.time() - ago) * 1000)
        cpu = "container_cpu_usage_seconds_total"
        backend.pages["/metrics/cadvisor"] = lambda: ("text/plain; version=0.0.4; charset=utf-8", (
            f"# HELP {cpu} Cumulative cpu time consumed in seconds.\n# TYPE {cpu} counter\n"
            f'{cpu}{{container="c",cpu="total",id="/kubepods/p",image="i",name="x",namespace="shop",pod="p"}} 7.5 {stamp(3)}\n'
            f'{cpu}{{container="c",cpu="total",id="/kubepods/q",image="i",name="y",namespace="shop",pod="gone"}} 9 {stamp(900)}\n'
            f'{cpu}{{container="",cpu="total",id="/",image="",name="",namespace="",pod=""}} 100 {stamp(3)}\n'
            "# TYPE machine_cpu_cores gauge\nmachine_cpu_cores 4\n"))
        cluster.node_with_kubelet("real", backend.address, backend.port)
        cluster.aggregate_metrics(backend.address, backend.port)
        c = self.start(cadvisor=True, resources=["nodes"])
        wait_until(lambda: c.value("fraiseql_kubernetes_node_cpu_usage_cores", node="real") == 1.25, 60, "metrics.k8s.io")
        self.assertEqual(c.value("fraiseql_kubernetes_node_memory_working_set_bytes", node="real"), 2 << 30)
        self.assertEqual(c.value("fraiseql_kubernetes_container_cpu_usage_cores", pod="p", container="c"), 0.0015)
        self.assertLessEqual(c.value("fraiseql_kubernetes_pod_usage_age_seconds", pod="p"), 60)
        wait_until(lambda: c.value(cpu, pod="p", node="real") == 7.5, 30, "cadvisor")
        self.assertEqual(c.value(cpu, id="/", node="real"), 100)
        self.assertEqual(c.value("machine_cpu_cores", node="real"), 4)
        self.assertIsNone(c.value(cpu, pod="gone"))
        self.assertEqual(c.value("fraiseql_kubernetes_cadvisor_up", node="real"), 1)
        wait_until(lambda: c.value("fraiseql_kubernetes_cadvisor_dropped_samples_total", reason="stale"), 30, "the stale sample to be counted")
        # The kubelet goes: so do its metrics, and nobody else's.
        del backend.pages["/metrics/cadvisor"]
        wait_until(lambda: c.value("fraiseql_kubernetes_cadvisor_up", node="real") == 0, 30, "the loss to be seen")
        self.assertIsNone(c.value(cpu, pod="p"))
        self.assertEqual(c.value("fraiseql_target_up", scraper="kubernetes"), 1)
        cluster.call("/api/v1/nodes/real", "DELETE")
        cluster.call("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io", "DELETE")

    def test_kubeconfigs_that_are_refused(self):
        cluster = self.cluster
        for user, message in (({"exec": {"command": "aws", "apiVersion": "client.authentication.k8s.io/v1"}}, "logs in by a program (exec)"),
                              ({"token": "wrong"}, "does not know us (HTTP 401)")):
            c = self.start(kubeconfig=cluster.kubeconfig("refused", user), resources=["nodes"], usage=False)
            wait_until(lambda c=c, m=message: m in (c.json("/api/v1/status")["targets"][0]["error"] or ""), 30, message)
            c.stop()
        other = self.open(Folder())  # an authority that did not sign the server
        harness.subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-out", "other.pem", "-days",
                                "2", "-subj", "/CN=other"], check=True, capture_output=True, cwd=other.path)
        with open(os.path.join(other.path, "other.pem"), "rb") as pem:
            wrong = base64.b64encode(pem.read()).decode()
        c = self.start(kubeconfig=cluster.kubeconfig("other", {"token": kube_rig.ADMIN}, **{"certificate-authority-data": wrong}))
        wait_until(lambda: "certificate" in (c.json("/api/v1/status")["targets"][0]["error"] or "").lower(), 30, "the refusal")


if __name__ == "__main__":
    harness.main()
