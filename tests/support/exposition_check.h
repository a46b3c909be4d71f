/* A strict reader of exposition pages for tests: refuses whatever Prometheus 2.42, Prometheus 3, expfmt or
 * the OpenMetrics 1.0 grammar refuses, and more (series twice, metrics interleaved, buckets out of order). */
#ifndef FRAISEQL_TESTS_EXPOSITION_CHECK_H
#define FRAISEQL_TESTS_EXPOSITION_CHECK_H

#include "lib/core/buf.h"

struct exposition_check {
    bool openmetrics;
    size_t families, lines; /* filled in */
    char message[512];      /* what is wrong first; empty when nothing is */
};

/* True when the page is right. */
bool exposition_check(struct str page, struct exposition_check *check);

#endif
