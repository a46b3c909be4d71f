#include "tests/unit/sla/fixture.h"

#include "lib/core/fault.h"
#include "lib/journal/state.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const char config[] =
    "slos: [{ name: avail, objective: 99.9, window: 1h, by: [region], sli: { probe: api } },\n"
    "       { name: spans, objective: 99, sli: { spans: { service: s } } },\n"
    "       { name: errors, objective: 99, sli: { bad: bad, total: total } }]\n"
    "triggers: [{ name: down, when: { probe: api, failures: 2 }, by: [region], notify: [gone, am] }]\n";

static struct arena *arena;
static char *folder, *path;
static struct journal *journal;
static struct hub *hub;
static struct sla_settings settings;
static struct sla_service *service;
static struct counter stored, committed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t published = PTHREAD_COND_INITIALIZER;
static unsigned publishes; /* lock */

static void note_publish(void *ctx, const struct hub_source *source, struct snapshot *snapshot)
{
    (void)ctx;
    (void)snapshot;
    if (strcmp(hub_source_target(source), "sla") != 0)
        return;
    (void)pthread_mutex_lock(&lock);
    publishes++;
    (void)pthread_cond_broadcast(&published);
    (void)pthread_mutex_unlock(&lock);
}

static void wait_publish(void)
{
    (void)pthread_mutex_lock(&lock);
    unsigned before = publishes;
    while (publishes == before)
        (void)pthread_cond_wait(&published, &lock);
    (void)pthread_mutex_unlock(&lock);
}

static int count_store(void *ctx, struct journal_txn *txn, const struct alert *alert, const char *receiver,
                       struct error *err)
{
    (void)ctx;
    (void)alert;
    counter_add(&stored, 1);
    if (strcmp(receiver, "gone") == 0)
        return error_set(err, ERR_CONFIG, "no such receiver");
    return state_put(txn, "test", "told", STR("x"), err);
}

static void count_committed(void *ctx)
{
    (void)ctx;
    counter_add(&committed, 1);
}

static void encode(void *ctx, const struct alert *alert, struct buf *out)
{
    (void)ctx;
    buf_append_text(out, alert->trigger);
}

static void start(void)
{
    struct error err = {0};
    ck_assert_msg(journal_open(path, &journal, &err) == 0, "%s", err.message);
    hub = hub_new(&(struct hub_options){0});
    hub_observe(hub, note_publish, NULL);
    settings = fixture_settings(arena, config);
    struct sla_options options = {.observer = "me",
                                  .journal = journal,
                                  .hub = hub,
                                  .notifier = {NULL, count_store, count_committed, encode}};
    ck_assert_msg(sla_service_new(&options, &settings, &service, &err) == 0, "%s", err.message);
}

static void stop(void)
{
    sla_service_free(service, clock_mono_ns() + 5 * NS_PER_S);
    journal_close(journal, clock_mono_ns() + 5 * NS_PER_S);
    hub_free(hub);
}

static void setup(void)
{
    arena = arena_new(0);
    folder = test_folder_new();
    path = test_path(folder, "journal.db");
    counter_set(&stored, 0);
    counter_set(&committed, 0);
}

static void teardown(void)
{
    fault_arm("journal.commit", 0, 0);
    free(path);
    test_folder_remove(folder);
    arena_free(arena);
}

static void probe(enum sli_outcome outcome)
{
    struct sli_sink sink = sla_service_sink(service);
    struct sli_probe_event event = {.probe = "api",
                                    .target = "127.0.0.1:8801",
                                    .region = "us-east",
                                    .outcome = outcome,
                                    .wall_ns = clock_wall_ns(),
                                    .mono_ns = clock_mono_ns(),
                                    .duration_ns = 1000,
                                    .interval_ns = 250 * NS_PER_MS};
    sink.probe(sink.ctx, &event);
}

static struct sla_series_report served(const char *slo)
{
    struct sla_report *report = sla_service_report(service);
    struct sla_series_report found = {0};
    for (size_t i = 0; i < report->series_count && !found.slo; i++) {
        if (strcmp(report->series[i].slo, slo) == 0 &&
            (!report->series[i].label_count || strcmp(report->series[i].labels[0].value, "us-east") == 0))
            found = report->series[i];
    }
    ck_assert_ptr_nonnull(found.slo);
    found.slo = NULL; /* belongs to the report */
    (void)sla_report_unref(report);
    return found;
}

static void publish_counters(struct hub_source *source, struct batch *batch, uint64_t bad, uint64_t total)
{
    struct metric_desc bad_desc = {"bad", METRIC_UNTYPED, "", NULL},
                       total_desc = {"total", METRIC_UNTYPED, "", NULL};
    batch_begin(batch);
    batch_put(batch, &bad_desc, NULL, 0, VALUE_OF_U64(bad));
    batch_put(batch, &total_desc, NULL, 0, VALUE_OF_U64(total));
    struct snapshot *snapshot = batch_finish(batch, clock_wall_ns(), clock_mono_ns());
    ck_assert_int_eq(hub_publish(source, snapshot, NULL), 0);
}

START_TEST(events_of_every_kind_are_served_and_survive)
{
    start();
    struct hub_source *source = hub_register(hub, "prometheus", "app", 5);
    struct batch *batch = batch_new(&(struct batch_options){0});
    struct sli_sink sink = sla_service_sink(service);
    struct sli_span_counts counts = {.slo = "spans", .good = 7, .bad = 1, .wall_ns = clock_wall_ns()};
    sink.spans(sink.ctx, &counts);
    probe(SLI_GOOD);
    probe(SLI_BAD);
    publish_counters(source, batch, 10, 100);
    publish_counters(source, batch, 13, 150);
    while (served("avail").total < 2 || served("errors").total < 50)
        wait_publish();
    ck_assert(served("spans").total == 8 && served("errors").spent == 3 && served("avail").spent == 1);
    struct hub_view *view = hub_view_take(hub, "collector", "sla");
    bool found = false;
    for (uint32_t i = 0; i < view->family_count; i++)
        found |= str_equal(view->families[i].name, STR("fraiseql_slo_good_events"));
    ck_assert(found);
    (void)hub_view_unref(view);
    struct sla_stats stats;
    sla_service_stats(service, &stats);
    ck_assert_uint_ge(stats.flushes, 1);
    ck_assert_uint_eq(stats.cursors, 2);
    hub_unregister(source);
    batch_free(batch);
    stop();
    start();
    ck_assert(served("spans").total == 8 && served("errors").total == 50 && served("avail").total == 2);
    stop();
}
END_TEST

START_TEST(incidents_are_stored_with_their_deliveries)
{
    start();
    probe(SLI_BAD);
    probe(SLI_BAD);
    while (!counter_get(&committed))
        wait_publish();
    ck_assert_uint_eq(counter_get(&stored), 2); /* one of them refused, and nothing stopped */
    struct sla_stats stats = {0};
    while (!stats.open_incidents) {
        sla_service_stats(service, &stats);
        if (!stats.open_incidents)
            wait_publish();
    }
    stop();
    start();
    struct sla_settings none = fixture_settings(arena, "slos: []\ntriggers: []");
    ck_assert_int_eq(sla_service_configure(service, &none, NULL), 0);
    while (counter_get(&stored) < 4)
        wait_publish();
    stop();
}
END_TEST

START_TEST(a_full_disk_stops_what_is_served_and_loses_nothing)
{
    start();
    probe(SLI_GOOD);
    while (served("avail").total < 1)
        wait_publish();
    fault_arm("journal.commit", ENOSPC, 0);
    probe(SLI_BAD);
    probe(SLI_BAD);
    for (unsigned i = 0; i < 3; i++)
        wait_publish(); /* triggers are shown all the same */
    ck_assert_uint_eq(served("avail").total, 1);
    struct sla_stats stats;
    sla_service_stats(service, &stats);
    ck_assert_uint_eq(stats.open_incidents, 1);
    ck_assert_uint_eq(counter_get(&committed), 0);
    fault_arm("journal.commit", 0, 0);
    while (served("avail").total < 3 || !counter_get(&committed))
        wait_publish();
    ck_assert_uint_eq(served("avail").spent, 2);
    stop();
}
END_TEST

START_TEST(stopping_with_a_full_disk_ends_at_the_deadline)
{
    start();
    wait_publish();
    fault_arm("journal.commit", ENOSPC, 0);
    probe(SLI_BAD);
    wait_publish();
    sla_service_free(service, clock_mono_ns() + 50 * NS_PER_MS);
    journal_close(journal, clock_mono_ns() + 50 * NS_PER_MS);
    hub_free(hub);
}
END_TEST

static void *hammer(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 2000; i++)
        probe(i % 10 ? SLI_GOOD : SLI_BAD);
    return NULL;
}

START_TEST(many_threads_and_reloads_lose_no_event)
{
    pthread_t threads[4];
    start();
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, NULL), 0);
    for (unsigned i = 0; i < 5; i++) {
        struct sla_settings again = fixture_settings(arena, config);
        ck_assert_int_eq(sla_service_configure(service, &again, NULL), 0);
    }
    for (size_t i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    while (served("avail").events_good + served("avail").events_bad + served("avail").events_unknown < 8000)
        wait_publish();
    ck_assert_uint_eq(served("avail").events_bad, 800);
    stop();
}
END_TEST

/* Serves until it is killed, and tells each number it serves. */
static void serve_for_ever(int fd)
{
    start();
    for (;;) {
        for (unsigned i = 0; i < 20; i++)
            probe(SLI_GOOD);
        wait_publish();
        uint64_t good = served("avail").events_good;
        if (write(fd, &good, sizeof good) != sizeof good)
            _exit(1);
    }
}

START_TEST(what_was_served_does_not_fall_after_kill_9)
{
    uint64_t last = 0, good;
    for (unsigned round = 0; round < 3; round++) {
        int fds[2];
        ck_assert_int_eq(pipe(fds), 0);
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (!child)
            serve_for_ever(fds[1]);
        (void)close(fds[1]);
        for (unsigned i = 0; i < 3 && read(fds[0], &good, sizeof good) == sizeof good; i++) {
            ck_assert_uint_ge(good, last);
            last = good;
        }
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        while (read(fds[0], &good, sizeof good) == sizeof good)
            last = good;
        (void)close(fds[0]);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
    ck_assert_uint_gt(last, 40);
    start();
    ck_assert_uint_ge(served("avail").events_good, last);
    stop();
}
END_TEST

static Suite *service_suite(void)
{
    Suite *suite = suite_create("service");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_was_served_does_not_fall_after_kill_9);
    tcase_add_test(tcase, events_of_every_kind_are_served_and_survive);
    tcase_add_test(tcase, incidents_are_stored_with_their_deliveries);
    if (FAULTS_ENABLED) {
        tcase_add_test(tcase, a_full_disk_stops_what_is_served_and_loses_nothing);
        tcase_add_test(tcase, stopping_with_a_full_disk_ends_at_the_deadline);
    }
    tcase_add_test(tcase, many_threads_and_reloads_lose_no_event);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(service_suite)
