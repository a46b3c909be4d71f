#include "lib/metrics/batch.h"

#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

static const struct metric_desc gauge = {"temperature", METRIC_GAUGE, "Degrees", NULL};
static const struct metric_desc requests = {"db_requests_total", METRIC_COUNTER, "Requests", "requests"};
static const struct metric_desc latency = {"latency_seconds", METRIC_HISTOGRAM, "Latency", "seconds"};

/* Every line of a snapshot, as name{labels} value. */
static char *dump(const struct snapshot *snapshot)
{
    static const char *const suffixes[] = {"", "_bucket", "_count", "_sum", "_total", "_created", "_info"};
    struct buf out = BUF_INIT(1 << 24);
    const struct shape *shape = snapshot->shape;
    for (uint32_t f = 0; f < shape->family_count; f++) {
        const struct shape_family *family = &shape->families[f];
        for (uint32_t s = family->first_series; s < family->first_series + family->series_count; s++) {
            const struct shape_series *series = &shape->series[s];
            struct str text = shape_series_text(shape, series);
            uint32_t slots =
                series->kind == SERIES_HISTOGRAM ? shape->layouts[series->layout].bound_count + 2 : 1;
            buf_printf(&out, "%.*s%s{%.*s}", STR_ARGS(family->name), suffixes[series->suffix],
                       STR_ARGS(text));
            for (uint32_t i = 0; i < slots; i++) {
                char number[NUMBER_TEXT_MAX];
                struct value value = snapshot_value(snapshot, series->slot + i);
                char *end = number_write_value(number, value);
                buf_printf(&out, " %.*s", (int)(end - number), number);
            }
            buf_append_byte(&out, '\n');
        }
    }
    return buf_take(&out);
}

static void check_dump(struct snapshot *snapshot, const char *expected)
{
    char *text = dump(snapshot);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void add_gauge(struct batch *batch, const char *a, const char *b, uint64_t n)
{
    struct label labels[] = {LABEL_TEXT("b", b), LABEL_TEXT("a", a)};
    batch_put(batch, &gauge, labels, 2, VALUE_OF_U64(n));
}

START_TEST(lays_out_sorted)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    batch_begin(batch);
    add_gauge(batch, "2", "x", 7);
    add_gauge(batch, "1", "y", 8);
    batch_put(batch, &requests, NULL, 0, VALUE_OF_U64(UINT64_MAX));
    struct snapshot *snapshot = batch_finish(batch, 1, 2);
    check_dump(snapshot, "db_requests_total{} 18446744073709551615\n"
                         "temperature{a=\"1\",b=\"y\"} 8\n"
                         "temperature{a=\"2\",b=\"x\"} 7\n");
    ck_assert_int_eq(snapshot->taken_wall_ns, 1);
    ck_assert_int_eq(snapshot->taken_mono_ns, 2);
    ck_assert(str_equal(snapshot->shape->families[0].unit, STR("requests")));
    (void)snapshot_unref(snapshot);
}
END_TEST

START_TEST(shares_the_shape_of_an_equal_scrape)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    struct snapshot *snapshots[3];
    for (uint64_t scrape = 0; scrape < 3; scrape++) {
        batch_begin(batch);
        add_gauge(batch, "2", "x\"\\\n", scrape);
        add_gauge(batch, "1", "", 8);
        batch_put(batch, &requests, NULL, 0, VALUE_OF_I64(-1));
        snapshots[scrape] = batch_finish(batch, 0, 0);
    }
    ck_assert_ptr_eq(snapshots[0]->shape, snapshots[1]->shape);
    ck_assert_ptr_eq(snapshots[0]->shape, snapshots[2]->shape);
    check_dump(snapshots[2], "db_requests_total{} -1\n"
                             "temperature{a=\"1\"} 8\n"
                             "temperature{a=\"2\",b=\"x\\\"\\\\\\n\"} 2\n");
    for (int i = 0; i < 3; i++)
        (void)snapshot_unref(snapshots[i]);
}
END_TEST

/* The text of one series must not be taken for another whose raw value contains quotes. */
START_TEST(quotes_in_values_do_not_fool_the_positional_path)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    batch_begin(batch);
    add_gauge(batch, "x", "y", 1);
    (void)snapshot_unref(batch_finish(batch, 0, 0));
    batch_begin(batch);
    add_gauge(batch, "x\",b=\"y", "", 2);
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    check_dump(snapshot, "temperature{a=\"x\\\",b=\\\"y\"} 2\n");
    (void)snapshot_unref(snapshot);
}
END_TEST

START_TEST(follows_changes_of_the_series)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    batch_begin(batch);
    add_gauge(batch, "1", "x", 1);
    add_gauge(batch, "2", "x", 2);
    add_gauge(batch, "3", "x", 3);
    (void)snapshot_unref(batch_finish(batch, 0, 0));
    batch_begin(batch); /* one vanished */
    add_gauge(batch, "1", "x", 4);
    add_gauge(batch, "3", "x", 5);
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    check_dump(snapshot, "temperature{a=\"1\",b=\"x\"} 4\ntemperature{a=\"3\",b=\"x\"} 5\n");
    (void)snapshot_unref(snapshot);
    batch_begin(batch); /* one came at the end */
    add_gauge(batch, "1", "x", 6);
    add_gauge(batch, "3", "x", 7);
    add_gauge(batch, "0", "x", 8);
    snapshot = batch_finish(batch, 0, 0);
    check_dump(snapshot, "temperature{a=\"0\",b=\"x\"} 8\ntemperature{a=\"1\",b=\"x\"} 6\n"
                         "temperature{a=\"3\",b=\"x\"} 7\n");
    (void)snapshot_unref(snapshot);
    batch_begin(batch); /* all vanished */
    snapshot = batch_finish(batch, 0, 0);
    check_dump(snapshot, "");
    (void)snapshot_unref(snapshot);
    struct batch_counts counts;
    batch_counts(batch, &counts);
    ck_assert_uint_eq(counts.dropped_duplicate + counts.dropped_invalid + counts.dropped_limit, 0);
}
END_TEST

START_TEST(absent_values_keep_the_shape)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    batch_begin(batch);
    batch_put(batch, &gauge, NULL, 0, (struct value){0});
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    check_dump(snapshot, "");
    (void)snapshot_unref(snapshot);
    batch_begin(batch);
    add_gauge(batch, "1", "x", 1);
    add_gauge(batch, "2", "x", 2);
    struct snapshot *whole = batch_finish(batch, 0, 0);
    batch_begin(batch);
    struct label labels[] = {LABEL_TEXT("a", "1"), LABEL_TEXT("b", "x")};
    batch_put(batch, &gauge, labels, 2, (struct value){0});
    add_gauge(batch, "2", "x", 3);
    snapshot = batch_finish(batch, 0, 0);
    ck_assert_ptr_eq(snapshot->shape, whole->shape);
    ck_assert_int_eq(snapshot->kinds[0], VALUE_ABSENT);
    ck_assert_uint_eq(snapshot->bits[1], 3);
    (void)snapshot_unref(snapshot);
    (void)snapshot_unref(whole);
}
END_TEST

START_TEST(a_bad_series_costs_itself)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    for (int scrape = 0; scrape < 2; scrape++) {
        batch_begin(batch);
        add_gauge(batch, "\xff", "x", 1);
        add_gauge(batch, "1", "x", 1);
        add_gauge(batch, "1", "x", 2); /* twice: the first stays */
        struct label bad_name[] = {LABEL_TEXT("a-b", "x")};
        batch_put(batch, &gauge, bad_name, 1, VALUE_OF_U64(1));
        struct label twice[] = {LABEL_TEXT("a", "x"), LABEL_TEXT("a", "y")};
        batch_put(batch, &gauge, twice, 2, VALUE_OF_U64(1));
        struct label reserved[] = {LABEL_TEXT("__name__", "x")};
        batch_put(batch, &gauge, reserved, 1, VALUE_OF_U64(1));
        struct metric_desc bad = {"no-name", METRIC_GAUGE, "", NULL};
        batch_put(batch, &bad, NULL, 0, VALUE_OF_U64(1));
        struct metric_desc clash = {"temperature", METRIC_COUNTER, "", NULL};
        batch_put(batch, &clash, NULL, 0, VALUE_OF_U64(1));
        struct snapshot *snapshot = batch_finish(batch, 0, 0);
        check_dump(snapshot, "temperature{a=\"1\",b=\"x\"} 1\n");
        (void)snapshot_unref(snapshot);
    }
    struct batch_counts counts;
    batch_counts(batch, &counts);
    ck_assert_uint_eq(counts.dropped_invalid, 10);
    ck_assert_uint_eq(counts.dropped_duplicate, 2);
    ck_assert_uint_eq(counts.dropped_type, 2);
    ck_assert_uint_eq(counts.dropped_limit, 0);
}
END_TEST

START_TEST(common_labels_win_and_clashes_are_exported)
{
    struct label common[] = {LABEL_TEXT("target", "t1"), LABEL_TEXT("region", "eu"), LABEL_TEXT("none", "")};
    struct batch_options options = {.common = common, .common_count = 3};
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(&options);
    const struct shape *shape = NULL;
    for (int scrape = 0; scrape < 3; scrape++) {
        batch_begin(batch);
        struct label labels[] = {LABEL_TEXT("target", "own"), LABEL_TEXT("a", "1")};
        batch_put(batch, &gauge, labels, 2, VALUE_OF_U64(1));
        struct label both[] = {LABEL_TEXT("target", "own"), LABEL_TEXT("exported_target", "mine")};
        batch_put(batch, &gauge, both, 2, VALUE_OF_U64(2));
        struct snapshot *snapshot = batch_finish(batch, 0, 0);
        check_dump(snapshot, "temperature{a=\"1\",exported_target=\"own\",region=\"eu\",target=\"t1\"} 1\n"
                             "temperature{exported_exported_target=\"own\",exported_target=\"mine\",region="
                             "\"eu\",target=\"t1\"} 2\n");
        ck_assert(str_equal(snapshot->shape->common_text, STR("region=\"eu\",target=\"t1\"")));
        ck_assert(!shape || shape == snapshot->shape);
        shape = snapshot->shape;
        (void)snapshot_unref(snapshot);
    }
}
END_TEST

START_TEST(limit_drops_what_is_over_it)
{
    struct batch_options options = {.max_series = 2};
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(&options);
    for (int scrape = 0; scrape < 2; scrape++) {
        batch_begin(batch);
        add_gauge(batch, "1", "x", 1);
        add_gauge(batch, "2", "x", 1);
        add_gauge(batch, "3", "x", 1);
        struct snapshot *snapshot = batch_finish(batch, 0, 0);
        ck_assert_uint_eq(snapshot->shape->series_count, 2);
        (void)snapshot_unref(snapshot);
    }
    struct batch_counts counts;
    batch_counts(batch, &counts);
    ck_assert_uint_eq(counts.dropped_limit, 2);
}
END_TEST

START_TEST(own_histograms_are_cumulative)
{
    static const double bounds[] = {0.1, 1, 10};
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    struct histogram histogram;
    histogram_init(&histogram, bounds, 3);
    histogram_observe(&histogram, 0.1);
    histogram_observe(&histogram, 5);
    histogram_observe(&histogram, 50);
    const struct shape *shape = NULL;
    for (int scrape = 0; scrape < 2; scrape++) {
        struct label labels[] = {LABEL_TEXT("a", "1")};
        struct label bound[] = {LABEL_TEXT("le", "1")};
        batch_begin(batch);
        struct batch_family *family = batch_family(batch, &latency);
        batch_add_histogram(batch, family, labels, 1, &histogram);
        batch_add_histogram(batch, family, bound, 1, &histogram); /* le is not for the caller */
        struct snapshot *snapshot = batch_finish(batch, 0, 0);
        check_dump(snapshot, "latency_seconds{a=\"1\"} 1 1 2 3 55.1\n");
        ck_assert(str_equal_text(snapshot->shape->layouts[0].le_text[1], "1.0"));
        ck_assert(str_equal_text(snapshot->shape->layouts[0].le_text[3], "+Inf"));
        ck_assert(!shape || shape == snapshot->shape);
        shape = snapshot->shape;
        (void)snapshot_unref(snapshot);
    }
}
END_TEST

START_TEST(bounds_that_do_not_ascend_are_refused)
{
    static const double bad[][2] = {{1, 1}, {2, 1}, {1, (double)INFINITY}, {(double)NAN, 1}};
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    batch_begin(batch);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct histogram histogram;
        histogram_init(&histogram, bad[i], 2);
        batch_add_histogram(batch, batch_family(batch, &latency), NULL, 0, &histogram);
    }
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    check_dump(snapshot, "");
    (void)snapshot_unref(snapshot);
    struct batch_counts counts;
    batch_counts(batch, &counts);
    ck_assert_uint_eq(counts.dropped_invalid, 4);
}
END_TEST

static void add_line(struct batch *batch, enum series_suffix suffix, const char *a, const char *le,
                     uint64_t n)
{
    struct label labels[] = {LABEL_TEXT("le", le), LABEL_TEXT("a", a)};
    batch_add_suffixed(batch, batch_family(batch, &latency), suffix, labels, 2, VALUE_OF_U64(n));
}

/* All lines of one label set lie together, buckets by number and not by text. */
START_TEST(foreign_histograms_are_grouped)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    const struct shape *shape = NULL;
    for (int scrape = 0; scrape < 2; scrape++) {
        batch_begin(batch);
        add_line(batch, SUFFIX_COUNT, "2", "", 9);
        add_line(batch, SUFFIX_COUNT, "1", "", 3);
        add_line(batch, SUFFIX_SUM, "1", "", 4);
        add_line(batch, SUFFIX_BUCKET, "1", "+Inf", 3);
        add_line(batch, SUFFIX_BUCKET, "1", "10", 2);
        add_line(batch, SUFFIX_BUCKET, "1", "2.5", 1);
        add_line(batch, SUFFIX_BUCKET, "1", "10.00", 2); /* the same bound in other words */
        add_line(batch, SUFFIX_BUCKET, "2", "inf", 9);
        add_line(batch, SUFFIX_BUCKET, "2", "x", 9);
        add_line(batch, SUFFIX_BUCKET, "2", "", 9);
        add_line(batch, SUFFIX_SUM, "2", "1", 9);
        add_line(batch, SUFFIX_CREATED, "2", "", 9);
        struct snapshot *snapshot = batch_finish(batch, 0, 0);
        check_dump(snapshot, "latency_seconds_bucket{a=\"1\",le=\"2.5\"} 1\n"
                             "latency_seconds_bucket{a=\"1\",le=\"10.0\"} 2\n"
                             "latency_seconds_bucket{a=\"1\",le=\"+Inf\"} 3\n"
                             "latency_seconds_sum{a=\"1\"} 4\n"
                             "latency_seconds_count{a=\"1\"} 3\n"
                             "latency_seconds_bucket{a=\"2\",le=\"+Inf\"} 9\n"
                             "latency_seconds_count{a=\"2\"} 9\n");
        ck_assert(!shape || shape == snapshot->shape);
        shape = snapshot->shape;
        (void)snapshot_unref(snapshot);
    }
    struct batch_counts counts;
    batch_counts(batch, &counts);
    ck_assert_uint_eq(counts.dropped_invalid, 6);
    ck_assert_uint_eq(counts.dropped_duplicate, 2);
}
END_TEST

START_TEST(openmetrics_suffixes_become_names)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    struct metric_desc counter = {"foo", METRIC_COUNTER, "", NULL}, info = {"build", METRIC_INFO, "", NULL};
    for (int scrape = 0; scrape < 2; scrape++) {
        batch_begin(batch);
        struct batch_family *foo = batch_family(batch, &counter);
        batch_add_suffixed(batch, foo, SUFFIX_TOTAL, NULL, 0, VALUE_OF_U64(1));
        struct label labels[] = {LABEL_TEXT("v", "1")};
        batch_add_suffixed(batch, batch_family(batch, &info), SUFFIX_INFO, labels, 1, VALUE_OF_U64(1));
        batch_add_suffixed(batch, batch_family(batch, &info), SUFFIX_INFO, labels, 0, VALUE_OF_U64(2));
        struct snapshot *snapshot = batch_finish(batch, 0, 0);
        check_dump(snapshot, "build_info{v=\"1\"} 1\nfoo_total{} 1\n");
        (void)snapshot_unref(snapshot);
    }
}
END_TEST

START_TEST(a_changed_description_makes_a_new_shape)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    struct metric_desc desc = {"x_seconds", METRIC_GAUGE, "One", "seconds"};
    batch_begin(batch);
    batch_put(batch, &requests, NULL, 0, VALUE_OF_U64(1));
    batch_put(batch, &desc, NULL, 0, VALUE_OF_U64(1));
    struct snapshot *first = batch_finish(batch, 0, 0);
    desc.help = "Two\r";
    desc.unit = "bytes";
    batch_begin(batch);
    batch_put(batch, &requests, NULL, 0, VALUE_OF_U64(2));
    batch_put(batch, &desc, NULL, 0, VALUE_OF_U64(2));
    struct snapshot *second = batch_finish(batch, 0, 0);
    check_dump(second, "db_requests_total{} 2\nx_seconds{} 2\n");
    const struct shape_family *family = shape_find_family(second->shape, STR("x_seconds"));
    ck_assert(str_equal(family->help, STR("Two ")));
    ck_assert(str_equal(family->unit, STR("")));
    ck_assert(str_equal(shape_find_family(first->shape, STR("x_seconds"))->unit, STR("seconds")));
    ck_assert_ptr_null(shape_find_family(second->shape, STR("y")));
    (void)snapshot_unref(first);
    (void)snapshot_unref(second);
}
END_TEST

START_TEST(another_order_keeps_the_shape)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    batch_begin(batch);
    add_gauge(batch, "1", "x", 1);
    add_gauge(batch, "2", "x", 2);
    struct snapshot *first = batch_finish(batch, 0, 0);
    batch_begin(batch);
    add_gauge(batch, "2", "x", 3);
    add_gauge(batch, "1", "x", 4);
    struct snapshot *second = batch_finish(batch, 0, 0);
    ck_assert_ptr_eq(first->shape, second->shape);
    check_dump(second, "temperature{a=\"1\",b=\"x\"} 4\ntemperature{a=\"2\",b=\"x\"} 3\n");
    (void)snapshot_unref(first);
    (void)snapshot_unref(second);
}
END_TEST

/* Random scrapes: what a batch with a history gives equals what a fresh batch gives. */
START_TEST(history_never_shows)
{
    struct batch *batch CLEANUP(batch_free_cleanup) = batch_new(NULL);
    unsigned seed = 1;
    for (int scrape = 0; scrape < 2000; scrape++) {
        struct batch *fresh CLEANUP(batch_free_cleanup) = batch_new(NULL);
        struct batch *both[] = {batch, fresh};
        unsigned start = seed;
        for (int b = 0; b < 2; b++) {
            seed = start;
            batch_begin(both[b]);
            unsigned count = (unsigned)rand_r(&seed) % 6;
            for (unsigned i = 0; i < count; i++) {
                char a[8];
                unsigned kind = (unsigned)rand_r(&seed) % 8;
                (void)snprintf(a, sizeof a, "%u", kind < 5 ? i : (unsigned)rand_r(&seed) % 4);
                if (kind == 6)
                    add_line(both[b], SUFFIX_BUCKET, a, "5", i);
                else if (kind == 7)
                    batch_put(both[b], &requests, NULL, 0, VALUE_OF_U64(i));
                else
                    add_gauge(both[b], a, "x", i);
            }
        }
        struct snapshot *one = batch_finish(batch, 0, 0), *two = batch_finish(fresh, 0, 0);
        char *expected = dump(two);
        check_dump(one, expected);
        free(expected);
        (void)snapshot_unref(one);
        (void)snapshot_unref(two);
    }
}
END_TEST

static Suite *batch_suite(void)
{
    Suite *suite = suite_create("batch");
    TCase *tests = tcase_create("batch");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, lays_out_sorted);
    tcase_add_test(tests, shares_the_shape_of_an_equal_scrape);
    tcase_add_test(tests, quotes_in_values_do_not_fool_the_positional_path);
    tcase_add_test(tests, follows_changes_of_the_series);
    tcase_add_test(tests, absent_values_keep_the_shape);
    tcase_add_test(tests, a_bad_series_costs_itself);
    tcase_add_test(tests, common_labels_win_and_clashes_are_exported);
    tcase_add_test(tests, limit_drops_what_is_over_it);
    tcase_add_test(tests, own_histograms_are_cumulative);
    tcase_add_test(tests, bounds_that_do_not_ascend_are_refused);
    tcase_add_test(tests, foreign_histograms_are_grouped);
    tcase_add_test(tests, openmetrics_suffixes_become_names);
    tcase_add_test(tests, a_changed_description_makes_a_new_shape);
    tcase_add_test(tests, another_order_keeps_the_shape);
    tcase_add_test(tests, history_never_shows);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(batch_suite)
