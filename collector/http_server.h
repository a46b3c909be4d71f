/* The one place that knows libmicrohttpd: a pool of threads answers requests from snapshots and queues.
 *
 * A handler runs on a pool thread when the whole request (body included, up to max_body_bytes) has arrived;
 * it must not block. It fills the exchange's reply: a buffer, or a puller that produces the body piece by
 * piece. Refused before a handler is called: over the connection limit, a body over the limit (413), a body
 * whose length is ambiguous (400, request smuggling), bodies in flight over max_inflight_bytes (503,
 * Retry-After: 1), a request that is not complete within request_timeout_ns (the head from its first line,
 * then the body) (the connection is cut). When connections run short the slowest are cut sooner; see
 * collector/http_connections.h.
 *
 * Ownership: the exchange and what its accessors return live during the handler only. Threads: the handler
 * may run on several threads at once. */
#ifndef FRAISEQL_COLLECTOR_HTTP_SERVER_H
#define FRAISEQL_COLLECTOR_HTTP_SERVER_H

#include "lib/core/atomic.h"
#include "lib/core/buf.h"
#include "lib/core/error.h"
#include "lib/core/option.h"

#include <sys/socket.h>
#include <sys/types.h>

struct http_server;
struct http_exchange;

/* At most `max` bytes of the body into out; 0 at its end, negative to cut the connection. */
typedef ssize_t http_pull_fn(void *ctx, char *out, size_t max);

struct http_reply {
    int status;                   /* 0 is 500 */
    const char *content_type;     /* static text or valid until the reply is sent */
    const char *content_encoding; /* NULL: none */
    const char *vary;             /* NULL: none */
    const char *allow;            /* with 405 */
    int retry_after_s;            /* 0: none */
    const char *authenticate;     /* with 401 */
    const char *security_policy;  /* Content-Security-Policy of an HTML page */
    struct buf type_text;         /* memory for a content_type that is not static */
    struct buf body;
    http_pull_fn *pull; /* instead of body */
    void *pull_ctx;
    void (*pull_free)(void *ctx);
};

typedef void http_handler_fn(void *ctx, struct http_exchange *exchange, struct http_reply *reply);

struct http_server_options {
    const char *name; /* "http", "otlp": in metrics and messages */
    const struct address_option *address;
    unsigned threads, max_connections;
    size_t max_body_bytes, max_inflight_bytes;
    int64_t request_timeout_ns;
    http_handler_fn *handler;
    /* Gives the text of a refusal that no handler saw the form that the protocol spoken here demands; may be
     * NULL. */
    http_handler_fn *present;
    void *ctx;
};

/* ERR_CONFLICT when the address is in use: the message names it. */
int http_server_start(const struct http_server_options *options, struct http_server **ret_server,
                      struct error *err) CHECK_RESULT;
/* No new connections from now on; what is under way goes on. */
void http_server_quiesce(struct http_server *server);
/* Waits for the requests under way; false at the deadline. Accepts NULL. */
bool http_server_drain(struct http_server *server, int64_t deadline_mono_ns);
void http_server_stop(struct http_server *server); /* accepts NULL */
/* Cuts the connections that have had their time: about once a second, any thread. */
void http_server_sweep(struct http_server *server);
uint16_t http_server_port(const struct http_server *server);

/* NULL when absent. */
const char *http_method(const struct http_exchange *exchange);
const char *http_path(const struct http_exchange *exchange);
const char *http_header(const struct http_exchange *exchange, const char *name);
const char *http_query(const struct http_exchange *exchange, const char *name);
/* Calls fn for each value of a repeated parameter. */
void http_query_each(const struct http_exchange *exchange, const char *name,
                     void (*fn)(void *ctx, const char *value), void *ctx);
struct str http_body(const struct http_exchange *exchange);
const struct sockaddr *http_peer(const struct http_exchange *exchange);

struct http_server_stats {
    uint64_t requests_by_class[6]; /* index = status / 100 */
    uint64_t refused_body, refused_inflight, refused_slow, refused_crowded, received_bytes, sent_bytes;
    uint64_t inflight_bytes, connections;
};
void http_server_stats(const struct http_server *server, struct http_server_stats *ret_stats);

#endif
