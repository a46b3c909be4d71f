/* An access key with its secret, and the two forms in which AWS hands out temporary ones.
 *
 * Ownership: the struct owns what it holds; aws_credentials_clear() wipes. What an answer said in clear is
 * wiped where it lies once it has been read; the buffers of the HTTP and
 * JSON libraries are not ours to wipe. Threads:
 * owned by the caller. */
#ifndef FRAISEQL_CLOUD_AWS_CREDENTIALS_H
#define FRAISEQL_CLOUD_AWS_CREDENTIALS_H

#include "lib/cloud/xml.h"
#include "lib/core/secret.h"
#include "lib/net/http_client.h"

struct aws_credentials {
    char *access_key_id; /* NULL: empty */
    struct secret *secret, *session;
    int64_t expires_wall_ns; /* 0: never */
};

void aws_credentials_clear(struct aws_credentials *credentials);
/* Replaces what is there. `session` NULL or "": none. Errors: ERR_CONFIG when a key is empty or has bytes no
 * key has (a blank, a line end), saying which of the two and never what it holds. */
int aws_credentials_set(struct aws_credentials *credentials, const char *access_key_id, const char *secret,
                        const char *session, struct error *err) CHECK_RESULT;

/* The JSON of a metadata or container server: AccessKeyId, SecretAccessKey, Token, Expiration. ERR_PEER. */
int aws_credentials_read_json(struct aws_credentials *credentials, const struct http_response *answer,
                              const char *who, struct error *err) CHECK_RESULT;
/* The element <Credentials> of STS. ERR_PEER. */
int aws_credentials_read_xml(struct aws_credentials *credentials, const struct xml *element,
                             struct error *err) CHECK_RESULT;

/* Overwrites the bytes of an answer that have been read. */
void aws_wipe_answer(const struct http_response *answer);

#endif
