#include "tests/unit/sla/fixture.h"

#include <math.h>

static struct arena *arena;
static struct batch *batch;

static void setup(void)
{
    arena = arena_new(0);
    batch = batch_new(&(struct batch_options){0});
}

static void teardown(void)
{
    batch_free(batch);
    arena_free(arena);
}

static const char availability[] =
    "slos:\n"
    "  - name: api-availability\n"
    "    objective: 99.99\n"
    "    window: 30d\n"
    "    by: [region]\n"
    "    sli: { probe: api }\n"
    "  - { name: api-latency, objective: 99.9, sli: { probe: api, faster_than: 10ms } }\n"
    "  - { name: strict, objective: 99, no_data: bad, sli: { probe: api } }\n"
    "  - { name: lenient, objective: 99, no_data: good, sli: { probe: api } }\n"
    "triggers:\n"
    "  - name: burning\n"
    "    when: { slo: api-availability, burn_rate: 14.4, windows: [5m, 1h] }\n";

START_TEST(the_budget_of_a_probe_is_that_of_the_whole_window)
{
    struct sla_settings settings = fixture_settings(arena, availability);
    struct engine *engine = fixture_engine(&settings, BASE_S * NS_PER_S);
    for (int64_t i = 0; i < 400; i++) {
        int64_t now = BASE_S * NS_PER_S + i * 250 * NS_PER_MS;
        fixture_probe(engine, "us-east", i < 3 ? SLI_BAD : i < 5 ? SLI_UNKNOWN : SLI_GOOD, now);
        if (i % 4 == 3)
            fixture_tick(engine, now + 249 * NS_PER_MS);
    }
    const struct sla_series_report *series = fixture_series(engine, "api-availability", "us-east");
    ck_assert(series->good == 395 && series->total == 398 && series->unknown == 2 && series->spent == 3);
    ck_assert(series->expected);
    ck_assert_str_eq(series->allowed, "1036.8"); /* 4 a second: 10368000 events, 1e-4 of them */
    ck_assert_str_eq(series->availability, "99.2462311");
    ck_assert(fabs(series->remaining_ratio - (1 - 3 / 1036.8)) < 1e-12);
    ck_assert(fabs(series->covered_ratio - 100.0 / 2592000) < 1e-12);
    ck_assert_uint_eq(series->burn_count, 4);
    ck_assert_str_eq(series->burns[0].window, "5m");
    ck_assert(fabs(series->burns[0].rate - 3.0 / 398 / 1e-4) < 1e-9);
    const struct sla_series_report *idle = fixture_series(engine, "api-availability", "eu-west");
    ck_assert(!idle->has_availability && !idle->burns[0].known && idle->has_allowed && idle->total == 0);
    ck_assert_uint_eq(fixture_series(engine, "api-latency", NULL)->good, 0); /* all slower than 10 ms */
    ck_assert_uint_eq(fixture_series(engine, "strict", NULL)->spent, 5);
    ck_assert_uint_eq(fixture_series(engine, "lenient", NULL)->good, 397);
    ck_assert_uint_eq(fixture_series(engine, "lenient", NULL)->events_unknown, 2);
    engine_free(engine);
}
END_TEST

/* A 1 h window holds 3600 s of good events; the rule fires once more than 14.4e-4 of them are bad: 5.2 s. */
START_TEST(a_full_outage_fires_after_5_2_seconds)
{
    struct sla_settings settings = fixture_settings(arena, availability);
    int64_t start = BASE_S * NS_PER_S, outage = start + 3600 * NS_PER_S, now = start;
    struct engine *engine = fixture_engine(&settings, start);
    struct sla_stats stats = {0};
    for (; !stats.open_incidents && now < outage + 60 * NS_PER_S; now += 250 * NS_PER_MS) {
        fixture_probe(engine, "us-east", now < outage ? SLI_GOOD : SLI_BAD, now);
        if (now % NS_PER_S == 750 * NS_PER_MS)
            fixture_tick(engine, now);
        engine_stats(engine, &stats);
    }
    double seconds = (double)(now - 250 * NS_PER_MS - outage) / 1e9;
    ck_assert_msg(seconds >= 5.0 && seconds <= 6.2, "fired after %g s", seconds);
    engine_free(engine);
}
END_TEST

static const char ratio[] =
    "slos:\n"
    "  - { name: errors, objective: 99.99, window: 30d, sli: { bad: 'requests{code=\"500\"}', total: "
    "requests } }\n"
    "  - { name: by-region, objective: 99, by: [region], sli: { good: ok, total: all } }\n";

struct counting {
    struct engine *engine;
    int64_t now;
};

static struct counting counting(void)
{
    struct sla_settings settings = fixture_settings(arena, ratio);
    return (struct counting){fixture_engine(&settings, BASE_S * NS_PER_S), BASE_S * NS_PER_S};
}

static void scrape(struct counting *counting, double ok, double failed, double start_time)
{
    struct fixture_sample samples[3];
    size_t count = 0;
    if (ok >= 0)
        samples[count++] = (struct fixture_sample){"requests", "code", "200", ok};
    if (failed >= 0)
        samples[count++] = (struct fixture_sample){"requests", "code", "500", failed};
    if (start_time >= 0)
        samples[count++] = (struct fixture_sample){"process_start_time_seconds", NULL, NULL, start_time};
    counting->now += 15 * NS_PER_S;
    fixture_snapshot(counting->engine, batch, samples, count, counting->now);
    for (int64_t t = counting->now - 14 * NS_PER_S; t <= counting->now; t += NS_PER_S)
        fixture_tick(counting->engine, t);
}

static void counted(struct counting *counting, uint64_t total, uint64_t bad)
{
    const struct sla_series_report *series = fixture_series(counting->engine, "errors", NULL);
    ck_assert_msg(series->total == total && series->spent == bad, "%llu of %llu, expected %llu of %llu",
                  (unsigned long long)series->spent, (unsigned long long)series->total,
                  (unsigned long long)bad, (unsigned long long)total);
}

START_TEST(one_error_counts_as_one)
{
    struct counting c = counting();
    scrape(&c, 1000, 5, -1);
    counted(&c, 0, 0); /* first sight: the baseline */
    scrape(&c, 1100, 6, -1);
    counted(&c, 101, 1);
    engine_free(c.engine);
}
END_TEST

START_TEST(a_series_born_with_seven_counts_seven)
{
    struct counting c = counting();
    scrape(&c, 1000, -1, -1);
    scrape(&c, 1000, 7, -1);
    counted(&c, 7, 7);
    scrape(&c, 1000, 9, -1);
    counted(&c, 9, 9);
    engine_free(c.engine);
}
END_TEST

START_TEST(a_series_born_at_one_and_growing_counts_exactly)
{
    struct counting c = counting();
    scrape(&c, 0, -1, -1);
    for (int value = 1; value <= 7; value += 2)
        scrape(&c, 0, value, -1);
    counted(&c, 7, 7);
    engine_free(c.engine);
}
END_TEST

START_TEST(a_reset_counts_from_zero)
{
    struct counting c = counting();
    scrape(&c, 100, 0, -1);
    scrape(&c, 110, 0, -1);
    scrape(&c, 5, 0, -1);
    counted(&c, 15, 0);
    struct sla_stats stats;
    engine_stats(c.engine, &stats);
    ck_assert_uint_eq(stats.counter_resets, 1);
    engine_free(c.engine);
}
END_TEST

/* 40 of the 190 events happened after the last scrape and died with the process; the other 150 are visible
 * only to who looks at the start time. */
START_TEST(a_reset_that_a_higher_value_hides_is_seen_by_the_start_time)
{
    struct counting c = counting();
    scrape(&c, 100, 0, 1000);
    scrape(&c, 150, 0, 2000);
    counted(&c, 150, 0);
    scrape(&c, 160, 0, 2000.4); /* wobble of an uptime */
    counted(&c, 160, 0);
    engine_free(c.engine);
}
END_TEST

START_TEST(no_error_series_means_no_errors)
{
    struct counting c = counting();
    scrape(&c, 100, -1, -1);
    scrape(&c, 400, -1, -1);
    counted(&c, 300, 0);
    ck_assert_str_eq(fixture_series(c.engine, "errors", NULL)->availability, "100.0000000");
    engine_free(c.engine);
}
END_TEST

START_TEST(no_traffic_is_no_ratio)
{
    struct counting c = counting();
    scrape(&c, 100, 3, -1);
    scrape(&c, 100, 3, -1);
    const struct sla_series_report *series = fixture_series(c.engine, "errors", NULL);
    ck_assert(!series->has_availability && !series->has_allowed && !series->burns[0].known);
    engine_free(c.engine);
}
END_TEST

START_TEST(a_value_that_is_gone_for_long_goes_on_where_it_was)
{
    struct counting c = counting();
    scrape(&c, 100, 3, -1);
    for (unsigned i = 0; i < 25; i++)
        scrape(&c, -1, -1, -1);
    scrape(&c, 130, 4, -1);
    counted(&c, 31, 1);
    engine_free(c.engine);
}
END_TEST

START_TEST(errors_seen_before_their_total_are_settled_later)
{
    struct sla_settings settings = fixture_settings(arena, ratio);
    struct engine *engine = fixture_engine(&settings, BASE_S * NS_PER_S);
    static const double values[][2] = {{10, 10}, {25, 20}, {26, 40}}; /* ok runs ahead of all */
    for (size_t i = 0; i < 3; i++) {
        int64_t now = (BASE_S + (int64_t)i) * NS_PER_S;
        struct fixture_sample samples[] = {{"ok", "region", "eu", values[i][0]},
                                           {"all", "region", "eu", values[i][1]}};
        fixture_snapshot(engine, batch, samples, 2, now);
        fixture_tick(engine, now);
    }
    const struct sla_series_report *series = fixture_series(engine, "by-region", "eu");
    ck_assert_uint_eq(series->good, 16);
    ck_assert_uint_eq(series->total, 30); /* 40 - 10 */
    engine_free(engine);
}
END_TEST

/* Facts of the trade: the mean of 5-minute ratios shows 46 % for this, the truth is 108 %. */
START_TEST(a_two_minute_outage_at_peak_spends_108_percent)
{
    struct sla_settings settings = fixture_settings(arena, ratio);
    int64_t days = 30, outage_s = 15 * 86400 + 12 * 3600, bad = 0, total = 0, sent_bad = 0, sent = 0;
    struct engine *engine = fixture_engine(&settings, BASE_S * NS_PER_S);
    for (int64_t t = 0; t <= days * 86400; t += 60) {
        double phase = sin(3.14159265358979 * (double)(t % 86400) / 86400);
        int64_t rate = 5 + (int64_t)(95 * phase * phase);
        struct fixture_sample samples[] = {{"requests", "code", "200", (double)(total - bad)},
                                           {"requests", "code", "500", (double)bad}};
        fixture_snapshot(engine, batch, samples, 2, (BASE_S + t) * NS_PER_S);
        if (t % 3600 == 0)
            fixture_tick(engine, (BASE_S + t) * NS_PER_S);
        sent = total;
        sent_bad = bad;
        total += rate * 60;
        bad += t >= outage_s && t < outage_s + 120 ? rate * 60 : 0;
    }
    const struct sla_series_report *series = fixture_series(engine, "errors", NULL);
    ck_assert_uint_eq(series->total, (uint64_t)sent);
    ck_assert_uint_eq(series->spent, (uint64_t)sent_bad);
    double consumed = 1 - series->remaining_ratio, truth = (double)sent_bad / (1e-4 * (double)sent);
    ck_assert(fabs(consumed - truth) < 1e-9);
    ck_assert_msg(consumed > 0.8 && consumed < 1.3, "%g", consumed);
    engine_free(engine);
}
END_TEST

static const char slices[] = "slos:\n"
                             "  - name: lag\n"
                             "    objective: 99.9\n"
                             "    by: [region]\n"
                             "    sli: { time_slice: { metric: lag_seconds, below: 0.5, every: 10s } }\n";

START_TEST(slices_are_good_bad_or_unknown)
{
    struct sla_settings settings = fixture_settings(arena, slices);
    struct engine *engine = fixture_engine(&settings, BASE_S * NS_PER_S);
    for (int64_t t = 0; t < 63; t++) {
        double value = t == 12 ? 0.7 : t >= 30 && t < 50 ? NAN : 0.1;
        struct fixture_sample sample = {"lag_seconds", "region", "eu", value};
        fixture_snapshot(engine, batch, &sample, 1, (BASE_S + t) * NS_PER_S);
        fixture_tick(engine, (BASE_S + t) * NS_PER_S);
    }
    const struct sla_series_report *series = fixture_series(engine, "lag", "eu");
    ck_assert(series->good == 3 && series->spent == 1 && series->unknown == 2);
    ck_assert_str_eq(series->allowed, "259.2"); /* 259200 slices */
    /* Nobody ran for an hour: those slices are nobody's. */
    fixture_tick(engine, (BASE_S + 3700) * NS_PER_S);
    fixture_tick(engine, (BASE_S + 3701) * NS_PER_S);
    series = fixture_series(engine, "lag", "eu");
    ck_assert_uint_le(series->unknown, 2);
    ck_assert(series->good == 4);
    engine_free(engine);
}
END_TEST

START_TEST(after_a_step_back_the_newer_second_is_filled)
{
    struct sla_settings settings = fixture_settings(arena, availability);
    int64_t now = BASE_S * NS_PER_S;
    struct engine *engine = fixture_engine(&settings, now);
    fixture_probe(engine, "us-east", SLI_GOOD, now);
    fixture_tick(engine, now);
    int64_t durable = engine_report(engine)->durable_until_wall_ns;
    for (int64_t i = 1; i <= 60; i++) {
        int64_t wall = now - 60 * NS_PER_S + i * NS_PER_S; /* a minute back */
        engine_tick(engine, wall, now + i * NS_PER_S);
        engine_committed(engine, engine_flush(engine));
        fixture_probe(engine, "us-east", SLI_BAD, wall);
        ck_assert_int_ge(engine_report(engine)->durable_until_wall_ns, durable);
    }
    fixture_tick(engine, now + NS_PER_S);
    const struct sla_series_report *series = fixture_series(engine, "api-availability", "us-east");
    ck_assert(series->spent == 60 && series->total == 61);
    ck_assert(series->covered_ratio < 3.0 / 2592000);
    engine_free(engine);
}
END_TEST

START_TEST(what_is_served_waits_for_the_commit)
{
    struct sla_settings settings = fixture_settings(arena, availability);
    int64_t now = BASE_S * NS_PER_S;
    struct engine *engine = fixture_engine(&settings, now);
    fixture_tick(engine, now);
    fixture_probe(engine, "us-east", SLI_GOOD, now);
    engine_tick(engine, now + NS_PER_S, now + NS_PER_S);
    struct sla_flush *flush = engine_flush(engine);
    ck_assert_ptr_null(engine_flush(engine));
    ck_assert_uint_eq(fixture_series(engine, "api-availability", "us-east")->events_good, 0);
    engine_aborted(engine, flush);
    ck_assert_uint_eq(fixture_series(engine, "api-availability", "us-east")->events_good, 0);
    engine_tick(engine, now + 2 * NS_PER_S, now + 2 * NS_PER_S);
    engine_committed(engine, engine_flush(engine));
    ck_assert_uint_eq(fixture_series(engine, "api-availability", "us-east")->events_good, 1);
    engine_free(engine);
}
END_TEST

START_TEST(history_lives_through_a_new_configuration)
{
    struct sla_settings settings = fixture_settings(arena, availability);
    int64_t now = BASE_S * NS_PER_S;
    struct engine *engine = fixture_engine(&settings, now);
    fixture_probe(engine, "us-east", SLI_BAD, now);
    fixture_tick(engine, now);
    struct sla_settings other = fixture_settings(
        arena,
        "slos: [{ name: api-availability, objective: 99, window: 7d, by: [region], sli: { probe: api } }]");
    ck_assert_int_eq(engine_configure(engine, &other, now, now, NULL), 0);
    fixture_tick(engine, now + NS_PER_S);
    const struct sla_series_report *series = fixture_series(engine, "api-availability", "us-east");
    ck_assert_uint_eq(series->spent, 1);
    ck_assert_str_eq(series->objective, "99");
    ck_assert_str_eq(series->window, "7d");
    ck_assert_uint_eq(engine_report(engine)->series_count, 2);
    engine_free(engine);
}
END_TEST

static Suite *engine_suite(void)
{
    Suite *suite = suite_create("engine");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, the_budget_of_a_probe_is_that_of_the_whole_window);
    tcase_add_test(tcase, a_full_outage_fires_after_5_2_seconds);
    tcase_add_test(tcase, one_error_counts_as_one);
    tcase_add_test(tcase, a_series_born_with_seven_counts_seven);
    tcase_add_test(tcase, a_series_born_at_one_and_growing_counts_exactly);
    tcase_add_test(tcase, a_reset_counts_from_zero);
    tcase_add_test(tcase, a_reset_that_a_higher_value_hides_is_seen_by_the_start_time);
    tcase_add_test(tcase, no_error_series_means_no_errors);
    tcase_add_test(tcase, no_traffic_is_no_ratio);
    tcase_add_test(tcase, a_value_that_is_gone_for_long_goes_on_where_it_was);
    tcase_add_test(tcase, errors_seen_before_their_total_are_settled_later);
    tcase_add_test(tcase, a_two_minute_outage_at_peak_spends_108_percent);
    tcase_add_test(tcase, slices_are_good_bad_or_unknown);
    tcase_add_test(tcase, after_a_step_back_the_newer_second_is_filled);
    tcase_add_test(tcase, what_is_served_waits_for_the_commit);
    tcase_add_test(tcase, history_lives_through_a_new_configuration);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(engine_suite)
