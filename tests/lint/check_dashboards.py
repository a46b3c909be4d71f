#!/usr/bin/env python3
"""Every metric a dashboard or a rule asks for must exist, or the panel stays empty for ever without saying why.

    check_dashboards.py ROOT [NAMES]

NAMES is a Markdown file with the names in backquotes (default ROOT/docs/metrics.md; `pg_stat_database_*` stands for
all that begin so), or the address of a live page (http://127.0.0.1:9480/metrics). Also checked: the JSON is what
generate.py writes, panels do not overlap, and each has a unit, a description and the data source variable.
Prints file: what breaks the rule; exits with 1 when there is any.
"""
import json
import pathlib
import re
import subprocess
import sys
import urllib.request

# Prometheus' own, and words of its language that may stand where a name does.
FOREIGN = {"up", "scrape_samples_scraped", "ALERTS"}
WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset", "inf", "nan"}
SUFFIXES = ("_bucket", "_sum", "_count", "_total")


def metric_names(expression):
    """Names of metrics in a PromQL expression: identifiers that are no function, keyword, label or string."""
    text = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', '""', expression)
    text = re.sub(r"\{[^}]*\}", " ", text)
    text = re.sub(r"\[[^\]]*\]", " ", text)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text)
    names = set()
    for match in re.finditer(r"(?<![\w.$])([a-zA-Z_:][\w:]*)", text):
        follows = text[match.end():].lstrip()
        if not follows.startswith("(") and match.group(1).lower() not in WORDS:
            names.add(match.group(1))
    return names


def variable_names(query):
    match = re.match(r"label_values\((.*),\s*\w+\)$", query)
    return metric_names(match.group(1)) if match else set()


class Names:
    def __init__(self, source):
        if source.startswith("http"):
            with urllib.request.urlopen(source, timeout=30) as answer:
                lines = answer.read().decode()
            self.exact = set(re.findall(r"^([a-zA-Z_:][\w:]*)[{ ]", lines, re.M))
            self.prefixes = ()
            return
        text = pathlib.Path(source).read_text(encoding="utf-8")
        quoted = re.findall(r"`([a-zA-Z_:][\w:]*\*?)", text)
        self.exact = {name for name in quoted if not name.endswith("*")}
        self.prefixes = tuple(name[:-1] for name in quoted if name.endswith("*"))

    def __contains__(self, name):
        bare = [name] + [name[:-len(suffix)] for suffix in SUFFIXES if name.endswith(suffix)]
        return name in FOREIGN or any(n in self.exact for n in bare) or bool(self.prefixes and name.startswith(self.prefixes))


def check_panels(name, dashboard, complain):
    ids, cells = set(), {}
    for panel in dashboard["panels"]:
        title = f'{name}: panel "{panel["title"]}"'
        if panel["id"] in ids:
            complain(f"{title}: its id is taken")
        ids.add(panel["id"])
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if x >= 24 or cells.setdefault((x, y), panel["id"]) != panel["id"]:
                    return complain(f"{title}: lies over another or outside")
        if panel["type"] == "row":
            continue
        if not panel.get("description"):
            complain(f"{title}: has no description")
        if not panel["fieldConfig"]["defaults"].get("unit"):
            complain(f"{title}: has no unit")
        for target in panel["targets"]:
            if target["datasource"]["uid"] != "${datasource}":
                complain(f"{title}: names a data source of its own")
            if re.search(r"\b(rate|increase|irate)\([^)]*\[(?!\$__rate_interval)", target["expr"]):
                complain(f"{title}: a rate over a fixed interval is empty at some zoom")
    return None


def expressions_of_dashboard(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield from metric_names(target["expr"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield from variable_names(variable["query"]["query"])
    for annotation in dashboard["annotations"]["list"]:
        yield from metric_names(annotation["expr"])


def expressions_of_rules(text):
    for match in re.finditer(r"^\s*expr:\s*(.+)$", text, re.M):
        yield from metric_names(match.group(1))


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    names = Names(sys.argv[2] if len(sys.argv) == 3 else str(root / "docs" / "metrics.md"))
    wrong = []
    asked = 0
    folder = root / "dashboards"
    for path in sorted(folder.glob("*.json")):
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        check_panels(f"dashboards/{path.name}", dashboard, wrong.append)
        for name in sorted(set(expressions_of_dashboard(dashboard))):
            asked += 1
            if name not in names:
                wrong.append(f"dashboards/{path.name}: {name} is no metric that is documented or served")
    for name in sorted(set(expressions_of_rules((folder / "rules.yml").read_text(encoding="utf-8")))):
        asked += 1
        if name not in names:
            wrong.append(f"dashboards/rules.yml: {name} is no metric that is documented or served")
    made = subprocess.run([sys.executable, str(folder / "generate.py"), "--check"], capture_output=True, text=True, check=False)
    if made.returncode:
        wrong.append(f"dashboards: {made.stderr.strip()}")
    if asked < 20:
        wrong.append("dashboards: so few metrics were found that this check must be broken")
    print("\n".join(wrong) or f"{asked} metric names in dashboards and rules, all there")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
