/* RSA keys and certificates made for one test, and the verifier of what was signed with them. */
#ifndef FRAISEQL_TESTS_TEST_KEY_H
#define FRAISEQL_TESTS_TEST_KEY_H

#include "lib/core/buf.h"

struct test_key;

struct test_key *test_key_new(int bits);
void test_key_free(struct test_key *key);

/* malloc'd. */
char *test_key_pem(const struct test_key *key); /* PKCS#8 */
char *test_key_encrypted_pem(const struct test_key *key, const char *password);
char *test_key_certificate_pem(const struct test_key *key);
void test_key_pkcs12(const struct test_key *key, const char *password, struct buf *out);
/* With a padding of PSS or of PKCS#1, both over SHA-256. */
bool test_key_verifies(const struct test_key *key, bool pss, struct str bytes, struct str signature);
/* "header.claims.signature": its parts decoded and terminated into buffers of the caller. False when the
 * signature is not this key's. */
bool test_key_verifies_jwt(const struct test_key *key, struct str jwt, struct buf *header,
                           struct buf *claims);
/* base64url of the certificate's digest by SHA-256, or by SHA-1. */
void test_key_thumbprint(const struct test_key *key, bool sha256, struct buf *out);

#endif
