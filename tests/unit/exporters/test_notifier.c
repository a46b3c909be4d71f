/* The notifier against webhook receivers that hang, fail and refuse; journal, HTTP client and loop are real.
 */
#include "exporters/webhook_sign.h"
#include "tests/unit/exporters/notifier_harness.h"
#include "tests/unit/exporters/webhook_server.h"

#include <signal.h>
#include <sys/wait.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static char *config_text(const struct webhook_server *server, const char *folder, const char *extra)
{
    char *path = test_path(folder, "secret");
    test_file_write(path, STR(SECRET "\n"));
    struct buf out = BUF_INIT(65536);
    buf_printf(
        &out,
        "- { name: oncall, webhook: { url: http://127.0.0.1:%u/hook, secret_file: %s, timeout: 2s } }\n%s",
        server->port, path, extra);
    free(path);
    return buf_take(&out);
}

static const char *always_ok(struct webhook_server *server, size_t number,
                             const struct server_request *request)
{
    (void)server;
    (void)number;
    (void)request;
    return ANSWER("200 OK");
}

static void check_signature(const struct server_request *request)
{
    struct webhook_keys *keys CLEANUP(webhook_keys_free_cleanup) = NULL;
    ck_assert_int_eq(webhook_keys_parse(STR(SECRET), &keys, NULL, NULL), 0);
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(4096);
    webhook_sign(keys, request->id, strtoll(request->timestamp, NULL, 10), str_from(request->body), &out);
    ck_assert_str_eq(buf_text(&out), request->signature);
}

START_TEST(one_firing_and_one_resolved_reach_the_receiver_in_order)
{
    struct webhook_server server;
    server_listen(&server, always_ok);
    server_run(&server);
    char *folder = test_folder_new();
    char *text = config_text(&server, folder, "");
    struct harness h;
    harness_start(&h, folder, text);
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_FIRING});
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_UNKNOWN});
    /* Told already: neither is sent a second time. */
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_FIRING});
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_UNKNOWN});
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_RESOLVED});
    struct harness_rows rows;
    harness_wait_rows(&h, "i1", "oncall", 3, DELIVERY_DELIVERED, &rows);
    ck_assert_uint_eq(rows.count, 3);
    ck_assert_uint_eq(server_count(&server), 3);
    ck_assert_contains(server.requests[0].body, "\"status\":\"firing\"");
    ck_assert_contains(server.requests[1].body, "\"state\":\"unknown\"");
    ck_assert_contains(server.requests[2].body, "\"status\":\"resolved\"");
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(server.requests[i].id, rows.rows[i].id);
        ck_assert_uint_eq(rows.rows[i].attempts, 1);
        check_signature(&server.requests[i]);
    }
    harness_stop(&h);
    /* Nothing is pending, so the next process sends nothing; another incident proves that it is awake. */
    harness_start(&h, folder, text);
    harness_change(&h,
                   (struct harness_change){.incident = "i2", .receiver = "oncall", .state = ALERT_FIRING});
    harness_wait_rows(&h, "i2", "oncall", 1, DELIVERY_DELIVERED, &rows);
    ck_assert_uint_eq(server_count(&server), 4);
    harness_stop(&h);
    server_stop(&server);
    free(text);
    test_folder_remove(folder);
}
END_TEST

static const char *fail_then_ok(struct webhook_server *server, size_t number,
                                const struct server_request *request)
{
    (void)server;
    (void)request;
    switch (number) {
    case 0:
        return ANSWER("500 Internal Server Error");
    case 1:
        return "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n";
    case 2:
        return ANSWER("401 Unauthorized");
    default:
        return ANSWER("204 No Content");
    }
}

START_TEST(failures_are_tried_again_with_the_same_id_and_body)
{
    struct webhook_server server;
    server_listen(&server, fail_then_ok);
    server_run(&server);
    char *folder = test_folder_new();
    char *text = config_text(&server, folder, "");
    struct harness h;
    harness_start(&h, folder, text);
    int64_t begin_ns = clock_mono_ns();
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_FIRING});
    server_wait(&server, &server.count, 3);
    /* 0.45 s at least, then the 2 s of Retry-After: a lower bound only. */
    ck_assert_int_ge(clock_mono_ns() - begin_ns, 2 * NS_PER_S);
    struct harness_rows rows;
    harness_wait_rows(&h, "i1", "oncall", 1, DELIVERY_DELIVERED, &rows);
    ck_assert_uint_eq(rows.rows[0].attempts, 4);
    ck_assert_str_eq(rows.rows[0].last_error, "");
    ck_assert_uint_eq(server_count(&server), 4);
    for (size_t i = 1; i < 4; i++) {
        ck_assert_str_eq(server.requests[i].id, server.requests[0].id);
        ck_assert_str_eq(server.requests[i].body, server.requests[0].body);
        check_signature(&server.requests[i]);
    }
    harness_stop(&h);
    server_stop(&server);
    free(text);
    test_folder_remove(folder);
}
END_TEST

static const char *gone(struct webhook_server *server, size_t number, const struct server_request *request)
{
    (void)server;
    (void)number;
    (void)request;
    return ANSWER("410 Gone");
}

START_TEST(what_the_receiver_calls_gone_is_dead)
{
    struct webhook_server server;
    server_listen(&server, gone);
    server_run(&server);
    char *folder = test_folder_new();
    char *text = config_text(&server, folder, "");
    struct harness h;
    harness_start(&h, folder, text);
    struct harness_rows rows;
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_FIRING});
    harness_wait_rows(&h, "i1", "oncall", 1, DELIVERY_DEAD, &rows);
    ck_assert_str_eq(rows.rows[0].last_error, "HTTP status 410");
    harness_stop(&h);
    server_stop(&server);
    free(text);
    test_folder_remove(folder);
}
END_TEST

static int add_old(struct journal_txn *txn, void *arg, struct error *err)
{
    (void)arg;
    int64_t created_ns = clock_wall_ns() - 8 * 24 * 3600 * NS_PER_S;
    struct journal_delivery delivery = {.id = "01932f1c-0000-7000-8000-000000000001",
                                        .incident_id = "old",
                                        .receiver = "lost",
                                        .event = "firing",
                                        .payload = STR("{}"),
                                        .created_wall_ns = created_ns,
                                        .next_attempt_wall_ns = created_ns,
                                        .last_error = ""};
    return outbox_add(txn, &delivery, err);
}

START_TEST(a_receiver_that_is_missing_for_a_moment_loses_nothing)
{
    struct webhook_server server;
    server_listen(&server, always_ok);
    server_run(&server);
    char *folder = test_folder_new();
    char extra[256];
    (void)snprintf(extra, sizeof extra, "- { name: lost, webhook: { url: http://127.0.0.1:%u/lost } }\n",
                   server.port);
    char *without = config_text(&server, folder, "");
    char *with = config_text(&server, folder, extra);
    struct harness h;
    harness_start(&h, folder, without);
    struct harness_rows rows;
    harness_change(&h, (struct harness_change){.incident = "i1", .receiver = "lost", .state = ALERT_FIRING});
    ck_assert_int_eq(journal_run(h.journal, add_old, NULL, &h.err), 0);
    notifier_wake(h.notifier);
    harness_wait_rows(&h, "old", "lost", 1, DELIVERY_DEAD, &rows);
    ck_assert_str_eq(rows.rows[0].last_error, "the receiver is no longer configured");
    harness_wait_rows(&h, "i1", "lost", 1, DELIVERY_PENDING, &rows);
    harness_reconfigure(&h, with);
    harness_wait_rows(&h, "i1", "lost", 1, DELIVERY_DELIVERED, &rows);
    ck_assert_contains(server.requests[0].path, "/lost");
    harness_stop(&h);
    server_stop(&server);
    free(without);
    free(with);
    test_folder_remove(folder);
}
END_TEST

static const char *hang_on_first_path(struct webhook_server *server, size_t number,
                                      const struct server_request *request)
{
    (void)server;
    (void)number;
    return strncmp(request->path, "/hang", 5) == 0 ? NULL : ANSWER("200 OK");
}

START_TEST(a_receiver_that_hangs_or_refuses_delays_no_other)
{
    struct webhook_server server;
    server_listen(&server, hang_on_first_path);
    server_run(&server);
    char *folder = test_folder_new();
    char extra[512];
    (void)snprintf(
        extra, sizeof extra,
        "- { name: hung, webhook: { url: http://127.0.0.1:%u/hang, timeout: 60s, max_in_flight: 2 } }\n"
        "- { name: refusing, webhook: { url: http://127.0.0.1:%u/ } }\n",
        server.port, test_free_port());
    char *text = config_text(&server, folder, extra);
    struct harness h;
    harness_start(&h, folder, text);
    struct harness_rows rows;
    char incident[32];
    for (int i = 0; i < 6; i++) {
        (void)snprintf(incident, sizeof incident, "i%d", i);
        harness_change(&h, (struct harness_change){.incident = incident,
                                                   .receiver = "hung",
                                                   .receiver2 = "refusing",
                                                   .state = ALERT_FIRING});
    }
    server_wait(&server, &server.count, 2);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(incident, sizeof incident, "j%d", i);
        harness_change(
            &h, (struct harness_change){
                    .incident = incident, .receiver = "hung", .receiver2 = "oncall", .state = ALERT_FIRING});
        harness_wait_rows(&h, incident, "oncall", 1, DELIVERY_DELIVERED, &rows);
    }
    /* Two under way at the hung one, never more. */
    ck_assert_uint_eq(server_count(&server), 22);
    harness_wait_rows(&h, "i0", "hung", 1, DELIVERY_PENDING, &rows);
    harness_stop(&h); /* with calls under way */
    server_stop(&server);
    free(text);
    test_folder_remove(folder);
}
END_TEST

/* Answers only when flag is set; the client closes the connection when it has read the answer. */
static const char *hold_then_ok(struct webhook_server *server, size_t number,
                                const struct server_request *request)
{
    (void)number;
    (void)request;
    while (!server->flag && !server->stopping)
        (void)pthread_cond_wait(&server->changed, &server->lock);
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
}

static void set_flag(struct webhook_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->flag = 1;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
}

static int tell_and_block(struct journal_txn *txn, void *arg, struct error *err)
{
    (void)txn;
    (void)err;
    const int *pipe_fd = arg;
    ck_assert_int_eq(write(*pipe_fd, "b", 1), 1);
    for (;;)
        (void)pause();
    return 0;
}

/* The process that dies: it sends, blocks its own journal once told, and gets a 2xx that it cannot commit. */
static NO_RETURN void child_main(char *folder, const char *text, int from_parent, int to_parent)
{
    struct harness h;
    harness_start(&h, folder, text);
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_FIRING});
    char byte;
    ck_assert_int_eq(read(from_parent, &byte, 1), 1);
    ck_assert_int_eq(journal_run(h.journal, tell_and_block, &to_parent, &h.err), 0);
    _exit(1);
}

START_TEST(killed_between_the_answer_and_the_commit_it_repeats_with_the_same_id)
{
    struct webhook_server server;
    server_listen(&server, hold_then_ok);
    char *folder = test_folder_new();
    char *text = config_text(&server, folder, "");
    int down[2];
    int up[2];
    ck_assert_int_eq(pipe(down), 0);
    ck_assert_int_eq(pipe(up), 0);
    pid_t child = fork();
    if (child == 0)
        child_main(folder, text, down[0], up[1]);
    server_run(&server);
    server_wait(&server, &server.count, 1);
    char byte;
    ck_assert_int_eq(write(down[1], "g", 1), 1);
    ck_assert_int_eq(read(up[0], &byte, 1), 1);
    set_flag(&server);
    server_wait(&server, &server.closed_by_peer, 1);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    for (int i = 0; i < 2; i++) {
        (void)close(down[i]);
        (void)close(up[i]);
    }
    struct harness h;
    harness_start(&h, folder, text);
    struct harness_rows rows;
    harness_wait_rows(&h, "i1", "oncall", 1, DELIVERY_DELIVERED, &rows);
    ck_assert_uint_eq(server_count(&server), 2);
    ck_assert_str_eq(server.requests[0].id, server.requests[1].id);
    ck_assert_str_eq(server.requests[0].body, server.requests[1].body);
    harness_stop(&h);
    server_stop(&server);
    free(text);
    test_folder_remove(folder);
}
END_TEST

static const char *unavailable_until_flag(struct webhook_server *server, size_t number,
                                          const struct server_request *request)
{
    (void)number;
    (void)request;
    return server->flag ? ANSWER("200 OK")
                        : "HTTP/1.1 503 Busy\r\nRetry-After: 3000\r\nContent-Length: 0\r\n\r\n";
}

START_TEST(a_reload_tries_what_waits_at_once_and_keeps_the_counters)
{
    struct webhook_server server;
    server_listen(&server, unavailable_until_flag);
    server_run(&server);
    char *folder = test_folder_new();
    char *text = config_text(&server, folder, "");
    struct harness h;
    harness_start(&h, folder, text);
    harness_change(&h,
                   (struct harness_change){.incident = "i1", .receiver = "oncall", .state = ALERT_FIRING});
    server_wait(&server, &server.count, 1);
    /* The failure must have come back before the reload, or the reload would find nothing waiting. */
    struct harness_rows rows;
    do
        harness_wait_rows(&h, "i1", "oncall", 1, DELIVERY_PENDING, &rows);
    while (rows.rows[0].attempts == 0);
    set_flag(&server);
    char *path = test_path(folder, "missing");
    char broken[512];
    (void)snprintf(broken, sizeof broken,
                   "- { name: oncall, webhook: { url: http://127.0.0.1:1/, secret_file: %s } }", path);
    harness_parse(&h, broken);
    harness_call(&h, harness_configure_on_loop);
    ck_assert_int_ne(h.rc, 0);
    ck_assert_contains(h.err.message, "receiver oncall");
    harness_reconfigure(&h, text);
    harness_wait_rows(&h, "i1", "oncall", 1, DELIVERY_DELIVERED, &rows);
    ck_assert_uint_eq(server_count(&server), 2);
    free(path);
    harness_stop(&h);
    server_stop(&server);
    free(text);
    test_folder_remove(folder);
}
END_TEST

static int block_until_told(struct journal_txn *txn, void *arg, struct error *err)
{
    (void)txn;
    (void)err;
    char byte;
    ck_assert_int_eq(read(*(const int *)arg, &byte, 1), 1);
    return 0;
}

static void unblocked(void *arg, const struct error *err)
{
    (void)arg;
    (void)err;
}

START_TEST(a_journal_that_does_not_answer_does_not_hold_up_the_end)
{
    struct webhook_server server;
    server_listen(&server, always_ok);
    server_run(&server);
    char *folder = test_folder_new();
    char *text = config_text(&server, folder, "");
    struct harness h;
    harness_start(&h, folder, text);
    int gate[2];
    ck_assert_int_eq(pipe(gate), 0);
    ck_assert_int_eq(journal_submit(h.journal, block_until_told, unblocked, &gate[0], &h.err), 0);
    notifier_wake(h.notifier); /* a load that gets no answer */
    harness_call(&h, harness_free_notifier);
    h.notifier = NULL;
    ck_assert_int_eq(write(gate[1], "g", 1), 1);
    harness_stop(&h);
    (void)close(gate[0]);
    (void)close(gate[1]);
    server_stop(&server);
    free(text);
    test_folder_remove(folder);
}
END_TEST

static Suite *suite(void)
{
    log_configure(LOG_ERROR, LOG_LOGFMT);
    Suite *s = suite_create("notifier");
    TCase *tc = tcase_create("webhook");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, one_firing_and_one_resolved_reach_the_receiver_in_order);
    tcase_add_test(tc, failures_are_tried_again_with_the_same_id_and_body);
    tcase_add_test(tc, what_the_receiver_calls_gone_is_dead);
    tcase_add_test(tc, a_receiver_that_is_missing_for_a_moment_loses_nothing);
    tcase_add_test(tc, a_receiver_that_hangs_or_refuses_delays_no_other);
    tcase_add_test(tc, killed_between_the_answer_and_the_commit_it_repeats_with_the_same_id);
    tcase_add_test(tc, a_reload_tries_what_waits_at_once_and_keeps_the_counters);
    tcase_add_test(tc, a_journal_that_does_not_answer_does_not_hold_up_the_end);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
