/* Moving the writes of a deployment on own hosts to another region, on purpose and without loss.
 *
 *   close writes everywhere -> the region that wrote ends cleanly and comes back as a standby -> the target
 * has all that it had -> the target writes -> writes are opened towards it -> every region is deployed anew
 *
 * Between two writers there is always a moment with none, and never one with two. A run that was killed at
 * any point is continued by the same command; where nobody writes any more, only a region that has all that
 * any region has is let write. Exit statuses; what went wrong has been printed. */
#ifndef FRAISEQL_PROVISIONER_RUN_SWITCHOVER_H
#define FRAISEQL_PROVISIONER_RUN_SWITCHOVER_H

#include "provisioner/run/run.h"

/* The run's hosts are open (hosts_reach()). */
int switchover(struct run *run, const char *target);

#endif
