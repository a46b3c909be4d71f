/* Signed calls of the Query protocol for a command that waits: tried again, within the deadline and
 * by the rules of lib/net/retry.h, when they were not answered, throttled, or the service was broken; signed
 * again, once, by the server's clock when ours was the reason.
 *
 * Ownership: the caller borrows client and token. Threads: owned by the caller. */
#ifndef FRAISEQL_CLOUD_AWS_CALL_H
#define FRAISEQL_CLOUD_AWS_CALL_H

#include "lib/cloud/aws_query.h"
#include "lib/cloud/signin.h"

struct aws_caller {
    struct http_wait *client;
    struct cloud_token token;
    const char *region;
    aws_env_fn *env;
    int64_t deadline_mono_ns;
    int64_t offset_ns; /* of the servers' clock; found out by a call */
    unsigned tries;    /* 0: as many as the deadline allows, at most AWS_CALL_TRIES */
};
#define AWS_CALL_TRIES 5U

/* *ret_result as aws_query_result(). A refusal is an error, and *ret_failure (may be NULL) says which; its
 * status is 0 when there was no answer. Errors: ERR_AUTH, ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_PEER, ERR_CONFIG.
 */
int aws_call(struct aws_caller *caller, const char *service, const char *action, const struct aws_form *form,
             struct arena *arena, const struct xml **ret_result, struct aws_failure *ret_failure,
             struct error *err) CHECK_RESULT;

#endif
