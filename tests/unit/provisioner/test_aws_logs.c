#include "provisioner/aws/logs.h"

#include "tests/unit/provisioner/log_lines_rig.h"

static const char *next;

static int reads(const char *text)
{
    return aws_logs_read(str_from(text), &lines, arena, &next, &err);
}

START_TEST(a_page_of_events)
{
    ck_assert_int_eq(reads("{\"events\":[{\"timestamp\":2,\"message\":\"b\"},{\"timestamp\":1,"
                           "\"message\":\"a\"},{\"message\":\"no time\"},7,{\"timestamp\":\"x\"}],"
                           "\"searchedLogStreams\":[],\"nextToken\":\"n+1/=\"}"),
                     0);
    ck_assert_str_eq(kept(), "a|b");
    ck_assert_str_eq(next, "n+1/=");
    ck_assert_int_eq(reads("{\"events\":[]}"), 0);
    ck_assert_ptr_null(next);
}
END_TEST

START_TEST(what_is_no_page)
{
    static const char *const texts[] = {"", "<html>", "[]", "{}", "{\"events\":{}}", "{\"events\":7}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        ck_assert_int_eq(reads(texts[i]), ERR_PEER);
    ck_assert_str_eq(kept(), "");
}
END_TEST

static Suite *aws_logs_suite(void)
{
    Suite *suite = suite_create("aws_logs");
    TCase *tcase = tcase_create("aws_logs");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_page_of_events);
    tcase_add_test(tcase, what_is_no_page);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(aws_logs_suite)
