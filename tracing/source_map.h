/* Regions by sender address: `otlp.sources`, for senders that do not say where they are.
 *
 * Of several prefixes that hold an address the longest wins; of equal ones the first. IPv4 in IPv6
 * (::ffff:a.b.c.d, what a dual-stack listener sees) matches IPv4 prefixes.
 * Ownership: source_map_deinit(); regions are borrowed. Threads: immutable once filled. */
#ifndef FRAISEQL_TRACING_SOURCE_MAP_H
#define FRAISEQL_TRACING_SOURCE_MAP_H

#include "lib/core/error.h"

#include <sys/socket.h>

struct source_prefix {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;       /* of 128 */
    const char *region;
};

struct source_map {
    size_t count;
    struct source_prefix *prefixes; /* longest first */
};

/* "10.1.0.0/16", "2001:db8::/32", or an address alone. Bits beyond the prefix must be zero. ERR_CONFIG. */
int source_prefix_parse(const char *text, struct source_prefix *ret_prefix, struct error *err) CHECK_RESULT;

void source_map_add(struct source_map *map, const struct source_prefix *prefix);
void source_map_deinit(struct source_map *map);
/* NULL when no prefix holds the peer, or peer is NULL or of another family. */
const char *source_map_find(const struct source_map *map, const struct sockaddr *peer);

#endif
