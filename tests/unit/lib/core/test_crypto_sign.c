#include "lib/core/crypto.h"
#include "lib/core/crypto_sign.h"
#include "tests/support/support.h"
#include "tests/support/test_key.h"

#include <stdlib.h>

static struct test_key *own, *other;

static void begin(void)
{
    own = test_key_new(2048);
    other = test_key_new(2048);
}

static void end(void)
{
    test_key_free(own);
    test_key_free(other);
}

static int read_text(char *text, const char *password, struct crypto_key **ret, struct error *err)
{
    int code = crypto_key_read(str_from(text), password, ret, err);
    free(text);
    return code;
}

static void assert_signs(const struct crypto_key *key, enum crypto_signature kind, struct str bytes)
{
    struct buf out = BUF_INIT(1024);
    buf_append_text(&out, "x");
    ck_assert_int_eq(crypto_sign(key, kind, bytes, &out, NULL), 0);
    struct str signature = {out.data + 1, out.len - 1};
    ck_assert_uint_eq(signature.len, 256);
    ck_assert(test_key_verifies(own, kind == CRYPTO_PS256, bytes, signature));
    ck_assert(!test_key_verifies(own, kind != CRYPTO_PS256, bytes, signature));
    ck_assert(!test_key_verifies(other, kind == CRYPTO_PS256, bytes, signature));
    buf_deinit(&out);
}

START_TEST(both_signatures_are_those_that_openssl_verifies)
{
    struct crypto_key *key CLEANUP(crypto_key_free_cleanup) = NULL;
    ck_assert_int_eq(read_text(test_key_pem(own), NULL, &key, NULL), 0);
    assert_signs(key, CRYPTO_RS256, STR("what is signed"));
    assert_signs(key, CRYPTO_PS256, STR("what is signed"));
    assert_signs(key, CRYPTO_RS256, STR(""));
}
END_TEST

START_TEST(an_encrypted_key_needs_its_password_and_nobody_is_asked)
{
    struct crypto_key *key CLEANUP(crypto_key_free_cleanup) = NULL;
    struct error err = {0};
    ck_assert_int_eq(read_text(test_key_encrypted_pem(own, "horse"), NULL, &key, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "no password was given");
    ck_assert_int_eq(read_text(test_key_encrypted_pem(own, "horse"), "mule", &key, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "cannot be decrypted");
    ck_assert_ptr_null(strstr(err.message, "mule"));
    ck_assert_int_eq(read_text(test_key_encrypted_pem(own, "horse"), "horse", &key, &err), 0);
    assert_signs(key, CRYPTO_RS256, STR("x"));
}
END_TEST

static void assert_thumbprints(const struct crypto_key *key)
{
    unsigned char sha1[CRYPTO_SHA1_BYTES], sha256[CRYPTO_SHA256_BYTES];
    struct buf mine = BUF_INIT(256), theirs = BUF_INIT(256);
    ck_assert(crypto_thumbprint_sha1(key, sha1) && crypto_thumbprint_sha256(key, sha256));
    crypto_base64url_encode((struct str){(char *)sha1, sizeof sha1}, &mine);
    crypto_base64url_encode((struct str){(char *)sha256, sizeof sha256}, &mine);
    test_key_thumbprint(own, false, &theirs);
    test_key_thumbprint(own, true, &theirs);
    ck_assert_str_eq(buf_text(&mine), buf_text(&theirs));
    ck_assert_int_gt(crypto_key_not_after_s(key), 1700000000);
    buf_deinit(&mine);
    buf_deinit(&theirs);
}

START_TEST(the_certificate_of_the_key_is_found_among_others)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct crypto_key *key CLEANUP(crypto_key_free_cleanup) = NULL;
    char *parts[] = {test_key_certificate_pem(other), test_key_pem(own), test_key_certificate_pem(own)};
    const char *text = arena_printf(arena, "%s%s%s", parts[0], parts[1], parts[2]);
    ck_assert_int_eq(crypto_key_read(str_from(text), NULL, &key, NULL), 0);
    assert_thumbprints(key);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        free(parts[i]);
}
END_TEST

START_TEST(without_a_certificate_there_is_no_thumbprint)
{
    struct crypto_key *key CLEANUP(crypto_key_free_cleanup) = NULL;
    unsigned char sha1[CRYPTO_SHA1_BYTES], sha256[CRYPTO_SHA256_BYTES];
    ck_assert_int_eq(read_text(test_key_pem(own), NULL, &key, NULL), 0);
    ck_assert(!crypto_thumbprint_sha1(key, sha1));
    ck_assert(!crypto_thumbprint_sha256(key, sha256));
    ck_assert_int_eq(crypto_key_not_after_s(key), 0);
}
END_TEST

START_TEST(pkcs12_holds_key_and_certificate)
{
    struct error err = {0};
    const char *const passwords[] = {"horse", ""};
    for (size_t i = 0; i < ARRAY_LEN(passwords); i++) {
        struct crypto_key *key CLEANUP(crypto_key_free_cleanup) = NULL;
        struct buf store = BUF_INIT(65536);
        test_key_pkcs12(own, passwords[i], &store);
        ck_assert_int_eq(crypto_key_read(buf_str(&store), passwords[i][0] ? passwords[i] : NULL, &key, &err),
                         0);
        assert_thumbprints(key);
        assert_signs(key, CRYPTO_PS256, STR("x"));
        buf_deinit(&store);
    }
    struct crypto_key *key CLEANUP(crypto_key_free_cleanup) = NULL;
    struct buf store = BUF_INIT(65536);
    test_key_pkcs12(own, "horse", &store);
    ck_assert_int_eq(crypto_key_read(buf_str(&store), "mule", &key, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "with the password given");
    ck_assert_int_eq(crypto_key_read(buf_str(&store), NULL, &key, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "no password was given");
    store.len /= 2;
    ck_assert_int_eq(crypto_key_read(buf_str(&store), "horse", &key, &err), ERR_CONFIG);
    buf_deinit(&store);
}
END_TEST

START_TEST(what_is_no_rsa_key_of_2048_bits_is_refused)
{
    static const char curve[] = "-----BEGIN PRIVATE KEY-----\n"
                                "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnZRaCQTIWS0HeXdM\n"
                                "-----END PRIVATE KEY-----\n";
    struct crypto_key *key = NULL;
    struct error err = {0};
    ck_assert_int_eq(crypto_key_read(STR("no key"), NULL, &key, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "neither PEM nor PKCS#12");
    ck_assert_int_eq(crypto_key_read(STR(""), NULL, &key, &err), ERR_CONFIG);
    ck_assert_int_eq(crypto_key_read(str_from(curve), NULL, &key, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "no private key that can be read");
    struct test_key *small = test_key_new(1024);
    ck_assert_int_eq(read_text(test_key_pem(small), NULL, &key, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "1024 bits");
    ck_assert_ptr_null(key);
    test_key_free(small);
}
END_TEST

static Suite *crypto_sign_suite(void)
{
    Suite *suite = suite_create("crypto_sign");
    TCase *tcase = tcase_create("crypto_sign");
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, begin, end);
    tcase_add_test(tcase, both_signatures_are_those_that_openssl_verifies);
    tcase_add_test(tcase, an_encrypted_key_needs_its_password_and_nobody_is_asked);
    tcase_add_test(tcase, the_certificate_of_the_key_is_found_among_others);
    tcase_add_test(tcase, without_a_certificate_there_is_no_thumbprint);
    tcase_add_test(tcase, pkcs12_holds_key_and_certificate);
    tcase_add_test(tcase, what_is_no_rsa_key_of_2048_bits_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(crypto_sign_suite)
