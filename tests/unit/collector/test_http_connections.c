#include "collector/http_connections.h"
#include "lib/core/clock.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT 16U

static struct http_connections *set;
static struct http_connection *connections[COUNT];
static int peers[COUNT], own[COUNT];

static void begin(void)
{
    const struct http_connections_limits limits = {.connections = COUNT,
                                                   .phase_ns = {[HTTP_WAITING] = 30 * NS_PER_S,
                                                                [HTTP_HEAD] = 10 * NS_PER_S,
                                                                [HTTP_BODY] = 20 * NS_PER_S,
                                                                [HTTP_SENDING] = 120 * NS_PER_S},
                                                   .crowded_phase_ns = {[HTTP_WAITING] = 1 * NS_PER_S,
                                                                        [HTTP_HEAD] = 1 * NS_PER_S,
                                                                        [HTTP_BODY] = 2 * NS_PER_S,
                                                                        [HTTP_SENDING] = 10 * NS_PER_S}};
    set = http_connections_new(&limits);
    for (size_t i = 0; i < COUNT; i++)
        connections[i] = NULL;
}

/* Opens number i, `age` seconds old at the time 1000 s. */
static void open_one(size_t i, int64_t age_s)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    own[i] = pair[0];
    peers[i] = pair[1];
    connections[i] = http_connections_open(set, own[i], (1000 - age_s) * NS_PER_S);
}

static void close_one(size_t i)
{
    http_connections_close(set, connections[i]);
    connections[i] = NULL;
    (void)close(own[i]);
    (void)close(peers[i]);
}

static void end(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (connections[i])
            close_one(i);
    }
    http_connections_free(set);
}

/* The peer sees the end of a connection that was cut, and nothing of one that was not. */
static bool was_cut(size_t i)
{
    char byte;
    return recv(peers[i], &byte, 1, MSG_DONTWAIT) == 0;
}

START_TEST(each_phase_has_its_time)
{
    static const struct {
        enum http_phase phase;
        int64_t limit_s;
        unsigned slow;
    } phases[] = {{HTTP_HEAD, 10, 1}, {HTTP_BODY, 20, 1}, {HTTP_WAITING, 30, 0}, {HTTP_SENDING, 120, 1}};
    for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
        open_one(i, 1000);
        http_connections_enter(set, connections[i], phases[i].phase, 1000 * NS_PER_S);
    }
    for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
        int64_t due = (1000 + phases[i].limit_s) * NS_PER_S;
        (void)http_connections_sweep(set, due);
        ck_assert_msg(!was_cut(i), "phase %zu was cut at its limit", i);
        struct http_connections_cut cut = http_connections_sweep(set, due + 1);
        ck_assert_msg(was_cut(i), "phase %zu was not cut after its limit", i);
        ck_assert_uint_eq(cut.crowded, 0);
        ck_assert_uint_eq(cut.slow, phases[i].slow);
        close_one(i);
    }
}
END_TEST

START_TEST(what_goes_on_is_not_cut)
{
    open_one(0, 0);
    for (int64_t at_s = 1000; at_s < 2000;
         at_s += 20) { /* a client that asks each 20 s over one connection */
        http_connections_enter(set, connections[0], HTTP_HEAD, at_s * NS_PER_S);
        http_connections_enter(set, connections[0], HTTP_SENDING, at_s * NS_PER_S);
        http_connections_enter(set, connections[0], HTTP_WAITING, at_s * NS_PER_S);
        (void)http_connections_sweep(set, (at_s + 19) * NS_PER_S);
        ck_assert(!was_cut(0));
    }
}
END_TEST

START_TEST(when_crowded_the_oldest_waiting_go_first_and_half_stay)
{
    for (size_t i = 0; i < COUNT; i++)
        open_one(i, (int64_t)(COUNT - i) + 1); /* 17 s ... 2 s old */
    struct http_connections_cut cut = http_connections_sweep(set, 1000 * NS_PER_S);
    ck_assert_uint_eq(cut.crowded, COUNT / 2);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(was_cut(i), i < COUNT / 2);
    ck_assert_uint_eq(http_connections_sweep(set, 1000 * NS_PER_S).crowded, 0);
}
END_TEST

START_TEST(when_crowded_the_young_stay)
{
    for (size_t i = 0; i < COUNT; i++)
        open_one(i, 1);
    ck_assert_uint_eq(http_connections_sweep(set, 1000 * NS_PER_S).crowded, 0);
}
END_TEST

START_TEST(when_crowded_slow_bodies_and_slow_readers_go_too)
{
    for (size_t i = 0; i < COUNT; i++) {
        open_one(i, 0);
        http_connections_enter(set, connections[i], i % 2 ? HTTP_BODY : HTTP_SENDING, 1000 * NS_PER_S);
    }
    ck_assert_uint_eq(http_connections_sweep(set, 1001 * NS_PER_S).crowded, 0);
    ck_assert_uint_eq(http_connections_sweep(set, 1003 * NS_PER_S).crowded, COUNT / 2);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(was_cut(i), i % 2 == 1);
}
END_TEST

START_TEST(seven_eighths_are_not_crowded)
{
    for (size_t i = 0; i < COUNT / 8 * 7; i++)
        open_one(i, 20);
    ck_assert_uint_eq(http_connections_sweep(set, 1000 * NS_PER_S).crowded, 0);
}
END_TEST

static void *finish_later(void *arg)
{
    (void)arg;
    http_connections_enter(set, connections[0], HTTP_SENDING, clock_mono_ns());
    http_connections_enter(set, connections[0], HTTP_WAITING, clock_mono_ns());
    return NULL;
}

START_TEST(a_drain_waits_for_requests_and_not_for_the_idle)
{
    open_one(0, 0);
    open_one(1, 0);
    ck_assert(http_connections_drain(set, clock_mono_ns() + 60 * NS_PER_S));
    http_connections_enter(set, connections[0], HTTP_BODY, clock_mono_ns());
    ck_assert(!http_connections_drain(set, clock_mono_ns() + NS_PER_MS));
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, finish_later, NULL), 0);
    ck_assert(http_connections_drain(set, clock_mono_ns() + 60 * NS_PER_S));
    (void)pthread_join(thread, NULL);
}
END_TEST

static Suite *http_connections_suite(void)
{
    Suite *suite = suite_create("http_connections");
    TCase *tcase = tcase_create("http_connections");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, each_phase_has_its_time);
    tcase_add_test(tcase, what_goes_on_is_not_cut);
    tcase_add_test(tcase, when_crowded_the_oldest_waiting_go_first_and_half_stay);
    tcase_add_test(tcase, when_crowded_the_young_stay);
    tcase_add_test(tcase, when_crowded_slow_bodies_and_slow_readers_go_too);
    tcase_add_test(tcase, seven_eighths_are_not_crowded);
    tcase_add_test(tcase, a_drain_waits_for_requests_and_not_for_the_idle);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(http_connections_suite)
