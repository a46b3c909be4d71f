#include "examples/service/span.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

START_TEST(a_traceparent_becomes_the_parent)
{
    struct span span;
    span_start(&span, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 5);
    ck_assert(span.has_parent);
    ck_assert_uint_eq(span.trace_id[0], 0x0a);
    ck_assert_uint_eq(span.trace_id[15], 0x9c);
    ck_assert_uint_eq(span.parent_id[7], 0x31);
    ck_assert_int_eq(span.start_wall_ns, 5);
}
END_TEST

static const char *const malformed[] = {
    NULL,
    "",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
};

START_TEST(anything_else_starts_a_trace)
{
    struct span span;
    span_start(&span, malformed[_i], 5);
    ck_assert(!span.has_parent);
}
END_TEST

/* Field by field: what opentelemetry-proto says of a span with a status. */
START_TEST(a_span_is_encoded)
{
    const struct settings settings = {
        .service_name = "s", .attributes = {{STR("cloud.region"), STR("eu")}}, .attribute_count = 1};
    struct span span = {.start_wall_ns = 1, .duration_ns = 2, .status = 503, .failed = true, .name = "n"};
    struct buf out = BUF_INIT(4096);
    span_encode(&settings, &span, 1, &out);
    ck_assert(!out.failed);
    ck_assert_uint_eq((unsigned char)out.data[0], 0x0a); /* resource_spans */
    ck_assert_uint_eq((unsigned char)out.data[1] | 0x80U, (unsigned char)out.data[1]);
    ck_assert_uint_eq(((unsigned char)out.data[1] & 0x7FU) + ((unsigned)(unsigned char)out.data[2] << 7),
                      out.len - 3);
    ck_assert_ptr_nonnull(memmem(out.data, out.len,
                                 "\x0a\x0c"
                                 "cloud.region\x12\x04\x0a\x02"
                                 "eu",
                                 20));
    ck_assert_ptr_nonnull(memmem(out.data, out.len, "\x7a\x02\x18\x02", 4)); /* status { code: ERROR } */
    ck_assert_ptr_nonnull(memmem(out.data, out.len, "\x41\x03\0\0\0\0\0\0\0", 9)); /* end */
    buf_deinit(&out);
}
END_TEST

static Suite *span_suite(void)
{
    Suite *suite = suite_create("span");
    TCase *tcase = tcase_create("span");
    tcase_add_test(tcase, a_traceparent_becomes_the_parent);
    tcase_add_loop_test(tcase, anything_else_starts_a_trace, 0, (int)ARRAY_LEN(malformed));
    tcase_add_test(tcase, a_span_is_encoded);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(span_suite)
