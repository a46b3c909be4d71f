#include "tests/unit/sla/fixture.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_new(0);
}

static void teardown(void)
{
    arena_free(arena);
}

static const char *const receivers[] = {"am", "oncall"};
static const struct sla_metric_source sources[] = {{"", 15 * NS_PER_S},
                                                   {"fraiseql_postgres_", 250 * NS_PER_MS}};

/* Parses, checks and warns; all diagnostics as text. */
static char *diagnostics(const char *yaml)
{
    struct diag diag;
    struct document document = {0};
    diag_init(&diag);
    if (fixture_parse(arena, yaml, &document, &diag) == 0) {
        struct sla_check_input input = {
            &document.slos, &document.triggers,   fixture_probes, ARRAY_LEN(fixture_probes),
            receivers,      ARRAY_LEN(receivers), sources,        ARRAY_LEN(sources)};
        sla_config_check(&input, &diag);
        sla_config_warn(&input, &diag);
    }
    char *text = test_diag_text(&diag);
    diag_deinit(&diag);
    return text;
}

static void says(const char *yaml, const char *part)
{
    char *text = diagnostics(yaml);
    ck_assert_contains(text, part);
    free(text);
}

#define SLO(rest) "slos:\n  - { name: a, objective: 99.99, sli: { probe: api } " rest "}\n"

START_TEST(the_contract_is_accepted)
{
    char *text = diagnostics(
        "slos:\n"
        "  - { name: api-availability, objective: 99.99, window: 30d, by: [region], sli: { probe: api }, "
        "no_data: bad }\n"
        "  - { name: api-latency, objective: 99.9, window: 30d, sli: { probe: api, faster_than: 100ms } }\n"
        "  - { name: errors, objective: 99.95, by: [region], sli: { bad: q_error, total: q_total } }\n"
        "  - { name: spans, objective: 99.95, by: [region], sli: { spans: { service: fraiseql, entry: true } "
        "} }\n"
        "  - { name: lag, objective: 99.9, by: [region], sli: { time_slice: { metric: "
        "fraiseql_postgres_lag_seconds, "
        "below: 0.5, every: 10s } } }\n"
        "triggers:\n"
        "  - { name: t, when: { probe: api, failures: 3, of: 3 }, by: [region], resolve: { successes: 40, "
        "of: 40 },\n"
        "      on_no_data: hold, labels: { severity: page }, annotations: { s: 'in {{region}}' }, notify: "
        "[oncall, am] }\n"
        "  - { name: u, when: { slo: api-availability, burn_rate: 14.4, windows: [5m, 1h] }, notify: [am] }\n"
        "  - { name: v, when: { metric: lag, above: 5, for: 30s }, by: [region], resolve: { for: 1m }, "
        "notify: [am] }\n");
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

START_TEST(mistakes_are_named_with_their_place)
{
    says(SLO("") SLO("") "", "duplicate");
    says("slos:\n  - { name: a, objective: 99, sli: { probe: api } }\n  - { name: a, objective: 99, sli: { "
         "probe: api } }",
         "test.yaml:3:5: error: SLO \"a\": the name is taken");
    says("slos: [{ name: a, objective: 99, sli: { probe: apj } }]", "did you mean \"api\"?");
    says("slos: [{ name: a, objective: 100, sli: { probe: api } }]", "objective");
    says("slos: [{ name: a, objective: 99, window: 401d, sli: { probe: api } }]", "window");
    says("slos: [{ name: a, objective: 99, sli: { probe: api, total: x, bad: y } }]", "error");
    says("slos: [{ name: a, objective: 99, sli: { total: x } }]", "exactly one of bad and good");
    says("slos: [{ name: a, objective: 99, sli: { total: '{', bad: y } }]", "error");
    says("slos: [{ name: a, objective: 99, by: [zone], sli: { probe: api } }]",
         "no label of a probe named \"zone\"");
    says("slos: [{ name: a, objective: 99, by: [slo], sli: { total: x, bad: y } }]", "our own");
    says(SLO("") "triggers: [{ name: t, when: { slo: b, burn_rate: 2, windows: [5m] } }]",
         "no SLO named \"b\"");
    says(SLO("") "triggers: [{ name: t, when: { slo: a, burn_rate: 10000, windows: [5m] } }]",
         "can never fire");
    says(SLO("") "triggers: [{ name: t, when: { slo: a, burn_rate: 2 } }]", "windows");
    says(SLO("") "triggers: [{ name: t, when: { slo: a, burn_rate: 2, windows: [5m] }, by: [region] }]",
         "no label");
    says("triggers: [{ name: t, when: { probe: api, failures: 4, of: 3 } }]", "can never be");
    says("triggers: [{ name: t, when: { probe: api }, by: [region, region] }]", "\"region\" is given twice");
    says("slos: [{ name: a, objective: 99, by: [region, region], sli: { probe: api } }]", "is given twice");
    says("triggers: [{ name: t, when: { probe: api }, notify: [amm] }]", "did you mean \"am\"?");
    says("triggers: [{ name: t, when: { probe: api }, labels: { a: '{{region}}' } }]", "annotations only");
    says("triggers: [{ name: t, when: { metric: x } }]", "exactly one of above and below");
    says("triggers: [{ name: t, when: { metric: x, above: high } }]", "not a number");
}
END_TEST

START_TEST(what_is_finer_than_its_source_is_a_warning)
{
    says("slos: [{ name: a, objective: 99, sli: { time_slice: { metric: other_lag_seconds, below: 0.5, "
         "every: 10s } } }]",
         "warning: SLO \"a\": its slices of 10s are finer");
    says("slos: [{ name: a, objective: 99, sli: { time_slice: { metric: fraiseql_postgres_lag_seconds, "
         "below: 0.1 } } }]",
         "its bound of 0.1 s is finer than its source, which is seen every 250ms");
    says("slos: [{ name: a, objective: 99.9999, window: 1h, sli: { probe: api } }]",
         "one failure spends more");
}
END_TEST

START_TEST(span_selectors_are_handed_out)
{
    struct sla_settings settings = fixture_settings(
        arena,
        "slos: [{ name: a, objective: 99, sli: { probe: api } },\n"
        "       { name: b, objective: 99, sli: { spans: { service: s, kind: SERVER, faster_than: 2s } } }]");
    size_t count;
    const struct sli_span_selector *selectors = sla_config_span_selectors(settings.slos, arena, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(selectors[0].slo, "b");
    ck_assert_str_eq(selectors[0].kind, "SERVER");
    ck_assert_int_eq(selectors[0].faster_than_ns, 2 * NS_PER_S);
    ck_assert_ptr_null(selectors[0].name);
}
END_TEST

static Suite *sla_config_suite(void)
{
    Suite *suite = suite_create("sla_config");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_contract_is_accepted);
    tcase_add_test(tcase, mistakes_are_named_with_their_place);
    tcase_add_test(tcase, what_is_finer_than_its_source_is_a_warning);
    tcase_add_test(tcase, span_selectors_are_handed_out);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(sla_config_suite)
