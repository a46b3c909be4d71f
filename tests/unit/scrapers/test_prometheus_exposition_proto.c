#include "scrapers/prometheus/exposition_proto.h"

#include "scrapers/prometheus/exposition_reader.h"
#include "tests/unit/scrapers/loop_rig.h"
#include "tests/unit/scrapers/proto_build.h"

#include <math.h>

static struct buf page, family, metric, value;
static struct exposition_counts counts;
static struct error err;

static void open_bufs(void)
{
    buf_init(&page, BUILD_MAX);
    buf_init(&family, BUILD_MAX);
    buf_init(&metric, BUILD_MAX);
    buf_init(&value, BUILD_MAX);
}

static void close_bufs(void)
{
    buf_deinit(&page);
    buf_deinit(&family);
    buf_deinit(&metric);
    buf_deinit(&value);
}

/* The lines of a page, malloc'd; twice, in slices of one byte and whole, as nothing may depend on them. */
static char *lines_of(enum exposition_format format, struct str bytes, int expected_rc)
{
    const struct batch_options options = {.max_series = 10000};
    struct batch *batch = batch_new(&options);
    const struct exposition_reader_options reader_options = {.batch = batch};
    struct exposition_reader *reader = exposition_reader_new(&reader_options);
    char *first = NULL;
    for (size_t slice = 1; slice < 1000000; slice *= 100000) {
        batch_begin(batch);
        exposition_reader_begin(reader, format, bytes);
        while (exposition_reader_step(reader, slice))
            continue;
        ck_assert_int_eq(exposition_reader_finish(reader, &counts, &err), expected_rc);
        struct snapshot *snapshot = batch_finish(batch, 1, 1);
        char *text = rig_snapshot_text(snapshot);
        snapshot_unref(snapshot);
        if (first)
            ck_assert_str_eq(first, text);
        free(first);
        first = text;
    }
    exposition_reader_free(reader);
    batch_free(batch);
    return first;
}

static void expect_same_as_text(const char *text_page)
{
    char *proto = lines_of(EXPOSITION_PROTOBUF, buf_str(&page), 0);
    char *text = lines_of(EXPOSITION_TEXT, str_from(text_page), 0);
    ck_assert_str_eq(proto, text);
    free(proto);
    free(text);
}

START_TEST(the_simple_types_read_as_their_text)
{
    proto_begin(&family, "c_total", "Help with \\n and \"quotes\".", PROTO_COUNTER);
    proto_label(&metric, "a", "x");
    proto_number(&metric, 3, 3);
    build_message(&family, 4, &metric);
    proto_label(&metric, "a", "line\nbreak");
    proto_number(&metric, 3, 0.1);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    proto_begin(&family, "g", NULL, PROTO_GAUGE);
    proto_number(&metric, 2, -1.5e300);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    proto_begin(&family, "u", NULL, PROTO_UNTYPED);
    proto_number(&metric, 5, (double)NAN);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    expect_same_as_text(
        "# TYPE c_total counter\nc_total{a=\"x\"} 3\nc_total{a=\"line\\nbreak\"} 0.1\n# TYPE g gauge\n"
        "g -1.5e300\nu NaN\n");
}
END_TEST

static void add_bucket(uint64_t count, double bound)
{
    struct buf bucket = BUF_INIT(BUILD_MAX);
    build_u64(&bucket, 1, count);
    proto_double_field(&bucket, 2, bound);
    build_message(&value, 3, &bucket);
    buf_deinit(&bucket);
}

START_TEST(summaries_and_classic_histograms_read_as_their_text)
{
    struct buf quantile = BUF_INIT(BUILD_MAX);
    proto_begin(&family, "s", NULL, PROTO_SUMMARY);
    build_u64(&value, 1, 5);
    proto_double_field(&value, 2, 4.5);
    proto_double_field(&quantile, 1, 0.99);
    proto_double_field(&quantile, 2, 7);
    build_message(&value, 3, &quantile);
    build_message(&metric, 4, &value);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    proto_begin(&family, "h", NULL, PROTO_HISTOGRAM);
    build_u64(&value, 1, 4);
    proto_double_field(&value, 2, 2.25);
    add_bucket(1, 0.5);
    add_bucket(3, 1000000);
    proto_label(&metric, "z", "1");
    build_message(&metric, 7, &value);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    proto_begin(&family, "gh", NULL, PROTO_GAUGE_HISTOGRAM);
    build_u64(&value, 1, 2);
    add_bucket(2, (double)INFINITY);
    build_message(&metric, 7, &value);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    expect_same_as_text(
        "# TYPE s summary\ns{quantile=\"0.99\"} 7\ns_sum 4.5\ns_count 5\n# TYPE h histogram\n"
        "h_bucket{z=\"1\",le=\"0.5\"} 1\nh_bucket{z=\"1\",le=\"1e+06\"} 3\nh_bucket{z=\"1\",le=\"+Inf\"} 4\n"
        "h_sum{z=\"1\"} 2.25\nh_count{z=\"1\"} 4\ngh_bucket{le=\"+Inf\"} 2\ngh_gsum 0\ngh_gcount 2\n");
    buf_deinit(&quantile);
}
END_TEST

START_TEST(fields_may_come_in_any_order_with_unknown_ones_between)
{
    build_fixed32(&metric, 90, 1);
    proto_number(&metric, 3, 3);
    proto_label(&metric, "a", "x");
    build_u64(&metric, 6, 1700000000000);
    build_message(&family, 4, &metric);
    build_bytes(&family, 77, STR("future"));
    build_u64(&family, 3, PROTO_COUNTER);
    build_bytes(&family, 1, STR("c_total"));
    proto_end(&page, &family);
    expect_same_as_text("# TYPE c_total counter\nc_total{a=\"x\"} 3\n");
}
END_TEST

START_TEST(names_of_utf_8_are_mapped_to_the_old_set)
{
    proto_begin(&family, "my.metric", NULL, PROTO_GAUGE);
    proto_label(&metric, "k8s.pod", "x");
    proto_label(&metric, "\xc3\xa9", "y");
    proto_number(&metric, 2, 1);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    expect_same_as_text("{\"my.metric\",\"k8s.pod\"=\"x\",\"\xc3\xa9\"=\"y\"} 1\n");
}
END_TEST

START_TEST(what_is_damaged_costs_itself_only)
{
    proto_begin(&family, "g", NULL, PROTO_GAUGE);
    proto_number(&metric, 2, 1);
    build_message(&family, 4, &metric);
    build_bytes(&family, 4, STR("\x0a\x7f")); /* a label longer than the metric */
    build_bytes(&family, 4, STR(""));         /* no value */
    proto_number(&metric, 3, 1);              /* a counter's */
    build_message(&family, 4, &metric);
    proto_label(&metric, "__name__", "x");
    proto_number(&metric, 2, 1);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    proto_begin(&family, "", NULL, PROTO_GAUGE);
    proto_end(&page, &family);
    proto_begin(&family, "t", NULL, 9);
    proto_end(&page, &family);
    build_bytes(&family, 1, STR("x"));
    buf_append_text(&family, "\x07");
    proto_end(&page, &family);
    char *lines = lines_of(EXPOSITION_PROTOBUF, buf_str(&page), 0);
    ck_assert_str_eq(lines, "g{} 1\n");
    ck_assert_uint_eq(counts.bad, 7);
    ck_assert_str_eq(counts.first_bad_reason, "a damaged metric");
    free(lines);
}
END_TEST

START_TEST(a_page_that_ends_inside_a_message_was_cut_off)
{
    proto_begin(&family, "g", NULL, PROTO_GAUGE);
    proto_number(&metric, 2, 1);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    size_t whole = page.len;
    proto_begin(&family, "h", NULL, PROTO_GAUGE);
    proto_end(&page, &family);
    for (size_t len = whole + 1; len < page.len; len++) {
        free(lines_of(EXPOSITION_PROTOBUF, (struct str){page.data, len}, ERR_PARSE));
        ck_assert_contains(err.message, "cut off after 1 families");
    }
    free(lines_of(EXPOSITION_PROTOBUF, (struct str){page.data, whole}, 0));
}
END_TEST

START_TEST(timestamps_reach_the_reader)
{
    const struct batch_options options = {.max_series = 100};
    struct batch *batch = batch_new(&options);
    const struct exposition_reader_options reader_options = {.batch = batch, .max_sample_age_ms = 1000};
    struct exposition_reader *reader = exposition_reader_new(&reader_options);
    proto_begin(&family, "g", NULL, PROTO_GAUGE);
    proto_number(&metric, 2, 1);
    build_u64(&metric, 6, 5000);
    build_message(&family, 4, &metric);
    proto_end(&page, &family);
    for (int64_t now = 5500; now <= 6500; now += 1000) {
        batch_begin(batch);
        const struct exposition_page at = {EXPOSITION_PROTOBUF, buf_str(&page), now, NULL, false};
        exposition_reader_begin_page(reader, &at);
        while (exposition_reader_step(reader, 100))
            continue;
        ck_assert_int_eq(exposition_reader_finish(reader, &counts, &err), 0);
        ck_assert_uint_eq(counts.samples, now == 5500);
        ck_assert_uint_eq(counts.stale, now == 6500);
        snapshot_unref(batch_finish(batch, 1, 1));
    }
    exposition_reader_free(reader);
    batch_free(batch);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("prometheus_exposition_proto");
    TCase *tests = tcase_create("proto");
    tcase_add_checked_fixture(tests, open_bufs, close_bufs);
    tcase_add_test(tests, the_simple_types_read_as_their_text);
    tcase_add_test(tests, summaries_and_classic_histograms_read_as_their_text);
    tcase_add_test(tests, fields_may_come_in_any_order_with_unknown_ones_between);
    tcase_add_test(tests, names_of_utf_8_are_mapped_to_the_old_set);
    tcase_add_test(tests, what_is_damaged_costs_itself_only);
    tcase_add_test(tests, a_page_that_ends_inside_a_message_was_cut_off);
    tcase_add_test(tests, timestamps_reach_the_reader);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
