#include "lib/metrics/label_internal.h"

#include "lib/core/error.h"
#include "tests/support/support.h"

START_TEST(valid_names)
{
    ck_assert(metric_name_valid(STR("a:b_1")) && !metric_name_valid(STR("1a")) &&
              !metric_name_valid(STR("")));
    ck_assert(!metric_name_valid(STR("a.b")) && !metric_name_valid(STR("ü")));
    ck_assert(label_name_valid(STR("_a1")) && !label_name_valid(STR("a:b")) && !label_name_valid(STR("")));
    char longest[LIMIT_METRIC_NAME_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    ck_assert(metric_name_valid((struct str){longest, LIMIT_METRIC_NAME_BYTES}));
    ck_assert(!metric_name_valid((struct str){longest, LIMIT_METRIC_NAME_BYTES + 1}));
    ck_assert(label_name_valid((struct str){longest, LIMIT_LABEL_NAME_BYTES}));
    ck_assert(!label_name_valid((struct str){longest, LIMIT_LABEL_NAME_BYTES + 1}));
}
END_TEST

START_TEST(renders_canonically)
{
    struct label labels[] = {LABEL_TEXT("b", "x\"y\\z\nw"), LABEL_TEXT("ab", "2"), LABEL_TEXT("c", ""),
                             LABEL_TEXT("a", "a long value without escapes")};
    size_t count = 4;
    struct buf out = BUF_INIT(1024);
    ck_assert_int_eq(labels_render(labels, &count, &out), 0);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(buf_text(&out), "a=\"a long value without escapes\",ab=\"2\",b=\"x\\\"y\\\\z\\nw\"");
    ck_assert(labels_match_text(labels, count, buf_str(&out)));
    buf_deinit(&out);
}
END_TEST

static int render(const char *name, struct str value)
{
    struct label labels[] = {{str_from(name), value}, LABEL_TEXT("x", "1")};
    size_t count = 2;
    struct buf out = BUF_INIT(1 << 20);
    int rc = labels_render(labels, &count, &out);
    ck_assert(rc == 0 || out.len == 0);
    buf_deinit(&out);
    return rc;
}

START_TEST(refuses)
{
    char big[LIMIT_LABEL_VALUE_BYTES + 1];
    memset(big, 'v', sizeof big);
    ck_assert_int_eq(render("a", STR("1")), 0);
    ck_assert_int_eq(render("a", (struct str){big, LIMIT_LABEL_VALUE_BYTES}), 0);
    ck_assert_int_eq(render("a", (struct str){big, LIMIT_LABEL_VALUE_BYTES + 1}), ERR_LIMIT);
    ck_assert_int_eq(render("a", STR("\xff")), ERR_PARSE);
    ck_assert_int_eq(render("a", STR("x\0y")), ERR_PARSE);
    ck_assert_int_eq(render("a-b", STR("1")), ERR_PARSE);
    ck_assert_int_eq(render("x", STR("1")), ERR_PARSE);
    ck_assert_int_eq(render("__name__", STR("1")), ERR_PARSE);
    struct label many[LIMIT_LABELS_PER_SERIES + 1];
    char names[LIMIT_LABELS_PER_SERIES + 1][8];
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        (void)snprintf(names[i], sizeof names[i], "n%zu", i);
        many[i] = (struct label){str_from(names[i]), STR("v")};
    }
    size_t count = LIMIT_LABELS_PER_SERIES;
    struct buf out = BUF_INIT(1 << 20);
    ck_assert_int_eq(labels_render(many, &count, &out), 0);
    count = ARRAY_LEN(many);
    ck_assert_int_eq(labels_render(many, &count, &out), ERR_LIMIT);
    buf_deinit(&out);
    for (size_t i = 0; i < ARRAY_LEN(many); i++) /* each fits, all together are too long */
        many[i] = (struct label){str_from(names[i]), {big, LIMIT_LABEL_VALUE_BYTES}};
    count = LIMIT_LABELS_PER_SERIES;
    ck_assert_int_eq(labels_render(many, &count, &out), ERR_LIMIT);
    buf_deinit(&out);
}
END_TEST

START_TEST(escapes_at_every_place)
{
    for (size_t length = 1; length < 20; length++) {
        for (size_t at = 0; at < length; at++) {
            char value[32], expected[64];
            memset(value, 'v', length);
            value[at] = "\"\\\n"[at % 3];
            struct label labels[] = {{STR("a"), {value, length}}};
            size_t count = 1;
            struct buf out = BUF_INIT(256), back = BUF_INIT(256);
            ck_assert_int_eq(labels_render(labels, &count, &out), 0);
            (void)snprintf(expected, sizeof expected, "a=\"%.*s\\%c%.*s\"", (int)at, value, "\"\\n"[at % 3],
                           (int)(length - at - 1), value + at + 1);
            ck_assert_str_eq(buf_text(&out), expected);
            ck_assert(labels_match_text(labels, 1, buf_str(&out)));
            ck_assert(label_text_find(buf_str(&out), STR("a"), &back));
            ck_assert(str_equal(buf_str(&back), (struct str){value, length}));
            value[at] = 'v';
            ck_assert(!labels_match_text(labels, 1, buf_str(&out)));
            buf_deinit(&out);
            buf_deinit(&back);
        }
    }
}
END_TEST

START_TEST(matching_is_exact)
{
    struct str text = STR("a=\"1\",b=\"2\"");
    struct label same[] = {LABEL_TEXT("a", "1"), LABEL_TEXT("b", "2")};
    struct label value[] = {LABEL_TEXT("a", "1"), LABEL_TEXT("b", "3")};
    struct label name[] = {LABEL_TEXT("a", "1"), LABEL_TEXT("c", "2")};
    struct label fooled[] = {LABEL_TEXT("a", "1\",b=\"2")};
    ck_assert(labels_match_text(same, 2, text));
    ck_assert(!labels_match_text(same, 1, text));
    ck_assert(!labels_match_text(value, 2, text));
    ck_assert(!labels_match_text(name, 2, text));
    ck_assert(!labels_match_text(fooled, 1, text));
    ck_assert(!labels_match_text(same, 2, STR("a=\"1\",b=\"2\",c=\"3\"")));
    ck_assert(!labels_match_text(same, 2, STR("")));
    ck_assert(labels_match_text(same, 0, STR("")));
}
END_TEST

START_TEST(equal_sets_give_equal_bytes)
{
    struct buf first = BUF_INIT(1024), second = BUF_INIT(1024);
    struct label one[] = {LABEL_TEXT("x", "1"), LABEL_TEXT("b", "2"), LABEL_TEXT("m", "")};
    struct label two[] = {LABEL_TEXT("b", "2"), LABEL_TEXT("x", "1")};
    size_t count_one = 3, count_two = 2;
    ck_assert_int_eq(labels_render(one, &count_one, &first), 0);
    ck_assert_int_eq(labels_render(two, &count_two, &second), 0);
    ck_assert(str_equal(buf_str(&first), buf_str(&second)));
    buf_deinit(&first);
    buf_deinit(&second);
}
END_TEST

static Suite *label_suite(void)
{
    Suite *suite = suite_create("label");
    TCase *tests = tcase_create("label");
    tcase_add_test(tests, valid_names);
    tcase_add_test(tests, renders_canonically);
    tcase_add_test(tests, refuses);
    tcase_add_test(tests, escapes_at_every_place);
    tcase_add_test(tests, matching_is_exact);
    tcase_add_test(tests, equal_sets_give_equal_bytes);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(label_suite)
