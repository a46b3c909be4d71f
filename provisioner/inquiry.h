/* What the credential checks of all clouds (provider.h's validate_credentials) have in common: signing in,
 * and putting into words what was found. A cloud's own state has the inquiry as its member `base`.
 *
 * Ownership: texts live in the inquiry's arena, or live longer. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_INQUIRY_H
#define FRAISEQL_PROVISIONER_INQUIRY_H

#include "lib/cloud/signin.h"
#include "lib/core/buf.h"
#include "provisioner/provider.h"

struct inquiry {
    const struct deployment *deployment;
    const struct region *region;
    int64_t deadline_mono_ns;
    struct arena *arena;
    struct http_wait *client; /* while inquiry_run() runs; and so the token */
    struct cloud_token token;
    struct credential_check *check;
    struct error *err;
    const char *mend; /* of a refused sign-in that says none itself */
};

/* signin_wait() or cloud_signin(). */
typedef int inquiry_signin_fn(struct signin *signin, struct http_wait *client, int64_t deadline_mono_ns,
                              struct cloud_token *ret_token, struct error *err);

/* Signs in, notes who that is where the sign-in says it, and calls `ask` with `own`, the cloud's own
 * state. `signin` is taken over. Errors:
 * inquiry_failed()'s, those of `ask`. */
int inquiry_run(struct inquiry *inquiry, struct signin *signin, inquiry_signin_fn *sign_in,
                int (*ask)(void *own), void *own) CHECK_RESULT;

/* The problem and what mends it. Returns 0, as that is an answer. */
int inquiry_found(struct inquiry *inquiry, const char *problem, const char *mend);
/* What credentials are or are not (ERR_CONFIG, ERR_AUTH) is found, and mended by the error's own hint or else
 * by inquiry->mend. With another code nobody could judge: it is returned, and the error handed up. */
int inquiry_failed(struct inquiry *inquiry, const struct error *reason);
/* One more thing that was not checked. */
void inquiry_note(struct inquiry *inquiry, const char *note);
/* Notes that these permissions are missing: "a, b, c, d and 3 more". `missing` lives in the arena. */
const char *inquiry_missing(struct inquiry *inquiry, const char **missing, size_t count);
/* The identity, or where the credentials were found. */
const char *inquiry_who(const struct inquiry *inquiry);
const char *inquiry_kept(const struct inquiry *inquiry, const char *text);

/* One more to a list of commands that are run one after the other, or of words. */
void inquiry_append(struct buf *list, const char *separator, const char *item);
/* Names of permissions that begin alike: `before` and each of `words`, which lie apart by blanks, into
 * `ret_names` (NULL: they are counted only). Returns how many. */
size_t inquiry_names(const char *before, const char *words, struct arena *arena, const char **ret_names);
/* The body of an answer that must be a JSON object. ERR_PEER. */
int inquiry_object(struct inquiry *inquiry, const char *url, struct str body, const struct node **ret_root)
    CHECK_RESULT;

#endif
