#include "exporters/exposition_internal.h"

#include "lib/metrics/batch.h"
#include "tests/support/exposition_check.h"
#include "tests/support/support.h"

#include <stdlib.h>

struct named {
    const char *name;
    enum metric_type type;
};

/* A hub with one source that has these families, one series each. */
static struct hub *hub_of(const struct named *families, size_t count, struct hub_source **ret_source)
{
    struct hub *hub = hub_new(NULL);
    struct batch *batch = batch_new(NULL);
    struct histogram histogram;
    struct error err;
    histogram_init(&histogram, NULL, 0);
    batch_begin(batch);
    for (size_t i = 0; i < count; i++) {
        struct metric_desc desc = {families[i].name, families[i].type, "", NULL};
        struct batch_family *family = batch_family(batch, &desc);
        if (families[i].type == METRIC_HISTOGRAM)
            batch_add_histogram(batch, family, NULL, 0, &histogram);
        else if (families[i].type == METRIC_SUMMARY)
            batch_add_suffixed(batch, family, SUFFIX_COUNT, NULL, 0, VALUE_OF_U64(1));
        else
            batch_add(batch, family, NULL, 0, VALUE_OF_U64(1));
    }
    *ret_source = hub_register(hub, "test", "t", 0);
    ck_assert_int_eq(hub_publish(*ret_source, batch_finish(batch, 0, 0), &err), 0);
    batch_free(batch);
    return hub;
}

static char *render(struct hub *hub, enum exposition_format format, struct exposition_stats *ret_stats)
{
    struct exposition_options options = {.format = format};
    struct exposition *page = exposition_new(hub_view_take(hub, NULL, NULL), &options);
    struct buf out = BUF_INIT(1 << 20);
    char piece[4096];
    size_t length;
    while ((length = exposition_pull(page, piece, sizeof piece)) > 0)
        buf_append(&out, piece, length);
    exposition_stats(page, ret_stats);
    exposition_free(page);
    return buf_take(&out);
}

/* Every pair and triple of names that could meet: the page is legal, and only lines of histograms and
 * summaries cost another family its place. */
START_TEST(any_three_families_stay_legal)
{
    static const char *const names[] = {
        "a",         "a_total",       "a_info",        "a_count",         "a_sum",        "a_bucket",
        "a_created", "a_count_total", "a_total_total", "a_created_total", "a_count_info", "_total"};
    static const enum metric_type types[] = {METRIC_GAUGE, METRIC_COUNTER, METRIC_INFO, METRIC_HISTOGRAM,
                                             METRIC_SUMMARY};
    unsigned seed = 1;
    for (int round = 0; round < 6000; round++) {
        struct named families[3];
        for (int i = 0; i < 3; i++)
            families[i] = (struct named){names[(size_t)rand_r(&seed) % ARRAY_LEN(names)],
                                         types[(size_t)rand_r(&seed) % ARRAY_LEN(types)]};
        struct hub_source *source;
        struct hub *hub = hub_of(families, 3, &source);
        for (enum exposition_format format = EXPOSITION_TEXT; format <= EXPOSITION_OPENMETRICS_1_0_0;
             format++) {
            struct exposition_stats stats;
            char *page = render(hub, format, &stats);
            struct exposition_check check = {.openmetrics = format != EXPOSITION_TEXT};
            ck_assert_msg(exposition_check(str_from(page), &check), "%s\n%s", check.message, page);
            ck_assert_uint_ge(stats.families, 1);
            free(page);
        }
        hub_unregister(source);
        hub_free(hub);
    }
}
END_TEST

/* Names that meet after suffixes are taken away or added. */
START_TEST(colliding_names_are_resolved)
{
    static const struct named families[] = {{"h", METRIC_HISTOGRAM},
                                            {"h_count", METRIC_GAUGE},
                                            {"h_created", METRIC_GAUGE},
                                            {"h_count_total", METRIC_COUNTER},
                                            {"foo", METRIC_GAUGE},
                                            {"foo_total", METRIC_COUNTER},
                                            {"bar_total", METRIC_COUNTER},
                                            {"bar_info", METRIC_INFO},
                                            {"baz_created", METRIC_GAUGE},
                                            {"baz_total", METRIC_COUNTER},
                                            {"q_total_total", METRIC_COUNTER},
                                            {"q_total", METRIC_COUNTER},
                                            {"_total", METRIC_COUNTER}};
    struct hub_source *source;
    struct hub *hub = hub_of(families, ARRAY_LEN(families), &source);
    for (enum exposition_format format = EXPOSITION_TEXT; format <= EXPOSITION_OPENMETRICS_0_0_1; format++) {
        struct exposition_stats stats;
        char *page = render(hub, format, &stats);
        struct exposition_check check = {.openmetrics = format != EXPOSITION_TEXT};
        ck_assert_msg(exposition_check(str_from(page), &check), "%s\n%s", check.message, page);
        ck_assert_uint_eq(stats.families_left_out, 2); /* h_count and h_created */
        ck_assert_uint_eq(stats.families, 11);
        ck_assert_uint_eq(stats.lines, 3 + 10);
        ck_assert_uint_eq(stats.plain_bytes, strlen(page));
        if (format != EXPOSITION_TEXT) {
            ck_assert_contains(page, "# TYPE foo_total unknown\nfoo_total 1\n");
            ck_assert_contains(page, "# TYPE bar counter\nbar_total 1\n");
            ck_assert_contains(page, "# TYPE bar_info gauge\nbar_info 1\n");
        }
        free(page);
    }
    hub_unregister(source);
    hub_free(hub);
}
END_TEST

/* The check itself must be able to fail. */
START_TEST(the_check_refuses_bad_pages)
{
    static const struct {
        bool openmetrics;
        const char *page;
    } bad[] = {
        {false, "# TYPE a gauge\r\na 1\r\n"},
        {false, "# TYPE a gauge\na 1"},
        {false, "# TYPE a info\na 1\n"},
        {false, "# TYPE a gauge\na 0x1p3\n"},
        {false, "# TYPE a gauge\na 1 5\n"},
        {false, "# TYPE a gauge\na 1 # {} 1\n"},
        {false, "# TYPE a gauge\na{b=\"\xff\"} 1\n"},
        {false, "# HELP a \xff\n# TYPE a gauge\na 1\n"},
        {false, "# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n"},
        {false, "# TYPE a gauge\na 1\na 2\n"},
        {false, "# TYPE a gauge\na 1\n# TYPE a gauge\n"},
        {false, "# TYPE a gauge\n# TYPE b gauge\nb 1\n"},
        {false, "# TYPE a gauge\na 1\n# HELP a x\n"},
        {false, "a 1\n"},
        {false, "# TYPE a gauge\na{b=\"\\d\"} 1\n"},
        {false, "# TYPE a gauge\na{b=\"1\",} 1\n"},
        {false, "# TYPE a gauge\n{\"a.b\"} 1\n"},
        {false, "# TYPE a histogram\na_bucket{le=\"1\"} 1\n"},
        {false, "# TYPE a histogram\na_bucket{le=\"2.0\"} 1\na_bucket{le=\"1.0\"} 1\n"},
        {false, "# TYPE a histogram\na_count 1\n# TYPE a_count gauge\na_count{x=\"1\"} 1\n"},
        {false, "# TYPE a summary\na_sum{x=\"1\"} 1\na_sum{x=\"2\"} 1\na_count{x=\"1\"} 1\n"},
        {false, "# TYPE a gauge\na inf\n"},
        {true, "# TYPE a gauge\na 1\n"},
        {true, "# TYPE a gauge\na 1\n# EOF\n\n"},
        {true, "# TYPE a gauge\n\na 1\n# EOF\n"},
        {true, "# comment\n# EOF\n"},
        {true, "# TYPE a gauge\na  1\n# EOF\n"},
        {true, "# TYPE a gauge\na\t1\n# EOF\n"},
        {true, "# TYPE a gauge\na{b=\"1\", c=\"2\"} 1\n# EOF\n"},
        {true, "# TYPE a untyped\na 1\n# EOF\n"},
        {true, "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n"},
        {true, "# TYPE a counter\na 1\n# EOF\n"},
        {true, "# TYPE a counter\na_total 1\n# TYPE a_created gauge\na_created 1\n# EOF\n"},
        {true, "# HELP a \"\n# TYPE a gauge\na 1\n# EOF\n"},
        {true, "# TYPE a info\na_info 2\n# EOF\n"},
        {true, "# TYPE a stateset\na 1\n# EOF\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct exposition_check check = {.openmetrics = bad[i].openmetrics};
        ck_assert_msg(!exposition_check(str_from(bad[i].page), &check), "accepted: %s", bad[i].page);
    }
}
END_TEST

static Suite *exposition_names_suite(void)
{
    Suite *suite = suite_create("exposition_names");
    TCase *tests = tcase_create("exposition_names");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, any_three_families_stay_legal);
    tcase_add_test(tests, colliding_names_are_resolved);
    tcase_add_test(tests, the_check_refuses_bad_pages);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(exposition_names_suite)
