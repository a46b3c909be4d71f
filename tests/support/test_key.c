#include "tests/support/test_key.h"

#include "lib/core/arena.h"
#include "lib/core/crypto.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

struct test_key {
    EVP_PKEY *pkey;
    X509 *certificate;
};

static X509 *self_signed(EVP_PKEY *pkey)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, pkey);
    if (!X509_sign(certificate, pkey, EVP_sha256()))
        abort();
    return certificate;
}

struct test_key *test_key_new(int bits)
{
    struct test_key *key = xcalloc(1, sizeof *key);
    key->pkey = EVP_RSA_gen((unsigned)bits);
    if (!key->pkey)
        abort();
    key->certificate = self_signed(key->pkey);
    return key;
}

void test_key_free(struct test_key *key)
{
    EVP_PKEY_free(key->pkey);
    X509_free(key->certificate);
    free(key);
}

static char *taken(BIO *bio)
{
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);
    char *text = xstrndup((struct str){bytes, (size_t)length});
    BIO_free(bio);
    return text;
}

char *test_key_pem(const struct test_key *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL))
        abort();
    return taken(bio);
}

char *test_key_encrypted_pem(const struct test_key *key, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, EVP_aes_256_cbc(), password, (int)strlen(password),
                                       NULL, NULL))
        abort();
    return taken(bio);
}

char *test_key_certificate_pem(const struct test_key *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!PEM_write_bio_X509(bio, key->certificate))
        abort();
    return taken(bio);
}

void test_key_pkcs12(const struct test_key *key, const char *password, struct buf *out)
{
    PKCS12 *store = PKCS12_create(password, "test", key->pkey, key->certificate, NULL, 0, 0, 0, 0, 0);
    unsigned char *bytes = NULL;
    int length = store ? i2d_PKCS12(store, &bytes) : 0;
    if (length <= 0)
        abort();
    buf_append(out, bytes, (size_t)length);
    OPENSSL_free(bytes);
    PKCS12_free(store);
}

bool test_key_verifies(const struct test_key *key, bool pss, struct str bytes, struct str signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    bool done = EVP_DigestVerifyInit(context, &parameters, EVP_sha256(), NULL, key->pkey) == 1;
    if (done && pss)
        done = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
    done = done && EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
                                    (const unsigned char *)bytes.ptr, bytes.len) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

bool test_key_verifies_jwt(const struct test_key *key, struct str jwt, struct buf *header, struct buf *claims)
{
    const char *first = memchr(jwt.ptr, '.', jwt.len);
    const char *last = memrchr(jwt.ptr, '.', jwt.len);
    struct buf signature = BUF_INIT(4096);
    if (!first || first == last)
        return false;
    struct str tail = {last + 1, jwt.len - (size_t)(last + 1 - jwt.ptr)};
    bool done = crypto_base64_decode((struct str){jwt.ptr, (size_t)(first - jwt.ptr)}, header) &&
                crypto_base64_decode((struct str){first + 1, (size_t)(last - first - 1)}, claims) &&
                crypto_base64_decode(tail, &signature);
    done = done && test_key_verifies(key, strstr(buf_text(header), "\"PS256\"") != NULL,
                                     (struct str){jwt.ptr, (size_t)(last - jwt.ptr)}, buf_str(&signature));
    (void)buf_text(claims);
    buf_deinit(&signature);
    return done;
}

void test_key_thumbprint(const struct test_key *key, bool sha256, struct buf *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (!X509_digest(key->certificate, sha256 ? EVP_sha256() : EVP_sha1(), digest, &length))
        abort();
    crypto_base64url_encode((struct str){(const char *)digest, length}, out);
}
