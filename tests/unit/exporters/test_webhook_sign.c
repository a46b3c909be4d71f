#include "exporters/webhook_sign.h"

#include "tests/support/support.h"

#include <stdlib.h>
#include <unistd.h>

/* The test vector of the Standard Webhooks reference libraries. */
#define VECTOR_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define VECTOR_ID     "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define VECTOR_TIME   1614265330
#define VECTOR_BODY   "{\"test\": 2432232314}"
#define VECTOR_SIGN   "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static void sign(const char *secrets, struct buf *out)
{
    struct webhook_keys *keys CLEANUP(webhook_keys_free_cleanup) = NULL;
    struct error err = {0};
    ck_assert_msg(webhook_keys_parse(str_from(secrets), &keys, NULL, &err) == 0, "%s", err.message);
    webhook_sign(keys, VECTOR_ID, VECTOR_TIME, STR(VECTOR_BODY), out);
}

START_TEST(the_reference_vector_comes_out)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(4096);
    sign(VECTOR_SECRET "\n", &out);
    ck_assert_str_eq(buf_text(&out), VECTOR_SIGN);
}
END_TEST

START_TEST(two_secrets_give_two_signatures)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(4096);
    sign("a secret of plain text, long enough\r\n\n  " VECTOR_SECRET "  \n", &out);
    const char *text = buf_text(&out);
    ck_assert(strncmp(text, "v1,", 3) == 0);
    ck_assert_uint_eq(strlen(text), 2 * strlen(VECTOR_SIGN) + 1);
    ck_assert_str_eq(strchr(text, ' ') + 1, VECTOR_SIGN);
}
END_TEST

START_TEST(text_without_the_prefix_is_the_key_itself)
{
    /* echo -n 'ID.TIME.BODY' | openssl dgst -sha256 -hmac 'key' -binary | base64 */
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(4096);
    sign("key", &out);
    ck_assert_str_eq(buf_text(&out), "v1,dkKO8yKktbK3/NsBVZDP2vD/4/yePEE+Zek/vsRRJ/E=");
}
END_TEST

START_TEST(files_without_a_usable_secret_are_refused)
{
    static const char *const broken[] = {"", "\n \n", "whsec_", "whsec_!!!", "a\nb\nc\nd\ne\n"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct webhook_keys *keys = NULL;
        struct error err = {0};
        ck_assert_msg(webhook_keys_parse(str_from(broken[i]), &keys, NULL, &err) != 0, "%s", broken[i]);
        ck_assert_ptr_null(keys);
        ck_assert(err.message[0] != 0);
    }
}
END_TEST

START_TEST(a_short_key_is_pointed_out)
{
    struct webhook_keys *keys CLEANUP(webhook_keys_free_cleanup) = NULL;
    bool short_key = false;
    ck_assert_int_eq(webhook_keys_parse(STR("short"), &keys, &short_key, NULL), 0);
    ck_assert(short_key);
    webhook_keys_free(TAKE(keys));
    ck_assert_int_eq(webhook_keys_parse(STR(VECTOR_SECRET), &keys, &short_key, NULL), 0);
    ck_assert(!short_key);
}
END_TEST

START_TEST(a_file_is_read_and_a_missing_one_is_named)
{
    char *folder = test_folder_new();
    char *path = test_path(folder, "secret");
    struct webhook_keys *keys = NULL;
    struct error err = {0};
    ck_assert_int_ne(webhook_keys_load(path, &keys, NULL, &err), 0);
    ck_assert_contains(err.message, path);
    test_file_write(path, STR(VECTOR_SECRET "\n"));
    ck_assert_int_eq(webhook_keys_load(path, &keys, NULL, &err), 0);
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(4096);
    webhook_sign(keys, VECTOR_ID, VECTOR_TIME, STR(VECTOR_BODY), &out);
    ck_assert_str_eq(buf_text(&out), VECTOR_SIGN);
    webhook_keys_free(keys);
    free(path);
    test_folder_remove(folder);
}
END_TEST

START_TEST(one_right_signature_is_enough_and_nothing_else_is)
{
    struct webhook_keys *keys CLEANUP(webhook_keys_free_cleanup) = NULL;
    ck_assert_int_eq(webhook_keys_parse(STR("another secret\n" VECTOR_SECRET), &keys, NULL, NULL), 0);
    static const char *const right[] = {VECTOR_SIGN, "v1,AAAA " VECTOR_SIGN, VECTOR_SIGN " v1a,x"};
    static const char *const wrong[] = {"",
                                        " ",
                                        "v1,",
                                        "v1,AAAA",
                                        "V1" VECTOR_SIGN,
                                        VECTOR_SIGN "=",
                                        "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="};
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        ck_assert(webhook_verify(keys, VECTOR_ID, VECTOR_TIME, STR(VECTOR_BODY), right[i]));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        ck_assert(!webhook_verify(keys, VECTOR_ID, VECTOR_TIME, STR(VECTOR_BODY), wrong[i]));
    ck_assert(!webhook_verify(keys, VECTOR_ID, VECTOR_TIME + 1, STR(VECTOR_BODY), VECTOR_SIGN));
    ck_assert(!webhook_verify(keys, "msg", VECTOR_TIME, STR(VECTOR_BODY), VECTOR_SIGN));
    ck_assert(!webhook_verify(keys, VECTOR_ID, VECTOR_TIME, STR(VECTOR_BODY " "), VECTOR_SIGN));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("webhook_sign");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, the_reference_vector_comes_out);
    tcase_add_test(tc, two_secrets_give_two_signatures);
    tcase_add_test(tc, text_without_the_prefix_is_the_key_itself);
    tcase_add_test(tc, files_without_a_usable_secret_are_refused);
    tcase_add_test(tc, a_short_key_is_pointed_out);
    tcase_add_test(tc, a_file_is_read_and_a_missing_one_is_named);
    tcase_add_test(tc, one_right_signature_is_enough_and_nothing_else_is);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
