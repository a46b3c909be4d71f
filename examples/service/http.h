/* The example service's HTTP side: /graphql, /health, /readiness, /metrics. A thread a connection, since a
 * request waits for the database. Ownership: what the options point to outlives the server. Threads:
 * http_start() and http_stop() from one. */
#ifndef FRAISEQL_EXAMPLES_SERVICE_HTTP_H
#define FRAISEQL_EXAMPLES_SERVICE_HTTP_H

#include "examples/service/span.h"

struct http;

struct http_options {
    const struct settings *settings;
    struct store *store;
    struct stats *stats;
    struct span_sender *spans; /* NULL: none */
};

int http_start(const struct http_options *options, struct http **ret, struct error *err) CHECK_RESULT;
uint16_t http_port(const struct http *http);
/* Takes no further connection, is not ready any more, and waits for requests under way, at most so long.
 * Frees. */
void http_stop(struct http *http, int64_t timeout_ns);

#endif
