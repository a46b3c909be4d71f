/* Making shapes and snapshots: the batch does; nobody else. */
#ifndef FRAISEQL_METRICS_SNAPSHOT_INTERNAL_H
#define FRAISEQL_METRICS_SNAPSHOT_INTERNAL_H

#include "lib/metrics/snapshot.h"

struct shape *shape_ref(struct shape *shape);
struct shape *shape_unref(struct shape *shape); /* accepts NULL; returns NULL */
uint64_t shape_next_id(void);

/* All slots absent; takes a reference on the shape. The writable arrays are returned beside it. */
struct snapshot *snapshot_new(struct shape *shape, uint64_t **ret_bits, uint8_t **ret_kinds);

#endif
