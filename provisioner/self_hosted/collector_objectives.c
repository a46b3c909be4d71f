/* What a region's collector promises and whom it tells: SLOs, triggers, receivers. */
#include "provisioner/self_hosted/collector_internal.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/pgbackrest.h"

static bool any_replicates(const struct site *site)
{
    for (size_t i = 0; i < site->site_count; i++) {
        if (deployment_replicates(site->deployment, site->sites[i].region))
            return true;
    }
    return false;
}

static void write_slos(const struct site *site, struct buf *out)
{
    buf_printf(out,
               "slos:\n"
               "  - { name: api-availability, objective: %s, window: 30d, by: [region], sli: { probe: api }, "
               "no_data: bad }\n"
               "  - { name: api-latency, objective: 99.9, window: 30d, by: [region], sli: { probe: api, "
               "faster_than: %s } }\n"
               "  - name: graphql-errors\n    objective: 99.95\n    window: 30d\n    by: [region]\n"
               "    sli: { bad: fraiseql_graphql_queries_error, total: fraiseql_graphql_queries_total }\n"
               "  - name: graphql-spans\n    objective: 99.95\n    window: 30d\n    by: [region]\n"
               "    sli: { spans: { service: fraiseql, entry: true } }\n",
               site->deployment->monitoring.availability,
               collector_duration(site, collector_latency_bound_ns(site)));
    if (any_replicates(site))
        buf_printf(out,
                   "  - name: replication-lag\n    objective: 99.9\n    window: 30d\n    by: [region]\n"
                   "    sli: { time_slice: { metric: fraiseql_postgres_replication_lag_seconds, below: %g, "
                   "every: 10s } }\n",
                   (double)collector_lag_bound_ns(site) / 1e9);
    if (pgbackrest_runs(site))
        buf_printf(out,
                   "  - name: backup-verified\n    objective: 99.9\n    window: 30d\n    by: [region]\n"
                   "    sli: { time_slice: { metric: fraiseql_backup_verified_age_seconds, below: %lld, "
                   "every: 1m } }\n",
                   (long long)(collector_backup_bound_ns() / NS_PER_S));
}

/* `notify` of a trigger in YAML. */
static const char *receivers_of(const struct site *site, const char *trigger)
{
    const struct deployment_monitoring *monitoring = &site->deployment->monitoring;
    const char *names[] = {monitoring->webhook ? "webhook" : NULL,
                           monitoring->alertmanager ? "alertmanager" : NULL,
                           collector_switches_on(site, trigger) ? RECEIVER_TRAFFIC : NULL};
    const char *list = "";
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i])
            list = arena_printf(site->arena, "%s%s%s", list, list[0] ? ", " : "", names[i]);
    }
    return arena_printf(site->arena, "[%s]", list);
}

/* The label `source` tells Alertmanager what the collector has delivered itself; `observer` tells people who
 * saw it: a region that is cut off sees all others down. `resolve`: further lines of YAML, or "". */
static void write_trigger(const struct site *site, struct buf *out, const char *name, const char *when,
                          const char *resolve, const char *severity, const char *summary)
{
    buf_printf(out,
               "  - name: %s\n    when: { %s }\n%s"
               "    labels: { severity: %s, source: collector, observer: %s }\n"
               "    annotations: { summary: '%s' }\n    notify: %s\n",
               name, when, resolve, severity, collector_scalar(site, site->region->name), summary,
               receivers_of(site, name));
}

static void write_triggers(const struct site *site, struct buf *out)
{
    static const char *const by_probe = "    by: [region]\n    resolve: { successes: 5, of: 5 }\n";
    buf_append_text(out, "triggers:\n");
    write_trigger(site, out, "region-down", "probe: api, failures: 3, of: 3", by_probe, "page",
                  "The API of {{region}} does not answer");
    write_trigger(site, out, "database-down", "probe: database, failures: 3, of: 3", by_probe, "page",
                  "The database of {{region}} does not answer");
    write_trigger(site, out, TRIGGER_BUDGET, "slo: api-availability, burn_rate: 14.4, windows: [5m, 1h]", "",
                  "page", "{{region}} burns its error budget of 30 days within two");
    write_trigger(site, out, "budget-leaking", "slo: api-availability, burn_rate: 6, windows: [30m, 6h]", "",
                  "ticket", "{{region}} burns its error budget of 30 days within five");
    /* What is no standby any more has no lag; one that cannot be seen has a bound that grows. */
    if (any_replicates(site))
        write_trigger(
            site, out, TRIGGER_LAG,
            arena_printf(site->arena,
                         "metric: fraiseql_postgres_replication_lag_seconds, above: %g, for: 30s",
                         (double)collector_lag_bound_ns(site) / 1e9 * 10),
            "    by: [region, db_cluster, target]\n    resolve: { for: 1m }\n    on_no_data: resolve\n",
            "page", "{{target}} is {{value}} s behind its primary");
}

static void write_backup_triggers(const struct site *site, struct buf *out)
{
    if (!pgbackrest_runs(site))
        return;
    write_trigger(site, out, "backup-old",
                  arena_printf(site->arena,
                               "metric: fraiseql_backup_verified_age_seconds, above: %lld, for: 5m",
                               (long long)(collector_backup_bound_ns() / NS_PER_S)),
                  "    by: [region]\n    resolve: { for: 1m }\n", "page",
                  "The last verified backup of {{region}} is {{value}} s old");
}

static void write_receivers(const struct site *site, struct buf *out)
{
    const struct deployment_monitoring *monitoring = &site->deployment->monitoring;
    const struct site *keeper = collector_keeper(site);
    if (!monitoring->alertmanager && !monitoring->webhook && !collector_switches(site))
        return;
    buf_append_text(out, "notify:\n");
    if (monitoring->alertmanager)
        buf_printf(out, "  - { name: alertmanager, alertmanager: { urls: [http://%s:%u] } }\n",
                   keeper == site ? near_inner_address(site) : keeper->layout->address,
                   keeper->layout->ports[PORT_ALERTMANAGER]);
    if (monitoring->webhook)
        buf_printf(
            out,
            "  - name: webhook\n    webhook: { url: %s, secret_file: %s, format: alertmanager-webhook-v4 }\n",
            collector_scalar(site, monitoring->webhook), collector_file(site, COLLECTOR_WEBHOOK_SECRET));
    /* To this very collector, so that what it decides is stored and repeated as whatever it tells. */
    if (collector_switches(site))
        buf_printf(out,
                   "  - name: " RECEIVER_TRAFFIC
                   "\n    webhook: { url: http://%s:%u/api/v1/traffic, secret_file: %s }\n",
                   collector_address(site), site->layout->ports[PORT_COLLECTOR],
                   collector_file(site, COLLECTOR_TRAFFIC_SECRET));
}

void collector_write_objectives(const struct site *site, struct buf *out)
{
    write_slos(site, out);
    write_triggers(site, out);
    write_backup_triggers(site, out);
    write_receivers(site, out);
}
