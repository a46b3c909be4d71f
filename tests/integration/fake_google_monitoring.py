"""Google Cloud Monitoring v3 (REST): metricDescriptors.get and timeSeries.list, with the sign-in of fake_google.py.

Stricter than Google: a token that it did not give, another scope than reading metrics, a parameter that the methods do not
have, a window that has not passed or is not of whole minutes, an aligner that the kind of metric does not allow, a page asked
for with other parameters than the first are violations. `put` says from when a point can be seen, so points come late; what
is answered is exact, newest first, in pages that may cut a series in two. `billed` is the bill: time series returned, at
least one a call. Faults besides those of fake_cloud.py, by fail("series", ...): "partial" (executionErrors, half of the
series)."""

import calendar
import json
import re
import time

from fake_cloud import Refused
from fake_google import FakeGoogle

READ = "https://www.googleapis.com/auth/monitoring.read"
PARAMETERS = {"filter", "interval.startTime", "interval.endTime", "aggregation.alignmentPeriod",
              "aggregation.perSeriesAligner", "view", "pageSize", "pageToken"}
NUMBER = {"INT64", "DOUBLE"}
# Of metric_service.proto: kinds and value types that an aligner is valid for.
ALIGNERS = {
    "ALIGN_DELTA": ({"DELTA", "CUMULATIVE"}, NUMBER | {"DISTRIBUTION"}),
    "ALIGN_SUM": ({"GAUGE", "DELTA"}, NUMBER | {"DISTRIBUTION"}),
    "ALIGN_MEAN": ({"GAUGE", "DELTA"}, NUMBER),
    "ALIGN_MAX": ({"GAUGE", "DELTA"}, NUMBER),
    "ALIGN_MIN": ({"GAUGE", "DELTA"}, NUMBER),
    "ALIGN_NEXT_OLDER": ({"GAUGE"}, NUMBER | {"BOOL"}),
    "ALIGN_FRACTION_TRUE": ({"GAUGE"}, {"BOOL"}),
}
# Google's own clients write enumerations as numbers (common.proto, metric_service.proto).
NUMBERED = {"view": {"0": "FULL", "1": "HEADERS"},
            "aggregation.perSeriesAligner": {"1": "ALIGN_DELTA", "4": "ALIGN_NEXT_OLDER", "10": "ALIGN_MIN", "11": "ALIGN_MAX",
                                             "12": "ALIGN_MEAN", "14": "ALIGN_SUM", "17": "ALIGN_FRACTION_TRUE"}}
TYPE = re.compile(r'metric\.type = "([\w./-]+)"')
CONDITION = re.compile(r'(metric|resource)\.labels\.(\w+) = "([^"\\]*)"')


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds_of(text):
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.0+)?Z", text)
    return calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))


def spread(bounds, values):
    """A google.api.Distribution of these values, with explicit bounds."""
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[sum(value >= bound for bound in bounds)] += 1
    return {"bounds": list(bounds), "counts": counts, "sum": sum(values)}


def add(one, other):
    return {"bounds": one["bounds"], "counts": [a + b for a, b in zip(one["counts"], other["counts"])],
            "sum": one["sum"] + other["sum"]}


class FakeGoogleMonitoring(FakeGoogle):
    def __init__(self, folder):
        self.descriptors = {}
        self.points = {}      # (type, resource, metric labels, resource labels) -> [(end, value, visible from)]
        self.forbidden = set()  # metric types
        self.page_points = 100000  # that a page holds at most, whatever is asked for
        self.billed = self.answered = 0
        self.windows = []     # (type, from, to)
        self.pages = {}       # token -> (parameters, where it goes on)
        self.inside = None
        self.hangs = False
        super().__init__(folder)
        self.scope = READ

    def describe(self, kind, resource, metric_kind="GAUGE", value="DOUBLE", unit="1", delay=0, period=60):
        self.descriptors[kind] = {
            "name": f"projects/{self.project}/metricDescriptors/{kind}", "type": kind, "metricKind": metric_kind,
            "valueType": value, "unit": unit, "description": f"Of {kind}.", "displayName": kind, "launchStage": "GA",
            "metadata": {"launchStage": "GA", "samplePeriod": f"{period}s", "ingestDelay": f"{delay}s"},
            "monitoredResourceTypes": [resource] if isinstance(resource, str) else resource}

    def put(self, kind, at, value, metric=None, visible=0, resource=None, **labels):
        """A point that ends at that time; `labels` are the resource's."""
        resource = resource or self.descriptors[kind]["monitoredResourceTypes"][0]
        key = (kind, resource, tuple(sorted((metric or {}).items())),
               tuple(sorted({"project_id": self.project, **labels}.items())))
        with self.lock:
            self.points.setdefault(key, []).append((int(at), value, visible))

    def route(self, call):
        if call.query.pop("$alt", None):  # how the JSON is to be written
            for name, words in NUMBERED.items():
                call.query.update({name: [words.get(value, value) for value in call.query[name]]} if name in call.query else {})
        base = f"/v3/projects/{self.project}/"
        if self.hangs and call.path.startswith(base):
            time.sleep(120)
        if call.path == base + "timeSeries" and call.method == "GET":
            return "series", self.list_series
        if call.path.startswith(base + "metricDescriptors/") and call.method == "GET":
            return "descriptor", self.descriptor
        return super().route(call)

    def fault(self, place):
        fault = super().fault(place)
        if fault == "partial":
            self.inside = fault
            return None
        return fault

    def descriptor(self, call):
        self.owner(call)
        kind = call.path.split("/metricDescriptors/", 1)[1]
        if call.query or call.body:
            raise ValueError(call.query)
        if kind not in self.descriptors:
            raise Refused(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": f"Could not find descriptor for metric '{kind}'."}})
        return {}, self.descriptors[kind]

    # --- what is asked -----------------------------------------------------------------------------------------------

    def check(self, query):
        """(descriptor, conditions, from, to, period, aligner)"""
        if not set(query) <= PARAMETERS or any(len(values) != 1 for values in query.values()):
            raise ValueError(f"parameters {sorted(query)}")
        first, *others = query["filter"][0].split(" AND ")
        kind, conditions = TYPE.fullmatch(first)[1], [CONDITION.fullmatch(each).groups() for each in others]
        start, end = seconds_of(query["interval.startTime"][0]), seconds_of(query["interval.endTime"][0])
        if not start < end <= time.time() + 1 or start % 60 or end % 60:
            raise ValueError(f"window {start} {end}")
        if query["view"] != ["FULL"] or not 1 <= int(query["pageSize"][0]) <= 100000:
            raise ValueError(f"view or pageSize {query['view']} {query['pageSize']}")
        if kind not in self.descriptors:
            raise Refused(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": f"Cannot find metric {kind}"}})
        descriptor, aligner, period = self.descriptors[kind], query.get("aggregation.perSeriesAligner"), 60
        if bool(aligner) != ("aggregation.alignmentPeriod" in query):
            raise ValueError("an aligner goes with a period")
        if aligner:
            period = int(re.fullmatch(r"(\d+)s", query["aggregation.alignmentPeriod"][0])[1])
            kinds, values = ALIGNERS[aligner[0]]
            if descriptor["metricKind"] not in kinds or descriptor["valueType"] not in values:
                raise ValueError(f"{aligner[0]} of {descriptor['metricKind']} {descriptor['valueType']}")
            if period < 60 or (end - start) % period:
                raise ValueError(f"period {period}")
        return descriptor, conditions, start, end, period, aligner and aligner[0]

    def list_series(self, call):
        self.owner(call)
        if call.body:
            raise ValueError("a body")
        descriptor, conditions, start, end, period, aligner = self.check(call.query)
        if descriptor["type"] in self.forbidden:
            raise Refused(403, {"error": {"code": 403, "status": "PERMISSION_DENIED",
                                          "message": "Permission monitoring.timeSeries.list denied"}})
        with self.lock:
            parameters = {key: value for key, value in call.query.items() if key != "pageToken"}
            skip = 0
            if "pageToken" in call.query:
                known, skip = self.pages[call.query["pageToken"][0]]
                if known != parameters:
                    raise ValueError("a page of another question")
            else:
                self.windows.append((descriptor["type"], start, end))
            series = [found for key, points in sorted(self.points.items()) if key[0] == descriptor["type"]
                      for found in self.one(descriptor, key, points, conditions, start, end, period, aligner)]
            inside, self.inside = self.inside, None
            if inside:
                series = series[::2]
            answer = self.page(series, skip, min(self.page_points, int(call.query["pageSize"][0])), parameters)
            if inside:
                answer["executionErrors"] = [{"code": 4, "message": "some data could not be read in time"}]
            answer["unit"] = descriptor["unit"]
            self.answered += 1
            self.billed += max(1, len(answer.get("timeSeries", [])))
            return {}, answer

    # --- what is answered --------------------------------------------------------------------------------------------

    def one(self, descriptor, key, points, conditions, start, end, period, aligner):
        kind, resource, metric, labels = key
        of = {"metric": dict(metric), "resource": dict(labels)}
        seen = [(at, value) for at, value, visible in points if visible <= time.time()]
        if any(of[part].get(name) != value for part, name, value in conditions):
            return
        buckets = {}
        for at, value in seen:  # buckets are counted back from the end; a point belongs to (end - period, end]
            if start < at <= end:
                buckets.setdefault(end - (end - at) // period * period if aligner else at, []).append(value)
        if not buckets:
            return
        rows = [{"interval": {"endTime": stamp(at), "startTime": stamp(self.begin(descriptor, at, period, aligner))},
                 "value": self.typed(descriptor["valueType"], self.aligned(values, aligner), aligner)}
                for at, values in sorted(buckets.items(), reverse=True)]
        yield {"metric": {"type": kind, **({"labels": dict(metric)} if metric else {})},
               "resource": {"type": resource, "labels": dict(labels)}, "metricKind": descriptor["metricKind"],
               "valueType": "DOUBLE" if aligner in ("ALIGN_MEAN", "ALIGN_FRACTION_TRUE") else descriptor["valueType"],
               "points": rows}

    @staticmethod
    def begin(descriptor, at, period, aligner):
        if descriptor["metricKind"] == "GAUGE":
            return at
        return at - period if aligner else at - 86400

    @staticmethod
    def aligned(values, aligner):
        if aligner in ("ALIGN_SUM", "ALIGN_DELTA"):
            total = values[0]
            for value in values[1:]:
                total = add(total, value) if isinstance(value, dict) else total + value
            return total
        if aligner in ("ALIGN_MEAN", "ALIGN_FRACTION_TRUE"):
            return sum(values) / len(values)
        return {"ALIGN_MAX": max, "ALIGN_MIN": min}.get(aligner, lambda all_of: all_of[-1])(values)

    @staticmethod
    def typed(kind, value, aligner):
        if aligner in ("ALIGN_MEAN", "ALIGN_FRACTION_TRUE") or kind == "DOUBLE":
            return {"doubleValue": float(value)}
        if kind == "INT64":
            return {"int64Value": str(value)}
        if kind == "BOOL":
            return {"boolValue": bool(value)}
        if "bucketOptions" in value:  # as it is: the only one of its bucket
            return {"distributionValue": value}
        count = sum(value["counts"])
        counts = [str(each) for each in value["counts"]]
        while counts and counts[-1] == "0":
            counts.pop()  # Google leaves out zeros at the end
        return {"distributionValue": {"count": str(count), "mean": value["sum"] / count if count else 0,
                                      "bucketOptions": {"explicitBuckets": {"bounds": value["bounds"]}},
                                      "bucketCounts": counts}}

    def page(self, series, skip, size, parameters):
        """Points count, not series: `skip` of them came before."""
        total, shown, at = sum(len(each["points"]) for each in series), [], 0
        for each in series:
            part = each["points"][max(0, skip - at):max(0, skip + size - at)]
            at += len(each["points"])
            if part:
                shown.append({**each, "points": part})
        answer = {"timeSeries": shown} if shown else {}
        if skip + size < total:
            token = f"page-{len(self.pages)}/+="
            self.pages[token] = (json.loads(json.dumps(parameters)), skip + size)
            answer["nextPageToken"] = token
        return answer

    def total(self, kind, **labels):
        """What was put of a number, whenever it can be seen."""
        with self.lock:
            return sum(value for key, points in self.points.items() for _, value, _ in points
                       if key[0] == kind and all(dict(key[3]).get(name) == want for name, want in labels.items()))
