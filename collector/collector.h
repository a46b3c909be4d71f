/* The daemon: wires sources, the hub, the SLA engine, the journal, notifications and the HTTP servers.
 *
 * Threads it owns: control loop (probes), scrape loop (schedule, span metrics' publishing, self metrics),
 * egress loop (notifications), the resolver's lane, the journal, the SLA service, the watchdog, and the HTTP
 * pools. */
#ifndef FRAISEQL_COLLECTOR_COLLECTOR_H
#define FRAISEQL_COLLECTOR_COLLECTOR_H

#include "collector/config.h"

struct collector;

struct collector_overrides {
    int log_level, log_format; /* -1: as the configuration says */
};

/* Takes a reference on the configuration. On an error everything is taken down again. */
int collector_start(struct config *config, const struct collector_overrides *overrides,
                    struct collector **ret_collector, struct error *err) CHECK_RESULT;
/* Reads the file again and takes it over; an invalid one is refused and the old one goes on. Any thread but a
 * loop's; one at a time. */
int collector_reload(struct collector *collector, struct diag *diag) CHECK_RESULT;
/* Drains within `grace_ns`: no new data, what was taken is counted and committed, notifications stay durable.
 */
void collector_stop(struct collector *collector, int64_t grace_ns);

#endif
