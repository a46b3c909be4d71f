#!/usr/bin/env python3
"""Writes the Grafana dashboards beside this file. `generate.py --check` says which of them are out of date.

The dashboards are data with much repetition, so they are made here; the JSON files are what Grafana loads (Grafana 9
and later, by file provisioning or import). Every panel has a unit and a description, and every query filters by the
variables of its dashboard.
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN_RED = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
UP_DOWN = [{"type": "value", "options": {"0": {"text": "down", "color": "red", "index": 0},
                                         "1": {"text": "up", "color": "green", "index": 1}}}]
NO_YES = [{"type": "value", "options": {"0": {"text": "no", "color": "green", "index": 0},
                                        "1": {"text": "yes", "color": "red", "index": 1}}}]


def steps(*pairs):
    """Thresholds: the first colour from the bottom, then (value, colour) pairs."""
    first, *rest = pairs
    return [{"color": first, "value": None}] + [{"color": color, "value": value} for value, color in rest]


def variable(name, query, label=None):
    return {"name": name, "label": label or name, "type": "query", "datasource": DATASOURCE,
            "query": {"query": query, "refId": f"var-{name}"}, "definition": query, "refresh": 2, "includeAll": True,
            "multi": True, "allValue": ".*", "sort": 1, "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}


class Dashboard:
    def __init__(self, uid, title, description, variables):
        self.uid, self.title, self.description, self.variables = uid, title, description, variables
        self.panels, self.x, self.y, self.row_height = [], 0, 0, 0

    def place(self, width, height):
        if self.x + width > 24:
            self.x, self.y, self.row_height = 0, self.y + self.row_height, 0
        position = {"h": height, "w": width, "x": self.x, "y": self.y}
        self.x += width
        self.row_height = max(self.row_height, height)
        return position

    def row(self, title):
        self.x, self.y, self.row_height = 0, self.y + self.row_height, 0
        self.panels.append({"id": len(self.panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [],
                            "gridPos": {"h": 1, "w": 24, "x": 0, "y": self.y}})
        self.y += 1

    def panel(self, kind, title, description, queries, unit="short", width=12, height=8, decimals=None, thresholds=None,
              mappings=None, minimum=None, maximum=None, instant=False, table=False, options=None, custom=None):
        targets = []
        for index, (expr, legend) in enumerate(queries):
            targets.append({"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": expr, "legendFormat": legend,
                            "instant": instant, "range": not instant, "format": "table" if table else "time_series"})
        defaults = {"unit": unit, "thresholds": {"mode": "absolute", "steps": thresholds or steps("green")},
                    "mappings": mappings or [], "custom": custom or {}}
        for name, value in (("decimals", decimals), ("min", minimum), ("max", maximum)):
            if value is not None:
                defaults[name] = value
        self.panels.append({"id": len(self.panels) + 1, "type": kind, "title": title, "description": description,
                            "datasource": DATASOURCE, "gridPos": self.place(width, height), "targets": targets,
                            "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options or {}})

    def stat(self, title, description, expr, legend="", **more):
        more.setdefault("width", 4)
        more.setdefault("height", 4)
        self.panel("stat", title, description, [(expr, legend)], instant=True, options={
            "colorMode": "background", "graphMode": "none", "textMode": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}, **more)

    def graph(self, title, description, *queries, **more):
        self.panel("timeseries", title, description, queries, options={
            "legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
            custom={"lineWidth": 1, "fillOpacity": 5, "spanNulls": False}, **more)

    def timeline(self, title, description, *queries, **more):
        self.panel("state-timeline", title, description, queries, unit="none", options={
            "showValue": "never", "mergeValues": True, "rowHeight": 0.9, "legend": {"displayMode": "list"}}, **more)

    def json(self):
        return {
            "uid": self.uid, "title": self.title, "description": self.description, "tags": ["fraiseql"],
            "schemaVersion": 38, "version": 1, "editable": False, "graphTooltip": 1, "refresh": "10s", "timezone": "browser",
            "time": {"from": "now-3h", "to": "now"}, "annotations": {"list": [{
                "name": "Triggers", "enable": True, "iconColor": "red", "datasource": DATASOURCE, "titleFormat": "{{trigger}}",
                "textFormat": "{{region}}", "expr": 'max by (trigger, region) (fraiseql_trigger_firing) == 1'}]},
            "links": [{"type": "dashboards", "tags": ["fraiseql"], "title": "FraiseQL", "asDropdown": True,
                       "includeVars": True, "keepTime": True}],
            "templating": {"list": [{"name": "datasource", "label": "Data source", "type": "datasource",
                                     "query": "prometheus"}] + self.variables},
            "panels": self.panels}


def overview():
    region = 'region=~"$region"'
    d = Dashboard("fraiseql-overview", "FraiseQL / Regions", "Every region at a glance: is it up, how fast, how far behind.",
                  [variable("region", "label_values(fraiseql_region_info, region)")])
    d.stat("Regions", "Regions in the configuration.", f"count(max by (region) (fraiseql_region_info{{{region}}}))", unit="none")
    d.stat("Targets down", "Scraped targets whose last scrape failed.",
           f"count(fraiseql_target_up{{{region}}} == 0) or vector(0)", unit="none", thresholds=steps("green", (1, "red")))
    d.stat("Probes failing", "Probes whose last attempt failed.",
           f"count(min by (probe, target, region) (fraiseql_probe_success{{{region}}}) == 0) or vector(0)", unit="none",
           thresholds=steps("green", (1, "red")))
    d.stat("Triggers firing", "Triggers with an incident that has not ended.",
           "count(max without (observer) (fraiseql_trigger_firing) == 1) or vector(0)", unit="none",
           thresholds=steps("green", (1, "red")))
    d.stat("Least budget left", "The smallest error budget that is left; below 0 the objective is missed.",
           "min(fraiseql_slo_error_budget_remaining_ratio)", unit="percentunit", decimals=2,
           thresholds=steps("red", (0, "orange"), (0.25, "green")))
    d.stat("Worst replication lag", "The standby that is furthest behind.",
           f"max(fraiseql_postgres_replication_lag_seconds{{{region}}})", unit="s", decimals=3,
           thresholds=steps("green", (1, "orange"), (5, "red")))
    d.row("Availability")
    d.timeline("Probes", "Outcome of the last attempt of each probe, the worst over observers.",
               (f"min by (probe, region) (fraiseql_probe_success{{{region}}})", "{{probe}} {{region}}"),
               mappings=UP_DOWN, thresholds=GREEN_RED, width=12)
    d.timeline("Targets", "Whether the last scrape of each target succeeded.",
               (f"fraiseql_target_up{{{region}}}", "{{target}} {{region}}"), mappings=UP_DOWN, thresholds=GREEN_RED, width=12)
    d.graph("Probe latency, 99th percentile", "From the exact histogram of all attempts.",
            (f"histogram_quantile(0.99, sum by (probe, region, le) (rate(fraiseql_probe_duration_seconds_bucket{{{region}}}"
             "[$__rate_interval])))", "{{probe}} {{region}}"), unit="s", minimum=0)
    d.graph("Failed and unknown attempts", "Unknown: our own tick came late, so that nobody knows.",
            (f"sum by (probe, region) (rate(fraiseql_probe_failures_total{{{region}}}[$__rate_interval]))", "failed {{probe}} {{region}}"),
            (f"sum by (probe, region) (rate(fraiseql_probe_unknown_total{{{region}}}[$__rate_interval]))", "unknown {{probe}} {{region}}"),
            unit="reqps", minimum=0)
    d.row("Service, by its own spans")
    d.graph("Calls", "Entry spans by region.",
            (f"sum by (service_name, region) (rate(traces_span_metrics_calls_total{{{region}}}[$__rate_interval]))",
             "{{service_name}} {{region}}"), unit="reqps", minimum=0)
    d.graph("Duration, 95th percentile", "Over all spans of a service.",
            (f"histogram_quantile(0.95, sum by (service_name, region, le) (rate(traces_span_metrics_duration_milliseconds_bucket"
             f"{{{region}}}[$__rate_interval])))", "{{service_name}} {{region}}"), unit="ms", minimum=0)
    d.row("Databases")
    d.graph("Replication lag", "By the LSN ring; while it cannot be seen, a bound that grows.",
            (f"fraiseql_postgres_replication_lag_seconds{{{region}}}", "{{target}}"), unit="s", minimum=0)
    d.graph("Loss if we failed over now", "Bound on what a promotion of this standby would lose.",
            (f"fraiseql_postgres_failover_loss_seconds{{{region}}}", "{{target}}"), unit="s", minimum=0)
    return d


def slos():
    slo = 'slo=~"$slo"'
    every = "max without (observer)"
    d = Dashboard("fraiseql-slo", "FraiseQL / Objectives and error budgets",
                  "Exact counts over the whole window; nothing here is extrapolated.",
                  [variable("slo", "label_values(fraiseql_slo_objective_ratio, slo)")])
    d.panel("table", "Objectives", "Objective, budget left and events of each SLO over its window.",
            [(f"{every} (fraiseql_slo_objective_ratio{{{slo}}})", "objective"),
             (f"min without (observer) (fraiseql_slo_error_budget_remaining_ratio{{{slo}}})", "budget left"),
             (f"{every} (fraiseql_slo_window_covered_ratio{{{slo}}})", "window covered")],
            unit="percentunit", decimals=4, width=24, height=8, instant=True, table=True, options={"showHeader": True})
    d.panels[-1]["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {
            "Value #A": "objective", "Value #B": "budget left", "Value #C": "window covered"}}}]
    d.graph("Error budget left", "1 is untouched, 0 is spent, below 0 the objective is missed.",
            (f"min without (observer) (fraiseql_slo_error_budget_remaining_ratio{{{slo}}})", "{{slo}} {{region}}"),
            unit="percentunit", decimals=3, maximum=1)
    d.graph("Burn rate over 1 h", "1 spends exactly the budget in the window; 14.4 spends 2 % of a month's in an hour.",
            (f'{every} (fraiseql_slo_burn_rate{{{slo}, window="1h"}})', "{{slo}} {{region}}"), unit="none", minimum=0)
    d.graph("Burn rate over 5 min", "Says whether what burned is still burning.",
            (f'{every} (fraiseql_slo_burn_rate{{{slo}, window="5m"}})', "{{slo}} {{region}}"), unit="none", minimum=0)
    d.graph("Bad events", "Events that spent the budget.",
            (f'{every} (rate(fraiseql_sli_events_total{{{slo}, outcome="bad"}}[$__rate_interval]))', "{{slo}} {{region}}"),
            unit="ops", minimum=0)
    d.graph("Unknown events", "Events whose outcome nobody saw; no_data says what they count as.",
            (f"{every} (fraiseql_slo_unknown_events{{{slo}}})", "{{slo}} {{region}}"), unit="short", minimum=0)
    d.graph("Events in the window", "Good and all events, as exact integers.",
            (f"{every} (fraiseql_slo_good_events{{{slo}}})", "good {{slo}} {{region}}"),
            (f"{every} (fraiseql_slo_total_events{{{slo}}})", "all {{slo}} {{region}}"), unit="short", minimum=0)
    d.timeline("Triggers", "Firing triggers, over all observers.",
               ("max without (observer) (fraiseql_trigger_firing)", "{{trigger}} {{region}} {{target}}"), mappings=NO_YES,
               thresholds=steps("green", (1, "red")), width=24)
    return d


def postgres():
    where = 'db_cluster=~"$db_cluster", region=~"$region", target=~"$target"'
    d = Dashboard("fraiseql-postgres", "FraiseQL / PostgreSQL replication",
                  "What each standby has, what a failover would lose, and what the primary keeps for whom.",
                  [variable("db_cluster", "label_values(pg_up, db_cluster)"),
                   variable("region", 'label_values(pg_up{db_cluster=~"$db_cluster"}, region)'),
                   variable("target", 'label_values(pg_up{db_cluster=~"$db_cluster", region=~"$region"}, target)')])
    d.timeline("Server answers", "pg_up of each server.", (f"pg_up{{{where}}}", "{{target}}"), mappings=UP_DOWN,
               thresholds=GREEN_RED, width=12)
    d.timeline("In recovery", "1 for a standby, 0 for a primary: two zeros in one cluster are two primaries.",
               (f"fraiseql_postgres_in_recovery{{{where}}}", "{{target}}"), width=12,
               mappings=[{"type": "value", "options": {"0": {"text": "primary", "color": "blue", "index": 0},
                                                       "1": {"text": "standby", "color": "green", "index": 1}}}])
    d.row("Lag and loss")
    d.graph("Replay lag", "By the LSN ring on our own clock; a bound that grows while it cannot be seen.",
            (f"fraiseql_postgres_replication_lag_seconds{{{where}}}", "{{target}}"), unit="s", minimum=0)
    d.graph("Replay lag in bytes", "Absent while unknown.",
            (f"fraiseql_postgres_replication_lag_bytes{{{where}}}", "{{target}}"), unit="bytes", minimum=0)
    d.timeline("Lag is known", "0 while the lag is a bound because one side cannot be seen.",
               (f"fraiseql_postgres_replication_lag_known{{{where}}}", "{{target}}"), thresholds=GREEN_RED, mappings=[
                   {"type": "value", "options": {"0": {"text": "bound", "color": "orange", "index": 0},
                                                 "1": {"text": "known", "color": "green", "index": 1}}}], width=12)
    d.graph("Loss if this standby were promoted now", "Bound in seconds of commits.",
            (f"fraiseql_postgres_failover_loss_seconds{{{where}}}", "{{target}}"), unit="s", minimum=0)
    d.graph("Loss in bytes", "Bound in bytes of write-ahead log.",
            (f"fraiseql_postgres_failover_loss_bytes{{{where}}}", "{{target}}"), unit="bytes", minimum=0)
    d.graph("Write-ahead log written", "Rate at which the primary writes what standbys must follow.",
            (f"rate(fraiseql_postgres_wal_bytes_total{{{where}}}[$__rate_interval])", "{{target}}"), unit="Bps", minimum=0)
    d.row("Slots")
    d.graph("Kept for slots", "Write-ahead log that cannot be removed.",
            (f"fraiseql_postgres_slot_retained_bytes{{{where}}}", "{{target}} {{slot_name}}"), unit="bytes", minimum=0)
    d.graph("Time until the disk is full", "At the present rate, because a slot does not move.",
            (f"fraiseql_postgres_slot_disk_full_seconds{{{where}}}", "{{target}} {{slot_name}}"), unit="s", minimum=0)
    d.graph("Time until the slot is lost", "Until max_slot_wal_keep_size cuts it off.",
            (f"fraiseql_postgres_slot_lost_seconds{{{where}}}", "{{target}} {{slot_name}}"), unit="s", minimum=0)
    d.graph("Archiver", "Age of the last failure to archive.",
            (f"fraiseql_postgres_archiver_last_failure_age_seconds{{{where}}}", "{{target}}"), unit="s", minimum=0)
    d.row("Backups on own hosts")
    d.graph("Age of the newest backup", "Of the newest one, and of the newest one that was restored and read to the end.",
            ('fraiseql_backup_age_seconds{region=~"$region"}', "newest {{region}}"),
            ('fraiseql_backup_verified_age_seconds{region=~"$region"}', "verified {{region}}"), unit="s", minimum=0)
    d.timeline("Last attempts", "Whether the last backup and the last verification succeeded.",
               ('fraiseql_backup_attempt_success{region=~"$region"}', "{{action}} {{region}}"), mappings=UP_DOWN,
               thresholds=GREEN_RED, width=12)
    d.row("Load")
    d.graph("Transactions", "Commits of all databases.",
            (f"sum by (target) (rate(pg_stat_database_xact_commit{{{where}}}[$__rate_interval]))", "{{target}}"), unit="ops", minimum=0)
    d.graph("Rollbacks", "Rolled back transactions of all databases.",
            (f"sum by (target) (rate(pg_stat_database_xact_rollback{{{where}}}[$__rate_interval]))", "{{target}}"), unit="ops", minimum=0)
    d.graph("Sessions", "By state.", (f"sum by (target, state) (pg_stat_activity_count{{{where}}})", "{{target}} {{state}}"),
            unit="short", minimum=0)
    d.graph("Connections used", "Share of max_connections.",
            (f"fraiseql_postgres_max_connections_used_ratio{{{where}}}", "{{target}}"), unit="percentunit", minimum=0, maximum=1)
    d.graph("Oldest transaction", "A long one keeps vacuum from cleaning, and with feedback on a standby too.",
            (f"fraiseql_postgres_oldest_transaction_age_seconds{{{where}}}", "{{target}}"), unit="s", minimum=0)
    d.graph("Time of a scrape", "Wall time of the last scrape.",
            ('fraiseql_target_scrape_duration_seconds{scraper="postgres", region=~"$region", target=~"$target"}', "{{target}}"),
            unit="s", minimum=0)
    return d


def collector():
    job = 'job=~"$job"'
    d = Dashboard("fraiseql-collector", "FraiseQL / Collector", "The collector itself: does it see, store and deliver.",
                  [variable("job", "label_values(fraiseql_collector_build_info, job)")])
    d.stat("Ready", "Up and not draining.", f"min(fraiseql_collector_ready{{{job}}})", unit="none", mappings=UP_DOWN, thresholds=GREEN_RED)
    d.stat("Last reload", "Whether the last configuration was accepted.",
           f"min(fraiseql_collector_config_last_reload_successful{{{job}}})", unit="none", thresholds=GREEN_RED,
           mappings=[{"type": "value", "options": {"0": {"text": "refused", "color": "red", "index": 0},
                                                   "1": {"text": "accepted", "color": "green", "index": 1}}}])
    d.stat("Files left out", "Included files that are broken.", f"sum(fraiseql_collector_config_files_refused{{{job}}})", unit="none",
           thresholds=steps("green", (1, "red")))
    d.stat("Notifications waiting", "Not accepted by their receiver yet.", f"sum(fraiseql_notifications_pending{{{job}}})", unit="none",
           thresholds=steps("green", (1, "orange"), (20, "red")))
    d.stat("Series", "Series held now.", f"sum(fraiseql_collector_series{{{job}}})", unit="short")
    d.stat("Memory pressure", "New data are refused.", f"max(fraiseql_collector_memory_pressure{{{job}}})", unit="none", mappings=NO_YES,
           thresholds=steps("green", (1, "red")))
    d.row("Process")
    d.graph("CPU", "Cores used.", (f"rate(process_cpu_seconds_total{{{job}}}[$__rate_interval])", "{{instance}}"), unit="none", minimum=0)
    d.graph("Memory", "Resident, and what series take of it.", (f"process_resident_memory_bytes{{{job}}}", "resident {{instance}}"),
            (f"fraiseql_collector_series_memory_bytes{{{job}}}", "series {{instance}}"), unit="bytes", minimum=0)
    d.graph("Lag of the loops", "Greatest lateness of a heartbeat; late ticks void probes.",
            (f"fraiseql_collector_loop_lag_seconds{{{job}}}", "{{loop}}"), unit="s", minimum=0)
    d.graph("Requests", "By server and class of answer.",
            (f"sum by (server, code) (rate(fraiseql_collector_http_requests_total{{{job}}}[$__rate_interval]))", "{{server}} {{code}}"),
            unit="reqps", minimum=0)
    d.row("Sources")
    d.graph("Series by target", "What each target gives.", ("fraiseql_target_series", "{{scraper}} {{target}}"), unit="short", minimum=0)
    d.graph("Failed scrapes", "By target.", ("rate(fraiseql_target_scrape_failures_total[$__rate_interval])", "{{scraper}} {{target}}"),
            unit="ops", minimum=0)
    d.graph("Spans", "Received by OTLP, and refused.",
            (f"sum(rate(fraiseql_otlp_spans_total{{{job}}}[$__rate_interval]))", "received"),
            (f"sum(rate(fraiseql_otlp_rejected_spans_total{{{job}}}[$__rate_interval]))", "rejected"), unit="ops", minimum=0)
    d.graph("Conflicts and refusals", "Families left out because two sources disagree, snapshots over the limit of series.",
            (f"fraiseql_collector_family_conflicts{{{job}}}", "conflicts"),
            (f"rate(fraiseql_collector_snapshots_refused_total{{{job}}}[$__rate_interval])", "refused snapshots per second"), unit="short",
            minimum=0)
    d.row("Journal and notifications")
    d.graph("Commits", "Of the journal; failed ones are tried again.",
            (f"rate(fraiseql_collector_journal_commits_total{{{job}}}[$__rate_interval])", "commits"),
            (f"rate(fraiseql_collector_journal_failed_commits_total{{{job}}}[$__rate_interval])", "failed"), unit="ops", minimum=0)
    d.graph("Duration of a commit", "The last one, fsync included.",
            (f"fraiseql_collector_journal_commit_duration_seconds{{{job}}}", "{{instance}}"), unit="s", minimum=0)
    d.graph("Size of the journal", "With its write-ahead log.", (f"fraiseql_collector_journal_size_bytes{{{job}}}", "{{instance}}"),
            unit="bytes", minimum=0)
    d.graph("Notifications", "By receiver and result; a failed attempt is repeated.",
            (f"sum by (receiver, result) (increase(fraiseql_notifications_total{{{job}}}[$__rate_interval]))", "{{receiver}} {{result}}"),
            unit="short", minimum=0)
    d.graph("Oldest notification that waits", "By receiver.",
            (f"max by (receiver) (fraiseql_notifications_oldest_pending_seconds{{{job}}})", "{{receiver}}"), unit="s", minimum=0)
    d.graph("Log lines", "By level.", (f"sum by (level) (rate(fraiseql_collector_log_lines_total{{{job}}}[$__rate_interval]))", "{{level}}"),
            unit="ops", minimum=0)
    return d


def main():
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, make in (("overview", overview), ("slo", slos), ("postgres", postgres), ("collector", collector)):
        path = HERE / f"{name}.json"
        text = json.dumps(make().json(), indent=2, ensure_ascii=False) + "\n"
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(path.name)
        elif not check:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}: run dashboards/generate.py")


if __name__ == "__main__":
    main()
