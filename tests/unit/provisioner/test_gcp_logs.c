#include "provisioner/gcp/logs.h"

#include "tests/unit/provisioner/log_lines_rig.h"

static const char *next;

static int reads(const char *text)
{
    return gcp_logs_read(str_from(text), &lines, arena, &next, &err);
}

START_TEST(pages_newest_first)
{
    ck_assert_int_eq(reads("{\"entries\":[{\"jsonPayload\":{\"message\":\"d\\ne\"}},{\"textPayload\":\"c\"}],"
                           "\"nextPageToken\":\"t\"}"),
                     0);
    ck_assert_str_eq(next, "t");
    ck_assert_str_eq(kept(), "c|d|e");
    ck_assert_int_eq(reads("{\"entries\":[{\"textPayload\":\"b\"}]}"), 0);
    ck_assert_ptr_null(next);
    ck_assert_str_eq(kept(), "c|d|e");
}
END_TEST

START_TEST(an_older_page_comes_before)
{
    ck_assert_int_eq(reads("{\"entries\":[{\"textPayload\":\"c\"}],\"nextPageToken\":\"t\"}"), 0);
    ck_assert_int_eq(reads("{\"entries\":[{\"textPayload\":\"b\"},{\"textPayload\":\"a\"},{},3]}"), 0);
    ck_assert_str_eq(kept(), "a|b|c");
    ck_assert_int_eq(reads("{}"), 0);
    ck_assert_ptr_null(next);
}
END_TEST

START_TEST(what_is_no_page)
{
    static const char *const texts[] = {"", "<html>", "[]", "{\"entries\":{}}", "{\"entries\":7}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        ck_assert_int_eq(reads(texts[i]), ERR_PEER);
    ck_assert_str_eq(kept(), "");
}
END_TEST

static Suite *gcp_logs_suite(void)
{
    Suite *suite = suite_create("gcp_logs");
    TCase *tcase = tcase_create("gcp_logs");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, pages_newest_first);
    tcase_add_test(tcase, an_older_page_comes_before);
    tcase_add_test(tcase, what_is_no_page);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(gcp_logs_suite)
