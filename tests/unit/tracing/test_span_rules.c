#include "tracing/span_rules.h"

#include "tests/support/support.h"
#include "tracing/otlp_decode.h"

static const int64_t bounds[] = {2 * NS_PER_MS, 10 * NS_PER_MS, 100 * NS_PER_MS};

static struct span_rules *rules_of(const struct sli_span_selector *selectors, size_t count)
{
    struct span_rules *rules;
    struct error err = {0};
    ck_assert_msg(span_rules_new(bounds, ARRAY_LEN(bounds), selectors, count, &rules, &err) == 0, "%s",
                  err.message);
    return rules;
}

START_TEST(buckets_include_their_upper_bound)
{
    struct span_rules *rules = rules_of(NULL, 0);
    ck_assert_uint_eq(rules->bucket_count, 4);
    static const uint64_t durations[] = {0,        1,        2000000,   2000001,   3999999,    10000000,
                                         10000001, 99999999, 100000000, 100000001, UINT64_MAX, 1UL << 62};
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        size_t expected = 0;
        while (expected < ARRAY_LEN(bounds) && durations[i] > (uint64_t)bounds[expected])
            expected++;
        ck_assert_uint_eq(span_rules_bucket(rules, durations[i]), expected);
        ck_assert_uint_eq(rules->exposed_of[span_rules_bucket(rules, durations[i])], expected);
    }
    span_rules_free(rules);
}
END_TEST

/* Thresholds split buckets inside and not outside; one equal to a bound stays strict. */
START_TEST(thresholds_are_exact_and_strict)
{
    const struct sli_span_selector selectors[] = {{.slo = "a", .faster_than_ns = 50 * NS_PER_MS},
                                                  {.slo = "b", .faster_than_ns = 100 * NS_PER_MS},
                                                  {.slo = "c", .faster_than_ns = 1},
                                                  {.slo = "d", .faster_than_ns = 30 * NS_PER_S},
                                                  {.slo = "e", .faster_than_ns = 50 * NS_PER_MS},
                                                  {.slo = "f"}};
    struct span_rules *rules = rules_of(selectors, ARRAY_LEN(selectors));
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
        const struct span_rule *rule = &rules->rules[i];
        uint64_t threshold = (uint64_t)selectors[i].faster_than_ns;
        ck_assert(rule->timed == (threshold > 0));
        if (!rule->timed)
            continue;
        ck_assert_uint_lt(span_rules_bucket(rules, threshold - 1), rule->fast_buckets);
        ck_assert_uint_ge(span_rules_bucket(rules, threshold), rule->fast_buckets);
    }
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        ck_assert_uint_eq(rules->exposed_of[span_rules_bucket(rules, (uint64_t)bounds[i])], i);
        ck_assert_uint_eq(rules->exposed_of[span_rules_bucket(rules, (uint64_t)bounds[i] + 1)], i + 1);
    }
    span_rules_free(rules);
}
END_TEST

START_TEST(selects_by_service_name_kind_and_entry)
{
    const struct sli_span_selector selectors[] = {{.slo = "any"},
                                                  {.slo = "service", .service = "shop"},
                                                  {.slo = "name", .name = "GET /"},
                                                  {.slo = "kind", .kind = "SERVER"},
                                                  {.slo = "kind", .kind = "SPAN_KIND_SERVER"},
                                                  {.slo = "entry", .entry = true}};
    struct span_rules *rules = rules_of(selectors, ARRAY_LEN(selectors));
    static const bool shop[] = {true, true, false, false, false, false};
    static const bool server[] = {true, false, true, true, true, true};
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
        ck_assert(span_rule_matches(&rules->rules[i], STR("shop"), STR("x"), OTLP_KIND_CLIENT, false) ==
                  shop[i]);
        ck_assert(span_rule_matches(&rules->rules[i], STR("y"), STR("GET /"), OTLP_KIND_SERVER, true) ==
                  server[i]);
    }
    ck_assert(span_rules_name_service(rules, STR("shop")));
    ck_assert(!span_rules_name_service(rules, STR("sho")));
    ck_assert(span_rules_name_span(rules, STR("GET /")));
    ck_assert(!span_rules_name_span(rules, STR("")));
    span_rules_free(rules);
}
END_TEST

START_TEST(refuses_unknown_kinds_and_too_many_thresholds)
{
    struct sli_span_selector selectors[SPAN_MAX_THRESHOLDS + 1];
    struct span_rules *rules;
    struct error err = {0};
    selectors[0] = (struct sli_span_selector){.slo = "odd", .kind = "server"};
    ck_assert_int_eq(span_rules_new(bounds, ARRAY_LEN(bounds), selectors, 1, &rules, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "slo odd");
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++)
        selectors[i] = (struct sli_span_selector){.slo = "s", .faster_than_ns = (int64_t)i + 1};
    ck_assert_int_eq(span_rules_new(bounds, ARRAY_LEN(bounds), selectors, ARRAY_LEN(selectors), &rules, &err),
                     ERR_CONFIG);
    ck_assert_int_eq(
        span_rules_new(bounds, ARRAY_LEN(bounds), selectors, ARRAY_LEN(selectors) - 1, &rules, &err), 0);
    span_rules_free(rules);
    span_rules_free(NULL);
}
END_TEST

START_TEST(names_kinds_and_statuses)
{
    ck_assert_str_eq(span_kind_text(OTLP_KIND_CONSUMER), "SPAN_KIND_CONSUMER");
    ck_assert_str_eq(span_status_text(OTLP_STATUS_ERROR), "STATUS_CODE_ERROR");
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("span_rules");
    TCase *tests = tcase_create("span_rules");
    tcase_add_test(tests, buckets_include_their_upper_bound);
    tcase_add_test(tests, thresholds_are_exact_and_strict);
    tcase_add_test(tests, selects_by_service_name_kind_and_entry);
    tcase_add_test(tests, refuses_unknown_kinds_and_too_many_thresholds);
    tcase_add_test(tests, names_kinds_and_statuses);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
