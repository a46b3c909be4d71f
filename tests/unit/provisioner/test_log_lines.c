#include "provisioner/log_lines.h"

#include "tests/unit/provisioner/log_lines_rig.h"

START_TEST(the_newest_are_kept_in_order)
{
    log_lines_add(&lines, 20, STR("c\r\n\n  \nd"));
    log_lines_add(&lines, 10, STR("a"));
    ck_assert_str_eq(kept(), "a|c|d");
    log_lines_add(&lines, 5, STR("too old"));
    log_lines_add(&lines, 15, STR("b"));
    ck_assert_str_eq(kept(), "b|c|d");
    log_lines_add(&lines, 30, STR("e\nf\ng\nh\n"));
    ck_assert_str_eq(kept(), "f|g|h");
}
END_TEST

START_TEST(nothing_acts_on_a_terminal)
{
    log_lines_add(&lines, 1,
                  STR("\x1b[31mred\x07 \xc2\x9b"
                      "31m \xc3\xa9 \xff\x80 a\0b\x7f"));
    ck_assert_str_eq(kept(), "[31mred 31m \xc3\xa9 ?? a b");
    ck_assert_str_eq(log_line_shown(STR("a\nb"), arena), "a b");
}
END_TEST

START_TEST(a_long_line_is_cut_between_characters)
{
    static char text[3 * LOG_LINE_BYTES];
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    log_lines_add(&lines, 1, (struct str){text, sizeof text});
    log_lines_add(&lines, 1, (struct str){text + 1, sizeof text - 1});
    (void)kept();
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_le(strlen(list.items[i]), LOG_LINE_BYTES + 3);
        ck_assert_uint_ge(strlen(list.items[i]), LOG_LINE_BYTES);
        ck_assert(str_ends(str_from(list.items[i]), STR("...")));
        ck_assert(str_is_utf8(str_from(list.items[i])));
    }
}
END_TEST

START_TEST(secrets_are_masked)
{
    log_lines_add(&lines, 1, STR("connect postgresql://me:hush-hush@db:5432/x?sslmode=require failed"));
    log_lines_add(&lines, 1, STR("host=db pass\x01word=hush-hush password=hush-hush"));
    log_lines_add(&lines, 1, STR("connect https://me:hush-\x07hush@h/"));
    ck_assert_ptr_null(strstr(strstr(kept(), "postgresql"), "me:hush"));
    ck_assert_ptr_null(strstr(kept(), " password=hush"));
    ck_assert_ptr_null(strstr(kept(), "me:hush"));
}
END_TEST

START_TEST(no_more_than_there_may_be)
{
    struct log_lines many;
    log_lines_init(&many, SIZE_MAX);
    ck_assert_uint_eq(many.most, LOG_LINES_MAX);
    for (size_t i = 0; i < 2 * LOG_LINES_MAX; i++)
        log_lines_add(&many, 0, str_from(arena_printf(arena, "%zu", i)));
    log_lines_give(&many, arena, &list);
    ck_assert_uint_eq(list.count, LOG_LINES_MAX);
    ck_assert_str_eq(list.items[0], "1000");
    log_lines_deinit(&many);
}
END_TEST

static Suite *log_lines_suite(void)
{
    Suite *suite = suite_create("log_lines");
    TCase *tcase = tcase_create("log_lines");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_newest_are_kept_in_order);
    tcase_add_test(tcase, nothing_acts_on_a_terminal);
    tcase_add_test(tcase, a_long_line_is_cut_between_characters);
    tcase_add_test(tcase, secrets_are_masked);
    tcase_add_test(tcase, no_more_than_there_may_be);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(log_lines_suite)
