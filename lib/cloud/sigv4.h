/* AWS Signature Version 4: the headers that prove who sends a request. Pure: the time is an argument and
 * nothing is sent.
 *
 * The rule is AWS's own ("Create a signed AWS API request"): method, path, query, headers and body are
 * brought into one canonical text, whose hash is signed with a key derived from the secret, the day, the
 * region and the service. Paths are normalised and encoded once more than they are in the URL, but for S3,
 * which takes them as they are. A query is decoded, encoded by RFC 3986 and sorted; its "+" is a plus, not a
 * blank.
 *
 * Ownership: what is returned lives in the arena, but for the session token, whose header points at the key's
 * own bytes. Whatever is derived from the secret is wiped. Threads: any. */
#ifndef FRAISEQL_CLOUD_SIGV4_H
#define FRAISEQL_CLOUD_SIGV4_H

#include "lib/core/arena.h"
#include "lib/core/secret.h"
#include "lib/net/http_client.h"

struct sigv4_key {
    const char *access_key_id;
    const struct secret *secret;
    const struct secret *session; /* NULL: none */
    const char *region, *service; /* "eu-west-1", "sts" */
};

/* *ret_headers: those of the request, then Authorization, X-Amz-Date, X-Amz-Security-Token with a session,
 * and for S3 X-Amz-Content-Sha256. Every header of the request is signed but for those a proxy may change
 * (User-Agent, Expect, Connection, Transfer-Encoding, X-Amzn-Trace-Id), and Host with them. A body's hash is
 * taken from a header X-Amz-Content-Sha256 where there is one ("UNSIGNED-PAYLOAD").
 * Errors: ERR_CONFIG (the URL is none; a header that this function makes is there already), ERR_LIMIT. */
int sigv4_sign(const struct http_request *request, const struct sigv4_key *key, int64_t wall_ns,
               struct arena *arena, const struct http_header **ret_headers, size_t *ret_count,
               struct error *err) CHECK_RESULT;

/* A request that was refused because our clock is wrong: true, and by how much the server's is ahead, to be
 * added to the time that the next try is signed with. `code` and `message` are those of the answer, `date`
 * its header (NULL: none). A clock that is less than a minute off is not the reason. */
bool sigv4_clock_offset(const char *code, const char *message, const char *date, int64_t wall_ns,
                        int64_t *ret_offset_ns);

#endif
