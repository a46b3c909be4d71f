#include "lib/core/yaml.h"
#include "tests/support/support.h"

#include <stdlib.h>

static void assert_written(struct str text, const char *expected)
{
    struct buf out = BUF_INIT(4096);
    yaml_write_scalar(&out, text);
    ck_assert_str_eq(buf_text(&out), expected);
    buf_deinit(&out);
}

START_TEST(quotes_only_where_needed)
{
    assert_written(STR("plain"), "plain");
    assert_written(STR("/a/b.c"), "/a/b.c");
    assert_written(STR("host=h port=1"), "host=h port=1");
    assert_written(STR("http://h:1/p"), "http://h:1/p");
    assert_written(STR(""), "\"\"");
    assert_written(STR("null"), "\"null\"");
    assert_written(STR("NO"), "\"NO\"");
    assert_written(STR("1"), "\"1\"");
    assert_written(STR("-a"), "\"-a\"");
    assert_written(STR("a: b"), "\"a: b\"");
    assert_written(STR("a:"), "\"a:\"");
    assert_written(STR("a #b"), "\"a #b\"");
    assert_written(STR("a "), "\"a \"");
    assert_written(STR("{x}"), "\"{x}\"");
    assert_written(STR("q\"\\\n\t\x01\x7F"), "\"q\\\"\\\\\\n\\t\\x01\\x7F\"");
    assert_written(STR("\xC3\xA9"), "\"\xC3\xA9\"");
    assert_written(STR("\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF"), "\"\\x85\\u2028\\uFEFF\"");
    assert_written(STR("\xFF"), "\"\xEF\xBF\xBD\"");
}
END_TEST

/* Model test: whatever text goes out comes back, as a value and as a key. */
START_TEST(random_texts_come_back)
{
    static const char *const parts[] = {"a",
                                        "1",
                                        " ",
                                        ":",
                                        "#",
                                        "-",
                                        "'",
                                        "\"",
                                        "\\",
                                        "\n",
                                        "\t",
                                        "\r",
                                        "{",
                                        "[",
                                        "]",
                                        ",",
                                        "&",
                                        "*",
                                        "!",
                                        "|",
                                        ">",
                                        "%",
                                        "@",
                                        "`",
                                        "~",
                                        "?",
                                        "null",
                                        "---",
                                        "\xC3\xA9",
                                        "\xE2\x80\xA8",
                                        "\xF0\x9F\x98\x80",
                                        "\x7F",
                                        "\xC2\x85",
                                        "\xEF\xBF\xBF"};
    unsigned seed = 11;
    for (int round = 0; round < 5000; round++) {
        char text[128] = "";
        size_t used = 0;
        for (int i = rand_r(&seed) % 9; i > 0; i--)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s",
                                     parts[(size_t)rand_r(&seed) % ARRAY_LEN(parts)]);
        struct buf out = BUF_INIT(4096);
        yaml_write_scalar(&out, str_from(text));
        buf_append_text(&out, ": ");
        yaml_write_scalar(&out, str_from(text));
        buf_append_byte(&out, '\n');
        struct arena *arena = arena_new(0);
        struct diag diag;
        struct node *root;
        diag_init(&diag);
        int code = yaml_parse(arena, "f", buf_str(&out), &root, &diag);
        ck_assert_msg(code == 0, "%s: %s", diag.count ? diag.items[0].error.message : "", buf_text(&out));
        ck_assert_str_eq(root->pairs[0].key.ptr, text);
        ck_assert_str_eq(root->pairs[0].value->scalar.ptr, text);
        ck_assert(!node_is_null(root->pairs[0].value));
        diag_deinit(&diag);
        arena_free(arena);
        buf_deinit(&out);
    }
}
END_TEST

START_TEST(trees_come_back)
{
    static const char text[] = "a: 1\nb:\n  - x: w\n    z: []\n  - - 1\n    - 2\n  - {}\nc: ~\nd: {}\n";
    struct arena *arena = arena_new(0);
    struct diag diag;
    struct node *root;
    struct buf first = BUF_INIT(4096), second = BUF_INIT(4096);
    diag_init(&diag);
    ck_assert_int_eq(yaml_parse(arena, "f", str_from(text), &root, &diag), 0);
    yaml_write_node(&first, root, 0);
    ck_assert_str_eq(buf_text(&first),
                     "a: \"1\"\nb:\n  -\n    x: w\n    z: []\n  -\n    - \"1\"\n    - \"2\"\n  - {}\n"
                     "c: null\nd: {}\n");
    ck_assert_int_eq(yaml_parse(arena, "f", buf_str(&first), &root, &diag), 0);
    yaml_write_node(&second, root, 0);
    ck_assert_str_eq(buf_text(&first), buf_text(&second));
    buf_deinit(&first);
    buf_deinit(&second);
    diag_deinit(&diag);
    arena_free(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("yaml_write");
    TCase *tests = tcase_create("yaml_write");
    tcase_add_test(tests, quotes_only_where_needed);
    tcase_add_test(tests, random_texts_come_back);
    tcase_add_test(tests, trees_come_back);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
