#include "provisioner/self_hosted/prelude.h"

#include "tests/unit/provisioner/self_hosted_rig.h"

#include <stdlib.h>

START_TEST(marks_are_told_apart)
{
    struct str text;
    ck_assert_int_eq(prelude_read(STR("::fraiseql-note half way"), &text), LINE_NOTE);
    ck_assert(str_equal_text(text, "half way"));
    ck_assert_int_eq(prelude_read(STR("::fraiseql-fail no: room"), &text), LINE_FAIL);
    ck_assert(str_equal_text(text, "no: room"));
    ck_assert_int_eq(prelude_read(STR("::fraiseql-fail"), &text), LINE_PLAIN);
    ck_assert_int_eq(prelude_read(STR(""), &text), LINE_PLAIN);
}
END_TEST

static int run(struct arena *arena, const char *script, char said[512])
{
    const char *whole = prelude_script(arena, script, NULL);
    FILE *shell = popen(arena_printf(arena, "sh -c %s 2>&1", step_quote(arena, whole)), "r");
    ck_assert_ptr_nonnull(shell);
    said[fread(said, 1, 511, shell)] = '\0';
    return pclose(shell);
}

START_TEST(scripts_stop_at_the_first_failure)
{
    struct arena *arena = arena_new(0);
    char said[512];
    ck_assert_int_ne(run(arena, "false\necho on\n", said), 0);
    ck_assert_str_eq(said, "");
    ck_assert_int_ne(run(arena, "echo $unset_thing\n", said), 0);
    ck_assert_int_ne(run(arena, "fail a 'b  c'\necho on\n", said), 0);
    ck_assert_str_eq(said, "::fraiseql-fail a b  c\n");
    ck_assert_int_eq(
        run(arena, "note x; have sh; have no-such-program || echo none; region echo 'a  b'; pwd\n", said), 0);
    ck_assert_str_eq(said, "::fraiseql-note x\nnone\na  b\n/\n");
    ck_assert_int_eq(setenv("PGHOST", "elsewhere", 1), 0);
    ck_assert_int_eq(run(arena, "echo \"${PGHOST:-unset}\"\n", said), 0);
    ck_assert_str_eq(said, "unset\n");
    ck_assert_int_eq(unsetenv("PGHOST"), 0);
    arena_free(arena);
}
END_TEST

static Suite *prelude_suite(void)
{
    Suite *suite = suite_create("prelude");
    TCase *tcase = tcase_create("prelude");
    tcase_add_test(tcase, marks_are_told_apart);
    tcase_add_test(tcase, scripts_stop_at_the_first_failure);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(prelude_suite)
