#include "provisioner/backups.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"

static struct arena *arena;
static struct backup_list list;

static void begin(void)
{
    arena = arena_new(0);
    list = (struct backup_list){.database = "db"};
}

static void end(void)
{
    clock_use_real();
    arena_free(arena);
}

static void add(const char *id, const char *name, int64_t at)
{
    const struct backup backup = {.id = id, .name = name, .kind = "manual", .said = "ok", .at_wall_ns = at};
    ck_assert(backup_list_add(&list, &backup, arena));
}

START_TEST(the_newest_is_first_and_what_is_under_way_before_it)
{
    add("a", "", 10);
    add("b", "", 0);
    add("c", "", 30);
    add("d", "", 30);
    backup_list_sort(&list);
    const char *const order[] = {"b", "c", "d", "a"};
    for (size_t i = 0; i < list.count; i++)
        ck_assert_str_eq(list.items[i].id, order[i]);
}
END_TEST

START_TEST(an_id_is_found_before_a_name)
{
    add("1", "2", 10);
    add("2", "x", 20);
    ck_assert_str_eq(backup_find(&list, "2")->name, "x");
    ck_assert_str_eq(backup_find(&list, "x")->id, "2");
    ck_assert_ptr_null(backup_find(&list, ""));
    ck_assert_ptr_null(backup_find(&list, "nobody"));
}
END_TEST

START_TEST(what_a_cloud_says_cannot_act_on_a_terminal)
{
    char large[4096];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    add("a\x1b[31m\n\xc3\xa4", large, 1);
    ck_assert_str_eq(list.items[0].id, "a?[31m???");
    ck_assert_uint_eq(strlen(list.items[0].name), BACKUP_TEXT_MAX);
}
END_TEST

START_TEST(a_list_has_an_end)
{
    for (unsigned i = 0; i < BACKUPS_MAX; i++)
        add("a", "", 1);
    const struct backup backup = {.id = "b", .name = "", .kind = "", .said = ""};
    ck_assert(!backup_list_add(&list, &backup, arena));
    ck_assert_uint_eq(list.count, BACKUPS_MAX);
}
END_TEST

START_TEST(moments_outside_of_the_window_are_refused)
{
    struct error err = {0};
    ck_assert_int_eq(backup_window_check(&list, 5, &err), ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.message, "names no latest one"));
    list.latest_wall_ns = 10 * NS_PER_S;
    ck_assert_int_eq(backup_window_check(&list, 1, &err), 0);
    ck_assert_int_eq(backup_window_check(&list, 11 * NS_PER_S, &err), ERR_CONFIG);
    ck_assert_str_eq(err.message, "db can be restored to moments up to 1970-01-01T00:00:10.000Z");
    list.earliest_wall_ns = 5 * NS_PER_S;
    ck_assert_int_eq(backup_window_check(&list, 5 * NS_PER_S, &err), 0);
    ck_assert_int_eq(backup_window_check(&list, 10 * NS_PER_S, &err), 0);
    ck_assert_int_eq(backup_window_check(&list, 5 * NS_PER_S - 1, &err), ERR_CONFIG);
    ck_assert_str_eq(
        err.message,
        "db can be restored to moments from 1970-01-01T00:00:05.000Z to 1970-01-01T00:00:10.000Z");
}
END_TEST

START_TEST(names_say_what_they_are_of)
{
    struct deployment deployment = {.metadata = {.name = "shop"}};
    const struct region region = {.name = "us"};
    const struct backup one = {.id = "1"}, two = {.id = "2"};
    int64_t at = INT64_C(1700000000) * NS_PER_S;
    ck_assert_str_eq(backup_name(&deployment, &region, at, arena), "shop-us-20231114-221320");
    ck_assert_str_eq(backup_restore_name(&deployment, &region, NULL, at, arena),
                     "shop-us-at-20231114-221320");
    const char *of_one = backup_restore_name(&deployment, &region, &one, at, arena);
    ck_assert_str_eq(of_one, backup_restore_name(&deployment, &region, &one, at, arena));
    ck_assert_str_ne(of_one, backup_restore_name(&deployment, &region, &two, at, arena));
    deployment.metadata.name = "a-name-of-forty-bytes-which-is-the-most--";
    ck_assert(backup_name_is_good(backup_restore_name(&deployment, &region, &one, at, arena)));
}
END_TEST

START_TEST(names_that_some_cloud_would_not_take)
{
    static const char *const bad[] = {"", "ab", "1abc", "Abc", "abc-", "a--b", "a_b", "a b", "a;b", "-ab"};
    char text[BACKUP_NAME_MAX + 2];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!backup_name_is_good(bad[i]), "%s", bad[i]);
    ck_assert(!backup_name_is_good(text));
    ck_assert(backup_name_is_good(text + 1));
    ck_assert(backup_name_is_good("a-1"));
}
END_TEST

START_TEST(waiting_ends_before_the_deadline)
{
    struct error err = {0};
    clock_set_virtual(1000 * NS_PER_S, 0);
    ck_assert_int_eq(backup_pause(0, 1001 * NS_PER_S, "it", &err), ERR_TIMEOUT);
    ck_assert_int_eq(backup_pause(100, 1015 * NS_PER_S, "it", &err), ERR_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(err.message, "it is still under way"));
    ck_assert(err.hint[0]);
}
END_TEST

START_TEST(sentences_are_few)
{
    struct string_list said = {0};
    for (unsigned i = 0; i < 2 * BACKUP_SENTENCES_MAX; i++)
        backup_say(&said, arena, "%u", i);
    ck_assert_uint_eq(said.count, BACKUP_SENTENCES_MAX);
    ck_assert_str_eq(said.items[1], "1");
}
END_TEST

static Suite *backups_suite(void)
{
    Suite *suite = suite_create("backups");
    TCase *tcase = tcase_create("backups");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_newest_is_first_and_what_is_under_way_before_it);
    tcase_add_test(tcase, an_id_is_found_before_a_name);
    tcase_add_test(tcase, what_a_cloud_says_cannot_act_on_a_terminal);
    tcase_add_test(tcase, a_list_has_an_end);
    tcase_add_test(tcase, moments_outside_of_the_window_are_refused);
    tcase_add_test(tcase, names_say_what_they_are_of);
    tcase_add_test(tcase, names_that_some_cloud_would_not_take);
    tcase_add_test(tcase, waiting_ends_before_the_deadline);
    tcase_add_test(tcase, sentences_are_few);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(backups_suite)
