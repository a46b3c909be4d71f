/* Asking a cloud's price API: one request after the other, tried again where that may help, until a deadline.
 *
 * Tried again is what passes by lib/net/retry.h, and what was cut off. When the time that is asked for
 * reaches past the deadline, the request has failed at once. One attempt may take two minutes, and where more
 * than 256 MiB may come as long as there is time. Redirects are not followed. What cannot be read is not
 * asked for again. The key travels in a header; no error shows it.
 *
 * Ownership: the fetch borrows all that it is opened with. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_PRICES_FETCH_H
#define FRAISEQL_PROVISIONER_PRICES_FETCH_H

#include "lib/core/buf.h"
#include "lib/core/json.h"
#include "lib/core/secret.h"
#include "lib/net/http_wait.h"

struct fetch {
    struct http_wait *client;
    const char *base;         /* "https://HOST", see origin_check_base() */
    const struct secret *key; /* X-Goog-Api-Key; NULL: none */
    int64_t deadline_mono_ns;
    void (*progress)(void *ctx, const struct fetch *fetch); /* often; NULL: nobody asks */
    void *progress_ctx;
    uint64_t requests, retries, bytes; /* so far; bytes of bodies, decoded */
};

/* Takes a body as it comes, from its beginning again after each begin(). */
struct fetch_reader {
    void (*begin)(void *ctx);
    int (*feed)(void *ctx, struct str chunk, struct error *err);
    int (*end)(void *ctx, struct error *err); /* the body is complete */
    void *ctx;
};

/* `base` must have passed origin_check_base(); key, deadline and progress are the caller's to set. */
int fetch_open(struct fetch *fetch, const char *base, struct error *err) CHECK_RESULT;
void fetch_close(struct fetch *fetch);

/* `target` is put behind the base ("/offers/..."), or is a whole URL of the same origin; ERR_PEER for one
 * that leads elsewhere. Errors: ERR_AUTH (401, 403), ERR_PEER (another status), ERR_TIMEOUT, ERR_UNAVAILABLE,
 * ERR_LIMIT (a body over max_bytes), the reader's. */
int fetch_get(struct fetch *fetch, const char *target, size_t max_bytes, const struct fetch_reader *reader,
              struct error *err) CHECK_RESULT;
/* A whole JSON document. */
int fetch_json(struct fetch *fetch, const char *target, size_t max_bytes, struct arena *arena,
               struct node **ret_root, struct error *err) CHECK_RESULT;

#endif
