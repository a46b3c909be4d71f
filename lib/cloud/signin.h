/* Signing in to a cloud: the HTTP exchanges with which credentials or a token are got, without doing the I/O.
 * Whoever drives a sign-in sends what it asks for and hands the answer back, so the same code works on the
 * collector's loop and in a command that waits, and its parsers can be fuzzed.
 *
 *     answer = NULL;
 *     while (signin_next(s, answer, failure, wall_ns, &step, &request, &err) == 0 && step == SIGNIN_SEND)
 *         send `request` -> answer, failure
 *     // SIGNIN_READY: signin_token(s)
 *
 * A sign-in can be run again when its token nears its end. The chain of places where credentials may lie
 * (environment, files, metadata servers) is the cloud's own: aws_signin.h, google_signin.h, azure_signin.h.
 * Secrets are never part of an error's text. Where nothing is found, the error says every place that was
 * looked at, and its hint the command that mends it.
 *
 * Ownership: the sign-in owns requests and token; a request is valid until the next call. Threads: owned by
 * the caller. */
#ifndef FRAISEQL_CLOUD_SIGNIN_H
#define FRAISEQL_CLOUD_SIGNIN_H

#include "lib/core/arena.h"
#include "lib/core/secret.h"
#include "lib/net/http_wait.h"

struct signin;

enum signin_step { SIGNIN_SEND, SIGNIN_READY };

struct cloud_token {
    const struct secret *secret;  /* the bearer token; AWS: the secret access key */
    const char *access_key_id;    /* AWS; else NULL */
    const struct secret *session; /* AWS: session token, may be NULL */
    const char *source;           /* where it was found: "environment", "profile prod", "metadata server" */
    const char *identity;         /* who that is, where the sign-in itself tells; NULL: unknown */
    int64_t expires_wall_ns;      /* 0: never */
};

/* What a cloud puts behind `struct signin`. */
struct signin_ops {
    /* As signin_next(). */
    int (*next)(void *state, const struct http_response *answer, const struct error *failure, int64_t wall_ns,
                enum signin_step *ret_step, struct http_request *ret_request, struct error *err);
    void (*token)(const void *state, struct cloud_token *ret_token);
    void (*free)(void *state);
};

/* Takes `state` over. */
struct signin *signin_new(const struct signin_ops *ops, void *state);
void signin_free(struct signin *signin); /* accepts NULL; erases what is secret */

/* `answer` NULL with `failure` NULL begins (anew); `failure` set: the request could not be sent or was not
 * answered. The request's deadline is the driver's to set, unless the sign-in has set an earlier one. Errors:
 * ERR_CONFIG (nothing found, or a file that cannot be read as what it claims to be), ERR_AUTH (refused),
 * ERR_UNAVAILABLE, ERR_PEER, -ENOTSUP (what lies there is good for others, and this version cannot use it).
 */
int signin_next(struct signin *signin, const struct http_response *answer, const struct error *failure,
                int64_t wall_ns, enum signin_step *ret_step, struct http_request *ret_request,
                struct error *err) CHECK_RESULT;
void signin_token(const struct signin *signin, struct cloud_token *ret_token);

/* Drives a sign-in to its end, blocking until the deadline at most. */
int signin_wait(struct signin *signin, struct http_wait *client, int64_t deadline_mono_ns,
                struct cloud_token *ret_token, struct error *err) CHECK_RESULT;

#endif
