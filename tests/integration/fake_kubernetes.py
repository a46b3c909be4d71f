"""An API server with one object of each kind that has every value, for docs_rig.py. test_kubernetes.py asks the real one."""

import json
import time
import urllib.parse

from harness import Folder, Peer

TIME = "2026-11-26T10:00:00Z"
TOKEN = "fake-kubernetes-token"


def meta(name):
    return {"name": name, "namespace": "shop", "uid": "u-" + name, "creationTimestamp": TIME, "generation": 2}


CONDITION = [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}]
STATUS = {"ready": True, "restartCount": 3, "image": "i:1", "imageID": "sha", "containerID": "id",
          "lastState": {"terminated": {"reason": "OOMKilled"}}}
OBJECTS = {
    "/api/v1/nodes": {
        "metadata": {**meta("n1"), "labels": {"node-role.kubernetes.io/worker": ""}},
        "spec": {"providerID": "fake:///n1", "podCIDR": "10.1.0.0/24", "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]},
        "status": {"nodeInfo": {"kernelVersion": "6", "osImage": "Debian", "containerRuntimeVersion": "c", "kubeletVersion": "v1.34.4",
                                "systemUUID": "s"}, "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                   "capacity": {"cpu": "4", "memory": "16Gi"}, "allocatable": {"cpu": "4"}, "conditions": CONDITION}},
    "/api/v1/pods": {
        "metadata": meta("web-1"), "spec": {"nodeName": "n1", "containers": [{"name": "c", "resources": {
            "requests": {"cpu": "250m"}, "limits": {"memory": "64Mi"}}}]},
        "status": {"phase": "Running", "reason": "Evicted", "startTime": TIME, "conditions": CONDITION, "containerStatuses": [
            {**STATUS, "name": "c", "state": {"running": {}}}, {**STATUS, "name": "d", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}},
    "/apis/apps/v1/deployments": {"metadata": meta("web"), "spec": {"replicas": 2}, "status": {"conditions": CONDITION}},
    "/apis/apps/v1/statefulsets": {"metadata": meta("db"), "spec": {"replicas": 2}, "status": {}},
    "/apis/apps/v1/daemonsets": {"metadata": meta("agent"), "status": {}},
    "/apis/batch/v1/jobs": {"metadata": meta("backup"), "status": {"startTime": TIME, "completionTime": TIME}},
    "/api/v1/persistentvolumeclaims": {"metadata": meta("data"), "spec": {
        "storageClassName": "fast", "volumeName": "v", "resources": {"requests": {"storage": "10Gi"}}}, "status": {"phase": "Bound"}},
    "/apis/autoscaling/v2/horizontalpodautoscalers": {"metadata": meta("web"), "spec": {"minReplicas": 1, "maxReplicas": 3}, "status": {}},
    "/apis/policy/v1/poddisruptionbudgets": {"metadata": meta("web"), "status": {}},
    "/apis/discovery.k8s.io/v1/endpointslices": {"metadata": {**meta("web-1"), "labels": {"kubernetes.io/service-name": "web"}},
                                                 "addressType": "IPv4", "endpoints": [{"conditions": {"ready": True}}]},
}


def usage(path):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    used = {"cpu": "100m", "memory": "1Mi"}
    if path.endswith("/nodes"):
        return {"metadata": {"name": "n1"}, "timestamp": now, "usage": used}
    return {"metadata": meta("web-1"), "timestamp": now, "containers": [{"name": "c", "usage": used}]}


class FakeKubernetes:
    def __init__(self):
        self.folder = Folder()
        self.folder.file("token", TOKEN)
        self.peer = Peer(self.answer)

    def answer(self, handler):
        path = urllib.parse.unquote(handler.path.split("?")[0])
        if handler.headers.get("Authorization") != "Bearer " + TOKEN:
            return 401, {"Content-Type": "application/json"}, json.dumps({"kind": "Status", "code": 401}).encode()
        if path == "/api/v1/nodes/n1/proxy/metrics/cadvisor":
            return 200, {"Content-Type": "text/plain; version=0.0.4"}, (
                b"# HELP machine_cpu_cores Cores.\n# TYPE machine_cpu_cores gauge\nmachine_cpu_cores 4\n")
        if path.startswith("/apis/metrics.k8s.io/v1beta1/"):
            item = usage(path)
        elif path in OBJECTS:
            item = OBJECTS[path]
        else:
            return 404, {"Content-Type": "application/json"}, json.dumps({"kind": "Status", "code": 404}).encode()
        return 200, {"Content-Type": "application/json"}, json.dumps({"metadata": {}, "items": [item]}).encode()

    def target(self):
        return {"name": "k8s", "region": "us-east", "endpoint": self.peer.url("").rstrip("/"), "service_account": self.folder.path,
                "cadvisor": True, "interval": "1s"}

    def close(self):
        self.peer.close()
        self.folder.remove()
