#include "scrapers/prometheus/exposition_reader.h"

#include "tests/unit/scrapers/loop_rig.h"

struct fixture {
    struct batch *batch;
    struct exposition_reader *reader;
    struct selector *keep[4], *drop[4];
    size_t keep_count, drop_count;
    uint32_t max_samples, max_labels, max_name_bytes, max_value_bytes;
    struct exposition_counts counts;
    struct error err;
};

static void open_reader(struct fixture *fixture, const char *keep, const char *drop, uint32_t max_names)
{
    struct label common[] = {LABEL("region", STR("eu")), LABEL("scraper", STR("prometheus")),
                             LABEL("target", STR("t"))};
    const struct batch_options options = {.common = common, .common_count = 3, .max_series = 100};
    *fixture = (struct fixture){.batch = batch_new(&options),
                                .max_samples = fixture->max_samples,
                                .max_labels = fixture->max_labels,
                                .max_name_bytes = fixture->max_name_bytes,
                                .max_value_bytes = fixture->max_value_bytes};
    if (keep)
        ck_assert_int_eq(selector_parse(keep, &fixture->keep[fixture->keep_count++], &fixture->err), 0);
    if (drop)
        ck_assert_int_eq(selector_parse(drop, &fixture->drop[fixture->drop_count++], &fixture->err), 0);
    const struct exposition_reader_options reader_options = {.batch = fixture->batch,
                                                             .keep = fixture->keep,
                                                             .keep_count = fixture->keep_count,
                                                             .drop = fixture->drop,
                                                             .drop_count = fixture->drop_count,
                                                             .max_names = max_names,
                                                             .max_samples = fixture->max_samples,
                                                             .max_labels = fixture->max_labels,
                                                             .max_label_name_bytes = fixture->max_name_bytes,
                                                             .max_label_value_bytes =
                                                                 fixture->max_value_bytes,
                                                             .max_sample_age_ms = 300000};
    fixture->reader = exposition_reader_new(&reader_options);
}

static void close_reader(struct fixture *fixture)
{
    exposition_reader_free(fixture->reader);
    batch_free(fixture->batch);
    for (size_t i = 0; i < 4; i++) {
        selector_free(fixture->keep[i]);
        selector_free(fixture->drop[i]);
    }
}

static struct snapshot *read_page(struct fixture *fixture, enum exposition_format format, const char *page,
                                  size_t slice, int expected_rc)
{
    batch_begin(fixture->batch);
    exposition_reader_begin(fixture->reader, format, str_from(page));
    while (exposition_reader_step(fixture->reader, slice))
        continue;
    ck_assert_int_eq(exposition_reader_finish(fixture->reader, &fixture->counts, &fixture->err), expected_rc);
    return batch_finish(fixture->batch, 1, 2);
}

static void expect(struct fixture *fixture, enum exposition_format format, const char *page,
                   const char *expected)
{
    for (size_t slice = 1; slice < 100000; slice *= 100) {
        struct snapshot *snapshot = read_page(fixture, format, page, slice, 0);
        char *text = rig_snapshot_text(snapshot);
        ck_assert_str_eq(text, expected);
        free(text);
        snapshot_unref(snapshot);
    }
}

static enum metric_type type_of(struct fixture *fixture, enum exposition_format format, const char *page,
                                const char *family)
{
    struct snapshot *snapshot = read_page(fixture, format, page, 1000, 0);
    const struct shape_family *found = shape_find_family(snapshot->shape, str_from(family));
    ck_assert_msg(found != NULL, "no family %s", family);
    enum metric_type type = found->type;
    snapshot_unref(snapshot);
    return type;
}

#define COMMON "region=\"eu\",scraper=\"prometheus\",target=\"t\""

START_TEST(text_families_and_their_suffixes)
{
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, NULL, 0);
    expect(&fixture, EXPOSITION_TEXT,
           "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3.5\nh_count 2\n"
           "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 4\ns_count 5\n"
           "# TYPE c_total counter\nc_total{a=\"b\"} 18446744073709551615\nplain 1\nx_count 2\n",
           "c_total{a=\"b\"," COMMON "} 18446744073709551615\n"
           "h_bucket{le=\"1.0\"," COMMON "} 1\nh_bucket{le=\"+Inf\"," COMMON "} 2\n"
           "h_sum{" COMMON "} 3.5\nh_count{" COMMON "} 2\nplain{" COMMON "} 1\n"
           "s{quantile=\"0.5\"," COMMON "} 1\ns_sum{" COMMON "} 4\ns_count{" COMMON "} 5\nx_count{" COMMON
           "} 2\n");
    close_reader(&fixture);
}
END_TEST

START_TEST(openmetrics_families_take_their_names_on_a_text_line)
{
    static const char page[] = "# TYPE c counter\n# UNIT c \nc_total 1 # {t=\"1\"} 1\nc_created 1700000000\n"
                               "# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE st stateset\nst{st=\"on\"} 1\n"
                               "# TYPE g gaugehistogram\ng_bucket{le=\"+Inf\"} 4\ng_gcount 4\ng_gsum 2\n"
                               "# TYPE named_total counter\nnamed_total 7\n# EOF\n";
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, NULL, 0);
    expect(&fixture, EXPOSITION_OPENMETRICS, page,
           "c_total{" COMMON "} 1\ng_bucket{le=\"+Inf\"," COMMON "} 4\ng_gcount{" COMMON "} 4\ng_gsum{" COMMON
           "} 2\ni_info{" COMMON ",v=\"1\"} 1\nnamed_total{" COMMON
           "} 7\nst{region=\"eu\",scraper=\"prometheus\",st=\"on\",target=\"t\"} 1\n");
    ck_assert_int_eq(type_of(&fixture, EXPOSITION_OPENMETRICS, page, "c_total"), METRIC_COUNTER);
    ck_assert_int_eq(type_of(&fixture, EXPOSITION_OPENMETRICS, page, "i_info"), METRIC_INFO);
    ck_assert_int_eq(type_of(&fixture, EXPOSITION_OPENMETRICS, page, "st"), METRIC_STATESET);
    close_reader(&fixture);
}
END_TEST

START_TEST(interleaved_families_and_clashing_labels)
{
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, NULL, 0);
    expect(&fixture, EXPOSITION_TEXT,
           "# TYPE a gauge\n# TYPE b gauge\na{x=\"1\"} 1\nb{x=\"1\"} 2\na{x=\"2\",region=\"mars\"} "
           "3\nb{x=\"2\"} 4\n",
           "a{exported_region=\"mars\"," COMMON ",x=\"2\"} 3\na{" COMMON ",x=\"1\"} 1\n"
           "b{" COMMON ",x=\"1\"} 2\nb{" COMMON ",x=\"2\"} 4\n");
    close_reader(&fixture);
}
END_TEST

START_TEST(help_is_kept_and_cut)
{
    struct buf page = BUF_INIT(1 << 20);
    buf_append_text(&page, "# HELP a one\\ntwo\n# TYPE a gauge\na 1\n# HELP b ");
    for (unsigned i = 0; i < LIMIT_HELP_BYTES; i++)
        buf_append_text(&page, "\xc3\xa9");
    buf_append_text(&page, "\nb 1\n");
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, NULL, 0);
    struct snapshot *snapshot = read_page(&fixture, EXPOSITION_TEXT, buf_text(&page), 1 << 20, 0);
    struct str help = shape_find_family(snapshot->shape, STR("a"))->help;
    ck_assert(str_equal(help, STR("one\ntwo")));
    help = shape_find_family(snapshot->shape, STR("b"))->help;
    ck_assert(help.len <= LIMIT_HELP_BYTES && str_is_utf8(help));
    snapshot_unref(snapshot);
    close_reader(&fixture);
    buf_deinit(&page);
}
END_TEST

START_TEST(keep_and_drop)
{
    static const char page[] =
        "a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n"
        "h_count 1\nh_sum 1\nfraiseql_db_query_x 1\n";
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, "{__name__=~\"fraiseql_db_query_.*|h_.*\"}", 0);
    expect(&fixture, EXPOSITION_TEXT, page,
           "a{" COMMON ",x=\"1\"} 1\na{" COMMON ",x=\"2\"} 2\nb{" COMMON "} 3\n");
    ck_assert_uint_eq(fixture.counts.filtered, 4);
    close_reader(&fixture);
    open_reader(&fixture, "{__name__=~\"a|b\"}", "a{x=\"2\"}", 0);
    expect(&fixture, EXPOSITION_TEXT, page, "a{" COMMON ",x=\"1\"} 1\nb{" COMMON "} 3\n");
    ck_assert_uint_eq(fixture.counts.samples, 2);
    /* Another page in the same reader: what was decided by position does not stick to it. */
    expect(&fixture, EXPOSITION_TEXT, "a{x=\"2\"} 1\na{x=\"1\"} 2\na{x=\"3\"} 3\n",
           "a{" COMMON ",x=\"1\"} 2\na{" COMMON ",x=\"3\"} 3\n");
    close_reader(&fixture);
}
END_TEST

START_TEST(up_is_not_a_page_s_to_say)
{
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, NULL, 0);
    expect(&fixture, EXPOSITION_TEXT, "up 1\nup{job=\"x\"} 0\nupper 2\n", "upper{" COMMON "} 2\n");
    ck_assert_uint_eq(fixture.counts.filtered, 2);
    close_reader(&fixture);
}
END_TEST

START_TEST(equal_pages_share_their_shape)
{
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, "{__name__=~\"b.*\"}", 0);
    struct snapshot *first = read_page(&fixture, EXPOSITION_TEXT, "a{y=\"1\",x=\"2\"} 1\nb 2\nc 3\n", 10, 0);
    struct snapshot *second = read_page(&fixture, EXPOSITION_TEXT, "a{y=\"1\",x=\"2\"} 4\nb 5\nc 6\n", 10, 0);
    ck_assert_uint_eq(first->shape->id, second->shape->id);
    snapshot_unref(first);
    snapshot_unref(second);
    close_reader(&fixture);
}
END_TEST

START_TEST(a_cut_page_and_a_useless_page_fail)
{
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, NULL, 0);
    snapshot_unref(read_page(&fixture, EXPOSITION_OPENMETRICS, "a 1\nb 2\n", 100, ERR_PARSE));
    ck_assert_contains(fixture.err.message, "cut off after line 2");
    snapshot_unref(read_page(&fixture, EXPOSITION_TEXT, "<html>\n<body>\n", 100, ERR_PARSE));
    ck_assert_contains(fixture.err.message, "line 1: no metric name");
    snapshot_unref(read_page(&fixture, EXPOSITION_TEXT, "", 100, 0));
    snapshot_unref(read_page(&fixture, EXPOSITION_TEXT, "ok 1\nbad\nbad\n", 100, 0));
    ck_assert_uint_eq(fixture.counts.bad, 2);
    ck_assert_uint_eq(fixture.counts.first_bad_line, 2);
    snapshot_unref(read_page(&fixture, EXPOSITION_TEXT, "# TYPE h histogram\nh 1\nok 1\n", 100, 0));
    ck_assert_uint_eq(fixture.counts.bad, 1);
    close_reader(&fixture);
}
END_TEST

START_TEST(names_without_end_are_bounded)
{
    struct fixture fixture = {0};
    struct buf page = BUF_INIT(1 << 20);
    for (unsigned i = 0; i < 1000; i++)
        buf_printf(&page, "# HELP n%u x\nn%u 1\n", i, i);
    open_reader(&fixture, NULL, NULL, 10);
    struct snapshot *snapshot = read_page(&fixture, EXPOSITION_TEXT, buf_text(&page), 100, 0);
    ck_assert_uint_eq(fixture.counts.samples, 10);
    ck_assert_uint_eq(fixture.counts.over_limit, 2 * 990);
    ck_assert_uint_eq(snapshot->shape->series_count, 10);
    snapshot_unref(snapshot);
    close_reader(&fixture);
    buf_deinit(&page);
}
END_TEST

#define NOW_MS 1700000000000

/* Reads a page that carries timestamps, at a time. */
static void read_at(struct fixture *fixture, enum exposition_format format, const char *page, int64_t now_ms,
                    const struct label *extra, bool continues)
{
    const struct exposition_page at = {format, str_from(page), now_ms, extra, continues};
    if (!continues)
        batch_begin(fixture->batch);
    exposition_reader_begin_page(fixture->reader, &at);
    while (exposition_reader_step(fixture->reader, 1000))
        continue;
    ck_assert_int_eq(exposition_reader_finish(fixture->reader, &fixture->counts, &fixture->err), 0);
}

static void expect_batch(struct fixture *fixture, const char *expected)
{
    struct snapshot *snapshot = batch_finish(fixture->batch, 1, 2);
    char *text = rig_snapshot_text(snapshot);
    ck_assert_str_eq(text, expected);
    free(text);
    snapshot_unref(snapshot);
}

START_TEST(samples_whose_own_time_is_not_now_are_left_out)
{
    struct fixture fixture = {0};
    open_reader(&fixture, NULL, NULL, 0);
    read_at(&fixture, EXPOSITION_TEXT, "a 1 1699999999000\nb 1 1699999000000\nc 1 1700000900000\nd 1\n",
            NOW_MS, NULL, false);
    expect_batch(&fixture, "a{" COMMON "} 1\nd{" COMMON "} 1\n");
    ck_assert_uint_eq(fixture.counts.stale, 1);
    ck_assert_uint_eq(fixture.counts.future, 1);
    ck_assert_int_eq(fixture.counts.oldest_age_ms, 1000);
    /* The same sample again is still the newest; an older one of the series is not. */
    read_at(&fixture, EXPOSITION_OPENMETRICS, "a 1 1699999999.000\nd 2\n# EOF\n", NOW_MS, NULL, false);
    expect_batch(&fixture, "a{" COMMON "} 1\nd{" COMMON "} 2\n");
    read_at(&fixture, EXPOSITION_TEXT, "a 7 1699999998999\n", NOW_MS, NULL, false);
    expect_batch(&fixture, "");
    ck_assert_uint_eq(fixture.counts.out_of_order, 1);
    /* Without a time, timestamps say nothing. */
    read_at(&fixture, EXPOSITION_TEXT, "a 7 5\n", 0, NULL, false);
    expect_batch(&fixture, "a{" COMMON "} 7\n");
    close_reader(&fixture);
}
END_TEST

START_TEST(pages_of_several_nodes_go_into_one_batch)
{
    struct fixture fixture = {0};
    const struct label one = LABEL("node", STR("n1")), two = LABEL("node", STR("n2"));
    open_reader(&fixture, "{__name__=~\"[ab]\"}", NULL, 0);
    for (unsigned round = 0; round < 2; round++) {
        read_at(&fixture, EXPOSITION_TEXT, "# TYPE a counter\na 1 1699999999000\nc 1\n", NOW_MS, &one, false);
        read_at(&fixture, EXPOSITION_TEXT, "# TYPE a counter\na 2 1699999998000\nb{node=\"own\"} 3\n", NOW_MS,
                &two, true);
        ck_assert_uint_eq(fixture.counts.samples, 3);
        ck_assert_uint_eq(fixture.counts.filtered, 1);
        expect_batch(&fixture, "a{node=\"n1\"," COMMON "} 1\na{node=\"n2\"," COMMON
                               "} 2\nb{node=\"own\"," COMMON "} 3\n");
    }
    close_reader(&fixture);
}
END_TEST

START_TEST(limits_cost_lines_and_are_counted)
{
    struct fixture fixture = {.max_samples = 2, .max_labels = 2, .max_name_bytes = 4, .max_value_bytes = 3};
    open_reader(&fixture, NULL, "dropped", 0);
    expect(&fixture, EXPOSITION_TEXT,
           "dropped 1\na{x=\"1\",y=\"2\",z=\"3\"} 1\na{longer=\"1\"} 1\na{x=\"1234\"} 1\na{x=\"123\"} 1\nb "
           "2\nc 3\nd 4\n",
           "a{" COMMON ",x=\"123\"} 1\nb{" COMMON "} 2\n");
    ck_assert_uint_eq(fixture.counts.over_label_limit, 3);
    ck_assert_uint_eq(fixture.counts.over_limit, 2);
    ck_assert_uint_eq(fixture.counts.filtered, 1);
    close_reader(&fixture);
}
END_TEST

static Suite *reader_suite(void)
{
    Suite *suite = suite_create("exposition_reader");
    TCase *tcase = tcase_create("reader");
    tcase_add_test(tcase, text_families_and_their_suffixes);
    tcase_add_test(tcase, openmetrics_families_take_their_names_on_a_text_line);
    tcase_add_test(tcase, interleaved_families_and_clashing_labels);
    tcase_add_test(tcase, help_is_kept_and_cut);
    tcase_add_test(tcase, keep_and_drop);
    tcase_add_test(tcase, up_is_not_a_page_s_to_say);
    tcase_add_test(tcase, equal_pages_share_their_shape);
    tcase_add_test(tcase, a_cut_page_and_a_useless_page_fail);
    tcase_add_test(tcase, names_without_end_are_bounded);
    tcase_add_test(tcase, samples_whose_own_time_is_not_now_are_left_out);
    tcase_add_test(tcase, pages_of_several_nodes_go_into_one_batch);
    tcase_add_test(tcase, limits_cost_lines_and_are_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(reader_suite)
