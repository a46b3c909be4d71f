/* Percent-encoding (RFC 3986, 2.1): of everything but the unreserved letters, digits and -._~
 * Threads: pure. */
#ifndef FRAISEQL_NET_PERCENT_H
#define FRAISEQL_NET_PERCENT_H

#include "lib/core/buf.h"

void percent_encode(struct buf *out, struct str text);

#endif
