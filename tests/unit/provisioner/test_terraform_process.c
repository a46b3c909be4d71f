#include "provisioner/terraform/process.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int shell(const char *script, struct buf *output, struct buf *errors)
{
    int status = -1;
    struct error err = {0};
    static const char *const variables[] = {"FRAISEQL_TEST_WORD=given", NULL};
    const char *const argv[] = {"sh", "-c", script, NULL};
    ck_assert_msg(process_capture(argv, variables, output, errors, &status, &err) == 0, "%s", err.message);
    return status;
}

START_TEST(outputs_and_status_are_captured)
{
    struct buf output = BUF_INIT(1024), errors = BUF_INIT(1024);
    ck_assert_int_eq(shell("echo \"$FRAISEQL_TEST_WORD\"; echo bad >&2; exit 3", &output, &errors), 3);
    ck_assert_str_eq(buf_text(&output), "given\n");
    ck_assert_str_eq(buf_text(&errors), "bad\n");
    buf_deinit(&output);
    buf_deinit(&errors);
}
END_TEST

START_TEST(more_than_a_pipe_holds_on_both_outputs)
{
    struct buf output = BUF_INIT(1024UL * 1024), errors = BUF_INIT(1024UL * 1024);
    ck_assert_int_eq(shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2", &output, &errors), 0);
    ck_assert_uint_eq(output.len, 300000);
    ck_assert_uint_eq(errors.len, 300000);
    buf_deinit(&output);
    buf_deinit(&errors);
}
END_TEST

START_TEST(death_by_signal_is_a_status)
{
    struct buf output = BUF_INIT(16);
    ck_assert_int_eq(shell("kill -TERM $$", &output, NULL), 128 + SIGTERM);
    buf_deinit(&output);
}
END_TEST

static void *capture_sleep(void *arg)
{
    struct buf output = BUF_INIT(16);
    *(int *)arg = shell("exec sleep 60", &output, NULL);
    buf_deinit(&output);
    return NULL;
}

START_TEST(a_capture_in_flight_is_interrupted)
{
    pthread_t thread;
    int status = -1;
    ck_assert_int_eq(pthread_create(&thread, NULL, capture_sleep, &status), 0);
    struct timespec pause = {.tv_nsec = 20000000};
    do
        process_interrupt_captures(); /* it may not have begun yet */
    while (pthread_timedjoin_np(thread, NULL, &(struct timespec){0}) && nanosleep(&pause, NULL) == 0);
    ck_assert_int_eq(status, 128 + SIGINT);
    process_interrupt_captures(); /* nobody */
}
END_TEST

START_TEST(a_child_has_a_group_of_its_own)
{
    const char *const argv[] = {"sleep", "60", NULL};
    struct process_request request = {argv, NULL, STDERR_FILENO, -1};
    struct process process;
    int status = 0;
    ck_assert_int_eq(process_start(&request, &process, NULL), 0);
    ck_assert_int_eq(getpgid(process.pid), process.pid);
    ck_assert(!process_wait(&process, 1, &status));
    ck_assert_int_eq(kill(process.pid, SIGINT), 0);
    while (!process_wait(&process, 1000, &status)) {
    }
    ck_assert_int_eq(status, 128 + SIGINT);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_an_error)
{
    char path[PROCESS_PATH_MAX];
    struct error err = {0};
    int status = 0;
    struct buf output = BUF_INIT(16);
    const char *const argv[] = {"fraiseql-no-such-program", NULL};
    ck_assert_ptr_null(process_find(argv[0], path));
    ck_assert_ptr_null(process_find("/etc/passwd", path));
    ck_assert_ptr_nonnull(process_find("sh", path));
    ck_assert_int_ne(process_capture(argv, NULL, &output, NULL, &status, &err), 0);
    ck_assert_contains(err.message, "fraiseql-no-such-program");
}
END_TEST

static Suite *process_suite(void)
{
    Suite *suite = suite_create("process");
    TCase *tcase = tcase_create("process");
    tcase_add_test(tcase, a_capture_in_flight_is_interrupted);
    tcase_add_test(tcase, outputs_and_status_are_captured);
    tcase_add_test(tcase, more_than_a_pipe_holds_on_both_outputs);
    tcase_add_test(tcase, death_by_signal_is_a_status);
    tcase_add_test(tcase, a_child_has_a_group_of_its_own);
    tcase_add_test(tcase, a_program_that_is_not_there_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(process_suite)
