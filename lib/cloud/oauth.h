/* What the sign-ins of Google and Azure have in common: forms, the answers of token endpoints (RFC 6749,
 * section 5) and of services that answer like them, and which addresses may be sent a secret.
 * Answers are outside bytes. Threads: pure. */
#ifndef FRAISEQL_CLOUD_OAUTH_H
#define FRAISEQL_CLOUD_OAUTH_H

#include "lib/core/arena.h"
#include "lib/core/json.h"
#include "lib/core/secret.h"

#define OAUTH_BODY_BYTES (128UL * 1024)

/* A member of application/x-www-form-urlencoded. A form holds secrets: begin it with oauth_form_begin(),
 * which takes its room at once, and end it with oauth_form_wipe(). */
void oauth_form_begin(struct buf *form);
void oauth_form_add(struct buf *form, const char *name, struct str value);
void oauth_form_wipe(struct buf *form);

struct oauth_answer {
    struct secret *token;
    int64_t expires_wall_ns; /* 0: it did not say */
};

/* Reads an answer whose token is the member `member` ("access_token", "accessToken", "value", "id_token"):
 * its end from expires_in, expires_on or expireTime. ERR_AUTH: refused (400, 401, 403, 404), with the words
 * of the endpoint; ERR_UNAVAILABLE: what passes (lib/net/retry.h); ERR_PEER: it is no such answer. */
int oauth_answer_read(int status, struct str body, const char *member, int64_t wall_ns,
                      struct oauth_answer *ret_answer, struct error *err) CHECK_RESULT;
/* The error of an answer that is no success, from what the usual forms say: {"error": "x",
 * "error_description": "y"}, {"error": {"code", "status", "message"}}. Nothing but text on one line. */
int oauth_refusal(int status, struct str body, struct error *err);

/* https, or plain http to this machine (127.0.0.0/8, [::1], localhost): what may be sent a secret. */
bool oauth_url_is_private(const char *url);
/* https to googleapis.com or a name below it, or this machine: never who else wrote a credential file. */
bool oauth_url_is_google(const char *url);
/* As oauth_url_is_private(), or plain http to 169.254.0.0/16, where clouds answer their own machines. */
bool oauth_url_is_local(const char *url);

/* Erases every scalar of a tree that json_parse() made: a parsed file's or answer's secrets. */
void oauth_tree_wipe(struct node *root);

#endif
