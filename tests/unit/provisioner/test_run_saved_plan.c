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

static Suite *saved_plan_suite(void)
{
    Suite *suite = suite_create("saved plan");
    TCase *tcase = tcase_create("saved plan");
    tcase_add_test(tcase, the_digest_follows_what_is_rendered_and_nothing_else);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(saved_plan_suite)
