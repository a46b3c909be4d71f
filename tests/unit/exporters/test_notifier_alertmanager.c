/* The notifier against a real Alertmanager: an alert is seen firing and resolved by its API. */
#include "tests/unit/exporters/notifier_harness.h"
#include "tests/unit/exporters/webhook_server.h"

#include "lib/core/json.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#define PROGRAM "/usr/bin/prometheus-alertmanager"

extern char **environ;

struct alertmanager {
    pid_t pid;
    uint16_t port;
};

/* Body of a GET, malloc'ed; NULL when nobody answers. */
static char *get(uint16_t port, const char *path)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        (void)close(fd);
        return NULL;
    }
    char request[512];
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
    struct buf in CLEANUP(buf_deinit) = BUF_INIT(4UL * 1024 * 1024);
    char chunk[4096];
    ssize_t got = send(fd, request, (size_t)len, MSG_NOSIGNAL);
    while (got > 0 && (got = recv(fd, chunk, sizeof chunk, 0)) > 0)
        buf_append(&in, chunk, (size_t)got);
    (void)close(fd);
    const char *body = strstr(buf_text(&in), "\r\n\r\n");
    return body ? xstrdup(body + 4) : NULL;
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void alertmanager_start(struct alertmanager *am, const char *folder, uint16_t port)
{
    char *config = test_path(folder, "alertmanager.yml");
    test_file_write(config, STR("route: {receiver: none}\nreceivers: [{name: none}]\n"));
    char options[4][512];
    (void)snprintf(options[0], sizeof options[0], "--config.file=%s", config);
    (void)snprintf(options[1], sizeof options[1], "--storage.path=%s/am-%u", folder, port);
    (void)snprintf(options[2], sizeof options[2], "--web.listen-address=127.0.0.1:%u", port);
    (void)snprintf(options[3], sizeof options[3], "--cluster.listen-address=");
    char program[] = PROGRAM;
    char *argv[] = {program, options[0], options[1], options[2], options[3], NULL};
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int rc = posix_spawn(&am->pid, PROGRAM, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    ck_assert_msg(rc == 0, "cannot start %s: install prometheus-alertmanager", PROGRAM);
    am->port = port;
    free(config);
    for (int i = 0; i < 600; i++) {
        char *body = get(port, "/-/ready");
        bool ready = body && strstr(body, "OK");
        free(body);
        if (ready)
            return;
        pause_ms(50);
    }
    ck_abort_msg("Alertmanager does not become ready");
}

static void alertmanager_stop(struct alertmanager *am)
{
    (void)kill(am->pid, SIGKILL);
    ck_assert_int_eq(waitpid(am->pid, NULL, 0), am->pid);
}

/* Asks the API until its answer contains `part` (or, without `wanted`, does not). Returns the answer. */
static char *wait_alerts(const struct alertmanager *am, const char *part, bool wanted)
{
    char *body = NULL;
    for (int i = 0; i < 1200; i++) {
        free(body);
        body = get(am->port, "/api/v2/alerts");
        if (body && body[0] == '[' && (strstr(body, part) != NULL) == wanted)
            return body;
        pause_ms(50);
    }
    ck_abort_msg("the API answers %s, %s \"%s\"", body ? body : "nothing", wanted ? "without" : "with", part);
    return body;
}

static struct harness_change change(const char *incident, const char *region, enum alert_state state,
                                    int64_t started)
{
    return (struct harness_change){
        .incident = incident, .receiver = "am", .region = region, .state = state, .started_wall_ns = started};
}

START_TEST(an_alert_is_seen_firing_and_resolved)
{
    char *folder = test_folder_new();
    struct alertmanager am;
    alertmanager_start(&am, folder, test_free_port());
    char text[512];
    /* The second member is dead: it must not hold anything up. */
    (void)snprintf(
        text, sizeof text,
        "- { name: am, alertmanager: { urls: ['http://127.0.0.1:%u/', 'http://127.0.0.1:%u'], repeat: 1s } }",
        am.port, test_free_port());
    struct harness h;
    harness_start(&h, folder, text);
    int64_t started = clock_wall_ns() / NS_PER_S * NS_PER_S;
    harness_change(&h, change("i1", "eu", ALERT_FIRING, started));
    struct harness_rows rows;
    harness_wait_rows(&h, "i1", "am", 1, DELIVERY_DELIVERED, &rows);
    char *body = wait_alerts(&am, "\"region\":\"eu\"", true);
    ck_assert_contains(body, "\"alertname\":\"region-down\"");
    ck_assert_contains(body, "\"summary\":\"API down\"");
    ck_assert_contains(body, "\"generatorURL\":\"http://127.0.0.1:9480/?incident=i1\"");
    free(body);
    /* unknown shows as an annotation, and it goes when the trigger fires again */
    harness_change(&h, change("i1", "eu", ALERT_UNKNOWN, started));
    free(wait_alerts(&am, "\"state\":\"unknown\"", true));
    harness_change(&h, change("i1", "eu", ALERT_FIRING, started));
    free(wait_alerts(&am, "\"state\":\"unknown\"", false));
    harness_change(&h, change("i2", "us", ALERT_FIRING, started));
    free(wait_alerts(&am, "\"region\":\"us\"", true));
    harness_change(&h, change("i1", "eu", ALERT_RESOLVED, started));
    /* Resolved alerts leave the list of the API. */
    body = wait_alerts(&am, "\"region\":\"eu\"", false);
    ck_assert_contains(body, "\"region\":\"us\"");
    free(body);
    harness_wait_rows(&h, "i1", "am", 3, DELIVERY_DELIVERED, &rows);
    harness_stop(&h);
    alertmanager_stop(&am);
    test_folder_remove(folder);
}
END_TEST

START_TEST(what_fires_is_repeated_to_a_restarted_alertmanager_and_by_a_restarted_collector)
{
    char *folder = test_folder_new();
    struct alertmanager am;
    uint16_t port = test_free_port();
    alertmanager_start(&am, folder, port);
    char text[512];
    (void)snprintf(text, sizeof text,
                   "- { name: am, alertmanager: { urls: ['http://127.0.0.1:%u'], repeat: 1s } }", port);
    struct harness h;
    harness_start(&h, folder, text);
    harness_change(&h, change("i1", "eu", ALERT_FIRING, clock_wall_ns()));
    free(wait_alerts(&am, "\"region\":\"eu\"", true));
    alertmanager_stop(&am); /* it keeps no alerts on disk */
    alertmanager_start(&am, folder, port);
    free(wait_alerts(&am, "\"region\":\"eu\"", true));
    struct harness_rows rows;
    harness_wait_rows(&h, "i1", "am", 1, DELIVERY_DELIVERED, &rows);
    harness_stop(&h);
    alertmanager_stop(&am);
    alertmanager_start(&am, folder, port);
    harness_start(&h, folder, text); /* nothing is pending, but it fires */
    free(wait_alerts(&am, "\"region\":\"eu\"", true));
    harness_stop(&h);
    alertmanager_stop(&am);
    test_folder_remove(folder);
}
END_TEST

static const char *refuse_until_flag(struct webhook_server *server, size_t number,
                                     const struct server_request *request)
{
    (void)number;
    (void)request;
    return server->flag ? ANSWER("200 OK") : ANSWER("400 Bad Request");
}

START_TEST(a_refused_delivery_stays_pending_until_a_member_takes_it)
{
    struct webhook_server server;
    server_listen(&server, refuse_until_flag);
    server_run(&server);
    char *folder = test_folder_new();
    char text[512];
    (void)snprintf(text, sizeof text, "- { name: am, alertmanager: { urls: ['http://127.0.0.1:%u/base/'] } }",
                   server.port);
    struct harness h;
    harness_start(&h, folder, text);
    harness_change(&h, change("i1", "eu", ALERT_FIRING, clock_wall_ns()));
    server_wait(&server, &server.count, 2);
    struct harness_rows rows;
    harness_wait_rows(&h, "i1", "am", 1, DELIVERY_PENDING, &rows);
    (void)pthread_mutex_lock(&server.lock);
    server.flag = 1;
    (void)pthread_mutex_unlock(&server.lock);
    harness_wait_rows(&h, "i1", "am", 1, DELIVERY_DELIVERED, &rows);
    ck_assert_uint_ge(rows.rows[0].attempts, 3);
    ck_assert_contains(server.requests[0].path, "/base/api/v2/alerts HTTP");
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct node *root;
    ck_assert_int_eq(json_parse(arena, str_from(server.requests[0].body), &root, &h.err), 0);
    ck_assert_int_eq(root->kind, NODE_SEQUENCE);
    ck_assert_uint_eq(root->count, 1);
    harness_stop(&h);
    server_stop(&server);
    test_folder_remove(folder);
}
END_TEST

static Suite *suite(void)
{
    log_configure(LOG_ERROR, LOG_LOGFMT);
    Suite *s = suite_create("notifier_alertmanager");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, an_alert_is_seen_firing_and_resolved);
    tcase_add_test(tc, what_fires_is_repeated_to_a_restarted_alertmanager_and_by_a_restarted_collector);
    tcase_add_test(tc, a_refused_delivery_stays_pending_until_a_member_takes_it);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
