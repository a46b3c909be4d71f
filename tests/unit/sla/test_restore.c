/* The engine with a real journal: killed at any moment it goes on with the same numbers. */
#include "tests/unit/sla/fixture.h"

#include "lib/core/fault.h"

#include <errno.h>

static struct arena *arena;
static char *folder, *path;
static struct journal *journal;

static void open_journal(void)
{
    struct error err = {0};
    ck_assert_msg(journal_open(path, &journal, &err) == 0, "%s", err.message);
}

static void setup(void)
{
    arena = arena_new(0);
    folder = test_folder_new();
    path = test_path(folder, "journal.db");
    open_journal();
}

static void teardown(void)
{
    journal_close(journal, clock_mono_ns() + 5 * NS_PER_S);
    free(path);
    test_folder_remove(folder);
    arena_free(arena);
}

static const char config[] =
    "slos:\n"
    "  - { name: avail, objective: 99.9, window: 1h, by: [region], sli: { probe: api } }\n"
    "  - { name: errors, objective: 99, window: 2h, sli: { bad: 'requests{code=\"500\"}', total: requests } "
    "}\n"
    "  - { name: lag, objective: 99, window: 1h, by: [region], sli: { time_slice: { metric: lag, below: 1, "
    "every: 5s } } }\n"
    "triggers:\n"
    "  - { name: down, when: { probe: api, failures: 3, of: 3 }, by: [region], resolve: { successes: 5, of: "
    "5 },\n"
    "      labels: { severity: page }, annotations: { summary: 'down in {{region}}: {{value}}' }, notify: "
    "[am] }\n";

struct run {
    struct engine *engine;
    const struct sla_settings *settings;
    struct sla_flush *flush;
    int64_t now_ns;
    unsigned stored;
};

static int restore(struct journal_txn *txn, void *arg, struct error *err)
{
    struct run *run = arg;
    return engine_restore(run->engine, txn, run->now_ns, run->now_ns, err);
}

static int count_store(void *ctx, struct journal_txn *txn, const struct alert *alert, const char *receiver,
                       struct error *err)
{
    (void)txn;
    (void)err;
    ck_assert_str_eq(receiver, "am");
    ck_assert_str_eq(alert->labels[0].value, "down");
    ck_assert_str_eq(alert->annotations[0].name, "summary");
    ck_assert(strncmp(alert->annotations[0].value, "down in ", 8) == 0);
    ++*(unsigned *)ctx;
    return 0;
}

static int store(struct journal_txn *txn, void *arg, struct error *err)
{
    struct run *run = arg;
    struct sla_notifier notifier = {.ctx = &run->stored, .store = count_store};
    return sla_flush_store(run->flush, txn, &notifier, err);
}

static void start(struct run *run)
{
    struct error err = {0};
    run->engine = fixture_engine(run->settings, run->now_ns);
    ck_assert_msg(journal_run(journal, restore, run, &err) == 0, "%s", err.message);
}

static bool same_numbers(struct engine *a, struct engine *b)
{
    const struct sla_report *x = engine_report(a), *y = engine_report(b);
    ck_assert_uint_eq(x->series_count, y->series_count);
    for (size_t i = 0; i < x->series_count; i++) {
        const struct sla_series_report *p = &x->series[i], *q = &y->series[i];
        bool same = p->good == q->good && p->total == q->total && p->unknown == q->unknown &&
                    p->events_good == q->events_good && p->events_bad == q->events_bad &&
                    p->covered_ratio == q->covered_ratio && strcmp(p->allowed, q->allowed) == 0;
        ck_assert_msg(same, "%s: %llu/%llu ?%llu +%llu covered %g, %llu/%llu ?%llu +%llu covered %g", p->slo,
                      (unsigned long long)p->good, (unsigned long long)p->total,
                      (unsigned long long)p->unknown, (unsigned long long)p->events_good, p->covered_ratio,
                      (unsigned long long)q->good, (unsigned long long)q->total,
                      (unsigned long long)q->unknown, (unsigned long long)q->events_good, q->covered_ratio);
    }
    return true;
}

/* One second of everything; what is fed depends on the second alone. */
static void feed(struct run *run, struct batch *batch, int64_t second)
{
    run->now_ns = (BASE_S + second) * NS_PER_S;
    for (int64_t i = 0; i < 4; i++)
        fixture_probe(run->engine, "us-east", (second * 4 + i) % 37 ? SLI_GOOD : SLI_BAD,
                      run->now_ns + i * 200 * NS_PER_MS);
    struct fixture_sample samples[] = {{"requests", "code", "200", (double)(second % 400 * 10)},
                                       {"requests", "code", "500", (double)(second % 400)},
                                       {"lag", "region", "eu", second % 50 == 7 ? 2 : 0.1}};
    fixture_snapshot(run->engine, batch, samples, 3, run->now_ns);
}

/* Three engines see the same; one is never stopped, one is killed after each commit (at random), one is
 * killed between the submission and the commit, where the events of that flush are lost with it and fed
 * again. */
START_TEST(killed_at_any_flush_boundary_the_numbers_go_on)
{
    struct sla_settings settings = fixture_settings(arena, config);
    struct run steady = {.settings = &settings, .now_ns = BASE_S * NS_PER_S}, killed = steady;
    struct batch *batch_a = batch_new(&(struct batch_options){0}),
                 *batch_b = batch_new(&(struct batch_options){0});
    steady.engine = fixture_engine(&settings, steady.now_ns);
    start(&killed);
    srandom(11);
    unsigned restarts = 0;
    for (int64_t second = 0; second < 900; second++) {
        feed(&steady, batch_a, second);
        fixture_tick(steady.engine, steady.now_ns);
        bool lose = random() % 40 == 0;
        for (int attempt = 0; attempt < 2; attempt++) {
            feed(&killed, batch_b, second);
            engine_tick(killed.engine, killed.now_ns, killed.now_ns);
            killed.flush = engine_flush(killed.engine);
            ck_assert_ptr_nonnull(killed.flush);
            if (!lose || attempt)
                break;
            /* Killed before the commit: nothing of this second was stored or served. */
            engine_aborted(killed.engine, killed.flush);
            engine_free(killed.engine);
            start(&killed);
            restarts++;
        }
        ck_assert_int_eq(journal_run(journal, store, &killed, NULL), 0);
        if (random() % 40 == 0) {
            /* Killed after the commit, before it was heard of. */
            engine_aborted(killed.engine, killed.flush);
            engine_free(killed.engine);
            journal_close(journal, clock_mono_ns() + NS_PER_S);
            open_journal();
            start(&killed);
            restarts++;
        } else {
            engine_committed(killed.engine, killed.flush);
        }
        if (second % 10 == 9)
            ck_assert(same_numbers(steady.engine, killed.engine));
    }
    ck_assert_uint_gt(restarts, 20);
    engine_free(steady.engine);
    engine_free(killed.engine);
    batch_free(batch_a);
    batch_free(batch_b);
}
END_TEST

static void second(struct run *run, enum sli_outcome outcome)
{
    run->now_ns += NS_PER_S;
    fixture_probe(run->engine, "us-east", outcome, run->now_ns);
    engine_tick(run->engine, run->now_ns, run->now_ns);
    run->flush = engine_flush(run->engine);
    ck_assert_int_eq(journal_run(journal, store, run, NULL), 0);
    engine_committed(run->engine, run->flush);
}

static uint64_t open_incidents(const struct run *run)
{
    struct sla_stats stats;
    engine_stats(run->engine, &stats);
    return stats.open_incidents;
}

START_TEST(an_incident_survives_and_is_told_once)
{
    struct sla_settings settings = fixture_settings(arena, config);
    struct run run = {.settings = &settings, .now_ns = BASE_S * NS_PER_S};
    start(&run);
    for (unsigned i = 0; i < 4; i++)
        second(&run, SLI_BAD);
    ck_assert_uint_eq(run.stored, 1);
    engine_free(run.engine);
    start(&run);
    ck_assert_uint_eq(open_incidents(&run), 1);
    for (unsigned i = 0; i < 4; i++)
        second(&run, SLI_GOOD);
    ck_assert_uint_eq(open_incidents(&run), 1);
    ck_assert_uint_eq(run.stored, 1);
    second(&run, SLI_GOOD);
    ck_assert_uint_eq(open_incidents(&run), 0);
    ck_assert_uint_eq(run.stored, 2);
    engine_free(run.engine);
    start(&run);
    ck_assert_uint_eq(open_incidents(&run), 0);
    engine_free(run.engine);
}
END_TEST

START_TEST(a_trigger_that_is_gone_ends_its_incident)
{
    struct sla_settings settings = fixture_settings(arena, config);
    struct sla_settings less = fixture_settings(arena, "slos: []\ntriggers: []\n");
    struct run run = {.settings = &settings, .now_ns = BASE_S * NS_PER_S};
    start(&run);
    for (unsigned i = 0; i < 4; i++)
        second(&run, SLI_BAD);
    ck_assert_int_eq(engine_configure(run.engine, &less, run.now_ns, run.now_ns, NULL), 0);
    second(&run, SLI_BAD);
    ck_assert_uint_eq(run.stored, 2); /* resolved, told to whom it was told */
    engine_free(run.engine);
    start(&run);
    ck_assert_uint_eq(open_incidents(&run), 0);
    engine_free(run.engine);
}
END_TEST

static Suite *restore_suite(void)
{
    Suite *suite = suite_create("restore");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 200);
    tcase_add_test(tcase, killed_at_any_flush_boundary_the_numbers_go_on);
    tcase_add_test(tcase, an_incident_survives_and_is_told_once);
    tcase_add_test(tcase, a_trigger_that_is_gone_ends_its_incident);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(restore_suite)
