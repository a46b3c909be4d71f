#include "lib/net/compress.h"
#include "lib/net/http_internal.h"
#include "tests/unit/lib/net/http_fixture.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t plain_bytes = 100000;

static bool answer(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    struct buf out = BUF_INIT(64UL * 1024 * 1024);
    bool ok;
    if (strcmp(exchange->path, "/gzip") == 0) {
        struct buf plain = BUF_INIT(64UL * 1024 * 1024);
        CLEANUP(compressor_free_cleanup) struct compressor *compressor = compressor_new(1);
        struct gzip_block block, trailer = {0};
        while (plain.len < plain_bytes)
            buf_append_byte(&plain, 'x');
        compress_gzip_header(&out);
        for (unsigned i = 0; i < 3; i++) { /* three blocks, which readers must take for one stream */
            compress_block(compressor, buf_str(&plain), &out, &block);
            compress_gzip_add(&trailer, &block);
        }
        compress_gzip_trailer(&trailer, &out);
        ok = test_server_answer(exchange->fd, "200 OK", "Content-Encoding: gzip\r\n", buf_str(&out));
        buf_deinit(&plain);
    } else if (strcmp(exchange->path, "/headers") == 0) {
        while (out.len < 70000)
            buf_append_text(&out, "X-Padding: 0123456789012345678901234567890123456789\r\n");
        buf_append_byte(&out, '\0');
        ok = test_server_answer(exchange->fd, "200 OK", out.data, STR(""));
    } else if (strcmp(exchange->path, "/continue") == 0) {
        ok = test_server_write(exchange->fd, STR("HTTP/1.1 103 Early Hints\r\nX-Test: early\r\n\r\n")) &&
             test_server_answer(exchange->fd, "429 Too Many Requests",
                                "X-Test:  late \r\nRETRY-AFTER: 7\r\ncontent-TYPE: a/b\r\n", STR("slow"));
    } else {
        ok = test_server_answer(exchange->fd, "204 No Content", "", STR(""));
    }
    buf_deinit(&out);
    return ok;
}

START_TEST(gzip_is_decoded_within_the_limit)
{
    struct http_fixture f;
    http_fixture_init(&f, answer, NULL);
    struct http_request request = {.url = http_fixture_url(&f, "/gzip"), .accept_gzip = true};
    ck_assert_msg(http_fixture_send(&f, request) == 0, "%s", f.err.message);
    ck_assert_uint_eq(f.body_len, 3 * plain_bytes);
    ck_assert_int_lt(f.response.received_bytes, 20000); /* on the wire */
    request.max_body_bytes = 3 * plain_bytes - 1;
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_LIMIT);
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(headers_are_those_of_the_last_answer)
{
    struct http_fixture f;
    http_fixture_init(&f, answer, NULL);
    ck_assert_int_eq(http_fixture_get(&f, "/continue"), 0);
    ck_assert_int_eq(f.response.status, 429);
    ck_assert_str_eq(f.header_x, "late");
    ck_assert_str_eq(f.content_type, "a/b");
    ck_assert_str_eq(f.body, "slow");
    ck_assert_uint_eq(f.response.header_count, 4);
    ck_assert_int_eq(http_fixture_get(&f, "/headers"), ERR_LIMIT);
    ck_assert_contains(f.err.message, "headers");
    http_fixture_deinit(&f);
}
END_TEST

START_TEST(certificate_times_are_read)
{
    ck_assert_int_eq(http_parse_certificate_time("Jan  1 00:00:00 2030 GMT"), 1893456000);
    ck_assert_int_eq(http_parse_certificate_time("Feb 29 12:34:56 2028 GMT"), 1835440496);
    ck_assert_int_eq(http_parse_certificate_time("Feb 29 12:34:56 2028"), 0);
    ck_assert_int_eq(http_parse_certificate_time("2028-02-29"), 0);
    ck_assert_int_eq(http_parse_certificate_time(""), 0);
}
END_TEST

/* A server of openssl(1) with a certificate of our own authority for "service.example" and 127.0.0.1. */
struct tls_server {
    char *folder;
    uint16_t port;
    pid_t pid;
};

static pid_t spawn_shell(const char *folder, const char *script)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (chdir(folder) != 0)
            _exit(126);
        (void)execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static bool accepts(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return ok;
}

static void tls_start(struct tls_server *server)
{
    static const char make[] =
        "exec >log 2>&1; set -e; "
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 400 -subj /CN=test-ca; "
        "openssl req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /CN=service.example; "
        "printf 'subjectAltName=DNS:service.example,IP:127.0.0.1' > ext; "
        "openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out "
        "cert.pem";
    char serve[160];
    int status = 0;
    server->folder = test_folder_new();
    server->port = test_free_port();
    ck_assert_int_gt(waitpid(spawn_shell(server->folder, make), &status, 0), 0);
    ck_assert_int_eq(status, 0);
    (void)snprintf(
        serve, sizeof serve,
        "exec openssl s_server -accept 127.0.0.1:%u -cert cert.pem -key key.pem -www -quiet >log 2>&1",
        server->port);
    server->pid = spawn_shell(server->folder, serve);
    for (unsigned i = 0; i < 500 && !accepts(server->port); i++)
        (void)usleep(10000);
}

static void tls_stop(struct tls_server *server)
{
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    test_folder_remove(server->folder);
}

START_TEST(tls_verifies_the_peer_and_its_name)
{
    struct http_fixture f;
    struct tls_server server;
    char url[64], named_url[64];
    tls_start(&server);
    http_fixture_init(&f, NULL, NULL);
    char *ca_file = test_path(server.folder, "ca.pem");
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", server.port);
    (void)snprintf(named_url, sizeof named_url, "https://localhost:%u/", server.port);

    struct http_request request = {.url = url, .tls.ca_file = ca_file, .want_certificates = true};
    ck_assert_msg(http_fixture_send(&f, request) == 0, "%s", f.err.message);
    ck_assert_int_eq(f.response.status, 200);
    ck_assert_int_gt(f.response.tls_ns, f.response.connect_ns);
    int64_t days = (f.response.certificate_not_after_s - clock_wall_ns() / NS_PER_S) / 86400;
    ck_assert_msg(days == 29 || days == 30, "%lld days", (long long)days);

    request.tls.ca_file = NULL; /* an authority nobody knows */
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_PEER);
    ck_assert_contains(f.err.message, "certificate");

    request = (struct http_request){.url = named_url, .tls.ca_file = ca_file};
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_PEER); /* the wrong name */
    request.tls.server_name = "service.example";
    ck_assert_msg(http_fixture_send(&f, request) == 0, "%s", f.err.message);
    ck_assert_str_eq(f.effective_url, named_url);
    request.tls.server_name = "wrong.example";
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_PEER);
    request.tls = (struct http_tls_options){.insecure_skip_verify = true};
    ck_assert_int_eq(http_fixture_send(&f, request), 0);
    request.tls = (struct http_tls_options){.ca_file = "/nonexistent/ca.pem"};
    ck_assert_int_eq(http_fixture_send(&f, request), ERR_CONFIG);
    free(ca_file);
    http_fixture_deinit(&f);
    tls_stop(&server);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("http_response");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, gzip_is_decoded_within_the_limit);
    tcase_add_test(t, headers_are_those_of_the_last_answer);
    tcase_add_test(t, certificate_times_are_read);
    tcase_add_test(t, tls_verifies_the_peer_and_its_name);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
