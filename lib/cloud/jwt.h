/* JSON Web Tokens (RFC 7519) in the compact form of RFC 7515: written and signed, and read without judging
 * the signature. Threads: pure. */
#ifndef FRAISEQL_CLOUD_JWT_H
#define FRAISEQL_CLOUD_JWT_H

#include "lib/core/crypto_sign.h"
#include "lib/core/json.h"
#include "lib/core/secret.h"

#define JWT_MAX_BYTES (64UL * 1024)

struct jwt_header {
    enum crypto_signature kind;
    const char *key_id; /* "kid"; NULL: none */
    /* Names the key by its certificate: x5t#S256 with PS256, x5t (SHA-1) with RS256. ERR_CONFIG when the key
     * has none. */
    bool thumbprint;
};

/* `claims` is a JSON object. The result is as good as a password while it is valid. */
int jwt_sign(const struct crypto_key *key, const struct jwt_header *header, struct str claims,
             struct secret **ret_jwt, struct error *err) CHECK_RESULT;

/* What a token says of itself: good for a message and for nothing else, as nobody checked the signature.
 * False when it is no JWT. The claims live in the arena. */
bool jwt_claims(struct arena *arena, struct str jwt, const struct node **ret_claims);

#endif
