/* The option tables of a deployment's file, one a section, spread over sections_*.c.
 * Threads: immutable. */
#ifndef FRAISEQL_PROVISIONER_CONFIG_SECTIONS_H
#define FRAISEQL_PROVISIONER_CONFIG_SECTIONS_H

#include "lib/core/clock.h"
#include "provisioner/deployment.h"

#define NS_PER_DAY (INT64_C(86400) * NS_PER_S)

extern const struct option_section section_metadata, section_region, section_database, section_replication,
    section_compliance, section_service, section_network, section_traffic, section_backup, section_monitoring,
    section_cost, section_state;

#endif
