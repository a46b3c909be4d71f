#include "lib/metrics/hub_internal.h"

#include "lib/metrics/batch.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define SOURCES 200

/* A plan of many sources agrees with what a slow look at all of them says. */
START_TEST(merges_by_name_in_the_order_of_sources)
{
    struct plan_source sources[SOURCES];
    struct snapshot *snapshots[SOURCES];
    unsigned seed = 5;
    uint32_t expected_parts = 0;
    for (uint32_t i = 0; i < SOURCES; i++) {
        char target[16];
        (void)snprintf(target, sizeof target, "t%u", i);
        struct label label = LABEL_TEXT("target", target);
        struct batch_options options = {.common = &label, .common_count = 1};
        struct batch *batch = batch_new(&options);
        batch_begin(batch);
        for (int f = 0; f < 40; f++) {
            char name[16];
            (void)snprintf(name, sizeof name, "m%d", f);
            struct metric_desc desc = {name, METRIC_GAUGE, "", NULL};
            if (rand_r(&seed) % 2) {
                batch_put(batch, &desc, NULL, 0, VALUE_OF_U64(1));
                expected_parts++;
            }
        }
        snapshots[i] = batch_finish(batch, 0, 0);
        sources[i] =
            (struct plan_source){.shape = snapshots[i]->shape, .id = i, .scraper = "s", .target = "t"};
        batch_free(batch);
    }
    struct hub_plan *plan = hub_plan_new(sources, SOURCES, NULL);
    ck_assert_uint_eq(plan->part_count, expected_parts);
    ck_assert_uint_eq(plan->duplicate_count, 0);
    for (uint32_t f = 0; f < plan->family_count; f++) {
        const struct hub_family *family = &plan->families[f];
        ck_assert(f == 0 || str_compare(plan->families[f - 1].name, family->name) < 0);
        for (uint32_t p = family->first_part; p < family->first_part + family->part_count; p++) {
            ck_assert(str_equal(plan->parts[p].family->name, family->name));
            ck_assert(p == family->first_part || plan->parts[p - 1].source < plan->parts[p].source);
        }
    }
    for (uint32_t i = 0; i < SOURCES; i++)
        (void)snapshot_unref(snapshots[i]);
    plan = hub_plan_unref(plan);
    ck_assert_ptr_null(plan);
}
END_TEST

static struct snapshot *series(const char *common, bool histogram, const char *const *texts, size_t count)
{
    struct label label = LABEL_TEXT("target", common);
    struct batch_options options = {.common = &label, .common_count = common[0] ? 1 : 0};
    struct batch *batch = batch_new(&options);
    struct metric_desc desc = {"m", histogram ? METRIC_HISTOGRAM : METRIC_GAUGE, "", NULL};
    batch_begin(batch);
    struct batch_family *family = batch_family(batch, &desc);
    for (size_t i = 0; i < count; i++) {
        struct label labels[] = {LABEL_TEXT("x", texts[i]), LABEL_TEXT("le", "1")};
        batch_add_suffixed(batch, family, histogram ? SUFFIX_BUCKET : SUFFIX_NONE, labels, histogram ? 2 : 1,
                           VALUE_OF_U64(1));
        if (histogram) {
            struct label rest = LABEL_TEXT("x", texts[i]);
            batch_add_suffixed(batch, family, SUFFIX_COUNT, &rest, 1, VALUE_OF_U64(1));
        }
    }
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    batch_free(batch);
    return snapshot;
}

START_TEST(lists_what_an_earlier_source_has)
{
    static const char *const one[] = {"1", "2"}, *const two[] = {"0", "2", "3"};
    for (int histogram = 0; histogram < 2; histogram++) {
        struct snapshot *a = series("", histogram, one, 2), *b = series("", histogram, two, 3);
        struct plan_source sources[] = {{a->shape, 1, "s", "a"}, {b->shape, 2, "s", "b"}};
        struct hub_plan *plan = hub_plan_new(sources, 2, NULL);
        uint32_t lines = histogram ? 2 : 1; /* a bucket and a count line each */
        ck_assert_uint_eq(plan->parts[0].skip_count, 0);
        ck_assert_uint_eq(plan->parts[1].skip_count, lines);
        ck_assert_uint_eq(plan->parts[1].skip[0], lines);
        ck_assert_uint_eq(plan->duplicate_count, lines);
        (void)hub_plan_unref(plan);
        (void)snapshot_unref(a);
        (void)snapshot_unref(b);
    }
}
END_TEST

/* Common labels prove two sources apart only when both have the same ones. */
START_TEST(half_a_proof_is_none)
{
    static const char *const texts[] = {"1"};
    struct snapshot *a = series("a", false, texts, 1), *b = series("a", false, texts, 1),
                    *c = series("b", false, texts, 1), *d = series("", false, texts, 1);
    struct snapshot *pairs[][2] = {{a, b}, {a, c}, {a, d}};
    static const uint64_t duplicates[] = {1, 0, 0};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct plan_source sources[] = {{pairs[i][0]->shape, 1, "s", "a"}, {pairs[i][1]->shape, 2, "s", "b"}};
        struct hub_plan *plan = hub_plan_new(sources, 2, NULL);
        ck_assert_uint_eq(plan->duplicate_count, duplicates[i]);
        (void)hub_plan_unref(plan);
    }
    (void)snapshot_unref(a);
    (void)snapshot_unref(b);
    (void)snapshot_unref(c);
    (void)snapshot_unref(d);
}
END_TEST

static Suite *hub_plan_suite(void)
{
    Suite *suite = suite_create("hub_plan");
    TCase *tests = tcase_create("hub_plan");
    tcase_add_test(tests, merges_by_name_in_the_order_of_sources);
    tcase_add_test(tests, lists_what_an_earlier_source_has);
    tcase_add_test(tests, half_a_proof_is_none);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(hub_plan_suite)
