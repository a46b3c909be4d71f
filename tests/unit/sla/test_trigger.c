#include "tests/unit/sla/fixture.h"

#include "sla/engine_internal.h"

#include <math.h>

static struct arena *arena;
static struct batch *batch;
static struct engine *engine;
static int64_t now_ns;
static char told[4096];

static void setup(void)
{
    arena = arena_new(0);
    batch = batch_new(&(struct batch_options){0});
    now_ns = BASE_S * NS_PER_S;
    told[0] = '\0';
}

static void teardown(void)
{
    engine_free(engine);
    batch_free(batch);
    arena_free(arena);
}

static void configure(const char *yaml)
{
    struct sla_settings settings = fixture_settings(arena, yaml);
    engine = fixture_engine(&settings, now_ns);
}

/* A tick; what would be told is added to `told` as "state{labels}". */
static void tick(void)
{
    engine_tick(engine, now_ns, now_ns);
    for (const struct incident_change *change = engine->changes; change; change = change->next) {
        size_t used = strlen(told);
        if (change->receiver_count)
            (void)snprintf(told + used, sizeof told - used, "%s{%s} ", alert_state_text(change->alert.state),
                           change->labels_text);
    }
    engine_committed(engine, engine_flush(engine));
    now_ns += NS_PER_S;
}

static void probe(const char *region, enum sli_outcome outcome, unsigned times)
{
    while (times--)
        fixture_probe(engine, region, outcome, now_ns);
    tick();
}

static const char n_of_m[] = "triggers:\n"
                             "  - name: region-down\n"
                             "    when: { probe: api, failures: 3, of: 5 }\n"
                             "    by: [region]\n"
                             "    resolve: { successes: 4, of: 5 }\n"
                             "    notify: [am]\n";

START_TEST(three_of_five_fire_and_four_of_five_resolve)
{
    configure(n_of_m);
    probe("us-east", SLI_BAD, 2);
    probe("us-east", SLI_GOOD, 3);
    probe("us-east", SLI_BAD, 1); /* the two of before have left */
    ck_assert_str_eq(told, "");
    probe("us-east", SLI_BAD, 2);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} ");
    probe("us-east", SLI_GOOD, 3);
    probe("us-east", SLI_BAD, 1);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} ");
    probe("us-east", SLI_GOOD, 1);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} resolved{region=\"us-east\"} ");
}
END_TEST

START_TEST(late_ticks_of_ours_are_no_failures)
{
    configure(n_of_m);
    probe("us-east", SLI_BAD, 2);
    probe("us-east", SLI_UNKNOWN, 50);
    ck_assert_str_eq(told, "");
    probe("us-east", SLI_BAD, 1);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} ");
}
END_TEST

START_TEST(silence_holds_and_is_told_once)
{
    configure(n_of_m);
    probe("eu-west", SLI_BAD, 3);
    for (unsigned i = 0; i < 20; i++)
        tick();
    ck_assert_str_eq(told, "firing{region=\"eu-west\"} unknown{region=\"eu-west\"} ");
    probe("eu-west", SLI_BAD, 1); /* back, still bad: not a second firing */
    for (unsigned i = 0; i < 20; i++)
        tick();
    ck_assert_str_eq(told, "firing{region=\"eu-west\"} unknown{region=\"eu-west\"} ");
    for (unsigned i = 0; i < 4; i++)
        probe("eu-west", SLI_GOOD, 1);
    ck_assert_str_eq(told,
                     "firing{region=\"eu-west\"} unknown{region=\"eu-west\"} resolved{region=\"eu-west\"} ");
}
END_TEST

START_TEST(silence_may_fire_or_resolve)
{
    configure("triggers: [{ name: a, when: { probe: db }, by: [probe], on_no_data: fire, notify: [x] },\n"
              "           { name: b, when: { probe: api }, by: [probe], on_no_data: resolve, notify: [x] }]");
    probe("us-east", SLI_BAD, 3);
    ck_assert_str_eq(told, "firing{probe=\"api\"} ");
    for (unsigned i = 0; i < 20; i++)
        tick();
    ck_assert_contains(told, "firing{probe=\"db\"} ");
    ck_assert_contains(told, "resolved{probe=\"api\"} ");
}
END_TEST

static void lag(double value)
{
    struct fixture_sample sample = {"lag_seconds", "region", "eu", value};
    fixture_snapshot(engine, batch, &sample, 1, now_ns);
    tick();
}

static const char metric[] = "triggers:\n"
                             "  - name: lag-high\n"
                             "    when: { metric: lag_seconds, above: 5, for: 10s }\n"
                             "    by: [region]\n"
                             "    resolve: { for: 20s }\n"
                             "    notify: [am]\n";

START_TEST(a_metric_fires_after_its_time)
{
    configure(metric);
    for (unsigned i = 0; i < 9; i++)
        lag(6);
    lag(4);
    for (unsigned i = 0; i < 10; i++)
        lag(6);
    ck_assert_str_eq(told, "");
    lag(7);
    ck_assert_str_eq(told, "firing{region=\"eu\"} ");
    for (unsigned i = 0; i < 15; i++)
        lag(1);
    lag(6);
    for (unsigned i = 0; i < 20; i++)
        lag(1);
    ck_assert_str_eq(told, "firing{region=\"eu\"} ");
    lag(1);
    ck_assert_str_eq(told, "firing{region=\"eu\"} resolved{region=\"eu\"} ");
}
END_TEST

START_TEST(an_alert_does_not_resolve_because_its_source_went)
{
    configure(metric);
    for (unsigned i = 0; i < 12; i++)
        lag(6);
    fixture_snapshot(engine, batch, NULL, 0, now_ns); /* the series is gone */
    for (unsigned i = 0; i < 100; i++)
        tick();
    ck_assert_str_eq(told, "firing{region=\"eu\"} unknown{region=\"eu\"} ");
    engine_on_snapshot(engine, 7, "prometheus", "app", NULL, now_ns); /* and then the source */
    for (unsigned i = 0; i < 100; i++)
        tick();
    ck_assert_str_eq(told, "firing{region=\"eu\"} unknown{region=\"eu\"} ");
    for (unsigned i = 0; i < 25; i++)
        lag(1);
    ck_assert_contains(told, "resolved{region=\"eu\"} ");
}
END_TEST

START_TEST(a_reload_keeps_what_was_seen)
{
    configure(n_of_m);
    probe("us-east", SLI_BAD, 2);
    struct sla_settings again = fixture_settings(arena, n_of_m);
    ck_assert_int_eq(engine_configure(engine, &again, now_ns, now_ns, NULL), 0);
    probe("us-east", SLI_BAD, 1);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} ");
    struct sla_settings other = fixture_settings(
        arena,
        "triggers: [{ name: region-down, when: { probe: api, failures: 9 }, by: [region], notify: [am],\n"
        "             resolve: { successes: 2 } }]");
    ck_assert_int_eq(engine_configure(engine, &other, now_ns, now_ns, NULL), 0);
    tick();
    probe("us-east", SLI_GOOD, 1);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} ");
    probe("us-east", SLI_GOOD, 1);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} resolved{region=\"us-east\"} ");
}
END_TEST

START_TEST(a_probe_that_is_removed_takes_its_incident_with_it)
{
    configure(n_of_m);
    probe("us-east", SLI_BAD, 3);
    probe("eu-west", SLI_BAD, 3);
    struct sla_settings less = fixture_settings(arena, n_of_m);
    less.probe_count = 1; /* eu-west is gone */
    ck_assert_int_eq(engine_configure(engine, &less, now_ns, now_ns, NULL), 0);
    tick();
    ck_assert_str_eq(told,
                     "firing{region=\"us-east\"} firing{region=\"eu-west\"} resolved{region=\"eu-west\"} ");
    struct sla_stats stats;
    engine_stats(engine, &stats);
    ck_assert_uint_eq(stats.open_incidents, 1);
}
END_TEST

START_TEST(the_alert_carries_labels_and_filled_annotations)
{
    configure("triggers: [{ name: t, when: { probe: api, failures: 1 }, by: [region], notify: [am, hook],\n"
              "  labels: { severity: page, region: ours }, annotations: { a: 'in {{ region }} {{value}} "
              "{{typo}} {{' } }]");
    fixture_probe(engine, "us-east", SLI_BAD, now_ns);
    engine_tick(engine, now_ns, now_ns);
    const struct incident_change *change = engine->changes;
    ck_assert_ptr_nonnull(change);
    ck_assert_uint_eq(change->receiver_count, 2);
    ck_assert_uint_eq(change->alert.label_count, 3);
    ck_assert_str_eq(change->alert.labels[0].name, "alertname");
    ck_assert_str_eq(change->alert.labels[1].value, "page");
    ck_assert_str_eq(change->alert.annotations[0].value, "in ours 1 {{typo}} {{");
    ck_assert_str_eq(change->labels_text, "region=\"us-east\"");
}
END_TEST

START_TEST(the_first_failure_of_the_first_day_does_not_page)
{
    configure("slos: [{ name: s, objective: 99.99, by: [region], sli: { probe: api } }]\n"
              "triggers: [{ name: t, when: { slo: s, burn_rate: 14.4, windows: [5m, 1h] }, notify: [am] }]");
    probe("us-east", SLI_BAD, 4);
    for (unsigned i = 0; i < 20; i++)
        probe("us-east", SLI_GOOD, 4);
    ck_assert_str_eq(told, "");
    for (unsigned i = 0; i < 5; i++)
        probe("us-east", SLI_BAD, 4);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} "); /* 24 of 14400 is more than 14.4e-4 */
}
END_TEST

START_TEST(a_burning_budget_stops_with_the_short_window)
{
    configure("slos: [{ name: s, objective: 99, by: [region], sli: { probe: api } }]\n"
              "triggers: [{ name: t, when: { slo: s, burn_rate: 10, windows: [1m, 2m] }, notify: [am] }]");
    for (unsigned i = 0; i < 100; i++)
        probe("us-east", SLI_GOOD, 4);
    for (unsigned i = 0; i < 30; i++)
        probe("us-east", SLI_BAD, 4);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} ");
    for (unsigned i = 0; i < 100; i++)
        probe("us-east", SLI_GOOD, 4);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} ");
    for (unsigned i = 0; i < 60; i++)
        probe("us-east", SLI_GOOD, 4);
    ck_assert_str_eq(told, "firing{region=\"us-east\"} resolved{region=\"us-east\"} ");
}
END_TEST

static Suite *trigger_suite(void)
{
    Suite *suite = suite_create("trigger");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, three_of_five_fire_and_four_of_five_resolve);
    tcase_add_test(tcase, late_ticks_of_ours_are_no_failures);
    tcase_add_test(tcase, silence_holds_and_is_told_once);
    tcase_add_test(tcase, silence_may_fire_or_resolve);
    tcase_add_test(tcase, a_metric_fires_after_its_time);
    tcase_add_test(tcase, an_alert_does_not_resolve_because_its_source_went);
    tcase_add_test(tcase, a_reload_keeps_what_was_seen);
    tcase_add_test(tcase, a_probe_that_is_removed_takes_its_incident_with_it);
    tcase_add_test(tcase, the_alert_carries_labels_and_filled_annotations);
    tcase_add_test(tcase, the_first_failure_of_the_first_day_does_not_page);
    tcase_add_test(tcase, a_burning_budget_stops_with_the_short_window);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(trigger_suite)
