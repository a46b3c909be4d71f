#include "provisioner/output.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <unistd.h>

START_TEST(elapsed_in_words_that_fit)
{
    char text[OUTPUT_ELAPSED_MAX];
    ck_assert_str_eq(output_elapsed(8400 * NS_PER_MS, text), "8.4s");
    ck_assert_str_eq(output_elapsed(62 * NS_PER_S, text), "1m02s");
    ck_assert_str_eq(output_elapsed(3600 * NS_PER_S + 120 * NS_PER_S, text), "1h02m");
}
END_TEST

START_TEST(no_colours_but_on_a_terminal)
{
    struct output out;
    output_init(&out, false, true);
    ck_assert_str_eq(output_style(&out, STYLE_BAD), "");
    out.color = true;
    ck_assert_str_eq(output_style(&out, STYLE_BAD), "\033[31m");
    output_init(&out, true, false);
    ck_assert(!out.color);
}
END_TEST

START_TEST(the_exit_status_is_passed_through)
{
    struct output out;
    output_init(&out, false, true);
    ck_assert_int_eq(output_end(&out, 65), 65);
}
END_TEST

/* Standard output is `path` while `end_on() prints. */
static int end_on(const char *path, int status)
{
    struct output out;
    int kept = dup(STDOUT_FILENO), fd = open(path, O_WRONLY);
    ck_assert_int_ge(kept, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
    (void)close(fd);
    output_init(&out, false, true);
    output_text(&out, STR("x\n"));
    status = output_end(&out, status);
    ck_assert_int_ge(dup2(kept, STDOUT_FILENO), 0);
    (void)close(kept);
    return status;
}

START_TEST(what_was_not_taken_is_a_failure)
{
    ck_assert_int_eq(end_on("/dev/null", 0), 0);
    ck_assert_int_eq(end_on("/dev/full", 0), 1);
    ck_assert_int_eq(end_on("/dev/full", 2), 1);
    ck_assert_int_eq(end_on("/dev/full", 65), 65);
}
END_TEST

static Suite *output_suite(void)
{
    Suite *suite = suite_create("output");
    TCase *tcase = tcase_create("output");
    tcase_add_test(tcase, elapsed_in_words_that_fit);
    tcase_add_test(tcase, no_colours_but_on_a_terminal);
    tcase_add_test(tcase, the_exit_status_is_passed_through);
    tcase_add_test(tcase, what_was_not_taken_is_a_failure);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(output_suite)
