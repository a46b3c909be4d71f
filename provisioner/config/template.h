/* The file that `init` writes: what was chosen, with the rest as comments. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_CONFIG_TEMPLATE_H
#define FRAISEQL_PROVISIONER_CONFIG_TEMPLATE_H

#include "lib/core/buf.h"

struct template_region {
    const char *name, *provider, *location;
};

struct template
{
    const char *name, *environment, *size;
    const struct template_region *regions;
    size_t region_count;
};

void template_write(const struct template *chosen, struct buf *out);

#endif
