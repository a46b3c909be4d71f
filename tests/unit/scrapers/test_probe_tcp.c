#include "tests/unit/scrapers/probe_rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listener on 127.0.0.1: a thread accepts, sends a banner, answers "ping" with "pong" and waits for the
 * end. */
struct banner {
    int fd;
    uint16_t port;
    bool silent; /* accepts and never answers */
    pthread_t thread;
};

static void serve(int fd, bool silent)
{
    char bytes[64];
    if (!silent)
        (void)!write(fd, "220 hello\r\n", 11);
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got <= 0)
            break;
        if (!silent && memmem(bytes, (size_t)got, "ping", 4))
            (void)!write(fd, "pong", 4);
        if (!silent && memmem(bytes, (size_t)got, "quit", 4))
            break;
    }
    (void)close(fd);
}

static void *serve_all(void *arg)
{
    struct banner *banner = arg;
    for (;;) {
        int fd = accept(banner->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        serve(fd, banner->silent);
    }
}

static void open_banner(struct banner *banner, bool silent)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *banner = (struct banner){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .silent = silent};
    ck_assert_int_eq(bind(banner->fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(banner->fd, 64), 0);
    ck_assert_int_eq(getsockname(banner->fd, (struct sockaddr *)&address, &len), 0);
    banner->port = ntohs(address.sin_port);
    ck_assert_int_eq(pthread_create(&banner->thread, NULL, serve_all, banner), 0);
}

static void close_banner(struct banner *banner)
{
    (void)shutdown(banner->fd, SHUT_RDWR);
    (void)pthread_join(banner->thread, NULL);
    (void)close(banner->fd);
}

static struct probe_rig rig;

static void expect_good(const char *format, uint16_t port)
{
    char *probe = NULL;
    ck_assert_int_gt(
        asprintf(&probe, "interval: 250ms, tcp: { address: '%s:%u'%s }", "localhost", port, format), 0);
    probe_rig_expect_good(&rig, probe);
    free(probe);
}

static void expect_reason(const char *host, uint16_t port, const char *options, const char *reason,
                          const char *message)
{
    char *probe = NULL;
    ck_assert_int_gt(asprintf(&probe, "interval: 250ms, tcp: { address: '%s:%u'%s }", host, port, options),
                     0);
    probe_rig_expect_reason(&rig, probe, reason, message);
    free(probe);
}

START_TEST(good_connections_and_conversations)
{
    struct banner banner;
    open_banner(&banner, false);
    probe_rig_open(&rig);
    /* The name has ::1 too where there is IPv6: the second address does. */
    expect_good("", banner.port);
    expect_good(", expect: hello", banner.port);
    expect_good(", send: ping, expect: pong", banner.port);
    char *metrics = probe_rig_metrics(&rig);
    ck_assert_contains(metrics, "phase=\"connect\"");
    ck_assert_contains(metrics, "phase=\"processing\"");
    free(metrics);
    probe_rig_close(&rig);
    close_banner(&banner);
}
END_TEST

START_TEST(what_is_bad)
{
    struct banner talking, silent;
    open_banner(&talking, false);
    open_banner(&silent, true);
    probe_rig_open(&rig);
    expect_reason("127.0.0.1", test_free_port(), "", "connect", "refused");
    expect_reason("127.0.0.1", silent.port, ", expect: hello", "timeout", "no answer within");
    expect_reason("127.0.0.1", talking.port, ", send: quit, expect: never", "body", "closed before");
    probe_rig_close(&rig);
    close_banner(&talking);
    close_banner(&silent);
}
END_TEST

START_TEST(a_name_without_address_is_bad)
{
    probe_rig_open(&rig);
    probe_rig_configure(&rig,
                        "  - { name: a, interval: 250ms, tcp: { address: 'no-such-host.invalid:1' } }\n");
    probe_rig_expect(&rig, SLI_BAD); /* refused at once, or the name server hangs */
    ck_assert_str_ne(probe_rig_status_of(&rig, "a").error, "");
    probe_rig_close(&rig);
}
END_TEST

START_TEST(closing_with_attempts_under_way)
{
    struct banner silent;
    open_banner(&silent, true);
    probe_rig_open(&rig);
    char *yaml = NULL;
    ck_assert_int_gt(asprintf(&yaml,
                              "  - { name: a, interval: 20ms, tcp: { address: '127.0.0.1:%u', expect: x } }\n"
                              "  - { name: b, interval: 10s, tcp: { address: 'no-such-host.invalid:1' } }\n",
                              silent.port),
                     0);
    probe_rig_configure(&rig, yaml);
    probe_rig_wait_events(&rig, 2);
    probe_rig_close(&rig);
    close_banner(&silent);
    free(yaml);
}
END_TEST

static Suite *tcp_suite(void)
{
    Suite *suite = suite_create("probe_tcp");
    TCase *tcase = tcase_create("tcp");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, good_connections_and_conversations);
    tcase_add_test(tcase, what_is_bad);
    tcase_add_test(tcase, a_name_without_address_is_bad);
    tcase_add_test(tcase, closing_with_attempts_under_way);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(tcp_suite)
