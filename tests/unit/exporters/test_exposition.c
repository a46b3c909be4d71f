#include "exporters/exposition.h"

#include "lib/metrics/batch.h"
#include "lib/net/compress.h"
#include "tests/support/exposition_check.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct hub *hub;
    struct hub_source *sources[4];
    struct batch *batches[4];
};

static void fixture_start(struct fixture *f, size_t common)
{
    static const char *const targets[] = {"a", "b", "c", "d"};
    f->hub = hub_new(NULL);
    for (size_t i = 0; i < 4; i++) {
        struct label label = LABEL_TEXT("target", targets[i]);
        struct batch_options options = {.common = &label, .common_count = common};
        f->sources[i] = hub_register(f->hub, "test", targets[i], 0);
        f->batches[i] = batch_new(&options);
        batch_begin(f->batches[i]);
    }
}

static void fixture_publish(struct fixture *f)
{
    for (size_t i = 0; i < 4; i++) {
        struct error err;
        ck_assert_int_eq(hub_publish(f->sources[i], batch_finish(f->batches[i], 0, 0), &err), 0);
    }
}

static void fixture_end(struct fixture *f)
{
    for (size_t i = 0; i < 4; i++) {
        hub_unregister(f->sources[i]);
        batch_free(f->batches[i]);
    }
    hub_free(f->hub);
}

static void put(struct batch *batch, const char *name, enum metric_type type, const char *unit,
                struct value value)
{
    struct metric_desc desc = {name, type, "Help \"with\" \\ and\nline", unit};
    batch_put(batch, &desc, NULL, 0, value);
}

static char *render_with(struct hub *hub, const struct exposition_options *options, size_t piece,
                         size_t *ret_length, struct exposition_stats *ret_stats)
{
    struct exposition *page = exposition_new(hub_view_take(hub, NULL, NULL), options);
    struct buf out = BUF_INIT(1UL << 30);
    char *chunk = xmalloc(piece);
    size_t length;
    while ((length = exposition_pull(page, chunk, piece)) > 0)
        buf_append(&out, chunk, length);
    ck_assert_uint_eq(exposition_pull(page, chunk, piece), 0);
    if (ret_stats)
        exposition_stats(page, ret_stats);
    exposition_free(page);
    free(chunk);
    *ret_length = out.len;
    return buf_take(&out);
}

static char *render(struct hub *hub, enum exposition_format format)
{
    size_t length;
    struct exposition_options options = {.format = format};
    return render_with(hub, &options, EXPOSITION_CHUNK_BYTES, &length, NULL);
}

static void check_page(struct hub *hub, enum exposition_format format, const char *expected)
{
    char *page = render(hub, format);
    struct exposition_check check = {.openmetrics = format != EXPOSITION_TEXT};
    ck_assert_str_eq(page, expected);
    ck_assert_msg(exposition_check(str_from(page), &check), "%s\n%s", check.message, page);
    free(page);
}

#define HELP(name)    "# HELP " name " Help \"with\" \\\\ and\\nline\n"
#define OM_HELP(name) "# HELP " name " Help \\\"with\\\" \\\\ and\\nline\n"

START_TEST(both_formats)
{
    struct fixture f;
    fixture_start(&f, 1);
    struct batch *batch = f.batches[0];
    put(batch, "a_info", METRIC_INFO, NULL, VALUE_OF_U64(1));
    put(batch, "b_seconds_total", METRIC_COUNTER, "seconds", VALUE_OF_F64(0.25));
    put(batch, "c", METRIC_COUNTER, NULL, VALUE_OF_U64(7));
    put(batch, "d_bytes", METRIC_GAUGE, "bytes", VALUE_OF_F64((double)NAN));
    put(batch, "e", METRIC_UNTYPED, NULL, VALUE_OF_F64(-(double)INFINITY));
    struct metric_desc states = {"f", METRIC_STATESET, "", NULL};
    struct label state = LABEL_TEXT("f", "on");
    batch_put(batch, &states, &state, 1, VALUE_OF_BOOL(true));
    put(batch, "g", METRIC_STATESET, NULL,
        VALUE_OF_U64(1)); /* names no state: dropped, and its family with it */
    put(f.batches[1], "d_bytes", METRIC_GAUGE, "bytes", VALUE_OF_F64((double)INFINITY));
    fixture_publish(&f);
    check_page(f.hub, EXPOSITION_TEXT,
               HELP("a_info") "# TYPE a_info gauge\na_info{target=\"a\"} 1\n" HELP(
                   "b_seconds_total") "# TYPE "
                                      "b_seconds_"
                                      "total "
                                      "counter\nb_"
                                      "seconds_"
                                      "total{target="
                                      "\"a\"} "
                                      "0.25\n" HELP("c") "# TYPE c counter\nc{target=\"a\"} 7\n" HELP(
                                          "d_bytes") "# TYPE d_bytes gauge\nd_bytes{target=\"a\"} "
                                                     "NaN\nd_bytes{target=\"b\"} +Inf\n" HELP("e") "# "
                                                                                                   "TYPE"
                                                                                                   " e "
                                                                                                   "unty"
                                                                                                   "ped"
                                                                                                   "\ne{"
                                                                                                   "targ"
                                                                                                   "et="
                                                                                                   "\"a"
                                                                                                   "\"} "
                                                                                                   "-Inf"
                                                                                                   "\n"
                                                                                                   "# "
                                                                                                   "TYPE"
                                                                                                   " f "
                                                                                                   "gaug"
                                                                                                   "e\nf"
                                                                                                   "{f="
                                                                                                   "\"on"
                                                                                                   "\","
                                                                                                   "targ"
                                                                                                   "et="
                                                                                                   "\"a"
                                                                                                   "\"} "
                                                                                                   "1"
                                                                                                   "\n");
    check_page(
        f.hub, EXPOSITION_OPENMETRICS_1_0_0,
        "# TYPE a info\n" OM_HELP(
            "a") "a_info{target=\"a\"} 1\n"
                 "# TYPE b_seconds counter\n# UNIT b_seconds seconds\n" OM_HELP(
                     "b_seconds") "b_seconds_total{target=\"a\"} 0.25\n"
                                  "# TYPE c unknown\n" OM_HELP(
                                      "c") "c{target=\"a\"} 7\n"
                                           "# TYPE d_bytes gauge\n# UNIT d_bytes bytes\n" OM_HELP(
                                               "d_bytes") "d_bytes{target=\"a\"} NaN\nd_bytes{target=\"b\"} "
                                                          "+Inf\n"
                                                          "# TYPE e unknown\n" OM_HELP(
                                                              "e") "e{target=\"a\"} -Inf\n"
                                                                   "# TYPE f "
                                                                   "stateset\nf{f=\"on\",target=\"a\"} 1\n"
                                                                   "# EOF\n");
    fixture_end(&f);
}
END_TEST

START_TEST(histograms_and_summaries)
{
    static const double bounds[] = {0.5, 1};
    static const struct metric_desc own = {"own_seconds", METRIC_HISTOGRAM, "", NULL};
    static const struct metric_desc summary = {"s", METRIC_SUMMARY, "", NULL};
    struct fixture f;
    fixture_start(&f, 0);
    struct histogram histogram;
    histogram_init(&histogram, bounds, 2);
    histogram_observe(&histogram, 0.75);
    histogram_observe(&histogram, 2);
    struct label label = LABEL_TEXT("x", "1");
    batch_add_histogram(f.batches[0], batch_family(f.batches[0], &own), NULL, 0, &histogram);
    batch_add_histogram(f.batches[1], batch_family(f.batches[1], &own), &label, 1, &histogram);
    struct batch_family *family = batch_family(f.batches[2], &summary);
    batch_add_suffixed(f.batches[2], family, SUFFIX_COUNT, NULL, 0, VALUE_OF_U64(5));
    struct label quantile = LABEL_TEXT("quantile", "1");
    batch_add(f.batches[2], family, &quantile, 1, VALUE_OF_F64(2.5));
    fixture_publish(&f);
    const char *lines = "# TYPE own_seconds histogram\n"
                        "own_seconds_bucket{le=\"0.5\"} 0\nown_seconds_bucket{le=\"1.0\"} 1\n"
                        "own_seconds_bucket{le=\"+Inf\"} 2\nown_seconds_sum 2.75\nown_seconds_count 2\n"
                        "own_seconds_bucket{x=\"1\",le=\"0.5\"} 0\nown_seconds_bucket{x=\"1\",le=\"1.0\"} 1\n"
                        "own_seconds_bucket{x=\"1\",le=\"+Inf\"} 2\nown_seconds_sum{x=\"1\"} 2.75\n"
                        "own_seconds_count{x=\"1\"} 2\n"
                        "# TYPE s summary\ns{quantile=\"1.0\"} 2.5\ns_count 5\n";
    check_page(f.hub, EXPOSITION_TEXT, lines);
    char expected[1024];
    (void)snprintf(expected, sizeof expected, "%s# EOF\n", lines);
    check_page(f.hub, EXPOSITION_OPENMETRICS_0_0_1, expected);
    fixture_end(&f);
}
END_TEST

START_TEST(an_empty_page)
{
    struct fixture f;
    fixture_start(&f, 0);
    check_page(f.hub, EXPOSITION_TEXT, "");
    check_page(f.hub, EXPOSITION_OPENMETRICS_1_0_0, "# EOF\n");
    fixture_end(&f);
}
END_TEST

/* All values of a family absent: no line, so no HELP and TYPE either. */
START_TEST(an_empty_family_is_nothing)
{
    struct fixture f;
    fixture_start(&f, 0);
    put(f.batches[0], "a", METRIC_GAUGE, NULL, VALUE_OF_U64(1));
    fixture_publish(&f);
    for (int i = 0; i < 4; i++)
        batch_begin(f.batches[i]);
    put(f.batches[0], "a", METRIC_GAUGE, NULL, (struct value){0});
    fixture_publish(&f);
    check_page(f.hub, EXPOSITION_TEXT, "");
    fixture_end(&f);
}
END_TEST

START_TEST(no_series_twice_over_sources)
{
    struct fixture f;
    fixture_start(&f, 0);
    for (int i = 0; i < 3; i++) {
        struct metric_desc desc = {"a", METRIC_GAUGE, "", NULL};
        struct label same = LABEL_TEXT("x", "1"), own = LABEL_TEXT("y", i == 0 ? "p" : i == 1 ? "q" : "r");
        batch_put(f.batches[i], &desc, &same, 1, VALUE_OF_U64(i));
        batch_put(f.batches[i], &desc, &own, 1, VALUE_OF_U64(i));
    }
    fixture_publish(&f);
    check_page(f.hub, EXPOSITION_TEXT,
               "# TYPE a gauge\na{x=\"1\"} 0\na{y=\"p\"} 0\na{y=\"q\"} 1\na{y=\"r\"} 2\n");
    struct hub_stats stats;
    hub_stats(f.hub, &stats);
    ck_assert_uint_eq(stats.duplicates, 2);
    fixture_end(&f);
}
END_TEST

START_TEST(filters_by_family_name)
{
    struct fixture f;
    fixture_start(&f, 0);
    put(f.batches[0], "a", METRIC_GAUGE, NULL, VALUE_OF_U64(1));
    put(f.batches[1], "b_total", METRIC_COUNTER, NULL, VALUE_OF_U64(1));
    put(f.batches[2], "c", METRIC_GAUGE, NULL, VALUE_OF_U64(1));
    fixture_publish(&f);
    const char *names[] = {"b", "c", "none"};
    struct exposition_options options = {.names = names, .name_count = 3};
    size_t length;
    char *page = render_with(f.hub, &options, 4096, &length, NULL);
    ck_assert_str_eq(page,
                     HELP("b_total") "# TYPE b_total counter\nb_total 1\n" HELP("c") "# TYPE c gauge\nc 1\n");
    free(page);
    fixture_end(&f);
}
END_TEST

static void add_many(struct fixture *f)
{
    static const double bounds[] = {0.5, 1};
    struct histogram histogram;
    histogram_init(&histogram, bounds, 2);
    struct buf longest = BUF_INIT(8192);
    for (int i = 0; i < 1000; i++)
        buf_append_text(&longest, "\\\"\n+");
    for (int b = 0; b < 4; b++) {
        for (int i = 0; i < 700; i++) {
            char text[16];
            (void)snprintf(text, sizeof text, "%d", i);
            struct label labels[] = {LABEL_TEXT("i", text),
                                     LABEL_TEXT("long", i % 97 ? "x" : buf_text(&longest))};
            struct metric_desc desc = {i % 3 ? "one" : "two_total", i % 3 ? METRIC_GAUGE : METRIC_COUNTER,
                                       "Help", NULL};
            batch_put(f->batches[b], &desc, labels, 2, VALUE_OF_F64(i / 7.0));
            struct metric_desc own = {"own", METRIC_HISTOGRAM, "Help", NULL};
            if (i % 50 == 0)
                batch_add_histogram(f->batches[b], batch_family(f->batches[b], &own), labels, 2, &histogram);
        }
    }
    buf_deinit(&longest);
}

START_TEST(pieces_of_any_size_give_one_page)
{
    static const size_t pieces[] = {1, 2, 13, 100, 1000, 4096, 65536, 1 << 20};
    struct fixture f;
    fixture_start(&f, 1);
    add_many(&f);
    fixture_publish(&f);
    for (enum exposition_format format = EXPOSITION_TEXT; format <= EXPOSITION_OPENMETRICS_1_0_0; format++) {
        struct exposition_options options = {.format = format};
        size_t length, other;
        char *page = render_with(f.hub, &options, 1 << 24, &length, NULL);
        struct exposition_check check = {.openmetrics = format != EXPOSITION_TEXT};
        ck_assert_msg(exposition_check((struct str){page, length}, &check), "%s", check.message);
        ck_assert_uint_eq(check.lines, 4 * (700 + 14 * 5));
        for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
            char *again = render_with(f.hub, &options, pieces[i], &other, NULL);
            ck_assert_uint_eq(other, length);
            ck_assert_int_eq(memcmp(page, again, length), 0);
            free(again);
        }
        free(page);
    }
    fixture_end(&f);
}
END_TEST

START_TEST(gzip_gives_the_same_page)
{
    static const size_t pieces[] = {1, 1000, EXPOSITION_CHUNK_BYTES};
    struct fixture f;
    fixture_start(&f, 1);
    add_many(&f);
    fixture_publish(&f);
    char *page = render(f.hub, EXPOSITION_TEXT);
    struct decompressor *decompressor CLEANUP(decompressor_free_cleanup) = decompressor_new();
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct exposition_options options = {.gzip_level = 1};
        struct exposition_stats stats;
        struct error err;
        size_t length;
        char *packed = render_with(f.hub, &options, pieces[i], &length, &stats);
        struct buf plain = BUF_INIT(1UL << 30);
        ck_assert_int_eq(decompress_gzip(decompressor, (struct str){packed, length}, &plain, &err), 0);
        ck_assert_uint_eq(stats.plain_bytes, plain.len);
        ck_assert_uint_lt(length, plain.len);
        ck_assert_str_eq(buf_text(&plain), page);
        buf_deinit(&plain);
        free(packed);
    }
    free(page);
    fixture_end(&f);
}
END_TEST

START_TEST(may_be_given_up_in_the_middle)
{
    struct fixture f;
    fixture_start(&f, 1);
    add_many(&f);
    fixture_publish(&f);
    for (int level = 0; level < 2; level++) {
        struct exposition_options options = {.gzip_level = level};
        struct exposition *page = exposition_new(hub_view_take(f.hub, NULL, NULL), &options);
        char piece[10];
        ck_assert_uint_eq(exposition_pull(page, piece, sizeof piece), sizeof piece);
        exposition_free(page);
    }
    fixture_end(&f);
}
END_TEST

static const char *pick(unsigned *seed, const char *const *list, size_t count)
{
    return list[(size_t)rand_r(seed) % count];
}

static struct value random_value(unsigned *seed)
{
    static const double numbers[] = {0, 1, 0.1, -1, 1e300, 5e-324, 1e21, 0.5};
    switch (rand_r(seed) % 6) {
    case 0:
        return (struct value){0};
    case 1:
        return VALUE_OF_I64(INT64_MIN);
    case 2:
        return VALUE_OF_F64(rand_r(seed) % 2 ? (double)NAN : -(double)INFINITY);
    case 3:
        return VALUE_OF_BOOL(rand_r(seed) % 2);
    default:
        return VALUE_OF_F64(numbers[rand_r(seed) % 8]);
    }
}

/* Names, labels, types, values, order: all hostile. Whatever is published, the page must be right. */
static void add_hostile(struct batch *batch, unsigned *seed)
{
    static const char *const names[] = {"a",      "a_total",  "a_total_total", "a_info",   "a_count",
                                        "a_sum",  "a_bucket", "a_b",           "",         "1a",
                                        "a-b",    "a:b",      "a_created",     "\xff",     "a\nb 1",
                                        "_total", "_info",    "a_count_total", "a_seconds"};
    static const char *const values[] = {
        "",   "x",    "1",        "0.50",         "+Inf", "inf",       "NaN", "\"", "\\",
        "\n", "\r\n", "\xff\xfe", "\xed\xa0\x80", "ü",    "a\",b=\"c", "\\n", "}",  " 1\nx 2"};
    static const char *const labels[] = {
        "le", "quantile", "a", "target", "exported_target", "__name__", "a-b", "", "1", "b", "a_b", "ü"};
    static const char *const helps[] = {"", "h", "\"q\" \\ \n x", "\xff", "cr\r\n", "# EOF\n"};
    static const char *const units[] = {"", "seconds", "b", "total", "\n"};
    struct label set[5];
    size_t count = (size_t)rand_r(seed) % 5;
    for (size_t i = 0; i < count; i++)
        set[i] = (struct label){str_from(pick(seed, labels, ARRAY_LEN(labels))),
                                str_from(pick(seed, values, ARRAY_LEN(values)))};
    struct metric_desc desc = {pick(seed, names, ARRAY_LEN(names)), (enum metric_type)(rand_r(seed) % 7),
                               pick(seed, helps, ARRAY_LEN(helps)), pick(seed, units, ARRAY_LEN(units))};
    struct batch_family *family = batch_family(batch, &desc);
    static const double bounds[] = {-1, 0.5, 1e9};
    struct histogram histogram;
    switch (rand_r(seed) % 4) {
    case 0:
        histogram_init(&histogram, bounds, (size_t)rand_r(seed) % 4);
        histogram_observe(&histogram, rand_r(seed) % 2 ? (double)INFINITY : 0.25);
        batch_add_histogram(batch, family, set, count, &histogram);
        break;
    case 1:
        batch_add(batch, family, set, count, random_value(seed));
        break;
    default:
        batch_add_suffixed(batch, family, (enum series_suffix)(rand_r(seed) % 7), set, count,
                           random_value(seed));
    }
}

START_TEST(whatever_is_published_the_page_is_right)
{
    size_t lines = 0;
    for (unsigned round = 1; round < 400; round++) {
        unsigned seed = round;
        struct fixture f;
        fixture_start(&f, round % 2);
        for (int scrape = 0; scrape < 3; scrape++) {
            for (int b = 0; b < 4; b++) {
                batch_begin(f.batches[b]);
                unsigned adds = (unsigned)rand_r(&seed) % 60;
                for (unsigned i = 0; i < adds; i++)
                    add_hostile(f.batches[b], &seed);
            }
            fixture_publish(&f);
            for (enum exposition_format format = EXPOSITION_TEXT; format <= EXPOSITION_OPENMETRICS_1_0_0;
                 format++) {
                size_t length;
                struct exposition_options options = {.format = format};
                char *page = render_with(f.hub, &options, 512, &length, NULL);
                struct exposition_check check = {.openmetrics = format != EXPOSITION_TEXT};
                ck_assert_msg(exposition_check((struct str){page, length}, &check), "round %u: %s\n%s", round,
                              check.message, page);
                lines += check.lines;
                free(page);
            }
        }
        fixture_end(&f);
    }
    ck_assert_uint_gt(lines, 10000); /* the hostile input is not simply dropped */
}
END_TEST

#define PROMTOOL "/usr/bin/promtool"

/* Exit status of promtool check metrics, which reads text 0.0.4 with expfmt, the strictest reader in the
 * field: 0 content, 3 names that its lint does not like, 1 not to be parsed. */
static int run_promtool(const char *page)
{
    char *folder = test_folder_new(), *path = test_path(folder, "page");
    test_file_write(path, str_from(page));
    pid_t child = fork();
    if (child == 0) {
        int in = open(path, O_RDONLY | O_CLOEXEC), out = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 2) < 0)
            _exit(127);
        (void)execl(PROMTOOL, "promtool", "check", "metrics", (char *)NULL);
        _exit(127);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    free(path);
    test_folder_remove(folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool has_promtool(void)
{
    if (access(PROMTOOL, X_OK) == 0)
        return true;
    (void)printf("promtool is not installed: skipped\n");
    return false;
}

START_TEST(promtool_reads_hostile_pages)
{
    for (unsigned seed = 1; has_promtool() && seed < 9; seed++) {
        unsigned state = seed * 7919;
        struct fixture f;
        fixture_start(&f, seed % 2);
        for (int i = 0; i < 1200; i++)
            add_hostile(f.batches[i % 4], &state);
        fixture_publish(&f);
        char *page = render(f.hub, EXPOSITION_TEXT);
        int status = run_promtool(page);
        ck_assert_msg(status == 0 || status == 3, "promtool: %d\n%s", status, page);
        free(page);
        fixture_end(&f);
    }
}
END_TEST

START_TEST(promtool_is_content)
{
    if (!has_promtool())
        return;
    static const double bounds[] = {0.5, 1};
    struct fixture f;
    fixture_start(&f, 1);
    struct histogram histogram;
    histogram_init(&histogram, bounds, 2);
    for (int b = 0; b < 4; b++) {
        put(f.batches[b], "fraiseql_lag_seconds", METRIC_GAUGE, "seconds", VALUE_OF_F64(0.1));
        put(f.batches[b], "fraiseql_calls_total", METRIC_COUNTER, NULL, VALUE_OF_U64(1));
        put(f.batches[b], "fraiseql_build_info", METRIC_INFO, NULL, VALUE_OF_U64(1));
        struct metric_desc own = {"fraiseql_wait_seconds", METRIC_HISTOGRAM, "Help", NULL};
        batch_add_histogram(f.batches[b], batch_family(f.batches[b], &own), NULL, 0, &histogram);
        struct metric_desc summary = {"fraiseql_query_seconds", METRIC_SUMMARY, "Help", NULL};
        struct label quantile = LABEL_TEXT("quantile", ".5");
        batch_add(f.batches[b], batch_family(f.batches[b], &summary), &quantile, 1, VALUE_OF_F64(1));
        batch_add_suffixed(f.batches[b], batch_family(f.batches[b], &summary), SUFFIX_SUM, NULL, 0,
                           VALUE_OF_F64(1));
        batch_add_suffixed(f.batches[b], batch_family(f.batches[b], &summary), SUFFIX_COUNT, NULL, 0,
                           VALUE_OF_U64(1));
    }
    fixture_publish(&f);
    char *page = render(f.hub, EXPOSITION_TEXT);
    int status = run_promtool(page);
    ck_assert_msg(status == 0, "promtool: %d\n%s", status, page);
    free(page);
    fixture_end(&f);
}
END_TEST

static Suite *exposition_suite(void)
{
    Suite *suite = suite_create("exposition");
    TCase *tests = tcase_create("exposition");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, both_formats);
    tcase_add_test(tests, histograms_and_summaries);
    tcase_add_test(tests, an_empty_page);
    tcase_add_test(tests, an_empty_family_is_nothing);
    tcase_add_test(tests, no_series_twice_over_sources);
    tcase_add_test(tests, filters_by_family_name);
    tcase_add_test(tests, pieces_of_any_size_give_one_page);
    tcase_add_test(tests, gzip_gives_the_same_page);
    tcase_add_test(tests, may_be_given_up_in_the_middle);
    tcase_add_test(tests, whatever_is_published_the_page_is_right);
    tcase_add_test(tests, promtool_is_content);
    tcase_add_test(tests, promtool_reads_hostile_pages);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(exposition_suite)
