#include "lib/core/crypto.h"
#include "tests/support/support.h"

#include <stdlib.h>

static void assert_hex(const unsigned char *bytes, size_t len, const char *expected)
{
    char text[129];
    for (size_t i = 0; i < len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    ck_assert_str_eq(text, expected);
}

START_TEST(sha256_of_fips_180)
{
    unsigned char digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(STR("abc"), digest);
    assert_hex(digest, sizeof digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_sha256((struct str){NULL, 0}, digest);
    assert_hex(digest, sizeof digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(hmac_of_rfc_4231)
{
    unsigned char mac[CRYPTO_SHA256_BYTES];
    crypto_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), mac);
    assert_hex(mac, sizeof mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    crypto_hmac_sha256((struct str){NULL, 0}, (struct str){NULL, 0}, mac);
    assert_hex(mac, sizeof mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}
END_TEST

START_TEST(base64_of_rfc_4648)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xFB\xFF", "+/8="}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf out = BUF_INIT(64);
        crypto_base64_encode(str_from(pairs[i][0]), &out);
        ck_assert_str_eq(buf_text(&out), pairs[i][1]);
        buf_reset(&out);
        ck_assert(crypto_base64_decode(str_from(pairs[i][1]), &out));
        ck_assert_str_eq(buf_text(&out), pairs[i][0]);
        buf_deinit(&out);
    }
}
END_TEST

START_TEST(base64url_has_its_own_alphabet_and_no_padding)
{
    static const char *const pairs[][2] = {
        {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xFB\xFF", "-_8"}};
    struct buf out = BUF_INIT(64);
    buf_append_text(&out, "+/=");
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        out.len = 3; /* what was there stays as it is */
        crypto_base64url_encode(str_from(pairs[i][0]), &out);
        ck_assert_str_eq(buf_text(&out) + 3, pairs[i][1]);
        ck_assert(str_starts(buf_str(&out), STR("+/=")));
    }
    buf_deinit(&out);
}
END_TEST

START_TEST(base64_is_strict)
{
    static const char *const good[] = {"Zg", "-_8", "-_8=", "+/8"};
    static const char *const bad[] = {
        "Z", "Zg=", "Zg===", "Zh==", "Zm9=", "Z g=", "+_8=", "Zm9v=", "=", "Zg==Zg=="};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct buf out = BUF_INIT(64);
        ck_assert_msg(crypto_base64_decode(str_from(good[i]), &out), "%s", good[i]);
        buf_deinit(&out);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = BUF_INIT(64);
        buf_append_text(&out, "kept");
        ck_assert_msg(!crypto_base64_decode(str_from(bad[i]), &out), "%s", bad[i]);
        ck_assert_str_eq(buf_text(&out), "kept");
        buf_deinit(&out);
    }
    struct buf small = BUF_INIT(2);
    ck_assert(!crypto_base64_decode(STR("Zm9v"), &small));
    buf_deinit(&small);
}
END_TEST

START_TEST(uuid7_has_its_time_and_sorts)
{
    char first[CRYPTO_UUID_SIZE], second[CRYPTO_UUID_SIZE];
    crypto_uuid7(INT64_C(0x017F22E279B0) * NS_PER_MS, first);
    ck_assert_uint_eq(strlen(first), 36);
    ck_assert(strncmp(first, "017f22e2-79b0-7", 15) == 0);
    ck_assert_ptr_nonnull(strchr("89ab", first[19]));
    ck_assert_int_eq(first[23], '-');
    crypto_uuid7(INT64_C(0x017F22E279B1) * NS_PER_MS, second);
    ck_assert_int_lt(strcmp(first, second), 0);
    crypto_uuid7(INT64_C(0x017F22E279B0) * NS_PER_MS, second);
    ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(equality)
{
    ck_assert(crypto_equal(STR("abc"), STR("abc")));
    ck_assert(!crypto_equal(STR("abc"), STR("abd")));
    ck_assert(!crypto_equal(STR("abc"), STR("ab")));
    ck_assert(crypto_equal((struct str){NULL, 0}, STR("")));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("crypto");
    TCase *tests = tcase_create("crypto");
    tcase_add_test(tests, sha256_of_fips_180);
    tcase_add_test(tests, hmac_of_rfc_4231);
    tcase_add_test(tests, base64_of_rfc_4648);
    tcase_add_test(tests, base64url_has_its_own_alphabet_and_no_padding);
    tcase_add_test(tests, base64_is_strict);
    tcase_add_test(tests, uuid7_has_its_time_and_sorts);
    tcase_add_test(tests, equality);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
