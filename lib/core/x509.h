/* Certificates of an authority of one's own: ECDSA on P-256, X.509 version 3 (RFC 5280), in PEM.
 *
 * Pure but for randomness: the time is an argument. Keys are written as unencrypted PKCS#8; who stores them
 * sees to the mode. Errors hold no bytes of a key. */
#ifndef FRAISEQL_CORE_X509_H
#define FRAISEQL_CORE_X509_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

#define X509_PEM_MAX_BYTES (64UL * 1024)

struct x509_request {
    const char *common_name;           /* at most 64 bytes: RFC 5280, ub-common-name */
    const char *const *names;          /* DNS names and numeric addresses, ended by NULL; NULL: none */
    int64_t not_before_s, not_after_s; /* seconds since 1970 */
};

/* An authority: may sign leaves and no further authorities. Appends to both. */
int x509_make_authority(const struct x509_request *request, struct buf *certificate_pem, struct buf *key_pem,
                        struct error *err) CHECK_RESULT;
/* A leaf for servers and clients, signed by the authority. Appends to both. */
int x509_issue(struct str authority_pem, struct str authority_key_pem, const struct x509_request *request,
               struct buf *certificate_pem, struct buf *key_pem, struct error *err) CHECK_RESULT;

struct x509_facts {
    int64_t not_before_s, not_after_s;
    bool names_match; /* the request's common name and names, in its order, and no others */
    bool issued;      /* signed by this authority */
};
/* Reads the first certificate of a PEM text. ERR_CORRUPT when there is none. */
int x509_inspect(struct str certificate_pem, struct str authority_pem, const struct x509_request *request,
                 struct x509_facts *ret, struct error *err) CHECK_RESULT;

#endif
