#include "sla/overflow.h"

#include "tests/support/support.h"

static struct overflow *overflow;
static uint64_t probes, good, bad, calls;

static void take_probe(void *ctx, const struct sli_probe_event *event, uint64_t times)
{
    (void)ctx;
    ck_assert_int_eq(event->outcome, SLI_UNKNOWN);
    probes += times;
    calls++;
}

static void take_spans(void *ctx, const struct sli_span_counts *counts)
{
    (void)ctx;
    ck_assert_uint_eq(counts->label_count, 1);
    good += counts->good;
    bad += counts->bad;
    calls++;
}

START_TEST(what_did_not_fit_is_added_up)
{
    overflow = overflow_new();
    struct sli_probe_event event = {.probe = "api", .target = "a:1", .outcome = SLI_BAD};
    struct label label = LABEL("region", STR("eu"));
    struct sli_span_counts counts = {.slo = "s", .labels = &label, .label_count = 1, .good = 3, .bad = 1};
    probes = good = bad = calls = 0;
    for (unsigned i = 0; i < 10; i++) {
        ck_assert(overflow_add_probe(overflow, &event));
        ck_assert(overflow_add_spans(overflow, &counts));
    }
    event.target = "b:1";
    label.value = STR("us");
    ck_assert(overflow_add_probe(overflow, &event));
    ck_assert(overflow_add_spans(overflow, &counts));
    overflow_drain(overflow, take_probe, take_spans, NULL);
    ck_assert(probes == 11 && good == 33 && bad == 11 && calls == 4);
    overflow_drain(overflow, take_probe, take_spans, NULL);
    ck_assert_uint_eq(calls, 4);
    overflow_free(overflow);
    overflow_free(NULL);
}
END_TEST

START_TEST(it_is_bounded)
{
    overflow = overflow_new();
    char target[32];
    struct sli_probe_event event = {.probe = "api", .target = target};
    for (unsigned i = 0; i < OVERFLOW_MAX; i++) {
        (void)snprintf(target, sizeof target, "%u", i);
        ck_assert(overflow_add_probe(overflow, &event));
    }
    ck_assert(overflow_add_probe(overflow, &event));
    (void)snprintf(target, sizeof target, "one more");
    ck_assert(!overflow_add_probe(overflow, &event));
    overflow_free(overflow);
}
END_TEST

static Suite *overflow_suite(void)
{
    Suite *suite = suite_create("overflow");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, what_did_not_fit_is_added_up);
    tcase_add_test(tcase, it_is_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(overflow_suite)
