/* Named fault points: outside release builds a test may make a step fail.
 *
 * FAULT("journal.commit") is 0, or an errno value (also left in errno) chosen by
 * FRAISEQL_FAULTS=name=errno[*count][,name=...] in the environment (errno as number or name) or by
 * fault_arm(). Release builds compile it to 0. Threads: any. */
#ifndef FRAISEQL_CORE_FAULT_H
#define FRAISEQL_CORE_FAULT_H

#include "lib/core/compiler.h"

#ifdef FRAISEQL_FAULTS
#define FAULT(name)    fault_check(name)
#define FAULTS_ENABLED true
#else
#define FAULT(name)    0
#define FAULTS_ENABLED false
#endif

int fault_check(const char *name);
/* errno_value 0 disarms; count 0 means for ever. */
void fault_arm(const char *name, int errno_value, unsigned count);

#endif
