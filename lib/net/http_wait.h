/* HTTP(S) requests for programs without a loop: each call blocks until the answer is there or its deadline
 * has passed. The rules of http_client.h hold (TLS verified, no proxies, bounded bodies, redirects only when
 * asked for); connections are reused between calls.
 *
 * Ownership: the answer and all it points to live in the arena given. Threads: owned by the caller; one
 * client a thread. */
#ifndef FRAISEQL_NET_HTTP_WAIT_H
#define FRAISEQL_NET_HTTP_WAIT_H

#include "lib/core/arena.h"
#include "lib/net/http_client.h"

struct http_wait;

int http_wait_new(const char *user_agent, struct http_wait **ret_client, struct error *err) CHECK_RESULT;
void http_wait_free(struct http_wait *client); /* accepts NULL */

/* 0: an answer with any status. Errors are http_client.h's. */
int http_wait_send(struct http_wait *client, const struct http_request *request, struct arena *arena,
                   struct http_response *ret_response, struct error *err) CHECK_RESULT;
/* As http_wait_send(), handing each chunk of the decoded body to `body` as it comes: the answer's own body
 * is empty. `body` false: ERR_CANCELLED. */
int http_wait_stream(struct http_wait *client, const struct http_request *request, http_body_fn *body,
                     void *body_ctx, struct arena *arena, struct http_response *ret_response,
                     struct error *err) CHECK_RESULT;
/* The value of the first header of that name (in any case); NULL: none. */
const char *http_response_header(const struct http_response *response, const char *name);

#endif
