#include "lib/core/yaml.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;
static struct diag diag;

static void set_up(void)
{
    arena = arena_new(0);
    diag_init(&diag);
}

static void tear_down(void)
{
    diag_deinit(&diag);
    arena_free(arena);
}

static struct node *parse(struct str text)
{
    struct node *root = NULL;
    if (yaml_parse(arena, "f.yaml", text, &root, &diag))
        return NULL;
    return root;
}

static void assert_refused(struct str text, const char *expected)
{
    ck_assert_ptr_null(parse(text));
    char *messages = test_diag_text(&diag);
    ck_assert_contains(messages, expected);
    free(messages);
    diag_deinit(&diag);
}

START_TEST(a_tree_with_positions)
{
    const struct node *root = parse(STR("# c\na: 1\nb:\n  - x\n  - { k: 'v' }\n\xC3\xA9t\xC3\xA9: [ y ]\n"));
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(root->kind, NODE_MAPPING);
    ck_assert_uint_eq(root->count, 3);
    const struct node_pair *b = node_find(root, "b");
    ck_assert_uint_eq(b->line, 3);
    ck_assert_uint_eq(b->column, 1);
    ck_assert_int_eq(b->value->kind, NODE_SEQUENCE);
    const struct node *v = node_find(b->value->items[1], "k")->value;
    ck_assert_str_eq(v->scalar.ptr, "v");
    ck_assert(!v->plain);
    ck_assert(b->value->items[0]->plain);
    ck_assert_uint_eq(v->line, 5);
    ck_assert_uint_eq(v->column, 10);
    const struct node *y = node_find(root, "\xC3\xA9t\xC3\xA9")->value->items[0];
    ck_assert_uint_eq(y->column, 8); /* in characters */
    ck_assert_str_eq(y->file, "f.yaml");
    ck_assert_ptr_null(node_find(root, "absent"));
    ck_assert_ptr_null(node_find(y, "a"));
}
END_TEST

START_TEST(a_byte_order_mark_is_no_text)
{
    const struct node *root = parse(STR("\xEF\xBB\xBF"
                                        "ab: 1\nc: 2\n"));
    ck_assert_ptr_nonnull(root);
    const struct node_pair *first = node_find(root, "ab");
    ck_assert_uint_eq(first->line, 1);
    ck_assert_uint_eq(first->column, 1);
    ck_assert_uint_eq(node_find(root, "c")->line, 2);
    const struct node *empty = parse(STR("\xEF\xBB\xBF"));
    ck_assert_ptr_nonnull(empty);
    ck_assert_uint_eq(empty->count, 0);
}
END_TEST

START_TEST(types_come_from_the_reader)
{
    const struct node *root = parse(STR("country: no\nzip: 01234\nquoted: 'null'\nnothing:\ntilde: ~\n"));
    ck_assert_str_eq(node_find(root, "country")->value->scalar.ptr, "no");
    ck_assert_str_eq(node_find(root, "zip")->value->scalar.ptr, "01234");
    ck_assert(!node_is_null(node_find(root, "quoted")->value));
    ck_assert(node_is_null(node_find(root, "nothing")->value));
    ck_assert(node_is_null(node_find(root, "tilde")->value));
}
END_TEST

START_TEST(an_empty_document_is_an_empty_mapping)
{
    static const struct str texts[] = {{"", 0}, {"# only\n", 7}, {"---\n", 4}, {"\n\n", 2}, {"~", 1}};
    const struct node *root = parse(texts[_i]);
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(root->kind, NODE_MAPPING);
    ck_assert_uint_eq(root->count, 0);
}
END_TEST

START_TEST(refused_with_a_position)
{
    assert_refused(STR("a: 1\nb: 2\na: 3\n"),
                   "f.yaml:3:1: error: duplicate key \"a\": it was given in line 1 already");
    assert_refused(STR("a: &x 1\nb: *x\n"), "f.yaml:1:4: error: anchors (&x) are not supported");
    assert_refused(STR("a: &x 1\nb: *x\n"), "f.yaml:2:4: error: aliases (*x) are not supported");
    assert_refused(STR("a: !!str 1\n"), "f.yaml:1:4: error: tags");
    assert_refused(STR("a: 1\n---\nb: 2\n"), "f.yaml:2:1: error: a second document");
    assert_refused(STR("? [x]\n: 1\n"), "f.yaml:1:3: error: a key must be a text, not a list");
    assert_refused(STR("a: \"\\0\"\n"), "f.yaml:1:4: error: a text must not contain a zero byte");
    assert_refused(STR("ok: 1\nbad: x\x80y\n"), "f.yaml:2:7: error: the file is not valid UTF-8");
    assert_refused(STR("\xFF\xFE"
                       "a\0:\0"),
                   "f.yaml:1:1: error: the file is not valid UTF-8; it begins as UTF-16: save it as UTF-8");
    assert_refused(STR("a: 1\n\tb: 2\n"), "Hint: indent with spaces");
    assert_refused(STR("a: [1, 2\n"), "f.yaml:2:1: error: malformed YAML");
    assert_refused(STR("a: b: c\n"), "f.yaml:1:5: error: malformed YAML: mapping values are not allowed");
    assert_refused(STR("a: @b\n"), "Hint: put a text that starts with or contains @ into quotes");
    assert_refused(STR("a: \x01\n"), "f.yaml:1:4: error: control characters are not allowed");
}
END_TEST

START_TEST(limits_hold)
{
    struct buf text = BUF_INIT(YAML_MAX_BYTES + 16);
    for (int i = 0; i <= YAML_MAX_DEPTH; i++)
        buf_append_byte(&text, '[');
    assert_refused(buf_str(&text), "nested deeper than 32 levels");
    buf_reset(&text);
    buf_append_byte(&text, '[');
    for (int i = 0; i <= YAML_MAX_NODES; i++)
        buf_append_text(&text, "a,");
    buf_append_byte(&text, ']');
    assert_refused(buf_str(&text), "more than 200000 values");
    buf_reset(&text);
    for (int i = 0; i <= YAML_MAX_KEY_BYTES; i++)
        buf_append_byte(&text, 'k');
    buf_append_text(&text, ": 1");
    assert_refused(buf_str(&text), "a key must not be longer than 200 bytes");
    buf_reset(&text);
    ck_assert(buf_reserve(&text, YAML_MAX_BYTES + 1));
    memset(text.data, ' ', YAML_MAX_BYTES + 1);
    text.len = YAML_MAX_BYTES + 1;
    assert_refused(buf_str(&text), "f.yaml: error: the file is larger than");
    buf_deinit(&text);
}
END_TEST

START_TEST(an_arena_with_a_maximum_ends_the_parse)
{
    struct arena *small = arena_new(2000);
    struct node *root;
    struct buf text = BUF_INIT(1 << 20);
    for (int i = 0; i < 200; i++)
        buf_printf(&text, "key%d: value\n", i);
    ck_assert_int_eq(yaml_parse(small, "f", buf_str(&text), &root, &diag), ERR_PARSE);
    ck_assert_contains(diag.items[0].error.message, "more memory than it may have");
    buf_deinit(&text);
    arena_free(small);
}
END_TEST

START_TEST(files_are_loaded)
{
    char *folder = test_folder_new(), *path = test_path(folder, "a.yaml");
    struct node *root;
    test_file_write(path, STR("a: 1\n"));
    ck_assert_int_eq(yaml_load(arena, path, &root, &diag), 0);
    ck_assert_str_eq(root->file, path);
    free(path);
    path = test_path(folder, "absent.yaml");
    ck_assert_int_eq(yaml_load(arena, path, &root, &diag), ERR_PARSE);
    ck_assert_contains(diag.items[0].error.message, "No such file");
    free(path);
    test_folder_remove(folder);
}
END_TEST

START_TEST(paths_and_reports)
{
    char path[NODE_PATH_MAX];
    const struct node *root = parse(STR("probes:\n  - a: 1\n  - http: { expect: { status: [200, 201] } }\n"));
    const struct node *http = node_find(node_find(root, "probes")->value->items[1], "http")->value;
    const struct node *status = node_find(node_find(http, "expect")->value, "status")->value;
    ck_assert_str_eq(node_path(root, path), "");
    ck_assert_str_eq(node_path(http, path), "probes[1].http");
    ck_assert_str_eq(node_path(status->items[1], path), "probes[1].http.expect.status[1]");
    (void)node_report(status->items[1], &diag, DIAG_WARNING, "odd %d", 5);
    char *text = test_diag_text(&diag);
    ck_assert_str_eq(text, "f.yaml:3:37: warning: probes[1].http.expect.status[1]: odd 5\n");
    free(text);
    ck_assert_str_eq(node_kind_text(root), "a mapping");
    ck_assert_str_eq(node_kind_text(status), "a list");
    ck_assert_str_eq(node_kind_text(status->items[0]), "a scalar");
}
END_TEST

START_TEST(members_and_their_texts)
{
    const struct node *root = parse(STR("a: text\nb: ~\nc: { d: [ 1 ] }\ne: ''\n"));
    ck_assert_str_eq(node_text(root, "a").ptr, "text");
    ck_assert_uint_eq(node_text(root, "b").len, 0);
    ck_assert_str_eq(node_text(root, "e").ptr, "");
    ck_assert_str_eq(node_text(root, "c").ptr, "");
    ck_assert_str_eq(node_text(NULL, "a").ptr, "");
    ck_assert_int_eq(node_member(node_member(root, "c"), "d")->kind, NODE_SEQUENCE);
    ck_assert_ptr_null(node_member(node_member(root, "a"), "d"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("yaml");
    TCase *tests = tcase_create("yaml");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_tree_with_positions);
    tcase_add_test(tests, members_and_their_texts);
    tcase_add_test(tests, a_byte_order_mark_is_no_text);
    tcase_add_test(tests, types_come_from_the_reader);
    tcase_add_loop_test(tests, an_empty_document_is_an_empty_mapping, 0, 5);
    tcase_add_test(tests, refused_with_a_position);
    tcase_add_test(tests, limits_hold);
    tcase_add_test(tests, an_arena_with_a_maximum_ends_the_parse);
    tcase_add_test(tests, files_are_loaded);
    tcase_add_test(tests, paths_and_reports);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
