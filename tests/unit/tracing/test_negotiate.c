#include "tracing/negotiate.h"

#include "tests/support/support.h"

START_TEST(reads_media_types)
{
    ck_assert_int_eq(negotiate_type("application/x-protobuf"), BODY_PROTOBUF);
    ck_assert_int_eq(negotiate_type(" Application/X-Protobuf ; charset=utf-8"), BODY_PROTOBUF);
    ck_assert_int_eq(negotiate_type("application/json;charset=utf-8"), BODY_JSON);
    ck_assert_int_eq(negotiate_type("application/grpc+proto"), BODY_OTHER);
    ck_assert_int_eq(negotiate_type("application/x-protobuf2"), BODY_OTHER);
    ck_assert_int_eq(negotiate_type(""), BODY_OTHER);
    ck_assert_int_eq(negotiate_type(NULL), BODY_OTHER);
}
END_TEST

START_TEST(reads_codings)
{
    ck_assert_int_eq(negotiate_coding(NULL), CODING_IDENTITY);
    ck_assert_int_eq(negotiate_coding(""), CODING_IDENTITY);
    ck_assert_int_eq(negotiate_coding("Identity"), CODING_IDENTITY);
    ck_assert_int_eq(negotiate_coding("gzip"), CODING_GZIP);
    ck_assert_int_eq(negotiate_coding("x-gzip"), CODING_GZIP);
    ck_assert_int_eq(negotiate_coding("deflate "), CODING_DEFLATE);
    ck_assert_int_eq(negotiate_coding("zstd"), CODING_OTHER);
    ck_assert_int_eq(negotiate_coding("gzip, gzip"), CODING_OTHER);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("negotiate");
    TCase *tests = tcase_create("negotiate");
    tcase_add_test(tests, reads_media_types);
    tcase_add_test(tests, reads_codings);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
