#include "provisioner/aws/gateway_report.h"

#include "tests/support/support.h"

START_TEST(the_parameters_value)
{
    static const char *const others[] = {"",
                                         "<html>",
                                         "[]",
                                         "{}",
                                         "{\"Parameter\":[]}",
                                         "{\"Parameter\":{\"Value\":7}}",
                                         "{\"Parameter\":{\"Value\":null}}",
                                         "{\"Parameter\":{\"Value\":{}}}"};
    struct arena *arena = arena_new(0);
    struct error err = {0};
    struct str text;
    ck_assert_int_eq(aws_gateway_report_read(STR("{\"Parameter\":{\"Name\":\"/a\",\"Value\":\"{}\"}}"), arena,
                                             &text, &err),
                     0);
    ck_assert(str_equal(text, STR("{}")));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        ck_assert_int_eq(aws_gateway_report_read(str_from(others[i]), arena, &text, &err), ERR_PEER);
        ck_assert_uint_eq(text.len, 0);
    }
    arena_free(arena);
}
END_TEST

static Suite *aws_gateway_report_suite(void)
{
    Suite *suite = suite_create("aws_gateway_report");
    TCase *tcase = tcase_create("aws_gateway_report");
    tcase_add_test(tcase, the_parameters_value);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(aws_gateway_report_suite)
