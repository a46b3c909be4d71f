"""A fake of Azure Monitor: Entra's token endpoint for two audiences, Resource Manager's lists of resources and metrics API,
metrics:getBatch of the data plane.

Stricter than Azure: a token of the other audience, a window that is not of whole time grains, an unknown version, type, metric
or parameter, a grain or dimension that a metric does not have, resources of several regions or types, or more than fifty in
one call are violations. `put` says from when a value can be seen. `units` are of metrics that do not count. `metric_errors` makes one metric fail inside a 200; `forbidden` are ids that the token may not see.
`ledger` has (api, metrics, from, to, ids) of each call that was answered."""

import calendar
import re
import time
import uuid

from fake_azure import TELEMETRY, openid
from fake_cloud import FakeCloud, Refused

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
SECRET = "Sec~ret+1&2=3"
MANAGER, MONITOR = "https://management.azure.com/.default", "https://metrics.monitor.azure.com/.default"
METRICS = "/providers/microsoft.insights/metrics"
PAGE = 20
AGGREGATIONS = {"average", "minimum", "maximum", "total", "count"}
GRAINS = {"PT1M": 60, "PT5M": 300, "PT15M": 900, "PT30M": 1800, "PT1H": 3600, "PT6H": 21600, "PT12H": 43200, "P1D": 86400}
# Of Microsoft's reference pages: metrics that are not written each minute, and what these can be split by.
FINEST = {"max_connections": 1800, "database_size_bytes": 1800}
SPLITS = {"xact_total": {"DatabaseName", "ServerName"}, "deadlocks": {"DatabaseName", "ServerName"},
          "OriginHealthPercentage": {"Origin", "OriginGroup"}, "OriginLatency": {"Origin", "Endpoint"},
          "OriginRequestCount": {"HttpStatus", "HttpStatusGroup", "Origin", "Endpoint"},
          "Transactions": {"ResponseType", "GeoType", "ApiName", "Authentication"}, "QpsByEndpoint": {"EndpointName"},
          "ProbeAgentCurrentEndpointStateByProfileResourceId": {"EndpointName"}}


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds_of(text):
    seconds = calendar.timegm(time.strptime(re.sub(r"\.000Z$", "Z", text), "%Y-%m-%dT%H:%M:%SZ"))
    if seconds % 60:
        raise ValueError("a window that is not of whole minutes: " + text)
    return seconds


def one(call, name):
    value, = call.query[name]
    return value


class FakeAzureMonitor(FakeCloud):
    def __init__(self, tls=None):
        super().__init__(tls)
        self.given = {MANAGER: set(), MONITOR: set()}  # tokens by scope
        self.secret = SECRET
        self.resources = {}  # id in small letters -> what Resource Manager says
        self.values = {}  # (id, metric, values of dimensions, minute) -> [(aggregation, value, visible from)]
        self.units = {}
        self.metric_errors, self.forbidden = {}, set()
        self.ledger = []
        self.hangs = False

    def add(self, kind, name, location="westeurope", group="Production"):
        path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{kind}/{name}"
        with self.lock:
            self.resources[path.lower()] = {"id": path, "name": name, "type": kind, "location": location, "tags": {}}
        return path.lower()

    def put(self, resource, metric, at, aggregation, value, dimension="", visible=0):
        with self.lock:
            values = (dimension,) if isinstance(dimension, str) and dimension else tuple(dimension)
            self.values.setdefault((resource, metric, values, int(at // 60 * 60)), []).append((aggregation, value, visible))

    def forget_tokens(self):
        with self.lock:
            for tokens in self.given.values():
                tokens.clear()

    # --- answers -----------------------------------------------------------------------------------------------------

    def error_body(self, status):
        return {"error": {"code": "TooManyRequests" if status == 429 else "Fault", "message": f"fault {status}"}}

    def route(self, call):
        if self.hangs:
            time.sleep(120)
        scope = f"/subscriptions/{SUBSCRIPTION}"
        if call.path == f"/{TENANT}/oauth2/v2.0/token" and call.method == "POST":
            return "token", self.token
        if call.path == f"/{TENANT}/v2.0/.well-known/openid-configuration" and call.method == "GET":
            return "openid", lambda _: ({}, openid(self.url(f"/{TENANT}")))
        if call.path == f"{scope}/metrics:getBatch" and call.method == "POST":
            return "batch", self.batch
        if call.path.lower().endswith(METRICS) and call.method == "GET":
            return "metrics", self.metrics
        if re.fullmatch(scope + r"(/resourceGroups/[^/]+)?/resources", call.path) and call.method == "GET":
            return "resources", self.list_resources
        raise ValueError("no such path")

    def token(self, call):
        form = {name: value for name, value in call.form().items() if not TELEMETRY.match(name)}
        if set(form) != {"grant_type", "client_id", "scope", "client_secret"} or form["grant_type"] != "client_credentials":
            raise ValueError(sorted(form))
        if form["client_id"] != CLIENT or form["client_secret"] != self.secret:
            raise Refused(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."})
        token = "token-" + str(uuid.uuid4())
        with self.lock:
            self.given[form["scope"]].add(token)
        return {}, {"token_type": "Bearer", "expires_in": 3599, "access_token": token}

    def check_token(self, call, scope):
        with self.lock:
            if call.bearer() in self.given[scope]:
                return
            if any(call.bearer() in tokens for tokens in self.given.values()):
                raise ValueError("a token of another audience")
        raise Refused(401, {"error": {"code": "InvalidAuthenticationToken", "message": "The access token is invalid."}})

    def list_resources(self, call):
        self.check_token(call, MANAGER)
        if set(call.query) - {"api-version", "$filter", "$skiptoken"} or one(call, "api-version") != "2021-04-01":
            raise ValueError(call.query)
        types = re.findall(r"resourceType eq '([\w./]+)'", one(call, "$filter"))
        if one(call, "$filter") != " or ".join(f"resourceType eq '{kind}'" for kind in types):
            raise ValueError("filter")
        group = re.search(r"/resourceGroups/([^/]+)/", call.path)
        with self.lock:
            found = [r for path, r in sorted(self.resources.items()) if r["type"] in types
                     and (not group or f"/resourcegroups/{group[1].lower()}/" in path)]
        at = int(call.query.get("$skiptoken", ["0"])[0])
        link = {"nextLink": self.url(f"{call.path}?api-version=2021-04-01&%24filter={one(call, '$filter').replace(' ', '%20')}"
                                     f"&%24skiptoken={at + PAGE}")}
        return {}, {"value": found[at:at + PAGE], **(link if at + PAGE < len(found) else {})}

    def question(self, call, start, end, filter_name, more):
        """What both APIs are asked alike: (namespace, metrics, aggregations, grain, [(dimension, value or *)])."""
        allowed = {"api-version", "metricnamespace", "metricnames", "aggregation", "interval", "top", filter_name} | more
        if set(call.query) - allowed or one(call, "api-version") != "2024-02-01":
            raise ValueError(call.query)
        grain = GRAINS[one(call, "interval")]
        names, aggregations = one(call, "metricnames").split(","), one(call, "aggregation").split(",")
        if not 0 < len(names) <= 20 or len(set(names)) != len(names) or set(aggregations) - AGGREGATIONS:
            raise ValueError(call.query)
        if not 0 < end - start <= 30 * 86400 or end > time.time() or start % grain or end % grain:
            raise ValueError(f"window {start} {end}")
        dimensions = []
        if filter_name in call.query:
            parts = [re.fullmatch(r"([\w.]+) eq '((?:[^']|'')+)'", part) for part in one(call, filter_name).split(" and ")]
            dimensions = [(part[1], part[2].replace("''", "'")) for part in parts]
            if not 10 < int(one(call, "top")) <= 1000:
                raise ValueError("top")
        for name in names:
            if grain < FINEST.get(name, 60):
                raise ValueError(f"{name} has no grain of {grain} s")
            if {dimension for dimension, _ in dimensions} - SPLITS.get(name, set()):
                raise ValueError(f"{name} cannot be split by {dimensions}")
        return one(call, "metricnamespace"), names, aggregations, grain, dimensions

    def resource_of(self, path, namespace):
        """What a path stands for: a resource of the namespace's type, or a service inside one."""
        found = self.resources.get(path)
        if not found:
            parent, service, last = path.rsplit("/", 2)
            found = self.resources[parent]
            if last != "default" or namespace.lower() != f"{found['type']}/{service}".lower():
                raise ValueError(f"{path} in {namespace}")
        elif found["type"].lower() != namespace.lower():
            raise ValueError("a resource of another type")
        return found

    def answer(self, resource, names, aggregations, grain, dimensions, start, end):
        return [self.answer_metric(resource, name, aggregations, grain, dimensions, start, end) for name in names]

    def answer_metric(self, resource, name, aggregations, grain, dimensions, start, end):
        answer = {"id": f"{resource}/providers/Microsoft.Insights/metrics/{name}", "type": "Microsoft.Insights/metrics",
                  "name": {"value": name, "localizedValue": name}, "unit": self.units.get(name, "Count"), "timeseries": [],
                  "errorCode": "Success"}
        if name in self.metric_errors:
            return {**answer, "errorCode": self.metric_errors[name], "errorMessage": f"{name} cannot be had"}
        series = {} if dimensions else {(): {}}
        for (path, metric, values, minute), entries in sorted(self.values.items()):
            if path != resource or metric != name or not start <= minute < end or len(values) != len(dimensions) or \
                    any(want not in ("*", value) for value, (_, want) in zip(values, dimensions)):
                continue
            for aggregation, number, visible in entries:
                if visible <= time.time() and aggregation in aggregations:
                    series.setdefault(values, {}).setdefault(minute // grain * grain, {})[aggregation] = number
        for values, points in series.items():
            data = [{"timeStamp": stamp(at), **points.get(at, {})} for at in range(start, end, grain)]
            labels = [{"name": {"value": dimension.lower(), "localizedValue": dimension}, "value": value}
                      for value, (dimension, _) in zip(values, dimensions)]
            answer["timeseries"].append({"metadatavalues": labels, "data": data})
        return answer

    def batch(self, call):
        self.check_token(call, MONITOR)
        start, end = seconds_of(one(call, "starttime")), seconds_of(one(call, "endtime"))
        namespace, names, *how = self.question(call, start, end, "filter", {"starttime", "endtime"})
        body = call.json()
        ids = body["resourceids"]
        with self.lock:
            found = [self.resource_of(path, namespace) for path in ids]
            if set(body) != {"resourceids"} or not 0 < len(ids) <= 50 or len(set(ids)) != len(ids):
                raise ValueError(body)
            if len({r["location"] for r in found}) != 1 or found[0]["location"] == "global":
                raise ValueError("resources of several regions or types")
            if self.forbidden & set(ids):
                raise Refused(403, {"error": {"code": "AuthorizationFailed", "message": "The client may not read one of them."}})
            self.ledger.append(("batch", tuple(names), start, end, tuple(ids)))
            return {}, {"values": [{"starttime": stamp(start), "endtime": stamp(end), "interval": one(call, "interval"),
                                    "namespace": namespace, "resourceregion": r["location"],
                                    "resourceid": path if path not in self.resources else r["id"],
                                    "value": self.answer(path, names, *how, start, end)}
                                   for path, r in zip(ids, found)]}

    def metrics(self, call):
        self.check_token(call, MANAGER)
        start, end = map(seconds_of, one(call, "timespan").split("/"))
        namespace, names, *how = self.question(call, start, end, "$filter", {"timespan"})
        path = call.path.lower().removesuffix(METRICS)
        with self.lock:
            self.resource_of(path, namespace)
            self.ledger.append(("metrics", tuple(names), start, end, (path,)))
            return {}, {"cost": 1, "timespan": one(call, "timespan"), "interval": one(call, "interval"), "namespace": namespace,
                        "resourceregion": "global", "value": self.answer(path, names, *how, start, end)}
