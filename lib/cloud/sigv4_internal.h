/* What is signed: private to lib/cloud/sigv4*.c and their tests. */
#ifndef FRAISEQL_CLOUD_SIGV4_INTERNAL_H
#define FRAISEQL_CLOUD_SIGV4_INTERNAL_H

#include "lib/cloud/sigv4.h"
#include "lib/core/buf.h"

#define SIGV4_CANONICAL_MAX (1024UL * 1024)

struct sigv4_canonical {
    const char *method, *url, *body_hash;
    const struct http_header *headers; /* without Host, which the URL says */
    size_t header_count;
    bool as_it_is; /* the path is neither normalised nor encoded once more: S3 */
};

/* The canonical request. *ret_signed: the names of the signed headers, "host;x-amz-date". The text has no
 * part of the body and holds the session token. */
int sigv4_canonical_text(const struct sigv4_canonical *canonical, struct arena *arena, struct buf *text,
                         char **ret_signed, struct error *err) CHECK_RESULT;

#endif
