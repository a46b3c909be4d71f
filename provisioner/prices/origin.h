/* Where a request goes: scheme, host and port of a URL, so that a link in an answer is followed to the same
 * place only. Outside bytes. Threads: pure. */
#ifndef FRAISEQL_PROVISIONER_PRICES_ORIGIN_H
#define FRAISEQL_PROVISIONER_PRICES_ORIGIN_H

#include "lib/core/error.h"
#include "lib/core/str.h"

struct origin {
    bool https;
    struct str host; /* as written, without brackets; points into the URL */
    unsigned port;
    struct str rest; /* path and query: empty or from "/" or "?" on */
};

/* False for what is no http or https URL, and for one with a user. */
bool origin_parse(struct str url, struct origin *ret_origin);
bool origin_same(const struct origin *a, const struct origin *b);
/* A base that requests are put behind: no path but "/", no query; https, or http to this machine's loopback.
 * ERR_CONFIG. */
int origin_check_base(const char *url, struct error *err) CHECK_RESULT;

#endif
