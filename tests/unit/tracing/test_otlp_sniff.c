#include "tracing/otlp_sniff.h"

#include "tests/support/support.h"
#include "tests/unit/tracing/otlp_build.h"

/* A request with this record in its second scope of its second group. */
static enum otlp_signal sniff_record(struct buf *record)
{
    struct buf scope = BUF_INIT(BUILD_MAX), group = BUF_INIT(BUILD_MAX), request = BUF_INIT(BUILD_MAX);
    build_attribute(&group, 1, "not", "a resource, but of its field");
    build_message(&request, 1, &group);
    build_bytes(&scope, 3, STR("a schema"));
    build_message(&group, 2, &scope);
    build_message(&scope, 2, record);
    build_message(&group, 2, &scope);
    build_message(&request, 1, &group);
    enum otlp_signal signal = otlp_sniff(buf_str(&request));
    buf_deinit(&scope);
    buf_deinit(&group);
    buf_deinit(&request);
    return signal;
}

START_TEST(tells_spans)
{
    static const struct build_span span = {
        .trace = 0x0102030405060708, .span = 2, .name = "a", .start_ns = 1};
    struct buf request = BUF_INIT(BUILD_MAX);
    for (int descending = 0; descending < 2; descending++) {
        buf_reset(&request);
        build_group(&request, "shop", NULL, &span, 1, descending);
        ck_assert_int_eq(otlp_sniff(buf_str(&request)), OTLP_TRACES);
    }
    buf_deinit(&request);
}
END_TEST

START_TEST(tells_metrics_and_logs)
{
    struct buf record = BUF_INIT(BUILD_MAX);
    build_bytes(&record, 1, STR("http.server.duration"));
    ck_assert_int_eq(sniff_record(&record), OTLP_METRICS);
    build_bytes(&record, 1, STR("sixteen.byte.nam")); /* as long as a trace id */
    ck_assert_int_eq(sniff_record(&record), OTLP_METRICS);
    build_fixed64(&record, 1, 1700000000);
    ck_assert_int_eq(sniff_record(&record), OTLP_LOGS);
    build_bytes(&record, 5, STR(""));
    build_fixed64(&record, 11, 1700000000);
    ck_assert_int_eq(sniff_record(&record), OTLP_LOGS);
    buf_deinit(&record);
}
END_TEST

START_TEST(does_not_guess)
{
    struct buf record = BUF_INIT(BUILD_MAX);
    build_bytes(&record, 5, STR("a name or a body"));
    ck_assert_int_eq(sniff_record(&record), OTLP_SNIFF);
    ck_assert_int_eq(otlp_sniff(STR("{\"resourceSpans\":[]}")), OTLP_SNIFF);
    ck_assert_int_eq(otlp_sniff((struct str){"\x0a\x05", 2}), OTLP_SNIFF);
    ck_assert_int_eq(otlp_sniff((struct str){NULL, 0}), OTLP_TRACES);
    buf_deinit(&record);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("otlp_sniff");
    TCase *tests = tcase_create("otlp_sniff");
    tcase_add_test(tests, tells_spans);
    tcase_add_test(tests, tells_metrics_and_logs);
    tcase_add_test(tests, does_not_guess);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
