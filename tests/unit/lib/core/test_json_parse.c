#include "lib/core/json.h"
#include "tests/support/support.h"

START_TEST(a_tree)
{
    struct arena *arena = arena_new(0);
    struct node *root;
    struct error err;
    char path[NODE_PATH_MAX];
    ck_assert_int_eq(
        json_parse(arena, STR("{\"b\":[1,-2.5,true,null,\"x\\u0001y\",{}],\"a\":{\"n\":9007199254740993}}"),
                   &root, &err),
        0);
    ck_assert_int_eq(root->kind, NODE_MAPPING);
    ck_assert(str_equal_text(root->pairs[0].key, "b")); /* in the order of the document */
    const struct node *list = root->pairs[0].value;
    ck_assert_int_eq(list->kind, NODE_SEQUENCE);
    ck_assert_uint_eq(list->count, 6);
    ck_assert_str_eq(list->items[0]->scalar.ptr, "1");
    ck_assert_str_eq(list->items[1]->scalar.ptr, "-2.5");
    ck_assert_str_eq(list->items[2]->scalar.ptr, "true");
    ck_assert(list->items[2]->plain);
    ck_assert(node_is_null(list->items[3]));
    ck_assert(!list->items[4]->plain);
    ck_assert_int_eq(list->items[5]->kind, NODE_MAPPING);
    const struct node *n = node_find(node_find(root, "a")->value, "n")->value;
    ck_assert_str_eq(n->scalar.ptr, "9007199254740993"); /* more than a double holds */
    ck_assert_str_eq(node_path(list->items[4], path), "b[4]");
    ck_assert_int_eq(json_parse(arena, STR("\"alone\""), &root, &err), 0);
    ck_assert_str_eq(root->scalar.ptr, "alone");
    arena_free(arena);
}
END_TEST

START_TEST(zero_bytes_inside_a_text)
{
    struct arena *arena = arena_new(0);
    struct node *root;
    struct error err;
    /* jansson refuses them unless told otherwise: a text with one could be cut later without a word. */
    ck_assert_int_eq(json_parse(arena, STR("\"x\\u0000y\""), &root, &err), ERR_PARSE);
    arena_free(arena);
}
END_TEST

static const char *const refused[] = {
    "",    "{",     "{\"a\":1,\"a\":2}", "[1,]", "{a:1}", "01",
    "nul", "[1] x", "\"\xFF\"",          "'x'",  "1e999", "99999999999999999999999999",
};

START_TEST(refusals)
{
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct node *root = NULL;
        struct error err;
        ck_assert_msg(json_parse(arena, str_from(refused[i]), &root, &err) == ERR_PARSE, "%s", refused[i]);
        ck_assert_contains(err.message, "malformed JSON: ");
        ck_assert_ptr_null(root);
    }
    struct buf deep = BUF_INIT(10000);
    struct node *root = NULL;
    struct error err;
    for (int i = 0; i < 100; i++)
        buf_append_byte(&deep, '[');
    for (int i = 0; i < 100; i++)
        buf_append_byte(&deep, ']');
    ck_assert_int_eq(json_parse(arena, buf_str(&deep), &root, &err), ERR_LIMIT);
    buf_deinit(&deep);
    arena_free(arena);
    arena = arena_new(200);
    ck_assert_int_eq(json_parse(arena, STR("[1,2,3,4,5,6,7,8,9]"), &root, &err), ERR_LIMIT);
    arena_free(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("json_parse");
    TCase *tests = tcase_create("json_parse");
    tcase_add_test(tests, a_tree);
    tcase_add_test(tests, zero_bytes_inside_a_text);
    tcase_add_test(tests, refusals);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
