#include "lib/core/fault.h"
#include "lib/core/file.h"
#include "tests/support/support.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder, *path;

static void set_up(void)
{
    folder = test_folder_new();
    path = test_path(folder, "file");
}

static void tear_down(void)
{
    free(path);
    test_folder_remove(folder);
}

static size_t count_entries(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

START_TEST(reading_up_to_the_maximum)
{
    struct error err;
    struct buf bytes = BUF_INIT(10);
    test_file_write(path, STR("0123456789"));
    ck_assert_int_eq(file_read(path, &bytes, &err), 0);
    ck_assert_str_eq(buf_text(&bytes), "0123456789");
    buf_reset(&bytes);
    test_file_write(path, STR("0123456789x"));
    ck_assert_int_eq(file_read(path, &bytes, &err), ERR_LIMIT);
    ck_assert_contains(err.message, "larger than 10 bytes");
    buf_reset(&bytes);
    test_file_write(path, STR(""));
    ck_assert_int_eq(file_read(path, &bytes, &err), 0);
    ck_assert_uint_eq(bytes.len, 0);
    ck_assert_int_eq(file_read(folder, &bytes, &err), -EISDIR);
    ck_assert_int_eq(file_read("/nonexistent", &bytes, &err), -ENOENT);
    ck_assert_str_eq(err.message, "cannot open /nonexistent: No such file or directory");
    buf_deinit(&bytes);
}
END_TEST

START_TEST(proc_files_have_no_size)
{
    struct error err;
    struct buf bytes = BUF_INIT(1 << 20);
    ck_assert_int_eq(file_read("/proc/self/status", &bytes, &err), 0);
    ck_assert_contains(buf_text(&bytes), "Pid:");
    buf_deinit(&bytes);
}
END_TEST

START_TEST(replacing)
{
    struct error err;
    struct stat status;
    ck_assert_int_eq(file_replace(path, STR("old"), 0640, &err), 0);
    ck_assert_int_eq(file_replace_unsynced(path, STR("quick"), 0640, &err), 0);
    ck_assert_int_eq(file_replace(path, STR("new"), 0604, &err), 0);
    char *text = test_file_read(path);
    ck_assert_str_eq(text, "new");
    free(text);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0604);
    ck_assert_uint_eq(count_entries(), 1);
    char *nowhere = test_path(folder, "absent/file");
    ck_assert_int_eq(file_replace(nowhere, STR("x"), 0600, &err), -ENOENT);
    free(nowhere);
}
END_TEST

START_TEST(a_failed_replacement_keeps_the_old_bytes)
{
#ifdef FRAISEQL_FAULTS
    static const char *const faults[] = {"file.write", "file.fsync", "file.rename"};
    struct error err;
    ck_assert_int_eq(file_replace(path, STR("old"), 0600, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        fault_arm(faults[i], ENOSPC, 1);
        ck_assert_int_eq(file_replace(path, STR("new"), 0600, &err), -ENOSPC);
        ck_assert_contains(err.message, "No space left");
        char *text = test_file_read(path);
        ck_assert_str_eq(text, "old");
        free(text);
        ck_assert_uint_eq(count_entries(), 1); /* the temporary file is gone */
    }
#endif
}
END_TEST

START_TEST(a_lock_has_one_holder)
{
    struct error err;
    int fd = -1, other = -1;
    char expected[512], host[256] = "";
    ck_assert_int_eq(gethostname(host, sizeof host - 1), 0);
    ck_assert_int_eq(file_lock(path, &fd, &err), 0);
    ck_assert_int_eq(file_lock(path, &other, &err), ERR_CONFLICT);
    (void)snprintf(expected, sizeof expected, "is locked by process %d on %s since 2", (int)getpid(), host);
    ck_assert_contains(err.message, expected);
    /* What an older version wrote, and what nobody did. */
    test_file_write(path, STR("4711\n"));
    ck_assert_int_eq(file_lock(path, &other, &err), ERR_CONFLICT);
    ck_assert_str_eq(strstr(err.message, " is locked"), " is locked by process 4711");
    test_file_write(path, STR("4711 "));
    ck_assert_int_eq(file_lock(path, &other, &err), ERR_CONFLICT);
    ck_assert_str_eq(strstr(err.message, " is locked"), " is locked by process 4711");
    test_file_write(path, STR("rubbish\n"));
    ck_assert_int_eq(file_lock(path, &other, &err), ERR_CONFLICT);
    ck_assert_contains(err.message, "is locked by another process");
    (void)close(fd);
    ck_assert_int_eq(file_lock(path, &other, &err), 0);
    (void)close(other);
}
END_TEST

START_TEST(a_dead_holder_lets_go)
{
    struct error err;
    int fd = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(file_lock(path, &fd, &err) == 0 ? 0 : 1);
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(file_lock(path, &fd, &err), 0);
    (void)close(fd);
}
END_TEST

START_TEST(folders)
{
    struct error err;
    struct stat status;
    char *deep = test_path(folder, "a/b//c");
    ck_assert_int_eq(file_make_folder(deep, 0750, &err), 0);
    ck_assert_int_eq(file_make_folder(deep, 0750, &err), 0);
    ck_assert_int_eq(stat(deep, &status), 0);
    ck_assert(S_ISDIR(status.st_mode));
    free(deep);
    test_file_write(path, STR(""));
    char *below = test_path(folder, "file/x");
    ck_assert_int_eq(file_make_folder(below, 0750, &err), -ENOTDIR);
    ck_assert_int_eq(file_make_folder("", 0750, &err), -ENOENT);
    free(below);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("file");
    TCase *tests = tcase_create("file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, reading_up_to_the_maximum);
    tcase_add_test(tests, proc_files_have_no_size);
    tcase_add_test(tests, replacing);
    tcase_add_test(tests, a_failed_replacement_keeps_the_old_bytes);
    tcase_add_test(tests, a_lock_has_one_holder);
    tcase_add_test(tests, a_dead_holder_lets_go);
    tcase_add_test(tests, folders);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
