/* The schedule on a real loop: each interval has exactly one outcome, and what we missed ourselves is
 * unknown. */
#include "tests/unit/scrapers/probe_rig.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROBES      4
#define INTERVAL_NS (10 * NS_PER_MS)
#define EVENTS      (PROBES * 600UL)

static struct probe_rig rig;

static void *accept_all(void *arg)
{
    int listener = *(int *)arg;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        (void)close(fd);
    }
}

static int open_listener(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 4096), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Holds the loop: what a long callback or a busy machine does to us. */
static void stall(void *arg)
{
    const struct timespec pause = {.tv_nsec = (long)(uintptr_t)arg * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static size_t count_events(const char *probe, enum sli_outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < rig.event_count; i++)
        count += rig.events[i].outcome == outcome && strcmp(rig.events[i].probe, probe) == 0;
    return count;
}

static size_t events_so_far(void)
{
    pthread_mutex_lock(&rig.rig.lock);
    size_t count = rig.event_count;
    pthread_mutex_unlock(&rig.rig.lock);
    return count;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The intervals of a probe follow one another without gap or repetition. */
static void check_intervals(const char *probe)
{
    int64_t *due = xcalloc(rig.event_count, sizeof *due);
    size_t count = 0;
    for (size_t i = 0; i < rig.event_count; i++) {
        if (strcmp(rig.events[i].probe, probe) == 0)
            due[count++] = rig.events[i].mono_ns;
    }
    ck_assert_uint_gt(count, 100);
    qsort(due, count, sizeof *due, compare_times);
    /* The last one may still be under way while its successor, begun late, has its outcome. */
    for (size_t i = 1; i + 2 < count; i++)
        ck_assert_int_eq(due[i] - due[i - 1], INTERVAL_NS);
    free(due);
}

START_TEST(stalls_of_our_own_are_unknown_and_never_bad)
{
    uint16_t port;
    int listener = open_listener(&port);
    pthread_t thread;
    struct buf yaml = BUF_INIT(1 << 16);
    ck_assert_int_eq(pthread_create(&thread, NULL, accept_all, &listener), 0);
    probe_rig_open(&rig);
    for (unsigned i = 0; i < PROBES; i++)
        buf_printf(&yaml, "  - { name: p%u, interval: 10ms, tcp: { address: '127.0.0.1:%u' } }\n", i, port);
    probe_rig_configure(&rig, buf_text(&yaml));
    unsigned state = 7;
    while (events_so_far() < EVENTS) {
        state = state * 1103515245U + 12345U;
        rig_call(&rig.rig, stall, (void *)(uintptr_t)((state >> 16) % 80));
        probe_rig_wait_events(&rig, PROBES * 10);
    }
    rig_call(&rig.rig, probe_rig_free_set, &rig);
    rig_wait(&rig.rig, probe_rig_is_freed, &rig);
    size_t unknown = 0, good = 0;
    for (unsigned i = 0; i < PROBES; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "p%u", i);
        ck_assert_uint_eq(count_events(name, SLI_BAD), 0);
        unknown += count_events(name, SLI_UNKNOWN);
        good += count_events(name, SLI_GOOD);
        check_intervals(name);
    }
    ck_assert_uint_gt(unknown, 0);
    ck_assert_uint_gt(good, 0);
    rig_close(&rig.rig);
    snapshot_unref(rig.snapshot);
    hub_free(rig.hub);
    arena_free(rig.arena);
    free(rig.events);
    buf_deinit(&yaml);
    (void)shutdown(listener, SHUT_RDWR);
    (void)pthread_join(thread, NULL);
    (void)close(listener);
}
END_TEST

/* A service that is really gone is bad, stalls or not. */
START_TEST(a_dead_service_is_bad_between_the_stalls)
{
    struct buf yaml = BUF_INIT(1000);
    probe_rig_open(&rig);
    buf_printf(&yaml, "  - { name: p, interval: 20ms, tcp: { address: '127.0.0.1:%u' } }\n",
               test_free_port());
    probe_rig_configure(&rig, buf_text(&yaml));
    for (unsigned i = 0; i < 10; i++) {
        rig_call(&rig.rig, stall, (void *)(uintptr_t)60);
        probe_rig_wait_events(&rig, 20);
    }
    pthread_mutex_lock(&rig.rig.lock);
    ck_assert_uint_gt(count_events("p", SLI_BAD), 0);
    ck_assert_uint_gt(count_events("p", SLI_UNKNOWN), 0);
    ck_assert_uint_eq(count_events("p", SLI_GOOD), 0);
    pthread_mutex_unlock(&rig.rig.lock);
    probe_rig_close(&rig);
    buf_deinit(&yaml);
}
END_TEST

static Suite *run_suite(void)
{
    Suite *suite = suite_create("probe_run");
    TCase *tcase = tcase_create("run");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, stalls_of_our_own_are_unknown_and_never_bad);
    tcase_add_test(tcase, a_dead_service_is_bad_between_the_stalls);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(run_suite)
