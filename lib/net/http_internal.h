/* The parts of the HTTP client: http_client.c drives libcurl on the loop, http_call.c is the life of one
 * call, http_request.c turns a request into an easy handle, http_response.c reads the answer. */
#ifndef FRAISEQL_NET_HTTP_INTERNAL_H
#define FRAISEQL_NET_HTTP_INTERNAL_H

#include "lib/core/buf.h"
#include "lib/net/http_client.h"

#include <curl/curl.h>

/* One descriptor libcurl waits for; freed in the `closed` callback of its watch. */
struct http_socket {
    struct http_socket *next, **link; /* link NULL: no longer in the client's list */
    struct http_client *client;
    curl_socket_t fd;
    struct loop_watch watch;
};

struct http_client {
    struct loop *loop;
    struct resolver *resolver;
    CURLM *multi;
    struct loop_timer timer; /* libcurl's own timeouts; when freeing, the teardown */
    struct http_socket *sockets;
    size_t calls;   /* not yet freed */
    size_t closing; /* watches whose `closed` is still to come */
    char *user_agent;
    bool in_curl; /* inside a function of libcurl: its handles may not be added or removed */
    bool freeing;
    struct http_call *all;
    loop_fn *freed;
    void *freed_ctx;
};

/* Connects a lookup with a call that may end before the answer comes. */
struct http_lookup {
    struct http_call *call; /* NULL: nobody waits any more */
};

enum http_state {
    HTTP_RESOLVING,
    HTTP_READY,   /* resolved inside a callback of libcurl: to be started from the timer */
    HTTP_RUNNING, /* with libcurl */
    HTTP_ENDING,  /* `failure` is to be reported from the timer */
    HTTP_DONE
};

struct http_target {
    char *host; /* without brackets, as libcurl's cache knows it */
    uint16_t port;
    bool https;
};

struct http_call {
    struct http_call *next, **link;
    struct http_client *client;
    enum http_state state;
    struct loop_timer timer; /* the deadline; also runs what must not run inside the caller or libcurl */
    http_done_fn *done;
    http_body_fn *on_body;
    void *ctx;

    CURL *easy;
    CURLU *url; /* of the current hop */
    char *url_text;
    struct http_target target;
    struct curl_slist *headers, *resolve, *connect_to;
    char *server_name;
    bool accept_gzip, no_body, want_certificates, fresh_connection;
    bool in_multi;      /* the easy handle is with the multi handle */
    bool stopped_early; /* no_body: the headers were all we wanted */
    size_t max_body_bytes, streamed_bytes;
    unsigned redirects_left, max_redirects;
    int64_t start_ns, hop_ns, deadline_ns;
    int64_t resolve_ns; /* since start_ns, of the first hop */
    struct http_lookup *lookup;
    struct resolver_answer addresses;

    struct buf body;
    struct buf head; /* name NUL value NUL ... of the last response */
    struct http_header *head_list;
    size_t head_count;
    char curl_error[CURL_ERROR_SIZE];
    struct error failure; /* code 0: none */
};

/* http_request.c */
int http_parse_url(struct http_call *call, const char *url, struct error *err) CHECK_RESULT;
int http_setup(struct http_call *call, const struct http_request *request, struct error *err) CHECK_RESULT;
/* Points the easy handle at call->url and its resolved addresses. */
int http_setup_hop(struct http_call *call, struct error *err) CHECK_RESULT;
/* Prepares the next hop for `location`: method, body and credentials as RFC 9110 section 15.4 wants them. */
int http_setup_redirect(struct http_call *call, long status, const char *location, struct error *err)
    CHECK_RESULT;
void http_request_free(struct http_call *call);

/* http_response.c */
void http_capture_headers(struct http_call *call);
void http_reset_headers(struct http_call *call);
const char *http_find_header(const struct http_call *call, const char *name);
void http_fill_response(struct http_call *call, struct http_response *response);
int http_map_error(struct http_call *call, CURLcode code, struct error *err);
void http_timeout_error(struct http_call *call, struct error *err);
bool http_is_redirect(long status);
/* "Nov 23 21:00:00 2027 GMT" as OpenSSL prints it; 0 when it is something else. */
int64_t http_parse_certificate_time(const char *text);

/* http_call.c */
void http_call_completed(struct http_call *call, CURLcode code);
void http_call_fail_later(struct http_call *call, const struct error *err);

/* http_client.c */
int http_client_add(struct http_client *client, struct http_call *call, struct error *err) CHECK_RESULT;
void http_client_remove(struct http_client *client, struct http_call *call);
void http_client_call_freed(struct http_client *client);
curl_socket_t http_client_close_socket(void *client, curl_socket_t fd);

#endif
