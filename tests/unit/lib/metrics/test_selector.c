#include "lib/metrics/selector.h"

#include "lib/metrics/batch.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct selector *parse(const char *text)
{
    struct selector *selector = NULL;
    struct error err;
    ck_assert_msg(selector_parse(text, &selector, &err) == 0, "%s: %s", text, err.message);
    ck_assert_str_eq(selector_text(selector), text);
    return selector;
}

START_TEST(matches)
{
    static const struct {
        const char *selector, *name, *labels;
        bool match;
    } cases[] = {
        {"up", "up", "", true},
        {"up", "upper", "", false},
        {"a{x=\"1\"}", "a", "x=\"1\"", true},
        {"a{x=\"1\"}", "a", "x=\"2\"", false},
        {"a{x=\"1\"}", "a", "", false},
        {"a{x=\"\"}", "a", "", true},
        {"a{x=\"\"}", "a", "x=\"1\"", false},
        {"a{x!=\"1\"}", "a", "", true},
        {"a{x!=\"1\"}", "a", "x=\"1\"", false},
        {"a{x=~\"b|c\"}", "a", "x=\"c\"", true},
        {"a{x=~\"b|c\"}", "a", "x=\"cc\"", false}, /* anchored */
        {"a{x=~\"b|c\"}", "a", "x=\"bc\"", false},
        {"a{x!~\"b.*\"}", "a", "x=\"bc\"", false},
        {"a{x!~\"b.*\"}", "a", "", true},
        {"a{x=~\".*\"}", "a", "", true},
        {"a{x=~\".+\"}", "a", "", false},
        {"a{x=~\".\"}", "a", "x=\"ü\"", true}, /* a character, not a byte */
        {"a{x=~\"b.c\"}", "a", "x=\"b\\nc\"", true},
        {"a{x=\"q\\\"\\\\\\n\"}", "a", "x=\"q\\\"\\\\\\n\"", true},
        {"a{x=~\"q\\\"\"}", "a", "x=\"q\\\"\"", true},
        {"{__name__=~\"fraiseql_db_.*\"}", "fraiseql_db_query_total", "", true},
        {"{__name__=~\"fraiseql_db_.*\"}", "fraiseql_up", "", false},
        {"{__name__=~\"a.*\",__name__!=\"ab\"}", "ab", "", false},
        {"{x='1'}", "anything", "x=\"1\"", true},
        {"{x=`\\d`}", "a", "x=\"\\\\d\"", true},
        {"{x=~`\\d`}", "a", "x=\"7\"", true},
        {" a { x = \"1\" , y != \"2\" , } ", "a", "x=\"1\",y=\"3\"", true},
        {"a:b{}", "a:b", "", true},
        {"a{x=\"\u00fc\x41\"}", "a", "x=\"üA\"", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selector *selector = parse(cases[i].selector);
        bool match = selector_matches(selector, str_from(cases[i].name), str_from(cases[i].labels));
        ck_assert_msg(match == cases[i].match, "%s on %s{%s}", cases[i].selector, cases[i].name,
                      cases[i].labels);
        selector_free(selector);
    }
}
END_TEST

START_TEST(refuses_with_the_place)
{
    static const struct {
        const char *text, *message;
    } cases[] = {{"", "expected a metric name or {"},
                 {"1a", "the metric name is not valid"},
                 {"{}", "must refuse the empty string"},
                 {"{x=\"\"}", "must refuse the empty string"},
                 {"{x=~\".*\"}", "must refuse the empty string"},
                 {"{x!=\"a\"}", "must refuse the empty string"},
                 {"a{", "expected a label name or }"},
                 {"a{x}", "expected =, !=, =~ or !~"},
                 {"a{x=}", "expected a quoted value"},
                 {"a{x=\"1}", "quote is not closed"},
                 {"a{x=\"\\q\"}", "unknown escape"},
                 {"a{x=\"\\xff\"}", "not UTF-8"},
                 {"a{x=\"\\u0000\"}", "not UTF-8"},
                 {"a{x=\"\\ud800\"}", "unknown escape"},
                 {"a{x=\"1\"", "expected , or }"},
                 {"a{x=\"1\"} y", "expected the end"},
                 {"a[5m]", "expected the end at character 2"},
                 {"a{x=~\"(\"}", "regular expression"},
                 {"a{x=~\"\\\\C\"}", "regular expression"},
                 {"a{__name__=\"b\"}", "the metric name is given twice"},
                 {"a{x:y=\"b\"}", "expected a label name"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selector *selector = NULL;
        struct error err;
        ck_assert_msg(selector_parse(cases[i].text, &selector, &err) == ERR_PARSE, "%s", cases[i].text);
        ck_assert_ptr_null(selector);
        ck_assert_contains(err.message, cases[i].message);
    }
}
END_TEST

START_TEST(a_hostile_pattern_costs_little)
{
    struct selector *selector = parse("a{x=~\"(a|aa)+b\"}"), *negated = parse("a{x!~\"(a|aa)+b\"}");
    struct str text = STR("x=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacb\"");
    ck_assert(!selector_matches(selector, STR("a"), text));
    ck_assert(!selector_matches(negated, STR("a"), text)); /* gave up: matches nothing either way */
    selector_free(selector);
    selector_free(negated);
}
END_TEST

static struct snapshot *shapes(void)
{
    static const double bounds[] = {1, 2};
    static const struct metric_desc gauge = {"g", METRIC_GAUGE, "", NULL},
                                    own = {"h", METRIC_HISTOGRAM, "", NULL},
                                    foreign = {"f", METRIC_SUMMARY, "", NULL};
    struct batch *batch = batch_new(NULL);
    struct histogram histogram;
    histogram_init(&histogram, bounds, 2);
    histogram_observe(&histogram, 5);
    batch_begin(batch);
    for (int i = 0; i < 3; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%d", i);
        struct label label = LABEL_TEXT("x", text);
        batch_put(batch, &gauge, &label, 1, VALUE_OF_U64(i));
        batch_add_histogram(batch, batch_family(batch, &own), &label, 1, &histogram);
        batch_add_suffixed(batch, batch_family(batch, &foreign), SUFFIX_SUM, &label, 1, VALUE_OF_U64(10 + i));
        batch_add_suffixed(batch, batch_family(batch, &foreign), SUFFIX_COUNT, &label, 1,
                           VALUE_OF_U64(20 + i));
    }
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    batch_free(batch);
    return snapshot;
}

START_TEST(resolves_slots)
{
    static const struct {
        const char *selector;
        size_t count;
        double first;
    } cases[] = {{"g", 3, 0},       {"g{x=\"1\"}", 1, 1},
                 {"h_count", 3, 1}, {"h_sum{x!=\"0\"}", 2, 5},
                 {"h", 0, 0},       {"h_bucket", 0, 0},
                 {"f_sum", 3, 10},  {"f_count{x=\"2\"}", 1, 22},
                 {"f", 0, 0},       {"{x=\"1\"}", 5, 11},
                 {"none", 0, 0},    {"{__name__=~\"._count\"}", 6, 20},
                 {"g_count", 0, 0}, {"{__name__=~\"g|h_sum\"}", 6, 0}};
    struct snapshot *snapshot = shapes();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selector *selector = parse(cases[i].selector);
        size_t count;
        struct selector_match *found = selector_resolve(selector, snapshot->shape, &count);
        ck_assert_msg(count == cases[i].count, "%s: %zu", cases[i].selector, count);
        ck_assert((found == NULL) == (count == 0));
        for (size_t k = 0; k < count; k++) {
            const struct shape_family *family = &snapshot->shape->families[found[k].family];
            ck_assert_uint_ge(found[k].series, family->first_series);
            ck_assert_uint_lt(found[k].series, family->first_series + family->series_count);
            ck_assert(selector_may_match_family(selector, family));
        }
        if (count)
            ck_assert_double_eq(value_to_double(snapshot_value(snapshot, found[0].slot)), cases[i].first);
        free(found);
        selector_free(selector);
    }
    (void)snapshot_unref(snapshot);
}
END_TEST

static Suite *selector_suite(void)
{
    Suite *suite = suite_create("selector");
    TCase *tests = tcase_create("selector");
    tcase_add_test(tests, matches);
    tcase_add_test(tests, refuses_with_the_place);
    tcase_add_test(tests, a_hostile_pattern_costs_little);
    tcase_add_test(tests, resolves_slots);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(selector_suite)
