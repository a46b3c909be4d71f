/* Letting another region write although some are given up: what only those had is lost to the others.
 *
 *   the databases that are given up end, where their hosts answer, and come back as standbys; writes are
 * closed
 * -> the target has what it can still get of them -> it writes -> writes are opened towards it -> the regions
 * that are not given up are deployed anew
 *
 * A database that is given up and cannot be reached may still write: only the operator can know, and has to
 * say so. One that was reached never writes again of its own, whoever starts it. The same command goes on
 * after it was cut short, and ends a database whose host has come back. Exit statuses; what went wrong has
 * been printed. */
#ifndef FRAISEQL_PROVISIONER_RUN_FAILOVER_H
#define FRAISEQL_PROVISIONER_RUN_FAILOVER_H

#include "provisioner/run/run.h"

/* The run's hosts are open (hosts_reach()), and its regions are those that are not given up. */
int failover(struct run *run, const char *target);

#endif
