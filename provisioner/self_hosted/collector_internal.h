#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_COLLECTOR_INTERNAL_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_COLLECTOR_INTERNAL_H

#include "provisioner/self_hosted/collector_config.h"

void collector_write_targets(const struct site *site, struct buf *out);
void collector_write_objectives(const struct site *site, struct buf *out);

/* As YAML writes it on one line. */
const char *collector_scalar(const struct site *site, const char *text);
const char *collector_duration(const struct site *site, int64_t ns);

#endif
