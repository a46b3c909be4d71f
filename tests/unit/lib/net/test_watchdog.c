#include "lib/net/watchdog.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

static sem_t holding, let_go;

static void hold(void *arg)
{
    (void)arg;
    (void)sem_post(&holding);
    (void)sem_wait(&let_go);
}

/* Waits until the log has `part`; the text is the caller's. */
static char *wait_for_line(const char *path, const char *part)
{
    int64_t deadline = clock_mono_ns() + 30 * NS_PER_S;
    for (;;) {
        char *text = test_file_read(path);
        if (strstr(text, part) || clock_mono_ns() > deadline)
            return text;
        free(text);
        (void)usleep(5000);
    }
}

static unsigned count(const char *text, const char *part)
{
    unsigned found = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        found++;
    return found;
}

START_TEST(a_held_loop_is_named_once_a_hold)
{
    struct loop *loops[2];
    struct watchdog *watchdog;
    char *folder = test_folder_new(), *path = test_path(folder, "log");
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_configure(LOG_INFO, LOG_LOGFMT);
    log_set_fd(fd);
    (void)sem_init(&holding, 0, 0);
    (void)sem_init(&let_go, 0, 0);
    ck_assert_int_eq(loop_new("held", &loops[0], NULL), 0);
    ck_assert_int_eq(loop_new("free", &loops[1], NULL), 0);
    ck_assert_int_eq(loop_start(loops[0], NULL), 0);
    ck_assert_int_eq(loop_start(loops[1], NULL), 0);
    ck_assert_int_eq(watchdog_start(loops, 2, &watchdog, NULL), 0);
    for (unsigned round = 1; round <= 2; round++) {
        ck_assert(loop_post(loops[0], "the culprit", hold, NULL));
        (void)sem_wait(&holding);
        char *text;
        do { /* the line of this round */
            text = wait_for_line(path, "loop.stuck");
            unsigned lines = count(text, "loop.stuck");
            if (lines >= round)
                break;
            free(text);
        } while (true);
        ck_assert_contains(text, "the culprit");
        ck_assert_contains(text, "loop=held");
        ck_assert_ptr_null(strstr(text, "loop=free"));
        free(text);
        (void)sem_post(&let_go);
        do {
            text = wait_for_line(path, "loop.free_again");
            unsigned lines = count(text, "loop.free_again");
            ck_assert_uint_eq(count(text, "loop.stuck"), round); /* once a hold */
            free(text);
            if (lines >= round)
                break;
        } while (true);
    }
    watchdog_stop(watchdog);
    watchdog_stop(NULL);
    for (unsigned i = 0; i < 2; i++) {
        loop_stop(loops[i]);
        loop_free(loops[i]);
    }
    log_set_fd(STDERR_FILENO);
    (void)close(fd);
    free(path);
    test_folder_remove(folder);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("watchdog");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_held_loop_is_named_once_a_hold);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
