#include "lib/core/secret.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <sys/stat.h>

static char *folder;

static void set_up(void)
{
    folder = test_folder_new();
}

static void tear_down(void)
{
    test_folder_remove(folder);
}

static int read_bytes(struct str bytes, struct secret **ret_secret, bool *ret_open, struct error *err)
{
    char *path = test_path(folder, "secret");
    test_file_write(path, bytes);
    int code = secret_read_file(path, ret_secret, ret_open, err);
    free(path);
    return code;
}

START_TEST(first_line_is_the_secret)
{
    static const struct str files[] = {
        {"s3cret", 6}, {"s3cret\n", 7}, {"s3cret\r\n", 8}, {"s3cret\nsecond\n", 14}};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct error err;
        struct secret *secret = NULL;
        bool open = true;
        ck_assert_int_eq(read_bytes(files[i], &secret, &open, &err), 0);
        ck_assert_str_eq(secret_reveal(secret).ptr, "s3cret");
        ck_assert_uint_eq(secret_reveal(secret).len, 6);
        ck_assert(!open);
        secret_free(secret);
    }
}
END_TEST

START_TEST(inner_blanks_belong_to_it)
{
    struct error err;
    CLEANUP(secret_free_cleanup) struct secret *secret = NULL;
    ck_assert_int_eq(read_bytes(STR(" a b \n"), &secret, NULL, &err), 0);
    ck_assert_str_eq(secret_reveal(secret).ptr, " a b ");
}
END_TEST

START_TEST(refusals_do_not_show_the_bytes)
{
    struct error err;
    struct secret *secret = NULL;
    ck_assert_int_eq(read_bytes(STR(""), &secret, NULL, &err), ERR_CONFIG);
    ck_assert_int_eq(read_bytes(STR("\ns3cret"), &secret, NULL, &err), ERR_CONFIG);
    ck_assert_int_eq(read_bytes(STR("s3\0hidden"), &secret, NULL, &err), ERR_CONFIG);
    ck_assert_ptr_null(strstr(err.message, "hidden"));
    char *large = xmalloc(SECRET_MAX_BYTES + 1);
    memset(large, 'x', SECRET_MAX_BYTES + 1);
    ck_assert_int_eq(read_bytes((struct str){large, SECRET_MAX_BYTES + 1}, &secret, NULL, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "larger than");
    free(large);
    ck_assert_int_eq(secret_read_file("/nonexistent/secret", &secret, NULL, &err), -2);
    ck_assert_ptr_null(secret);
}
END_TEST

START_TEST(a_file_open_to_all_is_told)
{
    char *path = test_path(folder, "open");
    struct error err;
    CLEANUP(secret_free_cleanup) struct secret *secret = NULL;
    bool open = false;
    test_file_write(path, STR("x\n"));
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_int_eq(secret_read_file(path, &secret, &open, &err), 0);
    ck_assert(open);
    free(path);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("secret");
    TCase *tests = tcase_create("secret");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, first_line_is_the_secret);
    tcase_add_test(tests, inner_blanks_belong_to_it);
    tcase_add_test(tests, refusals_do_not_show_the_bytes);
    tcase_add_test(tests, a_file_open_to_all_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
