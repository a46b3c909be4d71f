/* What the kernel says of this process: CPU time, memory, descriptors. */
#ifndef FRAISEQL_COLLECTOR_PROCESS_H
#define FRAISEQL_COLLECTOR_PROCESS_H

#include "lib/core/compiler.h"

struct process_stats {
    double cpu_seconds, start_time_seconds;
    uint64_t resident_bytes, virtual_bytes, open_fds, max_fds, threads;
};

/* Fields that cannot be read are 0. */
void process_read_stats(struct process_stats *ret_stats);
uint64_t process_resident_bytes(void);

#endif
