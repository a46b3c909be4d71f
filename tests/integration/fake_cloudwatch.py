"""A fake of CloudWatch, the tagging API and STS that is stricter than AWS: every signature is verified (fake_aws_sts.py),
requests that AWS would take and bill twice are refused, and a ledger holds what AWS would bill, to the unit.

Values are put in with the time from which they can be seen, so buckets grow late. Faults are listed in `instead`, one a
request: what fake_aws_sts.py knows, and throttle, partial, disorder, internal, expired. `hangs` answers nobody."""

import json
import math
import re
import time

from fake_aws_sts import FakeAws, Refusal

QUERIES_MAX = 500
POINTS_MAX = 100800


class FakeCloudWatch(FakeAws):
    def __init__(self):
        super().__init__()
        self.values = {}       # (namespace, name, dimensions) -> [(time, value, visible from)]
        self.resources = []    # (ARN, {tag: value})
        self.forbidden = set() # names of metrics
        self.page_points = POINTS_MAX
        self.page_metrics = 500
        self.hangs = False
        self.requests = {}     # action -> served
        self.billed = {}       # action -> units
        self.windows = []      # (start, end, queries)
        self.tokens = {}       # page token -> (body without it, offset)

    # --- what is in the cloud ----------------------------------------------------------------------------------------

    def put(self, namespace, name, dimensions, value, at=None, visible=None):
        at = time.time() + self.skew_s if at is None else at
        with self.lock:
            self.values.setdefault((namespace, name, tuple(sorted(dimensions.items()))), []).append(
                (at, value, at if visible is None else visible))

    def total(self, namespace, name, dimensions):
        with self.lock:
            return sum(value for _, value, _ in self.values[(namespace, name, tuple(sorted(dimensions.items())))])

    # --- serving -----------------------------------------------------------------------------------------------------

    def serve(self, handler):
        target = handler.headers.get("X-Amz-Target")
        if self.hangs:
            time.sleep(120)
        if not target:
            return super().serve(handler)
        try:
            return self.serve_target(handler, target)
        except Refusal as refusal:
            with self.lock:
                self.refused.append(refusal.code)
            return refusal.status, json.dumps({"__type": f"com.amazonaws.cloudwatch#{refusal.code}",
                                               "message": str(refusal)})

    def answer_instead(self, handler, instead):
        if instead == "throttle":
            handler.answer(400, json.dumps({"__type": "com.amazonaws#Throttling", "message": "Rate exceeded"}),
                           {"Retry-After": "1"})
            return True
        if instead == "expired":
            handler.answer(400, json.dumps({"__type": "com.amazonaws#ExpiredTokenException", "message": "old"}))
            return True
        if instead in ("partial", "disorder", "internal"):
            handler.fault = instead
            handler.answer(*self.serve(handler))
            return True
        if instead in ("cut", "slow", "malformed"):  # served, and so billed
            self.serve(handler)
        return super().answer_instead(handler, instead)

    def serve_target(self, handler, target):
        import urllib.parse
        rules = {"GraniteServiceVersion20100801.GetMetricData": ("monitoring", "1.0", self.get_metric_data),
                 "GraniteServiceVersion20100801.ListMetrics": ("monitoring", "1.0", self.list_metrics),
                 "ResourceGroupsTaggingAPI_20170126.GetResources": ("tagging", "1.1", self.get_resources)}
        if target not in rules:
            raise Refusal(400, "InvalidAction", target)
        service, version, function = rules[target]
        if handler.headers.get("Content-Type") != f"application/x-amz-json-{version}":
            raise Refusal(400, "InvalidAction", "another protocol")
        key, signed_for, region = self.check_signature(handler, urllib.parse.urlsplit(handler.path))
        if signed_for != service or "x-amz-target" not in handler.headers["Authorization"]:
            raise Refusal(403, "SignatureDoesNotMatch", f"signed for {signed_for}, not {service}")
        action = target.rsplit(".", 1)[1]
        with self.lock:
            self.calls.append((service, region, action, key))
            answer, units = function(json.loads(handler.body), getattr(handler, "fault", None))
            self.requests[action] = self.requests.get(action, 0) + 1
            self.billed[action] = self.billed.get(action, 0) + units
        handler.fault = None
        return 200, json.dumps(answer)

    # --- GetMetricData -----------------------------------------------------------------------------------------------

    @staticmethod
    def check_query(query, ids, start, end):
        stat = query["MetricStat"]
        if not re.fullmatch(r"[a-z][A-Za-z0-9_]{0,254}", query["Id"]) or query["Id"] in ids:
            raise Refusal(400, "ValidationError", f"id {query['Id']}")
        period = stat["Period"]
        if period not in (1, 5, 10, 20, 30) and (period <= 0 or period % 60):
            raise Refusal(400, "ValidationError", f"period {period}")
        if start % period or end % period:
            raise Refusal(400, "ValidationError", "a window that is not aligned to the period is slow")
        if len(stat["Metric"].get("Dimensions", [])) > 30:
            raise Refusal(400, "ValidationError", "dimensions")

    @staticmethod
    def statistic(name, values):
        values = sorted(values)
        if name in ("Sum", "Minimum", "Maximum", "SampleCount", "Average"):
            return {"Sum": sum, "Minimum": min, "Maximum": max, "SampleCount": len,
                    "Average": lambda v: sum(v) / len(v)}[name](values)
        return values[min(len(values) - 1, math.ceil(float(name[1:]) / 100 * len(values)) - 1)]

    def points(self, query, start, end, now):
        stat = query["MetricStat"]
        metric, period = stat["Metric"], stat["Period"]
        key = (metric["Namespace"], metric["MetricName"],
               tuple(sorted((d["Name"], d["Value"]) for d in metric.get("Dimensions", []))))
        buckets = {}
        for at, value, visible in self.values.get(key, []):
            bucket = int(at // period * period)
            if start <= bucket < end and visible <= now:
                buckets.setdefault(bucket, []).append(value)
        return [(bucket, self.statistic(stat["Stat"], values)) for bucket, values in sorted(buckets.items())]

    def results(self, body, now, fault):
        start, end = body["StartTime"], body["EndTime"]
        for query in body["MetricDataQueries"]:
            points, status = self.points(query, start, end, now), "Complete"
            name = query["MetricStat"]["Metric"]["MetricName"]
            messages = []
            if name in self.forbidden:
                points, status, messages = [], "Forbidden", [{"Code": "Forbidden", "Value": "not allowed to see it"}]
            elif fault == "partial" and len(query["Id"]) % 2 == 0:
                points, status = points[:len(points) // 2], "PartialData"
            elif fault == "internal":
                points, status = [], "InternalError"
            yield query["Id"], points, status, messages

    def get_metric_data(self, body, fault):
        now = time.time() + self.skew_s
        queries, ids = body["MetricDataQueries"], set()
        if not 0 < len(queries) <= QUERIES_MAX or body["StartTime"] >= body["EndTime"] or body["EndTime"] > now:
            raise Refusal(400, "ValidationError", "queries or window")
        for query in queries:
            self.check_query(query, ids, body["StartTime"], body["EndTime"])
            ids.add(query["Id"])
        self.windows.append((body["StartTime"], body["EndTime"], len(queries)))
        offset, token = 0, body.pop("NextToken", None)
        units = 0
        if token:
            if token not in self.tokens or self.tokens[token][0] != body:
                raise Refusal(400, "InvalidNextToken", "of another request")
            _, offset, now = self.tokens[token]
        else:
            groups = {}
            for query in queries:
                metric = json.dumps(query["MetricStat"]["Metric"], sort_keys=True)
                groups[metric] = groups.get(metric, 0) + 1
            units = sum(-(-count // 5) for count in groups.values())
        flat = [(at, *rest) for at, rest in enumerate(self.results(body, now, fault))]
        # pages: so many points each, over the queries in order
        answer, seen = {}, 0
        for _, query_id, points, status, messages in flat:
            entry = {"Id": query_id, "Label": query_id, "Timestamps": [], "Values": [], "StatusCode": status,
                     "Messages": messages}
            for at, value in points:
                if offset <= seen < offset + self.page_points:
                    entry["Timestamps"].append(float(at))
                    entry["Values"].append(value)
                seen += 1
            answer[query_id] = entry
        listed = list(answer.values())
        if fault == "disorder":
            listed.reverse()
            for entry in listed:
                entry["Timestamps"].reverse()
                entry["Values"].reverse()
                entry["Timestamps"] += entry["Timestamps"][:2]
                entry["Values"] += entry["Values"][:2]
        result = {"MetricDataResults": listed, "Messages": []}
        if seen > offset + self.page_points:
            token = f"page-{len(self.tokens)}"
            self.tokens[token] = (body, offset + self.page_points, now)
            result["NextToken"] = token
            for entry in listed:
                entry["StatusCode"] = "PartialData" if entry["StatusCode"] == "Complete" else entry["StatusCode"]
        return result, units

    # --- discovery ---------------------------------------------------------------------------------------------------

    def list_metrics(self, body, _):
        if body.get("RecentlyActive", "PT3H") != "PT3H":
            raise Refusal(400, "ValidationError", "RecentlyActive")
        found = [key for key in sorted(self.values) if key[0] == body["Namespace"] and
                 body.get("MetricName", key[1]) == key[1]]
        offset = int(body.get("NextToken", "0"))
        page = found[offset:offset + self.page_metrics]
        answer = {"Metrics": [{"Namespace": space, "MetricName": name,
                               "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions]}
                              for space, name, dimensions in page]}
        if offset + self.page_metrics < len(found):
            answer["NextToken"] = str(offset + self.page_metrics)
        return answer, 1

    def get_resources(self, body, _):
        def wanted(tags):
            return all(tags.get(f["Key"]) in f["Values"] for f in body.get("TagFilters", []))
        found = [(arn, tags) for arn, tags in self.resources if wanted(tags)]
        offset = int(body.get("PaginationToken") or "0")
        page = found[offset:offset + min(2, body["ResourcesPerPage"])]
        more = offset + len(page) < len(found)
        return {"PaginationToken": str(offset + len(page)) if more else "",
                "ResourceTagMappingList": [{"ResourceARN": arn, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
                                           for arn, tags in page]}, 1
