#include "provisioner/run/workspace.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct deployment *deployment_in(struct arena *arena, const char *folder)
{
    struct deployment *deployment = arena_zalloc(arena, sizeof *deployment);
    deployment->path = arena_printf(arena, "%s/f.yaml", folder);
    deployment->metadata.name = "demo";
    return deployment;
}

START_TEST(the_id_is_made_once_and_the_folder_is_private)
{
    struct arena *arena = arena_new(0);
    struct workspace first, second;
    struct stat info;
    char *folder = test_folder_new();
    struct deployment *deployment = deployment_in(arena, folder);
    ck_assert_int_eq(workspace_open(deployment, true, arena, &first, NULL), 0);
    ck_assert(first.new_id);
    ck_assert_int_eq(stat(first.folder, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
    workspace_close(&first);
    ck_assert_int_eq(workspace_open(deployment, true, arena, &second, NULL), 0);
    ck_assert(!second.new_id);
    ck_assert_str_eq(first.id, second.id);
    workspace_close(&second);
    test_folder_remove(folder);
    arena_free(arena);
}
END_TEST

START_TEST(plans_that_a_killed_run_left_go)
{
    struct arena *arena = arena_new(0);
    struct workspace first, second;
    char *folder = test_folder_new();
    struct deployment *deployment = deployment_in(arena, folder);
    ck_assert_int_eq(workspace_open(deployment, true, arena, &first, NULL), 0);
    const char *plan = arena_printf(arena, "%s/us.1.tfplan", first.plans),
               *other = arena_printf(arena, "%s/us", first.plans);
    test_file_write(plan, STR("values in the clear"));
    test_file_write(other, STR(""));
    ck_assert_int_eq(workspace_open(deployment, false, arena, &second, NULL), 0);
    ck_assert_int_eq(access(plan, F_OK), 0); /* who only reads takes nothing away from who works */
    workspace_close(&first);
    ck_assert_int_eq(workspace_open(deployment, true, arena, &second, NULL), 0);
    ck_assert_int_ne(access(plan, F_OK), 0);
    ck_assert_int_eq(access(other, F_OK), 0);
    workspace_close(&second);
    test_folder_remove(folder);
    arena_free(arena);
}
END_TEST

START_TEST(a_folder_that_was_open_to_others_is_closed)
{
    struct arena *arena = arena_new(0);
    struct workspace workspace;
    struct stat info;
    struct error err = {0};
    char *folder = test_folder_new();
    const char *base = arena_printf(arena, "%s/.fraiseql", folder),
               *own = arena_printf(arena, "%s/demo", base);
    ck_assert_int_eq(mkdir(base, 0755), 0);
    ck_assert_int_eq(mkdir(own, 0755), 0);
    ck_assert_int_eq(chmod(own, 0777), 0);
    ck_assert_int_eq(workspace_open(deployment_in(arena, folder), true, arena, &workspace, NULL), 0);
    workspace_close(&workspace);
    ck_assert_int_eq(stat(own, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0700);
    if (geteuid() == 0) {
        /* Another user, to whom the folder above is open. */
        ck_assert_int_eq(chmod(folder, 0755), 0);
        ck_assert_int_eq(chmod(own, 0755), 0);
        ck_assert_int_eq(seteuid(65534), 0);
        ck_assert_int_eq(workspace_open(deployment_in(arena, folder), true, arena, &workspace, &err),
                         ERR_CONFLICT);
        ck_assert_contains(err.message, "belongs to another user");
        ck_assert_int_eq(seteuid(0), 0);
    }
    test_folder_remove(folder);
    arena_free(arena);
}
END_TEST

START_TEST(one_run_at_a_time)
{
    struct arena *arena = arena_new(0);
    struct workspace first, second;
    struct error err = {0};
    char *folder = test_folder_new();
    struct deployment *deployment = deployment_in(arena, folder);
    ck_assert_int_eq(workspace_open(deployment, true, arena, &first, NULL), 0);
    ck_assert_int_eq(workspace_open(deployment, true, arena, &second, &err), ERR_CONFLICT);
    ck_assert_contains(err.message, "another run is at work on \"demo\"");
    ck_assert_contains(err.message, " is locked by process ");
    ck_assert_contains(err.hint, "`fraiseql deploy status ");
    ck_assert_int_eq(workspace_open(deployment, false, arena, &second, NULL), 0);
    workspace_close(&first);
    test_folder_remove(folder);
    arena_free(arena);
}
END_TEST

START_TEST(an_id_that_is_none_is_refused)
{
    struct arena *arena = arena_new(0);
    struct workspace workspace;
    struct error err = {0};
    char *folder = test_folder_new();
    struct deployment *deployment = deployment_in(arena, folder);
    ck_assert_int_eq(workspace_open(deployment, true, arena, &workspace, NULL), 0);
    workspace_close(&workspace);
    test_file_write(arena_printf(arena, "%s/id", workspace.folder), STR("nonsense\n"));
    ck_assert_int_eq(workspace_open(deployment, true, arena, &workspace, &err), ERR_CORRUPT);
    workspace_close(&workspace);
    ck_assert_int_eq(workspace_set_id(&workspace, "x", arena, NULL), ERR_CORRUPT);
    test_folder_remove(folder);
    arena_free(arena);
}
END_TEST

static Suite *workspace_suite(void)
{
    Suite *suite = suite_create("workspace");
    TCase *tcase = tcase_create("workspace");
    tcase_add_test(tcase, the_id_is_made_once_and_the_folder_is_private);
    tcase_add_test(tcase, a_folder_that_was_open_to_others_is_closed);
    tcase_add_test(tcase, plans_that_a_killed_run_left_go);
    tcase_add_test(tcase, one_run_at_a_time);
    tcase_add_test(tcase, an_id_that_is_none_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(workspace_suite)
