#include "tests/unit/sla/fixture.h"

static void allowed(uint64_t budget, uint64_t events, const char *text)
{
    char got[SLA_DECIMAL_MAX];
    sla_format_allowed(budget, events, got);
    ck_assert_str_eq(got, text);
}

static void availability(uint64_t good, uint64_t total, const char *text)
{
    char got[SLA_DECIMAL_MAX];
    sla_format_availability(good, total, got);
    ck_assert_str_eq(got, text);
}

START_TEST(decimals_are_exact)
{
    allowed(100000, 2592000, "259.2");
    allowed(100000, 10, "0.001");
    allowed(1, 1, "0.000000001");
    allowed(500000000, 4, "2");
    allowed(999999999, UINT64_MAX, "18446744055262807541.290448385");
    availability(1, 1, "100.0000000");
    availability(2, 3, "66.6666666");
    availability(UINT64_MAX - 1, UINT64_MAX, "99.9999999"); /* never 100 when one failed */
    availability(0, 5, "0.0000000");
}
END_TEST

static unsigned lines(const struct snapshot *snapshot, const char *family)
{
    const struct shape_family *found = shape_find_family(snapshot->shape, str_from(family));
    return found ? found->series_count : 0;
}

START_TEST(families_are_those_of_the_contract)
{
    struct arena *arena = arena_new(0);
    struct sla_settings settings =
        fixture_settings(arena, "slos: [{ name: a, objective: 99.9, by: [region], sli: { probe: api } }]\n"
                                "triggers: [{ name: t, when: { probe: api, failures: 1 }, by: [region] },\n"
                                "           { name: u, when: { slo: a, burn_rate: 2, windows: [2m, 1h] } }]");
    struct engine *engine = fixture_engine(&settings, BASE_S * NS_PER_S);
    struct batch *batch = batch_new(&(struct batch_options){0});
    fixture_probe(engine, "us-east", SLI_BAD, BASE_S * NS_PER_S);
    fixture_tick(engine, BASE_S * NS_PER_S);
    batch_begin(batch);
    engine_snapshot(engine, batch);
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    ck_assert_uint_eq(lines(snapshot, "fraiseql_slo_objective_ratio"), 2);
    ck_assert_uint_eq(lines(snapshot, "fraiseql_slo_good_events"), 2);
    ck_assert_uint_eq(lines(snapshot, "fraiseql_slo_total_events"), 2);
    ck_assert_uint_eq(lines(snapshot, "fraiseql_slo_unknown_events"), 2);
    ck_assert_uint_eq(lines(snapshot, "fraiseql_slo_window_covered_ratio"), 2);
    ck_assert_uint_eq(lines(snapshot, "fraiseql_slo_error_budget_remaining_ratio"), 2);
    ck_assert_uint_eq(lines(snapshot, "fraiseql_slo_burn_rate"), 5); /* eu-west has no events */
    ck_assert_uint_eq(lines(snapshot, "fraiseql_sli_events_total"), 6);
    ck_assert_uint_eq(lines(snapshot, "fraiseql_trigger_firing"), 4);
    const struct shape_family *firing = shape_find_family(snapshot->shape, STR("fraiseql_trigger_firing"));
    struct str text = shape_series_text(snapshot->shape, &snapshot->shape->series[firing->first_series]);
    ck_assert(str_equal(text, STR("observer=\"me\",region=\"eu-west\",trigger=\"t\"")));
    struct batch_counts counts;
    batch_counts(batch, &counts);
    ck_assert_uint_eq(counts.dropped_invalid + counts.dropped_duplicate + counts.dropped_type, 0);
    (void)snapshot_unref(snapshot);
    batch_free(batch);
    engine_free(engine);
    arena_free(arena);
}
END_TEST

static Suite *report_suite(void)
{
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, decimals_are_exact);
    tcase_add_test(tcase, families_are_those_of_the_contract);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(report_suite)
