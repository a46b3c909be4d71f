#include "tests/support/test_server.h"
#include "tests/unit/scrapers/probe_rig.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct probe_rig rig;
static struct test_server *server;

static bool answer(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    const char *path = exchange->path;
    if (strcmp(path, "/ready") == 0)
        return test_server_answer(exchange->fd, "200 OK", "X-Role: primary\r\n", STR("I am ready\n"));
    if (strcmp(path, "/echo") == 0)
        return strcmp(exchange->method, "POST") == 0 && strstr(exchange->head, "X-Asked: yes") &&
               test_server_answer(exchange->fd, "201 Created", "", exchange->body);
    if (strcmp(path, "/token") == 0)
        return test_server_answer(exchange->fd,
                                  strstr(exchange->head, "Authorization: Bearer s3cret") ? "200 OK"
                                                                                         : "401 Unauthorized",
                                  "", STR(""));
    if (strcmp(path, "/broken") == 0)
        return test_server_answer(exchange->fd, "500 Internal Server Error", "", STR("oops"));
    if (strcmp(path, "/moved") == 0)
        return test_server_answer(exchange->fd, "302 Found", "Location: /ready\r\n", STR(""));
    if (strcmp(path, "/rubbish") == 0) {
        (void)test_server_write(exchange->fd, STR("this is no HTTP\r\n\r\n"));
        return false;
    }
    if (strcmp(path, "/drip") == 0)
        (void)test_server_write(exchange->fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"));
    test_server_wait_close(exchange->fd); /* /hang and the rest of /drip */
    return false;
}

static void open_all(void)
{
    server = test_server_new(answer, NULL);
    probe_rig_open(&rig);
}

static void close_all(void)
{
    probe_rig_close(&rig);
    test_server_free(server);
}

static char *probe_text(const char *path, const char *options)
{
    char *probe = NULL;
    ck_assert_int_gt(asprintf(&probe, "interval: 250ms, http: { url: 'http://127.0.0.1:%u%s'%s }",
                              test_server_port(server), path, options),
                     0);
    return probe;
}

static void expect_good(const char *path, const char *options)
{
    char *probe = probe_text(path, options);
    probe_rig_expect_good(&rig, probe);
    free(probe);
}

static void expect_reason(const char *path, const char *options, const char *reason, const char *message)
{
    char *probe = probe_text(path, options);
    probe_rig_expect_reason(&rig, probe, reason, message);
    free(probe);
}

START_TEST(good_answers)
{
    expect_good("/ready", "");
    char *metrics = probe_rig_metrics(&rig);
    ck_assert_contains(metrics,
                       "fraiseql_probe_http_status_code{observer=\"tester\",probe=\"good\",region=\"home\"");
    ck_assert_contains(metrics, "phase=\"processing\"");
    free(metrics);
    expect_good("/ready", ", expect: { status: [200, 204], body: ready, header: { x-role: prim } }");
    expect_good("/echo", ", method: POST, body: hello, headers: { X-Asked: 'yes' }, expect: { body: hello }");
    expect_good("/moved", ", expect: { status: [302] }");
    expect_good("/moved", ", redirects: 2, expect: { body: ready }");
    expect_good("/ready", ", method: HEAD");
}
END_TEST

START_TEST(each_probe_connects_anew_unless_told_otherwise)
{
    expect_good("/ready", "");
    ck_assert_uint_eq(test_server_connections(server), test_server_requests(server));
    unsigned before = test_server_connections(server);
    expect_good("/ready", ", connection: kept");
    ck_assert_uint_le(test_server_connections(server), before + 1);
}
END_TEST

START_TEST(bad_answers)
{
    expect_reason("/broken", "", "status", "HTTP status 500");
    expect_reason("/moved", "", "status", "HTTP status 302");
    expect_reason("/ready", ", expect: { body: sleepy }", "body", "does not contain");
    expect_reason("/ready", ", expect: { header: { X-Role: standby } }", "header", "not as expected");
    expect_reason("/ready", ", expect: { header: { X-Other: a } }", "header", "missing");
    expect_reason("/rubbish", "", "protocol", "");
    expect_reason("/hang", "", "timeout", "no answer within");
    expect_reason("/drip", "", "timeout", "no answer within");
}
END_TEST

START_TEST(nobody_answers)
{
    char *probe = NULL;
    ck_assert_int_gt(
        asprintf(&probe, "interval: 250ms, http: { url: 'http://127.0.0.1:%u/' }", test_free_port()), 0);
    probe_rig_expect_reason(&rig, probe, "connect", "");
    free(probe);
    probe_rig_expect_reason(&rig, "interval: 400ms, http: { url: 'http://no-such-host.invalid/' }", "resolve",
                            "no-such-host.invalid");
}
END_TEST

START_TEST(a_bearer_token_and_its_absence)
{
    char *folder = test_folder_new(), *path = test_path(folder, "token"), *options = NULL;
    test_file_write(path, STR("s3cret\n"));
    ck_assert_int_gt(asprintf(&options, ", bearer_token_file: '%s'", path), 0);
    expect_good("/token", options);
    expect_reason("/token", "", "status", "HTTP status 401");
    expect_reason("/token", ", bearer_token_file: /nowhere/token", "auth", "/nowhere/token");
    free(options);
    free(path);
    test_folder_remove(folder);
}
END_TEST

/* A frozen process: its kernel goes on accepting connections. */
START_TEST(a_stopped_server_is_bad_and_a_continued_one_good)
{
    uint16_t port = test_free_port();
    char command[512];
    (void)snprintf(command, sizeof command,
                   "import http.server as h, socketserver as s\ns.TCPServer.allow_reuse_address = True\n"
                   "class H(h.BaseHTTPRequestHandler):\n def do_GET(self):\n  self.send_response(200)\n"
                   "  self.end_headers()\n def log_message(self, *a): pass\n"
                   "h.ThreadingHTTPServer(('127.0.0.1', %u), H).serve_forever()\n",
                   port);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execlp("python3", "python3", "-c", command, (char *)NULL);
        _exit(127);
    }
    char *yaml = NULL;
    ck_assert_int_gt(
        asprintf(&yaml, "  - { name: a, interval: 250ms, http: { url: 'http://127.0.0.1:%u/' } }\n", port),
        0);
    probe_rig_configure(&rig, yaml);
    do
        probe_rig_wait_events(&rig, 1); /* until it has started */
    while (probe_rig_status_of(&rig, "a").outcome != SLI_GOOD);
    (void)kill(pid, SIGSTOP);
    probe_rig_wait_events(&rig, 2);
    probe_rig_forget_events(&rig);
    probe_rig_expect(&rig, SLI_BAD);
    (void)kill(pid, SIGCONT);
    do
        probe_rig_wait_events(&rig, 1);
    while (probe_rig_status_of(&rig, "a").outcome != SLI_GOOD);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    free(yaml);
}
END_TEST

static pid_t start_tls_server(const char *folder, uint16_t port)
{
    char command[2048];
    (void)snprintf(
        command, sizeof command,
        "cd '%s' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 "
        "-subj /CN=ca -keyout ca.key -out ca.pem >/dev/null 2>&1 && "
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost "
        "-keyout key.pem -out req.pem >/dev/null 2>&1 && "
        "printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > ext && "
        "openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 5 -extfile ext "
        "-out cert.pem >/dev/null 2>&1",
        folder);
    ck_assert_int_eq(system(command), 0);
    (void)snprintf(command, sizeof command, "%u", port);
    char *cert = test_path(folder, "cert.pem"), *key = test_path(folder, "key.pem");
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execlp("openssl", "openssl", "s_server", "-quiet", "-accept", command, "-cert", cert, "-key",
                     key, "-www", (char *)NULL);
        _exit(127);
    }
    free(cert);
    free(key);
    return pid;
}

START_TEST(tls_and_the_life_of_certificates)
{
    char *folder = test_folder_new(), *ca = test_path(folder, "ca.pem"), *probe = NULL;
    uint16_t port = test_free_port();
    pid_t pid = start_tls_server(folder, port);
    ck_assert_int_gt(
        asprintf(&probe,
                 "  - { name: good, interval: 400ms, http: { url: 'https://127.0.0.1:%u/', tls: { ca_file: "
                 "'%s' } } }\n",
                 port, ca),
        0);
    probe_rig_configure(&rig, probe);
    do
        probe_rig_wait_events(&rig, 1); /* until it has started */
    while (probe_rig_status_of(&rig, "good").outcome != SLI_GOOD);
    char *metrics = probe_rig_metrics(&rig);
    const char *line = strstr(metrics, "fraiseql_probe_certificate_not_after_timestamp_seconds{");
    ck_assert_msg(line != NULL, "%s", metrics);
    long long left = strtoll(strstr(line, "} ") + 2, NULL, 10) - clock_wall_ns() / NS_PER_S;
    ck_assert_msg(left > 3 * 86400 && left < 6 * 86400, "%lld s are left", left);
    ck_assert_contains(metrics, "phase=\"tls\"");
    free(metrics);
    free(probe);
    ck_assert_int_gt(asprintf(&probe,
                              "interval: 400ms, http: { url: 'https://127.0.0.1:%u/', tls: { ca_file: '%s', "
                              "min_validity: 30d } }",
                              port, ca),
                     0);
    probe_rig_expect_reason(&rig, probe, "certificate", "expires in");
    free(probe);
    ck_assert_int_gt(asprintf(&probe, "interval: 400ms, http: { url: 'https://127.0.0.1:%u/' }", port), 0);
    probe_rig_expect_reason(&rig, probe, "tls", "certificate");
    free(probe);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    free(ca);
    test_folder_remove(folder);
}
END_TEST

static Suite *http_suite(void)
{
    Suite *suite = suite_create("probe_http");
    TCase *tcase = tcase_create("http");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_all, close_all);
    tcase_add_test(tcase, good_answers);
    tcase_add_test(tcase, each_probe_connects_anew_unless_told_otherwise);
    tcase_add_test(tcase, bad_answers);
    tcase_add_test(tcase, nobody_answers);
    tcase_add_test(tcase, a_bearer_token_and_its_absence);
    suite_add_tcase(suite, tcase);
    TCase *processes = tcase_create("processes");
    tcase_set_timeout(processes, 120);
    tcase_add_checked_fixture(processes, open_all, close_all);
    tcase_add_test(processes, a_stopped_server_is_bad_and_a_continued_one_good);
    tcase_add_test(processes, tls_and_the_life_of_certificates);
    suite_add_tcase(suite, processes);
    return suite;
}

TEST_MAIN(http_suite)
