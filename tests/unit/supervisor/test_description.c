#include "supervisor/supervisor.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

static const char *parse(const char *text, struct description *ret)
{
    const char *why = NULL;
    return description_parse(strdup(text), ret, &why) ? NULL : why;
}

START_TEST(descriptions_are_read)
{
    struct description d;
    ck_assert_ptr_null(parse("user app\narg /bin/x\narg a b\narg q\\\\n\\nz\narg \nenvironment-file /e\n"
                             "capability NET_RAW\nlog /l\nstop-signal 2\nstop-timeout-s 7\n",
                             &d));
    ck_assert_str_eq(d.user, "app");
    ck_assert_uint_eq(d.argument_count, 4);
    ck_assert_str_eq(d.arguments[1], "a b");
    ck_assert_str_eq(d.arguments[2], "q\\n\nz");
    ck_assert_str_eq(d.arguments[3], "");
    ck_assert_ptr_null(d.arguments[4]);
    ck_assert_int_eq(d.stop_signal, 2);
    ck_assert_int_eq(d.stop_timeout_s, 7);
    description_free(&d);
    ck_assert_ptr_null(parse("arg /bin/x\n", &d));
    ck_assert_str_eq(d.user, "root");
    ck_assert_int_eq(d.stop_signal, 15);
    description_free(&d);
}
END_TEST

START_TEST(what_is_not_known_is_refused)
{
    static const char *const wrong[] = {"",
                                        "arg\n",
                                        "arg x\n",
                                        "argument /x\n",
                                        "arg /x\nfoo bar\n",
                                        "arg /x\nstop-signal 0\n",
                                        "arg /x\nstop-signal x\n",
                                        "arg /x\nstop-timeout-s -1\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct description d;
        ck_assert_msg(parse(wrong[i], &d) != NULL, "%s", wrong[i]);
    }
    char many[150 * sizeof "arg /x"];
    for (size_t i = 0; i < 150; i++)
        memcpy(many + i * 7, "arg /x\n", 7);
    many[sizeof many - 1] = '\0';
    struct description d;
    ck_assert_ptr_nonnull(parse(many, &d));
    ck_assert(name_is_sound("service-1"));
    ck_assert(!name_is_sound(""));
    ck_assert(!name_is_sound("../x"));
    ck_assert(!name_is_sound(".x"));
    ck_assert(!name_is_sound("a b"));
}
END_TEST

static Suite *description_suite(void)
{
    Suite *suite = suite_create("description");
    TCase *tcase = tcase_create("description");
    tcase_add_test(tcase, descriptions_are_read);
    tcase_add_test(tcase, what_is_not_known_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(description_suite)
