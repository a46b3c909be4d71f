/* Signed calls of AWS's JSON protocol (CloudWatch Logs, Systems Manager) for a command that waits: tried
 * again as cloud_call.h says, and where they are throttled; signed again, once, by the server's clock when
 * ours was the reason.
 *
 * Ownership: answers live in the arena of the call. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_AWS_JSON_CALL_H
#define FRAISEQL_PROVISIONER_AWS_JSON_CALL_H

#include "lib/cloud/aws_query.h"
#include "lib/cloud/signin.h"
#include "provisioner/deployment.h"

struct aws_json {
    const char *action; /* "FilterLogEvents": begins every error */
    const char *target; /* "Logs_20140328.FilterLogEvents" */
    size_t max_answer_bytes;
    int64_t deadline_mono_ns;
    struct error *err;
    /* Filled by aws_json_open(). */
    struct http_wait *client;
    struct signin *signin;
    struct cloud_token token;
    struct aws_endpoint endpoint;
    int64_t offset_ns; /* of the server's clock; found out by a call */
};

/* Signs in as the region's account says. Endpoint texts live in the arena. Call aws_json_close() in any
 * case. */
int aws_json_open(struct aws_json *json, const char *service, const struct region *region,
                  struct arena *arena) CHECK_RESULT;
void aws_json_close(struct aws_json *json);

/* 0: *ret_answer is one of 200. A refusal is an error, and *ret_failure says which; its status is 0 when
 * there was no answer. */
int aws_json_call(struct aws_json *json, struct str body, struct arena *arena,
                  struct http_response *ret_answer, struct aws_failure *ret_failure) CHECK_RESULT;

#endif
