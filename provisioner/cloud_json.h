/* Calls of a cloud's REST API with a bearer token, JSON both ways, for Google Cloud and Azure: signed in by
 * who opens it, tried again as cloud_call.h says, refusals as errors with the cloud's own words.
 *
 * Ownership: answers live in the arena. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_CLOUD_JSON_H
#define FRAISEQL_PROVISIONER_CLOUD_JSON_H

#include "lib/cloud/signin.h"
#include "lib/core/json.h"

struct cloud_json {
    const char *service; /* "Cloud SQL": begins every error */
    struct signin *signin;
    struct http_wait *client;
    struct cloud_token token;
    struct arena *arena;
    int64_t deadline_mono_ns;
    struct error *err;
};

struct cloud_json_answer {
    int status;
    const struct node *root; /* a mapping; NULL where the answer has no body */
    struct http_response response;
};

/* `signin` is taken over, also by a failure. Call cloud_json_close() in any case. */
int cloud_json_open(struct cloud_json *cloud, struct signin *signin) CHECK_RESULT;
void cloud_json_close(struct cloud_json *cloud);

/* 0 for 2xx, and for 404 and 409, which callers judge; the others are errors. `body` empty: none. What may
 * not be sent twice is sent `once`: what then passes is an error (ERR_UNAVAILABLE, ERR_TIMEOUT), and the
 * caller looks what came of it. */
int cloud_json_call(struct cloud_json *cloud, const char *method, const char *url, struct str body, bool once,
                    struct cloud_json_answer *ret_answer) CHECK_RESULT;
/* The same, and 404 and 409 are errors as well: ERR_PEER and ERR_CONFLICT. */
int cloud_json_must(struct cloud_json *cloud, const char *method, const char *url, struct str body,
                    struct cloud_json_answer *ret_answer) CHECK_RESULT;
/* An answer of 404 or 409 as an error. */
int cloud_json_refusal(struct cloud_json *cloud, const struct cloud_json_answer *answer);

/* "a%20b": a text as one part of a path or the value of a query. */
const char *cloud_json_escape(const char *text, struct arena *arena);
/* Without slashes at its end. ERR_CONFIG when the address that the variable `name` gives may not be sent a
 * token. */
int cloud_json_base(const char *name, const char *otherwise, struct arena *arena, const char **ret_url,
                    struct error *err) CHECK_RESULT;

#endif
