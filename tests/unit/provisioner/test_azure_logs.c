#include "provisioner/azure/logs.h"

#include "tests/unit/provisioner/log_lines_rig.h"

static int reads(const char *text)
{
    return azure_logs_read(str_from(text), &lines, arena, &err);
}

START_TEST(a_table)
{
    ck_assert_int_eq(
        reads("{\"tables\":[{\"name\":\"PrimaryResult\",\"columns\":[{\"name\":\"X\",\"type\":\"long\"},"
              "{\"name\":\"SyslogMessage\",\"type\":\"string\"}],\"rows\":[[1,\"a\"],[2,null],[3],7,"
              "[4,\"b\"],[5,{}]]}]}"),
        0);
    ck_assert_str_eq(kept(), "a|b");
}
END_TEST

START_TEST(what_is_no_table)
{
    static const char *const texts[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"tables\":{}}",
        "{\"tables\":[]}",
        "{\"tables\":[{\"columns\":[{\"name\":\"X\"}],\"rows\":[]}]}",
        "{\"tables\":[{\"columns\":[{\"name\":\"SyslogMessage\"}],\"rows\":{}}]}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        ck_assert_int_eq(reads(texts[i]), ERR_PEER);
}
END_TEST

START_TEST(the_workspace)
{
    static const char *const wrong[] = {
        "", "7", "{}", "{\"properties\":{\"customerId\":\"../../etc\"}}",
        "{\"properties\":{\"customerId\":\"63613592-b6f7-4c3d-a390-22ba13102111/\"}}"};
    const char *id = NULL;
    ck_assert_int_eq(azure_workspace_read(
                         STR("{\"properties\":{\"customerId\":\"63613592-b6f7-4c3d-a390-22ba13102111\"}}"),
                         arena, &id, &err),
                     0);
    ck_assert_str_eq(id, "63613592-b6f7-4c3d-a390-22ba13102111");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        ck_assert_int_eq(azure_workspace_read(str_from(wrong[i]), arena, &id, &err), ERR_PEER);
}
END_TEST

static Suite *azure_logs_suite(void)
{
    Suite *suite = suite_create("azure_logs");
    TCase *tcase = tcase_create("azure_logs");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_table);
    tcase_add_test(tcase, what_is_no_table);
    tcase_add_test(tcase, the_workspace);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_logs_suite)
