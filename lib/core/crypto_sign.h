/* Signatures with an RSA key: what a program proves to a cloud who it is with.
 *
 * A key is read from PEM (PKCS#8 or PKCS#1, encrypted or not, certificates beside it in any order) or from
 * PKCS#12 (.pfx, .p12). Errors never contain bytes of what was read.
 * Ownership: crypto_key_free() erases. Threads: a key is immutable. */
#ifndef FRAISEQL_CORE_CRYPTO_SIGN_H
#define FRAISEQL_CORE_CRYPTO_SIGN_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

#define CRYPTO_SHA1_BYTES 20
#define CRYPTO_RSA_BITS   2048 /* the least a key may have: RFC 7518, section 3.3 */

/* Both over SHA-256: RSASSA-PKCS1-v1_5, and RSASSA-PSS with a salt of the digest's length. */
enum crypto_signature { CRYPTO_RS256, CRYPTO_PS256 };

struct crypto_key;

/* `password` NULL: none. Nothing is ever asked on a terminal. ERR_CONFIG with the reason; the caller prefixes
 * the file's name. */
int crypto_key_read(struct str bytes, const char *password, struct crypto_key **ret_key, struct error *err)
    CHECK_RESULT;
void crypto_key_free(struct crypto_key *key); /* accepts NULL */

/* Appends the signature's bytes. */
int crypto_sign(const struct crypto_key *key, enum crypto_signature kind, struct str bytes, struct buf *out,
                struct error *err) CHECK_RESULT;

/* Digests of the certificate that belongs to the key; false when there was none beside it. */
bool crypto_thumbprint_sha1(const struct crypto_key *key, unsigned char digest[CRYPTO_SHA1_BYTES]);
bool crypto_thumbprint_sha256(const struct crypto_key *key, unsigned char digest[32]);
/* The certificate's last second, as seconds since 1970; 0 without a certificate. */
int64_t crypto_key_not_after_s(const struct crypto_key *key);

DEFINE_CLEANUP(struct crypto_key, crypto_key_free)

#endif
