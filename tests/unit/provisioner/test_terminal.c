#include "provisioner/terminal.h"
#include "tests/support/support.h"

static void assert_shown(const char *text, const char *wanted)
{
    struct buf out = BUF_INIT(4096);
    terminal_append(&out, str_from(text));
    ck_assert_str_eq(buf_text(&out), wanted);
    buf_deinit(&out);
}

START_TEST(what_a_terminal_acts_on_is_a_question_mark)
{
    assert_shown("a\tb\n\u2713 \u2500 \u65e5", "a\tb\n\u2713 \u2500 \u65e5");
    assert_shown("\033]0;title\a", "?]0;title?");
    assert_shown("\033[2J", "?[2J");
    assert_shown("\033[8m", "?[8m");
    assert_shown("one\r\ntwo\rthree", "one\ntwo?three");
    assert_shown("\x7f\b\v", "???");
    assert_shown("\xc2\x9b"
                 "31m\xc2\xa0",
                 "?31m\xc2\xa0");
}
END_TEST

START_TEST(what_is_no_utf8_is_a_question_mark)
{
    assert_shown("\x9b"
                 "31m",
                 "?31m");
    assert_shown("\xe2\x82", "??");
    assert_shown("\xc0\xaf\xff", "???");
    assert_shown("\xed\xa0\x80", "???");
}
END_TEST

START_TEST(the_order_of_characters_is_not_turned_around)
{
    assert_shown("a\u202eb\u2066c\u2069d\u200f", "a?b?c?d?");
    assert_shown("\u2026\u2065", "\u2026\u2065");
}
END_TEST

START_TEST(our_own_colours_pass)
{
    for (size_t i = 0; terminal_styles[i]; i++)
        assert_shown(terminal_styles[i], terminal_styles[i]);
}
END_TEST

static Suite *terminal_suite(void)
{
    Suite *suite = suite_create("terminal");
    TCase *tcase = tcase_create("terminal");
    tcase_add_test(tcase, what_a_terminal_acts_on_is_a_question_mark);
    tcase_add_test(tcase, what_is_no_utf8_is_a_question_mark);
    tcase_add_test(tcase, the_order_of_characters_is_not_turned_around);
    tcase_add_test(tcase, our_own_colours_pass);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(terminal_suite)
