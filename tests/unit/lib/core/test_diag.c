#include "lib/core/diag.h"
#include "tests/support/support.h"

#include <stdlib.h>

START_TEST(lines_in_the_order_of_positions)
{
    struct diag diag;
    diag_init(&diag);
    (void)diag_add(&diag, DIAG_ERROR, "b.yaml", 9, 1, "later");
    (void)diag_add(&diag, DIAG_ERROR, "b.yaml", 2, 7, "right");
    (void)diag_add(&diag, DIAG_WARNING, "a.yaml", 1, 1, "other file, later named");
    (void)diag_add(&diag, DIAG_ERROR, "b.yaml", 2, 3, "first of two");
    struct error *error = diag_add(&diag, DIAG_ERROR, "b.yaml", 2, 3, "second of %s", "two");
    error_set_hint(error, "mend it");
    (void)diag_add(&diag, DIAG_ERROR, "b.yaml", 0, 0, "whole file");
    (void)diag_add(&diag, DIAG_ERROR, NULL, 0, 0, "nowhere\nb.yaml:1:1: error: forged");
    diag_sort(&diag);
    char *text = test_diag_text(&diag);
    ck_assert_str_eq(text, "b.yaml: error: whole file\n"
                           "b.yaml:2:3: error: first of two\n"
                           "b.yaml:2:3: error: second of two. Hint: mend it\n"
                           "b.yaml:2:7: error: right\n"
                           "b.yaml:9:1: error: later\n"
                           "a.yaml:1:1: warning: other file, later named\n"
                           "error: nowhere b.yaml:1:1: error: forged\n");
    ck_assert_uint_eq(diag.errors, 6);
    ck_assert_uint_eq(diag.warnings, 1);
    free(text);
    diag_deinit(&diag);
    ck_assert_uint_eq(diag.count, 0);
}
END_TEST

START_TEST(a_maximum_that_is_said)
{
    struct diag diag;
    struct error err = {.code = ERR_PEER};
    diag_init(&diag);
    for (unsigned i = 0; i < DIAG_MAX + 50; i++) {
        (void)snprintf(err.message, sizeof err.message, "number %u", i);
        diag_add_error(&diag, DIAG_ERROR, &err);
    }
    struct error *error = diag_add(&diag, DIAG_ERROR, NULL, 0, 0, "one more");
    error_set_hint(error, "still to be written to");
    ck_assert_uint_eq(diag.count, DIAG_MAX);
    ck_assert_uint_eq(diag.dropped, 51);
    ck_assert_uint_eq(diag.errors, DIAG_MAX + 51);
    for (size_t i = 0; i < diag.count; i++) {
        (void)snprintf(err.message, sizeof err.message, "number %zu", i);
        ck_assert_str_eq(diag.items[i].error.message, err.message);
    }
    diag_sort(&diag);
    char *text = test_diag_text(&diag);
    ck_assert_contains(text, "51 more messages are not shown\n");
    free(text);
    diag_deinit(&diag);
}
END_TEST

START_TEST(the_longest_texts_fit)
{
    struct diag diag;
    struct error err = {.line = 1, .column = 1};
    memset(err.file, 'f', sizeof err.file - 1);
    memset(err.message, 'm', sizeof err.message - 1);
    memset(err.detail, 'd', sizeof err.detail - 1);
    memset(err.hint, 'h', sizeof err.hint - 1);
    diag_init(&diag);
    diag_add_error(&diag, DIAG_WARNING, &err);
    char *text = test_diag_text(&diag);
    ck_assert_contains(text, "hhh\n");
    free(text);
    diag_deinit(&diag);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("diag");
    TCase *tests = tcase_create("diag");
    tcase_add_test(tests, lines_in_the_order_of_positions);
    tcase_add_test(tests, a_maximum_that_is_said);
    tcase_add_test(tests, the_longest_texts_fit);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
