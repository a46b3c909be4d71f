#include "examples/service/graphql.h"
#include "lib/core/json.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_new(0);
}

static void teardown(void)
{
    arena_free(arena);
}

static int parse(const char *text, const char *variables, struct graphql_operation *ret, struct error *err)
{
    struct node *given = NULL;
    if (variables)
        ck_assert_int_eq(json_parse(arena, str_from(variables), &given, err), 0);
    return graphql_parse(arena, str_from(text), given, ret, err);
}

#define ck_assert_str_is(s, text) ck_assert_msg(str_equal_text((s), (text)), "\"%.*s\"", STR_ARGS(s))

START_TEST(short_form_aliases_and_arguments)
{
    struct graphql_operation operation = {0};
    struct error err = {0};
    ck_assert_int_eq(
        parse("{ # a comment\n  all: orders(limit: 3, x: null) { id }\n  b }", NULL, &operation, &err), 0);
    ck_assert(!operation.mutation);
    const struct graphql_field *field = operation.fields;
    ck_assert_str_is(field->key, "all");
    ck_assert_str_is(field->name, "orders");
    ck_assert_uint_eq(field->line, 2);
    ck_assert_uint_eq(field->column, 3);
    ck_assert_int_eq(graphql_argument(field, "limit")->kind, GRAPHQL_INT);
    ck_assert_int_eq(graphql_argument(field, "limit")->integer, 3);
    ck_assert_int_eq(graphql_argument(field, "x")->kind, GRAPHQL_NULL);
    ck_assert_ptr_null(graphql_argument(field, "y"));
    ck_assert_str_is(field->fields->name, "id");
    ck_assert_str_is(field->next->key, "b");
    ck_assert_ptr_null(field->next->next);
}
END_TEST

START_TEST(variables_take_their_values)
{
    struct graphql_operation operation = {0};
    struct error err = {0};
    ck_assert_int_eq(parse("mutation M($w: String!, $n: Int = 7, $i: ID, $b: Boolean) "
                           "{ f(w: $w, n: $n, i: $i, b: $b) { id } }",
                           "{\"w\": \"12\", \"i\": 5, \"b\": true}", &operation, &err),
                     0);
    ck_assert(operation.mutation);
    ck_assert_str_is(operation.name, "M");
    const struct graphql_field *field = operation.fields;
    ck_assert_int_eq(graphql_argument(field, "w")->kind, GRAPHQL_STRING);
    ck_assert_str_is(graphql_argument(field, "w")->string, "12");
    ck_assert_int_eq(graphql_argument(field, "n")->integer, 7);
    ck_assert_int_eq(graphql_argument(field, "i")->integer, 5);
    ck_assert(graphql_argument(field, "b")->boolean);
}
END_TEST

START_TEST(strings_are_unescaped)
{
    struct graphql_operation operation = {0};
    struct error err = {0};
    ck_assert_int_eq(parse("{ f(a: \"q\\\"\\\\\\n\\u00fc\\u20ac\") }", NULL, &operation, &err), 0);
    ck_assert_str_is(graphql_argument(operation.fields, "a")->string, "q\"\\\n\xc3\xbc\xe2\x82\xac");
}
END_TEST

static const struct {
    const char *text, *variables, *part;
} refused[] = {
    {"", NULL, "empty"},
    {"{", NULL, "want a name"},
    {"{}", NULL, "at least one field"},
    {"{ ...f }", NULL, "fragments"},
    {"fragment f on X { a }", NULL, "fragments"},
    {"subscription { a }", NULL, "subscriptions"},
    {"{ a @skip(if: true) }", NULL, "directives"},
    {"{ a } { b }", NULL, "several operations"},
    {"{ f(a: 1.5) }", NULL, "floats"},
    {"{ f(a: [1]) }", NULL, "lists and objects"},
    {"{ f(a: {b: 1}) }", NULL, "lists and objects"},
    {"{ f(a: RED) }", NULL, "enums"},
    {"{ f(a: \"\"\"x\"\"\") }", NULL, "block strings"},
    {"{ f(a: \"x) }", NULL, "does not end on its line"},
    {"{ f(a: \"\\q\") }", NULL, "escape"},
    {"{ f(a: \"\\ud800\") }", NULL, "escape"},
    {"{ f(a: 99999999999999999999) }", NULL, "64 bits"},
    {"{ f(a: $x) }", NULL, "$x is not declared"},
    {"query($x: String!) { f(a: $x) }", NULL, "$x wants a value"},
    {"query($x: Int) { f(a: $x) }", "{\"x\": \"y\"}", "is no Int"},
    {"query($x: Int) { f(a: $x) }", "{\"x\": [1]}", "lists and objects"},
    {"query($x: [Int]) { f(a: $x) }", NULL, "lists"},
    {"{ a ? }", NULL, "no meaning"},
    {"{a{a{a{a{a{a{a{a{a}}}}}}}}}", NULL, "deeper than 8"},
};

START_TEST(what_is_no_part_of_the_subset_is_refused)
{
    struct graphql_operation operation = {0};
    struct error err = {0};
    ck_assert_int_eq(parse(refused[_i].text, refused[_i].variables, &operation, &err), ERR_PARSE);
    ck_assert_contains(err.message, refused[_i].part);
    ck_assert_uint_gt(err.line, 0);
}
END_TEST

START_TEST(fields_are_bounded)
{
    struct graphql_operation operation = {0};
    struct error err = {0};
    struct buf text = BUF_INIT(4096);
    buf_append_text(&text, "{");
    for (int i = 0; i <= GRAPHQL_MAX_FIELDS; i++)
        buf_append_text(&text, " a");
    buf_append_text(&text, "}");
    ck_assert_int_eq(parse(buf_text(&text), NULL, &operation, &err), ERR_PARSE);
    ck_assert_contains(err.message, "more than 64 fields");
    buf_deinit(&text);
}
END_TEST

static Suite *graphql_suite(void)
{
    Suite *suite = suite_create("graphql");
    TCase *tcase = tcase_create("graphql");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, short_form_aliases_and_arguments);
    tcase_add_test(tcase, variables_take_their_values);
    tcase_add_test(tcase, strings_are_unescaped);
    tcase_add_loop_test(tcase, what_is_no_part_of_the_subset_is_refused, 0, (int)ARRAY_LEN(refused));
    tcase_add_test(tcase, fields_are_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(graphql_suite)
