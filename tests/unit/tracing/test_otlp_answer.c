#include "tracing/otlp_answer.h"

#include "tests/support/support.h"

START_TEST(writes_partial_success)
{
    static const char expected[] = "\x0a\x07"     /* partial_success */
                                   "\x08\xac\x02" /* rejected 300 */
                                   "\x12\x02no";  /* error_message */
    struct buf out = BUF_INIT(1000);
    otlp_answer_partial(300, "no", &out);
    ck_assert(str_equal(buf_str(&out), (struct str){expected, sizeof expected - 1}));
    buf_deinit(&out);
}
END_TEST

START_TEST(writes_a_status_in_the_encoding_of_the_request)
{
    struct buf out = BUF_INIT(1000);
    otlp_answer_status(OTLP_TYPE_PROTOBUF, 400, "bad", &out);
    ck_assert(str_equal(buf_str(&out), STR("\x08\x03\x12\x03"
                                           "bad")));
    buf_reset(&out);
    otlp_answer_status(OTLP_TYPE_JSON, 415, "say \"what\"\\\n", &out);
    ck_assert_str_eq(buf_text(&out), "{\"code\":3,\"message\":\"say \\\"what\\\"\\\\\\u000a\"}");
    buf_reset(&out);
    otlp_answer_status(OTLP_TYPE_TEXT, 415, "what", &out);
    ck_assert_str_eq(buf_text(&out), "what\n");
    buf_deinit(&out);
}
END_TEST

START_TEST(names_the_rpc_code)
{
    static const struct {
        int http, rpc;
    } cases[] = {{400, 3},  {404, 12}, {413, 8}, {415, 3},  {503, 14},
                 {500, 13}, {401, 16}, {403, 7}, {405, 12}, {414, 3}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(1000);
        otlp_answer_status(OTLP_TYPE_PROTOBUF, cases[i].http, "", &out);
        ck_assert_uint_ge(out.len, 2);
        ck_assert_int_eq(out.data[0], 8);
        ck_assert_int_eq(out.data[1], cases[i].rpc);
        buf_deinit(&out);
    }
}
END_TEST

START_TEST(answers_in_the_requests_encoding)
{
    ck_assert_str_eq(otlp_answer_type("application/x-protobuf"), OTLP_TYPE_PROTOBUF);
    ck_assert_str_eq(otlp_answer_type("application/json; charset=utf-8"), OTLP_TYPE_JSON);
    ck_assert_str_eq(otlp_answer_type("text/html"), OTLP_TYPE_TEXT);
    ck_assert_str_eq(otlp_answer_type(NULL), OTLP_TYPE_TEXT);
}
END_TEST

START_TEST(keeps_within_the_buffer)
{
    struct buf out = BUF_INIT(4);
    otlp_answer_status(OTLP_TYPE_PROTOBUF, 400, "longer than four bytes", &out);
    ck_assert(out.failed);
    ck_assert_uint_le(out.len, 4);
    buf_deinit(&out);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("otlp_answer");
    TCase *tests = tcase_create("otlp_answer");
    tcase_add_test(tests, writes_partial_success);
    tcase_add_test(tests, writes_a_status_in_the_encoding_of_the_request);
    tcase_add_test(tests, names_the_rpc_code);
    tcase_add_test(tests, answers_in_the_requests_encoding);
    tcase_add_test(tests, keeps_within_the_buffer);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
