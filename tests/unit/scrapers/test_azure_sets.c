#include "scrapers/azure/azure_internal.h"
#include "tests/support/support.h"

#define ID "00000000-0000-0000-0000-000000000000"

static struct arena *arena;
static struct azure_config config;
static struct azure_sets sets;

/* The code; what is said is compared with `reason` when there is one. */
static int choose(const char *profiles, const char *metrics, const char *reason)
{
    struct diag diag;
    struct node *root = NULL;
    const char *yaml = arena_printf(arena, "{ name: a, subscription: " ID ", profiles: [%s], metrics: [%s] }",
                                    profiles, metrics);
    diag_init(&diag);
    config = (struct azure_config){0};
    ck_assert_int_eq(yaml_parse(arena, "test.yaml", str_from(yaml), &root, &diag), 0);
    int code = option_parse(&azure_section, root, arena, &config, &diag);
    if (reason) {
        ck_assert_uint_gt(diag.count, 0);
        ck_assert_contains(diag.items[0].error.message, reason);
    }
    diag_deinit(&diag);
    if (code == 0)
        sets = azure_sets_choose(&config, arena);
    return code;
}

static void begin(void)
{
    arena = arena_new(0);
}

static void end(void)
{
    arena_free(arena);
}

START_TEST(metrics_of_one_question_are_asked_together)
{
    ck_assert_int_eq(choose("",
                            "{ type: A.B/c, name: x, aggregations: [Average, maximum] },"
                            "{ type: A.B/d, name: x, aggregations: [total] },"
                            "{ type: a.b/C, name: y, aggregations: [count] },"
                            "{ type: A.B/c, name: z, aggregations: [total], period: 1h },"
                            "{ type: A.B/c, name: z, aggregations: [total], dimensions: { D: '*' } }",
                            NULL),
                     0);
    ck_assert_uint_eq(sets.count, 4);
    const struct azure_set *first = sets.items[0];
    ck_assert_uint_eq(first->row_count, 3);
    ck_assert_int_eq(first->rows[0].aggregation, AZ_AVERAGE);
    ck_assert_int_eq(first->rows[1].aggregation, AZ_MAXIMUM);
    ck_assert_str_eq(first->rows[2].name, "y");
    ck_assert_ptr_null(first->rows[2].unit);
    ck_assert_int_eq(sets.items[1]->period_s, 3600);
    ck_assert_str_eq(sets.items[2]->dimensions[0].name, "D");
    ck_assert_str_eq(sets.items[3]->type, "A.B/d"); /* those of one type are together */
}
END_TEST

START_TEST(one_request_has_at_most_twenty_names)
{
    struct buf list = BUF_INIT(65536);
    for (unsigned i = 0; i < 45; i++)
        buf_printf(&list, "%s{ type: A.B/c, name: m%u, aggregations: [average] }", i ? "," : "", i);
    ck_assert_int_eq(choose("", buf_text(&list), NULL), 0);
    buf_deinit(&list);
    size_t rows = 0;
    for (size_t i = 0; i < sets.count; i++) {
        ck_assert_uint_le(sets.items[i]->row_count, AZURE_NAMES_MAX);
        rows += sets.items[i]->row_count;
    }
    ck_assert_uint_eq(rows, 45);
    ck_assert_uint_eq(sets.count, 3);
}
END_TEST

START_TEST(what_a_profile_asks_for_is_not_asked_twice)
{
    ck_assert_int_eq(choose("vm",
                            "{ type: Microsoft.Compute/virtualMachines, name: Percentage CPU,"
                            " aggregations: [average, maximum] }",
                            NULL),
                     0);
    ck_assert_uint_eq(sets.count, 2);
    ck_assert_str_eq(sets.items[0]->profile, "vm");
    ck_assert_uint_eq(sets.items[1]->row_count, 1);
    ck_assert_int_eq(sets.items[1]->rows[0].aggregation, AZ_MAXIMUM);
}
END_TEST

START_TEST(metrics_that_make_no_sense_are_refused)
{
    static const struct {
        const char *metrics, *reason;
    } cases[] = {
        {"", "neither profiles nor metrics"},
        {"{ type: nothing, name: x, aggregations: [total] }", "no type of resources"},
        {"{ type: A/b/, name: x, aggregations: [total] }", "no type of resources"},
        {"{ type: A/b, name: 'x,y', aggregations: [total] }", "no name of a metric"},
        {"{ type: A/b, name: x, aggregations: [sum] }", "none of average, minimum"},
        {"{ type: A/b, name: x, aggregations: [] }", "aggregations"},
        {"{ type: A/b, name: x, aggregations: [total], period: 2m }", "no time grain"},
        {"{ type: A/b, name: x, aggregations: [total], dimensions: { \"a'b\": x } }",
         "no name of a dimension"},
        {"{ type: A/b, name: x, aggregations: [total], dimensions: { a: '' } }", "has no value"},
        {"{ type: A/b, name: x, aggregations: [total], dimensions: { a: x, b: x, c: x, d: x, e: x, f: x } }",
         "more than 5 dimensions"},
        {"{ type: A/b, name: x, aggregations: [total] }, { type: A/B, name: X, aggregations: [count] }",
         "metrics[0] and metrics[1] ask for the same series of X"},
        {"{ type: A/b, name: x, aggregations: [total], dimensions: { a: '*' } },"
         "{ type: A/b, name: x, aggregations: [total], dimensions: { b: '*' } }",
         "ask for the same series"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ck_assert_int_ne(choose("", cases[i].metrics, cases[i].reason), 0);
    ck_assert_int_eq(choose("",
                            "{ type: A/b, name: x, aggregations: [total] },"
                            "{ type: A/b, name: x, aggregations: [total], dimensions: { b: '*' } },"
                            "{ type: A/b, name: x, aggregations: [total], dimensions: { b: '*', c: '*' } },"
                            "{ type: A/b, namespace: A/b/c, name: x, aggregations: [total] }",
                            NULL),
                     0);
    ck_assert_uint_eq(sets.count, 4);
}
END_TEST

START_TEST(words_of_azure)
{
    ck_assert_str_eq(azure_grain(60), "PT1M");
    ck_assert_str_eq(azure_grain(86400), "P1D");
    ck_assert_ptr_null(azure_grain(120));
    ck_assert_int_eq(azure_aggregation_find("Count"), AZ_COUNT);
    ck_assert_int_eq(azure_aggregation_find("sum"), -1);
}
END_TEST

static Suite *azure_sets_suite(void)
{
    Suite *suite = suite_create("azure_sets");
    TCase *tcase = tcase_create("azure_sets");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, metrics_of_one_question_are_asked_together);
    tcase_add_test(tcase, one_request_has_at_most_twenty_names);
    tcase_add_test(tcase, what_a_profile_asks_for_is_not_asked_twice);
    tcase_add_test(tcase, metrics_that_make_no_sense_are_refused);
    tcase_add_test(tcase, words_of_azure);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_sets_suite)
