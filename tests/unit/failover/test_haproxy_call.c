#include "failover/haproxy_call.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct peer {
    char *folder, *path;
    int fd;
    const char *answer; /* NULL: says nothing, and keeps the connection */
    char request[256];
    pthread_t thread;
    struct loop *loop;
    struct error err;
    char *got;
    int calls;
};

static void *serve(void *arg)
{
    struct peer *peer = arg;
    int fd = accept(peer->fd, NULL, NULL);
    ssize_t got = recv(fd, peer->request, sizeof peer->request - 1, 0);
    peer->request[got > 0 ? got : 0] = 0;
    if (peer->answer)
        (void)!send(fd, peer->answer, strlen(peer->answer), MSG_NOSIGNAL);
    else
        (void)!recv(fd, peer->request + 200, 1, 0); /* until we are left */
    (void)close(fd);
    return NULL;
}

static void on_done(void *ctx, struct str answer, const struct error *err)
{
    struct peer *peer = ctx;
    peer->calls++;
    peer->got = xstrndup(answer);
    if (err)
        peer->err = *err;
    loop_stop(peer->loop);
}

static void setup(struct peer *peer, const char *answer, bool listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *peer = (struct peer){.folder = test_folder_new(), .answer = answer, .fd = -1};
    peer->path = test_path(peer->folder, "h.sock");
    ck_assert_int_eq(loop_new("test", &peer->loop, NULL), 0);
    if (!listening)
        return;
    memcpy(address.sun_path, peer->path, strlen(peer->path) + 1);
    peer->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(peer->fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(peer->fd, 4), 0);
    ck_assert_int_eq(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void teardown(struct peer *peer)
{
    loop_run(peer->loop, clock_mono_ns() + 50 * NS_PER_MS); /* handles close */
    if (peer->fd >= 0) {
        (void)pthread_join(peer->thread, NULL);
        (void)close(peer->fd);
    }
    loop_free(peer->loop);
    free(peer->got);
    free(peer->path);
    test_folder_remove(peer->folder);
}

START_TEST(a_line_is_answered)
{
    struct peer peer CLEANUP(teardown);
    setup(&peer, "\nanswer\n", true);
    (void)haproxy_call_start(peer.loop, peer.path, STR("show info;show stat"), 10 * NS_PER_S, on_done, &peer);
    loop_run(peer.loop, clock_mono_ns() + 10 * NS_PER_S);
    ck_assert_int_eq(peer.calls, 1);
    ck_assert_str_eq(peer.got, "\nanswer\n");
    ck_assert_int_eq(peer.err.code, 0);
    ck_assert_str_eq(peer.request, "show info;show stat\n");
}
END_TEST

START_TEST(nobody_there_is_said_later)
{
    struct peer peer CLEANUP(teardown);
    setup(&peer, NULL, false);
    (void)haproxy_call_start(peer.loop, peer.path, STR("show info"), 10 * NS_PER_S, on_done, &peer);
    ck_assert_int_eq(peer.calls, 0);
    loop_run(peer.loop, clock_mono_ns() + 10 * NS_PER_S);
    ck_assert_int_eq(peer.calls, 1);
    ck_assert_contains(peer.err.message, peer.path);
}
END_TEST

START_TEST(silence_has_an_end)
{
    struct peer peer CLEANUP(teardown);
    setup(&peer, NULL, true);
    (void)haproxy_call_start(peer.loop, peer.path, STR("show info"), 50 * NS_PER_MS, on_done, &peer);
    loop_run(peer.loop, clock_mono_ns() + 10 * NS_PER_S);
    ck_assert_int_eq(peer.calls, 1);
    ck_assert_int_eq(peer.err.code, ERR_TIMEOUT);
}
END_TEST

START_TEST(a_cancelled_one_says_nothing)
{
    struct peer peer CLEANUP(teardown);
    setup(&peer, NULL, true);
    haproxy_call_cancel(
        haproxy_call_start(peer.loop, peer.path, STR("show info"), 10 * NS_PER_S, on_done, &peer));
    loop_run(peer.loop, clock_mono_ns() + 50 * NS_PER_MS);
    ck_assert_int_eq(peer.calls, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("haproxy_call");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_line_is_answered);
    tcase_add_test(tc, nobody_there_is_said_later);
    tcase_add_test(tc, silence_has_an_end);
    tcase_add_test(tc, a_cancelled_one_says_nothing);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
