/* The secrets of a deployment on own hosts: passwords, tokens, its certificate authority and certificates.
 *
 * Kept in the deployment's folder (workspace: .fraiseql/NAME/secrets, 0700; each file 0600), made once and
 * then read, so that every run renders the same files. Never printed, never in a step's script.
 *
 * Ownership: what is returned lives in the vault. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_VAULT_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_VAULT_H

#include "lib/core/error.h"
#include "lib/core/str.h"

struct vault;

int vault_open(const char *folder, struct vault **ret, struct error *err) CHECK_RESULT;
void vault_close(struct vault *vault);
DEFINE_CLEANUP(struct vault, vault_close)

/* 32 random bytes as base64url without padding, under a name such as "postgresql-replication". */
int vault_secret(struct vault *vault, const char *name, const char **ret, struct error *err) CHECK_RESULT;

/* A secret that others made: `given`, which is kept for later runs, or where that is NULL, the one that was
 * kept. -ENOENT where there is neither. */
int vault_given(struct vault *vault, const char *name, const char *given, const char **ret, struct error *err)
    CHECK_RESULT;

struct vault_certificate {
    struct str certificate_pem, key_pem, authority_pem;
    int64_t not_after_unix_s;
};

/* Whether it is there; makes nothing. */
bool vault_has(struct vault *vault, const char *name);
#define VAULT_AUTHORITY "authority" /* the name of that of certificates */

/* A certificate of the deployment's own authority for `common_name`, valid for the DNS names and numeric
 * addresses in `names` (ended by NULL; may be NULL: a client certificate). Made anew when it is gone, when
 * its names differ, or when less than a third of its life is left: that is the rotation. */
int vault_certificate(struct vault *vault, const char *common_name, const char *const *names,
                      struct vault_certificate *ret, struct error *err) CHECK_RESULT;

/* The certificate of that authority, in PEM: what clients verify with. */
int vault_authority(struct vault *vault, struct str *ret_pem, struct error *err) CHECK_RESULT;

#endif
