/* Signatures of webhooks after the Standard Webhooks specification 1.0.
 *
 * webhook-signature is a space-separated list of v1,<base64 HMAC-SHA256 over "id.timestamp.body">, one for
 * each secret, so that a receiver can change its secret while both are listed.
 *
 * A secret file holds one secret a line, at most WEBHOOK_MAX_SECRETS: whsec_<base64> (the key is what it
 * decodes to) or any other text, whose bytes are the key. Ownership: webhook_keys_free() wipes. Threads:
 * immutable after load. */
#ifndef FRAISEQL_EXPORTERS_WEBHOOK_SIGN_H
#define FRAISEQL_EXPORTERS_WEBHOOK_SIGN_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

#define WEBHOOK_MAX_SECRETS 4

struct webhook_keys;

/* -errno when the file cannot be read, ERR_CONFIG when it holds no usable secret; *ret_short_key (may be
 * NULL) says that a key has fewer than the 24 bytes the specification asks for. */
int webhook_keys_load(const char *path, struct webhook_keys **ret_keys, bool *ret_short_key,
                      struct error *err) CHECK_RESULT;
int webhook_keys_parse(struct str text, struct webhook_keys **ret_keys, bool *ret_short_key,
                       struct error *err) CHECK_RESULT;
void webhook_keys_free(struct webhook_keys *keys); /* accepts NULL */

/* Whether a signature of the list in `header` is one of ours; each is compared in constant time. Whether the
 * timestamp is near enough, and the id new, is for the caller. */
bool webhook_verify(const struct webhook_keys *keys, const char *id, int64_t timestamp_s, struct str body,
                    const char *header) CHECK_RESULT;
/* Appends the value of webhook-signature. id has no '.'. */
void webhook_sign(const struct webhook_keys *keys, const char *id, int64_t timestamp_s, struct str body,
                  struct buf *out);

DEFINE_CLEANUP(struct webhook_keys, webhook_keys_free)

#endif
