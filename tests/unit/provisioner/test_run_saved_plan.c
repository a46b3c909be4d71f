#include "lib/core/file.h"
#include "provisioner/run/saved_plan.h"
#include "tests/support/support.h"

static const char *digest_of(struct arena *arena, const char *folder)
{
    const char *digest = NULL;
    ck_assert_int_eq(saved_plan_inputs(folder, arena, &digest, NULL), 0);
    return digest;
}

START_TEST(the_digest_follows_what_is_rendered_and_nothing_else)
{
    struct arena *arena = arena_new(0);
    char *folder = test_folder_new();
    const char *below = arena_printf(arena, "%s/regions/a/.terraform", folder);
    ck_assert_int_eq(file_make_folder(below, 0700, NULL), 0);
    test_file_write(arena_printf(arena, "%s/regions/a/main.tf.json", folder), STR("{}"));
    const char *first = digest_of(arena, folder);
    test_file_write(arena_printf(arena, "%s/x.tf", below), STR("provider"));
    test_file_write(arena_printf(arena, "%s/regions/a/terraform.tfstate", folder), STR("{}"));
    test_file_write(arena_printf(arena, "%s/regions/a/import.tf.json", folder), STR("{}"));
    ck_assert_str_eq(digest_of(arena, folder), first);
    test_file_write(arena_printf(arena, "%s/regions/a/main.tf.json", folder), STR("{ }"));
    ck_assert_str_ne(digest_of(arena, folder), first);
    test_folder_remove(folder);
    arena_free(arena);
}
END_TEST

static void check_difference(const char *saved, const char *now, const char *wanted)
{
    struct arena *arena = arena_new(0);
    const char *found = saved_plan_difference(str_from(saved), str_from(now), arena);
    ck_assert_pstr_eq(found, wanted);
    arena_free(arena);
}

START_TEST(a_plan_of_steps_that_came_out_otherwise_is_named)
{
    check_difference("", "", NULL);
    check_difference("create a 1 -\n", "create a 1 -\n", NULL);
    check_difference("create a 1 -\n", "create a 2 -\n", "\"create a\" would do something else now");
    check_difference("update a 1 0\n", "update a 1 9\n", "\"update a\" would do something else now");
    check_difference("create a 1 -\ncreate b 1 -\n", "create a 1 -\n", "\"create b\" is not to do any more");
    check_difference("", "delete b - 1\n", "\"delete b\" is to do now, and was not in it");
    check_difference("create a 1 -\n", "update a 1 0\n",
                     "\"update a\" is to do now, where it had \"create a\"");
    check_difference("rubbish", "create a 1 -\n", "\"create a\" is to do now, where it had \"rubbish\"");
}
END_TEST

static Suite *saved_plan_suite(void)
{
    Suite *suite = suite_create("saved plan");
    TCase *tcase = tcase_create("saved plan");
    tcase_add_test(tcase, the_digest_follows_what_is_rendered_and_nothing_else);
    tcase_add_test(tcase, a_plan_of_steps_that_came_out_otherwise_is_named);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(saved_plan_suite)
