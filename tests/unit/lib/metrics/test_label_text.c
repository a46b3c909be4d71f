#include "lib/metrics/label_internal.h"

#include "tests/support/support.h"

#include <stdlib.h>

START_TEST(walks)
{
    struct str text = STR("a=\"1\",b=\"x\\\",y=\\\\\",c=\"3\""), name, raw;
    size_t cursor = 0;
    ck_assert(label_text_next(text, &cursor, &name, &raw));
    ck_assert(str_equal(name, STR("a")) && str_equal(raw, STR("1")));
    ck_assert(label_text_next(text, &cursor, &name, &raw));
    ck_assert(str_equal(name, STR("b")) && str_equal(raw, STR("x\\\",y=\\\\")));
    ck_assert(label_text_next(text, &cursor, &name, &raw));
    ck_assert(str_equal(name, STR("c")) && str_equal(raw, STR("3")));
    ck_assert(!label_text_next(text, &cursor, &name, &raw));
    cursor = 0;
    ck_assert(!label_text_next(STR(""), &cursor, &name, &raw));
}
END_TEST

START_TEST(stays_inside_damaged_text)
{
    static const char *const damaged[] = {"a",         "a=", "a=\"", "a=\"x",    "a=\"x\\",
                                          "a=\"x\\\"", ",",  "=\"",  "a=\"1\",b"};
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        size_t length = strlen(damaged[i]), cursor = 0;
        char *exact = xmalloc(length); /* so that a read beyond is seen */
        memcpy(exact, damaged[i], length);
        struct str name, raw;
        while (label_text_next((struct str){exact, length}, &cursor, &name, &raw))
            ck_assert_uint_le(cursor, length);
        free(exact);
    }
}
END_TEST

START_TEST(finds_and_unescapes)
{
    struct buf out = BUF_INIT(64);
    ck_assert(label_text_find(STR("a=\"1\",b=\"x\\n\\\\\\\"\""), STR("b"), &out));
    ck_assert_str_eq(buf_text(&out), "x\n\\\"");
    ck_assert(!label_text_find(STR("a=\"1\""), STR("1"), &out));
    buf_deinit(&out);
}
END_TEST

START_TEST(leaves_one_out)
{
    static const struct {
        const char *without, *rest;
    } cases[] = {{"a", "le=\"1.0\",z=\"2\""},
                 {"le", "a=\"1\",z=\"2\""},
                 {"z", "a=\"1\",le=\"1.0\""},
                 {"q", "a=\"1\",le=\"1.0\",z=\"2\""}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(64);
        buf_append_text(&out, "before ");
        label_text_without(STR("a=\"1\",le=\"1.0\",z=\"2\""), str_from(cases[i].without), &out);
        ck_assert_str_eq(buf_text(&out) + strlen("before "), cases[i].rest);
        buf_deinit(&out);
    }
    struct buf out = BUF_INIT(64);
    label_text_without(STR("le=\"1.0\""), STR("le"), &out);
    ck_assert_uint_eq(out.len, 0);
    buf_deinit(&out);
}
END_TEST

static Suite *label_text_suite(void)
{
    Suite *suite = suite_create("label_text");
    TCase *tests = tcase_create("label_text");
    tcase_add_test(tests, walks);
    tcase_add_test(tests, stays_inside_damaged_text);
    tcase_add_test(tests, finds_and_unescapes);
    tcase_add_test(tests, leaves_one_out);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(label_text_suite)
