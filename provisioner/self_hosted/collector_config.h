/* The collector's configuration of a region, complete. Pure; `fraiseql-collector --check` has the last word.
 *
 * Each region's collector looks at everything that the region needs to know of: the databases of all regions
 * (lag is a comparison), every region's front door by probes, and its own service and proxy by their metrics.
 * What a collector says is told apart by `observer`.
 *
 * Distances decide bounds: a probe over an ocean needs its round trips before it can fail, and a standby
 * there cannot be nearer than they are.
 *
 * Ownership: the site's arena. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_COLLECTOR_CONFIG_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_COLLECTOR_CONFIG_H

#include "lib/core/buf.h"
#include "provisioner/self_hosted/component.h"

#define COLLECTOR_CONFIG_MAX_BYTES (4UL << 20)

void collector_config_write(const struct site *site, struct buf *out);

/* Files that the configuration names, below layout.config. */
const char *collector_file(const struct site *site, const char *name);
#define COLLECTOR_CONFIG           "collector.yaml"
#define COLLECTOR_MONITOR_PASSWORD "monitor.password"
#define COLLECTOR_METRICS_TOKEN    "metrics.token"
#define COLLECTOR_WEBHOOK_SECRET   "webhook.secret"
#define COLLECTOR_TRAFFIC_SECRET   "traffic.secret"
#define COLLECTOR_AUTHORITY        "ca.pem"

/* Whether incidents switch anything in this region, and so whether there is that secret. */
bool collector_switches(const struct site *site);

/* The region that keeps Prometheus and Alertmanager for this one: itself, or monitoring.location. */
const struct site *collector_keeper(const struct site *site);
/* Where the collector listens: where Prometheus and people reach it. */
const char *collector_address(const struct site *site);

/* Bounds that the distances between regions allow. `of`: the region that is looked at. */
int64_t collector_http_timeout_ns(const struct site *site, const struct site *of);
int64_t collector_database_timeout_ns(const struct site *site, const struct site *of);
int64_t collector_latency_bound_ns(const struct site *site);
int64_t collector_lag_bound_ns(const struct site *site);
/* How old a verified backup may become, by their schedule. */
int64_t collector_backup_bound_ns(void);

#endif
