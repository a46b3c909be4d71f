#include "provisioner/run/journal.h"
#include "tests/support/support.h"

#include <signal.h>
#include <sys/resource.h>

#include <stdlib.h>
#include <unistd.h>

static struct run_journal *open_journal(const char *path)
{
    struct run_journal *journal = NULL;
    struct error err = {0};
    ck_assert_msg(run_journal_open(path, false, &journal, &err) == 0, "%s", err.message);
    return journal;
}

START_TEST(a_child_is_not_forgotten_over_a_refusal)
{
    char *folder = test_folder_new(), *path = test_path(folder, "j");
    struct run_journal *journal = open_journal(path);
    for (int pid = 4711; pid < 4713; pid++) {
        ck_assert_int_eq(run_journal_begin(journal, "apply", "eu", NULL), 0);
        run_journal_child(journal, "apply", "eu", pid);
    }
    ck_assert_int_eq(run_journal_end(journal, "apply", "eu", RUN_REFUSED, "", NULL), 0);
    run_journal_close(journal);
    journal = open_journal(path);
    ck_assert_int_eq(run_entries_child(run_journal_before(journal), "apply", "eu")->pid, 4711);
    ck_assert_int_eq(run_journal_end(journal, "apply", "eu", "ok", "", NULL), 0);
    run_journal_close(journal);
    journal = open_journal(path);
    ck_assert_ptr_null(run_entries_child(run_journal_before(journal), "apply", "eu"));
    run_journal_close(journal);
    free(path);
    test_folder_remove(folder);
}
END_TEST

START_TEST(what_was_written_is_replayed)
{
    char *folder = test_folder_new(), *path = test_path(folder, "j");
    struct run_journal *journal = open_journal(path);
    ck_assert_int_eq(run_journal_begin(journal, "apply", "eu", NULL), 0);
    run_journal_child(journal, "apply", "eu", 4711);
    ck_assert_int_eq(run_journal_begin(journal, "apply", "us", NULL), 0);
    ck_assert_int_eq(run_journal_end(journal, "apply", "us", "failed", "a \"quoted\" reason", NULL), 0);
    ck_assert_ptr_null(run_entries_last(run_journal_before(journal), "apply", "eu"));
    run_journal_close(journal);
    journal = open_journal(path);
    const struct run_entries *before = run_journal_before(journal);
    ck_assert_str_eq(run_entries_last(before, "apply", "eu")->event, "begin");
    ck_assert_int_eq(run_entries_child(before, "apply", "eu")->pid, 4711);
    ck_assert_uint_eq(strlen(run_entries_child(before, "apply", "eu")->at),
                      strlen("2026-11-25T10:00:00.000Z"));
    ck_assert_ptr_null(run_entries_child(before, "apply", "us"));
    ck_assert_str_eq(run_entries_last(before, NULL, "us")->outcome, "failed");
    ck_assert_str_eq(run_entries_last(before, "apply", "us")->detail, "a \"quoted\" reason");
    run_journal_close(journal);
    free(path);
    test_folder_remove(folder);
}
END_TEST

START_TEST(a_torn_last_line_is_cut_off)
{
    static const char whole[] = "{\"event\":\"begin\",\"step\":\"apply\",\"root\":\"eu\"}\n";
    char *folder = test_folder_new(), *path = test_path(folder, "j");
    for (size_t torn = 1; torn + 1 < sizeof whole; torn++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s%.*s", whole, (int)torn, whole);
        test_file_write(path, str_from(text));
        struct run_journal *journal = open_journal(path);
        ck_assert_uint_eq(run_journal_before(journal)->count, 1);
        ck_assert_int_eq(run_journal_end(journal, "apply", "eu", "ok", "", NULL), 0);
        run_journal_close(journal);
        journal = open_journal(path);
        ck_assert_uint_eq(run_journal_before(journal)->count, 2);
        ck_assert_uint_eq(run_journal_before(journal)->bad_lines, 0);
        ck_assert_str_eq(run_entries_last(run_journal_before(journal), "apply", "eu")->outcome, "ok");
        run_journal_close(journal);
    }
    free(path);
    test_folder_remove(folder);
}
END_TEST

START_TEST(a_damaged_line_hides_no_other)
{
    struct arena *arena = arena_new(0);
    struct run_entries entries;
    run_journal_replay(
        arena,
        STR("nonsense\n{\"event\":\"begin\",\"step\":\"apply\",\"root\":\"a\"}\n\n[]\n{\"event\":"
            "\"end\",\"step\":\"apply\",\"root\":\"a\",\"outcome\":\"ok\"}\n"),
        &entries);
    ck_assert_uint_eq(entries.count, 2);
    ck_assert_uint_eq(entries.bad_lines, 2);
    ck_assert_str_eq(run_entries_last(&entries, "apply", "a")->outcome, "ok");
    arena_free(arena);
}
END_TEST

START_TEST(reading_creates_and_changes_nothing)
{
    char *folder = test_folder_new(), *path = test_path(folder, "j");
    struct run_journal *journal = NULL;
    ck_assert_int_eq(run_journal_open(path, true, &journal, NULL), 0);
    ck_assert_int_eq(run_journal_begin(journal, "apply", "a", NULL), 0);
    run_journal_close(journal);
    ck_assert_int_ne(access(path, F_OK), 0);
    test_file_write(path, STR("{\"event\":\"begin\"}\n{\"torn"));
    ck_assert_int_eq(run_journal_open(path, true, &journal, NULL), 0);
    ck_assert_uint_eq(run_journal_before(journal)->count, 1);
    run_journal_close(journal);
    char *text = test_file_read(path);
    ck_assert_contains(text, "{\"torn");
    free(text);
    free(path);
    test_folder_remove(folder);
}
END_TEST

static void check_last(const char *lines, const char *event, const char *outcome)
{
    struct arena *arena = arena_new(0);
    struct run_entries entries;
    run_journal_replay(arena, str_from(lines), &entries);
    const struct run_entry *last = run_entries_last(&entries, "apply", "a");
    ck_assert_pstr_eq(last ? last->event : NULL, event);
    ck_assert_pstr_eq(last ? last->outcome : NULL, outcome);
    arena_free(arena);
}

START_TEST(half_a_line_of_a_full_disk_is_cut_off)
{
    char *folder = test_folder_new();
    struct arena *arena = arena_new(0);
    const char *path = arena_printf(arena, "%s/journal.jsonl", folder);
    struct run_journal *journal;
    struct error err = {0};
    struct rlimit before, small;
    ck_assert_int_eq(run_journal_open(path, false, &journal, &err), 0);
    ck_assert_int_eq(run_journal_begin(journal, "apply", "one", &err), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 130; /* in the middle of the second line */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_assert_int_lt(
        run_journal_end(journal, "apply", "one", "ok", "a text that is too long for the disk", &err), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(run_journal_begin(journal, "apply", "two", &err), 0);
    run_journal_close(journal);
    ck_assert_int_eq(run_journal_open(path, true, &journal, &err), 0);
    const struct run_entries *entries = run_journal_before(journal);
    ck_assert_uint_eq(entries->bad_lines, 0);
    ck_assert_uint_eq(entries->count, 2);
    ck_assert_str_eq(run_entries_last(entries, "apply", "two")->event, "begin");
    run_journal_close(journal);
    test_folder_remove(folder);
    arena_free(arena);
}
END_TEST

START_TEST(what_was_refused_is_as_if_it_had_not_been_begun)
{
#define BEGIN        "{\"event\":\"begin\",\"step\":\"apply\",\"root\":\"a\"}\n"
#define END(outcome) "{\"event\":\"end\",\"step\":\"apply\",\"root\":\"a\",\"outcome\":\"" outcome "\"}\n"
    check_last(BEGIN END("refused"), NULL, NULL);
    check_last(BEGIN END("ok") BEGIN END("refused"), "end", "ok");
    check_last(BEGIN END("failed") BEGIN END("refused") BEGIN END("refused"), "end", "failed");
    check_last(BEGIN BEGIN END("refused"), "begin", "");
    check_last(BEGIN END("refused") BEGIN, "begin", "");
}
END_TEST

static Suite *journal_suite(void)
{
    Suite *suite = suite_create("run journal");
    TCase *tcase = tcase_create("journal");
    tcase_add_test(tcase, what_was_written_is_replayed);
    tcase_add_test(tcase, a_child_is_not_forgotten_over_a_refusal);
    tcase_add_test(tcase, a_torn_last_line_is_cut_off);
    tcase_add_test(tcase, a_damaged_line_hides_no_other);
    tcase_add_test(tcase, reading_creates_and_changes_nothing);
    tcase_add_test(tcase, half_a_line_of_a_full_disk_is_cut_off);
    tcase_add_test(tcase, what_was_refused_is_as_if_it_had_not_been_begun);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(journal_suite)
