/* The deployment's certificate authority, and what it signs. Kept in the vault: `authority` and
 * `certificate-NAME`, each the certificate and then its key. */
#include "lib/core/clock.h"
#include "lib/core/x509.h"
#include "provisioner/self_hosted/vault_internal.h"

#include <errno.h>

#define DAY_S            INT64_C(86400)
#define AUTHORITY_LIFE_S (3650 * DAY_S)
#define LEAF_LIFE_S      (397 * DAY_S) /* what the CA/Browser Forum allowed at most, 2020 to 2026 */
#define CLOCK_SKEW_S     3600          /* hosts whose clock is late shall take it as well */
#define AUTHORITY_NAME   "FraiseQL deployment authority"

struct pair {
    struct str certificate, key;
};

static struct str kept(struct vault *vault, struct buf *bytes)
{
    struct str text = {arena_strdup(vault->arena, buf_str(bytes)), bytes->len};
    buf_deinit(bytes);
    return text;
}

/* A certificate and its key, one after the other. */
static bool split(struct str both, struct pair *ret)
{
    const char *key = memmem(both.ptr, both.len, "-----BEGIN PRIVATE KEY-----", 27);
    if (!key)
        return false;
    size_t length = (size_t)(key - both.ptr);
    *ret = (struct pair){{both.ptr, length}, {key, both.len - length}};
    return true;
}

static int keep(struct vault *vault, const char *name, struct buf *certificate, struct buf *key,
                struct pair *ret, struct error *err)
{
    struct buf both = BUF_INIT(2 * X509_PEM_MAX_BYTES);
    buf_append_str(&both, buf_str(certificate));
    buf_append_str(&both, buf_str(key));
    int code = vault_write(vault, name, buf_str(&both), err);
    ret->certificate = kept(vault, certificate);
    ret->key = kept(vault, key);
    buf_deinit(&both);
    return code;
}

/* One that is damaged is an error: what it signed would be worth nothing with another. */
static int authority_of(struct vault *vault, struct pair *ret, struct error *err)
{
    struct str both;
    int code = vault_read(vault, VAULT_AUTHORITY, &both, err);
    if (!code && !split(both, ret))
        return error_set(err, ERR_CORRUPT, "%s/authority holds no certificate authority", vault->folder);
    if (code != -ENOENT)
        return code;
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    struct x509_request request = {.common_name = AUTHORITY_NAME,
                                   .not_before_s = now_s - CLOCK_SKEW_S,
                                   .not_after_s = now_s + AUTHORITY_LIFE_S};
    struct buf certificate = BUF_INIT(X509_PEM_MAX_BYTES), key = BUF_INIT(X509_PEM_MAX_BYTES);
    code = x509_make_authority(&request, &certificate, &key, err);
    return code ? code : keep(vault, VAULT_AUTHORITY, &certificate, &key, ret, err);
}

/* Whether the stored one can go on; otherwise a new one is made. */
static bool still_good(struct str both, const struct pair *authority, const struct x509_request *request,
                       int64_t now_s, struct pair *ret, int64_t *ret_not_after_s)
{
    struct x509_facts facts;
    struct error ignored = {0};
    if (!split(both, ret) ||
        x509_inspect(ret->certificate, authority->certificate, request, &facts, &ignored))
        return false;
    *ret_not_after_s = facts.not_after_s;
    return facts.names_match && facts.issued && facts.not_after_s - now_s > LEAF_LIFE_S / 3;
}

static int leaf_of(struct vault *vault, const struct pair *authority, const char *file,
                   struct x509_request *request, struct pair *ret, int64_t *ret_not_after_s,
                   struct error *err)
{
    struct str both;
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    int code = vault_read(vault, file, &both, err);
    if (code && code != -ENOENT)
        return code;
    if (!code && still_good(both, authority, request, now_s, ret, ret_not_after_s))
        return 0;
    request->not_before_s = now_s - CLOCK_SKEW_S;
    request->not_after_s = *ret_not_after_s = now_s + LEAF_LIFE_S;
    struct buf certificate = BUF_INIT(X509_PEM_MAX_BYTES), key = BUF_INIT(X509_PEM_MAX_BYTES);
    code = x509_issue(authority->certificate, authority->key, request, &certificate, &key, err);
    return code ? code : keep(vault, file, &certificate, &key, ret, err);
}

int vault_certificate(struct vault *vault, const char *common_name, const char *const *names,
                      struct vault_certificate *ret, struct error *err)
{
    struct pair authority = {0}, leaf = {0};
    struct x509_request request = {.common_name = common_name, .names = names};
    (void)pthread_mutex_lock(&vault->lock);
    int code = authority_of(vault, &authority, err);
    if (!code)
        code = leaf_of(vault, &authority, arena_printf(vault->arena, "certificate-%s", common_name), &request,
                       &leaf, &ret->not_after_unix_s, err);
    (void)pthread_mutex_unlock(&vault->lock);
    ret->certificate_pem = leaf.certificate;
    ret->key_pem = leaf.key;
    ret->authority_pem = authority.certificate;
    return code ? error_prefix(err, "certificate of %s", common_name) : 0;
}

int vault_authority(struct vault *vault, struct str *ret_pem, struct error *err)
{
    struct pair authority = {0};
    (void)pthread_mutex_lock(&vault->lock);
    int code = authority_of(vault, &authority, err);
    (void)pthread_mutex_unlock(&vault->lock);
    *ret_pem = authority.certificate;
    return code;
}
