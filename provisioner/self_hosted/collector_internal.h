#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_COLLECTOR_INTERNAL_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_COLLECTOR_INTERNAL_H

#include "provisioner/self_hosted/collector_config.h"

void collector_write_targets(const struct site *site, struct buf *out);
void collector_write_objectives(const struct site *site, struct buf *out);
void collector_write_traffic(const struct site *site, struct buf *out);
/* Whether this trigger has rules of traffic. */
bool collector_switches_on(const struct site *site, const char *trigger);
#define TRIGGER_LAG      "lag-high"
#define TRIGGER_BUDGET   "budget-burning"
#define RECEIVER_TRAFFIC "traffic"

/* As YAML writes it on one line. */
const char *collector_scalar(const struct site *site, const char *text);
const char *collector_duration(const struct site *site, int64_t ns);

#endif
