/* Prometheus' and Alertmanager's configuration of a region. Pure. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_PROMETHEUS_CONFIG_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_PROMETHEUS_CONFIG_H

#include "lib/core/buf.h"
#include "provisioner/self_hosted/component.h"

#define PROMETHEUS_CONFIG_MAX_BYTES (1UL << 20)

/* The collectors of the regions that this one keeps the metrics of, each by its own discovery. `rules`: path.
 */
void prometheus_config_write(const struct site *site, const char *rules, struct buf *out);
/* Whom it tells: monitoring.webhook, but of what the collectors have delivered there themselves. */
void alertmanager_config_write(const struct site *site, struct buf *out);
/* Whether any collector's metrics are kept in this region. */
bool prometheus_keeps(const struct site *site);

#endif
