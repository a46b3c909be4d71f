/* The other way in which FraiseQL deployments have been written down (compute, networking, monitoring
 * backends, alerts), read for `init --from`.
 *
 * Keys of this program's own format are kept. Whatever cannot be carried over is a warning at its line, and a
 * comment at the end of what is written. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_CONFIG_DIALECT_H
#define FRAISEQL_PROVISIONER_CONFIG_DIALECT_H

#include "lib/core/buf.h"
#include "lib/core/yaml.h"
#include "provisioner/finding.h"

/* Appends the file in this program's format. */
void dialect_convert(const struct node *root, struct findings *findings, struct buf *out);

#endif
