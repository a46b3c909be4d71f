/* The few cryptographic primitives we need, from OpenSSL. */
#ifndef FRAISEQL_CORE_CRYPTO_H
#define FRAISEQL_CORE_CRYPTO_H

#include "lib/core/buf.h"

#define CRYPTO_SHA256_BYTES 32

void crypto_sha256(struct str bytes, unsigned char digest[CRYPTO_SHA256_BYTES]);
void crypto_hmac_sha256(struct str key, struct str bytes, unsigned char mac[CRYPTO_SHA256_BYTES]);
/* Random bytes from the system; aborts when there are none. */
void crypto_random(void *bytes, size_t len);
/* UUID version 7 (RFC 9562) in text: sorts by time. */
#define CRYPTO_UUID_SIZE 37
void crypto_uuid7(int64_t wall_ns, char text[CRYPTO_UUID_SIZE]);
void crypto_base64_encode(struct str bytes, struct buf *out);
/* The alphabet that URLs take, without padding (RFC 7515, appendix C). */
void crypto_base64url_encode(struct str bytes, struct buf *out);
/* False on anything that is not canonical base64 (either alphabet, padding optional). */
bool crypto_base64_decode(struct str text, struct buf *out);
bool crypto_equal(struct str a, struct str b); /* constant time in the content */

#endif
