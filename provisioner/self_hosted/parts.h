/* The components, for the table in components.c. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_PARTS_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_PARTS_H

#include "provisioner/self_hosted/component.h"

extern const struct component component_base;    /* folders, users, supervisor: base.c */
extern const struct component component_network; /* network.c */

extern const struct component component_postgresql; /* postgres.c */
extern const struct component component_pgbackrest; /* its backups: pgbackrest.c */

extern const struct component component_service; /* FraiseQL's server, a command, or the example: service.c */
extern const struct component component_haproxy; /* traffic: haproxy.c */
extern const struct component component_monitoring;   /* the collector: monitoring.c */
extern const struct component component_alertmanager; /* alertmanager.c */
extern const struct component component_prometheus;   /* prometheus.c */

#endif
