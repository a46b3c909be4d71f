"""A fake of Cloudflare's API v4: zones, GraphQL analytics of minutes, load balancer pools.

Stricter than Cloudflare: a token that it did not give, a window that is not of whole minutes or over a day, more than ten
zones, another dataset or a field that a dataset does not have is a violation or a refusal. `put` says from when a request
can be seen, so minutes grow late; what is answered is exact. Faults besides those of fake_cloud.py: "internal", "limited"
(errors in a 200) by fail("graphql", ...)."""

import calendar
import hashlib
import re
import time

from fake_cloud import FakeCloud, Refused

DATASETS = {
    "httpRequests1mGroups": {"dimensions", "minute:datetime", "sum", "uniq", "uniques", "requests", "cachedRequests",
                             "encryptedRequests", "bytes", "cachedBytes", "encryptedBytes", "threats", "pageViews",
                             "responseStatusMap", "edgeResponseStatus"},
    "loadBalancingRequestsAdaptiveGroups": {"count", "dimensions", "minute:datetimeMinute", "lbName", "selectedPoolName",
                                            "selectedOriginName"},
}
TEXT = re.compile(r"query\(\$zones:\[String!\],\$from:Time!,\$to:Time!,\$limit:Int!\)\{viewer\{zones\(filter:"
                  r"\{zoneTag_in:\$zones\}\)\{zoneTag rows:(\w+)\(limit:\$limit,filter:\{datetime_geq:\$from,"
                  r"datetime_lt:\$to\},orderBy:\[(datetime|datetimeMinute)_ASC\]\)(\{.*\})\}\}\}")


def identity(name):
    return hashlib.md5(name.encode()).hexdigest()


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds_of(text):
    return calendar.timegm(time.strptime(text.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S"))


class FakeCloudflare(FakeCloud):
    def __init__(self, *zones):
        self.token = "cf-" + identity(str(time.time()))
        self.zones = {identity(name): name for name in zones}
        self.account = identity("account")
        self.forbidden = set()  # names of zones
        self.http = {}          # (zone, minute) -> [(requests, status, visible from)]
        self.balanced = {}      # (zone, minute, balancer, pool, origin) -> count
        self.pools = []
        self.windows = []       # (dataset, from, to, zones)
        self.queries = {}       # dataset -> (text, variables) of the last query
        self.hangs = False
        super().__init__()

    def put(self, zone, requests, at, status=200, visible=0):
        with self.lock:
            self.http.setdefault((identity(zone), int(at // 60 * 60)), []).append((requests, status, visible))

    def balance(self, zone, at, balancer, pool, origin, count):
        with self.lock:
            self.balanced[(identity(zone), int(at // 60 * 60), balancer, pool, origin)] = count

    def error_body(self, status):
        return {"success": False, "errors": [{"code": 1000, "message": f"fault {status}"}], "result": None}

    def route(self, call):
        if self.hangs:
            time.sleep(120)
        if call.path == "/client/v4/graphql" and call.method == "POST":
            return "graphql", self.graphql
        if call.path == "/client/v4/zones" and call.method == "GET":
            return "zones", self.list_zones
        if call.path == f"/client/v4/accounts/{self.account}/load_balancers/pools" and call.method == "GET":
            return "pools", self.list_pools
        raise ValueError("no such path")

    def check_token(self, call):
        if call.bearer() != self.token:
            raise Refused(401, {"success": False, "errors": [{"code": 9109, "message": "Invalid access token"}]})

    def list_zones(self, call):
        self.check_token(call)
        page, size = int(call.query["page"][0]), int(call.query["per_page"][0])
        if not 5 <= size <= 50 or page < 1:
            raise ValueError("pages")
        names = sorted(self.zones.items(), key=lambda item: item[1])[(page - 1) * size:page * size]
        account = {"id": self.account, "name": "Shop"}
        return {}, {"success": True, "errors": [], "messages": [], "result": [
            {"id": key, "name": name, "status": "active", "account": account} for key, name in names],
            "result_info": {"page": page, "per_page": size, "total_pages": -(-len(self.zones) // size)}}

    def list_pools(self, call):
        self.check_token(call)
        return {}, {"success": True, "errors": [], "messages": [], "result": self.pools}

    # --- analytics ---------------------------------------------------------------------------------------------------

    def fault(self, place):
        fault = super().fault(place)
        if fault in ("internal", "limited"):
            self.inside = fault
            return None
        return fault

    inside = None

    def graphql(self, call):
        self.check_token(call)
        body = call.json()
        match = TEXT.fullmatch(body["query"])
        if not match or match[1] not in DATASETS:
            raise ValueError("a query that is not known: " + body["query"])
        fields = set(re.findall(r"[\w:]+", match[3]))
        if fields - DATASETS[match[1]]:
            raise ValueError(f"fields {fields - DATASETS[match[1]]}")
        self.queries[match[1]] = body["query"], body["variables"]
        inside, self.inside = self.inside, None
        if inside:
            message = "internal server error" if inside == "internal" else "rate limit reached"
            return {}, {"data": None, "errors": [{"message": message, "path": None, "extensions": {}}]}
        return {}, self.answer(match[1], body["variables"])

    def answer(self, dataset, variables):
        start, end = seconds_of(variables["from"]), seconds_of(variables["to"])
        if start % 60 or end % 60 or not 0 < end - start <= 86400 or end > time.time():
            raise ValueError(f"window {variables}")
        if not 0 < len(variables["zones"]) <= 10 or len(set(variables["zones"])) != len(variables["zones"]):
            raise ValueError("zones")
        with self.lock:
            self.windows.append((dataset, start, end, len(variables["zones"])))
            for at, zone in enumerate(variables["zones"]):
                if self.zones.get(zone, "") in self.forbidden | {""}:
                    return {"data": None, "errors": [{"message": f"zone '{zone}' does not have access to the path",
                                                      "path": ["viewer", "zones", str(at)],
                                                      "extensions": {"code": "authz"}}]}
            rows = self.http_rows if dataset == "httpRequests1mGroups" else self.balancing_rows
            limit = variables["limit"]
            return {"data": {"viewer": {"zones": [{"zoneTag": zone, "rows": rows(zone, start, end)[:limit]}
                                                  for zone in variables["zones"]]}}, "errors": None}

    def http_rows(self, zone, start, end):
        rows = []
        for (key, minute), entries in sorted(self.http.items()):
            seen = [(requests, status) for requests, status, visible in entries if visible <= time.time()]
            if key != zone or not start <= minute < end or not seen:
                continue
            total, by_status = sum(requests for requests, _ in seen), {}
            for requests, status in seen:
                by_status[status] = by_status.get(status, 0) + requests
            rows.append({"dimensions": {"minute": stamp(minute)}, "uniq": {"uniques": 3}, "sum": {
                "requests": total, "cachedRequests": total // 2, "encryptedRequests": total, "bytes": total * 1000,
                "cachedBytes": total * 100, "encryptedBytes": total * 1000, "threats": 0, "pageViews": 1,
                "responseStatusMap": [{"edgeResponseStatus": s, "requests": n} for s, n in by_status.items()]}})
        return rows

    def balancing_rows(self, zone, start, end):
        return [{"count": count, "dimensions": {"minute": stamp(minute), "lbName": balancer, "selectedPoolName": pool,
                                                "selectedOriginName": origin}}
                for (key, minute, balancer, pool, origin), count in sorted(self.balanced.items())
                if key == zone and start <= minute < end]
