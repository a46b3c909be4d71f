/* HTTP(S) requests on a loop: libcurl multi with connection reuse, deadlines, cancellation, body limits, and
 * names resolved on the blocking lane (CURLOPT_RESOLVE), so the loop never waits for DNS.
 *
 * Lifetime rules:
 *  1. A client belongs to one loop; all calls are made on its thread.
 *  2. http_client_send() either fails at once or calls `done` exactly once, later, also after a cancel
 *     (ERR_CANCELLED). The response passed to `done` is valid during the call only.
 *  3. The request struct and everything it points to are copied by http_client_send().
 *  4. A call is gone once its `done` has begun; until then http_call_cancel() may be called anywhere on the
 * loop.
 *  5. http_client_free() is the last call on a client; the loop must go on running until `freed`.
 * Redirects are followed by the rules of RFC 9110 section 15.4; each target goes through the resolver, and
 * other origins get neither Authorization, Cookie, Host, client certificate nor server_name. Proxies of the
 * environment are ignored. URLs with user:password are refused. Errors: ERR_CONFIG (request), ERR_UNAVAILABLE
 * (cannot reach, cut off), ERR_TIMEOUT, ERR_LIMIT, ERR_CANCELLED, ERR_PEER (certificate, protocol,
 * redirects). TLS verifies peer and name by default. Credentials are never put into a URL or a log line.
 * http_client_free() cancels what is under way; `done` callbacks run before `freed`. */
#ifndef FRAISEQL_NET_HTTP_CLIENT_H
#define FRAISEQL_NET_HTTP_CLIENT_H

#include "lib/core/secret.h"
#include "lib/net/resolver.h"

struct http_client;
struct http_call;

struct http_header {
    const char *name, *value;
};

struct http_tls_options {
    const char *ca_file, *cert_file, *key_file, *server_name;
    bool insecure_skip_verify;
    /* The same as PEM in memory, for credentials that lie in no file of their own; they go before the files. */
    const char *ca_pem, *cert_pem;
    const struct secret *key_pem;
};

struct http_request {
    const char *method; /* NULL: GET */
    const char *url;    /* http or https */
    const struct http_header *headers;
    size_t header_count;
    struct str body;
    const struct secret *bearer_token; /* Authorization: Bearer */
    const char *basic_user;            /* with basic_password: Authorization: Basic */
    const struct secret *basic_password;
    struct http_tls_options tls;
    int64_t deadline_mono_ns; /* whole call, name resolution included; required */
    size_t max_body_bytes;    /* of the decoded response; 0: LIMIT_BODY_BYTES. Passing it is ERR_LIMIT */
    unsigned max_redirects;   /* 0: a redirect is an answer like any other */
    bool accept_gzip;
    bool fresh_connection;  /* never reuse (a probe must see the accept) */
    bool no_body;           /* stop after the headers */
    bool want_certificates; /* fill certificate_not_after_s; opens a connection of its own, since
                               certificates are seen in a full handshake only */
};

struct http_response {
    int status;
    struct str body; /* decoded */
    struct str content_type;
    struct str location;
    struct str retry_after;
    int64_t received_bytes; /* headers and body as they came over the wire, before decoding */
    /* Phases in nanoseconds since the start of the call, cumulative like libcurl's; 0 when not reached. */
    int64_t resolve_ns, connect_ns, tls_ns, first_byte_ns, total_ns;
    int64_t certificate_not_after_s; /* earliest expiry of the chain, seconds since 1970; 0: none */
    int http_version;                /* 10, 11, 20 */
    const char *effective_url;
    const char *remote_address; /* numeric, empty when unknown */
    bool reused_connection;
    /* Every header of the last response; NULL-name never appears. */
    const struct http_header *headers;
    size_t header_count;
};

/* err NULL: an answer with any status arrived. err set: response still holds the phases that were reached. */
typedef void http_done_fn(void *ctx, const struct http_response *response, const struct error *err);
/* Optional streaming of the decoded body instead of collecting it; return false to abort. */
typedef bool http_body_fn(void *ctx, struct str chunk);

struct http_client_options {
    const char *user_agent;
    unsigned max_connections; /* 0: 256 */
};

int http_client_new(struct loop *loop, struct resolver *resolver, const struct http_client_options *options,
                    struct http_client **ret_client, struct error *err) CHECK_RESULT;
void http_client_free(struct http_client *client, loop_fn *freed, void *ctx);

int http_client_send(struct http_client *client, const struct http_request *request, http_done_fn *done,
                     void *ctx, struct http_call **ret_call, struct error *err) CHECK_RESULT;
/* As http_client_send(), handing each chunk of the decoded body to `body`. */
int http_client_stream(struct http_client *client, const struct http_request *request, http_body_fn *body,
                       http_done_fn *done, void *ctx, struct http_call **ret_call, struct error *err)
    CHECK_RESULT;
void http_call_cancel(struct http_call *call);

#endif
