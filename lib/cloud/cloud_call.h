/* Requests to a cloud's API from a command that waits: what passes is tried again, by the rules of
 * lib/net/retry.h, as long as the deadline leaves room.
 * Threads: as http_wait.h. */
#ifndef FRAISEQL_CLOUD_CLOUD_CALL_H
#define FRAISEQL_CLOUD_CLOUD_CALL_H

#include "lib/cloud/signin.h"

#define CLOUD_CALL_TRIES 6U /* pauses of 0.5, 1, 2, 4 and 8 seconds at least */

/* 0: an answer that is no passing one, or the last of them. The request's own deadline is not looked at. Only
 * what may be sent twice may be sent by this. */
int cloud_call(struct http_wait *client, const struct http_request *request, int64_t deadline_mono_ns,
               struct arena *arena, struct http_response *ret_response, struct error *err) CHECK_RESULT;
/* signin_wait(), begun anew after ERR_UNAVAILABLE and ERR_TIMEOUT in the same way. */
int cloud_signin(struct signin *signin, struct http_wait *client, int64_t deadline_mono_ns,
                 struct cloud_token *ret_token, struct error *err) CHECK_RESULT;

#endif
