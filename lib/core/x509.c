#include "lib/core/x509.h"

#include "lib/core/crypto.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define SERIAL_BYTES    16
#define COMMON_NAME_MAX 64

DEFINE_CLEANUP(X509, X509_free)
DEFINE_CLEANUP(EVP_PKEY, EVP_PKEY_free)
DEFINE_CLEANUP(BIO, BIO_free_all)
DEFINE_CLEANUP(GENERAL_NAMES, GENERAL_NAMES_free)

static int fail(struct error *err, const char *what)
{
    ERR_clear_error();
    return error_set(err, ERR_CORRUPT, "%s", what);
}

static BIO *open_text(struct str text)
{
    return text.len > X509_PEM_MAX_BYTES ? NULL : BIO_new_mem_buf(text.ptr, (int)text.len);
}

static X509 *read_certificate(struct str pem)
{
    CLEANUP(BIO_free_all_cleanup) BIO *bio = open_text(pem);
    return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

/* Never asks for a password on a terminal. */
static int no_password(char *text, int size, int writing, void *ctx)
{
    (void)text, (void)size, (void)writing, (void)ctx;
    return -1;
}

static EVP_PKEY *read_key(struct str pem)
{
    CLEANUP(BIO_free_all_cleanup) BIO *bio = open_text(pem);
    return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
}

static void append_bio(BIO *bio, struct buf *out)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(bio, &bytes);
    if (length > 0)
        buf_append_str(out, (struct str){bytes, (size_t)length});
}

static int write_pem(X509 *certificate, EVP_PKEY *key, struct buf *certificate_pem, struct buf *key_pem,
                     struct error *err)
{
    CLEANUP(BIO_free_all_cleanup) BIO *certificates = BIO_new(BIO_s_mem());
    CLEANUP(BIO_free_all_cleanup) BIO *keys = BIO_new(BIO_s_secmem());
    if (!certificates || !keys || PEM_write_bio_X509(certificates, certificate) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(keys, key, NULL, NULL, 0, NULL, NULL) != 1)
        return fail(err, "cannot write a certificate");
    append_bio(certificates, certificate_pem);
    append_bio(keys, key_pem);
    return 0;
}

/* --- names
 * ----------------------------------------------------------------------------------------------------- */

static ASN1_OCTET_STRING *numeric(const char *name)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    ERR_clear_error();
    return address;
}

static bool add_name(GENERAL_NAMES *names, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OCTET_STRING *address = numeric(text);
    if (!name) {
        ASN1_OCTET_STRING_free(address);
        return false;
    }
    if (address) {
        GENERAL_NAME_set0_value(name, GEN_IPADD, address);
    } else {
        ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
        if (!dns || !ASN1_STRING_set(dns, text, -1)) {
            ASN1_IA5STRING_free(dns);
            GENERAL_NAME_free(name);
            return false;
        }
        GENERAL_NAME_set0_value(name, GEN_DNS, dns);
    }
    if (sk_GENERAL_NAME_push(names, name))
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_names(X509 *certificate, const char *const *names)
{
    if (!names || !names[0])
        return true;
    CLEANUP(GENERAL_NAMES_free_cleanup) GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
    for (size_t i = 0; list && names[i]; i++) {
        if (!add_name(list, names[i]))
            return false;
    }
    return list && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) == 1;
}

static bool is_name(const GENERAL_NAME *name, const char *text)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    ASN1_OCTET_STRING *address = numeric(text);
    bool same;
    if (address)
        same = type == GEN_IPADD && ASN1_STRING_cmp(value, address) == 0;
    else
        same = type == GEN_DNS && (size_t)ASN1_STRING_length(value) == strlen(text) &&
               memcmp(ASN1_STRING_get0_data(value), text, strlen(text)) == 0;
    ASN1_OCTET_STRING_free(address);
    return same;
}

static bool names_match(X509 *certificate, const struct x509_request *request)
{
    char common[COMMON_NAME_MAX + 1] = "";
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common,
                                    sizeof common);
    if (strcmp(common, request->common_name) != 0)
        return false;
    CLEANUP(GENERAL_NAMES_free_cleanup)
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = list ? sk_GENERAL_NAME_num(list) : 0, at = 0;
    for (; request->names && request->names[at]; at++) {
        if (at >= count || !is_name(sk_GENERAL_NAME_value(list, at), request->names[at]))
            return false;
    }
    return at == count;
}

/* --- making
 * ---------------------------------------------------------------------------------------------------- */

static bool extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    crypto_random(bytes, sizeof bytes);
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and of one length */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

static bool set_subject(X509 *certificate, const char *common_name)
{
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1, -1, 0) == 1;
}

static X509 *begin(const struct x509_request *request, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    if (certificate && X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
        ASN1_TIME_set(X509_getm_notBefore(certificate), request->not_before_s) &&
        ASN1_TIME_set(X509_getm_notAfter(certificate), request->not_after_s) &&
        set_subject(certificate, request->common_name) && X509_set_pubkey(certificate, key))
        return certificate;
    X509_free(certificate);
    return NULL;
}

int x509_make_authority(const struct x509_request *request, struct buf *certificate_pem, struct buf *key_pem,
                        struct error *err)
{
    CLEANUP(EVP_PKEY_free_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(X509_free_cleanup) X509 *certificate = key ? begin(request, key) : NULL;
    if (!certificate || !X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) ||
        !extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !extend(certificate, certificate, NID_subject_key_identifier, "hash") ||
        !X509_sign(certificate, key, EVP_sha256()))
        return fail(err, "cannot make a certificate authority");
    return write_pem(certificate, key, certificate_pem, key_pem, err);
}

int x509_issue(struct str authority_pem, struct str authority_key_pem, const struct x509_request *request,
               struct buf *certificate_pem, struct buf *key_pem, struct error *err)
{
    CLEANUP(X509_free_cleanup) X509 *authority = read_certificate(authority_pem);
    CLEANUP(EVP_PKEY_free_cleanup) EVP_PKEY *authority_key = read_key(authority_key_pem);
    if (!authority || !authority_key || X509_check_private_key(authority, authority_key) != 1)
        return fail(err, "the certificate authority is damaged: its certificate and key do not fit");
    CLEANUP(EVP_PKEY_free_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(X509_free_cleanup) X509 *certificate = key ? begin(request, key) : NULL;
    if (!certificate || !X509_set_issuer_name(certificate, X509_get_subject_name(authority)) ||
        !extend(certificate, authority, NID_basic_constraints, "critical,CA:FALSE") ||
        !extend(certificate, authority, NID_key_usage, "critical,digitalSignature") ||
        !extend(certificate, authority, NID_ext_key_usage, "serverAuth,clientAuth") ||
        !extend(certificate, authority, NID_subject_key_identifier, "hash") ||
        !extend(certificate, authority, NID_authority_key_identifier, "keyid:always") ||
        !add_names(certificate, request->names) || !X509_sign(certificate, authority_key, EVP_sha256()))
        return fail(err, "cannot make a certificate");
    return write_pem(certificate, key, certificate_pem, key_pem, err);
}

/* --- reading
 * --------------------------------------------------------------------------------------------------- */

static bool seconds_of(const ASN1_TIME *time, int64_t *ret_s)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    bool read = epoch && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    *ret_s = (int64_t)days * 86400 + seconds;
    return read;
}

int x509_inspect(struct str certificate_pem, struct str authority_pem, const struct x509_request *request,
                 struct x509_facts *ret, struct error *err)
{
    CLEANUP(X509_free_cleanup) X509 *certificate = read_certificate(certificate_pem);
    CLEANUP(X509_free_cleanup) X509 *authority = read_certificate(authority_pem);
    if (!certificate || !seconds_of(X509_get0_notBefore(certificate), &ret->not_before_s) ||
        !seconds_of(X509_get0_notAfter(certificate), &ret->not_after_s))
        return fail(err, "no certificate can be read");
    ret->names_match = names_match(certificate, request);
    EVP_PKEY *key = authority ? X509_get0_pubkey(authority) : NULL;
    ret->issued = key && X509_verify(certificate, key) == 1;
    ERR_clear_error();
    return 0;
}
