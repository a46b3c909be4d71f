#include "lib/core/error.h"
#include "tests/support/support.h"

#include <errno.h>
#include <string.h>

START_TEST(set_prefix_and_format)
{
    struct error err;
    char text[1024];
    ck_assert_int_eq(error_set(&err, ERR_PEER, "answered %d", 500), ERR_PEER);
    ck_assert_int_eq(error_prefix(&err, "database %s", "orders"), ERR_PEER);
    ck_assert_int_eq(error_prefix(&err, "region eu"), ERR_PEER);
    ck_assert_str_eq(err.message, "region eu: database orders: answered 500");
    error_set_detail(&err, "after %ds", 3);
    error_set_hint(&err, "look");
    error_set_position(&err, "f.yaml", 3, 4);
    error_format(&err, text, sizeof text);
    ck_assert_str_eq(text, "f.yaml:3:4: region eu: database orders: answered 500 (after 3s). Hint: look");
    error_set_position(&err, "f.yaml", 0, 0);
    error_format(&err, text, 12);
    ck_assert_str_eq(text, "f.yaml: reg");
    ck_assert_int_eq(error_set(&err, ERR_AUTH, "again"), ERR_AUTH); /* nothing of the old one stays */
    error_format(&err, text, sizeof text);
    ck_assert_str_eq(text, "again");
}
END_TEST

START_TEST(errno_values)
{
    struct error err;
    char text[128];
    ck_assert_int_eq(error_set_errno(&err, ENOENT, "cannot open %s", "x"), -ENOENT);
    ck_assert_str_eq(err.message, "cannot open x: No such file or directory");
    ck_assert_str_eq(error_errno_text(EACCES, text, sizeof text), "Permission denied");
}
END_TEST

START_TEST(no_error_wanted)
{
    ck_assert_int_eq(error_set(NULL, ERR_PARSE, "x"), ERR_PARSE);
    ck_assert_int_eq(error_set_errno(NULL, EIO, "x"), -EIO);
    ck_assert_int_lt(error_prefix(NULL, "x"), 0);
    error_set_detail(NULL, "x");
    error_set_hint(NULL, "x");
    error_set_position(NULL, "x", 1, 1);
    error_clear(NULL);
}
END_TEST

START_TEST(long_texts_are_cut)
{
    struct error err;
    (void)error_set(&err, ERR_PARSE, "%2000d", 1);
    ck_assert_uint_eq(strlen(err.message), ERROR_MESSAGE_MAX - 1);
    (void)error_prefix(&err, "%600s", "x");
    ck_assert_uint_eq(strlen(err.message), ERROR_MESSAGE_MAX - 1);
    (void)error_set_errno(&err, EIO, "%600s", "x");
    ck_assert_uint_eq(strlen(err.message), ERROR_MESSAGE_MAX - 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");
    tcase_add_test(tests, set_prefix_and_format);
    tcase_add_test(tests, errno_values);
    tcase_add_test(tests, no_error_wanted);
    tcase_add_test(tests, long_texts_are_cut);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
