#include "lib/core/clock.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder, *path;
static int fd;

static void set_up(void)
{
    folder = test_folder_new();
    path = test_path(folder, "log");
    fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    (void)unsetenv("JOURNAL_STREAM");
    log_set_fd(fd);
    log_configure(LOG_DEBUG, LOG_LOGFMT);
    clock_set_virtual(1000 * NS_PER_S, INT64_C(1764000000123) * NS_PER_MS);
}

static void tear_down(void)
{
    clock_use_real();
    log_set_fd(STDERR_FILENO);
    (void)close(fd);
    free(path);
    test_folder_remove(folder);
}

static void assert_log(const char *expected)
{
    char *text = test_file_read(path);
    ck_assert_str_eq(text, expected);
    free(text);
}

#define STAMP "time=2025-11-24T16:00:00.123Z "

START_TEST(logfmt_line)
{
    LOG_EVENT(LOG_WARN, "probe.failed", LF_TEXT("probe", "api"), LF_I64("tries", -3), LF_F64("ratio", 0.25),
              LF_BOOL("up", false));
    assert_log(STAMP "level=warn event=probe.failed probe=api tries=-3 ratio=0.25 up=false\n");
}
END_TEST

START_TEST(logfmt_escapes)
{
    LOG_EVENT(LOG_INFO, "e", LF_TEXT("a", "two words"), LF_TEXT("b", "q\"q"), LF_TEXT("c", "x=y"),
              LF_TEXT("d", ""), LF_TEXT("e", "line\nlevel=error"), LF_TEXT("f", "back\\"),
              LF_STR("g", STR("z\0z")), LF_TEXT("h", "\xFF\xC3\xA9"));
    assert_log(STAMP
               "level=info event=e a=\"two words\" b=\"q\\\"q\" c=\"x=y\" d=\"\" e=\"line\\nlevel=error\" "
               "f=\"back\\\\\" g=\"z z\" h=\"\xEF\xBF\xBD\xC3\xA9\"\n");
}
END_TEST

START_TEST(errors_become_fields)
{
    struct error err;
    (void)error_set(&err, ERR_PEER, "cannot %s", "scrape");
    error_set_detail(&err, "status 500");
    error_set_hint(&err, "ask them");
    error_set_position(&err, "c.yaml", 3, 4);
    LOG_EVENT(LOG_ERROR, "scrape.failed", LF_ERROR(&err));
    assert_log(
        STAMP
        "level=error event=scrape.failed error=\"cannot scrape\" detail=\"status 500\" hint=\"ask them\" "
        "position=c.yaml:3:4\n");
}
END_TEST

START_TEST(secrets_in_fields_are_masked)
{
    struct error err;
    (void)error_set(&err, ERR_PEER, "cannot connect to postgres://u:s3cret@h/d");
    LOG_EVENT(LOG_WARN, "e", LF_TEXT("dsn", "host=h password='s3 cret' port=1"), LF_ERROR(&err));
    assert_log(STAMP "level=warn event=e dsn=\"host=h password=*** port=1\" "
                     "error=\"cannot connect to postgres://u:***@h/d\"\n");
}
END_TEST

START_TEST(json_lines_are_json)
{
    log_configure(LOG_DEBUG, LOG_JSON);
    LOG_EVENT(LOG_WARN, "e", LF_TEXT("a", "x\"\n\x01"), LF_I64("n", INT64_MIN), LF_F64("f", 0.1),
              LF_BOOL("b", true));
    char *text = test_file_read(path);
    ck_assert_str_eq(text, "{\"time\":\"2025-11-24T16:00:00.123Z\",\"level\":\"warn\",\"event\":\"e\","
                           "\"a\":\"x\\\"\\n\\u0001\",\"n\":-9223372036854775808,\"f\":0.1,\"b\":true}\n");
    struct arena *arena = arena_new(0);
    struct node *root;
    struct error err;
    ck_assert_int_eq(json_parse(arena, str_trim(str_from(text)), &root, &err), 0);
    arena_free(arena);
    free(text);
}
END_TEST

static void noisy(void)
{
    LOG_EVENT(LOG_INFO, "noisy");
}

START_TEST(a_site_is_limited_and_says_what_it_held_back)
{
    uint64_t before = log_lines(LOG_INFO);
    for (int i = 0; i < LOG_BURST + 7; i++)
        noisy();
    ck_assert_uint_eq(log_lines(LOG_INFO) - before, LOG_BURST);
    LOG_EVENT(LOG_INFO, "other"); /* another site is not affected */
    ck_assert_uint_eq(log_lines(LOG_INFO) - before, LOG_BURST + 1);
    clock_set_virtual(1001 * NS_PER_S, INT64_C(1764000001123) * NS_PER_MS);
    noisy();
    char *text = test_file_read(path);
    ck_assert_contains(text, "time=2025-11-24T16:00:01.123Z level=info event=noisy suppressed=7\n");
    free(text);
    noisy();
    text = test_file_read(path);
    ck_assert_contains(text, "event=noisy\ntime=");
    ck_assert_ptr_eq(strstr(strstr(text, "suppressed") + 1, "suppressed"), NULL);
    free(text);
}
END_TEST

START_TEST(levels_below_the_least_are_free)
{
    log_configure(LOG_WARN, LOG_LOGFMT);
    ck_assert(!log_enabled(LOG_INFO));
    ck_assert(log_enabled(LOG_WARN));
    int evaluated = 0;
    LOG_EVENT(LOG_INFO, "e", LF_I64("n", ++evaluated));
    ck_assert_int_eq(evaluated, 0);
    assert_log("");
}
END_TEST

START_TEST(long_values_and_lines_are_cut_and_stay_well_formed)
{
    char *value = xmalloc(5000);
    memset(value, 'x', 4999);
    value[4999] = '\0';
    log_configure(LOG_DEBUG, LOG_JSON);
    LOG_EVENT(LOG_INFO, "e", LF_TEXT("a", value), LF_TEXT("b", value), LF_TEXT("c", value),
              LF_TEXT("d", value), LF_TEXT("e", value));
    char *text = test_file_read(path);
    ck_assert_uint_le(strlen(text), 16384);
    ck_assert_contains(text, "\"truncated\":true}\n");
    struct arena *arena = arena_new(0);
    struct node *root;
    struct error err;
    ck_assert_int_eq(json_parse(arena, str_trim(str_from(text)), &root, &err), 0);
    arena_free(arena);
    free(text);
    free(value);
}
END_TEST

START_TEST(under_systemd_lines_carry_a_priority)
{
    struct stat status;
    char stream[64];
    ck_assert_int_eq(fstat(fd, &status), 0);
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino);
    ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
    log_set_fd(fd);
    LOG_EVENT(LOG_WARN, "e");
    ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:1", 1), 0); /* the stream of somebody else */
    log_set_fd(fd);
    LOG_EVENT(LOG_ERROR, "e");
    (void)unsetenv("JOURNAL_STREAM");
    assert_log("<4>" STAMP "level=warn event=e\n" STAMP "level=error event=e\n");
}
END_TEST

static void *log_much(void *context)
{
    (void)context;
    for (int i = 0; i < 500; i++)
        noisy();
    return NULL;
}

START_TEST(threads_lose_no_count)
{
    pthread_t threads[4];
    uint64_t before = log_lines(LOG_INFO);
    clock_set_virtual(5000 * NS_PER_S, INT64_C(1764000000123) * NS_PER_MS);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_much, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    uint64_t written = log_lines(LOG_INFO) - before;
    clock_set_virtual(5001 * NS_PER_S, INT64_C(1764000000123) * NS_PER_MS);
    noisy();
    char *text = test_file_read(path);
    uint64_t suppressed = 0;
    for (const char *at = strstr(text, "suppressed="); at; at = strstr(at + 1, "suppressed="))
        suppressed += strtoull(at + 11, NULL, 10);
    ck_assert_uint_eq(written + suppressed, 2000);
    free(text);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, logfmt_line);
    tcase_add_test(tests, logfmt_escapes);
    tcase_add_test(tests, errors_become_fields);
    tcase_add_test(tests, secrets_in_fields_are_masked);
    tcase_add_test(tests, json_lines_are_json);
    tcase_add_test(tests, a_site_is_limited_and_says_what_it_held_back);
    tcase_add_test(tests, levels_below_the_least_are_free);
    tcase_add_test(tests, long_values_and_lines_are_cut_and_stay_well_formed);
    tcase_add_test(tests, under_systemd_lines_carry_a_priority);
    tcase_add_test(tests, threads_lose_no_count);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
