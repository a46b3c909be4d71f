/* Which exposition format and coding a request gets, from its Accept and Accept-Encoding headers.
 *
 * Offered are text 0.0.4, OpenMetrics 1.0.0 and 0.0.1. Clauses are weighed by their q (RFC 9110,
 * section 12.5.1); of equal ones the first wins. A missing version means 0.0.4 for text/plain and 0.0.1 for
 * OpenMetrics, as Prometheus' own library has it; wildcards, no match and no header at all give text 0.0.4.
 * The `escaping` parameter of the matching clause is echoed: our names are legal in the old character set,
 * which every scheme leaves alone. */
#ifndef FRAISEQL_EXPORTERS_EXPOSITION_NEGOTIATE_H
#define FRAISEQL_EXPORTERS_EXPOSITION_NEGOTIATE_H

#include "lib/core/str.h"

enum exposition_format { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS_1_0_0, EXPOSITION_OPENMETRICS_0_0_1 };

struct exposition_choice {
    enum exposition_format format;
    bool gzip;
    char content_type[96]; /* Prometheus 3 fails a scrape without a known one */
};

/* What an answer that depends on both headers must say to caches. */
#define EXPOSITION_VARY "Accept, Accept-Encoding"

/* accept, accept_encoding: header values, NULL when the request has none. */
void exposition_negotiate(const char *accept, const char *accept_encoding,
                          struct exposition_choice *ret_choice);

#endif
