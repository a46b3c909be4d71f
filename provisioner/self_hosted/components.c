/* Every component of a region on own hosts, one line each, in the order of their steps within a stage. */
#include "provisioner/self_hosted/component.h"
#include "provisioner/self_hosted/parts.h"

const struct component *const host_components[] = {
    &component_base,
    &component_network,

    &component_postgresql,
    &component_pgbackrest,

    &component_haproxy,
    &component_service,
    &component_monitoring,
    &component_alertmanager,
    &component_prometheus,

    NULL,
};
