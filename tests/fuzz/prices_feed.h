/* For the fuzzers of price lists: bytes in pieces to a reader, and what it found as one number. */
#ifndef FRAISEQL_TESTS_PRICES_FEED_H
#define FRAISEQL_TESTS_PRICES_FEED_H

#include "provisioner/prices/found.h"
#include "provisioner/prices/scope.h"

typedef int feed_fn(void *reader, struct str chunk, struct error *err);

static inline int feed_in_pieces(void *reader, feed_fn *feed, struct str bytes, size_t step)
{
    struct error err;
    int code = 0;
    while (bytes.len && !code) {
        size_t length = step < bytes.len ? step : bytes.len;
        code = feed(reader, (struct str){bytes.ptr, length}, &err);
        bytes.ptr += length;
        bytes.len -= length;
    }
    return code;
}

struct digest {
    int code;
    size_t prices, conflicts;
};

static inline bool digest_same(struct digest a, struct digest b)
{
    return a.code == b.code && (a.code || (a.prices == b.prices && a.conflicts == b.conflicts));
}

#endif
