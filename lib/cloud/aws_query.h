/* One call of AWS's Query protocol (STS, IAM, RDS): a form is posted, XML comes back. No I/O.
 *
 * Ownership: the arena's. Threads: any. */
#ifndef FRAISEQL_CLOUD_AWS_QUERY_H
#define FRAISEQL_CLOUD_AWS_QUERY_H

#include "lib/cloud/aws_endpoint.h"
#include "lib/cloud/sigv4.h"
#include "lib/cloud/xml.h"
#include "lib/core/buf.h"

#define AWS_QUERY_BODY_MAX   (256UL * 1024)
#define AWS_QUERY_ANSWER_MAX (4UL * 1024 * 1024)

/* The body of a call. It may hold a token: aws_form_deinit() wipes. */
struct aws_form {
    struct buf text;
};

void aws_form_init(struct aws_form *form, const char *action, const char *version);
void aws_form_add(struct aws_form *form, const char *name, struct str value);
void aws_form_deinit(struct aws_form *form);

/* `key` NULL: unsigned. The request borrows the form and the endpoint. Region and service of the key are the
 * endpoint's. */
int aws_query_request(const struct aws_endpoint *endpoint, const struct aws_form *form,
                      const struct sigv4_key *key, int64_t wall_ns, struct arena *arena,
                      struct http_request *ret_request, struct error *err) CHECK_RESULT;

/* What an answer that is none of 2xx says. */
struct aws_failure {
    int status;
    const char *code;    /* "AccessDenied"; "" when the answer is not AWS's XML */
    const char *message; /* at most AWS_FAILURE_MESSAGE_MAX bytes, without control characters */
};
#define AWS_FAILURE_MESSAGE_MAX 300

/* *ret_result: the element "<action>Result" of a 2xx answer. Errors: ERR_PEER when it is not what the action
 * answers. */
int aws_query_result(const struct http_response *answer, const char *action, struct arena *arena,
                     const struct xml **ret_result, struct error *err) CHECK_RESULT;
void aws_query_failure(const struct http_response *answer, struct arena *arena,
                       struct aws_failure *ret_failure);
/* The same of a service that speaks JSON 1.0 or 1.1: {"__type": "namespace#Code", "message": "..."}. */
void aws_json_failure(const struct http_response *answer, struct arena *arena,
                      struct aws_failure *ret_failure);
/* Whether another try may help: throttled, or as retry_status_passes() says. */
bool aws_failure_is_passing(const struct aws_failure *failure);
/* A refused call as one sentence and a hint: ERR_AUTH where credentials or permissions are the reason,
 * ERR_UNAVAILABLE where it is passing, else ERR_PEER. `who` says whose credentials: "environment". */
int aws_failure_error(const struct aws_failure *failure, const char *action, const char *who,
                      struct error *err);

#endif
