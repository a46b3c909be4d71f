/* HAProxy's configuration of a region. Pure.
 *
 *   PORT_HTTP    the region's instances; while none of them is ready, the nearest other region's frontend. A
 * request that comes from another region's proxy carries x-fraiseql-region and is answered here or not at
 * all, so that none goes in circles PORT_WRITE   the one database that FRAISEQL_WRITE_TARGET names; every
 * other server is disabled PORT_READ    the region's own database, else the nearest one that answers
 *
 * FRAISEQL_WRITE_TARGET comes from a file of its own, which fraiseql-write-target writes, so a restart opens
 * no more than a switch has opened. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_HAPROXY_CONFIG_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_HAPROXY_CONFIG_H

#include "lib/core/buf.h"
#include "provisioner/self_hosted/component.h"

#define HAPROXY_CONFIG_MAX_BYTES (1UL << 20)

void haproxy_config_write(const struct site *site, struct buf *out);
/* Under layout.run: the runtime socket. */
const char *haproxy_socket(const struct site *site);

#endif
