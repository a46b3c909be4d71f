#include "tracing/span_metrics.h"

#include "tests/support/support.h"
#include "tests/unit/tracing/snapshot_dump.h"

#include <stdlib.h>

static const int64_t bounds[] = {2 * NS_PER_MS, 10 * NS_PER_MS};
#define SET_LINES 6 /* calls, three buckets, sum, count */

static struct span_rules *rules_of(const struct sli_span_selector *selectors, size_t count)
{
    struct span_rules *rules;
    ck_assert_int_eq(span_rules_new(bounds, ARRAY_LEN(bounds), selectors, count, &rules, NULL), 0);
    return rules;
}

struct call {
    const char *service, *region, *name;
    uint32_t kind, status;
    bool entry;
    uint64_t ns;
};

static void count_in(struct span_metrics *metrics, size_t shard_index, const struct call *call)
{
    struct span_shard *shard = span_metrics_shard(metrics, shard_index);
    struct otlp_span span = {.name = str_from(call->name), .kind = call->kind, .status = call->status};
    span_shard_lock(shard);
    span_shard_count(shard, span_shard_group(shard, str_from(call->service), str_from(call->region)), &span,
                     call->entry, call->ns);
    span_shard_unlock(shard);
}

static char *written(const struct span_metrics *metrics)
{
    const struct batch_options options = {.max_series = (uint32_t)span_metrics_max_lines(metrics)};
    struct batch *batch = batch_new(&options);
    struct buf out = BUF_INIT(1UL << 24);
    batch_begin(batch);
    span_metrics_write(metrics, batch);
    struct snapshot *snapshot = batch_finish(batch, 1, 1);
    struct batch_counts counts;
    batch_counts(batch, &counts);
    ck_assert_uint_eq(counts.dropped_invalid + counts.dropped_duplicate + counts.dropped_limit, 0);
    dump_snapshot(&out, snapshot);
    buf_append_byte(&out, '\0');
    snapshot = snapshot_unref(snapshot);
    batch_free(batch);
    return buf_take(&out);
}

struct tally {
    struct buf text;
    uint64_t good, bad;
};

static void tally_spans(void *ctx, const struct sli_span_counts *counts)
{
    struct tally *tally = ctx;
    tally->good += counts->good;
    tally->bad += counts->bad;
    buf_printf(&tally->text, "%s", counts->slo);
    for (size_t i = 0; i < counts->label_count; i++)
        buf_printf(&tally->text, " %.*s=%.*s", STR_ARGS(counts->labels[i].name),
                   STR_ARGS(counts->labels[i].value));
    buf_printf(&tally->text, " good=%llu bad=%llu at %lld\n", (unsigned long long)counts->good,
               (unsigned long long)counts->bad, (long long)counts->wall_ns);
}

START_TEST(exposes_what_the_spanmetrics_connector_does)
{
    struct span_metrics *metrics = span_metrics_new(2, 1000, rules_of(NULL, 0));
    const struct call call = {"shop", "eu",         "GET /", OTLP_KIND_SERVER, OTLP_STATUS_UNSET,
                              true,   2 * NS_PER_MS};
    struct call inner = call, slow = call;
    inner.entry = false; /* no label: the same set */
    slow.ns = 10500 * NS_PER_US;
    count_in(metrics, 0, &call);
    count_in(metrics, 1, &inner);
    span_metrics_collect(metrics, NULL, 1, 1);
    count_in(metrics, 1, &slow);
    span_metrics_collect(metrics, NULL, 2, 2);
    char *text = written(metrics);
    static const char labels[] = "region=\"eu\",service_name=\"shop\",span_kind=\"SPAN_KIND_SERVER\","
                                 "span_name=\"GET /\",status_code=\"STATUS_CODE_UNSET\"";
    char expected[2000];
    (void)snprintf(expected, sizeof expected,
                   "traces_span_metrics_calls_total{%s} 3\n"
                   "traces_span_metrics_duration_milliseconds_bucket{%s,le=\"2.0\"} 2\n"
                   "traces_span_metrics_duration_milliseconds_bucket{%s,le=\"10.0\"} 2\n"
                   "traces_span_metrics_duration_milliseconds_bucket{%s,le=\"+Inf\"} 3\n"
                   "traces_span_metrics_duration_milliseconds_sum{%s} 14.5\n",
                   labels, labels, labels, labels, labels);
    ck_assert_str_eq(text, expected);
    free(text);
    span_metrics_free(metrics);
}
END_TEST

START_TEST(writes_nothing_before_the_first_span)
{
    struct span_metrics *metrics = span_metrics_new(1, 1000, rules_of(NULL, 0));
    span_metrics_collect(metrics, NULL, 1, 1);
    char *text = written(metrics);
    ck_assert_str_eq(text, "");
    free(text);
    span_metrics_free(metrics);
}
END_TEST

START_TEST(hands_slos_their_counts_once)
{
    const struct sli_span_selector selectors[] = {
        {.slo = "requests", .service = "shop", .entry = true},
        {.slo = "latency", .service = "shop", .entry = true, .faster_than_ns = 5 * NS_PER_MS},
        {.slo = "other", .service = "stock"}};
    struct span_metrics *metrics = span_metrics_new(1, 1000, rules_of(selectors, ARRAY_LEN(selectors)));
    struct tally tally = {.text = BUF_INIT(100000)};
    const struct sli_sink sink = {.ctx = &tally, .spans = tally_spans};
    struct call call = {"shop", "eu", "q", OTLP_KIND_INTERNAL, OTLP_STATUS_OK, true, 4999999};
    count_in(metrics, 0, &call);
    call.ns = 5000000; /* not faster */
    count_in(metrics, 0, &call);
    call.status = OTLP_STATUS_ERROR;
    call.ns = 1; /* an error is bad whatever its time */
    count_in(metrics, 0, &call);
    call.entry = false;
    count_in(metrics, 0, &call);
    span_metrics_collect(metrics, &sink, 77, 1);
    static const char labels[] = "service=shop span_name=q span_kind=SPAN_KIND_INTERNAL region=eu";
    char expected[1000];
    (void)snprintf(expected, sizeof expected,
                   "requests %s good=2 bad=0 at 77\nlatency %s good=1 bad=1 at 77\n"
                   "requests %s good=0 bad=1 at 77\nlatency %s good=0 bad=1 at 77\n",
                   labels, labels, labels, labels);
    ck_assert_str_eq(buf_text(&tally.text), expected);
    buf_reset(&tally.text);
    span_metrics_collect(metrics, &sink, 78, 1);
    ck_assert_str_eq(buf_text(&tally.text), "");
    buf_deinit(&tally.text);
    span_metrics_free(metrics);
}
END_TEST

START_TEST(overflow_keeps_the_service_and_the_slo)
{
    const struct sli_span_selector selector = {.slo = "requests", .service = "shop", .entry = true};
    struct span_metrics *metrics = span_metrics_new(2, 40 * SET_LINES, rules_of(&selector, 1));
    struct tally tally = {.text = BUF_INIT(1UL << 22)};
    const struct sli_sink sink = {.ctx = &tally, .spans = tally_spans};
    char name[32];
    for (int i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof name, "GET /users/%d", i);
        const struct call call = {"shop", "eu", name, OTLP_KIND_SERVER, OTLP_STATUS_OK, true, 1};
        count_in(metrics, (size_t)i % 2, &call);
    }
    span_metrics_collect(metrics, &sink, 1, 1);
    ck_assert_uint_eq(tally.good, 500); /* none is lost to an SLO */
    struct span_metrics_stats stats;
    span_metrics_stats(metrics, &stats);
    ck_assert_uint_eq(stats.max_sets, 40);
    ck_assert_uint_le(stats.sets, 40);
    ck_assert_uint_eq(stats.overflow_sets, 1);
    char *text = written(metrics), expected[200];
    (void)snprintf(
        expected, sizeof expected,
        "traces_span_metrics_calls_total{service_name=\"shop\",span_name=\"otel.metric.overflow\"} %llu\n",
        (unsigned long long)stats.overflow_spans);
    ck_assert_contains(text, expected);
    ck_assert_uint_eq(stats.overflow_spans + stats.sets - 1, 500);
    free(text);
    buf_deinit(&tally.text);
    span_metrics_free(metrics);
}
END_TEST

/* A sender that invents services cannot pass the limit either. */
START_TEST(overflow_of_services_is_bounded)
{
    struct span_metrics *metrics = span_metrics_new(1, 40 * SET_LINES, rules_of(NULL, 0));
    char service[32];
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(service, sizeof service, "service %d", i);
        const struct call call = {service, "", "q", OTLP_KIND_SERVER, OTLP_STATUS_OK, true, 1};
        count_in(metrics, 0, &call);
    }
    span_metrics_collect(metrics, NULL, 1, 1);
    struct span_metrics_stats stats;
    span_metrics_stats(metrics, &stats);
    ck_assert_uint_le(stats.sets, stats.max_sets);
    ck_assert_uint_eq(stats.overflow_spans + stats.sets - stats.overflow_sets, 3000);
    char *text = written(metrics);
    ck_assert_contains(text, "service_name=\"otel.metric.overflow\",span_name=\"otel.metric.overflow\"");
    free(text);
    span_metrics_free(metrics);
}
END_TEST

START_TEST(new_rules_keep_totals_and_lose_no_event)
{
    const struct sli_span_selector old_selector = {.slo = "old"},
                                   new_selector = {.slo = "new", .faster_than_ns = 3 * NS_PER_MS};
    struct span_metrics *metrics = span_metrics_new(1, 1000, rules_of(&old_selector, 1));
    struct tally tally = {.text = BUF_INIT(100000)};
    const struct sli_sink sink = {.ctx = &tally, .spans = tally_spans};
    const struct call call = {"shop", "", "q", OTLP_KIND_SERVER, OTLP_STATUS_OK, true, 4 * NS_PER_MS};
    count_in(metrics, 0, &call);
    span_metrics_set_rules(metrics, rules_of(&new_selector, 1), 1000, &sink, 5, 5);
    ck_assert_contains(buf_text(&tally.text), "old service=shop");
    buf_reset(&tally.text);
    count_in(metrics, 0, &call);
    span_metrics_collect(metrics, &sink, 6, 6);
    ck_assert_contains(buf_text(&tally.text), "new service=shop");
    ck_assert_contains(buf_text(&tally.text), "good=0 bad=1");
    char *text = written(metrics);
    ck_assert_contains(text, "} 2\n");
    ck_assert_contains(text, "le=\"10.0\"} 2\n");
    free(text);
    buf_deinit(&tally.text);
    span_metrics_free(metrics);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("span_metrics");
    TCase *tests = tcase_create("span_metrics");
    tcase_add_test(tests, exposes_what_the_spanmetrics_connector_does);
    tcase_add_test(tests, writes_nothing_before_the_first_span);
    tcase_add_test(tests, hands_slos_their_counts_once);
    tcase_add_test(tests, overflow_keeps_the_service_and_the_slo);
    tcase_add_test(tests, overflow_of_services_is_bounded);
    tcase_add_test(tests, new_rules_keep_totals_and_lose_no_event);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
