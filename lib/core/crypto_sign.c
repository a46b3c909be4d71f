#include "lib/core/crypto_sign.h"

#include "lib/core/arena.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>

struct crypto_key {
    EVP_PKEY *pkey;
    X509 *certificate; /* NULL: none */
};

void crypto_key_free(struct crypto_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey); /* erases the private parts */
    X509_free(key->certificate);
    free(key);
}

/* Instead of OpenSSL's own, which would ask on the terminal. */
static int give_password(char *room, int size, int writing, void *arg)
{
    (void)writing;
    struct str password = str_from(arg);
    if (!password.len || password.len > (size_t)size)
        return -1;
    memcpy(room, password.ptr, password.len);
    return (int)password.len;
}

static int no_password(char *room, int size, int writing, void *arg)
{
    (void)room;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static void *password_arg(const char *password)
{
    return (void *)(uintptr_t)password;
}

/* The certificate of this key, wherever it stands among its chain. */
static X509 *matching_certificate(struct str bytes, EVP_PKEY *pkey)
{
    BIO *bio = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    X509 *certificate;
    while ((certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL)) &&
           X509_check_private_key(certificate, pkey) != 1)
        X509_free(certificate);
    BIO_free(bio);
    return certificate;
}

static int read_pem(struct str bytes, const char *password, struct crypto_key *key, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    key->pkey =
        PEM_read_bio_PrivateKey(bio, NULL, password ? give_password : no_password, password_arg(password));
    BIO_free(bio);
    if (!key->pkey) {
        bool encrypted = memmem(bytes.ptr, bytes.len, "ENCRYPTED", 9) != NULL;
        return error_set(err, ERR_CONFIG, "%s",
                         !encrypted ? "holds no private key that can be read"
                         : password ? "cannot be decrypted with the password given"
                                    : "is encrypted, and no password was given");
    }
    key->certificate = matching_certificate(bytes, key->pkey);
    return 0;
}

static int read_pkcs12(struct str bytes, const char *password, struct crypto_key *key, struct error *err)
{
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    PKCS12 *store = d2i_PKCS12(NULL, &at, (long)bytes.len);
    if (!store)
        return error_set(err, ERR_CONFIG, "is neither PEM nor PKCS#12");
    int code = 0;
    if (!PKCS12_verify_mac(store, password ? password : "", -1) &&
        !(!password && PKCS12_verify_mac(store, NULL, 0)))
        code = error_set(err, ERR_CONFIG, "%s",
                         password ? "cannot be opened with the password given"
                                  : "is protected, and no password was given");
    else if (!PKCS12_parse(store, password ? password : "", &key->pkey, &key->certificate, NULL))
        code = error_set(err, ERR_CONFIG,
                         "cannot be decrypted: files of the old RC2 encryption are made anew with openssl "
                         "pkcs12 -legacy, then -export");
    else if (!key->pkey)
        code = error_set(err, ERR_CONFIG, "holds no private key");
    PKCS12_free(store);
    return code;
}

static int judge(const struct crypto_key *key, struct error *err)
{
    if (EVP_PKEY_get_base_id(key->pkey) != EVP_PKEY_RSA)
        return error_set(err, ERR_CONFIG, "holds a key that is not an RSA key");
    int bits = EVP_PKEY_get_bits(key->pkey);
    if (bits < CRYPTO_RSA_BITS)
        return error_set(err, ERR_CONFIG, "holds an RSA key of %d bits, and fewer than %d are not accepted",
                         bits, CRYPTO_RSA_BITS);
    return 0;
}

int crypto_key_read(struct str bytes, const char *password, struct crypto_key **ret_key, struct error *err)
{
    if (!bytes.len || bytes.len > 1024UL * 1024)
        return error_set(err, ERR_CONFIG, "is empty or larger than a key");
    struct crypto_key *key CLEANUP(crypto_key_free_cleanup) = xcalloc(1, sizeof *key);
    bool pem = memmem(bytes.ptr, bytes.len, "-----BEGIN ", 11) != NULL;
    int code = pem ? read_pem(bytes, password, key, err) : read_pkcs12(bytes, password, key, err);
    if (!code)
        code = judge(key, err);
    ERR_clear_error();
    if (!code)
        *ret_key = TAKE(key);
    return code;
}

int crypto_sign(const struct crypto_key *key, enum crypto_signature kind, struct str bytes, struct buf *out,
                struct error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL; /* the context's */
    size_t size = (size_t)EVP_PKEY_get_size(key->pkey);
    const unsigned char *data = (const unsigned char *)(bytes.len ? bytes.ptr : "");
    bool done = context && buf_reserve(out, size) &&
                EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, key->pkey) == 1;
    if (done && kind == CRYPTO_PS256)
        done = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
    done =
        done && EVP_DigestSign(context, (unsigned char *)out->data + out->len, &size, data, bytes.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (!done)
        return error_set(err, ERR_CONFIG, "the private key cannot sign");
    out->len += size;
    return 0;
}

static bool thumbprint(const struct crypto_key *key, const EVP_MD *kind, unsigned char *digest)
{
    return key->certificate && X509_digest(key->certificate, kind, digest, NULL) == 1;
}

bool crypto_thumbprint_sha1(const struct crypto_key *key, unsigned char digest[CRYPTO_SHA1_BYTES])
{
    return thumbprint(key, EVP_sha1(), digest);
}

bool crypto_thumbprint_sha256(const struct crypto_key *key, unsigned char digest[32])
{
    return thumbprint(key, EVP_sha256(), digest);
}

int64_t crypto_key_not_after_s(const struct crypto_key *key)
{
    struct tm tm;
    if (!key->certificate || ASN1_TIME_to_tm(X509_get0_notAfter(key->certificate), &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm);
}
