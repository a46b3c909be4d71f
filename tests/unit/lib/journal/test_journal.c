#include "lib/journal/journal.h"

#include "lib/core/clock.h"
#include "lib/core/fault.h"
#include "lib/journal/state.h"
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder, *path;

static void setup(void)
{
    folder = test_folder_new();
    path = test_path(folder, "journal.db");
}

static void teardown(void)
{
    fault_arm("journal.commit", 0, 0);
    free(path);
    test_folder_remove(folder);
}

static struct journal *open_journal(void)
{
    struct journal *journal = NULL;
    struct error err = {0};
    ck_assert_msg(journal_open(path, &journal, &err) == 0, "%s", err.message);
    return journal;
}

static void close_journal(struct journal *journal)
{
    journal_close(journal, clock_mono_ns() + 5 * NS_PER_S);
}

/* --- helpers that count completions --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned finished, failed;
static int last_code;

static void note_done(void *arg, const struct error *err)
{
    (void)arg;
    (void)pthread_mutex_lock(&lock);
    finished++;
    failed += err != NULL;
    last_code = err ? err->code : 0;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

static void wait_finished(unsigned count)
{
    (void)pthread_mutex_lock(&lock);
    while (finished < count)
        (void)pthread_cond_wait(&changed, &lock);
    (void)pthread_mutex_unlock(&lock);
}

static int put_key(struct journal_txn *txn, void *arg, struct error *err)
{
    return state_put(txn, "test", arg, STR("value"), err);
}

static int put_and_fail(struct journal_txn *txn, void *arg, struct error *err)
{
    int code = state_put(txn, "test", arg, STR("value"), err);
    return code ? code : error_set(err, ERR_PEER, "changed my mind");
}

static int count_key(void *ctx, const char *key, struct str value, struct error *err)
{
    (void)key;
    (void)value;
    (void)err;
    ++*(unsigned *)ctx;
    return 0;
}

static int count_keys(struct journal_txn *txn, void *arg, struct error *err)
{
    *(unsigned *)arg = 0;
    return state_each(txn, "test", count_key, arg, err);
}

static unsigned keys(struct journal *journal)
{
    unsigned count = 0;
    ck_assert_int_eq(journal_run(journal, count_keys, &count, NULL), 0);
    return count;
}

static void submit(struct journal *journal, journal_fn *fn, const char *key)
{
    ck_assert_int_eq(journal_submit(journal, fn, note_done, (void *)(uintptr_t)key, NULL), 0);
}

/* --- tests --- */

START_TEST(what_was_committed_is_there_after_reopening)
{
    struct journal *journal = open_journal();
    ck_assert_int_eq(journal_run(journal, put_key, (void *)(uintptr_t) "a", NULL), 0);
    struct journal_stats stats;
    journal_stats(journal, &stats);
    ck_assert_uint_eq(stats.commits, 1);
    ck_assert_uint_gt(stats.bytes, 0);
    ck_assert_uint_eq(stats.waiting, 0);
    close_journal(journal);
    struct stat found;
    ck_assert_int_eq(stat(path, &found), 0);
    ck_assert_uint_eq(found.st_mode & 0777, 0600);
    journal = open_journal();
    ck_assert_uint_eq(keys(journal), 1);
    close_journal(journal);
}
END_TEST

START_TEST(a_second_process_is_refused)
{
    struct journal *journal = open_journal(), *second = NULL;
    struct error err = {0};
    ck_assert_int_eq(journal_open(path, &second, &err), ERR_CONFLICT);
    ck_assert_contains(err.message, "journal.db");
    close_journal(journal);
}
END_TEST

START_TEST(a_refused_transaction_takes_no_other_down)
{
    struct journal *journal = open_journal();
    finished = failed = 0;
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (unsigned i = 0; i < 5; i++)
        submit(journal, i == 2 ? put_and_fail : put_key, names[i]);
    wait_finished(5);
    ck_assert_uint_eq(failed, 1);
    ck_assert_uint_eq(keys(journal), 4);
    close_journal(journal);
}
END_TEST

START_TEST(a_full_disk_delays_and_loses_nothing)
{
    struct journal *journal = open_journal();
    finished = failed = 0;
    fault_arm("journal.commit", ENOSPC, 3);
    static const char *const names[] = {"a", "b", "c", "d"};
    for (unsigned i = 0; i < 4; i++)
        submit(journal, put_key, names[i]);
    wait_finished(4);
    struct journal_stats stats;
    journal_stats(journal, &stats);
    ck_assert_uint_eq(failed, 0);
    ck_assert_uint_ge(stats.failed_commits, 1);
    ck_assert_str_eq(stats.last_error, "");
    ck_assert_uint_eq(keys(journal), 4);
    close_journal(journal);
}
END_TEST

static int put_much(struct journal_txn *txn, void *arg, struct error *err)
{
    static char bytes[300000];
    return state_put(txn, "test", arg, (struct str){bytes, sizeof bytes}, err);
}

/* The file system really refuses to let the file grow. */
START_TEST(a_write_that_fails_in_the_file_system_is_retried)
{
    struct journal *journal = open_journal();
    struct rlimit before, small = {.rlim_cur = 200000};
    finished = failed = 0;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    submit(journal, put_much, "big");
    struct journal_stats stats = {0};
    while (!stats.failed_commits)
        journal_stats(journal, &stats);
    ck_assert_str_ne(stats.last_error, "");
    ck_assert_uint_eq(stats.waiting, 1);
    ck_assert_int_ne(stats.oldest_waiting_mono_ns, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    wait_finished(1);
    ck_assert_uint_eq(failed, 0);
    ck_assert_uint_eq(keys(journal), 1);
    close_journal(journal);
}
END_TEST

START_TEST(closing_with_a_full_disk_ends_at_the_deadline)
{
    struct journal *journal = open_journal();
    finished = failed = 0;
    fault_arm("journal.commit", ENOSPC, 0);
    submit(journal, put_key, "a");
    journal_close(journal, clock_mono_ns() + 50 * NS_PER_MS);
    ck_assert_uint_eq(finished, 1);
    ck_assert_int_eq(last_code, ERR_CANCELLED);
}
END_TEST

START_TEST(too_much_waiting_is_refused)
{
    struct journal *journal = open_journal();
    struct error err = {0};
    unsigned accepted = 0;
    finished = failed = 0;
    fault_arm("journal.commit", ENOSPC, 0);
    while (journal_submit(journal, put_key, note_done, (void *)(uintptr_t) "a", &err) == 0)
        accepted++;
    ck_assert_int_eq(err.code, ERR_LIMIT);
    struct journal_stats stats;
    journal_stats(journal, &stats);
    ck_assert_uint_eq(stats.waiting, accepted);
    ck_assert_uint_eq(stats.refused, 1);
    fault_arm("journal.commit", 0, 0);
    wait_finished(accepted);
    ck_assert_uint_eq(failed, 0);
    close_journal(journal);
}
END_TEST

static void expect_refused(int code, const char *part)
{
    struct journal *journal = NULL;
    struct error err = {0};
    ck_assert_int_eq(journal_open(path, &journal, &err), code);
    char text[1500];
    error_format(&err, text, sizeof text);
    ck_assert_contains(text, path);
    ck_assert_contains(text, part);
}

START_TEST(a_damaged_file_is_named_with_what_to_do)
{
    test_file_write(path,
                    STR("this is no database, but it is long enough to look like one at first sight ........."
                        "....................................................................."));
    expect_refused(ERR_CORRUPT, "move the file");
    struct journal *journal;
    ck_assert_int_eq(unlink(path), 0);
    journal = open_journal();
    ck_assert_int_eq(journal_run(journal, put_much, (void *)(uintptr_t) "big", NULL), 0);
    close_journal(journal);
    char *bytes = test_file_read(path);
    struct stat found;
    ck_assert_int_eq(stat(path, &found), 0);
    memset(bytes + 4096, 0x55, 3 * 4096);
    test_file_write(path, (struct str){bytes, (size_t)found.st_size});
    free(bytes);
    expect_refused(ERR_CORRUPT, "move the file");
}
END_TEST

static void patch_header(size_t offset, char byte)
{
    close_journal(open_journal());
    struct stat found;
    char *bytes = test_file_read(path);
    ck_assert_int_eq(stat(path, &found), 0);
    bytes[offset] = byte;
    test_file_write(path, (struct str){bytes, (size_t)found.st_size});
    free(bytes);
}

START_TEST(a_newer_version_is_refused)
{
    patch_header(63, 99); /* user_version, big-endian at 60 */
    expect_refused(ERR_CONFLICT, "newer");
}
END_TEST

START_TEST(a_file_of_another_program_is_refused)
{
    patch_header(68, 1); /* application id at 68 */
    expect_refused(ERR_CONFLICT, "another program");
}
END_TEST

/* A child writes numbered keys and tells each after its commit; it is killed at a random moment. */
static void write_for_ever(int fd)
{
    struct journal *journal = open_journal();
    for (unsigned i = keys(journal);; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%010u", i);
        if (journal_run(journal, put_key, key, NULL) || write(fd, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

START_TEST(every_acknowledged_transaction_survives_kill_9)
{
    unsigned acknowledged = 0, any = 0;
    srandom(3);
    for (unsigned round = 0; round < 8; round++) {
        int pipe_fds[2];
        ck_assert_int_eq(pipe(pipe_fds), 0);
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (!child) {
            (void)close(pipe_fds[0]);
            write_for_ever(pipe_fds[1]);
        }
        (void)close(pipe_fds[1]);
        unsigned number, want = 1 + (unsigned)random() % 60;
        while (want-- && read(pipe_fds[0], &number, sizeof number) == sizeof number)
            acknowledged = number + 1;
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        while (read(pipe_fds[0], &number, sizeof number) == sizeof number)
            acknowledged = number + 1;
        (void)close(pipe_fds[0]);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        struct journal *journal = open_journal();
        unsigned there = keys(journal);
        ck_assert_uint_ge(there, acknowledged);
        ck_assert_uint_le(there, acknowledged + 1);
        any += acknowledged > 0;
        close_journal(journal);
    }
    ck_assert_uint_gt(any, 0);
}
END_TEST

static Suite *journal_suite(void)
{
    Suite *suite = suite_create("journal");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_was_committed_is_there_after_reopening);
    tcase_add_test(tcase, a_second_process_is_refused);
    tcase_add_test(tcase, a_refused_transaction_takes_no_other_down);
    if (FAULTS_ENABLED) {
        tcase_add_test(tcase, a_full_disk_delays_and_loses_nothing);
        tcase_add_test(tcase, closing_with_a_full_disk_ends_at_the_deadline);
        tcase_add_test(tcase, too_much_waiting_is_refused);
    }
    tcase_add_test(tcase, a_write_that_fails_in_the_file_system_is_retried);
    tcase_add_test(tcase, a_damaged_file_is_named_with_what_to_do);
    tcase_add_test(tcase, a_newer_version_is_refused);
    tcase_add_test(tcase, a_file_of_another_program_is_refused);
    tcase_add_test(tcase, every_acknowledged_transaction_survives_kill_9);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(journal_suite)
