#include "tests/unit/provisioner/self_hosted_rig.h"

START_TEST(quoting_gives_one_word_back)
{
    static const char *const texts[] = {"", "plain", "it's", "$(touch x)", "a b\n'c' \\ \"d\" `e`"};
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char said[256] = "";
        FILE *shell = popen(arena_printf(arena, "printf %%s %s", step_quote(arena, texts[i])), "r");
        ck_assert_ptr_nonnull(shell);
        said[fread(said, 1, sizeof said - 1, shell)] = '\0';
        ck_assert_int_eq(pclose(shell), 0);
        ck_assert_str_eq(said, texts[i]);
    }
    arena_free(arena);
}
END_TEST

static void hash_of(void (*change)(struct host_step *step), char text[STEP_HASH_SIZE])
{
    struct step_list list = {.arena = arena_new(0)};
    struct host_step *step = step_add(&list, STAGE_HOST, "a/b", "title");
    step_put(&list, step, "/x", STR("content"), 0600, "root:root", true);
    step->apply = "true";
    step->undo = "false";
    if (change)
        change(step);
    step_hash(step, text);
    arena_free(list.arena);
}

static void other_apply(struct host_step *step)
{
    step->apply = "true ";
}
static void other_undo(struct host_step *step)
{
    step->undo = NULL;
}
static void other_mode(struct host_step *step)
{
    step->files[0].mode = 0644;
}
static void other_content(struct host_step *step)
{
    step->files[0].content = STR("Content");
}
static void other_check(struct host_step *step)
{
    step->check = "x";
    step->guard = "y";
    step->title = "z";
}

START_TEST(the_hash_is_of_what_is_done)
{
    void (*const changes[])(struct host_step *) = {other_apply, other_undo, other_mode, other_content};
    char base[STEP_HASH_SIZE], other[STEP_HASH_SIZE];
    hash_of(NULL, base);
    ck_assert_uint_eq(strlen(base), 64);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        hash_of(changes[i], other);
        ck_assert_str_ne(base, other);
    }
    hash_of(other_check, other);
    ck_assert_str_eq(base, other);
}
END_TEST

START_TEST(steps_and_files_are_many)
{
    struct step_list list = {.arena = arena_new(0)};
    for (int i = 0; i < 100; i++) {
        struct host_step *step = step_add(&list, STAGE_SERVICE, arena_printf(list.arena, "s/%d", i), "t");
        for (int j = 0; j < 10; j++)
            step_put(&list, step, arena_printf(list.arena, "/%d", j), STR("x"), 0644, "root:root", false);
    }
    ck_assert_uint_eq(list.count, 100);
    ck_assert_str_eq(list.items[99].id, "s/99");
    ck_assert_str_eq(list.items[50].files[9].path, "/9");
    arena_free(list.arena);
}
END_TEST

static Suite *step_suite(void)
{
    Suite *suite = suite_create("step");
    TCase *tcase = tcase_create("step");
    tcase_add_test(tcase, quoting_gives_one_word_back);
    tcase_add_test(tcase, the_hash_is_of_what_is_done);
    tcase_add_test(tcase, steps_and_files_are_many);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(step_suite)
